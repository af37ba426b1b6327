//! Lowers `pagination`: each field that it names must exist and have a type that fits.

use crate::{
    model::{Absent, PageNumber, Pagination, Parameter, Scalar, Struct, Type, context::Context},
    spec::{self, At, diagnostic::suggest},
};

/// What a field has to be: `T` is what pagination needs of it, if its type fits.
struct Candidate<'m, T> {
    wire: &'m str,
    fits: Option<T>,
}

impl Context<'_> {
    pub(super) fn pagination(
        &mut self,
        spec: &spec::Pagination,
        parameters: &[Parameter],
        response: &Struct,
    ) -> Option<Pagination> {
        let parameters = || {
            let candidate = |it: &'_ Parameter| page_number(&it.rust, &it.ty, !it.required);
            parameters.iter().map(move |it| Candidate { wire: &it.wire, fits: candidate(it) })
        };
        let number = "`int` or `string`";
        let offset = self.find(&spec.offset, "parameter", number, parameters());
        let limit = self.find(&spec.limit, "parameter", number, parameters());
        let kind = "response field";
        let fields = response.fields.iter();
        let numbers = fields.clone().map(|it| Candidate {
            wire: &it.wire,
            fits: page_number(&it.rust, &it.ty, it.absent == Absent::Optional),
        });
        let total = spec.total.as_ref().map(|total| self.find(total, kind, number, numbers));
        let lists = fields.map(|it| Candidate {
            wire: &it.wire,
            fits: match &it.ty {
                Type::List(item) if !matches!(**item, Type::List(_)) => {
                    Some((it.rust.clone(), (**item).clone()))
                }
                _ => None,
            },
        });
        let items = self.find(&spec.items, kind, "array", lists);
        let (items, item) = items?;
        let total = match total {
            Some(total) => Some(total?),
            None => None,
        };
        Some(Pagination { offset: offset?, limit: limit?, total, items, item })
    }

    /// What pagination needs of the field that a key names, if its type is the expected one.
    fn find<'m, T>(
        &mut self,
        key: &At<String>,
        kind: &str,
        expected: &str,
        candidates: impl Iterator<Item = Candidate<'m, T>> + Clone,
    ) -> Option<T> {
        let At { value: name, at } = key;
        let message = match candidates.clone().find(|it| it.wire == name) {
            Some(Candidate { fits: Some(found), .. }) => return Some(found),
            Some(_) => format!("`{name}` cannot paginate: expected a {kind}, {expected}"),
            None => {
                let names = candidates.map(|it| it.wire);
                format!("no {kind} `{name}`{}", suggest(name, names))
            }
        };
        self.report.error(*at, message);
        None
    }
}

fn page_number(rust: &str, ty: &Type, is_optional: bool) -> Option<PageNumber> {
    let is_text = match ty {
        Type::Scalar(Scalar::Int) => false,
        Type::Scalar(Scalar::String) => true,
        _ => return None,
    };
    Some(PageNumber { rust: rust.to_owned(), is_text, is_optional })
}
