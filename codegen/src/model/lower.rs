//! Lowers a spec to the [model](crate::model): names are resolved, claims checked and orders fixed.
//! A mistake is reported at its place and the rest is checked too, so that one run shows them all.

use std::collections::BTreeMap;

use crate::{
    model::{
        Absent, Action, ClientParameter, Service, Variant,
        context::Context,
        core_names::CORE,
        example::{self, Evidence},
        models::Models,
        names::TypeNames,
        naming, service,
    },
    spec::{
        self, At, Spec, SpecFile, Type,
        diagnostic::{Diagnostic, Report},
        reader,
    },
};

/// What a spec is lowered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To generate code: an action's file is named after it, and what an import leaves to a
    /// maintainer is done.
    Generation,
    /// To compare it with another one.
    Comparison,
}

impl Purpose {
    fn report(self) -> Report {
        let mut report = Report::default();
        report.is_draft = self == Self::Comparison;
        report
    }
}

/// The model of a spec, or every mistake in it.
pub(crate) fn lower(spec: &Spec, purpose: Purpose) -> Result<Service, Vec<Diagnostic>> {
    let mut report = purpose.report();
    let service = reader::service(&spec.service.text, &mut report);
    let service = service.map(|service| service::lower(service, &mut report)).unwrap_or_default();
    CORE.unreadable.iter().for_each(|message| report.error(0, message));

    let mut diagnostics = Vec::new();
    let mut actions: BTreeMap<String, (Action, &SpecFile)> = BTreeMap::new();
    for file in &spec.actions {
        let mut report = purpose.report();
        for (at, action) in lower_file(file, &service, purpose, &mut report) {
            if let Some((_, other)) = actions.get(&action.rust) {
                let message = format!(
                    "`{}` would be the module `{}`, which comes from {}: add a `rust_name` to one of them",
                    action.wire, action.rust, other.path
                );
                report.error(at, message);
            }
            actions.insert(action.rust.clone(), (action, file));
        }
        diagnostics.extend(report.finish(&file.path, &file.text));
    }

    // A single action that is compared need not have the parameter.
    if diagnostics.is_empty() && !actions.is_empty() && purpose == Purpose::Generation {
        for ClientParameter { wire: At { value: wire, at }, .. } in &service.client_parameters {
            let mut parameters = actions.values().flat_map(|(action, _)| &action.parameters);
            if !parameters.any(|parameter| parameter.wire == *wire) {
                report.error(*at, format!("no action has a parameter `{wire}`"));
            }
        }
    }
    diagnostics.extend(report.finish(&spec.service.path, &spec.service.text));
    if diagnostics.is_empty() {
        let actions = actions.into_values().map(|(action, _)| action).collect();
        Ok(Service { actions, ..service })
    } else {
        diagnostics.sort();
        Err(diagnostics)
    }
}

/// The calls of an action's file, each with the place of the action's name.
fn lower_file(
    file: &SpecFile,
    service: &Service,
    purpose: Purpose,
    report: &mut Report,
) -> Vec<(usize, Action)> {
    let Some(mut action) = reader::action(&file.text, report) else {
        return Vec::new();
    };
    let At { value: name, at } = action.action.clone();
    let expected = naming::file(&name);
    // File systems may hold `GetVM` and `GetVm` to be one name.
    let renamed = action.rust_name.as_ref().map(|name| naming::file(&name.value));
    let found = file.path.rsplit(['/', '\\']).next();
    let is_expected = |name: &String| found == Some(name.as_str());
    if purpose == Purpose::Generation
        && !is_expected(&expected)
        && !renamed.is_some_and(|it| is_expected(&it))
    {
        report.error(at, format!("the action `{name}` belongs in a file named `{expected}`"));
    }
    drop_repeated_rows(&mut action);
    let calls = split(&action, report).into_iter();
    calls.map(|call| (at, lower_call(&call, &file.text, service, report))).collect()
}

/// Some pages have a row twice: the second one is dropped if it adds nothing.
fn drop_repeated_rows(action: &mut spec::Action) {
    let models = action.models.iter_mut().map(|model| &mut model.fields);
    for fields in [&mut action.parameters, &mut action.response].into_iter().chain(models) {
        let mut rows: BTreeMap<String, (Type, bool)> = BTreeMap::new();
        fields.retain(|field| {
            let facts = (field.ty.value.clone(), field.required);
            match rows.get(&field.name.value) {
                Some(first) => *first != facts || !field.is_plain,
                None => {
                    rows.insert(field.name.value.clone(), facts);
                    true
                }
            }
        });
    }
}

