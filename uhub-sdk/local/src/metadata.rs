//! The metadata service of the platform's machines, reduced to temporary credentials.

use http::StatusCode;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::data::store::Store;
use crate::http::response::ServiceResponse;
use crate::protocol::{fields, ret_code};

/// The path of the machine's role. A slash and a name select a role by its name.
const PATH: &str = "/meta-data/v2/iam/security-credentials";

/// The role whose credentials are requested.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RoleSelector {
    Default,
    Named(String),
}

/// The role that a path selects. `None` for a path of another service.
pub(crate) fn parse_path(path: &str) -> Option<RoleSelector> {
    match path.strip_prefix(PATH)? {
        "" | "/" => Some(RoleSelector::Default),
        rest => {
            let name = percent_decode_str(rest.strip_prefix('/')?);
            Some(RoleSelector::Named(name.decode_utf8_lossy().into_owned()))
        }
    }
}

/// Issues credentials that expire by the service's clock.
pub(crate) fn respond(selector: &RoleSelector, store: &mut Store) -> ServiceResponse {
    let role = store.role.as_ref().filter(|role| match selector {
        RoleSelector::Default => true,
        RoleSelector::Named(name) => *name == role.name,
    });
    let Some(role) = role else {
        return ServiceResponse::text(StatusCode::NOT_FOUND, "no such role\n");
    };
    let lifetime = i64::try_from(role.lifetime.as_secs()).unwrap_or(i64::MAX);
    let expires = store.now().saturating_add(lifetime);
    let user = store.issue(expires);
    let data = json!({
        "AccessKeyId": user.public_key,
        "AccessKeySecret": user.private_key,
        "SecurityToken": user.security_token,
        "Expiration": rfc3339(expires),
    });
    ServiceResponse::fields(fields([("RetCode", ret_code::SUCCESS.into()), ("Data", data)]))
}

/// Unix seconds in RFC 3339, in UTC. Clamped to the years 1970 to 9999.
fn rfc3339(unix_seconds: i64) -> String {
    let seconds = unix_seconds.clamp(0, Timestamp::MAX.as_second());
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_select_roles() {
        let named = |name: &str| Some(RoleSelector::Named(name.to_owned()));
        for (rest, expected) in [
            ("", Some(RoleSelector::Default)),
            ("/", Some(RoleSelector::Default)),
            ("/web", named("web")),
            ("/a%2Fb%20c", named("a/b c")),
            ("x", None),
        ] {
            assert_eq!(parse_path(&format!("{PATH}{rest}")), expected, "{rest}");
        }
        for path in ["/", "", "/meta-data"] {
            assert_eq!(parse_path(path), None, "{path}");
        }
    }

    #[test]
    fn times_have_the_form_of_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_342_434_682, "2012-07-16T10:31:22Z"),
            (i64::MIN, "1970-01-01T00:00:00Z"),
            (i64::MAX, "9999-12-30T22:00:00Z"),
        ] {
            assert_eq!(rfc3339(seconds), text);
        }
    }
}
