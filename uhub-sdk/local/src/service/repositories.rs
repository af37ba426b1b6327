//! `CreateRepo`, `DeleteRepo`, `GetRepo` and `UpdateRepo`.

use serde_json::{Value, json};

use crate::data::Project;
use crate::data::repository::{Repository, Visibility};
use crate::protocol::{ActionResult, Fields, Parameters, Refusal, fields, ret_code};
use crate::service::names;
use crate::service::page::{Page, find_repository};

/// The number of repositories that a project can hold.
const MAX_REPOSITORIES: usize = 8;

pub(super) fn create(project: &mut Project, parameters: &Parameters, now: i64) -> ActionResult {
    let name = parameters.get("RepoName").unwrap_or_default();
    let description = parameters.get("Description").unwrap_or_default();
    if !names::is_valid(name) {
        let message = format!("Params [RepoName] not available: it must be {}", names::RULE);
        return Err(Refusal::new(ret_code::BAD_PARAMETER, message));
    }
    if project.position(name).is_some() {
        let message = "The project already has a repository with this RepoName";
        return Err(Refusal::new(ret_code::NAME_TAKEN, message));
    }
    if project.repositories.len() >= MAX_REPOSITORIES {
        let message = format!("A project holds at most {MAX_REPOSITORIES} repositories");
        return Err(Refusal::new(ret_code::TOO_MANY_REPOSITORIES, message));
    }
    project.repositories.push(Repository {
        description: description.to_owned(),
        visibility: shared_visibility(parameters),
        create_time: now.to_string(),
        update_time: now.to_string(),
        ..Repository::new(name)
    });
    Ok(Fields::new())
}

pub(super) fn delete(project: &mut Project, parameters: &Parameters) -> ActionResult {
    let index = find_repository(project, parameters)?;
    if !project.repositories[index].images.is_empty() {
        let message = "The repository is not empty";
        return Err(Refusal::new(ret_code::REPOSITORY_NOT_EMPTY, message));
    }
    project.repositories.remove(index);
    Ok(Fields::new())
}

pub(super) fn list(project: &Project, parameters: &Parameters) -> ActionResult {
    // The default is public.
    let visibility = match parameters.get("Type") {
        Some("private") => Visibility::Private,
        _ => Visibility::Public,
    };
    let page = Page::read(parameters)?;
    let matching =
        project.repositories.iter().filter(|repository| repository.visibility == visibility);
    let total = matching.clone().count();
    let repositories: Vec<Value> = page
        .of(matching)
        .map(|repository| {
            json!({
                "RepoName": repository.name,
                "CreateTime": repository.create_time,
                "UpdateTime": repository.update_time,
                "Description": repository.description,
                // The documentation has strings.
                "IsShared": (visibility == Visibility::Public).to_string(),
                "IsOutSide": repository.is_outside.to_string(),
            })
        })
        .collect();
    Ok(fields([("TotalCount", total.into()), ("RepoSet", repositories.into())]))
}

pub(super) fn update(project: &mut Project, parameters: &Parameters, now: i64) -> ActionResult {
    // As documented, an update without `IsShared` makes the repository private.
    let visibility = shared_visibility(parameters);
    // As documented, a description cannot be cleared.
    let description = parameters.non_empty("Description");
    let index = find_repository(project, parameters)?;
    let repository = &mut project.repositories[index];

    let description = description.unwrap_or(&repository.description);
    // An update without a change keeps the time of the last change.
    if repository.visibility != visibility || repository.description != description {
        repository.description = description.to_owned();
        repository.visibility = visibility;
        repository.update_time = now.to_string();
    }
    Ok(Fields::new())
}

