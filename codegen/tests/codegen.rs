//! The generator as its users see it: files in, source or mistakes out.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use proptest::prelude::*;
use uhub_codegen::{Spec, SpecFile, diff, generate, read};

const OTHER: &str = "tests/data/other";

fn uhub() -> Spec {
    read(Path::new("../api-spec/uhub")).unwrap()
}

fn other() -> Spec {
    read(Path::new(OTHER)).unwrap()
}

fn source(spec: &Spec) -> BTreeMap<String, String> {
    generate(spec).unwrap_or_else(|mistakes| {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        panic!("{}", mistakes.join("\n"))
    })
}

fn action<'s>(spec: &'s mut Spec, file: &str) -> &'s mut SpecFile {
    spec.actions
        .iter_mut()
        .find(|action| action.path.ends_with(file))
        .unwrap()
}

/// What is said of the action when its file has this text in place of that.
fn mistakes(from: &str, to: &str) -> Vec<String> {
    let mut spec = uhub();
    let action = action(&mut spec, "get_repo_image.json");
    assert!(action.text.contains(from), "{from}");
    action.text = action.text.replacen(from, to, 1);
    action.path = "get_repo_image.json".to_owned();
    said(&spec)
}

fn said(spec: &Spec) -> Vec<String> {
    generate(spec)
        .err()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn every_mistake_has_its_place_and_says_what_to_do() {
    let mut wrong = Vec::new();
    for (from, to, expected) in [
        // Form.
        (
            "\"repeat\": \"safe\",",
            "\"repeat\": \"safe\"",
            "6:3: this is not JSON: expected `,` or `}`",
        ),
        (
            "\"repeat\"",
            "\"repeats\"",
            "5:3: an action has no key `repeats`; did you mean `repeat`?",
        ),
        ("\"repeat\"", "\"repeats\"", "1:1: an action lacks `repeat`"),
        (
            "\"safe\"",
            "\"sometimes\"",
            "5:13: `sometimes` is not known here; expected one of: idempotent, never, safe",
        ),
        (
            "\"safe\"",
            "true",
            "5:13: expected a string; found a boolean",
        ),
        (
            "\"summary\"",
            "\"action\": \"Twice\", \"summary\"",
            "4:3: `action` stands twice in an action",
        ),
        (
            "\"Lists the images in one repository.\"",
            "\"\"",
            "4:14: this is empty, and becomes documentation",
        ),
        (
            "Lists the images",
            "Lists\\u0007 the images",
            "4:14: the character U+0007 may not stand here",
        ),
        (
            "\"required\": true, \"description\": \"Name of the repository.\"",
            "\"description\": \"x\"",
            "8:5: a parameter or field lacks `required`",
        ),
        (
            "\"RepoName\", \"type\"",
            "\"Repo Name\", \"type\"",
            "8:15: \"Repo Name\" may hold no white space",
        ),
        // Types.
        (
            "array[ImageSet]",
            "array[ImageSets]",
            "14:35: no model `ImageSets`; did you mean `ImageSet`?",
        ),
        (
            "\"int\", \"required\": true, \"description\": \"Supposedly how many images the",
            "\"Int\", \"required\": true, \"description\": \"Supposedly how many images the",
            "13:37: no model `Int`; did you mean `int`?",
        ),
        (
            "\"int\", \"required\": true, \"description\": \"How many times",
            "\"integer\", \"required\": true, \"description\": \"How many times",
            "19:38: no type or model `integer`",
        ),
        (
            "array[ImageSet]",
            "array[ImageSet",
            "14:35: `array[ImageSet` is no type: an array is written `array[T]`",
        ),
        // Names.
        (
            "\"PullCount\"",
            "\"imageName\"",
            "19:17: `imageName` and `ImageName` would both be `image_name` in Rust: give one of them a `rust_name`",
        ),
        (
            "\"PullCount\"",
            "\"ImageName\"",
            "19:17: `ImageName` stands here twice",
        ),
        (
            "\"PullCount\"",
            "\"2ndCount\"",
            "19:17: `2ndCount` makes no Rust name",
        ),
        (
            "\"PullCount\"",
            "\"下载\"",
            "19:17: `下载` makes no Rust name",
        ),
        (
            "\"PullCount\",",
            "\"PullCount\", \"rust_name\": \"type\",",
            "19:43: `type` cannot name a Rust field",
        ),
        (
            "\"Offset\", \"type\"",
            "\"Offset..N\", \"type\"",
            "9:15: `Offset..N` has an empty part",
        ),
        (
            "\"Offset\", \"type\"",
            "\"RepoName.N\", \"type\"",
            "9:15: `RepoName.N` and `RepoName` disagree on whether `RepoName` is a list",
        ),
        (
            "\"Offset\", \"type\"",
            "\"RepoName.Of\", \"type\"",
            "9:15: `RepoName.Of` and `RepoName` disagree on whether `RepoName` is a value or a group",
        ),
        (
            "\"Offset\", \"type\"",
            "\"RepoName\", \"type\"",
            "9:15: `RepoName` stands here twice",
        ),
        (
            "\"Offset\", \"type\"",
            "\"Signature\", \"type\"",
            "9:15: every action has `Signature`",
        ),
        (
            "\"TotalCount\", \"type\"",
            "\"RetCode\", \"type\"",
            "13:15: every response has `RetCode`",
        ),
        (
            "\"models\": {",
            "\"models\": { \"a-b\": [], \"a_b\": [], \"A-b\": [],",
            "16:37: the model `A-b` and the model `a_b` would both be the Rust type `ABModel`",
        ),
        (
            "\"action\": \"GetRepoImage\"",
            "\"action\": \"GetImages\"",
            "3:13: the action `GetImages` belongs in a file named `get_images.json`",
        ),
        // Defaults, formats, pagination.
        (
            "\"default\": 20",
            "\"default\": \"20\"",
            "10:69: the default does not fit its type: expected int; found a string",
        ),
        (
            "\"default\": 20",
            "\"default\": 20.0",
            "10:69: the default does not fit its type: expected int; found a number",
        ),
        (
            "\"required\": true, \"description\": \"Name of the repository.\"",
            "\"required\": true, \"default\": \"x\", \"description\": \"x\"",
            "8:74: a required parameter has no `default`",
        ),
        (
            "\"default\": 20",
            "\"enum\": [\"a\"]",
            "10:66: `enum` lists the values of a string, and this is none",
        ),
        (
            "\"default\": 20",
            "\"format\": \"boolean\"",
            "10:68: a value of type int cannot have this format",
        ),
        (
            "\"offset\": \"Offset\"",
            "\"offset\": \"Ofset\"",
            "27:15: no parameter `Ofset`; did you mean `Offset`?",
        ),
        (
            "\"limit\": \"Limit\"",
            "\"limit\": \"RepoName\"",
            "28:14: `RepoName` cannot page: expected a parameter, optional int",
        ),
        (
            "\"items\": \"ImageSet\"",
            "\"items\": \"TotalCount\"",
            "30:14: `TotalCount` cannot page: expected a response field, array of a model",
        ),
        (
            "\"total\": \"TotalCount\"",
            "\"total\": \"Total\"",
            "29:14: no response field `Total`",
        ),
        (
            "\"key\": \"ImageName\"",
            "\"key\": \"PullCount\"",
            "31:12: `PullCount` cannot page: expected a field of the items, required string",
        ),
        (
            "\"required\": false, \"default\": 20",
            "\"required\": true",
            "28:14: `Limit` cannot page: expected a parameter, optional int",
        ),
        (
            "\"TotalCount\": 5",
            "\"TotalCount\": \"five\"",
            "29:14: `TotalCount` cannot page: expected a response field, required int",
        ),
        // Flags, each where it belongs.
        (
            "\"required\": true, \"description\": \"Name of the repository.\"",
            "\"required\": true, \"explicit\": true, \"description\": \"x\"",
            "8:78: a required parameter is chosen anyway",
        ),
        (
            "\"default\": 20",
            "\"allow_empty\": true",
            "10:74: `allow_empty` is said of a plain string, and this is none",
        ),
        (
            "\"default\": 20",
            "\"example_shorthand\": true",
            "10:73: a parameter has no `example_shorthand`",
        ),
        (
            "\"default\": 20",
            "\"without\": { \"action\": \"GetAll\", \"summary\": \"All.\", \"repeat\": \"never\" }",
            "10:15: only a string can be what a call does another thing without",
        ),
        (
            "\"RepoName\", \"type\": \"string\", \"required\": true, \"description\": \"Name of the repository.\"",
            "\"RepoName\", \"type\": \"string\", \"required\": true, \"without\": { \"action\": \"X\", \"sumary\": \"All.\", \"repeat\": \"never\" }, \"description\": \"x\"",
            "8:91: `without` has no key `sumary`; did you mean `summary`?",
        ),
        (
            "\"LatestTag\", \"type\": \"string\", \"required\": true,",
            "\"LatestTag\", \"type\": \"string\", \"required\": true, \"default\": \"x\",",
            "a field has no `default`: it is said of parameters",
        ),
        (
            "\"PullCount\", \"type\": \"int\", \"required\": true,",
            "\"PullCount\", \"type\": \"int\", \"required\": true, \"example_shorthand\": true,",
            "19:17: only a required string of a model can stand for the whole of it",
        ),
        (
            "\"LatestTag\", \"type\": \"string\", \"required\": true,",
            "\"LatestTag\", \"type\": \"string\", \"required\": true, \"enum\": [\"a-b\", \"aB\", \"other\", \"2\"],",
            "`other` would be the variant `Other`, which is there already",
        ),
        (
            "\"ProjectId\", \"type\": \"string\"",
            "\"ProjectId\", \"type\": \"int\"",
            "7:15: the client fills `ProjectId` in, and can do that for a string alone",
        ),
        (
            "\"required\": true, \"description\": \"Name of the repository.\"",
            "\"required\": true, \"allow_empty\": true, \"description\": \"x\"",
            "8:79: `allow_empty` is said of a parameter that may be left out",
        ),
        (
            "\"name\": \"ProjectId\", \"type\": \"string\", \"required\": false,",
            "\"name\": \"ProjectId\", \"type\": \"string\", \"required\": false, \"allow_empty\": true,",
            "7:81: what the client fills in cannot be empty",
        ),
        (
            "\"LatestTag\", \"type\": \"string\", \"required\": true,",
            "\"LatestTag\", \"type\": \"string\", \"required\": true, \"counted_by\": \"PullCount\",",
            "only a required list needs to be counted",
        ),
        (
            "\"array[ImageSet]\", \"required\": true,",
            "\"array[ImageSet]\", \"required\": true, \"counted_by\": \"Totals\",",
            "no required int `Totals` beside the list",
        ),
        // Words that rustdoc would take for something else.
        (
            "Name of the repository.",
            "Name of the [Repository].",
            "8:78: `[` would become a link or a tag",
        ),
        (
            "Name of the repository.",
            "An array<T>, `Vec<T>`.",
            "8:78: `<` would become a link or a tag",
        ),
        (
            "Name of the repository.",
            "Such as\\n\\n    this",
            "8:78: a block of code would become a test of its own",
        ),
        (
            "\"string\", \"required\": true, \"description\": \"Name of the repository.\"",
            "\"strng\", \"required\": true, \"description\": \"Name of the repository.\"",
            "8:35: no type or model `strng`; did you mean `string`?",
        ),
        // Examples.
        (
            "\"Limit\": 6",
            "\"Limit\": \"6\"",
            "38:16: the example of `Limit` does not fit its type: expected int; found a string; if the page has it so, record `\"example_type\"`",
        ),
        (
            "\"Limit\": 6",
            "\"Limits\": 6",
            "38:7: no parameter `Limits`; did you mean `Limit`?",
        ),
        (
            "\"RepoName\": \"idkTdEFo\",",
            "",
            "34:16: the request shown lacks the required `RepoName`",
        ),
        (
            "\"example_omits\": true, ",
            "",
            "the example lacks the required `RepoName`: if the page has it so, record `\"example_omits\": true`",
        ),
        (
            "\"LatestTag\", \"type\": \"string\", \"required\": true,",
            "\"LatestTag\", \"type\": \"string\", \"required\": true, \"example_omits\": true,",
            "the example does not show `LatestTag` absent",
        ),
        (
            "\"LatestTag\", \"type\": \"string\",",
            "\"LatestTag\", \"type\": \"string\", \"example_type\": \"int\",",
            "the example does not show `LatestTag` as int",
        ),
        (
            "\"format\": \"timestamp\", \"example_type\": \"int\", ",
            "",
            "44:25: the example of `CreateTime` does not fit its type: expected string; found an integer",
        ),
        (
            "\"LatestTag\": \"iBvvYGkW\"",
            "\"LastTag\": \"iBvvYGkW\"",
            "46:11: no field `LastTag`; did you mean `LatestTag`?",
        ),
    ] {
        let found = mistakes(from, to);
        if !found.iter().any(|line| line.contains(expected)) {
            wrong.push(format!(
                "{from} -> {to}\n  expected {expected}\n  found {found:#?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_mistakes_are_said_in_one_go_and_in_order() {
    let mut spec = uhub();
    spec.service.text = spec.service.text.replace("\"unknown\"", "\"unkown\"");
    let first = action(&mut spec, "get_repo_image.json");
    first.text = first
        .text
        .replace("\"safe\"", "\"save\"")
        .replace("array[ImageSet]", "array[ImageSets]");
    first.text = first
        .text
        .replacen("\"summary\"", "\"sumary\"", 1)
        .replace("\"PullCount\"", "\"imageName\"");
    spec.actions.push(SpecFile::new("bad.json", "{"));
    let variant = action(&mut spec, "delete_repo.json").clone();
    spec.actions.push(variant);
    let found = generate(&spec).unwrap_err();
    assert!(found.is_sorted());
    assert_eq!(
        found
            .iter()
            .filter(|mistake| mistake.path_ends_with("service.json"))
            .count(),
        3
    );
    assert!(
        found
            .iter()
            .any(|mistake| mistake.path_ends_with("bad.json"))
    );
    for expected in [
        "an action has no key `sumary`; did you mean `summary`?",
        "an action lacks `summary`",
        "`save` is not known here; did you mean `safe`?",
        "no model `ImageSets`; did you mean `ImageSet`?",
        "`imageName` and `ImageName` would both be `image_name` in Rust",
        "`DeleteRepo` would be the module `delete_repo`, which comes from",
    ] {
        assert!(
            found
                .iter()
                .any(|mistake| mistake.message.contains(expected)),
            "{expected}: {found:#?}"
        );
    }
    assert_eq!(
        found.len(),
        3 + 1 + 6,
        "and nothing that only follows from these: {found:#?}"
    );
}

trait PathEndsWith {
    fn path_ends_with(&self, end: &str) -> bool;
}

impl PathEndsWith for uhub_codegen::Diagnostic {
    fn path_ends_with(&self, end: &str) -> bool {
        self.file.ends_with(end)
    }
}

/// An example is checked to its last field, however the page writes it.
#[test]
fn examples_of_models_are_checked() {
    for (from, to, expected) in [
        (
            "\"Stops.0.Type\": \"x\"",
            "\"Stops.0.Typ\": \"x\"",
            "no parameter `Stops.0.Typ`",
        ),
        (
            "\"Stops.0.Type\": \"x\"",
            "\"Stops.0.Type\": 1",
            "the example of `Type` does not fit its type: expected string; found an integer",
        ),
        (
            "\"Stops.0.Type\": \"x\"",
            "\"Stops.0.Type.0\": \"x\"",
            "no parameter `Stops.0.Type.0`",
        ),
        (
            "\"Detours\": [{ \"Type\": \"z\" }]",
            "\"Detours\": [{ \"Kind\": \"z\" }]",
            "no field `Kind`",
        ),
        (
            "\"Detours\": [{ \"Type\": \"z\" }]",
            "\"Detours\": [{}]",
            "the example lacks the required `Type`",
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
        (
            "\"Extra.a.0\": 1,",
            "",
            "the request shown lacks the required `Extra`",
        ),
    ] {
        let mut spec = other();
        let trip = action(&mut spec, "plan_trip.json");
        assert!(trip.text.contains(from), "{from}");
        trip.text = trip.text.replacen(from, to, 1);
        let found = said(&spec);
        assert!(
            found.iter().any(|line| line.contains(expected)),
            "{expected}: {found:#?}"
        );
    }
}

#[test]
fn two_actions_of_one_name_are_a_mistake() {
    let mut spec = other();
    let mut variant = spec
        .actions
        .iter()
        .find(|file| file.path.ends_with("list_v2.json"))
        .unwrap()
        .clone();
    variant.text = variant.text.replace("ListV2", "List-V2");
    spec.actions.push(variant);
    let found = said(&spec);
    assert!(
        found[0].contains("`List-V2` would be the module `list_v2`, which comes from tests/data/other/actions/list_v2.json"),
        "{found:?}"
    );
}

#[test]
fn an_action_is_no_more_than_two_calls() {
    let mut spec = other();
    let disk = action(&mut spec, "delete_disk.json");
    let parameter = r#"{ "name": "DiskId","#;
    assert!(disk.text.contains(parameter));
    let second = disk
        .text
        .lines()
        .find(|line| line.contains(parameter))
        .unwrap()
        .to_owned();
    let second = second
        .replace("DiskId", "Second")
        .replace("DeleteAllDisks", "DeleteSecond");
    disk.text = disk.text.replace(
        "    { \"name\": \"DiskId\"",
        &format!("{second},\n    {{ \"name\": \"DiskId\""),
    );
    let found = said(&spec);
    assert!(
        found
            .iter()
            .any(|line| line.contains("only one parameter of an action can have `without`")),
        "{found:?}"
    );
}

#[test]
fn a_service_is_checked_too() {
    for (from, to, expected) in [
        (
            "https://api.surfercloud.com/",
            "http://api.surfercloud.com",
            "is no endpoint: expected `https://…/`",
        ),
        (
            "\"code\": 171",
            "\"code\": 0",
            "0 is success, and no error's code",
        ),
        (
            "\"code\": 171",
            "\"code\": 170",
            "the return code 170 stands here already",
        ),
        (
            "\"SIGNATURE_WRONG\"",
            "\"SIGNATURE_MISSING\"",
            "a return code is named `SIGNATURE_MISSING` already",
        ),
        (
            "\"SIGNATURE_WRONG\"",
            "\"Wrong\"",
            "`Wrong` cannot name a Rust constant",
        ),
        (
            "\"code\": 171",
            "\"code\": \"171\"",
            "expected an integer; found a string",
        ),
    ] {
        let mut spec = uhub();
        assert!(spec.service.text.contains(from), "{from}");
        spec.service.text = spec.service.text.replacen(from, to, 1);
        let found = said(&spec);
        assert!(
            found.iter().any(|line| line.contains(expected)),
            "{expected}: {found:?}"
        );
    }
}

#[test]
fn other_services_shapes_are_rendered() {
    let files = source(&other());
    let host = &files["create_u_host.rs"];
    for expected in [
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
        "    /// Documented as `fast-boot`.\n    FastBoot,\n",
        "pub boot_mode: CreateUHostBootMode,",
        "to.add_as_text(\"IsHot\", &self.is_hot);",
        "to.add_even_empty(\"Remark\", &self.remark);",
        "impl<C> Call<CreateUHostRequest, C> {",
        "pub created: crate::Timestamp,",
        "ready = \"Ready\", required;",
        "is_hot = \"IsHot\", optional as text;",
        "name = \"Name\", required as whole;",
    ] {
        assert!(host.contains(expected), "{expected}\n{host}");
    }
    let trip = &files["plan_trip.rs"];
    for expected in [
        // Models and JSON as parameters.
        "pub route: Route,",
        "pub stops: Vec<Stop>,",
        "pub detours: Vec<Stop>,",
        "pub tree: Option<Branch>,",
        "pub extra: serde_json::Value,",
        "pub notes: Option<serde_json::Value>,",
        "pub layers: Vec<serde_json::Value>,",
        "    pub fn new(from: impl Into<String>, via: impl IntoIterator<Item = impl Into<String>>) -> Self {\n",
        "impl crate::parameters::Group for Stop {",
        "to.add_even_empty(\"Remark\", &self.remark);",
        "to.add_as_text(\"Paid\", &self.paid);",
        "\n    /// The service's default: `fast`.\n",
        // What holds itself ends somewhere, in a box or in an empty list.
        "pub root: Option<Box<Branch>>,",
        "    pub fn new(twigs: impl IntoIterator<Item = Branch>) -> Self {\n",
        "self.root = Some(Box::new(value));",
        "pub back: Option<Box<Branch>>,",
        // A model that is sent and read is two structs, and one that neither has is read.
        "pub owner: Option<DriverParameters>,",
        "pub by: Option<DriverParameters>,",
        "pub struct DriverParameters {",
        "    pub since: Option<i64>,\n",
        "pub driver: Driver,",
        "    pub since: Option<crate::Timestamp>,\n",
        "pub struct Unused {",
        // Who has a name by right keeps it.
        "pub struct BagParameters {",
        "pub bags: Vec<Bag>,",
        "pub twins: Vec<BagModel>,",
        "pub self_: Option<PlanTripRequestModel>,",
        // Values.
        "None = \"None\";",
        "ByFoot = \"by-foot\";",
        "pub days: Vec<PlanTripDays>,",
        "pub weather: Option<PlanTripWeather>,",
        "pub weather: PlanTripWeatherValue,",
        "pub colour: Option<BagParametersColour>,",
        "pub kind: Option<RouteKind>,",
        // What the page shows as nothing that its type could take is given as it comes.
        "pub price: serde_json::Value,",
        "pub seats: i64,",
        "legs = \"Legs\", list as single;",
        "pub number: Option<serde_json::Value>,",
        "    /// The documentation's example shows `string` in its place, which its type could not take: it\n",
        // The client has a project of its own, and the action wants the caller's.
        "to.add(\"ProjectId\", &self.project_id);",
    ] {
        assert!(trip.contains(expected), "{expected}\n{trip}");
    }
    assert_eq!(trip.matches("pub mode: PlanTripMode,").count(), 2, "{trip}");
    assert!(files["list_v2.rs"].contains("pub struct UHost {"));
    let disks = &files["list_disks.rs"];
    assert!(
        disks.contains("disks = \"Disks\", list counted by total;"),
        "{disks}"
    );
    assert!(disks.contains("(self.begin, self.limit)"), "{disks}");
    assert!(host.contains("peers = \"Peers\", list;"), "{host}");
    // One action, two calls: neither becomes the other.
    let (one, all) = (&files["delete_disk.rs"], &files["delete_all_disks.rs"]);
    assert!(
        one.contains("pub fn new(disk_id: impl Into<String>) -> Self {"),
        "{one}"
    );
    assert!(one.contains("to.add(\"DiskId\", &self.disk_id);"), "{one}");
    assert!(!all.contains("disk_id"), "{all}");
    assert!(
        one.contains("\"DeleteDisk\"")
            && all.contains("const NAME: &'static str = \"DeleteDisk\";"),
        "{all}"
    );
}

#[test]
fn what_is_documented_becomes_a_table() {
    let table = &source(&other())["documentation.rs"];
    let string = "kind: Kind::String, required";
    for expected in [
        format!("Parameter {{ name: \"Type\", {string}: true }},"),
        "Parameter { name: \"IsHot\", kind: Kind::Flag, required: false },".to_owned(),
        // What our calls make an argument of is optional to the service.
        "kind: Kind::Enum(&[\"slow\", \"fast-boot\"]), required: false }".to_owned(),
        format!("Parameter {{ name: \"DiskId\", {string}: false }},"),
        "kind: Kind::List(&Kind::List(&Kind::Int)), required: false }".to_owned(),
        format!("kind: Kind::List(&Kind::Group(&[Parameter {{ name: \"Type\", {string}: true }}, "),
    ] {
        assert!(table.contains(&expected), "{expected}\n{table}");
    }
    // One action, though it is two calls.
    assert_eq!(table.matches("name: \"DeleteDisk\"").count(), 1, "{table}");
}

/// What stands in the file is what rustfmt would make of it.
#[test]
fn generated_code_is_formatted() {
    for (name, text) in source(&uhub()).into_iter().chain(source(&other())) {
        let rustfmt = Command::new("rustfmt")
            .args(["--edition", "2024"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut rustfmt) = rustfmt else {
            // `cargo fmt --check` says it of the committed code, where there is a rustfmt.
            return;
        };
        rustfmt
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        let formatted = String::from_utf8(rustfmt.wait_with_output().unwrap().stdout).unwrap();
        let diff = similar_lines(&text, &formatted);
        assert!(diff.is_empty(), "{name}:\n{diff}");
    }
}

fn similar_lines(text: &str, formatted: &str) -> String {
    let mut lines = text.lines().zip(formatted.lines()).filter(|(a, b)| a != b);
    lines.next().map_or_else(String::new, |(is, should)| {
        format!("is     {is}\nshould {should}")
    })
}

#[test]
fn the_committed_specs_follow_their_schemas() {
    let schema = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let action = schema(include_str!("../../api-spec/schema/action.schema.json"));
    // The service's schema borrows the fields of the action's.
    let service = include_str!("../../api-spec/schema/service.schema.json")
        .replace("action.schema.json#", "#");
    let mut service = schema(&service);
    service["$defs"] = action["$defs"].clone();
    let (action, service) = (
        jsonschema::validator_for(&action).unwrap(),
        jsonschema::validator_for(&service).unwrap(),
    );
    for spec in [uhub(), other()] {
        service.validate(&schema(&spec.service.text)).unwrap();
        for file in &spec.actions {
            if let Err(error) = action.validate(&schema(&file.text)) {
                panic!("{}: {error} at {}", file.path, error.instance_path());
            }
        }
    }
    // It can say no.
    let mistaken = uhub().actions[0].text.replace("\"repeat\"", "\"repeats\"");
    assert!(!action.is_valid(&schema(&mistaken)));
}

/// Anything at all is answered with source that parses, or with mistakes; and can be compared.
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
    fn no_text_makes_it_panic(text in ".*") {
        let mut spec = uhub();
        action(&mut spec, "get_repo.json").text = text.clone();
        survives(&spec);
        survives(&Spec::new(SpecFile::new("service.json", text), Vec::new()));
    }

    /// Cut out a piece of a spec, or put one in.
    #[test]
    fn no_edit_makes_it_panic(
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
