//! What each change means to users' code: one table, whose first matching row counts.

use super::{
    change::Class,
    surface::{Item, Kind},
};

/// The class of a change, whether it is silent, and the reason.
pub(super) type Effect = (Class, bool, &'static str);

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
    use Kind::*;

    let breaks = |reason| (Class::Breaking, false, reason);
    let adds = |reason| (Class::Additive, false, reason);
    let documents = |reason| (Class::Documentation, false, reason);
    // Code compiles, and is broken nevertheless.
    let breaks_silently = |reason| (Class::Breaking, true, reason);
    // Existing code gets what was added.
    let adds_silently = |reason| (Class::Additive, true, reason);
    // Code is the same, and the service or the client behaves differently.
    let behaves = |reason| (Class::Documentation, true, reason);
    match (kind, aspect, from, to) {
        // The service.
        (Service, "name", ..) => documents("Examples in the documentation name the crate after the service."),
        (Service, "endpoint", ..) => breaks_silently(
            "Clients without an explicit endpoint send their calls to the new one."),
        (CommonParameter | CommonField, ..) => documents(
            "The handwritten core covers what all actions share. Check whether it has to follow."),
        (Service, "project parameter" | "region parameter" | "zone parameter", ..) => {
            breaks_silently("The client sends its setting under a different name.")
        }
        (ReturnCode, "gone", ..) => breaks(
            "The constant is removed. Errors with this code no longer say whether the call was executed."),
        (ReturnCode, "new", ..) => adds(
            "Adds a constant. Errors with this code now say whether the call was executed."),
        (ReturnCode, "outcome", ..) => behaves(
            "Errors with this code report a different execution state, and are retried accordingly."),

        (SharedVariant, "gone", ..) => breaks("The variant is removed. Responses with its values are errors."),
        (SharedVariant, "new", ..) => adds_silently(
            "Enums are `#[non_exhaustive]`, so code compiles. Responses with the values are no longer errors."),
        (SharedVariant, "text", ..) => breaks_silently("The variant is sent as a different text."),
        (Spelling, "gone", ..) => breaks_silently(
            "Responses with this value are no longer read as the variant."),
        (Spelling, "new", ..) => adds_silently("Responses with this value are now read as the variant."),

        // An action.
        (Action, "gone", ..) => breaks("The module and the client method are removed."),
        (Action, "new", ..) => adds("Adds a module and a client method."),
        (Action, "Rust name", ..) => breaks("The module and the client method are renamed."),
        (Action, "idempotency", _, "non_idempotent") => behaves(
            "Calls with an unknown outcome are no longer retried."),
        (Action, "idempotency", "non_idempotent", _) => behaves(
            "Calls with an unknown outcome are now retried."),
        (Action, "idempotency", ..) => documents("Calls are retried as before."),
        (Action, "example", ..) => documents(
            "The documentation has a different example. The generated tests follow it."),
        (Pagination, "gone", ..) => breaks("The call's `items` and `pages` are removed."),
        (Pagination, "new", ..) => adds("Adds `items` and `pages` to the call."),
        (Pagination, "items", ..) => breaks_silently("`items` yields the elements of a different list."),
        (Pagination, ..) => behaves("Pagination uses a different parameter or field."),

        // Parameters, and the constructors that take the required ones.
        (Parameter, "gone", "required", _) => breaks(
            "The constructor takes one argument less, or its struct has one field less, as does the client method if the request requires it."),
        (Parameter, "gone", ..) => breaks(
            "The setter and the field are removed. Stored requests that contain the parameter are rejected."),
        (Parameter, "new", _, "required") => breaks(
            "The constructor takes one more argument, or its struct one more field, as does the client method if the request requires it."),
        (Parameter, "new", ..) => adds(
            "Adds a setter. Code that does not call it sends the same request as before."),
        (Parameter, "documented name", ..) => breaks_silently(
            "The same code sends the parameter under a different name. Stored requests with the old name are rejected."),
        (Parameter, "required", _, "required") => breaks(
            "The constructor takes one more argument, or its struct one more field, and the setter is removed."),
        (Parameter, "required", ..) => breaks(
            "The constructor takes one argument less, or its struct has one field less, and a setter is added. The field is an `Option` unless it is a list."),
        (Parameter, "documented as", ..) => documents(
            "The constructor takes the parameter as before; the documentation requires it or no longer does."),
        (Parameter, "type", ..) => breaks(
            "The field and the setter or constructor argument have a different type."),
        (Parameter, "wire type", ..) => behaves(
            "The Rust type is the same, but the value is sent in a different form."),
        (Parameter, "documented type", ..) => behaves(
            "Any JSON is sent as before, but the documentation calls for a different one. Review calls that set it."),
        (Parameter, "default", _, "none") => behaves(
            "Code compiles as before, but the documentation no longer says what the service does when the parameter is omitted. Review calls that omit it."),
        (Parameter, "default", "none", _) => behaves(
            "Code compiles as before. The documentation now says what the service does when the parameter is omitted. Review calls that omit it."),
        (Parameter, "default", ..) => behaves(
            "Code compiles as before, but the service behaves differently when the parameter is omitted. Review calls that omit it."),
        (Parameter, "empty text", _, "accepted") => adds_silently(
            "An empty text is now sent instead of rejected."),
        (Parameter, "empty text", ..) => breaks_silently("An empty text is now rejected instead of sent."),
        (_, "constructor", ..) => breaks(
            "The constructor, and the client method of a request, take the required parameters in another form: as arguments, or as a struct that ends in `Required`."),
        (_, "arguments", ..) => breaks_silently(
            "The constructor still accepts the old arguments, but sends the values under other names."),
        (_, "argument order", ..) => breaks("The constructor takes its arguments in a different order."),

        // Response fields, and the models of requests and responses.
        (Field, "gone", ..) => breaks("Code that reads the field does not compile."),
        (Field, "new", _, when_absent) if when_absent.starts_with("an error") => adds_silently(
            "Structs are `#[non_exhaustive]`, so code compiles. Responses without the list, stored ones too, are now errors."),
        (Field, "new", ..) => adds("Structs are `#[non_exhaustive]`, so code compiles."),
        (Field, "documented name", ..) => breaks_silently(
            "The same code reads the field under a different name. Responses with the old name, stored ones too, lack it."),
        (Field, "required", _, "optional") => breaks("The field becomes an `Option`."),
        (Field, "required", ..) => breaks("The field is no longer an `Option`."),
        (Field, "when absent", ..) => behaves(
            "The type is the same. Responses without the list are read differently."),
        (Field, "documented as", ..) => documents(
            "The type is the same; only the documentation differs."),
        (Field, "type", ..) => breaks("Code that reads the field gets a value of a different type."),
        (Field, "wire type", ..) => documents("The Rust type is the same, and is read from every form."),
        (Field, "documented type", ..) => behaves(
            "Any JSON is read as before, but the documentation shows a different one. Review code that looks into it."),
        (Field, "shorthand", _, "accepted") => adds_silently(
            "A plain string instead of the model is now read as this field; it was an error."),
        (Field, "shorthand", ..) => breaks_silently(
            "A plain string instead of the model is now an error; it was read as this field."),
        (Field, "single element", _, "accepted") => adds_silently(
            "One element instead of the list is now read; it was an error."),
        (Field, "single element", ..) => breaks_silently(
            "One element instead of the list is now an error; it was read."),
        (Model | SentModel, "documented name", ..) => documents(
            "The struct keeps its Rust name. Its documented name is never sent."),

        // Enums.
        (Variant, "gone", ..) => breaks(
            "The variant is removed. If the service still sends the value, it is read as `Other`."),
        (Variant, "new", ..) => adds_silently(
            "Enums are `#[non_exhaustive]`, so code compiles. The value is no longer read as `Other`."),
        (Variant, "documented name", ..) => breaks_silently("The variant stands for a different value."),

        // Everything else.
        (_, "deprecated", _, "yes") => adds(
            "It becomes `#[deprecated]`: code that uses it compiles with a warning, or not at all where warnings are denied."),
        (_, "deprecated", ..) => documents("It is no longer `#[deprecated]`."),
        (_, "gone", ..) => breaks("The type is removed."),
        (_, "new", ..) => adds("Adds a type."),
        (_, "Rust name", ..) => breaks("It is renamed in Rust."),
        (_, "order", ..) => documents(
            "The documentation lists the items in a different order. Code that names them is the same."),
        _ => documents("The wording differs; the code is the same."),
    }
}
