//! The actions: a table from name to function, and the checks every one of them comes after.
//!
//! An action checks all there is to check before it changes anything: one that is refused has
//! changed nothing. What is documented of its parameters it need not check: see `check`.

mod access;
mod check;
mod images;
mod parameters;
mod projects;
mod repositories;

use serde_json::{Map, Value};

use super::data::{Key, Project};
use super::documented;
use super::protocol::{Parameters, Refusal, ret_code};
use super::store::Store;

/// The fields of an answer, without those every answer has.
type Fields = Map<String, Value>;

enum Behaviour {
    /// Is about the account.
    OfAccount(fn(&Store, &Key) -> Fields),
    /// Reads what is in a project.
    Reads(fn(&Project, &Parameters) -> Result<Fields, Refusal>),
    /// Changes what is in a project, at this time.
    Changes(fn(&mut Project, &Parameters, i64) -> Result<Fields, Refusal>),
    /// Is documented, and no more is known of it: the answer is the documentation's example.
    AsShown,
}

const BEHAVIOURS: &[(&str, Behaviour)] = &[
    ("CreateRepo", Behaviour::Changes(repositories::create)),
    ("DeleteRepo", Behaviour::Changes(repositories::delete)),
    ("DeleteRepoImage", Behaviour::Changes(images::delete)),
    ("GetImageTag", Behaviour::Reads(images::tags)),
    ("GetProjectList", Behaviour::OfAccount(projects::list)),
    ("GetRepo", Behaviour::Reads(repositories::list)),
    ("GetRepoImage", Behaviour::Reads(images::list)),
    ("UpdateRepo", Behaviour::Changes(repositories::update)),
];

fn behaviour(action: &str) -> &'static Behaviour {
    BEHAVIOURS
        .iter()
        .find(|(name, _)| *name == action)
        .map_or(&Behaviour::AsShown, |(_, behaviour)| behaviour)
}

/// What was done, and what is answered.
pub(super) struct Done {
    pub(super) fields: Fields,
    /// Whether the store has changed.
    pub(super) changed: bool,
}

/// Checks a request, in the order the module's documentation promises, and does what it asks for: of
/// a list, the first page alone, if that is all there shall be.
pub(super) fn run(
    store: &mut Store,
    parameters: &Parameters,
    first_page: bool,
) -> Result<Done, Refusal> {
    let name = parameters
        .filled("Action")
        .ok_or_else(|| Refusal::new(ret_code::MISSING_ACTION, "Missing Action"))?;
    let action = documented::find(name)
        .ok_or_else(|| Refusal::new(ret_code::UNKNOWN_ACTION, "No such Action"))?;
    let user = access::user(store, parameters)?;
    let project = if action.has("ProjectId") {
        access::project(store, user, parameters)?
    } else {
        0
    };
    check::check(action.parameters, parameters)?;

    let without_offset;
    let parameters = if first_page {
        without_offset = parameters.without("Offset");
        &without_offset
    } else {
        parameters
    };
    let now = store.now();
    let (fields, changed) = match behaviour(name) {
        Behaviour::OfAccount(list) => (list(store, user), false),
        Behaviour::Reads(read) => (read(&store.projects[project], parameters)?, false),
        Behaviour::Changes(change) => {
            (change(&mut store.projects[project], parameters, now)?, true)
        }
        Behaviour::AsShown => (as_shown(action), false),
    };
    Ok(Done { fields, changed })
}

fn as_shown(action: &documented::Action) -> Fields {
    serde_json::from_str(action.example).unwrap_or_default()
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> Fields {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::repository::{Image, Repository};
    use super::*;

    /// The time of every change.
    pub(super) const NOW: i64 = 1_800_000_000;

    pub(super) fn project(repositories: impl IntoIterator<Item = Repository>) -> Project {
        let mut project = Project::new("org-local", "local");
        for mut repository in repositories {
            repository.images.iter_mut().for_each(Image::settle);
            project.repositories.push(repository);
        }
        project
    }

    /// What an action answers to these parameters, or the code it refuses them with.
    pub(super) fn call(action: &str, project: &mut Project, form: &str) -> Result<Value, i64> {
        let parameters = Parameters::from_form(form.as_bytes()).unwrap();
        let documented = documented::find(action).unwrap();
        check::check(documented.parameters, &parameters)
            .and_then(|()| match behaviour(action) {
                Behaviour::Reads(read) => read(project, &parameters),
                Behaviour::Changes(change) => change(project, &parameters, NOW),
                _ => unreachable!("{action} is not in a project"),
            })
            .map(Value::Object)
            .map_err(|refusal| refusal.ret_code)
    }

    /// The same, of an action that must refuse: and so must leave everything as it was.
    pub(super) fn refused(action: &str, project: &mut Project, form: &str) -> i64 {
        let before = project.clone();
        let ret_code = call(action, project, form).expect_err(form);
        assert_eq!(project.repositories, before.repositories, "{form}");
        ret_code
    }

    #[test]
    fn each_documented_action_does_something() {
        let documented = crate::actions::documentation::ACTIONS;
        let documented: Vec<&str> = documented.iter().map(|action| action.name).collect();
        let names: Vec<&str> = BEHAVIOURS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, documented);
    }

    #[test]
    fn an_action_that_is_only_documented_answers_its_example() {
        let new = documented::Action {
            name: "GetNews",
            parameters: &[],
            example: r#"{"Action": "GetNewsResponse", "RetCode": 0, "News": ["a"]}"#,
        };
        assert!(matches!(behaviour(new.name), Behaviour::AsShown));
        assert_eq!(as_shown(&new)["News"], serde_json::json!(["a"]));
        assert_eq!(
            as_shown(&documented::Action { example: "", ..new }),
            Fields::new()
        );
    }
}
