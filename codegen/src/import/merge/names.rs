//! Proposes the decisions that a name suggests: a better Rust name, and that a value is a secret.

use heck::ToSnakeCase;

use crate::{model::naming, spec::Type};

/// Proposes a Rust name where snake_case takes an abbreviation apart: `UHostId` is `uhost_id`.
///
/// A single letter belongs to the word after it (`UHost`, `VServer`), a single `S` to the one before
/// it (`QoS`, `PaaS`), a small `s` or `v` to the capitals before it (`EIPs`, `IPv6`).
pub(crate) fn rust_name(wire: &str) -> Option<String> {
    let last = wire.split('.').rfind(|part| *part != "N")?;
    let parts = last.split(['_', '-']).map(|part| words(&joined(part)).join("_"));
    let name = parts.collect::<Vec<_>>().join("_");
    (name != last.to_snake_case() && naming::given_field(&name).is_ok()).then_some(name)
}

/// A name whose capitals are one word with the `s` or `v6` after them: `EIPs` becomes `Eips`.
fn joined(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut joined = String::new();
    let mut at = 0;
    while at < chars.len() {
        let capitals = chars[at..].iter().take_while(|c| c.is_ascii_uppercase()).count();
        let next = |offset: usize| chars.get(at + capitals + offset).copied().unwrap_or('_');
        let is_plural = next(0) == 's' && !next(1).is_ascii_lowercase();
        let is_version = next(0) == 'v' && next(1).is_ascii_digit();
        let length = if capitals >= 2 && (is_plural || is_version) { capitals + 1 } else { 1 };
        if length == 1 {
            joined.push(chars[at]);
        } else {
            joined.push(chars[at]);
            joined.extend(chars[at + 1..at + length].iter().map(char::to_ascii_lowercase));
        }
        at += length;
    }
    joined
}

/// The words of a name in snake_case, with single letters joined to a neighbour.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    // A letter that waits for the word after it.
    let mut letter = String::new();
    for word in name.to_snake_case().split('_') {
        let is_letter = word.len() == 1 && word != "a" && word.starts_with(char::is_alphabetic);
        match words.last_mut() {
            Some(before) if word == "s" && letter.is_empty() => before.push('s'),
            _ if is_letter => letter.push_str(word),
            _ => words.push(std::mem::take(&mut letter) + word),
        }
    }
    if !letter.is_empty() {
        words.push(letter);
    }
    words
}

/// Proposes that a string is a secret. Too many are better than too few: a person confirms.
pub(crate) fn is_secret(wire: &str, kind: &Type) -> bool {
    const SECRET: [&str; 9] = [
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "secret",
        "privatekey",
        "accesskey",
        "credential",
        "kubeconfig",
    ];
    // What is about a secret, and no secret itself.
    const ABOUT: [&str; 14] = [
        "id", "ids", "name", "type", "length", "policy", "status", "time", "count", "enabled",
        "rule", "uri", "url", "mode",
    ];
    const PAGES: [&str; 4] = ["next", "page", "continuation", "continue"];
    let snake_case = wire.rsplit('.').find(|part| *part != "N").unwrap_or_default().to_snake_case();
    let name = snake_case.replace('_', "");
    let is_about = snake_case.rsplit('_').next().is_some_and(|last| ABOUT.contains(&last));
    let is_page = PAGES.iter().any(|page| name.starts_with(page));
    let is_named = SECRET.iter().any(|word| name.contains(word))
        || ((name.ends_with("token") || name.ends_with("tokens")) && !is_page);
    *kind.innermost().0 == Type::String && is_named && !is_about
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_are_one_word() {
        for (wire, expected) in [
            ("DescribeUHostInstance", Some("describe_uhost_instance")),
            ("GetUKafkaXyz", Some("get_ukafka_xyz")),
            ("UHostIPs", Some("uhost_ips")),
            ("Disks.N.UDiskId", Some("udisk_id")),
            ("IPv6", Some("ipv6")),
            ("EnableIPv6Address", Some("enable_ipv6_address")),
            ("EIPs", Some("eips")),
            ("EIPs.N", Some("eips")),
            ("IDs", Some("ids")),
            ("QoSId", Some("qos_id")),
            ("PaaSType", Some("paas_type")),
            ("VServerId", Some("vserver_id")),
            ("X_UHost", Some("x_uhost")),
            // snake_case does well.
            ("UDBId", None),
            ("VPCId", None),
            ("NATGWId", None),
            ("ULBIds", None),
            ("SSLIds", None),
            ("CPU", None),
            ("OSType", None),
            ("IsOutSide", None),
            ("CreateAThing", None),
            ("X-Real-Name", None),
            ("PlanB", None),
            // These are no Rust names in any case: codegen asks for one.
            ("2FA", None),
            ("\u{955c}\u{50cf}", None),
        ] {
            assert_eq!(rust_name(wire).as_deref(), expected, "{wire}");
        }
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in [
            "Password",
            "AdminPassword",
            "PassWd",
            "LoginPwd",
            "PrivateKey",
            "SecretKey",
            "AccessKeySecret",
            "Token",
            "AccessToken",
            "Secret",
            "Credential",
            "KubeConfig",
            "Users.N.Password",
            "SessionTokens.N",
        ] {
            assert!(is_secret(name, &Type::String), "{name}");
            assert!(!is_secret(name, &Type::Boolean), "{name}");
        }
        for name in [
            "SecretId",
            "TokenType",
            "PasswordPolicy",
            "NextToken",
            "PageToken",
            "PublicKey",
            "AccessKeyId",
            "Key",
            "TokenExpireTime",
            "KeyPairId",
            "CredentialName",
        ] {
            assert!(!is_secret(name, &Type::String), "{name}");
        }
    }
}
