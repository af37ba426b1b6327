//! What each change means to users' code: one table, whose first matching row counts.

use super::{
    change::Class,
    surface::{Item, Kind},
};

/// What a change means, and why.
pub(super) enum Effect {
    Breaks(&'static str),
    Adds(&'static str),
    Documents(&'static str),
    /// Code compiles, and is broken nevertheless.
    BreaksSilently(&'static str),
    /// Existing code gets what was added.
    AddsSilently(&'static str),
    /// Code is the same, and the service or the client behaves differently.
    Behaves(&'static str),
}

impl Effect {
    /// The class, whether the change is silent, and the reason.
    pub(super) fn parts(self) -> (Class, bool, &'static str) {
        match self {
            Self::Breaks(reason) => (Class::Breaking, false, reason),
            Self::Adds(reason) => (Class::Additive, false, reason),
            Self::Documents(reason) => (Class::Documentation, false, reason),
            Self::BreaksSilently(reason) => (Class::Breaking, true, reason),
            Self::AddsSilently(reason) => (Class::Additive, true, reason),
            Self::Behaves(reason) => (Class::Documentation, true, reason),
        }
    }
}

/// The value that decides what it means that an item is new or gone.
pub(super) fn condition(item: &Item) -> &str {
    match item.kind {
        Kind::Field => item.value("when absent"),
        _ => item.value("required"),
    }
}

/// Returns what a change of an item's aspect means. `from` and `to` are the values of the aspect,
/// or the [`condition`] of an item that is new or gone.
#[rustfmt::skip]
pub(super) fn effect(kind: Kind, aspect: &str, from: &str, to: &str) -> Effect {
    use Effect::*;
    use Kind::*;

    match (kind, aspect, from, to) {
        // The service.
        (Service, "name", ..) => Documents("Examples in the documentation name the crate after the service."),
        (Service, "endpoint", ..) => BreaksSilently(
            "Clients without an explicit endpoint send their calls to the new one."),
        (CommonParameter | CommonField, ..) => Documents(
            "The handwritten core covers what all actions share. Check whether it has to follow."),
        (Service, "project parameter", ..) => BreaksSilently("The client sends its project under another name."),
        (ReturnCode, "gone", ..) => Breaks(
            "The constant is removed. Errors with this code no longer say whether the call was executed."),
        (ReturnCode, "new", ..) => Adds(
            "Adds a constant. Errors with this code now say whether the call was executed."),
        (ReturnCode, "outcome", ..) => Behaves(
            "Errors with this code report another execution state, and are retried accordingly."),

        (SharedVariant, "gone", ..) => Breaks("The variant is removed. Responses with its values are errors."),
        (SharedVariant, "new", ..) => AddsSilently(
            "Enums are `#[non_exhaustive]`, so code compiles. Responses with the values are no longer errors."),
        (SharedVariant, "text", ..) => BreaksSilently("The variant is sent as another text."),
        (Spelling, "gone", ..) => BreaksSilently(
            "Responses with this value are no longer read as the variant."),
        (Spelling, "new", ..) => AddsSilently("Responses with this value are now read as the variant."),

        // An action.
        (Action, "gone", ..) => Breaks("The module and the client method are removed."),
        (Action, "new", ..) => Adds("Adds a module and a client method."),
        (Action, "Rust name", ..) => Breaks("The module and the client method are renamed."),
        (Action, "idempotency", _, "non_idempotent") => Behaves(
            "Calls with an unknown outcome are no longer retried."),
        (Action, "idempotency", "non_idempotent", _) => Behaves(
            "Calls with an unknown outcome are now retried."),
        (Action, "idempotency", ..) => Documents("Calls are retried as before."),
        (Action, "example", ..) => Documents(
            "The documentation has another example. The generated tests follow it."),
        (Pagination, "gone", ..) => Breaks("The call's `items` and `pages` are removed."),
        (Pagination, "new", ..) => Adds("Adds `items` and `pages` to the call."),
        (Pagination, "items", ..) => BreaksSilently("`items` yields the elements of another list."),
        (Pagination, "key", ..) => Behaves("Pagination identifies items by another field."),
        (Pagination, ..) => Behaves("Pagination uses another parameter or field."),

        // Parameters, and the constructors that take the required ones.
        (Parameter, "gone", "required", _) => Breaks(
            "The constructor takes one argument less, as does the client method if the request requires it."),
        (Parameter, "gone", ..) => Breaks(
            "The setter and the field are removed. Stored requests that contain the parameter are rejected."),
        (Parameter, "new", _, "required") => Breaks(
            "The constructor takes one more argument, as does the client method if the request requires it."),
        (Parameter, "new", ..) => Adds(
            "Adds a setter. Code that does not call it sends the same request as before."),
        (Parameter, "documented name", ..) => BreaksSilently(
            "The same code sends the parameter under another name. Stored requests with the old name are rejected."),
        (Parameter, "required", _, "required") => Breaks(
            "The constructor takes one more argument, and the setter is removed."),
        (Parameter, "required", ..) => Breaks(
            "The constructor takes one argument less and a setter is added. The field is an `Option` unless it is a list."),
        (Parameter, "documented as", ..) => Documents(
            "The constructor takes the parameter as before; the documentation requires it or no longer does."),
        (Parameter, "type", ..) => Breaks(
            "The field and the setter or constructor argument have another type."),
        (Parameter, "wire type", ..) => Behaves(
            "The Rust type is the same, but the value is sent in another form."),
        (Parameter, "default", ..) => Behaves(
            "Code compiles as before, but the service behaves differently when the parameter is omitted. Review calls that omit it."),
        (Parameter, "empty text", _, "accepted") => AddsSilently(
            "An empty text is now sent instead of rejected."),
        (Parameter, "empty text", ..) => BreaksSilently("An empty text is now rejected instead of sent."),
        (_, "arguments", ..) => BreaksSilently(
            "The constructor still accepts the old arguments, but sends the values under other names."),
        (_, "argument order", ..) => Breaks("The constructor takes its arguments in another order."),

        // Response fields, and the models of requests and responses.
        (Field, "gone", ..) => Breaks("Code that reads the field does not compile."),
        (Field, "new", _, when_absent) if when_absent.starts_with("an error") => AddsSilently(
            "Structs are `#[non_exhaustive]`, so code compiles. Responses without the list, stored ones too, are now errors."),
        (Field, "new", ..) => Adds("Structs are `#[non_exhaustive]`, so code compiles."),
        (Field, "documented name", ..) => BreaksSilently(
            "The same code reads the field under another name. Responses with the old name, stored ones too, lack it."),
        (Field, "required", _, "optional") => Breaks("The field becomes an `Option`."),
        (Field, "required", ..) => Breaks("The field is no longer an `Option`."),
        (Field, "when absent", ..) => Behaves(
            "The type is the same. Responses without the list are read differently."),
        (Field, "documented as", ..) => Documents(
            "The type is the same; only the documentation differs."),
        (Field, "type", ..) => Breaks("Code that reads the field gets a value of another type."),
        (Field, "wire type", ..) => Documents("The Rust type is the same, and is read from every form."),
        (Field, "shorthand", _, "accepted") => AddsSilently(
            "A plain string instead of the model is now read as this field; it was an error."),
        (Field, "shorthand", ..) => BreaksSilently(
            "A plain string instead of the model is now an error; it was read as this field."),
        (Field, "single element", _, "accepted") => AddsSilently(
            "One element instead of the list is now read; it was an error."),
        (Field, "single element", ..) => BreaksSilently(
            "One element instead of the list is now an error; it was read."),
        (Model | SentModel, "documented name", ..) => Documents(
            "The struct keeps its Rust name. Its documented name is never sent."),

        // Enums.
        (Variant, "gone", ..) => Breaks(
            "The variant is removed. If the service still sends the value, it is read as `Other`."),
        (Variant, "new", ..) => AddsSilently(
            "Enums are `#[non_exhaustive]`, so code compiles. The value is no longer read as `Other`."),
        (Variant, "documented name", ..) => BreaksSilently("The variant stands for another value."),

        // Everything else.
        (_, "gone", ..) => Breaks("The type is removed."),
        (_, "new", ..) => Adds("Adds a type."),
        (_, "Rust name", ..) => Breaks("It is renamed in Rust."),
        (_, "order", ..) => Documents(
            "The documentation lists the items in another order. Code that names them is the same."),
        _ => Documents("The wording differs; the code is the same."),
    }
}
