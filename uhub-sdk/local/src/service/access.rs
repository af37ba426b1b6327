//! Authentication and authorization.

use crate::data::{User, store::Store};
use crate::protocol::{Parameters, Refusal, ret_code};

/// The user who signed the request.
pub(crate) fn authenticate<'a>(
    store: &'a Store,
    parameters: &Parameters,
) -> Result<&'a User, Refusal> {
    let signature = parameters
        .non_empty("Signature")
        .ok_or_else(|| Refusal::new(ret_code::MISSING_SIGNATURE, "Missing Signature"))?;
    let user = parameters
        .non_empty("PublicKey")
        .and_then(|public_key| store.user(public_key))
        .ok_or_else(|| Refusal::new(ret_code::UNKNOWN_USER, "PublicKey not found"))?;
    if !parameters.is_signed_by(&user.private_key, signature) {
        return Err(Refusal::new(ret_code::WRONG_SIGNATURE, "Signature VerifyAC Error"));
    }
    let refuse = |message| Err(Refusal::new(ret_code::UNKNOWN_TOKEN, message));
    match (&user.security_token, parameters.non_empty("SecurityToken")) {
        (None, _) => {}
        (Some(token), Some(sent)) if token == sent => {}
        (Some(_), None) => return refuse("Missing SecurityToken"),
        (Some(_), Some(_)) => return refuse("SecurityToken does not match"),
    }
    if user.expires.is_some_and(|expires| store.now() >= expires) {
        return refuse("SecurityToken has expired");
    }
    Ok(user)
}

/// The index of the project that the request is about.
pub(crate) fn authorize(
    store: &Store,
    user: &User,
    parameters: &Parameters,
) -> Result<usize, Refusal> {
    // An empty `ProjectId` is an unknown project.
    let id = parameters.get("ProjectId");
    let denied = |message| Err(Refusal::new(ret_code::PERMISSION_DENIED, message));
    if id.is_none() && user.sub_account {
        return denied("A sub-account must send a ProjectId");
    }
    let index = store
        .project(id)
        .ok_or_else(|| Refusal::new(ret_code::UNKNOWN_PROJECT, "No such project"))?;
    if user.may_use(&store.data.projects[index].id) {
        Ok(index)
    } else {
        denied("The sub-account may not use this project")
    }
}
