//! Lists the images of a repository.
//!
//! ```sh
//! # On a local server with sample data:
//! cargo run --example list_images
//! # On the real service:
//! UCLOUD_PUBLIC_KEY=… UCLOUD_PRIVATE_KEY=… cargo run --example list_images -- REPOSITORY
//! ```
//!
//! `UCLOUD_PROFILE` selects a profile of the platform's command-line tool instead of the two keys.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{env, error::Error, process::ExitCode};

use uhub_sdk::{
    Client, ClientBuilder, Timestamp,
    local::{Data, LocalUhub},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let repository = env::args().nth(1);
    let has_credentials = ["UCLOUD_PUBLIC_KEY", "UCLOUD_PRIVATE_KEY", "UCLOUD_PROFILE"]
        .iter()
        .any(|name| env::var_os(name).is_some());
    if has_credentials {
        let repository = repository.ok_or("usage: list_images REPOSITORY")?;
        return list(&Client::from_env()?, &repository).await;
    }
    let server = LocalUhub::builder().data(Data::demo()).start().await?;
    let base_url = server.base_url();
    eprintln!("No credentials in the environment: using the local server at {base_url}.");
    let repository = repository.as_deref().unwrap_or("base");
    list(&ClientBuilder::for_local(&server).build()?, repository).await
}

async fn list(client: &Client, repository: &str) -> Result<(), Box<dyn Error>> {
    let page = client.get_repo_image(repository).limit(100).send().await?;
    println!("{:<24} {:<16} {:>8}  {:<20}  UPDATED", "NAME", "LATEST TAG", "PULLS", "CREATED");
    for image in &page.images {
        println!(
            "{:<24} {:<16} {:>8}  {:<20}  {}",
            image.image_name,
            image.latest_tag,
            image.pull_count,
            in_utc(&image.create_time),
            in_utc(&image.update_time)
        );
    }
    let (listed, total) = (page.images.len(), page.total_count);
    println!("{listed} of {total} images in {repository}");
    Ok(())
}

/// Returns an instant in UTC, and any other text unchanged.
fn in_utc(time: &Timestamp) -> Timestamp {
    time.to_system_time().map_or_else(|| time.clone(), Timestamp::from)
}