/// An action as one call: the name that its Rust names come from, and the other call.
type Call = (spec::Action, At<String>, Option<Variant>);

/// The calls of an action: one with `split_when_absent` has two.
fn split(action: &spec::Action, report: &mut Report) -> Vec<Call> {
    let parameters = action.parameters.iter().enumerate();
    let mut splits = parameters.filter_map(|(index, parameter)| {
        Some((index, parameter, parameter.split_when_absent.as_ref()?))
    });
    let Some((index, parameter, split)) = splits.next() else {
        return vec![(action.clone(), action.action.clone(), None)];
    };
    for (.., second) in splits {
        let message = "only one parameter of an action can have `split_when_absent`";
        report.error(second.action.at, message);
    }
    if parameter.required {
        let message = "a required parameter cannot have `split_when_absent`";
        report.error(split.action.at, message);
    }
    if parameter.ty.value != Type::String || parameter.name.value.contains('.') {
        report.error(parameter.name.at, "only a string can have `split_when_absent`");
    }
    let variant = |other: Result<String, String>, is_with| {
        let rust = other.unwrap_or_default();
        Some(Variant { parameter: parameter.name.value.clone(), rust, is_with })
    };
    let (mut with, mut without) = (action.clone(), action.clone());
    with.parameters[index].required = true;
    without.parameters.remove(index);
    without.summary = split.summary.clone();
    without.idempotency = split.idempotency;
    without.aliases.clear();
    without.rust_name = None;
    without.example = spec::Example::default();
    vec![
        (with, action.action.clone(), variant(naming::action(&split.action.value), true)),
        (without, split.action.clone(), variant(module(action, &action.action), false)),
    ]
}

/// The name of the module of a call.
fn module(action: &spec::Action, name: &At<String>) -> Result<String, String> {
    match &action.rust_name {
        Some(given) => naming::given_action(&given.value),
        None => naming::action(&name.value),
    }
}

fn lower_call(call: &Call, text: &str, service: &Service, report: &mut Report) -> Action {
    let (action, name, variant) = call;
    let given = action.rust_name.as_ref();
    let rust = report.check(given.map_or(name.at, |given| given.at), module(action, name));
    let given = given.map(|given| given.value.as_str());
    let prefix = report.check(name.at, naming::prefix(&name.value, given));
    let request = format!("{prefix}Request");
    for At { value: alias, at } in &action.aliases {
        if *alias == rust || !naming::is_doc_alias(alias) {
            report.error(*at, format!("`{alias}` cannot be an alias of `{rust}`"));
        }
    }
    let shared = service.enums.iter().map(|it| (it.rust.value.clone(), "an enum of service.json"));
    let own = [(request.clone(), "the request"), (format!("{prefix}Response"), "the response")];
    let mut types = TypeNames::new(naming::taken_types().chain(shared).chain(own));
    let models = Models::new(action, &mut types, report);
    // The rest may contradict the parts of the file that were malformed.
    let is_well_formed = !report.has_errors();
    let evidence = Evidence::new(action, service);
    let mut context = Context {
        action,
        service,
        evidence: &evidence,
        prefix: prefix.clone(),
        types,
        models,
        enums: Vec::new(),
        groups: Vec::new(),
        report,
    };

    let parameters = context.parameters();
    let required = context.required(&prefix, &parameters, name.at);
    let mut response = context.response();
    let models = context.response_models();
    let mut pagination = None;
    if is_well_formed {
        let spec = action.pagination.as_ref();
        pagination = spec.and_then(|spec| context.pagination(spec, &parameters, &response));
        evidence.check(context.report);
    }
    if let Some(pagination) = &pagination
        && let Some(total) = &pagination.total
        && response.fields.iter().any(|field| field.rust == total.rust && field.is_counter())
    {
        // The total counts the items.
        for field in response.fields.iter_mut().filter(|field| field.rust == pagination.items) {
            if let Absent::Refused { counted_by } = &mut field.absent {
                *counted_by = Some(total.rust.clone());
            }
        }
    }
    Action {
        wire: action.action.value.clone(),
        rust,
        request,
        required,
        summary: action.summary.value.clone(),
        details: action.details.as_ref().map(|details| details.value.clone()),
        deprecated: action.deprecated.clone(),
        aliases: action.aliases.iter().map(|alias| alias.value.clone()).collect(),
        idempotency: action.idempotency,
        example: example::lower(action, text, &parameters, service),
        parameters,
        groups: context.groups,
        response,
        models,
        enums: context.enums,
        variant: variant.clone(),
        pagination,
    }
}
