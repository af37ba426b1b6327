//! The surface of a generated crate: everything that users' code can name or depend on, as a tree.
//!
//! An item's path is the names that lead to it (`GetRepoImage/request/Limit`), its signature is its
//! facts.

use std::fmt::Debug;

use heck::ToSnakeCase;

use crate::model::{
    Absent, Action, Field, Form, Group, Pagination, Parameter, ReturnCode, Scalar, Service, Shape,
    SharedEnum, SharedVariant, Struct, Type,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Service,
    CommonParameter,
    CommonField,
    ReturnCode,
    SharedEnum,
    SharedVariant,
    /// A documented value of a shared variant.
    Spelling,
    Action,
    Request,
    /// Parameters under one name, such as `Disks.N.Type`.
    Group,
    /// A model in the parameters.
    SentModel,
    Parameter,
    Response,
    Model,
    Field,
    Enum,
    Variant,
    Pagination,
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    /// The documented name, unique among its siblings of the same kind.
    pub(super) name: String,
    /// The documented name with its kind: `` parameter `Limit` ``.
    pub(super) subject: String,
    /// The path in Rust.
    pub(super) path: String,
    pub(super) facts: Vec<Fact>,
    pub(super) items: Vec<Item>,
}

/// An item of one surface and its counterpart in the other.
pub(super) type Pair<'a> = (&'a Item, Option<&'a Item>);

/// One part of a signature.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) aspect: &'static str,
    /// The value, and other keys: two facts are equal if they have one in common.
    pub(super) keys: Vec<String>,
}

/// Aspects that a change of the aspect before them explains.
pub(super) const SECONDARY: [&str; 2] = ["wire type", "documented as"];
/// Aspects whose values are too long to show.
pub(super) const PROSE: [&str; 7] =
    ["description", "details", "example", "example type", "meaning", "remedy", "summary"];

impl Item {
    fn new(kind: Kind, name: &str, path: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            subject: match kind {
                Kind::Service => "service".to_owned(),
                Kind::CommonParameter => format!("common parameter `{name}`"),
                Kind::CommonField => format!("common response field `{name}`"),
                Kind::ReturnCode => format!("return code {name}"),
                Kind::SharedEnum => format!("enum `{name}`"),
                Kind::SharedVariant => format!("variant `{path}`"),
                Kind::Spelling => format!("value `{name}` of `{path}`"),
                Kind::Action => "action".to_owned(),
                Kind::Request => "parameters".to_owned(),
                Kind::Group => format!("parameters `{name}…`"),
                Kind::SentModel => format!("model `{name}` in the parameters"),
                Kind::Parameter => format!("parameter `{name}`"),
                Kind::Response => "response".to_owned(),
                Kind::Model => format!("model `{name}`"),
                Kind::Field => format!("response field `{name}`"),
                Kind::Enum => format!("values of `{name}`"),
                Kind::Variant => format!("value `{name}`"),
                Kind::Pagination => "pagination".to_owned(),
            },
            path: path.to_owned(),
            facts: Vec::new(),
            items: Vec::new(),
        }
    }

    fn named(mut self, name: &str, rust: &str) -> Self {
        name.clone_into(&mut self.name);
        self.fact("documented name", name).fact("Rust name", rust)
    }

    fn items(mut self, items: impl IntoIterator<Item = Self>) -> Self {
        self.items.extend(items);
        self
    }

    fn fact(self, aspect: &'static str, value: &str) -> Self {
        self.keyed(aspect, &[value])
    }

    fn keyed(mut self, aspect: &'static str, keys: &[&str]) -> Self {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        self.facts.push(Fact { aspect, keys });
        self
    }

    /// The value of a fact; empty if there is none.
    pub(super) fn value(&self, aspect: &str) -> &str {
        let fact = self.facts.iter().find(|fact| fact.aspect == aspect);
        fact.map_or("", |fact| &fact.keys[0])
    }

    /// Whether the constructor of its owner takes it.
    pub(super) fn is_argument(&self) -> bool {
        self.kind == Kind::Parameter && self.value("required") == "required"
    }

    /// Whether code that uses the Rust name still means the item if the documented name changes.
    pub(super) fn is_known_by_rust_name(&self) -> bool {
        use Kind::{Field, Model, Parameter, SentModel, Variant};
        matches!(self.kind, Parameter | Field | Model | SentModel | Variant)
    }

    /// The types of the item and of those in it. A renamed item keeps them.
    pub(super) fn shape(&self) -> String {
        let (required, ty) = (self.value("required"), self.value("type"));
        let shape = |item: &Self| format!("{}: {}, ", item.name, item.shape());
        let items: String = self.items.iter().map(shape).collect();
        format!("{required} {ty} {{ {items}}}")
    }
}

