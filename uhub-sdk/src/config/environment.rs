//! Settings from environment variables.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use zeroize::Zeroizing;

use crate::{
    config::parameter,
    config::profile::{Location, ProfileFile, Selection},
    config::resolve::PartialConfig,
    config::source::{ConfigSource, Setting},
    credentials::{cache::CredentialsSource, key_pair::Credentials},
};

pub(crate) const PUBLIC_KEY: &str = "UCLOUD_PUBLIC_KEY";
pub(crate) const PRIVATE_KEY: &str = "UCLOUD_PRIVATE_KEY";
pub(crate) const PROFILE: &str = "UCLOUD_PROFILE";

/// Environment variables, and the problems found in them so far. A variable that is empty or
/// consists of whitespace is not set: CI systems and compose files pass unset variables so.
pub(crate) struct Environment<R> {
    /// Returns the value of a variable.
    read: R,
    home: Option<PathBuf>,
    problems: Vec<String>,
}

impl<R: Fn(&str) -> Option<OsString>> Environment<R> {
    pub(crate) fn new(read: R, home: Option<PathBuf>) -> Self {
        // A relative home, such as an empty one, would mean files of the current directory.
        let home = home.filter(|home| home.is_absolute());
        Self { read, home, problems: Vec::new() }
    }

    /// Reads the settings in variables, and those without a variable from the profile files.
    pub(crate) fn load(mut self) -> PartialConfig {
        let credentials = self.credentials();
        let with_credentials = credentials.is_none();
        let config = PartialConfig {
            credentials,
            parameters: parameter::read(|parameter| self.text(parameter.variable?)),
            base_url: self.text("UCLOUD_API_BASE_URL"),
            timeout: self.seconds("UCLOUD_TIMEOUT_SECOND"),
            ..PartialConfig::default()
        };
        let selection = match self.text(PROFILE) {
            Some(name) => Selection::Named { name: name.value, selected_by: PROFILE },
            None => Selection::Active,
        };
        let profile = self.load_profile(&selection, with_credentials);
        let problems = self.problems;
        PartialConfig { problems, ..config }.or(profile)
    }

    /// Reads a profile. Of the variables, only the paths of the files apply.
    pub(crate) fn load_profile(
        &self,
        selection: &Selection,
        with_credentials: bool,
    ) -> PartialConfig {
        let config = self.file("UCLOUD_SHARED_CONFIG_FILE", "config.json");
        let credential = self.file("UCLOUD_SHARED_CREDENTIAL_FILE", "credential.json");
        PartialConfig::from_profile(config, credential, selection, with_credentials)
    }

    fn file(&self, variable: &'static str, default_name: &str) -> ProfileFile {
        if let Some(path) = self.value(variable) {
            return ProfileFile::new(path.into(), Location::Variable(variable));
        }
        match &self.home {
            Some(home) => ProfileFile::new(home.join(".ucloud").join(default_name), Location::Home),
            None => {
                ProfileFile::new(PathBuf::from("~/.ucloud").join(default_name), Location::Nowhere)
            }
        }
    }

    /// Reads the key pair. A pair is never completed by a key from another source.
    fn credentials(&mut self) -> Option<Setting<CredentialsSource>> {
        let problems = self.problems.len();
        let secret = |setting: Setting<String>| setting.map(Zeroizing::new);
        match [PUBLIC_KEY, PRIVATE_KEY].map(|name| self.text(name).map(secret)) {
            [Some(public_key), Some(private_key)] => {
                Some(public_key.map(|public_key| {
                    Credentials::from_secrets(public_key, private_key.value).into()
                }))
            }
            [None, None] => None,
            // One of the two is set, and invalid.
            _ if self.problems.len() > problems => None,
            [public_key, _] => {
                let (set, unset) = match public_key {
                    Some(_) => (PUBLIC_KEY, PRIVATE_KEY),
                    None => (PRIVATE_KEY, PUBLIC_KEY),
                };
                self.problems.push(format!(
                    "{set} is set, but {unset} is not: set both or neither. A key pair is not combined from several \
                     sources."
                ));
                None
            }
        }
    }

    /// Returns the value of a variable that is set.
    fn value(&self, name: &str) -> Option<OsString> {
        let is_blank = |value: &OsString| value.to_str().is_some_and(|text| text.trim().is_empty());
        (self.read)(name).filter(|value| !is_blank(value))
    }

    fn text(&mut self, name: &'static str) -> Option<Setting<String>> {
        match self.value(name)?.into_string() {
            Ok(value) => Some(Setting { value, source: ConfigSource::Environment(name) }),
            Err(value) => {
                drop(Zeroizing::new(value.into_encoded_bytes()));
                self.problems.push(format!("{name} is not valid UTF-8."));
                None
            }
        }
    }

    fn seconds(&mut self, name: &'static str) -> Option<Setting<Duration>> {
        let Setting { value, source } = self.text(name)?;
        match value.trim().parse().map(Duration::from_secs) {
            Ok(value) => Some(Setting { value, source }),
            Err(_) => {
                self.problems.push(format!("{name} must be a whole number of seconds."));
                None
            }
        }
    }
}
