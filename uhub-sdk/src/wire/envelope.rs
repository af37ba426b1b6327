//! The envelope of a response: the fields that every response has. Only `RetCode` 0 is success.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, MapAccess};
use serde_json::{Map, Value};

use crate::wire::decode::{self, Field, FieldContext, Model, Reading, Siblings};

/// The fields that every response has.
#[derive(Debug, Default)]
pub(crate) struct Envelope {
    ret_code: ReadCode,
    /// Whether there is a `RetCode` in other capitals.
    has_misspelled_code: bool,
    pub(crate) action: Option<String>,
    pub(crate) message: Option<String>,
}

/// What was read as `RetCode`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum ReadCode {
    #[default]
    Absent,
    Code(i64),
    /// `0.0`, or what rounds to it.
    Float,
    /// It is not a code, or comes twice.
    Doubtful,
}

impl ReadCode {
    /// Reads a value. Only a number, or the same number as a string, is a code.
    fn of(value: &Value) -> Self {
        let code = match value {
            Value::Number(number) if number.is_f64() => {
                let is_zero = number.as_f64().is_some_and(|code| code.to_bits() == 0);
                return if is_zero { Self::Float } else { Self::Doubtful };
            }
            // `-0` is not canonical. With `arbitrary_precision`, serde_json keeps it.
            Value::Number(number) => {
                number.as_i64().filter(|code| *code != 0 || number.as_u64().is_some())
            }
            Value::String(text) => text.parse().ok().filter(|code: &i64| code.to_string() == *text),
            _ => None,
        };
        code.map_or(Self::Doubtful, Self::Code)
    }

    /// Joins the code with one that comes later. A refusal takes precedence.
    fn and(self, later: Self) -> Self {
        match (self, later) {
            (Self::Absent, later) => later,
            (refusal @ Self::Code(1.. | ..=-1), _) | (_, refusal @ Self::Code(1.. | ..=-1)) => {
                refusal
            }
            _ => Self::Doubtful,
        }
    }
}

/// Why a body is not a success.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// The service returned a code other than 0.
    Refused { ret_code: i64, message: Option<String> },
    /// The body is not the service's.
    NoEnvelope { reason: String },
    /// The service returned 0, but the other fields cannot be decoded.
    Undecodable { path: String, reason: String },
    /// The service returned 0, but the other fields exceed the limits of a response.
    TooLarge { reason: String },
}

impl BodyError {
    fn undecodable(path: String, reason: impl ToString) -> Self {
        Self::Undecodable { path, reason: reason.to_string() }
    }
}

pub(crate) type ReadResult<T> = Result<(T, Envelope), BodyError>;

/// Reads a body. The envelope takes precedence, in whatever order the fields come.
pub(crate) fn read<M: Model>(body: &[u8], reading: &Reading) -> ReadResult<M> {
    // Checking the text once as a whole is faster than string by string.
    let text = to_text(without_bom(body));
    // Nearly always one pass reads both.
    let mut envelope = Envelope::default();
    let error = match read_object::<M>(&text, reading, &mut envelope) {
        Ok(model) => {
            let envelope = envelope.check(&text)?;
            return match text {
                Cow::Borrowed(_) => Ok((model, envelope)),
                Cow::Owned(_) => {
                    let reason = "the body is not valid UTF-8";
                    Err(BodyError::undecodable(String::new(), reason))
                }
            };
        }
        Err(error) => error,
    };
    // Other fields do not matter if the service refused the call.
    let mut envelope = Envelope::default();
    let reason = match read_object::<()>(&text, &Reading::default(), &mut envelope) {
        Ok(()) => {
            envelope.check(&text)?;
            return Err(reading.error(error));
        }
        Err(_) if text.trim().is_empty() => "the body is empty".to_owned(),
        Err(error) if error.is_data() => "the body is not a JSON object".to_owned(),
        Err(error) if error.is_eof() => format!("the body is incomplete: {error}"),
        Err(error) => format!("the body is invalid JSON: {error}"),
    };
    Err(BodyError::NoEnvelope { reason })
}

