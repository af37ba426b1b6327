//! From the spec as written to the [model](crate::model): every name resolved, every claim checked,
//! every order fixed. A mistake is reported at its place and the rest is read on, so that one run
//! shows them all.

mod example;
mod fields;
mod parameters;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    diagnostic::{Report, suggest},
    model, naming, spec,
};

/// What every action has to keep clear of, from `service.json`.
#[derive(Debug)]
pub(crate) struct Common {
    parameters: BTreeSet<String>,
    response: BTreeSet<String>,
    from_client: BTreeSet<String>,
}

/// A service without its actions, and what they share.
pub(crate) fn service(spec: spec::Service, report: &mut Report<'_>) -> (model::Service, Common) {
    let names = |fields: &[spec::Field]| {
        fields
            .iter()
            .map(|field| field.name.value.clone())
            .collect()
    };
    let common = Common {
        parameters: names(&spec.parameters),
        response: names(&spec.response),
        from_client: spec
            .client_parameters
            .iter()
            .map(|name| name.value.clone())
            .collect(),
    };
    let endpoint = &spec.endpoint.value;
    if !endpoint.starts_with("https://") || !endpoint.ends_with('/') {
        report.error(
            spec.endpoint.at,
            format!("`{endpoint}` is no endpoint: expected `https://…/`"),
        );
    }
    let mut return_codes = BTreeMap::new();
    let mut names = BTreeSet::new();
    for code in spec.return_codes {
        let rust = naming::constant(&code.name.value).unwrap_or_else(|message| {
            report.error(code.name.at, message);
            String::new()
        });
        if code.code.value == 0 {
            report.error(code.code.at, "0 is success, and no error's code");
        }
        if !names.insert(code.name.value.clone()) {
            report.error(
                code.name.at,
                format!("a return code is named `{}` already", code.name.value),
            );
        }
        let lowered = model::ReturnCode {
            code: code.code.value,
            rust,
            meaning: code.meaning.value,
            remedy: code.remedy.value,
            outcome: code.outcome,
        };
        if return_codes.insert(lowered.code, lowered).is_some() {
            report.error(
                code.code.at,
                format!("the return code {} stands here already", code.code.value),
            );
        }
    }
    let service = model::Service {
        name: spec.service.value,
        summary: spec.summary.value,
        endpoint: spec.endpoint.value,
        return_codes: return_codes.into_values().collect(),
        actions: Vec::new(),
    };
    (service, common)
}

/// One action; what is wrong with it is in the report.
pub(crate) fn action(
    spec: &spec::Action,
    common: &Common,
    report: &mut Report<'_>,
) -> model::Action {
    let mut named = |name: Result<String, String>| {
        name.unwrap_or_else(|message| {
            report.error(spec.action.at, message);
            String::new()
        })
    };
    let wire = &spec.action.value;
    let (rust, prefix) = (named(naming::action(wire)), named(naming::ty(wire)));
    let file = naming::file(wire);
    if report.file.rsplit(['/', '\\']).next() != Some(file.as_str()) {
        report.error(
            spec.action.at,
            format!("the action `{wire}` belongs in a file named `{file}`"),
        );
    }

    let (request, response) = (format!("{prefix}Request"), format!("{prefix}Response"));
    let mut types = Types::new(&request, &response);
    let models = fields::names(&spec.models, &mut types, report);
    let parameters = parameters::lower(&spec.parameters, common, &mut types, report);
    let mut response = model::Struct {
        wire: format!("{wire}Response"),
        rust: response,
        fields: fields::lower(&spec.response, &models, report),
    };
    for field in &spec.response {
        if common.response.contains(&field.name.value) {
            report.error(
                field.name.at,
                format!(
                    "every response has `{}`: it stands in service.json alone",
                    field.name.value
                ),
            );
        }
    }
    let pagination = spec
        .pagination
        .as_ref()
        .and_then(|pages| pagination(pages, spec, &response, report));
    if let Some(pages) = &pagination {
        for field in &mut response.fields {
            if let model::Absent::Refused { counted_by } = &mut field.absent {
                *counted_by = Some(pages.total.clone());
            }
        }
    }
    model::Action {
        wire: wire.clone(),
        rust,
        request,
        summary: spec.summary.value.clone(),
        repeat: spec.repeat,
        example: example::lower(spec, &parameters, common, report),
        parameters,
        response,
        models: fields::models(&spec.models, &models, report),
        pagination,
    }
}

