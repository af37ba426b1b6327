//! The surface of a generated crate: everything that users' code can name or depend on, as a tree.
//!
//! An item's path is the names that lead to it (`GetRepoImage/request/Limit`), its signature is its
//! facts.

use std::fmt::Debug;

use heck::ToSnakeCase;

use crate::model::{
    Absent, Action, ClientSetting, Enum, Field, Group, Pagination, Parameter, ReturnCode, Scalar,
    Service, SharedEnum, SharedVariant, Struct, Type,
};
use crate::spec::At;

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
pub(super) const SECONDARY: [&str; 4] =
    ["wire type", "documented type", "documented as", "deprecation note"];
/// Aspects whose values are too long to show.
pub(super) const PROSE: [&str; 8] = [
    "deprecation note",
    "description",
    "details",
    "example",
    "example type",
    "meaning",
    "remedy",
    "summary",
];

impl Item {
    fn new(kind: Kind, name: &str, subject: impl Into<String>, path: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            subject: subject.into(),
            path: path.to_owned(),
            facts: Vec::new(),
            items: Vec::new(),
        }
    }

    fn named(self, rust: &str) -> Self {
        let name = self.name.clone();
        self.fact("documented name", &name).fact("Rust name", rust)
    }

    fn deprecated(self, note: Option<&str>) -> Self {
        let is_deprecated = if note.is_some() { "yes" } else { "no" };
        self.fact("deprecated", is_deprecated).fact("deprecation note", note.unwrap_or_default())
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
    let common = |kind, title: &str, names: &[String]| -> Vec<Item> {
        let item = |name| Item::new(kind, name, format!("{title} `{name}`"), "the core");
        names.iter().map(|name| item(name)).collect()
    };
    let parameters = &service.common_parameters;
    Item::new(Kind::Service, "", "service", "crate")
        .fact("name", &service.name)
        .fact("summary", &service.summary)
        .fact("endpoint", &service.endpoint)
        .fact("project parameter", client_parameter(service, ClientSetting::Project))
        .fact("region parameter", client_parameter(service, ClientSetting::Region))
        .fact("zone parameter", client_parameter(service, ClientSetting::Zone))
        .items(common(Kind::CommonParameter, "common parameter", parameters))
        .items(common(Kind::CommonField, "common response field", &service.common_response))
        .items(service.return_codes.iter().map(return_code))
        .items(service.enums.iter().map(shared_enum))
        .items(service.actions.iter().map(action))
}

/// The parameter that a setting of the client is.
fn client_parameter(service: &Service, setting: ClientSetting) -> &str {
    let mut parameters = service.client_parameters.iter();
    parameters.find(|it| it.setting == setting).map_or("none", |it| &it.wire.value)
}

fn return_code(ReturnCode { code, rust, outcome, meaning, remedy }: &ReturnCode) -> Item {
    let (number, path) = (code.value.to_string(), format!("RetCode::{}", rust.value));
    Item::new(Kind::ReturnCode, &number, format!("return code {number}"), &path)
        .named(&rust.value)
        .fact("outcome", &snake_case(outcome))
        .fact("meaning", meaning)
        .fact("remedy", remedy)
}