/// Reads a body as any type, without the tolerance for models.
pub(crate) fn read_untyped<T: DeserializeOwned>(body: &[u8], reading: &Reading) -> ReadResult<T> {
    let ((), envelope) = read(body, &Reading::default())?;
    let body = without_bom(body);
    // `read` has checked the text.
    decode::check_untyped(&to_text(body), &reading.budget)
        .and_then(|()| serde_json::from_slice(body))
        .map(|value| (value, envelope))
        .map_err(|error| reading.error(error))
}

impl Reading {
    /// Returns why a successful response was not read.
    fn error(&self, error: serde_json::Error) -> BodyError {
        match self.budget.exceeded() {
            Some(reason) => BodyError::TooLarge { reason },
            None => BodyError::undecodable(self.path(), error),
        }
    }
}

fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Returns a body as text. The standard library's lossy conversion checks byte by byte.
fn to_text(body: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed)
}

fn read_object<M: Model>(
    text: &str,
    reading: &Reading,
    envelope: &mut Envelope,
) -> serde_json::Result<M> {
    let mut from = serde_json::Deserializer::from_str(text);
    let mut model = M::default();
    decode::read_model(&mut from, &mut model, reading, envelope, None)?;
    from.end()?;
    Ok(model)
}

/// Returns the fields of a body; none if it is not a JSON object.
pub(crate) fn fields(body: &[u8]) -> Map<String, Value> {
    serde_json::from_str(&to_text(without_bom(body))).unwrap_or_default()
}

/// The size up to which a refusal is searched for a text, in bytes. A value takes much more memory
/// than its JSON.
const MAX_REFUSAL: usize = 64 << 10;

/// Returns whether a refusal has fields beyond the envelope.
pub(crate) fn has_other_fields(body: &[u8]) -> bool {
    body.len() <= MAX_REFUSAL && fields(body).keys().any(|name| !is_known::<()>(name))
}

/// Returns whether a field is the model's or the envelope's.
pub(crate) fn is_known<M: Model>(name: &str) -> bool {
    M::index_of(name).is_some() || Envelope::index_of(name).is_some()
}

/// Returns the text of a refusal from where gateways and some actions put it.
fn other_message(body: &str) -> Option<String> {
    if body.len() > MAX_REFUSAL {
        return None;
    }
    const NAMES: [&str; 13] = [
        "message",
        "errmsg",
        "errormsg",
        "errormessage",
        "errordescription",
        "error",
        "err",
        "msg",
        "detail",
        "details",
        "reason",
        "description",
        "errors",
    ];
    let mut found: Vec<(usize, String)> = fields(body.as_bytes())
        .into_iter()
        .filter_map(|(name, value)| {
            let name = name.replace(['_', '-'], "").to_ascii_lowercase();
            let rank = NAMES.iter().position(|known| *known == name)?;
            Some((rank, into_text(value).filter(|text| is_telling(text))?))
        })
        .collect();
    found.sort();
    found.into_iter().next().map(|(_, text)| text)
}

/// Returns whether a text says what happened: a JSON value without a text in it does not.
fn is_telling(text: &str) -> bool {
    !["", "{}", "[]", "true", "false"].contains(&text.trim())
}

/// Returns a value as text: a string unchanged, any other value but `null` as JSON.
fn into_text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        value => Some(value.to_string()),
    }
}

/// Returns whether `RetCode` is written `0.0`: `1e-400` is read as the same number.
fn is_float_zero(body: &str) -> bool {
    body.split("\"RetCode\"").skip(1).any(|rest| {
        let value = rest.trim_start().strip_prefix(':').map(str::trim_start);
        let end = value.and_then(|value| value.strip_prefix("0.0"));
        end.is_some_and(|end| end.trim_start().starts_with([',', '}']))
    })
}

