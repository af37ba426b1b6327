//! Pages over the specs there are: facts change, words and decisions stay.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use uhub_codegen::{
    Spec, SpecFile, generate,
    import::{Page, read},
};

use super::{page, pages_of, spec};

fn read_page(markdown: &str) -> Page {
    let reading = read("page.md", markdown.as_bytes(), None);
    assert!(reading.errors.is_empty(), "{:?}", reading.errors);
    reading.page.unwrap()
}

fn import(page: &Page, old: &str) -> String {
    page.spec(Some(&SpecFile::new("spec.json", old)))
        .unwrap()
        .text
}

/// The row of a name in one of a spec's tables.
fn row<'v>(spec: &'v Value, table: &str, name: &str) -> &'v Value {
    let rows = spec.pointer(table).unwrap().as_array().unwrap();
    rows.iter()
        .find(|row| row["name"] == name)
        .unwrap_or(&Value::Null)
}

/// A spec as a person leaves it: with words everywhere and nothing that waits for an answer.
fn described(text: &str) -> String {
    let text = text
        .replace("\"summary\": \"\"", "\"summary\": \"Lists crates.\"")
        .replace("\"description\": \"\"", "\"description\": \"Ours.\"");
    let confirmed: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("\"proposed\""))
        .collect();
    confirmed.join("\n") + "\n"
}

#[test]
fn what_a_page_shows_against_its_tables_is_recorded() {
    let reading = read("page.md", page("list_crates").as_bytes(), None);
    let page = reading.page.unwrap();
    let imported = page.spec(None).unwrap();
    let spec: Value = serde_json::from_str(&imported.text).unwrap();
    assert_eq!(row(&spec, "/parameters", "Limit")["example_type"], "string");
    assert_eq!(
        row(&spec, "/models/CrateSet", "CreateTime")["example_type"],
        "int"
    );
    assert_eq!(
        row(&spec, "/models/CrateSet", "DepotName")["example_omits"],
        true
    );
    assert_eq!(
        row(&spec, "/response", "OwnerSet")["example_type"],
        "array[string]"
    );
    assert_eq!(
        row(&spec, "/models/OwnerSet", "OwnerName")["example_shorthand"],
        true
    );
    assert_eq!(
        row(&spec, "/models/OwnerSet", "Since")["example_omits"],
        true
    );
    assert_eq!(
        spec["example"]["request"]["ProjectId"],
        json!(["p-1", "p-2"])
    );
    assert!(
        imported.text.contains("\"Volume\": 1.50,"),
        "numbers stay as they are written"
    );
    let notes: Vec<String> = imported.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "page.md:56:1: `DepotName` is required, and the example lacks it",
            "page.md:65:1: `Since` is required, and the example lacks it",
            "page.md:76:2: `Limit` is documented as int and shown as string",
            "page.md:77:2: `ProjectId` is shown again",
            "page.md:88:21: `CreateTime` is documented as string and shown as int",
            "page.md:99:15: `OwnerSet` is documented as array[OwnerSet] and shown as array[string]",
        ]
    );
}

#[test]
fn what_is_shown_and_cannot_be_kept_is_said() {
    let page = read_page(&page("plan_route"));
    let imported = page.spec(None).unwrap();
    let spec: Value = serde_json::from_str(&imported.text).unwrap();
    assert_eq!(
        spec["example"]["request"]["Truck"]["Trailer"],
        json!({"Plate": "NN-1"})
    );
    assert_eq!(
        spec["example"]["response"]["Depot"],
        json!({"EndpointPort": "80"})
    );
    let notes: Vec<String> = imported.notes.iter().map(ToString::to_string).collect();
    let expected = [
        "page.md:82:58: `Colour` is shown and nowhere documented: left out of the example",
        "page.md:92:22: `Mode` is shown as null: taken as absent",
        "page.md:92:44: `EndpointPort` is documented as int and shown as string",
    ];
    assert_eq!(notes, expected);
}

