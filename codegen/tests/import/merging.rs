//! Imports pages into existing specs: facts change, prose and decisions stay.

use std::{fs, path::PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};
use uhub_codegen::{
    Severity, Spec, SpecFile, generate,
    import::{Page, read},
};

use super::{errors, messages, notes, page, pages_of, spec};

fn read_page(markdown: &str) -> Page {
    let reading = read("page.md", markdown.as_bytes(), None);
    assert!(errors(&reading).is_empty(), "{:?}", errors(&reading));
    reading.page.unwrap()
}

fn import(page: &Page, old: &str) -> String {
    page.spec(Some(&SpecFile::new("spec.json", old))).unwrap().text
}

/// Returns the row of a name in one of a spec's tables.
fn row<'v>(spec: &'v Value, table: &str, name: &str) -> &'v Value {
    let rows = spec.pointer(table).unwrap().as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap_or(&Value::Null)
}

/// Returns a spec as a maintainer leaves it: described, with all proposals confirmed.
fn described(text: &str) -> String {
    let text = text
        .replace("\"summary\": \"\"", "\"summary\": \"Lists crates.\"")
        .replace("\"description\": \"\"", "\"description\": \"Ours.\"");
    let confirmed: Vec<&str> = text.lines().filter(|line| !line.contains("\"proposed\"")).collect();
    confirmed.join("\n") + "\n"
}

#[test]
fn names_and_secrets_are_proposed_once() {
    let markdown = page("list_crates").replace("DepotName", "UDepotSecret");
    let page = read_page(&markdown);
    let imported = page.spec(None).unwrap().text;
    let spec: Value = serde_json::from_str(&imported).unwrap();
    let proposed = row(&spec, "/models/CrateSet", "UDepotSecret");
    assert_eq!(
        (&proposed["rust_name"], &proposed["secret"]),
        (&json!("udepot_secret"), &json!(true))
    );
    let confirm = spec["proposed"].as_array().unwrap();
    assert!(
        confirm.contains(&json!("rust_name")) && confirm.contains(&json!("secret")),
        "{confirm:?}"
    );
    // Declined, they are not proposed again.
    let declined = described(&imported)
        .replace("\"rust_name\": \"udepot_secret\", ", "")
        .replace("\"secret\": true, ", "");
    assert!(!declined.contains("udepot_secret") && !declined.contains("\"secret\""), "{declined}");
    assert_eq!(import(&page, &declined), declined);
}

/// Checks what is recorded about the examples of `list_crates`.
#[track_caller]
fn assert_contradictions_of_crates(spec: &Value) {
    assert_eq!(row(spec, "/parameters", "Limit")["example_type"], "string");
    assert_eq!(row(spec, "/models/CrateSet", "CreateTime")["example_type"], "int");
    assert_eq!(row(spec, "/models/CrateSet", "DepotName")["example_omits"], true);
    assert_eq!(row(spec, "/response", "OwnerSet")["example_type"], "array[string]");
    assert_eq!(row(spec, "/models/OwnerSet", "OwnerName")["example_shorthand"], true);
    assert_eq!(row(spec, "/models/OwnerSet", "Since")["example_omits"], true);
}

#[test]
fn contradictions_of_the_examples_are_recorded() {
    let reading = read("page.md", page("list_crates").as_bytes(), None);
    let page = reading.page.unwrap();
    let imported = page.spec(None).unwrap();
    let spec: Value = serde_json::from_str(&imported.text).unwrap();
    assert_contradictions_of_crates(&spec);
    assert_eq!(spec["example"]["request"]["ProjectId"], json!(["p-1", "p-2"]));
    assert!(imported.text.contains("\"Volume\": 1.50,"), "numbers keep their spelling");
    assert_eq!(
        notes(&imported.notes),
        [
            "page.md:56:1: `DepotName` is required, and the example omits it",
            "page.md:65:1: `Since` is required, and the example omits it",
            "page.md:76:2: the example of `Limit` does not fit its type: expected int; found a string",
            "page.md:77:2: `ProjectId` is repeated",
            "page.md:88:21: the example of `CreateTime` does not fit its type: expected string; found an integer",
            "page.md:99:15: the example of `OwnerSet` does not fit its type: expected OwnerSet; found a string",
        ]
    );
}

#[test]
fn values_dropped_from_an_example_are_noted() {
    let page = read_page(&page("plan_route"));
    let imported = page.spec(None).unwrap();
    let spec: Value = serde_json::from_str(&imported.text).unwrap();
    assert_eq!(spec["example"]["request"]["Truck"]["Trailer"], json!({"Plate": "NN-1"}));
    assert_eq!(spec["example"]["response"]["Depot"], json!({"EndpointPort": "80"}));
    let expected = [
        "page.md:82:58: `Colour` is not documented: dropped from the example",
        "page.md:92:22: `Mode` is null: treated as absent",
        "page.md:92:44: the example of `EndpointPort` does not fit its type: expected int; found a string",
    ];
    assert_eq!(notes(&imported.notes), expected);
}

#[test]
fn proposals_are_generated_once_confirmed() {
    let page = read_page(&page("list_crates"));
    let new = page.spec(None).unwrap().text;
    let spec = spec(&page);
    assert_eq!(spec["proposed"], json!(["idempotency", "pagination", "example_shorthand"]));
    assert_eq!(spec["idempotency"], "safe");
    assert_eq!(spec["pagination"]["total"], "TotalCount");
    assert_eq!(row(&spec, "/parameters", "Kind")["default"], "wood");
    assert_eq!(row(&spec, "/parameters", "WithSealed")["default"], "No");
    assert_eq!(row(&spec, "/parameters", "Offset")["default"], 0);
    // Only parameters have defaults.
    assert_eq!(row(&spec, "/models/CrateSet", "Sealed").get("default"), None);

    let service = fs::read_to_string("tests/data/uhub/service.json").unwrap();
    let with = |action: &str| {
        let file = SpecFile::new("list_crates.json", action);
        generate(&Spec::new(SpecFile::new("service.json", service.clone()), vec![file]))
    };
    let errors = with(&new).unwrap_err();
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    for (error, expected) in errors.iter().zip([
        "list_crates.json:4:14: error: this becomes documentation: write a sentence for `summary`; \
         `ProjectId`, `DepotName`, `Kind`, `WithSealed`, `Offset` and `Limit` (parameters); ",
        "list_crates.json:6:16: error: `idempotency` is a proposal",
    ]) {
        assert!(error.starts_with(expected), "{error}");
    }
    assert!(errors[0].contains("; `OwnerName` and `Since` (OwnerSet)"), "{}", errors[0]);
    // The descriptions and three proposals.
    assert_eq!(errors.len(), 1 + 3, "{errors:#?}");

    // Another import confirms nothing.
    assert_eq!(import(&page, &new), new);
    let generated = with(&described(&new)).unwrap();
    let (_, source) = generated.iter().find(|(path, _)| path.ends_with("/list_crates.rs")).unwrap();
    assert!(source.contains("pub struct CrateSet"));
}

