//! Counts the images, tags and pulls of every repository of an account.
//!
//! ```sh
//! # On a local server with sample data:
//! cargo run --example audit
//! # As one JSON document:
//! cargo run --example audit -- --json
//! # On the real service, all projects:
//! UCLOUD_PUBLIC_KEY=… UCLOUD_PRIVATE_KEY=… cargo run --example audit
//! ```
//!
//! `UCLOUD_PROFILE` selects a profile of the platform's command-line tool instead of the two keys,
//! `UCLOUD_PROJECT_ID` a single project.
#![allow(clippy::print_stderr)]

use std::{
    env,
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use serde::Serialize;
use uhub_sdk::{
    Client, ClientBuilder, Visibility,
    local::{Image, LocalUhub, LocalUhubBuilder, Project, Repository, Tag},
    recipes::{Entry, Walk, walk},
};

#[derive(Serialize)]
struct Audit {
    repositories: Vec<Row>,
    totals: Totals,
}

#[derive(Serialize)]
struct Row {
    project: String,
    repository: String,
    visibility: Visibility,
    images: u64,
    tags: u64,
    pulls: i64,
}

#[derive(Default, Serialize)]
struct Totals {
    repositories: u64,
    images: u64,
    tags: u64,
    pulls: i64,
}

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
    let arguments: Vec<String> = env::args().skip(1).collect();
    let is_json = arguments == ["--json"];
    if !is_json && !arguments.is_empty() {
        return Err("usage: audit [--json]".into());
    }
    let has_credentials = ["UCLOUD_PUBLIC_KEY", "UCLOUD_PRIVATE_KEY", "UCLOUD_PROFILE"]
        .iter()
        .any(|name| env::var_os(name).is_some());
    let audit = if has_credentials {
        let mut walk = walk(&Client::from_env()?);
        if let Ok(project_id) = env::var("UCLOUD_PROJECT_ID") {
            walk = walk.project_id(project_id);
        }
        audit(walk).await?
    } else {
        let server = sample_data().start().await?;
        let base_url = server.base_url();
        eprintln!("No credentials in the environment: using the local server at {base_url}.");
        audit(walk(&ClientBuilder::for_local(&server).build()?)).await?
    };
    // `println!` would panic on a closed pipe.
    let mut out = io::stdout().lock();
    if is_json {
        serde_json::to_writer_pretty(&mut out, &audit)?;
        writeln!(out)?;
    } else {
        write_table(&mut out, &audit)?;
    }
    Ok(())
}

async fn audit(walk: Walk) -> Result<Audit, uhub_sdk::Error> {
    let mut walk = walk.concurrency(8);
    let mut repositories: Vec<Row> = Vec::new();
    let mut totals = Totals::default();
    while let Some(entry) = walk.next().await {
        match entry? {
            Entry::Repo(repo) => {
                totals.repositories += 1;
                repositories.push(Row {
                    project: repo.project.project_id.clone(),
                    repository: repo.details.repo_name.clone(),
                    visibility: repo.visibility,
                    images: 0,
                    tags: 0,
                    pulls: 0,
                });
            }
            Entry::Image(image) => {
                let pulls = image.details.pull_count;
                totals.images += 1;
                totals.pulls += pulls;
                // The entries of a repository follow it.
                if let Some(row) = repositories.last_mut() {
                    row.images += 1;
                    row.pulls += pulls;
                }
            }
            Entry::Tag(_) => {
                totals.tags += 1;
                if let Some(row) = repositories.last_mut() {
                    row.tags += 1;
                }
            }
            _ => {}
        }
    }
    Ok(Audit { repositories, totals })
}

fn write_table(out: &mut impl Write, audit: &Audit) -> io::Result<()> {
    writeln!(
        out,
        "{:<16} {:<16} {:<10} {:>8} {:>8} {:>8}",
        "PROJECT", "REPOSITORY", "VISIBILITY", "IMAGES", "TAGS", "PULLS"
    )?;
    for row in &audit.repositories {
        writeln!(
            out,
            "{:<16} {:<16} {:<10} {:>8} {:>8} {:>8}",
            row.project,
            row.repository,
            row.visibility.as_str(),
            row.images,
            row.tags,
            row.pulls
        )?;
    }
    let totals = &audit.totals;
    writeln!(
        out,
        "{} repositories, {} images, {} tags, {} pulls",
        totals.repositories, totals.images, totals.tags, totals.pulls
    )
}

/// Two projects with five repositories.
fn sample_data() -> LocalUhubBuilder {
    let image = |name: &str, pulls, versions: &[&str]| {
        let tags = versions.iter().map(|version| Tag::new(*version));
        Image::new(name).pull_count(pulls).tags(tags)
    };
    let teams = ["billing", "catalog", "checkout", "identity", "search"];
    let services = (1..=30).flat_map(|number| teams.map(|team| format!("{team}-{number}")));
    let services = services.map(|name| image(&name, 75, &["1.0", "1.1"]));
    let base = [
        image("alpine", 5200, &["3.21", "3.22"]),
        image("nginx", 4100, &["1.26", "1.27", "latest"]),
        image("redis", 1700, &["7.4", "8.0"]),
    ];
    let web = [image("storefront", 980, &["2.0", "2.1"]), image("blog", 120, &["1.4"])];
    let jobs = [image("nightly-report", 31, &["4", "5"])];
    let shop = Project::from("org-shop")
        .repository(Repository::new("web").public().images(web))
        .repository(Repository::new("jobs").images(jobs));
    LocalUhub::builder()
        .project("org-platform")
        .project(shop)
        .repository(Repository::new("base").public().images(base))
        .repository(Repository::new("services").images(services))
        .repository(Repository::new("sandbox"))
}
