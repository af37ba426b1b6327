//! `GetProjectList`.

use serde_json::{Value, json};

use super::super::store::Store;
use super::{Fields, fields};

/// When every project was created: they are all there from the start.
const CREATE_TIME: i64 = 1_700_000_000;

pub(super) fn list(store: &Store) -> Fields {
    let projects: Vec<Value> = store
        .projects
        .iter()
        .enumerate()
        .map(|(index, project)| {
            json!({
                "ProjectId": project.id,
                "ProjectName": project.name,
                "CreateTime": CREATE_TIME,
                "IsDefault": index == 0,
                "ResourceCount": project.repositories.len(),
                // Every project is open to every user.
                "MemberCount": store.keys.len(),
            })
        })
        .collect();
    fields([
        ("ProjectCount", projects.len().into()),
        ("ProjectSet", projects.into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::super::repository::Repository;
    use super::super::super::store::{KeyPair, Project};
    use super::*;

    #[test]
    fn every_project_is_listed_the_default_one_first() {
        let key = |name: &str| KeyPair {
            public: name.to_owned(),
            private: String::new(),
        };
        let mut first = Project::new("org-a".to_owned(), "A".to_owned());
        first.add(Repository::new("base"));
        let store = Store {
            keys: vec![key("one"), key("two")],
            projects: vec![first, Project::new("org-b".to_owned(), "B".to_owned())],
        };
        assert_eq!(
            Value::Object(list(&store)),
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
                        "MemberCount": 2,
                    },
                ],
            }),
        );
    }
}