#[test]
fn facts_change_and_prose_and_decisions_stay() {
    let markdown = page("list_crates");
    let old = described(&read_page(&markdown).spec(None).unwrap().text)
        .replace("\"idempotency\": \"safe\"", "\"details\": \"No more than 8.\",\n  \"idempotency\": \"idempotent\"")
        .replace("\"name\": \"Kind\", \"type\": \"string\", \"required\": false, \"default\": \"wood\",", "\"name\": \"Kind\", \"type\": \"string\", \"required\": false, \"default\": \"wood\", \"enum\": [\"wood\", \"steel\"], \"explicit\": true, \"rust_name\": \"material\",")
        .replace("\"example_type\": \"int\", \"description\": \"Ours.\"", "\"format\": \"timestamp\", \"example_type\": \"int\", \"description\": \"When.\"")
        .replace("\"key\": \"CrateName\"", "\"key\": \"DepotName\"");
    // In the order of the writer.
    let old = import(&read_page(&markdown), &old);
    assert_eq!(import(&read_page(&markdown), &old), old);

    let changed = markdown
        .replace("种类：<br /><br />wood\\| steel，默认wood |No|", "种类，默认steel |No|")
        .replace("**Weight** | int | 重量（kg） |**Yes**|", "**Mass** | float | 重量（kg） |No|")
        .replace("      \"Weight\": 4", "      \"Mass\": 4.5")
        .replace(",\n      \"Weight\": 2\n", "\n")
        .replace("      \"CreateTime\": 5,", "      \"CreateTime\": \"today\",")
        .replace("      \"CreateTime\": 2,", "      \"CreateTime\": \"now\",")
        .replace(
            "**DepotName** | string | 仓库名称 |**Yes**|\n| **Volume",
            "**DepotName** | string | 仓库名称 |No|\n| **Volume",
        );
    let new = import(&read_page(&changed), &old);
    let diff: Vec<String> = similar_lines(&old, &new);
    assert_eq!(
        diff,
        [
            r#"-{ "name": "Kind", "type": "string", "required": false, "default": "wood", "enum": ["wood", "steel"], "explicit": true, "rust_name": "material", "description": "Ours." },"#,
            r#"+{ "name": "Kind", "type": "string", "required": false, "default": "steel", "enum": ["wood", "steel"], "explicit": true, "rust_name": "material", "description": "Ours." },"#,
            r#"-{ "name": "Weight", "type": "int", "required": true, "description": "Ours." },"#,
            r#"+{ "name": "Mass", "type": "float", "required": false, "description": "" },"#,
            r#"-{ "name": "DepotName", "type": "string", "required": true, "example_omits": true, "description": "Ours." },"#,
            r#"+{ "name": "DepotName", "type": "string", "required": false, "description": "Ours." },"#,
            r#"-"Weight": 4"#,
            r#"+"Mass": 4.5"#,
            r#"-"CreateTime": 2,"#,
            r#"-"Sealed": false,"#,
            r#"-"Weight": 2"#,
            r#"+"CreateTime": "now","#,
            r#"+"Sealed": false"#,
        ],
        "{diff:#?}"
    );
}

/// Returns the notes of an import that a new spec would not have.
fn noted(page: &Page, old: &str) -> Vec<String> {
    let of = |old: Option<&SpecFile>| page.spec(old).unwrap().notes;
    let usual = of(None);
    let mut found = of(Some(&SpecFile::new("spec.json", old)));
    found.retain(|note| !usual.contains(note));
    notes(&found)
}

#[test]
fn a_renamed_model_keeps_its_prose_and_decisions() {
    let markdown = page("list_crates");
    let old = described(&read_page(&markdown).spec(None).unwrap().text).replace(
        "\"example_type\": \"int\", \"description\": \"Ours.\"",
        "\"format\": \"timestamp\", \"example_type\": \"int\", \"description\": \"When.\"",
    );
    assert_eq!(noted(&read_page(&markdown), &old), [""; 0]);
    // Other fields from the same row; the same fields from another row.
    let renamed = markdown
        .replace("#### CrateSet", "#### CrateInfo")
        .replace("[[*CrateSet*](#CrateSet)]", "[[*CrateInfo*](#CrateInfo)]");
    let by_another_row = renamed
        .replace("**CrateSet** |", "**Crates** |")
        .replace("\"CrateSet\": [", "\"Crates\": [");
    let with_other_fields = |page: &str| page.replace("**Volume** |", "**Size** |");
    for (page, is_alike) in [
        (with_other_fields(&renamed), true),
        (by_another_row.clone(), true),
        // Other fields from another row: another model.
        (with_other_fields(&by_another_row), false),
    ] {
        let page = read_page(&page);
        let expected = if is_alike {
            "`CrateInfo` is the former `CrateSet`: it keeps its descriptions and decisions"
        } else {
            "`CrateSet.CreateTime` is gone, and with it: `format`"
        };
        let notes = noted(&page, &old);
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].ends_with(expected), "{notes:?}");
        let new: Value = serde_json::from_str(&import(&page, &old)).unwrap();
        let old: Value = serde_json::from_str(&old).unwrap();
        for name in ["CrateName", "CreateTime", "Sealed"] {
            let was = row(&old, "/models/CrateSet", name);
            let is = row(&new, "/models/CrateInfo", name);
            assert_eq!(is["name"], name);
            assert_eq!(is == was, is_alike, "{is} {was}");
        }
    }
}

