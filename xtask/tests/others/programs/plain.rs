//! The smallest program: reqwest without any feature.

mod server;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let server = server::Server::start();
    let get = async || reqwest::Client::new().get(&server.url).send().await.unwrap().text().await;
    assert_eq!(get().await.unwrap(), r#"{"number": 1.10}"#);
    server::call_uhub(&server).await;
    assert_eq!(get().await.unwrap(), r#"{"number": 1.10}"#);
    // Nothing is installed for the process.
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}
