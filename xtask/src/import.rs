//! `cargo xtask import`: brings the spec's actions up to date with documentation pages.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use uhub_codegen::{
    Diagnostic, SpecFile,
    import::{self as pages, Counts, Page, Shape},
};

use crate::{
    files::{self, Change, count},
    in_repository, spec_files,
};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The pages: plain text, Markdown, HTML, or text copied from a browser.
    #[arg(required = true, value_name = "PAGE")]
    pages: Vec<PathBuf>,
    /// The folder of the spec. The pages become DIR/actions/*.json.
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("api-spec/uhub"))]
    out: PathBuf,
    /// The shape of the pages: auto (detected), text, markdown, html or pasted.
    #[arg(long, value_name = "SHAPE", default_value = "auto", value_parser = parse_format)]
    format: Format,
    /// Change nothing; list what would change, and fail if anything would.
    #[arg(long)]
    check: bool,
}

/// The shape of all pages. `None` detects the shape of each.
type Format = Option<Shape>;

fn parse_format(name: &str) -> Result<Format, String> {
    match name {
        "auto" => Ok(None),
        name => name.parse().map(Some),
    }
}

/// Imports the pages, or lists what would change. An error in one page does not prevent the import
/// of the others.
pub(crate) fn run(arguments: &Arguments) -> Result<String, String> {
    refuse_other_folder(&arguments.out)?;
    let folder = arguments.out.join("actions");
    let old = read_spec(&folder)?;
    let mut import = Import::default();
    // As a rule, an action has one page.
    let mut by_action: BTreeMap<String, Vec<(&Path, Page)>> = BTreeMap::new();
    for path in &arguments.pages {
        if let Some(page) = import.read(path, arguments.format) {
            by_action.entry(page.action().to_owned()).or_default().push((path, page));
        }
    }
    for (action, pages) in &by_action {
        if let Err(errors) = import.merge(action, pages, &old) {
            import.errors.extend(errors);
            import.refused += pages.len();
        }
    }
    let mut message = import.findings();
    let written = match arguments.check || import.changes.is_empty() {
        true => Ok(()),
        false => files::apply(&import.changes, &folder),
    };
    for change in import.changes.iter().filter(|_| written.is_ok()) {
        let path = folder.join(&change.name);
        let (done, diff) = match arguments.check {
            true => (change.word("changed", "new", "removed"), change.short_diff()),
            false => (change.done(), String::new()),
        };
        let _ = write!(message, "{}: {done}\n{diff}", path.display());
        message += &import.undescribed(&change.name);
    }
    let pages = count(arguments.pages.len(), "page");
    let _ = write!(message, "{pages}: {}", import.summary());
    if let Err(error) = &written {
        let _ = write!(message, "\ncannot write the spec: {error}");
    }
    let is_outdated = arguments.check && !import.changes.is_empty();
    if import.refused > 0 || written.is_err() || is_outdated { Err(message) } else { Ok(message) }
}

/// Refuses a folder that is not one of a spec: it may be mistyped. A new spec begins in an empty
/// folder.
fn refuse_other_folder(folder: &Path) -> Result<(), String> {
    let path = folder.display();
    let mut entries = fs::read_dir(folder).map_err(|error| {
        format!("{path}: {error}: correct --out, or make the folder first, for a new spec")
    })?;
    let is_spec = ["actions", "service.json"].iter().any(|name| folder.join(name).exists());
    if is_spec || entries.next().is_none() {
        return Ok(());
    }
    Err(format!(
        "{path}: not the folder of a spec: it has neither service.json nor actions/. \
         Correct --out, or make an empty folder first, for a new spec"
    ))
}

/// A file of the spec before the import, and the action that it describes.
struct OldFile {
    name: String,
    action: Option<String>,
    file: SpecFile,
}

fn read_spec(folder: &Path) -> Result<Vec<OldFile>, String> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let files = spec_files::read_actions(folder)?.into_iter();
    let files = files.map(|file| {
        let name = Path::new(&file.path).file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        OldFile { name, action: pages::action_of(&file), file }
    });
    Ok(files.collect())
}

/// The results of an import so far.
#[derive(Debug, Default)]
struct Import {
    diagnostics: Vec<Diagnostic>,
    /// Errors without a place in a page.
    errors: Vec<String>,
    changes: Vec<Change>,
    /// The action of each file.
    files: BTreeMap<String, String>,
    /// What each file has no description of, with the page's words.
    undescribed: BTreeMap<String, Vec<String>>,
    counts: Counts,
    refused: usize,
    unchanged: usize,
}

