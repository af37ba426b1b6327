//! Lowers `service.json`.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{ReturnCode, Service, SharedEnum, SharedVariant, naming},
    spec::{self, At, diagnostic::Report},
};

/// What the actions need of `service.json`.
#[derive(Debug, Default)]
pub(super) struct Common {
    /// The names of the parameters and of the response fields of every action.
    pub(super) parameters: BTreeSet<String>,
    pub(super) response: BTreeSet<String>,
    /// The parameter that the client fills in.
    pub(super) project: At<String>,
    pub(super) enums: Vec<SharedEnum>,
}

/// Lowers a service without its actions.
pub(super) fn lower(spec: spec::Service, report: &mut Report) -> (Service, Common) {
    let names = |fields: &[spec::Field]| -> Vec<String> {
        fields.iter().map(|field| field.name.value.clone()).collect()
    };
    let endpoint = &spec.endpoint.value;
    if !endpoint.starts_with("https://") || !endpoint.ends_with('/') {
        let message = format!("`{endpoint}` is not an endpoint: expected `https://…/`");
        report.error(spec.endpoint.at, message);
    }
    let enums: Vec<_> = spec.enums.into_iter().map(|it| shared_enum(it, report)).collect();
    let service = Service {
        name: spec.service.value,
        summary: spec.summary.value,
        endpoint: spec.endpoint.value,
        common_parameters: names(&spec.parameters),
        common_response: names(&spec.response),
        project_parameter: spec.project_parameter.value.clone(),
        enums: enums.clone(),
        return_codes: return_codes(spec.return_codes, report),
        actions: Vec::new(),
    };
    let common = Common {
        parameters: service.common_parameters.iter().cloned().collect(),
        response: service.common_response.iter().cloned().collect(),
        project: spec.project_parameter,
        enums,
    };
    (service, common)
}

fn return_codes(specs: Vec<spec::ReturnCode>, report: &mut Report) -> Vec<ReturnCode> {
    let mut codes = BTreeMap::new();
    let mut names = BTreeSet::new();
    for spec in specs {
        let At { value: code, at } = spec.code;
        let name = spec.name;
        if code == 0 {
            report.error(at, "0 is success and not an error");
        }
        if !names.insert(name.value.clone()) {
            report.error(name.at, format!("the return code `{}` is repeated", name.value));
        }
        let rust = naming::constant(&name.value).unwrap_or_else(|message| {
            report.error(name.at, message);
            String::new()
        });
        let lowered = ReturnCode {
            code,
            rust,
            meaning: spec.meaning.value,
            remedy: spec.remedy.value,
            outcome: spec.outcome,
        };
        if codes.insert(code, lowered).is_some() {
            report.error(at, format!("the return code {code} is repeated"));
        }
    }
    codes.into_values().collect()
}

fn shared_enum(spec: spec::Enum, report: &mut Report) -> SharedEnum {
    if naming::ty(&spec.name.value).as_ref() != Ok(&spec.name.value) {
        let message = format!("`{}` cannot name a Rust type", spec.name.value);
        report.error(spec.name.at, message);
    }
    if spec.variants.is_empty() {
        report.error(spec.name.at, "an enum needs a variant");
    }
    let (mut names, mut values) = (BTreeSet::new(), BTreeSet::new());
    for spec::Variant { name, values: spellings, .. } in &spec.variants {
        if naming::variant(&name.value).as_ref() != Ok(&name.value) {
            report.error(name.at, format!("`{}` cannot name a variant", name.value));
        }
        if spellings.is_empty() {
            report.error(name.at, "a variant needs a value");
        }
        if !names.insert(&name.value) {
            report.error(name.at, format!("the variant `{}` is repeated", name.value));
        }
        for value in spellings {
            if !values.insert(value.value.to_ascii_lowercase()) {
                report.error(value.at, format!("the value `{}` is repeated", value.value));
            }
        }
    }
    let variants = spec.variants.into_iter().map(|variant| SharedVariant {
        rust: variant.name.value,
        values: variant.values.into_iter().map(|it| it.value).collect(),
        description: variant.description.value,
    });
    SharedEnum {
        rust: spec.name.value,
        description: spec.description.value,
        variants: variants.collect(),
    }
}
