//! A changed documentation page ends green: it is imported, compared, described and generated, and
//! then every test passes. A breaking change fails to compile where code uses what has changed.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Instant,
};

use serde_json::{Map, Value, json};

/// A change of the documentation, and what the commands report of it.
struct Scenario {
    name: &'static str,
    /// Edits what the page of GetRepoImage says, or makes another page of it.
    edit: fn(&mut Value),
    import: &'static str,
    /// What codegen asks the maintainer for, if anything.
    undescribed: Option<&'static str>,
    /// Lines of `diff`.
    diff: &'static [&'static str],
    /// Whether users' code, and so the recipes, compiles as before.
    is_compatible: bool,
}

const CHANGED: &str = "1 action new or changed, 0 unchanged; 0 pages refused";

const SCENARIOS: [Scenario; 8] = [
    Scenario {
        name: "a new optional parameter",
        edit: |page| {
            row(page, "/parameters", json!({"name": "Order", "type": "string", "required": false}));
        },
        import: CHANGED,
        undescribed: Some("`Order` (parameters)"),
        diff: &[
            "  additive      parameter `Order` is new",
            "0 breaking, 1 additive, 0 documentation: ",
        ],
        is_compatible: true,
    },
    Scenario {
        name: "another default",
        edit: |page| {
            let rows = page["parameters"].as_array_mut().unwrap();
            let limit = rows.iter_mut().find(|row| row["name"] == "Limit").unwrap();
            limit["default"] = json!(7);
        },
        import: CHANGED,
        undescribed: None,
        diff: &["parameter `Limit`: default, ", "0 breaking, 0 additive, 1 documentation: "],
        is_compatible: true,
    },
    Scenario {
        name: "a new optional field",
        edit: |page| {
            row(page, "/response", json!({"name": "Cursor", "type": "string", "required": false}));
        },
        import: CHANGED,
        undescribed: Some("`Cursor` (response)"),
        diff: &[
            "  additive      response field `Cursor` is new",
            "0 breaking, 1 additive, 0 documentation: ",
        ],
        is_compatible: true,
    },
    Scenario {
        name: "a new required field in a model",
        edit: |page| {
            let size = json!({"name": "SizeInBytes", "type": "int", "required": true});
            row(page, "/models/ImageSet", size);
            for image in
                page.pointer_mut("/example/response/ImageSet").unwrap().as_array_mut().unwrap()
            {
                image["SizeInBytes"] = json!(9);
            }
        },
        import: CHANGED,
        undescribed: Some("`SizeInBytes` (ImageSet)"),
        diff: &[
            "  additive      field `SizeInBytes` of `ImageSet` is new",
            "0 breaking, 1 additive, 1 documentation: ",
        ],
        is_compatible: true,
    },
    Scenario {
        name: "a regenerated example",
        edit: |page| {
            randomize(&mut page["example"]);
            let images = page.pointer_mut("/example/response/ImageSet").unwrap();
            images.as_array_mut().unwrap().truncate(4);
        },
        import: CHANGED,
        undescribed: None,
        diff: &["  documentation action: example", "0 breaking, 0 additive, 1 documentation: "],
        is_compatible: true,
    },
    Scenario {
        name: "another description",
        edit: |page| page["title"] = json!("说明书的另一句话"),
        // The trace of the words.
        import: CHANGED,
        undescribed: None,
        diff: &["no changes"],
        is_compatible: true,
    },
    Scenario {
        name: "a new action",
        edit: |page| {
            *page = json!({
                "action": "GetRepoWebhook",
                "parameters": [
                    {"name": "ProjectId", "type": "string", "required": false},
                    {"name": "RepoName", "type": "string", "required": true},
                ],
                "response": [{"name": "WebhookUrl", "type": "string", "required": true}],
                "example": {
                    "request": {"ProjectId": "aBcDeFgH", "RepoName": "iJkLmNoP"},
                    "response": {"Action": "GetRepoWebhookResponse", "RetCode": 0, "WebhookUrl": "qRsTuVwX"},
                },
            });
        },
        import: CHANGED,
        undescribed: Some(
            "`summary`; `ProjectId` and `RepoName` (parameters); `WebhookUrl` (response)",
        ),
        diff: &["  additive      action is new", "0 breaking, 1 additive, 0 documentation: "],
        is_compatible: true,
    },
    Scenario {
        name: "a new required parameter",
        edit: |page| {
            row(
                page,
                "/parameters",
                json!({"name": "Registry", "type": "string", "required": true}),
            );
        },
        import: CHANGED,
        undescribed: Some("`Registry` (parameters)"),
        diff: &[
            "  breaking      parameter `Registry` is new",
            "1 breaking, 0 additive, 0 documentation: ",
        ],
        is_compatible: false,
    },
];

