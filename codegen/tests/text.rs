//! Text from outside never becomes code, markup or a link: not in the documentation that is
//! generated, and nowhere else in its source.
//!
//! The checks here read the generated source as rustc and rustdoc do, and compare it with the
//! source of a harmless spec: a block of code, a link or a heading that the harmless one does not
//! have came from outside.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, sync::LazyLock};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use proptest::prelude::*;
use pulldown_cmark::{BrokenLink, Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};
use uhub_codegen::{Spec, SpecFile, generate};

/// A service with every key that brings prose or values, as `service.json` and one action.
fn harmless() -> [Value; 2] {
    let prose = "Some words.";
    let field = |name: &str| json!({ "name": name, "type": "string", "required": true, "description": prose });
    let optional = |name: &str| {
        let mut field = field(name);
        field["required"] = json!(false);
        field
    };
    let with = |mut field: Value, key: &str, value: Value| {
        field[key] = value;
        field
    };
    let service = json!({
        "service": "Thing",
        "summary": prose,
        "endpoint": "https://localhost/",
        "parameters": [field("Action")],
        "response": [field("RetCode")],
        "project_parameter": "ProjectId",
        "enums": { "Power": { "description": prose, "variants": [
            { "name": "On", "values": ["on"], "description": prose },
            { "name": "Off", "values": ["off"], "description": prose, "deprecated": prose },
        ] } },
        "return_codes": [{ "code": 1, "name": "WRONG", "meaning": prose, "remedy": prose, "outcome": "rejected" }],
    });
    let named = with(optional("Wire"), "rust_name", json!("named"));
    let action = json!({
        "action": "GetThing",
        "summary": prose,
        "details": prose,
        "deprecated": prose,
        "aliases": ["fetch"],
        "idempotency": "safe",
        "parameters": [
            optional("ProjectId"),
            with(with(optional("Size"), "default", json!("20")), "deprecated", json!(prose)),
            with(optional("Kind"), "enum", json!(["a", "b"])),
            with(optional("Power"), "enum_type", json!("Power")),
            optional("Group.N.Part"),
            with(named.clone(), "split_when_absent", json!({ "action": "GetAll", "summary": prose, "idempotency": "safe" })),
        ],
        "response": [
            field("Id"),
            with(field("State"), "enum", json!(["c"])),
            json!({ "name": "Boxes", "type": "array[Box_1]", "required": false, "description": prose }),
        ],
        "models": { "Box_1": [with(named, "deprecated", json!(prose))] },
        "model_names": { "Box_1": "Parcel" },
        "example": {
            "request": { "Size": "x", "Wire": "y" },
            "response": { "Id": "x", "State": "c" },
        },
    });
    [service, action]
}

/// The places of prose: in the service, and in the action.
const PROSE: [(usize, &str); 14] = [
    (0, "/summary"),
    (0, "/enums/Power/description"),
    (0, "/enums/Power/variants/0/description"),
    (0, "/enums/Power/variants/1/deprecated"),
    (0, "/return_codes/0/meaning"),
    (0, "/return_codes/0/remedy"),
    (1, "/summary"),
    (1, "/details"),
    (1, "/deprecated"),
    (1, "/parameters/1/description"),
    (1, "/parameters/1/deprecated"),
    (1, "/parameters/5/split_when_absent/summary"),
    (1, "/response/0/description"),
    (1, "/models/Box_1/0/deprecated"),
];

/// The places of values that a page has.
const VALUES: [&str; 8] = [
    "/parameters/1/default",
    "/parameters/2/enum/0",
    "/parameters/5/name",
    "/response/1/enum/0",
    "/models/Box_1/0/name",
    "/example/request/Size",
    "/example/response/Id",
    "/example/response/State",
];

fn spec([service, action]: &[Value; 2]) -> Spec {
    let text = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    let action = SpecFile::new("get_thing.json", text(action));
    Spec::new(SpecFile::new("service.json", text(service)), vec![action])
}

