//! The dependencies' licences, sources and minimum Rust versions, for machines without cargo-deny.
#![allow(clippy::unwrap_used)]

use std::{env, process::Command};

use serde_json::Value;

/// The licences that `deny.toml` allows, and its exceptions.
fn allowed() -> Vec<String> {
    let deny = include_str!("../../deny.toml");
    let lists = deny.split("allow = [").skip(1).map(|rest| rest.split(']').next().unwrap());
    let names = lists.flat_map(|list| list.split('"').skip(1).step_by(2));
    names.map(str::to_owned).collect()
}

fn packages() -> Vec<Value> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--format-version", "1", "--locked", "--all-features"]);
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    serde_json::from_value(metadata["packages"].take()).unwrap()
}

/// Returns whether an SPDX expression is satisfied by these licences. Cargo also accepts `/` for
/// `OR`.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = &words[..];
    let is_satisfied = any(&mut rest, allowed);
    assert!(rest.is_empty(), "{expression}: not understood");
    is_satisfied
}

fn any(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut is_satisfied = all(words, allowed);
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        is_satisfied |= all(words, allowed);
    }
    is_satisfied
}

fn all(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut is_satisfied = one(words, allowed);
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        is_satisfied &= one(words, allowed);
    }
    is_satisfied
}

fn one(words: &mut &[&str], allowed: &[String]) -> bool {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let is_satisfied = any(words, allowed);
            *words = words.strip_prefix(&[")"]).expect("a closing parenthesis");
            is_satisfied
        }
        // An exception of a licence only grants more.
        [licence, "WITH", _, rest @ ..] | [licence, rest @ ..] => {
            *words = rest;
            allowed.iter().any(|allowed| allowed == licence)
        }
        [] => panic!("a licence is missing"),
    }
}

/// Returns a version's first two numbers.
fn minor(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap_or(0))
}

#[test]
fn dependencies_have_allowed_licences_known_sources_and_support_the_minimum_rust_version() {
    let allowed = allowed();
    let packages = packages();
    let ours = packages.iter().find(|package| package["name"] == "uhub-sdk").unwrap();
    let minimum = minor(ours["rust_version"].as_str().unwrap());
    let mut problems = Vec::new();
    for package in &packages {
        let name = format!("{} {}", package["name"], package["version"]);
        match package["license"].as_str() {
            Some(licence) if is_allowed(licence, &allowed) => {}
            licence => problems.push(format!("{name}: licence {licence:?}")),
        }
        let source = &package["source"];
        if !source.is_null() && source != "registry+https://github.com/rust-lang/crates.io-index" {
            problems.push(format!("{name}: source {source}"));
        }
        let needed = package["rust_version"].as_str().map(minor);
        if needed.is_some_and(|needed| needed > minimum) {
            problems.push(format!("{name}: needs Rust {}", package["rust_version"]));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn licence_expressions_are_evaluated() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned()];
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("MIT/Apache-2.0", true),
        ("MIT AND GPL-3.0", false),
        ("ISC AND (GPL-3.0 OR MIT)", true),
        ("GPL-3.0 OR MIT AND Apache-2.0", false),
        ("MIT WITH LLVM-exception", true),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