impl Envelope {
    fn check(self, body: &str) -> Result<Self, BodyError> {
        match self.ret_code {
            ReadCode::Code(0) if !self.has_misspelled_code => Ok(self),
            ReadCode::Float if !self.has_misspelled_code && is_float_zero(body) => Ok(self),
            ReadCode::Code(0) | ReadCode::Float | ReadCode::Doubtful => {
                let reason = "its `RetCode` is not exactly one integer";
                Err(BodyError::NoEnvelope { reason: reason.to_owned() })
            }
            ReadCode::Code(ret_code) => {
                let own = self.message.filter(|text| !text.trim().is_empty());
                let message = match own {
                    Some(text) if is_telling(&text) => Some(text),
                    own => other_message(body).or(own),
                };
                Err(BodyError::Refused { ret_code, message })
            }
            ReadCode::Absent => {
                Err(BodyError::NoEnvelope { reason: "the body has no `RetCode`".to_owned() })
            }
        }
    }
}

impl Model for Envelope {
    const NAME: &'static str = "Envelope";
    const FIELDS: &'static [Field] = &[
        Field::optional("RetCode"),
        Field::optional("Action"),
        Field::optional("Message"),
        Field::optional("retcode"),
    ];

    fn index_of(key: &str) -> Option<u8> {
        match key {
            "RetCode" => Some(0),
            "Action" => Some(1),
            "Message" => Some(2),
            _ if key.eq_ignore_ascii_case("RetCode") => Some(3),
            _ => None,
        }
    }

    fn read_field<'de, A: MapAccess<'de>>(
        &mut self,
        field: FieldContext<'_>,
        from: &mut A,
    ) -> Result<(), A::Error> {
        let value: Value = from.next_value()?;
        match field.index {
            0 => self.ret_code = self.ret_code.and(ReadCode::of(&value)),
            1 => self.action = into_text(value),
            2 => self.message = into_text(value),
            _ => self.has_misspelled_code = true,
        }
        Ok(())
    }
}

