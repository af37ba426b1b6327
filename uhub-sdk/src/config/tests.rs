//! The precedence of settings, in tables. The expectations are those of the docs of
//! [`ClientBuilder::from_env`] and [`ClientBuilder::from_profile`].
#![allow(clippy::print_stdout)]

use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt, path::Path, time::Duration};

use bytes::Bytes;

use crate::{
    client::Client,
    config::{
        builder::ClientBuilder,
        environment::Environment,
        source::{ConfigSource, ConfigSources},
    },
    credentials::{cache::CredentialsSource, key_pair::Credentials, metadata::MetadataCredentials},
    error::Error,
    exchange::retry::RetryPolicy,
    transport::{BoxFuture, Transport, TransportError},
};

/// An environment and a home with the files of the command-line tool.
struct Machine {
    home: tempfile::TempDir,
    variables: Vec<(&'static str, OsString)>,
}

impl Machine {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".ucloud")).unwrap();
        Self { home, variables: Vec::new() }
    }

    fn set(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        fs::write(self.home.path().join(".ucloud").join(name), text).unwrap();
        self
    }

    fn environment(&self) -> Environment<impl Fn(&str) -> Option<OsString>> {
        let read = |name: &str| {
            let variable = self.variables.iter().find(|(own, _)| *own == name);
            variable.map(|(_, value)| value.clone())
        };
        Environment::new(read, Some(self.home.path().to_owned()))
    }

    fn load(&self) -> Result<ClientBuilder, Error> {
        ClientBuilder::loaded(self.environment().load()).map(|builder| builder.transport(Unused))
    }

    fn load_profile(&self, name: &str) -> Result<ClientBuilder, Error> {
        ClientBuilder::loaded(self.environment().load_profile(&ClientBuilder::named(name), true))
    }

    /// Returns the text of an error, with `~` for the home.
    fn text(&self, error: &Error) -> String {
        error.to_string().replace(&self.home.path().display().to_string(), "~")
    }
}

/// A transport of clients that send nothing. It is faster to create than the built-in one.
#[derive(Debug)]
struct Unused;

impl Transport for Unused {
    fn send(
        &self,
        _: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        unreachable!("nothing is sent")
    }
}

