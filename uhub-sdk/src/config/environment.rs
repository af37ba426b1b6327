//! Settings from environment variables.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use crate::{
    config::profile::ProfileFile,
    config::resolve::PartialConfig,
    config::source::{ConfigSource, Setting},
    credentials::{cache::CredentialsSource, key_pair::Credentials},
};

/// Environment variables, and the problems found in them so far.
pub(crate) struct Environment<R> {
    /// Returns the value of a variable.
    read: R,
    home: Option<PathBuf>,
    problems: Vec<String>,
}

impl<R: Fn(&str) -> Option<OsString>> Environment<R> {
    pub(crate) fn new(read: R, home: Option<PathBuf>) -> Self {
        Self { read, home, problems: Vec::new() }
    }

    /// Reads the settings in variables, and those without a variable from the profile files.
    pub(crate) fn load(mut self) -> PartialConfig {
        let public_key = self.text("UCLOUD_PUBLIC_KEY");
        let private_key = self.text("UCLOUD_PRIVATE_KEY");
        for (name, other) in [
            ("UCLOUD_PUBLIC_KEY", "UCLOUD_PRIVATE_KEY"),
            ("UCLOUD_PRIVATE_KEY", "UCLOUD_PUBLIC_KEY"),
        ] {
            if (self.read)(name).is_some() && (self.read)(other).is_none() {
                self.problems
                    .push(format!("{name} is set, but {other} is not: set both or neither."));
            }
        }
        let credentials = public_key.zip(private_key).map(|(public_key, private_key)| {
            public_key.map(|public_key| {
                CredentialsSource::from(Credentials::new(public_key, private_key.value))
            })
        });
        let with_credentials = credentials.is_none();
        let config = PartialConfig {
            credentials,
            project_id: self.text("UCLOUD_PROJECT_ID"),
            base_url: self.text("UCLOUD_API_BASE_URL"),
            timeout: self.seconds("UCLOUD_TIMEOUT_SECOND"),
            ..PartialConfig::default()
        };
        let profile = self.text("UCLOUD_PROFILE").map(|profile| profile.value);
        let profile = self.load_profile(profile, with_credentials);
        let problems = self.problems;
        PartialConfig { problems, ..config }.or(profile)
    }

    /// Reads one profile, or the active one. Of the variables, only the paths of the files apply.
    pub(crate) fn load_profile(
        &self,
        name: Option<String>,
        with_credentials: bool,
    ) -> PartialConfig {
        let config = self.file("UCLOUD_SHARED_CONFIG_FILE", "config.json");
        let credential = self.file("UCLOUD_SHARED_CREDENTIAL_FILE", "credential.json");
        PartialConfig::from_profile(config, credential, name, with_credentials)
    }

    fn file(&self, variable: &'static str, default_name: &str) -> ProfileFile {
        match (self.read)(variable).filter(|path| !path.is_empty()) {
            Some(path) => ProfileFile::new(path.into(), Some(variable)),
            None => {
                let path = self.home.as_ref().map(|home| home.join(".ucloud").join(default_name));
                // Without a home directory the path is empty, and no such file exists.
                ProfileFile::new(path.unwrap_or_default(), None)
            }
        }
    }

    fn text(&mut self, name: &'static str) -> Option<Setting<String>> {
        let problem = match (self.read)(name)?.into_string() {
            Ok(value) if !value.is_empty() => {
                let source = ConfigSource::Environment(name);
                return Some(Setting { value, source });
            }
            Ok(_) => "is empty: set a value, or unset the variable",
            Err(_) => "is not valid UTF-8",
        };
        self.problems.push(format!("{name} {problem}."));
        None
    }

    fn seconds(&mut self, name: &'static str) -> Option<Setting<Duration>> {
        let Setting { value, source } = self.text(name)?;
        match value.parse().map(Duration::from_secs) {
            Ok(value) => Some(Setting { value, source }),
            Err(_) => {
                self.problems
                    .push(format!("{name} must be a whole number of seconds, not {value:?}."));
                None
            }
        }
    }
}
