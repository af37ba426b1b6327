//! The model: a spec that has been checked, named and ordered. [`render`](crate::render) sees only
//! this, and cannot fail.
//!
//! Each item has its documented name (`wire`) beside its Rust name (`rust`).

pub(crate) mod comparison;
mod context;
mod core_names;
mod example;
mod fields;
pub(crate) mod lower;
mod models;
mod names;
pub(crate) mod naming;
mod pagination;
mod parameters;
mod service;

use crate::spec::At;
pub(crate) use crate::spec::{Idempotency, ReturnCode, SharedEnum, SharedVariant};

/// A service and its actions, in the order of their modules' names.
#[derive(Debug, Default)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) summary: String,
    pub(crate) endpoint: String,
    /// The names of the parameters and of the response fields of every action, which belong to the
    /// core.
    pub(crate) common_parameters: Vec<String>,
    pub(crate) common_response: Vec<String>,
    /// The parameters that the client fills in where a call sets none.
    pub(crate) client_parameters: Vec<ClientParameter>,
    /// The enums that several actions share.
    pub(crate) enums: Vec<SharedEnum>,
    /// In the order of their codes.
    pub(crate) return_codes: Vec<ReturnCode>,
    pub(crate) actions: Vec<Action>,
}

/// A parameter that the client fills in.
#[derive(Debug, Clone)]
pub(crate) struct ClientParameter {
    pub(crate) wire: At<String>,
    pub(crate) setting: ClientSetting,
}

/// A setting of the client, as the platform's tools have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientSetting {
    Project,
    Region,
    Zone,
}

impl ClientSetting {
    /// Each setting with the name of its parameter.
    pub(crate) const ALL: [(&str, Self); 3] =
        [("ProjectId", Self::Project), ("Region", Self::Region), ("Zone", Self::Zone)];

    /// The name of the setting in Rust.
    pub(crate) fn rust(self) -> &'static str {
        match self {
            Self::Project => "project_id",
            Self::Region => "region",
            Self::Zone => "zone",
        }
    }
}

impl Service {
    /// The setting of the client that a parameter is.
    pub(crate) fn client_setting(&self, wire: &str) -> Option<ClientSetting> {
        let mut parameters = self.client_parameters.iter();
        parameters.find(|parameter| parameter.wire.value == wire).map(|it| it.setting)
    }

    /// The shared enum with a Rust name.
    pub(crate) fn shared_enum(&self, rust: &str) -> Option<&SharedEnum> {
        self.enums.iter().find(|shared| shared.rust.value == rust)
    }
}

/// The documented type of a field that is a shared enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A string: the first spelling of each variant.
    Text,
    /// A boolean.
    Boolean,
    /// A string that is `true` or `false`.
    TextBoolean,
}

#[derive(Debug)]
pub(crate) struct Action {
    /// The documented name. Two calls may share it: see [`Action::variant`].
    pub(crate) wire: String,
    /// The name of the module and of the client's method.
    pub(crate) rust: String,
    /// The name of the request's type.
    pub(crate) request: String,
    /// The name of the struct that the request is created from, if it has many required parameters.
    pub(crate) required: Option<String>,
    pub(crate) summary: String,
    pub(crate) details: Option<String>,
    /// Why not to use it, and what to use instead.
    pub(crate) deprecated: Option<String>,
    /// Other names that users search for the client's method by.
    pub(crate) aliases: Vec<String>,
    pub(crate) idempotency: Idempotency,
    /// In the order of the documentation.
    pub(crate) parameters: Vec<Parameter>,
    /// The structs of the parameters: first groups in the order of the documentation, then models.
    pub(crate) groups: Vec<Group>,
    /// Its fields and models are in the order of the documentation.
    pub(crate) response: Struct,
    pub(crate) models: Vec<Struct>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) variant: Option<Variant>,
    pub(crate) pagination: Option<Pagination>,
    pub(crate) example: Example,
}

/// The other call of an action with `split_when_absent`.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    /// The documented name of the parameter.
    pub(crate) parameter: String,
    /// The name of the client's method.
    pub(crate) rust: String,
    /// Whether this call, and not the other, has the parameter.
    pub(crate) is_with: bool,
}

/// The documented values of a string.
#[derive(Debug)]
pub(crate) struct Enum {
    pub(crate) rust: String,
    /// The documented name of the field.
    pub(crate) field: String,
    /// The Rust name and the documented value of each.
    pub(crate) variants: Vec<(String, String)>,
}

impl Action {
    /// The values of a string, by the Rust name of their enum.
    pub(crate) fn own_enum(&self, rust: &str) -> Option<&Enum> {
        self.enums.iter().find(|values| values.rust == rust)
    }

