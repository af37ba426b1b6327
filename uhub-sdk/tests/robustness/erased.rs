//! Private keys are not in the memory of a process after the last client is dropped.
//!
//! A child process searches its own memory, so that the test's copies of the key do not matter. It
//! knows the key only backwards.

use std::{
    env, fs,
    fs::File,
    io::{Read, Seek, SeekFrom},
    process::Command,
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};
use uhub_sdk::{
    Client, ClientBuilder, Credentials, MetadataCredentials, RetryPolicy, SecretString,
    local::{Fault, LocalUhub, Scope},
};

use crate::{PUBLIC_KEY, common::respond};

const KEY: &str = "eRaSe-mE/0123456789";
/// The key as JSON may write it.
const ESCAPED_KEY: &str = r"eRaSe-mE\/012345678\u0039";

/// A search of the memory of this process. Its buffers are allocated beforehand, so that it does
/// not overwrite what it looks for.
struct Search {
    backwards: Vec<u8>,
    maps: String,
    part: Vec<u8>,
}

impl Search {
    fn new(backwards: String) -> Self {
        let backwards = backwards.into_bytes();
        Self { backwards, maps: String::with_capacity(1 << 20), part: vec![0; 1 << 20] }
    }

    fn finds_key(&mut self) -> bool {
        self.maps.clear();
        File::open("/proc/self/maps").unwrap().read_to_string(&mut self.maps).unwrap();
        let mut memory = File::open("/proc/self/mem").unwrap();
        for line in self.maps.lines().filter(|line| line.contains(" rw")) {
            let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
            let [mut at, end] =
                [start, end].map(|address| u64::from_str_radix(address, 16).unwrap());
            while at < end {
                let length = usize::try_from(end - at).unwrap().min(self.part.len());
                let part = &mut self.part[..length];
                memory.seek(SeekFrom::Start(at)).unwrap();
                let first = self.backwards.last().copied();
                let is_key = |window: &[u8]| {
                    window.first().copied() == first
                        && window.iter().eq(self.backwards.iter().rev())
                };
                if memory.read_exact(part).is_ok() && part.windows(self.backwards.len()).any(is_key)
                {
                    self.part.fill(0);
                    return true;
                }
                // A key may be in two parts.
                let next = if at + length as u64 == end { length } else { length - 64 };
                at += next as u64;
            }
        }
        false
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Makes a call that succeeds and one that fails, and drops client and runtime.
fn use_client(builder: ClientBuilder, search: &mut Search) -> [bool; 2] {
    let runtime = runtime();
    let client = builder.retry(RetryPolicy::disabled()).build().unwrap();
    runtime.block_on(async {
        client.get_repo_image("idkTdEFo").send().await.unwrap();
        client.create_repo("failing").send().await.unwrap_err();
    });
    let is_alive = search.finds_key();
    drop(client);
    drop(runtime);
    [is_alive, search.finds_key()]
}

/// What the child process does.
fn child(case: &str) {
    let variable = |name: &str| env::var(name).unwrap();
    let mut search = Search::new(variable("KEY_BACKWARDS"));
    let builder = match case {
        "profile" => ClientBuilder::from_profile("work").unwrap(),
        "metadata" => {
            let provider = MetadataCredentials::new().with_base_url(variable("METADATA_URL"));
            Client::builder().credentials_provider(provider)
        }
        "builder" => {
            let key: String = variable("KEY_BACKWARDS").chars().rev().collect();
            Client::builder().credentials(Credentials::new(PUBLIC_KEY, key))
        }
        "secret" => {
            let secret =
                SecretString::new(variable("KEY_BACKWARDS").chars().rev().collect::<String>());
            let copy = secret.clone();
            assert_eq!(format!("{secret:?}"), "[hidden]");
            let is_alive = search.finds_key();
            drop((secret, copy));
            println!("\nalive {is_alive} dropped {}\n", search.finds_key());
            return;
        }
        // A copy that stays, to show that the search finds it.
        _ => {
            let key: String = variable("KEY_BACKWARDS").chars().rev().collect();
            std::mem::forget(key.clone());
            Client::builder().credentials(Credentials::new(PUBLIC_KEY, key))
        }
    };
    let [is_alive, is_left] = use_client(builder.base_url(variable("BASE_URL")), &mut search);
    println!("\nalive {is_alive} dropped {is_left}\n");
}

#[test]
fn private_keys_are_erased() {
    if let Ok(case) = env::var("ERASED_CASE") {
        child(&case);
        return;
    }
    let servers = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let builder = LocalUhub::builder().metadata_role("backup", Duration::from_secs(3600));
    let uhub = servers.block_on(builder.start()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (case, key, expected) in [
        ("forgotten", KEY, "alive true dropped true"),
        ("secret", KEY, "alive true dropped false"),
        ("builder", KEY, "alive true dropped false"),
        ("profile", KEY, "alive true dropped false"),
        ("profile", ESCAPED_KEY, "alive true dropped false"),
        ("metadata", KEY, "alive true dropped false"),
        ("metadata", ESCAPED_KEY, "alive true dropped false"),
    ] {
        let file = folder.path().join("credential.json");
        let entry = format!(
            r#"[{{"profile": "work", "public_key": "{PUBLIC_KEY}", "private_key": "{key}"}}]"#
        );
        fs::write(&file, entry).unwrap();
        let issued = format!(
            r#"{{"RetCode": 0, "Data": {{"AccessKeyId": "{PUBLIC_KEY}", "Expiration": "2099-01-01T00:00:00Z",
                "SecurityToken": "token", {} "AccessKeySecret": "{key}"}}}}"#,
            // Far from the beginning of the buffer, which other responses may overwrite.
            " ".repeat(3000)
        );
        uhub.clear_faults();
        uhub.inject_on(Scope::metadata(), respond(200, &[], issued));
        // Whatever has signed it is right.
        let page = r#"{"RetCode": 0, "TotalCount": 0}"#;
        uhub.inject_on(Scope::action("GetRepoImage"), respond(200, &[], page));
        uhub.inject_on(Scope::action("CreateRepo"), Fault::bad_gateway());
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", "erased::private_keys_are_erased", "--nocapture", "--test-threads=1"])
            .env("ERASED_CASE", case)
            .env("KEY_BACKWARDS", KEY.chars().rev().collect::<String>())
            .env("UCLOUD_SHARED_CREDENTIAL_FILE", &file)
            .env("METADATA_URL", uhub.metadata_url())
            .env("BASE_URL", uhub.base_url())
            .env("HOME", folder.path())
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stdout.contains(expected), "{case} {key}: {stdout}{stderr}");
    }
}
