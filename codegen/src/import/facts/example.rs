//! Reads the examples of a page: a request and a response.

use crate::import::{
    facts::{Argument, ArgumentValue, is_name},
    read::block::Code,
};
use crate::spec::{
    diagnostic::Report,
    json::{self, Node, Value},
};

pub(crate) fn response(code: &Code, report: &mut Report) -> Option<Node> {
    let Some(start) = code.text.find('{') else {
        let message = "the example response is not an object: ignored";
        report.note(code.page_offset(0), message);
        return None;
    };
    json(code, start, code.text.trim_end().len(), "response", report)
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
            let pairs = query(&code.text, start + 1).into_iter();
            let argument = |(at, name, value)| Argument {
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

/// Returns the offset, name and value of each pair of a query. Pages put lines and spaces between
/// the pairs. An `&` without a name and `=` after it is part of a value.
fn query(text: &str, start: usize) -> Vec<(usize, String, String)> {
    let mut pairs: Vec<(usize, String, String)> = Vec::new();
    let mut at = start;
    for piece in text[start..].split('&') {
        match piece.split_once('=') {
            Some((name, value)) if is_name(name.trim()) => {
                pairs.push((at, name.trim().to_owned(), value.to_owned()));
            }
            _ => {
                if let Some((_, _, value)) = pairs.last_mut() {
                    value.push('&');
                    value.push_str(piece);
                }
            }
        }
        at += piece.len() + 1;
    }
    for (_, _, value) in &mut pairs {
        *value = value.trim().to_owned();
    }
    pairs
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
        let page = "https://api.example.com/disk/?Action=List\n&Size=1   \n&Kind = Data\n&Name=-&nbspKEY-&B=\n&Size=2";
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
