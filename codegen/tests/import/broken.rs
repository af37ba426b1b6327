//! Pages that are cut off, mixed up, not text, or not pages.

use proptest::prelude::*;
use uhub_codegen::import::{LARGEST, Shape, read};

use super::{every_shape, facts, page, said, shapes, spec};

/// What is said of a page that is refused.
fn refused(text: &str, shape: Option<Shape>) -> Vec<String> {
    let reading = read("page", text.as_bytes(), shape);
    let short: String = text.chars().take(60).collect();
    assert!(reading.page.is_none(), "{short:?} was read as a page");
    assert!(!reading.errors.is_empty(), "{short:?}");
    said(&reading)
}

/// Of a page that is cut off anywhere, either nothing is read or everything.
#[test]
fn a_page_that_is_cut_off_loses_no_fact_in_silence() {
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
                    None => assert!(
                        !reading.errors.is_empty(),
                        "{name} as {shape}, cut at {cut}"
                    ),
                }
            }
            // Nothing that is needed stands after the examples.
            assert!(read_anyway < CUTS / 3, "{name} as {shape}: {read_anyway}");
        }
    }
}

/// Whatever stands between two lines, the rows after it are read or said to be lost.
#[test]
fn a_line_more_anywhere_loses_no_fact_in_silence() {
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
        (
            &markdown,
            limit,
            format!("\n{limit}").as_str(),
            "page:34:1",
            lost,
        ),
        (
            &markdown,
            limit,
            format!("\n{}", &limit[2..]).as_str(),
            "page:34:1",
            lost,
        ),
        (
            &markdown,
            limit,
            format!("> more\n{limit}").as_str(),
            "page:33:3",
            lost,
        ),
        (
            &markdown,
            limit,
            format!("---\n{limit}").as_str(),
            "page:34:1",
            lost,
        ),
        (
            &markdown,
            limit,
            format!("#### Paging\n{limit}").as_str(),
            "page:34:1",
            lost,
        ),
        (
            &markdown,
            limit,
            format!("\n{limit}---\n").as_str(),
            "page:34:1",
            lost,
        ),
        (
            &markdown,
            limit,
            format!("\n    {limit}").as_str(),
            "page:34:5",
            lost,
        ),
        (
            &markdown,
            limit,
            format!("- {limit}").as_str(),
            "page:33:1",
            lost,
        ),
        (
            &markdown,
            limit,
            format!("<!-- x -->\n{limit}").as_str(),
            "page:34:1",
            lost,
        ),
        (
            &markdown,
            limit,
            "<div>\n<tr><td>Limit</td></tr>\n</div>\n",
            "page:33:1",
            lost,
        ),
        (&text, "\nLimitint", "\n\nLimitint", "page:37:1", lost),
        (&text, "\nLimitint", "\n\n包Limitint", "page:37:1", lost),
        (
            &text,
            "取值 Yes 或 No，默认为NoNo",
            "取值 Yes\n\n或 No，默认为NoNo",
            "page:36:1",
            lost,
        ),
        (&pasted, "\nLimit\t", "\n\nLimit\t", "page:39:1", lost),
        (&pasted, "\nLimit\t", "\n\nLimit", "page:39:1", lost),
        (
            &html,
            in_html,
            format!("</table>{in_html}").as_str(),
            "page:1:",
            "a row outside a table",
        ),
        (
            &html,
            in_html,
            "<p>LimitintThe limitNo</p>",
            "page:1:",
            lost,
        ),
        (&html, in_html, "LimitintThe limitNo<tr>", "page:1:", lost),
        (
            &text,
            "CrateSet\n\n字段名类型描述信息必填",
            "CrateSet\n\n字段名类型描述信息是否必须",
            "page:52:1",
            "this header of a table is not understood: \"字段名类型描述信息是否必须\"",
        ),
    ] {
        assert!(page.contains(from), "{from}");
        let said = refused(&page.replacen(from, to, 1), None);
        let is_said = |said: &String| said.starts_with(place) && said.contains(expected);
        assert!(said.iter().any(is_said), "{to:?}: {place} in {said:#?}");
    }
}

