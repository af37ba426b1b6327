//! Mutilates the pages of the tests for as long as it is told, and reads what is left of them:
//!
//! ```text
//! cargo run --release --package uhub-codegen --example fuzz_pages -- [SECONDS] [SEED]
//! ```
//!
//! It ends at the first panic, broken promise or page that takes long, and leaves that page in a file.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../tests/import/shapes.rs"]
mod shapes;

use std::{
    fs, panic,
    time::{Duration, Instant},
};

use uhub_codegen::{SpecFile, import::read};

/// What pages are made of, and what breaks them.
const PIECES: &[&str] = &[
    "|",
    "\\|",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "`",
    "```",
    "# ",
    "#### ",
    "<td>",
    "</td>",
    "<table>",
    "</table>",
    "<pre>",
    "</pre>",
    "<script>",
    "<!--",
    "&lt;",
    "&#x0;",
    "array[",
    "]",
    "string",
    "int",
    "Yes",
    "No",
    "{",
    "}",
    "[",
    "\"",
    "\\u0000",
    "null",
    "1e999",
    "&A=",
    "?",
    "Request Parameters",
    "响应字段",
    "Data Model",
    "Response Example",
    " - ListCrates",
    "Field NameTypeDescription InformationRequired",
    "\u{feff}",
    "\u{202e}",
    "\u{0}",
    "é",
    "镜",
    "默认",
    "default is ",
];
/// Most pages take less than a millisecond.
const LONG: Duration = Duration::from_secs(2);

/// A xorshift generator: the same seed, the same pages.
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
    let mut arguments = std::env::args()
        .skip(1)
        .map(|argument| argument.parse::<u64>().unwrap());
    let seconds = arguments.next().unwrap_or(60);
    let mut random = Random(arguments.next().unwrap_or(1).max(1));
    let seeds = seeds();
    let until = Instant::now() + Duration::from_secs(seconds);
    let (mut pages, mut whole, mut slowest) = (0_u64, 0_u64, Duration::ZERO);
    while Instant::now() < until {
        let bytes = mutilated(&seeds, &mut random);
        let begun = Instant::now();
        let outcome = panic::catch_unwind(|| check(&bytes));
        let took = begun.elapsed();
        slowest = slowest.max(took);
        pages += 1;
        match outcome {
            Ok(Ok(is_whole)) if took < LONG => whole += u64::from(is_whole),
            found => {
                let path = std::env::temp_dir().join("fuzz_pages.found");
                fs::write(&path, &bytes).unwrap();
                println!(
                    "page {pages}, after {took:?}: {found:?}; see {}",
                    path.display()
                );
                std::process::exit(1);
            }
        }
    }
    println!("{pages} pages, {whole} of them read, no find; the slowest took {slowest:?}");
}

/// The pages of the tests in every shape, and the specs that they become.
fn seeds() -> Vec<Vec<u8>> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/pages/markdown/depot"
    );
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut seeds = Vec::new();
    for path in paths {
        let markdown = fs::read_to_string(path).unwrap();
        for page in [
            shapes::html(&markdown),
            shapes::pasted(&markdown),
            shapes::text(&markdown),
            markdown,
        ] {
            seeds.push(page.into_bytes());
        }
    }
    seeds
}

fn mutilated(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut page = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(8) {
        let at = random.below(page.len() + 1);
        let end = (at + random.below(200)).min(page.len());
        match random.below(7) {
            0 => drop(page.drain(at..end)),
            1 => page.truncate(at),
            2 => {
                let piece = page[at..end].to_vec();
                let to = random.below(page.len() + 1);
                page.splice(to..to, piece);
            }
            3 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len());
                let to = (from + random.below(2000)).min(other.len());
                page.splice(at..end, other[from..to].iter().copied());
            }
            4 => {
                let piece = PIECES[random.below(PIECES.len())];
                let times = if random.below(50) == 0 { 3000 } else { 1 };
                page.splice(at..at, piece.repeat(times).into_bytes());
            }
            5 => {
                let byte = u8::try_from(random.below(256)).unwrap();
                page.splice(at..(at + 1).min(end.max(at)), [byte]);
            }
            _ => {
                let piece = PIECES[random.below(PIECES.len())];
                page.splice(at..end, piece.bytes());
            }
        }
    }
    page
}

/// What holds of every page. Whether the page was read, or the promise that was broken.
fn check(bytes: &[u8]) -> Result<bool, String> {
    let reading = read("page", bytes, None);
    let Some(page) = reading.page else {
        return match reading.errors.is_empty() {
            true => Err("refused without a reason".to_owned()),
            false => Ok(false),
        };
    };
    if !reading.errors.is_empty() {
        return Err("read in spite of mistakes".to_owned());
    }
    let first = page
        .spec(None)
        .map_err(|mistakes| format!("{mistakes:?}"))?
        .text;
    let old = SpecFile::new("spec", first.clone());
    let again = page
        .spec(Some(&old))
        .map_err(|mistakes| format!("{mistakes:?}"))?
        .text;
    if first == again {
        Ok(true)
    } else {
        Err("the same page again changed the spec".to_owned())
    }
}
