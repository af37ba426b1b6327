//! `cargo xtask import`: documentation pages in, the spec's actions out.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{IsTerminal, Read, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;
use uhub_codegen::{
    Diagnostic, SpecFile,
    document::{self, Counts, LARGEST, Page, Shape},
};

use crate::{
    codegen::{count, short_diff},
    files::{self, Change},
    in_repository,
};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The pages: text, Markdown, HTML, or copied from a browser.
    #[arg(required = true, value_name = "PAGE")]
    pages: Vec<PathBuf>,
    /// The spec's folder: the pages become DIR/actions/*.json.
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("api-spec/uhub"))]
    out: PathBuf,
    /// The shape of the pages: auto (told by looking), text, markdown, html or pasted.
    #[arg(long, value_name = "SHAPE", default_value = "auto", value_parser = shape)]
    format: Format,
    /// Change nothing: say what would change, and fail if anything would.
    #[arg(long)]
    check: bool,
}

/// A shape of pages; `None` where it is told by looking.
type Format = Option<Shape>;

fn shape(name: &str) -> Result<Format, String> {
    match name {
        "auto" => Ok(None),
        name => name.parse().map(Some),
    }
}

/// Brings the spec's actions up to date with the pages, or says what would change. What is wrong with
/// one page keeps no other from being imported.
pub(crate) fn run(arguments: &Arguments) -> Result<String, String> {
    let Arguments {
        pages,
        out,
        format,
        check,
    } = arguments;
    let import = Import::of(pages, out, *format);
    let mut message = import.findings();
    let folder = out.join("actions");
    let written = if *check || import.changes.is_empty() {
        Ok(())
    } else {
        files::apply(&import.changes, &folder)
    };
    for change in &import.changes {
        let path = folder.join(change.name());
        let what = match (&written, check) {
            (Err(_), _) => continue,
            (_, true) => change.is(),
            (_, false) => change.done(),
        };
        let _ = writeln!(message, "{}: {what}", path.display());
        if let (true, Change::Stale { old, new, .. }) = (check, change) {
            message.push_str(&short_diff(old, new));
        }
    }
    message.push_str(&import.summary());
    if let Err(error) = &written {
        let _ = write!(message, "\nthe spec could not be written: {error}");
    }
    if import.refused > 0 || written.is_err() || (*check && !import.changes.is_empty()) {
        Err(message)
    } else {
        Ok(message)
    }
}

/// What comes of some pages.
#[derive(Debug, Default)]
struct Import {
    errors: Vec<String>,
    notes: Vec<Diagnostic>,
    changes: Vec<Change>,
    pages: usize,
    refused: usize,
    unchanged: usize,
    counts: Counts,
}

impl Import {
    fn of(paths: &[PathBuf], out: &Path, shape: Option<Shape>) -> Self {
        let mut import = Self {
            pages: paths.len(),
            ..Self::default()
        };
        let mut by_action: BTreeMap<String, Vec<(&Path, Page)>> = BTreeMap::new();
        let mut progress = Progress::new(paths.len());
        for path in paths {
            if let Some(page) = import.read(path, shape) {
                import.counts += page.counts();
                let pages = by_action.entry(page.action().to_owned()).or_default();
                pages.push((path, page));
            }
            progress.advance();
        }
        drop(progress);
        let old = match Old::read(&out.join("actions")) {
            Ok(old) => old,
            Err(error) => {
                import.errors.push(error);
                import.refused = import.pages;
                return import;
            }
        };
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for (action, pages) in &by_action {
            import.action(action, pages, &old, &mut names);
        }
        import
    }

    fn read(&mut self, path: &Path, shape: Option<Shape>) -> Option<Page> {
        let file = path.display().to_string();
        let reading = match bytes(path) {
            Ok(bytes) => document::read(&file, &bytes, shape),
            Err(error) => {
                self.errors.push(format!("{file}: error: {error}"));
                self.refused += 1;
                return None;
            }
        };
        self.errors.extend(reading.errors.iter().map(error));
        self.notes.extend(reading.notes);
        self.refused += usize::from(reading.page.is_none());
        reading.page
    }

