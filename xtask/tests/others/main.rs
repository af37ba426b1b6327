//! Adding uhub-sdk to a program changes nothing for the program's own clients of reqwest, and
//! nothing that the program enables in reqwest, rustls or serde_json changes uhub-sdk.
#![allow(clippy::unwrap_used)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

struct Program {
    name: &'static str,
    source: &'static str,
    dependencies: &'static str,
}

const PROGRAMS: [Program; 3] = [
    Program {
        name: "plain",
        source: include_str!("programs/plain.rs"),
        dependencies: r#"
reqwest = { version = "0.13", default-features = false }
rustls = { version = "0.23", default-features = false }
uhub-sdk = { path = "UHUB_SDK" }
"#,
    },
    Program {
        name: "full",
        source: include_str!("programs/full.rs"),
        dependencies: r#"
reqwest = { version = "0.13", features = ["cookies", "gzip", "json", "native-tls", "stream"] }
rustls = { version = "0.23", features = ["ring"] }
serde_json = { version = "1", features = ["arbitrary_precision", "preserve_order"] }
uhub-sdk = { path = "UHUB_SDK" }
"#,
    },
    Program {
        name: "ring",
        source: include_str!("programs/ring.rs"),
        dependencies: r#"
reqwest = { version = "0.13", default-features = false, features = ["rustls-no-provider"] }
rustls = { version = "0.23", default-features = false, features = ["ring", "std", "tls12"] }
uhub-sdk = { path = "UHUB_SDK", default-features = false, features = ["rustls-ring"] }
"#,
    },
];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

impl Program {
    /// Writes the program to a folder of its own.
    fn write(&self, folder: &Path) {
        let repository = repository();
        fs::create_dir_all(folder.join("src")).unwrap();
        let manifest = format!(
            "[workspace]\n\n[package]\nname = \"program-{}\"\nversion = \"0.0.0\"\n\
             edition = \"2024\"\n\n[dependencies]\n\
             tokio = {{ version = \"1\", features = [\"macros\", \"rt\"] }}{}",
            self.name, self.dependencies
        );
        let sdk = repository.join("uhub-sdk");
        // A literal string of TOML: a path of Windows has backslashes.
        let manifest = manifest.replace("\"UHUB_SDK\"", &format!("'{}'", sdk.display()));
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        fs::write(folder.join("src/main.rs"), self.source).unwrap();
        fs::write(folder.join("src/server.rs"), include_str!("programs/server.rs")).unwrap();
        // The versions that the other tests have built.
        fs::copy(repository.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    }
}

fn cargo(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap())
        .output()
        .unwrap()
}

#[test]
#[ignore = "builds three programs; .ci/run runs it"]
fn the_own_clients_of_a_program_work_as_before() {
    let mut failures = Vec::new();
    for program in &PROGRAMS {
        let folder = tempfile::tempdir().unwrap();
        program.write(folder.path());
        let output = cargo(folder.path(), &["run", "--quiet"]);
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            failures.push(format!("{}:\n{error}", program.name));
        }
        let tree = cargo(folder.path(), &["tree", "--prefix", "none", "--edges", "normal"]);
        let tree = String::from_utf8_lossy(&tree.stdout).into_owned();
        let has = |name: &str| tree.lines().any(|line| line.starts_with(name));
        let providers = match program.name {
            "plain" => (true, false),
            "ring" => (false, true),
            _ => (true, true),
        };
        let found = (has("aws-lc-rs "), has("ring "));
        if found != providers {
            failures.push(format!("{}: aws-lc-rs and ring in the tree: {found:?}", program.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