/// A setting, how to set it, and where its source is.
struct Case {
    variable: Option<&'static str>,
    key: &'static str,
    builder: fn(ClientBuilder, &str) -> ClientBuilder,
    source: fn(&ConfigSources) -> Option<&ConfigSource>,
    /// Shows the value that a client uses.
    value: fn(&Client) -> String,
    /// A value for the variable, the file and the builder, as `value` shows it.
    valid: [&'static str; 3],
    /// A value for each that no client can be built with, if there is one.
    unusable: [Option<&'static str>; 3],
    /// What the command-line tool writes into the file for an unset value.
    blank: &'static str,
    default: &'static str,
}

const SETTINGS: [Case; 5] = [
    Case {
        variable: Some("UCLOUD_PROJECT_ID"),
        key: "project_id",
        builder: |builder, value| builder.parameter("ProjectId", value.to_owned()),
        source: |sources| sources.parameters.get("ProjectId"),
        value: |client| client.0.defaults.iter().map(|(_, value)| value.as_str()).collect(),
        valid: ["org-env", "org-file", "org-builder"],
        unusable: [Some("org env"), Some("org file"), Some("")],
        blank: "\"\"",
        default: "",
    },
    Case {
        variable: Some("UCLOUD_API_BASE_URL"),
        key: "base_url",
        builder: |builder, value| builder.base_url(value),
        source: |sources| Some(&sources.base_url),
        value: |client| client.0.endpoint.to_string(),
        valid: ["https://env.example/", "https://file.example/", "https://builder.example/"],
        unusable: [Some("ftp://env.example/"), Some("http://file.example/"), Some("")],
        blank: "\"\"",
        default: "https://api.surfercloud.com/",
    },
    Case {
        variable: None,
        key: "channel_key",
        builder: |builder, value| builder.channel_key(value),
        source: |sources| sources.channel_key.as_ref(),
        value: |client| {
            let key = client.0.headers.get("channel-key");
            key.map_or_else(String::new, |key| key.to_str().unwrap().to_owned())
        },
        valid: ["", "channel-file", "channel-builder"],
        unusable: [None, Some("a b"), Some("ü")],
        blank: "\"\"",
        default: "",
    },
    Case {
        variable: Some("UCLOUD_TIMEOUT_SECOND"),
        key: "timeout_sec",
        builder: |builder, value| builder.timeout(Duration::from_secs(value.parse().unwrap())),
        source: |sources| Some(&sources.timeout),
        value: |client| client.0.timeout.as_secs().to_string(),
        valid: ["7", "8", "9"],
        unusable: [Some("0"), None, Some("0")],
        blank: "0",
        default: "120",
    },
    Case {
        variable: None,
        key: "max_retry_times",
        builder: |builder, value| {
            builder
                .retry(RetryPolicy::default().with_max_attempts(value.parse::<u32>().unwrap() + 1))
        },
        source: |sources| Some(&sources.retry),
        value: |client| {
            let retries = |count: u32| RetryPolicy::default().with_max_attempts(count + 1);
            (0..10).find(|count| client.0.retry == retries(*count)).unwrap().to_string()
        },
        valid: ["", "2", "3"],
        unusable: [None, None, None],
        blank: "null",
        default: "4",
    },
];

/// What one source has for a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Given {
    Absent,
    /// An empty or blank text, `null`, or what the command-line tool writes for an unset value.
    Blank(&'static str),
    Valid,
    /// A value of the right type that no client can be built with.
    Unusable,
    /// Not UTF-8, or JSON of another type.
    Malformed,
}

/// The precedence of one setting: its value and its source, or the beginning of the problem.
fn expected(
    case: &Case,
    [variable, file, builder]: [Given; 3],
) -> Result<(&'static str, Option<&'static str>), String> {
    use Given::{Absent, Blank, Malformed, Unusable, Valid};
    let name = case.variable.unwrap_or_default();
    match (builder, variable, file) {
        // What cannot be read is an error even if it is overridden.
        (_, Malformed, _) => Err(format!("{name} is not valid UTF-8")),
        (_, _, Malformed) => Err(format!("`{}` of profile `work`", case.key)),
        // The first source that has the setting decides.
        (Valid, ..) => Ok((case.valid[2], Some("builder"))),
        (Unusable, ..) => Err(format!("`{}` ", case.key.trim_end_matches("_sec"))),
        (_, Valid, _) => Ok((case.valid[0], Some("variable"))),
        (_, Unusable, _) => Err(format!("{name} ")),
        (_, _, Valid) => Ok((case.valid[1], Some("profile"))),
        (_, _, Unusable) => Err(format!("`{}` of profile `work`", case.key)),
        (_, Absent | Blank(_), Absent | Blank(_)) => {
            let is_optional = ["project_id", "channel_key"].contains(&case.key);
            Ok((case.default, Some("default").filter(|_| !is_optional)))
        }
    }
}

/// Every setting in every state, in the environment, the file and the builder.
#[test]
fn the_builder_overrides_the_environment_and_that_overrides_the_profile() {
    use Given::{Absent, Blank, Malformed, Unusable, Valid};
    let mut combinations = 0;
    for case in &SETTINGS {
        let blank = if case.key.ends_with("id") { "\"  \"" } else { case.blank };
        for variable in [Absent, Blank(""), Blank(" \t"), Valid, Unusable, Malformed] {
            for file in [Absent, Blank("null"), Blank(blank), Valid, Unusable, Malformed] {
                for builder in [Absent, Valid, Unusable] {
                    let given = [variable, file, builder];
                    let is_possible = case.variable.is_some() || variable == Absent;
                    let is_unusable = |(given, value): (&Given, &Option<&str>)| {
                        *given == Unusable && value.is_none()
                    };
                    if !is_possible || given.iter().zip(&case.unusable).any(is_unusable) {
                        continue;
                    }
                    combinations += 1;
                    let context = format!("{}: {given:?}", case.key);
                    let (machine, result) = configure(case, given);
                    match (result, expected(case, given)) {
                        (Ok(client), Ok((value, source))) => {
                            assert_eq!((case.value)(&client), value, "{context}");
                            let actual = (case.source)(client.config_sources());
                            let path = machine.home.path().join(".ucloud/config.json");
                            let expected = source.map(|source| match source {
                                "builder" => ConfigSource::Explicit,
                                "variable" => ConfigSource::Environment(case.variable.unwrap()),
                                "profile" => {
                                    ConfigSource::Profile { name: "work".to_owned(), path }
                                }
                                _ => ConfigSource::Default,
                            });
                            assert_eq!(actual, expected.as_ref(), "{context}");
                        }
                        (Err(error), Err(expected)) => {
                            let text = machine.text(&error);
                            let problem = text
                                .trim_start_matches("the configuration has several problems:\n- ");
                            assert!(problem.starts_with(&expected), "{context}: {text}");
                        }
                        (Ok(_), Err(expected)) => panic!("{context}: no error {expected:?}"),
                        (Err(error), Ok(_)) => panic!("{context}: {error}"),
                    }
                }
            }
        }
    }
    assert_eq!(combinations, 2 * 6 * 6 * 3 + 6 * 5 * 3 + 6 * 3 + 5 * 2);
}

/// Builds a client with one setting from up to three sources, and credentials.
fn configure(
    case: &Case,
    [variable, file, builder]: [Given; 3],
) -> (Machine, Result<Client, Error>) {
    let is_number = case.valid[1].parse::<u64>().is_ok();
    let json = match file {
        Given::Absent => None,
        Given::Blank(json) => Some(json.to_owned()),
        Given::Valid if is_number => Some(case.valid[1].to_owned()),
        Given::Valid => Some(format!("\"{}\"", case.valid[1])),
        Given::Unusable => case.unusable[1].map(|text| format!("\"{text}\"")),
        Given::Malformed => Some("{\"a\": 1}".to_owned()),
    };
    let entry = json.map_or(String::new(), |json| format!(", \"{}\": {json}", case.key));
    let mut machine = Machine::new()
        .file("config.json", format!("[{{\"profile\": \"work\", \"active\": true{entry}}}]"))
        .set("UCLOUD_PUBLIC_KEY", "public-key")
        .set("UCLOUD_PRIVATE_KEY", "private-key");
    let value = match variable {
        Given::Absent => None,
        Given::Blank(text) => Some(text.into()),
        Given::Valid => Some(case.valid[0].into()),
        Given::Unusable => case.unusable[0].map(OsString::from),
        Given::Malformed => Some(OsString::from_vec(vec![b'7', 255])),
    };
    if let (Some(name), Some(value)) = (case.variable, value) {
        machine = machine.set(name, value);
    }
    let value = match builder {
        Given::Valid => Some(case.valid[2]),
        Given::Unusable => case.unusable[2],
        _ => None,
    };
    let result = machine.load().and_then(|from_env| match value {
        Some(value) => (case.builder)(from_env, value).build(),
        None => from_env.build(),
    });
    (machine, result)
}

const CONFIG: &str = r#"[{"profile": "work", "active": true, "base_url": "https://work.example/"},
    {"profile": "settings", "base_url": "https://settings.example/"}]"#;
const CREDENTIAL: &str = r#"[{"profile": "work", "public_key": "work-public-key", "private_key": "work-private-key"},
    {"profile": "keys", "public_key": "keys-public-key", "private_key": "keys-private-key"},
    {"profile": "oauth", "auth_mode": "oauth", "access_token": "t"}]"#;

