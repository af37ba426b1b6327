//! `CreateRepo`, `DeleteRepo`, `GetRepo` and `UpdateRepo`.

use serde_json::{Value, json};

use super::super::data::Project;
use super::super::protocol::{Parameters, Refusal, ret_code};
use super::super::repository::Repository;
use super::parameters::{Page, find_repository};
use super::{Fields, fields};

/// How many repositories a project holds.
const MOST: usize = 8;

pub(super) fn create(
    project: &mut Project,
    parameters: &Parameters,
    now: i64,
) -> Result<Fields, Refusal> {
    let name = parameters.get("RepoName").unwrap_or_default();
    let shared = parameters.get("IsShared") == Some("true");
    let description = parameters.get("Description").unwrap_or_default();
    if project.position(name).is_some() {
        return Err(Refusal::new(
            ret_code::NAME_TAKEN,
            "The project has a repository of this RepoName",
        ));
    }
    if project.repositories.len() >= MOST {
        return Err(Refusal::new(
            ret_code::TOO_MANY_REPOSITORIES,
            format!("A project holds at most {MOST} repositories"),
        ));
    }
    let repository = Repository::new(name)
        .description(description)
        .shared(shared)
        .create_time(now.to_string())
        .update_time(now.to_string());
    project.repositories.push(repository);
    Ok(Fields::new())
}

pub(super) fn delete(
    project: &mut Project,
    parameters: &Parameters,
    _now: i64,
) -> Result<Fields, Refusal> {
    let at = find_repository(project, parameters)?;
    if !project.repositories[at].images.is_empty() {
        return Err(Refusal::new(
            ret_code::REPOSITORY_NOT_EMPTY,
            "The repository holds images: only an empty one can be deleted",
        ));
    }
    project.repositories.remove(at);
    Ok(Fields::new())
}

pub(super) fn list(project: &Project, parameters: &Parameters) -> Result<Fields, Refusal> {
    // Whoever does not say it sees none of the private ones.
    let shared = parameters.get("Type") != Some("private");
    let page = Page::read(parameters)?;
    let of_type = project
        .repositories
        .iter()
        .filter(|repository| repository.is_shared == shared);
    let total = of_type.clone().count();
    let repositories: Vec<Value> = page
        .of(of_type)
        .map(|repository| {
            json!({
                "RepoName": repository.name,
                "CreateTime": repository.create_time,
                "UpdateTime": repository.update_time,
                "Description": repository.description,
                // Strings, as the documentation has them.
                "IsShared": repository.is_shared.to_string(),
                "IsOutSide": repository.is_outside.to_string(),
            })
        })
        .collect();
    Ok(fields([
        ("TotalCount", total.into()),
        ("RepoSet", repositories.into()),
    ]))
}

pub(super) fn update(
    project: &mut Project,
    parameters: &Parameters,
    now: i64,
) -> Result<Fields, Refusal> {
    // As the documentation has it: whoever changes the description alone makes the repository
    // private. A client that does so should find out here.
    let shared = parameters.get("IsShared") == Some("true");
    // There is no documented way to clear a description.
    let description = parameters.filled("Description");
    let at = find_repository(project, parameters)?;
    let repository = &mut project.repositories[at];

    let description = description.unwrap_or(&repository.description);
    // What is as it should be is not changed, and so the time of the last change stays.
    if repository.is_shared != shared || repository.description != description {
        repository.description = description.to_owned();
        repository.is_shared = shared;
        repository.update_time = now.to_string();
    }
    Ok(Fields::new())
}

#[cfg(test)]
mod tests {
    use super::super::super::repository::Image;
    use super::super::tests::{NOW, call, project, refused};
    use super::*;

    fn names(project: &Project) -> Vec<&str> {
        let repositories = project.repositories.iter();
        repositories.map(|each| each.name.as_str()).collect()
    }

    /// The names that `GetRepo` lists, and how many it says there are.
    fn listed(project: &mut Project, form: &str) -> (Vec<String>, u64) {
        let answer = call("GetRepo", project, form).unwrap();
        let shown = answer["RepoSet"].as_array().unwrap();
        let names = shown
            .iter()
            .map(|each| each["RepoName"].as_str().unwrap().to_owned());
        (names.collect(), answer["TotalCount"].as_u64().unwrap())
    }

