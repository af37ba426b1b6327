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
    import::{self as pages, Counts, LARGEST, Page, Shape},
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
            (_, true) => match change {
                Change::Missing { .. } => "new",
                Change::Stale { .. } => "changed",
                Change::Orphaned { .. } => change.is(),
            },
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
            Ok(bytes) => pages::read(&file, &bytes, shape),
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
        let files = old.names.get(action).map_or(&[][..], Vec::as_slice);
        let name = files.first().cloned().unwrap_or_else(|| page.file_name());
        let mut refuse = |errors: Vec<String>| {
            self.errors.extend(errors);
            self.refused += pages.len();
        };
        if !differences.is_empty() {
            return refuse(differences);
        }
        if files.len() > 1 {
            return refuse(vec![format!(
                "{}: error: `{action}` is in {} files of the spec: keep one of {}",
                path.display(),
                files.len(),
                files.join(", ")
            )]);
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
            "\n{} new or changed, {} as the spec has them; {} refused",
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
    /// The files' names by their actions: one of each, as a rule.
    names: BTreeMap<String, Vec<String>>,
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
            if let Some(action) = pages::action_of(&file) {
                let names = old.names.entry(action).or_default();
                names.push(name.to_owned());
                // A folder has no order of its own.
                names.sort();
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

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: &str = "codegen/tests/data/pages/markdown/depot";

    struct Folder {
        folder: tempfile::TempDir,
        out: PathBuf,
    }

    impl Folder {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let out = folder.path().join("spec");
            Self { folder, out }
        }

        fn page(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
            let path = self.folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        }

        fn import(&self, pages: &[PathBuf], check: bool) -> Result<String, String> {
            run(&Arguments {
                pages: pages.to_vec(),
                out: self.out.clone(),
                format: None,
                check,
            })
        }

        /// The names and texts of the spec's files.
        fn spec(&self) -> BTreeMap<String, String> {
            let Ok(entries) = fs::read_dir(self.out.join("actions")) else {
                return BTreeMap::new();
            };
            entries
                .map(|entry| {
                    let path = entry.unwrap().path();
                    let name = path.file_name().unwrap().to_string_lossy().into_owned();
                    (name, fs::read_to_string(path).unwrap())
                })
                .collect()
        }
    }

    fn fixture(name: &str) -> PathBuf {
        in_repository(PAGES).join(name)
    }

    fn text(name: &str) -> String {
        fs::read_to_string(fixture(name)).unwrap()
    }

    #[test]
    fn pages_become_files_and_the_same_pages_change_nothing() {
        let folder = Folder::new();
        let pages = ["get_scale.md", "list_crates.md", "plan_route.md"].map(fixture);
        let said = folder.import(&pages, true).unwrap_err();
        assert!(said.contains("list_crates.json: new\n"), "{said}");
        assert!(folder.spec().is_empty(), "--check writes nothing");

        let said = folder.import(&pages, false).unwrap();
        assert!(said.contains("list_crates.json: created\n"), "{said}");
        assert!(
            said.contains(
                "list_crates.md:76:2: note: `Limit` is documented as int and shown as string"
            ),
            "{said}"
        );
        assert!(
            said.ends_with("3 pages: 14 parameters, 24 fields\n3 actions new or changed, 0 as the spec has them; 0 pages refused"),
            "{said}"
        );
        let before = folder.spec();
        let names: Vec<&String> = before.keys().collect();
        assert_eq!(
            names,
            ["get_scale.json", "list_crates.json", "plan_route.json"]
        );

        for check in [false, true] {
            let said = folder.import(&pages, check).unwrap();
            assert!(
                said.ends_with("0 actions new or changed, 3 as the spec has them; 0 pages refused"),
                "{said}"
            );
        }
        assert_eq!(folder.spec(), before);
    }

    #[test]
    fn what_is_wrong_with_one_page_keeps_no_other_from_being_imported() {
        let folder = Folder::new();
        let pages = [
            fixture("list_crates.md"),
            folder.page("latin.md", b"# A \xe9 - GetX\n"),
            folder.page(
                "cut.md",
                text("plan_route.md").split("Where it").next().unwrap(),
            ),
            folder.page("large.md", vec![b' '; LARGEST + 1]),
            folder.folder.path().join("missing.md"),
            fixture("get_scale.md"),
        ];
        let said = folder.import(&pages, false).unwrap_err();
        for expected in [
            "latin.md:1:5: error: this is not UTF-8",
            "cut.md:53:43: error: the page ends without a heading `Request Example`: is it cut off?",
            "large.md:1:1: error: this has more than 16 MiB",
            "missing.md: error: No such file",
            "\n2 actions new or changed, 0 as the spec has them; 4 pages refused",
        ] {
            assert!(said.contains(expected), "{expected}\n{said}");
        }
        let spec = folder.spec();
        let names: Vec<&String> = spec.keys().collect();
        assert_eq!(names, ["get_scale.json", "list_crates.json"]);
    }

    #[test]
    fn a_changed_page_changes_its_facts_and_the_difference_is_shown() {
        let folder = Folder::new();
        let page = folder.page("page.md", text("list_crates.md"));
        folder.import(&[page], false).unwrap();
        let path = folder.out.join("actions/list_crates.json");
        let old = fs::read_to_string(&path).unwrap().replacen(
            "\"summary\": \"\"",
            "\"summary\": \"Ours.\"",
            1,
        );
        // A person may give the file another name.
        let renamed = folder.out.join("actions/crates.json");
        fs::remove_file(&path).unwrap();
        fs::write(&renamed, &old).unwrap();

        let page = folder.page(
            "page.md",
            text("list_crates.md").replace("**Volume** | float", "**Volume** | int"),
        );
        let said = folder
            .import(std::slice::from_ref(&page), true)
            .unwrap_err();
        assert!(said.contains("crates.json: changed\n"), "{said}");
        assert!(said.contains("+      { \"name\": \"Volume\", \"type\": \"int\", \"required\": false, \"example_type\": \"float\","), "{said}");
        assert_eq!(fs::read_to_string(&renamed).unwrap(), old);

        folder.import(&[page], false).unwrap();
        let spec = folder.spec();
        assert_eq!(spec.len(), 1);
        assert!(spec["crates.json"].contains("\"summary\": \"Ours.\""));
        assert!(
            spec["crates.json"]
                .contains("\"type\": \"int\", \"required\": false, \"example_type\": \"float\"")
        );
    }

    #[test]
    fn two_pages_of_one_action_are_taken_where_they_agree_and_refused_where_not() {
        let folder = Folder::new();
        let one = fixture("list_crates.md");
        let same = folder.page("same.md", text("list_crates.md").replace("p-1", "other"));
        folder.import(&[one.clone(), same], false).unwrap();
        assert_eq!(folder.spec().len(), 1);

        let folder = Folder::new();
        let other = folder.page(
            "other.md",
            text("list_crates.md").replace("**Weight** | int", "**Weight** | string"),
        );
        let said = folder.import(&[one, other], false).unwrap_err();
        assert!(
            said.contains("other.md: error: `ListCrates` is in "),
            "{said}"
        );
        assert!(
            said.contains("`Weight` (CrateSet): int, required and string, required"),
            "{said}"
        );
        assert!(said.ends_with("2 pages refused"), "{said}");
        assert!(folder.spec().is_empty());
    }

    #[test]
    fn a_spec_that_cannot_be_read_is_left_as_it_is() {
        let folder = Folder::new();
        fs::create_dir_all(folder.out.join("actions")).unwrap();
        let path = folder.out.join("actions/list_crates.json");
        for old in ["{", "{\"action\": \"Other\"}"] {
            fs::write(&path, old).unwrap();
            let said = folder
                .import(&[fixture("list_crates.md")], false)
                .unwrap_err();
            assert!(said.contains("list_crates.json:1:1: error: "), "{said}");
            assert_eq!(fs::read_to_string(&path).unwrap(), old);
        }
    }

    #[test]
    fn an_action_in_two_files_of_the_spec_is_refused() {
        let folder = Folder::new();
        let pages = [fixture("list_crates.md"), fixture("get_scale.md")];
        folder.import(&pages[..1], false).unwrap();
        let actions = folder.out.join("actions");
        fs::copy(
            actions.join("list_crates.json"),
            actions.join("crates.json"),
        )
        .unwrap();
        let before = folder.spec();

        let said = folder.import(&pages, false).unwrap_err();
        assert!(
            said.contains("list_crates.md: error: `ListCrates` is in 2 files of the spec: keep one of crates.json, list_crates.json\n"),
            "{said}"
        );
        // No other page is kept from being imported.
        assert!(
            said.ends_with("1 action new or changed, 0 as the spec has them; 1 page refused"),
            "{said}"
        );
        let mut after = folder.spec();
        assert!(after.remove("get_scale.json").is_some());
        assert_eq!(after, before);
    }

    #[test]
    fn shapes_have_names() {
        assert_eq!(shape("auto"), Ok(None));
        assert_eq!(shape("html"), Ok(Some(Shape::Html)));
        assert_eq!(
            shape("pdf").unwrap_err(),
            "`pdf` is no shape of a page: text, markdown, html or pasted"
        );
    }
}
