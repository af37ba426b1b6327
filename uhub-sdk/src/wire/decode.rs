//! Reads responses: tolerant of the service's known deviations, which it collects as warnings.
//!
//! A scalar is accepted as another scalar, `null` as an empty list, and unknown fields are ignored. A
//! required field that is missing becomes the empty value. Anything else is an error with the path of
//! the field.

use std::{
    cell::RefCell,
    collections::HashSet,
    fmt,
    hash::{BuildHasher, RandomState},
    marker::PhantomData,
    mem::size_of,
};

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, Expected, IgnoredAny, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, Visitor,
    value::{MapAccessDeserializer, MapDeserializer},
};

use serde_json::{Map, Number, Value};

use crate::wire::{budget::Budget, timestamp::Timestamp};

/// A struct that is read from a JSON object. Generated code implements it.
pub trait Model: Default {
    /// The Rust name.
    #[doc(hidden)]
    const NAME: &'static str;

    #[doc(hidden)]
    const FIELDS: &'static [Field];

    /// Returns the index of a field by its documented name.
    #[doc(hidden)]
    fn index_of(key: &str) -> Option<u8> {
        let _ = key;
        None
    }

    /// Reads the value of the field with the index of the context.
    #[doc(hidden)]
    fn read_field<'de, A: MapAccess<'de>>(
        &mut self,
        field: FieldContext<'_>,
        from: &mut A,
    ) -> Result<(), A::Error> {
        let _ = (field, from);
        Ok(())
    }

    /// Returns the value of a field that counts the elements of a list.
    #[doc(hidden)]
    fn count(&self, key: &str) -> Option<i64> {
        let _ = key;
        None
    }
}

/// A model that may contain itself is boxed.
impl<M: Model> Model for Box<M> {
    const NAME: &'static str = M::NAME;
    const FIELDS: &'static [Field] = M::FIELDS;

    fn index_of(key: &str) -> Option<u8> {
        M::index_of(key)
    }

    fn read_field<'de, A: MapAccess<'de>>(
        &mut self,
        field: FieldContext<'_>,
        from: &mut A,
    ) -> Result<(), A::Error> {
        M::read_field(self, field, from)
    }

    fn count(&self, key: &str) -> Option<i64> {
        M::count(self, key)
    }
}

/// A model without fields.
impl Model for () {
    const NAME: &'static str = "";
    const FIELDS: &'static [Field] = &[];

    fn index_of(_: &str) -> Option<u8> {
        None
    }

    fn read_field<'de, A: MapAccess<'de>>(
        &mut self,
        _: FieldContext<'_>,
        _: &mut A,
    ) -> Result<(), A::Error> {
        Ok(())
    }
}

/// A field of a [`Model`].
#[derive(Debug)]
pub struct Field {
    /// The documented name.
    wire: &'static str,
    presence: Presence,
    form: Form,
    /// The documented name of the field that counts the list.
    counted_by: Option<&'static str>,
}

#[allow(dead_code, reason = "each service has some of these fields")]
impl Field {
    /// A required field: if it is missing, it is empty, with a warning.
    pub(crate) const fn required(wire: &'static str) -> Self {
        Self { wire, presence: Presence::Required, form: Form::Plain, counted_by: None }
    }

    pub(crate) const fn optional(wire: &'static str) -> Self {
        Self { presence: Presence::Optional, ..Self::required(wire) }
    }

    /// A required list: if it is missing, that is an error. Users must not be shown an empty list that
    /// the service never sent.
    pub(crate) const fn list(wire: &'static str) -> Self {
        Self { presence: Presence::List, ..Self::required(wire) }
    }

    /// Accepts a missing list if this field is 0.
    pub(crate) const fn counted_by(self, wire: &'static str) -> Self {
        Self { counted_by: Some(wire), ..self }
    }

    /// A boolean or an enum that is documented as a string.
    pub(crate) const fn text(self) -> Self {
        Self { form: Form::Text, ..self }
    }

    /// Accepts a plain string in place of the model, as the value of this field.
    pub(crate) const fn shorthand(self) -> Self {
        Self { form: Form::Shorthand, ..self }
    }

