//! The generator as its users see it: files in, source or mistakes out.
#![allow(clippy::unwrap_used)]

mod spec_folder;

use std::collections::BTreeMap;

use proptest::prelude::*;
use uhub_codegen::{Spec, SpecFile, diff, generate, schemas};

/// UHub's spec as it once was: a change of the current one does not concern these tests.
fn uhub() -> Spec {
    spec_folder::read("tests/data/uhub")
}

fn other() -> Spec {
    spec_folder::read("tests/data/other")
}

fn source(spec: &Spec) -> BTreeMap<String, String> {
    generate(spec).unwrap_or_else(|mistakes| {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        panic!("{}", mistakes.join("\n"))
    })
}

fn action<'s>(spec: &'s mut Spec, file: &str) -> &'s mut SpecFile {
    spec.actions.iter_mut().find(|action| action.path.ends_with(file)).unwrap()
}

/// The mistakes in GetRepoImage after one text in its file is replaced.
fn mistakes(from: &str, to: &str) -> Vec<String> {
    let mut spec = uhub();
    let action = action(&mut spec, "get_repo_image.json");
    assert!(action.text.contains(from), "{from}");
    action.text = action.text.replacen(from, to, 1);
    action.path = "get_repo_image.json".to_owned();
    messages(&spec)
}

