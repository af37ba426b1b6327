//! Reads the examples of a page: a request and a response.

use std::collections::BTreeSet;

use crate::import::{
    facts::{Argument, ArgumentValue, excerpt, is_name},
    read::block::Code,
};
use crate::spec::{
    diagnostic::Report,
    json::{self, Member, Node, Value},
};

pub(crate) fn response(code: &Code, report: &mut Report) -> Option<Node> {
    let Some(start) = code.text.find('{') else {
        let message = "the example response is not an object: ignored";
        report.note(code.page_offset(0), message);
        return None;
    };
    let mut node = json(code, start, code.text.trim_end().len(), "response", report)?;
    drop_repetitions(&mut node, report);
    if node.members().is_empty() {
        report.note(code.page_offset(start), "the example response is empty: ignored");
        return None;
    }
    Some(node)
}

/// Drops the members of objects whose keys are repeated: no reader takes such an object.
fn drop_repetitions(node: &mut Node, report: &mut Report) {
    match &mut node.value {
        Value::Array(elements) => {
            elements.iter_mut().for_each(|node| drop_repetitions(node, report));
        }
        Value::Object(members) => {
            let mut keys = BTreeSet::new();
            members.retain_mut(|Member { at, key, value }| {
                let is_new = keys.insert(key.clone());
                if is_new {
                    drop_repetitions(value, report);
                } else {
                    report.note(*at, format!("`{}` is repeated: ignored", excerpt(key)));
                }
                is_new
            });
        }
        _ => {}
    }
}

/// Makes a success of an example response, which lacks `RetCode` or spells it otherwise. The service
/// is not known to do so. Returns `None` if it is no success.
pub(crate) fn success(mut response: Node, report: &mut Report) -> Option<Node> {
    let at = response.at;
    let Value::Object(members) = &mut response.value else { return None };
    let is_exact = |member: &Member| member.key == "RetCode";
    let is_similar = |member: &Member| member.key.eq_ignore_ascii_case("RetCode");
    let index = members.iter().position(is_exact).or_else(|| members.iter().position(is_similar));
    match index.map(|index| &mut members[index]) {
        Some(member) if member.value.value != Value::Null => {
            let value = &member.value.value;
            let is_success = match value {
                Value::Number(code) => matches!(&**code, "0" | "0.0"),
                Value::String(code) => code == "0",
                _ => false,
            };
            if !is_success {
                let message =
                    "the example response is not a success, which has `RetCode` 0: ignored";
                report.note(member.at, message);
                return None;
            }
            if !is_exact(member) {
                let message = format!("the example spells `RetCode` as `{}`", member.key);
                report.note(member.at, message);
                "RetCode".clone_into(&mut member.key);
            }
        }
        code => {
            let place = code.as_ref().map_or(at, |code| code.at);
            report.note(place, "the example response has no `RetCode`: read as a success");
            let zero = Node { at: place, end: place, value: Value::Number("0".to_owned()) };
            match code {
                Some(code) => {
                    "RetCode".clone_into(&mut code.key);
                    code.value = zero;
                }
                None => members.push(Member {
                    at: response.end,
                    key: "RetCode".to_owned(),
                    value: zero,
                }),
            }
        }
    }
    // Of two spellings, the other one would be in doubt.
    members.retain(|member| is_exact(member) || !is_similar(member));
    Some(response)
}

