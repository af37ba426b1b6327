//! The platform's protocol: parameters in three encodings, signatures and return codes. No I/O.

use std::{collections::BTreeMap, fmt};

use http::StatusCode;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Number, Value};
use sha1::{Digest, Sha1};

/// The return codes of this server.
pub(crate) mod ret_code {
    pub(crate) const SUCCESS: i64 = 0;
    pub(crate) const MISSING_ACTION: i64 = 160;
    pub(crate) const UNKNOWN_ACTION: i64 = 161;
    pub(crate) const MISSING_SIGNATURE: i64 = 170;
    pub(crate) const WRONG_SIGNATURE: i64 = 171;
    pub(crate) const UNKNOWN_USER: i64 = 172;
    pub(crate) const UNKNOWN_TOKEN: i64 = 174;
    pub(crate) const UNKNOWN_PROJECT: i64 = 292;
    pub(crate) const PERMISSION_DENIED: i64 = 299;
    // The documentation has no codes for these: they are this server's choice.
    pub(crate) const MISSING_PARAMETER: i64 = 220;
    pub(crate) const BAD_PARAMETER: i64 = 230;
    pub(crate) const NAME_TAKEN: i64 = 63001;
    pub(crate) const TOO_MANY_REPOSITORIES: i64 = 63002;
    pub(crate) const REPOSITORY_NOT_EMPTY: i64 = 63003;
}

/// The fields of a response besides the envelope.
pub(crate) type Fields = Map<String, Value>;

/// What an action returns.
pub(crate) type ActionResult = Result<Fields, Refusal>;

pub(crate) fn fields<const N: usize>(fields: [(&str, Value); N]) -> Fields {
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    fields.into_iter().collect()
}

/// Why a request was refused. The message never quotes a value: it could be a key or a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) ret_code: i64,
    pub(crate) message: String,
}

impl Refusal {
    /// The service refuses.
    pub(crate) fn new(ret_code: i64, message: impl Into<String>) -> Self {
        Self { status: StatusCode::OK, ret_code, message: message.into() }
    }

    /// The request does not follow the protocol.
    pub(crate) fn http(status: StatusCode, message: &str) -> Self {
        Self { status, ..Self::new(ret_code::BAD_PARAMETER, message) }
    }

    pub(crate) fn missing(parameter: &str) -> Self {
        Self::new(ret_code::MISSING_PARAMETER, format!("Missing params [{parameter}]"))
    }

    pub(crate) fn unavailable(parameter: &str) -> Self {
        Self::new(ret_code::BAD_PARAMETER, format!("Params [{parameter}] not available"))
    }
}

/// Why a query or body cannot be read.
type Malformed = &'static str;

/// The limit on parameters: each takes far more memory than its text.
const MAX_PARAMETERS: usize = 10_000;
const TOO_MANY: Malformed = "more than 10,000 parameters";

/// The limit on names and values of flattened JSON, which repeats the outer names.
const MAX_BYTES: usize = 2 * 1024 * 1024;
const TOO_LONG: Malformed = "names and values exceed 2 MiB";

/// The parameters of a request as text, in the order of arrival.
///
/// If a parameter is repeated, as `ProjectId` is in the documentation's example, the last value
/// wins, as in a JSON object. Only that value is signed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query or form: `A=1&B=2`, percent-encoded.
    pub(crate) fn from_form(text: &[u8]) -> Result<Self, Malformed> {
        let pairs = text.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty());
        let mut parameters = Vec::new();
        for pair in pairs {
            if parameters.len() == MAX_PARAMETERS {
                return Err(TOO_MANY);
            }
            let mut parts = pair.splitn(2, |&byte| byte == b'=');
            let mut next_part = || percent_decode(parts.next().unwrap_or_default());
            parameters.push((next_part()?, next_part()?));
        }
        Ok(Self(parameters))
    }

    /// Reads a JSON object and flattens it: `{"A": [{"B": 1}]}` becomes `A.0.B=1`.
    pub(crate) fn from_json(text: &[u8]) -> Result<Self, Malformed> {
        let OrderedFields(fields) =
            serde_json::from_slice(text).map_err(|_| "the body is not a JSON object")?;
        let mut flat = Flattener::default();
        for (name, value) in fields {
            flat.name = name;
            flat.add(value)?;
        }
        Ok(Self(flat.parameters))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let last = self.0.iter().rev().find(|(each, _)| each == name)?;
        Some(&last.1)
    }

    /// The value of a parameter, unless it is empty.
    pub(crate) fn non_empty(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    pub(crate) fn to_pairs(&self) -> Vec<(String, String)> {
        self.0.clone()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The parameters without one.
    pub(crate) fn without(&self, name: &str) -> Self {
        let others = self.0.iter().filter(|(each, _)| each != name);
        Self(others.cloned().collect())
    }

    /// The signed text: every parameter but the signature, sorted by name, each name followed by
    /// its value.
    fn string_to_sign(&self) -> String {
        // `str` is ordered bytewise, and the last of repeated values wins.
        let sorted: BTreeMap<&str, &str> = self
            .0
            .iter()
            .filter(|(name, _)| name != "Signature")
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        sorted.into_iter().flat_map(<[&str; 2]>::from).collect()
    }

    /// The signature of the parameters.
    fn signature(&self, private_key: &str) -> String {
        let hash =
            Sha1::new().chain_update(self.string_to_sign()).chain_update(private_key).finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn is_signed_by(&self, private_key: &str, signature: &str) -> bool {
        self.signature(private_key) == signature
    }
}

/// Stricter than a browser: a stray `%` or invalid UTF-8 is a mistake that a test should find.
fn percent_decode(text: &[u8]) -> Result<String, Malformed> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) =
                    digit().zip(digit()).ok_or("a percent sign does not start an escape")?;
                (high * 16 + low) as u8
            }
            other => other,
        });
    }
    String::from_utf8(decoded).map_err(|_| "a name or value is not UTF-8")
}

