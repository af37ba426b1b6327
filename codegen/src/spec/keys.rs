//! The keys of the spec's files, defined once: the reader, the order of the writer, what an import
//! replaces and the JSON Schemas are made from this table.

use crate::spec::{Format, Idempotency, Outcome};

/// A kind of object in the spec's files.
#[derive(Debug)]
pub(crate) struct Object {
    /// Its name among the definitions of the schema.
    pub(crate) name: &'static str,
    /// In the order in which they are written.
    pub(crate) keys: &'static [Key],
}

/// A key of an object.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) ty: ValueType,
    pub(crate) origin: Origin,
    /// What it means, for the JSON Schema.
    pub(crate) description: &'static str,
}

/// The type of a key's value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ValueType {
    /// Any string.
    Text,
    /// A string without white space. The pattern is for editors; lowering checks the details.
    Name(&'static str),
    /// Sentences that become documentation.
    Prose,
    Boolean,
    Integer,
    /// A string, a number or a boolean.
    Scalar,
    /// A documented type.
    Type,
    /// One of some words.
    Word(fn() -> Vec<&'static str>),
    Object(&'static Object),
    List(&'static ValueType),
    /// An object with names of its own.
    Map(&'static ValueType),
    /// An object of any JSON.
    Json,
}

/// Where the value of a key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A fact of the page, or a record of the import, which replaces it.
    Page,
    /// A fact where the page states it, else a decision: an import keeps what the page no longer
    /// shows.
    PageOrDecision,
    /// Written for the reader of the docs. An import keeps it.
    Prose,
    /// A maintainer's decision. An import keeps it.
    Decision,
}

use Origin::{Decision, Page, PageOrDecision};

const NAME: ValueType = ValueType::Name(r"^\S+$");
const TYPE_NAME: ValueType = ValueType::Name("^[A-Z][A-Za-z0-9]*$");
const SNAKE_CASE: ValueType = ValueType::Name("^[a-z][a-z0-9_]*$");
const FIELDS: ValueType = ValueType::List(&ValueType::Object(FIELD));
const IDEMPOTENCY: ValueType = ValueType::Word(|| words(&Idempotency::WORDS));

fn words<T>(words: &[(&'static str, T)]) -> Vec<&'static str> {
    words.iter().map(|(word, _)| *word).collect()
}

type Text = &'static str;

const fn required(name: Text, ty: ValueType, origin: Origin, description: Text) -> Key {
    Key { name, required: true, ty, origin, description }
}

const fn optional(name: Text, ty: ValueType, origin: Origin, description: Text) -> Key {
    Key { required: false, ..required(name, ty, origin, description) }
}

/// The key of whatever may be deprecated.
const DEPRECATED: Key = optional(
    "deprecated",
    ValueType::Prose,
    Origin::Prose,
    "Deprecated, and what to use instead, in one paragraph. It becomes the note of `#[deprecated]`.",
);

/// The key of the trace that an import leaves of a page's words.
const WORDS: Key = optional(
    "words",
    ValueType::Map(&NAME),
    Page,
    "A hash of the page's words, by the page's language. An import compares it and reports changed words.",
);

#[rustfmt::skip]
pub(crate) const SERVICE: &Object = &Object { name: "service", keys: &[
    optional("$schema", ValueType::Text, Decision, "The schema of this file, for editors."),
    required("service", NAME, Decision, "The name of the service."),
    required("summary", ValueType::Prose, Origin::Prose, "What the endpoint is."),
    required("endpoint", ValueType::Name(r"^https://\S*/$"), Decision, "The default endpoint."),
    required("parameters", FIELDS, Page, "The parameters of every action. The core sends them; no action lists them."),
    required("response", FIELDS, Page, "The response fields of every action. The core reads them; no action lists them."),
    optional("project_parameter", NAME, Decision, "The parameter that names the project. The client sends its own project where a call sets none."),
    optional("client_parameters", ValueType::List(&NAME), Decision, "The parameters that the client fills in where a call sets none: `ProjectId`, `Region` and `Zone` of those that have them. Another name of the project is a `project_parameter`."),
    optional("enums", ValueType::Map(&ValueType::Object(ENUM)), Decision, "The enums that several actions share, by their Rust names. A field's `enum_type` refers to one."),
    required("return_codes", ValueType::List(&ValueType::Object(RETURN_CODE)), Page, "The documented values of `RetCode` other than 0."),
] };

#[rustfmt::skip]
pub(crate) const ENUM: &Object = &Object { name: "enum", keys: &[
    required("description", ValueType::Prose, Origin::Prose, "What the enum stands for."),
    required("variants", ValueType::List(&ValueType::Object(VARIANT)), Decision, "The variants, in the order of the Rust enum."),
] };

#[rustfmt::skip]
pub(crate) const VARIANT: &Object = &Object { name: "variant", keys: &[
    required("name", TYPE_NAME, Decision, "The Rust name of the variant."),
    required("values", ValueType::List(&NAME), Page, "Every documented spelling. The first one is sent as a string; `true` or `false` is sent where a boolean is documented."),
    required("description", ValueType::Prose, Origin::Prose, "What the variant stands for."),
    DEPRECATED,
] };

#[rustfmt::skip]
pub(crate) const RETURN_CODE: &Object = &Object { name: "return_code", keys: &[
    required("code", ValueType::Integer, Page, "The value of `RetCode`."),
    required("name", ValueType::Name("^[A-Z][A-Z0-9_]*$"), Decision, "The name of the Rust constant."),
    required("meaning", ValueType::Prose, Origin::Prose, "What happened, in one sentence."),
    required("remedy", ValueType::Prose, Origin::Prose, "What the user can do about it, in one sentence."),
    required("outcome", ValueType::Word(|| words(&Outcome::WORDS)), Decision, "`failed`: the action's own error; not retried. `rejected`: not executed, and a retry would be rejected too. `unauthorized`, `not_found`: rejected because of the credentials or their permissions, or because something that the call names does not exist. `token_expired`: not executed; retried once with a new security token. `throttled`: not executed; any action may be retried. `unknown`: possibly executed; retried only if `idempotency` allows it. `timed_out`: likewise, because the gateway timed out."),
] };

#[rustfmt::skip]
pub(crate) const ACTION: &Object = &Object { name: "action", keys: &[
    optional("$schema", ValueType::Text, Decision, "The schema of this file, for editors."),
    required("action", NAME, Page, "The documented name. The file is named after it in snake_case."),
    optional("rust_name", SNAKE_CASE, Decision, "The name of the module and of the client's method, where the documented one is bad or not unique."),
    required("summary", ValueType::Prose, Origin::Prose, "What the action does, in one sentence."),
    optional("details", ValueType::Prose, Origin::Prose, "What else a caller has to know, such as limits and pitfalls."),
    DEPRECATED,
    optional("aliases", ValueType::List(&NAME), Decision, "Other names that users search for the client's method by, such as `list_images`."),
    required("idempotency", IDEMPOTENCY, Decision, "`safe`: the action only reads. `idempotent`: calling it again has no further effect. `non_idempotent`: calling it again may execute it twice."),
    optional("proposed", ValueType::List(&ValueType::Word(|| PROPOSALS.to_vec())), Page, "The keys that an import has proposed. Nothing is generated until a maintainer has confirmed them and emptied this list."),
    required("parameters", FIELDS, Page, "The parameters in the documented order, without those of every action."),
    required("response", FIELDS, Page, "The response fields in the documented order, without those of every action."),
    optional("models", ValueType::Map(&FIELDS), Page, "The fields of each data model, in the documented order."),
    optional("model_names", ValueType::Map(&TYPE_NAME), Decision, "The Rust names of models that the documentation names badly, by their documented names."),
    optional("pagination", ValueType::Object(PAGINATION), Decision, "How the action is paginated."),
    optional("example", ValueType::Object(EXAMPLE), Page, "The example of the page. It is checked against the tables and becomes a test."),
    WORDS,
] };

/// The decisions that an import may propose.
const PROPOSALS: [&str; 6] =
    ["idempotency", "pagination", "example_shorthand", "deprecated", "rust_name", "secret"];

#[rustfmt::skip]
pub(crate) const FIELD: &Object = &Object { name: "field", keys: &[
    required("name", NAME, Page, "The documented name. The name of a parameter may have dots: `Disks.N.Type` is the `Type` of a list of `Disks`."),
    required("type", ValueType::Type, Page, "The documented type: `string`, `int`, `float`, `boolean`, `object`, `array[T]` or the name of a model."),
    required("required", ValueType::Boolean, Page, "Whether the documentation calls it required."),
    optional("default", ValueType::Scalar, PageOrDecision, "The default of an optional parameter."),
    optional("enum", ValueType::List(&NAME), Decision, "The documented values of a string, or of each string of an array. Other values are kept unchanged."),
    optional("value_names", ValueType::Map(&TYPE_NAME), Decision, "The Rust names of values of `enum` that are no Rust names, or bad ones, by the values."),
    optional("enum_type", TYPE_NAME, Decision, "The enum of service.json that this string or boolean is."),
    optional("format", ValueType::Word(|| words(&Format::WORDS)), Decision, "What a string holds. `boolean`: `true` or `false`. `timestamp`: a time, as text or as Unix seconds; an `int` may be one too."),
    optional("example_type", ValueType::Type, PageOrDecision, "A contradiction of the page: the type that its example has, or had, instead of the documented one."),
    optional("example_omits", ValueType::Boolean, PageOrDecision, "A contradiction of the page: the field is documented as required, and its example omits it, or did."),
    optional("example_shorthand", ValueType::Boolean, PageOrDecision, "A contradiction of the page: its example has this field, a required string, in place of the whole model, or had."),
    optional("explicit", ValueType::Boolean, Decision, "The default of this optional parameter is surprising: callers must set it."),
    optional("secret", ValueType::Boolean, Decision, "This string is a secret, such as a password: it is hidden in `Debug` and errors, and erased from memory when dropped."),
    optional("allow_empty", ValueType::Boolean, Decision, "An empty string is a value of this parameter. Any other empty string is refused before it is sent, because the service treats it as absent."),
    optional("split_when_absent", ValueType::Object(SPLIT_WHEN_ABSENT), Decision, "Without this string parameter the action does something worse: it becomes two calls, one that requires the parameter and one without it."),
    optional("counted_by", NAME, Decision, "The required `int` beside this required list that holds its length. The list may be absent when that is 0. The items of a pagination are counted by its `total`, if that is a required `int`."),
    optional("rust_name", SNAKE_CASE, Decision, "The name in Rust, where the documented one is bad or not unique."),
    required("description", ValueType::Prose, Origin::Prose, "What it is, for the reader of the Rust docs."),
    DEPRECATED,
    WORDS,
] };

#[rustfmt::skip]
pub(crate) const SPLIT_WHEN_ABSENT: &Object = &Object { name: "split_when_absent", keys: &[
    required("action", NAME, Decision, "The name of the call without the parameter."),
    required("summary", ValueType::Prose, Origin::Prose, "What that call does, in one sentence."),
    required("idempotency", IDEMPOTENCY, Decision, "The idempotency of that call."),
] };

#[rustfmt::skip]
pub(crate) const PAGINATION: &Object = &Object { name: "pagination", keys: &[
    required("offset", NAME, Decision, "The parameter that sets how many items to skip: an `int`, or a `string` that holds one."),
    required("limit", NAME, Decision, "The parameter that sets the size of a page: likewise."),
    optional("total", NAME, Decision, "The response field that counts the items of all pages: likewise. Without it, the end of the list is an empty page."),
    required("items", NAME, Decision, "The response field that holds the items: an array."),
] };

#[rustfmt::skip]
pub(crate) const EXAMPLE: &Object = &Object { name: "example", keys: &[
    optional("request", ValueType::Json, Page, "The parameters of the request. A parameter that the page repeats has an array of its values."),
    optional("response", ValueType::Json, Page, "The response, verbatim."),
] };

impl Object {
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Whether an import replaces the value of a key. It keeps every other, unknown keys included.
    pub(crate) fn is_fact(&self, key: &str) -> bool {
        self.key(key).is_some_and(|key| key.origin == Page)
    }

    /// Whether the value of a key is a decision, which is lost when an import drops the object.
    pub(crate) fn is_decision(&self, key: &str) -> bool {
        self.key(key).is_none_or(|key| key.origin == Decision)
    }
}
