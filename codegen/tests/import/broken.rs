//! Imports files that are cut off, mixed up, not text, or not pages.

use proptest::prelude::*;
use uhub_codegen::import::{MAX_PAGE, Shape, read};

use super::{errors, every_shape, facts, notes, page, shapes, spec};

/// Returns the errors of a page that is refused.
fn refused(text: &str, shape: Option<Shape>) -> Vec<String> {
    let reading = read("page", text.as_bytes(), shape);
    let short: String = text.chars().take(60).collect();
    assert!(reading.page.is_none(), "{short:?} was read as a page");
    let errors = errors(&reading);
    assert!(!errors.is_empty(), "{short:?}");
    errors
}

/// A page that is cut off anywhere is refused or read completely.
#[test]
fn a_page_that_is_cut_off_loses_no_fact_silently() {
    const CUTS: usize = 400;
    for name in ["get_scale", "list_crates", "plan_route"] {
        for (shape, text) in every_shape(&page(name)) {
            let whole = read(name, text.as_bytes(), Some(shape)).page.unwrap();
            let whole = facts(&whole);
            let mut read_anyway = 0;
            let step = text.chars().count() / CUTS + 1;
            for (cut, _) in text.char_indices().step_by(step) {
                let reading = read(name, &text.as_bytes()[..cut], Some(shape));
                match &reading.page {
                    Some(page) => {
                        assert_eq!(facts(page), whole, "{name} as {shape}, cut at {cut}");
                        read_anyway += 1;
                    }
                    None => {
                        assert!(!errors(&reading).is_empty(), "{name} as {shape}, cut at {cut}");
                    }
                }
            }
            // The page has no facts after the examples.
            assert!(read_anyway < CUTS / 3, "{name} as {shape}: {read_anyway}");
        }
    }
}

