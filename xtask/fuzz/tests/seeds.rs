//! The seeds of every target have no failure.

use std::process::Command;

/// Replays the seeds of a target in a process of its own.
fn replay(target: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(env!("CARGO_BIN_EXE_uhub-fuzz"))
        .args([target, "--seconds", "0", "--finds"])
        .arg(folder.path())
        .output()
        .expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn responses_of_the_seeds_are_read() {
    replay("response");
}

#[test]
fn pages_of_the_seeds_are_imported() {
    replay("page");
}

#[test]
fn specs_of_the_seeds_generate_harmless_source() {
    replay("spec");
}

#[test]
fn profile_files_of_the_seeds_are_read() {
    replay("profile");
}

#[test]
fn the_local_server_survives_the_requests_of_the_seeds() {
    replay("local");
}
