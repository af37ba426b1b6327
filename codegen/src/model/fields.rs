//! Lowers the fields of responses and models.

use crate::{
    model::{
        Absent, Field, Scalar, Struct, Type,
        context::{Context, Owner, Role},
        names::FieldNames,
    },
    spec::{self, At},
};

/// The core keeps a bit for each field of an object that it has read.
const MAX_FIELDS: usize = 128;

impl Context<'_> {
    pub(super) fn response(&mut self) -> Struct {
        let action = self.action;
        self.refuse_common(&action.response, &self.service.common_response, "response");
        let prefix = self.prefix.clone();
        let owner = Owner { role: Role::Read, rust: &prefix, model: None };
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
            let owner = Owner { role: Role::Read, rust: &rust, model: Some(name) };
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
        for (index, spec) in specs.iter().enumerate() {
            if let Some(counter) = &spec.counted_by {
                self.set_counter(counter, index, &mut fields);
            }
        }
        fields
    }

    fn field(&mut self, field: &spec::Field, owner: Owner<'_>, names: &mut FieldNames) -> Field {
        // The fields of a model that is sent too may have the keys of parameters.
        let is_sent = owner.model.is_some_and(|model| self.models.in_parameters(model).is_some());
        let (default, split) = (&field.default, &field.split_when_absent);
        #[rustfmt::skip]
        self.refuse([
            (default.as_ref().map(|it| it.at), !is_sent, "only a parameter can have `default`"),
            (At::place(&field.explicit), !is_sent, "only a parameter can have `explicit`"),
            (At::place(&field.allow_empty), !is_sent, "only a parameter can have `allow_empty`"),
            (split.as_ref().map(|it| it.action.at), !is_sent, "only a parameter can have `split_when_absent`"),
        ]);
        let name = &field.name;
        let rust = names.claim(&name.value, field.rust_name.as_ref(), name.at, self.report);
        let documented = &field.ty.value;
        let (ty, documented_type) = if self.evidence.unreadable.contains(&name.at) {
            (Type::Object, documented)
        } else {
            (self.ty(field, &name.value, 0, owner), documented.innermost().0)
        };
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
                Type::Struct { boxed: true, .. } => Absent::Optional,
                // An enum has no empty value.
                Type::Shared { .. } => Absent::Optional,
                _ => Absent::Empty,
            },
            is_shorthand,
            is_single: self.evidence.single.contains(&name.at) && matches!(ty, Type::List(_)),
            ty,
            documented_type: documented_type.to_string(),
            example_type: field.example_type.as_ref().map(|ty| ty.value.to_string()),
            example_omits,
            description: field.description.value.clone(),
            deprecated: field.deprecated.clone(),
        }
    }

    /// Sets the field that counts a list.
    fn set_counter(&mut self, counter: &At<String>, list: usize, fields: &mut [Field]) {
        let At { value: name, at } = counter;
        let mut counters = fields.iter().filter(|field| field.is_counter());
        let Some(counter) = counters.find(|field| field.wire == *name) else {
            self.report.error(*at, format!("no required int `{name}` beside the list"));
            return;
        };
        let counter = counter.rust.clone();
        match &mut fields[list].absent {
            Absent::Refused { counted_by } => *counted_by = Some(counter),
            _ => self.report.error(*at, "only a required list can have `counted_by`"),
        }
    }
}