    /// Accepts one element in place of the list.
    pub(crate) const fn single(self) -> Self {
        Self { form: Form::Single, ..self }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
    List,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Text,
    Shorthand,
    Single,
}

/// The state of reading one response.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) budget: Budget,
    warnings: RefCell<Vec<Warning>>,
    /// Where reading stopped, from the inside out.
    path: RefCell<Vec<Step>>,
}

/// A deviation from the documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Warning {
    pub(crate) model: &'static str,
    /// The documented name.
    pub(crate) field: &'static str,
    pub(crate) what: Mismatch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mismatch {
    /// The value has a different type, and was converted to the documented one.
    Coerced { from: &'static str, to: &'static str },
    /// A required value is missing, and was left empty.
    Missing,
}

#[derive(Debug)]
enum Step {
    Field(&'static str),
    Index(usize),
}

impl Reading {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { budget, ..Self::default() }
    }

    fn warn(&self, warning: Warning) {
        let mut warnings = self.warnings.borrow_mut();
        // Every element of a list has the same warnings.
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    pub(crate) fn take_warnings(&self) -> Vec<Warning> {
        self.warnings.take()
    }

    /// Returns the JSON path of the value that could not be read, such as `ImageSet[3].PullCount`.
    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        for step in self.path.borrow().iter().rev() {
            match step {
                Step::Field(name) if path.is_empty() => path.push_str(name),
                Step::Field(name) => path.push_str(&format!(".{name}")),
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }

    fn fail<E>(&self, error: E, at: Step) -> E {
        self.path.borrow_mut().push(at);
        error
    }
}

/// The model that is being read.
#[derive(Debug)]
struct ModelContext<'n> {
    reading: &'n Reading,
    name: &'static str,
    fields: &'static [Field],
}

impl<'n> ModelContext<'n> {
    #[inline]
    fn of<M: Model>(reading: &'n Reading) -> Self {
        Self { reading, name: M::NAME, fields: M::FIELDS }
    }

    #[inline]
    fn field(&'n self, index: usize) -> FieldContext<'n> {
        FieldContext { model: self, index }
    }
}

/// The field that is being read.
#[derive(Debug, Clone, Copy)]
pub struct FieldContext<'n> {
    model: &'n ModelContext<'n>,
    pub(crate) index: usize,
}

impl FieldContext<'_> {
    #[inline]
    fn reading(&self) -> &Reading {
        self.model.reading
    }

    fn field(self) -> &'static Field {
        &self.model.fields[self.index]
    }

    #[allow(dead_code, reason = "not every service has fields")]
    #[inline]
    pub(crate) fn read<'de, T: FromWire, A: MapAccess<'de>>(
        self,
        from: &mut A,
        to: &mut T,
    ) -> Result<(), A::Error> {
        from.next_value_seed(Seed { to, field: self })
    }

    fn coerced(self, from: &'static str, to: &'static str) {
        self.warn(Mismatch::Coerced { from, to });
    }

    /// Warns of a boolean or an enum whose type is not the documented one.
    fn check_type(self, found: &'static str) {
        let documented = if self.field().form == Form::Text { "string" } else { "boolean" };
        if found != documented {
            self.coerced(found, documented);
        }
    }

    /// Returns the empty value, with a warning.
    fn missing<T: Default>(self) -> T {
        self.warn(Mismatch::Missing);
        T::default()
    }

    fn warn(self, what: Mismatch) {
        self.reading().warn(self.warning(what));
    }

    fn warning(self, what: Mismatch) -> Warning {
        Warning { model: self.model.name, field: self.field().wire, what }
    }
}

/// The value of a field.
pub(crate) trait FromWire: Sized {
    fn from_wire<'de, D: Deserializer<'de>>(
        from: D,
        field: FieldContext<'_>,
    ) -> Result<Self, D::Error>;

    /// Reads in place, which saves large types from being moved.
    #[inline]
    fn read_into<'de, D: Deserializer<'de>>(
        &mut self,
        from: D,
        field: FieldContext<'_>,
    ) -> Result<(), D::Error> {
        *self = Self::from_wire(from, field)?;
        Ok(())
    }

    /// Reads an element of a list in place.
    #[inline]
    fn push_into<'de, D: Deserializer<'de>>(
        list: &mut Vec<Self>,
        from: D,
        field: FieldContext<'_>,
    ) -> Result<(), D::Error> {
        list.push(Self::from_wire(from, field)?);
        Ok(())
    }
}

