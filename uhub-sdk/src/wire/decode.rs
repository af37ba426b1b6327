//! Reading a response: tolerant of what the service is known to do, and never silent about it.
//!
//! A scalar may come as another scalar, a list as `null`, an unknown field passes, and a required
//! field that is absent becomes the empty value; each is noted. What cannot be understood is an
//! error that names the field.

use std::{cell::RefCell, fmt, marker::PhantomData};

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, Visitor,
    value::{MapAccessDeserializer, MapDeserializer},
};

use crate::wire::timestamp::Timestamp;

/// A struct that is read from a JSON object. [`model!`] implements it.
pub trait Model: Default {
    #[doc(hidden)]
    const FIELDS: &'static [Field];

    /// The index of a field by its documented name.
    #[doc(hidden)]
    fn index_of(name: &str) -> Option<usize>;

    /// Reads the value of the field with this index.
    #[doc(hidden)]
    fn read_field<'de, A: MapAccess<'de>>(
        &mut self,
        index: usize,
        from: &mut A,
        place: FieldContext<'_>,
    ) -> Result<(), A::Error>;

    /// The index and the value of the field that counts the elements of the list with this index.
    #[doc(hidden)]
    fn count_of(&self, index: usize) -> Option<(usize, Option<i64>)>;
}

/// A field of a [`Model`].
#[derive(Debug)]
pub struct Field {
    pub(crate) model: &'static str,
    /// The documented name.
    pub(crate) wire: &'static str,
    pub(crate) absent: Presence,
    pub(crate) form: Form,
}

/// What a field's value is beside its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(
    dead_code,
    non_camel_case_types,
    reason = "written so in `model!`, where a service needs it"
)]
pub(crate) enum Form {
    plain,
    /// A boolean that is documented as a string.
    text,
    /// A plain string in place of the model is this field.
    whole,
    /// One element in place of the list is the list.
    single,
}

impl Field {
    fn note(&self, what: Mismatch) -> Warning {
        Warning {
            model: self.model,
            field: self.wire,
            what,
        }
    }
}

/// What it means when a field is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(non_camel_case_types, reason = "written so in `model!`")]
pub(crate) enum Presence {
    /// It is the empty value, and noted.
    required,
    /// Nothing.
    optional,
    /// The user must not be shown an empty list that the service never sent: an error, unless the
    /// field that counts it says 0.
    list,
}

/// Implements [`Model`], `Serialize` and `Deserialize` for a struct: each field with its documented
/// name and what its absence means.
macro_rules! model {
    ($name:ident {
        $($field:ident = $wire:literal, $absent:ident $(counted by $count:ident)? $(as $form:ident)?;)*
    }) => {
        const _: () = {
            #[allow(dead_code, non_camel_case_types, reason = "named after the fields")]
            enum Index {
                $($field,)*
            }

            impl $crate::wire::decode::Model for $name {
                const FIELDS: &'static [$crate::wire::decode::Field] = &[
                    $($crate::wire::decode::Field {
                        model: stringify!($name),
                        wire: $wire,
                        absent: $crate::wire::decode::Presence::$absent,
                        form: [$($crate::wire::decode::Form::$form,)? $crate::wire::decode::Form::plain][0],
                    },)*
                ];

                fn index_of(name: &str) -> Option<usize> {
                    match name {
                        $($wire => Some(Index::$field as usize),)*
                        _ => None,
                    }
                }

                #[allow(unused_variables)]
                fn read_field<'de, A: ::serde::de::MapAccess<'de>>(
                    &mut self,
                    index: usize,
                    from: &mut A,
                    place: $crate::wire::decode::FieldContext<'_>,
                ) -> Result<(), A::Error> {
                    $(
                        if index == Index::$field as usize {
                            self.$field = from.next_value_seed($crate::wire::decode::Seed::new(place))?;
                        }
                    )*
                    Ok(())
                }

                #[allow(unused_variables)]
                fn count_of(&self, index: usize) -> Option<(usize, Option<i64>)> {
                    $($(
                        if index == Index::$field as usize {
                            return Some((Index::$count as usize, self.$count.into()));
                        }
                    )?)*
                    None
                }
            }

            impl $crate::wire::decode::FromWire for $name {
                fn from_wire<'de, D: ::serde::Deserializer<'de>>(
                    from: D,
                    place: $crate::wire::decode::FieldContext<'_>,
                ) -> Result<Self, D::Error> {
                    $crate::wire::decode::read_model(from, place.warnings, &mut (), Some(place))
                }
            }

            impl ::serde::Serialize for $name {
                fn serialize<S: ::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                    use ::serde::ser::SerializeStruct;
                    let fields = <Self as $crate::wire::decode::Model>::FIELDS.len();
                    #[allow(unused_mut)]
                    let mut to = to.serialize_struct(stringify!($name), fields)?;
                    $(to.serialize_field($wire, &self.$field)?;)*
                    to.end()
                }
            }

            impl<'de> ::serde::Deserialize<'de> for $name {
                fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    $crate::wire::decode::read_model(from, &Default::default(), &mut (), None)
                }
            }
        };
    };
}
pub(crate) use model;