/// What is generated after some texts of the harmless spec are replaced, or the mistakes.
fn generated(replaced: &[(usize, &str, &str)]) -> Result<BTreeMap<String, String>, Vec<String>> {
    let mut files = harmless();
    for (file, place, text) in replaced {
        let found = files[*file].pointer_mut(place).unwrap_or_else(|| panic!("{place}"));
        *found = json!(text);
    }
    generate(&spec(&files)).map_err(|found| found.iter().map(ToString::to_string).collect())
}

/// What a reader of the generated source gets beside text, emphasis, inline code and lists, sorted.
fn markup(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    for text in files.values() {
        if let Some(hidden) = text.chars().find(|c| is_hidden(*c)) {
            found.push(format!("character {hidden:?}"));
        }
        // The only comment that is not documentation.
        let comments = text.lines().filter(|line| line.starts_with("// "));
        found.extend(comments.map(|line| format!("comment {line}")));
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
        syn::parse2::<syn::File>(tokens.clone()).unwrap();
        for documentation in documentation(tokens) {
            for options in [Options::empty(), rustdoc_options()] {
                found.extend(rendered(&documentation, options));
            }
        }
    }
    found.sort();
    found
}

static HARMLESS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let markup = markup(&generated(&[]).unwrap());
    for expected in
        ["code block", "heading Examples", "link crate::Execution", "comment // @generated"]
    {
        let is_found =
            expected == "link crate::Execution" || markup.iter().any(|it| it.starts_with(expected));
        assert!(is_found, "{expected}: {markup:#?}");
    }
    markup
});

/// Written again, so that it does not agree with the generator by construction.
fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\n')
        || ('\u{200b}'..='\u{200f}').contains(&c)
        || ('\u{2028}'..='\u{202e}').contains(&c)
        || ('\u{2060}'..='\u{206f}').contains(&c)
        || c == '\u{feff}'
}

fn rustdoc_options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_SMART_PUNCTUATION
}

/// The documentation of every item and the notes of what is deprecated, as rustdoc reads them.
fn documentation(tokens: TokenStream) -> Vec<String> {
    let (mut found, mut lines) = (Vec::new(), Vec::new());
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#') {
            tokens
                .next_if(|next| matches!(next, TokenTree::Punct(punct) if punct.as_char() == '!'));
            if let Some(TokenTree::Group(attribute)) = tokens
                .next_if(|next| matches!(next, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket))
            {
                let attribute = syn::parse2::<syn::Meta>(attribute.stream()).unwrap();
                match attribute {
                    syn::Meta::NameValue(value) if value.path.is_ident("doc") => {
                        lines.push(string(&value.value));
                    }
                    syn::Meta::List(list) if list.path.is_ident("deprecated") => {
                        let note: syn::MetaNameValue = syn::parse2(list.tokens).unwrap();
                        found.push(string(&note.value));
                    }
                    _ => {}
                }
                continue;
            }
        }
        found.push(unindented(&std::mem::take(&mut lines)));
        if let TokenTree::Group(group) = token {
            found.extend(documentation(group.stream()));
        }
    }
    found.push(unindented(&lines));
    found.retain(|text| !text.is_empty());
    found
}

fn string(value: &syn::Expr) -> String {
    match value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => text.value(),
        _ => panic!("expected a string"),
    }
}

