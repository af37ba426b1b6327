//! The files of the platform's command-line tool: `~/.ucloud/config.json` and `credential.json`.
//!
//! Both are JSON arrays of objects that are joined on `profile`. What is wrong with them is said by file
//! and profile, and without any value: it may be a key.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Map, Value};

use crate::credentials::key_pair::Credentials;

/// More than any such file has.
const MAX_SIZE: u64 = 1024 * 1024;

/// Where the files are, and which profile is meant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    pub(crate) config: PathBuf,
    pub(crate) credential: PathBuf,
    /// Whoever named a file or a profile wants it to be there: the name of the variable that did.
    pub(crate) config_by: Option<&'static str>,
    pub(crate) credential_by: Option<&'static str>,
    pub(crate) profile: Option<String>,
}

/// What the files say.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) profile: Option<Profile>,
    /// All that is wrong, in sentences.
    pub(crate) wrong: Vec<String>,
    /// What is wrong with the keys alone: it harms nobody who has others.
    pub(crate) wrong_with_keys: Vec<String>,
}

/// What the files say of one profile.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) project_id: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) max_retry_times: Option<u32>,
}

type Entry = Map<String, Value>;

impl Place {
    /// Reads the profile that is named, or else the active one. The file of keys is read only if keys
    /// are wanted.
    pub(crate) fn read(&self, wants_keys: bool) -> Found {
        let (mut wrong, mut wrong_with_keys) = (Vec::new(), Vec::new());
        let settings = list(&self.config, self.config_by, &mut wrong);
        let keys = if wants_keys {
            if others_can_read(&self.credential) {
                tracing::warn!(
                    path = %self.credential.display(),
                    "other users of this machine can read a file of keys: `chmod 600` it"
                );
            }
            list(&self.credential, self.credential_by, &mut wrong_with_keys)
        } else {
            Vec::new()
        };
        let name = match &self.profile {
            Some(name) => Some(name.clone()),
            None => self.active(&settings, &mut wrong),
        };
        let profile = name.map(|name| {
            let (setting, pair) = (find(&settings, &name), find(&keys, &name));
            let is_whole = wants_keys && wrong.is_empty() && wrong_with_keys.is_empty();
            if self.profile.is_some() && is_whole && setting.or(pair).is_none() {
                wrong.push(self.unknown(&name, settings.iter().chain(&keys)));
            }
            let mut profile = Profile {
                name,
                ..Profile::default()
            };
            if let Some(entry) = setting {
                let mut read = Reader::new(entry, &self.config, &settings, &mut wrong);
                profile.project_id = read.text("project_id");
                profile.base_url = read.text("base_url");
                // 0 is how the command-line tool writes what is not set; of repeating, it means what it says.
                let timeout = read.number("timeout_sec").filter(|seconds| *seconds > 0);
                profile.timeout = timeout.map(Duration::from_secs);
                profile.max_retry_times = read
                    .number("max_retry_times")
                    .map(|times| u32::try_from(times).unwrap_or(u32::MAX));
            }
            if self.profile.is_some() && wants_keys && setting.is_some() && pair.is_none() {
                wrong_with_keys.push(format!(
                    "{}: there are no keys of the profile `{}`: log in with the platform's command-line tool, or \
                     add them.",
                    self.credential.display(),
                    profile.name
                ));
            }
            if let Some(entry) = pair {
                let mut read = Reader::new(entry, &self.credential, &keys, &mut wrong_with_keys);
                profile.credentials = read.keys();
            }
            profile
        });
        if profile.is_none() && !keys.is_empty() && wrong.is_empty() {
            wrong_with_keys.push(format!(
                "{}: no profile is active: set `active` of one to true, or name one by UCLOUD_PROFILE.",
                self.config.display()
            ));
        }
        Found {
            profile,
            wrong,
            wrong_with_keys,
        }
    }

    /// There is no such profile.
    fn unknown<'e>(&self, name: &str, entries: impl Iterator<Item = &'e Entry>) -> String {
        let mut known: Vec<&str> = entries.map(profile_of).collect();
        known.sort_unstable();
        known.dedup();
        let known = if known.is_empty() {
            "nothing".to_owned()
        } else {
            format!("`{}`", known.join("`, `"))
        };
        format!(
            "there is no profile `{name}`: {} and {} have {known}.",
            self.config.display(),
            self.credential.display()
        )
    }

    /// The name of the profile that is active.
    fn active(&self, settings: &[Entry], wrong: &mut Vec<String>) -> Option<String> {
        let path = self.config.display();
        let mut active = Vec::new();
        for entry in settings {
            match entry.get("active") {
                None | Some(Value::Null | Value::Bool(false)) => {}
                Some(Value::Bool(true)) => active.push(profile_of(entry)),
                Some(_) => wrong.push(format!(
                    "{path}: `active` of the profile `{}` is neither true nor false.",
                    profile_of(entry)
                )),
            }
        }
        if active.len() > 1 {
            wrong.push(format!(
                "{path}: {} profiles are active, `{}`: leave one active, or name one by UCLOUD_PROFILE.",
                active.len(),
                active.join("`, `")
            ));
        }
        active.first().map(|name| (*name).to_owned())
    }
}