#[test]
fn rust_names_aliases_and_shared_enums_are_decisions() {
    let markdown = page("list_crates");
    let page = read_page(&markdown);
    let names = "\"aliases\": [\"find_crates\"], \"model_names\": { \"CrateSet\": \"Crate\" },\n  ";
    let old = described(&page.spec(None).unwrap().text)
        .replace("\"parameters\": [", &format!("{names}\"parameters\": ["))
        .replace("\"default\": \"wood\",", "\"default\": \"wood\", \"enum_type\": \"Material\",");
    let old = import(&page, &old);
    let spec: Value = serde_json::from_str(&old).unwrap();
    assert_eq!(spec["aliases"], json!(["find_crates"]));
    assert_eq!(spec["model_names"], json!({"CrateSet": "Crate"}));
    assert_eq!(row(&spec, "/parameters", "Kind")["enum_type"], "Material");
    assert_eq!(noted(&page, &old), [""; 0]);

    // The Rust name follows a renamed model, and goes with a model that is gone.
    let renamed = markdown
        .replace("#### CrateSet", "#### CrateInfo")
        .replace("[[*CrateSet*](#CrateSet)]", "[[*CrateInfo*](#CrateInfo)]");
    let spec: Value = serde_json::from_str(&import(&read_page(&renamed), &old)).unwrap();
    assert_eq!(spec["model_names"], json!({"CrateInfo": "Crate"}));
    let other = renamed
        .replace("**CrateSet** |", "**Crates** |")
        .replace("\"CrateSet\": [", "\"Crates\": [")
        .replace("**Volume** |", "**Size** |");
    let other = read_page(&other);
    let spec: Value = serde_json::from_str(&import(&other, &old)).unwrap();
    assert_eq!(spec.get("model_names"), None);
    assert_eq!(
        noted(&other, &old),
        ["page.md:1:1: the model `CrateSet` is gone, and with it: its Rust name"]
    );
}

#[test]
fn a_new_possible_pagination_of_an_old_action_is_noted_once() {
    let markdown = page("list_crates");
    let paged = read_page(&markdown);
    let without = |page: &Page| -> String {
        let text = page.spec(None).unwrap().text;
        let Some((before, after)) = text.split_once("  \"pagination\"") else {
            return text;
        };
        before.to_owned() + after.split_once("},\n").unwrap().1
    };
    // The old spec has decided against a pagination.
    assert_eq!(noted(&paged, &without(&paged)), [""; 0]);
    for (from, to, at) in [
        ("**Limit** | int |", "**Most** | int |", "33:1"),
        ("**Offset** | int |", "**First** | int |", "32:1"),
    ] {
        let before = without(&read_page(&markdown.replace(from, to)));
        let expected = format!(
            "page.md:{at}: the page now has all parts of a pagination: add `pagination` to the spec if the action is paginated"
        );
        assert_eq!(noted(&paged, &before), [expected]);
        let after = import(&paged, &before);
        assert!(!after.contains("\"pagination\": "), "{after}");
        assert_eq!(noted(&paged, &after), [""; 0]);
    }
}

#[test]
fn lost_decisions_are_noted() {
    let markdown = page("list_crates");
    let old = described(&read_page(&markdown).spec(None).unwrap().text)
        .replace(
            "\"default\": \"wood\",",
            "\"default\": \"wood\", \"enum\": [\"wood\"], \"explicit\": true,",
        )
        .replace("\"name\": \"TotalCount\",", "\"name\": \"TotalCount\", \"rust_name\": \"total\",")
        .replace("\"name\": \"OwnerName\",", "\"name\": \"OwnerName\", \"rust_name\": \"who\",")
        .replace("\"name\": \"Weight\",", "\"name\": \"Weight\", \"rust_name\": \"kilograms\",");
    let changed = markdown
        .replace("**Kind** |", "**Sort** |")
        .replace("**TotalCount** |", "**Total** |")
        .replace("**Weight** |", "**Mass** |")
        .replace("**Volume** |", "**Size** |")
        .replace("array[[*OwnerSet*](#OwnerSet)]", "array[string]");
    let end = changed.find("#### OwnerSet").unwrap();
    let end = end..changed.find("## 示例").unwrap();
    let without = changed.replace(&changed[end], "");
    assert_eq!(
        noted(&read_page(&without), &old),
        [
            "page.md:1:1: `OwnerSet.OwnerName` is gone, and with it: `rust_name`",
            "page.md:28:1: the parameter `Kind` is gone, and with it: `enum`, `explicit`",
            "page.md:42:1: the response field `TotalCount` is gone, and with it: `rust_name`",
            "page.md:49:1: `CrateSet.Weight` is gone, and with it: `rust_name`",
        ]
    );
}

