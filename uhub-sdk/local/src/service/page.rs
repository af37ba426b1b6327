//! Pages of lists, and lookups by name.

use crate::data::{Project, repository::Image};
use crate::protocol::{Parameters, Refusal};

/// The requested part of a list: `Offset` and `Limit`.
#[derive(Debug)]
pub(super) struct Page {
    offset: usize,
    limit: usize,
}

impl Page {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        let count = |name: &str, default: &str| {
            let text = parameters.get(name).unwrap_or(default);
            text.parse().map_err(|_| Refusal::unavailable(name))
        };
        let (offset, limit) = (count("Offset", "0")?, count("Limit", "20")?);
        if limit == 0 {
            return Err(Refusal::unavailable("Limit"));
        }
        Ok(Self { offset, limit })
    }

    pub(super) fn of<I: Iterator>(&self, list: I) -> impl Iterator<Item = I::Item> + use<I> {
        list.skip(self.offset).take(self.limit)
    }
}

/// The index of the repository `RepoName` in the project.
pub(super) fn find_repository(
    project: &Project,
    parameters: &Parameters,
) -> Result<usize, Refusal> {
    let name = parameters.get("RepoName").unwrap_or_default();
    project.position(name).ok_or_else(|| Refusal::unavailable("RepoName"))
}

/// The index of the image `ImageName` in its repository.
pub(super) fn find_image(images: &[Image], parameters: &Parameters) -> Result<usize, Refusal> {
    let name = parameters.get("ImageName").unwrap_or_default();
    images
        .iter()
        .position(|image| image.name == name)
        .ok_or_else(|| Refusal::unavailable("ImageName"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(form: &str) -> Parameters {
        Parameters::from_form(form.as_bytes()).unwrap()
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
        for form in ["Limit=0", "Limit=-1", "Offset=-1", "Offset=1.0"] {
            assert!(Page::read(&parameters(form)).is_err(), "{form}");
        }
    }
}
