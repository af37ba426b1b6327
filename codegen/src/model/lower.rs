//! From the spec as written to the [model](crate::model): every name resolved, every claim checked,
//! every order fixed. A mistake is reported at its place and the rest is read on, so that one run
//! shows them all.

use super::{example, fields, parameters};
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model,
    model::naming,
    spec,
    spec::diagnostic::{Report, suggest},
};

/// What every action has to keep clear of, from `service.json`.
#[derive(Debug, Default)]
pub(crate) struct Common {
    pub(crate) parameters: BTreeSet<String>,
    pub(crate) response: BTreeSet<String>,
    /// With their places in `service.json`.
    pub(crate) from_client: BTreeMap<String, usize>,
}

/// A service without its actions, and what they share.
pub(crate) fn service(spec: spec::Service, report: &mut Report<'_>) -> (model::Service, Common) {
    let names = |fields: &[spec::Field]| -> Vec<String> {
        fields
            .iter()
            .map(|field| field.name.value.clone())
            .collect()
    };
    let (common_parameters, common_response) = (names(&spec.parameters), names(&spec.response));
    let common = Common {
        parameters: common_parameters.iter().cloned().collect(),
        response: common_response.iter().cloned().collect(),
        from_client: spec
            .client_parameters
            .iter()
            .map(|name| (name.value.clone(), name.at))
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
        common_parameters,
        common_response,
        client_parameters: common.from_client.keys().cloned().collect(),
        return_codes: return_codes.into_values().collect(),
        actions: Vec::new(),
    };
    (service, common)
}

/// An action's file is named after it.
pub(crate) fn check_file(spec: &spec::Action, report: &mut Report<'_>) {
    let file = naming::file(&spec.action.value);
    if report.file.rsplit(['/', '\\']).next() != Some(file.as_str()) {
        report.error(
            spec.action.at,
            format!(
                "the action `{}` belongs in a file named `{file}`",
                spec.action.value
            ),
        );
    }
}

/// One action, or the two calls that it is; what is wrong with it is in the report.
pub(crate) fn action(
    mut spec: spec::Action,
    common: &Common,
    report: &mut Report<'_>,
) -> Vec<model::Action> {
    let fields = [&mut spec.parameters, &mut spec.response];
    let of_models = spec.models.iter_mut().map(|model| &mut model.fields);
    for fields in fields.into_iter().chain(of_models) {
        drop_repetitions(fields);
    }
    let twins = spec
        .parameters
        .iter()
        .enumerate()
        .find_map(|(index, parameter)| Some((index, parameter.split_when_absent.as_ref()?)));
    let Some((index, split)) = twins else {
        return vec![call(&spec, &spec.action, None, common, report)];
    };
    let parameter = &spec.parameters[index];
    for second in spec
        .parameters
        .iter()
        .skip(index + 1)
        .filter_map(|other| other.split_when_absent.as_ref())
    {
        report.error(
            second.action.at,
            "only one parameter of an action can have `split_when_absent`",
        );
    }
    if parameter.required {
        report.error(split.action.at, "a required parameter is never left out");
    }
    if parameter.ty.value != spec::Type::String || parameter.name.value.contains('.') {
        report.error(
            parameter.name.at,
            "only a string can be what a call does another thing without",
        );
    }
    let variant = |name: &spec::At<String>, is_with| {
        let rust = naming::action(&name.value).unwrap_or_default();
        Some(model::Variant {
            parameter: parameter.name.value.clone(),
            rust,
            is_with,
        })
    };
    // The one cannot be made without the parameter, the other cannot have it.
    let mut with = spec.clone();
    with.parameters[index].required = true;
    let mut leaving_out = spec.clone();
    leaving_out.parameters.remove(index);
    leaving_out.summary = split.summary.clone();
    leaving_out.idempotency = split.idempotency;
    leaving_out.example = None;
    vec![
        call(
            &with,
            &spec.action,
            variant(&split.action, true),
            common,
            report,
        ),
        call(
            &leaving_out,
            &split.action,
            variant(&spec.action, false),
            common,
            report,
        ),
    ]
}