impl Import {
    fn read(&mut self, path: &Path, format: Format) -> Option<Page> {
        let file = path.display().to_string();
        let page = match fs::read(path) {
            Ok(bytes) => {
                let reading = pages::read(&file, &bytes, format);
                self.diagnostics.extend(reading.diagnostics);
                reading.page
            }
            Err(error) => {
                self.errors.push(format!("{file}: error: {error}"));
                None
            }
        };
        match &page {
            Some(page) => self.counts += page.counts(),
            None => self.refused += 1,
        }
        page
    }

    /// Merges the pages of an action into its spec. Several pages must have the same facts.
    fn merge(
        &mut self,
        action: &str,
        pages: &[(&Path, Page)],
        old: &[OldFile],
    ) -> Result<(), Vec<String>> {
        let [(path, page), others @ ..] = pages else {
            return Ok(());
        };
        let path = path.display();
        let differences = others.iter().filter_map(|(other, differing)| {
            let differences = page.differences(differing);
            let other = other.display();
            let head = format!(
                "{other}: error: `{action}` is in {path} too, with other facts; import one of them:"
            );
            let lines = differences.iter().map(|difference| format!("\n    {difference}"));
            (!differences.is_empty()).then(|| head + &lines.collect::<String>())
        });
        let differences: Vec<String> = differences.collect();
        if !differences.is_empty() {
            return Err(differences);
        }
        let names = old.iter().filter(|old| old.action.as_deref() == Some(action));
        let names: Vec<&str> = names.map(|old| &old.name[..]).collect();
        let name = match names[..] {
            [] => page.file_name(),
            [name] => name.to_owned(),
            _ => {
                let (number, names) = (names.len(), names.join(", "));
                return Err(vec![format!(
                    "{path}: error: `{action}` is in {number} files of the spec: keep one of {names}"
                )]);
            }
        };
        if let Some(other) = self.files.insert(name.clone(), action.to_owned()) {
            return Err(vec![format!(
                "{path}: error: `{action}` and `{other}` need the same file {name}"
            )]);
        }
        let old = old.iter().find(|old| old.name == name).map(|old| &old.file);
        let imported = page
            .spec(old)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        self.diagnostics.extend(imported.notes);
        if !imported.undescribed.is_empty() {
            self.undescribed.insert(name.clone(), imported.undescribed);
        }
        match Change::to(&name, old.map(|old| old.text.clone()), imported.text) {
            Some(change) => self.changes.push(change),
            None => self.unchanged += 1,
        }
        Ok(())
    }

    fn findings(&self) -> String {
        let mut diagnostics = self.diagnostics.clone();
        diagnostics.sort();
        let diagnostics = diagnostics.iter().map(ToString::to_string);
        let lines = diagnostics.chain(self.errors.iter().cloned());
        lines.map(|line| line + "\n").collect()
    }

    /// Lists what a file has no description of, with the page's words, which the spec does not have.
    fn undescribed(&self, name: &str) -> String {
        let rows = self.undescribed.get(name).map_or(&[][..], Vec::as_slice);
        let head = match rows {
            [] => "",
            _ => "  to be described, with the page's words:\n",
        };
        let rows = rows.iter().map(|row| format!("    {row}\n"));
        head.to_owned() + &rows.collect::<String>()
    }

    fn summary(&self) -> String {
        let Counts { parameters, fields, by_grammar, by_example, by_wording, .. } = self.counts;
        let (parameters, fields) = (count(parameters, "parameter"), count(fields, "field"));
        let mut text = format!("{parameters}, {fields}");
        let run_together = by_grammar + by_example + by_wording;
        if run_together > 0 {
            let rows = count(run_together, "run-together row");
            let _ = write!(
                text,
                "; of {rows}, {by_grammar} can be split in one way, {by_example} were settled by the example, {by_wording} by their wording"
            );
        }
        let (changed, unchanged) = (count(self.changes.len(), "action"), self.unchanged);
        let refused = count(self.refused, "page");
        format!("{text}\n{changed} new or changed, {unchanged} unchanged; {refused} refused")
    }
}