/// An enum that several actions share. The documentation has no name for it.
fn shared_enum(shared: &SharedEnum) -> Item {
    let rust = &shared.rust.value;
    let variant = |variant: &SharedVariant| {
        let path = format!("{rust}::{}", variant.rust.value);
        let spelling = |At { value, .. }: &At<String>| {
            Item::new(Kind::Spelling, value, format!("value `{value}` of `{path}`"), &path)
        };
        Item::new(Kind::SharedVariant, &variant.rust.value, format!("variant `{path}`"), &path)
            .fact("text", variant.text())
            .fact("description", &variant.description)
            .deprecated(variant.deprecated.as_deref())
            .items(variant.values.iter().map(spelling))
    };
    Item::new(Kind::SharedEnum, rust, format!("enum `{rust}`"), rust)
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
    Item::new(Kind::Action, &name, "action", &module.path)
        .named(&action.rust)
        .fact("idempotency", &snake_case(action.idempotency))
        .fact("summary", &action.summary)
        .fact("details", action.details.as_deref().unwrap_or_default())
        .fact("aliases", &action.aliases.join(", "))
        .deprecated(action.deprecated.as_deref())
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
    fn item(&self, kind: Kind, name: &str, subject: impl Into<String>, rust: &str) -> Item {
        Item::new(kind, name, subject, &format!("{}::{rust}", self.path))
    }

    fn request(&self) -> Item {
        let rust = &self.action.request;
        let parameters = self.action.parameters.iter();
        self.item(Kind::Request, "", "parameters", rust)
            .named(rust)
            .fact("constructor", constructor(self.action.required.as_deref()))
            .items(parameters.map(|parameter| self.parameter(parameter, rust, "", None)))
    }

    /// A model in the parameters, or a group of those whose documented names begin with a prefix.
    fn group(&self, group: &Group, prefix: &str) -> Item {
        let Group { rust, model, parameters, .. } = group;
        let item = match model {
            Some(model) => {
                let subject = format!("model `{model}` in the parameters");
                self.item(Kind::SentModel, model, subject, rust)
            }
            None => self.item(Kind::Group, "", format!("parameters `{prefix}…`"), rust),
        };
        let parameters = parameters.iter();
        item.named(rust).fact("constructor", constructor(group.required.as_deref())).items(
            parameters.map(|parameter| self.parameter(parameter, rust, prefix, model.as_deref())),
        )
    }

    /// A parameter, or a field of a model in the parameters.
    fn parameter(
        &self,
        parameter: &Parameter,
        owner: &str,
        prefix: &str,
        model: Option<&str>,
    ) -> Item {
        let Parameter { wire, rust, ty, .. } = parameter;
        let (element, lists) = ty.innermost();
        let name = format!("{prefix}{wire}{}", ".N".repeat(lists));
        let subject = match model {
            Some(model) => format!("field `{name}` of `{model}` in the parameters"),
            None => format!("parameter `{name}`"),
        };
        let is_required = parameter.required;
        let method = if is_required { "new" } else { rust };
        let item = self.item(Kind::Parameter, wire, subject, &format!("{owner}::{method}"));
        let group = match element {
            Type::Struct { rust, .. } => self.action.group(rust),
            _ => None,
        };
        let group = group.filter(|group| group.model.is_none());
        let item = self.typed(item, ty, &parameter.documented_type);
        let item = item.items(group.map(|group| self.group(group, &format!("{name}."))));
        let default = parameter.default.as_ref();
        let default = default.map_or("none".to_owned(), |value| format!("`{value}`"));
        let documented = requirement(is_required && !parameter.is_explicit);
        item.named(rust)
            .fact("required", requirement(is_required))
            .fact("documented as", documented)
            .fact("default", &default)
            .fact("empty text", acceptance(parameter.allow_empty))
            .fact("description", &parameter.description)
            .deprecated(parameter.deprecated.as_deref())
    }

    /// A response, or a model in one.
    fn structure(&self, kind: Kind, name: &str, structure: &Struct) -> Item {
        let title = match kind {
            Kind::Model => format!("model `{name}`"),
            _ => "response".to_owned(),
        };
        let fields = structure.fields.iter();
        self.item(kind, name, title, &structure.rust).named(&structure.rust).items(fields.map(
            |field| {
                let subject = match kind {
                    Kind::Model => format!("field `{}` of `{name}`", field.wire),
                    _ => format!("response field `{}`", field.wire),
                };
                self.field(field, structure, subject)
            },
        ))
    }

    fn field(&self, field: &Field, owner: &Struct, subject: String) -> Item {
        let path = format!("{}.{}", owner.rust, field.rust);
        let item = self.item(Kind::Field, &field.wire, subject, &path);
        let item = self.typed(item, &field.ty, &field.documented_type);
        let (_, lists) = field.ty.innermost();
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
        item.named(&field.rust)
            .fact("documented as", documented)
            .fact("shorthand", acceptance(field.is_shorthand))
            .fact("single element", acceptance(field.is_single))
            .fact("example type", example_type.unwrap_or_default())
            .fact("description", &field.description)
            .deprecated(field.deprecated.as_deref())
    }

    /// Adds a type and the values of an action's enum. Its key is the same under another Rust name.
    fn typed(&self, item: Item, ty: &Type, documented: &str) -> Item {
        let (element, lists) = ty.innermost();
        let (rust, key, wire_type) = match element {
            Type::Scalar(scalar) => {
                let rust = match scalar {
                    Scalar::String => "String",
                    Scalar::Secret => "SecretString",
                    Scalar::Int => "i64",
                    Scalar::Float => "f64",
                    Scalar::Boolean | Scalar::TextBoolean => "bool",
                };
                (rust, rust.to_owned(), snake_case(scalar))
            }
            Type::Shared { rust, form } => (&rust[..], format!("shared {rust}"), snake_case(form)),
            Type::Enum(rust) => (&rust[..], "enum".to_owned(), String::new()),
            Type::Timestamp => ("Timestamp", "Timestamp".to_owned(), String::new()),
            Type::Object | Type::List(_) => (JSON, JSON.to_owned(), String::new()),
            Type::Struct { rust, .. } => (&rust[..], self.struct_key(rust), String::new()),
        };
        let written = |name: &str| {
            let boxed = matches!(element, Type::Struct { boxed: true, .. });
            let name = if boxed { format!("Box<{name}>") } else { name.to_owned() };
            "Vec<".repeat(lists) + &name + &">".repeat(lists)
        };
        item.keyed("type", &[&written(rust), &written(&key)])
            .fact("wire type", &wire_type)
            .fact("documented type", if rust == JSON { documented } else { "" })
            .items(self.values(rust))
    }

    fn struct_key(&self, rust: &str) -> String {
        let mut models = self.action.models.iter();
        let model = models.find(|model| model.rust == rust).map(|model| &model.wire);
        let sent = || self.action.group(rust)?.model.as_ref();
        model.or_else(sent).map_or("group".to_owned(), |model| format!("model {model}"))
    }

    /// The values of an action's enum, in each parameter and field that has it.
    fn values(&self, rust: &str) -> Option<Item> {
        let Enum { field, variants, .. } = self.action.own_enum(rust)?;
        let variants = variants.iter().map(|(variant, value)| {
            let subject = format!("value `{value}` of `{field}`");
            let path = format!("{rust}::{variant}");
            self.item(Kind::Variant, value, subject, &path).named(variant)
        });
        let item = self.item(Kind::Enum, "", format!("values of `{field}`"), rust);
        Some(item.named(rust).items(variants))
    }

    fn pagination(&self, pagination: &Pagination) -> Item {
        let action = self.action;
        let parameter = |rust: &str| {
            let mut parameters = action.parameters.iter();
            let parameter = parameters.find(|parameter| parameter.rust == rust);
            parameter.map_or("", |parameter| &parameter.wire)
        };
        let response = &action.response.fields;
        let items = &pagination.items;
        let total = pagination.total.as_ref().map(|total| total.rust.as_str());
        let total = total.map_or(vec!["none"], |total| vec![field_name(response, total), total]);
        let (offset, limit) = (&pagination.offset.rust, &pagination.limit.rust);
        // Under one of its two names it is the same field or parameter.
        self.item(Kind::Pagination, "", "pagination", &action.request)
            .keyed("items", &[field_name(response, items), items])
            .keyed("total", &total)
            .keyed("offset", &[parameter(offset), offset])
            .keyed("limit", &[parameter(limit), limit])
    }
}

/// Any JSON, as a Rust type.
pub(super) const JSON: &str = "serde_json::Value";

fn field_name<'a>(fields: &'a [Field], rust: &str) -> &'a str {
    let field = fields.iter().find(|field| field.rust == rust);
    field.map_or("", |field| &field.wire)
}

fn requirement(is_required: bool) -> &'static str {
    if is_required { "required" } else { "optional" }
}

/// What a constructor takes the required parameters as.
fn constructor(required_struct: Option<&str>) -> &'static str {
    if required_struct.is_some() { "a struct" } else { "arguments" }
}

fn acceptance(is_accepted: bool) -> &'static str {
    if is_accepted { "accepted" } else { "rejected" }
}

/// The word that a spec has for a variant.
fn snake_case(variant: impl Debug) -> String {
    format!("{variant:?}").to_snake_case()
}
