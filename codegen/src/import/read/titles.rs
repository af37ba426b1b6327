//! The headings and column titles of a page, in English and Chinese.

/// A part of a page, identified by its heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Section {
    Overview,
    Usage,
    Definition,
    Common,
    Request,
    Response,
    Models,
    Examples,
    RequestExample,
    ResponseExample,
}

/// The headings of each section. Messages use the first.
const SECTIONS: &[(Section, &[&str])] = &[
    (
        Section::Overview,
        &[
            "Overview",
            "Introduction",
            "Description",
            "Summary",
            "简介",
            "介绍",
            "概述",
            "说明",
            "描述",
        ],
    ),
    (Section::Usage, &["Usage", "使用方法"]),
    (Section::Definition, &["Definition", "定义"]),
    (Section::Common, &["Public Parameters", "Common Parameters", "公共参数"]),
    (Section::Request, &["Request Parameters", "Request Parameter", "请求参数"]),
    (
        Section::Response,
        &[
            "Response Field",
            "Response Fields",
            "Response Element",
            "Response Elements",
            "Response Parameter",
            "Response Parameters",
            "响应字段",
            "响应参数",
            "返回字段",
            "返回参数",
        ],
    ),
    (Section::Models, &["Data Model", "Data Models", "数据模型"]),
    (Section::Examples, &["Example", "Examples", "示例"]),
    (Section::RequestExample, &["Request Example", "请求示例"]),
    (Section::ResponseExample, &["Response Example", "响应示例"]),
];

impl Section {
    pub(crate) fn of(heading: &str) -> Option<Self> {
        let heading = heading.trim().trim_end_matches([':', '：']);
        let mut sections = SECTIONS.iter();
        let found = sections.find(|(_, titles)| has_title(titles, heading));
        found.map(|(section, _)| *section)
    }

    pub(crate) fn title(self) -> &'static str {
        let found = SECTIONS.iter().find(|(section, _)| *section == self);
        found.map_or("", |(_, titles)| titles[0])
    }
}

fn has_title(titles: &[&str], text: &str) -> bool {
    titles.iter().any(|title| title.eq_ignore_ascii_case(text))
}

/// A column of a table of parameters or fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Name,
    Type,
    Description,
    Required,
}

/// The columns in the order in which run-together rows have them.
pub(crate) const COLUMNS: [Column; 4] =
    [Column::Name, Column::Type, Column::Description, Column::Required];

impl Column {
    /// The titles of the column. Messages use the first. A title precedes its own prefixes.
    fn titles(self) -> &'static [&'static str] {
        match self {
            Self::Name => &["Parameter Name", "Field Name", "Name", "参数名", "字段名"],
            Self::Type => &["Type", "类型"],
            Self::Description => &["Description Information", "Description", "描述信息", "描述"],
            Self::Required => &["Required", "必填"],
        }
    }

    pub(crate) fn title(self) -> &'static str {
        self.titles()[0]
    }

    pub(crate) fn of(cell: &str) -> Option<Self> {
        COLUMNS.into_iter().find(|column| has_title(column.titles(), cell.trim()))
    }
}

/// Whether a line is the header of a table, run together or delimited by tabs.
pub(crate) fn is_header(line: &str) -> bool {
    const MAX_LENGTH: usize = 128;
    if line.len() > MAX_LENGTH {
        return false;
    }
    if line.contains('\t') {
        let columns: Vec<Column> = line.split('\t').filter_map(Column::of).collect();
        return columns.starts_with(&[Column::Name, Column::Type]);
    }
    after_titles(line, &COLUMNS) == Some("")
}

/// Whether a line begins with the titles of a name and a type column.
pub(crate) fn begins_header(line: &str) -> bool {
    after_titles(line, &COLUMNS[..2]).is_some()
}

/// Returns the rest of a line that begins with titles of these columns.
fn after_titles<'a>(line: &'a str, columns: &[Column]) -> Option<&'a str> {
    columns.iter().try_fold(line.trim(), |rest, column| {
        let after = |title: &&str| {
            let (start, after) = rest.split_at_checked(title.len())?;
            start.eq_ignore_ascii_case(title).then_some(after)
        };
        Some(column.titles().iter().find_map(after)?.trim_start())
    })
}

/// How certain it is that a heading names an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Naming {
    /// It is a single name: `GetRepoImage`. The list of a site's pages has such lines too.
    Alone,
    /// It ends in a name in camel case: `Retrieve the image GetRepoImage`.
    LastWord,
    /// It ends in a name after a dash: `Retrieve the image - GetRepoImage`.
    AfterDash,
}

