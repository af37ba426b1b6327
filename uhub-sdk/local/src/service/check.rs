//! Checks a request's parameters against the documentation.
//!
//! Undocumented parameters are ignored, as by the service. Required parameters must be present, and
//! present parameters must have their type.

use std::collections::BTreeSet;

use crate::documented::{Kind, Parameter};
use crate::protocol::{Parameters, Refusal};

pub(crate) fn check(documented: &[Parameter], parameters: &Parameters) -> Result<(), Refusal> {
    let mut refusals = Vec::new();
    check_fields(documented, "", parameters, &mut refusals);
    // A missing parameter is reported before a wrong one: its return code is lower.
    refusals.into_iter().min_by_key(|refusal| refusal.ret_code).map_or(Ok(()), Err)
}

fn check_fields(
    documented: &[Parameter],
    prefix: &str,
    parameters: &Parameters,
    refusals: &mut Vec<Refusal>,
) {
    for parameter in documented {
        let name = format!("{prefix}{}", parameter.name);
        // The service treats an empty string as absent.
        let is_present = match parameter.kind {
            Kind::List(_) | Kind::Group(_) => has_fields(&name, parameters),
            Kind::Any => parameters.get(&name).is_some() || has_fields(&name, parameters),
            _ => parameters.non_empty(&name).is_some(),
        };
        if parameter.required && !is_present {
            refusals.push(Refusal::missing(&name));
        }
        check_value(&parameter.kind, &name, parameters, refusals);
    }
}

fn check_value(kind: &Kind, name: &str, parameters: &Parameters, refusals: &mut Vec<Refusal>) {
    let fits = match (kind, parameters.get(name)) {
        (Kind::Any, _) => true,
        (Kind::Group(fields), None) => {
            if has_fields(name, parameters) {
                check_fields(fields, &format!("{name}."), parameters, refusals);
            }
            true
        }
        (Kind::List(element), None) => match indices(name, parameters) {
            None => false,
            Some(indices) => {
                for index in indices {
                    check_value(element, &format!("{name}.{index}"), parameters, refusals);
                }
                true
            }
        },
        (Kind::Group(_) | Kind::List(_), Some(_)) => false,
        // A list instead of a string is not an absent string: `DeleteRepoImage` without a `TagName`
        // deletes every tag.
        _ if has_fields(name, parameters) => false,
        (_, None) | (Kind::String, _) => true,
        (Kind::Enum(values), Some(text)) => text.is_empty() || values.contains(&text),
        (Kind::Boolean | Kind::Flag, Some(text)) => matches!(text, "true" | "false"),
        (Kind::Int, Some(text)) => {
            // `parse` alone accepts "+1".
            let digits = text.strip_prefix('-').unwrap_or(text);
            digits.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<i64>().is_ok()
        }
        (Kind::Float, Some(text)) => {
            // `parse` alone accepts "inf".
            let is_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
            text.bytes().all(is_number) && text.parse::<f64>().is_ok()
        }
    };
    if !fits {
        refusals.push(Refusal::unavailable(name));
    }
}

/// The indices of a list's elements: `0` and `7` for `Name.0.A`, `Name.0.B` and `Name.7`. `None` if
/// one is not a number.
fn indices<'a>(name: &str, parameters: &'a Parameters) -> Option<BTreeSet<&'a str>> {
    fields_of(name, parameters)
        .map(|rest| rest.split('.').next().unwrap_or(rest))
        .map(|index| {
            let is_number = index.parse::<u32>().is_ok() && !index.starts_with('+');
            is_number.then_some(index)
        })
        .collect()
}

fn has_fields(name: &str, parameters: &Parameters) -> bool {
    fields_of(name, parameters).next().is_some()
}

