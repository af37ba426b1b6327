//! Every product whose documentation pages are at hand becomes code without a warning, whose tests
//! pass: the generated ones, and those of the core. Prints one line a product.
//!
//! `UHUB_PAGES` is the folder of the pages: `markdown/PRODUCT/PAGE.md`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

/// A workspace with a copy of the SDK's core, and the generated code of one product at a time.
struct Scratch {
    root: PathBuf,
    spec: PathBuf,
    sdk: PathBuf,
}

/// What one product's line says.
#[derive(Debug, Default)]
struct Outcome {
    pages: usize,
    refused: usize,
    actions: usize,
    lines: usize,
    passed: usize,
    failed: usize,
    warnings: usize,
    /// What a person needs to see.
    details: String,
}

impl Outcome {
    fn line(&self) -> String {
        format!(
            "{} pages ({} refused), {} actions, {} lines; tests: {} passed, {} failed; {} warnings",
            self.pages,
            self.refused,
            self.actions,
            self.lines,
            self.passed,
            self.failed,
            self.warnings
        )
    }

    fn is_green(&self) -> bool {
        self.failed == 0 && self.warnings == 0 && self.details.is_empty()
    }

    fn fail(&mut self, step: &str, text: &str) {
        let _ = writeln!(self.details, "--- {step}\n{text}");
    }
}

impl Scratch {
    /// Copies the core: everything that is not of one service.
    fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // Cargo tells packages apart by their paths in their workspaces, and this one shares its
        // target folder with others.
        let copy = root.join(name);
        let sdk = copy.join("uhub-sdk");
        let _ = fs::remove_dir_all(&root);
        for folder in ["uhub-sdk/src", "uhub-sdk/tests/data", "uhub-sdk/local"] {
            copy_folder(&Path::new("..").join(folder), &copy.join(folder));
        }
        for file in ["Cargo.lock", "README.md"] {
            fs::copy(Path::new("..").join(file), root.join(file)).unwrap();
        }
        let manifest = fs::read_to_string("../Cargo.toml").unwrap();
        let (before, after) = manifest.split_once("members = [").unwrap();
        let (_, after) = after.split_once(']').unwrap();
        let members = r#"members = ["uhub-sdk", "uhub-sdk/local"]"#;
        let manifest = format!("{before}{members}{after}")
            .replace("\"uhub-sdk", &format!("\"{name}/uhub-sdk"));
        fs::write(root.join("Cargo.toml"), manifest).unwrap();

        let manifest = fs::read_to_string("../uhub-sdk/Cargo.toml").unwrap();
        // The benchmarks and examples are not copied.
        let parts = manifest.split("\n\n").filter(|part| !part.contains("[["));
        // The features of UHub's own modules.
        let manifest = parts
            .collect::<Vec<_>>()
            .join("\n\n")
            .replace(r#"features = ["local", "retention"]"#, "features = []");
        fs::write(sdk.join("Cargo.toml"), manifest).unwrap();

        // The modules of one service, and the documentation that calls its actions.
        for folder in ["src/generated", "src/recipes", "src/guide", "local/src/generated"] {
            fs::remove_dir_all(sdk.join(folder)).unwrap();
        }
        let lib = fs::read_to_string(sdk.join("src/lib.rs")).unwrap();
        // The core's docs link to the guides.
        let guides = fs::read_to_string("../uhub-sdk/src/guide/mod.rs").unwrap();
        let guides = guides.lines().filter(|line| line.starts_with("pub mod "));
        let guides: String = guides.map(|line| format!("/// A guide.\n{line}}}\n")).collect();
        let guide = format!("/// The guides.\npub mod guide {{\n{guides}}}\n");
        let lib = lib.replace("#[cfg(doc)]\npub mod guide;\n", &guide);
        let is_kept = |line: &&str| !line.starts_with("//!") && !line.contains("mod recipes;");
        let kept: Vec<&str> = lib.lines().filter(is_kept).collect();
        let lib = kept.join("\n");
        let (lib, _) = lib.split_once("/// Compiles the README's code.").unwrap();
        fs::write(sdk.join("src/lib.rs"), format!("//! The core, and another service.\n{lib}"))
            .unwrap();
        Self { spec: root.join("spec"), root, sdk }
    }

