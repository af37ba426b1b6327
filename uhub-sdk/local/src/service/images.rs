//! `DeleteRepoImage`, `GetImageTag` and `GetRepoImage`.

use serde_json::{Value, json};

use crate::data::Project;
use crate::protocol::{ActionResult, Fields, Parameters, Refusal, fields};
use crate::service::page::{Page, find_image, find_repository};

pub(super) fn delete(project: &mut Project, parameters: &Parameters, now: i64) -> ActionResult {
    // An empty name counts as absent, and so is as dangerous.
    let tag = parameters.non_empty("TagName");

    let repository = find_repository(project, parameters)?;
    let images = &mut project.repositories[repository].images;
    let index = find_image(images, parameters)?;
    let image = &mut images[index];
    let position = |name| image.tags.iter().position(|tag| tag.name == name);
    let tag = tag.map(|name| position(name).ok_or_else(|| Refusal::unavailable("TagName")));
    match tag.transpose()? {
        Some(tag) if image.tags.len() > 1 => {
            image.tags.remove(tag);
            image.update_time = now.to_string();
        }
        // Every tag, or the last one: an image has at least one.
        _ => {
            images.remove(index);
        }
    }
    Ok(Fields::new())
}

pub(super) fn list(project: &Project, parameters: &Parameters) -> ActionResult {
    let page = Page::read(parameters)?;
    let repository = &project.repositories[find_repository(project, parameters)?];
    let images: Vec<Value> = page
        .of(repository.images.iter())
        .map(|image| {
            json!({
                "ImageName": image.name,
                "PullCount": image.pull_count,
                "CreateTime": image.create_time,
                "UpdateTime": image.update_time,
                "LatestTag": image.tags.last().map(|tag| &tag.name),
                "RepoName": repository.name,
            })
        })
        .collect();
    Ok(fields([("TotalCount", repository.images.len().into()), ("ImageSet", images.into())]))
}

