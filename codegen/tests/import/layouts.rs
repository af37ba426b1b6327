//! Imports pages with other titles, headings and types than most, and with hidden parts.

use uhub_codegen::import::read;

use super::{errors, every_shape, facts, notes, page, shapes};

/// Reads a page and returns its action, or the errors.
fn action(text: &str) -> Result<String, Vec<String>> {
    let reading = read("page", text.as_bytes(), None);
    reading.page.as_ref().map(|page| page.action().to_owned()).ok_or_else(|| errors(&reading))
}

#[test]
fn titles_name_the_action_with_any_dash_or_none() {
    let list_crates = page("list_crates");
    let title = "# 列出箱子 - ListCrates\n";
    for new in [
        "列出箱子-ListCrates",
        "列出箱子–ListCrates",
        "列出箱子 — ListCrates",
        "列出箱子——ListCrates",
        "列出箱子－ListCrates",
        "列出箱子 ListCrates",
        "列出箱子ListCrates",
        "列出箱子（ListCrates）",
        "【已废弃】列出箱子-ListCrates",
        "List crates-ListCrates",
        "List crates–ListCrates",
        "List crates—ListCrates",
        "List crates -ListCrates",
        "List crates- ListCrates",
        "List crates ListCrates",
        "List crates (ListCrates)",
        "List multi-AZ crates-ListCrates",
        "ListCrates",
        // The common parameters name it.
        "List crates",
        "列出箱子",
        "Create crates in multi-AZ",
    ] {
        let changed = list_crates.replace(title, &format!("# {new}\n"));
        for (shape, text) in every_shape(&changed) {
            assert_eq!(action(&text), Ok("ListCrates".to_owned()), "{new} as {shape}");
        }
        // The title alone is enough if it names the action.
        let alone = changed.replace("当前 API 为 `ListCrates`", "");
        if new.contains("ListCrates") {
            for (shape, text) in every_shape(&alone) {
                assert_eq!(action(&text), Ok("ListCrates".to_owned()), "{new} as {shape}");
            }
        } else {
            assert!(action(&alone).unwrap_err()[0].contains("the page needs a title"), "{new}");
        }
    }
}

#[test]
fn a_title_of_another_action_is_an_error() {
    let list_crates = page("list_crates");
    for new in ["列出罐子-ListJars", "列出罐子 — ListJars", "List jars ListJars", "ListJars"]
    {
        let changed = list_crates.replace("列出箱子 - ListCrates\n", &format!("{new}\n"));
        for (shape, text) in every_shape(&changed) {
            let errors = action(&text).unwrap_err();
            let expected = "the title names `ListJars`, the common parameters name `ListCrates`";
            assert!(errors[0].ends_with(expected), "{new} as {shape}: {errors:#?}");
        }
    }
    let rows = "| **Action** | string | The current API is `ListJars` | **Yes** |\n| **Public";
    let changed = list_crates.replace("| **Public", rows);
    let errors = action(&changed).unwrap_err();
    let expected = "the common parameters name `ListCrates` and `ListJars`";
    assert!(errors.iter().any(|error| error.ends_with(expected)), "{errors:#?}");
}

#[test]
fn the_heading_of_a_section_is_never_an_action() {
    let list_crates = page("list_crates");
    for heading in ["Introduction", "简介", "Overview", "Description", "概述"] {
        let changed = list_crates.replace("## 简介\n", &format!("## {heading}\n"));
        // With a title of another form, or none.
        for title in ["# 列出箱子-ListCrates\n", "# 列出箱子\n", ""] {
            let changed = changed.replace("# 列出箱子 - ListCrates\n", title);
            for (shape, text) in every_shape(&changed) {
                assert_eq!(action(&text), Ok("ListCrates".to_owned()), "{heading} as {shape}");
            }
        }
        let unnamed = changed
            .replace("# 列出箱子 - ListCrates\n", "")
            .replace("当前 API 为 `ListCrates`", "");
        assert!(action(&unnamed).unwrap_err()[0].contains("the page needs a title"), "{heading}");
    }
}

