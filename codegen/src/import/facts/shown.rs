//! The request and the response that a page shows.

use crate::{import::facts::form::Code, import::findings::Findings};
use crate::{
    spec::diagnostic::Report,
    spec::json::{self, Member, Node, Value},
};

/// A parameter of the request shown, once for each time it is there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Argument {
    pub(crate) at: usize,
    /// As shown: `Disks.0.Type`.
    pub(crate) name: String,
    pub(crate) value: Given,
}

/// An argument's value: in a query everything is text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    Text(String),
    Json(Node),
}

/// The response shown: an object.
pub(crate) fn response(code: &Code, findings: &mut Findings) -> Option<Node> {
    if code.is_cut {
        findings.error(
            code.place(0),
            "the page ends before its response example does",
        );
        return None;
    }
    let start = code.text.find('{');
    let Some(start) = start else {
        findings.note(code.place(0), "the response shown is no object: left out");
        return None;
    };
    object(
        code,
        start..code.text.trim_end().len(),
        "response",
        findings,
    )
}

/// The request shown: a URL with a query, or a command that sends JSON.
pub(crate) fn request(code: &Code, findings: &mut Findings) -> Option<Vec<Argument>> {
    if code.is_cut {
        findings.error(
            code.place(0),
            "the page ends before its request example does",
        );
        return None;
    }
    let object_at = code.text.find('{');
    let query_at = code.text.find('?').filter(|query_at| {
        // A query may hold JSON, and a command that sends JSON an address.
        let before_object = &code.text[..object_at.unwrap_or(code.text.len())];
        object_at.is_none()
            || before_object
                .get(*query_at..)
                .is_some_and(|query| query.contains('='))
    });
    if let (Some(start), None) = (object_at, query_at) {
        let end = code.text.rfind('}').map_or(start, |end| end + 1).max(start);
        let Value::Object(members) = object(code, start..end, "request", findings)?.value else {
            return None;
        };
        let argument = |member: Member| Argument {
            at: member.at,
            name: member.key,
            value: Given::Json(member.value),
        };
        return Some(members.into_iter().map(argument).collect());
    }
    let Some(start) = query_at else {
        findings.note(
            code.place(0),
            "the request shown is neither a URL nor JSON: left out",
        );
        return None;
    };
    let pairs = query(&code.text, start + 1).into_iter();
    let argument = |(at, name, value)| Argument {
        at: code.place(at),
        name,
        value: Given::Text(value),
    };
    Some(pairs.map(argument).collect())
}

/// The pairs of a query. Lines and spaces between them are the page's, and an `&` that no name and `=`
/// follow is part of a value.
fn query(text: &str, start: usize) -> Vec<(usize, String, String)> {
    let mut pairs: Vec<(usize, String, String)> = Vec::new();
    let mut at = start;
    for piece in text[start..].split('&') {
        match piece.split_once('=') {
            Some((name, value)) if crate::import::facts::run_together::is_name(name.trim()) => {
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

/// Reads JSON; what is none is said with its place, and left out.
fn object(
    code: &Code,
    range: std::ops::Range<usize>,
    what: &str,
    findings: &mut Findings,
) -> Option<Node> {
    let text = &code.text[range.clone()];
    let mut report = Report::new("", text);
    let Some(mut node) = json::parse(&mut report) else {
        for mistake in report.into_diagnostics() {
            let at = range.start + offset(text, mistake.line, mistake.column);
            let message = format!("the {what} shown is left out: {}", mistake.message);
            findings.note(code.place(at), message);
        }
        return None;
    };
    relocate(&mut node, &|at| code.place(range.start + at));
    Some(node)
}

/// The offset of a line and column, of which serde_json counts the latter in bytes.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    (before + column - 1).min(text.len())
}

/// From places in the block of code to places in the page.
fn relocate(node: &mut Node, place: &impl Fn(usize) -> usize) {
    (node.at, node.end) = (place(node.at), place(node.end));
    match &mut node.value {
        Value::Array(elements) => elements.iter_mut().for_each(|node| relocate(node, place)),
        Value::Object(members) => {
            for member in members {
                member.at = place(member.at);
                relocate(&mut member.value, place);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_with_the_lines_and_spaces_that_pages_have() {
        let page = "https://api.example.com/disk/?Action=List\n&Size=1   \n&Kind = Data\n&Name=-&nbspKEY-&B=\n&Size=2";
        let mut code = Code::default();
        code.push(100, page);
        let arguments = request(&code, &mut Findings::default()).unwrap();
        let said: Vec<(&str, &Given)> = arguments
            .iter()
            .map(|argument| (argument.name.as_str(), &argument.value))
            .collect();
        let text = |text: &str| Given::Text(text.to_owned());
        assert_eq!(
            said,
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
    fn a_query_that_holds_json_is_a_query_and_a_command_with_an_address_is_none() {
        for (text, expected) in [
            (
                "https://api.example.com/?Action=Put&Rule={\"A\": 1}",
                ["Action", "Rule"],
            ),
            (
                "curl 'https://api.example.com/?' --data '{\"Action\": \"Put\", \"B\": 1}'",
                ["Action", "B"],
            ),
        ] {
            let mut code = Code::default();
            code.push(0, text);
            let arguments = request(&code, &mut Findings::default()).unwrap();
            let names: Vec<&str> = arguments
                .iter()
                .map(|argument| argument.name.as_str())
                .collect();
            assert_eq!(names, expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_left_out_and_said_at_its_place() {
        let mut code = Code::default();
        code.push(0, "curl --data '{\n  \"Action\": \"List\",\n}'");
        let mut findings = Findings::default();
        assert_eq!(request(&code, &mut findings), None);
        assert!(findings.is_clean());
        let places = crate::import::findings::Places::new("page", &code.text);
        assert_eq!(
            findings.finish(&places).1[0].to_string(),
            "page:3:1: the request shown is left out: this is not JSON: trailing comma"
        );
    }
}