/// Removes the traces of the page's words.
fn without_words(spec: &str) -> String {
    let lines = spec.lines().map(|line| match line.split_once(", \"words\": {") {
        Some((row, rest)) => format!("{row} }}{}", rest.split_once("} }").unwrap().1),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the lines that differ, without their margins.
fn similar_lines(old: &str, new: &str) -> Vec<String> {
    let [old, new] = [old, new].map(without_words);
    similar::TextDiff::from_lines(&old, &new)
        .iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal)
        .map(|change| format!("{}{}", change.tag(), change.value().trim()))
        .collect()
}

#[test]
fn a_handwritten_model_is_kept_while_it_is_used() {
    let markdown = page("list_crates").replace("#### OwnerSet", "#### Owners");
    let reading = read("page.md", markdown.as_bytes(), None);
    assert_eq!(
        notes(&reading.diagnostics),
        [
            "page.md:44:1: the model `OwnerSet` of `OwnerSet` is not documented; did you mean `Owners`?",
            "page.md:60:1: the model `Owners` is not used",
        ]
    );
    let page = reading.page.unwrap();
    let model = "\"models\": {\n    \"OwnerSet\": [\n      { \"name\": \"OwnerName\", \"type\": \"string\", \"required\": true, \"description\": \"Who.\" }\n    ],\n";
    let new = page.spec(None).unwrap().text;
    let old = new.replacen("\"models\": {\n", model, 1);
    let again: Value = serde_json::from_str(&import(&page, &old)).unwrap();
    assert_eq!(row(&again, "/models/OwnerSet", "OwnerName")["description"], "Who.");
    // A model that only the handwritten model uses is kept too.
    let within =
        r#"{ "name": "Home", "type": "array[Place]", "required": false, "description": "Where." }"#;
    let deep = old.replacen("\"models\": {\n", "\"models\": {\n    \"Place\": [],\n", 1).replacen(
        "\"description\": \"Who.\" }",
        &format!("\"description\": \"Who.\" }},\n      {within}"),
        1,
    );
    let again = import(&page, &deep);
    assert!(again.contains("\n    \"Place\": [],\n    \"OwnerSet\": [\n"), "{again}");
    assert!(again.contains(within), "{again}");
    // A model that nothing uses is dropped.
    let other = read_page(&markdown.replace("array[[*OwnerSet*](#OwnerSet)]", "array[string]"));
    let again: Value = serde_json::from_str(&import(&other, &old)).unwrap();
    assert_eq!(again.pointer("/models/OwnerSet"), None);
}

#[test]
fn another_file_than_the_spec_is_refused_with_its_place() {
    let page = read_page(&page("list_crates"));
    for (old, expected) in [
        (
            "{\n  \"action\": \"ListCrates\",\n}",
            "spec.json:3:1: error: invalid JSON: trailing comma",
        ),
        ("[]", "spec.json:1:1: error: this is not the spec of `ListCrates`"),
        ("{\"action\": \"Other\"}", "spec.json:1:1: error: this is not the spec of `ListCrates`"),
    ] {
        let errors = page.spec(Some(&SpecFile::new("spec.json", old))).unwrap_err();
        assert_eq!(errors[0].to_string(), expected);
    }
}

#[test]
fn repeated_keys_and_rows_of_a_spec_are_refused_with_their_places() {
    let page = read_page(&page("list_crates"));
    let model = r#""CrateSet": [{ "name": "Weight", "description": "x" }]"#;
    let old = format!(
        r#"{{ "action": "ListCrates", "summary": "x", "summary": "y",
  "parameters": [
    {{ "name": "Kind", "description": "x" }},
    {{ "name": "Kind", "description": "y" }},
    {{ "name": "Limit", "enum": ["1"], "enum": ["2"] }}
  ],
  "response": [{{ "name": "Kind" }}],
  "models": {{ {model}, {model} }},
  "example": {{ "request": {{}}, "request": {{}} }}
}}"#
    );
    let errors = page.spec(Some(&SpecFile::new("spec.json", old)));
    let errors = messages(&errors.unwrap_err(), Severity::Error);
    assert_eq!(
        errors,
        [
            "spec.json:1:43: `summary` is repeated: remove one",
            "spec.json:4:5: `Kind` is repeated: remove one",
            "spec.json:5:39: `enum` is repeated: remove one",
            "spec.json:8:71: `CrateSet` is repeated: remove one",
            "spec.json:9:31: `request` is repeated: remove one",
        ]
    );
}

#[test]
fn unknown_keys_of_an_example_are_kept() {
    let page = read_page(&page("list_crates"));
    let old = page.spec(None).unwrap().text;
    let old = old.replacen("\"example\": {\n", "\"example\": {\n    \"note\": \"Ours.\",\n", 1);
    let new: Value = serde_json::from_str(&import(&page, &old)).unwrap();
    assert_eq!(new["example"]["note"], "Ours.");
}

#[test]
fn the_difference_of_two_pages_is_reported() {
    let one = read_page(&page("list_crates"));
    assert_eq!(one.differences(&one), [""; 0]);
    for (from, to, expected) in [
        (
            "**Weight** | int",
            "**Weight** | float",
            "`Weight` (CrateSet) is `int, required` in one and `float, required` in the other",
        ),
        (
            "| **Limit** | int | 显示数量，默认为20。 |No|\n",
            "",
            "`Limit` (parameters) is `int, default 20` in one and `absent` in the other",
        ),
        (
            "**Kind** | string | 种类：<br /><br />wood\\| steel，默认wood |No|",
            "**Kind** | string | 种类 |Yes|",
            "`Kind` (parameters) is `string, default wood` in one and `string, required` in the other",
        ),
    ] {
        let other = read_page(&page("list_crates").replace(from, to));
        assert_eq!(one.differences(&other), [expected]);
    }
}

const SERVICE: &str = "tests/data/uhub/service.json";

/// Returns the errors of generating from a spec of one action.
fn generated(action: &str) -> Vec<String> {
    let service = SpecFile::new("service.json", fs::read_to_string(SERVICE).unwrap());
    let spec = Spec::new(service, vec![SpecFile::new("list_crates.json", action)]);
    let errors = generate(&spec).err().unwrap_or_default();
    errors.iter().map(ToString::to_string).collect()
}