/// Flattens JSON.
#[derive(Default)]
struct Flattener {
    parameters: Vec<(String, String)>,
    /// The name of the next value.
    name: String,
    /// The length of all names and values.
    bytes: usize,
}

impl Flattener {
    fn add(&mut self, value: Value) -> Result<(), Malformed> {
        match value {
            Value::String(text) => self.push(text),
            Value::Bool(value) => self.push(value.to_string()),
            Value::Number(number) => self.push(number_text(&number)),
            // These have no signed text: they would look absent.
            Value::Null => Err("a parameter is null"),
            Value::Array(items) if items.is_empty() => Err(EMPTY),
            Value::Object(fields) if fields.is_empty() => Err(EMPTY),
            Value::Array(items) => (0_usize..)
                .zip(items)
                .try_for_each(|(index, item)| self.add_within(&index.to_string(), item)),
            Value::Object(fields) => {
                fields.into_iter().try_for_each(|(field, item)| self.add_within(&field, item))
            }
        }
    }

    fn add_within(&mut self, part: &str, item: Value) -> Result<(), Malformed> {
        let outer = self.name.len();
        self.name.push('.');
        self.name.push_str(part);
        self.add(item)?;
        self.name.truncate(outer);
        Ok(())
    }

    fn push(&mut self, text: String) -> Result<(), Malformed> {
        if self.parameters.len() == MAX_PARAMETERS {
            return Err(TOO_MANY);
        }
        self.bytes += self.name.len() + text.len();
        if self.bytes > MAX_BYTES {
            return Err(TOO_LONG);
        }
        self.parameters.push((self.name.clone(), text));
        Ok(())
    }
}

const EMPTY: Malformed = "a parameter is an empty list or object";

/// The signed text of a number: without an exponent, and without `.0`.
fn number_text(number: &Number) -> String {
    match number.as_f64() {
        // Rust's `Display` has this form, except for a negative zero.
        Some(float) if number.is_f64() => (float + 0.0).to_string(),
        _ => number.to_string(),
    }
}

/// The fields of a JSON object in the order of arrival, which a map does not keep.
struct OrderedFields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for OrderedFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = OrderedFields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OrderedFields, A::Error> {
                let fields = std::iter::from_fn(|| map.next_entry().transpose());
                fields.collect::<Result<_, _>>().map(OrderedFields)
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &str = include_str!("../tests/data/signature.json");

    fn form(text: &str) -> Vec<(String, String)> {
        Parameters::from_form(text.as_bytes()).unwrap().to_pairs()
    }

    fn json(text: &str) -> Vec<(String, String)> {
        Parameters::from_json(text.as_bytes()).unwrap().to_pairs()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        expected.iter().map(owned).collect()
    }

    #[test]
    fn signatures_match_the_vectors() {
        let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
        assert!(vectors.len() >= 12, "only {} vectors", vectors.len());
        for vector in vectors {
            let name = vector["name"].as_str().unwrap();
            let private_key = vector["private_key"].as_str().unwrap();
            let signature = vector["signature"].as_str().unwrap();

            let from_json =
                Parameters::from_json(vector["parameters"].to_string().as_bytes()).unwrap();
            let text = from_json.string_to_sign();
            assert_eq!(format!("{text}<private key>"), vector["string_to_sign"], "{name}");
            assert_eq!(from_json.signature(private_key), signature, "{name}");

            // The same as a form, in reverse order and with the signature.
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("Signature", signature)
                .extend_pairs(from_json.0.iter().rev())
                .finish();
            let from_form = Parameters::from_form(query.as_bytes()).unwrap();
            assert!(from_form.is_signed_by(private_key, signature), "{name}");
            assert!(!from_form.is_signed_by("another key", signature), "{name}");
            assert!(!from_form.is_signed_by(private_key, &signature.to_uppercase()), "{name}");
        }
    }

    #[test]
    fn names_are_sorted_by_their_bytes() {
        let parameters =
            Parameters::from_form("b=1&é=2&a.2=3&a.10=4&B=5&aa=6&a=7".as_bytes()).unwrap();
        assert_eq!(parameters.string_to_sign(), "B5a7a.104a.23aa6b1é2");
    }