/// The entries of a file; none where there is no file and nobody named it.
fn list(path: &Path, named_by: Option<&str>, wrong: &mut Vec<String>) -> Vec<Entry> {
    let shown = path.display();
    let text = match (read(path), named_by) {
        (Ok(text), _) => text,
        (Err(error), None) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        (Err(error), Some(variable)) if error.kind() == io::ErrorKind::NotFound => {
            wrong.push(format!(
                "{shown}: there is no such file, and {variable} names it."
            ));
            return Vec::new();
        }
        (Err(error), _) => {
            wrong.push(format!("{shown}: it cannot be read: {error}."));
            return Vec::new();
        }
    };
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        // The command-line tool makes its files before it has anything to write.
        return Vec::new();
    }
    let entries: Vec<Value> = match serde_json::from_str(text) {
        Ok(Value::Array(entries)) => entries,
        Ok(_) => {
            wrong.push(format!("{shown}: expected a JSON array of profiles."));
            return Vec::new();
        }
        // What serde says may quote the file, and the file has keys.
        Err(error) => {
            wrong.push(format!(
                "{shown}:{}:{}: this is no JSON: mend it, or write it anew with the platform's command-line tool.",
                error.line(),
                error.column()
            ));
            return Vec::new();
        }
    };
    let mut list = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        match entry {
            Value::Object(entry) if !profile_of(&entry).is_empty() => list.push(entry),
            _ => wrong.push(format!(
                "{shown}: entry {} is no object with a `profile` that names it.",
                index + 1
            )),
        }
    }
    list
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_SIZE + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_SIZE {
        let what = format!("it has more than {MAX_SIZE} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    Ok(text)
}

fn profile_of(entry: &Entry) -> &str {
    entry
        .get("profile")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn find<'e>(list: &'e [Entry], name: &str) -> Option<&'e Entry> {
    list.iter().find(|entry| profile_of(entry) == name)
}

/// Reads one entry.
struct Reader<'r> {
    entry: &'r Entry,
    path: &'r Path,
    wrong: &'r mut Vec<String>,
}

impl<'r> Reader<'r> {
    fn new(entry: &'r Entry, path: &'r Path, list: &[Entry], wrong: &'r mut Vec<String>) -> Self {
        let name = profile_of(entry);
        let mut reader = Self { entry, path, wrong };
        if list.iter().filter(|each| profile_of(each) == name).count() > 1 {
            reader.wrong("is there more than once: leave one.");
        }
        reader
    }

    fn wrong(&mut self, what: &str) {
        self.wrong.push(format!(
            "{}: the profile `{}` {what}",
            self.path.display(),
            profile_of(self.entry)
        ));
    }

    /// A text. An empty one is how the command-line tool writes what is not set.
    fn text(&mut self, name: &str) -> Option<String> {
        match self.entry.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()).filter(|text| !text.is_empty()),
            Some(_) => {
                self.wrong(&format!("has a `{name}` that is no text."));
                None
            }
        }
    }

    fn number(&mut self, name: &str) -> Option<u64> {
        match self.entry.get(name) {
            None | Some(Value::Null) => None,
            Some(value) => match value.as_u64() {
                Some(number) => Some(number),
                None => {
                    self.wrong(&format!(
                        "has a `{name}` that is no whole number from 0 on."
                    ));
                    None
                }
            },
        }
    }

    fn keys(&mut self) -> Option<Credentials> {
        if self.text("auth_mode").as_deref() == Some("oauth") {
            self.wrong(
                "signs in by OAuth (`auth_mode`), which gives no key pair to sign calls with: make an API key in the \
                 console, and put it into a profile of its own or into UCLOUD_PUBLIC_KEY and UCLOUD_PRIVATE_KEY.",
            );
            return None;
        }
        let [public, private] = ["public_key", "private_key"].map(|name| {
            let key = self.text(name);
            if key.is_none() {
                self.wrong(&format!("has no `{name}`, or an empty one."));
            }
            key
        });
        Some(Credentials::new(public?, private?))
    }
}

