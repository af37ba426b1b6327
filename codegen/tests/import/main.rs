//! Imports pages in every shape, complete and broken: into a spec, or errors with their places.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod broken;
mod layouts;
mod merging;
mod run_together;
mod shapes;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use uhub_codegen::{
    Diagnostic, Severity,
    import::{Counts, Page, Reading, Shape, read},
};

const PAGES: &str = "tests/data/pages";

/// Reads a page of the fixtures.
fn page(name: &str) -> String {
    fs::read_to_string(format!("{PAGES}/markdown/depot/{name}.md")).unwrap()
}

/// Converts a page to every shape.
fn every_shape(markdown: &str) -> [(Shape, String); 4] {
    [
        (Shape::Markdown, markdown.to_owned()),
        (Shape::Html, shapes::html(markdown)),
        (Shape::Pasted, shapes::pasted(markdown)),
        (Shape::Text, shapes::text(markdown)),
    ]
}

/// Returns the diagnostics of one severity as text, without the severity.
fn messages(diagnostics: &[Diagnostic], severity: Severity) -> Vec<String> {
    let mut messages = Vec::new();
    for it in diagnostics.iter().filter(|it| it.severity == severity) {
        let place = format!("{}:{}:{}", it.file, it.line, it.column);
        messages.push(format!("{place}: {}", it.message));
    }
    messages
}

fn errors(reading: &Reading) -> Vec<String> {
    messages(&reading.diagnostics, Severity::Error)
}

fn notes(diagnostics: &[Diagnostic]) -> Vec<String> {
    messages(diagnostics, Severity::Note)
}

fn spec(page: &Page) -> Value {
    serde_json::from_str(&page.spec(None).unwrap().text).unwrap()
}

/// Returns the facts of a page in the form of `facts.json`.
fn facts(page: &Page) -> Value {
    let spec = spec(page);
    let rows = |rows: &Value| {
        let row = |row: &Value| serde_json::json!({"name": row["name"], "type": row["type"], "required": row["required"]});
        Value::Array(rows.as_array().unwrap().iter().map(row).collect())
    };
    let models = spec.get("models").and_then(Value::as_object);
    let models = models.into_iter().flatten();
    let models: serde_json::Map<String, Value> =
        models.map(|(name, fields)| (name.clone(), rows(fields))).collect();
    serde_json::json!({
        "action": spec["action"],
        "parameters": rows(&spec["parameters"]),
        "response": rows(&spec["response"]),
        "models": models,
    })
}

/// Removes repeated rows, which a spec has once.
fn without_repetitions(mut facts: Value) -> Value {
    for table in ["parameters", "response"] {
        let rows = facts[table].as_array_mut().unwrap();
        let all = std::mem::take(rows);
        for row in all {
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    facts
}

/// Returns the pages of a folder with `facts.json`, `markdown/` and optionally `text/`.
fn pages_of(folder: &Path) -> BTreeMap<String, Value> {
    let facts = fs::read_to_string(folder.join("facts.json")).unwrap();
    serde_json::from_str(&facts).unwrap()
}

/// Compares every fact of every page in every shape. Returns the counts by shape.
fn compare_all(folder: &Path) -> BTreeMap<&'static str, Counts> {
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    for (name, expected) in pages_of(folder) {
        let path = |shape: &str, ending: &str| -> PathBuf {
            folder.join(shape).join(format!("{name}.{ending}"))
        };
        let markdown = fs::read_to_string(path("markdown", "md")).unwrap();
        let mut forms = vec![
            ("markdown", Shape::Markdown, markdown.clone()),
            ("html", Shape::Html, shapes::html(&markdown)),
            ("pasted", Shape::Pasted, shapes::pasted(&markdown)),
            ("converted text", Shape::Text, shapes::text(&markdown)),
        ];
        if let Ok(text) = fs::read_to_string(path("text", "txt")) {
            forms.push(("text", Shape::Text, text));
        }
        let expected = without_repetitions(expected);
        for (form, shape, text) in forms {
            assert_eq!(Shape::of(&text), shape, "{name} as {form}");
            let reading = read(&name, text.as_bytes(), None);
            let page = reading
                .page
                .as_ref()
                .unwrap_or_else(|| panic!("{name} as {form}: {:#?}", errors(&reading)));
            assert_eq!(facts(page), expected, "{name} as {form}");
            *counts.entry(form).or_default() += page.counts();
        }
    }
    counts
}

#[test]
fn every_shape_of_a_page_has_the_same_facts() {
    let counts = compare_all(Path::new(PAGES));
    assert_eq!(counts["html"], counts["markdown"]);
    assert_eq!(counts["pasted"], counts["markdown"]);
    let text = counts["converted text"];
    assert_eq!(text.parameters, 14);
    assert_eq!(text.fields, 24);
    assert_eq!((text.by_example, text.by_wording), (3, 5), "{text:?}");
}

/// Reads the whole documentation, if `UHUB_PAGES` names its folder.
#[test]
fn every_page_of_the_documentation_is_read_in_every_shape() {
    let Some(folder) = std::env::var_os("UHUB_PAGES") else {
        println!("skipped: set UHUB_PAGES to a folder of pages");
        return;
    };
    let folder = PathBuf::from(folder);
    let pages = pages_of(&folder).len();
    assert!(pages > 0);
    for (form, counts) in compare_all(&folder) {
        println!("{pages} pages as {form}: {counts:?}");
    }
}

#[test]
fn every_shape_of_a_page_makes_the_same_spec() {
    for name in ["list_crates", "plan_route", "get_scale"] {
        let specs: Vec<String> = every_shape(&page(name))
            .iter()
            .map(|(_, text)| {
                let reading = read(name, text.as_bytes(), None);
                reading.page.unwrap().spec(None).unwrap().text
            })
            .collect();
        for spec in &specs[1..] {
            assert_eq!(*spec, specs[0], "{name}");
        }
    }
}