impl Siblings for Envelope {
    fn is_success(&self) -> bool {
        matches!(self.ret_code, ReadCode::Code(0) | ReadCode::Float)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{
        decode::Mismatch,
        fixture::{EXAMPLE, GetRepoImageResponse, Image},
    };

    fn read(body: &str) -> Result<GetRepoImageResponse, BodyError> {
        super::read(body.as_bytes(), &Reading::default()).map(|(response, _)| response)
    }

    /// The documented example with one thing changed.
    fn varied(from: &str, to: &str) -> String {
        assert!(EXAMPLE.contains(from), "{from}");
        EXAMPLE.replace(from, to)
    }

    #[test]
    fn the_documented_example_is_read() {
        let page = read(EXAMPLE).unwrap();
        assert_eq!((page.total_count, page.images.len()), (5, 9));
        let first = Image {
            image_name: "dCVBnkxg".to_owned(),
            pull_count: 4,
            create_time: "5".into(),
            update_time: "7".into(),
            latest_tag: "iBvvYGkW".to_owned(),
            // Fields that the service adds later.
            ..Image::default()
        };
        assert_eq!(page.images[0], first);
    }

    #[test]
    fn known_variations_are_read_alike() {
        let example = read(EXAMPLE).unwrap();
        assert_eq!(read(&format!("\u{feff}{EXAMPLE}")).unwrap(), example);
        for (from, to) in [
            ("\"RetCode\": 0", "\"RetCode\": \"0\""),
            ("\"RetCode\": 0", "\"RetCode\": 0.0"),
            ("\"RetCode\": 0", "\"RetCode\": 0, \"Extra\": {\"RetCode\": 171, \"A\": [null, {}]}"),
            ("\"PullCount\": 4", "\"PullCount\": \"4\", \"New\": [1, {\"a\": null}]"),
            ("\"PullCount\": 4", "\"PullCount\": 4.0"),
            ("\"CreateTime\": 5", "\"CreateTime\": \"5\""),
            ("\"TotalCount\": 5", "\"TotalCount\": \" 5\""),
            ("\"Action\": \"GetRepoImageResponse\"", "\"Action\": null"),
            ("\"Action\": \"GetRepoImageResponse\"", "\"Message\": [\"odd\"]"),
        ] {
            assert_eq!(read(&varied(from, to)).unwrap(), example, "{to}");
        }
        let named =
            read(&varied("\"PullCount\": 4", "\"RepoName\": \"base\", \"PullCount\": true"))
                .unwrap();
        assert_eq!(
            (named.images[0].repo_name.as_deref(), named.images[0].pull_count),
            (Some("base"), 1)
        );
    }

    #[test]
    fn a_list_may_be_absent_only_if_its_count_is_zero() {
        for body in [
            r#"{"RetCode": 0, "TotalCount": 5, "ImageSet": null}"#,
            r#"{"RetCode": 0, "TotalCount": 0, "ImageSet": []}"#,
            r#"{"RetCode": 0, "TotalCount": 0}"#,
            r#"{"TotalCount": "0", "RetCode": 0}"#,
        ] {
            assert_eq!(read(body).unwrap().images, [], "{body}");
        }
        for body in [
            r#"{"RetCode": 0}"#,
            r#"{"RetCode": 0, "TotalCount": null}"#,
            r#"{"RetCode": 0, "TotalCount": 5}"#,
            r#"{"RetCode": 0, "TotalCount": 5, "Imageset": []}"#,
        ] {
            let Err(BodyError::Undecodable { path, reason }) = read(body) else { panic!("{body}") };
            assert_eq!(path, "ImageSet");
            assert!(reason.contains("is missing"), "{reason}");
        }
    }

    #[test]
    fn a_refusal_takes_precedence_over_all_other_fields() {
        for body in [
            r#"{"RetCode": 171}"#,
            r#"{"RetCode": "171"}"#,
            r#"{"ImageSet": "what?", "TotalCount": [], "RetCode": 171}"#,
            r#"{"RetCode": 171, "RetCode": 0}"#,
            r#"{"RetCode": 0, "RetCode": 171, "TotalCount": 0}"#,
            &varied("\"RetCode\": 0", "\"RetCode\": 171"),
        ] {
            assert!(
                matches!(read(body), Err(BodyError::Refused { ret_code: 171, .. })),
                "{body}: {:?}",
                read(body)
            );
        }
    }

    /// A success that is not clearly one is none.
    #[test]
    fn a_doubtful_code_is_never_success() {
        for code in [
            r#""RetCode": {"code": 171}, "RetCode": 0"#,
            r#""RetCode": 0, "RetCode": {"code": 171}"#,
            r#""RetCode": [171], "RetCode": 0"#,
            r#""RetCode": null, "RetCode": 0"#,
            r#""RetCode": 0, "RetCode": null"#,
            r#""RetCode": true, "RetCode": 0"#,
            r#""RetCode": "no", "RetCode": "0""#,
            r#""RetCode": 0, "RetCode": 0"#,
            r#""RetCode": 0, "RetCode": 171, "RetCode": 0"#,
            r#""RetCode": 0, "retcode": 171"#,
            r#""retCode": 171, "RetCode": 0"#,
            r#""RETCODE": 0, "RetCode": 0"#,
            r#""RetCode": "00""#,
            r#""RetCode": "+0""#,
            r#""RetCode": "-0""#,
            r#""RetCode": " 0""#,
            r#""RetCode": "0.0""#,
            r#""RetCode": "0x0""#,
            r#""RetCode": -0"#,
            r#""RetCode": -0.0"#,
            r#""RetCode": 1e-400"#,
            r#""RetCode": 0e9"#,
            r#""RetCode": 1e400"#,
            r#""RetCode": 18446744073709551616"#,
            r#""RetCode": 340282366920938463463374607431768211456"#,
            r#""RetCode": 0.0000001"#,
            r#""RetCode": false"#,
            r#""RetCode": "false""#,
        ] {
            for body in [
                format!(r#"{{{code}, "TotalCount": 0, "ImageSet": []}}"#),
                format!(r#"{{"TotalCount": 0, "ImageSet": [], {code}}}"#),
            ] {
                let refused = read(&body);
                assert!(
                    matches!(
                        refused,
                        Err(BodyError::NoEnvelope { .. } | BodyError::Refused { ret_code: 171, .. })
                    ),
                    "{body}: {refused:?}"
                );
                assert!(
                    read_untyped::<Value>(body.as_bytes(), &Reading::default()).is_err(),
                    "{body}"
                );
            }
        }
    }

    #[test]
    fn the_text_of_a_refusal_is_found() {
        for (fields, expected) in [
            (r#""Message": "no""#, Some("no")),
            (r#""Message": {"en": "no"}"#, Some(r#"{"en":"no"}"#)),
            (r#""Message": ["no", 1]"#, Some(r#"["no",1]"#)),
            (r#""Message": 7"#, Some("7")),
            (r#""Message": "", "ErrMsg": "no""#, Some("no")),
            (r#""Message": null, "Error": "no""#, Some("no")),
            (r#""ErrMsg": "no""#, Some("no")),
            (r#""err_msg": "no""#, Some("no")),
            (r#""msg": "no""#, Some("no")),
            (r#""Error": {"Code": 1, "Message": "no"}"#, Some(r#"{"Code":1,"Message":"no"}"#)),
            (r#""error": "the code", "message": "no""#, Some("no")),
            (r#""Detail": "no", "ImageSet": "what?""#, Some("no")),
            (r#""Data": "no""#, None),
            (r#""Message": "  ""#, None),
        ] {
            let body = format!(r#"{{"RetCode": 171, {fields}}}"#);
            let Err(BodyError::Refused { message, .. }) = read(&body) else { panic!("{body}") };
            assert_eq!(message.as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn a_body_without_an_envelope_is_an_error() {
        for (body, expected) in [
            ("", "the body is empty"),
            (" \n", "the body is empty"),
            ("null", "the body is not a JSON object"),
            ("[]", "the body is not a JSON object"),
            ("0", "the body is not a JSON object"),
            ("\"RetCode\"", "the body is not a JSON object"),
            ("<html>502</html>", "the body is invalid JSON: expected value at line 1 column 1"),
            ("{}", "the body has no `RetCode`"),
            (r#"{"TotalCount": 0, "ImageSet": []}"#, "the body has no `RetCode`"),
            (r#"{"retcode": 0}"#, "the body has no `RetCode`"),
            (r#"{"RetCode": null}"#, "its `RetCode` is not exactly one integer"),
            (r#"{"RetCode": false}"#, "its `RetCode` is not exactly one integer"),
            (r#"{"RetCode": ""}"#, "its `RetCode` is not exactly one integer"),
            (r#"{"RetCode": 0.4, "TotalCount": 0}"#, "its `RetCode` is not exactly one integer"),
            (r#"{"RetCode": [0]}"#, "its `RetCode` is not exactly one integer"),
            (r#"{"RetCode": {"RetCode": 0}}"#, "its `RetCode` is not exactly one integer"),
            (r#"{"Data": {"RetCode": 0}}"#, "the body has no `RetCode`"),
            (
                r#"{"RetCode": 0} {"RetCode": 0}"#,
                "the body is invalid JSON: trailing characters at line 1 column 16",
            ),
            (
                r#"{"RetCode": 0"#,
                "the body is incomplete: EOF while parsing an object at line 1 column 13",
            ),
        ] {
            let Err(BodyError::NoEnvelope { reason }) = read(body) else {
                panic!("{body}: {:?}", read(body))
            };
            assert_eq!(reason, expected, "{body}");
        }
    }

    #[test]
    fn a_truncated_body_is_an_error() {
        for end in 0..EXAMPLE.len() {
            assert!(
                matches!(read(&EXAMPLE[..end]), Err(BodyError::NoEnvelope { .. })),
                "cut at {end}"
            );
        }
    }

    #[test]
    fn an_undecodable_field_is_reported_with_its_path() {
        for (from, to, path, expected) in [
            (
                "\"PullCount\": 9",
                "\"PullCount\": \"many\"",
                "ImageSet[4].PullCount",
                "string \"many\", expected an integer",
            ),
            (
                "\"PullCount\": 9",
                "\"PullCount\": 4.5",
                "ImageSet[4].PullCount",
                "floating point `4.5`",
            ),
            (
                "\"PullCount\": 9",
                "\"PullCount\": 99999999999999999999",
                "ImageSet[4].PullCount",
                "an integer",
            ),
            (
                "\"LatestTag\": \"MCnyUuwU\"",
                "\"LatestTag\": {}",
                "ImageSet[8].LatestTag",
                "map, expected a string",
            ),
            (
                "\"TotalCount\": 5",
                "\"TotalCount\": []",
                "TotalCount",
                "sequence, expected an integer",
            ),
            (
                "\"ImageSet\": [",
                "\"ImageSet\": [3,",
                "ImageSet[0]",
                "integer `3`, expected an object",
            ),
        ] {
            let Err(BodyError::Undecodable { path: found, reason }) = read(&varied(from, to))
            else {
                panic!("{to}")
            };
            assert_eq!(found, path);
            assert!(reason.contains(expected), "{reason}");
        }
    }

    #[test]
    fn mismatches_are_recorded_once() {
        let mismatches = |body: &str| {
            let reading = Reading::default();
            super::read::<GetRepoImageResponse>(body.as_bytes(), &reading).unwrap();
            let mut found: Vec<(&str, Mismatch)> = reading
                .take_warnings()
                .iter()
                .map(|warning| (warning.field, warning.what))
                .collect();
            found.sort_by_key(|(field, _)| *field);
            found
        };
        assert_eq!(mismatches(EXAMPLE), [], "a time may be a string or an integer");
        assert_eq!(
            mismatches(
                r#"{"RetCode": 0, "TotalCount": "1", "ImageSet": [{"PullCount": null, "LatestTag": "a",
                "CreateTime": "", "UpdateTime": ""}, null]}"#
            ),
            [
                ("ImageName", Mismatch::Missing),
                ("ImageSet", Mismatch::Missing),
                ("PullCount", Mismatch::Missing),
                ("TotalCount", Mismatch::Coerced { from: "string", to: "int" }),
            ]
        );
    }

    #[test]
    fn a_response_can_be_serialized_and_read_again() {
        let page = read(EXAMPLE).unwrap();
        let kept = serde_json::to_string(&page).unwrap();
        assert!(
            kept.starts_with(
                r#"{"TotalCount":5,"ImageSet":[{"ImageName":"dCVBnkxg","PullCount":4,"#
            ),
            "{kept}"
        );
        assert_eq!(serde_json::from_str::<GetRepoImageResponse>(&kept).unwrap(), page);
        assert!(serde_json::from_str::<GetRepoImageResponse>("null").is_err());
        assert!(serde_json::from_str::<GetRepoImageResponse>("{}").is_err());
    }

    #[test]
    fn a_refusal_may_be_invalid_utf_8_and_a_success_may_not() {
        let read = |body: &[u8]| super::read::<GetRepoImageResponse>(body, &Reading::default());
        let refusal = read(b"{\"RetCode\": 171, \"Message\": \"\xc7\xa9\xc3\xfb\"}");
        assert!(matches!(refusal, Err(BodyError::Refused { ret_code: 171, .. })), "{refusal:?}");
        let success = read(b"{\"RetCode\": 0, \"TotalCount\": 0, \"Message\": \"\xff\"}");
        let Err(BodyError::Undecodable { reason, .. }) = success else { panic!("{success:?}") };
        assert_eq!(reason, "the body is not valid UTF-8");
    }

    #[test]
    fn deep_nesting_is_an_error_without_stack_overflow() {
        let deep = format!("{{\"RetCode\": 0, \"ImageSet\": {}", "[".repeat(1_000_000));
        assert!(matches!(read(&deep), Err(BodyError::NoEnvelope { .. })));
    }
}
