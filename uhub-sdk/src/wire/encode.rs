//! Builds the HTTP request of a signed call.

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Uri,
    header::{CONTENT_TYPE, USER_AGENT},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::wire::sign::Signed;

/// How the parameters of a call are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// `POST` with a form in the body. The default.
    #[default]
    Form,
    /// `GET` with a query, as in the service's documentation.
    ///
    /// A signature has no timestamp or nonce, so a signed URL in a proxy's log can be replayed for
    /// ever. Prefer a body.
    Query,
    /// `POST` with a JSON object in the body.
    Json,
}

/// The characters that are escaped in queries and forms.
pub(crate) const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("uhub-sdk/", env!("CARGO_PKG_VERSION"), " rust"));

/// Returns the HTTP request of a signed call, or `None` if its URL would be too long.
///
/// `endpoint` must have a path and no query, which the client's builder checks.
pub(crate) fn request(
    endpoint: &Uri,
    encoding: Encoding,
    signed: &Signed<'_>,
) -> Option<Request<Bytes>> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = endpoint.clone();
    request.headers_mut().insert(USER_AGENT, AGENT);
    let (body, content_type) = match encoding {
        Encoding::Form => (pairs(signed, String::new()), "application/x-www-form-urlencoded"),
        Encoding::Json => (json(signed), "application/json"),
        Encoding::Query => {
            let query = pairs(signed, format!("{}?", endpoint.path()));
            let mut parts = endpoint.clone().into_parts();
            parts.path_and_query = Some(query.parse().ok()?);
            *request.uri_mut() = Uri::from_parts(parts).ok()?;
            return Some(request);
        }
    };
    *request.method_mut() = Method::POST;
    *request.body_mut() = body.into();
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Some(request)
}

/// Appends `Name=value&Name=value` to `out`.
fn pairs(signed: &Signed<'_>, mut out: String) -> String {
    out.reserve(256);
    for parameter in signed.parameters.iter() {
        out.extend(utf8_percent_encode(parameter.name, ESCAPED));
        out.push('=');
        out.extend(utf8_percent_encode(parameter.value, ESCAPED));
        out.push('&');
    }
    out.push_str("Signature=");
    out.push_str(signed.signature.as_str());
    out
}

/// Returns a flat JSON object, with numbers in the form that is signed.
fn json(signed: &Signed<'_>) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut out = String::with_capacity(256);
    out.push('{');
    for parameter in signed.parameters.iter() {
        out.push_str(&quoted(parameter.name));
        out.push(':');
        if parameter.is_text {
            out.push_str(&quoted(parameter.value));
        } else {
            out.push_str(parameter.value);
        }
        out.push(',');
    }
    out.push_str("\"Signature\":\"");
    out.push_str(signed.signature.as_str());
    out.push_str("\"}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        action::Action,
        actions::get_repo_image::GetRepoImageRequest,
        wire::parameters::Parameters,
        wire::sign::{common, sign},
    };

    // The key pair of the published signing vectors.
    const PUBLIC_KEY: &str = "ucloudsomeone@example.com1296235120854146120";
    const PRIVATE_KEY: &str = "46f09bb9fab4f12dfc160dae12273d5332b5debe";

    fn build<A: Action>(action: &A, encoding: Encoding, base: &'static str) -> Request<Bytes> {
        let common = common(A::NAME, PUBLIC_KEY, None);
        let mut parameters = Parameters::new(&common, &[]);
        action.add_parameters(&mut parameters);
        let signed = sign(parameters, PRIVATE_KEY);
        request(&Uri::from_static(base), encoding, &signed).unwrap()
    }

    fn documented() -> GetRepoImageRequest {
        GetRepoImageRequest::new("idkTdEFo").project_id("bbrEuvfC").offset(6).limit(6)
    }

    const PAIRS: &str = "Action=GetRepoImage&Limit=6&Offset=6&ProjectId=bbrEuvfC\
        &PublicKey=ucloudsomeone%40example.com1296235120854146120&RepoName=idkTdEFo\
        &Signature=a60fbbb39c6553161ca88100c92104eccbaeb806";

    #[test]
    fn the_documented_call_as_a_form() {
        let request = build(&documented(), Encoding::Form, "https://api.surfercloud.com/");
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri(), "https://api.surfercloud.com/");
        assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
        assert_eq!(
            request.headers()["user-agent"],
            concat!("uhub-sdk/", env!("CARGO_PKG_VERSION"), " rust")
        );
        assert_eq!(request.body(), PAIRS);
    }

    #[test]
    fn the_documented_call_as_a_query() {
        let request = build(&documented(), Encoding::Query, "https://api.surfercloud.com/");
        assert_eq!(request.method(), Method::GET);
        assert_eq!(request.uri().to_string(), format!("https://api.surfercloud.com/?{PAIRS}"));
        assert!(request.body().is_empty());
        assert_eq!(request.headers().get("content-type"), None);
        let below = build(&documented(), Encoding::Query, "https://gateway.example/uhub/");
        assert_eq!(below.uri().to_string(), format!("https://gateway.example/uhub/?{PAIRS}"));
    }

    #[test]
    fn the_documented_call_as_json() {
        let request = build(&documented(), Encoding::Json, "https://api.surfercloud.com/");
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(
            request.body(),
            concat!(
                r#"{"Action":"GetRepoImage","Limit":6,"Offset":6,"ProjectId":"bbrEuvfC","#,
                r#""PublicKey":"ucloudsomeone@example.com1296235120854146120","RepoName":"idkTdEFo","#,
                r#""Signature":"a60fbbb39c6553161ca88100c92104eccbaeb806"}"#
            )
        );
    }

    proptest::proptest! {
        /// Independent readers of forms and JSON get any text back.
        #[test]
        fn any_text_survives(text in ".+") {
            let action = GetRepoImageRequest::new(text.clone());
            let form = build(&action, Encoding::Form, "https://api.surfercloud.com/");
            let query = build(&action, Encoding::Query, "https://api.surfercloud.com/");
            for pairs in [form.body().to_vec(), query.uri().query().unwrap().as_bytes().to_vec()] {
                let read = url::form_urlencoded::parse(&pairs).find(|(name, _)| name == "RepoName").unwrap().1.into_owned();
                proptest::prop_assert_eq!(&read, &text);
            }
            let json: serde_json::Value =
                serde_json::from_slice(build(&action, Encoding::Json, "https://api.surfercloud.com/").body()).unwrap();
            proptest::prop_assert_eq!(json["RepoName"].as_str(), Some(text.as_str()));
        }
    }
}
