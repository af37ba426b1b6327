//! What every response has, and how it is judged: success is `RetCode` 0, and nothing else.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::wire::decode::{self, Field, FieldContext, Model, Siblings, Warnings};

/// The fields that every response has.
#[derive(Debug, Default)]
pub(crate) struct Envelope {
    ret_code: Option<i64>,
    pub(crate) action: Option<String>,
    pub(crate) message: Option<String>,
}

/// Why a body is no success.
#[derive(Debug)]
pub(crate) enum Unread {
    /// The service said no.
    Refused { ret_code: i64, envelope: Envelope },
    /// The body does not speak for the service.
    NoEnvelope { why: String },
    /// The service said yes, and the rest could not be understood.
    Undecoded { path: String, why: String },
}

/// Reads a body: the envelope before anything else, whatever the order of the fields.
pub(crate) fn read<M: Model>(body: &[u8], warnings: &Warnings) -> Result<(M, Envelope), Unread> {
    // Looked at once as a whole, the text need not be checked again string by string.
    let text = String::from_utf8_lossy(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body));
    // Nearly always one pass reads both.
    let mut envelope = Envelope::default();
    let error = match read_object::<M>(&text, warnings, &mut envelope) {
        Ok(model) => {
            let envelope = envelope.judge()?;
            return match text {
                Cow::Borrowed(_) => Ok((model, envelope)),
                Cow::Owned(_) => Err(Unread::Undecoded {
                    path: String::new(),
                    why: "it is not valid UTF-8".to_owned(),
                }),
            };
        }
        Err(error) => error,
    };
    // What the fields did wrong does not matter if the service said no.
    let mut envelope = Envelope::default();
    let why = match read_object::<Nothing>(&text, &Warnings::default(), &mut envelope) {
        Ok(Nothing) => {
            envelope.judge()?;
            return Err(Unread::Undecoded {
                path: warnings.path(),
                why: error.to_string(),
            });
        }
        Err(_) if text.trim().is_empty() => "the body is empty".to_owned(),
        Err(error) if error.is_data() => "the body is no JSON object".to_owned(),
        Err(error) if error.is_eof() => format!("the body ends in the middle: {error}"),
        Err(error) => format!("the body is no JSON: {error}"),
    };
    Err(Unread::NoEnvelope { why })
}

/// Reads a body as something that knows no tolerance.
pub(crate) fn read_untyped<T: DeserializeOwned>(body: &[u8]) -> Result<(T, Envelope), Unread> {
    let (Nothing, envelope) = read(body, &Warnings::default())?;
    let value = serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body));
    match value {
        Ok(value) => Ok((value, envelope)),
        Err(error) => Err(Unread::Undecoded {
            path: String::new(),
            why: error.to_string(),
        }),
    }
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
    fn judge(self) -> Result<Self, Unread> {
        match self.ret_code {
            Some(0) => Ok(self),
            Some(ret_code) => Err(Unread::Refused {
                ret_code,
                envelope: self,
            }),
            None => Err(Unread::NoEnvelope {
                why: "the body has no `RetCode`".to_owned(),
            }),
        }
    }
}

const RET_CODE: usize = 0;
const ACTION: usize = 1;
const MESSAGE: usize = 2;

impl Siblings for Envelope {
    fn index_of(name: &str) -> Option<usize> {
        match name {
            "RetCode" => Some(RET_CODE),
            "Action" => Some(ACTION),
            "Message" => Some(MESSAGE),
            _ => None,
        }
    }

    fn read<'de, A: MapAccess<'de>>(&mut self, index: usize, from: &mut A) -> Result<(), A::Error> {
        let text = from.next_value::<Lenient>()?.0;
        match index {
            // Should it come twice, a refusal counts.
            RET_CODE if self.ret_code.is_some_and(|refusal| refusal != 0) => {}
            RET_CODE => self.ret_code = text.and_then(|text| text.trim().parse().ok()),
            ACTION => self.action = text,
            _ => self.message = text,
        }
        Ok(())
    }