    /// Brings the pages of one action, which is one page as a rule, into its spec.
    fn action(
        &mut self,
        action: &str,
        pages: &[(&Path, Page)],
        old: &Old,
        names: &mut BTreeMap<String, String>,
    ) {
        let [(path, page), others @ ..] = pages else {
            return;
        };
        let differences: Vec<String> = others
            .iter()
            .filter_map(|(other, differing)| {
                let difference = page.difference(differing)?;
                Some(format!(
                    "{}: error: `{action}` is in {} too, and otherwise: {difference}; import one of them",
                    other.display(),
                    path.display(),
                ))
            })
            .collect();
        let name = old
            .names
            .get(action)
            .cloned()
            .unwrap_or_else(|| page.file_name());
        let mut refuse = |errors: Vec<String>| {
            self.errors.extend(errors);
            self.refused += pages.len();
        };
        if !differences.is_empty() {
            return refuse(differences);
        }
        if let Some(other) = names.insert(name.clone(), action.to_owned()) {
            return refuse(vec![format!(
                "{}: error: `{action}` and `{other}` would both be {name}",
                path.display()
            )]);
        }
        match page.spec(old.files.get(&name)) {
            Ok(imported) => {
                self.notes.extend(imported.notes);
                let new = imported.text;
                match old.files.get(&name) {
                    // A checkout may have turned the line ends; that is no difference.
                    Some(old) if old.text.replace("\r\n", "\n") == new => self.unchanged += 1,
                    Some(old) => self.changes.push(Change::Stale {
                        name,
                        old: old.text.clone(),
                        new,
                    }),
                    None => self.changes.push(Change::Missing { name, new }),
                }
            }
            Err(mistakes) => refuse(mistakes.iter().map(error).collect()),
        }
    }

    /// What was found, by place.
    fn findings(&self) -> String {
        let mut notes = self.notes.clone();
        notes.sort();
        let notes = notes.iter().map(|note| {
            let Diagnostic {
                file,
                line,
                column,
                message,
                ..
            } = note;
            format!("{file}:{line}:{column}: note: {message}")
        });
        let mut text = String::new();
        for finding in notes.chain(self.errors.iter().cloned()) {
            let _ = writeln!(text, "{finding}");
        }
        text
    }

    fn summary(&self) -> String {
        let Counts {
            parameters,
            fields,
            apart,
            by_grammar,
            by_example,
            by_wording,
            ..
        } = self.counts;
        let mut text = format!(
            "{}: {}, {}",
            count(self.pages, "page"),
            count(parameters, "parameter"),
            count(fields, "field"),
        );
        let together = by_grammar + by_example + by_wording;
        if together > 0 {
            let _ = write!(
                text,
                "; of {} run together, {by_grammar} have one reading, {by_example} were settled by the example, {by_wording} by their wording",
                count(together, "row"),
            );
        }
        if apart > 0 && together > 0 {
            let _ = write!(text, "; {} apart", count(apart, "row"));
        }
        let _ = write!(
            text,
            "\n{} of the spec differ, {} as the pages say; {} refused",
            count(self.changes.len(), "action"),
            self.unchanged,
            count(self.refused, "page"),
        );
        text
    }
}

fn error(found: &Diagnostic) -> String {
    let Diagnostic {
        file,
        line,
        column,
        message,
        ..
    } = found;
    format!("{file}:{line}:{column}: error: {message}")
}

/// A page's bytes, and one more than a page may have at most.
fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The actions that the spec has.
#[derive(Debug, Default)]
struct Old {
    files: BTreeMap<String, SpecFile>,
    /// The files' names by their actions.
    names: BTreeMap<String, String>,
}

impl Old {
    fn read(folder: &Path) -> Result<Self, String> {
        let failed =
            |path: &Path, error: &std::io::Error| format!("{}: error: {error}", path.display());
        let mut old = Self::default();
        if !folder.exists() {
            return Ok(old);
        }
        for entry in fs::read_dir(folder).map_err(|error| failed(folder, &error))? {
            let path = entry.map_err(|error| failed(folder, &error))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let text = fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
            let file = SpecFile::new(path.display().to_string(), text);
            if let Some(action) = document::action_of(&file) {
                old.names.insert(action, name.to_owned());
            }
            old.files.insert(name.to_owned(), file);
        }
        Ok(old)
    }
}

/// A line on the terminal that says how far it is, once that takes long.
#[derive(Debug)]
struct Progress {
    all: usize,
    done: usize,
    /// When to say something next; `None` where nobody is looking.
    next: Option<Instant>,
    is_shown: bool,
}

impl Progress {
    fn new(all: usize) -> Self {
        let next = std::io::stderr()
            .is_terminal()
            .then(|| Instant::now() + Duration::from_secs(1));
        Self {
            all,
            done: 0,
            next,
            is_shown: false,
        }
    }

    fn advance(&mut self) {
        self.done += 1;
        if let Some(next) = &mut self.next
            && Instant::now() >= *next
        {
            const WIDTH: usize = 40;
            let filled = WIDTH * self.done / self.all.max(1);
            *next = Instant::now() + Duration::from_millis(100);
            self.is_shown = true;
            eprint!(
                "\r[{:<WIDTH$}] {} of {}",
                "#".repeat(filled),
                self.done,
                self.all
            );
            let _ = std::io::stderr().flush();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            // The line was for the meantime.
            eprint!("\r\x1b[2K");
        }
    }
}
