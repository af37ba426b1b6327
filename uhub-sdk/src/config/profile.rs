//! The files of the platform's command-line tool: `~/.ucloud/config.json` and `credential.json`.
//!
//! Both are JSON arrays of objects, joined on `profile`. Problems name the file, the profile and
//! the key, but never quote a value: it may be a secret. What is read is erased from memory.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::{
    config::parameter,
    config::resolve::PartialConfig,
    config::source::{ConfigSource, IgnoredSetting, Setting},
    credentials::{
        cache::CredentialsSource,
        json::{SecretObject, SecretValue, line_at},
        key_pair::Credentials,
    },
    exchange::retry::RetryPolicy,
};

/// Larger files are rejected.
const MAX_SIZE: usize = 1024 * 1024;

/// The keys of `config.json` that are settings of a client, or do not change calls.
const CONFIG_KEYS: [&str; 11] = [
    "profile",
    "active",
    "project_id",
    "base_url",
    "channel_key",
    "timeout_sec",
    "max_retry_times",
    "region",
    "zone",
    "agree_upload_log",
    "oauth_base_url",
];

/// The same for `credential.json`. The last five are of other ways to sign in.
const CREDENTIAL_KEYS: [&str; 9] = [
    "profile",
    "auth_mode",
    "public_key",
    "private_key",
    "access_token",
    "refresh_token",
    "expires_at",
    "cookie",
    "csrf_token",
];

/// Which profile to read.
pub(crate) enum Selection {
    /// The one with `active: true`, if there is one.
    Active,
    /// A profile that must exist.
    Named {
        name: String,
        /// The variable or function that the name comes from.
        selected_by: &'static str,
    },
}

/// Where a file is expected.
pub(crate) enum Location {
    /// At the path in an environment variable, so that it must exist.
    Variable(&'static str),
    /// In the home directory.
    Home,
    /// In the home directory, which is unknown.
    Nowhere,
}

/// A file, and the problems found in it so far.
pub(crate) struct ProfileFile {
    path: PathBuf,
    location: Location,
    entries: Vec<Entry>,
    problems: Vec<String>,
}

/// The entry of a profile in either file.
struct Entry {
    profile: String,
    line: usize,
    object: SecretObject,
    /// A key that is repeated, and its lines.
    repeated: Option<(String, [usize; 2])>,
}

/// An entry that is read, for values and problems with their origin.
struct ProfileReader<'f> {
    entry: &'f Entry,
    source: ConfigSource,
    problems: &'f mut Vec<String>,
}

impl PartialConfig {
    /// Reads the settings of a profile. The credential file is read only `with_credentials`, or to
    /// find out whether the profile exists.
    pub(crate) fn from_profile(
        mut config: ProfileFile,
        mut credential: ProfileFile,
        selection: &Selection,
        with_credentials: bool,
    ) -> Self {
        config.load();
        if with_credentials {
            credential.warn_if_exposed();
            credential.load();
        }
        if let Selection::Named { name, selected_by } = selection
            && !config.has(name)
        {
            if !with_credentials {
                credential.load();
            }
            if !credential.has(name) {
                // The profile may be in a file that is invalid.
                let problems = std::mem::take(&mut credential.problems);
                config.problems.extend(problems);
                if config.problems.is_empty() {
                    config.problems.push(not_found(name, selected_by, &config, &credential));
                }
                return Self { problems: config.problems, ..Self::default() };
            }
        }
        let name = match selection {
            Selection::Named { name, .. } => Some(name.clone()),
            Selection::Active => config.active(),
        };
        let mut settings = Self::default();
        match &name {
            Some(name) => {
                settings = config.settings(name);
                if with_credentials {
                    credential.add_credentials(name, &mut settings);
                }
            }
            None if with_credentials && !(config.is_empty() && credential.is_empty()) => {
                settings.missing_credentials = Some(format!(
                    "no credentials are set, and no profile in {} is active: set `active` to true in one, or select \
                     one with UCLOUD_PROFILE.",
                    config.path.display()
                ));
            }
            None => {}
        }
        let credential_problems = if with_credentials { credential.problems } else { Vec::new() };
        Self { problems: config.problems, credential_problems, ..settings }
    }
}