/// The visibility that `IsShared` sets. Absent means private.
fn shared_visibility(parameters: &Parameters) -> Visibility {
    match parameters.get("IsShared") {
        Some("true") => Visibility::Public,
        _ => Visibility::Private,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::repository::Image;
    use crate::service::tests::{NOW, call, project, refused};

    fn names(project: &Project) -> Vec<&str> {
        let repositories = project.repositories.iter();
        repositories.map(|each| each.name.as_str()).collect()
    }

    /// The names and the total count of `GetRepo`.
    fn listed(project: &mut Project, form: &str) -> (Vec<String>, u64) {
        let response = call("GetRepo", project, form).unwrap();
        let listed = response["RepoSet"].as_array().unwrap();
        let names = listed.iter().map(|each| each["RepoName"].as_str().unwrap().to_owned());
        (names.collect(), response["TotalCount"].as_u64().unwrap())
    }

    #[test]
    fn a_created_repository_is_private_and_empty() {
        let mut project = project([]);
        assert_eq!(call("CreateRepo", &mut project, "RepoName=base"), Ok(json!({})));
        let expected = Repository {
            create_time: NOW.to_string(),
            update_time: NOW.to_string(),
            ..Repository::new("base")
        };
        assert_eq!(project.repositories, [expected]);
    }

    #[test]
    fn a_repository_is_created_with_its_parameters() {
        let mut project = project([]);
        for form in [
            "RepoName=a&IsShared=true&Description=Our+%E5%9F%BA%E7%A1%80",
            "RepoName=b&IsShared=false&Description=",
        ] {
            assert_eq!(call("CreateRepo", &mut project, form), Ok(json!({})));
        }
        let created = project.repositories.iter();
        let created: Vec<_> =
            created.map(|each| (each.visibility, each.description.as_str())).collect();
        let expected = [(Visibility::Public, "Our 基础"), (Visibility::Private, "")];
        assert_eq!(created, expected);
    }

    #[test]
    fn invalid_parameters_create_nothing() {
        let mut project = project([]);
        for (ret_code, form) in [
            (220, ""),
            (220, "RepoName="),
            (220, "IsShared=maybe"),
            (230, "RepoName=base&IsShared=maybe"),
            (230, "RepoName=base&IsShared="),
            (230, "RepoName=base&IsShared=1"),
            (230, "RepoName=x%2Fy"),
            (230, "RepoName=%C3%BCn%C3%AFcode+%E2%98%83"),
            (230, "RepoName=Base"),
            (230, "RepoName=a..b"),
            (230, "RepoName=a%0Ab"),
            (230, &format!("RepoName={}", "a".repeat(10_000))),
        ] {
            assert_eq!(refused("CreateRepo", &mut project, form), ret_code, "{form}");
        }
    }

    #[test]
    fn names_are_unique_and_case_sensitive() {
        let mut project = project([Repository::new("Base")]);
        assert!(call("CreateRepo", &mut project, "RepoName=base").is_ok());
        assert_eq!(refused("CreateRepo", &mut project, "RepoName=base"), 63001);
        assert_eq!(names(&project), ["Base", "base"]);
        // A deleted name can be reused.
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
        // A duplicate name is reported before the limit.
        assert_eq!(refused("CreateRepo", &mut project, "RepoName=r8"), 63001);
        assert!(call("DeleteRepo", &mut project, "RepoName=r1").is_ok());
        assert!(call("CreateRepo", &mut project, "RepoName=r9").is_ok());
        assert_eq!(refused("CreateRepo", &mut project, "RepoName=r1"), 63002);
    }

    #[test]
    fn a_server_can_start_with_more_than_eight_repositories() {
        let mut project = project((0..30).map(|n| Repository::new(format!("r{n}")).public()));
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
        assert_eq!(call("DeleteRepo", &mut project, "RepoName=a"), Ok(json!({})));
        assert_eq!(names(&project), ["full", "b"]);
        assert_eq!(refused("DeleteRepo", &mut project, "RepoName=a"), 230);
        project.repositories[0].images.clear();
        assert!(call("DeleteRepo", &mut project, "RepoName=full").is_ok());
        assert_eq!(names(&project), ["b"]);
    }

    #[test]
    fn public_repositories_are_listed_unless_private_ones_are_requested() {
        let mut project = project([
            Repository::new("secret"),
            Repository::new("open").public(),
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
        // An empty value counts as absent.
        assert_eq!(listed("Type="), found(&["open"]));
        for value in ["all", "Public", "private+"] {
            let form = format!("Type={value}");
            assert_eq!(refused("GetRepo", &mut project, &form), 230, "{form}");
        }
    }

    #[test]
    fn repositories_are_listed_in_pages() {
        // Every third is private and not counted.
        let mut all: Vec<_> = (0..33).map(|n| Repository::new(format!("r{n}"))).collect();
        for (_, repository) in all.iter_mut().enumerate().filter(|(n, _)| n % 3 > 0) {
            repository.visibility = Visibility::Public;
        }
        let mut project = project(all);
        let public: Vec<String> = (0..33).filter(|n| n % 3 > 0).map(|n| format!("r{n}")).collect();
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
        let mut project = project([Repository {
            description: "Our base".to_owned(),
            visibility: Visibility::Public,
            is_outside: true,
            create_time: "1700000001".to_owned(),
            update_time: "1700000002".to_owned(),
            ..Repository::new("base")
        }]);
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
    fn an_update_without_is_shared_makes_the_repository_private() {
        let mut project = project([Repository::new("base").description("old").public()]);
        let mut updated = |form: &str| {
            project.repositories[0].update_time = "unchanged".to_owned();
            let response = call("UpdateRepo", &mut project, &format!("RepoName=base&{form}"));
            assert_eq!(response, Ok(json!({})), "{form}");
            let base = &project.repositories[0];
            let touched = base.update_time != "unchanged";
            assert_eq!(base.create_time, "1700000000");
            (base.visibility == Visibility::Public, base.description.clone(), touched)
        };
        let now = |public, description: &str, touched| (public, description.to_owned(), touched);
        assert_eq!(updated("IsShared=true"), now(true, "old", false));
        assert_eq!(updated("Description=new"), now(false, "new", true));
        assert_eq!(updated("IsShared=false"), now(false, "new", false));
        assert_eq!(updated("Description="), now(false, "new", false));
        assert_eq!(updated("IsShared=true&Description="), now(true, "new", true));
        // The same update again changes nothing.
        assert_eq!(updated("IsShared=true&Description=new"), now(true, "new", false));
    }

    #[test]
    fn an_invalid_update_changes_nothing() {
        let mut project = project([Repository::new("base").public()]);
        for (ret_code, form) in [
            (220, "Description=new"),
            (220, "RepoName=&Description=new"),
            (230, "RepoName=nowhere&Description=new"),
            (230, "RepoName=base&Description=new&IsShared=no"),
            (230, "RepoName=base&Description=new&IsShared="),
        ] {
            assert_eq!(refused("UpdateRepo", &mut project, form), ret_code, "{form}");
        }
    }
}
