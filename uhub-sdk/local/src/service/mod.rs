//! The service: the actions, and the checks before each of them.
//!
//! An action checks everything before it changes anything: a refused one has changed nothing. The
//! documented types of its parameters were checked before.

mod access;
mod check;
mod images;
mod names;
mod page;
mod projects;
mod repositories;

use crate::protocol::{ActionResult, Fields, Parameters, Refusal, ret_code};
use crate::{data::Project, data::store::Store, documentation, documented};

/// Authenticates, checks and executes a request, in the order of the crate's documentation.
/// `repeats_pages` makes every page of a list the first.
pub(crate) fn execute(
    store: &mut Store,
    parameters: &Parameters,
    repeats_pages: bool,
) -> ActionResult {
    let name = parameters
        .non_empty("Action")
        .ok_or_else(|| Refusal::new(ret_code::MISSING_ACTION, "Missing Action"))?;
    let action = documentation::find(name)
        .ok_or_else(|| Refusal::new(ret_code::UNKNOWN_ACTION, "No such Action"))?;
    let user = access::authenticate(store, parameters)?;
    let project = match action.parameters.iter().any(|each| each.name == "ProjectId") {
        true => access::authorize(store, user, parameters)?,
        false => 0,
    };
    check::check(action.parameters, parameters)?;

    let without_offset;
    let parameters = if repeats_pages {
        without_offset = parameters.without("Offset");
        &without_offset
    } else {
        parameters
    };
    if name == "GetProjectList" {
        return Ok(projects::list(store, user));
    }
    let now = store.now();
    act(name, &mut store.data.projects[project], parameters, now)
        .unwrap_or_else(|| Ok(example_of(action)))
}

/// Executes an action in a project. Returns `None` for an action that is not implemented here.
fn act(
    name: &str,
    project: &mut Project,
    parameters: &Parameters,
    now: i64,
) -> Option<ActionResult> {
    Some(match name {
        "CreateRepo" => repositories::create(project, parameters, now),
        "DeleteRepo" => repositories::delete(project, parameters),
        "DeleteRepoImage" => images::delete(project, parameters, now),
        "GetImageTag" => images::tags(project, parameters),
        "GetRepo" => repositories::list(project, parameters),
        "GetRepoImage" => images::list(project, parameters),
        "UpdateRepo" => repositories::update(project, parameters, now),
        _ => return None,
    })
}

fn example_of(action: &documented::Action) -> Fields {
    serde_json::from_str(action.example).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::data::repository::{Image, Repository};

    /// The time of every change.
    pub(crate) const NOW: i64 = 1_800_000_000;

    pub(crate) fn project(repositories: impl IntoIterator<Item = Repository>) -> Project {
        let mut project = Project::new("org-local", "local");
        for mut repository in repositories {
            repository.images.iter_mut().for_each(Image::settle);
            project.repositories.push(repository);
        }
        project
    }

    /// The response of an action to these parameters, or the return code of its refusal.
    pub(crate) fn call(action: &str, project: &mut Project, form: &str) -> Result<Value, i64> {
        let parameters = Parameters::from_form(form.as_bytes()).unwrap();
        let documented = documentation::find(action).unwrap();
        check::check(documented.parameters, &parameters)
            .and_then(|()| act(action, project, &parameters, NOW).unwrap())
            .map(Value::Object)
            .map_err(|refusal| refusal.ret_code)
    }

    /// The return code of an action that must refuse, and so must change nothing.
    pub(crate) fn refused(action: &str, project: &mut Project, form: &str) -> i64 {
        let before = project.clone();
        let ret_code = call(action, project, form).expect_err(form);
        assert_eq!(project.repositories, before.repositories, "{form}");
        ret_code
    }

    #[test]
    fn the_actions_of_the_documentation_of_this_crate_are_implemented() {
        for name in [
            "CreateRepo",
            "DeleteRepo",
            "DeleteRepoImage",
            "GetImageTag",
            "GetRepo",
            "GetRepoImage",
            "UpdateRepo",
        ] {
            let result = act(name, &mut project([]), &Parameters::default(), NOW);
            assert!(result.is_some(), "{name}");
        }
    }

    #[test]
    fn an_unimplemented_action_responds_with_its_example() {
        let new = documented::Action {
            name: "GetNews",
            parameters: &[],
            example: r#"{"Action": "GetNewsResponse", "RetCode": 0, "News": ["a"]}"#,
        };
        assert_eq!(act(new.name, &mut project([]), &Parameters::default(), NOW), None);
        assert_eq!(example_of(&new)["News"], serde_json::json!(["a"]));
        assert_eq!(example_of(&documented::Action { example: "", ..new }), Fields::new());
    }
}