fn public_key(client: &Client) -> String {
    match &client.0.credentials {
        CredentialsSource::Static(pair) => {
            let (public, private) = (pair.public_key.as_str(), pair.private_key.as_str());
            // Both keys are from one source.
            assert_eq!(public.replace("public", ""), private.replace("private", ""));
            public.to_owned()
        }
        CredentialsSource::Provider(_) => "provider".to_owned(),
    }
}

/// Every way to select a profile, with every state of the key pair in the environment, and with
/// credentials of the builder.
#[test]
fn a_profile_that_is_named_must_exist_and_a_key_pair_is_from_one_source() {
    const NEITHER: &str = "UCLOUD_PROFILE: there is no profile `nosuch`";
    const HALF: &str = "is set, but UCLOUD_";
    const NO_KEYS: &str = "~/.ucloud/credential.json has none for profile `settings`";
    const OAUTH: &str = "uses OAuth (`auth_mode`)";
    let (none, both): ([Option<&str>; 2], _) =
        ([None, None], [Some("env-public-key"), Some("env-private-key")]);
    let (public, private) = ([Some("env-public-key"), None], [None, Some("env-private-key")]);
    let (empty, half_empty) = ([Some(""), Some(" ")], [Some("env-public-key"), Some("")]);
    let mut combinations = 0;
    for (profile, pair, explicit, expected) in [
        // Without a name, or with an empty one, the active profile is read.
        (None, none, false, Ok(("work-public-key", "https://work.example/"))),
        (Some(""), none, false, Ok(("work-public-key", "https://work.example/"))),
        (Some("  "), empty, false, Ok(("work-public-key", "https://work.example/"))),
        (None, both, false, Ok(("env-public-key", "https://work.example/"))),
        (None, none, true, Ok(("builder-public-key", "https://work.example/"))),
        (None, both, true, Ok(("builder-public-key", "https://work.example/"))),
        // A profile may be in one of the files.
        (Some("work"), none, false, Ok(("work-public-key", "https://work.example/"))),
        (Some("keys"), none, false, Ok(("keys-public-key", "https://api.surfercloud.com/"))),
        (Some("keys"), both, false, Ok(("env-public-key", "https://api.surfercloud.com/"))),
        (Some("settings"), none, false, Err(NO_KEYS)),
        (Some("settings"), empty, false, Err(NO_KEYS)),
        (Some("settings"), both, false, Ok(("env-public-key", "https://settings.example/"))),
        (Some("settings"), none, true, Ok(("builder-public-key", "https://settings.example/"))),
        (Some("oauth"), none, false, Err(OAUTH)),
        (Some("oauth"), both, false, Ok(("env-public-key", "https://api.surfercloud.com/"))),
        (Some("oauth"), none, true, Ok(("builder-public-key", "https://api.surfercloud.com/"))),
        // A profile that does not exist is an error, whatever else is set.
        (Some("nosuch"), none, false, Err(NEITHER)),
        (Some("nosuch"), both, false, Err(NEITHER)),
        (Some("nosuch"), empty, true, Err(NEITHER)),
        (Some("nosuch"), both, true, Err(NEITHER)),
        // A key is never combined with one from a profile or from the builder.
        (None, public, false, Err(HALF)),
        (None, private, false, Err(HALF)),
        (None, half_empty, false, Err(HALF)),
        (Some("work"), public, false, Err(HALF)),
        (Some("work"), private, true, Err(HALF)),
    ] {
        combinations += 1;
        let context = format!("{profile:?} {pair:?} {explicit}");
        let mut machine =
            Machine::new().file("config.json", CONFIG).file("credential.json", CREDENTIAL);
        let [public, private] = pair;
        for (name, value) in [
            ("UCLOUD_PROFILE", profile),
            ("UCLOUD_PUBLIC_KEY", public),
            ("UCLOUD_PRIVATE_KEY", private),
        ] {
            if let Some(value) = value {
                machine = machine.set(name, value);
            }
        }
        let builder = machine.load().map(|builder| match explicit {
            true => {
                builder.credentials(Credentials::new("builder-public-key", "builder-private-key"))
            }
            false => builder,
        });
        match (builder.and_then(ClientBuilder::build), expected) {
            (Ok(client), Ok((key, url))) => {
                assert_eq!(
                    (public_key(&client).as_str(), client.0.endpoint.to_string().as_str()),
                    (key, url),
                    "{context}"
                );
            }
            (Err(error), Err(expected)) => {
                let text = machine.text(&error);
                assert!(text.contains(expected), "{context}: {text}");
                assert!(!text.contains("-public-") && !text.contains("-private-"), "{text}");
            }
            (Ok(_), Err(expected)) => panic!("{context}: no error {expected:?}"),
            (Err(error), Ok(_)) => panic!("{context}: {error}"),
        }
    }
    assert_eq!(combinations, 25);
}