/// Returns the action that a heading before the sections of a page names.
pub(crate) fn action(heading: &str) -> Option<(Naming, &str)> {
    const DASHES: [char; 10] = ['-', '–', '—', '－', '―', '‐', '‑', '−', '﹣', 'ー'];
    let heading = heading.trim().trim_end_matches(|c: char| {
        c.is_whitespace() || matches!(c, ')' | '）' | '】' | ']' | '`' | '*' | '#' | '\u{200b}')
    });
    let before = heading.trim_end_matches(|c: char| c.is_ascii_alphanumeric());
    let name = &heading[before.len()..];
    let words = before.trim_end();
    let is_after_dash = words.ends_with(DASHES);
    // `multi-AZ` ends in no name.
    let is_delimited = is_after_dash && words.len() < before.len();
    let is_name = name.starts_with(|c: char| c.is_ascii_uppercase())
        && (is_delimited || is_camel_case(name))
        && Section::of(name).is_none();
    let naming = match words {
        "" => Naming::Alone,
        _ if is_after_dash => Naming::AfterDash,
        _ => Naming::LastWord,
    };
    is_name.then_some((naming, name))
}

fn is_camel_case(name: &str) -> bool {
    let mut pairs = name.as_bytes().windows(2);
    pairs.any(|pair| !pair[0].is_ascii_uppercase() && pair[1].is_ascii_uppercase())
}

pub(crate) fn required(cell: &str) -> Option<bool> {
    match cell.trim() {
        "Yes" | "yes" | "YES" | "Y" | "是" | "必填" => Some(true),
        "No" | "no" | "NO" | "N" | "否" | "选填" | "非必填" => Some(false),
        _ => None,
    }
}

/// Splits the cell of the column `Required` from the end of a run-together row.
pub(crate) fn cut_required(row: &str) -> Option<(&str, bool)> {
    let words = [("Yes", true), ("No", false), ("是", true), ("否", false)];
    let mut words = words.into_iter();
    words.find_map(|(word, required)| Some((row.strip_suffix(word)?, required)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_recognised_in_two_languages() {
        for (heading, expected) in [
            ("Request Parameters", Some(Section::Request)),
            ("请求参数", Some(Section::Request)),
            ("Example", Some(Section::Examples)),
            ("数据模型：", Some(Section::Models)),
            ("ImageSet", None),
        ] {
            assert_eq!(Section::of(heading), expected, "{heading}");
        }
    }

    #[test]
    fn headers_are_recognised_delimited_and_run_together() {
        for line in [
            "Parameter NameTypeDescription InformationRequired",
            "Field Name\tType\tDescription Information\tRequired",
            "字段名类型描述信息必填",
            "参数名 类型 描述信息 必填",
        ] {
            assert!(is_header(line), "{line}");
        }
        for line in ["", "NamestringName of itYes", "Name\tstring\tYes", "Type"] {
            assert!(!is_header(line), "{line}");
        }
    }

    #[test]
    fn the_first_heading_names_the_action() {
        use Naming::{AfterDash, Alone, LastWord};
        for (heading, expected) in [
            ("Retrieve the image - GetRepoImage", Some((AfterDash, "GetRepoImage"))),
            ("获取镜像 — GetRepoImage", Some((AfterDash, "GetRepoImage"))),
            ("List jars-ListJars", Some((AfterDash, "ListJars"))),
            ("List jars–ListJars", Some((AfterDash, "ListJars"))),
            ("列出罐子-ListJars", Some((AfterDash, "ListJars"))),
            ("列出罐子－ListJars", Some((AfterDash, "ListJars"))),
            ("列出罐子——ListJars", Some((AfterDash, "ListJars"))),
            ("List jars -ListJars", Some((AfterDash, "ListJars"))),
            ("List jars - `ListJars`", Some((LastWord, "ListJars"))),
            ("Log in - Login", Some((AfterDash, "Login"))),
            ("List jars ListJars", Some((LastWord, "ListJars"))),
            ("列出罐子ListJars", Some((LastWord, "ListJars"))),
            ("列出罐子（ListJars）", Some((LastWord, "ListJars"))),
            ("GetRepoImage", Some((Alone, "GetRepoImage"))),
            ("How to begin", None),
            ("docs", None),
            ("Introduction", None),
            ("UHub - Introduction", None),
            ("Quickstart", None),
            ("Create a disk in multi-AZ", None),
            ("Public Image Repository(UHub)", None),
        ] {
            assert_eq!(action(heading), expected, "{heading}");
        }
    }
}