    /// Begins a spec.
    fn service(&self, service: &Value) {
        let _ = fs::remove_dir_all(&self.spec);
        fs::create_dir_all(self.spec.join("actions")).unwrap();
        fs::write(self.spec.join("service.json"), service.to_string()).unwrap();
    }

    fn xtask(&self, command: &str, arguments: &[&Path]) -> Output {
        let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
        xtask.current_dir(&self.root).arg(command).args(arguments).output().unwrap()
    }

    /// Imports pages, and does what a person does then: describes what is new, and confirms what
    /// is proposed.
    fn import(&self, pages: &[PathBuf]) -> Outcome {
        let mut outcome = Outcome { pages: pages.len(), ..Outcome::default() };
        let mut arguments = vec![Path::new("--out"), &self.spec];
        arguments.extend(pages.iter().map(PathBuf::as_path));
        let report = text(&self.xtask("import", &arguments));
        let summary = report.lines().last().unwrap_or_default();
        let refused = summary.split_once(" pages refused").or(summary.split_once(" page refused"));
        let refused = refused.and_then(|(before, _)| before.rsplit(' ').next());
        outcome.refused = refused.and_then(|refused| refused.parse().ok()).unwrap_or(pages.len());
        for path in files(&self.spec.join("actions")) {
            let text = fs::read_to_string(&path).unwrap();
            let mut described = text;
            for key in ["description", "summary", "deprecated"] {
                let described_by = format!("\"{key}\": \"Described by a person.\"");
                described = described.replace(&format!("\"{key}\": \"\""), &described_by);
            }
            if let Some((before, after)) = described.split_once("  \"proposed\": [") {
                described = before.to_owned() + after.split_once('\n').unwrap().1;
            }
            fs::write(&path, described).unwrap();
            outcome.actions += 1;
        }
        outcome
    }

    /// Lets the client fill in what it has settings for.
    fn set_client_parameters(&self, mut service: Value) {
        let specs: Vec<Value> = files(&self.spec.join("actions"))
            .iter()
            .map(|path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
            .collect();
        let rows = || specs.iter().flat_map(|spec| spec["parameters"].as_array().unwrap());
        let is_string = |name: &&str| {
            let mut named = rows().filter(|row| row["name"] == *name).peekable();
            named.peek().is_some() && named.all(|row| row["type"] == "string")
        };
        let names: Vec<&str> =
            ["ProjectId", "Region", "Zone"].into_iter().filter(is_string).collect();
        service["client_parameters"] = json!(names);
        fs::write(self.spec.join("service.json"), service.to_string()).unwrap();
    }

    /// Generates, compiles and tests.
    fn check(&self, outcome: &mut Outcome, is_whole: bool) {
        let output = self
            .xtask("codegen", &[Path::new("--spec"), &self.spec, Path::new("--out"), &self.sdk]);
        if !output.status.success() {
            return outcome.fail("codegen", &text(&output));
        }
        outcome.lines = files(&self.sdk.join("src/generated"))
            .iter()
            .map(|path| fs::read_to_string(path).unwrap().lines().count())
            .sum();
        // Clippy has the compiler's warnings too.
        self.cargo(outcome, &["clippy", "--lib"]);
        self.cargo(outcome, &["test", "--lib", "--no-fail-fast"]);
        if is_whole {
            self.cargo(outcome, &["test", "--doc", "--no-fail-fast"]);
            self.cargo(outcome, &["doc", "--no-deps"]);
        }
    }

    fn cargo(&self, outcome: &mut Outcome, arguments: &[&str]) {
        let output = Command::new(env!("CARGO"))
            .args(arguments)
            .args(["--offline", "--quiet", "--package", "uhub-sdk", "--features", "blocking"])
            .current_dir(&self.root)
            // Reuses the dependencies that the workspace has compiled.
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap())
            .output()
            .unwrap();
        let report = text(&output);
        let is_of_code = |line: &&str| {
            line.starts_with("warning: ")
                && !line.contains(" generated ")
                && !line.contains("profile ")
        };
        let warnings = report.lines().filter(is_of_code).count();
        outcome.warnings += warnings;
        for result in report.lines().filter_map(|line| line.strip_prefix("test result: ")) {
            let count = |what: &str| {
                let before = result.split_once(what).map_or("", |(before, _)| before);
                before.trim_end().rsplit(' ').next().unwrap_or("").parse::<usize>().unwrap_or(0)
            };
            outcome.passed += count(" passed");
            outcome.failed += count(" failed");
        }
        if !output.status.success() || warnings > 0 {
            outcome.fail(arguments[0], &report);
        }
    }
}