/// A page shows random values. None of them takes back what another has shown.
#[test]
fn a_regenerated_example_keeps_the_recorded_contradictions() {
    let markdown = page("list_crates");
    let old = described(&read_page(&markdown).spec(None).unwrap().text);
    assert_eq!(generated(&old), [""; 0]);
    let (start, end) =
        (markdown.find("\"CrateSet\": [").unwrap(), markdown.find("  \"RetCode\"").unwrap());
    let regenerated = markdown
        .replace(
            &markdown[start..end],
            "\"CrateSet\": [\n    { \"CrateName\": \"x\", \"CreateTime\": \"y\", \"DepotName\": \"z\", \"Weight\": 1, \"Volume\": \"2\" }\n  ],\n  \
             \"OwnerSet\": [\n    { \"OwnerName\": \"v\", \"Since\": 3 }\n  ],\n",
        )
        .replace("&Limit=many", "&Limit=5");
    let page = read_page(&regenerated);
    let imported = page.spec(Some(&SpecFile::new("spec.json", &old))).unwrap();
    let spec: Value = serde_json::from_str(&imported.text).unwrap();
    assert_contradictions_of_crates(&spec);
    // A new contradiction is added.
    assert_eq!(row(&spec, "/models/CrateSet", "Volume")["example_type"], "string");
    assert_eq!(spec.get("proposed"), None);
    // A value of another type stays in the example: the client's type depends on it.
    assert_eq!(spec["example"]["response"]["CrateSet"][0]["CreateTime"], 5);
    assert_eq!(spec["example"]["response"]["CrateSet"][0]["DepotName"], "z");
    assert_eq!(spec["example"]["response"]["OwnerSet"], json!(["Ada"]));
    assert_eq!(generated(&imported.text), [""; 0]);
    let notes = notes(&imported.notes);
    for expected in [
        "the example does not omit `CrateSet.DepotName`: `example_omits` stays until you remove it",
        "the example does not show `CrateSet.CreateTime` as `int`: `example_type` stays until you remove it",
        "the example does not show the parameter `Limit` as `string`: `example_type` stays until you remove it",
    ] {
        assert!(notes.iter().any(|note| note.ends_with(expected)), "{expected}\n{notes:#?}");
    }
    // So it stays, however often the page is imported.
    assert_eq!(import(&page, &imported.text), imported.text);
    // Without the objects of a model, nothing is shown of it.
    let without = regenerated.replace("\"CrateSet\": [", "\"CrateSet\": [], \"Other\": [");
    let without = import(&read_page(&without), &old);
    assert!(without.contains("\"example_omits\": true"), "{without}");
    assert_eq!(generated(&without), [""; 0]);

    // The types of the client stay.
    let types = |spec: &str| {
        let spec = Spec::of_action(SpecFile::new("list_crates.json", spec));
        let files = generate(&spec).unwrap();
        let (_, source) =
            files.into_iter().find(|(name, _)| name.ends_with("list_crates.rs")).unwrap();
        let fields = source
            .lines()
            .filter(|line| line.trim_start().starts_with("pub ") && line.ends_with(','));
        fields.map(str::to_owned).collect::<Vec<_>>()
    };
    let kept = imported
        .text
        .replace("\"required\": false, \"example_type\": \"string\"", "\"required\": false");
    let kept = kept.replace("\"Volume\": \"2\"", "\"Volume\": 2");
    assert_eq!(types(&kept), types(&old));
}

/// The table decides: what it documents now does not contradict the example.
#[test]
fn a_contradiction_ends_where_the_table_agrees_with_it() {
    let markdown = page("list_crates");
    let old = described(&read_page(&markdown).spec(None).unwrap().text);
    let changed = markdown.replace("**CreateTime** | string", "**CreateTime** | int").replace(
        "**DepotName** | string | 仓库名称 |**Yes**|\n| **Volume",
        "**DepotName** | string | 仓库名称 |No|\n| **Volume",
    );
    let spec: Value = serde_json::from_str(&import(&read_page(&changed), &old)).unwrap();
    assert_eq!(row(&spec, "/models/CrateSet", "CreateTime").get("example_type"), None);
    assert_eq!(row(&spec, "/models/CrateSet", "DepotName").get("example_omits"), None);
}

#[test]
fn an_example_that_is_gone_stays_in_the_spec_with_its_contradictions() {
    let markdown = page("list_crates");
    let old = described(&read_page(&markdown).spec(None).unwrap().text);
    let start = markdown.find("```json").unwrap();
    for (gone, is_fitting) in [
        ("```\n暂无\n```\n", true),
        ("```json\n,,\n```\n", true),
        ("```\nNone\n```\n", true),
        ("```\n-\n```\n", true),
        ("```\n```\n", true),
        ("```json\n{}\n```\n", true),
        ("暂无\n", true),
        ("", true),
        ("```json\n{\n```\n", true),
        // The old example does not have a new required field.
        ("```\n暂无\n```\n", false),
    ] {
        let mut changed = markdown[..start].to_owned() + gone;
        if !is_fitting {
            let more = "| **Height** | int | 高 |**Yes**|\n| **Volume**";
            changed = changed.replace("| **Volume**", more);
        }
        let page = read_page(&changed);
        let imported = page.spec(Some(&SpecFile::new("spec.json", &old))).unwrap();
        let new = described(&imported.text);
        assert_eq!(generated(&new), [""; 0], "{gone:?}");
        if is_fitting {
            assert_eq!(similar_lines(&old, &new), [""; 0], "{gone:?}");
        } else {
            let spec: Value = serde_json::from_str(&new).unwrap();
            assert_eq!(spec.pointer("/example/response"), None);
            assert_eq!(row(&spec, "/models/CrateSet", "Height").get("example_omits"), None);
            assert_eq!(row(&spec, "/models/CrateSet", "CreateTime")["example_type"], "int");
            assert_eq!(row(&spec, "/models/OwnerSet", "OwnerName")["example_shorthand"], true);
        }
        let expected = match is_fitting {
            true => {
                "the page has no readable example response: the spec keeps its example, and its recorded contradictions stay"
            }
            false => {
                "the page has no readable example response: the spec's example no longer fits the tables and is dropped, and its recorded contradictions stay"
            }
        };
        let notes = notes(&imported.notes);
        assert!(notes.iter().any(|note| note.ends_with(expected)), "{notes:#?}");
    }
    // The same for a request, also if a parameter is gone.
    let changed = markdown
        .replace("https://api.example.com/?Action=ListCrates\n&ProjectId=p-1\n&DepotName=north\n&Offset=6\n&Limit=many\n&ProjectId=p-2", "无")
        .replace("| **Offset** | int | 偏移量，默认0 |No|\n", "");
    let new = import(&read_page(&changed), &old);
    let new: Value = serde_json::from_str(&new).unwrap();
    assert_eq!(
        new["example"]["request"],
        json!({"ProjectId": ["p-1", "p-2"], "DepotName": "north", "Limit": "many"})
    );
}

