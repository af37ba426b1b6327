//! Reads the default that a description states. Only a value that is certain is read: one that
//! stands alone, ends where its clause ends, fits the type and has no condition.

use crate::spec::{
    Type,
    json::{Node, Value},
};

/// The longest default. Longer texts are descriptions.
const MAX_LENGTH: usize = 64;

/// Returns the default that a description states plainly: `Offset, default 0`, `默认值为20。`.
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
        Type::Float if is_number && text.parse::<f64>().is_ok_and(f64::is_finite) => {
            Some(Value::Number(text.to_owned()))
        }
        Type::Boolean => text.parse().ok().map(Value::Boolean),
        _ => None,
    }
}

/// Returns the text of the default, the same at every mention.
fn default_text<'a>(description: &'a str, ty: &Type) -> Option<&'a str> {
    let mut found: Option<&str> = None;
    let mut rest = description;
    while let Some((before, word, after)) = split_at_mention(rest) {
        let start = description.len() - after.len() - word.len();
        if !ends_clause(before) || has_condition(description, start) {
            return None;
        }
        // "The default project" has no value; `默认public` has.
        let needs_sign = word.is_ascii() && *ty == Type::String;
        let (value, after) = leading_value(after, needs_sign, ty)?;
        if found.is_some_and(|found| found != value) {
            return None;
        }
        (found, rest) = (Some(value), after);
    }
    found
}

/// Splits a text at the first word for "default".
fn split_at_mention(text: &str) -> Option<(&str, &str, &str)> {
    let words = ["默认", "缺省", "default", "Default"].into_iter();
    let mentions = words.filter_map(|word| {
        let (before, after) = text.split_once(word)?;
        Some((before, word, after))
    });
    mentions.min_by_key(|(before, ..)| before.len())
}

/// Whether a clause ends before a mention of the default. Otherwise the default belongs to
/// something else.
fn ends_clause(before: &str) -> bool {
    let words = before.trim_end();
    let without_article = words.strip_suffix("the").or(words.strip_suffix("The"));
    let words = without_article.unwrap_or(words);
    // Chinese has no spaces between words, so a space ends a clause. A later clause may name what
    // else the default belongs to.
    let is_spaced = before.ends_with(char::is_whitespace) && !words.is_ascii();
    let is_first = !words.contains(['。', '；', ';']);
    let last = words.trim_end().chars().next_back();
    // `non-default`
    let is_joined = before.ends_with(['-', '_', '.', '/', '\\', '→', '>']);
    !is_joined && ((is_spaced && is_first) || last.is_none_or(|c| !c.is_alphanumeric()))
}

/// Words that make a default conditional.
const CONDITIONS: [&str; 19] = [
    "根据",
    "取决",
    "视乎",
    "若",
    "如果",
    "如为",
    "当",
    "否则",
    "除非",
    "时为",
    "下表示",
    "if",
    "when",
    "unless",
    "otherwise",
    "else",
    "depending",
    "depends",
    "according",
];

/// Words for a limit. A number beside one is not another value: "default 20, max 100".
const LIMITS: [&str; 29] = [
    "最大",
    "最小",
    "最多",
    "最少",
    "最高",
    "最低",
    "上限",
    "下限",
    "范围",
    "取值",
    "小于",
    "大于",
    "低于",
    "高于",
    "超过",
    "至多",
    "至少",
    "不能",
    "≤",
    "<=",
    "max",
    "min",
    "limit",
    "range",
    "between",
    "most",
    "least",
    "less than",
    "up to",
];

/// Words that a later sentence begins with where it states another value.
const OTHER_CASES: [&str; 8] = ["对于", "其他", "其它", "其余", "for", "in", "on", "with"];

/// Whether the sentence of a mention has a condition, or a later sentence has another value under
/// one: "Default 10. If the disk is an SSD, 20."
fn has_condition(description: &str, mention: usize) -> bool {
    let mut is_after = false;
    let sentences = description.split_inclusive(['。', '；', ';', '!', '！', '?', '？']);
    let mut end = 0;
    for sentence in sentences.flat_map(|sentence| sentence.split_inclusive(". ")) {
        end += sentence.len();
        if is_after {
            let is_other_value =
                begins_other_case(sentence) && sentence.contains(|c: char| c.is_ascii_digit());
            if is_other_value || ["otherwise", "否则"].iter().any(|it| sentence.contains(it)) {
                return true;
            }
        } else if end > mention {
            is_after = true;
            let after = &description[mention..end];
            if names_condition(sentence) || after.split([',', '，']).skip(1).any(states_other_value)
            {
                return true;
            }
        }
    }
    false
}

