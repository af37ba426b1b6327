//! The program `uhub-local`: a local server that runs until a signal stops it.

mod report;

use std::io::{self, Write};
use std::{
    net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, task::Poll, time::Duration,
};

use clap::Parser;
use tracing_appender::non_blocking::NonBlockingBuilder;
use uhub_local::{Data, LocalUhub, LocalUhubBuilder};

use crate::report::{Counts, line};

/// Run a local UHub server, for any client of the platform.
///
/// It prints `export NAME=value` lines that connect a client, then one line for each request on
/// standard error. Ctrl-C, SIGTERM or closing the terminal stops it, with a summary.
#[derive(Debug, Parser)]
#[command(
    name = "uhub-local",
    after_long_help = "\
The server can be controlled while it runs. This loses the response to the next request:

    curl --json '{\"fault\": {\"after_execution\": \"cut_connection\"}}' ${UCLOUD_API_BASE_URL}_local/faults

This saves the current data, as a file for --data:

    curl ${UCLOUD_API_BASE_URL}_local/data > data.json

The documentation of the crate uhub_local has the other control requests and the form of the file:

    cargo doc --package uhub-local --no-deps --open"
)]
struct Arguments {
    /// The IP address and port to listen at. Port 0 is any free port.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Allow an address that other machines can reach. Nothing is encrypted, and anyone who knows a
    /// user's keys can change the data.
    #[arg(long)]
    allow_remote: bool,

    /// Allow clients to reach the server by this name, such as that of its container. May be
    /// repeated.
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,

    /// Start with the users, projects, repositories, images and tags of this JSON file instead of a
    /// small demo.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// Delay every response.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    latency: u64,

    /// Print only the summary, without a line for each request.
    #[arg(long)]
    quiet: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A thread writes the lines, so that the server does not wait for a slow reader. Dropping the
    // guard waits for that thread for about a second.
    let (writer, _guard) = NonBlockingBuilder::default().finish(io::stderr());
    tracing_subscriber::fmt()
        .with_writer(writer)
        .with_max_level(tracing::Level::INFO)
        .log_internal_errors(false)
        .with_ansi(false)
        .with_level(false)
        .with_target(false)
        .without_time()
        .init();
    match serve(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            tracing::error!("{message}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: &Arguments) -> Result<(), String> {
    // Registered first, so that even an early signal stops the server in order.
    let stop = stop_signal().map_err(|error| format!("cannot receive signals: {error}"))?;
    let counts = Arc::new(Counts::default());
    let server =
        builder(arguments, &counts)?.start().await.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                format!("{error}; choose another port with --listen, or 0 for any")
            }
            _ => error.to_string(),
        })?;
    print_exports(&server)?;
    stop.await;
    let stopped = server.stop().await;
    tracing::info!("{counts}");
    stopped.map_err(|error| error.to_string())
}

fn builder(arguments: &Arguments, counts: &Arc<Counts>) -> Result<LocalUhubBuilder, String> {
    if !arguments.listen.ip().is_loopback() && !arguments.allow_remote {
        return Err(format!(
            "--listen {}: other machines could connect; add --allow-remote to allow that",
            arguments.listen
        ));
    }
    let data = match &arguments.data {
        Some(file) => Data::read(file).map_err(|error| error.to_string())?,
        None => Data::demo(),
    };
    let (counts, quiet) = (Arc::clone(counts), arguments.quiet);
    let builder =
        arguments.allow_host.iter().fold(LocalUhub::builder(), LocalUhubBuilder::allow_host);
    Ok(builder
        .data(data)
        .listen(arguments.listen)
        .allow_remote(arguments.allow_remote)
        .latency(Duration::from_millis(arguments.latency))
        .on_request(move |request| {
            counts.add(request);
            if !quiet {
                tracing::info!("{}", line(request));
            }
        }))
}

/// Prints the variables that connect a client, as the first user without a security token: there is
/// no variable for a token.
fn print_exports(server: &LocalUhub) -> Result<(), String> {
    let users = server.data().users;
    let user = users.iter().find(|user| user.security_token.is_none());
    let user = user.ok_or(
        "every user in the data has a security token, which cannot be exported; add a user without one",
    )?;
    let project = user.projects.first().map_or(server.project_id(), String::as_str);
    let mut exports = String::new();
    for (name, value) in [
        ("UCLOUD_API_BASE_URL", server.base_url()),
        ("UCLOUD_PUBLIC_KEY", &user.public_key),
        ("UCLOUD_PRIVATE_KEY", &user.private_key),
        ("UCLOUD_PROJECT_ID", project),
    ] {
        let value = shlex::try_quote(value).map_err(|error| format!("{name}: {error}"))?;
        exports.push_str(&format!("export {name}={value}\n"));
    }
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(exports.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| format!("cannot write to standard output: {error}"))
}

#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
    // The terminal was closed. Under `nohup`, that does not matter.
    if !ignores_hangup() {
        kinds.push(SignalKind::hangup());
    }
    let signals: io::Result<Vec<_>> = kinds.into_iter().map(signal).collect();
    let mut signals = signals?;
    Ok(std::future::poll_fn(move |cx| {
        match signals.iter_mut().any(|signal| signal.poll_recv(cx).is_ready()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }))
}

/// Whether the process was started with SIGHUP ignored, as by `nohup`. Known on Linux only.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP is 1, the lowest bit.
    ignored.is_some_and(|mask| mask & 1 == 1)
}

#[cfg(windows)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
