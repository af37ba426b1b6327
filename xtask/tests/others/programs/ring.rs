//! A program whose only provider is *ring*.

mod server;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // rustls chooses its only provider, and installs it.
    let _config = rustls::ClientConfig::builder();
    let server = server::Server::start();
    let get = async || reqwest::Client::new().get(&server.url).send().await.unwrap().text().await;
    assert_eq!(get().await.unwrap(), r#"{"number": 1.10}"#);
    server::call_uhub(&server).await;
    assert_eq!(get().await.unwrap(), r#"{"number": 1.10}"#);
}