pub(super) fn service(service: &Service) -> Item {
    let common = |kind, names: &[String]| -> Vec<Item> {
        let items = names.iter().map(|name| Item::new(kind, name, "the core"));
        items.collect()
    };
    Item::new(Kind::Service, "", "crate")
        .fact("name", &service.name)
        .fact("summary", &service.summary)
        .fact("endpoint", &service.endpoint)
        .fact("project parameter", &service.project_parameter)
        .items(common(Kind::CommonParameter, &service.common_parameters))
        .items(common(Kind::CommonField, &service.common_response))
        .items(service.return_codes.iter().map(return_code))
        .items(service.enums.iter().map(shared_enum))
        .items(service.actions.iter().map(action))
}

fn return_code(code: &ReturnCode) -> Item {
    let (number, path) = (code.code.to_string(), format!("RetCode::{}", code.rust));
    Item::new(Kind::ReturnCode, &number, &path)
        .named(&number, &code.rust)
        .fact("outcome", &snake_case(code.outcome))
        .fact("meaning", &code.meaning)
        .fact("remedy", &code.remedy)
}

/// An enum that several actions share. The documentation has no name for it.
fn shared_enum(shared: &SharedEnum) -> Item {
    let variant = |variant: &SharedVariant| {
        let path = format!("{}::{}", shared.rust, variant.rust);
        let spelling = |value: &String| Item::new(Kind::Spelling, value, &path);
        Item::new(Kind::SharedVariant, &variant.rust, &path)
            .fact("text", variant.values.first().map_or("", |text| text))
            .fact("description", &variant.description)
            .items(variant.values.iter().map(spelling))
    };
    Item::new(Kind::SharedEnum, &shared.rust, &shared.rust)
        .fact("description", &shared.description)
        .items(shared.variants.iter().map(variant))
}

fn action(action: &Action) -> Item {
    let mut name = action.wire.clone();
    if let Some(variant) = action.variant.as_ref().filter(|variant| !variant.is_with) {
        name = format!("{name} without {}", variant.parameter);
    }
    // Two texts of the same JSON are one example.
    let example = [&action.example.request, &action.example.response].map(|text| {
        let text = text.as_deref().unwrap_or_default();
        let json = serde_json::from_str(text);
        json.unwrap_or_else(|_| serde_json::Value::from(text))
    });
    let path = format!("actions::{}", action.rust);
    let module = Module { action, path };
    let sent_models = action.groups.iter().filter(|group| group.model.is_some());
    let response = module.structure(Kind::Response, "", &action.response);
    let (models, pagination) = (action.models.iter(), action.pagination.as_ref());
    Item::new(Kind::Action, &name, &module.path)
        .named(&name, &action.rust)
        .fact("idempotency", &snake_case(action.idempotency))
        .fact("summary", &action.summary)
        .fact("details", action.details.as_deref().unwrap_or_default())
        .fact("aliases", &action.aliases.join(", "))
        .fact("example", &format!("{example:?}"))
        .items([module.request(), response])
        .items(sent_models.map(|group| module.group(group, "")))
        .items(models.map(|model| module.structure(Kind::Model, &model.wire, model)))
        .items(pagination.map(|pagination| module.pagination(pagination)))
}

/// The module of an action, which the items below are in.
struct Module<'a> {
    action: &'a Action,
    path: String,
}