/// Some pages have a row twice: one that says nothing else the second time is taken once.
fn drop_repetitions(fields: &mut Vec<spec::Field>) {
    let mut seen: BTreeMap<String, (spec::Type, bool)> = BTreeMap::new();
    fields.retain(|field| {
        let says = (field.ty.value.clone(), field.required);
        match seen.get(&field.name.value) {
            Some(first) => *first != says || !field.is_plain(),
            None => {
                seen.insert(field.name.value.clone(), says);
                true
            }
        }
    });
}

/// One call of an action, under the action's name or one of its own.
fn call(
    spec: &spec::Action,
    name: &spec::At<String>,
    variant: Option<model::Variant>,
    common: &Common,
    report: &mut Report<'_>,
) -> model::Action {
    let mut named = |rust: Result<String, String>| {
        rust.unwrap_or_else(|message| {
            report.error(name.at, message);
            String::new()
        })
    };
    let wire = &spec.action.value;
    let (rust, prefix) = (
        named(naming::action(&name.value)),
        named(naming::ty(&name.value)),
    );
    let (request, response) = (format!("{prefix}Request"), format!("{prefix}Response"));
    let mut types = Types::new(&prefix, &request, &response);
    let models = fields::names(spec, &mut types, report);
    // What follows from a mistake in the form of the file is not said again.
    let is_well_formed = report.is_clean();
    let (parameters, groups) = parameters::lower(spec, &models, common, &mut types, report);
    let mut response = model::Struct {
        wire: format!("{wire}Response"),
        rust: response,
        fields: fields::lower(&spec.response, &models, &mut types, report),
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
    let lowered_models = fields::models(&spec.models, &models, &mut types, report);
    let pagination = spec
        .pagination
        .as_ref()
        .filter(|_| is_well_formed)
        .and_then(|pages| {
            pagination(
                pages,
                spec,
                &models,
                (&parameters, &response, &lowered_models),
                report,
            )
        });
    if let Some(pages) = &pagination {
        // The total counts the items, and no other list.
        for field in response
            .fields
            .iter_mut()
            .filter(|field| field.rust == pages.items)
        {
            if let model::Absent::Refused { counted_by } = &mut field.absent {
                *counted_by = Some(pages.total.clone());
            }
        }
    }
    model::Action {
        wire: wire.clone(),
        file: naming::file(wire),
        rust,
        request,
        summary: spec.summary.value.clone(),
        details: spec.details.as_ref().map(|details| details.value.clone()),
        idempotency: spec.idempotency,
        example: if is_well_formed {
            example::lower(spec, &parameters, &models, common, report)
        } else {
            model::Example::default()
        },
        parameters,
        groups,
        response,
        models: lowered_models,
        enums: types.enums,
        variant,
        pagination,
    }
}

/// The types in one action's module: each name may be there once.
#[derive(Debug)]
pub(crate) struct Types {
    /// What they begin with where they have no name of their own.
    pub(crate) prefix: String,
    pub(crate) names: BTreeMap<String, String>,
    pub(crate) enums: Vec<model::Enum>,
}

impl Types {
    fn new(prefix: &str, request: &str, response: &str) -> Self {
        let names = BTreeMap::from([
            (request.to_owned(), "the request".to_owned()),
            (response.to_owned(), "the response".to_owned()),
        ]);
        Self {
            prefix: prefix.to_owned(),
            names,
            enums: Vec::new(),
        }
    }

    /// The type of a string with documented values: `GetRepoType`. Where a request and its response
    /// have the same values of the same name, they have one type.
    pub(crate) fn enumerate(
        &mut self,
        owner: &str,
        wire: &str,
        field: &spec::Field,
        report: &mut Report<'_>,
    ) -> Option<String> {
        let choices = field.choices.as_ref()?;
        if *field.ty.value.innermost().0 != spec::Type::String {
            report.error(
                choices.at,
                "`enum` lists the values of a string, and this is none",
            );
        }
        if choices.value.is_empty() {
            report.error(choices.at, "`enum` lists no value");
        }
        let mut variants: Vec<(String, String)> = Vec::new();
        for value in &choices.value {
            match naming::variant(&value.value) {
                Ok(rust) if rust == "Other" || variants.iter().any(|(other, _)| *other == rust) => {
                    report.error(
                        value.at,
                        format!(
                            "`{}` would be the variant `{rust}`, which is there already",
                            value.value
                        ),
                    );
                }
                Ok(rust) => variants.push((rust, value.value.clone())),
                Err(message) => report.error(value.at, message),
            }
        }
        let name = format!("{owner}{}", naming::ty(wire).unwrap_or_default());
        let is_same = |other: &&model::Enum| {
            other.field == wire && other.variants == variants && other.rust.starts_with(&name)
        };
        if let Some(same) = self.enums.iter().find(is_same) {
            return Some(same.rust.clone());
        }
        let what = format!("the values of `{wire}`");
        let rust = self.claim(name, "Value", what, choices.at, report);
        self.enums.push(model::Enum {
            rust: rust.clone(),
            field: wire.to_owned(),
            variants,
        });
        Some(rust)
    }

    /// Takes a name for something: this one or, where that is taken, this one with its ending. Where
    /// both are taken, that is reported.
    pub(crate) fn claim(
        &mut self,
        mut rust: String,
        ending: &str,
        what: String,
        at: usize,
        report: &mut Report<'_>,
    ) -> String {
        if self.names.contains_key(&rust) {
            rust.push_str(ending);
        }
        if let Some(other) = self.names.get(&rust) {
            report.error(
                at,
                format!("{what} and {other} would both be the Rust type `{rust}`"),
            );
        } else {
            self.names.insert(rust.clone(), what);
        }
        rust
    }
}

/// The Rust names of some fields, each of which may be there once.
#[derive(Debug, Default)]
pub(crate) struct Names(pub(crate) BTreeMap<String, String>);

impl Names {
    /// The Rust name of a field: its own, or the one that the spec gives it.
    pub(crate) fn take(
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
    models: &fields::Models,
    lowered: (&[model::Parameter], &model::Struct, &[model::Struct]),
    report: &mut Report<'_>,
) -> Option<model::Pagination> {
    let (parameters, response, structs) = lowered;
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
        let field = &fields[index];
        let fits = match (&field.ty.value, expected) {
            (spec::Type::Int, "optional int") => !field.required,
            (spec::Type::Int, "required int") => field.required && !field.is_shown_absent(),
            (spec::Type::Array(element), "array of a model") => {
                matches!(**element, spec::Type::Model(_))
            }
            (spec::Type::String, "required string") => field.required && !field.is_shown_absent(),
            _ => false,
        } && !models.is_unreadable(field);
        if !fits {
            report.error(
                name.at,
                format!(
                    "`{}` cannot page: expected a {what}, {expected}",
                    name.value
                ),
            );
        }
        fits.then_some(index)
    };
    let offset = find(
        &pages.offset,
        &action.parameters,
        "parameter",
        "optional int",
    );
    let limit = find(
        &pages.limit,
        &action.parameters,
        "parameter",
        "optional int",
    );
    let total = find(
        &pages.total,
        &action.response,
        "response field",
        "required int",
    );
    let items = find(
        &pages.items,
        &action.response,
        "response field",
        "array of a model",
    );

    let item = items.and_then(|items| match &response.fields[items].ty {
        model::Type::List(element) => match &**element {
            model::Type::Model { rust, .. } => structs.iter().position(|model| model.rust == *rust),
            _ => None,
        },
        _ => None,
    });
    let key = item.and_then(|item| {
        let model = action
            .models
            .iter()
            .find(|model| model.name.value == structs[item].wire)?;
        find(
            &pages.key,
            &model.fields,
            "field of the items",
            "required string",
        )
    });
    let parameter = |index: usize| {
        let wire = &action.parameters[index].name.value;
        parameters
            .iter()
            .find(|parameter| parameter.wire == *wire)
            .map(|parameter| parameter.rust.clone())
    };
    Some(model::Pagination {
        offset: parameter(offset?)?,
        limit: parameter(limit?)?,
        total: response.fields[total?].rust.clone(),
        items: response.fields[items?].rust.clone(),
        item: structs[item?].rust.clone(),
        key: structs[item?].fields[key?].rust.clone(),
    })
}
