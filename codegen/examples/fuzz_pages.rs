//! Reads damaged copies of the pages of the tests, until the time is over:
//!
//! ```text
//! cargo run --release --package uhub-codegen --example fuzz_pages -- [SECONDS] [SEED]
//! ```
//!
//! The first panic, inconsistent result or slow page ends it. That page is written to a file.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../tests/import/shapes.rs"]
mod shapes;

use std::{
    fs, panic,
    time::{Duration, Instant},
};

use uhub_codegen::{Severity, SpecFile, import::read};

/// Pieces that pages consist of, and pieces that break them.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "|", "\\|", "\t", "\n", "\n\n", "\r\n", "`", "```", "# ", "#### ", "<td>", "</td>", "<table>",
    "</table>", "<pre>", "</pre>", "<script>", "<!--", "&lt;", "&#x0;", "array[", "]", "string",
    "int", "Yes", "No", "{", "}", "[", "\"", "\\u0000", "null", "1e999", "&A=", "?",
    "Request Parameters", "响应字段", "Data Model", "Response Example", " - ListCrates",
    "Field NameTypeDescription InformationRequired", "\u{feff}", "\u{202e}", "\u{0}", "é", "镜",
    "默认", "default is ",
];
/// Most pages take less than a millisecond.
const MAX_TIME: Duration = Duration::from_secs(2);

/// A xorshift generator. The same seed makes the same pages.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().unwrap());
    let seconds = arguments.next().unwrap_or(60);
    let mut random = Random(arguments.next().unwrap_or(1).max(1));
    let seeds = seeds();
    let until = Instant::now() + Duration::from_secs(seconds);
    let (mut pages, mut accepted, mut slowest) = (0_u64, 0_u64, Duration::ZERO);
    while Instant::now() < until {
        let bytes = damaged(&seeds, &mut random);
        let begun = Instant::now();
        let outcome = panic::catch_unwind(|| check(&bytes));
        let took = begun.elapsed();
        slowest = slowest.max(took);
        pages += 1;
        match outcome {
            Ok(Ok(is_accepted)) if took < MAX_TIME => accepted += u64::from(is_accepted),
            failure => {
                let path = std::env::temp_dir().join("fuzz_pages.failed");
                fs::write(&path, &bytes).unwrap();
                let path = path.display();
                println!("page {pages}, after {took:?}: {failure:?}; see {path}");
                std::process::exit(1);
            }
        }
    }
    println!("{pages} pages, {accepted} accepted, no failure; the slowest took {slowest:?}");
}

/// Returns the pages of the tests in every shape.
fn seeds() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/pages/markdown/depot");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let pages = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    let shapes = pages.flat_map(|markdown| {
        [shapes::html(&markdown), shapes::pasted(&markdown), shapes::text(&markdown), markdown]
    });
    shapes.map(String::into_bytes).collect()
}

/// Returns a page in which some pieces are removed, repeated or replaced.
fn damaged(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut page = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(8) {
        let at = random.below(page.len() + 1);
        let end = match random.below(4) {
            0 => at,
            1 => (at + 1).min(page.len()),
            2 => (at + random.below(200)).min(page.len()),
            _ if random.below(10) == 0 => page.len(),
            _ => at,
        };
        let replacement = match random.below(4) {
            0 => Vec::new(),
            1 => vec![u8::try_from(random.below(256)).unwrap()],
            2 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len());
                let to = (from + random.below(2000)).min(other.len());
                other[from..to].to_vec()
            }
            _ => {
                let times = if random.below(50) == 0 { 3000 } else { 1 };
                PIECES[random.below(PIECES.len())].repeat(times).into_bytes()
            }
        };
        page.splice(at..end, replacement);
    }
    page
}

/// Returns whether a page was accepted, or the property that does not hold.
fn check(bytes: &[u8]) -> Result<bool, String> {
    let reading = read("page", bytes, None);
    let mut severities = reading.diagnostics.iter().map(|it| it.severity);
    if severities.any(|it| it == Severity::Error) != reading.page.is_none() {
        return Err("refused without an error, or accepted with one".to_owned());
    }
    let Some(page) = reading.page else {
        return Ok(false);
    };
    let import = |old: Option<&SpecFile>| {
        let imported = page.spec(old).map_err(|errors| format!("{errors:?}"));
        imported.map(|imported| imported.text)
    };
    let first = import(None)?;
    match import(Some(&SpecFile::new("spec", first.clone())))? == first {
        true => Ok(true),
        false => Err("importing the page again changed the spec".to_owned()),
    }
}