impl Module<'_> {
    fn item(&self, kind: Kind, name: &str, rust: &str) -> Item {
        Item::new(kind, name, &format!("{}::{rust}", self.path))
    }

    fn request(&self) -> Item {
        let rust = &self.action.request;
        let parameters = self.action.parameters.iter();
        let parameters = parameters.map(|parameter| self.parameter(parameter, rust, ""));
        let item = self.item(Kind::Request, "", rust).named("", rust);
        item.items(parameters)
    }

    /// A model in the parameters, or a group of those whose documented names begin with a prefix.
    fn group(&self, group: &Group, prefix: &str) -> Item {
        let rust = &group.rust;
        let parameters = group.parameters.iter();
        let parameters = parameters.map(|parameter| self.parameter(parameter, rust, prefix));
        let Some(model) = &group.model else {
            let item = self.item(Kind::Group, prefix, rust).named("", rust);
            return item.items(parameters);
        };
        let item = self.item(Kind::SentModel, model, rust).named(model, rust);
        item.items(parameters.map(|mut field| {
            let name = field.subject.trim_start_matches("parameter ");
            field.subject = format!("field {name} of `{model}` in the parameters");
            field
        }))
    }

    fn parameter(&self, parameter: &Parameter, owner: &str, prefix: &str) -> Item {
        let (element, lists) = parameter.shape.innermost();
        let name = format!("{prefix}{}{}", parameter.wire, ".N".repeat(lists));
        let is_required = parameter.required;
        let method = if is_required { "new" } else { &parameter.rust };
        let item = self.item(Kind::Parameter, &name, &format!("{owner}::{method}"));
        let group = |rust| self.action.group(rust);
        let item = match element {
            Shape::Scalar(scalar) => item.scalar(*scalar, lists),
            Shape::Shared { rust, form } => item.shared(rust, *form, lists),
            Shape::Enum(rust) => item.ty(rust, "enum", lists).items(self.values(rust)),
            Shape::Object | Shape::List(_) => item.ty(JSON, JSON, lists),
            Shape::Group { rust, boxed } => match group(rust) {
                Some(group) if group.model.is_none() => {
                    let item = item.ty(rust, "group", lists);
                    item.items([self.group(group, &format!("{name}."))])
                }
                model => {
                    let wire = model.and_then(|model| model.model.as_deref());
                    item.model(rust, wire.unwrap_or_default(), *boxed, lists)
                }
            },
        };
        let default = parameter.default.as_ref();
        let default = default.map_or("none".to_owned(), |value| format!("`{value}`"));
        let documented = requirement(is_required && !parameter.is_explicit);
        item.named(&parameter.wire, &parameter.rust)
            .fact("required", requirement(is_required))
            .fact("documented as", documented)
            .fact("default", &default)
            .fact("empty text", acceptance(parameter.allow_empty))
            .fact("description", &parameter.description)
    }

    /// A response, or a model in one.
    fn structure(&self, kind: Kind, name: &str, structure: &Struct) -> Item {
        let fields = structure.fields.iter().map(|field| {
            let mut item = self.field(field, structure);
            if kind == Kind::Model {
                item.subject = format!("field `{}` of `{name}`", field.wire);
            }
            item
        });
        let item = self.item(kind, name, &structure.rust);
        item.named(name, &structure.rust).items(fields)
    }

    fn field(&self, field: &Field, owner: &Struct) -> Item {
        let (element, lists) = field.ty.innermost();
        let path = format!("{}.{}", owner.rust, field.rust);
        let item = self.item(Kind::Field, &field.wire, &path);
        let item = match element {
            Type::Scalar(scalar) => item.scalar(*scalar, lists),
            Type::Shared { rust, form } => item.shared(rust, *form, lists),
            Type::Enum(rust) => item.ty(rust, "enum", lists).items(self.values(rust)),
            Type::Timestamp => item.ty("Timestamp", "Timestamp", lists),
            Type::Object | Type::List(_) => item.ty(JSON, JSON, lists),
            Type::Model { rust, boxed } => {
                let mut models = self.action.models.iter();
                let model = models.find(|model| model.rust == *rust);
                item.model(rust, model.map_or("", |model| &model.wire), *boxed, lists)
            }
        };
        let required = requirement(field.absent != Absent::Optional);
        let documented = match field.example_omits {
            true => "required, absent from the example",
            false => required,
        };
        let item = match &field.absent {
            _ if lists == 0 => item.fact("required", required),
            Absent::Refused { counted_by: None } => item.fact("when absent", "an error"),
            Absent::Refused { counted_by: Some(total) } => {
                let wire = field_name(&owner.fields, total);
                let error = format!("an error unless `{wire}` is 0");
                item.keyed("when absent", &[&error, total])
            }
            Absent::Optional | Absent::Empty => item.fact("when absent", "empty"),
        };
        let example_type = field.example_type.as_deref();
        item.named(&field.wire, &field.rust)
            .fact("documented as", documented)
            .fact("shorthand", acceptance(field.is_shorthand))
            .fact("single element", acceptance(field.is_single))
            .fact("example type", example_type.unwrap_or_default())
            .fact("description", &field.description)
    }

    /// The values of an action's enum, in each parameter and field that has it.
    fn values(&self, rust: &str) -> Option<Item> {
        let mut enums = self.action.enums.iter();
        let values = enums.find(|values| values.rust == rust)?;
        let variants = values.variants.iter().map(|(variant, value)| {
            let mut item = self.item(Kind::Variant, value, &format!("{rust}::{variant}"));
            item.subject = format!("value `{value}` of `{}`", values.field);
            item.named(value, variant)
        });
        let item = self.item(Kind::Enum, &values.field, rust);
        Some(item.named("", rust).items(variants))
    }

    fn pagination(&self, pagination: &Pagination) -> Item {
        let action = self.action;
        let parameter = |rust: &str| {
            let mut parameters = action.parameters.iter();
            let parameter = parameters.find(|parameter| parameter.rust == rust);
            parameter.map_or("", |parameter| &parameter.wire)
        };
        let response = &action.response.fields;
        let mut models = action.models.iter();
        let item = models.find(|model| model.rust == pagination.item);
        let item_fields = item.map_or(&[][..], |item| &item.fields);
        let (items, key, total) = (&pagination.items, &pagination.key, &pagination.total);
        let (offset, limit) = (&pagination.offset, &pagination.limit);
        // Under one of its two names it is the same field or parameter.
        self.item(Kind::Pagination, "", &action.request)
            .keyed("items", &[field_name(response, items), items])
            .keyed("key", &[field_name(item_fields, key), key])
            .keyed("total", &[field_name(response, total), total])
            .keyed("offset", &[parameter(offset), offset])
            .keyed("limit", &[parameter(limit), limit])
    }
}

