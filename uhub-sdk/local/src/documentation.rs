//! Looks up documented actions and return codes. The tables are generated from the spec.

use crate::documented::Action;
use crate::generated::{ACTIONS, RETURN_CODES};

/// Finds an action by its documented name.
pub(crate) fn find(action: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|each| each.name == action)
}

/// The documented example of an action's response, as JSON. Empty if there is none.
pub(crate) fn example(action: &str) -> &'static str {
    find(action).map_or("", |action| action.example)
}

/// The documented meaning of a return code.
pub(crate) fn meaning(code: i64) -> Option<&'static str> {
    let documented = RETURN_CODES.iter().find(|each| each.code == code);
    documented.map(|each| each.meaning)
}
