//! Lists the images of a repository.
//!
//! ```sh
//! cargo run --example list_images               # on a local UHub, with the documentation's images
//! UCLOUD_PUBLIC_KEY=… UCLOUD_PRIVATE_KEY=… \
//!     cargo run --example list_images -- base   # the repository `base` of the real service
//! ```
//!
//! With `UCLOUD_PROFILE` the keys are those of a profile of the platform's command-line tool.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{env, error::Error, process::ExitCode};

use uhub_sdk::{
    Client,
    actions::get_repo_image::ImageSet,
    local::{LocalUhub, Repository},
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
    let has_keys = ["UCLOUD_PUBLIC_KEY", "UCLOUD_PRIVATE_KEY", "UCLOUD_PROFILE"]
        .iter()
        .any(|name| env::var_os(name).is_some());
    if has_keys {
        let repository = repository.ok_or("which repository? Name it: list_images REPOSITORY")?;
        return list(&Client::from_env()?, &repository).await;
    }
    let documented = Repository::documented();
    let repository = repository.unwrap_or_else(|| documented.name.clone());
    let uhub = LocalUhub::builder().repository(documented).start().await?;
    eprintln!(
        "No keys in the environment: this is the local UHub at {}.",
        uhub.base_url()
    );
    list(&uhub.client().build()?, &repository).await
}

async fn list(client: &Client, repository: &str) -> Result<(), Box<dyn Error>> {
    let page = client.get_repo_image(repository).limit(100).send().await?;
    println!("NAME                     LATEST TAG          PULLS CREATED              UPDATED");
    for image in &page.image_set {
        let ImageSet {
            image_name,
            latest_tag,
            pull_count,
            create_time,
            update_time,
            ..
        } = image;
        println!(
            "{image_name:<24} {latest_tag:<16} {pull_count:>8} {create_time:<20} {update_time}"
        );
    }
    println!(
        "{} of {} images in {repository}",
        page.image_set.len(),
        page.total_count
    );
    Ok(())
}
