//! Whose request it is, and what they may use.

use super::super::data::Key;
use super::super::protocol::{Parameters, Refusal, ret_code};
use super::super::store::Store;

/// The user that a request is signed by.
pub(super) fn user<'a>(store: &'a Store, parameters: &Parameters) -> Result<&'a Key, Refusal> {
    let signature = parameters
        .filled("Signature")
        .ok_or_else(|| Refusal::new(ret_code::MISSING_SIGNATURE, "Missing Signature"))?;
    let key = parameters
        .filled("PublicKey")
        .and_then(|public| store.key(public))
        .ok_or_else(|| Refusal::new(ret_code::UNKNOWN_USER, "No user has this PublicKey"))?;
    if !parameters.is_signed_by(&key.private_key, signature) {
        return Err(Refusal::new(
            ret_code::WRONG_SIGNATURE,
            "Signature does not match",
        ));
    }
    let refuse = |message| Err(Refusal::new(ret_code::UNKNOWN_TOKEN, message));
    match (&key.security_token, parameters.filled("SecurityToken")) {
        (None, _) => {}
        (Some(token), Some(sent)) if token == sent => {}
        (Some(_), None) => return refuse("Missing SecurityToken"),
        (Some(_), Some(_)) => return refuse("SecurityToken does not match"),
    }
    if key.expires.is_some_and(|expires| store.now() >= expires) {
        return refuse("SecurityToken has expired");
    }
    Ok(key)
}

/// Where the project that a request of this user is about stands.
pub(super) fn project(
    store: &Store,
    user: &Key,
    parameters: &Parameters,
) -> Result<usize, Refusal> {
    // An empty ProjectId was given too, and is no project.
    let id = parameters.get("ProjectId");
    if id.is_none() && user.sub_account {
        return Err(Refusal::new(
            ret_code::PERMISSION_DENIED,
            "A sub-account has to name a ProjectId",
        ));
    }
    let index = store
        .project(id)
        .ok_or_else(|| Refusal::new(ret_code::UNKNOWN_PROJECT, "No such project"))?;
    if user.may_use(&store.projects[index].id) {
        Ok(index)
    } else {
        Err(Refusal::new(
            ret_code::PERMISSION_DENIED,
            "The sub-account may not use this project",
        ))
    }
}