    #[test]
    fn a_repository_is_created_private_and_empty() {
        let mut project = project([]);
        assert_eq!(
            call("CreateRepo", &mut project, "RepoName=base"),
            Ok(json!({}))
        );
        let expected = Repository::new("base")
            .create_time(NOW.to_string())
            .update_time(NOW.to_string());
        assert_eq!(project.repositories, [expected]);
    }

    #[test]
    fn a_repository_is_created_as_it_is_said() {
        let mut project = project([]);
        for form in [
            "RepoName=a&IsShared=true&Description=Our+%E5%9F%BA%E7%A1%80",
            "RepoName=b&IsShared=false&Description=",
        ] {
            assert_eq!(call("CreateRepo", &mut project, form), Ok(json!({})));
        }
        let said = project.repositories.iter();
        let said: Vec<_> = said
            .map(|each| (each.is_shared, each.description.as_str()))
            .collect();
        assert_eq!(said, [(true, "Our 基础"), (false, "")]);
    }

    #[test]
    fn a_repository_is_not_created_from_nonsense() {
        let mut project = project([]);
        for (ret_code, form) in [
            (220, ""),
            (220, "RepoName="),
            (220, "IsShared=maybe"),
            (230, "RepoName=base&IsShared=maybe"),
            (230, "RepoName=base&IsShared="),
            (230, "RepoName=base&IsShared=1"),
        ] {
            assert_eq!(
                refused("CreateRepo", &mut project, form),
                ret_code,
                "{form}"
            );
        }
    }

    #[test]
    fn a_name_is_given_once_and_case_matters() {
        let mut project = project([Repository::new("base")]);
        assert_eq!(refused("CreateRepo", &mut project, "RepoName=base"), 63001);
        assert!(call("CreateRepo", &mut project, "RepoName=Base").is_ok());
        assert_eq!(names(&project), ["base", "Base"]);
        // Once it is free, it can be given again.
        assert!(call("DeleteRepo", &mut project, "RepoName=base").is_ok());
        assert!(call("CreateRepo", &mut project, "RepoName=base").is_ok());
        assert_eq!(names(&project), ["Base", "base"]);
    }

    #[test]
    fn a_project_holds_eight_repositories() {
        let mut project = project([]);
        for number in 1..=8 {
            let form = format!("RepoName=r{number}");
            assert!(call("CreateRepo", &mut project, &form).is_ok(), "{number}");
        }
        assert_eq!(refused("CreateRepo", &mut project, "RepoName=r9"), 63002);
        // It is no news that there is no room for what is there.
        assert_eq!(refused("CreateRepo", &mut project, "RepoName=r8"), 63001);
        assert!(call("DeleteRepo", &mut project, "RepoName=r1").is_ok());
        assert!(call("CreateRepo", &mut project, "RepoName=r9").is_ok());
        assert_eq!(refused("CreateRepo", &mut project, "RepoName=r1"), 63002);
    }

    #[test]
    fn more_repositories_than_eight_can_be_there_from_the_start() {
        let mut project = project((0..30).map(|n| Repository::new(format!("r{n}")).shared(true)));
        assert_eq!(listed(&mut project, "Limit=100").1, 30);
        assert_eq!(refused("CreateRepo", &mut project, "RepoName=more"), 63002);
    }

    #[test]
    fn only_an_empty_repository_is_deleted() {
        let mut project = project([
            Repository::new("a"),
            Repository::new("full").image(Image::new("nginx")),
            Repository::new("b"),
        ]);
        assert_eq!(refused("DeleteRepo", &mut project, ""), 220);
        assert_eq!(refused("DeleteRepo", &mut project, "RepoName="), 220);
        assert_eq!(refused("DeleteRepo", &mut project, "RepoName=nowhere"), 230);
        assert_eq!(refused("DeleteRepo", &mut project, "RepoName=full"), 63003);
        assert_eq!(
            call("DeleteRepo", &mut project, "RepoName=a"),
            Ok(json!({}))
        );
        assert_eq!(names(&project), ["full", "b"]);
        assert_eq!(refused("DeleteRepo", &mut project, "RepoName=a"), 230);
        project.repositories[0].images.clear();
        assert!(call("DeleteRepo", &mut project, "RepoName=full").is_ok());
        assert_eq!(names(&project), ["b"]);
    }

