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
//! Without credentials, in the environment or in a profile, it uses a local server.
//!
//! The plan and the report are on standard output, and everything else is on standard error. The
//! exit status is
//!
//! - 0: success. Nothing is left to delete, or there is no `--apply`. Skipped tags are a success.
//! - 1: some tags were not deleted, by an error or because of `--max-deletions`.
//! - 2: nothing was tried: invalid arguments or policy, no access, an incomplete list, or a plan that
//!   deletes more than `--max-share`.

mod demo;

use std::{
    env,
    error::Error,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::SystemTime,
};

use clap::Parser;
use serde::Serialize;
use uhub_sdk::{
    Client, ClientBuilder, ConfigSource, MetadataCredentials, Timestamp,
    recipes::retention::{ImagePlan, Plan, Policy, Report, Scope, plan},
};

/// Deletes old tags by a policy. Without `--apply`, prints what it would delete.
#[derive(Parser)]
#[command(
    after_help = "Exit status: 0 success, 1 some tags were not deleted, 2 nothing was tried."
)]
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
    /// Delete nothing if the plan deletes more than this share of the tags, from 0 to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.8, value_parser = parse_share)]
    max_share: f64,
    /// Print the kept tags, too.
    #[arg(long)]
    all: bool,
    /// Print JSON: the plan, and the report with `--apply`.
    #[arg(long)]
    json: bool,
}

/// The output with `--json`.
#[derive(Serialize)]
struct Output<'a> {
    plan: &'a Plan,
    /// `None` without `--apply`.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'a Report>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(report)) if report.is_success() => ExitCode::SUCCESS,
        Ok(Some(report)) if report.totals().not_tried == report.tags.len() => ExitCode::from(2),
        Ok(Some(_)) => ExitCode::from(1),
        Err(error) => {
            log(&format!("error: {error}"));
            let mut source = error.source();
            while let Some(cause) = source {
                log(&format!("  caused by: {cause}"));
                source = cause.source();
            }
            ExitCode::from(2)
        }
    }
}

/// Returns the report with `--apply`.
async fn run(arguments: &Arguments) -> Result<Option<Report>, Box<dyn Error>> {
    let (client, server) = match client_from_env()? {
        Some(client) => (client, None),
        None => {
            let server = demo::registry().start().await?;
            log("No credentials: using sample data on a local server.");
            (ClientBuilder::for_local(&server).build()?, Some(server))
        }
    };
    let (policy, now) = match (&arguments.policy, &server) {
        (Some(path), None) => (read_policy(path)?, SystemTime::now()),
        (Some(path), Some(_)) => (read_policy(path)?, demo::now()),
        (None, Some(_)) => (serde_json::from_str(include_str!("policy.json"))?, demo::now()),
        (None, None) => return Err("--policy FILE is required for a real account".into()),
    };
    let scope = scope(arguments, &client).await?;
    let plan = plan(&client, &scope, &policy, now).await?;
    if arguments.repo.is_none() {
        warn_of_unused_rules(&policy, &plan);
    }
    if !arguments.json {
        print(&plan_text(&plan, arguments.all))?;
    }
    if !arguments.apply {
        match arguments.json {
            true => print_json(&Output { plan: &plan, report: None })?,
            false => print("Nothing was deleted. To delete, add --apply.\n")?,
        }
        return Ok(None);
    }
    let report = plan
        .apply(&client)
        .max_deletions(arguments.max_deletions)
        .max_share(arguments.max_share)
        .on_progress(|progress| {
            let tag = progress.tag;
            log(&format!("{}/{} {} {}", progress.done, progress.total, tag.tag, tag.outcome));
        })
        .await;
    match arguments.json {
        true => print_json(&Output { plan: &plan, report: Some(&report) })?,
        false => print(&format!("{report}\n"))?,
    }
    Ok(Some(report))
}

/// Returns `None` without credentials. Invalid ones are an error.
fn client_from_env() -> Result<Option<Client>, Box<dyn Error>> {
    let mut builder = ClientBuilder::from_env()?;
    if env::var_os("UCLOUD_PROFILE").is_none() {
        // It is never asked: it shows that there are no others.
        builder = builder.fallback_credentials_provider(MetadataCredentials::new());
    }
    let client = builder.build()?;
    Ok(Some(client).filter(|client| client.config_sources().credentials != ConfigSource::Provider))
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "it must be a number from 0 to 1: 0.5 is half of the tags".to_owned())
}

/// A misspelled rule keeps nothing.
fn warn_of_unused_rules(policy: &Policy, plan: &Plan) {
    for rule in &policy.rules {
        if plan.images.iter().all(|image| image.rule.as_ref() != Some(&rule.name)) {
            log(&format!("warning: the rule `{}` is used for no image", rule.name));
        }
    }
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

/// Returns a table of what is deleted, and with `all` of what is kept.
fn plan_text(plan: &Plan, all: bool) -> String {
    let mut text = String::new();
    for image in &plan.images {
        let totals = image.totals();
        if totals.deleted > 0 || all {
            text += &format!(
                "{}/{} ({}): {} to delete, {} to keep\n",
                image.repo_name,
                image.image_name,
                image.rule.as_deref().unwrap_or("no rule"),
                totals.deleted,
                totals.kept
            );
            text += &tags_text(image, all);
        }
    }
    let totals = plan.totals();
    text + &format!(
        "{} images, {} tags: {} to delete, {} to keep.\n",
        plan.images.len(),
        totals.deleted + totals.kept,
        totals.deleted,
        totals.kept
    )
}

fn tags_text(image: &ImagePlan, all: bool) -> String {
    let tags = image.tags.iter().filter(|tag| all || tag.is_deleted());
    let width = tags.clone().map(|tag| tag.tag_name.len()).max().unwrap_or(0);
    let lines = tags.map(|tag| {
        let (what, why) = match tag.is_deleted() {
            true => ("delete", "no clause keeps it".to_owned()),
            false => {
                let reasons: Vec<String> = tag.kept.iter().map(ToString::to_string).collect();
                ("keep", reasons.join(", "))
            }
        };
        // In UTC, if it is an instant, and as the service wrote it otherwise.
        let time = tag.update_time.to_system_time();
        let time = time.map_or_else(|| tag.update_time.clone(), Timestamp::from);
        let digest = tag.digest.as_deref().unwrap_or("no digest");
        let digest: String = digest.trim_start_matches("sha256:").chars().take(12).collect();
        let name = &tag.tag_name;
        format!("  {what:<6}  {name:<width$}  {time:<20}  {digest:<12}  {why}\n")
    });
    lines.collect()
}

/// Prints to standard output. A closed pipe, as after `head`, is not an error.
fn print(text: &str) -> io::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn print_json(output: &Output<'_>) -> Result<(), Box<dyn Error>> {
    Ok(print(&(serde_json::to_string_pretty(output)? + "\n"))?)
}

/// Prints a line to standard error. Unlike `eprintln!`, it does not panic if the pipe is closed: that
/// must not end a run half-way.
fn log(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
