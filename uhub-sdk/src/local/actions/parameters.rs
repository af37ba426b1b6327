//! How the actions read their parameters.

use super::super::protocol::{Parameters, Refusal};
use super::super::repository::{Image, Tag};
use super::super::store::Project;

pub(super) fn required<'a>(parameters: &'a Parameters, name: &str) -> Result<&'a str, Refusal> {
    parameters
        .filled(name)
        .ok_or_else(|| Refusal::missing(name))
}

/// A parameter that says yes or no, if it is there. A boolean and a string that says one look the
/// same here: the documentation has both.
pub(super) fn flag(parameters: &Parameters, name: &str) -> Result<Option<bool>, Refusal> {
    match parameters.get(name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Refusal::unavailable(name)),
    }
}

/// A parameter that counts something, if it is there.
fn natural(parameters: &Parameters, name: &str) -> Result<Option<usize>, Refusal> {
    let Some(text) = parameters.get(name) else {
        return Ok(None);
    };
    // `parse` alone would take "+1".
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits => Ok(Some(number)),
        _ => Err(Refusal::unavailable(name)),
    }
}

/// Which part of a list is asked for: `Offset` and `Limit`.
#[derive(Debug)]
pub(super) struct Page {
    offset: usize,
    limit: usize,
}

impl Page {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        let offset = natural(parameters, "Offset")?.unwrap_or(0);
        let limit = natural(parameters, "Limit")?.unwrap_or(20);
        if limit == 0 {
            return Err(Refusal::unavailable("Limit"));
        }
        Ok(Self { offset, limit })
    }

    pub(super) fn of<I: Iterator>(&self, list: I) -> impl Iterator<Item = I::Item> + use<I> {
        list.skip(self.offset).take(self.limit)
    }
}

/// Where the repository that `RepoName` names stands in the project.
pub(super) fn find_repository(project: &Project, name: &str) -> Result<usize, Refusal> {
    project
        .position(name)
        .ok_or_else(|| Refusal::unavailable("RepoName"))
}

/// Where the image that `ImageName` names stands in its repository.
pub(super) fn find_image(images: &[Image], name: &str) -> Result<usize, Refusal> {
    images
        .iter()
        .position(|image| image.name == name)
        .ok_or_else(|| Refusal::unavailable("ImageName"))
}

/// Where the tag that `TagName` names stands in its image.
pub(super) fn find_tag(tags: &[Tag], name: &str) -> Result<usize, Refusal> {
    tags.iter()
        .position(|tag| tag.name == name)
        .ok_or_else(|| Refusal::unavailable("TagName"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(form: &str) -> Parameters {
        Parameters::from_form(form.as_bytes()).unwrap()
    }

    #[test]
    fn a_flag_is_true_false_or_not_there() {
        let read = |form: &str| flag(&parameters(form), "IsShared");
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("IsShared=true"), Ok(Some(true)));
        assert_eq!(read("IsShared=false"), Ok(Some(false)));
        for value in ["", "1", "0", "True", "FALSE", "yes", "ture", "true "] {
            let refused = Refusal::unavailable("IsShared");
            assert_eq!(read(&format!("IsShared={value}")), Err(refused), "{value}");
        }
    }

    #[test]
    fn a_page_has_defaults() {
        let read = |form: &str| -> Vec<usize> {
            let page = Page::read(&parameters(form)).unwrap();
            page.of(0..50).collect()
        };
        assert_eq!(read(""), Vec::from_iter(0..20));
        assert_eq!(read("Offset=45"), Vec::from_iter(45..50));
        assert_eq!(read("Offset=3&Limit=2"), [3, 4]);
        assert_eq!(read("Limit=1000"), Vec::from_iter(0..50));
        assert!(read("Offset=50").is_empty());
        for form in ["Limit=0", "Limit=-1", "Limit=", "Offset=", "Offset=1.0"] {
            assert!(Page::read(&parameters(form)).is_err(), "{form}");
        }
    }
}