fn text(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&text).trim_end().to_owned()
}

/// The files of a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in files(from) {
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

/// Drops the older one of two pages of an action, as a person does: the import asks for that.
fn newest(scratch: &Scratch, pages: &[PathBuf]) -> Vec<PathBuf> {
    let mut arguments = vec![Path::new("--out"), &scratch.spec];
    arguments.extend(pages.iter().map(PathBuf::as_path));
    let report = text(&scratch.xtask("import", &arguments));
    let mut kept = pages.to_vec();
    for line in report.lines().filter(|line| line.contains(", with other facts; ")) {
        let page = line.split(": error: ").next().unwrap_or_default();
        let other = line.split("` is in ").nth(1).and_then(|rest| rest.split(" too, ").next());
        // The names of the older pages have more words.
        let words = |page: &str| page.matches('_').count();
        if other.is_some_and(|other| words(page) > words(other)) {
            kept.retain(|path| path != Path::new(page));
        }
    }
    kept
}

/// A service like UHub, but for what only UHub's actions use. The name is that of the crate in the
/// core's examples.
fn service() -> Value {
    let text = fs::read_to_string("../api-spec/uhub/service.json").unwrap();
    let mut service: Value = serde_json::from_str(&text).unwrap();
    let members = service.as_object_mut().unwrap();
    for key in ["$schema", "enums", "project_parameter", "client_parameters"] {
        members.remove(key);
    }
    service
}