    fn is_success(&self) -> bool {
        self.ret_code == Some(0)
    }
}

/// A response without fields of its own.
#[derive(Debug, Default)]
struct Nothing;

impl Model for Nothing {
    const FIELDS: &'static [Field] = &[];

    fn index_of(_: &str) -> Option<usize> {
        None
    }

    fn read_field<'de, A: MapAccess<'de>>(
        &mut self,
        _: usize,
        _: &mut A,
        _: FieldContext<'_>,
    ) -> Result<(), A::Error> {
        Ok(())
    }

    fn count_of(&self, _: usize) -> Option<(usize, Option<i64>)> {
        None
    }
}

/// A string or an integer, as text; anything else is nothing.
struct Lenient(Option<String>);

impl<'de> serde::Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct LenientVisitor;

        impl<'de> Visitor<'de> for LenientVisitor {
            type Value = Lenient;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Lenient, E> {
                Ok(Lenient(Some(text.to_owned())))
            }

            fn visit_i64<E: Error>(self, int: i64) -> Result<Lenient, E> {
                Ok(Lenient(Some(int.to_string())))
            }

            fn visit_u64<E: Error>(self, int: u64) -> Result<Lenient, E> {
                Ok(Lenient(Some(int.to_string())))
            }

            fn visit_f64<E: Error>(self, float: f64) -> Result<Lenient, E> {
                Ok(Lenient(Some(float.to_string())))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Lenient, E> {
                Ok(Lenient(None))
            }

            fn visit_unit<E: Error>(self) -> Result<Lenient, E> {
                Ok(Lenient(None))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Lenient, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Lenient(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Lenient, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Lenient(None))
            }
        }

        from.deserialize_any(LenientVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        actions::examples,
        actions::get_repo_image::{GetRepoImageResponse, ImageSet},
        wire::decode::Mismatch,
    };

    const EXAMPLE: &str = examples::GET_REPO_IMAGE.response;

    fn read(body: &str) -> Result<GetRepoImageResponse, Unread> {
        super::read(body.as_bytes(), &Warnings::default()).map(|(response, _)| response)
    }

    /// The documented example with one thing changed.
    fn varied(from: &str, to: &str) -> String {
        assert!(EXAMPLE.contains(from), "{from}");
        EXAMPLE.replace(from, to)
    }

    #[test]
    fn the_documented_example_is_read_as_it_stands() {
        let page = read(EXAMPLE).unwrap();
        assert_eq!((page.total_count, page.image_set.len()), (5, 9));
        let first = ImageSet {
            image_name: "dCVBnkxg".to_owned(),
            pull_count: 4,
            create_time: "5".into(),
            update_time: "7".into(),
            latest_tag: "iBvvYGkW".to_owned(),
            // What the service adds one day.
            ..ImageSet::default()
        };
        assert_eq!(page.image_set[0], first);
    }

    #[test]
    fn variations_are_read_alike() {
        let example = read(EXAMPLE).unwrap();
        assert_eq!(read(&format!("\u{feff}{EXAMPLE}")).unwrap(), example);
        for (from, to) in [
            ("\"RetCode\": 0", "\"RetCode\": \"0\""),
            ("\"RetCode\": 0", "\"RetCode\": 0.0"),
            (
                "\"RetCode\": 0",
                "\"RetCode\": 0, \"Extra\": {\"RetCode\": 171, \"A\": [null, {}]}",
            ),
            (
                "\"PullCount\": 4",
                "\"PullCount\": \"4\", \"New\": [1, {\"a\": null}]",
            ),
            ("\"PullCount\": 4", "\"PullCount\": 4.0"),
            ("\"CreateTime\": 5", "\"CreateTime\": \"5\""),
            ("\"TotalCount\": 5", "\"TotalCount\": \" 5\""),
            ("\"Action\": \"GetRepoImageResponse\"", "\"Action\": null"),
            (
                "\"Action\": \"GetRepoImageResponse\"",
                "\"Message\": [\"odd\"]",
            ),
        ] {
            assert_eq!(read(&varied(from, to)).unwrap(), example, "{to}");
        }
        let named = read(&varied(
            "\"PullCount\": 4",
            "\"RepoName\": \"base\", \"PullCount\": true",
        ))
        .unwrap();
        assert_eq!(
            (
                named.image_set[0].repo_name.as_deref(),
                named.image_set[0].pull_count
            ),
            (Some("base"), 1)
        );
    }

    #[test]
    fn a_list_may_be_null_or_absent_where_the_count_says_zero_and_nowhere_else() {
        for body in [
            r#"{"RetCode": 0, "TotalCount": 5, "ImageSet": null}"#,
            r#"{"RetCode": 0, "TotalCount": 0, "ImageSet": []}"#,
            r#"{"RetCode": 0, "TotalCount": 0}"#,
            r#"{"TotalCount": "0", "RetCode": 0}"#,
        ] {
            assert_eq!(read(body).unwrap().image_set, [], "{body}");
        }
        for body in [
            r#"{"RetCode": 0}"#,
            r#"{"RetCode": 0, "TotalCount": null}"#,
            r#"{"RetCode": 0, "TotalCount": 5}"#,
            r#"{"RetCode": 0, "TotalCount": 5, "Imageset": []}"#,
        ] {
            let Err(Unread::Undecoded { path, why }) = read(body) else {
                panic!("{body}")
            };
            assert_eq!(path, "ImageSet");
            assert!(why.contains("not there"), "{why}");
        }
    }

    #[test]
    fn a_refusal_is_a_refusal_whatever_else_the_body_has() {
        for body in [
            r#"{"RetCode": 171}"#,
            r#"{"RetCode": "171"}"#,
            r#"{"ImageSet": "what?", "TotalCount": [], "RetCode": 171}"#,
            r#"{"RetCode": 171, "RetCode": 0}"#,
            r#"{"RetCode": 0, "RetCode": 171, "TotalCount": 0}"#,
            &varied("\"RetCode\": 0", "\"RetCode\": 171"),
        ] {
            assert!(
                matches!(read(body), Err(Unread::Refused { ret_code: 171, .. })),
                "{body}: {:?}",
                read(body)
            );
        }
        let Err(Unread::Refused { envelope, .. }) = read(r#"{"Message": "no", "RetCode": -1}"#)
        else {
            panic!("a refusal was expected")
        };
        assert_eq!(envelope.message.as_deref(), Some("no"));
    }

    #[test]
    fn what_does_not_speak_for_the_service_is_no_success() {
        for (body, why) in [
            ("", "the body is empty"),
            (" \n", "the body is empty"),
            ("null", "the body is no JSON object"),
            ("[]", "the body is no JSON object"),
            ("0", "the body is no JSON object"),
            ("\"RetCode\"", "the body is no JSON object"),
            (
                "<html>502</html>",
                "the body is no JSON: expected value at line 1 column 1",
            ),
            ("{}", "the body has no `RetCode`"),
            (
                r#"{"TotalCount": 0, "ImageSet": []}"#,
                "the body has no `RetCode`",
            ),
            (r#"{"retcode": 0}"#, "the body has no `RetCode`"),
            (r#"{"RetCode": null}"#, "the body has no `RetCode`"),
            (r#"{"RetCode": false}"#, "the body has no `RetCode`"),
            (r#"{"RetCode": ""}"#, "the body has no `RetCode`"),
            (
                r#"{"RetCode": 0.4, "TotalCount": 0}"#,
                "the body has no `RetCode`",
            ),
            (r#"{"RetCode": [0]}"#, "the body has no `RetCode`"),
            (
                r#"{"RetCode": {"RetCode": 0}}"#,
                "the body has no `RetCode`",
            ),
            (r#"{"Data": {"RetCode": 0}}"#, "the body has no `RetCode`"),
            (
                r#"{"RetCode": 0} {"RetCode": 0}"#,
                "the body is no JSON: trailing characters at line 1 column 16",
            ),
            (
                r#"{"RetCode": 0"#,
                "the body ends in the middle: EOF while parsing an object at line 1 column 13",
            ),
        ] {
            let Err(Unread::NoEnvelope { why: said }) = read(body) else {
                panic!("{body}: {:?}", read(body))
            };
            assert_eq!(said, why, "{body}");
        }
    }

    #[test]
    fn a_body_cut_anywhere_is_no_success() {
        for end in 0..EXAMPLE.len() {
            assert!(
                matches!(read(&EXAMPLE[..end]), Err(Unread::NoEnvelope { .. })),
                "cut at {end}"
            );
        }
    }

    #[test]
    fn what_cannot_be_understood_is_named_by_its_path() {
        for (from, to, path, says) in [
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
            let Err(Unread::Undecoded { path: found, why }) = read(&varied(from, to)) else {
                panic!("{to}")
            };
            assert_eq!(found, path);
            assert!(why.contains(says), "{why}");
        }
    }

    #[test]
    fn what_is_not_as_documented_is_noted_once() {
        let noted = |body: &str| {
            let warnings = Warnings::default();
            super::read::<GetRepoImageResponse>(body.as_bytes(), &warnings).unwrap();
            let mut noted: Vec<(&str, Mismatch)> = warnings
                .take()
                .iter()
                .map(|note| (note.field, note.what))
                .collect();
            noted.sort_by_key(|(field, _)| *field);
            noted
        };
        assert_eq!(noted(EXAMPLE), [], "a time may be either");
        assert_eq!(
            noted(
                r#"{"RetCode": 0, "TotalCount": "1", "ImageSet": [{"PullCount": null, "LatestTag": "a",
                "CreateTime": "", "UpdateTime": ""}, null]}"#
            ),
            [
                ("ImageName", Mismatch::Missing),
                ("ImageSet", Mismatch::Missing),
                ("PullCount", Mismatch::Missing),
                (
                    "TotalCount",
                    Mismatch::Coerced {
                        from: "string",
                        to: "int"
                    }
                ),
            ]
        );
    }

    #[test]
    fn a_response_can_be_kept_and_read_again() {
        let page = read(EXAMPLE).unwrap();
        let kept = serde_json::to_string(&page).unwrap();
        assert!(
            kept.starts_with(
                r#"{"TotalCount":5,"ImageSet":[{"ImageName":"dCVBnkxg","PullCount":4,"#
            ),
            "{kept}"
        );
        assert_eq!(
            serde_json::from_str::<GetRepoImageResponse>(&kept).unwrap(),
            page
        );
        assert!(serde_json::from_str::<GetRepoImageResponse>("null").is_err());
        assert!(serde_json::from_str::<GetRepoImageResponse>("{}").is_err());
    }

    #[test]
    fn a_refusal_is_understood_in_any_character_set_and_success_only_in_utf_8() {
        let read = |body: &[u8]| super::read::<GetRepoImageResponse>(body, &Warnings::default());
        let refusal = read(b"{\"RetCode\": 171, \"Message\": \"\xc7\xa9\xc3\xfb\"}");
        assert!(
            matches!(refusal, Err(Unread::Refused { ret_code: 171, .. })),
            "{refusal:?}"
        );
        let success = read(b"{\"RetCode\": 0, \"TotalCount\": 0, \"Message\": \"\xff\"}");
        let Err(Unread::Undecoded { why, .. }) = success else {
            panic!("{success:?}")
        };
        assert_eq!(why, "it is not valid UTF-8");
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_overflow() {
        let deep = format!("{{\"RetCode\": 0, \"ImageSet\": {}", "[".repeat(1_000_000));
        assert!(matches!(read(&deep), Err(Unread::NoEnvelope { .. })));
    }
}