#[test]
fn a_profile_that_the_program_names_ignores_the_other_variables() {
    let machine = Machine::new()
        .file("config.json", CONFIG)
        .file("credential.json", CREDENTIAL)
        .set("UCLOUD_PUBLIC_KEY", "env-public-key")
        .set("UCLOUD_PRIVATE_KEY", "env-private-key")
        .set("UCLOUD_PROFILE", "settings")
        .set("UCLOUD_API_BASE_URL", "https://env.example/")
        .set("UCLOUD_TIMEOUT_SECOND", "soon");
    let client = machine.load_profile("work").unwrap().build().unwrap();
    assert_eq!(public_key(&client), "work-public-key");
    assert_eq!(client.0.endpoint, "https://work.example/");
    assert_eq!(client.0.timeout.as_secs(), 120);
    for name in ["nosuch", "", "Work", "work "] {
        let text = machine.text(&machine.load_profile(name).unwrap_err());
        let expected = format!("`ClientBuilder::from_profile`: there is no profile `{name}`");
        assert!(text.starts_with(&expected), "{text}");
    }

    // The paths of the files apply.
    let other = machine.home.path().join("other.json");
    fs::write(&other, r#"[{"profile": "work", "base_url": "https://other.example/"}]"#).unwrap();
    let machine = machine.set("UCLOUD_SHARED_CONFIG_FILE", other);
    let client = machine.load_profile("work").unwrap().build().unwrap();
    assert_eq!(client.0.endpoint, "https://other.example/");
}

/// What each state of the files means without and with the key pair in the environment.
#[test]
fn invalid_files_are_errors_and_absent_ones_are_not() {
    const NONE: &str = "no credentials are set";
    let invalid = "[x";
    for (config, credential, profile, without_pair, with_pair) in [
        ("", "", None, Err(NONE), Ok(())),
        ("[]", "[]", None, Err(NONE), Ok(())),
        ("", "", Some("work"), Err("there is no profile"), Err("there is no profile")),
        (CONFIG, CREDENTIAL, None, Ok(()), Ok(())),
        (CONFIG, "", None, Err("has none for profile `work`"), Ok(())),
        ("", CREDENTIAL, None, Err("no profile in ~/.ucloud/config.json is active"), Ok(())),
        ("", CREDENTIAL, Some("work"), Ok(()), Ok(())),
        (invalid, CREDENTIAL, None, Err("config.json:1:2: invalid JSON"), Err("invalid JSON")),
        (invalid, CREDENTIAL, Some("work"), Err("invalid JSON"), Err("invalid JSON")),
        // Credentials that are not used may be invalid.
        (CONFIG, invalid, None, Err("credential.json:1:2: invalid JSON"), Ok(())),
        (CONFIG, invalid, Some("work"), Err("credential.json:1:2: invalid JSON"), Ok(())),
        // Whether the profile exists cannot be known.
        (CONFIG, invalid, Some("keys"), Err("invalid JSON"), Err("invalid JSON")),
    ] {
        for (has_pair, expected) in [(false, without_pair), (true, with_pair)] {
            let context = format!("{config:?} {credential:?} {profile:?} {has_pair}");
            let mut machine = Machine::new();
            for (name, text) in [("config.json", config), ("credential.json", credential)] {
                if !text.is_empty() {
                    machine = machine.file(name, text);
                }
            }
            if has_pair {
                machine = machine.set("UCLOUD_PUBLIC_KEY", "env-public-key");
                machine = machine.set("UCLOUD_PRIVATE_KEY", "env-private-key");
            }
            if let Some(profile) = profile {
                machine = machine.set("UCLOUD_PROFILE", profile);
            }
            match (machine.load().and_then(ClientBuilder::build), expected) {
                (Ok(_), Ok(())) => {}
                (Err(error), Err(expected)) => {
                    let text = machine.text(&error);
                    assert!(text.contains(expected), "{context}: {text}");
                }
                (result, _) => panic!("{context}: {result:?}"),
            }
        }
    }
}

/// The fallback provider replaces credentials that are missing, and hides none that are invalid.
#[test]
fn the_fallback_provider_is_for_missing_credentials() {
    for (credential, profile, expected) in [
        (CREDENTIAL, None, Some("work-public-key")),
        ("[]", None, Some("provider")),
        (CREDENTIAL, Some("settings"), Some("provider")),
        (CREDENTIAL, Some("nosuch"), None),
        (CREDENTIAL, Some("oauth"), None),
        (r#"[{"profile": "work", "public_key": "a"}]"#, None, None),
        (r#"[{"profile": "Work", "public_key": "a", "private_key": "b"}]"#, None, None),
        ("[", None, None),
    ] {
        let mut machine =
            Machine::new().file("config.json", CONFIG).file("credential.json", credential);
        if let Some(profile) = profile {
            machine = machine.set("UCLOUD_PROFILE", profile);
        }
        let client = machine.load().and_then(|builder| {
            builder.fallback_credentials_provider(MetadataCredentials::new()).build()
        });
        let key = client.ok().map(|client| public_key(&client));
        assert_eq!(key.as_deref(), expected, "{credential} {profile:?}");
    }
}

/// With an empty `HOME`, the files of the current directory are not read.
#[test]
fn a_home_that_is_not_absolute_is_none() {
    for home in ["", " ", ".", "relative"] {
        let environment = Environment::new(|_| None, Some(Path::new(home).to_owned()));
        let selection = ClientBuilder::named("work");
        let problems = environment.load_profile(&selection, true).problems.join(" ");
        assert!(
            problems.contains(
                "~/.ucloud/config.json and ~/.ucloud/credential.json contain no profiles"
            ),
            "{problems}"
        );
    }
}

/// The messages of the family, side by side. `cargo test messages_of_settings -- --nocapture`
/// prints them.
#[test]
fn messages_of_settings_name_the_source_of_the_value() {
    let keys = |machine: Machine| {
        machine.set("UCLOUD_PUBLIC_KEY", "public-key").set("UCLOUD_PRIVATE_KEY", "private-key")
    };
    let files =
        |machine: Machine| machine.file("config.json", CONFIG).file("credential.json", CREDENTIAL);
    let config = |entry: &str| {
        Machine::new()
            .file("config.json", format!("[{{\"profile\": \"work\", \"active\": true, {entry}}}]"))
    };
    let credential = |entry: &str| {
        Machine::new()
            .file("config.json", CONFIG)
            .file("credential.json", format!("[{{\"profile\": \"work\", {entry}}}]"))
    };
    let messages = [
        (
            Machine::new(),
            "no credentials are set: call `credentials`, or start with `from_env` and set UCLOUD_PUBLIC_KEY and UCLOUD_PRIVATE_KEY or a profile.",
        ),
        (
            Machine::new().set("UCLOUD_PUBLIC_KEY", "a"),
            "UCLOUD_PUBLIC_KEY is set, but UCLOUD_PRIVATE_KEY is not: set both or neither. A key pair is not combined from several sources.",
        ),
        (
            Machine::new().set("UCLOUD_PUBLIC_KEY", "a").set("UCLOUD_PRIVATE_KEY", "b\n"),
            "UCLOUD_PRIVATE_KEY contains whitespace: copy it again, without line breaks.",
        ),
        (
            Machine::new().set("UCLOUD_PUBLIC_KEY", "a\u{7}").set("UCLOUD_PRIVATE_KEY", "b"),
            "UCLOUD_PUBLIC_KEY contains a control character: copy it again, without line breaks.",
        ),
        (
            Machine::new().set("UCLOUD_PUBLIC_KEY", "a").set("UCLOUD_PRIVATE_KEY", "b\u{200b}"),
            "UCLOUD_PRIVATE_KEY contains an invisible character: copy it again, without line breaks.",
        ),
        (
            Machine::new().set("UCLOUD_PUBLIC_KEY", OsString::from_vec(vec![255])),
            "UCLOUD_PUBLIC_KEY is not valid UTF-8.",
        ),
        (
            keys(Machine::new()).set("UCLOUD_PROJECT_ID", "org 1"),
            "UCLOUD_PROJECT_ID contains whitespace: copy it again, without line breaks.",
        ),
        (
            keys(Machine::new()).set("UCLOUD_API_BASE_URL", "api.ucloud.cn"),
            "UCLOUD_API_BASE_URL is invalid (relative URL without a base): expected a URL such as https://api.surfercloud.com/.",
        ),
        (
            keys(Machine::new()).set("UCLOUD_API_BASE_URL", "http://api.ucloud.cn"),
            "UCLOUD_API_BASE_URL is plain HTTP, which lets others on the network read and replay calls: use https, or call `allow_plain_http`.",
        ),
        (
            keys(Machine::new()).set("UCLOUD_TIMEOUT_SECOND", "0"),
            "UCLOUD_TIMEOUT_SECOND must be greater than zero.",
        ),
        (
            keys(Machine::new()).set("UCLOUD_TIMEOUT_SECOND", "1.5"),
            "UCLOUD_TIMEOUT_SECOND must be a whole number of seconds.",
        ),
        (
            keys(files(Machine::new())).set("UCLOUD_PROFILE", "nosuch"),
            "UCLOUD_PROFILE: there is no profile `nosuch`: ~/.ucloud/config.json and ~/.ucloud/credential.json contain `keys`, `oauth`, `settings`, `work`.",
        ),
        (
            keys(Machine::new()).set("UCLOUD_PROFILE", "nosuch"),
            "UCLOUD_PROFILE: there is no profile `nosuch`: ~/.ucloud/config.json and ~/.ucloud/credential.json contain no profiles.",
        ),
        (
            Machine::new().set("UCLOUD_SHARED_CONFIG_FILE", "/nowhere/config.json"),
            "/nowhere/config.json: UCLOUD_SHARED_CONFIG_FILE names this file, but it does not exist.",
        ),
        (
            Machine::new().set("UCLOUD_SHARED_CREDENTIAL_FILE", "/dev"),
            "/dev: UCLOUD_SHARED_CREDENTIAL_FILE names this file, which cannot be read: it is a directory, not a regular file.",
        ),
        (
            Machine::new().file("config.json", "[x"),
            "~/.ucloud/config.json:1:2: invalid JSON: fix it, or recreate the file with the platform's command-line tool.",
        ),
        (
            Machine::new().file("config.json", "{}"),
            "~/.ucloud/config.json: expected a JSON array of profiles.",
        ),
        (
            Machine::new().file("config.json", "[{}]"),
            "~/.ucloud/config.json: entry 1 must be an object with a non-empty `profile`.",
        ),
        (
            Machine::new().file("config.json", CONFIG),
            "no credentials are set, and ~/.ucloud/credential.json has none for profile `work`: log in with the platform's command-line tool, or add `public_key` and `private_key`.",
        ),
        (
            Machine::new().file("credential.json", CREDENTIAL),
            "no credentials are set, and no profile in ~/.ucloud/config.json is active: set `active` to true in one, or select one with UCLOUD_PROFILE.",
        ),
        (
            keys(config(r#""timeout_sec": "5""#)),
            "`timeout_sec` of profile `work` in ~/.ucloud/config.json must be a whole number, 0 or more.",
        ),
        (
            keys(config(r#""base_url": "ftp://x/""#)),
            "`base_url` of profile `work` in ~/.ucloud/config.json must start with https://.",
        ),
        (
            keys(config(r#""channel_key": "a b""#)),
            "`channel_key` of profile `work` in ~/.ucloud/config.json contains whitespace: copy it again, without line breaks.",
        ),
        (
            keys(config(r#""channel_key": "ü""#)),
            "`channel_key` of profile `work` in ~/.ucloud/config.json must consist of ASCII characters, because it is sent in a header.",
        ),
        (
            credential(r#""public_key": "a""#),
            "`private_key` of profile `work` in ~/.ucloud/credential.json is missing or empty.",
        ),
        (
            credential(r#""public_key": "a", "private_key": 5"#),
            "`private_key` of profile `work` in ~/.ucloud/credential.json must be a string.",
        ),
        (
            credential(r#""public_key": "a", "private_key": "b c""#),
            "`private_key` of profile `work` in ~/.ucloud/credential.json contains whitespace: copy it again, without line breaks.",
        ),
        (
            credential(r#""public_key": "a", "private_key": "b"}, {"profile": "work""#),
            "~/.ucloud/credential.json: profile `work` is defined more than once (`work` in line 1, `work` in line 1): keep one definition.",
        ),
        (
            credential(r#""public_key": "a", "private_key": "b"}, {"profile": "WORK""#),
            "~/.ucloud/credential.json: profiles differ only in case or spaces (`work` in line 1, `WORK` in line 1): rename or remove one.",
        ),
        (
            credential(r#""public_key": "a", "private_key": "b", "public_key": "c""#),
            "~/.ucloud/credential.json: profile `work` has `public_key` more than once (lines 1 and 1): keep one.",
        ),
        (
            credential(r#""auth_mode": "oauth", "access_token": "t""#),
            "profile `work` in ~/.ucloud/credential.json uses OAuth (`auth_mode`), which provides no key pair to sign calls with: create an API key in the console, and set it in another profile or in UCLOUD_PUBLIC_KEY and UCLOUD_PRIVATE_KEY.",
        ),
    ];
    for (machine, expected) in &messages {
        let text = machine.text(&machine.load().and_then(ClientBuilder::build).unwrap_err());
        println!("{text}");
        assert_eq!(text, *expected);
    }

    let builder = || Client::builder().credentials(Credentials::new("public-key", "private-key"));
    let messages = [
        (
            Client::builder().credentials(Credentials::new("", "b")),
            "the public key of `credentials` is empty.",
        ),
        (
            Client::builder().credentials(Credentials::new("a", "b ")),
            "the private key of `credentials` contains whitespace: copy it again, without line breaks.",
        ),
        (builder().parameter("ProjectId", String::new()), "`project_id` is empty."),
        (builder().channel_key(""), "`channel_key` is empty."),
        (
            builder().channel_key("a\r\nx: y"),
            "`channel_key` contains whitespace: copy it again, without line breaks.",
        ),
        (
            builder().base_url("http://u:p@localhost"),
            "`base_url` must not contain a user name or a password.",
        ),
        (builder().timeout(Duration::ZERO), "`timeout` must be greater than zero."),
        (
            builder().credentials_timeout(Duration::ZERO),
            "`credentials_timeout` must be greater than zero.",
        ),
    ];
    for (builder, expected) in messages {
        let text = builder.build().unwrap_err().to_string();
        println!("{text}");
        assert_eq!(text, expected);
    }
}
