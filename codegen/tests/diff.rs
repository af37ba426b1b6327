//! What a change is said to mean, against what the compiler says of code that users have written.
#![allow(clippy::unwrap_used)]

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
  "pagination": { "offset": "Offset", "limit": "Limit", "total": "Total", "items": "Rows", "key": "Id" }
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

/// A change of the action, and what has to be said of it: class, whether it is silent, what has changed.
type Case = (
    &'static str,
    &'static str,
    &'static [(Class, bool, &'static str)],
);

const CASES: &[Case] = &[
    // Requests.
    (
        r#"{ "name": "Count","#,
        r#"{ "name": "More", "type": "int", "required": true, "description": "x" }, { "name": "Count","#,
        &[(Breaking, false, "parameter `More` is new")],
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
        &[(
            Breaking,
            false,
            "parameter `Count`: required, required → optional",
        )],
    ),
    (
        r#""Note", "type": "string", "required": false, "default": "a""#,
        r#""Note", "type": "string", "required": true"#,
        &[
            (
                Breaking,
                false,
                "parameter `Note`: required, optional → required",
            ),
            (Documentation, true, "parameter `Note`: default, `a` → none"),
        ],
    ),
    (
        r#""Note", "type": "string", "required": false, "default": "a""#,
        r#""Note", "type": "string", "required": false, "default": "a", "explicit": true"#,
        &[(
            Breaking,
            false,
            "parameter `Note`: required, optional → required",
        )],
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
        // Its default does not fit any more, and goes with it.
        &[(
            Breaking,
            false,
            "parameter `Note`: type, String → Vec<String>",
        )],
    ),
    (
        r#""Tags", "type": "array[string]""#,
        r#""Tags.N", "type": "string""#,
        &[],
    ),
    (
        r#""Tags", "type": "array[string]""#,
        r#""Tags", "type": "string""#,
        &[(
            Breaking,
            false,
            "parameter `Tags.N`: type, Vec<String> → String",
        )],
    ),
    (
        r#""enum": ["One", "Two"], "#,
        "",
        &[(
            Breaking,
            false,
            "parameter `Kind`: type, Case@Kind → String",
        )],
    ),
    (
        r#""Note", "type": "string", "required": false, "default": "a""#,
        r#""Note", "type": "string", "required": false, "enum": ["a"], "default": "a""#,
        &[(
            Breaking,
            false,
            "parameter `Note`: type, String → Case@Note",
        )],
    ),
    (
        r#"["One", "Two"]"#,
        r#"["One", "Two", "Three"]"#,
        &[(Additive, true, "value `Three` of `Kind` is new")],
    ),
    (
        r#"["One", "Two"]"#,
        r#"["One"]"#,
        &[(Breaking, false, "value `Two` of `Kind` is gone")],
    ),
    (
        r#""Hot", "type": "string", "required": false, "format": "boolean""#,
        r#""Hot", "type": "boolean", "required": false"#,
        &[(
            Documentation,
            true,
            "parameter `Hot`: sent as, text → boolean",
        )],
    ),
    (
        r#""Hot", "type": "string", "required": false, "format": "boolean""#,
        r#""Hot", "type": "string", "required": false"#,
        &[(Breaking, false, "parameter `Hot`: type, bool → String")],
    ),
    (
        r#""required": false, "allow_empty": true"#,
        r#""required": false"#,
        &[(Breaking, true, "parameter `Blank`: may be empty")],
    ),
    (
        r#""default": "a""#,
        r#""default": "a", "allow_empty": true"#,
        &[(Additive, true, "parameter `Note`: may be empty")],
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
        &[(
            Breaking,
            false,
            "parameter `Note`: Rust name, note → remark",
        )],
    ),
    // Another spelling, and another name that is the same in Rust.
    (
        r#""name": "Note""#,
        r#""name": "NOTE""#,
        &[(
            Breaking,
            true,
            "parameter `Note`: documented name, Note → NOTE",
        )],
    ),
    (
        r#""name": "First", "type""#,
        r#""name": "Foremost", "rust_name": "first", "type""#,
        &[(
            Breaking,
            true,
            "parameter `First`: documented name, First → Foremost",
        )],
    ),
    (
        r#""name": "Why""#,
        r#""name": "WHY""#,
        &[(
            Breaking,
            true,
            "field `Why` of `Stop` in the parameters: documented name, Why → WHY",
        )],
    ),
    (
        r#""name": "Text""#,
        r#""name": "TEXT""#,
        &[(
            Breaking,
            true,
            "response field `Text`: documented name, Text → TEXT",
        )],
    ),
    (
        r#""name": "Size""#,
        r#""name": "SIZE""#,
        &[(
            Breaking,
            true,
            "field `Size` of `Inner`: documented name, Size → SIZE",
        )],
    ),
    // Arguments that change places: the same types, and other ones.
    (
        r#""name": "First", "type": "string", "required": true, "description": "One text." },
    { "name": "Second", "type": "string", "required": true, "description": "Another text.""#,
        r#""name": "Second", "type": "string", "required": true, "description": "Another text." },
    { "name": "First", "type": "string", "required": true, "description": "One text.""#,
        &[(
            Breaking,
            true,
            "parameters: order, new(First, Second, Count) → new(Second, First, Count)",
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
            "parameters: order, new(First, Second, Count) → new(First, Count, Second)",
        )],
    ),
    // Optional ones may stand anywhere.
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
            (
                Breaking,
                false,
                "parameter `Disk`: required, optional → required",
            ),
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
        &[(
            Additive,
            false,
            "field `More` of `Stop` in the parameters is new",
        )],
    ),
    (
        r#""array[Stop]""#,
        r#""array[object]""#,
        &[(
            Breaking,
            false,
            "parameter `Stops.N`: type, Vec<Stop> → Vec<serde_json::Value>",
        )],
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
        &[(
            Breaking,
            false,
            "response field `Text`: required, required → optional",
        )],
    ),
    (
        r#""Text", "type": "string", "required": true"#,
        r#""Text", "type": "string", "required": true, "example_omits": true"#,
        &[(
            Breaking,
            false,
            "response field `Text`: required, required → optional",
        )],
    ),
    (
        r#""Maybe", "type": "string", "required": false"#,
        r#""Maybe", "type": "string", "required": true"#,
        &[(
            Breaking,
            false,
            "response field `Maybe`: required, optional → required",
        )],
    ),
    (
        r#""Maybe", "type": "string", "required": false"#,
        r#""Maybe", "type": "string", "required": true, "example_omits": true"#,
        &[(Documentation, false, "response field `Maybe`: required")],
    ),
    (
        r#""Text", "type": "string""#,
        r#""Text", "type": "array[string]""#,
        &[(
            Breaking,
            false,
            "response field `Text`: type, String → Vec<String>",
        )],
    ),
    (
        r#""Text", "type": "string", "required": true"#,
        r#""Text", "type": "string", "required": true, "format": "timestamp""#,
        &[(
            Breaking,
            false,
            "response field `Text`: type, String → crate::Timestamp",
        )],
    ),
    (
        r#""Words", "type": "array[string]", "required": true"#,
        r#""Words", "type": "array[string]", "required": false"#,
        &[(
            Documentation,
            true,
            "response field `Words`: absence, an error → empty",
        )],
    ),
    (
        r#""Words", "type": "array[string]", "required": true"#,
        r#""Words", "type": "array[string]", "required": true, "counted_by": "Total""#,
        &[(
            Documentation,
            true,
            "response field `Words`: absence, an error → an error, unless `Total` is 0",
        )],
    ),
    (
        r#""Text", "type": "string", "required": true"#,
        r#""Text", "type": "string", "required": true, "example_type": "int""#,
        &[(Documentation, false, "response field `Text`: shown as")],
    ),
    (
        r#""Text", "type""#,
        r#""Text", "rust_name": "words_of_it", "type""#,
        &[(
            Breaking,
            false,
            "response field `Text`: Rust name, text → words_of_it",
        )],
    ),
    (
        r#"["On", "Off"]"#,
        r#"["On", "Off", "Unknown"]"#,
        &[(Additive, true, "value `Unknown` of `State` is new")],
    ),
    (
        r#""enum": ["On", "Off"], "#,
        "",
        &[(
            Breaking,
            false,
            "response field `State`: type, Case@State → String",
        )],
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
        &[(Additive, true, "field `Name` of `Item`: shown alone")],
    ),
    (
        r#"{ "name": "Size", "type": "int", "required": true"#,
        r#"{ "name": "Back", "type": "Item", "required": false, "description": "x" }, { "name": "Size", "type": "int", "required": true"#,
        &[
            (Additive, false, "field `Back` of `Inner` is new"),
            (
                Breaking,
                false,
                "field `Inner` of `Item`: type, Inner → Box<Inner>",
            ),
            (
                Breaking,
                false,
                "field `Inner` of `Item`: required, required → optional",
            ),
        ],
    ),
    (
        r#""Inner": ["#,
        r#""Extra": [], "Inner": ["#,
        &[(Additive, false, "model `Extra` is new")],
    ),
    (
        r#""Inner", "type": "Inner", "required": true, "description": "A model in a model." }
    ],
    "Inner": ["#,
        r#""Inner", "type": "Within", "required": true, "description": "A model in a model." }
    ],
    "Within": ["#,
        &[
            (
                Breaking,
                false,
                "field `Inner` of `Item`: type, Inner → Within",
            ),
            (Breaking, false, "model `Inner` is gone"),
            (Additive, false, "model `Within` is new"),
        ],
    ),
    // A model that was read alone is sent too: what is sent has a struct of its own.
    (
        r#"{ "name": "Stops","#,
        r#"{ "name": "Where", "type": "Inner", "required": false, "description": "x" }, { "name": "Stops","#,
        &[
            (Additive, false, "parameter `Where` is new"),
            (Additive, false, "model `Inner` in the parameters is new"),
        ],
    ),
    // A model that was sent alone is read too, and its name goes to what is read.
    (
        r#"{ "name": "Text","#,
        r#"{ "name": "More", "type": "array[int]", "required": true, "description": "x" }, { "name": "Text","#,
        &[(Additive, true, "response field `More` is new")],
    ),
    (
        r#"{ "name": "Text","#,
        r#"{ "name": "Stop", "type": "Stop", "required": false, "description": "x" }, { "name": "Text","#,
        &[
            (
                Breaking,
                false,
                "model `Stop` in the parameters: Rust name, Stop → StopParameters",
            ),
            (Additive, false, "model `Stop` is new"),
            (Additive, false, "response field `Stop` is new"),
        ],
    ),
    // The action.
    (
        r#""idempotency": "non_idempotent""#,
        r#""idempotency": "safe""#,
        &[(Documentation, true, "action: idempotency, never → safe")],
    ),
    (
        "Does something.",
        "Does something else.",
        &[(Documentation, false, "action: summary")],
    ),
    (
        "Another text.",
        "Another text, said otherwise.",
        &[(Documentation, false, "parameter `Second`: description")],
    ),
    (
        r#",
  "pagination": { "offset": "Offset", "limit": "Limit", "total": "Total", "items": "Rows", "key": "Id" }"#,
        "",
        &[
            (Breaking, false, "pagination is gone"),
            (
                Documentation,
                true,
                "response field `Rows`: absence, an error, unless `Total` is 0 → an error",
            ),
        ],
    ),
    (
        r#""key": "Id""#,
        r#""key": "Name""#,
        &[(Documentation, true, "pagination: key, Id → Name")],
    ),
    (
        r#""action": "Case@""#,
        r#""action": "Kase@""#,
        &[
            (Breaking, false, "action is gone"),
            (Additive, false, "action is new"),
        ],
    ),
    (
        r#""First", "type": "string", "required": true"#,
        r#""First", "type": "string", "required": false, "split_when_absent": { "action": "Bare@", "summary": "Does it bare.", "idempotency": "non_idempotent" }"#,
        &[(Additive, false, "action is new")],
    ),
];

/// A case's number as letters: names with digits would be another matter.
fn letters(index: usize) -> String {
    let letter = |digit: usize| char::from(b'a' + u8::try_from(digit).unwrap());
    [letter(index / 26), letter(index % 26)].iter().collect()
}

fn named(text: &str, index: usize) -> String {
    let name = letters(index);
    let capital = name[..1].to_uppercase() + &name[1..];
    text.replace("case_@", &format!("case_{name}"))
        .replace('@', &capital)
}

fn service() -> SpecFile {
    let text = include_str!("data/other/service.json").replace("[\"ProjectId\"]", "[]");
    SpecFile::new("service.json", text)
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
        // A default has to fit what it is the default of.
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
        (Some(from), Some(to)) => format!("{}: {}, {from} → {to}", change.place, change.what),
        _ if ["gone", "new"].contains(&change.what) => {
            format!("{} is {}", change.place, change.what)
        }
        _ => format!("{}: {}", change.place, change.what),
    }
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
fn every_change_is_said_with_its_class() {
    let changes = diff(&spec(false), &spec(true)).unwrap().changes;
    let mut wrong = Vec::new();
    for (index, (from, to, expected)) in CASES.iter().enumerate() {
        let found: Vec<String> = changes_of(index, &changes)
            .into_iter()
            .map(|change| {
                format!(
                    "{:?} {} {}",
                    change.class,
                    change.is_silent,
                    headline(change)
                )
            })
            .collect();
        let missing: Vec<String> = expected
            .iter()
            .map(|(class, silent, headline)| {
                named(&format!("{class:?} {silent} {headline}"), index)
            })
            .filter(|expected| !found.contains(expected))
            .collect();
        if !missing.is_empty() || found.is_empty() != expected.is_empty() {
            wrong.push(format!(
                "{from}\n-> {to}\n  lacks {missing:#?}\n  found {found:#?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// UHub's spec after an edit of one file.
fn edited(file: &str, from: &str, to: &str) -> Spec {
    let mut spec = uhub_codegen::read(Path::new("../api-spec/uhub")).unwrap();
    let files = spec.actions.iter_mut().chain([&mut spec.service]);
    let file = files
        .into_iter()
        .find(|it| it.path.ends_with(file))
        .unwrap();
    assert!(file.text.contains(from), "{from}");
    file.text = file.text.replace(from, to);
    spec
}

fn uhub() -> Spec {
    edited("service.json", "UHub", "UHub")
}

#[test]
fn what_all_actions_share_is_compared_too() {
    let pages = r#""parameters": ["#;
    for (from, to, expected) in [
        (
            "https://api.surfercloud.com/",
            "https://api.example.com/",
            "Breaking true endpoint: value, https://api.surfercloud.com/ → https://api.example.com/",
        ),
        (
            "\"code\": 171",
            "\"code\": 1710",
            "Breaking false return code 171 is gone",
        ),
        (
            "\"code\": 171",
            "\"code\": 1710",
            "Additive false return code 1710 is new",
        ),
        (
            "SIGNATURE_WRONG",
            "SIGNATURE_BAD",
            "Breaking false return code 171: Rust name, SIGNATURE_WRONG → SIGNATURE_BAD",
        ),
        (
            "\"throttled\"",
            "\"rejected\"",
            "Documentation true return code 153: outcome, throttled → rejected",
        ),
        (
            "[\"ProjectId\"]",
            "[]",
            "Breaking true client parameter `ProjectId` is gone",
        ),
        (
            "[\"ProjectId\"]",
            "[\"ProjectId\", \"RepoName\"]",
            "Breaking true client parameter `RepoName` is new",
        ),
        (
            pages,
            r#""parameters": [ { "name": "Nonce", "type": "string", "required": true, "description": "x" },"#,
            "Documentation false common parameter `Nonce` is new",
        ),
        (
            "\"service\": \"UHub\"",
            "\"service\": \"Hub\"",
            "Documentation false service: name, UHub → Hub",
        ),
    ] {
        let changes = diff(&uhub(), &edited("service.json", from, to)).unwrap();
        let found: Vec<String> = changes
            .changes
            .iter()
            .map(|change| {
                format!(
                    "{:?} {} {}",
                    change.class,
                    change.is_silent,
                    headline(change)
                )
            })
            .collect();
        assert!(
            found.iter().any(|line| line == expected),
            "{expected}: {found:#?}"
        );
    }
}

#[test]
fn what_was_perhaps_renamed_is_said_where_it_is_gone() {
    for (file, from, to, expected) in [
        (
            "get_repo_image.json",
            "\"PullCount\"",
            "\"Pulls\"",
            "`Pulls` is new",
        ),
        (
            "get_repo_image.json",
            "\"LatestTag\"",
            "\"LastTag\"",
            "`LastTag` is new",
        ),
        (
            "create_repo.json",
            "\"IsShared\"",
            "\"Shared\"",
            "`Shared` is new",
        ),
        (
            "get_image_tag.json",
            "TagSet",
            "TagInfo",
            "`TagInfo` is new",
        ),
    ] {
        let mut new = edited(file, from, to);
        let (old, example) = (uhub(), "\"example\"");
        // The example says the old name.
        for spec in new.actions.iter_mut().filter(|it| it.path.ends_with(file)) {
            let end = spec.text.find(example).unwrap();
            let end = spec.text[..end].rfind(',').unwrap();
            spec.text = spec.text[..end].to_owned() + "}";
        }
        let changes = diff(&old, &new).unwrap().changes;
        assert!(
            changes
                .iter()
                .any(|change| change.what == "gone" && change.reason.contains(expected)),
            "{expected}: {changes:#?}"
        );
    }
    let mut new = edited("delete_repo.json", "\"DeleteRepo\"", "\"RemoveRepo\"");
    new.actions
        .retain(|file| !file.path.ends_with("delete_repo_image.json"));
    let changes = diff(&uhub(), &new).unwrap().changes;
    let gone = |name: &str| {
        let found = changes
            .iter()
            .find(|change| change.action.as_deref() == Some(name));
        found.unwrap().reason.clone()
    };
    assert!(
        gone("DeleteRepo").contains("`RemoveRepo` is new"),
        "{changes:#?}"
    );
    assert!(!gone("DeleteRepoImage").contains("is new"), "{changes:#?}");
}

#[test]
fn another_documented_name_of_the_same_code_is_one_change() {
    for (from, to, place) in [
        ("ImageName", "ImageNAME", "field `ImageName` of `ImageSet`"),
        ("TotalCount", "TotalCOUNT", "response field `TotalCount`"),
        ("RepoName", "RepoNAME", "parameter `RepoName`"),
    ] {
        let quoted = |name: &str| format!("\"{name}\"");
        let new = edited("get_repo_image.json", &quoted(from), &quoted(to));
        let changes = diff(&uhub(), &new).unwrap().changes;
        let found: Vec<String> = changes.iter().map(headline).collect();
        let renamed = format!("{place}: documented name, {from} → {to}");
        assert!(found.contains(&renamed), "{found:#?}");
        let others = |line: &&String| !line.ends_with(&format!(", {from} → {to}"));
        let others: Vec<_> = found.iter().filter(others).collect();
        assert_eq!(others, ["action: example"], "{found:#?}");
    }
}

#[test]
fn an_example_is_compared_by_what_it_says() {
    let of = |from: &str, to: &str| {
        let new = edited("create_repo.json", from, to);
        let changes = diff(&uhub(), &new).unwrap().changes;
        changes.iter().map(headline).collect::<Vec<_>>()
    };
    let (name, shared) = (r#""RepoName": "cClamyhb""#, r#""IsShared": false"#);
    let shown = format!("{name},\n      {shared}");
    assert_eq!(of(&shown, &format!("{shared}, {name}")), [""; 0]);
    for (from, to) in [
        ("cClamyhb", "other"),
        ("DcRJngSm", "other"),
        (&format!("{shown},"), &format!("{name},")),
    ] {
        assert_eq!(of(from, to), ["action: example"], "{from}");
    }
}

#[test]
fn the_same_spec_has_no_changes_and_a_mistaken_one_has_mistakes() {
    let changes = diff(&uhub(), &uhub()).unwrap();
    assert_eq!(changes.class(), None);
    assert_eq!(changes.to_text("0.1.0"), "nothing has changed");
    assert_eq!(changes.to_markdown(), "");
    let mistakes = diff(
        &edited("get_repo.json", "\"safe\"", "\"save\""),
        &edited("service.json", "\"unknown\"", "\"unkown\""),
    )
    .unwrap_err();
    let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert!(said[0].contains("get_repo.json:"), "{said:?}");
    assert!(said[1].contains("service.json:"), "{said:?}");
}

#[test]
fn changes_are_shown_to_people_changelogs_and_programs() {
    let mut new = edited("get_repo_image.json", "\"default\": 20", "\"default\": 50");
    new.actions
        .retain(|file| !file.path.ends_with("delete_repo.json"));
    let changes = diff(&uhub(), &new).unwrap();
    assert_eq!(
        changes.to_text("0.1.0"),
        "\
DeleteRepo
  breaking      action is gone
                Its module and the client's method are gone.
                actions::delete_repo
GetRepoImage
  documentation parameter `Limit`: default, `20` → `50` (silent)
                Code compiles as before. Where the parameter is left out, the service does another thing: look at calls that leave it out.
                actions::get_repo_image::GetRepoImageRequest::limit
1 breaking, 0 additive, 1 documentation: minor, 0.1.0 → 0.2.0"
    );
    assert_eq!(
        changes.to_markdown(),
        "\
### Breaking

- `DeleteRepo`: action is gone. Its module and the client's method are gone. (`actions::delete_repo`)

### Documentation and behaviour

- `GetRepoImage`: parameter `Limit`: default, `20` → `50`. Code compiles as before. Where the parameter is left out, the service does another thing: look at calls that leave it out. (`actions::get_repo_image::GetRepoImageRequest::limit`)
"
    );
    let json: serde_json::Value = serde_json::from_str(&changes.to_json("1.2.3")).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "changes": [
                {
                    "action": "DeleteRepo",
                    "place": "action",
                    "what": "gone",
                    "from": null,
                    "to": null,
                    "class": "breaking",
                    "silent": false,
                    "reason": "Its module and the client's method are gone.",
                    "item": "actions::delete_repo",
                },
                {
                    "action": "GetRepoImage",
                    "place": "parameter `Limit`",
                    "what": "default",
                    "from": "`20`",
                    "to": "`50`",
                    "class": "documentation",
                    "silent": true,
                    "reason": "Code compiles as before. Where the parameter is left out, the service does another thing: look at calls that leave it out.",
                    "item": "actions::get_repo_image::GetRepoImageRequest::limit",
                },
            ],
            "counts": { "breaking": 1, "additive": 0, "documentation": 1 },
            "bump": "major",
            "version": { "from": "1.2.3", "to": "2.0.0" },
        })
    );
}

/// Code that compiled against the old crate compiles against the new one, or not, as its class says.
#[test]
fn the_compiler_agrees() {
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
    assert_eq!(workspace.fails_with(&before, &none), none);
    assert_eq!(workspace.fails_with(&after, &breaks), breaks);
}

/// The core with the generated code of the cases, and the code of their users beside it.
struct Workspace {
    root: PathBuf,
}

impl Workspace {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("diff");
        let _ = fs::remove_dir_all(&root);
        let repository = Path::new("..");
        copy_folder(&repository.join("uhub-sdk/src"), &root.join("uhub-sdk/src"));
        fs::copy(repository.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
        let copy = |file: &str, change: &dyn Fn(String) -> String| {
            let text = fs::read_to_string(repository.join(file)).unwrap();
            fs::write(root.join(file), change(text)).unwrap();
        };
        copy("Cargo.toml", &|text| {
            let members = r#"members = ["codegen", "uhub-sdk", "xtask"]"#;
            assert!(text.contains(members));
            text.replace(members, r#"members = ["uhub-sdk", "user"]"#)
        });
        // Its benchmarks and examples were left behind.
        copy("uhub-sdk/Cargo.toml", &|text| {
            let parts = text.split("\n\n").filter(|part| !part.starts_with("[["));
            parts.collect::<Vec<_>>().join("\n\n")
        });
        // What stands beside the core may know the service.
        copy("uhub-sdk/src/lib.rs", &|text| {
            text.replace("pub mod recipes;\n", "")
        });

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

    /// The users whose code does not compile against what this spec generates. Those who are thought
    /// to be among them are compiled alone, for an error may hide others; the rest together.
    fn fails_with(&self, spec: &Spec, alone: &BTreeSet<String>) -> BTreeSet<String> {
        let generated = self.root.join("uhub-sdk/src/generated");
        let examples = self.root.join("user/examples");
        for folder in [&generated, &examples] {
            let _ = fs::remove_dir_all(folder);
            fs::create_dir_all(folder).unwrap();
        }
        for (name, text) in generate(spec).unwrap() {
            fs::write(generated.join(name), text).unwrap();
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
            // What the workspace has compiled already need not be compiled again.
            .env(
                "CARGO_TARGET_DIR",
                Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap(),
            )
            .output()
            .unwrap();
        let (mut failed, mut programs) = (BTreeSet::new(), BTreeSet::new());
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let said: serde_json::Value = serde_json::from_str(line).unwrap();
            if said["target"]["kind"][0] != "example" {
                continue;
            }
            programs.insert(said["target"]["name"].to_string());
            if said["message"]["level"] == "error" {
                let spans = said["message"]["spans"].as_array().unwrap();
                // An error may point into the generated code as well.
                let files = spans.iter().filter_map(|span| span["file_name"].as_str());
                let users = files.filter_map(|file| file.split_once("/code/"));
                failed.extend(users.map(|(_, file)| file.trim_end_matches(".rs").to_owned()));
            }
        }
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(programs.len(), alone.len() + 1, "{said}");
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
