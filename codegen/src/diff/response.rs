//! Responses and the models in them: plain structs that users read, and build from `Default`.

use super::{
    Class,
    action::{Comparison, order},
    hint,
};
use crate::{
    model::{Absent, Field, Struct, Type},
    render::{
        request::scalar_type,
        response::{field_type, owned_type},
    },
};

impl<'a> Comparison<'a> {
    pub(super) fn responses(&mut self) {
        let (old, new) = (self.old, self.new);
        if old.response.rust != new.response.rust {
            let item = self.item(&old.response.rust);
            let reason = "The struct has another name.";
            self.log
                .note(Class::Breaking, "response", "Rust name", item, reason)
                .between(&old.response.rust, &new.response.rust);
        }
        self.fields(&old.response, &new.response, |name| {
            format!("response field `{name}`")
        });
        let find = |all: &'a [Struct], wire: &str| all.iter().find(|model| model.wire == wire);
        for model in &old.models {
            let wire = &model.wire;
            let place = format!("model `{wire}`");
            let item = self.item(&model.rust);
            let Some(now) = find(&new.models, wire) else {
                let hint = hint::among(model, &old.models, &new.models, |it| &it.wire, shape);
                let reason = format!("The struct is gone.{hint}");
                self.log.note(Class::Breaking, place, "gone", item, reason);
                continue;
            };
            if model.rust != now.rust {
                let reason = "The struct has another name.";
                self.log
                    .note(Class::Breaking, place, "Rust name", item, reason)
                    .between(&model.rust, &now.rust);
            }
            self.fields(model, now, |name| format!("field `{name}` of `{wire}`"));
        }
        for model in &new.models {
            if find(&old.models, &model.wire).is_none() {
                let (place, item) = (format!("model `{}`", model.wire), self.item(&model.rust));
                let reason = "A struct of its own.";
                self.log.note(Class::Additive, place, "new", item, reason);
            }
        }
    }

    fn fields(&mut self, old: &'a Struct, new: &'a Struct, place: impl Fn(&str) -> String) {
        for field in &old.fields {
            let item = self.item(&format!("{}.{}", old.rust, field.rust));
            let place = place(&field.wire);
            let Some(now) = same_in(old, new, field) else {
                let hint = hint::among(field, &old.fields, &new.fields, |it| &it.wire, field_type);
                let reason = format!("Code that reads the field does not compile.{hint}");
                self.log.note(Class::Breaking, place, "gone", item, reason);
                continue;
            };
            self.field((old, field), (new, now), &place, &item);
        }
        for field in &new.fields {
            if same_in(new, old, field).is_none() {
                let item = self.item(&format!("{}.{}", old.rust, field.rust));
                let reason = match field.absent {
                    Absent::Refused { .. } => {
                        "The struct is `#[non_exhaustive]`: nobody can have named all its fields. An answer without the list is an error, one kept from before too."
                    }
                    Absent::Empty | Absent::Optional => {
                        "The struct is `#[non_exhaustive]`: nobody can have named all its fields."
                    }
                };
                let place = place(&field.wire);
                let noted = self.log.note(Class::Additive, place, "new", item, reason);
                if matches!(field.absent, Absent::Refused { .. }) {
                    noted.silently();
                }
            }
        }
        let before: Vec<String> = old.fields.iter().map(|it| it.wire.clone()).collect();
        let old_name = |field| same_in(new, old, field).unwrap_or(field).wire.clone();
        let after: Vec<String> = new.fields.iter().map(old_name).collect();
        let whole = if old.rust == self.old.response.rust {
            "response".to_owned()
        } else {
            format!("model `{}`", old.wire)
        };
        let item = self.item(&old.rust);
        order(self.log, &whole, &item, &before, &after);
    }

    /// One field of two structs.
    fn field(
        &mut self,
        (old_owner, old): (&'a Struct, &'a Field),
        (new_owner, new): (&'a Struct, &'a Field),
        place: &str,
        item: &str,
    ) {
        if old.wire != new.wire {
            let reason = "It is read under another name, by code that is the same. In an answer with the old one, kept from before too, it is absent.";
            self.log
                .note(Class::Breaking, place, "documented name", item, reason)
                .between(&old.wire, &new.wire)
                .silently();
        }
        if old.rust != new.rust {
            let reason = "The field has another name.";
            self.log
                .note(Class::Breaking, place, "Rust name", item, reason)
                .between(&old.rust, &new.rust);
        }
        if !self.types(&old.ty, &new.ty) {
            let reason = "Code that reads the field gets a value of another type.";
            self.log
                .note(Class::Breaking, place, "type", item, reason)
                .between(owned_type(&old.ty), owned_type(&new.ty));
        } else if matches!(old.ty, Type::Scalar(_)) && old.ty != new.ty {
            let reason = "It is a `bool` as before, and is read from text and from a boolean.";
            self.log
                .note(Class::Documentation, place, "type", item, reason);
        }
        self.absence((old_owner, old), (new_owner, new), place, item);
        if old.is_shorthand != new.is_shorthand {
            let (class, reason) = if new.is_shorthand {
                (
                    Class::Additive,
                    "A plain string in place of the model is read as this field; it was an error before.",
                )
            } else {
                (
                    Class::Breaking,
                    "A plain string in place of the model is an error; it was read before.",
                )
            };
            self.log
                .note(class, place, "shown alone", item, reason)
                .silently();
        }
        if old.is_single != new.is_single {
            let (class, reason) = if new.is_single {
                (
                    Class::Additive,
                    "One element in place of the list is read as well; it was an error before.",
                )
            } else {
                (
                    Class::Breaking,
                    "One element in place of the list is an error; it was read before.",
                )
            };
            self.log
                .note(class, place, "shown as one element", item, reason)
                .silently();
        }
        self.log.words(
            place,
            "shown as",
            item,
            old.example_type == new.example_type,
        );
        self.log.words(
            place,
            "description",
            item,
            old.description == new.description,
        );
    }

