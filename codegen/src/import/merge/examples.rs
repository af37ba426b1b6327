//! Checks the examples of a page against its tables. Contradictions that a client has to expect,
//! other types and omissions, go into the spec. Values that the tables do not explain are dropped.

use std::collections::{BTreeMap, BTreeSet};

use crate::import::facts::{
    Argument, ArgumentValue, COMMON_PARAMETERS, COMMON_RESPONSE, Facts, defaults, excerpt,
};
use crate::{
    model::comparison::{Contradiction, Owner, Tables},
    spec::{
        Field, Type,
        diagnostic::Report,
        json::{Member, Node, Value},
    },
};

/// The examples as the spec keeps them, and their contradictions. Rows are identified by their
/// offsets.
#[derive(Debug, Default)]
pub(crate) struct CheckedExamples {
    pub(crate) request: Option<Node>,
    pub(crate) response: Option<Node>,
    /// The types that the values of rows have instead of the documented ones.
    pub(crate) types: BTreeMap<usize, Type>,
    /// The required rows that the examples omit.
    pub(crate) omitted: BTreeSet<usize>,
    /// The models that a string stands for.
    pub(crate) shorthand: BTreeSet<String>,
    /// The rows whose values were put back into the example: see [`keep_types`].
    pub(crate) kept: BTreeSet<usize>,
}

/// Checks the examples of a page. Its response may have been changed: see [`keep_types`].
pub(crate) fn check(
    facts: &Facts,
    response: Option<&Node>,
    kept_types: BTreeMap<usize, Type>,
    tables: &Tables<'_>,
    report: &mut Report,
) -> CheckedExamples {
    let kept = kept_types.keys().copied().collect();
    let mut checked = CheckedExamples { types: kept_types, kept, ..CheckedExamples::default() };
    if let Some(arguments) = &facts.arguments {
        let mut members = typed(arguments, tables, report);
        tables.compare(Owner::Request, 0, &mut members, &mut |at, contradiction| {
            checked.is_kept(at, contradiction, tables, report)
        });
        checked.request = Some(Node::new(Value::Object(members)));
    }
    if let Some(response) = response {
        let is_common = |member: &Member| COMMON_RESPONSE.contains(&member.key.as_str());
        let members = response.members().iter().cloned();
        let (common, mut members): (Vec<Member>, Vec<Member>) = members.partition(is_common);
        tables.compare(Owner::Response, 0, &mut members, &mut |at, contradiction| {
            checked.is_kept(at, contradiction, tables, report)
        });
        members.extend(common);
        members.sort_by_key(|member| member.at);
        checked.response = Some(Node::new(Value::Object(members)));
    }
    checked
}

/// Puts the values that have another type than the documented one back into a new example, which
/// shows the documented type. Whether the client can read such a value is decided by the value, so
/// the type alone is not enough. Returns the types of the values that were put back.
pub(crate) fn keep_types(
    response: &mut Node,
    old: &Node,
    lost: &BTreeMap<usize, Type>,
    tables: &Tables<'_>,
) -> BTreeMap<usize, Type> {
    let mut values = BTreeMap::new();
    let members = old.members().iter();
    let mut members: Vec<Member> =
        members.filter(|it| !COMMON_RESPONSE.contains(&it.key.as_str())).cloned().collect();
    tables.compare(Owner::Response, 0, &mut members, &mut |_, contradiction| {
        if let Contradiction::Mismatch { field, node, .. } = contradiction
            && let Some(ty) = lost.get(&field.name.at)
            && tables.fits_example_type(node, ty)
        {
            values.entry(field.name.at).or_insert_with(|| node.clone());
        }
        true
    });
    let mut kept = BTreeMap::new();
    put_back(response, Owner::Response, &mut values, tables, &mut |at| {
        kept.extend(lost.get(&at).map(|ty| (at, ty.clone())));
    });
    kept
}

/// Replaces the first value of each of these rows.
fn put_back(
    node: &mut Node,
    owner: Owner<'_>,
    values: &mut BTreeMap<usize, Node>,
    tables: &Tables<'_>,
    kept: &mut impl FnMut(usize),
) {
    match &mut node.value {
        Value::Array(elements) => {
            elements.iter_mut().for_each(|node| put_back(node, owner, values, tables, kept));
        }
        Value::Object(members) => {
            for Member { at, key, value } in members {
                let mut rows = tables.rows(owner).unwrap_or_default().iter();
                let Some(field) = rows.find(|field| field.name.value == *key) else { continue };
                if let Some(old) = values.remove(&field.name.at) {
                    *value = old;
                    move_to(value, *at);
                    kept(field.name.at);
                } else if let Some(model) = field.ty.value.model() {
                    put_back(value, Owner::Model(model), values, tables, kept);
                }
            }
        }
        _ => {}
    }
}

/// Gives a value of another file a place in the page.
fn move_to(node: &mut Node, at: usize) {
    (node.at, node.end) = (at, at);
    match &mut node.value {
        Value::Array(elements) => elements.iter_mut().for_each(|node| move_to(node, at)),
        Value::Object(members) => {
            for member in members {
                member.at = at;
                move_to(&mut member.value, at);
            }
        }
        _ => {}
    }
}

