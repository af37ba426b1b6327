//! `GetProjectList`.

use serde_json::{Value, json};

use crate::data::{User, store::Store};
use crate::protocol::{Fields, fields};

/// The creation time of every project: no action creates one.
const CREATE_TIME: i64 = 1_700_000_000;

pub(super) fn list(store: &Store, user: &User) -> Fields {
    let projects: Vec<Value> = store
        .data
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
    fields([("ProjectCount", projects.len().into()), ("ProjectSet", projects.into())])
}

/// The number of users who may use a project.
fn members(store: &Store, project_id: &str) -> usize {
    let users = store.data.users.iter();
    users.filter(|user| user.may_use(project_id)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Project;
    use crate::data::repository::Repository;

    #[test]
    fn projects_are_listed_with_the_default_one_first() {
        let limited = User::new("two", "").sub_account().project("org-a");
        let mut store = Store::default();
        store.data.users = vec![User::new("one", ""), limited];
        let first = Project::new("org-a", "A").repository(Repository::new("base"));
        store.data.projects = vec![first, Project::new("org-b", "B")];
        let of_limited = list(&store, &store.data.users[1]);
        assert_eq!(of_limited["ProjectCount"], 1);
        assert_eq!(of_limited["ProjectSet"][0]["ProjectId"], "org-a");
        assert_eq!(
            Value::Object(list(&store, &store.data.users[0])),
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
