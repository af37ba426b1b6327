//! The metadata service of the platform's machines, reduced to temporary credentials.

use http::StatusCode;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::protocol::{fields, ret_code};
use crate::{data::store::Store, http::response::ServiceResponse};

/// The path of the machine's role. A slash and a name select a role by its name.
const PATH: &str = "/meta-data/v2/iam/security-credentials";

/// The role that a path names, or an empty name for the machine's role. `None` for a path of
/// another service.
pub(crate) fn role_name(path: &str) -> Option<String> {
    let rest = path.strip_prefix(PATH)?;
    let name = if rest.is_empty() { rest } else { rest.strip_prefix('/')? };
    Some(percent_decode_str(name).decode_utf8_lossy().into_owned())
}

/// Issues credentials that expire by the service's clock.
pub(crate) fn respond(role_name: &str, store: &mut Store) -> ServiceResponse {
    let role = store.data.role.as_ref();
    let Some(role) = role.filter(|role| role_name.is_empty() || role_name == role.name) else {
        let (status, text) = (StatusCode::NOT_FOUND, Some("no such role\n"));
        return ServiceResponse { status, text, ..Default::default() };
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
    let fields = fields([("RetCode", ret_code::SUCCESS.into()), ("Data", data)]);
    ServiceResponse { fields, ..Default::default() }
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
        for (rest, expected) in [
            ("", Some("")),
            ("/", Some("")),
            ("/web", Some("web")),
            ("/a%2Fb%20c", Some("a/b c")),
            ("x", None),
        ] {
            assert_eq!(role_name(&format!("{PATH}{rest}")).as_deref(), expected, "{rest}");
        }
        for path in ["/", "", "/meta-data"] {
            assert_eq!(role_name(path), None, "{path}");
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
