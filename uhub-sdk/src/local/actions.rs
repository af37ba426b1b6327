//! The actions: a table from name to function, and the checks every one of them comes after.

use serde_json::{Map, Value, json};

use super::protocol::{Parameters, Refusal, ret_code};
use super::store::{Project, Store};

/// The fields of an answer, without those every answer has.
type Fields = Map<String, Value>;

type Action = fn(&mut Project, &Parameters) -> Result<Fields, Refusal>;

const ACTIONS: &[(&str, Action)] = &[("GetRepoImage", get_repo_image)];

/// Checks a request, in the order the module's documentation promises, and does what it asks for.
pub(super) fn run(store: &mut Store, parameters: &Parameters) -> Result<Fields, Refusal> {
    let name = parameters
        .filled("Action")
        .ok_or_else(|| Refusal::new(ret_code::MISSING_ACTION, "Missing Action"))?;
    let (_, action) = ACTIONS
        .iter()
        .find(|(each, _)| *each == name)
        .ok_or_else(|| Refusal::new(ret_code::UNKNOWN_ACTION, "No such Action"))?;

    let signature = parameters
        .filled("Signature")
        .ok_or_else(|| Refusal::new(ret_code::MISSING_SIGNATURE, "Missing Signature"))?;
    let private_key = parameters
        .filled("PublicKey")
        .and_then(|public| store.private_key(public))
        .ok_or_else(|| Refusal::new(ret_code::UNKNOWN_USER, "No user has this PublicKey"))?;
    if !parameters.is_signed_by(private_key, signature) {
        return Err(Refusal::new(
            ret_code::WRONG_SIGNATURE,
            "Signature does not match",
        ));
    }

    // An empty ProjectId was given too, and is no project.
    let project = store
        .project_mut(parameters.get("ProjectId"))
        .ok_or_else(|| Refusal::new(ret_code::UNKNOWN_PROJECT, "No such project"))?;
    action(project, parameters)
}

fn get_repo_image(project: &mut Project, parameters: &Parameters) -> Result<Fields, Refusal> {
    let name = required(parameters, "RepoName")?;
    let offset = natural(parameters, "Offset")?.unwrap_or(0);
    let limit = natural(parameters, "Limit")?.unwrap_or(20);
    if limit == 0 {
        return Err(Refusal::unavailable("Limit"));
    }
    let repository = project
        .repository(name)
        .ok_or_else(|| Refusal::unavailable("RepoName"))?;

    let page: Vec<Value> = repository
        .images
        .iter()
        .skip(offset)
        .take(limit)
        .map(|image| {
            json!({
                "ImageName": image.name,
                "PullCount": image.pull_count,
                "CreateTime": image.create_time,
                "UpdateTime": image.update_time,
                "LatestTag": image.latest_tag,
                "RepoName": repository.name,
            })
        })
        .collect();
    let mut fields = Fields::new();
    fields.insert("TotalCount".to_owned(), repository.images.len().into());
    fields.insert("ImageSet".to_owned(), page.into());
    Ok(fields)
}

fn required<'a>(parameters: &'a Parameters, name: &str) -> Result<&'a str, Refusal> {
    parameters
        .filled(name)
        .ok_or_else(|| Refusal::missing(name))
}

/// A parameter that counts something, if it is there.
fn natural(parameters: &Parameters, name: &str) -> Result<Option<usize>, Refusal> {
    let Some(text) = parameters.get(name) else {
        return Ok(None);
    };
    // `parse` alone would take "+1".
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits => Ok(Some(number)),
        _ => Err(Refusal::unavailable(name)),
    }
}