/// Whether a later clause of a default's sentence ends in another number: "default 20, private 10".
/// A clause about a limit does not, nor one that explains values: "0 means off".
fn states_other_value(clause: &str) -> bool {
    let clause = clause.trim().trim_end_matches(['。', '.', '；', ';', '）', ')']);
    let lower = clause.to_ascii_lowercase();
    !clause.starts_with(|c: char| c.is_ascii_digit())
        && clause.ends_with(|c: char| c.is_ascii_digit())
        && !LIMITS.iter().any(|limit| lower.contains(limit))
}

fn begins_other_case(sentence: &str) -> bool {
    let sentence = sentence.trim_start();
    let first = sentence.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    CONDITIONS.iter().chain(&OTHER_CASES).any(|word| match word.is_ascii() {
        true => first.eq_ignore_ascii_case(word),
        false => sentence.starts_with(word),
    })
}

fn names_condition(sentence: &str) -> bool {
    let mut words = sentence.split(|c: char| !c.is_ascii_alphabetic());
    let is_condition =
        |word: &str| CONDITIONS.iter().any(|condition| word.eq_ignore_ascii_case(condition));
    words.any(is_condition)
        || CONDITIONS.iter().any(|word| !word.is_ascii() && contains_condition(sentence, word))
}

/// Whether a sentence contains a Chinese word for a condition. `当前` is "current".
fn contains_condition(sentence: &str, word: &str) -> bool {
    sentence.match_indices(word).any(|(at, _)| !sentence[at + word.len()..].starts_with('前'))
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
    let (value, after) = if let Some(quoted) = rest.strip_prefix(['"', '\'', '“', '‘']) {
        let (value, after) = quoted.split_once(['"', '\'', '”', '’'])?;
        (value, after)
    } else {
        if needs_sign && text.trim_start() == rest {
            return None;
        }
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let value = rest[..end].trim_end_matches('.');
        (value, &rest[value.len()..])
    };
    let is_value = (1..=MAX_LENGTH).contains(&value.len())
        && value.chars().all(is_part)
        && value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '/')
        && !is_range(value);
    (is_value && ends_value(after, ty)).then_some((value, after))
}

/// Whether a character can be part of a default. Markup and control characters cannot.
fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_./+-".contains(c)
}

/// Whether a text is a range or a list of numbers: `1-10`, `10/20`.
fn is_range(value: &str) -> bool {
    let mut parts = value.split(['-', '/', '+']);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    value.contains(['-', '/', '+'])
        && parts.all(|part| is_number(part.trim_start_matches('.')))
        && !value.starts_with('-')
}

