//! Requests, groups of parameters and models as objects of serde, with the documented names.
//!
//! Generated code lists the fields, and the rest is here, once for all. serde's derives would write it for
//! each struct: compiling them took longer than compiling all other generated code.

use std::{convert::Infallible, fmt, marker::PhantomData};

use serde::{
    de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor},
    ser::{Serialize, SerializeStruct, Serializer},
};
use serde_json::{Map, Value};

use crate::wire::decode;

/// A struct that is written as an object.
pub(crate) trait WriteFields {
    fn write<W: FieldWriter>(&self, to: &mut W) -> Result<(), W::Error>;
}

/// A struct that is read as it is written: from known fields, and without tolerance.
#[allow(dead_code, reason = "not every service has requests")]
pub(crate) trait ReadFields: Sized {
    /// The documented names.
    const NAMES: &'static [&'static str];

    fn read(from: &mut FieldReader) -> serde_json::Result<Self>;
}

/// Takes the fields of a struct.
pub(crate) trait FieldWriter {
    type Error;

    fn field<T: Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), Self::Error>;

    /// Takes a field that is left out if it is not set.
    #[allow(dead_code, reason = "not every service has such parameters")]
    fn optional<T: Serialize>(
        &mut self,
        name: &'static str,
        value: &Option<T>,
    ) -> Result<(), Self::Error> {
        value.as_ref().map_or(Ok(()), |value| self.field(name, value))
    }

    /// Takes a list that is left out if it is empty.
    #[allow(dead_code, reason = "not every service has such parameters")]
    fn list<T: Serialize>(
        &mut self,
        name: &'static str,
        value: &Vec<T>,
    ) -> Result<(), Self::Error> {
        if value.is_empty() { Ok(()) } else { self.field(name, value) }
    }
}

impl<S: SerializeStruct> FieldWriter for S {
    type Error = S::Error;

    fn field<T: Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), S::Error> {
        self.serialize_field(name, value)
    }
}

/// Counts the fields, which some formats need to know before the first one.
struct Count(usize);

impl FieldWriter for Count {
    type Error = Infallible;

    fn field<T: Serialize>(&mut self, _: &'static str, _: &T) -> Result<(), Infallible> {
        self.0 += 1;
        Ok(())
    }
}

pub(crate) fn serialize<S: Serializer>(
    fields: &impl WriteFields,
    rust: &'static str,
    to: S,
) -> Result<S::Ok, S::Error> {
    let mut count = Count(0);
    let Ok(()) = fields.write(&mut count);
    let mut to = to.serialize_struct(rust, count.0)?;
    fields.write(&mut to)?;
    to.end()
}

/// The fields of an object that have not been read yet.
#[derive(Default)]
pub(crate) struct FieldReader(Map<String, Value>);

#[allow(dead_code, reason = "each service has some of these parameters")]
impl FieldReader {
    pub(crate) fn field<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
    ) -> serde_json::Result<T> {
        self.find(name)?.ok_or_else(|| Error::missing_field(name))
    }

    /// Reads a field that may be left out, or `null`.
    pub(crate) fn optional<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
    ) -> serde_json::Result<Option<T>> {
        self.find(name).map(Option::flatten)
    }

    /// Reads a list that may be left out.
    pub(crate) fn list<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
    ) -> serde_json::Result<Vec<T>> {
        self.find(name).map(Option::unwrap_or_default)
    }

    fn find<T: DeserializeOwned>(&mut self, name: &'static str) -> serde_json::Result<Option<T>> {
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        let fail = |error| Error::custom(format_args!("`{name}`: {error}"));
        serde_json::from_value(value).map(Some).map_err(fail)
    }
}

#[allow(dead_code, reason = "not every service has requests")]
pub(crate) fn deserialize<'de, F: ReadFields, D: Deserializer<'de>>(
    rust: &'static str,
    from: D,
) -> Result<F, D::Error> {
    from.deserialize_struct(rust, F::NAMES, ObjectVisitor(PhantomData))
}