/// Adds a row to a table of a page.
fn row(page: &mut Value, table: &str, row: Value) {
    page.pointer_mut(table).unwrap().as_array_mut().unwrap().push(row);
}

/// Replaces every value by another one of its type, as each release of the documentation does.
fn randomize(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter_mut();
            let fields = fields.filter(|(name, _)| !["Action", "RetCode"].contains(&name.as_str()));
            fields.for_each(|(_, value)| randomize(value));
        }
        Value::Array(elements) => elements.iter_mut().for_each(randomize),
        Value::String(text) => *text = text.chars().rev().chain("Zz".chars()).collect(),
        Value::Number(number) => *value = json!(number.as_i64().unwrap() * 3 + 1),
        Value::Bool(flag) => *flag = !*flag,
        Value::Null => {}
    }
}

/// Writes an action as a page of the documentation.
fn page(spec: &Value) -> String {
    let action = spec["action"].as_str().unwrap();
    let words = spec["title"].as_str().unwrap_or("说明");
    let table = |rows: &Value| {
        let mut text = "| 参数名 | 类型 | 描述信息 | 必填 |\n|:---|:---|:---|:---|\n".to_owned();
        for row in rows.as_array().unwrap() {
            let (name, ty) = (row["name"].as_str().unwrap(), row["type"].as_str().unwrap());
            let default = match &row["default"] {
                Value::Null => String::new(),
                Value::String(default) => format!("，默认为{default}"),
                default => format!("，默认为{default}"),
            };
            let required = if row["required"] == true { "**Yes**" } else { "No" };
            let _ = writeln!(text, "| **{name}** | {ty} | {words}{default} |{required}|");
        }
        text
    };
    let models = spec["models"].as_object().into_iter().flatten();
    let models: String =
        models.map(|(name, rows)| format!("#### {name}\n\n{}\n", table(rows))).collect();
    let mut query = format!("https://api.example.com/?Action={action}\n");
    // In the order of the table, as in the documentation.
    for row in spec["parameters"].as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        let Some(value) = spec.pointer(&format!("/example/request/{name}")) else { continue };
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        for value in values {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let _ = writeln!(query, "&{name}={text}");
        }
    }
    let response = serde_json::to_string_pretty(&spec["example"]["response"]).unwrap();
    let common = json!([
        {"name": "RetCode", "type": "int", "required": true},
        {"name": "Action", "type": "string", "required": true},
        {"name": "Message", "type": "string", "required": false},
    ]);
    let fields =
        [common.as_array().unwrap(), spec["response"].as_array().unwrap()].map(Clone::clone);
    let (parameters, fields) = (table(&spec["parameters"]), table(&fields.concat().into()));
    format!(
        "# {words} - {action}\n\n## 简介\n\n{words}\n\n## 定义\n\n### 公共参数\n\n\
         | 参数名 | 类型 | 描述信息 | 必填 |\n|:---|:---|:---|:---|\n\
         | **Action** | string | 对应的 API 指令名称，当前 API 为 `{action}` | **Yes** |\n\
         | **PublicKey** | string | 用户公钥 | **Yes** |\n\
         | **Signature** | string | 用户签名 | **Yes** |\n\n\
         ### 请求参数\n\n{parameters}\n### 响应字段\n\n{fields}\n\
         #### 数据模型\n\n{models}## 示例\n\n### 请求示例\n\n```\n{query}```\n\n\
         ### 响应示例\n\n```json\n{response}\n```\n"
    )
}

/// A repository's spec and SDK, and the commands to change them.
struct Repository {
    root: PathBuf,
    spec: PathBuf,
    sdk: PathBuf,
}