/// Reads the example request: a URL with a query, or a command that sends JSON.
pub(crate) fn request(code: &Code, report: &mut Report) -> Option<Vec<Argument>> {
    let object_at = code.text.find('{');
    // A query may hold JSON, and the command that sends JSON has a URL.
    let query_at = code.text.find('?').filter(|query_at| {
        let query = object_at.map(|object_at| code.text.get(*query_at..object_at));
        query.is_none_or(|query| query.is_some_and(|query| query.contains('=')))
    });
    match (query_at, object_at) {
        (Some(start), _) => {
            let pairs = query(code, start + 1, report).into_iter();
            let argument = |Pair { at, name, value, .. }| Argument {
                at: code.page_offset(at),
                name,
                value: ArgumentValue::Text(value),
            };
            Some(pairs.map(argument).collect())
        }
        (None, Some(start)) => {
            let end = code.text.rfind('}').map_or(start, |end| end + 1).max(start);
            let object = json(code, start, end, "request", report)?;
            let arguments = object.members().iter().map(|member| Argument {
                at: member.at,
                name: member.key.clone(),
                value: ArgumentValue::Json(member.value.clone()),
            });
            Some(arguments.collect())
        }
        (None, None) => {
            let message = "the example request is neither a URL nor JSON: ignored";
            report.note(code.page_offset(0), message);
            None
        }
    }
}

/// A pair of a query, at its offset in the block of code.
struct Pair {
    at: usize,
    name: String,
    value_at: usize,
    value: String,
}

/// Returns the pairs of a query. Pages put lines and spaces between the pairs, and some write `&amp;`
/// in code. An `&` without a name and `=` after it is part of a value.
fn query(code: &Code, start: usize, report: &mut Report) -> Vec<Pair> {
    let text = &code.text[..end_of_url(&code.text, start)];
    let mut pairs: Vec<Pair> = Vec::new();
    let mut at = start;
    for piece in text[start..].split('&') {
        let entity = piece.strip_prefix("amp;").filter(|rest| begins_pair(rest));
        at += piece.len() - entity.unwrap_or(piece).len();
        let piece = entity.unwrap_or(piece);
        let pair = piece.split_once('=').map(|(name, value)| (unwrapped(name), value));
        match (pair, pairs.last_mut()) {
            (Some((name, value)), _) if is_name(&name) => {
                if piece.trim_start().lines().next().is_some_and(|line| !line.contains('=')) {
                    report
                        .note(code.page_offset(at), format!("`{name}` continues on the next line"));
                }
                let value_at = at + piece.len() - value.len();
                pairs.push(Pair { at, name, value_at, value: value.to_owned() });
            }
            (_, Some(last)) => {
                last.value.push('&');
                last.value.push_str(piece);
            }
            _ => {}
        }
        at += piece.len() + 1;
    }
    let last = pairs.len().saturating_sub(1);
    let pairs = pairs.into_iter().enumerate();
    pairs.flat_map(|(index, pair)| pair.lines(code, index == last, report)).collect()
}

fn begins_pair(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| is_name(&unwrapped(name)))
}

/// Returns the end of the URL that has its query at `start`: its closing quote, or the end of the
/// text.
fn end_of_url(text: &str, start: usize) -> usize {
    let before = text[..start].rfind("http").map(|at| &text[..at]);
    let quote = before.and_then(|before| before.chars().next_back());
    let quote = quote.filter(|c| matches!(c, '"' | '\'' | '`' | '<'));
    let quote = quote.map(|c| if c == '<' { '>' } else { c });
    let length = quote.and_then(|quote| text[start..].find(quote));
    length.map_or(text.len(), |length| start + length)
}

/// Joins the lines of a wrapped name.
fn unwrapped(name: &str) -> String {
    name.lines().map(|line| line.trim().trim_end_matches('\\')).collect()
}

