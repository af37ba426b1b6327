//! The module of one action.

use super::{file, module, request, response, service};
use crate::model::{Action, Pagination, Repeat, Service};

pub(super) fn action(action: &Action, service: &Service) -> String {
    let Action {
        wire,
        rust,
        request: name,
        ..
    } = action;
    let mut out = file(&format!("actions/{}.json", module(rust)));
    out.module_doc(&documentation(action));
    out.blank();
    out.line("use serde::{Deserialize, Serialize};");
    out.blank();
    out.line("use crate::{Action, Call, Client, Parameters, Repeat, decode::model};");
    out.blank();

    request::request(&mut out, action);

    out.blank();
    out.open(format_args!("impl Action for {name} {{"));
    out.line(format_args!("const NAME: &'static str = {wire:?};"));
    out.line(format_args!(
        "const REPEAT: Repeat = Repeat::{};",
        repeat(action.repeat)
    ));
    out.line(format_args!("type Response = {};", action.response.rust));
    out.blank();
    request::add_parameters(&mut out, "add_parameters", &action.parameters);
    out.close("}");
    out.blank();
    out.line(format_args!("impl crate::action::Sealed for {name} {{}}"));

    out.blank();
    out.open("impl Client {");
    request::client_method(&mut out, action, &service.name);
    out.close("}");
    out.blank();
    request::call_setters(&mut out, action);

    response::structs(&mut out, action);

    if action.example.request.is_some() || action.example.response.is_some() {
        example_tests(&mut out, action);
    }
    out.finish()
}

fn repeat(repeat: Repeat) -> &'static str {
    match repeat {
        Repeat::Safe => "Safe",
        Repeat::Idempotent => "Idempotent",
        Repeat::Never => "Never",
    }
}

fn documentation(action: &Action) -> String {
    let mut text = format!("`{}`: {}\n\n", action.wire, action.summary);
    text.push_str(match action.repeat {
        Repeat::Safe => "The action reads: it may be sent again at any time.",
        Repeat::Idempotent => "Sending the action again changes nothing more.",
        Repeat::Never => {
            "Sending the action again may do it twice: after an error whose outcome is unknown, look before you repeat it."
        }
    });
    if let Some(Pagination {
        offset,
        limit,
        total,
        items,
    }) = &action.pagination
    {
        text.push_str(&format!(
            "\n\nThe answer comes in pages: `{offset}` says where one begins and `{limit}` how long it may be; \
             `{total}` counts what `{items}` has on all pages together."
        ));
    }
    text
}

/// The documentation's example has to be what the code sends and understands.
fn example_tests(out: &mut super::Source, action: &Action) {
    let example = format!("&examples::{}", service::constant(&action.rust));
    out.blank();
    out.line("#[cfg(test)]");
    out.open("mod tests {");
    out.line("use super::*;");
    out.line("use crate::{actions::examples, testing};");
    let is_complete = request::is_said_by(action);
    if action.example.request.is_some() && is_complete {
        out.blank();
        out.line("#[test]");
        out.open("fn the_documented_request_is_sent() {");
        request::construct_example(out, action);
        out.line(format_args!("testing::sends(&request, {example});"));
        out.close("}");
    }
    if action.example.response.is_some() {
        out.blank();
        out.line("#[test]");
        out.open("fn the_documented_response_is_understood() {");
        out.line(format_args!(
            "testing::understands::<{}>({example});",
            action.response.rust
        ));
        out.close("}");
    }
    out.close("}");
}