#[test]
fn a_default_that_the_page_no_longer_states_is_noted() {
    let markdown = page("list_crates");
    let old = described(&read_page(&markdown).spec(None).unwrap().text).replacen(
        "\"default\": \"wood\", \"description\": \"Ours.\"",
        "\"default\": \"wood\", \"description\": \"Wood, `wood` if not set.\"",
        1,
    );
    let changed = markdown.replace("steel，默认wood", "steel；不传则默认不修改");
    let notes = noted(&read_page(&changed), &old);
    assert!(
        notes.contains(&"page.md:30:1: the page states no default of `Kind` (\"种类： wood| steel；不传则默认不修改\"); the spec keeps `wood`, and describes it as \"Wood, `wood` if not set.\": remove what no longer holds".to_owned()),
        "{notes:#?}"
    );
    let new = import(&read_page(&changed), &old);
    assert!(new.contains("\"default\": \"wood\""), "a person decides");
    // Known words are not noted again.
    assert_eq!(noted(&read_page(&changed), &new), [""; 0]);

    let changed = markdown.replace("steel，默认wood", "steel，默认steel");
    let notes = noted(&read_page(&changed), &old);
    let expected = "page.md:30:1: the default of `Kind` is now another; its description still has `wood`: \"Wood, `wood` if not set.\"";
    assert!(notes.contains(&expected.to_owned()), "{notes:#?}");

    let changed = markdown.replace("显示数量，默认为20。 |No|", "显示数量 |**Yes**|");
    let notes = noted(&read_page(&changed), &old);
    let expected = "page.md:33:1: `Limit` is now required: its default `20` is dropped";
    assert!(notes.contains(&expected.to_owned()), "{notes:#?}");
}

#[test]
fn changed_words_are_noted_and_not_copied() {
    let markdown = page("list_crates");
    let old = described(&read_page(&markdown).spec(None).unwrap().text).replace(
        "\"default\": \"wood\",",
        "\"default\": \"wood\", \"enum\": [\"wood\", \"steel\"],",
    );
    for (from, to, expected) in [
        (
            "| 体积 |",
            "| 箱子的体积 |",
            "page.md:57:1: the page's words of `CrateSet.Volume` changed: \"箱子的体积\"",
        ),
        ("| 体积 |", "|  |", "page.md:57:1: the page's words of `CrateSet.Volume` are gone"),
        (
            "**TotalCount** | int |  |",
            "**TotalCount** | int | 总数 |",
            "page.md:42:1: the page's words of the response field `TotalCount` changed: \"总数\"",
        ),
        (
            "重量（kg）",
            "重量（kg），不超过500",
            "page.md:54:1: the page's words of `CrateSet.Weight` changed, with values or limits in them: \"重量（kg），不超过500\"",
        ),
        (
            "wood\\| steel，默认wood",
            "wood\\| iron，默认wood",
            "page.md:30:1: the page's words of the parameter `Kind` changed, with values or limits in them: \"种类： wood| iron，默认wood\"; its `enum` has `steel`, which the words do not",
        ),
        (
            "?> 只列出未封存的箱子",
            "?> 列出所有箱子",
            "page.md:1:1: the page's words of the action changed: \"列出箱子 - ListCrates 列出箱子 ?> 列出所有箱子\"",
        ),
    ] {
        assert!(markdown.contains(from), "{from}");
        let page = read_page(&markdown.replacen(from, to, 1));
        assert_eq!(noted(&page, &old), [expected]);
        let new = import(&page, &old);
        let is_ascii = without_words(&new).is_ascii();
        assert!(is_ascii, "the page's words are not copied: {new}");
        assert_eq!(noted(&page, &new), [""; 0]);
    }
}

#[test]
fn a_page_in_another_language_has_a_trace_of_its_own() {
    let chinese = read_page(&page("list_crates"));
    let english = page("list_crates")
        .lines()
        .map(|line| match line.split('|').collect::<Vec<_>>()[..] {
            ["", name, ty, words, required, ""] if !words.is_ascii() && name.contains("**") => {
                format!("|{name}|{ty}| Words of {name} |{required}|")
            }
            _ => line.replace("wood\\|", "wood,"),
        })
        .collect::<Vec<_>>()
        .join("\n")
        .replace("种类：<br /><br />wood, steel，默认wood", "Kind, default wood");
    let english = read_page(&english);
    let old = described(&chinese.spec(None).unwrap().text);
    let both = import(&english, &old);
    assert!(both.contains("\"words\": { \"en\": \""), "{both}");
    assert!(both.contains("\", \"zh\": \""), "{both}");
    for page in [&chinese, &english] {
        assert_eq!(import(page, &both), both);
        let notes = noted(page, &both);
        assert!(!notes.iter().any(|note| note.contains("words")), "{notes:#?}");
    }
}

#[test]
fn a_spec_without_traces_gets_them_with_one_note() {
    let markdown = page("list_crates");
    let page = read_page(&markdown);
    let traced = page.spec(None).unwrap().text;
    let old = without_words(&described(&traced));
    let old = old.replacen(",\n  \"words\": {\n    \"zh\": ", ",\n  \"other\": {\n    \"zh\": ", 1);
    let expected = "page.md:1:1: the spec has no trace of the page's words yet: changed words are reported from the next import on";
    assert_eq!(noted(&page, &old), [expected]);
    let new = import(&page, &old);
    assert_eq!(new.matches("\"zh\"").count(), traced.matches("\"zh\"").count() + 1);
    assert_eq!(noted(&page, &new), [""; 0]);
}

