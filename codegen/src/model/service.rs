//! Lowers `service.json`.

use std::collections::BTreeSet;

use crate::{
    model::{
        ClientParameter, ClientSetting, ReturnCode, Service, SharedEnum, SharedVariant, naming,
    },
    spec::{
        self, At,
        diagnostic::{Report, suggest},
    },
};

/// Lowers a service without its actions.
pub(super) fn lower(spec: spec::Service, report: &mut Report) -> Service {
    let values = |names: Vec<At<String>>| names.into_iter().map(|name| name.value).collect();
    let endpoint = &spec.endpoint.value;
    if !endpoint.starts_with("https://") || !endpoint.ends_with('/') {
        let message = format!("`{endpoint}` is not an endpoint: expected `https://…/`");
        report.error(spec.endpoint.at, message);
    }
    report.check(spec.service.at, naming::check_service(&spec.service.value));
    spec.enums.iter().for_each(|shared| check_enum(shared, report));
    let mut return_codes = spec.return_codes;
    check_return_codes(&return_codes, report);
    return_codes.sort_by_key(|code| code.code.value);
    let client_parameters =
        client_parameters(spec.project_parameter, spec.client_parameters, report);
    Service {
        name: spec.service.value,
        summary: spec.summary.value,
        endpoint: spec.endpoint.value,
        common_parameters: values(spec.parameters),
        common_response: values(spec.response),
        client_parameters,
        enums: spec.enums,
        return_codes,
        actions: Vec::new(),
    }
}

/// The parameters that the client fills in. Only the project may have a name of its own.
fn client_parameters(
    project: Option<At<String>>,
    others: Vec<At<String>>,
    report: &mut Report,
) -> Vec<ClientParameter> {
    let project = project.map(|wire| ClientParameter { wire, setting: ClientSetting::Project });
    let mut parameters: Vec<ClientParameter> = project.into_iter().collect();
    for wire in others {
        let known = ClientSetting::ALL.iter().find(|(name, _)| *name == wire.value);
        let Some((_, setting)) = known else {
            let names = ClientSetting::ALL.map(|(name, _)| name);
            let hint = suggest(&wire.value, names);
            let message = format!(
                "the client has no setting for `{}`; expected {}{hint}",
                wire.value,
                names.join(", ")
            );
            report.error(wire.at, message);
            continue;
        };
        if let Some(other) = parameters.iter().find(|other| other.setting == *setting) {
            let message = format!("`{}` and `{}` are one setting", other.wire.value, wire.value);
            report.error(wire.at, message);
            continue;
        }
        parameters.push(ClientParameter { wire, setting: *setting });
    }
    parameters
}

fn check_return_codes(codes: &[ReturnCode], report: &mut Report) {
    let (mut numbers, mut names) = (BTreeSet::new(), BTreeSet::new());
    for ReturnCode { code, rust, .. } in codes {
        if code.value == 0 {
            report.error(code.at, "0 is success and not an error");
        }
        if !names.insert(&rust.value) {
            report.error(rust.at, format!("the return code `{}` is repeated", rust.value));
        }
        report.check(rust.at, naming::check_constant(&rust.value));
        if !numbers.insert(code.value) {
            report.error(code.at, format!("the return code {} is repeated", code.value));
        }
    }
}

fn check_enum(shared: &SharedEnum, report: &mut Report) {
    let At { value: name, at } = &shared.rust;
    if !naming::is_ty(name) {
        report.error(*at, format!("`{name}` cannot name a Rust type"));
    }
    if naming::is_at_root(name) {
        let message = format!("the root of the crate has a `{name}` already: choose another name");
        report.error(*at, message);
    }
    if shared.variants.is_empty() {
        report.error(*at, "an enum needs a variant");
    }
    let (mut names, mut spellings) = (BTreeSet::new(), BTreeSet::new());
    for SharedVariant { rust: At { value: name, at }, values, .. } in &shared.variants {
        if naming::variant(name).as_ref() != Ok(name) {
            report.error(*at, format!("`{name}` cannot name a variant"));
        }
        if values.is_empty() {
            report.error(*at, "a variant needs a value");
        }
        if !names.insert(name) {
            report.error(*at, format!("the variant `{name}` is repeated"));
        }
        for At { value, at } in values {
            if !spellings.insert(value.to_ascii_lowercase()) {
                report.error(*at, format!("the value `{value}` is repeated"));
            }
        }
    }
}