fn messages(spec: &Spec) -> Vec<String> {
    generate(spec).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn every_mistake_has_its_place_and_a_remedy() {
    let mut wrong = Vec::new();
    for (from, to, expected) in [
        // Form.
        (
            "\"idempotency\": \"safe\",",
            "\"idempotency\": \"safe\"",
            "7:3: error: invalid JSON: expected `,` or `}`",
        ),
        (
            "\"idempotency\"",
            "\"idempotencies\"",
            "6:3: error: `idempotencies` is unknown here; did you mean `idempotency`?",
        ),
        ("\"idempotency\"", "\"idempotencies\"", "1:1: error: `idempotency` is missing here"),
        (
            "\"safe\"",
            "\"sometimes\"",
            "6:18: error: `sometimes` is unknown here; expected one of: idempotent, non_idempotent, safe",
        ),
        ("\"safe\"", "true", "6:18: error: expected a string; found a boolean"),
        ("\"summary\"", "\"action\": \"Twice\", \"summary\"", "4:3: error: `action` is repeated"),
        (
            "\"Lists the images in one repository.\"",
            "\"\"",
            "4:14: error: this becomes documentation: write a sentence",
        ),
        (
            "Lists the images",
            "Lists\\u0007 the images",
            "4:14: error: the character U+0007 is not allowed",
        ),
        (
            "\"required\": true, \"description\": \"Name of the repository.\"",
            "\"description\": \"x\"",
            "9:5: error: `required` is missing here",
        ),
        (
            "\"RepoName\", \"type\"",
            "\"Repo Name\", \"type\"",
            "9:15: error: \"Repo Name\" must not contain white space",
        ),
        // Types.
        (
            "array[ImageSet]",
            "array[ImageSets]",
            "15:35: error: no model `ImageSets`; did you mean `ImageSet`?",
        ),
        (
            "\"int\", \"required\": true, \"description\": \"Presumably the total number",
            "\"Int\", \"required\": true, \"description\": \"Presumably the total number",
            "14:37: error: no model `Int`; did you mean `int`?",
        ),
        (
            "\"int\", \"required\": true, \"description\": \"Number of pulls",
            "\"integer\", \"required\": true, \"description\": \"Number of pulls",
            "20:38: error: no type or model `integer`",
        ),
        (
            "array[ImageSet]",
            "array[ImageSet",
            "15:35: error: `array[ImageSet` is not a type: an array is written `array[T]`",
        ),
        // Names.
        (
            "\"PullCount\"",
            "\"imageName\"",
            "20:17: error: `imageName` and `ImageName` would both be `image_name` in Rust: add a `rust_name` to one of them",
        ),
        ("\"PullCount\"", "\"ImageName\"", "20:17: error: `ImageName` is repeated"),
        ("\"PullCount\"", "\"2ndCount\"", "20:17: error: `2ndCount` is not a Rust name"),
        ("\"PullCount\"", "\"下载\"", "20:17: error: `下载` is not a Rust name"),
        (
            "\"PullCount\",",
            "\"PullCount\", \"rust_name\": \"type\",",
            "20:43: error: `type` cannot name a Rust field",
        ),
        (
            "\"Offset\", \"type\"",
            "\"Offset..N\", \"type\"",
            "10:15: error: `Offset..N` has an empty part",
        ),
        (
            "\"Offset\", \"type\"",
            "\"RepoName.N\", \"type\"",
            "10:15: error: `RepoName.N` and `RepoName` disagree on whether `RepoName` is a list",
        ),
        (
            "\"Offset\", \"type\"",
            "\"RepoName.Of\", \"type\"",
            "10:15: error: `RepoName.Of` and `RepoName` disagree on whether `RepoName` is a value or a group",
        ),
        ("\"Offset\", \"type\"", "\"RepoName\", \"type\"", "10:15: error: `RepoName` is repeated"),
        (
            "\"Offset\", \"type\"",
            "\"Signature\", \"type\"",
            "10:15: error: every action has `Signature`",
        ),
        (
            "\"TotalCount\", \"type\"",
            "\"RetCode\", \"type\"",
            "14:15: error: every response has `RetCode`",
        ),
        (
            "\"models\": {",
            "\"models\": { \"a-b\": [], \"a_b\": [], \"A-b\": [],",
            "17:37: error: the model `A-b` and the model `a_b` would both be the Rust type `ABModel`",
        ),
        (
            "\"action\": \"GetRepoImage\"",
            "\"action\": \"GetImages\"",
            "3:13: error: the action `GetImages` belongs in a file named `get_images.json`",
        ),
        // Defaults, formats, pagination.
        (
            "\"default\": 20",
            "\"default\": \"20\"",
            "11:69: error: the default does not fit its type: expected int; found a string",
        ),
        (
            "\"default\": 20",
            "\"default\": 20.0",
            "11:69: error: the default does not fit its type: expected int; found a number",
        ),
        (
            "\"required\": true, \"description\": \"Name of the repository.\"",
            "\"required\": true, \"default\": \"x\", \"description\": \"x\"",
            "9:74: error: a required parameter cannot have a `default`",
        ),
        (
            "\"default\": 20",
            "\"enum\": [\"a\"]",
            "11:66: error: `enum` needs a string or an array of strings",
        ),
        (
            "\"default\": 20",
            "\"format\": \"boolean\"",
            "11:68: error: a value of type int cannot have this format",
        ),
        (
            "\"offset\": \"Offset\"",
            "\"offset\": \"Ofset\"",
            "31:15: error: no parameter `Ofset`; did you mean `Offset`?",
        ),
        (
            "\"int\", \"required\": false, \"default\": 20",
            "\"array[int]\", \"required\": false",
            "32:14: error: `Limit` cannot paginate: expected a parameter, `int` or `string`",
        ),
        (
            "\"items\": \"ImageSet\"",
            "\"items\": \"TotalCount\"",
            "34:14: error: `TotalCount` cannot paginate: expected a response field, array",
        ),
        (
            "\"total\": \"TotalCount\"",
            "\"total\": \"Total\"",
            "33:14: error: no response field `Total`",
        ),
        (
            "\"total\": \"TotalCount\"",
            "\"total\": \"ImageSet\"",
            "33:14: error: `ImageSet` cannot paginate: expected a response field, `int` or `string`",
        ),
        (
            "\"items\": \"ImageSet\"",
            "\"items\": \"ImageSet\", \"key\": \"ImageName\"",
            "34:26: error: `key` is unknown here",
        ),
        // Keys that belong elsewhere.
        (
            "\"required\": true, \"description\": \"Name of the repository.\"",
            "\"required\": true, \"explicit\": true, \"description\": \"x\"",
            "9:75: error: a required parameter is explicit already",
        ),
        (
            "\"default\": 20",
            "\"allow_empty\": true",
            "11:73: error: only a plain string can have `allow_empty`",
        ),
        (
            "\"default\": 20",
            "\"example_shorthand\": true",
            "11:79: error: only a field of a model can have `example_shorthand`",
        ),
        (
            "\"default\": 20",
            "\"split_when_absent\": { \"action\": \"GetAll\", \"summary\": \"All.\", \"idempotency\": \"non_idempotent\" }",
            "11:15: error: only a string can have `split_when_absent`",
        ),
        (
            "\"RepoName\", \"type\": \"string\", \"required\": true, \"description\": \"Name of the repository.\"",
            "\"RepoName\", \"type\": \"string\", \"required\": true, \"split_when_absent\": { \"action\": \"X\", \"sumary\": \"All.\", \"idempotency\": \"non_idempotent\" }, \"description\": \"x\"",
            "9:101: error: `sumary` is unknown here; did you mean `summary`?",
        ),
        (
            "\"LatestTag\", \"type\": \"string\", \"required\": true,",
            "\"LatestTag\", \"type\": \"string\", \"required\": true, \"default\": \"x\",",
            "only a parameter can have `default`",
        ),
        (
            "\"PullCount\", \"type\": \"int\", \"required\": true,",
            "\"PullCount\", \"type\": \"int\", \"required\": true, \"example_shorthand\": true,",
            "20:17: error: only a required string of a model can have `example_shorthand`",
        ),
        (
            "\"LatestTag\", \"type\": \"string\", \"required\": true,",
            "\"LatestTag\", \"type\": \"string\", \"required\": true, \"enum\": [\"a-b\", \"aB\", \"other\", \"2\"],",
            "`other` would be the variant `Other`, which exists",
        ),
        (
            "\"ProjectId\", \"type\": \"string\"",
            "\"ProjectId\", \"type\": \"int\"",
            "8:15: error: the client fills in `ProjectId`: it must be a string",
        ),
        (
            "\"required\": true, \"description\": \"Name of the repository.\"",
            "\"required\": true, \"allow_empty\": true, \"description\": \"x\"",
            "9:78: error: only an optional parameter can have `allow_empty`",
        ),
        (
            "\"name\": \"ProjectId\", \"type\": \"string\", \"required\": false,",
            "\"name\": \"ProjectId\", \"type\": \"string\", \"required\": false, \"allow_empty\": true,",
            "8:80: error: a parameter that the client fills in cannot be empty",
        ),
        (
            "\"LatestTag\", \"type\": \"string\", \"required\": true,",
            "\"LatestTag\", \"type\": \"string\", \"required\": true, \"counted_by\": \"PullCount\",",
            "only a required list can have `counted_by`",
        ),
        (
            "\"array[ImageSet]\", \"required\": true,",
            "\"array[ImageSet]\", \"required\": true, \"counted_by\": \"Totals\",",
            "no required int `Totals` beside the list",
        ),
        // Shared enums and the names of models.
        (
            "\"LatestTag\", \"type\": \"string\", \"required\": true,",
            "\"LatestTag\", \"type\": \"string\", \"required\": true, \"enum_type\": \"Visible\",",
            "no enum `Visible` in service.json",
        ),
        (
            "\"PullCount\", \"type\": \"int\", \"required\": true,",
            "\"PullCount\", \"type\": \"int\", \"required\": true, \"enum_type\": \"Visibility\",",
            "`enum_type` needs a string or a boolean; found int",
        ),
        ("\"ImageSet\": \"Image\"", "\"Images\": \"Image\"", "no model `Images`"),
        ("\"ImageSet\": \"Image\"", "\"ImageSet\": \"image\"", "`image` cannot name a Rust type"),
        // Prose that rustdoc would not render verbatim.
        (
            "Name of the repository.",
            "Name of the [Repository].",
            "9:78: error: `[` would become a link or a tag",
        ),
        (
            "Name of the repository.",
            "An array<T>, `Vec<T>`.",
            "9:78: error: `<` would become a link or a tag",
        ),
        (
            "Name of the repository.",
            "Such as\\n\\n    this",
            "9:78: error: a code block would become a doctest",
        ),
        (
            "\"string\", \"required\": true, \"description\": \"Name of the repository.\"",
            "\"strng\", \"required\": true, \"description\": \"Name of the repository.\"",
            "9:35: error: no type or model `strng`; did you mean `string`?",
        ),
        // Examples.
        (
            "\"Limit\": 6",
            "\"Limit\": \"6\"",
            "41:16: error: the example of `Limit` does not fit its type: expected int; found a string; if the page has it, add `\"example_type\"`",
        ),
        (
            "\"Limit\": 6",
            "\"Limits\": 6",
            "41:7: error: no parameter `Limits`; did you mean `Limit`?",
        ),
        (
            "\"RepoName\": \"idkTdEFo\",",
            "",
            "37:16: error: the example omits the required `RepoName`",
        ),
        (
            "\"example_omits\": true, ",
            "",
            "the example omits the required `RepoName`: if the page does, add `\"example_omits\": true`",
        ),
        (
            "\"format\": \"timestamp\", \"example_type\": \"int\", ",
            "",
            "47:25: error: the example of `CreateTime` does not fit its type: expected string; found an integer",
        ),
        (
            "\"LatestTag\": \"iBvvYGkW\"",
            "\"LastTag\": \"iBvvYGkW\"",
            "49:11: error: no field `LastTag`; did you mean `LatestTag`?",
        ),
    ] {
        let found = mistakes(from, to);
        if !found.iter().any(|line| line.contains(expected)) {
            wrong.push(format!("{from} -> {to}\n  expected {expected}\n  found {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn empty_descriptions_are_one_mistake_that_names_them() {
    let mut spec = uhub();
    let tags = action(&mut spec, "get_image_tag.json");
    tags.path = "get_image_tag.json".to_owned();
    for text in [
        "Lists the tags of an image.",
        "Name of the repository.",
        "Name of the image.",
        "Digest of the tagged image.",
    ] {
        assert!(tags.text.contains(text), "{text}: {}", tags.text);
        tags.text = tags.text.replace(text, " ");
    }
    let service = &mut spec.service;
    service.path = "service.json".to_owned();
    service.text = service.text.replace("Anyone may pull.", "");
    service.text = service.text.replace("Get new temporary credentials.", "");
    let expected = "error: this becomes documentation: write a sentence for";
    assert_eq!(
        messages(&spec),
        [
            format!(
                "get_image_tag.json:4:14: {expected} `summary`; `RepoName` and `ImageName` \
                 (parameters); `Digest` (TagSet)"
            ),
            format!("service.json:21:74: {expected} `Public` (variants); `remedy` (TOKEN_UNKNOWN)"),
        ]
    );
}

#[test]
fn all_mistakes_are_reported_at_once_and_in_order() {
    let mut spec = uhub();
    for (outcome, misspelled) in [("unknown", "unkown"), ("timed_out", "timed_oot")] {
        spec.service.text =
            spec.service.text.replace(&format!("\"{outcome}\""), &format!("\"{misspelled}\""));
    }
    let first = action(&mut spec, "get_repo_image.json");
    first.text =
        first.text.replace("\"safe\"", "\"save\"").replace("array[ImageSet]", "array[ImageSets]");
    first.text = first
        .text
        .replacen("\"summary\"", "\"sumary\"", 1)
        .replace("\"PullCount\"", "\"imageName\"");
    spec.actions.push(SpecFile::new("bad.json", "{"));
    let variant = action(&mut spec, "delete_repo.json").clone();
    spec.actions.push(variant);
    let found = generate(&spec).unwrap_err();
    assert!(found.is_sorted());
    assert_eq!(found.iter().filter(|mistake| mistake.path_ends_with("service.json")).count(), 3);
    assert!(found.iter().any(|mistake| mistake.path_ends_with("bad.json")));
    for expected in [
        "`sumary` is unknown here; did you mean `summary`?",
        "`summary` is missing here",
        "`save` is unknown here; did you mean `safe`?",
        "no model `ImageSets`; did you mean `ImageSet`?",
        "`imageName` and `ImageName` would both be `image_name` in Rust",
        "`DeleteRepo` would be the module `delete_repo`, which comes from",
    ] {
        assert!(
            found.iter().any(|mistake| mistake.message.contains(expected)),
            "{expected}: {found:#?}"
        );
    }
    assert_eq!(found.len(), 3 + 1 + 6, "and nothing that only follows from these: {found:#?}");
}

trait PathEndsWith {
    fn path_ends_with(&self, end: &str) -> bool;
}

impl PathEndsWith for uhub_codegen::Diagnostic {
    fn path_ends_with(&self, end: &str) -> bool {
        self.file.ends_with(end)
    }
}

/// Examples are checked at any depth, with dotted names and with objects.
#[test]
fn examples_of_models_are_checked() {
    for (from, to, expected) in [
        ("\"Stops.0.Type\": \"x\"", "\"Stops.0.Typ\": \"x\"", "no parameter `Stops.0.Typ`"),
        (
            "\"Stops.0.Type\": \"x\"",
            "\"Stops.0.Type\": 1",
            "the example of `Type` does not fit its type: expected string; found an integer",
        ),
        ("\"Stops.0.Type\": \"x\"", "\"Stops.0.Type.0\": \"x\"", "no parameter `Stops.0.Type.0`"),
        (
            "\"Detours\": [{ \"Type\": \"z\" }]",
            "\"Detours\": [{ \"Kind\": \"z\" }]",
            "no field `Kind`",
        ),
        (
            "\"Detours\": [{ \"Type\": \"z\" }]",
            "\"Detours\": [{}]",
            "the example omits the required `Type`",
        ),
        (
            "\"Price\": 1.5",
            "\"Price\": \"1.5\"",
            "the example of `Price` does not fit its type: expected float; found a string",
        ),
        (
            "\"Via\": [\"b\", \"c\"]",
            "\"Via\": \"b\"",
            "the example of `Via` does not fit its type: expected array[string]; found a string",
        ),
        (
            "\"Colour\": \"Red\"",
            "\"Color\": \"Red\"",
            "no parameter `Bag.Color`; did you mean `Bag.Colour`?",
        ),
        ("\"Extra.a.0\": 1,", "", "the example omits the required `Extra`"),
    ] {
        let mut spec = other();
        let trip = action(&mut spec, "plan_trip.json");
        assert!(trip.text.contains(from), "{from}");
        trip.text = trip.text.replacen(from, to, 1);
        let found = messages(&spec);
        assert!(found.iter().any(|line| line.contains(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn two_actions_with_one_name_are_an_error() {
    let mut spec = other();
    let mut variant =
        spec.actions.iter().find(|file| file.path.ends_with("list_v2.json")).unwrap().clone();
    variant.text = variant.text.replace("ListV2", "List-V2");
    spec.actions.push(variant);
    let found = messages(&spec);
    assert!(
        found[0].contains("`List-V2` would be the module `list_v2`, which comes from tests/data/other/actions/list_v2.json"),
        "{found:?}"
    );
}

#[test]
fn an_action_has_at_most_two_calls() {
    let mut spec = other();
    let disk = action(&mut spec, "delete_disk.json");
    let parameter = r#"{ "name": "DiskId","#;
    assert!(disk.text.contains(parameter));
    let second = disk.text.lines().find(|line| line.contains(parameter)).unwrap().to_owned();
    let second = second.replace("DiskId", "Second").replace("DeleteAllDisks", "DeleteSecond");
    disk.text = disk
        .text
        .replace("    { \"name\": \"DiskId\"", &format!("{second},\n    {{ \"name\": \"DiskId\""));
    let found = messages(&spec);
    assert!(
        found
            .iter()
            .any(|line| line
                .contains("only one parameter of an action can have `split_when_absent`")),
        "{found:?}"
    );
}

#[test]
fn mistakes_in_the_service_are_reported() {
    for (from, to, expected) in [
        (
            "https://api.surfercloud.com/",
            "http://api.surfercloud.com",
            "is not an endpoint: expected `https://…/`",
        ),
        ("\"code\": 171", "\"code\": 0", "0 is success and not an error"),
        ("\"code\": 171", "\"code\": 170", "the return code 170 is repeated"),
        (
            "\"SIGNATURE_WRONG\"",
            "\"SIGNATURE_MISSING\"",
            "the return code `SIGNATURE_MISSING` is repeated",
        ),
        ("\"SIGNATURE_WRONG\"", "\"Wrong\"", "`Wrong` cannot name a Rust constant"),
        ("\"code\": 171", "\"code\": \"171\"", "expected an integer; found a string"),
        ("\"name\": \"Private\"", "\"name\": \"Public\"", "the variant `Public` is repeated"),
        ("[\"private\", \"false\"]", "[\"private\", \"True\"]", "the value `True` is repeated"),
        (
            "[\"private\", \"false\"]",
            "[\"private\"]",
            "`Visibility` needs two variants, one `true` and one `false`",
        ),
        (
            "\"Visibility\": {",
            "\"visibility\": {",
            "no enum `Visibility` in service.json; did you mean `visibility`?",
        ),
        (
            "\"project_parameter\": \"ProjectId\"",
            "\"project_parameter\": \"Project\"",
            "no action has a parameter `Project`",
        ),
    ] {
        let mut spec = uhub();
        assert!(spec.service.text.contains(from), "{from}");
        spec.service.text = spec.service.text.replacen(from, to, 1);
        let found = messages(&spec);
        assert!(found.iter().any(|line| line.contains(expected)), "{expected}: {found:?}");
    }
}

/// Source without its layout, which depends on the length of names.
fn squeezed(source: &str) -> String {
    let words: Vec<&str> = source.split_whitespace().collect();
    let mut text = words.join(" ");
    for (from, to) in [
        (", ]", "]"),
        (", }", " }"),
        (", )", ")"),
        (", >", ">"),
        ("( ", "("),
        ("[ ", "["),
        ("< ", "<"),
    ] {
        text = text.replace(from, to);
    }
    text
}

/// The source of an action's module, squeezed.
fn module(files: &BTreeMap<String, String>, name: &str) -> String {
    squeezed(&files[&format!("src/generated/{name}.rs")])
}

fn assert_contains(source: &str, expected: &[&str]) {
    for expected in expected {
        // The last of several has no comma.
        let squeezed = squeezed(expected);
        assert!(source.contains(squeezed.trim_end_matches(',')), "{expected}\n{source}");
    }
}

#[test]
fn other_services_shapes_are_rendered() {
    let files = source(&other());
    let host = module(&files, "create_u_host");
    assert_contains(
        &host,
        &[
            "pub r#type: String,",
            "pub fn new_(mut self, value: bool) -> Self {",
            "pub private_ip: Vec<String>,",
            "pub matrix: Vec<Vec<i64>>,",
            "pub disks: Vec<Disks>,",
            "pub custom_backup: Option<DisksCustomBackup>,",
            "pub features: Option<Features>,",
            "pub host: UHost,",
            "pub raw: Option<serde_json::Value>,",
            "pub grid: Vec<Vec<i64>>,",
            "pub parent: Option<Box<UHost>>,",
            "pub children: Vec<UHost>,",
            "pub left: Option<Box<DiskInfo>>,",
            "pub owner: Option<Box<UHost>>,",
            "pub option: Option<OptionModel>,",
            "pub ulb_id_2: Option<String>,",
            "pub enum CreateUHostBootMode {",
            "/// The value `fast-boot`. FastBoot,",
            "Self::FastBoot => \"fast-boot\",",
            "\"fast-boot\" => Self::FastBoot,",
            "pub boot_mode: CreateUHostBootMode,",
            "to.add_as_text(\"IsHot\", &self.is_hot);",
            "to.add_allow_empty(\"Remark\", &self.remark);",
            "impl<C> Call<CreateUHostRequest, C> {",
            "pub created: Timestamp,",
            "decode::Field::required(\"Ready\"),",
            "decode::Field::optional(\"IsHot\").text()",
            "decode::Field::required(\"Name\").shorthand(),",
            "decode::Field::list(\"Peers\"),",
        ],
    );
    let trip = module(&files, "plan_trip");
    assert_contains(
        &trip,
        &[
            // Models and JSON as parameters.
            "pub route: Route,",
            "pub stops: Vec<Stop>,",
            "pub detours: Vec<Stop>,",
            "pub tree: Option<Branch>,",
            "pub extra: serde_json::Value,",
            "pub notes: Option<serde_json::Value>,",
            "pub layers: Vec<serde_json::Value>,",
            "pub fn new(from: impl Into<String>, via: impl IntoIterator<Item = impl Into<String>>) -> Self {",
            "impl parameters::Group for Stop {",
            "to.add_allow_empty(\"Remark\", &self.remark);",
            "to.add_as_text(\"Paid\", &self.paid);",
            "/// Defaults to `fast`.",
            // Models that contain themselves, in a box or in an empty list.
            "pub root: Option<Box<Branch>>,",
            "pub fn new(twigs: impl IntoIterator<Item = Branch>) -> Self {",
            "self.root = Some(Box::new(value));",
            "pub back: Option<Box<Branch>>,",
            // A model that is sent and read is two structs, and one that neither has is read.
            "pub owner: Option<DriverParameters>,",
            "pub by: Option<DriverParameters>,",
            "pub struct DriverParameters {",
            "pub since: Option<i64>,",
            "pub driver: Driver,",
            "pub since: Option<Timestamp>,",
            "pub struct Unused {",
            // The model whose documented name is the Rust name keeps it.
            "pub struct BagParameters {",
            "pub bags: Vec<Bag>,",
            "pub twins: Vec<BagModel>,",
            "pub self_: Option<PlanTripRequestModel>,",
            // Values.
            "\"None\" => Self::None,",
            "\"by-foot\" => Self::ByFoot,",
            "pub days: Vec<PlanTripDays>,",
            "pub weather: Option<PlanTripWeather>,",
            "pub weather: PlanTripWeatherValue,",
            "pub colour: Option<BagParametersColour>,",
            "pub kind: Option<RouteKind>,",
            // A value that the documented type cannot hold is any JSON.
            "pub price: serde_json::Value,",
            "pub seats: i64,",
            "decode::Field::list(\"Legs\").single(),",
            "pub number: Option<serde_json::Value>,",
            "/// The documentation's example shows `string` instead of the documented type, so any JSON is",
            // The client's project is not sent where the action requires the caller's.
            "to.add(\"ProjectId\", &self.project_id);",
        ],
    );
    assert_eq!(trip.matches("pub mode: PlanTripMode,").count(), 2, "{trip}");
    assert_contains(&module(&files, "list_v2"), &["pub struct UHost {"]);
    assert_contains(
        &module(&files, "list_disks"),
        &[
            "decode::Field::list(\"Disks\").counted_by(\"Total\"),",
            "\"Total\" => Some(self.total),",
            "(self.begin, self.limit)",
        ],
    );
    // Of one action, two calls that cannot be mistaken for each other.
    let (one, all) = (module(&files, "delete_disk"), module(&files, "delete_all_disks"));
    assert_contains(
        &one,
        &[
            "pub fn new(disk_id: impl Into<String>) -> Self {",
            "to.add(\"DiskId\", &self.disk_id);",
            "const NAME: &'static str = \"DeleteDisk\";",
        ],
    );
    assert!(!all.contains("disk_id"), "{all}");
    assert_contains(&all, &["const NAME: &'static str = \"DeleteDisk\";"]);
}

#[test]
fn a_shared_enum_is_sent_as_each_parameter_documents_it() {
    let files = source(&other());
    assert_contains(
        &module(&files, "enums"),
        &[
            "pub enum Power { /// It shines. #[serde(rename = \"on\")] On,",
            "(\"yes\", Self::On), (\"off\", Self::Off),",
            "Self::Off => \"off\",",
        ],
    );
    assert_contains(
        &module(&files, "switch_lamp"),
        &[
            "use crate::actions::enums::Power;",
            "#[doc(alias = \"toggle\")]",
            "pub fn new(power: Power, is_kept: Power) -> Self {",
            "pub is_on: Option<Power>,",
            "/// Defaults to `Off`.",
            "to.add(\"Power\", &self.power);",
            "to.add(\"IsOn\", &self.is_on.map(|value| value == Power::On));",
            "to.add_as_text(\"IsKept\", &(self.is_kept == Power::On));",
            "SwitchLampRequest::new(Power::On, Power::On).is_on(Power::Off);",
            "client.switch_lamp(other_sdk::Power::Off, other_sdk::Power::Off)",
            // The Rust names of a model and of a field, with the documented ones.
            "/// Documented as `Lamp`. #[doc(alias = \"Lamp\")]",
            "pub struct Light {",
            "pub light: Light,",
            "to.field(\"Lamp\", &self.light)?;",
            // What serde writes and reads: what is not set is left out.
            "to.field(\"Power\", &self.power)?; to.optional(\"IsOn\", &self.is_on)?;",
            "power: from.field(\"Power\")?, is_on: from.optional(\"IsOn\")?,",
            "pub power: Option<Power>,",
            "decode::Field::optional(\"Power\").text(), decode::Field::optional(\"WasOn\")",
        ],
    );
}

#[test]
fn mistakes_in_shared_enums_and_names_are_reported() {
    for (file, from, to, expected) in [
        ("service", "\"name\": \"Off\"", "\"name\": \"On\"", "`On`"),
        ("service", "\"off\", \"false\"", "\"off\", \"TRUE\"", "`TRUE`"),
        ("service", "\"Power\": {", "\"power\": {", "`power`"),
        ("lamp", "[\"off\", \"on\"]", "[\"off\", \"yes\"]", "`Power`"),
        (
            "lamp",
            "\"default\": false, \"enum_type\": \"Power\"",
            "\"enum_type\": \"Powr\"",
            "`Powr`",
        ),
        (
            "lamp",
            "\"boolean\", \"required\": false, \"default\": false",
            "\"int\", \"required\": false",
            "int",
        ),
        ("lamp", "\"Lamp\": \"Light\"", "\"Lump\": \"Light\"", "`Lump`"),
        ("lamp", "\"Lamp\": \"Light\"", "\"Lamp\": \"light\"", "`light`"),
    ] {
        let mut spec = other();
        let file = match file {
            "lamp" => action(&mut spec, "switch_lamp.json"),
            _ => &mut spec.service,
        };
        assert!(file.text.contains(from), "{from}");
        file.text = file.text.replacen(from, to, 1);
        let found = messages(&spec);
        assert!(found.iter().any(|line| line.contains(expected)), "{from} -> {to}: {found:#?}");
    }
}

#[test]
fn the_local_server_gets_tables_of_what_is_documented() {
    let table = squeezed(&source(&other())["local/src/generated/mod.rs"]);
    let string = "kind: Kind::String, required";
    assert_contains(
        &table,
        &[
            &format!("Parameter {{ name: \"Type\", {string}: true }},"),
            "Parameter { name: \"IsHot\", kind: Kind::Flag, required: false },",
            // Arguments of our calls may be optional to the service.
            "kind: Kind::Enum(&[\"slow\", \"fast-boot\"]), required: false }",
            &format!("Parameter {{ name: \"DiskId\", {string}: false }}"),
            "kind: Kind::List(&Kind::List(&Kind::Int)), required: false }",
            &format!(
                "kind: Kind::List(&Kind::Group(&[Parameter {{ name: \"Type\", {string}: true }}"
            ),
            "Parameter { name: \"Power\", kind: Kind::Enum(&[\"on\", \"off\"]), required: true }",
            "Parameter { name: \"IsOn\", kind: Kind::Boolean, required: false }",
            "Parameter { name: \"IsKept\", kind: Kind::Flag, required: true }",
            "ReturnCode { code: -1, meaning: \"Odd.\" }",
        ],
    );
    // One action, though it is two calls.
    assert_eq!(table.matches("name: \"DeleteDisk\"").count(), 1, "{table}");
}

/// Blank lines separate items and functions; documentation has at most 100 columns.
#[test]
fn a_service_without_return_codes_imports_only_what_it_uses() {
    let mut spec = other();
    let mut service: serde_json::Value = serde_json::from_str(&spec.service.text).unwrap();
    service["return_codes"] = serde_json::json!([]);
    spec.service.text = service.to_string();
    let source = source(&spec);
    let text = &source["src/generated/service.rs"];
    assert!(text.contains("use crate::ret_code::{Documentation, RetCode};"), "{text}");
    assert!(!text.contains("RetCodeOutcome") && !text.contains("match self"), "{text}");
}

#[test]
fn generated_code_is_laid_out() {
    for (name, text) in source(&uhub()).into_iter().chain(source(&other())) {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate().skip(1) {
            let is_doc = line.trim_start().starts_with("//");
            let has_one_word = line.split_whitespace().count() < 3;
            assert!(
                !is_doc || has_one_word || line.chars().count() <= 100 || line.contains("let "),
                "{name}: {line}"
            );
            if line.trim_start() == "}"
                && lines.get(index + 1).is_some_and(|next| next.trim_start().starts_with("///"))
            {
                panic!("{name}: no blank line after line {index}");
            }
        }
    }
}

#[test]
fn the_committed_schemas_are_up_to_date() {
    for (file, expected) in schemas() {
        let path = format!("../api-spec/schema/{file}");
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            let text = serde_json::to_string_pretty(&expected).unwrap() + "\n";
            std::fs::write(&path, text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(
            serde_json::from_str::<serde_json::Value>(&committed).unwrap() == expected,
            "{path} is not up to date: run `UPDATE_SCHEMAS=1 cargo test --package uhub-codegen schemas`"
        );
    }
}

#[test]
fn the_committed_specs_follow_their_schemas() {
    let schema = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let validator = |text| jsonschema::validator_for(&schema(text)).unwrap();
    let action = validator(include_str!("../../api-spec/schema/action.schema.json"));
    let service = validator(include_str!("../../api-spec/schema/service.schema.json"));
    for spec in [spec_folder::read("../api-spec/uhub"), uhub(), other()] {
        service.validate(&schema(&spec.service.text)).unwrap();
        for file in &spec.actions {
            if let Err(error) = action.validate(&schema(&file.text)) {
                panic!("{}: {error} at {}", file.path, error.instance_path());
            }
        }
    }
    let mistaken = uhub().actions[0].text.replace("\"idempotency\"", "\"idempotencies\"");
    assert!(!action.is_valid(&schema(&mistaken)));
}

/// Checks that any spec gives source that parses, or mistakes, and can be compared.
fn survives(spec: &Spec) {
    for (old, new) in [(spec, &other()), (&uhub(), spec)] {
        if let Ok(changes) = diff(old, new) {
            assert!(changes.to_text("0.1.0").lines().count() > 3 * changes.changes.len());
        }
    }
    match generate(spec) {
        Ok(files) => {
            for (name, text) in files {
                syn::parse_file(&text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
            }
        }
        Err(mistakes) => assert!(!mistakes.is_empty()),
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in ".*") {
        let mut spec = uhub();
        action(&mut spec, "get_repo.json").text = text.clone();
        survives(&spec);
        survives(&Spec::new(SpecFile::new("service.json", text), Vec::new()));
    }

    /// Removes a piece of a spec, or inserts one.
    #[test]
    fn no_edit_panics(
        which in 0..14_usize,
        at in any::<prop::sample::Index>(),
        length in 0..40_usize,
        piece in prop::sample::select(vec![
            "", "\"", "{", "]", "null", "-1", "1e999", "\\", "\u{202e}", "*/", "r#", "\\n", "N", ".N", "array[", "é", "self", "\\ud800",
        ]),
    ) {
        let mut specs = [uhub(), other()];
        let files = specs.iter_mut().flat_map(|spec| spec.actions.iter_mut().chain([&mut spec.service]));
        let file = files.cycle_to(which);
        let chars: Vec<char> = file.text.chars().collect();
        let at = at.index(chars.len());
        let end = (at + length).min(chars.len());
        file.text = chars[..at].iter().collect::<String>() + piece + &chars[end..].iter().collect::<String>();
        for spec in &specs {
            survives(spec);
        }
    }
}

trait CycleTo<'a> {
    fn cycle_to(self, index: usize) -> &'a mut SpecFile;
}

impl<'a, I: Iterator<Item = &'a mut SpecFile>> CycleTo<'a> for I {
    fn cycle_to(self, index: usize) -> &'a mut SpecFile {
        let mut files: Vec<&mut SpecFile> = self.collect();
        let index = index % files.len();
        files.swap_remove(index)
    }
}

#[test]
fn the_client_fills_in_the_parameters_that_the_service_names() {
    let with = |names: &str| {
        let mut spec = uhub();
        let project = "\"project_parameter\": \"ProjectId\"";
        assert!(spec.service.text.contains(project));
        spec.service.text =
            spec.service.text.replacen(project, &format!("\"client_parameters\": [{names}]"), 1);
        let action = action(&mut spec, "get_repo_image.json");
        let region = r#"{ "name": "Region", "type": "string", "required": true, "example_omits": true, "description": "Where." },"#;
        action.text =
            action.text.replacen("\"parameters\": [", &format!("\"parameters\": [{region}"), 1);
        spec
    };
    let files = source(&with("\"ProjectId\", \"Region\""));
    let clients = &files["src/generated/mod.rs"];
    for method in [
        "pub fn project_id(",
        "pub fn with_project_id(",
        "pub fn region(self",
        "pub fn with_region(",
    ] {
        assert!(clients.contains(method), "{method} in {clients}");
    }
    let request = &files["src/generated/get_repo_image.rs"];
    assert!(request.contains("pub region: Option<String>"), "{request}");
    assert!(request.contains("to.add_or_client_default(\"Region\", &self.region)"), "{request}");
    // A service without them has none of the settings.
    let none = source(&with(""));
    assert!(!none["src/generated/mod.rs"].contains("impl "));
    assert!(none["src/generated/service.rs"].contains("&[ClientParameter] = &[]"));
    for (names, expected) in [
        (
            "\"Regiom\"",
            "the client has no setting for `Regiom`; expected ProjectId, Region, Zone; did you mean `Region`?",
        ),
        ("\"Zone\"", "no action has a parameter `Zone`"),
        ("\"Region\", \"Region\"", "`Region` and `Region` are one setting"),
    ] {
        let found = messages(&with(names));
        assert!(found.iter().any(|line| line.contains(expected)), "{expected}: {found:?}");
    }
}
