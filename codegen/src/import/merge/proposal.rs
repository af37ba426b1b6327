//! Proposes what a page does not state and its names suggest. A maintainer confirms it.

use crate::import::facts::{Facts, Field, only};
use crate::spec::{Type, json::Value};

pub(crate) fn idempotency(action: &str) -> &'static str {
    const SAFE: &[&str] = &["Check", "Describe", "Get", "List", "Query"];
    const IDEMPOTENT: &[&str] = &["Delete", "Modify", "Rename", "Set", "Update"];
    let begins_with = |verbs: &[&str]| {
        verbs.iter().any(|verb| {
            let rest = action.strip_prefix(verb);
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_lowercase()))
        })
    };
    if begins_with(SAFE) {
        "safe"
    } else if begins_with(IDEMPOTENT) {
        "idempotent"
    } else {
        "non_idempotent"
    }
}

/// What a page tells of the pagination of its action.
pub(crate) enum Pagination<'a> {
    /// Nothing.
    Absent,
    /// The action seems to be paginated, and a maintainer has to decide how.
    Undecided {
        field: &'a Field,
        reason: String,
    },
    Proposed(PaginationParts<'a>),
}

pub(crate) struct PaginationParts<'a> {
    pub(crate) offset: &'a Field,
    pub(crate) limit: &'a Field,
    pub(crate) total: Option<&'a Field>,
    pub(crate) items: &'a Field,
}

impl<'a> PaginationParts<'a> {
    /// Returns the keys of `pagination` with the fields that they name.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&'static str, &'a Field)> {
        let Self { offset, limit, total, items } = *self;
        let total = total.map(|total| ("total", total));
        [("offset", offset), ("limit", limit)].into_iter().chain(total).chain([("items", items)])
    }
}

pub(crate) fn pagination(facts: &Facts) -> Pagination<'_> {
    let named = |name: &str| facts.parameters.iter().find(|it| it.name.eq_ignore_ascii_case(name));
    let undecided = |field, reason| Pagination::Undecided { field, reason };
    let (offset, limit) = match (named("Offset"), named("Limit")) {
        (Some(offset), Some(limit)) => (offset, limit),
        (offset, limit) => {
            let other = facts.parameters.iter().find(|it| is_page_parameter(&it.name));
            return match other.or(offset).or(limit) {
                Some(field) if is_listing(facts) => undecided(field, unsupported(field, other)),
                _ => Pagination::Absent,
            };
        }
    };
    let mut numbers = [offset, limit].into_iter();
    if let Some(field) = numbers.find(|it| !matches!(it.kind, Type::Int | Type::String)) {
        return undecided(field, format!("`{}` is of type {}", field.name, field.kind));
    }
    if is_page_number(offset) {
        return undecided(offset, format!("`{}` seems to be the number of a page", offset.name));
    }
    match list(&facts.response) {
        Ok(items) => {
            let total = total(&facts.response);
            Pagination::Proposed(PaginationParts { offset, limit, total, items })
        }
        Err(reason) => undecided(offset, reason),
    }
}

/// Whether an action reads and has a list in its response.
fn is_listing(facts: &Facts) -> bool {
    idempotency(&facts.action) == "safe"
        && facts.response.iter().any(|field| matches!(field.kind, Type::Array(_)))
}

/// Whether a parameter chooses a page by another way than an offset.
fn is_page_parameter(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "cursor",
        "marker",
        "nextmarker",
        "nextpagetoken",
        "nexttoken",
        "page",
        "pageindex",
        "pageno",
        "pagenum",
        "pagenumber",
        "pagesize",
        "pagetoken",
    ];
    NAMES.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether the words or the default of an offset are those of the number of a page.
fn is_page_number(offset: &Field) -> bool {
    let words = offset.description.to_lowercase();
    let default = offset.default.as_ref().map(|default| &default.value);
    ["页码", "第几页", "page number"].iter().any(|name| words.contains(name))
        || matches!(default, Some(Value::Number(first) | Value::String(first)) if first != "0")
}

/// Why a parameter without its counterpart does not paginate.
fn unsupported(field: &Field, other: Option<&Field>) -> String {
    let name = &field.name;
    if other.is_some() {
        format!("`{name}` chooses a page by its number or a token, and only offsets are supported")
    } else if name.eq_ignore_ascii_case("Offset") {
        format!("`{name}` has no `Limit` beside it")
    } else {
        format!("`{name}` has no `Offset` beside it")
    }
}

/// Returns the list that is paginated: the only one, the only one of models, or the only required
/// one of those.
fn list(response: &[Field]) -> Result<&Field, String> {
    let lists = || {
        response.iter().filter_map(|field| match &field.kind {
            Type::Array(item) if !matches!(**item, Type::Array(_)) => Some((field, &**item)),
            _ => None,
        })
    };
    let models = || lists().filter(|(_, item)| matches!(item, Type::Model(_)));
    let found = only(lists())
        .or_else(|| only(models()))
        .or_else(|| only(models().filter(|(field, _)| field.required)));
    if let Some((field, _)) = found {
        return Ok(field);
    }
    let names: Vec<String> = lists().map(|(field, _)| format!("`{}`", field.name)).collect();
    Err(match names.as_slice() {
        [] => "the response has no list beside its `RetCode`".to_owned(),
        _ => format!("the response has several lists: {}", names.join(", ")),
    })
}

/// Returns the field that counts the items of all pages.
fn total(response: &[Field]) -> Option<&Field> {
    const NAMES: [&str; 4] = ["TotalCount", "Total", "TotalNum", "TotalNumber"];
    let is_number = |field: &&Field| matches!(field.kind, Type::Int | Type::String);
    let named = |name: &'static &'static str| {
        response.iter().filter(is_number).find(|field| field.name.eq_ignore_ascii_case(name))
    };
    NAMES.iter().find_map(named).or_else(|| {
        only(response.iter().filter(|it| it.kind == Type::Int && it.name.contains("Total")))
    })
}

/// Returns the required string that identifies a model: `ImageId` or `ImageName` of `ImageSet`.
pub(crate) fn identity<'a>(model: &str, fields: &'a [Field]) -> Option<&'a Field> {
    let is_string = |field: &&Field| field.required && field.kind == Type::String;
    let strings = || fields.iter().filter(is_string);
    let mut endings = ["Set", "Info"].iter();
    let base = endings.find_map(|ending| model.strip_suffix(ending));
    let base = base.unwrap_or(model);
    let named = |name: &str| strings().find(|field| field.name == name);
    named(&format!("{base}Id"))
        .or_else(|| named(&format!("{base}Name")))
        .or_else(|| strings().find(|field| field.name.ends_with("Id")))
        .or_else(|| strings().find(|field| field.name.ends_with("Name")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_action_suggests_its_idempotency() {
        for (action, expected) in [
            ("GetRepoImage", "safe"),
            ("DescribeUDisk", "safe"),
            ("UpdateRepo", "idempotent"),
            ("CreateRepo", "non_idempotent"),
            ("Getaway", "non_idempotent"),
            ("SettleBill", "non_idempotent"),
        ] {
            assert_eq!(idempotency(action), expected, "{action}");
        }
    }
}
