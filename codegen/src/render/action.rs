//! The module of one action.

use super::{file, request, response, service};
use crate::model::{Action, Idempotency, Pagination, Service};

pub(super) fn action(action: &Action, service: &Service) -> String {
    let Action {
        wire,
        request: name,
        ..
    } = action;
    let mut out = file(&format!("actions/{}", action.file));
    out.module_doc(&documentation(action, service));
    out.blank();
    out.line("use serde::{Deserialize, Serialize};");
    out.blank();
    out.open("use crate::{");
    for path in [
        "action::{Action, Idempotency}",
        "call::Call",
        "client::Client",
        "wire::{decode::model, parameters::Parameters}",
    ] {
        out.line(format_args!("{path},"));
    }
    out.close("};");
    out.blank();

    request::request(&mut out, action);
    response::enums(&mut out, action);

    out.blank();
    out.open(format_args!("impl Action for {name} {{"));
    out.line(format_args!("const NAME: &'static str = {wire:?};"));
    out.line(format_args!(
        "const IDEMPOTENCY: Idempotency = Idempotency::{};",
        idempotency(action.idempotency)
    ));
    out.line(format_args!("type Response = {};", action.response.rust));
    out.blank();
    request::add_parameters(&mut out, "add_parameters", &action.parameters);
    out.close("}");
    out.blank();
    out.line(format_args!("impl crate::action::Sealed for {name} {{}}"));
    if let Some(pagination) = &action.pagination {
        out.blank();
        paged(&mut out, action, pagination);
    }

    out.blank();
    request::client_methods(&mut out, action, service);
    out.blank();
    request::call_setters(&mut out, action);

    response::structs(&mut out, action);
    example_tests(&mut out, action);
    out.finish()
}

/// How the action pages, for the core to walk its pages.
fn paged(out: &mut super::Source, action: &Action, pagination: &Pagination) {
    let Pagination {
        offset,
        limit,
        total,
        items,
        item,
        key,
    } = pagination;
    let response = &action.response.rust;
    out.open(format_args!(
        "impl crate::call::pages::Paged for {} {{",
        action.request
    ));
    out.line(format_args!("type Item = {item};"));
    out.blank();
    out.open("fn place(&self) -> (Option<i64>, Option<i64>) {");
    out.line(format_args!("(self.{offset}, self.{limit})"));
    out.close("}");
    out.blank();
    out.open("fn set_place(&mut self, offset: i64, limit: i64) {");
    out.line(format_args!("self.{offset} = Some(offset);"));
    out.line(format_args!("self.{limit} = Some(limit);"));
    out.close("}");
    out.blank();
    let reference = |kind: &str, name: &str, ty: &str| [format!("{name}: &{kind}{ty}")];
    out.signature(
        "fn total",
        &reference("", "response", response),
        " -> i64 {",
    );
    out.line(format_args!("response.{total}"));
    out.close("}");
    out.blank();
    let tail = format!(" -> &mut Vec<{item}> {{");
    out.signature("fn items", &reference("mut ", "response", response), &tail);
    out.line(format_args!("&mut response.{items}"));
    out.close("}");
    out.blank();
    out.signature("fn key", &reference("", "item", item), " -> &str {");
    out.line(format_args!("&item.{key}"));
    out.close("}");
    out.close("}");
}

fn idempotency(idempotency: Idempotency) -> &'static str {
    match idempotency {
        Idempotency::Safe => "Safe",
        Idempotency::Idempotent => "Idempotent",
        Idempotency::NonIdempotent => "NonIdempotent",
    }
}

fn documentation(action: &Action, service: &Service) -> String {
    let mut text = format!("`{}`: {}\n\n", action.wire, action.summary);
    if let Some(details) = &action.details {
        text.push_str(details);
        text.push_str("\n\n");
    }
    text.push_str(match action.idempotency {
        Idempotency::Safe => "The action reads: it may be sent again at any time.",
        Idempotency::Idempotent => "Sending the action again changes nothing more.",
        Idempotency::NonIdempotent => {
            "Sending the action again may do it twice: after an error whose outcome is unknown, look before you repeat it."
        }
    });
    if let Some(Pagination {
        offset,
        limit,
        total,
        items,
        ..
    }) = &action.pagination
    {
        text.push_str(&format!(
            "\n\nThe answer comes in pages: `{offset}` says where one begins and `{limit}` how long it may be; \
             `{total}` counts what `{items}` has on all pages together. [`Call::items`] and [`Call::pages`] walk \
             them all."
        ));
    }
    let defaults: Vec<String> = action
        .parameters
        .iter()
        .filter(|parameter| !parameter.is_explicit)
        .filter_map(|parameter| {
            Some(format!(
                "`{}` is `{}`",
                parameter.rust,
                parameter.default.as_ref()?
            ))
        })
        .collect();
    if !defaults.is_empty() {
        text.push_str(&format!(
            "\n\nWhere the request leaves it open, {}.",
            defaults.join(", ")
        ));
    }
    let codes: Vec<String> = service
        .return_codes
        .iter()
        .map(|code| format!("[{}](crate::RetCode::{})", code.code, code.rust))
        .collect();
    if !codes.is_empty() {
        text.push_str(&format!(
            "\n\nReturn codes, beside the action's own: {}.",
            codes.join(", ")
        ));
    }
    text
}

/// The documentation's example has to be what the code sends and understands.
fn example_tests(out: &mut super::Source, action: &Action) {
    let example = &action.example;
    if example.arguments.is_none() && example.response.is_none() {
        return;
    }
    let constant = format!("&examples::{}", service::constant(&action.rust));
    out.blank();
    out.line("#[cfg(test)]");
    out.open("mod tests {");
    out.line("use super::*;");
    out.line("use crate::{actions::examples, testing};");
    if let Some(arguments) = &example.arguments {
        out.blank();
        out.line("#[test]");
        out.open("fn the_documented_request_is_sent() {");
        request::construct_example(out, action, arguments);
        let values = ["&request".to_owned(), constant.clone()];
        out.call("testing::sends", &values, ";");
        out.close("}");
    }
    if example.response.is_some() {
        out.blank();
        out.line("#[test]");
        out.open("fn the_documented_response_is_understood() {");
        let function = format!("testing::understands::<{}>", action.response.rust);
        out.call(&function, &[constant], ";");
        out.close("}");
    }
    out.close("}");
}
