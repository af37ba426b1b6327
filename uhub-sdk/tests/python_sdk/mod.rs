//! Compares the requests of this client with those of the platform's official Python SDK.
//!
//! `run.py` records the SDK's requests in order.

use std::{collections::BTreeMap, future::Future};

use serde::Deserialize;
use serde_json::Value;
use uhub_sdk::{
    ClientBuilder, Error,
    Visibility::{Private, Public},
    local::{Data, LocalUhub},
};

use crate::wiretap::Wiretap;

/// A request as it was sent.
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

/// The requests of the SDK, in order.
struct Comparison {
    tap: Wiretap,
    recorded: std::vec::IntoIter<Sent>,
}

impl Comparison {
    /// The request of a call, which may fail.
    async fn sent<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Sent {
        let _ = call.await;
        Sent::parse(&self.tap.take())
    }

    /// Asserts that a call succeeds and sends exactly the next request of the SDK.
    async fn same<T>(&mut self, call: impl Future<Output = Result<T, Error>>) -> Sent {
        let theirs = self.recorded.next().expect("the SDK made fewer calls");
        // A success also means that the signature is right.
        let ours = self.sent(async { Ok(call.await.unwrap()) }).await;
        assert_eq!(ours, theirs);
        theirs
    }

    /// Asserts that a typed call sends the SDK's parameters except one.
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
    let data = "tests/python_sdk/data.json";
    let uhub = LocalUhub::builder().data(Data::read(data).unwrap()).start().await.unwrap();
    let tap = Wiretap::before(&uhub).await;
    let client = ClientBuilder::for_local(&uhub).base_url(tap.base_url()).build().unwrap();
    let by_name = |action: &str| client.action(action);
    let mut sdk = Comparison { tap, recorded: recorded.into_iter() };

    // The SDK sends the project in every call, even where it is not documented.
    let theirs = sdk.same(by_name("GetProjectList").send::<Value>()).await;
    let ours = client.get_project_list();
    sdk.without("ProjectId", theirs, ours.send()).await;

    let description = "Images & tags: 100 % of “镜像”, a+b=c/~*'";
    let create = client.create_repo("made-here").visibility(Public);
    sdk.same(create.description(description).send()).await;

    // The SDK leaves the choice between public and private repositories to the service.
    let theirs = sdk.same(by_name("GetRepo").send::<Value>()).await;
    assert!(!theirs.parameters.contains_key("Type"));

    let update = client.update_repo("made-here", Private);
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

    // The SDK sends an empty tag, which deletes the image with all its tags. Here that is a
    // separate call.
    let delete = by_name("DeleteRepoImage")
        .param("RepoName", "base")
        .param("ImageName", "nginx")
        .param_empty("TagName");
    let theirs = sdk.same(delete.send::<Value>()).await;
    let ours = client.delete_repo_image_all_tags("base", "nginx");
    sdk.without("TagName", theirs, ours.send()).await;

    // The SDK sends its configured region to every action.
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
