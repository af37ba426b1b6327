//! Deletes old tags by a policy, ready for cron.
//!
//! ```sh
//! # What the sample policy would delete from sample data on a local server:
//! cargo run --example cleanup
//! # What your policy would delete from your project. Nothing is deleted:
//! UCLOUD_PUBLIC_KEY=… UCLOUD_PRIVATE_KEY=… \
//!     cargo run --example cleanup -- --policy policy.json --project org-…
//! # Delete it, at most 100 tags:
//! … --apply --max-deletions 100
//! ```
//!
//! Without credentials, in the environment or in a profile, it uses a local server. The exit status
//! is 0 if all went well, 1 if some tags could not be deleted, and 2 if nothing was tried: invalid
//! arguments or policy, an incomplete list, or a plan that deletes more than `--max-share`.
#![allow(clippy::print_stderr)]

mod demo;

use std::{
    error::Error,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::SystemTime,
};

use clap::Parser;
use serde_json::json;
use uhub_sdk::{
    Client, ClientBuilder,
    recipes::retention::{Plan, Policy, Report, Scope, TagPlan, plan},
};

/// Deletes old tags by a policy. Without `--apply`, prints what it would delete.
#[derive(Parser)]
struct Arguments {
    /// The policy, a JSON file. Required for a real account.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The project. Defaults to the client's, or to the only one of the account.
    #[arg(long, value_name = "ID")]
    project: Option<String>,
    /// Only this repository.
    #[arg(long, value_name = "NAME")]
    repo: Option<String>,
    /// Only this image of the repository.
    #[arg(long, value_name = "NAME", requires = "repo")]
    image: Option<String>,
    /// Delete.
    #[arg(long)]
    apply: bool,
    /// Stop after this number of deletions.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    max_deletions: usize,
    /// Delete nothing if the plan deletes more than this share of the tags.
    #[arg(long, value_name = "SHARE", default_value_t = 0.8)]
    max_share: f64,
    /// Print the kept tags, too.
    #[arg(long)]
    all: bool,
    /// Print JSON: the plan, and the report with `--apply`.
    #[arg(long)]
    json: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(report)) if report.is_success() => ExitCode::SUCCESS,
        Ok(Some(report)) if report.totals().not_tried == report.tags.len() => ExitCode::from(2),
        Ok(Some(_)) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  caused by: {cause}");
                source = cause.source();
            }
            ExitCode::from(2)
        }
    }
}

/// Returns the report with `--apply`.
async fn run(arguments: &Arguments) -> Result<Option<Report>, Box<dyn Error>> {
    let has_credentials = ["UCLOUD_PUBLIC_KEY", "UCLOUD_PRIVATE_KEY", "UCLOUD_PROFILE"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    let (client, now, _server) = match Client::from_env() {
        Ok(client) => (client, SystemTime::now(), None),
        Err(error) if has_credentials => return Err(error.into()),
        Err(_) => {
            let server = demo::registry().start().await?;
            eprintln!("No credentials: using sample data on a local server.");
            (ClientBuilder::for_local(&server).build()?, demo::now(), Some(server))
        }
    };
    let policy = match &arguments.policy {
        Some(path) => read_policy(path)?,
        None if _server.is_some() => serde_json::from_str(include_str!("policy.json"))?,
        None => return Err("--policy FILE is required for a real account".into()),
    };
    let scope = scope(arguments, &client).await?;
    let plan = plan(&client, &scope, &policy, now).await?;
    // `println!` would panic on a closed pipe.
    let mut out = io::stdout().lock();
    if !arguments.json {
        write_plan(&mut out, &plan, arguments.all)?;
    }
    if !arguments.apply {
        match arguments.json {
            true => write_json(&mut out, &json!({ "plan": plan }))?,
            false => writeln!(out, "Nothing was deleted. To delete, add --apply.")?,
        }
        return Ok(None);
    }
    let report = plan
        .apply(&client)
        .max_deletions(arguments.max_deletions)
        .max_share(arguments.max_share)
        .on_progress(|progress| {
            let tag = progress.tag;
            eprintln!("{}/{} {} {}", progress.done, progress.total, tag.tag, tag.outcome);
        })
        .await;
    match arguments.json {
        true => write_json(&mut out, &json!({ "plan": plan, "report": report }))?,
        false => writeln!(out, "{report}")?,
    }
    Ok(Some(report))
}

fn read_policy(path: &Path) -> Result<Policy, Box<dyn Error>> {
    let place = |error: &dyn Error| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| place(&error))?;
    Ok(serde_json::from_str(&text).map_err(|error| place(&error))?)
}

/// What to clean up. The project must be named, or be the only one.
async fn scope(arguments: &Arguments, client: &Client) -> Result<Scope, Box<dyn Error>> {
    let project_id = match arguments.project.as_deref().or(client.project_id()) {
        Some(project_id) => project_id.to_owned(),
        None => {
            let projects = client.get_project_list().await?.projects;
            match &projects[..] {
                [project] => project.project_id.clone(),
                _ => {
                    let ids: Vec<&str> =
                        projects.iter().map(|project| &*project.project_id).collect();
                    let ids = ids.join(", ");
                    return Err(format!("--project ID is required. There are: {ids}").into());
                }
            }
        }
    };
    let scope = Scope::project(project_id);
    Ok(match (&arguments.repo, &arguments.image) {
        (Some(repo), Some(image)) => scope.image(repo, image),
        (Some(repo), None) => scope.repo(repo),
        _ => scope,
    })
}

fn write_json(out: &mut impl Write, value: &serde_json::Value) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

fn write_plan(out: &mut impl Write, plan: &Plan, all: bool) -> io::Result<()> {
    for image in &plan.images {
        let totals = image.totals();
        if totals.deleted == 0 && !all {
            continue;
        }
        let rule = image.rule.as_deref().unwrap_or("no rule");
        writeln!(
            out,
            "{}/{} ({rule}): {} to delete, {} to keep",
            image.repo_name, image.image_name, totals.deleted, totals.kept
        )?;
        for tag in &image.tags {
            if tag.is_deleted() {
                write_tag(out, "delete", tag, "no clause keeps it")?;
            } else if all {
                let reasons: Vec<String> = tag.kept.iter().map(ToString::to_string).collect();
                write_tag(out, "keep", tag, &reasons.join(", "))?;
            }
        }
    }
    let totals = plan.totals();
    writeln!(
        out,
        "{} images, {} tags: {} to delete, {} to keep.",
        plan.images.len(),
        totals.deleted + totals.kept,
        totals.deleted,
        totals.kept
    )
}

fn write_tag(out: &mut impl Write, what: &str, tag: &TagPlan, why: &str) -> io::Result<()> {
    let digest = tag.digest.as_deref().unwrap_or("no digest");
    let digest: String = digest.trim_start_matches("sha256:").chars().take(12).collect();
    let (name, time) = (&tag.tag_name, &tag.update_time);
    writeln!(out, "  {what:<6}  {name:<32}  {time:<25}  {digest:<12}  {why}")
}