/// The names of the types in one action's module, each of which may be there once.
#[derive(Debug)]
struct Types(BTreeMap<String, String>);

impl Types {
    fn new(request: &str, response: &str) -> Self {
        Self(BTreeMap::from([
            (request.to_owned(), "the request".to_owned()),
            (response.to_owned(), "the response".to_owned()),
        ]))
    }

    /// Takes a name for something, and reports where it is taken.
    fn take(&mut self, rust: &str, what: String, at: usize, report: &mut Report<'_>) {
        if let Some(other) = self.0.get(rust) {
            report.error(
                at,
                format!("{what} and {other} would both be the Rust type `{rust}`"),
            );
        } else {
            self.0.insert(rust.to_owned(), what);
        }
    }
}

/// The Rust names of some fields, each of which may be there once.
#[derive(Debug, Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    /// The Rust name of a field: its own, or the one that the spec gives it.
    fn take(
        &mut self,
        wire: &str,
        given: Option<&spec::At<String>>,
        at: usize,
        report: &mut Report<'_>,
    ) -> String {
        let (name, at) = match given {
            Some(given) => (naming::given_field(&given.value), given.at),
            None => (
                naming::field(wire)
                    .map_err(|message| format!("{message}; or give it a `rust_name` of its own")),
                at,
            ),
        };
        let rust = match name {
            Ok(rust) => rust,
            Err(message) => {
                report.error(at, message);
                return String::new();
            }
        };
        match self.0.get(&rust) {
            Some(other) if other == wire => report.error(at, format!("`{wire}` stands here twice")),
            Some(other) => report.error(
                at,
                format!("`{wire}` and `{other}` would both be `{rust}` in Rust: give one of them a `rust_name`"),
            ),
            None => {
                self.0.insert(rust.clone(), wire.to_owned());
            }
        }
        rust
    }
}

/// The fields that page an action: each must be there, and of a type that can.
fn pagination(
    pages: &spec::Pagination,
    action: &spec::Action,
    response: &model::Struct,
    report: &mut Report<'_>,
) -> Option<model::Pagination> {
    let mut find = |name: &spec::At<String>, fields: &[spec::Field], what: &str, expected: &str| {
        let Some(index) = fields
            .iter()
            .position(|field| field.name.value == name.value)
        else {
            let known = suggest(
                &name.value,
                fields.iter().map(|field| field.name.value.as_str()),
            );
            report.error(name.at, format!("no {what} `{}`{known}", name.value));
            return None;
        };
        let fits = match &fields[index].ty.value {
            spec::Type::Int => expected == "int",
            spec::Type::Array(_) => expected == "array[…]",
            _ => false,
        };
        if !fits {
            report.error(
                name.at,
                format!(
                    "`{}` cannot page: expected a {what} of type {expected}",
                    name.value
                ),
            );
        }
        fits.then_some(index)
    };
    let offset = find(&pages.offset, &action.parameters, "parameter", "int");
    let limit = find(&pages.limit, &action.parameters, "parameter", "int");
    let total = find(&pages.total, &action.response, "response field", "int");
    let items = find(&pages.items, &action.response, "response field", "array[…]");
    let parameter =
        |index: usize| naming::field(&action.parameters[index].name.value).unwrap_or_default();
    let field = |index: usize| response.fields[index].rust.clone();
    Some(model::Pagination {
        offset: parameter(offset?),
        limit: parameter(limit?),
        total: field(total?),
        items: field(items?),
    })
}