/// Whether a value ends with its clause: a unit, a range, a list or more words make it uncertain.
fn ends_value(after: &str, ty: &Type) -> bool {
    let rest = after.trim_start();
    let is_spaced = rest.len() < after.len();
    let mut chars = rest.chars();
    let Some(sign) = chars.next() else { return true };
    let next = chars.as_str();
    let next_word = next.trim_start().chars().next();
    match sign {
        '。' | '；' | ';' | '）' | ')' | '】' | ']' | '!' | '！' => true,
        // A full stop ends the sentence, or is a part of what follows it.
        '.' => next.is_empty() || next.starts_with(char::is_whitespace) || !next.is_ascii(),
        // In a list, more values follow.
        ',' | '，' => match ty {
            Type::Int | Type::Float => {
                !next_word.is_some_and(|c| c.is_ascii_digit() || "+-\"'“‘".contains(c))
            }
            _ => !next_word.is_some_and(|c| c.is_ascii_alphanumeric() || "\"'“‘".contains(c)),
        },
        // `false（关闭）` is explained; `10（GB）` has a unit.
        '(' | '（' => {
            let explains = ["废弃", "弃用", "deprecated", "Deprecated"];
            *ty == Type::Boolean || explains.iter().any(|word| next.contains(word))
        }
        // `false 未开启`
        c => *ty == Type::Boolean && is_spaced && !c.is_ascii() && c.is_alphanumeric() && c != '或',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(description: &str, ty: &Type) -> Option<String> {
        default(description, ty).map(|node| match node.value {
            Value::Boolean(value) => value.to_string(),
            Value::Number(text) | Value::String(text) => text,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_default_is_read_if_it_is_stated_plainly() {
        for (description, ty, expected) in [
            ("Offset, default 0", Type::Int, Some("0")),
            ("Display quantity, default is 20", Type::Int, Some("20")),
            ("偏移量，默认0", Type::Int, Some("0")),
            ("分页值。默认值：20。", Type::Int, Some("20")),
            ("购买时长 默认: 1", Type::Int, Some("1")),
            ("数量，默认20，最大值为100", Type::Int, Some("20")),
            ("数量，默认20，不超过100。", Type::Int, Some("20")),
            ("默认110，生产环境建议小于等于110。", Type::Int, Some("110")),
            ("Number, default is 20, max 100", Type::Int, Some("20")),
            ("Number, default 20, range 1-100.", Type::Int, Some("20")),
            ("购买时长 默认: 1  (已废弃)", Type::Int, Some("1")),
            ("是否启用，默认 false 未开启", Type::Boolean, Some("false")),
            ("模式，默认为“HTTP\"", Type::String, Some("HTTP")),
            ("业务组 默认：Default", Type::String, Some("Default")),
            ("Which. The default is public.", Type::String, Some("public")),
            ("端口，取值范围[0-65535]；默认值为0，代表关闭", Type::Int, Some("0")),
            ("平台，枚举值[\"Amd/Auto\"],默认值是\"Intel/Auto\"", Type::String, Some("Intel/Auto")),
            ("偏移, default -1", Type::Int, Some("-1")),
            ("Ratio (default 0.5)", Type::Float, Some("0.5")),
            ("当规则为空时，是否忽略。默认值true", Type::Boolean, Some("true")),
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
            assert_eq!(read(description, &ty).as_deref(), expected, "{description}");
        }
    }

    #[test]
    fn a_value_that_is_not_certain_is_no_default() {
        for description in [
            "星期，默认1,2,3,4,5,6,7",
            "星期，默认1, 2",
            "星期，默认1，2",
            "星期，默认1、2",
            "星期，默认1/2",
            "星期，默认1|2",
            "星期，默认1 2",
            "星期，默认1或2",
            "Days, default 1 or 2",
            "Days, default 1 and 2",
            "时间，默认 5:00~6:00",
            "范围，默认 5~6",
            "范围，默认 5 ~ 6",
            "范围，默认5-6",
            "范围，默认 5 - 6",
            "范围，默认5至6",
            "Range, default 5 to 6",
            "Range, default 5..6",
            "Range, default 5...",
            "大小，默认 10GB",
            "大小，默认 10 GB",
            "大小，默认10（GB）",
            "Size, default 10 (GB)",
            "大小，默认10个",
            "大小，默认10 个",
            "Timeout, default 10 seconds",
            "大小，若为SSD，默认20",
            "大小，如果是SSD，默认 20",
            "大小，当为SSD时，默认20",
            "大小，默认20，若为SSD则40",
            "大小，默认20。若为SSD，则为40",
            "Size, default 10 if it is an SSD, otherwise 20",
            "Size, default 10, 20 otherwise",
            "Size, default 10, Windows 40",
            "Size, default 10, 40 for Windows",
            "Size, depending on the type, default 10",
            "大小，默认10，Windows 40",
            "大小，默认10，私有仓库为20",
            "大小，默认10，其中私有为20。",
            "大小，根据类型，默认10",
            "Size. If it is an SSD, the default is 10",
            "Size. The default is 10. If it is an SSD, 20.",
            "Size. The default is 10. For SSDs 20.",
            "When empty, default 10",
            "请求代理下表示空闲时间，默认值为60；报文转发下表示会话时间",
            "默认为当前10",
            "默认为",
            "默认值：",
            "Size, default",
            "Size, default is",
            "Size, non-default 3",
            "Size, not default 3",
            "Size, default 0x10",
            "Size, default 1e3",
            "Size, default 99999999999999999999",
            "Size, default 1,000",
            "Size, default \"10\" or \"20\"",
            "Size, default true",
            "Size, default 10。默认20",
            "类型，请求代理型，默认10，报文转发型默认20",
        ] {
            assert_eq!(read(description, &Type::Int), None, "{description}");
        }
        for description in [
            "默认为\"<b>x</b>\"",
            "默认为\"`x`\"",
            "默认为\"[x](javascript:alert(1))\"",
            "默认为\"https://example.com\"",
            "默认为\"x\u{202e}y\"",
            "默认为\"**x**\"",
            "默认为\"a b\"",
            "默认为\"当前地域\"",
            "默认为\"\"",
            "默认为\"HTTP\"或\"HTTPS\"",
            "默认为\"HTTP\", \"HTTPS\"",
            "默认为\"HTTP\"/\"HTTPS\"",
            "默认为\"HTTP",
            "默认1-10",
            "default: wood, steel",
            "default: wood or steel",
            "default: the first zone",
            "默认为wood、steel",
            "默认为db-2(基础型)",
            "默认与原本一致",
        ] {
            assert_eq!(read(description, &Type::String), None, "{description}");
        }
    }
}