impl<M: Model> FromWire for M {
    fn from_wire<'de, D: Deserializer<'de>>(
        from: D,
        field: FieldContext<'_>,
    ) -> Result<Self, D::Error> {
        let mut model = M::default();
        model.read_into(from, field)?;
        Ok(model)
    }

    #[inline]
    fn read_into<'de, D: Deserializer<'de>>(
        &mut self,
        from: D,
        field: FieldContext<'_>,
    ) -> Result<(), D::Error> {
        read_model(from, self, field.reading(), &mut (), Some(field))
    }

    #[inline]
    fn push_into<'de, D: Deserializer<'de>>(
        list: &mut Vec<Self>,
        from: D,
        field: FieldContext<'_>,
    ) -> Result<(), D::Error> {
        list.push(M::default());
        list.last_mut().map_or(Ok(()), |model| model.read_into(from, field))
    }
}

/// Reads a value outside of a response, without warnings.
pub(crate) fn read_value<'de, T: FromWire, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    const FIELDS: &[Field] = &[Field::optional("")];
    let reading = Reading::default();
    T::from_wire(from, ModelContext { reading: &reading, name: "", fields: FIELDS }.field(0))
}

/// Reads a model outside of a response, without warnings.
pub(crate) fn read_object<'de, M: Model, D: Deserializer<'de>>(from: D) -> Result<M, D::Error> {
    let mut model = M::default();
    read_model(from, &mut model, &Reading::default(), &mut (), None)?;
    Ok(model)
}

/// Reads a value into its place.
struct Seed<'n, 'm, T> {
    to: &'m mut T,
    field: FieldContext<'n>,
}

impl<'de, T: FromWire> DeserializeSeed<'de> for Seed<'_, '_, T> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.to.read_into(from, self.field)
    }
}

/// Reads an element at the end of its list.
struct ElementSeed<'n, 'm, T> {
    list: &'m mut Vec<T>,
    field: FieldContext<'n>,
}

impl<'de, T: FromWire> DeserializeSeed<'de> for ElementSeed<'_, '_, T> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        T::push_into(self.list, from, self.field)
    }
}

/// Extra fields in the model's JSON object, such as the response envelope.
pub(crate) trait Siblings: Model {
    /// Returns `false` if the model need not be complete, because the call was refused.
    fn is_success(&self) -> bool {
        true
    }
}

impl Siblings for () {}

/// Reads a model and its siblings.
#[inline]
pub(crate) fn read_model<'de, M: Model, D: Deserializer<'de>>(
    from: D,
    model: &mut M,
    reading: &Reading,
    siblings: &mut impl Siblings,
    field: Option<FieldContext<'_>>,
) -> Result<(), D::Error> {
    from.deserialize_any(ModelVisitor { model, reading, siblings, field })
}

struct ModelVisitor<'n, 'm, M, S> {
    /// It is empty.
    model: &'m mut M,
    reading: &'n Reading,
    siblings: &'m mut S,
    /// The field that holds the model; `None` for a whole response.
    field: Option<FieldContext<'n>>,
}

/// A set of a model's fields: `codegen` refuses a model that has more of them.
#[derive(Debug, Clone, Copy)]
struct FieldSet([u64; 2]);

impl FieldSet {
    const EMPTY: Self = Self([0; 2]);

    /// Returns the fields that must be present.
    const fn required(fields: &[Field]) -> Self {
        let mut set = Self::EMPTY;
        let mut index = 0;
        while index < fields.len() {
            if !matches!(fields[index].presence, Presence::Optional) {
                set.0[index / 64 % 2] |= 1 << (index % 64);
            }
            index += 1;
        }
        set
    }

    #[inline]
    fn contains(self, index: usize) -> bool {
        self.0[index / 64 % 2] & 1 << (index % 64) != 0
    }

    /// Adds a field. Returns whether it is new.
    #[inline]
    fn insert<M: Model>(&mut self, index: usize) -> bool {
        // Few models need the second word.
        let word = if const { M::FIELDS.len() <= 64 } { 0 } else { index / 64 % 2 };
        let bit = 1 << (index % 64);
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }

    #[inline]
    fn contains_all(self, others: Self) -> bool {
        others.0[0] & !self.0[0] == 0 && others.0[1] & !self.0[1] == 0
    }
}