/// Of an additional line anywhere, the rows after it are read or the page is refused.
#[test]
fn an_additional_line_anywhere_loses_no_fact_silently() {
    for name in ["get_scale", "list_crates", "plan_route"] {
        for (shape, text) in every_shape(&page(name)) {
            let whole = read(name, text.as_bytes(), Some(shape)).page.unwrap();
            let whole = facts(&whole);
            for (at, _) in text.match_indices('\n') {
                let (before, after) = text.split_at(at + 1);
                for line in ["", "> note", "---", "<!-- x -->", "<div>", "\nmore words\n"] {
                    let more = format!("{before}{line}\n{after}");
                    let reading = read(name, more.as_bytes(), Some(shape));
                    if let Some(page) = &reading.page {
                        assert_eq!(
                            facts(page),
                            whole,
                            "{name} as {shape}: {line:?} before {after:.60}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_row_outside_its_table_is_an_error() {
    let list_crates = page("list_crates");
    let [markdown, html, pasted, text] = every_shape(&list_crates).map(|(_, text)| text);
    let limit = "| **Limit** | int | 显示数量，默认为20。 |No|\n";
    let in_html = "<tr class=\"nx-m-0\"><td align=\"left\"><strong>Limit</strong>";
    let lost = "a row outside a table: ";
    for (page, from, to, place, expected) in [
        (&markdown, limit, format!("\n{limit}").as_str(), "page:34:1", lost),
        (&markdown, limit, format!("\n{}", &limit[2..]).as_str(), "page:34:1", lost),
        (&markdown, limit, format!("> more\n{limit}").as_str(), "page:33:3", lost),
        (&markdown, limit, format!("---\n{limit}").as_str(), "page:34:1", lost),
        (&markdown, limit, format!("#### Paging\n{limit}").as_str(), "page:34:1", lost),
        (&markdown, limit, format!("\n{limit}---\n").as_str(), "page:34:1", lost),
        (&markdown, limit, format!("\n    {limit}").as_str(), "page:34:5", lost),
        (&markdown, limit, format!("- {limit}").as_str(), "page:33:1", lost),
        (&markdown, limit, format!("<!-- x -->\n{limit}").as_str(), "page:34:1", lost),
        (&markdown, limit, "<div>\n<tr><td>Limit</td></tr>\n</div>\n", "page:33:1", lost),
        (&text, "\nLimitint", "\n\nLimitint", "page:37:1", lost),
        (&text, "\nLimitint", "\n\n包Limitint", "page:37:1", lost),
        (&text, "取值 Yes 或 No，默认为NoNo", "取值 Yes\n\n或 No，默认为NoNo", "page:36:1", lost),
        (&pasted, "\nLimit\t", "\n\nLimit\t", "page:39:1", lost),
        (&pasted, "\nLimit\t", "\n\nLimit", "page:39:1", lost),
        (&html, in_html, format!("</table>{in_html}").as_str(), "page:1:", "a row outside a table"),
        (&html, in_html, "<p>LimitintThe limitNo</p>", "page:1:", lost),
        (&html, in_html, "LimitintThe limitNo<tr>", "page:1:", lost),
        (
            &text,
            "CrateSet\n\n字段名类型描述信息必填",
            "CrateSet\n\n字段名类型描述信息是否必须",
            "page:52:1",
            "the header of this table is not understood: \"字段名类型描述信息是否必须\"",
        ),
    ] {
        assert!(page.contains(from), "{from}");
        let errors = refused(&page.replacen(from, to, 1), None);
        let is_expected = |error: &String| error.starts_with(place) && error.contains(expected);
        assert!(errors.iter().any(is_expected), "{to:?}: {place} in {errors:#?}");
    }
}

#[test]
fn every_error_has_its_place() {
    let list_crates = page("list_crates");
    let text = shapes::text(&list_crates);
    let pasted = shapes::pasted(&list_crates);
    let plan_route = shapes::pasted(&page("plan_route"));
    let html = shapes::html(&list_crates);
    let without_common = list_crates.replace("当前 API 为 `ListCrates`", "");
    let mut wrong = Vec::new();
    for (page, from, to, expected) in [
        (
            &list_crates,
            "|**Yes**|\n| **Kind**",
            "|perhaps|\n| **Kind**",
            "page:29:1: the row of `DepotName` has neither Yes nor No",
        ),
        (
            &list_crates,
            "**DepotName** | string | 仓库名称 |**Yes**|\n| **Kind",
            "**Depot Name** | string | 仓库名称 |**Yes**|\n| **Kind",
            "page:29:1: \"Depot Name\" is not a parameter's or field's name",
        ),
        (
            &list_crates,
            "wood\\| steel",
            "wood| steel",
            "page:30:1: this row has 5 cells, its table 4 columns: write a `|` within a cell as `\\|`",
        ),
        (
            &list_crates,
            "**Offset** | int",
            "**Offset** | array[",
            "page:32:1: `array[` is not a type: an array is written `array[T]`",
        ),
        (
            &list_crates,
            "**Offset** | int",
            "**Offset** | 整数",
            "page:32:1: `整数` is not a type; expected string, int, float, boolean, object, `array[T]` or a model's name",
        ),
        (
            &list_crates,
            "**Limit** | int",
            "**Offset** | string",
            "page:33:1: `Offset` is repeated with other facts: `int, default 0` and `string, default 20`",
        ),
        (
            &list_crates,
            "#### OwnerSet",
            "#### CrateSet",
            "page:60:1: `CrateSet` is repeated with other facts",
        ),
        (
            &list_crates,
            "- ListCrates\n",
            "- ListBoxes\n",
            "page:1:1: the title names `ListBoxes`, the common parameters name `ListCrates`",
        ),
        (
            &without_common,
            " - ListCrates\n",
            "\n",
            "page:1:1: the page needs a title that ends in its action's name: `Lists images - GetRepoImage`",
        ),
        (
            &list_crates,
            "**Limit** | int | 显示数量，默认为20。",
            "**Offset** | int | 偏移量，默认20",
            "page:33:1: `Offset` is repeated with other facts: `int, default 0` and `int, default 20`",
        ),
        (
            &list_crates,
            "### 请求参数\n",
            "",
            "page:1:1: read as markdown, the page has no table under a heading `Request Parameters`: is it cut off, or of a different shape (--format)?",
        ),
        (
            &list_crates,
            "### 响应字段\n",
            "",
            "page:36:1: a second table under `Request Parameters`",
        ),
        (
            &list_crates,
            "### 响应字段\n",
            "### 请求参数\n",
            "page:35:1: a second heading `Request Parameters`: put two pages into two files",
        ),
        (
            &list_crates,
            "#### OwnerSet\n",
            "#### Owners of crates\n",
            "page:60:1: the heading of a table of fields must be a model's name, not \"Owners of crates\"",
        ),
        (
            &list_crates,
            "请求参数\n\n| 参数名 | 类型 |",
            "请求参数\n\n| 参数名 | 种类 |",
            "page:26:1: this table has no column `Type`",
        ),
        (
            &list_crates,
            "5\n}\n```\n",
            "5\n}\n",
            "page:83:1: the page ends within its `Response Example`: is it cut off?",
        ),
        (
            &text,
            "取值 Yes 或 No，默认为NoNo",
            "取值 Yes 或 No",
            "page:34:1: the last word of \"WithSealedstring是否包含已封存的，取值 Yes 或 No\" is part of its description, so whether `WithSealed` is required is missing: write tabs between its cells",
        ),
        (
            &list_crates,
            "**Limit** | int",
            "**Limit** | int or string",
            "page:33:1: `int or string` is not a type; expected string, int, float, boolean, object, `array[T]` or a model's name",
        ),
        (
            &list_crates,
            "**Limit** | int",
            "**Limit** | Int",
            "page:33:1: unknown type `Int` of `Limit`; did you mean `int`?",
        ),
        (
            &list_crates,
            "**Limit** | int",
            "**Limit** | array[number]",
            "page:33:1: unknown type `number` of `Limit`; expected one of: boolean, float, int, object, string",
        ),
        (
            &list_crates,
            "请求参数\n\n| 参数名 | 类型 | 描述信息 | 必填 |\n|",
            "请求参数\n\n| 参数名 | 类型 | 描述信息 | 必填 | 类型 |\n|:---|",
            "page:26:1: this table has several columns `Type`",
        ),
        (
            &html,
            "<strong>Limit</strong>",
            "<strong>Limit<sup>1</sup></strong>",
            "\"Limit 1\" is not a parameter's or field's name",
        ),
        (
            &text,
            "DepotNamestring仓库名称Yes\nKind",
            "DepotNamestring仓库名称\nKind",
            "page:32:1: this row does not end in Yes or No: \"DepotNamestring仓库名称\"",
        ),
        (
            &text,
            "DepotNamestring仓库名称Yes\nKind",
            "DepotNameString仓库名称Yes\nKind",
            "page:32:1: \"DepotNameString仓库名称Yes\" does not begin with a name and a type: write tabs between its cells",
        ),
        (
            &text,
            "Offsetint偏移量",
            "Offsetintint偏移量",
            "page:35:1: \"Offsetintint偏移量，默认0No\" could be `Offset` of type `int` or `Offsetint` of type `int`, and the page has no evidence for one: write tabs between its cells",
        ),
        (
            &text,
            "Offsetint",
            "FingerprintOwnerThe",
            "page:35:1: \"FingerprintOwnerThe偏移量，默认0No\" could be `Fingerpr` of type `int`, but is not worded like it, and no example shows that name: write tabs between its cells",
        ),
        (
            &text,
            "\"TotalCount\": 5\n}",
            "\"TotalCount\": 5\n",
            "page:79:1: the page ends within its `Response Example`: is it cut off?",
        ),
        (
            &pasted,
            "Limit\tint\t",
            "Limit\t",
            "page:38:1: this row has 3 cells, its table 4 columns",
        ),
        (
            &plan_route,
            "Request Parameters\n\nParameter Name\tType\tDescription Information\tRequired\nRegion\tstring\tRegion. See list of regions (opens in a new tab)\tYes",
            "Request Parameters\n\nParameter Name\tType\tRequired\tDescription Information\nRegionstringWhereYes",
            "page:23:1: this row needs delimiters, as its table has other columns: write tabs between its cells",
        ),
        (
            &html,
            "</table><h4 class=\"nx-font-semibold\">OwnerSet",
            "<h4>OwnerSet",
            "nested tables are not supported",
        ),
    ] {
        assert!(page.contains(from), "{from}");
        let errors = errors(&read("page", page.replacen(from, to, 1).as_bytes(), None));
        if !errors.iter().any(|error| error.ends_with(expected)) {
            wrong.push(format!("{to:?}:\n  expected {expected}\n  found {errors:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The types of these rows are models that the page lacks. They contain a basic type by chance.
#[test]
fn a_row_with_an_undocumented_type_is_not_read_with_another() {
    let text = shapes::text(&page("list_crates"));
    for row in [
        "BucketBucketInfoobject storage bucketNo",
        "DataSetDataInfostring of itNo",
        "PeriodPeriodSetint seconds, the periodNo",
        "AppinternalIdThe idNo",
        "PortRangeintervalOf portsNo",
        "NamesstringListThe namesNo",
        // The example shows a `Limit`, and now no row has it.
        "LimitRangeintNo",
    ] {
        let open = text.replacen("Limitint显示数量，默认为20。No", row, 1);
        assert_ne!(open, text);
        let errors = refused(&open, None);
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(
            errors[0].starts_with("page:36:1: ")
                && errors[0].ends_with("write tabs between its cells"),
            "{errors:#?}"
        );
    }
}

#[test]
fn ignored_code_is_noted() {
    let list_crates = page("list_crates");
    let more =
        list_crates.replacen("### 响应示例", "```\n?Action=ListBoxes\n```\n\n### 响应示例", 1);
    let reading = read("page", more.as_bytes(), None);
    let notes = notes(&reading.diagnostics);
    let expected = "page:80:1: another block of code under `Request Example`: ignored";
    assert!(notes.iter().any(|note| note == expected), "{notes:#?}");
    assert_eq!(
        spec(&reading.page.unwrap()),
        spec(&read("page", list_crates.as_bytes(), None).page.unwrap())
    );
}

#[test]
fn tabs_settle_an_open_row() {
    let text = shapes::text(&page("list_crates"));
    let open = text.replacen("Offsetint偏移量，默认0No", "Offsetintint偏移量，默认0No", 1);
    refused(&open, None);
    let settled =
        open.replacen("Offsetintint偏移量，默认0No", "Offset\tint\tint偏移量，默认0\tNo", 1);
    let page = read("page", settled.as_bytes(), None).page.unwrap();
    assert_eq!(facts(&page)["parameters"][4]["name"], "Offset");
}

#[test]
fn other_files_are_refused() {
    let json = "{\"action\": \"ListCrates\"}";
    let list_crates = page("list_crates");
    for text in ["", "\n\n", json, "<", "<html></html>", "| a |", "\u{feff}", "- GetX\n\u{0}"] {
        refused(text, None);
    }
    // A page read in another shape is refused.
    for (shape, text) in every_shape(&list_crates) {
        for other in [Shape::Markdown, Shape::Html, Shape::Text] {
            let is_same = other == shape || (shape, other) == (Shape::Pasted, Shape::Text);
            if !is_same {
                refused(&text, Some(other));
            }
        }
    }
    // Two pages, or two shapes, in one file.
    refused(&format!("{list_crates}{}", page("plan_route")), None);
    refused(&format!("{list_crates}{}", shapes::text(&list_crates)), None);
}

#[test]
fn another_encoding_is_refused_with_its_place() {
    let utf_16: Vec<u8> = "# A - GetX\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, place) in [
        ([&[0xff, 0xfe], utf_16.as_slice()].concat(), "page:1:1"),
        (b"# \xe5\x88\x97 - GetX\n\n\xc1\xd0\xb3\xf6".to_vec(), "page:3:1"),
    ] {
        let reading = read("page", &bytes, None);
        assert_eq!(
            errors(&reading),
            [format!("{place}: invalid UTF-8: save the page as UTF-8 text")]
        );
    }
    // A byte order mark and CRLF are accepted.
    let windows = format!("\u{feff}{}", shapes::text(&page("list_crates")).replace('\n', "\r\n"));
    let page = read("page", windows.as_bytes(), None).page.unwrap();
    assert_eq!(page.action(), "ListCrates");
}

#[test]
fn large_and_deep_files_are_refused() {
    let reading = read("page", &vec![b' '; MAX_PAGE + 1], None);
    assert_eq!(errors(&reading), ["page:1:1: the page is larger than 16 MiB"]);
    let list_crates = page("list_crates");
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(50_000), close.repeat(50_000));
    let json = |text: &str| {
        list_crates.replacen("\"CrateSet\": [", &format!("\"X\": {text},\n  \"CrateSet\": ["), 1)
    };
    // An invalid example is ignored: the facts are in the tables.
    let reading = read("page", json(&deep("[", "]")).as_bytes(), None);
    assert!(reading.page.is_some());
    assert!(notes(&reading.diagnostics)[0].contains("is ignored: invalid JSON: recursion limit"));
    for text in [
        deep("<div>", "</div>"),
        deep("<table><tr><td>", "</td></tr></table>"),
        deep("> ", ""),
        deep("[", "](x)"),
        deep("*a ", "b**"),
        deep("- ", "\n"),
        list_crates.replacen("array[[*CrateSet*](#CrateSet)]", &deep("array[", "]"), 1),
        "| a ".repeat(100_000),
        "|a|b|\n|-|-|\n".repeat(20_000),
        format!("{}\n{}", "a".repeat(200_000), "Astring".repeat(50_000)),
    ] {
        refused(&text, None);
        refused(&text, Some(Shape::Text));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_page_never_panics(
        name in prop_oneof![Just("get_scale"), Just("list_crates"), Just("plan_route")],
        shape in 0_usize..4,
        damages in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..80, any::<prop::sample::Index>(), 0_u8..4), 1..6),
    ) {
        let (shape, text) = every_shape(&page(name))[shape].clone();
        let mut chars: Vec<char> = text.chars().collect();
        for (at, length, other, kind) in damages {
            let at = at.index(chars.len());
            let end = (at + length).min(chars.len());
            let piece: Vec<char> = chars[at..end].to_vec();
            match kind {
                0 => drop(chars.drain(at..end)),
                1 => { let other = other.index(chars.len()); chars.splice(other..other, piece); }
                2 => { chars.splice(at..end, "\n|\t<\"}".chars()); }
                _ => {
                    let other = other.index(chars.len());
                    chars.swap(at, other);
                }
            }
            if chars.is_empty() { chars.push(' '); }
        }
        let text: String = chars.into_iter().collect();
        for shape in [None, Some(shape)] {
            let reading = read("page", text.as_bytes(), shape);
            prop_assert_eq!(reading.page.is_none(), !errors(&reading).is_empty());
            if let Some(page) = reading.page {
                let first = page.spec(None).unwrap().text;
                let again = page.spec(Some(&uhub_codegen::SpecFile::new("spec", first.clone()))).unwrap().text;
                prop_assert_eq!(first, again);
            }
        }
    }
}