    #[test]
    fn any_change_breaks_the_signature() {
        let parameters = |text: &str| Parameters::from_form(text.as_bytes()).unwrap();
        let signature = parameters("Action=A&Name=x").signature("key");
        for changed in ["Action=A&Name=y", "Action=A&Name=x&More=", "Action=A", "Action=A&name=x"] {
            assert!(!parameters(changed).is_signed_by("key", &signature), "{changed}");
        }
        assert!(!parameters("Action=A&Name=x").is_signed_by("key", &signature[..39]));
        assert!(!parameters("Action=A&Name=x").is_signed_by("key", &format!("{signature}0")));
        assert!(!parameters("Action=A&Name=x").is_signed_by("key", ""));
    }

    #[test]
    fn a_form_is_decoded() {
        assert_eq!(
            form("A=a+b%20c&B=%E5%9F%BA&C=1%2B1%3d2&&D&E==&A=again"),
            pairs(&[
                ("A", "a b c"),
                ("B", "基"),
                ("C", "1+1=2"),
                ("D", ""),
                ("E", "="),
                ("A", "again"),
            ]),
        );
        assert_eq!(form(""), []);
    }

    #[test]
    fn a_malformed_form_is_refused() {
        for text in ["A=%", "A=%2", "A=%zz", "%+1=A", "A=%ff", "A=%e5%9f"] {
            assert!(Parameters::from_form(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Parameters::from_form(b"A=\xff").is_err());
    }

    #[test]
    fn json_is_flattened() {
        assert_eq!(
            json(r#"{"Z": "z", "A": [1, {"C": "c", "D": [true]}], "O": {"P": false}, "E": ""}"#),
            pairs(&[
                ("Z", "z"),
                ("A.0", "1"),
                ("A.1.C", "c"),
                ("A.1.D.0", "true"),
                ("O.P", "false"),
                ("E", ""),
            ]),
        );
        assert_eq!(json("{}"), []);
    }

    #[test]
    fn json_numbers_become_the_text_that_is_signed() {
        let texts = [
            ("0", "0"),
            ("-7", "-7"),
            ("18446744073709551615", "18446744073709551615"),
            ("35.0", "35"),
            ("65.722", "65.722"),
            ("1e3", "1000"),
            ("1.5E-7", "0.00000015"),
            ("1e21", "1000000000000000000000"),
            ("-0.0", "0"),
        ];
        for (number, text) in texts {
            assert_eq!(json(&format!(r#"{{"N": {number}}}"#)), pairs(&[("N", text)]));
        }
    }

    #[test]
    fn malformed_json_is_refused() {
        let deep = format!(r#"{{"A": {}"#, "[".repeat(100_000));
        for text in [
            "",
            "null",
            "[]",
            "1",
            "\"A\"",
            "{",
            "{}{}",
            "{\"A\":}",
            r#"{"A": null}"#,
            r#"{"A": []}"#,
            r#"{"A": {}}"#,
            r#"{"A": [1, {"B": []}]}"#,
            &deep,
        ] {
            assert!(Parameters::from_json(text.as_bytes()).is_err(), "{text:.20}");
        }
        assert!(Parameters::from_json(b"{\"A\": \"\xff\"}").is_err());
    }

    #[test]
    fn more_than_ten_thousand_parameters_are_refused() {
        let forms = |count| "A=&".repeat(count);
        let most = forms(MAX_PARAMETERS);
        let more = forms(MAX_PARAMETERS + 1);
        assert!(Parameters::from_form(most.as_bytes()).is_ok());
        assert_eq!(Parameters::from_form(more.as_bytes()), Err(TOO_MANY));
        let json = |count| format!("{{\"A\": [{}0]}}", "0,".repeat(count - 1));
        let (most, more) = (json(MAX_PARAMETERS), json(MAX_PARAMETERS + 1));
        assert!(Parameters::from_json(most.as_bytes()).is_ok());
        assert_eq!(Parameters::from_json(more.as_bytes()), Err(TOO_MANY));
    }

    #[test]
    fn repeated_outer_names_are_limited() {
        let json = |count: usize| {
            let name = "x".repeat(MAX_BYTES / 4);
            format!("{{\"{name}\": [{}0]}}", "0,".repeat(count - 1))
        };
        assert!(Parameters::from_json(json(3).as_bytes()).is_ok());
        assert_eq!(Parameters::from_json(json(4).as_bytes()), Err(TOO_LONG));
        // An exponent makes a short number long.
        let long = format!("{{\"A\": [{}0]}}", "1e300,".repeat(9_000));
        assert_eq!(Parameters::from_json(long.as_bytes()), Err(TOO_LONG));
    }

    #[test]
    fn the_last_value_of_a_repeated_parameter_wins() {
        for parameters in [
            Parameters::from_form(b"A=1&B=2&A=3"),
            Parameters::from_json(br#"{"A": 1, "B": 2, "A": 3}"#),
        ] {
            let parameters = parameters.unwrap();
            assert_eq!(parameters.get("A"), Some("3"));
            assert_eq!(parameters.string_to_sign(), "A3B2");
        }
    }
}
