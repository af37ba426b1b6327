//! Proposes what a page does not state and its names suggest. A maintainer confirms it.

use crate::import::facts::{Facts, Field, only};
use crate::spec::Type;

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

/// Proposes the parts of `pagination`, if the page has all of them.
pub(crate) fn pagination(facts: &Facts) -> Option<[(&'static str, &Field); 5]> {
    let number = |name: &str| {
        let is_number =
            |field: &&Field| field.name == name && !field.required && field.kind == Type::Int;
        facts.parameters.iter().find(is_number)
    };
    let (offset, limit) = (number("Offset")?, number("Limit")?);
    let total = only(facts.response.iter().filter(|field| {
        field.required && field.kind == Type::Int && field.name.contains("Total")
    }))?;
    let is_list = |field: &&Field| matches!(&field.kind, Type::Array(element) if matches!(**element, Type::Model(_)));
    let lists = || facts.response.iter().filter(is_list);
    let items = only(lists()).or_else(|| only(lists().filter(|field| field.required)))?;
    let model = items.kind.model()?;
    let model = facts.models.iter().find(|other| other.name == model)?;
    let key = identity(&model.name, &model.fields)?;
    Some([("offset", offset), ("limit", limit), ("total", total), ("items", items), ("key", key)])
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
