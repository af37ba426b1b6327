//! Lowers the fields of responses and models.

use crate::{
    model::{
        Absent, Field, Scalar, Struct, Type,
        context::{Context, Element},
        names::FieldNames,
    },
    spec::{self, At, Format},
};

/// The core keeps a bit for each field of an object that it has read.
const MAX_FIELDS: usize = 128;

/// The struct that has the fields.
#[derive(Clone, Copy)]
struct Owner<'a> {
    /// Its documented name, if it is a model.
    model: Option<&'a str>,
    /// Its Rust name, or the beginning of it.
    rust: &'a str,
    /// Whether it is sent too: its fields may then have keys of parameters.
    is_sent: bool,
}

impl Context<'_> {
    pub(super) fn response(&mut self) -> Struct {
        let action = self.action;
        for field in &action.response {
            if self.common.response.contains(&field.name.value) {
                let message = format!(
                    "every response has `{}`: it belongs in service.json only",
                    field.name.value
                );
                self.report.error(field.name.at, message);
            }
        }
        let prefix = self.prefix.clone();
        let owner = Owner { model: None, rust: &prefix, is_sent: false };
        Struct {
            wire: format!("{}Response", action.action.value),
            rust: format!("{prefix}Response"),
            fields: self.fields(&action.response, owner),
        }
    }

    /// The models in the response.
    pub(super) fn response_models(&mut self) -> Vec<Struct> {
        let models = self.action.models.iter();
        let lower = |model: &spec::Model| {
            let name = &model.name.value;
            let rust = self.models.in_response(name)?.to_owned();
            let owner = Owner {
                model: Some(name),
                rust: &rust,
                is_sent: self.models.in_parameters(name).is_some(),
            };
            let fields = self.fields(&model.fields, owner);
            if let Some(second) = model.fields.iter().filter(|it| it.is_shorthand()).nth(1) {
                let message = "only one field of a model can have `example_shorthand`";
                self.report.error(second.name.at, message);
            }
            Some(Struct { wire: name.clone(), fields, rust })
        };
        models.filter_map(lower).collect()
    }

    fn fields(&mut self, specs: &[spec::Field], owner: Owner<'_>) -> Vec<Field> {
        if let Some(excess) = specs.get(MAX_FIELDS) {
            let message = format!("{} fields: at most {MAX_FIELDS} can be read", specs.len());
            self.report.error(excess.name.at, message);
        }
        let mut names = FieldNames::default();
        let fields = specs.iter().map(|field| self.field(field, owner, &mut names));
        let mut fields: Vec<Field> = fields.collect();
        for (index, field) in specs.iter().enumerate() {
            self.set_counter(field, index, specs, &mut fields);
        }
        fields
    }

    fn field(&mut self, field: &spec::Field, owner: Owner<'_>, names: &mut FieldNames) -> Field {
        if !owner.is_sent {
            let (default, split) = (&field.default, &field.split_when_absent);
            #[rustfmt::skip]
            let rules = [
                (default.as_ref().map(|it| it.at), true, "only a parameter can have `default`"),
                (At::place(&field.explicit), true, "only a parameter can have `explicit`"),
                (At::place(&field.allow_empty), true, "only a parameter can have `allow_empty`"),
                (split.as_ref().map(|it| it.action.at), true, "only a parameter can have `split_when_absent`"),
            ];
            self.refuse(rules);
        }
        let name = &field.name;
        let rust = names.claim(&name.value, field.rust_name.as_ref(), name.at, self.report);
        let ty = self.ty(field, owner);
        let is_shorthand = field.is_shorthand();
        if is_shorthand
            && (ty != Type::Scalar(Scalar::String) || !field.required || owner.model.is_none())
        {
            let message = "only a required string of a model can have `example_shorthand`";
            self.report.error(name.at, message);
        }
        let example_omits = field.is_omitted_by_example();
        Field {
            wire: name.value.clone(),
            rust,
            absent: match ty {
                _ if !field.required || example_omits => Absent::Optional,
                Type::List(_) => Absent::Refused { counted_by: None },
                // A model that holds itself ends somewhere.
                Type::Model { boxed: true, .. } => Absent::Optional,
                // An enum has no empty value.
                Type::Shared { .. } => Absent::Optional,
                _ => Absent::Empty,
            },
            is_shorthand,
            is_single: self.evidence.single.contains(&name.at) && matches!(ty, Type::List(_)),
            ty,
            example_type: field.example_type.as_ref().map(|ty| ty.value.to_string()),
            example_omits,
            description: field.description.value.clone(),
        }
    }

    fn ty(&mut self, field: &spec::Field, owner: Owner<'_>) -> Type {
        if self.is_unreadable(field) {
            return Type::Object;
        }
        let format = field.format.as_ref().map(|format| format.value);
        let (element, depth) = self.element(field, &field.name.value, owner.rust);
        let element = match element {
            Element::Shared { rust, form } => Type::Shared { rust, form },
            Element::Enum(rust) => Type::Enum(rust),
            _ if format == Some(Format::Timestamp) => Type::Timestamp,
            Element::Scalar(scalar) => Type::Scalar(scalar),
            Element::Object => Type::Object,
            Element::Model(name) => Type::Model {
                rust: self.models.in_response(name).unwrap_or_default().to_owned(),
                boxed: depth == 0 && owner.model.is_some_and(|it| self.models.holds(name, it)),
            },
        };
        (0..depth).fold(element, |element, _| Type::List(Box::new(element)))
    }

    /// Whether the example has a value of the field that its type cannot read.
    pub(super) fn is_unreadable(&self, field: &spec::Field) -> bool {
        self.evidence.unreadable.contains(&field.name.at)
    }

    /// Sets the field that counts a list.
    fn set_counter(
        &mut self,
        field: &spec::Field,
        index: usize,
        specs: &[spec::Field],
        fields: &mut [Field],
    ) {
        let Some(name) = &field.counted_by else {
            return;
        };
        let counter = specs.iter().position(|counter| {
            counter.name.value == name.value
                && counter.ty.value == spec::Type::Int
                && counter.required
                && !counter.is_omitted_by_example()
                && !self.is_unreadable(counter)
        });
        let Some(counter) = counter else {
            let message = format!("no required int `{}` beside the list", name.value);
            self.report.error(name.at, message);
            return;
        };
        let counter = fields[counter].rust.clone();
        match &mut fields[index].absent {
            Absent::Refused { counted_by } => *counted_by = Some(counter),
            _ => self.report.error(name.at, "only a required list can have `counted_by`"),
        }
    }
}
