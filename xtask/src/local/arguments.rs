//! The arguments of `cargo xtask local`.

use std::{net::SocketAddr, path::PathBuf};

/// Run a UHub on this machine, to point any client at.
///
/// As soon as it listens it prints what connects a client of the platform to it, as lines
/// `export NAME=value` to paste into a shell. Each request is a line on standard error. Ctrl-C, SIGTERM
/// or the end of the terminal stops it, with a summary.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
While it runs, it can be told what to do. This loses the answer to the next request:

    curl --json '{\"play\": {\"after_execution\": \"cut_connection\"}}' ${UCLOUD_API_BASE_URL}_local/faults

and this shows what it holds, as a file for --data:

    curl ${UCLOUD_API_BASE_URL}_local/state

What else there is, and the form of that file, is in the documentation of uhub_sdk::local and of Data in it:

    cargo doc --package uhub-sdk --features local --no-deps --open")]
pub(crate) struct Arguments {
    /// Where to listen. Port 0 is any free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0", value_parser = address)]
    pub(crate) listen: SocketAddr,

    /// Let other machines connect, where --listen opens the way. Nothing is encrypted, and whoever knows a
    /// key can change everything.
    #[arg(long)]
    pub(crate) allow_remote: bool,

    /// Start with the keys, projects, repositories, images and tags of this JSON file. Without one there is
    /// a small set to try things on.
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Option<PathBuf>,

    /// Keep what there is in this file, after each change. Where the file is there already, and not empty,
    /// start with it and not with --data.
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,

    /// Answer everything this much later.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    pub(crate) latency: u64,

    /// Write no lines for requests: the summary alone.
    #[arg(long)]
    pub(crate) quiet: bool,
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "an IP address and a port are needed, as in 127.0.0.1:8080")
}