/// What was noted while a response was read.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    found: RefCell<Vec<Warning>>,
    /// Where reading stopped, from the inside out.
    path: RefCell<Vec<Step>>,
}

/// Something that the documentation says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Warning {
    pub(crate) model: &'static str,
    /// The documented name.
    pub(crate) field: &'static str,
    pub(crate) what: Mismatch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mismatch {
    /// The value came as another type, and was read as the documented one.
    Coerced {
        from: &'static str,
        to: &'static str,
    },
    /// A required value did not come, and is empty.
    Missing,
}

#[derive(Debug)]
enum Step {
    Field(&'static str),
    Index(usize),
}

impl Warnings {
    fn note(&self, note: Warning) {
        let mut found = self.found.borrow_mut();
        // The same oddity stands in every element of a list: once is enough.
        if !found.contains(&note) {
            found.push(note);
        }
    }

    /// Whether a field that was there was more than `null`.
    fn has_value<M: Model>(&self, index: usize) -> bool {
        let missing = M::FIELDS[index].note(Mismatch::Missing);
        !self.found.borrow().contains(&missing)
    }

    pub(crate) fn take(&self) -> Vec<Warning> {
        self.found.take()
    }

    /// The JSON path of what could not be read, such as `ImageSet[3].PullCount`.
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

/// The field that is being read.
#[derive(Debug, Clone, Copy)]
pub struct FieldContext<'n> {
    pub(crate) warnings: &'n Warnings,
    field: &'static Field,
}

impl<'n> FieldContext<'n> {
    /// A place for values that are read outside of a response.
    pub(crate) fn nowhere(warnings: &'n Warnings) -> Self {
        const FIELD: &Field = &Field {
            model: "",
            wire: "",
            absent: Presence::optional,
            form: Form::plain,
        };
        Self {
            warnings,
            field: FIELD,
        }
    }

    fn coerced(self, from: &'static str, to: &'static str) {
        self.note(Mismatch::Coerced { from, to });
    }

    fn note(self, what: Mismatch) {
        self.warnings.note(self.field.note(what));
    }
}

/// A value of a field.
pub(crate) trait FromWire: Sized {
    /// Reads it, with tolerance.
    fn from_wire<'de, D: Deserializer<'de>>(
        from: D,
        place: FieldContext<'_>,
    ) -> Result<Self, D::Error>;
}

/// Reads one `T`.
pub(crate) struct Seed<'n, T> {
    place: FieldContext<'n>,
    reads: PhantomData<T>,
}

impl<'n, T> Seed<'n, T> {
    pub(crate) fn new(place: FieldContext<'n>) -> Self {
        Self {
            place,
            reads: PhantomData,
        }
    }
}

impl<'de, T: FromWire> DeserializeSeed<'de> for Seed<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        T::from_wire(from, self.place)
    }
}

/// What stands beside a model's own fields in the same object: a response's envelope does.
pub(crate) trait Siblings {
    fn index_of(name: &str) -> Option<usize>;

    fn read<'de, A: MapAccess<'de>>(&mut self, index: usize, from: &mut A) -> Result<(), A::Error>;

    /// Whether the model is of interest: one that came with a refusal need not be complete.
    fn is_success(&self) -> bool;
}

/// Nothing does.
impl Siblings for () {
    fn index_of(_: &str) -> Option<usize> {
        None
    }

    fn read<'de, A: MapAccess<'de>>(&mut self, _: usize, _: &mut A) -> Result<(), A::Error> {
        Ok(())
    }

    fn is_success(&self) -> bool {
        true
    }
}

/// Reads a model, and what stands beside it.
pub(crate) fn read_model<'de, M: Model, D: Deserializer<'de>>(
    from: D,
    warnings: &Warnings,
    siblings: &mut impl Siblings,
    place: Option<FieldContext<'_>>,
) -> Result<M, D::Error> {
    from.deserialize_any(ModelVisitor {
        warnings,
        siblings,
        place,
        reads: PhantomData,
    })
}

