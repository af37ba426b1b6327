//! A request's parameters against what is documented of them.
//!
//! What is not documented is ignored, as the service ignores it; what is required must be there, and
//! what is there must be of its type.

use std::collections::BTreeSet;

use super::super::documented::{Kind, Parameter};
use super::super::protocol::{Parameters, Refusal};

pub(super) fn check(documented: &[Parameter], parameters: &Parameters) -> Result<(), Refusal> {
    // What is missing is said before what is wrong.
    missing(documented, "", parameters)?;
    wrong(documented, "", parameters)
}

fn missing(documented: &[Parameter], prefix: &str, parameters: &Parameters) -> Result<(), Refusal> {
    for Parameter {
        name,
        kind,
        required,
    } in documented
    {
        let name = format!("{prefix}{name}");
        if *required && !is_there(kind, &name, parameters) {
            return Err(Refusal::missing(&name));
        }
        missing_in(kind, &name, parameters)?;
    }
    Ok(())
}

/// What is missing in a group, or in those of a list, if it is there.
fn missing_in(kind: &Kind, name: &str, parameters: &Parameters) -> Result<(), Refusal> {
    match kind {
        Kind::Group(fields) if is_there(kind, name, parameters) => {
            missing(fields, &format!("{name}."), parameters)
        }
        Kind::List(element) => indices(name, parameters)?
            .into_iter()
            .try_for_each(|index| missing_in(element, &format!("{name}.{index}"), parameters)),
        _ => Ok(()),
    }
}

/// Whether a parameter is there at all. An empty text is none: that is how the service takes it.
fn is_there(kind: &Kind, name: &str, parameters: &Parameters) -> bool {
    match kind {
        Kind::List(_) | Kind::Group(_) => within(name, parameters).next().is_some(),
        Kind::Any => parameters.get(name).is_some() || within(name, parameters).next().is_some(),
        _ => parameters.filled(name).is_some(),
    }
}

fn wrong(documented: &[Parameter], prefix: &str, parameters: &Parameters) -> Result<(), Refusal> {
    for parameter in documented {
        let name = format!("{prefix}{}", parameter.name);
        of_kind(&parameter.kind, &name, parameters)?;
    }
    Ok(())
}

fn of_kind(kind: &Kind, name: &str, parameters: &Parameters) -> Result<(), Refusal> {
    match kind {
        Kind::Group(fields) => {
            is_no_text(name, parameters)?;
            return wrong(fields, &format!("{name}."), parameters);
        }
        Kind::List(element) => {
            is_no_text(name, parameters)?;
            for index in indices(name, parameters)? {
                of_kind(element, &format!("{name}.{index}"), parameters)?;
            }
            return Ok(());
        }
        Kind::Any => return Ok(()),
        _ => {}
    }
    // A list in the place of a text must not pass for nothing: without its `TagName`, an action
    // deletes all there is.
    if within(name, parameters).next().is_some() {
        return Err(Refusal::unavailable(name));
    }
    let Some(text) = parameters.get(name) else {
        return Ok(());
    };
    let fits = match kind {
        Kind::String => true,
        Kind::Enum(values) => text.is_empty() || values.contains(&text),
        Kind::Boolean | Kind::Flag => matches!(text, "true" | "false"),
        Kind::Int => {
            // `parse` alone would take "+1".
            let digits = text.strip_prefix('-').unwrap_or(text);
            digits.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<i64>().is_ok()
        }
        Kind::Float => {
            // Nor would it refuse "inf".
            let is_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
            text.bytes().all(is_number) && text.parse::<f64>().is_ok()
        }
        Kind::Any | Kind::List(_) | Kind::Group(_) => true,
    };
    if fits {
        Ok(())
    } else {
        Err(Refusal::unavailable(name))
    }
}

/// What a list or group must not be.
fn is_no_text(name: &str, parameters: &Parameters) -> Result<(), Refusal> {
    match parameters.get(name) {
        None => Ok(()),
        Some(_) => Err(Refusal::unavailable(name)),
    }
}

/// The indices that a list's elements have: `0` and `7` of `Name.0.A`, `Name.0.B` and `Name.7`.
fn indices<'a>(name: &str, parameters: &'a Parameters) -> Result<BTreeSet<&'a str>, Refusal> {
    within(name, parameters)
        .map(|rest| rest.split('.').next().unwrap_or(rest))
        .map(|index| {
            let is_number = index.parse::<u32>().is_ok() && !index.starts_with('+');
            is_number
                .then_some(index)
                .ok_or_else(|| Refusal::unavailable(name))
        })
        .collect()
}

/// How the names go on that begin with this one and a dot.
fn within<'a>(name: &str, parameters: &'a Parameters) -> impl Iterator<Item = &'a str> {
    let prefix = format!("{name}.");
    parameters
        .names()
        .filter_map(move |each| each.strip_prefix(&prefix))
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
        Parameter {
            name,
            kind,
            required,
        }
    }

    /// What is said of these parameters beside those that have to be there.
    fn said(form: &str) -> String {
        let form = format!("Name=a&Disks.0.Type=SSD&Labels.key.0=b&{form}");
        let parameters = Parameters::from_form(form.as_bytes()).unwrap();
        match check(DOCUMENTED, &parameters) {
            Ok(()) => String::new(),
            Err(refusal) => format!("{} {}", refusal.ret_code, refusal.message),
        }
    }

    #[test]
    fn what_fits_passes_and_what_is_not_documented_is_ignored() {
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
            assert_eq!(said(form), "", "{form}");
        }
    }

    #[test]
    fn what_is_missing_is_said_before_what_is_wrong() {
        for (form, name) in [
            ("Name=&Limit=x", "Name"),
            ("Boot.Size=x", "Boot.Type"),
            ("Boot.Type=&Boot.Size=1", "Boot.Type"),
            ("Disks.3.Size=x", "Disks.3.Type"),
        ] {
            assert_eq!(said(form), format!("220 Missing params [{name}]"), "{form}");
        }
        let nothing = check(DOCUMENTED, &Parameters::from_form(b"Name=a").unwrap());
        assert_eq!(nothing, Err(Refusal::missing("Disks")));
        let no_labels = Parameters::from_form(b"Name=a&Disks.0.Type=SSD&Labelling=x").unwrap();
        let said = check(DOCUMENTED, &no_labels);
        assert_eq!(said, Err(Refusal::missing("Labels")));
    }

    #[test]
    fn what_is_wrong_is_named() {
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
            assert_eq!(said(form), expected, "{form}");
        }
    }
}
