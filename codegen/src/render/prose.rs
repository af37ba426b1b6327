//! Every sentence of the generated documentation.
//!
//! Prose of the spec has been checked and stands in paragraphs of its own. Every other text from
//! outside is printed by [`code`].

use super::print::module;
use crate::model::{
    Action, ClientParameter, ClientSetting, Enum, Field, Idempotency, Parameter, ReturnCode,
    Scalar, Service, Struct, Type, naming,
};
use crate::text::{lines::CODE, markdown::code};

/// The name of the crate that the code belongs to, as its users write it.
pub(super) fn crate_name(service: &Service) -> String {
    format!("{}_sdk", service.name.to_lowercase())
}

fn documented_as(rust: &str, wire: &str) -> Option<String> {
    naming::is_renamed(rust, wire).then(|| format!("Documented as {}.", code(wire)))
}

/// Paragraphs, without the empty ones.
fn paragraphs(parts: impl IntoIterator<Item = Option<String>>) -> String {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("\n\n")
}

/// The module of an action.
pub(super) fn action(action: &Action) -> String {
    let idempotency = match action.idempotency {
        Idempotency::Safe => {
            "Safe: the action only reads, so it is also retried if it may have been executed."
        }
        Idempotency::Idempotent => {
            "Idempotent: calling it again has no further effect, so it is also retried if it may have been \
             executed."
        }
        Idempotency::NonIdempotent => {
            "Not idempotent: calling it again may take effect twice, so it is retried only if it was not \
             executed. After an error with \
             [`Execution::Unknown`](crate::Execution::Unknown), check whether the call took effect."
        }
    };
    let pagination = action.pagination.as_ref().map(|pagination| {
        let end = match pagination.total {
            Some(_) => "",
            None => " The service reports no total: the end of the list takes one more call.",
        };
        format!(
            "Paginated by {} and {}: [`Call::items`] and [`Call::pages`] fetch all pages, and choose \
             their size if the call sets none. Don't delete while paginating: collect first, or items \
             will be skipped.{end}",
            code(&pagination.offset.rust),
            code(&pagination.limit.rust)
        )
    });
    paragraphs([
        Some(action.summary.clone()),
        action.details.clone(),
        Some(format!("Documented as {}. {idempotency}", code(&action.wire))),
        pagination,
    ])
}

pub(super) fn request(action: &Action) -> String {
    format!(
        "The parameters of {}.\n\nCreated by [`Client::{}`], or by [`new`](Self::new) for \
         [`Client::send`].",
        code(&action.wire),
        module(&action.rust)
    )
}

pub(super) fn constructor(noun: &str, has_required: bool) -> String {
    if has_required {
        format!("Creates a {noun} with the required parameters.")
    } else {
        format!("Creates a {noun} without parameters.")
    }
}

/// The struct of the required parameters of another one.
pub(super) fn required_struct(owner: &str) -> String {
    format!("The required parameters, for [`new`]({owner}::new). Every field must be set.")
}

/// The field of a parameter.
pub(super) fn parameter(parameter: &Parameter, service: &Service) -> String {
    let default = default(parameter, service).map(|default| {
        if parameter.is_explicit {
            format!("Required here, because the documented default, {default}, is surprising.")
        } else {
            format!("Defaults to {default}.")
        }
    });
    let is_empty = "An empty string is a value, and sent.".to_owned();
    let from_client = parameter.from_client.map(|setting| {
        let text = match setting {
            ClientSetting::Project => {
                "Defaults to the client's project, then to the account's default project. \
                 Sub-accounts must set one."
            }
            ClientSetting::Region => "Defaults to the client's region.",
            ClientSetting::Zone => "Defaults to the client's zone.",
        };
        text.to_owned()
    });
    paragraphs([
        Some(parameter.description.clone()),
        default,
        parameter.allow_empty.then_some(is_empty),
        from_client,
        secret(&parameter.ty),
        documented_as(&parameter.rust, &parameter.wire),
    ])
}

/// What a reader has to know of a secret.
fn secret(ty: &Type) -> Option<String> {
    let is_secret = *ty.innermost().0 == Type::Scalar(Scalar::Secret);
    let text = "A secret: hidden in `Debug` and in errors, and erased from memory when dropped. \
                Serializing it writes it.";
    is_secret.then(|| text.to_owned())
}

/// The default of a parameter as code.
fn default(parameter: &Parameter, service: &Service) -> Option<String> {
    let default = parameter.default.as_ref()?;
    let variant = match &parameter.ty {
        Type::Shared { rust, .. } => service.shared_enum(rust)?.variant(default),
        _ => None,
    };
    let default = variant.map_or(default, |variant| &variant.rust.value);
    Some(code(default))
}

/// The setter of a parameter on its owner, `Self` or a request.
pub(super) fn setter(rust: &str, owner: &str) -> String {
    match module(rust) {
        // rustdoc does not link to raw identifiers.
        plain if plain != rust => format!("Sets `{plain}`."),
        plain => format!("Sets [`{plain}`](field@{owner}::{plain})."),
    }
}

/// The setter of a parameter that also unsets it.
pub(super) fn maybe_setter(rust: &str, owner: &str) -> String {
    setter(rust, owner).replacen("Sets", "Sets or unsets", 1)
}

