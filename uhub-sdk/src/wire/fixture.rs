//! One action for the tests of this folder, as it was once generated: a change of the service's
//! documentation does not concern them.

use serde::{Deserialize, Serialize};

use crate::action::{Action, Idempotency, Sealed};
use crate::wire::decode;
use crate::wire::parameters::Parameters;
use crate::wire::timestamp::Timestamp;

#[derive(Debug)]
pub(crate) struct GetRepoImageRequest {
    pub(crate) project_id: Option<String>,
    pub(crate) repo_name: String,
    pub(crate) offset: Option<i64>,
    pub(crate) limit: Option<i64>,
}

impl GetRepoImageRequest {
    pub(crate) fn new(repo_name: impl Into<String>) -> Self {
        Self { project_id: None, repo_name: repo_name.into(), offset: None, limit: None }
    }

    pub(crate) fn project_id(mut self, value: impl Into<String>) -> Self {
        self.project_id = Some(value.into());
        self
    }

    pub(crate) fn offset(mut self, value: i64) -> Self {
        self.offset = Some(value);
        self
    }

    pub(crate) fn limit(mut self, value: i64) -> Self {
        self.limit = Some(value);
        self
    }
}

impl Action for GetRepoImageRequest {
    const NAME: &'static str = "GetRepoImage";
    const IDEMPOTENCY: Idempotency = Idempotency::Safe;
    type Response = GetRepoImageResponse;

    fn add_parameters(&self, to: &mut Parameters<'_>) {
        to.add("Limit", &self.limit);
        to.add("Offset", &self.offset);
        to.add_or_client_default("ProjectId", &self.project_id);
        to.add("RepoName", &self.repo_name);
    }
}

impl Sealed for GetRepoImageRequest {}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetRepoImageResponse {
    pub(crate) total_count: i64,
    #[serde(rename = "ImageSet")]
    pub(crate) images: Vec<Image>,
}

impl decode::Model for GetRepoImageResponse {
    const NAME: &'static str = "GetRepoImageResponse";
    const FIELDS: &'static [decode::Field] = &[
        decode::Field::required("TotalCount"),
        decode::Field::list("ImageSet").counted_by("TotalCount"),
    ];

    fn index_of(key: &str) -> Option<u8> {
        match key {
            "TotalCount" => Some(0),
            "ImageSet" => Some(1),
            _ => None,
        }
    }

    fn read_field<'de, A: serde::de::MapAccess<'de>>(
        &mut self,
        field: decode::FieldContext<'_>,
        from: &mut A,
    ) -> Result<(), A::Error> {
        match field.index {
            0 => field.read(from, &mut self.total_count),
            1 => field.read(from, &mut self.images),
            _ => Ok(()),
        }
    }

    fn count(&self, key: &str) -> Option<i64> {
        match key {
            "TotalCount" => Some(self.total_count),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for GetRepoImageResponse {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        decode::read_object(from)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Image {
    pub(crate) image_name: String,
    pub(crate) pull_count: i64,
    pub(crate) create_time: Timestamp,
    pub(crate) update_time: Timestamp,
    pub(crate) latest_tag: String,
    pub(crate) repo_name: Option<String>,
}

impl decode::Model for Image {
    const NAME: &'static str = "Image";
    const FIELDS: &'static [decode::Field] = &[
        decode::Field::required("ImageName"),
        decode::Field::required("PullCount"),
        decode::Field::required("CreateTime"),
        decode::Field::required("UpdateTime"),
        decode::Field::required("LatestTag"),
        decode::Field::optional("RepoName"),
    ];

    fn index_of(key: &str) -> Option<u8> {
        match key {
            "ImageName" => Some(0),
            "PullCount" => Some(1),
            "CreateTime" => Some(2),
            "UpdateTime" => Some(3),
            "LatestTag" => Some(4),
            "RepoName" => Some(5),
            _ => None,
        }
    }

    fn read_field<'de, A: serde::de::MapAccess<'de>>(
        &mut self,
        field: decode::FieldContext<'_>,
        from: &mut A,
    ) -> Result<(), A::Error> {
        match field.index {
            0 => field.read(from, &mut self.image_name),
            1 => field.read(from, &mut self.pull_count),
            2 => field.read(from, &mut self.create_time),
            3 => field.read(from, &mut self.update_time),
            4 => field.read(from, &mut self.latest_tag),
            5 => field.read(from, &mut self.repo_name),
            _ => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for Image {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        decode::read_object(from)
    }
}

pub(crate) const EXAMPLE: &str = r#"{
  "Action": "GetRepoImageResponse",
  "ImageSet": [
    {
      "CreateTime": 5,
      "ImageName": "dCVBnkxg",
      "LatestTag": "iBvvYGkW",
      "PullCount": 4,
      "UpdateTime": 7
    },
    {
      "CreateTime": 2,
      "ImageName": "HxZkUXvp",
      "LatestTag": "KNyBVrNA",
      "PullCount": 2,
      "UpdateTime": 2
    },
    {
      "CreateTime": 2,
      "ImageName": "qCHiVQXX",
      "LatestTag": "dnvIjkJY",
      "PullCount": 6,
      "UpdateTime": 6
    },
    {
      "CreateTime": 9,
      "ImageName": "lJszSnED",
      "LatestTag": "wGBJBifW",
      "PullCount": 1,
      "UpdateTime": 8
    },
    {
      "CreateTime": 7,
      "ImageName": "BfChDnxj",
      "LatestTag": "CdySnxrY",
      "PullCount": 9,
      "UpdateTime": 1
    },
    {
      "CreateTime": 9,
      "ImageName": "HUTQywVu",
      "LatestTag": "zqXMWiRd",
      "PullCount": 1,
      "UpdateTime": 9
    },
    {
      "CreateTime": 8,
      "ImageName": "QfwwaABh",
      "LatestTag": "EymhuHfx",
      "PullCount": 7,
      "UpdateTime": 9
    },
    {
      "CreateTime": 5,
      "ImageName": "ThYJXrVc",
      "LatestTag": "dnXrJOti",
      "PullCount": 4,
      "UpdateTime": 2
    },
    {
      "CreateTime": 2,
      "ImageName": "qzCGPhQD",
      "LatestTag": "MCnyUuwU",
      "PullCount": 6,
      "UpdateTime": 3
    }
  ],
  "RetCode": 0,
  "TotalCount": 5
}"#;
