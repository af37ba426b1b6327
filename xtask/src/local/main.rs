//! The program behind `cargo xtask local`: a local UHub, until it is told to stop.

mod arguments;
mod journal;

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use arguments::Arguments;
use clap::Parser;
use journal::Journal;
use uhub_sdk::local::{Data, LocalUhub, LocalUhubBuilder};

/// The same name and the same help as in the program that starts this one.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask local", bin_name = "cargo xtask local")]
struct CommandLine {
    #[command(flatten)]
    arguments: Arguments,
}

fn main() -> ExitCode {
    let arguments = CommandLine::parse().arguments;
    // What goes wrong meanwhile: above all, that what there is cannot be saved.
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .log_internal_errors(false)
        .without_time()
        .init();
    let served = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(serve(&arguments)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Standard error may be closed: that is no reason to panic.
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: &Arguments) -> Result<(), String> {
    // From here on a signal stops it in good order, however early it comes.
    let stop = stop_signal().map_err(|error| format!("signals cannot be received: {error}"))?;
    let journal = Arc::new(Journal::new(arguments.quiet));
    let uhub = builder(arguments, &journal)?
        .start()
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                format!("{error}; give --listen another port, or 0 for any")
            }
            _ => error.to_string(),
        })?;
    print_exports(&uhub).map_err(|error| format!("standard output cannot be written: {error}"))?;
    stop.await;
    let saved = arguments.save.as_ref().map(|file| uhub.save(file));
    let _ = uhub.stop().await; // `saved` says how it went
    journal.finish();
    saved.unwrap_or(Ok(())).map_err(|error| error.to_string())
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
        .data(data(arguments, journal)?)
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
    if let Some(file) = &arguments.save {
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

/// What connects a client: as soon as it is out, connections are taken.
fn print_exports(uhub: &LocalUhub) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (name, value) in [
        ("UCLOUD_API_BASE_URL", uhub.base_url()),
        ("UCLOUD_PUBLIC_KEY", uhub.public_key()),
        ("UCLOUD_PRIVATE_KEY", uhub.private_key()),
        ("UCLOUD_PROJECT_ID", uhub.project_id()),
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
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(windows)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
