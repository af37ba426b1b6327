//! Keeping what the server holds in a file: whole, or as it was before.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::data::Data;
use super::server::stopped;
use super::state::Shared;

/// How long to wait for more changes before they are written.
const PAUSE: Duration = Duration::from_millis(100);

/// How long to wait before what failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Writes after every change, some of them at a time, until the server has ended; and then once
/// more, if something has changed.
pub(super) async fn keep_saving(
    shared: Arc<Shared>,
    path: PathBuf,
    mut ended: watch::Receiver<bool>,
) {
    let mut changes = shared.changes.subscribe();
    let mut saved = 0;
    let mut pause = PAUSE;
    let mut is_over = false;
    while !is_over {
        if *changes.borrow_and_update() == saved {
            tokio::select! {
                _ = changes.changed() => {}
                () = stopped(&mut ended) => is_over = true,
            }
        }
        if !is_over {
            tokio::select! {
                () = sleep(pause) => {}
                () = stopped(&mut ended) => is_over = true,
            }
        }
        let now = *changes.borrow_and_update();
        if now == saved {
            continue;
        }
        let began = Instant::now();
        match save(&shared, &path).await {
            Ok(()) => {
                saved = now;
                // Where there is much to write, most of the time goes to something else.
                pause = PAUSE.max(began.elapsed() * 4);
            }
            Err(error) => {
                tracing::error!(%error, "the local UHub cannot save what it holds");
                pause = RETRY;
            }
        }
    }
}

/// Writes what the server holds now.
pub(super) async fn save(shared: &Shared, path: &Path) -> io::Result<()> {
    let data = shared.state().store.data();
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || write(&path, &data))
        .await
        .map_err(io::Error::other)?
}

/// Writes data to a file, by way of another that takes its place.
pub(super) fn write(path: &Path, data: &Data) -> io::Result<()> {
    // Of a link, what it points to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let temporary = temporary(&target);
    let written = fill(&temporary, data).and_then(|()| fs::rename(&temporary, &target));
    if written.is_err() {
        // It may not be there at all.
        let _ = fs::remove_file(&temporary);
    }
    written
        .and_then(|()| sync_folder(&target))
        .map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot save to {}: {error}", path.display()),
            )
        })
}

/// A file beside the target, of a name that nobody else has.
fn temporary(target: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{}-{number}.tmp", std::process::id()))
}

fn fill(path: &Path, data: &Data) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = BufWriter::new(options.open(path)?);
    serde_json::to_writer_pretty(&mut file, data)?;
    file.write_all(b"\n")?;
    file.into_inner()?.sync_all()
}

/// Only then is the new name on the disk.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