    #[test]
    fn public_repositories_are_listed_and_private_ones_on_demand() {
        let mut project = project([
            Repository::new("secret"),
            Repository::new("open").shared(true),
            Repository::new("other"),
        ]);
        let mut listed = |form: &str| listed(&mut project, form);
        let found = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            let total = names.len() as u64;
            (names, total)
        };
        assert_eq!(listed(""), found(&["open"]));
        assert_eq!(listed("Type=public"), found(&["open"]));
        assert_eq!(listed("Type=private"), found(&["secret", "other"]));
        // An empty text is none.
        assert_eq!(listed("Type="), found(&["open"]));
        for value in ["all", "Public", "private+"] {
            let form = format!("Type={value}");
            assert_eq!(refused("GetRepo", &mut project, &form), 230, "{form}");
        }
    }

    #[test]
    fn repositories_are_listed_in_pages() {
        // Every third is private, and counts on no page of the others.
        let all = (0..33).map(|n| Repository::new(format!("r{n}")).shared(n % 3 > 0));
        let mut project = project(all);
        let public: Vec<String> = (0..33)
            .filter(|n| n % 3 > 0)
            .map(|n| format!("r{n}"))
            .collect();
        for (form, expected) in [
            ("", &public[..20]),
            ("Offset=20", &public[20..]),
            ("Offset=5&Limit=3", &public[5..8]),
            ("Offset=22", &[]),
        ] {
            let (names, total) = listed(&mut project, form);
            assert_eq!((&names[..], total), (expected, 22), "{form}");
        }
        assert_eq!(listed(&mut project, "Type=private").1, 11);
        assert_eq!(refused("GetRepo", &mut project, "Limit=0"), 230);
        assert_eq!(refused("GetRepo", &mut project, "Offset=x"), 230);
    }

    #[test]
    fn a_repository_is_listed_as_documented() {
        let mut project = project([Repository::new("base")
            .description("Our base")
            .shared(true)
            .outside(true)
            .create_time("1700000001")
            .update_time("1700000002")]);
        assert_eq!(
            call("GetRepo", &mut project, ""),
            Ok(json!({
                "TotalCount": 1,
                "RepoSet": [{
                    "RepoName": "base",
                    "CreateTime": "1700000001",
                    "UpdateTime": "1700000002",
                    "Description": "Our base",
                    "IsShared": "true",
                    "IsOutSide": "true",
                }],
            }))
        );
    }

    #[test]
    fn an_update_makes_private_what_it_does_not_say_is_shared() {
        let mut project = project([Repository::new("base").description("old").shared(true)]);
        let mut updated = |form: &str| {
            project.repositories[0].update_time = "unchanged".to_owned();
            let answer = call("UpdateRepo", &mut project, &format!("RepoName=base&{form}"));
            assert_eq!(answer, Ok(json!({})), "{form}");
            let base = &project.repositories[0];
            let touched = base.update_time != "unchanged";
            assert_eq!(base.create_time, "1700000000");
            (base.is_shared, base.description.clone(), touched)
        };
        let now = |shared, description: &str, touched| (shared, description.to_owned(), touched);
        assert_eq!(updated("IsShared=true"), now(true, "old", false));
        assert_eq!(updated("Description=new"), now(false, "new", true));
        assert_eq!(updated("IsShared=false"), now(false, "new", false));
        assert_eq!(updated("Description="), now(false, "new", false));
        assert_eq!(
            updated("IsShared=true&Description="),
            now(true, "new", true)
        );
        // Once more is no change.
        assert_eq!(
            updated("IsShared=true&Description=new"),
            now(true, "new", false)
        );
    }

    #[test]
    fn an_update_of_nonsense_changes_nothing() {
        let mut project = project([Repository::new("base").shared(true)]);
        for (ret_code, form) in [
            (220, "Description=new"),
            (220, "RepoName=&Description=new"),
            (230, "RepoName=nowhere&Description=new"),
            (230, "RepoName=base&Description=new&IsShared=no"),
            (230, "RepoName=base&Description=new&IsShared="),
        ] {
            assert_eq!(
                refused("UpdateRepo", &mut project, form),
                ret_code,
                "{form}"
            );
        }
    }
}