impl<'de, M: Model, S: Siblings> Visitor<'de> for ModelVisitor<'_, '_, M, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let context = ModelContext::of::<M>(self.reading);
        let mut present = FieldSet::EMPTY;
        while let Some(key) = map.next_key_seed(KeySeed::<M, S>(PhantomData))? {
            match key {
                Key::Field(index) => {
                    let field = context.field(index.into());
                    let fail = |error| self.reading.fail(error, Step::Field(field.field().wire));
                    if !present.insert::<M>(field.index) {
                        // One of the two would be lost, and it may be the list.
                        return Err(fail(A::Error::custom("the field is there twice")));
                    }
                    self.model.read_field(field, &mut map).map_err(fail)?;
                }
                Key::Sibling(index) => {
                    let context = ModelContext::of::<S>(self.reading);
                    self.siblings.read_field(context.field(index.into()), &mut map)?;
                }
                Key::Unknown => drop(map.next_value::<IgnoredAny>()?),
                Key::Number => {
                    return Err(A::Error::invalid_type(Unexpected::Other("number"), &self));
                }
            }
        }
        if !present.contains_all(const { FieldSet::required(M::FIELDS) })
            && self.siblings.is_success()
        {
            check_presence(self.model, present, &context)?;
        }
        Ok(())
    }

    /// Some pages show a name where their tables have a model.
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let is_shorthand = |field: &Field| field.form == Form::Shorthand;
        let (Some(index), Some(field)) = (M::FIELDS.iter().position(is_shorthand), self.field)
        else {
            return Err(E::invalid_type(Unexpected::Str(text), &self));
        };
        field.coerced("string", "object");
        let mut map = MapDeserializer::new(std::iter::once(((), text)));
        map.next_key::<()>()?;
        let context = ModelContext::of::<M>(self.reading);
        self.model.read_field(context.field(index), &mut map)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        // Within a response, `null` means a missing model. A whole response must not be `null`.
        let Some(field) = self.field else {
            return Err(E::invalid_type(Unexpected::Unit, &self));
        };
        field.warn(Mismatch::Missing);
        Ok(())
    }
}

/// Warns of missing fields, or fails.
#[cold]
fn check_presence<M: Model, E: Error>(
    model: &M,
    present: FieldSet,
    context: &ModelContext<'_>,
) -> Result<(), E> {
    let reading = context.reading;
    let is_present = |index: usize| present.contains(index);
    for (index, field) in M::FIELDS.iter().enumerate() {
        match field.presence {
            _ if is_present(index) => {}
            Presence::Optional => {}
            Presence::Required => context.field(index).warn(Mismatch::Missing),
            Presence::List => {
                let is_zero = |wire: &&str| {
                    let Some(count) = M::index_of(wire).map(usize::from) else {
                        return false;
                    };
                    // A total that is `null` is 0 too, but says nothing.
                    let null = context.field(count).warning(Mismatch::Missing);
                    is_present(count)
                        && model.count(wire) == Some(0)
                        && !reading.warnings.borrow().contains(&null)
                };
                if !field.counted_by.as_ref().is_some_and(is_zero) {
                    let error =
                        E::custom("the list is missing, and no total says that it is empty");
                    return Err(reading.fail(error, Step::Field(field.wire)));
                }
            }
        }
    }
    Ok(())
}

enum Key {
    Field(u8),
    Sibling(u8),
    Unknown,
    /// The object is a number: see [`NUMBER_KEY`].
    Number,
}

/// The key of the object in place of a float, if any crate of the program enables the feature
/// `arbitrary_precision` of serde_json.
const NUMBER_KEY: &str = "$serde_json::private::Number";

/// Reads a key as the field that it names.
struct KeySeed<M, S>(PhantomData<(M, S)>);

impl<'de, M: Model, S: Siblings> DeserializeSeed<'de> for KeySeed<M, S> {
    type Value = Key;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Key, D::Error> {
        from.deserialize_identifier(self)
    }
}

impl<M: Model, S: Siblings> Visitor<'_> for KeySeed<M, S> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    #[inline]
    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        Ok(match M::index_of(key) {
            Some(index) => Key::Field(index),
            None if key == NUMBER_KEY => Key::Number,
            None => S::index_of(key).map_or(Key::Unknown, Key::Sibling),
        })
    }
}

