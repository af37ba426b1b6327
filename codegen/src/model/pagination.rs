//! Lowers `pagination`: each field that it names must exist and have a type that fits.

use crate::{
    model::{Pagination, Parameter, Struct, Type, context::Context},
    spec::{self, At, diagnostic::suggest},
};

impl Context<'_> {
    pub(super) fn pagination(
        &mut self,
        spec: &spec::Pagination,
        parameters: &[Parameter],
        response: &Struct,
        models: &[Struct],
    ) -> Option<Pagination> {
        let action = self.action;
        let is_optional_int =
            |field: &spec::Field| !field.required && field.ty.value == spec::Type::Int;
        let is_reliable = |field: &spec::Field| field.required && !field.is_omitted_by_example();
        let mut parameter = |name| {
            let expected = ("parameter", "optional int");
            self.find(name, &action.parameters, expected, is_optional_int)
        };
        let (offset, limit) = (parameter(&spec.offset), parameter(&spec.limit));
        let fields = &action.response;
        let total = self.find(&spec.total, fields, ("response field", "required int"), |field| {
            is_reliable(field) && field.ty.value == spec::Type::Int
        });
        let items =
            self.find(&spec.items, fields, ("response field", "array of a model"), |field| {
                matches!(field.ty.value.innermost(), (spec::Type::Model(_), 1))
            });
        let item = items.and_then(|items| match response.fields[items].ty.innermost() {
            (Type::Model { rust, .. }, _) => models.iter().find(|model| model.rust == *rust),
            _ => None,
        })?;
        let mut models = action.models.iter();
        let fields = &models.find(|model| model.name.value == item.wire)?.fields;
        let key =
            self.find(&spec.key, fields, ("field of the items", "required string"), |field| {
                is_reliable(field) && field.ty.value == spec::Type::String
            });
        let parameter = |index: usize| {
            let wire = &action.parameters[index].name.value;
            let parameter = parameters.iter().find(|parameter| parameter.wire == *wire)?;
            Some(parameter.rust.clone())
        };
        Some(Pagination {
            offset: parameter(offset?)?,
            limit: parameter(limit?)?,
            total: response.fields[total?].rust.clone(),
            items: response.fields[items?].rust.clone(),
            item: item.rust.clone(),
            key: item.fields[key?].rust.clone(),
        })
    }

    /// The index of a field, if it is what was expected: its kind and its type.
    fn find(
        &mut self,
        name: &At<String>,
        fields: &[spec::Field],
        (kind, expected): (&str, &str),
        fits: impl Fn(&spec::Field) -> bool,
    ) -> Option<usize> {
        let At { value: name, at } = name;
        let Some(index) = fields.iter().position(|field| field.name.value == *name) else {
            let known = fields.iter().map(|field| field.name.value.as_str());
            self.report.error(*at, format!("no {kind} `{name}`{}", suggest(name, known)));
            return None;
        };
        if fits(&fields[index]) && !self.is_unreadable(&fields[index]) {
            return Some(index);
        }
        self.report.error(*at, format!("`{name}` cannot paginate: expected a {kind}, {expected}"));
        None
    }
}
