//! What is fuzzed.

mod docs;
mod local;
mod page;
mod profile;
mod response;
mod secrets;
#[path = "../../../../codegen/tests/import/shapes.rs"]
mod shapes;
mod spec;

use std::{fmt, fs, path::Path, process::Command, process::ExitCode};

use clap::ValueEnum;

/// What reads inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// The client reads a response.
    Response,
    /// The import reads a documentation page.
    Page,
    /// The generator reads a spec, and what it writes is parsed.
    Spec,
    /// The client reads the files of profiles.
    Profile,
    /// The local server reads the bytes of a connection.
    Local,
}

/// Checks inputs of one kind.
pub(crate) trait Check {
    /// Returns a short description of the outcome. An outcome that no other input had makes the
    /// input worth mutating.
    ///
    /// # Errors
    ///
    /// What should never happen.
    fn check(&mut self, input: &[u8]) -> Result<String, String>;
}

impl Kind {
    pub(crate) fn start(self) -> Box<dyn Check> {
        match self {
            Self::Response => Box::new(response::Responses::start()),
            Self::Page => Box::new(page::Pages),
            Self::Spec => Box::new(spec::Specs),
            Self::Profile => Box::new(profile::Profiles::start()),
            Self::Local => Box::new(local::Requests::start()),
        }
    }

    /// The files in `seeds/`, and inputs made from the data of other tests.
    pub(crate) fn seeds(self) -> Vec<Vec<u8>> {
        let mut seeds = match self {
            Self::Page => page::seeds(),
            Self::Spec => spec::seeds(),
            _ => Vec::new(),
        };
        let files = read_folder(&folder().join("seeds").join(self.to_string()));
        seeds.extend(files);
        assert!(!seeds.is_empty(), "the target {self} has no seeds");
        seeds
    }

    /// The entries of the dictionary: a string a line.
    pub(crate) fn dictionary(self) -> Vec<Vec<u8>> {
        let path = folder().join(format!("dictionaries/{self}.txt"));
        let text = fs::read_to_string(&path).expect("a target has a dictionary");
        text.lines().filter(|line| line.starts_with('"')).map(unescape).collect()
    }

    /// Runs this program again with the environment that the target needs.
    pub(crate) fn rerun_with_environment(self) -> Option<ExitCode> {
        if self != Self::Profile || profile::has_environment() {
            return None;
        }
        let program = std::env::current_exe().expect("the program knows its path");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(program);
        command.args(std::env::args_os().skip(1));
        profile::set_environment(&mut command, folder.path());
        let status = command.status().expect("the program starts again");
        let is_success = status.success();
        Some(if is_success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.to_possible_value().expect("no target is skipped");
        f.write_str(name.get_name())
    }
}

/// The folder of this crate.
fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The contents of the files of a folder, in the order of their names.
pub(crate) fn read_folder(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a seed can be read")).collect()
}

/// The bytes of a quoted string with the escapes `\\`, `\"` and `\xNN`.
fn unescape(line: &str) -> Vec<u8> {
    let text = line.trim().trim_start_matches('"');
    let text = text.strip_suffix('"').unwrap_or(text);
    let mut unescaped = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.clone().next()) {
            (b'\\', Some(b'x')) => {
                let digits: String = bytes.by_ref().take(3).skip(1).map(char::from).collect();
                unescaped.push(u8::from_str_radix(&digits, 16).expect("two hexadecimal digits"));
            }
            (b'\\', Some(other)) => {
                bytes.next();
                unescaped.push(other);
            }
            _ => unescaped.push(byte),
        }
    }
    unescaped
}

/// A message without what varies: quoted parts and numbers.
pub(crate) fn shape(message: &str) -> String {
    let mut shape = String::new();
    let mut quote = None;
    for c in message.chars().take(400) {
        match quote {
            Some(end) if c == end => quote = None,
            Some(_) => continue,
            None if matches!(c, '"' | '`' | '“') => {
                quote = Some(if c == '“' { '”' } else { c });
            }
            None => {}
        }
        match c {
            '0'..='9' => {
                if !shape.ends_with('0') {
                    shape.push('0');
                }
            }
            _ => shape.push(c),
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_leave_out_what_varies() {
        assert_eq!(shape("line 17: `abc` is not 5"), "line 0: `` is not 0");
        assert_eq!(unescape(r#""a\x0a\\\"b""#), b"a\n\\\"b");
    }

    #[test]
    fn every_target_has_seeds_and_a_dictionary() {
        for kind in Kind::value_variants() {
            assert!(kind.seeds().len() > 2, "{kind}");
            assert!(kind.dictionary().len() > 10, "{kind}");
        }
    }
}
