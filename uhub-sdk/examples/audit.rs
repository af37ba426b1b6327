//! Counts what an account has: the images, tags and pulls of every repository, and all together.
//!
//! ```sh
//! cargo run --example audit             # on a local UHub, with a few hundred images
//! cargo run --example audit -- --json   # the same as one JSON document
//! UCLOUD_PUBLIC_KEY=… UCLOUD_PRIVATE_KEY=… \
//!     cargo run --example audit         # the real service, all projects
//! ```
//!
//! With `UCLOUD_PROFILE` the keys are those of a profile of the platform's command-line tool. With
//! `UCLOUD_PROJECT_ID` it looks at that project alone.
#![allow(clippy::print_stderr)]

use std::{
    env,
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use serde::Serialize;
use uhub_sdk::{
    Client,
    local::{Image, LocalUhub, LocalUhubBuilder, Repository, Tag},
    recipes::{Entry, Walk, walk},
};

/// A line of the audit.
#[derive(Serialize)]
struct Row {
    project: String,
    repository: String,
    visibility: &'static str,
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

/// The audit as JSON.
#[derive(Serialize)]
struct Audit {
    repositories: Vec<Row>,
    totals: Totals,
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
    let is_json = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--json"] => true,
        _ => return Err("usage: audit [--json]".into()),
    };
    let has_keys = ["UCLOUD_PUBLIC_KEY", "UCLOUD_PRIVATE_KEY", "UCLOUD_PROFILE"]
        .iter()
        .any(|name| env::var_os(name).is_some());
    if has_keys {
        let mut walk = walk(&Client::from_env()?).concurrency(8);
        if let Ok(project_id) = env::var("UCLOUD_PROJECT_ID") {
            walk = walk.project_id(project_id);
        }
        return audit(walk, is_json).await;
    }
    let uhub = seeded().start().await?;
    eprintln!(
        "No keys in the environment: this is the local UHub at {}.",
        uhub.base_url()
    );
    audit(walk(&uhub.client().build()?).concurrency(8), is_json).await
}

async fn audit(mut walk: Walk, is_json: bool) -> Result<(), Box<dyn Error>> {
    let mut rows: Vec<Row> = Vec::new();
    while let Some(found) = walk.next().await {
        match found? {
            Entry::Repository(repository) => rows.push(Row {
                project: repository.project.project_id.clone(),
                repository: repository.repo.repo_name.clone(),
                visibility: if repository.is_public {
                    "public"
                } else {
                    "private"
                },
                images: 0,
                tags: 0,
                pulls: 0,
            }),
            // Whatever holds something comes before what it holds.
            Entry::Image(image) => {
                if let Some(row) = rows.last_mut() {
                    row.images += 1;
                    row.pulls += image.repo.pull_count;
                }
            }
            Entry::Tag(_) => {
                if let Some(row) = rows.last_mut() {
                    row.tags += 1;
                }
            }
            _ => {}
        }
    }
    let mut totals = Totals::default();
    for row in &rows {
        totals.repositories += 1;
        totals.images += row.images;
        totals.tags += row.tags;
        totals.pulls += row.pulls;
    }
    // Not `println!`, which panics where the reader has left.
    let mut out = io::stdout().lock();
    if is_json {
        let audit = Audit {
            repositories: rows,
            totals,
        };
        serde_json::to_writer_pretty(&mut out, &audit)?;
        writeln!(out)?;
        return Ok(());
    }
    writeln!(
        out,
        "{:<24} {:<24} {:<10} {:>8} {:>8} {:>12}",
        "PROJECT", "REPOSITORY", "VISIBILITY", "IMAGES", "TAGS", "PULLS"
    )?;
    for row in &rows {
        let Row {
            project,
            repository,
            visibility,
            images,
            tags,
            pulls,
        } = row;
        writeln!(
            out,
            "{project:<24} {repository:<24} {visibility:<10} {images:>8} {tags:>8} {pulls:>12}"
        )?;
    }
    let Totals {
        repositories,
        images,
        tags,
        pulls,
    } = totals;
    writeln!(
        out,
        "{repositories} repositories, {images} images, {tags} tags, {pulls} pulls"
    )?;
    Ok(())
}

/// Two projects with 325 images in five repositories.
fn seeded() -> LocalUhubBuilder {
    let images = |count: i64, tags: usize| {
        (0..count).map(move |number| {
            Image::new(format!("image-{number:03}"))
                .pull_count(number)
                .tags((0..tags).map(|version| Tag::new(format!("1.{version}"))))
        })
    };
    LocalUhub::builder()
        .project("org-main")
        .project("org-web")
        .repository(Repository::new("base").shared(true).images(images(120, 3)))
        .repository(Repository::new("services").images(images(150, 4)))
        .repository(Repository::new("empty"))
        .repository_in(
            "org-web",
            Repository::new("web").shared(true).images(images(30, 5)),
        )
        .repository_in("org-web", Repository::new("jobs").images(images(25, 2)))
}