/// Reads the number that an object stands for: see [`NUMBER_KEY`].
fn read_number<'de, A: MapAccess<'de>>(map: A, expected: &dyn Expected) -> Result<f64, A::Error> {
    let number = Number::deserialize(MapAccessDeserializer::new(map)).ok();
    let float = number.and_then(|number| number.as_f64());
    float.ok_or_else(|| A::Error::invalid_type(Unexpected::Map, expected))
}

/// Formats a float. A large one takes no more room than in JSON.
fn float_text(float: f64) -> String {
    if float != 0.0 && !(1e-7..1e17).contains(&float.abs()) {
        format!("{float:e}")
    } else {
        float.to_string()
    }
}

/// Reads a scalar from whatever scalar the service sends.
macro_rules! scalar {
    ($type:ty, $visitor:ident, $expected:literal, { $($visit:item)* }) => {
        struct $visitor<'n>(FieldContext<'n>);

        impl<'de> Visitor<'de> for $visitor<'_> {
            type Value = $type;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($expected)
            }

            fn visit_unit<E: Error>(self) -> Result<$type, E> {
                Ok(self.0.missing())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<$type, A::Error> {
                let float = read_number(map, &self)?;
                self.visit_f64(float)
            }

            $($visit)*
        }

        impl FromWire for $type {
            #[inline]
            fn from_wire<'de, D: Deserializer<'de>>(
                from: D,
                field: FieldContext<'_>,
            ) -> Result<Self, D::Error> {
                from.deserialize_any($visitor(field))
            }
        }
    };
}

