//! What is documented of the actions. The table itself is generated from the spec.

use crate::actions::documentation::ACTIONS;

/// An action.
#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [Parameter],
    /// The documentation's example of an answer, as JSON; empty where the page shows none.
    pub(crate) example: &'static str,
}

/// A parameter, or a field of one.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

/// What a parameter takes.
#[derive(Debug)]
#[allow(dead_code)] // a service has some of them, and not all
pub(crate) enum Kind {
    String,
    Int,
    Float,
    Boolean,
    /// A string that says `true` or `false`.
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

impl Action {
    pub(super) fn has(&self, parameter: &str) -> bool {
        self.parameters.iter().any(|each| each.name == parameter)
    }
}

pub(super) fn find(action: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|each| each.name == action)
}
