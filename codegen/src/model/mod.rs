//! The model: a spec that has been checked, named and ordered. [`render`](crate::render) sees
//! nothing else, and cannot fail.
//!
//! Every item carries its documented name (`wire`) and its Rust name (`rust`) side by side.

mod example;
mod fields;
pub(crate) mod lower;
pub(crate) mod naming;
mod parameters;
mod shown;

pub(crate) use crate::spec::{Idempotency, Outcome};

/// A service and all its actions, in the order of their modules' names.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) summary: String,
    pub(crate) endpoint: String,
    /// The names of the parameters and of the response fields that every action has: the core's, not
    /// the actions'.
    pub(crate) common_parameters: Vec<String>,
    pub(crate) common_response: Vec<String>,
    /// The names of the parameters that a client has a value of its own for.
    pub(crate) client_parameters: Vec<String>,
    /// In the order of their codes.
    pub(crate) return_codes: Vec<ReturnCode>,
    pub(crate) actions: Vec<Action>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReturnCode {
    pub(crate) code: i64,
    /// Name of the Rust constant.
    pub(crate) rust: String,
    pub(crate) meaning: String,
    pub(crate) remedy: String,
    pub(crate) outcome: Outcome,
}

#[derive(Debug)]
pub(crate) struct Action {
    /// The documented name. Two calls may have one: see [`Action::variant`].
    pub(crate) wire: String,
    /// The file of its spec.
    pub(crate) file: String,
    /// Name of the module, and of the client's method.
    pub(crate) rust: String,
    /// Name of the request's type.
    pub(crate) request: String,
    pub(crate) summary: String,
    pub(crate) details: Option<String>,
    pub(crate) idempotency: Idempotency,
    /// In the order of the documentation.
    pub(crate) parameters: Vec<Parameter>,
    /// What stands under one name in the parameters: groups as they are met, then models.
    pub(crate) groups: Vec<Group>,
    /// Named after the action; in the order of the documentation, as its models are.
    pub(crate) response: Struct,
    pub(crate) models: Vec<Struct>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) variant: Option<Variant>,
    pub(crate) pagination: Option<Pagination>,
    pub(crate) example: Example,
}

/// The other call of an action that does another thing where a parameter is left out.
#[derive(Debug)]
pub(crate) struct Variant {
    /// The documented name of that parameter.
    pub(crate) parameter: String,
    /// Name of the client's method.
    pub(crate) rust: String,
    /// Whether this is the call that has the parameter.
    pub(crate) is_with: bool,
}

/// The values that a string is documented to have.
#[derive(Debug)]
pub(crate) struct Enum {
    pub(crate) rust: String,
    /// The documented name of the field.
    pub(crate) field: String,
    /// The Rust name and the documented value of each.
    pub(crate) variants: Vec<(String, String)>,
}

impl Action {
    /// The group of parameters with a Rust name.
    pub(crate) fn group(&self, rust: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.rust == rust)
    }

    /// Whether a group requires, at some depth, a list of groups like itself.
    pub(crate) fn requires_itself(&self, rust: &str) -> bool {
        let mut seen = Vec::new();
        let mut open = vec![rust];
        while let Some(group) = open.pop().and_then(|next| self.group(next)) {
            for parameter in group.parameters.iter().filter(|inner| inner.required) {
                match parameter.shape.innermost().0 {
                    Shape::Group { rust: inner, .. } if inner == rust => return true,
                    Shape::Group { rust: inner, .. } if !seen.contains(inner) => {
                        seen.push(inner.clone());
                        open.push(inner);
                    }
                    _ => {}
                }
            }
        }
        false
    }
}

/// Parameters that stand under one name: `Disks.N.Type` and its like, or a model.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) rust: String,
    /// The documented name, where it is a model.
    pub(crate) model: Option<String>,
    pub(crate) description: String,
    pub(crate) parameters: Vec<Parameter>,
}

/// A parameter of a request, or of a group in one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    pub(crate) wire: String,
    pub(crate) rust: String,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    /// What the service takes where the parameter is left out, as documentation.
    pub(crate) default: Option<String>,
    /// Whether the client fills it in where the call leaves it out.
    pub(crate) from_client: bool,
    /// Optional in the documentation; here the caller chooses, for the default surprises.
    pub(crate) is_explicit: bool,
    /// An empty text is a value, and no slip.
    pub(crate) allow_empty: bool,
    pub(crate) description: String,
}

/// What a parameter takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Scalar(Scalar),
    Enum(String),
    /// Any JSON: `Name.key.0`.
    Object,
    /// `Name.0`, `Name.1`, …
    List(Box<Shape>),
    /// `Name.Field`: a [`Group`], by its Rust name; in a box where it may hold itself.
    Group {
        rust: String,
        boxed: bool,
    },
}

impl Shape {
    /// What the lists hold in the end, and how many stand around it.
    pub(crate) fn innermost(&self) -> (&Self, usize) {
        let (mut element, mut depth) = (self, 0);
        while let Self::List(inner) = element {
            element = inner;
            depth += 1;
        }
        (element, depth)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    String,
    Int,
    Float,
    Boolean,
    /// A string that says `true` or `false`.
    TextBoolean,
}

/// A response, or a model in one.
#[derive(Debug)]
pub(crate) struct Struct {
    pub(crate) wire: String,
    pub(crate) rust: String,
    pub(crate) fields: Vec<Field>,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) wire: String,
    pub(crate) rust: String,
    pub(crate) ty: Type,
    pub(crate) absent: Absent,
    /// A plain string in place of the model is this field.
    pub(crate) is_shorthand: bool,
    /// A list that may come as its one element.
    pub(crate) is_single: bool,
    /// What the documentation's example shows in place of the documented type.
    pub(crate) example_type: Option<String>,
    /// Documented as required, and absent from the documentation's example.
    pub(crate) example_omits: bool,
    pub(crate) description: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    Scalar(Scalar),
    Enum(String),
    /// A time, as text or as Unix seconds.
    Timestamp,
    /// Any JSON.
    Object,
    List(Box<Type>),
    /// A model, by its Rust name; in a box where it may hold itself.
    Model {
        rust: String,
        boxed: bool,
    },
}

impl Type {
    /// What the lists hold in the end, and how many stand around it.
    pub(crate) fn innermost(&self) -> (&Self, usize) {
        let (mut element, mut depth) = (self, 0);
        while let Self::List(inner) = element {
            element = inner;
            depth += 1;
        }
        (element, depth)
    }
}

/// What a field is when the response does not have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Documented as required: the empty value, and a report.
    Empty,
    /// Documented as optional, or shown absent: `None`, or an empty list.
    Optional,
    /// A required list: an error, unless the field that counts it says 0.
    Refused { counted_by: Option<String> },
}

/// The Rust names of the fields that page an action.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pagination {
    pub(crate) offset: String,
    pub(crate) limit: String,
    pub(crate) total: String,
    pub(crate) items: String,
    /// The Rust name of the items' model.
    pub(crate) item: String,
    /// The field that tells one item from another.
    pub(crate) key: String,
}

/// The documentation's example, as JSON text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Example {
    pub(crate) request: Option<String>,
    pub(crate) response: Option<String>,
    /// The documented request in Rust: each parameter shown, by its Rust name, and its value; nothing
    /// where Rust cannot say what the page shows.
    pub(crate) arguments: Option<Vec<(String, String)>>,
}