struct ModelVisitor<'n, 'b, M, B> {
    warnings: &'n Warnings,
    siblings: &'b mut B,
    /// The field that holds the model, if one does.
    place: Option<FieldContext<'n>>,
    reads: PhantomData<M>,
}

/// The index of a field is a bit: `codegen` refuses a model that has more of them.
type Seen = u128;

impl<'de, M: Model, B: Siblings> Visitor<'de> for ModelVisitor<'_, '_, M, B> {
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<M, A::Error> {
        let mut model = M::default();
        let mut seen: Seen = 0;
        while let Some(key) = map.next_key_seed(KeySeed::<M, B>(PhantomData))? {
            match key {
                Key::Field(index) => {
                    let field = &M::FIELDS[index];
                    let place = FieldContext {
                        warnings: self.warnings,
                        field,
                    };
                    model
                        .read_field(index, &mut map, place)
                        .map_err(|error| self.warnings.fail(error, Step::Field(field.wire)))?;
                    seen |= 1 << index;
                }
                Key::Siblings(index) => self.siblings.read(index, &mut map)?,
                Key::Unknown => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if self.siblings.is_success() {
            check_presence(&model, seen, self.warnings)?;
        }
        Ok(model)
    }

    /// Some pages show a name where their tables have a model.
    fn visit_str<E: Error>(self, text: &str) -> Result<M, E> {
        let whole = M::FIELDS.iter().position(|field| field.form == Form::whole);
        let (Some(index), Some(place)) = (whole, self.place) else {
            return Err(E::invalid_type(Unexpected::Str(text), &self));
        };
        place.coerced("string", "object");
        let mut model = M::default();
        let mut map = MapDeserializer::new(std::iter::once(((), text)));
        map.next_key::<()>()?;
        let field = &M::FIELDS[index];
        model.read_field(
            index,
            &mut map,
            FieldContext {
                warnings: self.warnings,
                field,
            },
        )?;
        Ok(model)
    }

    fn visit_unit<E: Error>(self) -> Result<M, E> {
        // A response that is `null` says nothing; a model in one is an absent value.
        let Some(place) = self.place else {
            return Err(E::invalid_type(Unexpected::Unit, &self));
        };
        place.note(Mismatch::Missing);
        Ok(M::default())
    }
}

/// What was not there: noted, or refused.
fn check_presence<M: Model, E: Error>(model: &M, seen: Seen, warnings: &Warnings) -> Result<(), E> {
    let was_seen = |index: usize| seen & (1 << index) != 0;
    for (index, field) in M::FIELDS
        .iter()
        .enumerate()
        .filter(|(index, _)| !was_seen(*index))
    {
        match field.absent {
            Presence::optional => {}
            Presence::required => {
                warnings.note(field.note(Mismatch::Missing));
            }
            Presence::list => {
                let says_zero = model.count_of(index).is_some_and(|(count, value)| {
                    value == Some(0) && was_seen(count) && warnings.has_value::<M>(count)
                });
                if !says_zero {
                    let error =
                        E::custom("the list is not there, and nothing says that it is empty");
                    return Err(warnings.fail(error, Step::Field(field.wire)));
                }
            }
        }
    }
    Ok(())
}

enum Key {
    Field(usize),
    Siblings(usize),
    Unknown,
}

/// Tells which field a key names.
struct KeySeed<M, B>(PhantomData<(M, B)>);

impl<'de, M: Model, B: Siblings> DeserializeSeed<'de> for KeySeed<M, B> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Key, D::Error> {
        from.deserialize_identifier(self)
    }
}

impl<M: Model, B: Siblings> Visitor<'_> for KeySeed<M, B> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        Ok(match M::index_of(key) {
            Some(index) => Key::Field(index),
            None => B::index_of(key).map_or(Key::Unknown, Key::Siblings),
        })
    }
}

/// A visitor that reads one kind of scalar from any of them.
macro_rules! scalar {
    ($type:ty, $visitor:ident, $expected:literal, { $($visit:item)* }) => {
        struct $visitor<'n>(FieldContext<'n>);

        impl<'de> Visitor<'de> for $visitor<'_> {
            type Value = $type;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($expected)
            }

            fn visit_unit<E: Error>(self) -> Result<$type, E> {
                self.0.note(Mismatch::Missing);
                Ok(<$type>::default())
            }

            $($visit)*
        }

        impl FromWire for $type {
            fn from_wire<'de, D: Deserializer<'de>>(from: D, place: FieldContext<'_>) -> Result<Self, D::Error> {
                from.deserialize_any($visitor(place))
            }
        }
    };
}

