//! Derives the names of Rust from the names of the documentation.

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};

use crate::{model::core_names::CORE, spec::is_word};

/// Names of Rust and of the core that generated modules use, and their type parameters, which a
/// type of the service must not hide. A test holds the list against generated code.
#[rustfmt::skip]
const TAKEN_TYPES: &[&str] = &[
    "A", "Action", "Box", "C", "Call", "Client", "D", "Default", "Deserialize", "Err", "From", "Idempotency",
    "Into", "IntoIterator", "None", "Ok", "Option", "Paged", "Parameters", "Result", "S", "Sealed",
    "SecretString", "Self", "Serialize", "Some", "String", "Timestamp", "Vec", "W",
];
/// Methods that Rust's own traits give to requests, calls and clients.
#[rustfmt::skip]
const TRAIT_METHODS: &[&str] = &[
    "borrow", "borrow_mut", "clone", "clone_from", "clone_into", "eq", "fmt", "into", "ne", "to_owned", "try_into",
    "type_id",
];
/// The beginnings of other setters: of a call's options, and those that may unset a parameter.
const OTHER_SETTERS: [&str; 2] = ["with_", MAYBE];
const MAYBE: &str = "maybe_";
/// Names that a file cannot have on Windows.
#[rustfmt::skip]
const DEVICES: &[&str] = &[
    "aux", "con", "nul", "prn", "com0", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt0", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];
/// Modules beside those of the actions.
const MODULES: &[&str] = &["enums", "mod", "service"];

/// Whether a name is that of a method of a request or its call, which the setter of a parameter must
/// not hide.
fn is_setter_taken(name: &str) -> bool {
    TRAIT_METHODS.contains(&name) || CORE.call.contains(name) || is_other_setter(name)
}

/// Whether a name is that of a method of a client, which the method of an action must not hide, or
/// cannot be the name of a module.
fn is_action_taken(name: &str) -> bool {
    [TRAIT_METHODS, MODULES, DEVICES].iter().any(|names| names.contains(&name))
        || CORE.client.contains(name)
}

/// The types that no type of the service may hide, each with what it is.
pub(super) fn taken_types() -> impl Iterator<Item = (String, &'static str)> {
    TAKEN_TYPES.iter().map(|name| ((*name).to_owned(), "a name that generated code uses"))
}

/// The name of a field, a parameter or its setter: `RepoName` becomes `repo_name`, `Type` `r#type`.
pub(crate) fn field(name: &str) -> Result<String, String> {
    identifier(name, is_setter_taken)
}

/// The name of a field as the spec gives it.
pub(crate) fn given_field(name: &str) -> Result<String, String> {
    given(name, is_setter_taken, "field", "repo_name")
}

/// The name of the setter that also unsets a parameter.
pub(crate) fn maybe(field: &str) -> String {
    format!("{MAYBE}{}", field.trim_start_matches("r#"))
}

fn is_other_setter(name: &str) -> bool {
    OTHER_SETTERS.iter().any(|beginning| name.starts_with(beginning))
}

/// The name of an action's module and of its method of the client: `GetRepoImage` becomes
/// `get_repo_image`.
pub(crate) fn action(name: &str) -> Result<String, String> {
    identifier(name, is_action_taken)
}

/// The name of an action's module and method as the spec gives it.
pub(crate) fn given_action(name: &str) -> Result<String, String> {
    given(name, is_action_taken, "module and a method of the client", "get_repo_image")
}

/// The beginning of the names of an action's types: its documented name, or the one that the spec
/// gives it if that has other letters.
pub(crate) fn prefix(name: &str, rust_name: Option<&str>) -> Result<String, String> {
    match rust_name {
        Some(given) if is_renamed(given, name) => Ok(given.to_upper_camel_case()),
        _ => upper_camel_case(name),
    }
}

/// Whether a search for the documented name would not find the Rust name.
pub(crate) fn is_renamed(rust: &str, wire: &str) -> bool {
    let plain = |name: &str| {
        let name = name.strip_prefix("r#").unwrap_or(name);
        name.replace(['_', '-'], "").to_lowercase()
    };
    plain(rust) != plain(wire)
}

/// The name of an action's file.
pub(crate) fn file(action: &str) -> String {
    let name = action.to_snake_case();
    let end = if DEVICES.contains(&name.as_str()) { "_" } else { "" };
    format!("{name}{end}.json")
}

/// Whether rustdoc accepts a name as an alias. It has no white space.
pub(crate) fn is_doc_alias(name: &str) -> bool {
    !name.contains(['"', '\''])
}

/// The name of a model: the documented one where it is a Rust name.
pub(crate) fn ty(name: &str) -> Result<String, String> {
    let rust = upper_camel_case(name)?;
    let is_taken = TAKEN_TYPES.contains(&rust.as_str());
    Ok(if is_taken { format!("{rust}Model") } else { rust })
}

/// Whether a name is the name of its own type, unchanged.
pub(crate) fn is_ty(name: &str) -> bool {
    ty(name).as_deref() == Ok(name)
}

/// Checks the name of a service, which the crate is named after.
pub(crate) fn check_service(name: &str) -> Result<(), String> {
    if is_identifier(name) {
        return Ok(());
    }
    Err(format!("`{name}` cannot name a crate: expected ASCII letters and digits, a letter first"))
}

/// Checks the documented name of a model.
pub(crate) fn check_model(name: &str) -> Result<(), String> {
    if is_word(name) { Ok(()) } else { Err(invalid(name)) }
}

/// The name of a value of a string. A variant hides nothing, so that `Default` and `None` are
/// allowed.
pub(crate) fn variant(value: &str) -> Result<String, String> {
    let rust = upper_camel_case(value)?;
    let is_keyword = rust == "Self";
    Ok(if is_keyword { "Self_".to_owned() } else { rust })
}

fn upper_camel_case(name: &str) -> Result<String, String> {
    let keeps = name.starts_with(|c: char| c.is_ascii_uppercase())
        && is_identifier(name)
        && !name.contains('_');
    let rust = if keeps { name.to_owned() } else { name.to_upper_camel_case() };
    if is_identifier(&rust) { Ok(rust) } else { Err(invalid(name)) }
}

/// Whether the root of the crate has the name.
pub(crate) fn is_at_root(name: &str) -> bool {
    CORE.root.contains(name)
}

/// Checks the name of a return code's constant, which the spec gives.
pub(crate) fn check_constant(name: &str) -> Result<(), String> {
    if CORE.ret_code.contains(name) {
        return Err(format!("`RetCode::{name}` exists in the core: choose another name"));
    }
    if is_identifier(name) && name.to_shouty_snake_case() == name {
        return Ok(());
    }
    Err(format!(
        "`{name}` cannot name a Rust constant: expected upper case, such as `SIGNATURE_WRONG`"
    ))
}

/// A documented name in snake_case, with `_` if it is taken.
fn identifier(wire: &str, is_taken: fn(&str) -> bool) -> Result<String, String> {
    let rust = wire.to_snake_case();
    if !is_word(wire) || !is_identifier(&rust) {
        return Err(format!("{}; or add a `rust_name`", invalid(wire)));
    }
    let is_never_raw = matches!(rust.as_str(), "crate" | "self" | "super");
    Ok(if is_never_raw || is_taken(&rust) {
        format!("{rust}_")
    } else if is_keyword(&rust) {
        format!("r#{rust}")
    } else {
        rust
    })
}

/// A name that the spec gives.
fn given(
    name: &str,
    is_taken: fn(&str) -> bool,
    of: &str,
    such_as: &str,
) -> Result<String, String> {
    if is_taken(name) {
        return Err(format!(
            "`{name}` cannot name a Rust {of}: the core has a method or module of this name, or files cannot have it"
        ));
    }
    let is_snake_case = is_identifier(name) && !name.contains(|c: char| c.is_ascii_uppercase());
    // rustc warns of `__`.
    if is_snake_case && !is_keyword(name) && !name.contains("__") {
        return Ok(name.to_owned());
    }
    Err(format!(
        "`{name}` cannot name a Rust {of}: expected snake_case and not a keyword, such as `{such_as}`"
    ))
}

fn invalid(name: &str) -> String {
    format!("`{name}` is not a Rust name: expected ASCII letters and digits, a letter first")
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a name is a keyword of Rust, strict or reserved, in any edition so far.
fn is_keyword(name: &str) -> bool {
    name == "gen" || syn::parse_str::<syn::Ident>(name).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        for (wire, rust) in [
            ("RepoName", "repo_name"),
            ("IsOutSide", "is_out_side"),
            ("UHostId", "u_host_id"),
            ("CPU", "cpu"),
            ("Type", "r#type"),
            ("Self", "self_"),
            ("New", "new_"),
            ("Items", "items_"),
            ("WithTimeout", "with_timeout_"),
            ("X-Real-Name", "x_real_name"),
            ("snake_already", "snake_already"),
        ] {
            assert_eq!(field(wire).as_deref(), Ok(rust), "{wire}");
        }
        for wire in ["", "2FA", "镜像", "a b", "a.b", "_", "-"] {
            assert!(field(wire).is_err(), "{wire}");
        }
    }

    #[test]
    fn names_of_the_spec_are_kept_or_refused() {
        assert_eq!(given_field("ulb_id_2").as_deref(), Ok("ulb_id_2"));
        for name in ["type", "Type", "self", "send", "a-b", "é"] {
            assert!(given_field(name).is_err(), "{name}");
        }
    }

    #[test]
    fn types_keep_the_documented_name() {
        for (wire, rust) in [
            ("ImageSet", "ImageSet"),
            ("ULBSSLSet", "ULBSSLSet"),
            ("uhostInfo", "UhostInfo"),
            ("Disk_Set", "DiskSet"),
            ("Option", "OptionModel"),
            ("Client", "ClientModel"),
            ("Result", "ResultModel"),
        ] {
            assert_eq!(ty(wire).as_deref(), Ok(rust), "{wire}");
        }
        assert!(ty("2Disks").is_err());
    }

    #[test]
    fn actions_and_constants() {
        assert_eq!(action("GetRepoImage").as_deref(), Ok("get_repo_image"));
        assert_eq!(action("Send").as_deref(), Ok("send_"));
        assert_eq!(action("Service").as_deref(), Ok("service_"));
        assert_eq!(action("Enums").as_deref(), Ok("enums_"));
        assert_eq!(action("Mod").as_deref(), Ok("mod_"));
        assert_eq!(file("GetRepoImage"), "get_repo_image.json");
        assert!(check_constant("SIGNATURE_WRONG").is_ok());
        assert!(check_constant("signature").is_err());
    }
}
