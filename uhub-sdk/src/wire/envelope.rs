//! The envelope of a response: the fields that every response has. Only `RetCode` 0 is success.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, MapAccess};
use serde_json::Value;

use crate::wire::decode::{self, Field, FieldContext, Model, Siblings, Warnings};

/// The fields that every response has.
#[derive(Debug, Default)]
pub(crate) struct Envelope {
    ret_code: Option<i64>,
    pub(crate) action: Option<String>,
    pub(crate) message: Option<String>,
}

/// Why a body is not a success.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// The service returned a code other than 0.
    Refused { ret_code: i64, envelope: Envelope },
    /// The body is not the service's.
    NoEnvelope { reason: String },
    /// The service returned 0, but the other fields cannot be decoded.
    Undecodable { path: String, reason: String },
}

impl BodyError {
    fn undecodable(path: String, reason: impl ToString) -> Self {
        Self::Undecodable { path, reason: reason.to_string() }
    }
}

pub(crate) type ReadResult<T> = Result<(T, Envelope), BodyError>;

/// Reads a body. The envelope takes precedence, in whatever order the fields come.
pub(crate) fn read<M: Model>(body: &[u8], warnings: &Warnings) -> ReadResult<M> {
    // Checking the text once as a whole is faster than string by string.
    let text = String::from_utf8_lossy(without_bom(body));
    // Nearly always one pass reads both.
    let mut envelope = Envelope::default();
    let error = match read_object::<M>(&text, warnings, &mut envelope) {
        Ok(model) => {
            let envelope = envelope.check()?;
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
    let reason = match read_object::<()>(&text, &Warnings::default(), &mut envelope) {
        Ok(()) => {
            envelope.check()?;
            return Err(BodyError::undecodable(warnings.path(), error));
        }
        Err(_) if text.trim().is_empty() => "the body is empty".to_owned(),
        Err(error) if error.is_data() => "the body is not a JSON object".to_owned(),
        Err(error) if error.is_eof() => format!("the body is incomplete: {error}"),
        Err(error) => format!("the body is invalid JSON: {error}"),
    };
    Err(BodyError::NoEnvelope { reason })
}

/// Reads a body as any type, without the tolerance for models.
pub(crate) fn read_untyped<T: DeserializeOwned>(body: &[u8]) -> ReadResult<T> {
    let ((), envelope) = read(body, &Warnings::default())?;
    serde_json::from_slice(without_bom(body))
        .map(|value| (value, envelope))
        .map_err(|error| BodyError::undecodable(String::new(), error))
}

fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

fn read_object<M: Model>(
    text: &str,
    warnings: &Warnings,
    envelope: &mut Envelope,
) -> serde_json::Result<M> {
    let mut from = serde_json::Deserializer::from_str(text);
    let model = decode::read_model(&mut from, warnings, envelope, None)?;
    from.end()?;
    Ok(model)
}

impl Envelope {
    fn check(self) -> Result<Self, BodyError> {
        match self.ret_code {
            Some(0) => Ok(self),
            Some(ret_code) => Err(BodyError::Refused { ret_code, envelope: self }),
            None => Err(BodyError::NoEnvelope { reason: "the body has no `RetCode`".to_owned() }),
        }
    }
}

impl Model for Envelope {
    const NAME: &'static str = "Envelope";
    const FIELDS: &'static [Field] =
        &[Field::optional("RetCode"), Field::optional("Action"), Field::optional("Message")];

    fn index_of(key: &str) -> Option<usize> {
        match key {
            "RetCode" => Some(0),
            "Action" => Some(1),
            "Message" => Some(2),
            _ => None,
        }
    }

    fn read_field<'de, A: MapAccess<'de>>(
        &mut self,
        field: FieldContext<'_>,
        from: &mut A,
    ) -> Result<(), A::Error> {
        let text = match from.next_value()? {
            Value::String(text) => Some(text),
            // 0.0 becomes `0`.
            Value::Number(number) if number.is_f64() => number.as_f64().map(|n| n.to_string()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        match field.index {
            // If it comes twice, a refusal takes precedence.
            0 if self.ret_code.is_some_and(|code| code != 0) => {}
            0 => self.ret_code = text.and_then(|text| text.trim().parse().ok()),
            1 => self.action = text,
            _ => self.message = text,
        }
        Ok(())
    }
}

impl Siblings for Envelope {
    fn is_success(&self) -> bool {
        self.ret_code == Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        actions::get_repo_image::{GetRepoImageResponse, Image},
        wire::decode::Mismatch,
    };

    const EXAMPLE: &str = crate::actions::get_repo_image::tests::RESPONSE;

    fn read(body: &str) -> Result<GetRepoImageResponse, BodyError> {
        super::read(body.as_bytes(), &Warnings::default()).map(|(response, _)| response)
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
        let Err(BodyError::Refused { envelope, .. }) = read(r#"{"Message": "no", "RetCode": -1}"#)
        else {
            panic!("a refusal was expected")
        };
        assert_eq!(envelope.message.as_deref(), Some("no"));
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
            (r#"{"RetCode": null}"#, "the body has no `RetCode`"),
            (r#"{"RetCode": false}"#, "the body has no `RetCode`"),
            (r#"{"RetCode": ""}"#, "the body has no `RetCode`"),
            (r#"{"RetCode": 0.4, "TotalCount": 0}"#, "the body has no `RetCode`"),
            (r#"{"RetCode": [0]}"#, "the body has no `RetCode`"),
            (r#"{"RetCode": {"RetCode": 0}}"#, "the body has no `RetCode`"),
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
            let warnings = Warnings::default();
            super::read::<GetRepoImageResponse>(body.as_bytes(), &warnings).unwrap();
            let mut found: Vec<(&str, Mismatch)> =
                warnings.take().iter().map(|warning| (warning.field, warning.what)).collect();
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
        let read = |body: &[u8]| super::read::<GetRepoImageResponse>(body, &Warnings::default());
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