scalar!(String, TextVisitor, "a string", {
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
        Ok(float.to_string())
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
        let int = text
            .trim()
            .parse()
            .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))?;
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
        let float = text.parse().ok().filter(|float: &f64| float.is_finite());
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
        if self.0.field.form == Form::text {
            self.0.coerced("boolean", "string");
        }
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
        if self.0.field.form != Form::text {
            self.0.coerced("string", "boolean");
        }
        Ok(boolean)
    }

    fn visit_i64<E: Error>(self, int: i64) -> Result<bool, E> {
        Err(E::invalid_value(Unexpected::Signed(int), &self))
    }

    fn visit_u64<E: Error>(self, int: u64) -> Result<bool, E> {
        if int > 1 {
            return Err(E::invalid_value(Unexpected::Unsigned(int), &self));
        }
        self.0.coerced("int", "boolean");
        Ok(int == 1)
    }
});

scalar!(Timestamp, TimestampVisitor, "a time", {
    fn visit_str<E: Error>(self, text: &str) -> Result<Timestamp, E> {
        Ok(text.into())
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Timestamp, E> {
        Ok(seconds.to_string().into())
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Timestamp, E> {
        Ok(seconds.to_string().into())
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Timestamp, E> {
        Ok(seconds.to_string().into())
    }
});

impl FromWire for serde_json::Value {
    fn from_wire<'de, D: Deserializer<'de>>(
        from: D,
        _: FieldContext<'_>,
    ) -> Result<Self, D::Error> {
        Self::deserialize(from)
    }
}

impl<T: FromWire> FromWire for Box<T> {
    fn from_wire<'de, D: Deserializer<'de>>(
        from: D,
        place: FieldContext<'_>,
    ) -> Result<Self, D::Error> {
        T::from_wire(from, place).map(Self::new)
    }
}

impl<T: FromWire> FromWire for Option<T> {
    fn from_wire<'de, D: Deserializer<'de>>(
        from: D,
        place: FieldContext<'_>,
    ) -> Result<Self, D::Error> {
        struct OptionVisitor<'n, T>(Seed<'n, T>);

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
                self.0.deserialize(from).map(Some)
            }
        }

        from.deserialize_option(OptionVisitor(Seed::new(place)))
    }
}

impl<T: FromWire> FromWire for Vec<T> {
    fn from_wire<'de, D: Deserializer<'de>>(
        from: D,
        place: FieldContext<'_>,
    ) -> Result<Self, D::Error> {
        struct ListVisitor<'n, T>(FieldContext<'n>, PhantomData<T>);

        impl<T: FromWire> ListVisitor<'_, T> {
            /// Some pages show one element where their tables have a list.
            fn one<'de, D: Deserializer<'de>>(
                self,
                from: D,
                found: Unexpected<'_>,
            ) -> Result<Vec<T>, D::Error> {
                if self.0.field.form != Form::single {
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
                self.0.note(Mismatch::Missing);
                Ok(Vec::new())
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
                    match seq.next_element_seed(Seed::new(self.0)) {
                        Ok(Some(element)) => list.push(element),
                        Ok(None) => return Ok(list),
                        Err(error) => {
                            return Err(self.0.warnings.fail(error, Step::Index(list.len())));
                        }
                    }
                }
            }
        }

        from.deserialize_any(ListVisitor(place, PhantomData))
    }
}

#[cfg(test)]
mod tests {
    #[derive(Debug, Default, PartialEq)]
    struct Answer {
        names: Vec<String>,
        rows: Vec<Row>,
        many: Vec<Row>,
    }

    model! {
        Answer {
            names = "Names", optional as single;
            rows = "Rows", optional as single;
            many = "Many", optional;
        }
    }

    #[derive(Debug, Default, PartialEq)]
    struct Row {
        id: i64,
    }

    model! {
        Row {
            id = "Id", required;
        }
    }

    #[test]
    fn one_element_is_a_list_where_the_documentation_shows_it_so() {
        let answer: Answer = serde_json::from_str(r#"{"Names": "a", "Rows": {"Id": 1}}"#).unwrap();
        assert_eq!(answer.names, ["a"]);
        assert_eq!(answer.rows, [Row { id: 1 }]);
        let list = r#"{"Names": ["a"], "Rows": [{"Id": 1}]}"#;
        assert_eq!(serde_json::from_str::<Answer>(list).unwrap(), answer);
        for wrong in [
            r#"{"Many": {"Id": 1}}"#,
            r#"{"Many": "a"}"#,
            r#"{"Rows": "a"}"#,
        ] {
            assert!(serde_json::from_str::<Answer>(wrong).is_err(), "{wrong}");
        }
    }
}
