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