    /// Whether two types are one to whoever reads them; what is within them is compared.
    fn types(&mut self, old: &'a Type, new: &'a Type) -> bool {
        let ((old, lists), (new, now_lists)) = (old.innermost(), new.innermost());
        let is_same = match (old, new) {
            (Type::Enum(old), Type::Enum(new)) => {
                self.enums(old, new);
                true
            }
            (
                Type::Model { rust, boxed },
                Type::Model {
                    rust: now,
                    boxed: now_boxed,
                },
            ) => {
                let wire = |models: &'a [Struct], rust: &str| {
                    let found = models.iter().find(|model| model.rust == rust);
                    found.map(|model| model.wire.as_str())
                };
                boxed == now_boxed && wire(&self.old.models, rust) == wire(&self.new.models, now)
            }
            (Type::Scalar(old), Type::Scalar(new)) => scalar_type(*old) == scalar_type(*new),
            (old, new) => old == new,
        };
        is_same && lists == now_lists
    }

    /// What becomes of an answer without the field.
    fn absence(
        &mut self,
        (old_owner, old): (&Struct, &Field),
        (new_owner, new): (&Struct, &Field),
        place: &str,
        item: &str,
    ) {
        let is_list = |field: &Field| matches!(field.ty, Type::List(_));
        if is_list(old) != is_list(new) {
            return;
        }
        // A list is empty where it is not there, and no `Option`.
        let is_option = |field: &Field| field.absent == Absent::Optional && !is_list(field);
        if is_option(old) != is_option(new) {
            let (from, to, reason) = if is_option(new) {
                let reason = "Code that reads the field gets an `Option`.";
                ("required", "optional", reason)
            } else {
                let reason = "Code that reads the field gets no `Option` any more.";
                ("optional", "required", reason)
            };
            self.log
                .note(Class::Breaking, place, "required", item, reason)
                .between(from, to);
            return;
        }
        let counted_by = |owner: &Struct, rust: &str| {
            let found = owner.fields.iter().find(|field| field.rust == rust);
            found.map_or_else(String::new, |field| field.wire.clone())
        };
        let absence = |owner: &Struct, field: &Field| match &field.absent {
            Absent::Refused {
                counted_by: Some(rust),
            } => format!("an error, unless `{}` is 0", counted_by(owner, rust)),
            Absent::Refused { counted_by: None } => "an error".to_owned(),
            Absent::Optional | Absent::Empty => "empty".to_owned(),
        };
        let (before, after) = (absence(old_owner, old), absence(new_owner, new));
        if before != after && old.absent != new.absent {
            let reason = "Its type is the same; an answer without the list means another thing.";
            self.log
                .note(Class::Documentation, place, "absence", item, reason)
                .between(before, after)
                .silently();
        } else if (&old.absent, old.example_omits) != (&new.absent, new.example_omits) {
            let reason =
                "Its type is the same; what the documentation says of it being there is not.";
            self.log
                .note(Class::Documentation, place, "required", item, reason);
        }
    }
}

/// What a field of one struct is in the same struct of the other spec: what has its documented name
/// there, else what has another one and the same name in Rust.
fn same_in<'a>(of: &Struct, other: &'a Struct, field: &Field) -> Option<&'a Field> {
    let find = |of: &'a Struct, wire: &str| of.fields.iter().find(|it| it.wire == wire);
    let same_rust = || {
        let same = other.fields.iter().find(|it| it.rust == field.rust)?;
        let is_new = of.fields.iter().all(|it| it.wire != same.wire);
        is_new.then_some(same)
    };
    find(other, &field.wire).or_else(same_rust)
}

/// What a model looks like from without.
fn shape(model: &Struct) -> Vec<(&str, String)> {
    let fields = model.fields.iter();
    fields
        .map(|field| (field.wire.as_str(), field_type(field)))
        .collect()
}
