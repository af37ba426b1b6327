//! Clients of the local server.
#![allow(clippy::unwrap_used)] // the helpers of tests are tests too

use uhub_sdk::{
    ClientBuilder, RetCode, RetryPolicy,
    local::{Fault, Image, LocalUhub, Repository, Scope, User},
};

#[tokio::test]
async fn a_client_has_the_temporary_credentials_of_the_first_user() {
    let user = User::new("key", "secret").security_token("token");
    let server = LocalUhub::builder().users([user]).start().await.unwrap();
    let client = ClientBuilder::for_local(&server).build().unwrap();
    let projects = client.get_project_list().send().await.unwrap();
    assert_eq!(projects.project_count, 1);
}

#[tokio::test]
async fn a_client_reads_the_types_of_the_documented_example() {
    let mut image = Image::new("nginx");
    image.create_time = "17".to_owned();
    let base = Repository::new("base").image(image);
    let server = LocalUhub::builder().repository(base).start().await.unwrap();
    server.inject_on(Scope::all(), Fault::WrongTypes);
    let client = ClientBuilder::for_local(&server).build().unwrap();
    let mut images = client.get_repo_image("base").items();
    let image = images.next().await.unwrap().unwrap();
    assert_eq!(image.create_time.as_str(), "17");
}

#[tokio::test]
async fn the_server_and_the_client_know_the_same_meanings_of_return_codes() {
    let server = LocalUhub::start().await.unwrap();
    let client = ClientBuilder::for_local(&server).retry(RetryPolicy::disabled()).build().unwrap();
    for code in [110, 130, 150, 153, 293, 294, 295, 299].map(RetCode::from) {
        server.inject(Fault::ret_code(code));
        let error = client.get_project_list().send().await.unwrap_err();
        assert_eq!(error.ret_code(), Some(code));
        let requests = server.requests();
        let meaning = requests.last().and_then(uhub_sdk::local::ReceivedRequest::meaning);
        assert!(meaning.is_some() && meaning == code.meaning(), "{code}: {meaning:?}");
    }
}
