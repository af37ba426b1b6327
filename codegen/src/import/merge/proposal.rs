//! What a page does not say and its names suggest. A person confirms it.

use crate::import::facts::page::{Facts, Field, Model, model_of};
use crate::spec::Type;

/// Whether an action may be sent again, as its name suggests; where that says nothing, it may not.
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

/// The parts of `pagination`, in their order, where the names and types for it are there.
pub(crate) fn pagination(facts: &Facts) -> Option<[(&'static str, &Field); 5]> {
    let number = |name: &str| {
        let is_number =
            |field: &&Field| field.name == name && !field.required && field.kind == Type::Int;
        facts.parameters.iter().find(is_number)
    };
    let (offset, limit) = (number("Offset")?, number("Limit")?);
    let total = one(facts.response.iter().filter(|field| {
        field.required && field.kind == Type::Int && field.name.contains("Total")
    }))?;
    let is_list = |field: &&Field| matches!(&field.kind, Type::Array(element) if matches!(**element, Type::Model(_)));
    let lists = || facts.response.iter().filter(is_list);
    let items = one(lists()).or_else(|| one(lists().filter(|field| field.required)))?;
    let model = model_of(&items.kind)?;
    let model = facts.models.iter().find(|other| other.name == model)?;
    let key = identity(model)?;
    Some([
        ("offset", offset),
        ("limit", limit),
        ("total", total),
        ("items", items),
        ("key", key),
    ])
}

/// The required string of a model that says which one it is: of `ImageSet`, `ImageId` or `ImageName`.
pub(crate) fn identity(model: &Model) -> Option<&Field> {
    let is_string = |field: &&Field| field.required && field.kind == Type::String;
    let strings = || model.fields.iter().filter(is_string);
    let base = ["Set", "Info"]
        .iter()
        .find_map(|ending| model.name.strip_suffix(ending))
        .unwrap_or(&model.name);
    let named = |name: &str| strings().find(|field| field.name == name);
    named(&format!("{base}Id"))
        .or_else(|| named(&format!("{base}Name")))
        .or_else(|| strings().find(|field| field.name.ends_with("Id")))
        .or_else(|| strings().find(|field| field.name.ends_with("Name")))
}

/// The value that a description calls the default of its parameter, where it says so in so many words:
/// `Offset, default 0`, `默认值为20。`. What depends on something, or is no plain value, is none.
pub(crate) fn default<'a>(description: &'a str, ty: &Type) -> Option<&'a str> {
    let mut found: Option<&str> = None;
    let mut rest = description;
    while let Some((before, word, after)) = mention(rest) {
        // "The default project" has no value; `默认public` has.
        let is_word = word.is_ascii() && *ty == Type::String;
        let (value, after) = value(after, is_word, ty)?;
        let is_same = found.is_none_or(|other| other == value);
        if !begins_clause(before) || !is_same {
            return None;
        }
        (found, rest) = (Some(value), after);
    }
    let value = found?;
    let fits = match ty {
        Type::String => true,
        Type::Int => value
            .parse::<i64>()
            .is_ok_and(|number| number.to_string() == value),
        Type::Float => serde_json::from_str::<serde_json::Number>(value).is_ok(),
        Type::Boolean => matches!(value, "true" | "false"),
        _ => false,
    };
    fits.then_some(value)
}

/// The first word for "default", between what stands before and after it.
fn mention(text: &str) -> Option<(&str, &str, &str)> {
    ["默认", "default", "Default"]
        .iter()
        .filter_map(|word| {
            let (before, after) = text.split_once(word)?;
            Some((before, *word, after))
        })
        .min_by_key(|(before, ..)| before.len())
}

/// Whether a clause ends before the default is spoken of: otherwise it is the default of something, or
/// in some case.
fn begins_clause(before: &str) -> bool {
    let words = before.trim_end();
    let words = words
        .strip_suffix("the")
        .or(words.strip_suffix("The"))
        .unwrap_or(words);
    let is_end = |c: char| !c.is_alphanumeric();
    // Chinese has no space between words: where there is one, a clause ends.
    let is_spaced = before.ends_with(char::is_whitespace) && !words.is_ascii();
    is_spaced || words.trim_end().chars().next_back().is_none_or(is_end)
}

/// The value at the beginning of a text, and what follows it. Some are only told by a word or a sign
/// before them, or by quotes.
fn value<'a>(mut text: &'a str, needs_sign: bool, ty: &Type) -> Option<(&'a str, &'a str)> {
    let whole = text;
    for filler in [
        "值", "s to", " value", " is", " to", "为", "是", ":", "：", "=", "（", "(",
    ] {
        // "Default total" does not begin with "to".
        let is_word = filler.ends_with(|c: char| c.is_ascii_alphabetic());
        let rest = text
            .strip_prefix(filler)
            .filter(|rest| !is_word || !rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
        text = rest.unwrap_or(text);
    }
    let text = text.trim_start();
    if let Some(quoted) = text.strip_prefix(['"', '\'', '“', '‘']) {
        let end = quoted.find(['"', '\'', '”', '’'])?;
        let value = &quoted[..end];
        let is_value = !value.is_empty() && !value.contains(char::is_whitespace);
        return is_value.then(|| (value, &quoted[end..]));
    }
    if needs_sign && whole.trim_start() == text {
        return None;
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_./+-".contains(c);
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let value = text[..end].trim_end_matches('.');
    let after = &text[end..];
    // "SSD disk" is more than "SSD"; a number or a boolean says all.
    let is_whole = match after.chars().next() {
        None => true,
        Some(c) if c.is_whitespace() => *ty != Type::String || value.len() < end,
        Some(c) => !c.is_alphanumeric() && !"~%".contains(c),
    };
    (!value.is_empty() && is_whole).then_some((value, after))
}

pub(crate) fn one<T>(mut found: impl Iterator<Item = T>) -> Option<T> {
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_action_is_called_suggests_whether_it_may_be_repeated() {
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
    fn a_default_is_read_where_it_is_said_in_so_many_words() {
        for (description, ty, expected) in [
            ("Offset, default 0", Type::Int, Some("0")),
            ("Display quantity, default is 20", Type::Int, Some("20")),
            ("偏移量，默认0", Type::Int, Some("0")),
            ("分页值。默认值：20。", Type::Int, Some("20")),
            ("购买时长 默认: 1", Type::Int, Some("1")),
            ("是否启用，默认 false 未开启", Type::Boolean, Some("false")),
            ("模式，默认为“HTTP\"", Type::String, Some("HTTP")),
            ("业务组 默认：Default", Type::String, Some("Default")),
            (
                "Which. The default is public.",
                Type::String,
                Some("public"),
            ),
            // Of something, in some case, or more than a value.
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
            assert_eq!(default(description, &ty), expected, "{description}");
        }
    }
}