#[test]
fn every_mistake_of_a_page_has_its_place() {
    let list_crates = page("list_crates");
    let text = shapes::text(&list_crates);
    let pasted = shapes::pasted(&list_crates);
    let plan_route = shapes::pasted(&page("plan_route"));
    let html = shapes::html(&list_crates);
    let mut wrong = Vec::new();
    for (page, from, to, expected) in [
        (
            &list_crates,
            "|**Yes**|\n| **Kind**",
            "|perhaps|\n| **Kind**",
            "page:29:1: the row of `DepotName` says neither Yes nor No",
        ),
        (
            &list_crates,
            "**DepotName** | string | 仓库名称 |**Yes**|\n| **Kind",
            "**Depot Name** | string | 仓库名称 |**Yes**|\n| **Kind",
            "page:29:1: \"Depot Name\" is no name of a parameter or field",
        ),
        (
            &list_crates,
            "wood\\| steel",
            "wood| steel",
            "page:30:1: this row has 5 cells where its table has 4 columns: write a `|` within a cell as `\\|`",
        ),
        (
            &list_crates,
            "**Offset** | int",
            "**Offset** | array",
            "page:32:1: an array names its elements: `array[T]`",
        ),
        (
            &list_crates,
            "**Offset** | int",
            "**Offset** | 整数",
            "page:32:1: `整数` is no type; expected string, int, float, boolean, object, `array[T]` or a model's name",
        ),
        (
            &list_crates,
            "**Limit** | int",
            "**Offset** | string",
            "page:33:1: `Offset` stands here again, and says otherwise",
        ),
        (
            &list_crates,
            "#### OwnerSet",
            "#### CrateSet",
            "page:60:1: the model `CrateSet` stands here again, and says otherwise",
        ),
        (
            &list_crates,
            "- ListCrates\n",
            "- ListBoxes\n",
            "page:1:1: the title names `ListBoxes`, the common parameters `ListCrates`: which of the two is it?",
        ),
        (
            &list_crates,
            " - ListCrates\n",
            "\n",
            "page:1:1: the page has no title that ends in its action's name: `Lists images - GetRepoImage`",
        ),
        (
            &list_crates,
            "### 请求参数\n",
            "",
            "page:1:1: read as markdown, the page has no table under a heading `Request Parameters`: is it cut off, or of another shape (--format)?",
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
            "page:35:1: a second heading `Request Parameters`: are these two pages in one?",
        ),
        (
            &list_crates,
            "#### OwnerSet\n",
            "#### Owners of crates\n",
            "page:60:1: this heading stands over a table of fields and is no model's name: \"Owners of crates\"",
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
            "page:83:1: the page ends before its response example does",
        ),
        (
            &text,
            "取值 Yes 或 No，默认为NoNo",
            "取值 Yes 或 No",
            "page:34:1: the last word of \"WithSealedstring是否包含已封存的，取值 Yes 或 No\" is part of its description, and nothing says whether `WithSealed` is required: write tabs between its cells",
        ),
        (
            &list_crates,
            "**Limit** | int",
            "**Limit** | int or string",
            "page:33:1: `int or string` is no type; expected string, int, float, boolean, object, `array[T]` or a model's name",
        ),
        (
            &list_crates,
            "**Limit** | int",
            "**Limit** | Int",
            "page:33:1: `Int`, the type of `Limit`, is neither a type nor a model of the page; did you mean `int`?",
        ),
        (
            &list_crates,
            "**Limit** | int",
            "**Limit** | array[number]",
            "page:33:1: `number`, the type of `Limit`, is neither a type nor a model of the page; expected one of: boolean, float, int, object, string",
        ),
        (
            &list_crates,
            "请求参数\n\n| 参数名 | 类型 | 描述信息 | 必填 |\n|",
            "请求参数\n\n| 参数名 | 类型 | 描述信息 | 必填 | 类型 |\n|:---|",
            "page:26:1: this table has two columns `Type`",
        ),
        (
            &html,
            "<strong>Limit</strong>",
            "<strong>Limit<sup>1</sup></strong>",
            "\"Limit 1\" is no name of a parameter or field",
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
            "page:32:1: no name and type is found at the beginning of \"DepotNameString仓库名称Yes\": write tabs between its cells",
        ),
        (
            &text,
            "Offsetint偏移量",
            "Offsetintint偏移量",
            "page:35:1: \"Offsetintint偏移量，默认0No\" could be `Offset` of type `int` or `Offsetint` of type `int`, and nothing on the page settles it: write tabs between its cells",
        ),
        (
            &text,
            "Offsetint",
            "FingerprintOwnerThe",
            "page:35:1: \"FingerprintOwnerThe偏移量，默认0No\" could be `Fingerpr` of type `int`, but is not worded so, and the page shows no such name: write tabs between its cells",
        ),
        (
            &text,
            "\"TotalCount\": 5\n}",
            "\"TotalCount\": 5\n",
            "page:79:1: the page ends before its response example does",
        ),
        (
            &pasted,
            "Limit\tint\t",
            "Limit\t",
            "page:38:1: this row has 3 cells where its table has 4 columns",
        ),
        (
            &plan_route,
            "Request Parameters\n\nParameter Name\tType\tDescription Information\tRequired\nRegion\tstring\tRegion. See list of regions (opens in a new tab)\tYes",
            "Request Parameters\n\nParameter Name\tType\tRequired\tDescription Information\nRegionstringWhereYes",
            "page:23:1: nothing divides this row's cells, and its table has other columns than most",
        ),
        (
            &html,
            "</table><h4 class=\"nx-font-semibold\">OwnerSet",
            "<h4>OwnerSet",
            "a table within a table cannot be read",
        ),
    ] {
        assert!(page.contains(from), "{from}");
        let said = said(&read("page", page.replacen(from, to, 1).as_bytes(), None));
        if !said.iter().any(|said| said.ends_with(expected)) {
            wrong.push(format!("{to:?}:\n  expected {expected}\n  said {said:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The types of these rows are models that the page lacks; a basic type stands in them by chance.
#[test]
fn a_row_whose_type_is_not_on_the_page_is_not_read_as_another() {
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
        let said = refused(&open, None);
        assert_eq!(said.len(), 1, "{said:#?}");
        assert!(
            said[0].starts_with("page:36:1: ") && said[0].ends_with("write tabs between its cells"),
            "{said:#?}"
        );
    }
}

#[test]
fn what_is_passed_over_is_said() {
    let list_crates = page("list_crates");
    let more = list_crates.replacen(
        "### 响应示例",
        "```\n?Action=ListBoxes\n```\n\n### 响应示例",
        1,
    );
    let reading = read("page", more.as_bytes(), None);
    let notes: Vec<String> = reading.notes.iter().map(ToString::to_string).collect();
    let expected = "page:80:1: another block of code under `Request Example`: passed over";
    assert!(notes.iter().any(|note| note == expected), "{notes:#?}");
    assert_eq!(
        spec(&reading.page.unwrap()),
        spec(&read("page", list_crates.as_bytes(), None).page.unwrap())
    );
}

#[test]
fn a_row_that_stays_open_is_settled_by_tabs() {
    let text = shapes::text(&page("list_crates"));
    let open = text.replacen("Offsetint偏移量，默认0No", "Offsetintint偏移量，默认0No", 1);
    refused(&open, None);
    let settled = open.replacen(
        "Offsetintint偏移量，默认0No",
        "Offset\tint\tint偏移量，默认0\tNo",
        1,
    );
    let page = read("page", settled.as_bytes(), None).page.unwrap();
    assert_eq!(facts(&page)["parameters"][4]["name"], "Offset");
}

#[test]
fn what_is_no_page_is_refused() {
    let json = "{\"action\": \"ListCrates\"}";
    let list_crates = page("list_crates");
    for text in [
        "",
        "\n\n",
        json,
        "<",
        "<html></html>",
        "| a |",
        "\u{feff}",
        "- GetX\n\u{0}",
    ] {
        refused(text, None);
    }
    // Read as what it is not, a page says nothing, and nothing wrong.
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
    refused(
        &format!("{list_crates}{}", shapes::text(&list_crates)),
        None,
    );
}

#[test]
fn another_encoding_is_said_with_its_place() {
    let utf_16: Vec<u8> = "# A - GetX\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (bytes, place) in [
        ([&[0xff, 0xfe], utf_16.as_slice()].concat(), "page:1:1"),
        (
            b"# \xe5\x88\x97 - GetX\n\n\xc1\xd0\xb3\xf6".to_vec(),
            "page:3:1",
        ),
    ] {
        let reading = read("page", &bytes, None);
        assert_eq!(
            said(&reading),
            [format!(
                "{place}: this is not UTF-8: save the page as UTF-8 text"
            )]
        );
    }
    // What other systems do to a text file.
    let windows = format!(
        "\u{feff}{}",
        shapes::text(&page("list_crates")).replace('\n', "\r\n")
    );
    let page = read("page", windows.as_bytes(), None).page.unwrap();
    assert_eq!(page.action(), "ListCrates");
}

#[test]
fn what_is_too_large_or_too_deep_is_refused() {
    let reading = read("page", &vec![b' '; LARGEST + 1], None);
    assert_eq!(
        said(&reading),
        ["page:1:1: this has more than 16 MiB: a page has less"]
    );
    let list_crates = page("list_crates");
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(50_000), close.repeat(50_000));
    let json = |text: &str| {
        list_crates.replacen(
            "\"CrateSet\": [",
            &format!("\"X\": {text},\n  \"CrateSet\": ["),
            1,
        )
    };
    // An example that is no JSON for us is left out; the facts stand in the tables.
    let reading = read("page", json(&deep("[", "]")).as_bytes(), None);
    assert!(reading.page.is_some());
    assert!(
        reading.notes[0]
            .to_string()
            .contains("is left out: this is not JSON: recursion limit")
    );
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
    fn no_mutilated_page_makes_the_reader_panic(
        name in prop_oneof![Just("get_scale"), Just("list_crates"), Just("plan_route")],
        shape in 0_usize..4,
        wounds in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..80, any::<prop::sample::Index>(), 0_u8..4), 1..6),
    ) {
        let (shape, text) = every_shape(&page(name))[shape].clone();
        let mut chars: Vec<char> = text.chars().collect();
        for (at, length, other, kind) in wounds {
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
            prop_assert_eq!(reading.page.is_none(), !reading.errors.is_empty());
            if let Some(page) = reading.page {
                let first = page.spec(None).unwrap().text;
                let again = page.spec(Some(&uhub_codegen::SpecFile::new("spec", first.clone()))).unwrap().text;
                prop_assert_eq!(first, again);
            }
        }
    }
}