pub(super) fn tags(project: &Project, parameters: &Parameters) -> ActionResult {
    let page = Page::read(parameters)?;
    let name = parameters.non_empty("TagName");
    let images = &project.repositories[find_repository(project, parameters)?].images;
    let tags = &images[find_image(images, parameters)?].tags;
    // A missing tag is an empty list, not an error.
    let tags = tags.iter().filter(|tag| name.is_none_or(|name| tag.name == name));
    let total = tags.clone().count();
    let listed: Vec<Value> = page
        .of(tags)
        .map(|tag| {
            let mut fields = json!({"TagName": tag.name, "UpdateTime": tag.update_time});
            if let Some(digest) = &tag.digest {
                fields["Digest"] = digest.as_str().into();
            }
            fields
        })
        .collect();
    Ok(fields([("TotalCount", total.into()), ("TagSet", listed.into())]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::repository::{Image, Repository, Tag};
    use crate::service::tests::{NOW, call, project, refused};

    /// The repository `base` with the image `nginx` of three tags, between two others.
    fn three_tags() -> Project {
        let tag =
            |name, update_time: &str| Tag { update_time: update_time.to_owned(), ..Tag::new(name) };
        let tags = [
            tag("1.0", "10").digest("sha256:10"),
            tag("1.1", "11").digest("sha256:11"),
            tag("1.2", "12"),
        ];
        let images = [Image::new("first"), Image::new("nginx").tags(tags), Image::new("last")];
        project([
            Repository::new("other").image(Image::new("nginx")),
            Repository::new("base").images(images),
        ])
    }

    /// Each image of `base` with its latest tag, as `GetRepoImage` lists them.
    fn images(project: &mut Project) -> Vec<(String, String)> {
        let response = call("GetRepoImage", project, "RepoName=base").unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let listed = response["ImageSet"].as_array().unwrap();
        assert_eq!(response["TotalCount"], listed.len());
        listed.iter().map(|image| (text(&image["ImageName"]), text(&image["LatestTag"]))).collect()
    }

    /// The tags of `nginx`, as `GetImageTag` lists them.
    fn listed(project: &mut Project, form: &str) -> (Vec<String>, u64) {
        let form = format!("RepoName=base&ImageName=nginx&{form}");
        let response = call("GetImageTag", project, &form).unwrap();
        let listed = response["TagSet"].as_array().unwrap();
        let names = listed.iter().map(|tag| tag["TagName"].as_str().unwrap().to_owned());
        (names.collect(), response["TotalCount"].as_u64().unwrap())
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |&(one, other): &(&str, &str)| (one.to_owned(), other.to_owned());
        expected.iter().map(owned).collect()
    }

    #[test]
    fn one_tag_is_deleted() {
        let mut project = three_tags();
        let form = "RepoName=base&ImageName=nginx&TagName=1.1";
        assert_eq!(call("DeleteRepoImage", &mut project, form), Ok(json!({})));
        let left = vec!["1.0".to_owned(), "1.2".to_owned()];
        assert_eq!(listed(&mut project, ""), (left, 2));
        let image = &project.repositories[1].images[1];
        assert_eq!(image.update_time, NOW.to_string());
        assert_eq!(image.create_time, "1700000000");
        assert_eq!(refused("DeleteRepoImage", &mut project, form), 230);
    }

    #[test]
    fn the_latest_tag_is_the_last_remaining_one() {
        let mut project = three_tags();
        for (tag, latest) in [("1.2", "1.1"), ("1.0", "1.1")] {
            let form = format!("RepoName=base&ImageName=nginx&TagName={tag}");
            assert_eq!(call("DeleteRepoImage", &mut project, &form), Ok(json!({})));
            assert_eq!(images(&mut project)[1].1, latest);
        }
    }

    #[test]
    fn deleting_the_last_tag_deletes_the_image() {
        let mut project = three_tags();
        for tag in ["1.0", "1.2", "1.1"] {
            let form = format!("RepoName=base&ImageName=nginx&TagName={tag}");
            assert_eq!(call("DeleteRepoImage", &mut project, &form), Ok(json!({})));
        }
        let left = pairs(&[("first", "latest"), ("last", "latest")]);
        assert_eq!(images(&mut project), left);
        let form = "RepoName=base&ImageName=nginx";
        assert_eq!(refused("GetImageTag", &mut project, form), 230);
        assert_eq!(project.repositories[0].images.len(), 1);
    }

    #[test]
    fn without_a_tag_or_with_an_empty_one_the_whole_image_is_deleted() {
        for tag in ["", "&TagName", "&TagName=", "&TagName=1.0&TagName="] {
            let mut project = three_tags();
            let form = format!("RepoName=base&ImageName=nginx{tag}");
            assert_eq!(call("DeleteRepoImage", &mut project, &form), Ok(json!({})));
            let left = pairs(&[("first", "latest"), ("last", "latest")]);
            assert_eq!(images(&mut project), left, "{form}");
            assert_eq!(refused("DeleteRepoImage", &mut project, &form), 230);
        }
    }

    #[test]
    fn nothing_is_deleted_by_mistake() {
        let mut project = three_tags();
        for (ret_code, form) in [
            (220, ""),
            (220, "RepoName=base"),
            (220, "RepoName=base&ImageName="),
            (220, "ImageName=nginx"),
            (220, "RepoName=nowhere&TagName=1.0"),
            (230, "RepoName=nowhere&ImageName=nginx"),
            (230, "RepoName=base&ImageName=nothing"),
            (230, "RepoName=base&ImageName=nothing&TagName=1.0"),
            (230, "RepoName=base&ImageName=nginx&TagName=1"),
            (230, "RepoName=base&ImageName=nginx&TagName=+"),
            (230, "RepoName=base&ImageName=nginx&TagName=latest"),
        ] {
            assert_eq!(refused("DeleteRepoImage", &mut project, form), ret_code, "{form}");
        }
    }

    #[test]
    fn deletions_keep_the_order() {
        let names = ["a", "b", "c", "d", "e"];
        let image = Image::new("nginx").tags(names.map(Tag::new));
        let others = names.map(Image::new);
        let mut project = project([Repository::new("base").images(others).image(image)]);
        for form in ["ImageName=nginx&TagName=b", "ImageName=b"] {
            let form = format!("RepoName=base&{form}");
            assert_eq!(call("DeleteRepoImage", &mut project, &form), Ok(json!({})));
        }
        assert_eq!(listed(&mut project, "").0, ["a", "c", "d", "e"]);
        let images: Vec<String> = images(&mut project).into_iter().map(|(n, _)| n).collect();
        assert_eq!(images, ["a", "c", "d", "e", "nginx"]);
    }

    #[test]
    fn tags_are_listed_as_documented() {
        let mut project = three_tags();
        let form = "RepoName=base&ImageName=nginx&Offset=1";
        assert_eq!(
            call("GetImageTag", &mut project, form),
            Ok(json!({
                "TotalCount": 3,
                "TagSet": [
                    {"TagName": "1.1", "UpdateTime": "11", "Digest": "sha256:11"},
                    {"TagName": "1.2", "UpdateTime": "12"},
                ],
            }))
        );
    }

    #[test]
    fn one_tag_can_be_requested() {
        let mut project = three_tags();
        let mut listed = |form: &str| listed(&mut project, form);
        assert_eq!(listed("TagName=1.1"), (vec!["1.1".to_owned()], 1));
        assert_eq!(listed("TagName=1"), (Vec::new(), 0));
        assert_eq!(listed("TagName=1.1&Offset=1"), (Vec::new(), 1));
        assert_eq!(listed("TagName=").1, 3);
    }

    #[test]
    fn tags_are_listed_in_pages() {
        let all: Vec<String> = (0..53).map(|number| format!("v{number}")).collect();
        let image = Image::new("nginx").tags(all.iter().map(Tag::new));
        let mut project = project([Repository::new("base").image(image)]);
        for (form, expected) in [
            ("", &all[..20]),
            ("Offset=40", &all[40..]),
            ("Offset=7&Limit=5", &all[7..12]),
            ("Limit=100", &all),
            ("Offset=53", &[]),
        ] {
            let (names, total) = listed(&mut project, form);
            assert_eq!((&names[..], total), (expected, 53), "{form}");
        }
    }

    #[test]
    fn tags_of_an_unknown_image_are_refused() {
        let mut project = three_tags();
        for (ret_code, form) in [
            (220, "ImageName=nginx"),
            (220, "RepoName=base"),
            (220, "RepoName=base&ImageName=&Limit=x"),
            (230, "RepoName=nowhere&ImageName=nginx"),
            (230, "RepoName=base&ImageName=nothing"),
            (230, "RepoName=base&ImageName=nginx&Limit=0"),
            (230, "RepoName=base&ImageName=nginx&Offset=-1"),
        ] {
            assert_eq!(refused("GetImageTag", &mut project, form), ret_code, "{form}");
        }
    }
}
