//! The program behind `cargo xtask local`: a local UHub, until it is told to stop.

mod arguments;
mod journal;

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use arguments::Arguments;
use clap::Parser;
use journal::{Journal, Reports};
use uhub_sdk::local::{Data, Key, LocalUhub, LocalUhubBuilder};

// The same name and the same help as in the program that starts this one: so this has no text of its own.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask local", bin_name = "cargo xtask local")]
struct CommandLine {
    #[command(flatten)]
    arguments: Arguments,
}

fn main() -> ExitCode {
    let arguments = CommandLine::parse().arguments;
    let journal = Arc::new(Journal::new(arguments.quiet, io::stderr()));
    let reports = Arc::clone(&journal);
    // What goes wrong meanwhile: above all, that what there is cannot be saved.
    tracing_subscriber::fmt()
        .with_writer(move || Reports(Arc::clone(&reports)))
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .log_internal_errors(false)
        .without_time()
        .init();
    let served = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(serve(&arguments, &journal)));
    let code = match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            journal.say(message);
            ExitCode::FAILURE
        }
    };
    journal.finish();
    code
}

async fn serve(arguments: &Arguments, journal: &Arc<Journal>) -> Result<(), String> {
    // From here on a signal stops it in good order, however early it comes.
    let stop = stop_signal().map_err(|error| format!("signals cannot be received: {error}"))?;
    let data = data(arguments, journal)?;
    let user = user(&data)?;
    let uhub = builder(arguments, journal)?
        .data(data)
        .start()
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                format!("{error}; give --listen another port, or 0 for any")
            }
            _ => error.to_string(),
        })?;
    print_exports(&uhub, user.as_ref())
        .map_err(|error| format!("standard output cannot be written: {error}"))?;
    stop.await;
    let stopped = uhub.stop().await;
    journal.sum_up();
    stopped.map_err(|error| error.to_string())
}

/// A server as the arguments want it.
fn builder(arguments: &Arguments, journal: &Arc<Journal>) -> Result<LocalUhubBuilder, String> {
    if !arguments.listen.ip().is_loopback() && !arguments.allow_remote {
        return Err(format!(
            "--listen {}: other machines could connect there. If that is meant, add --allow-remote",
            arguments.listen
        ));
    }
    let noted = Arc::clone(journal);
    let mut builder = LocalUhub::builder()
        .listen(arguments.listen)
        .latency(Duration::from_millis(arguments.latency))
        .on_request(move |request| noted.note(request));
    if arguments.allow_remote {
        builder = builder.allow_remote();
    }
    if let Some(file) = &arguments.save {
        builder = builder.save_to(file);
    }
    Ok(builder)
}

/// What was kept, else what is given, else something to try things on.
fn data(arguments: &Arguments, journal: &Journal) -> Result<Data, String> {
    // What is empty has been made to be filled.
    let is_empty =
        |file: &&PathBuf| fs::metadata(file).is_ok_and(|found| found.is_file() && found.len() == 0);
    if let Some(file) = arguments.save.as_ref().filter(|file| !is_empty(file)) {
        match Data::read(file) {
            Ok(kept) => {
                journal.say(format!("starting with what {} holds", file.display()));
                return Ok(kept);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    match &arguments.data {
        Some(file) => Data::read(file).map_err(|error| error.to_string()),
        None => Ok(Data::demo()),
    }
}

/// Whom the exports are for: the first who needs no more than they say. Where the data has no key, nobody: then
/// there is a default one.
fn user(data: &Data) -> Result<Option<Key>, String> {
    let user = data.keys.iter().find(|key| key.security_token.is_none());
    if user.is_none() && !data.keys.is_empty() {
        return Err(
            "every key in the data has a security token, which the exports have no room for: \
             add a key without one"
                .to_owned(),
        );
    }
    Ok(user.cloned())
}

/// What connects a client: as soon as it is out, connections are taken.
fn print_exports(uhub: &LocalUhub, user: Option<&Key>) -> io::Result<()> {
    let (public_key, private_key, project) = match user {
        Some(key) => (
            key.public_key.as_str(),
            key.private_key.as_str(),
            key.projects.first(),
        ),
        None => (uhub.public_key(), uhub.private_key(), None),
    };
    let mut out = io::stdout().lock();
    for (name, value) in [
        ("UCLOUD_API_BASE_URL", uhub.base_url()),
        ("UCLOUD_PUBLIC_KEY", public_key),
        ("UCLOUD_PRIVATE_KEY", private_key),
        (
            "UCLOUD_PROJECT_ID",
            project.map_or(uhub.project_id(), String::as_str),
        ),
    ] {
        let value = shlex::try_quote(value).map_err(io::Error::other)?;
        writeln!(out, "export {name}={value}")?;
    }
    out.flush()
}

#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // The terminal was closed: unless `nohup` says that this does not matter.
    let mut hangup = match ignores_hangup() {
        true => None,
        false => Some(signal(SignalKind::hangup())?),
    };
    let hung_up = async move {
        match &mut hangup {
            Some(hangup) => hangup.recv().await,
            None => std::future::pending().await,
        }
    };
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hung_up => {}
        }
    })
}

/// Whether whoever started this wants SIGHUP, signal 1, to be ignored: where the system says so.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & 1 == 1)
}

#[cfg(windows)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