#[test]
fn a_deprecation_in_the_words_is_proposed_once() {
    let markdown = page("list_crates");
    let old = described(&read_page(&markdown).spec(None).unwrap().text);
    let changed = markdown
        .replace("偏移量，默认0", "【已废弃】偏移量，默认0")
        .replace("?> 只列出", "!> 该接口即将下线\n\n?> 只列出");
    let page = read_page(&changed);
    let new = import(&page, &old);
    let spec: Value = serde_json::from_str(&new).unwrap();
    assert_eq!(spec["proposed"], json!(["deprecated"]));
    assert_eq!(spec["deprecated"], "");
    assert_eq!(row(&spec, "/parameters", "Offset")["deprecated"], "");
    assert_eq!(row(&spec, "/parameters", "Limit").get("deprecated"), None);
    let imported = page.spec(Some(&SpecFile::new("spec.json", &old))).unwrap();
    let notes = notes(&imported.notes);
    for expected in [
        "page.md:34:1: the page's words say that the parameter `Offset` is deprecated: \"【已废弃】偏移量，默认0\": complete the proposed `deprecated`, or remove it",
        "page.md:1:1: the page's words say that the action is deprecated: ",
    ] {
        assert!(notes.iter().any(|note| note.starts_with(expected)), "{notes:#?}");
    }
    let errors = generated(&new);
    assert!(errors.iter().any(|error| error.contains("`deprecated` is a proposal")), "{errors:#?}");
    // Confirmed or declined, it is not proposed again.
    let confirmed =
        described(&new).replace("\"deprecated\": \"\"", "\"deprecated\": \"Use pages.\"");
    let declined = described(&new)
        .replace(", \"deprecated\": \"\"", "")
        .replace("  \"deprecated\": \"\",\n", "");
    for decided in [confirmed.clone(), declined] {
        assert_eq!(generated(&decided), [""; 0]);
        assert_eq!(import(&page, &decided), decided);
        assert_eq!(noted(&page, &decided), [""; 0]);
    }
    // The words are taken back.
    let notes = noted(&read_page(&markdown), &confirmed);
    let expected = "page.md:32:1: the page's words no longer say that the parameter `Offset` is deprecated: remove `deprecated` if it is not";
    assert!(notes.contains(&expected.to_owned()), "{notes:#?}");
}

#[test]
fn a_total_that_the_example_omits_is_proposed_for_a_pagination() {
    let markdown = page("list_crates").replace(",\n  \"TotalCount\": 5", "");
    let new = read_page(&markdown).spec(None).unwrap().text;
    let spec: Value = serde_json::from_str(&new).unwrap();
    assert_eq!(row(&spec, "/response", "TotalCount")["example_omits"], true);
    assert_eq!(spec["pagination"]["total"], "TotalCount");
    assert_eq!(generated(&described(&new)), [""; 0]);
}

/// Imports a page, and returns its proposal for `pagination` and the reason if there is none.
fn proposed_pagination(markdown: &str) -> (Value, Vec<String>) {
    let imported = read_page(markdown).spec(None).unwrap();
    let spec: Value = serde_json::from_str(&imported.text).unwrap();
    // What is proposed is accepted, once it is confirmed.
    let accepted = described(&imported.text);
    assert_eq!(generated(&accepted), [""; 0], "{accepted}");
    let mut reasons = notes(&imported.notes);
    reasons.retain(|note| note.contains("pagination"));
    (spec["pagination"].clone(), reasons)
}

#[test]
fn whatever_paginates_is_proposed() {
    let markdown = page("list_crates");
    let total = |name: &str| {
        let mut pagination = json!({"offset": "Offset", "limit": "Limit", "items": "CrateSet"});
        if !name.is_empty() {
            pagination["total"] = name.into();
        }
        pagination
    };
    for (from, to, expected) in [
        ("", "", total("TotalCount")),
        // Another kind of total, or none.
        ("**TotalCount** | int |  |**Yes**|", "**TotalCount** | int |  |No|", total("TotalCount")),
        ("**TotalCount** | int |", "**TotalCount** | string |", total("TotalCount")),
        ("TotalCount", "total", total("total")),
        ("TotalCount", "TotalCrates", total("TotalCrates")),
        ("TotalCount", "Count", total("")),
        (
            "**TotalCount** | int |  |",
            "**Total** | int |  |No|\n| **TotalCount** | int |  |",
            total("TotalCount"),
        ),
        // Another kind of offset and limit.
        ("**Offset** | int |", "**Offset** | string |", total("TotalCount")),
        (
            "**Limit** | int | 显示数量，默认为20。 |No|",
            "**Limit** | int | 显示数量 |**Yes**|",
            total("TotalCount"),
        ),
        // Items without a name.
        (
            "**CrateName** | string | 箱子名称 |**Yes**|",
            "**CrateName** | string | 箱子名称 |No|",
            total("TotalCount"),
        ),
        ("**CrateName** | string |", "**CrateName** | int |", total("TotalCount")),
    ] {
        let (proposed, reasons) = proposed_pagination(&markdown.replace(from, to));
        assert_eq!(proposed, expected, "{from} → {to}");
        assert_eq!(reasons, [""; 0], "{from} → {to}");
    }
}