/// Returns the problem of a profile that neither file has.
fn not_found(
    name: &str,
    selected_by: &str,
    config: &ProfileFile,
    credential: &ProfileFile,
) -> String {
    let mut names: Vec<_> = config.names().chain(credential.names()).collect();
    names.sort_unstable();
    names.dedup();
    format!(
        "{selected_by}: there is no profile `{name}`: {} and {} contain {}.",
        config.path.display(),
        credential.path.display(),
        match names[..] {
            [] => "no profiles".to_owned(),
            _ => names.iter().map(|name| shown_name(name)).collect::<Vec<_>>().join(", "),
        }
    )
}

/// Quotes a name, but not one as long as a key: the key may have been pasted into the wrong place.
fn shown_name(name: &str) -> String {
    match name.chars().count() {
        0..=32 => format!("`{name}`"),
        length => format!("a name of {length} characters"),
    }
}

/// Returns the name of a setting, or the length of one that may be a key in the wrong place.
fn shown_key(key: &str) -> String {
    match key.chars().count() {
        0..=32 => key.to_owned(),
        length => format!("… ({length} characters)"),
    }
}

impl ProfileFile {
    pub(crate) fn new(path: PathBuf, location: Location) -> Self {
        Self { path, location, entries: Vec::new(), problems: Vec::new() }
    }

