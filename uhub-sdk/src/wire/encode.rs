//! Builds the HTTP request of a signed call.

use std::fmt;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri,
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

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Form => "form",
            Self::Query => "query",
            Self::Json => "JSON",
        })
    }
}

/// The characters that are escaped in queries and forms.
pub(crate) const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The header for the key of a dedicated channel to the service.
pub(crate) const CHANNEL_KEY: HeaderName = HeaderName::from_static("channel-key");

pub(crate) const AGENT: HeaderValue = HeaderValue::from_static(concat!(
    env!("CARGO_PKG_NAME"),
    "/",
    env!("CARGO_PKG_VERSION"),
    " rust"
));

impl Encoding {
    /// Returns the client's own headers, which are the same for every call.
    pub(crate) fn headers(self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, AGENT);
        let content_type = match self {
            Self::Form => Some("application/x-www-form-urlencoded"),
            Self::Json => Some("application/json"),
            Self::Query => None,
        };
        headers.extend(content_type.map(|kind| (CONTENT_TYPE, HeaderValue::from_static(kind))));
        headers
    }
}

/// Returns the HTTP request of a signed call, or `None` if its URL would be too long.
///
/// `endpoint` must have a path and no query, which the client's builder checks.
pub(crate) fn request(
    endpoint: &Uri,
    encoding: Encoding,
    headers: &HeaderMap,
    signed: &Signed<'_>,
) -> Option<Request<Bytes>> {
    let mut request = Request::new(Bytes::new());
    *request.headers_mut() = headers.clone();
    let body = match encoding {
        Encoding::Form => pairs(signed, String::new()),
        Encoding::Json => json(signed),
        Encoding::Query => {
            let query = pairs(signed, format!("{}?", endpoint.path()));
            let mut parts = endpoint.clone().into_parts();
            parts.path_and_query = Some(query.parse().ok()?);
            *request.uri_mut() = Uri::from_parts(parts).ok()?;
            return Some(request);
        }
    };
    *request.method_mut() = Method::POST;
    *request.uri_mut() = endpoint.clone();
    *request.body_mut() = body.into();
    Some(request)
}

/// Appends `Name=value&Name=value` to `out`.
fn pairs(signed: &Signed<'_>, mut out: String) -> String {
    out.reserve(256);
    let text = signed.parameters.text();
    // Most calls have nothing to escape.
    let is_plain = text.bytes().all(|byte| IS_UNRESERVED[usize::from(byte)]);
    let mut push = |text: &str, end: char| {
        if is_plain {
            out.push_str(text);
        } else {
            out.extend(utf8_percent_encode(text, ESCAPED));
        }
        out.push(end);
    };
    for parameter in signed.parameters.iter() {
        push(parameter.name, '=');
        push(parameter.value, '&');
    }
    out.push_str("Signature=");
    out.push_str(signed.signature.as_str());
    out
}