scalar!(String, TextVisitor, "a string", {
    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_i64<E: Error>(self, int: i64) -> Result<String, E> {
        self.0.coerced("int", "string");
        Ok(int.to_string())
    }

    fn visit_u64<E: Error>(self, int: u64) -> Result<String, E> {
        self.0.coerced("int", "string");
        Ok(int.to_string())
    }

    fn visit_f64<E: Error>(self, float: f64) -> Result<String, E> {
        self.0.coerced("float", "string");
        Ok(float_text(float))
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<String, E> {
        self.0.coerced("boolean", "string");
        Ok(boolean.to_string())
    }
});

scalar!(i64, IntVisitor, "an integer", {
    fn visit_i64<E: Error>(self, int: i64) -> Result<i64, E> {
        Ok(int)
    }

    fn visit_u64<E: Error>(self, int: u64) -> Result<i64, E> {
        i64::try_from(int).map_err(|_| E::invalid_value(Unexpected::Unsigned(int), &self))
    }

    fn visit_f64<E: Error>(self, float: f64) -> Result<i64, E> {
        // Beyond this a float no longer tells one integer from the next.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if float.fract() != 0.0 || float.abs() > EXACT {
            return Err(E::invalid_value(Unexpected::Float(float), &self));
        }
        self.0.coerced("float", "int");
        #[allow(clippy::cast_possible_truncation, reason = "checked above")]
        Ok(float as i64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<i64, E> {
        let int =
            text.trim().parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))?;
        self.0.coerced("string", "int");
        Ok(int)
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<i64, E> {
        self.0.coerced("boolean", "int");
        Ok(i64::from(boolean))
    }
});

scalar!(f64, FloatVisitor, "a number", {
    fn visit_f64<E: Error>(self, float: f64) -> Result<f64, E> {
        Ok(float)
    }

    fn visit_i64<E: Error>(self, int: i64) -> Result<f64, E> {
        // JSON does not tell 5 from 5.0.
        #[allow(clippy::cast_precision_loss, reason = "the nearest float is meant")]
        Ok(int as f64)
    }

    fn visit_u64<E: Error>(self, int: u64) -> Result<f64, E> {
        #[allow(clippy::cast_precision_loss, reason = "the nearest float is meant")]
        Ok(int as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        let float = text.trim().parse().ok().filter(|float: &f64| float.is_finite());
        let float = float.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))?;
        self.0.coerced("string", "float");
        Ok(float)
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<f64, E> {
        self.0.coerced("boolean", "float");
        Ok(if boolean { 1.0 } else { 0.0 })
    }
});

scalar!(bool, BooleanVisitor, "true or false", {
    fn visit_bool<E: Error>(self, boolean: bool) -> Result<bool, E> {
        self.0.check_type("boolean");
        Ok(boolean)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        let boolean = match text {
            "1" => true,
            "0" => false,
            _ if text.eq_ignore_ascii_case("true") => true,
            _ if text.eq_ignore_ascii_case("false") => false,
            _ => return Err(E::invalid_value(Unexpected::Str(text), &self)),
        };
        self.0.check_type("string");
        Ok(boolean)
    }

    fn visit_i64<E: Error>(self, int: i64) -> Result<bool, E> {
        Err(E::invalid_value(Unexpected::Signed(int), &self))
    }

    fn visit_u64<E: Error>(self, int: u64) -> Result<bool, E> {
        if int > 1 {
            return Err(E::invalid_value(Unexpected::Unsigned(int), &self));
        }
        self.0.check_type("int");
        Ok(int == 1)
    }
});

scalar!(Timestamp, TimestampVisitor, "a time", {
    fn visit_str<E: Error>(self, text: &str) -> Result<Timestamp, E> {
        Ok(text.into())
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Timestamp, E> {
        Ok(float_text(seconds).into())
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Timestamp, E> {
        Ok(seconds.to_string().into())
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Timestamp, E> {
        Ok(seconds.to_string().into())
    }
});

/// An enum whose variants have several documented spellings.
#[allow(dead_code, reason = "not every service has one")]
pub(crate) trait Spelled: Copy + 'static {
    const SPELLINGS: &'static [(&'static str, Self)];
}

/// Reads an enum from one of its spellings in any case, or from a boolean where one is a spelling.
#[allow(dead_code, reason = "not every service has one")]
pub(crate) fn read_spelled<'de, T: Spelled, D: Deserializer<'de>>(
    from: D,
    field: FieldContext<'_>,
) -> Result<T, D::Error> {
    struct SpelledVisitor<'n, T>(FieldContext<'n>, PhantomData<T>);

    impl<T: Spelled> SpelledVisitor<'_, T> {
        fn find<E: Error>(&self, text: &str, found: Unexpected<'_>) -> Result<T, E> {
            let text = match text {
                "1" => "true",
                "0" => "false",
                text => text,
            };
            let mut spellings = T::SPELLINGS.iter();
            let spelling = spellings.find(|(spelling, _)| text.eq_ignore_ascii_case(spelling));
            let value = spelling.map(|(_, value)| *value);
            value.ok_or_else(|| E::invalid_value(found, self))
        }
    }

    impl<T: Spelled> Visitor<'_> for SpelledVisitor<'_, T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let spellings = T::SPELLINGS.iter().map(|(spelling, _)| *spelling);
            write!(f, "one of {}", spellings.collect::<Vec<_>>().join(", "))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            let value = self.find(text, Unexpected::Str(text))?;
            self.0.check_type("string");
            Ok(value)
        }

        fn visit_bool<E: Error>(self, boolean: bool) -> Result<T, E> {
            let text = if boolean { "true" } else { "false" };
            let value = self.find(text, Unexpected::Bool(boolean))?;
            self.0.check_type("boolean");
            Ok(value)
        }

        fn visit_u64<E: Error>(self, int: u64) -> Result<T, E> {
            let value = self.find(&int.to_string(), Unexpected::Unsigned(int))?;
            self.0.check_type("int");
            Ok(value)
        }
    }

    from.deserialize_any(SpelledVisitor(field, PhantomData))
}

impl FromWire for Value {
    fn from_wire<'de, D: Deserializer<'de>>(
        from: D,
        field: FieldContext<'_>,
    ) -> Result<Self, D::Error> {
        ValueSeed(&field.reading().budget).deserialize(from)
    }
}

/// Reads any JSON within the budget, without duplicate keys.
struct ValueSeed<'n>(&'n Budget);

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        self.deserialize(from)
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<Value, E> {
        Ok(boolean.into())
    }

    fn visit_i64<E: Error>(self, int: i64) -> Result<Value, E> {
        Ok(int.into())
    }

    fn visit_u64<E: Error>(self, int: u64) -> Result<Value, E> {
        Ok(int.into())
    }

    fn visit_f64<E: Error>(self, float: f64) -> Result<Value, E> {
        Ok(float.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(ValueSeed(self.0))? {
            self.0.spend_value(values.is_empty())?;
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        self.0.spend_object()?;
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == NUMBER_KEY {
                let text: String = map.next_value()?;
                let number: Number = text.parse().map_err(A::Error::custom)?;
                return Ok(number.into());
            }
            self.0.spend_entry()?;
            let value = map.next_value_seed(ValueSeed(self.0))?;
            if let Some(key) = fields.get_key_value(&key).map(|(key, _)| key) {
                return Err(duplicate(key));
            }
            fields.insert(key, value);
        }
        Ok(fields.into())
    }
}