#[test]
fn a_pagination_that_is_not_proposed_has_a_reason() {
    let markdown = page("list_crates");
    let after =
        ". If the action is paginated by an offset and a limit, add `pagination` to the spec";
    for (from, to, expected) in [
        (
            "所有者，每项见OwnerSet |No|",
            "所有者，每项见OwnerSet |**Yes**|",
            "32:1: no `pagination` is proposed: the response has several lists: `CrateSet`, `OwnerSet`",
        ),
        (
            "| **Limit** | int | 显示数量，默认为20。 |No|\n",
            "",
            "32:1: no `pagination` is proposed: `Offset` has no `Limit` beside it",
        ),
        (
            "| **Offset** | int | 偏移量，默认0 |No|\n",
            "",
            "32:1: no `pagination` is proposed: `Limit` has no `Offset` beside it",
        ),
        (
            "**Offset** | int |",
            "**PageNo** | int |",
            "32:1: no `pagination` is proposed: `PageNo` chooses a page by its number or a token, and only offsets are supported",
        ),
        (
            "偏移量，默认0",
            "偏移量，默认1",
            "32:1: no `pagination` is proposed: `Offset` seems to be the number of a page",
        ),
        (
            "偏移量，默认0",
            "页码",
            "32:1: no `pagination` is proposed: `Offset` seems to be the number of a page",
        ),
        (
            "**Offset** | int | 偏移量，默认0",
            "**Offset** | array[int] | 偏移量",
            "32:1: no `pagination` is proposed: `Offset` is of type array[int]",
        ),
    ] {
        let (proposed, reasons) = proposed_pagination(&markdown.replace(from, to));
        assert_eq!(proposed, Value::Null, "{to}");
        assert_eq!(reasons, [format!("page.md:{expected}{after}")], "{to}");
    }
    // An action that does not read, or has no list, has another kind of limit.
    let no_offset = markdown.replace("| **Offset** | int | 偏移量，默认0 |No|\n", "");
    let other = read_page(&no_offset.replace("ListCrates", "SealCrates")).spec(None).unwrap();
    assert!(notes(&other.notes).iter().all(|note| !note.contains("pagination")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever a page documents, codegen accepts the pagination that is proposed.
    #[test]
    fn every_proposed_pagination_is_accepted(
        numbers in prop::collection::vec((0..6_usize, any::<bool>()), 3),
        names in ("[oO]ffset|PageNo|Start", "[lL]imit|PageSize", "TotalCount|Total|Count|TotalSize"),
        lists in prop::collection::vec((0..5_usize, any::<bool>()), 0..4), shows_total in any::<bool>(),
    ) {
        const TYPES: [&str; 6] = ["int", "string", "boolean", "float", "array[int]", "object"];
        const LISTS: [&str; 5] =
            ["array[CrateSet]", "array[string]", "array[array[int]]", "CrateSet", "array[object]"];
        let row = |name: &str, ty: &str, required: bool| {
            format!("| **{name}** | {ty} |  |{}|\n", if required { "**Yes**" } else { "No" })
        };
        let number = |name: &str, at: usize| row(name, TYPES[numbers[at].0], numbers[at].1);
        let markdown = page("list_crates");
        let (head, _) = markdown.split_once("| **Offset**").unwrap();
        let (_, tables) = markdown.split_once("为20。 |No|\n").unwrap();
        let (tables, rest) = tables.split_once("| **TotalCount**").unwrap();
        let (_, models) = rest.split_once("OwnerSet |No|\n").unwrap();
        let (models, _) = models.split_once("## 示例").unwrap();
        let lists: String = lists
            .iter()
            .enumerate()
            .map(|(n, (ty, required))| row(&format!("List{n}"), LISTS[*ty], *required))
            .collect();
        let shown = if shows_total { format!(", \"{}\": 1", names.2) } else { String::new() };
        let page = format!(
            "{head}{}{}{tables}{}{lists}{models}## 示例\n\n### 请求示例\n\n```\n\
             https://api.example.com/?Action=ListCrates&DepotName=north\n```\n\n### 响应示例\n\n```json\n\
             {{\"RetCode\": 0, \"Action\": \"ListCratesResponse\"{shown}}}\n```\n",
            number(&names.0, 0), number(&names.1, 1), number(&names.2, 2),
        );
        let reading = read("page.md", page.as_bytes(), None);
        prop_assert!(reading.page.is_some(), "{:?}\n{page}", errors(&reading));
        let text = described(&reading.page.unwrap().spec(None).unwrap().text);
        let refused = generated(&text);
        prop_assert!(refused.iter().all(|error| !error.contains("pagina")), "{refused:?}\n{text}");
    }
}

#[test]
fn an_example_that_is_no_plain_success_is_noted() {
    for (code, note, is_kept) in [
        ("\"Retcode\": 0", "the example spells `RetCode` as `Retcode`", true),
        ("\"retcode\": \"0\"", "the example spells `RetCode` as `retcode`", true),
        ("\"Code\": 0", "the example response has no `RetCode`: read as a success", true),
        ("\"RetCode\": null", "the example response has no `RetCode`: read as a success", true),
        ("\"RetCode\": 0, \"RetCode\": 1", "`RetCode` is repeated: ignored", true),
        ("\"RetCode\": 230", "is not a success, which has `RetCode` 0: ignored", false),
        ("\"RetCode\": \"ok\"", "is not a success, which has `RetCode` 0: ignored", false),
    ] {
        let markdown = page("list_crates").replace("\"RetCode\": 0", code);
        let reading = read("page.md", markdown.as_bytes(), None);
        let notes = notes(&reading.diagnostics);
        assert!(notes.iter().any(|it| it.contains(note)), "{code}: {notes:#?}");
        let imported = reading.page.unwrap().spec(None).unwrap();
        let spec: Value = serde_json::from_str(&imported.text).unwrap();
        let response = &spec["example"]["response"];
        assert_eq!(response.get("RetCode").is_some(), is_kept, "{code}: {response}");
        assert_eq!(response.is_object(), is_kept, "{code}: {response}");
    }
}

/// Removes the traces of the page's words.
fn remove_words(spec: &mut Value) {
    match spec {
        Value::Object(members) => {
            members.remove("words");
            members.values_mut().for_each(remove_words);
        }
        Value::Array(elements) => elements.iter_mut().for_each(remove_words),
        _ => {}
    }
}

/// Imports the whole documentation into the spec that was made from it, if `UHUB_PAGES` names its
/// folder.
#[test]
fn the_documentation_of_the_service_changes_no_spec() {
    let Some(folder) = std::env::var_os("UHUB_PAGES").map(PathBuf::from) else {
        println!("skipped: set UHUB_PAGES to a folder of pages");
        return;
    };
    let actions = PathBuf::from("tests/data/uhub/actions");
    let mut pages: Vec<PathBuf> = Vec::new();
    for (name, facts) in pages_of(&folder) {
        if name.starts_with("uhub/") || facts["action"] == "GetProjectList" {
            pages.push(folder.join(format!("markdown/{name}.md")));
            pages.push(folder.join(format!("text/{name}.txt")));
        }
    }
    assert_eq!(pages.len(), 16);
    pages.push(folder.join("GetRepoImage.txt"));
    for path in pages {
        let page = read("page", &fs::read(&path).unwrap(), None).page.unwrap();
        let committed = fs::read_to_string(actions.join(page.file_name())).unwrap();
        let imported = import(&page, &committed);
        // Pages in two languages have different words.
        let without_words = |spec: &str| {
            let mut spec: Value = serde_json::from_str(spec).unwrap();
            remove_words(&mut spec);
            spec
        };
        assert_eq!(without_words(&imported), without_words(&committed), "{}", path.display());
        assert_eq!(import(&page, &imported), imported, "{}", path.display());
    }
}