/// The client's method.
pub(super) fn client_method(action: &Action, service: &Service, arguments: &str) -> String {
    let (wire, rust, crate_name) = (code(&action.wire), &action.rust, crate_name(service));
    let variant = action.variant.as_ref().map(|variant| {
        let (parameter, other) = (code(&variant.parameter), &variant.rust);
        if variant.is_with {
            format!("The call without {parameter} is [`{other}`](Self::{other}).")
        } else {
            format!("The call with {parameter} is [`{other}`](Self::{other}).")
        }
    });
    let details =
        format!("Calls {wire}. See [`{0}`](mod@crate::actions::{0}) for details.", module(rust));
    let example = format!(
        "# Examples\n\n\
         {CODE}\n\
         # async fn example(client: {crate_name}::Client) -> Result<(), {crate_name}::Error> {{\n\
         let response = client.{rust}({arguments}).send().await?;\n\
         println!(\"{{response:?}}\");\n\
         # Ok(())\n\
         # }}\n\
         ```"
    );
    paragraphs([Some(action.summary.clone()), variant, Some(details), Some(example)])
}

pub(super) fn blocking_method(action: &Action) -> String {
    format!(
        "{}\n\nThe blocking version of [`Client::{1}`](crate::Client::{1}).",
        action.summary,
        module(&action.rust)
    )
}

pub(super) fn response(action: &Action) -> String {
    format!("The response of {}.", code(&action.wire))
}

pub(super) fn model(model: &Struct, action: &Action) -> String {
    paragraphs([
        Some(format!("A model in the response of {}.", code(&action.wire))),
        documented_as(&model.rust, &model.wire),
    ])
}

/// The field of a response or a model.
pub(super) fn field(field: &Field) -> String {
    let example_type = field.example_type.as_ref().map(|shown| match (code(shown), &field.ty) {
        (shown, Type::Object) => format!(
            "The documentation's example shows {shown} instead of the documented type, so any JSON is \
             accepted."
        ),
        (shown, _) => {
            format!("The documentation's example shows {shown}, which is accepted too.")
        }
    });
    let example_omits = field
        .example_omits
        .then(|| "Required in the documentation, but absent from its example.".to_owned());
    paragraphs([
        Some(field.description.clone()),
        example_type,
        example_omits,
        secret(&field.ty),
        documented_as(&field.rust, &field.wire),
    ])
}

pub(super) fn action_enum(values: &Enum) -> String {
    format!(
        "The values of {}. A value that is not documented is kept in `Other`.",
        code(&values.field)
    )
}

pub(super) fn value(value: &str) -> String {
    format!("The value {}.", code(value))
}

pub(super) const OTHER_VALUE: &str = "A value that is not documented.";
pub(super) const AS_STR: &str = "Returns the documented value.";

pub(super) const ENUMS: &str = "The enums that several actions share.";

pub(super) fn index(service: &Service) -> String {
    format!(
        "The actions of {}, one module each with its request, its response and their models.\n\n\
         Fields are named after the documented parameters and fields, in snake case. Every action can \
         fail with the documented [return codes](crate::RetCode), besides its own.",
        service.name
    )
}

pub(super) fn service(service: &Service) -> String {
    format!("What all actions of {} share: the endpoint and the return codes.", service.name)
}

pub(super) const CLIENT_PARAMETERS: &str =
    "The parameters that a client fills in where a call sets none.";

fn noun(setting: ClientSetting) -> &'static str {
    match setting {
        ClientSetting::Project => "project",
        ClientSetting::Region => "region",
        ClientSetting::Zone => "zone",
    }
}

/// The setter of the client's builder for a parameter that the client fills in.
pub(super) fn client_setter(ClientParameter { wire, setting }: &ClientParameter) -> String {
    let default = match setting {
        ClientSetting::Project => {
            " Defaults to the default project of the account; sub-accounts must set a project."
        }
        _ => "",
    };
    let (noun, wire) = (noun(*setting), code(&wire.value));
    format!("Sets the {noun} of calls that do not name one.{default} Documented as {wire}.")
}

/// The method that returns a client with another value of such a parameter.
pub(super) fn with_client_setting(setting: ClientSetting, service: &Service) -> String {
    let (noun, rust, name) = (noun(setting), setting.rust(), crate_name(service));
    format!(
        "Returns a client whose calls use this {noun}, unless they name one. It shares the \
         connections, the credentials and the retry budget with this client, and costs little.\n\n\
         # Examples\n\n```no_run\n\
         # async fn example(\n#     client: {name}::Client,\n#     {rust}: String,\n\
         # ) -> Result<(), {name}::Error> {{\n\
         let other = client.with_{rust}({rust});\n\
         let response: serde_json::Value = other.action(\"DescribeSomethingNew\").send().await?;\n\
         # Ok(())\n# }}\n```"
    )
}

pub(super) fn with_client_setting_blocking(setting: ClientSetting) -> String {
    let (noun, rust) = (noun(setting), setting.rust());
    format!(
        "Returns a client whose calls use this {noun}; see \
         [`Client::with_{rust}`](crate::Client::with_{rust})."
    )
}

pub(super) const CLIENT_PROJECT: &str =
    "Returns the project of calls that name none. `None` is the account's default project.";

pub(super) const DOCUMENTED: &str = "Returns what is documented of the code.";

pub(super) fn return_code(code: &ReturnCode) -> String {
    format!("{}: {}\n\n{}", code.code.value, code.meaning, code.remedy)
}

pub(super) fn local(service: &Service) -> String {
    format!("The documented actions and return codes of {}.", service.name)
}

pub(super) const LOCAL_ACTIONS: &str = "Every documented action, sorted by name.";
pub(super) const LOCAL_RETURN_CODES: &str = "Every documented return code, sorted by number.";
