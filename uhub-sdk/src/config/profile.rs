//! The files of the platform's command-line tool: `~/.ucloud/config.json` and `credential.json`.
//!
//! Both are JSON arrays of objects, joined on `profile`. Problems name the file, the profile and
//! the key, but never quote a value: it may be a secret.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use crate::{
    config::resolve::PartialConfig,
    config::source::{ConfigSource, Setting},
    credentials::{cache::CredentialsSource, key_pair::Credentials},
    exchange::retry::RetryPolicy,
};

/// Larger files are rejected.
const MAX_SIZE: u64 = 1024 * 1024;

/// A file, and the problems found in it so far.
pub(crate) struct ProfileFile {
    path: PathBuf,
    /// The environment variable that names the file. Without one, the file may be absent.
    variable: Option<&'static str>,
    entries: Vec<Entry>,
    problems: Vec<String>,
}

/// The entry of a profile in either file. Unknown keys are ignored.
#[derive(Deserialize)]
struct Entry {
    profile: String,
    active: Option<Field<bool>>,
    project_id: Option<Field<String>>,
    base_url: Option<Field<String>>,
    timeout_sec: Option<Field<u64>>,
    max_retry_times: Option<Field<u64>>,
    auth_mode: Option<Field<String>>,
    public_key: Option<Field<String>>,
    private_key: Option<Field<String>>,
}

/// A value whose type is a problem only if its profile is used.
#[derive(Deserialize)]
#[serde(untagged)]
enum Field<V> {
    Valid(V),
    Invalid(IgnoredAny),
}

impl PartialConfig {
    /// Reads the settings of a profile, or of the active one. The credential file is read only
    /// `with_credentials`.
    pub(crate) fn from_profile(
        mut config: ProfileFile,
        mut credential: ProfileFile,
        profile: Option<String>,
        with_credentials: bool,
    ) -> Self {
        config.load();
        if with_credentials {
            credential.warn_if_exposed();
            credential.load();
        }
        if let Some(name) = profile.as_deref().filter(|_| with_credentials) {
            let is_valid = config.problems.is_empty() && credential.problems.is_empty();
            match (config.has(name), credential.has(name)) {
                (_, true) => {}
                (true, false) => credential.report(format!(
                    "no credentials for profile `{name}`: log in with the platform's command-line tool, or add them."
                )),
                (false, false) if is_valid => {
                    let mut names: Vec<_> = config.names().chain(credential.names()).collect();
                    names.sort_unstable();
                    names.dedup();
                    config.problems.push(format!(
                        "there is no profile `{name}`: {} and {} contain {}.",
                        config.path.display(),
                        credential.path.display(),
                        match names[..] {
                            [] => "no profiles".to_owned(),
                            _ => format!("`{}`", names.join("`, `")),
                        }
                    ));
                }
                (false, false) => {}
            }
        }
        let mut settings = PartialConfig::default();
        let name = profile.or_else(|| config.active());
        if let Some(name) = &name {
            settings = config.settings(name).unwrap_or_default();
            settings.credentials = credential.credentials(name);
        } else if !credential.entries.is_empty() && config.problems.is_empty() {
            credential.problems.push(format!(
                "{}: no profile is active: set `active` to true in one, or select one with UCLOUD_PROFILE.",
                config.path.display()
            ));
        }
        PartialConfig {
            problems: config.problems,
            credential_problems: credential.problems,
            ..settings
        }
    }
}

impl ProfileFile {
    pub(crate) fn new(path: PathBuf, variable: Option<&'static str>) -> Self {
        Self { path, variable, entries: Vec::new(), problems: Vec::new() }
    }

    fn load(&mut self) {
        let text = match (read(&self.path), self.variable) {
            (Ok(text), _) => text,
            (Err(error), None) if error.kind() == io::ErrorKind::NotFound => return,
            (Err(error), Some(variable)) if error.kind() == io::ErrorKind::NotFound => {
                return self.report(format!("{variable} names this file, but it does not exist."));
            }
            (Err(error), _) => return self.report(format!("the file cannot be read: {error}.")),
        };
        let text = text.trim_start_matches('\u{feff}');
        if text.trim().is_empty() {
            // The command-line tool creates its files before it has anything to write.
            return;
        }
        let values = match serde_json::from_str(text) {
            Ok(Value::Array(values)) => values,
            Ok(_) => return self.report("expected a JSON array of profiles."),
            // The parser's message may quote a secret from the file.
            Err(error) => {
                let position = format!("{}:{}", error.line(), error.column());
                self.problems.push(format!(
                    "{}:{position}: invalid JSON: fix it, or recreate the file with the platform's command-line tool.",
                    self.path.display()
                ));
                return;
            }
        };
        for (index, value) in values.into_iter().enumerate() {
            let object = Some(value).filter(Value::is_object);
            match object.and_then(|object| serde_json::from_value::<Entry>(object).ok()) {
                Some(entry) if !entry.profile.is_empty() => self.entries.push(entry),
                _ => self.report(format!(
                    "entry {} must be an object with a non-empty `profile`.",
                    index + 1
                )),
            }
        }
    }

