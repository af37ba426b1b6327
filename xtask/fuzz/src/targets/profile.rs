//! The client reads the files of profiles.
//!
//! An input is the text of `config.json` and of `credential.json`, with a line `---` between them.
//! `$PRIVATE` and `$TOKEN` stand for secrets.

use std::{env, fmt::Write as _, fs, path::PathBuf};
use std::{path::Path, process::Command};

use uhub_sdk::{Client, ClientBuilder};

use crate::targets::{Check, secrets, shape};

const PRIVATE_KEY: &str = "pRiVaTe+kEy/46f09bb9fab4f12dfc16";
const TOKEN: &str = "t0KeN+of/the-session=1234567890/abcdef";

const CONFIG: &str = "UCLOUD_SHARED_CONFIG_FILE";
const CREDENTIAL: &str = "UCLOUD_SHARED_CREDENTIAL_FILE";

pub(crate) fn has_environment() -> bool {
    env::var_os(CONFIG).is_some_and(|path| Path::new(&path).starts_with(env::temp_dir()))
}

/// Makes a process read the files in this folder, and no other settings.
pub(crate) fn set_environment(command: &mut Command, folder: &Path) {
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("UCLOUD_") {
            command.env_remove(name);
        }
    }
    command.env(CONFIG, folder.join("config.json"));
    command.env(CREDENTIAL, folder.join("credential.json"));
}

pub(crate) struct Profiles {
    config: PathBuf,
    credential: PathBuf,
}

impl Profiles {
    pub(crate) fn start() -> Self {
        let path =
            |name| PathBuf::from(env::var_os(name).expect("the environment names the files"));
        Self { config: path(CONFIG), credential: path(CREDENTIAL) }
    }
}

impl Check for Profiles {
    fn check(&mut self, input: &[u8]) -> Result<String, String> {
        let text = replace(input, b"$PRIVATE", PRIVATE_KEY.as_bytes());
        let text = replace(&text, b"$TOKEN", TOKEN.as_bytes());
        let separator = text.windows(5).position(|window| window == b"\n---\n");
        let (config, credential) = match separator {
            Some(at) => (&text[..at], &text[at + 5..]),
            None => (&text[..], &b"[]"[..]),
        };
        let written = fs::write(&self.config, config);
        written.and_then(|()| fs::write(&self.credential, credential)).expect("files are written");
        let mut outcome = String::new();
        for builder in [ClientBuilder::from_env(), ClientBuilder::from_profile("default")] {
            let result = builder.and_then(ClientBuilder::build);
            let shown = match &result {
                Ok(client) => format!("{client:?} {:?}", client.config_sources()),
                Err(error) => secrets::full_text(error),
            };
            if let Some(secret) = secrets::find(&shown, &[PRIVATE_KEY, TOKEN])
                && !is_in_a_name(input)
            {
                return Err(format!("a secret is shown\n{secret}\n{shown}"));
            }
            let shown = result.as_ref().map_or_else(ToString::to_string, sources);
            let _ = write!(outcome, "{};", shape(&shown));
        }
        Ok(outcome)
    }
}

/// Whether the name of a profile, which is not a secret, contains one.
fn is_in_a_name(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    text.split("\"profile\"").skip(1).any(|rest| {
        let name = rest.split(['"', '\n']).nth(1).unwrap_or_default();
        name.contains('$')
    })
}

/// Where the settings come from.
fn sources(client: &Client) -> String {
    format!("{:?}", client.config_sources())
}

fn replace(text: &[u8], placeholder: &[u8], value: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(placeholder.len()).position(|window| window == placeholder) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(value);
        rest = &rest[at + placeholder.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}