#[cfg(test)]
mod tests {
    use uhub_codegen::import::MAX_PAGE;

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
            fs::create_dir(&out).unwrap();
            Self { folder, out }
        }

        fn page(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
            let path = self.folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        }

        fn import(&self, pages: &[PathBuf], check: bool) -> Result<String, String> {
            run(&Arguments { pages: pages.to_vec(), out: self.out.clone(), format: None, check })
        }

        /// Returns the files of the spec by name.
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
    fn an_import_writes_files_and_repeating_it_changes_nothing() {
        let folder = Folder::new();
        let pages = ["get_scale.md", "list_crates.md", "plan_route.md"].map(fixture);
        let message = folder.import(&pages, true).unwrap_err();
        assert!(message.contains("list_crates.json: new\n"), "{message}");
        assert!(folder.spec().is_empty(), "--check writes nothing");

        let message = folder.import(&pages, false).unwrap();
        assert!(message.contains("list_crates.json: created\n"), "{message}");
        assert!(
            message.contains(
                "list_crates.md:76:2: note: the example of `Limit` does not fit its type: expected int; found a string"
            ),
            "{message}"
        );
        assert!(
            message.ends_with("3 pages: 14 parameters, 24 fields\n3 actions new or changed, 0 unchanged; 0 pages refused"),
            "{message}"
        );
        let before = folder.spec();
        let names: Vec<&String> = before.keys().collect();
        assert_eq!(names, ["get_scale.json", "list_crates.json", "plan_route.json"]);

        for check in [false, true] {
            let message = folder.import(&pages, check).unwrap();
            assert!(
                message.ends_with("0 actions new or changed, 3 unchanged; 0 pages refused"),
                "{message}"
            );
        }
        assert_eq!(folder.spec(), before);
    }

    #[test]
    fn an_error_in_one_page_does_not_prevent_the_import_of_others() {
        let folder = Folder::new();
        let pages = [
            fixture("list_crates.md"),
            folder.page("latin.md", b"# A \xe9 - GetX\n"),
            folder.page("cut.md", text("plan_route.md").split("Where it").next().unwrap()),
            folder.page("large.md", vec![b' '; MAX_PAGE + 1]),
            folder.folder.path().join("missing.md"),
            fixture("get_scale.md"),
        ];
        let message = folder.import(&pages, false).unwrap_err();
        for expected in [
            "latin.md:1:5: error: invalid UTF-8",
            "cut.md:53:43: error: the page ends without a heading `Request Example`: is it cut off?",
            "large.md:1:1: error: the page is larger than 16 MiB",
            "missing.md: error: No such file",
            "\n2 actions new or changed, 0 unchanged; 4 pages refused",
        ] {
            assert!(message.contains(expected), "{expected}\n{message}");
        }
        let spec = folder.spec();
        let names: Vec<&String> = spec.keys().collect();
        assert_eq!(names, ["get_scale.json", "list_crates.json"]);
    }

    #[test]
    fn a_changed_page_changes_facts_and_check_shows_the_difference() {
        let folder = Folder::new();
        let page = folder.page("page.md", text("list_crates.md"));
        folder.import(&[page], false).unwrap();
        let path = folder.out.join("actions/list_crates.json");
        let old = fs::read_to_string(&path).unwrap().replacen(
            "\"summary\": \"\"",
            "\"summary\": \"Ours.\"",
            1,
        );
        // The file may have another name.
        let renamed = folder.out.join("actions/crates.json");
        fs::remove_file(&path).unwrap();
        fs::write(&renamed, &old).unwrap();

        let page = folder.page(
            "page.md",
            text("list_crates.md").replace("**Volume** | float", "**Volume** | int"),
        );
        let message = folder.import(std::slice::from_ref(&page), true).unwrap_err();
        assert!(message.contains("crates.json: changed\n"), "{message}");
        assert!(message.contains("+      { \"name\": \"Volume\", \"type\": \"int\", \"required\": false, \"example_type\": \"float\","), "{message}");
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
    fn two_pages_of_one_action_are_imported_if_they_agree_and_refused_otherwise() {
        let folder = Folder::new();
        let one = fixture("list_crates.md");
        let same = folder.page("same.md", text("list_crates.md").replace("p-1", "other"));
        folder.import(&[one.clone(), same], false).unwrap();
        assert_eq!(folder.spec().len(), 1);

        let folder = Folder::new();
        let other = folder.page(
            "other.md",
            text("list_crates.md")
                .replace("**Weight** | int", "**Weight** | string")
                .replace("默认为20", "默认为30"),
        );
        let message = folder.import(&[one, other], false).unwrap_err();
        assert!(message.contains("other.md: error: `ListCrates` is in "), "{message}");
        assert!(
            message.contains(
                "\n    `Weight` (CrateSet) is `int, required` in one and `string, required` in the other\n"
            ),
            "{message}"
        );
        let limit = "\n    `Limit` (parameters) is `int, default 20` in one and `int, default 30` in the other\n";
        assert!(message.contains(limit), "{message}");
        assert!(message.ends_with("2 pages refused"), "{message}");
        assert!(folder.spec().is_empty());
    }

    #[test]
    fn an_invalid_spec_is_not_changed() {
        let folder = Folder::new();
        fs::create_dir_all(folder.out.join("actions")).unwrap();
        let path = folder.out.join("actions/list_crates.json");
        for old in ["{", "{\"action\": \"Other\"}"] {
            fs::write(&path, old).unwrap();
            let message = folder.import(&[fixture("list_crates.md")], false).unwrap_err();
            assert!(message.contains("list_crates.json:1:1: error: "), "{message}");
            assert_eq!(fs::read_to_string(&path).unwrap(), old);
        }
    }

    #[test]
    fn a_mistyped_folder_is_refused_and_not_made() {
        let folder = Folder::new();
        let other = folder.folder.path().join("other");
        fs::create_dir(&other).unwrap();
        fs::write(other.join("notes.txt"), "").unwrap();
        for (out, expected) in [
            (folder.folder.path().join("spce"), "correct --out, or make the folder first"),
            (other.join("notes.txt"), "correct --out, or make the folder first"),
            (other.clone(), "not the folder of a spec: it has neither service.json nor actions/"),
        ] {
            for check in [false, true] {
                let pages = vec![fixture("get_scale.md")];
                let arguments = Arguments { pages, out: out.clone(), format: None, check };
                let message = run(&arguments).unwrap_err();
                assert!(message.contains(expected), "{message}");
            }
        }
        assert!(!folder.folder.path().join("spce").exists());
        assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
    }

    #[test]
    fn new_rows_are_listed_with_the_words_of_the_page() {
        let folder = Folder::new();
        let page = folder.page("page.md", text("list_crates.md"));
        let message = folder.import(&[page], false).unwrap();
        for expected in [
            "  to be described, with the page's words:\n    the action: ",
            "    the parameter `Limit` (int, default 20): \"显示数量，默认为20。\"\n",
            "    `CrateSet.Weight` (int, required): \"重量（kg）\"\n",
        ] {
            assert!(message.contains(expected), "{expected}\n{message}");
        }
        let path = folder.out.join("actions/list_crates.json");
        let described = fs::read_to_string(&path).unwrap();
        assert!(!described.contains("显示数量"), "the page's words are not copied");
        let described = described
            .replace("\"summary\": \"\"", "\"summary\": \"Ours.\"")
            .replace("\"description\": \"\"", "\"description\": \"Ours.\"");
        // A byte order mark is accepted.
        fs::write(&path, format!("\u{feff}{described}")).unwrap();

        let row = "| **Sort** | string | 排序方式，默认name |No|\n| **Limit** |";
        let page = folder.page("page.md", text("list_crates.md").replace("| **Limit** |", row));
        let message = folder.import(&[page], false).unwrap();
        let listed: Vec<&str> = message.lines().filter(|line| line.starts_with("    ")).collect();
        assert_eq!(
            listed,
            ["    the parameter `Sort` (string, default name): \"排序方式，默认name\""]
        );
    }

    #[test]
    fn an_action_in_two_files_of_the_spec_is_refused() {
        let folder = Folder::new();
        let pages = [fixture("list_crates.md"), fixture("get_scale.md")];
        folder.import(&pages[..1], false).unwrap();
        let actions = folder.out.join("actions");
        fs::copy(actions.join("list_crates.json"), actions.join("crates.json")).unwrap();
        let before = folder.spec();

        let message = folder.import(&pages, false).unwrap_err();
        assert!(
            message.contains("list_crates.md: error: `ListCrates` is in 2 files of the spec: keep one of crates.json, list_crates.json\n"),
            "{message}"
        );
        // The other page is imported.
        assert!(
            message.ends_with("1 action new or changed, 0 unchanged; 1 page refused"),
            "{message}"
        );
        let mut after = folder.spec();
        assert!(after.remove("get_scale.json").is_some());
        assert_eq!(after, before);
    }

    #[test]
    fn formats_have_names() {
        assert_eq!(parse_format("auto"), Ok(None));
        assert_eq!(parse_format("html"), Ok(Some(Shape::Html)));
        assert_eq!(
            parse_format("pdf").unwrap_err(),
            "unknown shape `pdf`: expected text, markdown, html or pasted"
        );
    }
}