#[test]
fn hidden_rows_are_no_parameters() {
    let markdown = page("list_crates");
    let html = shapes::html(&markdown);
    let row = |style: &str| {
        format!(
            "<tr {style}><td><strong>Secret</strong></td><td>string</td><td>x</td><td>No</td></tr>"
        )
    };
    let expected = facts(&read("page", markdown.as_bytes(), None).page.unwrap());
    let limit = "<tr class=\"nx-m-0\"><td align=\"left\"><strong>Limit</strong>";
    assert!(html.contains(limit));
    for style in [
        "style=\"display:none\"",
        "style='color:red; display : none'",
        "hidden",
        "style=\"visibility: hidden\"",
    ] {
        for hidden in [row(style), row(style).replace("</tr>", "")] {
            let changed = html.replacen(limit, &format!("{hidden}{limit}"), 1);
            let reading = read("page", changed.as_bytes(), None);
            let page = reading.page.as_ref().unwrap_or_else(|| panic!("{:#?}", errors(&reading)));
            assert_eq!(facts(page), expected, "{hidden}");
        }
    }
    let shown = html.replacen(limit, &format!("{}{limit}", row("class=x")), 1);
    let page = read("page", shown.as_bytes(), None).page.unwrap();
    assert_eq!(facts(&page)["parameters"].as_array().unwrap().len(), 7);
}

#[test]
fn old_headings_and_bare_arrays_are_read_in_every_shape() {
    let markdown = page("list_crates");
    let expected = facts(&read("page", markdown.as_bytes(), None).page.unwrap());
    for heading in ["Response Elements", "Response Element", "返回参数"] {
        let changed = markdown.replace("### 响应字段\n", &format!("### {heading}\n"));
        for (shape, text) in every_shape(&changed) {
            let reading = read("page", text.as_bytes(), None);
            let page = reading.page.as_ref().unwrap_or_else(|| panic!("{:#?}", errors(&reading)));
            assert_eq!(facts(page), expected, "{heading} as {shape}");
        }
    }
    // A bare array is a list of any JSON values.
    let changed = markdown
        .replace("**Kind** | string |", "**Kind** | array |")
        .replace("**Volume** | float |", "**Volume** | array[array] |");
    for (shape, text) in every_shape(&changed) {
        let reading = read("page", text.as_bytes(), None);
        let page = reading.page.as_ref().unwrap_or_else(|| panic!("{:#?}", errors(&reading)));
        let facts = facts(page);
        assert_eq!(facts["parameters"][2]["type"], "array[object]", "{shape}");
        assert_eq!(facts["models"]["CrateSet"][4]["type"], "array[array[object]]", "{shape}");
    }
}

#[test]
fn a_request_that_continues_on_the_next_line_loses_no_parameter() {
    let markdown = page("list_crates");
    let request = "https://api.example.com/?Action=ListCrates\n&ProjectId=p-1\n&DepotName=north\n&Offset=6\n&Limit=many\n&ProjectId=p-2\n";
    assert!(markdown.contains(request));
    for (wrapped, note) in [
        (
            "https://api.example.com/?Action=ListCrates&ProjectId=p-1&DepotName=no\nrth&Offset=6&Limit=many&ProjectId=p-2\n",
            "the value of `DepotName` continues on this line",
        ),
        (
            "https://api.example.com/?Action=ListCrates&ProjectId=p-1&Depot\nName=north&Offset=6&Limit=many&ProjectId=p-2\n",
            "`DepotName` continues on the next line",
        ),
        (
            "https://api.example.com/?Action=ListCrates&ProjectId=p-1\nDepotName=north&Offset=6&Limit=many&ProjectId=p-2\n",
            "`DepotName` begins a line without `&`: read as a parameter",
        ),
        (
            "https://api.example.com/?Action=ListCrates&ProjectId=p-1&DepotName=north&Offset=6&Limit=many&ProjectId=p-2\n\nThe end.\n",
            "this is not part of the value of `ProjectId`: ignored",
        ),
    ] {
        let spec = |text: &str| {
            let reading = read("page", text.as_bytes(), None);
            let notes = notes(&reading.diagnostics);
            (super::spec(&reading.page.unwrap())["example"].clone(), notes)
        };
        let (expected, _) = spec(&markdown);
        for (shape, text) in every_shape(&markdown.replace(request, wrapped)) {
            let (example, notes) = spec(&text);
            assert_eq!(example, expected, "{wrapped} as {shape}");
            assert!(notes.iter().any(|it| it.ends_with(note)), "{note} as {shape}: {notes:#?}");
        }
    }
}
