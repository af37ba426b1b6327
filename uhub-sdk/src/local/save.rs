//! Keeping what the server holds in a file: whole, or as it was before.

use std::fs::{self, File, OpenOptions};
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
/// more, if something has changed. Says how the last time went.
pub(super) async fn keep_saving(
    shared: Arc<Shared>,
    path: PathBuf,
    mut ended: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut changes = shared.changes.subscribe();
    let mut saved = 0;
    let mut pause = PAUSE;
    let mut is_over = false;
    let mut last = Ok(());
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
        last = save(&shared, &path).await;
        match &last {
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
    last
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
    replace(&target, data)
        .and_then(|()| sync_folder(&target))
        .map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot save to {}: {error}", path.display()),
            )
        })
}

fn replace(target: &Path, data: &Data) -> io::Result<()> {
    // A device or a socket would be gone.
    if fs::metadata(target).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is there, and is no file",
        ));
    }
    let (path, file) = temporary(target)?;
    let written = fill(file, data).and_then(|()| fs::rename(&path, target));
    if written.is_err() {
        // It may be gone already.
        let _ = fs::remove_file(&path);
    }
    written
}

/// What comes before and after the numbers in the name of a file that is to take the target's place.
fn around_numbers(target: &Path) -> (String, &'static str) {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    (format!(".{name}."), ".tmp")
}

/// A new file beside the target. What somebody else has put there is left as it is, and no link is
/// followed.
fn temporary(target: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let (before, after) = around_numbers(target);
    let process = std::process::id();
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = target.with_file_name(format!("{before}{process}-{number}{after}"));
        match options.open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Removes what a server left beside its file that was ended while it was writing: keys are in it.
pub(super) fn remove_leftovers(path: &Path) {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (before, after) = around_numbers(&target);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_leftover = |name: &str| {
        let numbers = name.strip_prefix(&before)?.strip_suffix(after)?;
        let (process, number) = numbers.split_once('-')?;
        (is_number(process) && is_number(number)).then_some(())
    };
    // What goes wrong here, writing the file says.
    for entry in fs::read_dir(folder(&target))
        .into_iter()
        .flatten()
        .flatten()
    {
        if entry.file_name().to_str().and_then(is_leftover).is_some() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn fill(file: File, data: &Data) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    serde_json::to_writer_pretty(&mut file, data)?;
    file.write_all(b"\n")?;
    file.into_inner()?.sync_all()
}

fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

/// Only then is the new name on the disk.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
