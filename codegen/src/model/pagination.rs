//! Lowers `pagination`: each field that it names must exist and have a type that fits.

use crate::{
    model::{Absent, Field, Pagination, Parameter, Scalar, Struct, Type, context::Context},
    spec::{self, At, diagnostic::suggest},
};

/// The documented name and the Rust name of a parameter or field, and whether its type fits.
type Candidate<'m> = (&'m str, &'m str, bool);

impl Context<'_> {
    pub(super) fn pagination(
        &mut self,
        spec: &spec::Pagination,
        parameters: &[Parameter],
        response: &Struct,
        models: &[Struct],
    ) -> Option<Pagination> {
        let parameters = || {
            let is_int = |it: &Parameter| !it.required && it.ty == Type::Scalar(Scalar::Int);
            parameters.iter().map(move |it| (it.wire.as_str(), it.rust.as_str(), is_int(it)))
        };
        let offset = self.find(&spec.offset, "parameter", "optional int", parameters());
        let limit = self.find(&spec.limit, "parameter", "optional int", parameters());
        let kind = "response field";
        let fields = candidates(&response.fields, Field::is_counter);
        let total = self.find(&spec.total, kind, "required int", fields);
        let fields = candidates(&response.fields, |field| item(field).is_some());
        let items = self.find(&spec.items, kind, "array of a model", fields)?;
        let list = response.fields.iter().find(|field| field.rust == items)?;
        let item = models.iter().find(|model| Some(model.rust.as_str()) == item(list))?;
        let fields = candidates(&item.fields, |field| {
            field.ty == Type::Scalar(Scalar::String) && field.absent == Absent::Empty
        });
        let key = self.find(&spec.key, "field of the items", "required string", fields);
        Some(Pagination {
            offset: offset?,
            limit: limit?,
            total: total?,
            items,
            item: item.rust.clone(),
            key: key?,
        })
    }

    /// The Rust name of what a key names, if its type is the expected one.
    fn find<'m>(
        &mut self,
        key: &At<String>,
        kind: &str,
        expected: &str,
        candidates: impl Iterator<Item = Candidate<'m>> + Clone,
    ) -> Option<String> {
        let At { value: name, at } = key;
        let message = match candidates.clone().find(|(wire, ..)| wire == name) {
            Some((_, rust, true)) => return Some(rust.to_owned()),
            Some(_) => format!("`{name}` cannot paginate: expected a {kind}, {expected}"),
            None => {
                format!("no {kind} `{name}`{}", suggest(name, candidates.map(|(wire, ..)| wire)))
            }
        };
        self.report.error(*at, message);
        None
    }
}

fn candidates<'m>(
    fields: &'m [Field],
    fits: impl Fn(&Field) -> bool + Clone,
) -> impl Iterator<Item = Candidate<'m>> + Clone {
    fields.iter().map(move |it| (it.wire.as_str(), it.rust.as_str(), fits(it)))
}

/// The Rust name of the model that a field is a list of.
fn item(field: &Field) -> Option<&str> {
    match field.ty.innermost() {
        (Type::Struct { rust, .. }, 1) => Some(rust),
        _ => None,
    }
}
