//! The service: a table of the actions, and the checks before each of them.
//!
//! An action checks everything before it changes anything: a refused one has changed nothing. The
//! documented types of its parameters were checked before.

mod access;
mod check;
mod images;
mod page;
mod projects;
mod repositories;

use crate::data::store::Store;
use crate::data::{Project, User};
use crate::protocol::{Fields, Parameters, Refusal, ret_code};
use crate::{documentation, documented};

enum Behavior {
    /// Reads the account.
    Account(fn(&Store, &User) -> Fields),
    /// Reads a project.
    Read(fn(&Project, &Parameters) -> Result<Fields, Refusal>),
    /// Changes a project at a time.
    Change(fn(&mut Project, &Parameters, i64) -> Result<Fields, Refusal>),
    /// Responds with the documentation's example: the action is not implemented here.
    Example,
}

const BEHAVIORS: &[(&str, Behavior)] = &[
    ("CreateRepo", Behavior::Change(repositories::create)),
    ("DeleteRepo", Behavior::Change(repositories::delete)),
    ("DeleteRepoImage", Behavior::Change(images::delete)),
    ("GetImageTag", Behavior::Read(images::tags)),
    ("GetProjectList", Behavior::Account(projects::list)),
    ("GetRepo", Behavior::Read(repositories::list)),
    ("GetRepoImage", Behavior::Read(images::list)),
    ("UpdateRepo", Behavior::Change(repositories::update)),
];

fn behavior(action: &str) -> &'static Behavior {
    let behavior = BEHAVIORS.iter().find(|(name, _)| *name == action);
    behavior.map_or(&Behavior::Example, |(_, behavior)| behavior)
}

/// Authenticates, checks and executes a request, in the order of the crate's documentation.
/// `repeats_pages` makes every page of a list the first.
pub(crate) fn execute(
    store: &mut Store,
    parameters: &Parameters,
    repeats_pages: bool,
) -> Result<Fields, Refusal> {
    let name = parameters
        .non_empty("Action")
        .ok_or_else(|| Refusal::new(ret_code::MISSING_ACTION, "Missing Action"))?;
    let action = documentation::find(name)
        .ok_or_else(|| Refusal::new(ret_code::UNKNOWN_ACTION, "No such Action"))?;
    let user = access::authenticate(store, parameters)?;
    let project =
        if action.has("ProjectId") { access::authorize(store, user, parameters)? } else { 0 };
    check::check(action.parameters, parameters)?;

    let without_offset;
    let parameters = if repeats_pages {
        without_offset = parameters.without("Offset");
        &without_offset
    } else {
        parameters
    };
    match behavior(name) {
        Behavior::Account(list) => Ok(list(store, user)),
        Behavior::Read(read) => read(&store.projects[project], parameters),
        Behavior::Change(change) => {
            let now = store.now();
            change(&mut store.projects[project], parameters, now)
        }
        Behavior::Example => Ok(example_of(action)),
    }
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
            .and_then(|()| match behavior(action) {
                Behavior::Read(read) => read(project, &parameters),
                Behavior::Change(change) => change(project, &parameters, NOW),
                _ => unreachable!("{action} is not about a project"),
            })
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
    fn every_documented_action_is_implemented() {
        let documented = crate::generated::ACTIONS;
        let documented: Vec<&str> = documented.iter().map(|action| action.name).collect();
        let names: Vec<&str> = BEHAVIORS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, documented);
    }

    #[test]
    fn an_unimplemented_action_responds_with_its_example() {
        let new = documented::Action {
            name: "GetNews",
            parameters: &[],
            example: r#"{"Action": "GetNewsResponse", "RetCode": 0, "News": ["a"]}"#,
        };
        assert!(matches!(behavior(new.name), Behavior::Example));
        assert_eq!(example_of(&new)["News"], serde_json::json!(["a"]));
        assert_eq!(example_of(&documented::Action { example: "", ..new }), Fields::new());
    }
}