struct ObjectVisitor<F>(PhantomData<F>);

impl<'de, F: ReadFields> Visitor<'de> for ObjectVisitor<F> {
    type Value = F;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<F, A::Error> {
        let mut fields = FieldReader::default();
        while let Some(key) = map.next_key::<String>()? {
            let Some(name) = F::NAMES.iter().find(|name| **name == key) else {
                return Err(A::Error::unknown_field(&key, F::NAMES));
            };
            let Json(value) = map.next_value()?;
            if fields.0.insert(key, value).is_some() {
                return Err(A::Error::duplicate_field(name));
            }
        }
        F::read(&mut fields).map_err(A::Error::custom)
    }
}

/// Any JSON, in which no object has a field twice.
struct Json(Value);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        decode::read_value(from).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Disk {
        size: i64,
        labels: Vec<String>,
        meta: Option<Value>,
        next: Option<Box<Disk>>,
    }

    impl WriteFields for Disk {
        fn write<W: FieldWriter>(&self, to: &mut W) -> Result<(), W::Error> {
            to.field("Size", &self.size)?;
            to.list("Labels", &self.labels)?;
            to.optional("Meta", &self.meta)?;
            to.optional("Next", &self.next)
        }
    }

    impl Serialize for Disk {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            serialize(self, "Disk", to)
        }
    }

    impl ReadFields for Disk {
        const NAMES: &'static [&'static str] = &["Size", "Labels", "Meta", "Next"];

        fn read(from: &mut FieldReader) -> serde_json::Result<Self> {
            Ok(Self {
                size: from.field("Size")?,
                labels: from.list("Labels")?,
                meta: from.optional("Meta")?,
                next: from.optional("Next")?,
            })
        }
    }

    impl<'de> Deserialize<'de> for Disk {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            deserialize("Disk", from)
        }
    }

    #[test]
    fn fields_are_written_in_order_and_read_back() {
        let bare = Disk { size: 1, labels: Vec::new(), meta: None, next: None };
        assert_eq!(serde_json::to_string(&bare).unwrap(), r#"{"Size":1}"#);
        let disk = Disk {
            size: i64::MIN,
            labels: vec![String::new()],
            meta: Some(json!({"b": [0.5, null], "a": {}})),
            next: Some(Box::new(bare)),
        };
        let json = serde_json::to_string(&disk).unwrap();
        assert!(
            json.starts_with(r#"{"Size":-9223372036854775808,"Labels":[""],"Meta":{"#),
            "{json}"
        );
        assert!(json.ends_with(r#","Next":{"Size":1}}"#), "{json}");
        assert_eq!(serde_json::from_str::<Disk>(&json).unwrap(), disk);
        let nulls = r#"{"Size": 1, "Meta": null, "Next": null}"#;
        assert_eq!(serde_json::from_str::<Disk>(nulls).unwrap().next, None);
    }

    #[test]
    fn what_is_not_exactly_as_written_is_refused() {
        for (json, expected) in [
            (r#"{"Size": 1, "Sise": 2}"#, "unknown field `Sise`, expected one of `Size`, `Labels`"),
            (r#"{"Labels": []}"#, "missing field `Size`"),
            (r#"{"Size": 1, "Size": 1}"#, "duplicate field `Size`"),
            (r#"{"Size": 1, "Next": {"Size": 1, "Size": 2}}"#, "`Size` is there twice"),
            (r#"{"Size": "1"}"#, "`Size`: invalid type: string"),
            // The type, unless serde_json keeps numbers as text.
            (r#"{"Size": 1.0}"#, "`Size`: invalid "),
            (r#"{"Size": 1, "Labels": null}"#, "`Labels`: invalid type: null"),
            (r#"{"Size": 1, "Next": {"Sise": 2}}"#, "`Next`: unknown field `Sise`"),
            ("[1]", "expected an object"),
        ] {
            let error = serde_json::from_str::<Disk>(json).unwrap_err().to_string();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }
}
