//! What is generated for `deprecated`, and the setters of optional parameters.
#![allow(clippy::unwrap_used)]

mod spec_folder;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use proc_macro2::{TokenStream, TokenTree};
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
            "#[deprecated(note = \"Use `power`.\")] pub is_on:",
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
            "#[deprecated(note = \"The kind of the disk decides.\")] pub size:",
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
    assert_contains(
        &files,
        "mod",
        &["#[cfg_attr(not(test), deprecated(note = \"Use `list_v2`.\"))] pub mod list_v10;"],
    );
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

/// The module of an action in another service, on one line.
fn module(file: &str, action: &str) -> Result<String, Vec<String>> {
    let mut spec = spec_folder::read("tests/data/other");
    spec.actions.push(SpecFile::new(format!("{file}.json"), action));
    match generate(&spec) {
        Ok(files) => {
            let text = &files[&format!("src/generated/{file}.rs")];
            Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        Err(mistakes) => Err(mistakes.into_iter().map(|mistake| mistake.message).collect()),
    }
}

/// More arguments than a reader can tell apart are the fields of a struct.
#[test]
fn many_required_parameters_are_one_struct() {
    let files = other();
    let expected = [
        "#[derive(Debug, Clone, PartialEq)] pub struct PackArgumentsRequired { /// Short. pub region: String,",
        "pub fn new(required: PackArgumentsRequired) -> Self { Self { region: required.region,",
        "pub fn pack_arguments( &self, required: PackArgumentsRequired, ) -> Call<PackArgumentsRequest> { \
         self.call(PackArgumentsRequest::new(required)) }",
        "pub fn pack_arguments( &self, required: PackArgumentsRequired, ) -> Call<PackArgumentsRequest, Self> {",
        "/// client.pack_arguments(other_sdk::actions::pack_arguments::PackArgumentsRequired { /// region: \"…\".into(), ///",
        "PackArgumentsRequest::new(PackArgumentsRequired { region: \"cn-zj\".into(),",
    ];
    let text = &files["src/generated/pack_arguments.rs"].replace("/// let response = ", "/// ");
    for expected in expected {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    // Four arguments of which three are alike are still arguments.
    let parameters = |types: &[&str]| {
        let rows = types.iter().enumerate().map(|(index, ty)| {
            format!(
                r#"{{ "name": "P{index}", "type": "{ty}", "required": true, "description": "X." }}"#
            )
        });
        let rows: Vec<String> = rows.collect();
        let action = format!(
            r#"{{ "action": "DoIt", "summary": "X.", "idempotency": "safe", "parameters": [{}], "response": [] }}"#,
            rows.join(",")
        );
        module("do_it", &action)
    };
    for (types, is_struct) in [
        (&["string", "string", "string"][..], false),
        (&["string", "int", "string", "string"], false),
        (&["string", "string", "string", "string"], true),
        (&["string", "int", "float", "boolean", "object"], true),
    ] {
        let text = parameters(types).unwrap();
        assert_eq!(text.contains("pub struct DoItRequired"), is_struct, "{types:?}\n{text}");
    }
}

#[test]
fn a_secret_is_a_type_that_does_not_show_it() {
    let files = other();
    assert_contains(
        &files,
        "pack_arguments",
        &[
            "use crate::secret::SecretString;",
            "A secret: hidden in `Debug` and in errors",
            "pub password: SecretString,",
            "pub access_key_secret: SecretString,",
            "pub tokens: Vec<SecretString>,",
            "const SECRETS: &'static [&'static str] = &[\"AccessKeySecret\", \"Password\", \"Tokens\"];",
        ],
    );
}

/// What cannot name an action, a field or a value in Rust has a way out.
#[test]
fn a_name_that_is_not_rust_can_be_given_one() {
    let action = |name: &str, more: &str, field: &str| {
        format!(
            r#"{{ "action": "{name}", {more} "summary": "X.", "idempotency": "safe", "response": [],
                "parameters": [{{ "name": {field}, "required": false, "description": "X." }}] }}"#
        )
    };
    let plain = r#""Size", "type": "int""#;
    let text = module(
        "check_second_factor",
        &action("2FA", r#""rust_name": "check_second_factor","#, plain),
    );
    let text = text.unwrap();
    for expected in [
        "const NAME: &'static str = \"2FA\";",
        "pub struct CheckSecondFactorRequest {",
        "#[doc(alias = \"2FA\")] pub fn check_second_factor(&self) -> Call<CheckSecondFactorRequest>",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    // Where only the words differ, types are named as documented.
    let mut spec = spec_folder::read("tests/data/other");
    let file = SpecFile::new(
        "describe_u_host_x.json",
        action("DescribeUHostX", r#""rust_name": "describe_uhost_x","#, plain),
    );
    spec.actions.push(file);
    let files = generate(&spec).unwrap();
    assert!(
        files["src/generated/describe_uhost_x.rs"].contains("pub struct DescribeUHostXRequest")
    );

    let values =
        r#""Kind", "type": "string", "enum": ["1", "2FA", "中文", "a-b", "a_b", "+", "Other"]"#;
    let named = r#", "value_names": { "1": "One", "2FA": "TwoFactors", "中文": "Chinese", "a_b": "UnderscoreB", "+": "Plus", "Other": "Rest" }"#;
    let text = module("choose", &action("Choose", "", &format!("{values}{named}"))).unwrap();
    for expected in [
        "#[doc(alias = \"1\")] One,",
        "\"2FA\" => Self::TwoFactors, \"中文\" => Self::Chinese, \"a-b\" => Self::AB, \"a_b\" => Self::UnderscoreB, \"+\" => Self::Plus,",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }

    for (name, more, field, expected) in [
        ("2FA", "", plain, "or add a `rust_name`"),
        (
            "Choose",
            r#""rust_name": "send","#,
            plain,
            "the core has a method or module of this name",
        ),
        ("Choose", r#""rust_name": "con","#, plain, "the core has a method or module of this name"),
        ("Choose", r#""rust_name": "Pick","#, plain, "expected snake_case and not a keyword"),
        ("Choose", "", r#""2FA", "type": "int""#, "or add a `rust_name`"),
        ("Choose", "", values, r#"or add `"value_names": { "1": "Value1" }` beside `enum`"#),
        ("Choose", "", values, r#"or add `"value_names": { "2FA": "Value2fa" }` beside `enum`"#),
        ("Choose", "", values, r#"or add `"value_names": { "中文": "…" }` beside `enum`"#),
        ("Choose", "", values, "`a_b` would be the variant `AB`, which exists; or add"),
        ("Choose", "", values, "`Other` would be the variant `Other`, which exists; or add"),
        (
            "Choose",
            "",
            r#""K", "type": "string", "enum": ["a"], "value_names": { "b": "B" }"#,
            "`b` is not a value of `enum`; did you mean `a`?",
        ),
        (
            "Choose",
            "",
            r#""K", "type": "string", "enum": ["a"], "value_names": { "a": "Self" }"#,
            "`Self` cannot name a variant",
        ),
        (
            "Choose",
            "",
            r#""K", "type": "string", "value_names": { "b": "B" }"#,
            "`value_names` needs `enum`",
        ),
        (
            "Choose",
            "",
            r#""K", "type": "int", "secret": true"#,
            "only a plain string, or an array of them, can be `secret`",
        ),
    ] {
        let found = module("choose", &action(name, more, field)).unwrap_err();
        assert!(found.iter().any(|message| message.contains(expected)), "{expected}\n{found:#?}");
    }
}

/// File systems without case cannot hold two files whose names differ in case only.
#[test]
fn actions_that_differ_in_case_only_are_told_apart_by_their_rust_names() {
    let action = |name: &str, more: &str| {
        format!(
            r#"{{ "action": "{name}", {more} "summary": "X.", "idempotency": "safe", "response": [], "parameters": [] }}"#
        )
    };
    let mut spec = spec_folder::read("tests/data/other");
    spec.actions.push(SpecFile::new("get_vm.json", action("GetVM", "")));
    spec.actions.push(SpecFile::new("get_vm.json", action("GetVm", "")));
    let found = generate(&spec).unwrap_err();
    assert!(found[0].message.ends_with("add a `rust_name` to one of them"), "{found:#?}");
    spec.actions.pop();
    spec.actions.push(SpecFile::new(
        "get_small_vm.json",
        action("GetVm", r#""rust_name": "get_small_vm","#),
    ));
    let files = generate(&spec).unwrap();
    assert!(files.contains_key("src/generated/get_vm.rs"));
    assert!(files.contains_key("src/generated/get_small_vm.rs"));
}

/// Enums at the root of the crate, and constants of return codes, are refused where the core has one.
#[test]
fn names_at_the_root_of_the_core_are_refused() {
    for name in ["Error", "Credentials", "UntypedCall", "RetCode"] {
        let mut spec = spec_folder::read("tests/data/other");
        spec.service.text = spec.service.text.replace("\"Colour\": {", &format!("\"{name}\": {{"));
        let found = generate(&spec).unwrap_err();
        let expected = format!("the root of the crate has a `{name}` already");
        assert!(found.iter().any(|it| it.message.contains(&expected)), "{found:#?}");
    }
}

/// The names that generated code takes from elsewhere: each identifier of a type that it neither
/// defines nor has after `::`, and each one that it imports.
fn foreign_types(tokens: TokenStream, foreign: &mut BTreeSet<String>, own: &mut BTreeSet<String>) {
    let mut before = [String::new(), String::new()];
    for token in tokens {
        let text = match &token {
            TokenTree::Group(group) => {
                // An attribute's.
                if before[1] != "#" && before[1] != "!" {
                    foreign_types(group.stream(), foreign, own);
                }
                String::new()
            }
            token => token.to_string(),
        };
        if text.starts_with(|c: char| c.is_ascii_uppercase()) && !text.contains(char::is_whitespace)
        {
            let defines = ["struct", "enum", "const", "type"].contains(&before[1].as_str());
            let is_path = before == [":", ":"];
            if defines {
                own.insert(text.clone());
            } else if !is_path {
                foreign.insert(text.clone());
            }
        }
        before = [std::mem::take(&mut before[1]), text];
    }
}

#[test]
fn types_that_generated_code_uses_are_taken() {
    let files = generate(&spec_folder::read("tests/data/other")).unwrap();
    let mut taken = BTreeSet::new();
    let is_action =
        |path: &str| path.starts_with("src/generated/") && !path.ends_with("service.rs");
    for text in files.iter().filter(|(path, _)| is_action(path)).map(|(_, text)| text) {
        let file = syn::parse_file(text).unwrap();
        // A variant is defined without a keyword.
        let variants = file.items.iter().filter_map(|item| match item {
            syn::Item::Enum(item) => Some(item.variants.iter().map(|it| it.ident.to_string())),
            _ => None,
        });
        let mut own: BTreeSet<String> = variants.flatten().collect();
        let mut foreign = BTreeSet::new();
        foreign_types(text.parse().unwrap(), &mut foreign, &mut own);
        let imports = text.lines().filter_map(|line| line.strip_prefix("use crate::"));
        let imports = imports.filter_map(|line| line.trim_end_matches(';').rsplit("::").next());
        foreign.extend(
            imports.filter(|name| name.starts_with(|c: char| c.is_uppercase())).map(str::to_owned),
        );
        // `IntoIterator<Item = …>` is no use of a name.
        let known = ["Power", "Colour", "Item"];
        taken.extend(
            foreign
                .into_iter()
                .filter(|name| !own.contains(name) && !known.contains(&name.as_str())),
        );
    }
    for name in ["Option", "Call", "Client", "Parameters", "SecretString", "Timestamp", "Paged"] {
        assert!(taken.contains(name), "{name}: {taken:?}");
    }
    let models: Vec<String> = taken
        .iter()
        .map(|name| format!(r#""{name}": [{{ "name": "X", "type": "int", "required": true, "description": "X." }}]"#))
        .collect();
    let action = format!(
        r#"{{ "action": "Take", "summary": "X.", "idempotency": "safe", "response": [], "parameters": [], "models": {{ {} }} }}"#,
        models.join(",")
    );
    let text = module("take", &action).unwrap();
    let hidden: Vec<&String> =
        taken.iter().filter(|name| text.contains(&format!("pub struct {name} {{"))).collect();
    assert!(hidden.is_empty(), "add to `TAKEN_TYPES` of `model/naming.rs`: {hidden:?}");
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
            } else if path.extension().is_some_and(|it| it == "rs") {
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