/// Whether a byte is a character that [`ESCAPED`] does not contain.
const IS_UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        byte += 1;
    }
    table
};

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
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::Value;
    use sha1::{Digest, Sha1};

    use super::*;
    use crate::{
        action::Action,
        wire::parameters::Parameters,
        wire::{
            fixture::GetRepoImageRequest,
            sign::{common, sign},
        },
    };

    // The key pair of the published signing vectors.
    const PUBLIC_KEY: &str = "ucloudsomeone@example.com1296235120854146120";
    const PRIVATE_KEY: &str = "46f09bb9fab4f12dfc160dae12273d5332b5debe";

    fn build<A: Action>(action: &A, encoding: Encoding, base: &'static str) -> Request<Bytes> {
        let common = common(A::NAME, PUBLIC_KEY, None);
        let mut parameters = Parameters::new(&common, &[]);
        action.add_parameters(&mut parameters);
        let signed = sign(parameters, PRIVATE_KEY);
        request(&Uri::from_static(base), encoding, &encoding.headers(), &signed).unwrap()
    }

    #[test]
    fn unreserved_characters_are_those_that_are_not_escaped() {
        for byte in 0..128_u8 {
            let text = char::from(byte).to_string();
            let is_escaped = utf8_percent_encode(&text, ESCAPED).to_string() != text;
            assert_ne!(IS_UNRESERVED[usize::from(byte)], is_escaped, "{text:?}");
        }
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
            concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"), " rust")
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
        let below = build(&documented(), Encoding::Query, "https://gateway.example/service/");
        assert_eq!(below.uri().to_string(), format!("https://gateway.example/service/?{PAIRS}"));
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

    /// Reads a flat object. Numbers are read by Rust's own exact reader: serde_json refuses some of
    /// those that it writes, and changes the last digit of others.
    fn read_json(text: &str) -> Vec<(String, String)> {
        let (mut rest, mut pairs) = (&text[1..], Vec::new());
        while !rest.is_empty() {
            let mut names = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            let name = names.next().unwrap().unwrap();
            rest = rest[names.byte_offset()..].strip_prefix(':').unwrap();
            let value = if rest.starts_with('"') {
                let mut texts = serde_json::Deserializer::from_str(rest).into_iter::<String>();
                let text = texts.next().unwrap().unwrap();
                rest = &rest[texts.byte_offset()..];
                text
            } else {
                let (value, after) = rest.split_at(rest.find([',', '}']).unwrap());
                rest = after;
                match (value, value.parse::<i128>(), value.parse::<f64>()) {
                    ("true" | "false", ..) => value.to_owned(),
                    (_, Ok(int), _) => int.to_string(),
                    (.., float) => float.unwrap().to_string(),
                }
            };
            pairs.push((name, value));
            rest = rest.strip_prefix([',', '}']).unwrap();
        }
        pairs
    }

    /// Reads the parameters of a request as a service does, and returns them with the signature.
    fn read_back(
        request: &Request<Bytes>,
        encoding: Encoding,
    ) -> (BTreeMap<String, String>, String) {
        let pairs: Vec<(String, String)> = match encoding {
            Encoding::Json => read_json(std::str::from_utf8(request.body()).unwrap()),
            _ => {
                let query = request.uri().query().unwrap_or_default().as_bytes();
                let pairs = if encoding == Encoding::Query { query } else { request.body() };
                url::form_urlencoded::parse(pairs)
                    .map(|(name, value)| (name.into_owned(), value.into_owned()))
                    .collect()
            }
        };
        let count = pairs.len();
        let mut parameters: BTreeMap<String, String> = pairs.into_iter().collect();
        assert_eq!(parameters.len(), count, "no name is sent twice");
        let signature = parameters.remove("Signature").unwrap();
        (parameters, signature)
    }

    fn any_number() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>()
                .prop_filter("JSON has no others", |float| float.is_finite())
                .prop_map(Value::from),
            prop::sample::select(vec![
                Value::from(-0.0),
                Value::from(0.0),
                Value::from(1e300),
                Value::from(5e-324),
                Value::from(f64::MAX),
                Value::from(f64::MIN_POSITIVE),
                Value::from(u64::MAX),
                Value::from(i64::MIN),
                Value::from(0.1 + 0.2),
                Value::from(1e16),
                Value::from(9e15),
            ]),
        ]
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any_number(),
            any::<bool>().prop_map(Value::from),
            ".+".prop_map(Value::from),
            prop::collection::vec(any::<char>(), 1..8)
                .prop_map(|text| Value::from(String::from_iter(text))),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(Value::from),
                prop::collection::btree_map("[^.]{1,3}", inner, 1..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest::proptest! {
        /// A service that computes the signature from what it received gets the same.
        #[test]
        fn what_is_signed_is_what_is_sent(
            parameters in prop::collection::btree_map("[A-Za-z]{1,3}|[^.]{1,4}|N[.]0", any_value(), 0..6),
        ) {
            prop_assume!(!parameters.contains_key("Signature"));
            for encoding in [Encoding::Form, Encoding::Query, Encoding::Json] {
                let common = common("DescribeSomethingNew", PUBLIC_KEY, Some("some_stoken"));
                let mut added = Parameters::new(&common, &[]);
                for (name, value) in &parameters {
                    added.add_json(name, value);
                }
                added.complete();
                let signed = sign(added, PRIVATE_KEY);
                if signed.parameters.refusal.is_some() {
                    // `N.0` beside the array `N`, for example: nothing is sent.
                    continue;
                }
                let endpoint = Uri::from_static("https://api.surfercloud.com/");
                let headers = encoding.headers();
                let Some(request) = request(&endpoint, encoding, &headers, &signed) else {
                    prop_assert_eq!(encoding, Encoding::Query, "only a URL can be too long");
                    continue;
                };
                let (read, signature) = read_back(&request, encoding);
                // Computed here from the documentation, not by the code under test.
                let mut hash = Sha1::new();
                for (name, value) in &read {
                    hash.update(name);
                    hash.update(value);
                }
                hash.update(PRIVATE_KEY);
                let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
                prop_assert_eq!(hex, signature, "{:?} {:?}", encoding, read);
            }
        }
    }

    #[test]
    fn what_has_two_meanings_is_not_sent() {
        let refusal = |parameters: &[(&str, Value)]| {
            let common = common("X", PUBLIC_KEY, None);
            let mut added = Parameters::new(&common, &[]);
            for (name, value) in parameters {
                added.add_json(name, value);
            }
            added.complete();
            sign(added, PRIVATE_KEY).parameters.refusal
        };
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        for parameters in [
            &[("Name", json("[1, 2]")), ("Name.0", json("3"))][..],
            &[("Name", json(r#"{"0": 1}"#)), ("Name", json("[2]"))],
            &[("Name", json("1")), ("Name", json("1"))],
            &[("Name", json(r#"{"a.b": 1, "a": {"b": 1}}"#))],
            &[("", json("1"))],
            &[("Signature", json("1"))],
            &[("Action", json("1"))],
            &[("Name", json("null"))],
            &[("Name", json("{}"))],
            &[("Name", json(r#"[""]"#))],
        ] {
            assert!(refusal(parameters).is_some(), "{parameters:?}");
        }
        assert_eq!(refusal(&[("Name", json("[1]")), ("Name.1", json("2"))]), None);
    }
}