fn duplicate<E: Error>(key: &str) -> E {
    E::custom(format_args!("the field `{key}` is there twice"))
}

/// Checks JSON that is read as a type of the program: that the result fits into the budget, and
/// that no object has a field twice, of which serde's code would keep either.
pub(crate) fn check_untyped(json: &str, budget: &Budget) -> serde_json::Result<()> {
    let mut from = serde_json::Deserializer::from_str(json);
    let hasher = RandomState::new();
    CheckSeed { budget, hasher: &hasher }.deserialize(&mut from)
}

#[derive(Clone, Copy)]
struct CheckSeed<'n> {
    budget: &'n Budget,
    /// Of keys.
    hasher: &'n RandomState,
}

impl<'de> DeserializeSeed<'de> for CheckSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CheckSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut is_first = true;
        while seq.next_element_seed(self)?.is_some() {
            self.budget.spend_value(is_first)?;
            is_first = false;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.budget.spend_object()?;
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            self.budget.spend_entry()?;
            if !keys.insert(self.hasher.hash_one(&key)) {
                return Err(duplicate(&key));
            }
            map.next_value_seed(self)?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read_value(from)
    }
}

impl<T: FromWire> FromWire for Option<T> {
    #[inline]
    fn from_wire<'de, D: Deserializer<'de>>(
        from: D,
        field: FieldContext<'_>,
    ) -> Result<Self, D::Error> {
        struct OptionVisitor<'n, T>(FieldContext<'n>, PhantomData<T>);

        impl<'de, T: FromWire> Visitor<'de> for OptionVisitor<'_, T> {
            type Value = Option<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or null")
            }

            fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
                Ok(None)
            }

            fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
                Ok(None)
            }

            fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Option<T>, D::Error> {
                T::from_wire(from, self.0).map(Some)
            }
        }

        from.deserialize_option(OptionVisitor(field, PhantomData))
    }
}

impl<T: FromWire> FromWire for Vec<T> {
    #[inline]
    fn from_wire<'de, D: Deserializer<'de>>(
        from: D,
        field: FieldContext<'_>,
    ) -> Result<Self, D::Error> {
        struct ListVisitor<'n, T>(FieldContext<'n>, PhantomData<T>);

