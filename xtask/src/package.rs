//! `cargo xtask package`: packages the crates that are published, and tests the packages.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::files::{count, in_repository};

/// The published crates, in the order of publishing.
pub(crate) const PUBLISHED: [&str; 2] = ["uhub-local", "uhub-sdk"];

/// What the tests, doc tests and examples need. In the repository, the crates enable it by a
/// dependency on themselves, which a package does not have.
const FEATURES: &str = "uhub-sdk/blocking,uhub-sdk/local,uhub-sdk/retention,uhub-local/cli";

/// What every package contains besides its source.
const TEXTS: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// Package the crates that are published, and run their tests, doc tests and examples as a user
/// gets them: unpacked, without the rest of the repository.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Check instead that each compiles with the lowest versions of its dependencies that its
    /// manifest allows.
    #[arg(long)]
    lowest: bool,
    /// Only package and unpack.
    #[arg(long)]
    no_test: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<String, String> {
    let root = root()?;
    let target = target(&root);
    let (packages, sizes) = unpacked(&root, &target)?;
    if arguments.lowest {
        check_lowest(&packages, &target)?;
    } else if !arguments.no_test {
        test(&root, &packages, &target)?;
    }
    Ok(sizes)
}

/// Packages the crates of a repository and tests the packages. Returns their sizes.
pub(crate) fn check(root: &Path, target: &Path) -> Result<String, String> {
    let (packages, sizes) = unpacked(root, target)?;
    test(root, &packages, target)?;
    Ok(sizes)
}

/// Returns the absolute path of the repository.
pub(crate) fn root() -> Result<PathBuf, String> {
    let root = in_repository("Cargo.toml");
    let manifest = root.canonicalize().map_err(|error| format!("{}: {error}", root.display()))?;
    Ok(manifest.parent().unwrap_or(&manifest).to_owned())
}

/// Returns the folder of what Cargo builds in a repository.
pub(crate) fn target(root: &Path) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| root.join("target"))
}