impl Pair {
    /// Splits a value at its line ends. A line may continue the value, where the URL was wrapped; it
    /// may be a pair without its `&`; or it is not part of the URL.
    fn lines(mut self, code: &Code, is_last: bool, report: &mut Report) -> Vec<Self> {
        /// No line of one short pair is wrapped.
        const WRAPPED: usize = 60;
        let text = std::mem::take(&mut self.value);
        if text.trim_start().starts_with(['{', '[']) {
            text.trim().clone_into(&mut self.value);
            return vec![self];
        }
        let mut found = vec![self];
        let mut next_at = found[0].value_at;
        let mut is_cut = false;
        for (index, line) in text.split('\n').enumerate() {
            let (is_first, at) = (index == 0, next_at);
            next_at += line.len() + 1;
            let line = line.trim().trim_end_matches('\\').trim_end();
            if line.is_empty() {
                // A paragraph after the URL.
                is_cut |= !is_first && is_last;
                continue;
            }
            let Some(pair) = found.last_mut() else { break };
            if is_first {
                let value = line.split(" HTTP/1.").next().unwrap_or(line);
                value.trim_end().clone_into(&mut pair.value);
                continue;
            }
            let (place, name) = (code.page_offset(at), pair.name.clone());
            let next = line.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
            let next =
                next.filter(|(name, value)| is_name(name) && !value.trim_matches('=').is_empty());
            let is_part = line.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || b"-._~%+=:/,@!$'()*;?[]".contains(&byte)
            });
            let is_long = code.text[..at]
                .lines()
                .next_back()
                .is_some_and(|line| line.len() >= WRAPPED || line.matches('=').count() > 1);
            match next {
                Some((name, value)) if !is_cut => {
                    let message =
                        format!("`{name}` begins a line without `&`: read as a parameter");
                    report.note(place, message);
                    let (name, value) = (name.to_owned(), value.to_owned());
                    found.push(Self { at, name, value_at: at, value });
                }
                None if !is_cut && is_part && (is_long || !is_last) => {
                    pair.value.push_str(line);
                    report.note(place, format!("the value of `{name}` continues on this line"));
                }
                _ => {
                    is_cut = true;
                    let message = format!("this is not part of the value of `{name}`: ignored");
                    report.note(place, message);
                }
            }
        }
        found
    }
}

/// Reads JSON. Invalid JSON is noted and ignored.
fn json(code: &Code, start: usize, end: usize, example: &str, report: &mut Report) -> Option<Node> {
    let mut node = match json::parse(&code.text[start..end]) {
        Ok(node) => node,
        Err(error) => {
            let message = format!("the example {example} is ignored: {}", error.message);
            report.note(code.page_offset(start + error.at), message);
            return None;
        }
    };
    relocate(&mut node, &|at| code.page_offset(start + at));
    Some(node)
}

