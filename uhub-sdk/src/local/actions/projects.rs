//! `GetProjectList`.

use serde_json::{Value, json};

use super::super::data::Key;
use super::super::store::Store;
use super::{Fields, fields};

/// When every project was created: they are all there from the start.
const CREATE_TIME: i64 = 1_700_000_000;

pub(super) fn list(store: &Store, user: &Key) -> Fields {
    let projects: Vec<Value> = store
        .projects
        .iter()
        .enumerate()
        .filter(|(_, project)| user.may_use(&project.id))
        .map(|(index, project)| {
            json!({
                "ProjectId": project.id,
                "ProjectName": project.name,
                "CreateTime": CREATE_TIME,
                "IsDefault": index == 0,
                "ResourceCount": project.repositories.len(),
                "MemberCount": members(store, &project.id),
            })
        })
        .collect();
    fields([
        ("ProjectCount", projects.len().into()),
        ("ProjectSet", projects.into()),
    ])
}

/// How many users may use a project.
fn members(store: &Store, project_id: &str) -> usize {
    let users = store.keys.iter();
    users.filter(|key| key.may_use(project_id)).count()
}

#[cfg(test)]
mod tests {
    use super::super::super::data::Project;
    use super::super::super::repository::Repository;
    use super::*;

    #[test]
    fn every_project_is_listed_the_default_one_first() {
        let limited = Key::new("two", "").sub_account().project("org-a");
        let mut store = Store {
            keys: vec![Key::new("one", ""), limited],
            projects: vec![Project::new("org-a", "A"), Project::new("org-b", "B")],
            ..Store::default()
        };
        store.projects[0].repositories.push(Repository::new("base"));
        let of_limited = list(&store, &store.keys[1]);
        assert_eq!(of_limited["ProjectCount"], 1);
        assert_eq!(of_limited["ProjectSet"][0]["ProjectId"], "org-a");
        assert_eq!(
            Value::Object(list(&store, &store.keys[0])),
            json!({
                "ProjectCount": 2,
                "ProjectSet": [
                    {
                        "ProjectId": "org-a",
                        "ProjectName": "A",
                        "CreateTime": 1_700_000_000,
                        "IsDefault": true,
                        "ResourceCount": 1,
                        "MemberCount": 2,
                    },
                    {
                        "ProjectId": "org-b",
                        "ProjectName": "B",
                        "CreateTime": 1_700_000_000,
                        "IsDefault": false,
                        "ResourceCount": 0,
                        "MemberCount": 1,
                    },
                ],
            }),
        );
    }
}
