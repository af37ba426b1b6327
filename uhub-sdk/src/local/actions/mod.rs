//! The actions: a table from name to function, and the checks every one of them comes after.
//!
//! An action checks all there is to check before it changes anything: one that is refused has
//! changed nothing.

mod images;
mod parameters;
mod projects;
mod repositories;

use serde_json::{Map, Value};

use super::protocol::{Parameters, Refusal, ret_code};
use super::store::{Project, Store};

/// The fields of an answer, without those every answer has.
type Fields = Map<String, Value>;

enum Action {
    /// Is about the account: `ProjectId` is no parameter of it.
    OfAccount(fn(&Store) -> Fields),
    /// Is about one project.
    InProject(fn(&mut Project, &Parameters) -> Result<Fields, Refusal>),
}

const ACTIONS: &[(&str, Action)] = &[
    ("CreateRepo", Action::InProject(repositories::create)),
    ("DeleteRepo", Action::InProject(repositories::delete)),
    ("DeleteRepoImage", Action::InProject(images::delete)),
    ("GetImageTag", Action::InProject(images::tags)),
    ("GetProjectList", Action::OfAccount(projects::list)),
    ("GetRepo", Action::InProject(repositories::list)),
    ("GetRepoImage", Action::InProject(images::list)),
    ("UpdateRepo", Action::InProject(repositories::update)),
];

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

    match action {
        Action::OfAccount(action) => Ok(action(store)),
        Action::InProject(action) => {
            // An empty ProjectId was given too, and is no project.
            let project = store
                .project_mut(parameters.get("ProjectId"))
                .ok_or_else(|| Refusal::new(ret_code::UNKNOWN_PROJECT, "No such project"))?;
            action(project, parameters)
        }
    }
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> Fields {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::repository::Repository;
    use super::*;

    type InProject = fn(&mut Project, &Parameters) -> Result<Fields, Refusal>;

    pub(super) fn project(repositories: impl IntoIterator<Item = Repository>) -> Project {
        let mut project = Project::new("org-local".to_owned(), "local".to_owned());
        for repository in repositories {
            project.add(repository);
        }
        project
    }

    /// What an action answers to these parameters, or the code it refuses them with.
    pub(super) fn call(action: InProject, project: &mut Project, form: &str) -> Result<Value, i64> {
        let parameters = Parameters::from_form(form.as_bytes()).unwrap();
        action(project, &parameters)
            .map(Value::Object)
            .map_err(|refusal| refusal.ret_code)
    }

    /// The same, of an action that must refuse: and so must leave everything as it was.
    pub(super) fn refused(action: InProject, project: &mut Project, form: &str) -> i64 {
        let before = project.clone();
        let ret_code = call(action, project, form).expect_err(form);
        assert_eq!(project.repositories, before.repositories, "{form}");
        ret_code
    }

    #[test]
    fn each_action_has_one_name() {
        let names: Vec<&str> = ACTIONS.iter().map(|(name, _)| *name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        assert_eq!(names.len(), 8);
    }
}