    /// The group of parameters with a Rust name.
    pub(crate) fn group(&self, rust: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.rust == rust)
    }
}

/// A struct in the parameters: a group such as `Disks.N.…`, or a model.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) rust: String,
    /// The documented name, if it is a model.
    pub(crate) model: Option<String>,
    pub(crate) description: String,
    /// The name of the struct that it is created from, likewise.
    pub(crate) required: Option<String>,
    pub(crate) parameters: Vec<Parameter>,
}

/// A parameter of a request, or of a group in one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    pub(crate) wire: String,
    pub(crate) rust: String,
    pub(crate) ty: Type,
    /// The documented type inside the lists of the type.
    pub(crate) documented_type: String,
    pub(crate) required: bool,
    /// The default of the service, for the documentation.
    pub(crate) default: Option<String>,
    /// The setting of the client that it defaults to.
    pub(crate) from_client: Option<ClientSetting>,
    /// Optional in the documentation and required here, because the default is surprising.
    pub(crate) is_explicit: bool,
    /// Whether an empty string is a value, and not a mistake.
    pub(crate) allow_empty: bool,
    pub(crate) description: String,
    /// Why not to use it, and what to use instead.
    pub(crate) deprecated: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    String,
    Int,
    Float,
    Boolean,
    /// A string that is `true` or `false`.
    TextBoolean,
    /// A string that must not be shown.
    Secret,
}

/// A response, or a model in it.
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
    /// The documented type inside the lists of the type.
    pub(crate) documented_type: String,
    pub(crate) absent: Absent,
    /// A string in place of the model is this field.
    pub(crate) is_shorthand: bool,
    /// A list that may be replaced by its one element.
    pub(crate) is_single: bool,
    /// The type that the example has in place of the documented one.
    pub(crate) example_type: Option<String>,
    /// Documented as required, and omitted by the example.
    pub(crate) example_omits: bool,
    pub(crate) description: String,
    /// Why not to use it, and what to use instead.
    pub(crate) deprecated: Option<String>,
}

impl Field {
    /// Whether it can count a list: it is always read as a number.
    pub(crate) fn is_counter(&self) -> bool {
        self.ty == Type::Scalar(Scalar::Int) && self.absent == Absent::Empty
    }
}

/// The type of a parameter or field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    Scalar(Scalar),
    Enum(String),
    /// A [`SharedEnum`], by its Rust name.
    Shared {
        rust: String,
        form: Form,
    },
    /// A time that is read, as text or as Unix seconds.
    Timestamp,
    /// Any JSON.
    Object,
    List(Box<Type>),
    /// A [`Group`] of parameters or a model, by its Rust name. It is boxed if it may hold itself.
    Struct {
        rust: String,
        boxed: bool,
    },
}

impl Type {
    /// The type in so many lists.
    pub(crate) fn in_lists(self, depth: usize) -> Self {
        (0..depth).fold(self, |element, _| Self::List(Box::new(element)))
    }

    /// The type inside all lists, and their number.
    pub(crate) fn innermost(&self) -> (&Self, usize) {
        let (mut element, mut depth) = (self, 0);
        while let Self::List(inner) = element {
            element = inner;
            depth += 1;
        }
        (element, depth)
    }
}

/// What happens when a response does not have a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Documented as required: the empty value, and a warning.
    Empty,
    /// Documented as optional, or omitted by the example: `None`, or an empty list.
    Optional,
    /// A required list: an error, unless the field that counts it is 0.
    Refused { counted_by: Option<String> },
}

/// How an action is paginated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pagination {
    pub(crate) offset: PageNumber,
    pub(crate) limit: PageNumber,
    /// `None` if the service does not report it.
    pub(crate) total: Option<PageNumber>,
    /// The Rust name of the list.
    pub(crate) items: String,
    /// The type of an item.
    pub(crate) item: Type,
}

/// A parameter or field that holds a number of a pagination.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PageNumber {
    pub(crate) rust: String,
    /// Whether it is documented as a string.
    pub(crate) is_text: bool,
    pub(crate) is_optional: bool,
}

/// The documentation's example, as JSON text.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Example {
    pub(crate) request: Option<String>,
    pub(crate) response: Option<String>,
    /// The request in Rust: the Rust name and the value of each parameter. `None` if the type of
    /// the request cannot hold the example.
    pub(crate) arguments: Option<Vec<(String, Literal)>>,
}

/// A value of an example's parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Int(i64),
    Float(f64),
    Boolean(bool),
    /// A value of an action's own enum, by the enum's Rust name.
    Enum {
        rust: String,
        value: String,
    },
    /// A variant of a [`SharedEnum`], by their Rust names.
    Shared {
        rust: String,
        variant: String,
    },
}