/// The rest of every parameter name that starts with this name and a dot.
fn fields_of<'a>(name: &str, parameters: &'a Parameters) -> impl Iterator<Item = &'a str> {
    let prefix = format!("{name}.");
    parameters.names().filter_map(move |each| each.strip_prefix(&prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISK: &[Parameter] = &[
        parameter("Type", Kind::Enum(&["SSD", "HDD"]), true),
        parameter("Size", Kind::Int, false),
        parameter("Tags", Kind::List(&Kind::String), false),
    ];
    const DOCUMENTED: &[Parameter] = &[
        parameter("Name", Kind::String, true),
        parameter("Limit", Kind::Int, false),
        parameter("Price", Kind::Float, false),
        parameter("Shared", Kind::Boolean, false),
        parameter("Outside", Kind::Flag, false),
        parameter("Ips", Kind::List(&Kind::Int), false),
        parameter("Boot", Kind::Group(DISK), false),
        parameter("Disks", Kind::List(&Kind::Group(DISK)), true),
        parameter("Labels", Kind::Any, true),
    ];

    const fn parameter(name: &'static str, kind: Kind, required: bool) -> Parameter {
        Parameter { name, kind, required }
    }

    /// The refusal of these parameters besides the required ones. Empty if they pass.
    fn refusal(form: &str) -> String {
        let form = format!("Name=a&Disks.0.Type=SSD&Labels.key.0=b&{form}");
        let parameters = Parameters::from_form(form.as_bytes()).unwrap();
        match check(DOCUMENTED, &parameters) {
            Ok(()) => String::new(),
            Err(refusal) => format!("{} {}", refusal.ret_code, refusal.message),
        }
    }

    #[test]
    fn valid_parameters_pass_and_undocumented_ones_are_ignored() {
        for form in [
            "",
            "Other=x&Disk=7&Disks.0.Other=y",
            "Limit=-5&Price=1.5&Shared=true&Outside=false",
            "Price=-2e-7",
            "Ips.0=1&Ips.1=2",
            "Boot.Type=HDD&Boot.Size=20&Boot.Tags.0=a&Boot.Tags.7=",
            "Disks.1.Type=HDD&Disks.1.Size=40",
            "Labels=c&Labels.0=",
        ] {
            assert_eq!(refusal(form), "", "{form}");
        }
    }

    #[test]
    fn missing_parameters_are_reported_before_wrong_ones() {
        for (form, name) in [
            ("Name=&Limit=x", "Name"),
            ("Boot.Size=x", "Boot.Type"),
            ("Boot.Type=&Boot.Size=1", "Boot.Type"),
            ("Disks.3.Size=x", "Disks.3.Type"),
        ] {
            assert_eq!(refusal(form), format!("220 Missing params [{name}]"), "{form}");
        }
        let nothing = check(DOCUMENTED, &Parameters::from_form(b"Name=a").unwrap());
        assert_eq!(nothing, Err(Refusal::missing("Disks")));
        let no_labels = Parameters::from_form(b"Name=a&Disks.0.Type=SSD&Labelling=x").unwrap();
        let result = check(DOCUMENTED, &no_labels);
        assert_eq!(result, Err(Refusal::missing("Labels")));
    }

    #[test]
    fn wrong_parameters_are_named() {
        for (form, name) in [
            ("Limit=", "Limit"),
            ("Limit=1.5", "Limit"),
            ("Limit=+1", "Limit"),
            ("Limit=-", "Limit"),
            ("Limit=99999999999999999999", "Limit"),
            ("Price=inf", "Price"),
            ("Price=", "Price"),
            ("Shared=1", "Shared"),
            ("Outside=True", "Outside"),
            ("Ips.0=1&Ips.1=x", "Ips.1"),
            ("Boot.Type=TAPE", "Boot.Type"),
            ("Disks.0.Size=big", "Disks.0.Size"),
            ("Limit.0=1", "Limit"),
            ("Limit=1&Limit.0=1", "Limit"),
            ("Name.first=a", "Name"),
            ("Shared.=true", "Shared"),
            ("Ips=1", "Ips"),
            ("Ips.first=1", "Ips"),
            ("Ips.+1=1", "Ips"),
            ("Ips.=1", "Ips"),
            ("Ips.0.0=1", "Ips.0"),
            ("Disks=SSD", "Disks"),
            ("Disks.first.Size=1", "Disks"),
            ("Boot=SSD", "Boot"),
            ("Boot.Type=SSD&Boot.Tags=a", "Boot.Tags"),
        ] {
            let expected = format!("230 Params [{name}] not available");
            assert_eq!(refusal(form), expected, "{form}");
        }
    }
}
