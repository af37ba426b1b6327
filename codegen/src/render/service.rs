//! What the actions share: their index, the service's facts, the documentation's examples.

use super::{file, module};
use crate::model::{Action, Outcome, Service};

/// `mod.rs`.
pub(super) fn index(service: &Service) -> String {
    let mut out = file("service.json");
    out.module_doc(&format!(
        "The actions of {}, one module each: its request, its response and the models in it.",
        service.name
    ));
    out.blank();
    let mut modules: Vec<(&str, String)> = service
        .actions
        .iter()
        .map(|action| (action.rust.as_str(), format!("pub mod {};", action.rust)))
        .collect();
    modules.push(("service", "pub(crate) mod service;".to_owned()));
    modules.sort_by_key(|(name, _)| module(name));
    // rustfmt sorts what stands together; what has an attribute stands first, and alone.
    out.line("#[cfg(feature = \"local\")]");
    out.line("pub(crate) mod documentation;");
    out.line("#[cfg(any(test, feature = \"local\"))]");
    out.line("pub(crate) mod examples;");
    out.blank();
    for (_, line) in modules {
        out.line(line);
    }
    out.finish()
}

/// `service.rs`.
pub(super) fn service(service: &Service) -> String {
    let mut out = file("service.json");
    out.module_doc(&format!(
        "What is known of {} as a whole: its endpoint and its return codes.",
        service.name
    ));
    out.blank();
    out.line("use crate::ret_code::{Meaning, Outcome, RetCode};");
    out.blank();
    out.doc(&service.summary);
    out.line(format_args!(
        "pub(crate) const ENDPOINT: &str = {:?};",
        service.endpoint
    ));
    out.blank();
    out.open("impl RetCode {");
    for (index, code) in service.return_codes.iter().enumerate() {
        if index > 0 {
            out.blank();
        }
        out.doc(&format!(
            "{}: {}\n\n{}",
            code.code, code.meaning, code.remedy
        ));
        out.line(format_args!(
            "pub const {}: Self = Self::new({});",
            code.rust, code.code
        ));
    }
    out.close("}");
    out.blank();
    out.doc("Every documented return code, in the order of their numbers.");
    out.open("pub(crate) const MEANINGS: &[Meaning] = &[");
    for code in &service.return_codes {
        let outcome = match code.outcome {
            Outcome::Rejected => "Rejected",
            Outcome::Throttled => "Throttled",
            Outcome::Unknown => "Unknown",
        };
        out.open("Meaning {");
        out.line(format_args!("code: RetCode::{},", code.rust));
        // rustfmt leaves a long string whole.
        out.line(format_args!("meaning: {:?},", code.meaning));
        out.line(format_args!("remedy: {:?},", code.remedy));
        out.line(format_args!("outcome: Outcome::{outcome},"));
        out.close("},");
    }
    out.close("];");
    out.finish()
}

/// `examples.rs`.
pub(super) fn examples(service: &Service) -> String {
    let mut out = file("actions/*.json");
    out.module_doc("The documentation's own examples, as its pages show them.");
    out.blank();
    out.doc("A request and the response to it, as JSON; empty where the page shows none.");
    out.line("#[derive(Debug)]");
    out.open("pub(crate) struct Example {");
    out.doc("The parameters; one that the page repeats has a list of values.");
    out.line("#[cfg_attr(not(test), allow(dead_code))]");
    out.line("pub(crate) request: &'static str,");
    out.doc("The body.");
    out.line("#[cfg_attr(not(test), allow(dead_code))]");
    out.line("pub(crate) response: &'static str,");
    out.close("}");
    // One that no test can show is in nobody's use.
    let has_example =
        |action: &&Action| action.example.arguments.is_some() || action.example.response.is_some();
    for action in service.actions.iter().filter(has_example) {
        out.blank();
        out.doc(&format!("The example of `{}`.", action.wire));
        out.line("#[cfg_attr(not(test), allow(dead_code))]");
        out.open(format_args!(
            "pub(crate) const {}: Example = Example {{",
            constant(&action.rust)
        ));
        for (name, json) in [
            ("request", &action.example.request),
            ("response", &action.example.response),
        ] {
            match json {
                Some(json) => out.raw_string(name, json),
                None => out.line(format_args!("{name}: \"\",")),
            }
        }
        out.close("};");
    }
    out.finish()
}

/// The constant that holds an action's example.
pub(super) fn constant(rust: &str) -> String {
    module(rust).to_ascii_uppercase()
}