/// Packages the crates of a repository and unpacks them into a folder under `target`. Returns the
/// unpacked folders, and a line for each with its size.
fn unpacked(root: &Path, target: &Path) -> Result<(Vec<PathBuf>, String), String> {
    let folder = target.join("package").join("unpacked");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let (mut packages, mut sizes, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for package in pack(root, target)? {
        let mut tar = Command::new("tar");
        succeed(tar.arg("-xzf").arg(&package).arg("-C").arg(&folder), "tar")?;
        let unpacked = folder.join(package.file_stem().unwrap_or_default());
        let missing = TEXTS.iter().filter(|name| {
            // A link that is no link is a file with a path.
            fs::metadata(unpacked.join(name)).map_or(0, |file| file.len()) < 100
        });
        problems.extend(missing.map(|text| format!("{}: no {text}", unpacked.display())));
        let (files, bytes) = size(&unpacked).map_err(|error| error.to_string())?;
        let packed = fs::metadata(&package).map_or(0, |file| file.len());
        let name = unpacked.file_name().unwrap_or_default().display();
        sizes.push(format!("{name}: {}, {bytes} bytes, {packed} packed", count(files, "file")));
        packages.push(unpacked);
    }
    match problems.is_empty() {
        true => Ok((packages, sizes.join("\n"))),
        false => Err(problems.join("\n")),
    }
}

/// Runs the tests, doc tests and examples of unpacked packages.
fn test(root: &Path, packages: &[PathBuf], target: &Path) -> Result<(), String> {
    let manifest = read(&root.join("Cargo.toml"))?;
    // The same profile and versions as in the repository, so that the dependencies are built once.
    let profile = manifest.split("\n[profile.dev.package]\n").nth(1).unwrap_or_default();
    let profile = profile.split("\n\n").next().unwrap_or_default();
    let profile: Vec<&str> = profile.lines().filter(|line| !line.starts_with("uhub-")).collect();
    let profile = format!("[profile.dev.package]\n{}\n", profile.join("\n"));
    let folder = write_workspace(packages, &profile)?;
    write(&folder.join("Cargo.lock"), &read(&root.join("Cargo.lock"))?)?;
    for arguments in [&["test", "--workspace"][..], &["run", "--example", "list_images"]] {
        let mut cargo = cargo(&folder);
        cargo.args(arguments).args(["--quiet", "--features", FEATURES, "--target-dir"]).arg(target);
        succeed(&mut cargo, &format!("cargo {} of the packages", arguments[0]))?;
    }
    Ok(())
}

/// Checks that unpacked packages compile with the lowest versions of their dependencies.
fn check_lowest(packages: &[PathBuf], target: &Path) -> Result<(), String> {
    for package in packages {
        let path = package.join("Cargo.toml");
        write(&path, &with_lowest_versions(&read(&path)?))?;
    }
    let folder = write_workspace(packages, "")?;
    let mut cargo = cargo(&folder);
    cargo.args(["check", "--workspace", "--lib", "--bins", "--all-features", "--target-dir"]);
    succeed(cargo.arg(target), "cargo check with the lowest versions")
}

/// Returns the manifest of a package, as Cargo writes it, with exact versions of its dependencies
/// and without what only its tests need.
fn with_lowest_versions(manifest: &str) -> String {
    let mut lowest = String::new();
    let mut header = "";
    for line in manifest.split_inclusive('\n') {
        if line.starts_with('[') {
            header = line.trim_end();
        }
        let version = line.strip_prefix("version = \"").and_then(|rest| rest.split('"').next());
        let tests = ["[[test]]", "[[example]]", "[[bench]]"];
        if header.contains("dev-dependencies") || tests.contains(&header) {
            continue;
        }
        match version {
            Some(version) if header.contains("dependencies.") => {
                let missing = 2_usize.saturating_sub(version.matches('.').count());
                lowest += &format!("version = \"={version}{}\"\n", ".0".repeat(missing));
            }
            _ => lowest += line,
        }
    }
    lowest
}

/// Packages the crates. Returns their files.
fn pack(root: &Path, target: &Path) -> Result<Vec<PathBuf>, String> {
    let mut cargo = cargo(root);
    // Each is built by its tests, and `cargo publish` refuses what is not committed.
    cargo.args(["package", "--no-verify", "--allow-dirty", "--target-dir"]).arg(target);
    for package in PUBLISHED {
        cargo.args(["--package", package]);
    }
    let output = cargo.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    let report = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || report.contains("warning: ") {
        return Err(format!("cargo package:\n{}", report.trim_end()));
    }
    let version = version(root)?;
    let folder = target.join("package");
    Ok(PUBLISHED.map(|name| folder.join(format!("{name}-{version}.crate"))).to_vec())
}

/// Returns the version of the workspace's packages.
pub(crate) fn version(root: &Path) -> Result<String, String> {
    let path = root.join("Cargo.toml");
    let manifest = read(&path)?;
    let package = manifest.split("[workspace.package]").nth(1);
    let version =
        package.and_then(|package| package.split("version = \"").nth(1)?.split('"').next());
    version.map(str::to_owned).ok_or_else(|| format!("{}: no version", path.display()))
}

/// Makes unpacked packages a workspace, in which uhub-sdk finds uhub-local. Returns its folder.
fn write_workspace(packages: &[PathBuf], profile: &str) -> Result<PathBuf, String> {
    let names = packages.iter().filter_map(|package| package.file_name()?.to_str());
    let names: Vec<&str> = names.collect();
    let folder = packages.first().and_then(|package| package.parent()).unwrap_or(Path::new("."));
    let manifest = format!(
        "[workspace]\nresolver = \"3\"\nmembers = {names:?}\n\n\
         [patch.crates-io]\nuhub-local = {{ path = {:?} }}\n\n{profile}",
        names.first().copied().unwrap_or_default(),
    );
    write(&folder.join("Cargo.toml"), &manifest)?;
    Ok(folder.to_owned())
}

fn size(folder: &Path) -> std::io::Result<(usize, u64)> {
    let mut sum = (0, 0);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (files, bytes) = match entry.file_type()?.is_dir() {
            true => size(&entry.path())?,
            false => (1, entry.metadata()?.len()),
        };
        sum = (sum.0 + files, sum.1 + bytes);
    }
    Ok(sum)
}

/// Returns a command of Cargo in a folder, without what an outer Cargo tells about its package.
pub(crate) fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.current_dir(folder).env_remove("CARGO_MANIFEST_DIR").stdin(Stdio::null());
    cargo
}

/// Runs a command, and fails if it does.
pub(crate) fn succeed(command: &mut Command, name: &str) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("{name} failed")),
        Err(error) => Err(format!("cannot run {name}: {error}")),
    }
}

pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_versions_are_exact() {
        let manifest = "[package]\nversion = \"0.1.0\"\n\n[dependencies.http]\nversion = \"1.2\"\n\n\
                        [dev-dependencies.clap]\nversion = \"4\"\n\n[[bin]]\nname = \"b\"\n\n[[test]]\nname = \"t\"\n\n\
                        [target.'cfg(unix)'.dependencies.a]\nversion = \"0.1.2\"\noptional = true\n";
        let expected = "[package]\nversion = \"0.1.0\"\n\n[dependencies.http]\nversion = \"=1.2.0\"\n\n[[bin]]\nname = \"b\"\n\n\
                        [target.'cfg(unix)'.dependencies.a]\nversion = \"=0.1.2\"\noptional = true\n";
        assert_eq!(with_lowest_versions(manifest), expected);
    }
}
