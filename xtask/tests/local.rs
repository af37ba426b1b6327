//! `cargo xtask local` forwards to the program `uhub-local`.
#![cfg(unix)] // `echo` stands in for cargo
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn xtask(cargo: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.env("CARGO", cargo).arg("local").args(arguments);
    command.output().unwrap()
}

#[test]
fn the_arguments_are_forwarded() {
    for arguments in
        [&["--quiet", "--listen", "127.0.0.1:0"][..], &["--help"], &["--data", "a b"], &[]]
    {
        let output = xtask("echo", arguments);
        let line = String::from_utf8(output.stdout).unwrap();
        let start = "run --quiet --package uhub-local --features cli --manifest-path ";
        assert!(line.starts_with(start), "{line}");
        let end = format!(" -- {}", arguments.join(" "));
        assert!(line.trim_end().ends_with(end.trim_end()), "{line}");
    }
}

#[test]
fn the_exit_status_is_passed_on() {
    assert_eq!(xtask("true", &[]).status.code(), Some(0));
    assert_eq!(xtask("false", &[]).status.code(), Some(1));
}

#[test]
fn a_missing_cargo_is_reported() {
    let output = xtask("/nowhere/cargo", &[]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("/nowhere/cargo"), "{message}");
}
