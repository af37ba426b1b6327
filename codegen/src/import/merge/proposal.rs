//! Proposes what a page does not state and its names suggest. A maintainer confirms it.

use crate::import::facts::{Facts, Field, only};
use crate::spec::{
    Type,
    json::{Node, Value},
};

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

/// Returns the default that a description states plainly: `Offset, default 0`, `默认值为20。`. A default
/// that has a condition or is more than a value is none.
pub(crate) fn default(description: &str, ty: &Type) -> Option<Node> {
    let value = typed(default_text(description, ty)?, ty)?;
    Some(Node::new(value))
}

/// Returns a text as a value of a type that a text can have.
pub(crate) fn typed(text: &str, ty: &Type) -> Option<Value> {
    let is_number = serde_json::from_str::<serde_json::Number>(text).is_ok();
    match ty {
        Type::String => Some(Value::String(text.to_owned())),
        Type::Int if is_number && text.parse::<i64>().is_ok() => {
            Some(Value::Number(text.to_owned()))
        }
        Type::Float if is_number => Some(Value::Number(text.to_owned())),
        Type::Boolean => text.parse().ok().map(Value::Boolean),
        _ => None,
    }
}

/// Returns the text of the default, the same at every mention.
fn default_text<'a>(description: &'a str, ty: &Type) -> Option<&'a str> {
    let mut found: Option<&str> = None;
    let mut rest = description;
    while let Some((before, word, after)) = split_at_mention(rest) {
        // "The default project" has no value; `默认public` has.
        let needs_sign = word.is_ascii() && *ty == Type::String;
        let (value, after) = leading_value(after, needs_sign, ty)?;
        if !ends_clause(before) || found.is_some_and(|found| found != value) {
            return None;
        }
        (found, rest) = (Some(value), after);
    }
    found
}

/// Splits a text at the first word for "default".
fn split_at_mention(text: &str) -> Option<(&str, &str, &str)> {
    let words = ["默认", "default", "Default"].into_iter();
    let mentions = words.filter_map(|word| {
        let (before, after) = text.split_once(word)?;
        Some((before, word, after))
    });
    mentions.min_by_key(|(before, ..)| before.len())
}

/// Whether a clause ends before a mention of the default. Otherwise the default belongs to
/// something else or has a condition.
fn ends_clause(before: &str) -> bool {
    let words = before.trim_end();
    let without_article = words.strip_suffix("the").or(words.strip_suffix("The"));
    let words = without_article.unwrap_or(words);
    // Chinese has no spaces between words, so a space ends a clause.
    let is_spaced = before.ends_with(char::is_whitespace) && !words.is_ascii();
    let last = words.trim_end().chars().next_back();
    is_spaced || last.is_none_or(|c| !c.is_alphanumeric())
}

/// Splits the value from the beginning of a text. With `needs_sign`, a word or sign such as `is` or
/// `:`, or quotes, must mark the value.
fn leading_value<'a>(text: &'a str, needs_sign: bool, ty: &Type) -> Option<(&'a str, &'a str)> {
    let mut rest = text;
    for sign in ["值", "s to", " value", " is", " to", "为", "是", ":", "：", "=", "（", "("] {
        // "Default total" does not begin with "to".
        let is_word = sign.ends_with(|c: char| c.is_ascii_alphabetic());
        let continues = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        let after = rest.strip_prefix(sign);
        rest = after.filter(|after| !is_word || !continues(after)).unwrap_or(rest);
    }
    let rest = rest.trim_start();
    if let Some(quoted) = rest.strip_prefix(['"', '\'', '“', '‘']) {
        let (value, _) = quoted.split_once(['"', '\'', '”', '’'])?;
        let is_value = !value.is_empty() && !value.contains(char::is_whitespace);
        return is_value.then(|| (value, &quoted[value.len()..]));
    }
    if needs_sign && text.trim_start() == rest {
        return None;
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_./+-".contains(c);
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let value = rest[..end].trim_end_matches('.');
    let after = &rest[end..];
    // "SSD disk" is more than "SSD". A number or a boolean is complete.
    let is_complete = match after.chars().next() {
        None => true,
        Some(c) if c.is_whitespace() => *ty != Type::String || value.len() < end,
        Some(c) => !c.is_alphanumeric() && !"~%".contains(c),
    };
    (!value.is_empty() && is_complete).then_some((value, after))
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

    #[test]
    fn a_default_is_read_if_it_is_stated_plainly() {
        for (description, ty, expected) in [
            ("Offset, default 0", Type::Int, Some("0")),
            ("Display quantity, default is 20", Type::Int, Some("20")),
            ("偏移量，默认0", Type::Int, Some("0")),
            ("分页值。默认值：20。", Type::Int, Some("20")),
            ("购买时长 默认: 1", Type::Int, Some("1")),
            ("是否启用，默认 false 未开启", Type::Boolean, Some("false")),
            ("模式，默认为“HTTP\"", Type::String, Some("HTTP")),
            ("业务组 默认：Default", Type::String, Some("Default")),
            ("Which. The default is public.", Type::String, Some("public")),
            // Of something else, with a condition, or more than a value.
            ("不填写为默认项目", Type::String, None),
            ("请求代理型默认值为Port", Type::String, None),
            ("磁盘，默认为SSD云盘", Type::String, None),
            ("Disk, default SSD disk", Type::String, None),
            ("外网，默认A；内网，默认B", Type::String, None),
            ("Size, default 20%", Type::Int, None),
            ("Size, default 1G", Type::Int, None),
            ("The default project", Type::String, None),
            ("Size", Type::Int, None),
        ] {
            let found = default(description, &ty);
            let found = found.map(|node| match node.value {
                Value::Boolean(value) => value.to_string(),
                Value::Number(text) | Value::String(text) => text,
                other => panic!("{other:?}"),
            });
            assert_eq!(found.as_deref(), expected, "{description}");
        }
    }
}
