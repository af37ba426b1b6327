//! Compares specs, and checks the reported classes by compiling users' code.
#![allow(clippy::unwrap_used)]

mod spec_folder;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use uhub_codegen::{Change, Class, Spec, SpecFile, diff, generate};

/// An action with a little of everything.
const ACTION: &str = r#"{
  "action": "@", "summary": "Does something.", "idempotency": "non_idempotent",
  "parameters": [
    { "name": "First", "type": "string", "required": true, "description": "One text." },
    { "name": "Second", "type": "string", "required": true, "description": "Another text." },
    { "name": "Count", "type": "int", "required": true, "description": "A number." },
    { "name": "Note", "type": "string", "required": false, "default": "a", "description": "A note." },
    { "name": "Blank", "type": "string", "required": false, "allow_empty": true, "description": "A text that may be empty." },
    { "name": "Hot", "type": "string", "required": false, "format": "boolean", "description": "True or false." },
    { "name": "Kind", "type": "string", "required": false, "enum": ["One", "Two"], "description": "One of two." },
    { "name": "Tags", "type": "array[string]", "required": false, "description": "Texts." },
    { "name": "Offset", "type": "int", "required": false, "description": "Where a page begins." },
    { "name": "Limit", "type": "int", "required": false, "description": "How long it is." },
    { "name": "ProjectId", "type": "string", "required": false, "description": "The project." },
    { "name": "Disk.Size", "type": "int", "required": false, "description": "A field of a group." },
    { "name": "Stops", "type": "array[Stop]", "required": false, "description": "Models." }
  ],
  "response": [
    { "name": "Total", "type": "int", "required": true, "description": "How many there are." },
    { "name": "Rows", "type": "array[Item]", "required": true, "description": "The items." },
    { "name": "Text", "type": "string", "required": true, "description": "A text." },
    { "name": "Maybe", "type": "string", "required": false, "description": "A text or none." },
    { "name": "Words", "type": "array[string]", "required": true, "description": "Texts." },
    { "name": "State", "type": "string", "required": true, "enum": ["On", "Off"], "description": "One of two." }
  ],
  "models": {
    "Item": [
      { "name": "Id", "type": "string", "required": true, "description": "Its id." },
      { "name": "Name", "type": "string", "required": true, "description": "Its name." },
      { "name": "Inner", "type": "Inner", "required": true, "description": "A model in a model." }
    ],
    "Inner": [{ "name": "Size", "type": "int", "required": true, "description": "A number." }],
    "Stop": [
      { "name": "At", "type": "string", "required": true, "description": "Where." },
      { "name": "Why", "type": "string", "required": false, "description": "Why." }
    ]
  },
  "pagination": { "offset": "Offset", "limit": "Limit", "total": "Total", "items": "Rows" }
}"#;

/// What a user does with all of it.
const USER: &str = r#"//! A user's code.
use uhub_sdk::{Action, Call, Client, actions::case_@::*};

#[allow(dead_code)]
fn build(client: &Client) -> Call<Case@Request> {
    let mut request = Case@Request::new("a", "b", 1)
        .note("n").blank("").hot(true).kind(Case@Kind::One).tags(["x", "y"]).offset(0).limit(10)
        .disk(Disk::new().size(1))
        .stops([Stop::new("here").why("because")]);
    let texts = (&request.first[..], &request.second[..]);
    let (note, hot, kind, tags): (Option<String>, Option<bool>, Option<Case@Kind>, Vec<String>) =
        (request.note.clone(), request.hot, request.kind.clone(), request.tags.clone());
    let count: i64 = request.count;
    let size: Option<i64> = request.disk.as_ref().and_then(|disk| disk.size);
    request.limit = Some(5);
    drop((texts.0.len(), note, hot, kind, tags, count, size));
    let _ = (Case@Request::NAME, Disk::default());
    client.case_@("a", "b", 1)
        .note(String::new()).blank("").hot(false).kind(Case@Kind::Two).tags(vec![String::new()])
        .offset(1).limit(1).disk(Disk::new()).stops(Vec::new())
}

#[allow(dead_code)]
fn read(mut response: Case@Response) -> (i64, String, Option<String>, Vec<String>) {
    match &response.state {
        Case@State::On | Case@State::Off => {}
        other => println!("{other}"),
    }
    for Item { id, name, inner, .. } in response.rows.drain(..) {
        let (id, name, inner): (String, String, Inner) = (id, name, inner);
        let size: i64 = inner.size;
        println!("{id} {name} {size}");
    }
    (response.total, response.text, response.maybe, response.words)
}

fn main() {
    let mut response = Case@Response::default();
    response.text = "text".to_owned();
    let pages = |client: &Client| drop((build(client).items(), build(client).pages()));
    let _ = (response, pages);
}
"#;

use Class::{Additive, Breaking, Documentation};

/// An edit of the action (old text, new text), and the expected changes: class, whether silent,
/// headline.
type Case = (&'static str, &'static str, &'static [(Class, bool, &'static str)]);