impl Repository {
    fn action(&self, file: &str) -> Value {
        let path = self.spec.join("actions").join(file);
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    fn xtask(&self, arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.current_dir(&self.root).args(arguments.iter().map(std::convert::AsRef::as_ref));
        command.output().unwrap()
    }

    /// Runs a command that succeeds, and returns what it prints.
    fn run(&self, arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> String {
        let output = self.xtask(arguments);
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    }

    /// Imports facts as a page.
    fn import(&self, file: &Path, facts: &Value) -> String {
        fs::write(file, page(facts)).unwrap();
        self.run(&[&"import", &"--out", &self.spec, &file])
    }

    /// Follows the README's section "Maintain it", up to the tests.
    fn follow(&self, scenario: &Scenario) {
        let file = self.root.join("page.md");
        let facts = self.action("get_repo_image.json");
        self.import(&file, &facts);
        let before = self.root.join("before");
        let _ = fs::remove_dir_all(&before);
        copy_folder(&self.spec, &before);

        let mut facts = self.action("get_repo_image.json");
        (scenario.edit)(&mut facts);
        let imported = self.import(&file, &facts);
        assert!(imported.ends_with(scenario.import), "{}: {imported}", scenario.name);
        let diff = self.run(&[&"diff", &before, &self.spec]);
        for line in scenario.diff {
            assert!(diff.contains(line), "{}: {line}: {diff}", scenario.name);
        }
        let codegen: &[&dyn AsRef<std::ffi::OsStr>] =
            &[&"codegen", &"--spec", &self.spec, &"--out", &self.sdk];
        if let Some(undescribed) = scenario.undescribed {
            let refused = text(&self.xtask(codegen));
            let expected = format!("write a sentence for {undescribed}");
            assert!(refused.contains(&expected), "{}: {refused}", scenario.name);
            self.describe();
        }
        self.run(codegen);
        println!("{}:\n{imported}\n{diff}\n", scenario.name);
    }

    /// Does what a person does: describes what is new, and confirms what is proposed.
    fn describe(&self) {
        for entry in fs::read_dir(self.spec.join("actions")).unwrap() {
            let path = entry.unwrap().path();
            let described = fs::read_to_string(&path).unwrap();
            let mut described = described.replace("\": \"\"", "\": \"Described by a person.\"");
            if let Some((before, after)) = described.split_once("  \"proposed\": [") {
                described = before.to_owned() + after.split_once('\n').unwrap().1;
            }
            fs::write(&path, described).unwrap();
        }
    }
}

fn text(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8(text).unwrap().trim_end().to_owned()
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

/// A spec that stays, outside of any workspace.
fn fixed() -> (tempfile::TempDir, Repository) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let repository = Repository { spec: root.join("spec"), sdk: root.join("sdk"), root };
    copy_folder(Path::new("../codegen/tests/data/uhub"), &repository.spec);
    fs::create_dir(&repository.sdk).unwrap();
    (folder, repository)
}

fn without_words(mut spec: Value) -> Value {
    match &mut spec {
        Value::Object(members) => {
            members.remove("words");
            members.values_mut().for_each(|value| *value = without_words(value.take()));
        }
        Value::Array(elements) => {
            elements.iter_mut().for_each(|value| *value = without_words(value.take()));
        }
        _ => {}
    }
    spec
}

#[test]
fn the_page_of_a_spec_imports_without_a_change() {
    let (_folder, repository) = fixed();
    for entry in fs::read_dir(repository.spec.join("actions")).unwrap() {
        let path = entry.unwrap().path();
        let facts = repository.action(path.file_name().unwrap().to_str().unwrap());
        let name = path.file_name().unwrap().to_str().unwrap();
        let file = repository.root.join("page.md");
        // The words are others than those of the documentation.
        repository.import(&file, &facts);
        assert_eq!(without_words(repository.action(name)), without_words(facts), "{name}");
        let facts = repository.action(name);
        let imported = repository.import(&file, &facts);
        assert!(imported.contains(" 1 unchanged; "), "{imported}");
    }
}

#[test]
fn each_change_of_a_page_is_imported_compared_and_generated() {
    for scenario in &SCENARIOS {
        let (_folder, repository) = fixed();
        repository.follow(scenario);
    }
}

#[test]
fn an_action_that_is_gone_is_breaking() {
    let (_folder, repository) = fixed();
    let before = repository.root.join("before");
    copy_folder(&repository.spec, &before);
    fs::remove_file(repository.spec.join("actions/delete_repo.json")).unwrap();
    let diff = repository.run(&[&"diff", &before, &repository.spec]);
    assert!(diff.contains("DeleteRepo\n  breaking      action is gone\n"), "{diff}");
    repository.run(&[&"codegen", &"--spec", &repository.spec, &"--out", &repository.sdk]);
}

/// A copy of the workspace. It is built in the target folder of this one, which has the
/// dependencies.
struct Workspace {
    repository: Repository,
    target: PathBuf,
}

impl Workspace {
    fn new() -> Self {
        let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let root = temporary.join("changed-pages");
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir("..")
            .output()
            .unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let listed: BTreeSet<&str> = listed.split_terminator('\0').collect();
        assert!(listed.contains("Cargo.toml"), "this test needs git");
        for file in &listed {
            let Ok(text) = fs::read(Path::new("..").join(file)) else { continue };
            let to = root.join(file);
            // An unchanged file keeps its time, so that Cargo need not compile it again.
            if fs::read(&to).ok().as_ref() != Some(&text) {
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::write(&to, text).unwrap();
            }
        }
        remove_others(&root, &root, &listed);
        let repository =
            Repository { spec: root.join("api-spec/uhub"), sdk: root.join("uhub-sdk"), root };
        Self { repository, target: temporary.parent().unwrap().to_owned() }
    }

    fn cargo(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO"));
        command
            .args(arguments)
            .args(["--offline", "--workspace", "--features", "blocking,local"])
            .current_dir(&self.repository.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .env_remove("UHUB_PAGES");
        command.output().unwrap()
    }

    /// Runs every test that reads the current spec, or may.
    fn test(&self) {
        let output = self.cargo(&["test", "--no-fail-fast"]);
        let text = text(&output);
        let is_interesting = |line: &&str| {
            ["error", "failed", "FAILED", "panicked"].iter().any(|word| line.contains(word))
        };
        let lines: Vec<&str> = text.lines().filter(is_interesting).collect();
        assert!(output.status.success(), "{}\n{text}", lines.join("\n"));
    }

    /// The files with compile errors, and the number of errors in each.
    fn errors(&self) -> BTreeMap<String, usize> {
        let output =
            self.cargo(&["check", "--all-targets", "--keep-going", "--message-format", "json"]);
        let mut files = BTreeMap::new();
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let message: Map<String, Value> = serde_json::from_str(line).unwrap();
            let Some(message) = message.get("message").filter(|it| it["level"] == "error") else {
                continue;
            };
            let spans = message["spans"].as_array().unwrap();
            if let Some(span) = spans.iter().find(|span| span["is_primary"] == true) {
                *files.entry(span["file_name"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
        files
    }
}

/// Removes the files of a folder that are not listed, and what codegen has added.
fn remove_others(folder: &Path, root: &Path, listed: &BTreeSet<&str>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        if path.is_dir() {
            remove_others(&path, root, listed);
        } else if !listed.contains(name.as_str()) {
            fs::remove_file(path).unwrap();
        }
    }
}

/// Only code that calls the action fails, and of the library only the recipes.
fn assert_concerned(scenario: &str, errors: &BTreeMap<String, usize>) {
    println!("{scenario}: {errors:#?}");
    let is_users = |file: &String| {
        let folders = ["src/recipes/", "/tests/", "/examples/", "/benches/"];
        folders.iter().any(|folder| file.contains(folder))
    };
    assert!(errors.keys().all(is_users), "{scenario}: {errors:#?}");
}

/// What adds is tested together; what breaks is compiled.
#[test]
#[ignore = "compiles and tests a copy of the workspace: `.ci/run` runs it"]
fn a_changed_page_ends_green() {
    let workspace = Workspace::new();
    let (compatible, breaking): (Vec<_>, Vec<_>) =
        SCENARIOS.iter().partition(|scenario| scenario.is_compatible);
    let started = Instant::now();
    for scenario in compatible {
        workspace.repository.follow(scenario);
    }
    workspace.test();
    println!("all together: green after {} s", started.elapsed().as_secs());
    for scenario in breaking {
        let workspace = Workspace::new();
        workspace.repository.follow(scenario);
        assert_concerned(scenario.name, &workspace.errors());
    }
    let workspace = Workspace::new();
    fs::remove_file(workspace.repository.spec.join("actions/delete_repo.json")).unwrap();
    workspace.repository.run(&[&"codegen"]);
    assert_concerned("an action that is gone", &workspace.errors());
}

#[test]
#[ignore = "tests a copy of the workspace once for each scenario"]
fn each_changed_page_ends_green_alone() {
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.is_compatible) {
        let started = Instant::now();
        let workspace = Workspace::new();
        workspace.repository.follow(scenario);
        workspace.test();
        println!("{}: green after {} s", scenario.name, started.elapsed().as_secs());
    }
}