        impl<T: FromWire> ListVisitor<'_, T> {
            /// Some pages show one element where their tables have a list.
            fn one<'de, D: Deserializer<'de>>(
                self,
                from: D,
                found: Unexpected<'_>,
            ) -> Result<Vec<T>, D::Error> {
                if self.0.field().form != Form::Single {
                    return Err(D::Error::invalid_type(found, &self));
                }
                self.0.coerced("one element", "list");
                Ok(vec![T::from_wire(from, self.0)?])
            }
        }

        impl<'de, T: FromWire> Visitor<'de> for ListVisitor<'_, T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E: Error>(self) -> Result<Vec<T>, E> {
                Ok(self.0.missing())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
                self.one(MapAccessDeserializer::new(map), Unexpected::Map)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
                self.one(text.into_deserializer(), Unexpected::Str(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
                let mut list = Vec::new();
                loop {
                    let index = list.len();
                    let element = ElementSeed { list: &mut list, field: self.0 };
                    match seq.next_element_seed(element) {
                        Ok(Some(())) => {}
                        Ok(None) => return Ok(list),
                        Err(error) => {
                            return Err(self.0.reading().fail(error, Step::Index(index)));
                        }
                    }
                    self.0.reading().budget.spend_element(size_of::<T>())?;
                }
            }
        }

        from.deserialize_any(ListVisitor(field, PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model as codegen writes them.
    macro_rules! model {
        ($name:ident { $($index:literal $field:ident: $type:ty = $table:expr;)* }) => {
            #[derive(Debug, Default, PartialEq)]
            struct $name {
                $($field: $type,)*
            }

            impl Model for $name {
                const NAME: &'static str = stringify!($name);
                const FIELDS: &'static [Field] = &[$($table),*];

                fn index_of(key: &str) -> Option<u8> {
                    let index = Self::FIELDS.iter().position(|field| field.wire == key)?;
                    u8::try_from(index).ok()
                }

                fn read_field<'de, A: MapAccess<'de>>(
                    &mut self,
                    field: FieldContext<'_>,
                    from: &mut A,
                ) -> Result<(), A::Error> {
                    match field.index {
                        $($index => field.read(from, &mut self.$field),)*
                        _ => Ok(()),
                    }
                }
            }
        };
    }

    model! {
        Lists {
            0 names: Vec<String> = Field::optional("Names").single();
            1 rows: Vec<Row> = Field::optional("Rows").single();
            2 many: Vec<Row> = Field::optional("Many");
        }
    }

    model! {
        Row {
            0 id: i64 = Field::required("Id");
        }
    }

    model! {
        Lamps {
            0 text: Option<Lamp> = Field::optional("Text").text();
            1 boolean: Option<Lamp> = Field::optional("Boolean");
        }
    }

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Lamp {
        On,
        Off,
    }

    impl Spelled for Lamp {
        const SPELLINGS: &'static [(&'static str, Self)] =
            &[("on", Self::On), ("true", Self::On), ("off", Self::Off), ("false", Self::Off)];
    }

    impl FromWire for Lamp {
        fn from_wire<'de, D: Deserializer<'de>>(
            from: D,
            field: FieldContext<'_>,
        ) -> Result<Self, D::Error> {
            read_spelled(from, field)
        }
    }

    fn read<M: Model>(json: &str) -> serde_json::Result<(M, Vec<Warning>)> {
        let reading = Reading::default();
        let mut from = serde_json::Deserializer::from_str(json);
        let mut model = M::default();
        read_model(&mut from, &mut model, &reading, &mut (), None)?;
        Ok((model, reading.take_warnings()))
    }

    #[test]
    fn one_element_is_a_list_where_the_documentation_shows_it_so() {
        let (lists, _) = read::<Lists>(r#"{"Names": "a", "Rows": {"Id": 1}}"#).unwrap();
        assert_eq!(lists.names, ["a"]);
        assert_eq!(lists.rows, [Row { id: 1 }]);
        let list = r#"{"Names": ["a"], "Rows": [{"Id": 1}]}"#;
        assert_eq!(read::<Lists>(list).unwrap().0, lists);
        for wrong in [r#"{"Many": {"Id": 1}}"#, r#"{"Many": "a"}"#, r#"{"Rows": "a"}"#] {
            assert!(read::<Lists>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_enum_is_read_in_every_spelling_and_case() {
        for (json, expected) in [
            (r#""on""#, Some(Lamp::On)),
            (r#""ON""#, Some(Lamp::On)),
            (r#""true""#, Some(Lamp::On)),
            (r#""1""#, Some(Lamp::On)),
            ("true", Some(Lamp::On)),
            ("1", Some(Lamp::On)),
            (r#""Off""#, Some(Lamp::Off)),
            (r#""False""#, Some(Lamp::Off)),
            ("false", Some(Lamp::Off)),
            ("0", Some(Lamp::Off)),
            ("null", None),
        ] {
            let object = format!(r#"{{"Text": {json}, "Boolean": {json}}}"#);
            let (lamps, warnings) = read::<Lamps>(&object).unwrap();
            assert_eq!((lamps.text, lamps.boolean), (expected, expected), "{json}");
            let fields: Vec<&str> = warnings.iter().map(|warning| warning.field).collect();
            match json {
                "null" => assert_eq!(fields, [""; 0]),
                "0" | "1" => assert_eq!(fields, ["Text", "Boolean"]),
                "true" | "false" => assert_eq!(fields, ["Text"]),
                _ => assert_eq!(fields, ["Boolean"], "{json}"),
            }
        }
        for wrong in [r#""dim""#, r#""""#, "2", "-1", "1.5", "[]", "{}"] {
            let object = format!(r#"{{"Text": {wrong}}}"#);
            assert!(read::<Lamps>(&object).is_err(), "{wrong}");
        }
        let error = read::<Lamps>(r#"{"Text": "dim"}"#).unwrap_err().to_string();
        assert!(error.contains("expected one of on, true, off, false"), "{error}");
    }
}