/// A name, a type, and whether it is required.
type Row = (String, &'static str, bool);

/// A page in Markdown.
#[derive(Debug, Clone, Default)]
struct Page {
    action: &'static str,
    /// Rows: name, type and whether it is required.
    parameters: Vec<Row>,
    response: Vec<Row>,
    models: Vec<(&'static str, Vec<Row>)>,
    query: &'static str,
    /// The example response.
    example: String,
}

impl Page {
    fn text(&self) -> String {
        const HEAD: &str =
            "| Parameter Name | Type | Description Information | Required |\n|---|---|---|---|\n";
        let table = |rows: &[(String, &str, bool)]| {
            let row = |(name, ty, required): &(String, &str, bool)| {
                let required = if *required { "**Yes**" } else { "No" };
                format!("|**{name}**|{ty}|A value|{required}|\n")
            };
            HEAD.to_owned() + &rows.iter().map(row).collect::<String>()
        };
        let common = [
            ("RetCode".to_owned(), "int", true),
            ("Action".to_owned(), "string", true),
            ("Message".to_owned(), "string", false),
        ];
        let action = self.action;
        let models = self.models.iter();
        let models: String =
            models.map(|(name, rows)| format!("#### {name}\n\n{}\n", table(rows))).collect();
        format!(
            "# Things - {action}\n\n## Definition\n\n### Public Parameters\n\n\
             {HEAD}| **Action** | string | The action is `{action}` | **Yes** |\n\n\
             ### Request Parameters\n\n{}\n### Response Field\n\n{}\n\
             #### Data Model\n\n{models}\n## Example\n\n### Request Example\n\n```\n\
             https://api.example.com/?Action={action}{}\n```\n\n\
             ### Response Example\n\n```json\n{}\n```\n",
            table(&self.parameters),
            table(&[&common[..], &self.response].concat()),
            self.query,
            self.example,
        )
    }
}

fn row(name: &str, ty: &'static str, required: bool) -> Row {
    (name.to_owned(), ty, required)
}

/// A documented type, a value that an example shows, and what is recorded of it: `=` if it fits, `!`
/// if it is dropped, else the `example_type`.
const VALUES: &[(&str, &str, &str)] = &[
    ("float", "5", "="),
    ("float", "\" 5.5\"", "string"),
    ("float", "\"NaN\"", "string"),
    ("float", "true", "boolean"),
    ("float", "1e300", "="),
    ("int", "5.0", "float"),
    ("int", "1e3", "float"),
    ("int", "5.5", "float"),
    ("int", "\" 1399305600\"", "string"),
    ("int", "\"\"", "string"),
    ("int", "true", "boolean"),
    ("int", "18446744073709551615", "float"),
    ("int", "[1, 2]", "array[int]"),
    ("boolean", "\"true\"", "string"),
    ("boolean", "\"True\"", "string"),
    ("boolean", "1", "int"),
    ("boolean", "5", "int"),
    ("boolean", "\"Yes\"", "string"),
    ("boolean", "\" true\"", "string"),
    ("string", "5", "int"),
    ("string", "5.0", "float"),
    ("string", "100000000000000000000", "float"),
    ("string", "false", "boolean"),
    ("string", "{\"a\": 1}", "object"),
    ("string", "[1, \"a\"]", "object"),
    ("string", "null", "!"),
    ("array[string]", "\"a,b\"", "string"),
    ("array[string]", "[1, \"a\"]", "object"),
    ("array[string]", "[null, \"a\"]", "object"),
    ("array[string]", "[[\"a\"]]", "array[array[string]]"),
    ("array[string]", "{\"a\": 1}", "object"),
    ("array[string]", "null", "!"),
    ("array[string]", "[]", "="),
    ("array[int]", "\"5\"", "string"),
    ("array[int]", "5", "int"),
    ("array[int]", "[\"5\", 6]", "object"),
    ("array[boolean]", "[\"True\"]", "array[string]"),
    ("array[array[int]]", "[5]", "array[int]"),
    ("array[Thing]", "{\"ThingId\": \"a\"}", "object"),
    ("array[Thing]", "{\"x-1\": {\"ThingId\": \"a\"}}", "object"),
    ("array[Thing]", "{}", "object"),
    ("array[Thing]", "[{\"ThingId\": \"a\"}, null]", "object"),
    ("array[Loose]", "{\"x-1\": 1}", "object"),
    ("array[Loose]", "[{\"x-1\": 1}]", "array[object]"),
    ("array[Loose]", "[{\"Size\": 1}, {\"x-1\": 1}]", "array[object]"),
    ("array[Loose]", "{}", "object"),
    ("Loose", "{\"x-1\": 1}", "object"),
    ("Loose", "{}", "="),
    ("Loose", "[{\"Size\": 1}]", "array[object]"),
    ("Loose", "\"\"", "object"),
    ("array[Loose]", "[\"a\"]", "object"),
    ("Thing", "\"a\"", "string"),
    ("array[Thing]", "[\"a\", \"b\"]", "array[string]"),
    ("array[Thing]", "\"\"", "string"),
    ("Loose", "5", "int"),
    ("Loose", "null", "!"),
    ("object", "5", "int"),
    ("object", "[]", "array[object]"),
    ("object", "{\"a\": {\"b\": 1, \"b\": 2}}", "="),
];

/// An example response, and whether it is one of a success.
const ENVELOPES: &[(&str, &str, bool)] = &[
    ("Plain", r#"{"Action": "PlainResponse", "RetCode": 0, "Id": "a"}"#, true),
    ("Misspelt", r#"{"Action": "MisspeltResponse", "Retcode": 0, "Id": "a"}"#, true),
    ("Absent", r#"{"Action": "AbsentResponse", "Id": "a"}"#, true),
    ("Bare", r#"{"Id": "a"}"#, true),
    ("Nothing", r#"{"RetCode": null, "Id": "a"}"#, true),
    ("Text", r#"{"RetCode": "0", "Id": "a"}"#, true),
    ("Point", r#"{"RetCode": 0.0, "Id": "a"}"#, true),
    ("Twice", r#"{"RetCode": 0, "RetCode": 0, "Id": "a", "Id": "b"}"#, true),
    ("Spellings", r#"{"RetCode": 0, "retcode": 0, "Id": "a"}"#, true),
    ("Number", r#"{"RetCode": 0, "Action": 5, "Message": {}, "Id": "a"}"#, true),
    ("Other", r#"{"RetCode": 0, "Action": "AnotherResponse", "Other": 1}"#, true),
    ("Refusal", r#"{"RetCode": 230, "Message": "no", "Id": "a"}"#, false),
    ("Word", r#"{"RetCode": "ok", "Id": "a"}"#, false),
    ("Comma", r#"{"RetCode": 0, "Id": "a",}"#, false),
    ("Comment", "{\"RetCode\": 0, // success\n\"Id\": \"a\"}", false),
    ("Empty", "{}", false),
    ("List", "[1]", false),
    ("Blank", "", false),
];

/// Examples that contradict their tables, or are none.
fn contradictions() -> Vec<Page> {
    let name = |index: usize| format!("V{index}");
    let rows = VALUES.iter().enumerate().map(|(index, (ty, ..))| row(&name(index), ty, true));
    let values = VALUES.iter().enumerate();
    let values: String =
        values.map(|(index, (_, value, _))| format!(", \"{}\": {value}", name(index))).collect();
    let values = Page {
        action: "GetValues",
        response: rows.collect(),
        models: vec![
            ("Thing", vec![row("ThingId", "string", true)]),
            ("Loose", vec![row("Size", "int", false)]),
        ],
        example: format!("{{\"Action\": \"GetValuesResponse\", \"RetCode\": 0{values}}}"),
        ..Page::default()
    };
    let requests = [
        ("Unknown", "&Name=a&Other=b"),
        ("NoValue", "&Name=&Size="),
        ("Floats", "&Price=5.0&Size=5"),
        ("Exponent", "&Price=1e3"),
        ("Whole", "&Size=5.0"),
        ("Mixed", "&Size=five&IsLarge=True&Price= 5"),
        ("Repeated", "&Name=a&Name=b"),
    ];
    let requests = requests.map(|(action, query)| Page {
        action,
        query,
        parameters: vec![
            row("Name", "string", false),
            row("Size", "int", false),
            row("Price", "float", false),
            row("IsLarge", "boolean", false),
        ],
        example: r#"{"RetCode": 0}"#.to_owned(),
        ..Page::default()
    });
    let envelopes = ENVELOPES.iter().map(|(action, example, _)| Page {
        action,
        response: vec![row("Id", "string", true)],
        example: (*example).to_owned(),
        ..Page::default()
    });
    let mut pages = vec![values];
    pages.extend(requests);
    pages.extend(envelopes);
    pages
}

/// Services that use little of the core, or name things as Rust does.
fn odd_services() -> Vec<(&'static str, Value, Vec<Page>)> {
    let success = || r#"{"RetCode": 0}"#.to_owned();
    let ping = Page { action: "Ping", example: success(), ..Page::default() };
    let mut bare = service();
    let members = bare.as_object_mut().unwrap();
    members.insert("return_codes".to_owned(), json!([]));
    let float = Page {
        action: "GetPrice",
        response: vec![row("Price", "float", false)],
        example: r#"{"RetCode": 0, "Price": 5}"#.to_owned(),
        ..Page::default()
    };
    const TYPES: [&str; 7] = ["string", "int", "float", "boolean", "object", "Type", "array[Self]"];
    const KEYWORDS: [&str; 9] =
        ["Type", "Self", "Match", "Async", "Await", "Add", "Into", "Default", "Clone"];
    let words = |required: bool| -> Vec<_> {
        let types = TYPES.iter().cycle();
        KEYWORDS.iter().zip(types).map(|(name, ty)| row(name, ty, required)).collect()
    };
    let client =
        |required| ["Region", "Zone", "ProjectId"].map(|name| row(name, "string", required));
    let keywords = ["Move", "Loop", "Box", "Dyn"].map(|action| Page {
        action,
        parameters: [words(action == "Move"), client(action == "Move").to_vec()].concat(),
        response: words(action == "Loop"),
        models: vec![
            ("Type", vec![row("Crate", "string", action == "Box")]),
            ("Self", vec![row("Super", "array[array[int]]", false)]),
        ],
        example: success(),
        ..Page::default()
    });
    vec![
        ("one action, no return codes", bare.clone(), vec![ping]),
        ("one float", bare, vec![float]),
        ("keywords", service(), keywords.into()),
    ]
}

/// Writes pages and imports all of them.
fn import(scratch: &Scratch, pages: &[Page]) -> Outcome {
    let folder = scratch.root.join("pages");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for page in pages {
        fs::write(folder.join(format!("{}.md", page.action)), page.text()).unwrap();
    }
    let outcome = scratch.import(&files(&folder));
    assert_eq!(outcome.refused, 0, "{}", outcome.details);
    outcome
}

#[test]
#[ignore = "compiles and tests synthetic services: `.ci/run` runs it"]
fn every_contradiction_of_an_example_is_kept_and_green() {
    let scratch = Scratch::new("contradictions");
    scratch.service(&service());
    let mut outcome = import(&scratch, &contradictions());
    let spec = |action: &str| -> Value {
        let path = scratch.spec.join("actions").join(format!("{}.json", action.to_lowercase()));
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let values = scratch.spec.join("actions/get_values.json");
    let values: Value = serde_json::from_str(&fs::read_to_string(values).unwrap()).unwrap();
    let mut wrong = String::new();
    for (index, (ty, shown, expected)) in VALUES.iter().enumerate() {
        let row = &values["response"][index];
        let kept = values["example"]["response"].get(format!("V{index}")).is_some();
        let recorded = match row["example_type"].as_str() {
            _ if !kept => "!",
            Some(recorded) => recorded,
            None => "=",
        };
        if recorded != *expected {
            let _ = writeln!(wrong, "{ty} shown as {shown}: {recorded}, expected {expected}");
        }
    }
    for (action, shown, is_success) in ENVELOPES {
        let response = &spec(action)["example"]["response"];
        let code =
            response.get("RetCode").filter(|code| **code == 0 || **code == "0" || **code == 0.0);
        if code.is_some() != *is_success || response.is_null() == *is_success {
            let _ = writeln!(wrong, "{action} {shown}: {response}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    scratch.check(&mut outcome, false);
    println!("contradictions: {}", outcome.line());
    assert!(outcome.is_green(), "{}", outcome.details);
}

#[test]
#[ignore = "compiles and tests synthetic services: `.ci/run` runs it"]
fn every_odd_service_is_green() {
    let scratch = Scratch::new("odd-services");
    let mut failures = String::new();
    for (name, service, pages) in odd_services() {
        scratch.service(&service);
        let mut outcome = import(&scratch, &pages);
        scratch.set_client_parameters(service);
        scratch.check(&mut outcome, true);
        println!("{name}: {}", outcome.line());
        if !outcome.is_green() {
            let _ = writeln!(failures, "{name}\n{}", outcome.details);
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
#[ignore = "compiles and tests every product of `UHUB_PAGES`: `.ci/run` runs it"]
fn every_product_is_green() {
    let Some(pages) = std::env::var_os("UHUB_PAGES") else {
        println!("no pages: set UHUB_PAGES");
        return;
    };
    let only = std::env::var("UHUB_PRODUCT").ok();
    let scratch = Scratch::new("products");
    let mut failures = String::new();
    for folder in files(&Path::new(&pages).join("markdown")) {
        let product = folder.file_name().unwrap().to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|only| *only != product) {
            continue;
        }
        scratch.service(&service());
        let mut outcome = scratch.import(&newest(&scratch, &files(&folder)));
        scratch.set_client_parameters(service());
        scratch.check(&mut outcome, true);
        println!("{product}: {}", outcome.line());
        if !outcome.is_green() {
            let _ = writeln!(failures, "{product}\n{}", outcome.details);
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