/// rustdoc removes the indentation that all lines have.
fn unindented(lines: &[String]) -> String {
    let indentation = |line: &&String| line.len() - line.trim_start().len();
    let filled = lines.iter().filter(|line| !line.trim().is_empty());
    let common = filled.map(|line| indentation(&line)).min().unwrap_or(0);
    let lines = lines.iter().map(|line| line.get(common..).unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// What Markdown has beside text, emphasis, inline code and lists.
fn rendered(text: &str, options: Options) -> Vec<String> {
    let mut found = Vec::new();
    // Like rustdoc, which takes everything in brackets for a link.
    let mut resolve = |link: BrokenLink<'_>| Some((link.reference.into_string().into(), "".into()));
    let parser = Parser::new_with_broken_link_callback(text, options, Some(&mut resolve));
    let definitions = parser.reference_definitions().iter();
    found.extend(definitions.map(|(name, _)| format!("definition {name}")));
    let mut words = String::new();
    let mut in_code = false;
    for event in parser {
        let other = match event {
            Event::Text(text) => {
                words.push_str(&text);
                continue;
            }
            Event::Start(
                Tag::Paragraph | Tag::List(_) | Tag::Item | Tag::Emphasis | Tag::Strong,
            )
            | Event::Code(_)
            | Event::SoftBreak
            | Event::HardBreak => None,
            Event::Start(Tag::CodeBlock(kind)) => {
                in_code = true;
                Some(format!("code block {kind:?}"))
            }
            Event::End(TagEnd::CodeBlock) => {
                in_code = false;
                Some(format!("code {words}"))
            }
            Event::End(TagEnd::Heading(_)) => Some(format!("heading {words}")),
            Event::End(_) => None,
            Event::Start(Tag::Link { dest_url, title, .. }) => {
                Some(format!("link {dest_url} {title}"))
            }
            other => Some(format!("{other:?}")),
        };
        if !in_code && words.contains("://") {
            found.push(format!("address in {words}"));
        }
        words.clear();
        found.extend(other);
    }
    found
}

const SPACE: &str = "white space at the beginning or the end";
const CODE_BLOCK: &str = "a code block would become a doctest: describe it in words";
const TAG: &str = "`<` would become a link or a tag: put the whole name in backticks";
const LINK: &str = "`[` would become a link or a tag: put the whole name in backticks";
const ADDRESS: &str = "an address would become a link: put it in backticks";
const ENTITY: &str = "`&` would begin an entity: write the character, or use backticks";

#[test]
fn prose_that_is_more_than_prose_is_refused() {
    let mut wrong = Vec::new();
    for (text, expected) in [
        ("~~~\npanic!()\n~~~", CODE_BLOCK),
        ("Words.\n~~~\npanic!()", CODE_BLOCK),
        ("```\npanic!()\n```", CODE_BLOCK),
        ("```no_run\npanic!()\n```", CODE_BLOCK),
        ("  ```rust\n  panic!()", SPACE),
        ("    a ", SPACE),
        ("Words.\n", SPACE),
        ("Words.\n\n    panic!()", CODE_BLOCK),
        ("    panic!()\n\n    panic!()", SPACE),
        ("> ~~~\n> panic!()", "a quote is not allowed here"),
        ("> ```\n> panic!()", "a quote is not allowed here"),
        ("- item\n  ~~~\n  panic!()", CODE_BLOCK),
        ("- item\n\n      panic!()", CODE_BLOCK),
        ("1. ~~~\n   panic!()", CODE_BLOCK),
        ("1.      panic!()", CODE_BLOCK),
        ("-\n  - ~~~\n    panic!()", CODE_BLOCK),
        ("Words <b>bold</b>.", TAG),
        ("<script>alert(1)</script>", TAG),
        ("<!-- hidden", TAG),
        ("Vec<T", TAG),
        ("An <https://a.b> autolink.", TAG),
        ("An <a@b.c> autolink.", TAG),
        ("Words\n<div>", TAG),
        ("A [link](https://a.b).", LINK),
        ("A [link](javascript:alert(1)).", LINK),
        ("Our own [`send`](Self::send).", LINK),
        ("An item: [Client].", LINK),
        ("An item: [`Client::send`].", LINK),
        ("An item: [x][Client].", LINK),
        ("An ![image](a.png).", LINK),
        ("[`Call::items`]: javascript:alert(1)", LINK),
        ("Words.\n\n[x]: https://a.b", LINK),
        ("A note[^1].\n\n[^1]: ~~~", LINK),
        ("- [ ] to do", LINK),
        ("See https://a.b/c.", ADDRESS),
        ("See HTTP://a.b.", ADDRESS),
        ("See http:\\//a.b.", ADDRESS),
        ("&#x3c;script&#x3e;", ENTITY),
        ("Bread &amp; butter", ENTITY),
        ("Left &#x202e; right", ENTITY),
        ("# Title", "a heading is not allowed here"),
        ("Title\n===", "a heading is not allowed here"),
        ("Title\n---", "a heading is not allowed here"),
        ("Words.\n\n***", "a rule is not allowed here"),
        ("| a | b |\n|---|---|", "a table is not allowed here"),
        ("a | b\n--|--", "a table is not allowed here"),
        ("Is ~~gone~~.", "struck text is not allowed here"),
        ("Left \u{202e}right", "the character U+202E is not allowed"),
        ("Zero\u{200b}width", "the character U+200B is not allowed"),
        ("Line\u{2028}line", "the character U+2028 is not allowed"),
        ("Line\rline", "the character U+000D is not allowed"),
        ("A\0B", "the character U+0000 is not allowed"),
        ("A\u{9b}B", "the character U+009B is not allowed"),
        ("A\tB", "the character U+0009 is not allowed"),
    ] {
        let found = generated(&[(1, "/details", text)]).err().unwrap_or_default();
        if !found.iter().any(|it| it.starts_with("get_thing.json:") && it.contains(expected)) {
            wrong.push(format!("{text:?}\n  expected {expected}\n  found {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_prose_is_checked() {
    for (file, place) in PROSE {
        let found = generated(&[(file, place, "Words.\n~~~\npanic!()")]).unwrap_err();
        let name = ["service.json:", "get_thing.json:"][file];
        assert!(
            found.len() == 1 && found[0].starts_with(name) && found[0].contains(CODE_BLOCK),
            "{place}: {found:#?}"
        );
        assert!(found[0].ends_with("; found at \"~~~\""), "{found:#?}");
    }
    // Alone it is a list and a line; after the return code it would be a heading.
    let found = generated(&[(0, "/return_codes/0/meaning", "- a\n===")]).unwrap_err();
    assert!(found[0].contains("a heading is not allowed here"), "{found:#?}");
}

#[test]
fn prose_is_kept() {
    for text in [
        "Words, *emphasis*, **strength** and `code <T> [x] https://a.b`.",
        "A list:\n\n- one\n- two, which is long enough to be wrapped if it has more than a hundred columns in all, as here\n  - nested\n\nAnd words.",
        "1. one\n2. two",
        "5 > 4, a & b, 50% ~ half, C# and F#, a_b_c, 2 * 3 = 6, x | y, $1, {a}, a@b.c, ^",
        "An ``unusual `code` `` span, don't \u{201c}quote\u{201d}\u{2026}",
        "Says Grüße und 中文。",
        "In the end - 10 words, or 2.5, or 1. something - and so on, until the line is too long for the one: - and # and > and === and --- and + and ~~~~.",
    ] {
        let files = generated(&[(1, "/details", text)]);
        let files = files.unwrap_or_else(|found| panic!("{text}: {found:#?}"));
        assert_eq!(&markup(&files), &*HARMLESS, "{text}");
        let module = &files["src/generated/get_thing.rs"];
        let documentation = documentation(module.parse().unwrap());
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&documentation[0]).contains(&words(text)), "{text}\n{}", documentation[0]);
    }
}

/// Values of a page appear as inline code, whatever is in them.
#[test]
fn values_appear_literally() {
    for (text, expected) in [
        ("20", "Defaults to `20`."),
        ("", "Defaults to `\"\"`."),
        ("<script>alert(1)</script>", "Defaults to `<script>alert(1)</script>`."),
        ("[x](javascript:alert(1))", "Defaults to `[x](javascript:alert(1))`."),
        ("\u{202e}x\u{200b}", "Defaults to `\\u{202e}x\\u{200b}`."),
        ("a\n\n~~~\npanic!()\n~~~", "Defaults to `a\\n\\n~~~\\npanic!()\\n~~~`."),
        ("a`b``c", "Defaults to ```a`b``c```."),
        ("`", "Defaults to `` ` ``."),
        ("*/ /* \" \\", "Defaults to `*/ /* \" \\`."),
        ("&lt;", "Defaults to `&lt;`."),
    ] {
        let files = generated(&[(1, "/parameters/1/default", text)]).unwrap();
        assert_eq!(&markup(&files), &*HARMLESS, "{text}");
        let documentation = documentation(files["src/generated/get_thing.rs"].parse().unwrap());
        assert!(
            documentation.iter().any(|it| it.contains(expected)),
            "{expected}\n{documentation:#?}"
        );
    }
}

/// Examples are strings of the generated tests.
#[test]
fn examples_are_kept_as_strings() {
    for text in
        ["\"#\"##", &format!("\"{}", "#".repeat(300)), "```\n*/ \u{202e} \0 \r", "\\u{41}{}"]
    {
        let files = generated(&[(1, "/example/response/Id", text)]).unwrap();
        assert_eq!(&markup(&files), &*HARMLESS, "{text:?}");
        let module = syn::parse_file(&files["src/generated/get_thing.rs"]).unwrap();
        let is_tests =
            |item: &&syn::Item| matches!(item, syn::Item::Mod(item) if item.ident == "tests");
        let Some(syn::Item::Mod(tests)) = module.items.iter().find(is_tests) else { panic!() };
        let response = tests.content.as_ref().unwrap().1.iter().find_map(|item| match item {
            syn::Item::Const(item) if item.ident == "RESPONSE" => Some(string(&item.expr)),
            _ => None,
        });
        let response: Value = serde_json::from_str(&response.unwrap()).unwrap();
        assert_eq!(response["Id"], text);
    }
}

/// Names become identifiers, files, the crate and aliases.
#[test]
fn names_that_rust_does_not_have_are_refused() {
    for (file, place, name, expected) in [
        (1, "/action", "../x", "`../x` is not a Rust name"),
        (1, "/action", "C:\\x", "is not a Rust name"),
        (1, "/action", "a`\u{301}b", "is not a Rust name"),
        (0, "/service", "x;panic!()", "`x;panic!()` cannot name a crate"),
        (0, "/service", "a-b", "`a-b` cannot name a crate"),
        (1, "/aliases/0", "get_thing", "`get_thing` cannot be an alias of `get_thing`"),
        (1, "/aliases/0", "the\"thing", "cannot be an alias of `get_thing`"),
        (1, "/parameters/5/rust_name", "two__lines", "`two__lines` cannot name a Rust field"),
        (1, "/parameters/5/rust_name", "maybe_size", "`maybe_size` cannot name a Rust field"),
    ] {
        let found = generated(&[(file, place, name)]).unwrap_err();
        assert!(found.iter().any(|it| it.contains(expected)), "{expected}: {found:#?}");
    }
    let [service, mut action] = harmless();
    action["models"] = json!({ "A\n~~~\npanic!()": [], "B\u{202e}": [] });
    action["model_names"] = json!({ "A\n~~~\npanic!()": "Bag" });
    action["response"] = json!([]);
    action["example"] = json!({});
    let found = generate(&spec(&[service, action])).unwrap_err();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    for expected in
        ["`A\\n~~~\\npanic!()` is not a Rust name", "the character U+202E is not allowed"]
    {
        assert!(found.iter().any(|it| it.contains(expected)), "{expected}: {found:#?}");
    }
    assert!(found.iter().all(|it| !it.contains(['\n', '\u{202e}'])), "{found:#?}");
}

/// Windows has no files named after its devices.
#[test]
fn files_are_not_named_after_devices() {
    let [service, mut action] = harmless();
    action["action"] = json!("Con");
    let text = serde_json::to_string(&action).unwrap();
    let spec = |file: &str| {
        let service = SpecFile::new("service.json", serde_json::to_string(&service).unwrap());
        Spec::new(service, vec![SpecFile::new(file, &*text)])
    };
    let found = generate(&spec("con.json")).unwrap_err();
    assert!(found[0].to_string().contains("belongs in a file named `con_.json`"), "{found:#?}");
    assert!(generate(&spec("con_.json")).unwrap().contains_key("src/generated/con_.rs"));
}

/// The parts of Markdown, HTML and Rust that could make something of a text.
const PIECES: [&str; 75] = [
    "\n",
    "\n\n",
    "\n",
    " ",
    " ",
    "  ",
    "    ",
    "\t",
    "\r",
    "\0",
    "\\",
    "\\\n",
    "~~~",
    "```",
    "~~~rust\n",
    "```\n",
    "\n```rust\npanic!()\n```\n",
    "> ",
    "- ",
    "* ",
    "+ ",
    "1. ",
    "1)",
    "# ",
    "#",
    "##",
    "===",
    "---",
    "\n===\n",
    "***",
    "- [ ] ",
    "|",
    "| a | b |\n|---|---|\n",
    "--|--",
    ":--",
    "<",
    ">",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "<?",
    "<b",
    "<https://a.b>",
    "https://a.b/c",
    "http:",
    "//",
    "&#x3c;",
    "&lt;",
    "&#x202e;",
    "&",
    "[",
    "]",
    "[x]",
    "[Client]",
    "[`Self`]",
    "[x](javascript:1)",
    "![x](y)",
    "[x]: javascript:1",
    "[^1]",
    "[^1]: ",
    "](",
    "`",
    "``",
    "*",
    "_",
    "~",
    "~~",
    "\u{202e}",
    "\u{200b}",
    "\u{2028}",
    "*/",
    "/*",
    "\"",
    "\"#",
];
const WORDS: [&str; 8] =
    ["a", "word", "of", "some length", "(and)", "é", "don't", "averyveryverylongword"];

/// Mostly words, so that some texts are accepted; long enough to be wrapped.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(PIECES.to_vec()).prop_map(str::to_owned);
    let word = prop::sample::select(WORDS.to_vec()).prop_map(|word| format!("{word} "));
    let words = prop::collection::vec(word, 1..20).prop_map(|words| words.concat());
    let sign = "[-+*#>=~`<|_:&!.)(0-9 ]{1,4}";
    let part = prop_oneof![4 => words, 3 => piece, 1 => sign.prop_map(|sign| sign)];
    prop::collection::vec(part, 1..7).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn accepted_prose_is_nothing_but_prose(text in text(), place in prop::sample::select(PROSE.to_vec())) {
        let (file, place) = place;
        match generated(&[(file, place, &text)]) {
            Ok(files) => prop_assert_eq!(&markup(&files), &*HARMLESS),
            Err(mistakes) => prop_assert!(
                mistakes.iter().all(|it| it.starts_with("service.json:") || it.starts_with("get_thing.json:")),
            ),
        }
    }

    #[test]
    fn values_are_accepted_and_appear_literally(text in text()) {
        // Names have no white space, and are ASCII if they become Rust names.
        let is_visible = |c: &char| c.is_ascii_graphic() && *c != '.';
        let name = format!("v{}", text.chars().filter(is_visible).collect::<String>());
        let mut files = harmless();
        for place in VALUES {
            let is_name = place.ends_with("name") || place.contains("/enum/");
            *files[1].pointer_mut(place).unwrap() = json!(if is_name { &name } else { &text });
        }
        // The example has the parameter under its new name.
        files[1]["example"]["request"] = json!({ "Size": text, name.as_str(): "y" });
        let files = generate(&spec(&files)).unwrap_or_else(|found| panic!("{found:#?}"));
        prop_assert_eq!(&markup(&files), &*HARMLESS);
    }

    /// Any string anywhere: what is accepted is as harmless.
    #[test]
    fn no_string_of_a_spec_becomes_markup(text in text(), at in any::<prop::sample::Index>(), file in 0..2_usize) {
        let mut files = harmless();
        let mut strings = Vec::new();
        collect(&mut files[file], &mut strings);
        let count = strings.len();
        let string = strings.swap_remove(at.index(count));
        *string = text;
        if let Ok(files) = generate(&spec(&files)) {
            let markup = markup(&files);
            prop_assert!(markup.iter().all(|it| HARMLESS.contains(it)), "{:#?}", markup);
        }
    }
}

fn collect<'v>(value: &'v mut Value, strings: &mut Vec<&'v mut String>) {
    match value {
        Value::String(text) => strings.push(text),
        Value::Array(values) => values.iter_mut().for_each(|value| collect(value, strings)),
        Value::Object(values) => values.iter_mut().for_each(|(_, value)| collect(value, strings)),
        _ => {}
    }
}
