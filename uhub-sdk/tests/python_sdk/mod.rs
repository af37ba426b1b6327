//! What the platform's official Python SDK sends, and what this client sends for the same calls.
//!
//! `run.py` records the SDK's side, in the order in which it makes its calls.

use std::{collections::BTreeMap, future::Future};

use serde::Deserialize;
use serde_json::Value;
use uhub_sdk::{
    Error,
    actions::get_repo::GetRepoType::{Private, Public},
    local::{Data, LocalUhub},
};

use crate::wiretap::Wiretap;

/// A call as it went over the wire.
#[derive(Debug, PartialEq, Deserialize)]
struct Sent {
    method: String,
    content_type: String,
    signature: String,
    parameters: BTreeMap<String, String>,
}

impl Sent {
    fn parse(request: &str) -> Self {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let content_type = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-type").then_some(value)
        });
        let pairs = url::form_urlencoded::parse(body.as_bytes());
        let count = pairs.count();
        let mut parameters: BTreeMap<String, String> = pairs.into_owned().collect();
        assert_eq!(parameters.len(), count, "a parameter was sent twice");
        Self {
            method: head.split(' ').next().unwrap().to_owned(),
            content_type: content_type.unwrap().to_owned(),
            signature: parameters.remove("Signature").unwrap(),
            parameters,
        }
    }
}

/// The SDK's calls, one after the other.
struct Comparison {
    tap: Wiretap,
    recorded: std::vec::IntoIter<Sent>,
}

impl Comparison {
    /// What a call sends, whatever becomes of it.
    async fn sent<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Sent {
        let _ = call.await;
        Sent::parse(&self.tap.take())
    }

    /// The next call of the SDK and this one are the same to the last character.
    async fn same<T>(&mut self, call: impl Future<Output = Result<T, Error>>) -> Sent {
        let theirs = self.recorded.next().expect("the SDK made fewer calls");
        // An answer that was understood is a success: the service found the signature right.
        let ours = self.sent(async { Ok(call.await.unwrap()) }).await;
        assert_eq!(ours, theirs);
        theirs
    }

    /// What a call with types sends in place of this one has this parameter less, and nothing more.
    async fn without<T>(
        &self,
        name: &str,
        mut theirs: Sent,
        call: impl Future<Output = Result<T, Error>>,
    ) {
        let ours = self.sent(call).await;
        assert!(theirs.parameters.remove(name).is_some(), "{name}");
        assert_eq!(ours.parameters, theirs.parameters);
    }
}

#[tokio::test]
async fn calls_are_sent_and_signed_as_the_official_python_sdk_does() {
    let recording = include_str!("../data/python_sdk.json");
    let recorded: Vec<Sent> = serde_json::from_str(recording).unwrap();
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python_sdk/data.json");
    let uhub = LocalUhub::builder()
        .data(Data::read(data).unwrap())
        .start()
        .await
        .unwrap();
    let tap = Wiretap::before(&uhub).await;
    let client = uhub.client().base_url(tap.base_url()).build().unwrap();
    let by_name = |action: &str| client.action(action);
    let mut sdk = Comparison {
        tap,
        recorded: recorded.into_iter(),
    };

    // It names the project in every call, this one too, which is documented without.
    let theirs = sdk.same(by_name("GetProjectList").send::<Value>()).await;
    let ours = client.get_project_list();
    sdk.without("ProjectId", theirs, ours.send()).await;

    let description = "Images & tags: 100 % of “镜像”, a+b=c/~*'";
    let create = client.create_repo("made-here").is_shared(true);
    sdk.same(create.description(description).send()).await;

    // It leaves the choice between public and private repositories to the service.
    let theirs = sdk.same(by_name("GetRepo").send::<Value>()).await;
    assert!(!theirs.parameters.contains_key("Type"));

    let update = client.update_repo("made-here", false);
    sdk.same(update.description("private now").send()).await;
    let public = client.get_repo(Public).offset(0).limit(100);
    sdk.same(public.send()).await;
    let private = client.get_repo(Private).offset(1).limit(1);
    sdk.same(private.send()).await;

    let images = client.get_repo_image("base");
    sdk.same(images.send()).await;
    let images = client.get_repo_image("base").offset(2).limit(1);
    sdk.same(images.send()).await;
    let tags = client.get_image_tag("base", "nginx").offset(1).limit(2);
    sdk.same(tags.send()).await;

    let one = || client.get_image_tag("base", "nginx").tag_name("1.26");
    sdk.same(one().send()).await;
    let delete = client.delete_repo_image("base", "nginx", "1.26");
    sdk.same(delete.send()).await;
    sdk.same(one().send()).await;
    let delete = client.delete_repo_image_all_tags("base", "redis");
    sdk.same(delete.send()).await;

    // It sends an empty tag, which deletes the image with all its tags: here that is a call of its own.
    let delete = by_name("DeleteRepoImage")
        .param("RepoName", "base")
        .param("ImageName", "nginx")
        .param_empty("TagName");
    let theirs = sdk.same(delete.send::<Value>()).await;
    let ours = client.delete_repo_image_all_tags("base", "nginx");
    sdk.without("TagName", theirs, ours.send()).await;

    // It sends the region it was set up with to actions that know none.
    let images = by_name("GetRepoImage")
        .param("RepoName", "base")
        .param("Limit", 5)
        .param("Region", "cn-bj2");
    let theirs = sdk.same(images.send::<Value>()).await;
    let ours = client.get_repo_image("base").limit(5);
    sdk.without("Region", theirs, ours.send()).await;

    sdk.same(client.delete_repo("made-here").send()).await;
    sdk.same(client.get_repo(Private).send()).await;
    assert_eq!(sdk.recorded.next(), None, "the SDK made more calls");
}