    fn load(&mut self) {
        let text = match (read(&self.path), &self.location) {
            (_, Location::Nowhere) => return,
            (Ok(text), _) => text,
            (Err(error), Location::Home) if error.kind() == io::ErrorKind::NotFound => return,
            (Err(error), Location::Variable(variable))
                if error.kind() == io::ErrorKind::NotFound =>
            {
                return self.report(format!("{variable} names this file, but it does not exist."));
            }
            (Err(error), Location::Variable(variable)) => {
                let problem = format!("{variable} names this file, which cannot be read: {error}.");
                return self.report(problem);
            }
            (Err(error), _) => return self.report(format!("the file cannot be read: {error}.")),
        };
        let text = text.trim_start_matches('\u{feff}');
        if text.trim().is_empty() {
            // The command-line tool creates its files before it has anything to write.
            return;
        }
        let document: &RawValue = match serde_json::from_str(text) {
            Ok(document) => document,
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
        let Ok(values) = serde_json::from_str::<Vec<&RawValue>>(document.get()) else {
            return self.report("expected a JSON array of profiles.");
        };
        for (index, value) in values.into_iter().enumerate() {
            match Entry::parse(value.get(), text) {
                Some(entry) => self.entries.push(entry),
                None => self.report(format!(
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

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn has(&self, name: &str) -> bool {
        self.names().any(|other| other == name)
    }

    /// Returns the name of the active profile.
    fn active(&mut self) -> Option<String> {
        let (mut active, mut invalid) = (Vec::new(), Vec::new());
        for entry in &self.entries {
            match entry.object.get("active").map(SecretValue::boolean) {
                None | Some(Some(false)) => {}
                Some(Some(true)) => active.push(entry.profile.clone()),
                Some(None) => invalid.push(entry.profile.clone()),
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

    /// Returns the entry of a profile, or reports what makes it ambiguous.
    fn reader(
        &mut self,
        name: &str,
        known: &[&str],
        ignored: &mut Vec<IgnoredSetting>,
    ) -> Option<ProfileReader<'_>> {
        let problems = self.problems.len();
        self.report_ambiguity(name);
        if self.problems.len() > problems {
            return None;
        }
        let entry = self.entries.iter().find(|entry| entry.profile == name)?;
        let source = ConfigSource::Profile { name: name.to_owned(), path: self.path.clone() };
        let unknown =
            |(key, value): &(&str, &SecretValue)| !known.contains(key) && !value.is_unset();
        ignored.extend(
            entry
                .object
                .members()
                .filter(unknown)
                .map(|(key, _)| IgnoredSetting { key: shown_key(key), source: source.clone() }),
        );
        Some(ProfileReader { entry, source, problems: &mut self.problems })
    }

    fn report_ambiguity(&mut self, name: &str) {
        let folded = |name: &str| name.trim().to_lowercase();
        let mut similar = Vec::new();
        for entry in self.entries.iter().filter(|entry| folded(&entry.profile) == folded(name)) {
            similar.push(format!("`{}` in line {}", entry.profile, entry.line));
        }
        let exact = self.names().filter(|other| *other == name).count();
        if exact > 1 {
            self.report(format!(
                "profile `{name}` is defined more than once ({}): keep one definition.",
                similar.join(", ")
            ));
        } else if similar.len() > exact {
            let names = if exact == 0 { format!("`{name}`, ") } else { String::new() };
            self.report(format!(
                "profiles differ only in case or spaces ({names}{}): rename or remove one.",
                similar.join(", ")
            ));
        }
        let repeated = self.entries.iter().find(|entry| entry.profile == name);
        if let Some((key, [first, second])) = repeated.and_then(|entry| entry.repeated.clone()) {
            self.report(format!(
                "profile `{name}` has `{key}` more than once (lines {first} and {second}): keep one."
            ));
        }
    }

    fn settings(&mut self, name: &str) -> PartialConfig {
        let mut ignored = Vec::new();
        let Some(mut profile) = self.reader(name, &CONFIG_KEYS, &mut ignored) else {
            return PartialConfig::default();
        };
        // The command-line tool writes 0 for a timeout that is not set.
        let timeout = profile.number("timeout_sec").filter(|seconds| seconds.value > 0);
        let policy = |retries| {
            let retries = u32::try_from(retries).unwrap_or(u32::MAX);
            RetryPolicy::default().with_max_attempts(retries.saturating_add(1))
        };
        PartialConfig {
            parameters: parameter::read(|parameter| profile.text(parameter.setting.key)),
            base_url: profile.text("base_url"),
            channel_key: profile.text("channel_key"),
            timeout: timeout.map(|seconds| seconds.map(Duration::from_secs)),
            retry: profile.number("max_retry_times").map(|retries| retries.map(policy)),
            ignored,
            ..PartialConfig::default()
        }
    }

    /// Adds the credentials of a profile to its settings, or why there are none.
    fn add_credentials(&mut self, name: &str, settings: &mut PartialConfig) {
        let missing = format!(
            "no credentials are set, and {} has none for profile `{name}`: log in with the platform's command-line \
             tool, or add `public_key` and `private_key`.",
            self.path.display()
        );
        settings.credentials = self
            .reader(name, &CREDENTIAL_KEYS, &mut settings.ignored)
            .and_then(|mut profile| profile.credentials());
        if settings.credentials.is_none() && self.problems.is_empty() {
            settings.missing_credentials = Some(missing);
        }
    }
}

impl Entry {
    /// Parses an entry of a file with this text.
    fn parse(json: &str, text: &str) -> Option<Self> {
        let object = SecretObject::parse(json)?;
        let profile = object.get("profile")?.text()?.to_string();
        let repeated = object
            .repeated()
            .map(|(key, values)| (key.to_owned(), values.map(|value| value.line_in(text))));
        let line = line_at(text, json.as_ptr().addr());
        Some(Self { profile, line, object, repeated })
            .filter(|entry| !entry.profile.trim().is_empty())
    }
}

impl ProfileReader<'_> {
    fn value<V>(
        &mut self,
        key: &str,
        convert: impl FnOnce(&SecretValue) -> Option<V>,
        expected: &str,
    ) -> Option<Setting<V>> {
        let value = convert(self.entry.object.get(key)?);
        if value.is_none() {
            self.problems.push(format!("`{key}` of {} must be {expected}.", self.source));
        }
        value.map(|value| Setting { value, source: self.source.clone() })
    }

    /// Returns a string. The command-line tool writes an empty one for a value that is not set.
    fn secret(&mut self, key: &str) -> Option<Setting<Zeroizing<String>>> {
        self.value(key, SecretValue::text, "a string").filter(|text| !text.value.trim().is_empty())
    }

    fn text(&mut self, key: &str) -> Option<Setting<String>> {
        self.secret(key).map(|text| text.map(|text| text.to_string()))
    }

    fn number(&mut self, key: &str) -> Option<Setting<u64>> {
        self.value(key, SecretValue::number, "a whole number, 0 or more")
    }

    fn credentials(&mut self) -> Option<Setting<CredentialsSource>> {
        let problems = self.problems.len();
        let auth_mode = self.text("auth_mode");
        if auth_mode.is_some_and(|mode| mode.value.trim().eq_ignore_ascii_case("oauth")) {
            self.problems.push(format!(
                "{} uses OAuth (`auth_mode`), which provides no key pair to sign calls with: create an API key in the \
                 console, and set it in another profile or in UCLOUD_PUBLIC_KEY and UCLOUD_PRIVATE_KEY.",
                self.source
            ));
            return None;
        }
        let keys = ["public_key", "private_key"].map(|key| (key, self.secret(key)));
        match keys {
            [(_, Some(public_key)), (_, Some(private_key))] => {
                Some(public_key.map(|public_key| {
                    Credentials::from_secrets(public_key, private_key.value).into()
                }))
            }
            [(_, None), (_, None)] => None,
            // One key is invalid.
            _ if self.problems.len() > problems => None,
            _ => {
                for (key, _) in keys.iter().filter(|(_, value)| value.is_none()) {
                    self.problems.push(format!("`{key}` of {} is missing or empty.", self.source));
                }
                None
            }
        }
    }
}

/// Reads a regular file. A named pipe would block, and a device may be endless.
fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let kind = fs::metadata(path)?;
    if !kind.is_file() {
        let kind = if kind.is_dir() { "a directory" } else { "a pipe or a device" };
        return Err(io::Error::other(format!("it is {kind}, not a regular file")));
    }
    let mut size = usize::try_from(kind.len()).unwrap_or(MAX_SIZE).min(MAX_SIZE) + 1;
    loop {
        let bytes = read_up_to(path, size)?;
        if bytes.len() < size {
            let text =
                str::from_utf8(&bytes).map_err(|_| io::Error::other("it is not valid UTF-8"));
            return text.map(|text| Zeroizing::new(text.to_owned()));
        }
        if size > MAX_SIZE {
            return Err(io::Error::other(format!("it is larger than {MAX_SIZE} bytes")));
        }
        // The file has grown, or does not tell its size.
        size = MAX_SIZE + 1;
    }
}

/// Reads the beginning of a file.
fn read_up_to(path: &Path, size: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut file = File::open(path)?;
    // Never grows, so that no copy is left behind.
    let mut bytes = Zeroizing::new(vec![0; size]);
    let mut length = 0;
    loop {
        match file.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
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
        let mut read = read_in(&folder, config, credential, profile);
        let path = folder.path().display().to_string();
        let problems = read.problems.iter_mut().chain(&mut read.credential_problems);
        for problem in problems.chain(&mut read.missing_credentials) {
            *problem = problem.replace(&path, "FOLDER");
        }
        read
    }

    fn read_in(
        folder: &tempfile::TempDir,
        config: &str,
        credential: &str,
        profile: Option<&str>,
    ) -> PartialConfig {
        let file = |name, text: &str| {
            let path = folder.path().join(name);
            if !text.is_empty() {
                std::fs::write(&path, text).unwrap();
            }
            path
        };
        let config = ProfileFile::new(file("config.json", config), Location::Home);
        let credential = ProfileFile::new(file("credential.json", credential), Location::Home);
        let selection = match profile {
            Some(name) => Selection::Named { name: name.to_owned(), selected_by: "UCLOUD_PROFILE" },
            None => Selection::Active,
        };
        PartialConfig::from_profile(config, credential, &selection, true)
    }

    /// The values of a profile.
    #[derive(Debug, Default, PartialEq)]
    struct Values {
        credentials: Option<Credentials>,
        project_id: Option<String>,
        zone: Option<String>,
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
                project_id: config.parameters.get("ProjectId").map(|it| it.value.clone()),
                zone: config.parameters.get("Zone").map(|it| it.value.clone()),
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
            zone: Some("cn-bj2-04".to_owned()),
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
            assert_eq!(config.missing_credentials, None);
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
            (CONFIG, CREDENTIAL, Some("away"), "UCLOUD_PROFILE: there is no profile `away`: "),
            (CONFIG, CREDENTIAL, Some("away"), "contain `home`, `web`, `work`."),
            (CONFIG, CREDENTIAL, Some("Work"), "there is no profile `Work`: "),
            (
                r#"[{"profile": "0123456789012345678901234567890123456789"}]"#,
                CREDENTIAL,
                Some("away"),
                "contain a name of 40 characters, ",
            ),
            ("", "", Some("away"), "contain no profiles"),
            // The profile may be in the invalid file.
            (CONFIG, "[", Some("away"), "credential.json:1:1: invalid JSON"),
            (CONFIG, "[]", Some("home"), "credential.json has none for profile `home`"),
            (CONFIG, "[]", None, "credential.json has none for profile `work`"),
            (
                CONFIG,
                &credential(r#"{"profile": "work", "public_key": " ", "private_key": ""}"#),
                None,
                "credential.json has none for profile `work`",
            ),
            ("", CREDENTIAL, None, "config.json is active: set `active`"),
            (r#"[{"profile": "work"}]"#, CREDENTIAL, None, "config.json is active"),
            (r#"[{"profile": "work"}]"#, "", None, "config.json is active"),
            (
                r#"[{"profile": "a", "project_id": 5}]"#,
                "",
                Some("a"),
                "`project_id` of profile `a` in FOLDER/config.json must be a string",
            ),
            (
                r#"[{"profile": "a", "timeout_sec": -1}]"#,
                "",
                Some("a"),
                "`timeout_sec` of profile `a` in FOLDER/config.json must be a whole number",
            ),
            (
                "[{\"profile\": \"a\"},\n\n{\"profile\": \"a\"}]",
                "",
                Some("a"),
                "config.json: profile `a` is defined more than once (`a` in line 1, `a` in line 3)",
            ),
            (
                CONFIG,
                &credential("{\"profile\": \"work\"},\n{\"profile\": \"work\"}"),
                None,
                "credential.json: profile `work` is defined more than once (`work` in line 1, `work` in line 2)",
            ),
            (
                CONFIG,
                &credential("{\"profile\": \"work\"},\n{\"profile\": \" Work\"}"),
                None,
                "credential.json: profiles differ only in case or spaces (`work` in line 1, ` Work` in line 2)",
            ),
            // The settings of the other spelling would be missed.
            (
                r#"[{"profile": "Work", "base_url": "https://api.ucloud.cn/"}]"#,
                CREDENTIAL,
                Some("work"),
                "config.json: profiles differ only in case or spaces (`work`, `Work` in line 1)",
            ),
            (
                CONFIG,
                &credential(
                    "{\"profile\": \"work\", \"private_key\": \"private-x\",\n\"private_key\": \"private-y\"}",
                ),
                None,
                "credential.json: profile `work` has `private_key` more than once (lines 1 and 2)",
            ),
            (
                r#"[{"profile": "a", "profile": "b"}]"#,
                "",
                Some("a"),
                "config.json: profile `a` has `profile` more than once (lines 1 and 1)",
            ),
            (
                CONFIG,
                CREDENTIAL,
                Some("web"),
                "profile `web` in FOLDER/credential.json uses OAuth (`auth_mode`), which provides no key pair",
            ),
            (
                CONFIG,
                &credential(
                    r#"{"profile": "work", "public_key": "", "private_key": "private-key"}"#,
                ),
                None,
                "`public_key` of profile `work` in FOLDER/credential.json is missing or empty",
            ),
            (
                CONFIG,
                &credential(r#"{"profile": "work", "public_key": "public-key"}"#),
                None,
                "`private_key` of profile `work` in FOLDER/credential.json is missing or empty",
            ),
        ] {
            let config = read(config, credentials, profile);
            let missing = config.missing_credentials.into_iter().collect();
            let problems = [config.problems, config.credential_problems, missing].concat();
            let problems = problems.join(" ");
            assert!(problems.contains(expected), "{expected:?} in {problems}");
            assert!(!problems.contains("private-"), "{problems}");
        }
    }

    #[test]
    fn a_file_that_a_variable_names_must_exist() {
        let read = |with_credentials| {
            let config = ProfileFile::new(
                PathBuf::from("/nowhere/config.json"),
                Location::Variable("UCLOUD_SHARED_CONFIG_FILE"),
            );
            let credential = ProfileFile::new(
                PathBuf::from("/nowhere/credential.json"),
                Location::Variable("UCLOUD_SHARED_CREDENTIAL_FILE"),
            );
            PartialConfig::from_profile(config, credential, &Selection::Active, with_credentials)
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

    /// Neither waits for a writer nor reads without end.
    #[cfg(unix)]
    #[test]
    fn only_regular_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        let target = folder.path().join("target");
        fs::write(&target, "[]").unwrap();
        let link_to_file = folder.path().join("link-to-file");
        std::os::unix::fs::symlink(&target, &link_to_file).unwrap();
        let huge = folder.path().join("huge");
        File::create(&huge).unwrap().set_len(1 << 40).unwrap();
        for (path, expected) in [
            (pipe, "it is a pipe or a device, not a regular file"),
            (link, "it is a pipe or a device, not a regular file"),
            (folder.path().to_owned(), "it is a directory, not a regular file"),
            (huge, "it is larger than 1048576 bytes"),
        ] {
            assert_eq!(super::read(&path).unwrap_err().to_string(), expected);
        }
        assert_eq!(super::read(&link_to_file).unwrap().as_str(), "[]");
        // A file that does not tell its size.
        #[cfg(target_os = "linux")]
        assert!(super::read(Path::new("/proc/self/status")).unwrap().contains("Name:"));
        fs::write(&target, b"[\xff]").unwrap();
        assert_eq!(super::read(&target).unwrap_err().to_string(), "it is not valid UTF-8");
    }

    #[test]
    fn settings_that_the_client_does_not_know_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let config = r#"[{"profile": "a", "active": true, "region": "cn-bj2", "zone": "z", "channel": "x",
            "retries": 0, "proxy": "", "channel_key": "channel",
            "a-key-that-was-pasted-into-the-wrong-place": 1}, {"profile": "b", "other": 1}]"#;
        let credential = r#"[{"profile": "a", "public_key": "public-key", "private_key": "private-key",
            "security_token": "private-token", "cookie": "c", "expires_at": 0}]"#;
        let config = read_in(&folder, config, credential, None);
        let mut ignored: Vec<_> = config.ignored.iter().map(ToString::to_string).collect();
        ignored.iter_mut().for_each(|text| {
            *text = text.replace(&folder.path().display().to_string(), "FOLDER");
        });
        let expected = [
            "`channel` of profile `a` in FOLDER/config.json",
            "`… (42 characters)` of profile `a` in FOLDER/config.json",
            "`security_token` of profile `a` in FOLDER/credential.json",
        ];
        assert_eq!(ignored, expected);
        assert_eq!(config.channel_key.unwrap().value, "channel");
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