/// Whether a file is open to other users of this machine.
#[cfg(unix)]
fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    path.metadata()
        .is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
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

    /// What these files say; a file without text is not there.
    fn read(config: &str, credential: &str, profile: Option<&str>) -> Found {
        let folder = tempfile::tempdir().unwrap();
        let file = |name, text: &str| {
            let path = folder.path().join(name);
            if !text.is_empty() {
                std::fs::write(&path, text).unwrap();
            }
            path
        };
        let place = Place {
            config: file("config.json", config),
            credential: file("credential.json", credential),
            profile: profile.map(str::to_owned),
            ..Place::default()
        };
        place.read(true)
    }

    #[test]
    fn the_active_profile_is_read_or_the_one_that_is_named() {
        let found = read(CONFIG, CREDENTIAL, None);
        assert_eq!((found.wrong, found.wrong_with_keys), (vec![], vec![]));
        let work = Profile {
            name: "work".to_owned(),
            credentials: Some(Credentials::new("public-key", "private-key")),
            project_id: Some("org-1".to_owned()),
            base_url: Some("https://api.ucloud.cn/".to_owned()),
            timeout: Some(Duration::from_secs(15)),
            max_retry_times: Some(3),
        };
        assert_eq!(found.profile, Some(work));

        let bom = format!("\u{feff}{CREDENTIAL}");
        let found = read(CONFIG, &bom, Some("home"));
        let home = Profile {
            name: "home".to_owned(),
            credentials: Some(Credentials::new("other-public-key", "other-private-key")),
            max_retry_times: Some(0),
            ..Profile::default()
        };
        assert_eq!(found.profile, Some(home), "what is empty is not set");

        assert_eq!(read("", "", None).profile, None);
        assert_eq!(read("[]", "[]", None).profile, None);
        let blank = read("\n", " ", None);
        assert!(blank.profile.is_none() && blank.wrong.is_empty());
    }

    #[test]
    fn each_way_a_file_can_be_wrong_has_its_message() {
        let credential = |entry: &str| format!("[{entry}]");
        let huge = format!("[{}]", " ".repeat(1 << 20));
        for (config, keys, profile, expected) in [
            (
                "{\"private-key\"",
                CREDENTIAL,
                None,
                "config.json:1:14: this is no JSON",
            ),
            (
                CONFIG,
                "[\"private-key\", x",
                None,
                "credential.json:1:17: this is no JSON",
            ),
            ("{}", CREDENTIAL, None, "config.json: expected a JSON array"),
            (&huge, CREDENTIAL, None, "it has more than 1048576 bytes"),
            (
                "[{}]",
                CREDENTIAL,
                None,
                "config.json: entry 1 is no object with a `profile`",
            ),
            (
                r#"[{"profile": "a", "active": "yes"}]"#,
                "",
                None,
                "the profile `a` is neither true nor false",
            ),
            (
                r#"[{"profile": "a", "active": true}, {"profile": "b", "active": true}]"#,
                "",
                None,
                "2 profiles are active, `a`, `b`: leave one active, or name one by UCLOUD_PROFILE",
            ),
            (
                CONFIG,
                CREDENTIAL,
                Some("away"),
                "there is no profile `away`: ",
            ),
            (
                CONFIG,
                CREDENTIAL,
                Some("away"),
                "have `home`, `web`, `work`.",
            ),
            ("", "", Some("away"), "have nothing"),
            (
                CONFIG,
                "[]",
                Some("home"),
                "credential.json: there are no keys of the profile `home`",
            ),
            ("", CREDENTIAL, None, "no profile is active: set `active`"),
            (
                r#"[{"profile": "work"}]"#,
                CREDENTIAL,
                None,
                "no profile is active",
            ),
            (
                r#"[{"profile": "a", "project_id": 5}]"#,
                "",
                Some("a"),
                "the profile `a` has a `project_id` that is no text",
            ),
            (
                r#"[{"profile": "a", "timeout_sec": -1}]"#,
                "",
                Some("a"),
                "has a `timeout_sec` that is no whole number",
            ),
            (
                r#"[{"profile": "a"}, {"profile": "a"}]"#,
                "",
                Some("a"),
                "the profile `a` is there more than once",
            ),
            (
                CONFIG,
                CREDENTIAL,
                Some("web"),
                "`web` signs in by OAuth (`auth_mode`), which gives no key pair",
            ),
            (
                CONFIG,
                &credential(
                    r#"{"profile": "work", "public_key": "", "private_key": "private-key"}"#,
                ),
                None,
                "`work` has no `public_key`, or an empty one",
            ),
            (
                CONFIG,
                &credential(r#"{"profile": "work", "public_key": "public-key"}"#),
                None,
                "`work` has no `private_key`",
            ),
        ] {
            let found = read(config, keys, profile);
            let wrong = [found.wrong, found.wrong_with_keys].concat().join(" ");
            assert!(wrong.contains(expected), "{expected:?} in {wrong}");
            assert!(!wrong.contains("private-"), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_was_named_has_to_be_there() {
        let place = Place {
            config: PathBuf::from("/nowhere/config.json"),
            credential: PathBuf::from("/nowhere/credential.json"),
            config_by: Some("UCLOUD_SHARED_CONFIG_FILE"),
            credential_by: Some("UCLOUD_SHARED_CREDENTIAL_FILE"),
            profile: None,
        };
        let found = place.read(true);
        assert_eq!(
            found.wrong,
            [
                "/nowhere/config.json: there is no such file, and UCLOUD_SHARED_CONFIG_FILE names it."
            ]
        );
        assert!(found.wrong_with_keys[0].contains("UCLOUD_SHARED_CREDENTIAL_FILE"));
        assert!(place.read(false).wrong_with_keys.is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_known() {
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
