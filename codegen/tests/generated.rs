//! What is generated for `deprecated`, and the setters of optional parameters.
#![allow(clippy::unwrap_used)]

mod spec_folder;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use uhub_codegen::{Spec, SpecFile, generate};

/// The generated files of the service in `data/other`, each on one line.
fn other() -> BTreeMap<String, String> {
    let files = generate(&spec_folder::read("tests/data/other")).unwrap();
    let squeezed = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    files.into_iter().map(|(name, text)| (name, squeezed(text))).collect()
}

#[track_caller]
fn assert_contains(files: &BTreeMap<String, String>, file: &str, expected: &[&str]) {
    let text = &files[&format!("src/generated/{file}.rs")];
    for expected in expected {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

/// rustc warns users; the generated modules themselves compile without warnings. The test that
/// compiles this service's code with the core expects none.
#[test]
fn what_is_deprecated_has_its_note() {
    let files = other();
    let allowed = "#![allow(deprecated)]";
    // A parameter, and its setters on the request and on the call.
    assert_contains(
        &files,
        "switch_lamp",
        &[
            allowed,
            "#[deprecated(note = \"Use `power`.\")] #[serde(skip_serializing_if = \"Option::is_none\")] pub is_on:",
            "/// Sets [`is_on`](field@Self::is_on). #[deprecated(note = \"Use `power`.\")] pub fn is_on(",
            "#[deprecated(note = \"Use `power`.\")] pub fn maybe_is_on(",
            "/// Sets [`is_on`](field@SwitchLampRequest::is_on). #[deprecated(note = \"Use `power`.\")] pub fn is_on(",
        ],
    );
    // A parameter in a group, and a field of a model.
    assert_contains(
        &files,
        "create_u_host",
        &[
            allowed,
            "#[deprecated(note = \"The kind of the disk decides.\")] #[serde(skip_serializing_if = \"Option::is_none\")] pub size:",
            "#[deprecated(note = \"It is always 0.\")] pub load: Option<f64>,",
        ],
    );
    // A variant of a shared enum.
    assert_contains(
        &files,
        "enums",
        &[
            allowed,
            "/// Cold. #[deprecated(note = \"No lamp has it.\")] #[serde(rename = \"blue\")] Blue,",
        ],
    );
    // An action: everything in its module, the clients' methods included.
    assert_contains(&files, "mod", &["#[deprecated(note = \"Use `list_v2`.\")] pub mod list_v10;"]);
    assert!(!files["src/generated/list_v10.rs"].contains("deprecated"));
}

/// The example of a call shows the last variant that is not deprecated.
#[test]
fn no_example_has_a_deprecated_variant() {
    let mut spec = spec_folder::read("tests/data/other");
    let off = "\"It does not.\"";
    let deprecated = format!("{off}, \"deprecated\": \"Leave it on.\"");
    spec.service.text = spec.service.text.replace(off, &deprecated);
    let example = "client.switch_lamp(other_sdk::Power::On, other_sdk::Power::On)";
    assert!(generate(&spec).unwrap()["src/generated/switch_lamp.rs"].contains(example));
}

#[test]
fn an_optional_parameter_can_be_set_from_an_option() {
    let files = other();
    let host = [
        // A string, a number, a group, JSON and a keyword.
        "pub fn maybe_remark(mut self, value: Option<String>) -> Self { self.remark = value; self }",
        "pub fn maybe_remark(mut self, value: Option<String>) -> Self { self.request.remark = value; self }",
        "pub fn maybe_features(mut self, value: Option<Features>) -> Self { self.features = value; self }",
        "pub fn maybe_new_(mut self, value: Option<bool>) -> Self { self.new_ = value; self }",
        "/// Sets or unsets [`remark`](field@Self::remark). pub fn maybe_remark(",
    ];
    assert_contains(&files, "create_u_host", &host);
    assert_contains(
        &files,
        "plan_trip",
        &[
            "pub fn maybe_notes(mut self, value: Option<serde_json::Value>) -> Self {",
            // A group that is boxed is given without its box.
            "pub fn maybe_root(mut self, value: Option<Branch>) -> Self { self.root = value.map(Box::new); self }",
        ],
    );
    // A list is empty where it is absent.
    let trip = &files["src/generated/plan_trip.rs"];
    assert!(trip.contains("pub fn days(") && !trip.contains("maybe_days"));
}

/// The core sees numbers, whether they are documented as numbers or as strings, and as required or
/// as optional.
#[test]
fn any_offset_limit_and_total_paginate() {
    let files = other();
    let rows = [
        "fn page_limit(&self) -> Option<i64> { self.limit.parse().ok() }",
        "type Item = String;",
        "Some(( self.offset.as_ref().map(|text| text.parse()).transpose().ok()?, Some(self.limit.parse().ok()?), ))",
        "self.offset = Some(offset.to_string()); self.limit = limit.to_string();",
        "fn total(_: &ListRowsResponse) -> Option<i64> { None }",
        "fn items(response: &mut ListRowsResponse) -> &mut Vec<String> { &mut response.rows }",
    ];
    assert_contains(&files, "list_rows", &rows);
    let points = [
        "fn page_limit(&self) -> Option<i64> { self.limit }",
        "type Item = Point;",
        "Some((Some(self.offset), self.limit))",
        "self.offset = offset; self.limit = Some(limit);",
        "{ response.total.as_ref().and_then(|text| text.parse().ok()) }",
        // A text does not count a list.
        "decode::Field::list(\"Points\"), ]",
    ];
    assert_contains(&files, "list_points", &points);
    assert_contains(&files, "list_disks", &["{ Some(response.total) }"]);
}

/// The public methods of a type of the core, from the core's own source.
fn core_methods(ty: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![PathBuf::from("../uhub-sdk/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with("generated") {
            } else if path.is_dir() {
                folders.push(path);
            } else {
                let file = syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap();
                names.extend(file.items.iter().flat_map(|item| methods(item, ty)));
            }
        }
    }
    names
}

fn methods(item: &syn::Item, ty: &str) -> Vec<String> {
    let syn::Item::Impl(block) = item else { return Vec::new() };
    let is_it = match &*block.self_ty {
        syn::Type::Path(path) => path.path.segments.last().is_some_and(|it| it.ident == ty),
        _ => false,
    };
    let methods = block.items.iter().filter(|_| is_it).filter_map(|item| match item {
        syn::ImplItem::Fn(item) => Some(item.sig.ident.to_string()),
        _ => None,
    });
    methods.collect()
}

/// No action and no parameter hides a method of the core.
#[test]
fn names_of_the_core_are_taken() {
    let camel_case = |name: &str| {
        let words = name.split('_').filter(|word| !word.is_empty());
        words.map(|word| word[..1].to_uppercase() + &word[1..]).collect::<String>()
    };
    let action = |name: &str, parameter: &str| {
        let text = format!(
            r#"{{ "action": "{name}", "summary": "X.", "idempotency": "safe", "response": [], "parameters": [
                {{ "name": "ProjectId", "type": "string", "required": false, "description": "X." }},
                {{ "name": "{parameter}", "type": "int", "required": false, "description": "X." }}] }}"#
        );
        let mut spec = spec_folder::read("tests/data/other");
        let module = generate(&Spec::new(
            spec.service.clone(),
            vec![SpecFile::new(format!("{name}.json"), &*text)],
        ));
        let file = module.err().and_then(|found| {
            let message = found[0].message.clone();
            Some(message.split('`').nth(3)?.to_owned())
        });
        spec.actions = vec![SpecFile::new(file.unwrap_or_default(), text)];
        generate(&spec).unwrap_or_else(|found| panic!("{name}: {found:#?}"))
    };
    let mut hidden = Vec::new();
    let client = core_methods("Client");
    assert!(client.contains("from_env") && client.contains("action"), "{client:?}");
    for method in client {
        let files = action(&camel_case(&method), "Size");
        let hides = files.values().any(|text| text.contains(&format!("pub fn {method}(&self")));
        hidden.extend(hides.then(|| format!("an action hides `Client::{method}`")));
    }
    let call = core_methods("Call");
    assert!(call.contains("send") && call.contains("items"), "{call:?}");
    for method in call {
        let files = action("GetThing", &camel_case(&method));
        let hides = files.values().any(|text| text.contains(&format!("pub fn {method}(mut self")));
        hidden.extend(hides.then(|| format!("a parameter hides `Call::{method}`")));
    }
    assert!(hidden.is_empty(), "add to `model/naming.rs`:\n{}", hidden.join("\n"));
}