/// Converts offsets in the block of code to offsets in the page.
fn relocate(node: &mut Node, page_offset: &impl Fn(usize) -> usize) {
    (node.at, node.end) = (page_offset(node.at), page_offset(node.end));
    match &mut node.value {
        Value::Array(elements) => elements.iter_mut().for_each(|node| relocate(node, page_offset)),
        Value::Object(members) => {
            for member in members {
                member.at = page_offset(member.at);
                relocate(&mut member.value, page_offset);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_may_have_line_breaks_and_spaces_between_its_pairs() {
        let page = "https://api.example.com/disk/?Action=List\n&amp;Size=1   \n&Kind = Data\n&Name=-&nbspKEY-&B=\n&Size=2";
        let mut code = Code::default();
        code.push(100, page);
        let arguments = request(&code, &mut Report::default()).unwrap();
        let pairs: Vec<(&str, &ArgumentValue)> =
            arguments.iter().map(|argument| (argument.name.as_str(), &argument.value)).collect();
        let text = |text: &str| ArgumentValue::Text(text.to_owned());
        assert_eq!(
            pairs,
            [
                ("Action", &text("List")),
                ("Size", &text("1")),
                ("Kind", &text("Data")),
                ("Name", &text("-&nbspKEY-")),
                ("B", &text("")),
                ("Size", &text("2")),
            ]
        );
        assert_eq!(arguments[1].at, 100 + page.find("Size").unwrap());
    }

    #[test]
    fn a_wrapped_query_is_read_whole_or_reported() {
        let long = "https://api.example.com/?Action=ListJars&ProjectId=org-1&JarName=ab";
        for (text, expected, note) in [
            // A value, a name and a pair on the next line.
            (
                format!("{long}\ncd&Limit=5"),
                "Action=ListJars ProjectId=org-1 JarName=abcd Limit=5",
                "continues on this line",
            ),
            (
                format!("{long}\n  cd"),
                "Action=ListJars ProjectId=org-1 JarName=abcd",
                "continues on this line",
            ),
            (
                format!("{long}&Li\nmit=5"),
                "Action=ListJars ProjectId=org-1 JarName=ab Limit=5",
                "`Limit` continues on the next line",
            ),
            (
                format!("{long}\nLimit=5"),
                "Action=ListJars ProjectId=org-1 JarName=ab Limit=5",
                "`Limit` begins a line without `&`: read as a parameter",
            ),
            (
                format!("{long}\nZg==&Limit=5"),
                "Action=ListJars ProjectId=org-1 JarName=abZg== Limit=5",
                "continues on this line",
            ),
            (
                "https://a.b/?A=1\n&B=xy\nz\n&C=3".to_owned(),
                "A=1 B=xyz C=3",
                "continues on this line",
            ),
            // Not part of the URL.
            ("https://a.b/?A=1\n&B=2\nNote".to_owned(), "A=1 B=2", "not part of the value of `B`"),
            (
                format!("{long}\n\nThe response:"),
                "Action=ListJars ProjectId=org-1 JarName=ab",
                "not part of the value of `JarName`",
            ),
            (
                format!("{long}\n注意：编码"),
                "Action=ListJars ProjectId=org-1 JarName=ab",
                "not part of the value of `JarName`",
            ),
            ("GET /?A=1&B=2 HTTP/1.1\nHost: a.b".to_owned(), "A=1 B=2", "not part of"),
            ("curl 'https://a.b/?A=1&B=2' -H 'C: d&E=5'".to_owned(), "A=1 B=2", ""),
            ("curl \"https://a.b/?A=1\\\n&B=2\"".to_owned(), "A=1 B=2", ""),
        ] {
            let mut code = Code::default();
            code.push(0, &text);
            let mut report = Report::default();
            let arguments = request(&code, &mut report).unwrap();
            let pairs: Vec<String> = arguments
                .iter()
                .map(|argument| match &argument.value {
                    ArgumentValue::Text(value) => format!("{}={value}", argument.name),
                    ArgumentValue::Json(_) => panic!("a query is text"),
                })
                .collect();
            assert_eq!(pairs.join(" "), expected, "{text}");
            let notes = report.finish("page", &text);
            let notes: Vec<&str> = notes.iter().map(|note| note.message.as_str()).collect();
            assert_eq!(notes.len(), usize::from(!note.is_empty()), "{text}: {notes:?}");
            assert!(notes.iter().all(|it| it.contains(note)), "{text}: {notes:?}");
        }
    }

    #[test]
    fn a_query_may_hold_json_and_a_command_that_sends_json_may_have_a_url() {
        for (text, expected) in [
            ("https://api.example.com/?Action=Put&Rule={\"A\": 1}", ["Action", "Rule"]),
            (
                "curl 'https://api.example.com/?' --data '{\"Action\": \"Put\", \"B\": 1}'",
                ["Action", "B"],
            ),
        ] {
            let mut code = Code::default();
            code.push(0, text);
            let arguments = request(&code, &mut Report::default()).unwrap();
            let names: Vec<&str> =
                arguments.iter().map(|argument| argument.name.as_str()).collect();
            assert_eq!(names, expected, "{text}");
        }
    }

    #[test]
    fn invalid_json_is_noted_with_its_place() {
        let mut code = Code::default();
        code.push(0, "curl --data '{\n  \"Action\": \"List\",\n}'");
        let mut report = Report::default();
        assert_eq!(request(&code, &mut report), None);
        assert!(!report.has_errors());
        assert_eq!(
            report.finish("page", &code.text)[0].to_string(),
            "page:3:1: note: the example request is ignored: invalid JSON: trailing comma"
        );
    }
}