    fn warn_if_exposed(&self) {
        if others_can_read(&self.path) {
            tracing::warn!(
                path = %self.path.display(),
                "other users of this machine can read the credential file: run `chmod 600` on it"
            );
        }
    }

    fn report(&mut self, problem: impl fmt::Display) {
        self.problems.push(format!("{}: {problem}", self.path.display()));
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.profile.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.names().any(|other| other == name)
    }

    /// Takes the entry of a profile out of the file.
    fn take(&mut self, name: &str) -> Option<Entry> {
        if self.names().filter(|other| *other == name).count() > 1 {
            self.report(format!(
                "profile `{name}` is defined more than once: keep one definition."
            ));
        }
        let index = self.names().position(|other| other == name)?;
        Some(self.entries.swap_remove(index))
    }

    fn value<V>(
        &mut self,
        profile: &str,
        (key, field): (&str, Option<Field<V>>),
        expected: &str,
    ) -> Option<Setting<V>> {
        let Field::Valid(value) = field? else {
            self.report(format!("profile `{profile}`: `{key}` must be {expected}."));
            return None;
        };
        let source = ConfigSource::Profile { name: profile.to_owned(), path: self.path.clone() };
        Some(Setting { value, source })
    }

    /// Returns a string. The command-line tool writes an empty one for a value that is not set.
    fn text(
        &mut self,
        profile: &str,
        field: (&str, Option<Field<String>>),
    ) -> Option<Setting<String>> {
        self.value(profile, field, "a string").filter(|text| !text.value.is_empty())
    }

    fn number(&mut self, profile: &str, field: (&str, Option<Field<u64>>)) -> Option<Setting<u64>> {
        self.value(profile, field, "a whole number, 0 or more")
    }

    fn active(&mut self) -> Option<String> {
        let (mut active, mut invalid) = (Vec::new(), Vec::new());
        for entry in &self.entries {
            match entry.active {
                None | Some(Field::Valid(false)) => {}
                Some(Field::Valid(true)) => active.push(entry.profile.clone()),
                Some(Field::Invalid(_)) => invalid.push(entry.profile.clone()),
            }
        }
        for name in invalid {
            self.report(format!("profile `{name}`: `active` must be true or false."));
        }
        if active.len() > 1 {
            self.report(format!(
                "{} profiles are active (`{}`): leave one active, or select one with UCLOUD_PROFILE.",
                active.len(),
                active.join("`, `")
            ));
        }
        active.into_iter().next()
    }

    fn settings(&mut self, name: &str) -> Option<PartialConfig> {
        let entry = self.take(name)?;
        let timeout = self.number(name, ("timeout_sec", entry.timeout_sec));
        // The command-line tool writes 0 for a timeout that is not set.
        let timeout = timeout.filter(|seconds| seconds.value > 0);
        let retries = self.number(name, ("max_retry_times", entry.max_retry_times));
        let policy = |retries| {
            let retries = u32::try_from(retries).unwrap_or(u32::MAX);
            RetryPolicy::default().with_max_attempts(retries.saturating_add(1))
        };
        Some(PartialConfig {
            project_id: self.text(name, ("project_id", entry.project_id)),
            base_url: self.text(name, ("base_url", entry.base_url)),
            timeout: timeout.map(|seconds| seconds.map(Duration::from_secs)),
            retry: retries.map(|retries| retries.map(policy)),
            ..PartialConfig::default()
        })
    }