/// Any JSON, as a Rust type.
pub(super) const JSON: &str = "serde_json::Value";

/// Types of parameters and fields.
impl Item {
    fn scalar(self, scalar: Scalar, lists: usize) -> Self {
        let rust = match scalar {
            Scalar::String => "String",
            Scalar::Int => "i64",
            Scalar::Float => "f64",
            Scalar::Boolean | Scalar::TextBoolean => "bool",
        };
        let item = self.ty(rust, rust, lists);
        item.fact("wire type", &snake_case(scalar))
    }

    fn shared(self, rust: &str, form: Form, lists: usize) -> Self {
        let item = self.ty(rust, &format!("shared {rust}"), lists);
        item.fact("wire type", &snake_case(form))
    }

    /// A model is the same under one of its two names.
    fn model(self, rust: &str, wire: &str, boxed: bool, lists: usize) -> Self {
        let (rust, wire) = match boxed {
            true => (format!("Box<{rust}>"), format!("Box<model {wire}>")),
            false => (rust.to_owned(), format!("model {wire}")),
        };
        self.ty(&rust, &wire, lists)
    }

    /// A type by its name in Rust and by a key that is the same under another name.
    fn ty(self, rust: &str, key: &str, lists: usize) -> Self {
        let list = |of: &str| "Vec<".repeat(lists) + of + &">".repeat(lists);
        self.keyed("type", &[&list(rust), &list(key)])
    }
}

/// The documented name of a field.
fn field_name<'a>(fields: &'a [Field], rust: &str) -> &'a str {
    let field = fields.iter().find(|field| field.rust == rust);
    field.map_or("", |field| &field.wire)
}

fn requirement(is_required: bool) -> &'static str {
    if is_required { "required" } else { "optional" }
}

fn acceptance(is_accepted: bool) -> &'static str {
    if is_accepted { "accepted" } else { "rejected" }
}

/// The word that a spec has for a variant.
fn snake_case(variant: impl Debug) -> String {
    format!("{variant:?}").to_snake_case()
}
