//! Parameters that the client fills in where a call sets none.

use std::collections::BTreeMap;

use crate::config::source::{ClientParameter, Setting};

#[cfg(not(test))]
pub(crate) use crate::actions::service::CLIENT_PARAMETERS;

/// The core's tests need a parameter, and not every service has one.
#[cfg(test)]
pub(crate) const CLIENT_PARAMETERS: &[ClientParameter] =
    &[ClientParameter::project_id("ProjectId"), ClientParameter::zone("Zone")];

/// The values that are set, by the documented names of the parameters.
pub(crate) type ParameterValues = BTreeMap<&'static str, Setting<String>>;

/// Reads the value of each parameter that has one.
pub(crate) fn read(
    mut value: impl FnMut(&ClientParameter) -> Option<Setting<String>>,
) -> ParameterValues {
    let parameters = CLIENT_PARAMETERS.iter();
    parameters.filter_map(|parameter| Some((parameter.wire, value(parameter)?))).collect()
}