    fn credentials(&mut self, name: &str) -> Option<Setting<CredentialsSource>> {
        let entry = self.take(name)?;
        let auth_mode = self.text(name, ("auth_mode", entry.auth_mode));
        if auth_mode.is_some_and(|mode| mode.value == "oauth") {
            self.report(format!(
                "profile `{name}` uses OAuth (`auth_mode`), which provides no key pair to sign calls with: create an \
                 API key in the console, and set it in another profile or in UCLOUD_PUBLIC_KEY and \
                 UCLOUD_PRIVATE_KEY."
            ));
            return None;
        }
        let [public_key, private_key] =
            [("public_key", entry.public_key), ("private_key", entry.private_key)].map(
                |(key, field)| {
                    let value = self.text(name, (key, field));
                    if value.is_none() {
                        self.report(format!("profile `{name}`: `{key}` is missing or empty."));
                    }
                    value
                },
            );
        let private_key = private_key?.value;
        Some(public_key?.map(|public_key| Credentials::new(public_key, private_key).into()))
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_SIZE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_SIZE {
        return Err(io::Error::other(format!("it is larger than {MAX_SIZE} bytes")));
    }
    Ok(text)
}

/// Reports whether other users of this machine can access a file.
#[cfg(unix)]
fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_can_read(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"[
        {"profile": "work", "active": true, "project_id": "org-1", "region": "cn-bj2", "zone": "cn-bj2-04",
         "base_url": "https://api.ucloud.cn/", "timeout_sec": 15, "max_retry_times": 3, "agree_upload_log": false},
        {"profile": "home", "active": false, "project_id": "", "timeout_sec": 0, "max_retry_times": 0}
    ]"#;
    const CREDENTIAL: &str = r#"[
        {"profile": "work", "public_key": "public-key", "private_key": "private-key"},
        {"profile": "home", "public_key": "other-public-key", "private_key": "other-private-key", "auth_mode": ""},
        {"profile": "web", "auth_mode": "oauth", "access_token": "private-token", "expires_at": 1}
    ]"#;

    /// Reads a profile from files with these texts. A file without text does not exist.
    fn read(config: &str, credential: &str, profile: Option<&str>) -> PartialConfig {
        let folder = tempfile::tempdir().unwrap();
        let file = |name, text: &str| {
            let path = folder.path().join(name);
            if !text.is_empty() {
                std::fs::write(&path, text).unwrap();
            }
            path
        };
        let config = ProfileFile::new(file("config.json", config), None);
        let credential = ProfileFile::new(file("credential.json", credential), None);
        PartialConfig::from_profile(config, credential, profile.map(str::to_owned), true)
    }

    /// The values of a profile.
    #[derive(Debug, Default, PartialEq)]
    struct Values {
        credentials: Option<Credentials>,
        project_id: Option<String>,
        base_url: Option<String>,
        timeout: Option<Duration>,
        retry: Option<RetryPolicy>,
    }

    impl From<PartialConfig> for Values {
        fn from(config: PartialConfig) -> Self {
            Self {
                credentials: config.credentials.map(|setting| match setting.value {
                    CredentialsSource::Static(credentials) => (*credentials).clone(),
                    CredentialsSource::Provider(_) => panic!("a file has no provider"),
                }),
                project_id: config.project_id.map(|setting| setting.value),
                base_url: config.base_url.map(|setting| setting.value),
                timeout: config.timeout.map(|setting| setting.value),
                retry: config.retry.map(|setting| setting.value),
            }
        }
    }

    #[test]
    fn the_named_profile_is_read_or_else_the_active_one() {
        let config = read(CONFIG, CREDENTIAL, None);
        assert!(config.problems.is_empty() && config.credential_problems.is_empty());
        let work = Values {
            credentials: Some(Credentials::new("public-key", "private-key")),
            project_id: Some("org-1".to_owned()),
            base_url: Some("https://api.ucloud.cn/".to_owned()),
            timeout: Some(Duration::from_secs(15)),
            retry: Some(RetryPolicy::default().with_max_attempts(4)),
        };
        assert_eq!(Values::from(config), work);

        let bom = format!("\u{feff}{CREDENTIAL}");
        let config = read(CONFIG, &bom, Some("home"));
        let home = Values {
            credentials: Some(Credentials::new("other-public-key", "other-private-key")),
            retry: Some(RetryPolicy::disabled()),
            ..Values::default()
        };
        assert_eq!(Values::from(config), home, "empty values are not set");

        for (config, credential) in [("", ""), ("[]", "[]"), ("\n", " ")] {
            let config = read(config, credential, None);
            assert!(config.problems.is_empty(), "{:?}", config.problems);
            assert_eq!(Values::from(config), Values::default());
        }
    }

    #[test]
    fn every_problem_of_a_file_has_a_message() {
        let credential = |entry: &str| format!("[{entry}]");
        let huge = format!("[{}]", " ".repeat(1 << 20));
        for (config, credentials, profile, expected) in [
            ("{\"private-key\"", CREDENTIAL, None, "config.json:1:14: invalid JSON"),
            (CONFIG, "[\"private-key\", x", None, "credential.json:1:17: invalid JSON"),
            ("{}", CREDENTIAL, None, "config.json: expected a JSON array"),
            (&huge, CREDENTIAL, None, "it is larger than 1048576 bytes"),
            (
                "[{}]",
                CREDENTIAL,
                None,
                "config.json: entry 1 must be an object with a non-empty `profile`",
            ),
            (
                r#"[{"profile": "a", "active": "yes"}]"#,
                "",
                None,
                "config.json: profile `a`: `active` must be true or false",
            ),
            (
                r#"[{"profile": "a", "active": true}, {"profile": "b", "active": true}]"#,
                "",
                None,
                "2 profiles are active (`a`, `b`): leave one active, or select one with UCLOUD_PROFILE",
            ),
            (CONFIG, CREDENTIAL, Some("away"), "there is no profile `away`: "),
            (CONFIG, CREDENTIAL, Some("away"), "contain `home`, `web`, `work`."),
            ("", "", Some("away"), "contain no profiles"),
            (CONFIG, "[]", Some("home"), "credential.json: no credentials for profile `home`"),
            ("", CREDENTIAL, None, "no profile is active: set `active`"),
            (r#"[{"profile": "work"}]"#, CREDENTIAL, None, "no profile is active"),
            (
                r#"[{"profile": "a", "project_id": 5}]"#,
                "",
                Some("a"),
                "config.json: profile `a`: `project_id` must be a string",
            ),
            (
                r#"[{"profile": "a", "timeout_sec": -1}]"#,
                "",
                Some("a"),
                "profile `a`: `timeout_sec` must be a whole number",
            ),
            (
                r#"[{"profile": "a"}, {"profile": "a"}]"#,
                "",
                Some("a"),
                "profile `a` is defined more than once",
            ),
            (
                CONFIG,
                CREDENTIAL,
                Some("web"),
                "`web` uses OAuth (`auth_mode`), which provides no key pair",
            ),
            (
                CONFIG,
                &credential(
                    r#"{"profile": "work", "public_key": "", "private_key": "private-key"}"#,
                ),
                None,
                "credential.json: profile `work`: `public_key` is missing or empty",
            ),
            (
                CONFIG,
                &credential(r#"{"profile": "work", "public_key": "public-key"}"#),
                None,
                "profile `work`: `private_key` is missing",
            ),
        ] {
            let config = read(config, credentials, profile);
            let problems = [config.problems, config.credential_problems].concat().join(" ");
            assert!(problems.contains(expected), "{expected:?} in {problems}");
            assert!(!problems.contains("private-"), "{problems}");
        }
    }

    #[test]
    fn a_file_that_a_variable_names_must_exist() {
        let read = |with_credentials| {
            let config = ProfileFile::new(
                PathBuf::from("/nowhere/config.json"),
                Some("UCLOUD_SHARED_CONFIG_FILE"),
            );
            let credential = ProfileFile::new(
                PathBuf::from("/nowhere/credential.json"),
                Some("UCLOUD_SHARED_CREDENTIAL_FILE"),
            );
            PartialConfig::from_profile(config, credential, None, with_credentials)
        };
        let config = read(true);
        assert_eq!(
            config.problems,
            [
                "/nowhere/config.json: UCLOUD_SHARED_CONFIG_FILE names this file, but it does not exist."
            ]
        );
        assert!(config.credential_problems[0].contains("UCLOUD_SHARED_CREDENTIAL_FILE"));
        assert!(read(false).credential_problems.is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_detected() {
        use std::os::unix::fs::PermissionsExt;

        let file = tempfile::NamedTempFile::new().unwrap();
        for (mode, expected) in [(0o644, true), (0o640, true), (0o604, true), (0o600, false)] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(file.path(), permissions).unwrap();
            assert_eq!(others_can_read(file.path()), expected, "{mode:o}");
        }
        assert!(!others_can_read(Path::new("/nowhere/credential.json")));
    }
}