const CASES: &[Case] = &[
    // Requests.
    (
        r#"{ "name": "Count","#,
        r#"{ "name": "More", "type": "int", "required": true, "description": "x" }, { "name": "Count","#,
        &[(Breaking, false, "parameter `More` is new")],
    ),
    (
        r#"{ "name": "Count","#,
        r#"{ "name": "More", "type": "string", "required": true, "description": "x" }, { "name": "Most", "type": "string", "required": true, "description": "x" }, { "name": "Count","#,
        &[
            (Breaking, false, "parameter `Most` is new"),
            (Breaking, false, "parameters: constructor, arguments → a struct"),
        ],
    ),
    (
        r#""Note", "type": "string", "required": false, "default": "a""#,
        r#""Note", "type": "string", "required": false, "secret": true, "default": "a""#,
        &[(Breaking, false, "parameter `Note`: type, String → SecretString")],
    ),
    (
        r#""Maybe", "type": "string", "required": false"#,
        r#""Maybe", "type": "string", "required": false, "secret": true"#,
        &[(Breaking, false, "response field `Maybe`: type, String → SecretString")],
    ),
    (
        r#""enum": ["One", "Two"]"#,
        r#""enum": ["One", "Two"], "value_names": { "One": "First" }"#,
        &[(Breaking, false, "value `One` of `Kind`: Rust name, One → First")],
    ),
    (
        r#""action": "Case@","#,
        r#""action": "Case@", "rust_name": "renamed_case_@","#,
        &[(Breaking, false, "action: Rust name, case_@ → renamed_case_@")],
    ),
    (
        r#"{ "name": "Note","#,
        r#"{ "name": "More", "type": "int", "required": false, "description": "x" }, { "name": "Note","#,
        &[(Additive, false, "parameter `More` is new")],
    ),
    (
        r#"{ "name": "Count", "type": "int", "required": true, "description": "A number." },"#,
        "",
        &[(Breaking, false, "parameter `Count` is gone")],
    ),
    (
        r#"{ "name": "Note", "type": "string", "required": false, "default": "a", "description": "A note." },"#,
        "",
        &[(Breaking, false, "parameter `Note` is gone")],
    ),
    (
        r#""Count", "type": "int", "required": true"#,
        r#""Count", "type": "int", "required": false"#,
        &[(Breaking, false, "parameter `Count`: required, required → optional")],
    ),
    (
        r#""Note", "type": "string", "required": false, "default": "a""#,
        r#""Note", "type": "string", "required": true"#,
        &[
            (Breaking, false, "parameter `Note`: required, optional → required"),
            (Documentation, true, "parameter `Note`: default, `a` → none"),
        ],
    ),
    (
        r#""Note", "type": "string", "required": false, "default": "a""#,
        r#""Note", "type": "string", "required": false, "default": "a", "explicit": true"#,
        &[(Breaking, false, "parameter `Note`: required, optional → required")],
    ),
    (
        r#""default": "a""#,
        r#""default": "b""#,
        &[(Documentation, true, "parameter `Note`: default, `a` → `b`")],
    ),
    (
        r#""Count", "type": "int""#,
        r#""Count", "type": "string""#,
        &[(Breaking, false, "parameter `Count`: type, i64 → String")],
    ),
    (
        r#""Note", "type": "string""#,
        r#""Note", "type": "array[string]""#,
        // The default no longer fits the type and is removed with it.
        &[(Breaking, false, "parameter `Note`: type, String → Vec<String>")],
    ),
    (r#""Tags", "type": "array[string]""#, r#""Tags.N", "type": "string""#, &[]),
    (
        r#""Tags", "type": "array[string]""#,
        r#""Tags", "type": "string""#,
        &[(Breaking, false, "parameter `Tags.N`: type, Vec<String> → String")],
    ),
    (
        r#""enum": ["One", "Two"], "#,
        "",
        &[(Breaking, false, "parameter `Kind`: type, Case@Kind → String")],
    ),
    (
        r#""Note", "type": "string", "required": false, "default": "a""#,
        r#""Note", "type": "string", "required": false, "enum": ["a"], "default": "a""#,
        &[(Breaking, false, "parameter `Note`: type, String → Case@Note")],
    ),
    (
        r#"["One", "Two"]"#,
        r#"["One", "Two", "Three"]"#,
        &[(Additive, true, "value `Three` of `Kind` is new")],
    ),
    (
        r#"["One", "Two"]"#,
        r#"["one", "Two"]"#,
        &[(Breaking, true, "value `One` of `Kind`: documented name, One → one")],
    ),
    (r#"["One", "Two"]"#, r#"["One"]"#, &[(Breaking, false, "value `Two` of `Kind` is gone")]),
    (
        r#""Hot", "type": "string", "required": false, "format": "boolean""#,
        r#""Hot", "type": "boolean", "required": false"#,
        &[(Documentation, true, "parameter `Hot`: wire type, text_boolean → boolean")],
    ),
    (
        r#""Hot", "type": "string", "required": false, "format": "boolean""#,
        r#""Hot", "type": "string", "required": false"#,
        &[(Breaking, false, "parameter `Hot`: type, bool → String")],
    ),
    (
        r#""required": false, "allow_empty": true"#,
        r#""required": false"#,
        &[(Breaking, true, "parameter `Blank`: empty text, accepted → rejected")],
    ),
    (
        r#""default": "a""#,
        r#""default": "a", "allow_empty": true"#,
        &[(Additive, true, "parameter `Note`: empty text, rejected → accepted")],
    ),
    (
        r#""name": "Second""#,
        r#""name": "Other""#,
        &[
            (Breaking, false, "parameter `Second` is gone"),
            (Breaking, false, "parameter `Other` is new"),
            (
                Breaking,
                true,
                "parameters: arguments, new(First, Second, Count) → new(First, Other, Count)",
            ),
        ],
    ),
    (
        r#""Note", "type""#,
        r#""Note", "rust_name": "remark", "type""#,
        &[(Breaking, false, "parameter `Note`: Rust name, note → remark")],
    ),
    // Another documented name with the same Rust name.
    (
        r#""name": "Note""#,
        r#""name": "NOTE""#,
        &[(Breaking, true, "parameter `Note`: documented name, Note → NOTE")],
    ),
    (
        r#""name": "First", "type""#,
        r#""name": "Foremost", "rust_name": "first", "type""#,
        &[(Breaking, true, "parameter `First`: documented name, First → Foremost")],
    ),
    (
        r#""name": "Why""#,
        r#""name": "WHY""#,
        &[(Breaking, true, "field `Why` of `Stop` in the parameters: documented name, Why → WHY")],
    ),
    (
        r#""name": "Text""#,
        r#""name": "TEXT""#,
        &[(Breaking, true, "response field `Text`: documented name, Text → TEXT")],
    ),
    (
        r#""name": "Size""#,
        r#""name": "SIZE""#,
        &[(Breaking, true, "field `Size` of `Inner`: documented name, Size → SIZE")],
    ),
    // Arguments in another order: with the same types, and with different ones.
    (
        r#""name": "First", "type": "string", "required": true, "description": "One text." },
    { "name": "Second", "type": "string", "required": true, "description": "Another text.""#,
        r#""name": "Second", "type": "string", "required": true, "description": "Another text." },
    { "name": "First", "type": "string", "required": true, "description": "One text.""#,
        &[(
            Breaking,
            true,
            "parameters: arguments, new(First, Second, Count) → new(Second, First, Count)",
        )],
    ),
    (
        r#""name": "Second", "type": "string", "required": true, "description": "Another text." },
    { "name": "Count", "type": "int", "required": true, "description": "A number.""#,
        r#""name": "Count", "type": "int", "required": true, "description": "A number." },
    { "name": "Second", "type": "string", "required": true, "description": "Another text.""#,
        &[(
            Breaking,
            false,
            "parameters: argument order, new(First, Second, Count) → new(First, Count, Second)",
        )],
    ),
    // The order of optional parameters does not matter.
    (
        r#"{ "name": "Offset", "type": "int", "required": false, "description": "Where a page begins." },
    { "name": "Limit", "type": "int", "required": false, "description": "How long it is." }"#,
        r#"{ "name": "Limit", "type": "int", "required": false, "description": "How long it is." },
    { "name": "Offset", "type": "int", "required": false, "description": "Where a page begins." }"#,
        &[(Documentation, false, "parameters: order")],
    ),
    // Groups and models in requests.
    (
        r#""Disk.Size", "type": "int""#,
        r#""Disk.Size", "type": "string""#,
        &[(Breaking, false, "parameter `Disk.Size`: type, i64 → String")],
    ),
    (
        r#"{ "name": "Disk.Size","#,
        r#"{ "name": "Disk.Type", "type": "string", "required": false, "description": "x" }, { "name": "Disk.Size","#,
        &[(Additive, false, "parameter `Disk.Type` is new")],
    ),
    (
        r#"{ "name": "Disk.Size","#,
        r#"{ "name": "Disk.Type", "type": "string", "required": true, "description": "x" }, { "name": "Disk.Size","#,
        &[
            (Breaking, false, "parameter `Disk`: required, optional → required"),
            (Breaking, false, "parameter `Disk.Type` is new"),
        ],
    ),
    (
        r#""Disk.Size""#,
        r#""Disk.N.Size""#,
        &[(Breaking, false, "parameter `Disk`: type, Disk → Vec<Disk>")],
    ),
    (
        r#""Why", "type": "string", "required": false"#,
        r#""Why", "type": "string", "required": true"#,
        &[(
            Breaking,
            false,
            "field `Why` of `Stop` in the parameters: required, optional → required",
        )],
    ),
    (
        r#"{ "name": "At","#,
        r#"{ "name": "More", "type": "object", "required": false, "description": "x" }, { "name": "At","#,
        &[(Additive, false, "field `More` of `Stop` in the parameters is new")],
    ),
    (
        r#""array[Stop]""#,
        r#""array[object]""#,
        &[(Breaking, false, "parameter `Stops.N`: type, Vec<Stop> → Vec<serde_json::Value>")],
    ),
    // Responses.
    (
        r#"{ "name": "Text","#,
        r#"{ "name": "More", "type": "int", "required": true, "description": "x" }, { "name": "Text","#,
        &[(Additive, false, "response field `More` is new")],
    ),
    (
        r#"{ "name": "Text", "type": "string", "required": true, "description": "A text." },"#,
        "",
        &[(Breaking, false, "response field `Text` is gone")],
    ),
    (
        r#""Text", "type": "string", "required": true"#,
        r#""Text", "type": "string", "required": false"#,
        &[(Breaking, false, "response field `Text`: required, required → optional")],
    ),
    (
        r#""Text", "type": "string", "required": true"#,
        r#""Text", "type": "string", "required": true, "example_omits": true"#,
        &[(Breaking, false, "response field `Text`: required, required → optional")],
    ),
    (
        r#""Maybe", "type": "string", "required": false"#,
        r#""Maybe", "type": "string", "required": true"#,
        &[(Breaking, false, "response field `Maybe`: required, optional → required")],
    ),
    (
        r#""Maybe", "type": "string", "required": false"#,
        r#""Maybe", "type": "string", "required": true, "example_omits": true"#,
        &[(
            Documentation,
            false,
            "response field `Maybe`: documented as, optional → required, absent from the example",
        )],
    ),
    (
        r#""Text", "type": "string""#,
        r#""Text", "type": "array[string]""#,
        &[(Breaking, false, "response field `Text`: type, String → Vec<String>")],
    ),
    (
        r#""Text", "type": "string", "required": true"#,
        r#""Text", "type": "string", "required": true, "format": "timestamp""#,
        &[(Breaking, false, "response field `Text`: type, String → Timestamp")],
    ),
    (
        r#""Words", "type": "array[string]", "required": true"#,
        r#""Words", "type": "array[string]", "required": false"#,
        &[(Documentation, true, "response field `Words`: when absent, an error → empty")],
    ),
    (
        r#""Words", "type": "array[string]", "required": true"#,
        r#""Words", "type": "array[string]", "required": true, "counted_by": "Total""#,
        &[(
            Documentation,
            true,
            "response field `Words`: when absent, an error → an error unless `Total` is 0",
        )],
    ),
    (
        r#""Text", "type": "string", "required": true"#,
        r#""Text", "type": "string", "required": true, "example_type": "int""#,
        &[(Documentation, false, "response field `Text`: example type")],
    ),
    (
        r#""Text", "type""#,
        r#""Text", "rust_name": "words_of_it", "type""#,
        &[(Breaking, false, "response field `Text`: Rust name, text → words_of_it")],
    ),
    (
        r#"["On", "Off"]"#,
        r#"["On", "Off", "Unknown"]"#,
        &[(Additive, true, "value `Unknown` of `State` is new")],
    ),
    (
        r#""enum": ["On", "Off"], "#,
        "",
        &[(Breaking, false, "response field `State`: type, Case@State → String")],
    ),
    // Models.
    (
        r#"{ "name": "Name","#,
        r#"{ "name": "More", "type": "Inner", "required": false, "description": "x" }, { "name": "Name","#,
        &[(Additive, false, "field `More` of `Item` is new")],
    ),
    (
        r#"{ "name": "Name", "type": "string", "required": true, "description": "Its name." },"#,
        "",
        &[(Breaking, false, "field `Name` of `Item` is gone")],
    ),
    (
        r#""Name", "type": "string", "required": true"#,
        r#""Name", "type": "string", "required": true, "example_shorthand": true"#,
        &[(Additive, true, "field `Name` of `Item`: shorthand, rejected → accepted")],
    ),
    (
        r#"{ "name": "Size", "type": "int", "required": true"#,
        r#"{ "name": "Back", "type": "Item", "required": false, "description": "x" }, { "name": "Size", "type": "int", "required": true"#,
        &[
            (Additive, false, "field `Back` of `Inner` is new"),
            (Breaking, false, "field `Inner` of `Item`: type, Inner → Box<Inner>"),
            (Breaking, false, "field `Inner` of `Item`: required, required → optional"),
        ],
    ),
    (r#""Inner": ["#, r#""Extra": [], "Inner": ["#, &[(Additive, false, "model `Extra` is new")]),
    (
        r#""Inner", "type": "Inner", "required": true, "description": "A model in a model." }
    ],
    "Inner": ["#,
        r#""Inner", "type": "Within", "required": true, "description": "A model in a model." }
    ],
    "Within": ["#,
        &[
            (Breaking, false, "field `Inner` of `Item`: type, Inner → Within"),
            (Breaking, false, "model `Inner` is gone"),
            (Additive, false, "model `Within` is new"),
        ],
    ),
    // A model of responses is used in requests too, and gets a second struct.
    (
        r#"{ "name": "Stops","#,
        r#"{ "name": "Where", "type": "Inner", "required": false, "description": "x" }, { "name": "Stops","#,
        &[
            (Additive, false, "parameter `Where` is new"),
            (Additive, false, "model `Inner` in the parameters is new"),
        ],
    ),
    // A model of requests is used in responses too, whose struct takes its name.
    (
        r#"{ "name": "Text","#,
        r#"{ "name": "More", "type": "array[int]", "required": true, "description": "x" }, { "name": "Text","#,
        &[(Additive, true, "response field `More` is new")],
    ),
    (
        r#"{ "name": "Text","#,
        r#"{ "name": "Stop", "type": "Stop", "required": false, "description": "x" }, { "name": "Text","#,
        &[
            (Breaking, false, "model `Stop` in the parameters: Rust name, Stop → StopParameters"),
            (Additive, false, "model `Stop` is new"),
            (Additive, false, "response field `Stop` is new"),
        ],
    ),
    // Deprecations.
    (
        r#""default": "a", "description": "A note." }"#,
        r#""default": "a", "description": "A note.", "deprecated": "Use tags." }"#,
        &[(Additive, false, "parameter `Note`: deprecated, no → yes")],
    ),
    (
        r#""description": "A text or none." }"#,
        r#""description": "A text or none.", "deprecated": "Use words." }"#,
        &[(Additive, false, "response field `Maybe`: deprecated, no → yes")],
    ),
    (
        r#""summary": "Does something.""#,
        r#""summary": "Does something.", "deprecated": "Do something else.""#,
        &[(Additive, false, "action: deprecated, no → yes")],
    ),
    // A default that goes.
    (
        r#""required": false, "default": "a""#,
        r#""required": false"#,
        &[(Documentation, true, "parameter `Note`: default, `a` → none")],
    ),
    // The action.
    (
        r#""idempotency": "non_idempotent""#,
        r#""idempotency": "safe""#,
        &[(Documentation, true, "action: idempotency, non_idempotent → safe")],
    ),
    ("Does something.", "Does something else.", &[(Documentation, false, "action: summary")]),
    (
        "Another text.",
        "Another text in other words.",
        &[(Documentation, false, "parameter `Second`: description")],
    ),
    (
        r#",
  "pagination": { "offset": "Offset", "limit": "Limit", "total": "Total", "items": "Rows" }"#,
        "",
        &[
            (Breaking, false, "pagination is gone"),
            (
                Documentation,
                true,
                "response field `Rows`: when absent, an error unless `Total` is 0 → an error",
            ),
        ],
    ),
    (
        r#""total": "Total", "#,
        "",
        &[
            (Documentation, true, "pagination: total, Total → none"),
            (
                Documentation,
                true,
                "response field `Rows`: when absent, an error unless `Total` is 0 → an error",
            ),
        ],
    ),
    (
        r#""action": "Case@""#,
        r#""action": "Kase@""#,
        &[(Breaking, false, "action is gone"), (Additive, false, "action is new")],
    ),
    (
        r#""First", "type": "string", "required": true"#,
        r#""First", "type": "string", "required": false, "split_when_absent": { "action": "Bare@", "summary": "Does it bare.", "idempotency": "non_idempotent" }"#,
        &[(Additive, false, "action is new")],
    ),
];

/// A case's number as letters, because names with digits are converted differently.
fn letters(index: usize) -> String {
    let letter = |digit: usize| char::from(b'a' + u8::try_from(digit).unwrap());
    [letter(index / 26), letter(index % 26)].iter().collect()
}

fn named(text: &str, index: usize) -> String {
    let name = letters(index);
    let capital = name[..1].to_uppercase() + &name[1..];
    text.replace("case_@", &format!("case_{name}")).replace('@', &capital)
}

fn service() -> SpecFile {
    SpecFile::new("service.json", include_str!("data/other/service.json"))
}

/// The spec of all cases, before or after.
fn spec(is_after: bool) -> Spec {
    let actions = CASES.iter().enumerate().map(|(index, (from, to, _))| {
        let action = ACTION.replacen("\"@\"", "\"Case@\"", 1);
        assert_eq!(action.matches(from).count(), 1, "{from}");
        let action = match is_after {
            true => action.replacen(from, to, 1),
            false => action,
        };
        // A default has to fit its type.
        let action = action.replace(
            r#""array[string]", "required": false, "default": "a""#,
            r#""array[string]", "required": false"#,
        );
        let file = match action.contains("Kase@") {
            true => named("kase_@.json", index).to_lowercase(),
            false => named("case_@.json", index),
        };
        SpecFile::new(file, named(&action, index))
    });
    Spec::new(service(), actions.collect())
}

fn headline(change: &Change) -> String {
    match (&change.from, &change.to) {
        (Some(from), Some(to)) => format!("{}: {}, {from} → {to}", change.subject, change.aspect),
        _ if ["gone", "new"].contains(&change.aspect) => {
            format!("{} is {}", change.subject, change.aspect)
        }
        _ => format!("{}: {}", change.subject, change.aspect),
    }
}

fn classified(change: &Change) -> String {
    let (class, headline) = (change.class, headline(change));
    format!("{class:?} {} {headline}", change.is_silent)
}

/// The changes of one case.
fn changes_of(index: usize, changes: &[Change]) -> Vec<&Change> {
    let suffix = named("se@", index);
    let bare = named("Bare@", index);
    changes
        .iter()
        .filter(|change| {
            let action = change.action.as_deref().unwrap_or_default();
            action.ends_with(&suffix)
                || action == bare
                || action.starts_with(&format!("Ca{suffix} "))
        })
        .collect()
}

#[test]
fn every_change_is_reported_with_its_class() {
    let changes = diff(&spec(false), &spec(true)).unwrap().changes;
    let mut wrong = Vec::new();
    for (index, (from, to, expected)) in CASES.iter().enumerate() {
        let found: Vec<String> = changes_of(index, &changes).into_iter().map(classified).collect();
        let missing: Vec<String> = expected
            .iter()
            .map(|(class, silent, headline)| {
                named(&format!("{class:?} {silent} {headline}"), index)
            })
            .filter(|expected| !found.contains(expected))
            .collect();
        if !missing.is_empty() || found.is_empty() != expected.is_empty() {
            wrong.push(format!("{from}\n-> {to}\n  lacks {missing:#?}\n  found {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// UHub's spec as it once was, after an edit of one file.
fn edited(file: &str, from: &str, to: &str) -> Spec {
    let mut spec = spec_folder::read("tests/data/uhub");
    let files = spec.actions.iter_mut().chain([&mut spec.service]);
    let file = files.into_iter().find(|it| it.path.ends_with(file)).unwrap();
    assert!(file.text.contains(from), "{from}");
    file.text = file.text.replace(from, to);
    spec
}

fn uhub() -> Spec {
    edited("service.json", "UHub", "UHub")
}

#[test]
fn changes_of_the_service_are_reported() {
    for (file, from, to, expected) in [
        (
            "service.json",
            "https://api.surfercloud.com/",
            "https://api.example.com/",
            "Breaking true service: endpoint, https://api.surfercloud.com/ → https://api.example.com/",
        ),
        (
            "service.json",
            "\"code\": 171",
            "\"code\": 1710",
            "Breaking false return code 171 is gone",
        ),
        (
            "service.json",
            "\"code\": 171",
            "\"code\": 1710",
            "Additive false return code 1710 is new",
        ),
        (
            "service.json",
            "SIGNATURE_WRONG",
            "SIGNATURE_BAD",
            "Breaking false return code 171: Rust name, SIGNATURE_WRONG → SIGNATURE_BAD",
        ),
        (
            "service.json",
            "\"throttled\"",
            "\"rejected\"",
            "Documentation true return code 153: outcome, throttled → rejected",
        ),
        (
            "service.json",
            "\"project_parameter\": \"ProjectId\"",
            "\"project_parameter\": \"RepoName\"",
            "Breaking true service: project parameter, ProjectId → RepoName",
        ),
        (
            "service.json",
            r#""parameters": ["#,
            r#""parameters": [ { "name": "Nonce", "type": "string", "required": true, "description": "x" },"#,
            "Documentation false common parameter `Nonce` is new",
        ),
        (
            "service.json",
            "\"service\": \"UHub\"",
            "\"service\": \"Hub\"",
            "Documentation false service: name, UHub → Hub",
        ),
        (
            "create_repo.json",
            "\"enum_type\": \"Visibility\", ",
            "",
            "Breaking false parameter `IsShared`: type, Visibility → bool",
        ),
        (
            "create_repo.json",
            "\"type\": \"boolean\", \"required\": false, \"default\": false,",
            "\"type\": \"string\", \"required\": false, \"default\": \"false\", \"format\": \"boolean\", \"example_type\": \"boolean\",",
            "Documentation true parameter `IsShared`: wire type, boolean → text_boolean",
        ),
        (
            "get_repo_image.json",
            "\"list_images\"",
            "\"images\"",
            "Documentation false action: aliases, list_images → images",
        ),
    ] {
        let changes = diff(&uhub(), &edited(file, from, to)).unwrap().changes;
        let found: Vec<String> = changes.iter().map(classified).collect();
        assert!(found.iter().any(|line| line == expected), "{expected}: {found:#?}");
    }
}

#[test]
fn changes_of_shared_enums_are_reported() {
    let spec = |level: &str| {
        let enums = format!("\"enums\": {{ {level}, ");
        edited("service.json", "\"enums\": {", &enums)
    };
    let level = r#""Level": { "description": "How high.", "variants": [
        { "name": "Low", "values": ["low"], "description": "Low." },
        { "name": "High", "values": ["high", "top"], "description": "High." }
    ] }"#;
    for (from, to, expected) in [
        (
            "\"variants\": [",
            r#""variants": [ { "name": "Middle", "values": ["middle"], "description": "x" },"#,
            "Additive true variant `Level::Middle` is new",
        ),
        ("\"Low\"", "\"Bottom\"", "Breaking false variant `Level::Low` is gone"),
        (
            "[\"low\"]",
            "[\"low\", \"bottom\"]",
            "Additive true value `bottom` of `Level::Low` is new",
        ),
        (", \"top\"]", "]", "Breaking true value `top` of `Level::High` is gone"),
        (
            "[\"high\", \"top\"]",
            "[\"top\", \"high\"]",
            "Breaking true variant `Level::High`: text, high → top",
        ),
        ("How high.", "How much.", "Documentation false enum `Level`: description"),
        ("\"Level\"", "\"Height\"", "Breaking false enum `Level` is gone"),
    ] {
        let changes = diff(&spec(level), &spec(&level.replace(from, to))).unwrap();
        let found: Vec<String> = changes.changes.iter().map(classified).collect();
        assert!(found.iter().any(|line| line == expected), "{found:#?}");
        let is_of_service = |change: &Change| change.action.is_none();
        assert!(changes.changes.iter().all(is_of_service), "{changes:#?}");
    }
}

/// Both types are any JSON in Rust, because the example contradicts them.
#[test]
fn a_changed_documented_type_of_any_json_is_reported() {
    let old = spec_folder::read("tests/data/other");
    for (from, to, expected) in [
        (
            r#""name": "Price", "type": "int""#,
            r#""name": "Price", "type": "boolean""#,
            "Documentation true response field `Price`: documented type, int → boolean",
        ),
        (
            r#""name": "Number", "type": "string""#,
            r#""name": "Number", "type": "int""#,
            "Documentation true response field `Number`: documented type, string → int",
        ),
        (
            r#""name": "Number", "type": "string", "required": false, "example_type": "array[string]""#,
            r#""name": "Number", "type": "array[string]", "required": false"#,
            "Breaking false response field `Number`: type, serde_json::Value → Vec<String>",
        ),
    ] {
        let mut new = old.clone();
        let files = &mut new.actions;
        let file = files.iter_mut().find(|it| it.path.ends_with("plan_trip.json")).unwrap();
        assert!(file.text.contains(from), "{from}");
        file.text = file.text.replacen(from, to, 1);
        let changes = diff(&old, &new).unwrap().changes;
        let found: Vec<String> = changes.iter().map(classified).collect();
        assert!(found.iter().any(|line| line == expected), "{expected}: {found:#?}");
        assert!(
            found.iter().all(|line| line == expected || line.contains("example type")),
            "{found:#?}"
        );
    }
}

/// After an import, the first question is what the change breaks.
#[test]
fn a_spec_is_compared_before_it_is_described() {
    let imported = edited(
        "get_repo_image.json",
        r#"{ "name": "RepoName", "type": "string", "required": true, "description": "Name of the repository." },"#,
        r#"{ "name": "RepoName", "type": "string", "required": true, "description": "Name of the repository." },
    { "name": "Order", "type": "string", "required": false, "description": "" },"#,
    );
    let mut imported = imported;
    let action = r#"{
  "action": "GetNews", "summary": "", "idempotency": "safe", "proposed": ["idempotency"],
  "parameters": [{ "name": "ProjectId", "type": "string", "required": false, "description": "" }],
  "response": []
}"#;
    imported.actions.push(SpecFile::new("get_news.json", action));
    let changes = diff(&uhub(), &imported).unwrap().changes;
    let found: Vec<String> = changes.iter().map(classified).collect();
    let new = ["Additive false action is new", "Additive false parameter `Order` is new"];
    assert_eq!(found, new);
    // Nor does the wording of the old spec matter.
    assert!(diff(&imported, &uhub()).is_ok());
}

/// The file of an editor that writes a byte order mark.
#[test]
fn a_byte_order_mark_is_no_change() {
    let mut marked = uhub();
    for file in marked.actions.iter_mut().chain([&mut marked.service]) {
        *file = SpecFile::new(file.path.clone(), format!("\u{feff}{}", file.text));
    }
    assert_eq!(diff(&uhub(), &marked).unwrap().class(), None);
}

#[test]
fn likely_renames_are_suggested() {
    for (file, from, to, expected) in [
        ("get_repo_image.json", "\"PullCount\"", "\"Pulls\"", "`Pulls` is new"),
        ("get_repo_image.json", "\"LatestTag\"", "\"LastTag\"", "`LastTag` is new"),
        ("create_repo.json", "\"Description\"", "\"Remark\"", "`Remark` is new"),
        ("get_image_tag.json", "TagSet", "TagInfo", "`TagInfo` is new"),
    ] {
        let mut new = edited(file, from, to);
        let (old, example) = (uhub(), "\"example\"");
        // The example has the old name, and the model's Rust name would stay the same.
        for spec in new.actions.iter_mut().filter(|it| it.path.ends_with(file)) {
            let end = spec.text.find(example).unwrap();
            let end = spec.text[..end].rfind(',').unwrap();
            let text = spec.text[..end].replace("\"TagInfo\": \"Tag\"", "\"TagInfo\": \"Info\"");
            spec.text = text + "}";
        }
        let changes = diff(&old, &new).unwrap().changes;
        assert!(
            changes
                .iter()
                .any(|change| change.aspect == "gone" && change.reason.contains(expected)),
            "{expected}: {changes:#?}"
        );
    }
    let mut new = edited("delete_repo.json", "\"DeleteRepo\"", "\"RemoveRepo\"");
    new.actions.retain(|file| !file.path.ends_with("delete_repo_image.json"));
    let changes = diff(&uhub(), &new).unwrap().changes;
    let gone = |name: &str| {
        let found = changes.iter().find(|change| change.action.as_deref() == Some(name));
        found.unwrap().reason.clone()
    };
    assert!(gone("DeleteRepo").contains("`RemoveRepo` is new"), "{changes:#?}");
    assert!(!gone("DeleteRepoImage").contains("is new"), "{changes:#?}");
}

#[test]
fn a_new_documented_name_with_the_same_rust_name_is_one_change() {
    for (file, from, to, subject) in [
        ("get_repo_image.json", "ImageName", "ImageNAME", "field `ImageName` of `ImageSet`"),
        ("get_repo_image.json", "TotalCount", "TotalCOUNT", "response field `TotalCount`"),
        ("get_repo_image.json", "RepoName", "RepoNAME", "parameter `RepoName`"),
        ("get_image_tag.json", "TagSet", "TagInfo", "model `TagSet`"),
    ] {
        let new = edited(file, from, to);
        let changes = diff(&uhub(), &new).unwrap().changes;
        let found: Vec<String> = changes.iter().map(headline).collect();
        let renamed = format!("{subject}: documented name, {from} → {to}");
        assert!(found.contains(&renamed), "{found:#?}");
        let others = |line: &&String| !line.ends_with(&format!(", {from} → {to}"));
        let others: Vec<_> = found.iter().filter(others).collect();
        assert_eq!(others, ["action: example"], "{found:#?}");
    }
}

#[test]
fn examples_are_compared_as_json() {
    let of = |from: &str, to: &str| {
        let new = edited("create_repo.json", from, to);
        let changes = diff(&uhub(), &new).unwrap().changes;
        changes.iter().map(headline).collect::<Vec<_>>()
    };
    let (name, shared) = (r#""RepoName": "cClamyhb""#, r#""IsShared": false"#);
    let shown = format!("{name},\n      {shared}");
    assert_eq!(of(&shown, &format!("{shared}, {name}")), [""; 0]);
    for (from, to) in
        [("cClamyhb", "other"), ("DcRJngSm", "other"), (&format!("{shown},"), &format!("{name},"))]
    {
        assert_eq!(of(from, to), ["action: example"], "{from}");
    }
}

#[test]
fn equal_specs_have_no_changes_and_invalid_ones_report_errors() {
    let changes = diff(&uhub(), &uhub()).unwrap();
    assert_eq!(changes.class(), None);
    assert_eq!(changes.to_text("0.1.0"), "no changes");
    assert_eq!(changes.to_markdown(), "");
    let mistakes = diff(
        &edited("get_repo.json", "\"safe\"", "\"save\""),
        &edited("service.json", "\"unknown\"", "\"unkown\""),
    )
    .unwrap_err();
    let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert!(mistakes[0].contains("get_repo.json:"), "{mistakes:?}");
    assert!(mistakes[1].contains("service.json:"), "{mistakes:?}");
}

#[test]
fn changes_are_written_as_text_markdown_and_json() {
    let mut new = edited("get_repo_image.json", "\"default\": 20", "\"default\": 50");
    new.actions.retain(|file| !file.path.ends_with("delete_repo.json"));
    let changes = diff(&uhub(), &new).unwrap();
    assert_eq!(
        changes.to_text("0.1.0"),
        "\
DeleteRepo
  breaking      action is gone
                The module and the client method are removed.
                actions::delete_repo
GetRepoImage
  documentation parameter `Limit`: default, `20` → `50` (silent)
                Code compiles as before, but the service behaves differently when the parameter is omitted. Review calls that omit it.
                actions::get_repo_image::GetRepoImageRequest::limit
1 breaking, 0 additive, 1 documentation: minor, 0.1.0 → 0.2.0"
    );
    assert_eq!(
        changes.to_markdown(),
        "\
### Breaking

- `DeleteRepo`: action is gone. The module and the client method are removed. (`actions::delete_repo`)

### Documentation and behaviour

- `GetRepoImage`: parameter `Limit`: default, `20` → `50`. Code compiles as before, but the service behaves differently when the parameter is omitted. Review calls that omit it. (`actions::get_repo_image::GetRepoImageRequest::limit`)
"
    );
    let json: serde_json::Value = serde_json::from_str(&changes.to_json("1.2.3")).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "changes": [
                {
                    "action": "DeleteRepo",
                    "subject": "action",
                    "aspect": "gone",
                    "from": null,
                    "to": null,
                    "class": "breaking",
                    "silent": false,
                    "reason": "The module and the client method are removed.",
                    "item": "actions::delete_repo",
                },
                {
                    "action": "GetRepoImage",
                    "subject": "parameter `Limit`",
                    "aspect": "default",
                    "from": "`20`",
                    "to": "`50`",
                    "class": "documentation",
                    "silent": true,
                    "reason": "Code compiles as before, but the service behaves differently when the parameter is omitted. Review calls that omit it.",
                    "item": "actions::get_repo_image::GetRepoImageRequest::limit",
                },
            ],
            "counts": { "breaking": 1, "additive": 0, "documentation": 1 },
            "bump": "major",
            "version": { "from": "1.2.3", "to": "2.0.0" },
        })
    );
}

/// Code that compiles against the old crate fails to compile against the new one exactly if a
/// change is breaking and not silent.
#[test]
fn the_compiler_agrees_with_the_classes() {
    let (before, after) = (spec(false), spec(true));
    let changes = diff(&before, &after).unwrap().changes;
    let breaks: BTreeSet<String> = (0..CASES.len())
        .filter(|index| {
            changes_of(*index, &changes)
                .iter()
                .any(|change| change.class == Breaking && !change.is_silent)
        })
        .map(letters)
        .collect();
    assert!(breaks.len() > CASES.len() / 3 && breaks.len() < CASES.len() * 2 / 3);

    let workspace = Workspace::new();
    let none = BTreeSet::new();
    assert_eq!(workspace.failures(&before, &none), none);
    assert_eq!(workspace.failures(&after, &breaks), breaks);
}

/// A workspace of the core with the cases' generated code, and of their users' code.
struct Workspace {
    root: PathBuf,
}

impl Workspace {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("diff");
        let _ = fs::remove_dir_all(&root);
        let repository = Path::new("..");
        for folder in ["uhub-sdk/src", "uhub-sdk/local"] {
            copy_folder(&repository.join(folder), &root.join(folder));
        }
        fs::copy(repository.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
        let copy = |file: &str, change: &dyn Fn(String) -> String| {
            let text = fs::read_to_string(repository.join(file)).unwrap();
            fs::write(root.join(file), change(text)).unwrap();
        };
        copy("Cargo.toml", &|text| {
            let (before, after) = text.split_once("members = [").unwrap();
            let (_, after) = after.split_once(']').unwrap();
            format!("{before}members = [\"uhub-sdk\", \"uhub-sdk/local\", \"user\"]{after}")
        });
        // The benchmarks and examples are not copied.
        copy("uhub-sdk/Cargo.toml", &|text| {
            let parts = text.split("\n\n").filter(|part| !part.contains("[["));
            parts.collect::<Vec<_>>().join("\n\n")
        });
        // The recipes depend on the actions.
        copy("uhub-sdk/src/lib.rs", &|text| text.replace("pub mod recipes;\n", ""));

        let user = root.join("user");
        for folder in ["src", "code"] {
            fs::create_dir_all(user.join(folder)).unwrap();
        }
        fs::write(user.join("src/lib.rs"), "").unwrap();
        let manifest = "[package]\nname = \"user\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
                        [dependencies]\nuhub-sdk = { path = \"../uhub-sdk\" }\n";
        fs::write(user.join("Cargo.toml"), manifest).unwrap();
        for index in 0..CASES.len() {
            let file = user.join(format!("code/{}.rs", letters(index)));
            fs::write(file, named(USER, index)).unwrap();
        }
        Self { root }
    }

    /// The users whose code does not compile against the code generated from a spec. Those
    /// expected to fail are compiled alone, because an error can hide others.
    fn failures(&self, spec: &Spec, alone: &BTreeSet<String>) -> BTreeSet<String> {
        let sdk = self.root.join("uhub-sdk");
        let examples = self.root.join("user/examples");
        for folder in [&sdk.join("src/generated"), &examples] {
            let _ = fs::remove_dir_all(folder);
            fs::create_dir_all(folder).unwrap();
        }
        for (path, text) in generate(spec).unwrap() {
            fs::write(sdk.join(path), text).unwrap();
        }
        let module = |name: &str| format!("#[path = \"../code/{name}.rs\"]\nmod user_{name};\n");
        let program = |modules: String| format!("{modules}\nfn main() {{}}\n");
        let all = (0..CASES.len()).map(letters);
        let together = all.filter(|name| !alone.contains(name));
        let together = together.map(|name| module(&name)).collect();
        fs::write(examples.join("together.rs"), program(together)).unwrap();
        for name in alone {
            fs::write(examples.join(format!("{name}.rs")), program(module(name))).unwrap();
        }

        let output = Command::new(env!("CARGO"))
            .args(["check", "--offline", "--package", "user", "--examples"])
            .args(["--keep-going", "--message-format", "json"])
            .current_dir(&self.root)
            // Reuses what the workspace has compiled.
            .env(
                "CARGO_TARGET_DIR",
                Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap(),
            )
            .output()
            .unwrap();
        let (mut failed, mut programs) = (BTreeSet::new(), BTreeSet::new());
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let message: serde_json::Value = serde_json::from_str(line).unwrap();
            if message["target"]["kind"][0] != "example" {
                continue;
            }
            programs.insert(message["target"]["name"].to_string());
            if message["message"]["level"] == "error" {
                let spans = message["message"]["spans"].as_array().unwrap();
                // An error can point into the generated code too.
                let files = spans.iter().filter_map(|span| span["file_name"].as_str());
                let users = files.filter_map(|file| file.split_once("/code/"));
                failed.extend(users.map(|(_, file)| file.trim_end_matches(".rs").to_owned()));
            }
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(programs.len(), alone.len() + 1, "{stderr}");
        failed
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}
