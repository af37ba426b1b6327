//! A program that enables much of reqwest and rustls, with a provider of its own.

mod server;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let server = server::Server::start();
    let http = reqwest::Client::builder().cookie_store(true).build().unwrap();
    let get = async || {
        let json: serde_json::Value =
            http.get(&server.url).send().await.unwrap().json().await.unwrap();
        // Of arbitrary_precision.
        assert_eq!(json["number"].to_string(), "1.10");
        server.take().remove(0)
    };
    assert!(get().await.contains("accept-encoding: "));
    server::call_uhub(&server).await;
    assert!(get().await.contains("cookie: a=b"));

    // A provider that the program installs serves both.
    rustls::crypto::ring::default_provider().install_default().unwrap();
    server::call_uhub(&server).await;
    get().await;
    let _config = rustls::ClientConfig::builder();
}