/// Returns an example of the old spec without what the tables no longer document, or `None` if it
/// contradicts the tables in a way that the spec does not record.
pub(crate) fn still_fits(old: &Node, owner: Owner<'_>, tables: &Tables<'_>) -> Option<Node> {
    let common: &[&str] = match owner {
        Owner::Response => &COMMON_RESPONSE,
        _ => &COMMON_PARAMETERS,
    };
    let members = old.members().iter().cloned();
    let (others, mut members): (Vec<Member>, Vec<Member>) =
        members.partition(|member| common.contains(&member.key.as_str()));
    let mut fits = true;
    tables.compare(owner, 0, &mut members, &mut |_, contradiction| {
        let is_recorded = match contradiction {
            Contradiction::Undocumented { .. } | Contradiction::Repeated { .. } => return false,
            Contradiction::Omitted { field } => field.is_omitted_by_example(),
            Contradiction::Shorthand { field, model } => {
                let other = field.example_type.as_ref();
                other.is_some_and(|other| other.value == Type::Object)
                    || tables.shorthand(model).is_some()
            }
            Contradiction::Mismatch { field, node, .. } => {
                let other = field.example_type.as_ref();
                other.is_some_and(|other| tables.fits_example_type(node, &other.value))
            }
        };
        fits &= is_recorded;
        true
    });
    members.extend(others);
    members.sort_by_key(|member| member.at);
    fits.then(|| Node::new(Value::Object(members)))
}

impl CheckedExamples {
    /// Records and notes a contradiction. Returns whether its value is kept.
    fn is_kept(
        &mut self,
        at: usize,
        contradiction: Contradiction<'_, '_>,
        tables: &Tables<'_>,
        report: &mut Report,
    ) -> bool {
        let reason = match contradiction {
            Contradiction::Undocumented { name, .. } => {
                format!("`{}` is not documented: dropped from the example", excerpt(name))
            }
            Contradiction::Repeated { name } => format!("`{name}` is repeated: ignored"),
            Contradiction::Omitted { field, .. } => {
                let (at, name) = (field.name.at, &field.name.value);
                if self.omitted.insert(at) {
                    let message = format!("`{name}` is required, and the example omits it");
                    report.note(at, message);
                }
                return true;
            }
            Contradiction::Shorthand { model, .. } => {
                if tables.shorthand(model).is_some() {
                    self.shorthand.insert(model.to_owned());
                }
                return true;
            }
            Contradiction::Mismatch { field, ty, node, message } => {
                match self.other_type(field, ty, node, tables) {
                    Ok(other) => {
                        if self.types.insert(field.name.at, other).is_none() {
                            let name = &field.name.value;
                            let message =
                                format!("the example of `{name}` does not fit its type: {message}");
                            report.note(at, message);
                        }
                        return true;
                    }
                    Err(reason) => reason,
                }
            }
        };
        report.note(at, reason);
        false
    }

    /// Returns the type that a value has instead of the documented one: `object`, which is any JSON,
    /// if the values of the row have several types. Returns the reason if the value cannot be kept.
    fn other_type(
        &self,
        field: &Field,
        ty: &Type,
        node: &Node,
        tables: &Tables<'_>,
    ) -> Result<Type, String> {
        let name = &field.name.value;
        if node.value == Value::Null {
            return Err(format!("`{name}` is null: treated as absent"));
        }
        if is_unexplained_text(node, ty, tables) {
            return Ok(Type::Object);
        }
        let recorded = self.types.get(&field.name.at).cloned();
        let other = recorded.unwrap_or_else(|| type_of(node, ty));
        Ok(if tables.fits_example_type(node, &other) { other } else { Type::Object })
    }
}

/// Whether a string is in place of a model, and no field of the model explains it.
fn is_unexplained_text(node: &Node, ty: &Type, tables: &Tables<'_>) -> bool {
    match (&node.value, ty) {
        (Value::Array(elements), Type::Array(element)) => {
            elements.iter().any(|node| is_unexplained_text(node, element, tables))
        }
        (Value::String(text), Type::Model(model)) => {
            text.is_empty() || tables.shorthand(model).is_none()
        }
        _ => false,
    }
}

/// Returns the type of a value that does not have the documented type.
fn type_of(node: &Node, documented: &Type) -> Type {
    match &node.value {
        Value::String(_) => Type::String,
        Value::Boolean(_) => Type::Boolean,
        Value::Number(_) if node.is_integer() => Type::Int,
        Value::Number(_) => Type::Float,
        Value::Object(_) | Value::Null => Type::Object,
        Value::Array(elements) => {
            let element = match documented {
                Type::Array(element) => element,
                other => other,
            };
            let first = elements.first().map(|first| type_of(first, element));
            Type::Array(Box::new(first.unwrap_or_else(|| element.clone())))
        }
    }
}

/// Returns the action's own arguments. A text of a query becomes the JSON of its type, if possible;
/// a repeated parameter becomes an array of its values.
fn typed(arguments: &[Argument], tables: &Tables<'_>, report: &mut Report) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for argument in arguments {
        let (at, key) = (argument.at, &argument.name);
        if COMMON_PARAMETERS.contains(&key.as_str()) {
            continue;
        }
        let ty = tables.parameter(key).and_then(|(_, ty)| ty);
        let value = match &argument.value {
            ArgumentValue::Json(node) => node.clone(),
            ArgumentValue::Text(text) => {
                let value = ty.and_then(|ty| defaults::typed(text, ty));
                let value = value.unwrap_or_else(|| Value::String(text.clone()));
                Node { at, end: at, value }
            }
        };
        if let Some(member) = members.iter_mut().find(|member| member.key == *key) {
            if !matches!(ty, Some(Type::Array(_))) {
                report.note(at, format!("`{key}` is repeated"));
            }
            if let Value::Array(values) = &mut member.value.value {
                values.push(value);
            } else {
                let first = std::mem::replace(&mut member.value, Node::new(Value::Null));
                member.value.value = Value::Array(vec![first, value]);
            }
        } else {
            let key = key.clone();
            members.push(Member { at, key, value });
        }
    }
    members
}
