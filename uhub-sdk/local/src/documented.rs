//! The types of the generated tables: documented actions and return codes.

/// A documented action.
#[derive(Debug)]
pub(crate) struct Action {
    /// The documented name.
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [Parameter],
    /// The documentation's example of a response, as JSON. Empty if the page has none.
    pub(crate) example: &'static str,
}

/// A parameter of an action, or a field of a [`Kind::Group`].
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

/// The type of a parameter.
#[derive(Debug)]
#[allow(dead_code)] // each service uses some of them
pub(crate) enum Kind {
    String,
    Int,
    Float,
    Boolean,
    /// A string that is `true` or `false`.
    Flag,
    /// One of these strings.
    Enum(&'static [&'static str]),
    /// Any JSON: `Name`, `Name.key`, `Name.key.0`, …
    Any,
    /// `Name.0`, `Name.1`, …
    List(&'static Kind),
    /// `Name.Field`.
    Group(&'static [Parameter]),
}

/// A documented return code.
#[derive(Debug)]
pub(crate) struct ReturnCode {
    pub(crate) code: i64,
    pub(crate) meaning: &'static str,
}