#[test]
fn what_the_names_suggest_is_proposed_and_generated_when_it_is_confirmed() {
    let page = read_page(&page("list_crates"));
    let new = page.spec(None).unwrap().text;
    let spec = spec(&page);
    assert_eq!(
        spec["proposed"],
        json!(["idempotency", "pagination", "example_shorthand"])
    );
    assert_eq!(spec["idempotency"], "safe");
    assert_eq!(spec["pagination"]["key"], "CrateName");
    assert_eq!(row(&spec, "/parameters", "Kind")["default"], "wood");
    assert_eq!(row(&spec, "/parameters", "WithSealed")["default"], "No");
    assert_eq!(row(&spec, "/parameters", "Offset")["default"], 0);
    // A default is a parameter's.
    assert_eq!(
        row(&spec, "/models/CrateSet", "Sealed").get("default"),
        None
    );

    let service = fs::read_to_string("../api-spec/uhub/service.json").unwrap();
    let with = |action: &str| {
        let file = SpecFile::new("list_crates.json", action);
        generate(&Spec::new(
            SpecFile::new("service.json", service.clone()),
            vec![file],
        ))
    };
    let mistakes = with(&new).unwrap_err();
    let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(
        said[0],
        "list_crates.json:4:14: this is empty, and becomes documentation: write a sentence for the reader of the Rust docs"
    );
    assert_eq!(
        said[1],
        "list_crates.json:6:16: `repeat` is proposed, and nobody has confirmed it: correct it where it is wrong, then take it out of `proposed`"
    );
    // The summary, three proposals, and each of the six parameters and eleven fields.
    assert_eq!(said.len(), 1 + 3 + 6 + 11, "{said:#?}");

    // Importing it again does not confirm it.
    assert_eq!(import(&page, &new), new);
    let generated = with(&described(&new)).unwrap();
    assert!(generated["list_crates.rs"].contains("pub struct CrateSet"));
}

