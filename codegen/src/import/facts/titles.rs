//! The words a page is put together from: its headings and its tables' columns, in English or Chinese.

/// A part of a page, as its heading says.
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

const SECTIONS: &[(Section, &[&str])] = &[
    (Section::Overview, &["overview", "简介"]),
    (Section::Usage, &["usage", "使用方法"]),
    (Section::Definition, &["definition", "定义"]),
    (
        Section::Common,
        &["public parameters", "common parameters", "公共参数"],
    ),
    (
        Section::Request,
        &["request parameters", "request parameter", "请求参数"],
    ),
    (
        Section::Response,
        &["response field", "response fields", "响应字段"],
    ),
    (Section::Models, &["data model", "data models", "数据模型"]),
    (Section::Examples, &["example", "examples", "示例"]),
    (Section::RequestExample, &["request example", "请求示例"]),
    (Section::ResponseExample, &["response example", "响应示例"]),
];

impl Section {
    /// The part that a heading begins.
    pub(crate) fn of(heading: &str) -> Option<Self> {
        if heading.len() > 64 {
            return None;
        }
        let heading = heading
            .trim()
            .trim_end_matches([':', '：'])
            .to_ascii_lowercase();
        SECTIONS
            .iter()
            .find(|(_, titles)| titles.contains(&heading.as_str()))
            .map(|(section, _)| *section)
    }

    /// What messages call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Usage => "Usage",
            Self::Definition => "Definition",
            Self::Common => "Public Parameters",
            Self::Request => "Request Parameters",
            Self::Response => "Response Field",
            Self::Models => "Data Model",
            Self::Examples => "Example",
            Self::RequestExample => "Request Example",
            Self::ResponseExample => "Response Example",
        }
    }
}

/// A column of a table of parameters or fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Name,
    Type,
    Description,
    Required,
}

/// The columns that a page's tables have, in the order of cells that are run together.
pub(crate) const COLUMNS: [Column; 4] = [
    Column::Name,
    Column::Type,
    Column::Description,
    Column::Required,
];

impl Column {
    /// What messages call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Name => "Parameter Name",
            Self::Type => "Type",
            Self::Description => "Description",
            Self::Required => "Required",
        }
    }

    /// Longer titles first, so that of two that begin alike the whole is found.
    fn titles(self) -> &'static [&'static str] {
        match self {
            Self::Name => &["parameter name", "field name", "name", "参数名", "字段名"],
            Self::Type => &["type", "类型"],
            Self::Description => &["description information", "description", "描述信息", "描述"],
            Self::Required => &["required", "必填"],
        }
    }

    /// The column that a header's cell names.
    pub(crate) fn of(cell: &str) -> Option<Self> {
        if cell.len() > 64 {
            return None;
        }
        let cell = cell.trim().to_ascii_lowercase();
        COLUMNS
            .into_iter()
            .find(|column| column.titles().contains(&cell.as_str()))
    }
}

/// Whether a line is a table's header, its cells run together or divided by tabs.
pub(crate) fn is_header(line: &str) -> bool {
    if line.len() > 128 {
        return false;
    }
    if line.contains('\t') {
        return line
            .split('\t')
            .filter_map(Column::of)
            .collect::<Vec<_>>()
            .starts_with(&[Column::Name, Column::Type]);
    }
    after_titles(&line.to_ascii_lowercase(), &COLUMNS) == Some("")
}

/// Whether a line begins as a header does, whatever its last columns are called.
pub(crate) fn begins_header(line: &str) -> bool {
    after_titles(&line.to_ascii_lowercase(), &COLUMNS[..2]).is_some()
}

/// What follows the titles of these columns, where a line in lower case begins with them.
fn after_titles<'a>(line: &'a str, columns: &[Column]) -> Option<&'a str> {
    columns.iter().try_fold(line.trim(), |rest, column| {
        let mut titles = column.titles().iter();
        let after = titles.find_map(|title| rest.strip_prefix(title))?;
        Some(after.trim_start())
    })
}

/// The action that a page's first heading names: `Retrieve the image - GetRepoImage`.
pub(crate) fn action(heading: &str) -> Option<&str> {
    let heading = heading.trim();
    let name = match heading.rsplit_once(char::is_whitespace) {
        Some((before, name)) if before.trim_end().ends_with(['-', '–', '—']) => name,
        Some(_) => return None,
        None => heading,
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_name.then_some(name)
}

/// Whether a row's last cell says that the row is required.
pub(crate) fn required(cell: &str) -> Option<bool> {
    match cell.trim() {
        "Yes" | "yes" | "YES" | "是" => Some(true),
        "No" | "no" | "NO" | "否" => Some(false),
        _ => None,
    }
}

/// A row without its last cell, and what that says.
pub(crate) fn cut_required(row: &str) -> Option<(&str, bool)> {
    [("Yes", true), ("No", false), ("是", true), ("否", false)]
        .into_iter()
        .find_map(|(word, required)| Some((row.strip_suffix(word)?, required)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_known_in_two_languages() {
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
    fn a_header_is_known_with_its_cells_apart_and_together() {
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
        for (heading, expected) in [
            ("Retrieve the image - GetRepoImage", Some("GetRepoImage")),
            ("获取镜像 — GetRepoImage", Some("GetRepoImage")),
            ("GetRepoImage", Some("GetRepoImage")),
            ("How to begin", None),
            ("docs", None),
        ] {
            assert_eq!(action(heading), expected, "{heading}");
        }
    }
}