#[test]
fn words_and_decisions_stay_and_facts_change() {
    let markdown = page("list_crates");
    let old = described(&read_page(&markdown).spec(None).unwrap().text)
        .replace("\"repeat\": \"safe\"", "\"details\": \"No more than 8.\",\n  \"repeat\": \"idempotent\"")
        .replace("\"name\": \"Kind\", \"type\": \"string\", \"required\": false, \"default\": \"wood\",", "\"name\": \"Kind\", \"type\": \"string\", \"required\": false, \"default\": \"wood\", \"enum\": [\"wood\", \"steel\"], \"explicit\": true, \"rust_name\": \"material\",")
        .replace("\"example_type\": \"int\", \"description\": \"Ours.\"", "\"format\": \"timestamp\", \"example_type\": \"int\", \"description\": \"When.\"")
        .replace("\"key\": \"CrateName\"", "\"key\": \"DepotName\"");
    // Written as it is read.
    let old = import(&read_page(&markdown), &old);
    assert_eq!(import(&read_page(&markdown), &old), old);

    let changed = markdown
        .replace(
            "种类：<br /><br />wood\\| steel，默认wood |No|",
            "种类，默认steel |No|",
        )
        .replace(
            "**Weight** | int | 重量（kg） |**Yes**|",
            "**Mass** | float | 重量（kg） |No|",
        )
        .replace("      \"Weight\": 4", "      \"Mass\": 4.5")
        .replace(",\n      \"Weight\": 2\n", "\n")
        .replace(
            "      \"CreateTime\": 5,",
            "      \"CreateTime\": \"today\",",
        )
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
            r#"-{ "name": "CreateTime", "type": "string", "required": true, "format": "timestamp", "example_type": "int", "description": "When." },"#,
            r#"-{ "name": "DepotName", "type": "string", "required": true, "example_omits": true, "description": "Ours." },"#,
            r#"+{ "name": "Mass", "type": "float", "required": false, "description": "" },"#,
            r#"+{ "name": "CreateTime", "type": "string", "required": true, "format": "timestamp", "description": "When." },"#,
            r#"+{ "name": "DepotName", "type": "string", "required": false, "description": "Ours." },"#,
            r#"-"CreateTime": 5,"#,
            r#"+"CreateTime": "today","#,
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

/// The notes of an import that another import of the page would not have.
fn noted(page: &Page, old: &str) -> Vec<String> {
    let of = |old: Option<&SpecFile>| page.spec(old).unwrap().notes;
    let usual = of(None);
    let notes = of(Some(&SpecFile::new("spec.json", old))).into_iter();
    notes
        .filter(|note| !usual.contains(note))
        .map(|note| note.to_string())
        .collect()
}

#[test]
fn a_model_under_another_name_keeps_its_words_and_decisions() {
    let markdown = page("list_crates");
    let old = described(&read_page(&markdown).spec(None).unwrap().text).replace(
        "\"example_type\": \"int\", \"description\": \"Ours.\"",
        "\"format\": \"timestamp\", \"example_type\": \"int\", \"description\": \"When.\"",
    );
    assert_eq!(noted(&read_page(&markdown), &old), [""; 0]);
    // The same fields, though another row refers to it; and other fields, from the same row.
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
        // Neither: another model.
        (with_other_fields(&by_another_row), false),
    ] {
        let page = read_page(&page);
        let expected = if is_alike {
            "`CrateInfo` is taken for `CrateSet` under another name: it keeps its words and decisions"
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
fn a_pagination_that_a_known_action_could_have_is_said_once() {
    let markdown = page("list_crates");
    let paged = read_page(&markdown);
    let without = |page: &Page| -> String {
        let text = page.spec(None).unwrap().text;
        let Some((before, after)) = text.split_once("  \"pagination\"") else {
            return text;
        };
        before.to_owned() + after.split_once("},\n").unwrap().1
    };
    // Somebody has decided that there is none.
    assert_eq!(noted(&paged, &without(&paged)), [""; 0]);
    for (from, to, at) in [
        ("**Limit** | int |", "**Most** | int |", "33:1"),
        (
            "**TotalCount** | int |  |**Yes**|",
            "**TotalCount** | int |  |No|",
            "42:1",
        ),
        ("**CrateName** | string |", "**CrateName** | int |", "53:1"),
    ] {
        let before = without(&read_page(&markdown.replace(from, to)));
        let expected = format!(
            "page.md:{at}: the page now has all that a pagination needs: add `pagination` to the spec if its calls page"
        );
        assert_eq!(noted(&paged, &before), [expected]);
        let after = import(&paged, &before);
        assert!(!after.contains("\"pagination\": "), "{after}");
        assert_eq!(noted(&paged, &after), [""; 0]);
    }
}

#[test]
fn decisions_that_go_with_what_is_gone_are_said() {
    let markdown = page("list_crates");
    let old = described(&read_page(&markdown).spec(None).unwrap().text)
        .replace(
            "\"default\": \"wood\",",
            "\"default\": \"wood\", \"enum\": [\"wood\"], \"explicit\": true,",
        )
        .replace(
            "\"name\": \"TotalCount\",",
            "\"name\": \"TotalCount\", \"rust_name\": \"total\",",
        )
        .replace(
            "\"name\": \"OwnerName\",",
            "\"name\": \"OwnerName\", \"rust_name\": \"who\",",
        )
        .replace(
            "\"name\": \"Weight\",",
            "\"name\": \"Weight\", \"rust_name\": \"kilograms\",",
        );
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

/// The lines that differ, without their margins.
fn similar_lines(old: &str, new: &str) -> Vec<String> {
    similar::TextDiff::from_lines(old, new)
        .iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal)
        .map(|change| format!("{}{}", change.tag(), change.value().trim()))
        .collect()
}

#[test]
fn what_a_page_lacks_and_a_person_wrote_is_kept() {
    let markdown = page("list_crates").replace("#### OwnerSet", "#### Owners");
    let reading = read("page.md", markdown.as_bytes(), None);
    let said: Vec<String> = reading.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "page.md:44:1: `OwnerSet` refers to a model `OwnerSet` that is not there; did you mean `Owners`?",
            "page.md:60:1: nothing refers to the model `Owners`",
        ]
    );
    let page = reading.page.unwrap();
    let model = "\"models\": {\n    \"OwnerSet\": [\n      { \"name\": \"OwnerName\", \"type\": \"string\", \"required\": true, \"description\": \"Who.\" }\n    ],\n";
    let new = page.spec(None).unwrap().text;
    let old = new.replacen("\"models\": {\n", model, 1);
    let again: Value = serde_json::from_str(&import(&page, &old)).unwrap();
    assert_eq!(
        row(&again, "/models/OwnerSet", "OwnerName")["description"],
        "Who."
    );
    // Another one that is referred to from there alone stays with it, wherever it stands.
    let within =
        r#"{ "name": "Home", "type": "array[Place]", "required": false, "description": "Where." }"#;
    let deep = old
        .replacen("\"models\": {\n", "\"models\": {\n    \"Place\": [],\n", 1)
        .replacen(
            "\"description\": \"Who.\" }",
            &format!("\"description\": \"Who.\" }},\n      {within}"),
            1,
        );
    let again = import(&page, &deep);
    assert!(
        again.contains("\n    \"Place\": [],\n    \"OwnerSet\": [\n"),
        "{again}"
    );
    assert!(again.contains(within), "{again}");
    // Nothing refers to it any more: it goes.
    let other = read_page(&markdown.replace("array[[*OwnerSet*](#OwnerSet)]", "array[string]"));
    let again: Value = serde_json::from_str(&import(&other, &old)).unwrap();
    assert_eq!(again.pointer("/models/OwnerSet"), None);
}

#[test]
fn a_spec_that_is_none_is_refused_with_its_place() {
    let page = read_page(&page("list_crates"));
    for (old, expected) in [
        (
            "{\n  \"action\": \"ListCrates\",\n}",
            "spec.json:3:1: this is not JSON: trailing comma",
        ),
        ("[]", "spec.json:1:1: this is not the spec of `ListCrates`"),
        (
            "{\"action\": \"Other\"}",
            "spec.json:1:1: this is not the spec of `ListCrates`",
        ),
    ] {
        let mistakes = page
            .spec(Some(&SpecFile::new("spec.json", old)))
            .unwrap_err();
        assert_eq!(mistakes[0].to_string(), expected);
    }
}

#[test]
fn what_stands_twice_in_a_spec_is_refused_with_its_place() {
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
    let mistakes = page.spec(Some(&SpecFile::new("spec.json", old)));
    let said: Vec<String> = mistakes
        .unwrap_err()
        .iter()
        .map(|mistake| {
            let text = mistake.to_string();
            let (place, message) = text.split_once(" stands here twice: ").unwrap();
            assert!(message.starts_with("keep one"), "{message}");
            place.to_owned()
        })
        .collect();
    assert_eq!(
        said,
        [
            "spec.json:1:43: `summary`",
            "spec.json:4:5: `Kind`",
            "spec.json:5:39: `enum`",
            "spec.json:8:71: `CrateSet`",
            "spec.json:9:31: `request`",
        ]
    );
}

#[test]
fn what_an_example_has_beside_its_parts_is_kept() {
    let page = read_page(&page("list_crates"));
    let old = page.spec(None).unwrap().text;
    let old = old.replacen(
        "\"example\": {\n",
        "\"example\": {\n    \"note\": \"Ours.\",\n",
        1,
    );
    let new: Value = serde_json::from_str(&import(&page, &old)).unwrap();
    assert_eq!(new["example"]["note"], "Ours.");
}

#[test]
fn two_pages_of_one_action_say_where_they_differ() {
    let one = read_page(&page("list_crates"));
    assert_eq!(one.difference(&one), None);
    for (from, to, expected) in [
        (
            "**Weight** | int",
            "**Weight** | float",
            "`Weight` (CrateSet): int, required and float, required",
        ),
        (
            "| **Limit** | int | 显示数量，默认为20。 |No|\n",
            "",
            "`Limit` (parameters): int and not there",
        ),
        (
            "**Kind** | string | 种类：<br /><br />wood\\| steel，默认wood |No|",
            "**Kind** | string | 种类 |Yes|",
            "`Kind` (parameters): string and string, required",
        ),
    ] {
        let other = read_page(&page("list_crates").replace(from, to));
        assert_eq!(one.difference(&other).as_deref(), Some(expected));
    }
}

/// The whole documentation over the committed spec, where it is at hand.
#[test]
fn the_documentation_of_the_service_changes_nothing() {
    let Some(folder) = std::env::var_os("UHUB_PAGES").map(PathBuf::from) else {
        println!("skipped: UHUB_PAGES names no folder of pages");
        return;
    };
    let actions = PathBuf::from("../api-spec/uhub/actions");
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
        assert_eq!(import(&page, &committed), committed, "{}", path.display());
    }
}
