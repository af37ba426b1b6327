//! Runs a target: replays inputs, or mutates the seeds and keeps what is new.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::{Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, path::Path, path::PathBuf, process::ExitCode, thread};

use fastrand::Rng;

use crate::mutate::mutate;
use crate::targets::{Check, Kind, read_folder, shape};

/// The time after which an input counts as one that hangs. Most take less than a millisecond.
const MAX_TIME: Duration = Duration::from_secs(20);

/// The time between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(60);

/// The number of inputs that are kept for mutation.
const MAX_INPUTS: usize = 4000;

/// The number of different failures that end a run.
const MAX_FAILURES: usize = 50;

static IS_CHECKING: AtomicBool = AtomicBool::new(false);

/// When a run ends.
pub(crate) struct Limits {
    pub(crate) time: Duration,
    pub(crate) inputs: Option<u64>,
}

/// Where a run writes.
pub(crate) struct Folders {
    /// Inputs that fail.
    pub(crate) finds: PathBuf,
    /// Inputs with different outcomes.
    pub(crate) corpus: Option<PathBuf>,
}

/// Checks files, and prints the result of each.
pub(crate) fn replay(target: Kind, files: &[PathBuf]) -> ExitCode {
    let mut check = target.start();
    let mut status = ExitCode::SUCCESS;
    for file in files {
        let result = fs::read(file)
            .map_err(|error| error.to_string())
            .and_then(|input| check_without_panic(&mut *check, &input));
        match result {
            Ok(outcome) => println!("{}: no failure: {outcome}", file.display()),
            Err(failure) => {
                println!("{}: {failure}", file.display());
                status = ExitCode::FAILURE;
            }
        }
    }
    status
}

/// Replays the seeds, and then mutates them within the limits.
pub(crate) fn run(target: Kind, limits: &Limits, seed: u64, folders: &Folders) -> ExitCode {
    let mut run = match Run::start(target, &folders.finds) {
        Ok(run) => run,
        Err(error) => {
            eprintln!("cannot write to {}: {error}", folders.finds.display());
            return ExitCode::FAILURE;
        }
    };
    let mut inputs = target.seeds();
    let seeds = inputs.len();
    inputs.extend(folders.corpus.iter().flat_map(|folder| read_folder(folder)));
    for seed in &inputs {
        run.check(seed);
        keep(seed, folders.corpus.as_deref());
    }
    // Enough to go on from; the oldest of a large corpus are replayed and no more.
    inputs.truncate(MAX_INPUTS);
    let dictionary = target.dictionary();
    let mut rng = Rng::with_seed(seed);
    let began = Instant::now();
    let mut progress = began;
    let goes_on = |run: &Run| match limits.inputs {
        Some(inputs) => run.executions < inputs,
        None => began.elapsed() < limits.time,
    };
    while goes_on(&run) && run.failures.len() < MAX_FAILURES {
        let input = mutate(&inputs, &dictionary, &mut rng);
        if run.check(&input) {
            keep(&input, folders.corpus.as_deref());
            if inputs.len() < MAX_INPUTS {
                inputs.push(input);
            } else {
                inputs[rng.usize(seeds..MAX_INPUTS)] = input;
            }
        }
        if progress.elapsed() > PROGRESS {
            progress = Instant::now();
            println!("{}", run.summary(began.elapsed()));
        }
    }
    println!("{}", run.summary(began.elapsed()));
    run.end()
}

/// Writes an input to the corpus, under a name that follows from it.
fn keep(input: &[u8], corpus: Option<&Path>) {
    if let Some(folder) = corpus {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(input);
        // A full disk loses the input and nothing else.
        let _ = fs::create_dir_all(folder)
            .and_then(|()| fs::write(folder.join(format!("{hash:016x}")), input));
    }
}

struct Run {
    target: Kind,
    check: Box<dyn Check>,
    finds: PathBuf,
    /// The running input, for one that ends the process.
    current: fs::File,
    current_path: PathBuf,
    since: Arc<Mutex<Option<Instant>>>,
    executions: u64,
    outcomes: HashSet<String>,
    /// The file of each different failure.
    failures: BTreeMap<String, PathBuf>,
    slowest: Duration,
}

impl Run {
    fn start(target: Kind, finds: &Path) -> std::io::Result<Self> {
        fs::create_dir_all(finds)?;
        let current_path = finds.join(format!("{target}.running"));
        let current = fs::File::create(&current_path)?;
        let since = Arc::new(Mutex::new(None));
        thread::spawn({
            let (since, path) = (Arc::clone(&since), current_path.clone());
            move || watch(target, &since, &path)
        });
        // A panic of a check is reported with its input instead.
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_CHECKING.load(Ordering::Relaxed) {
                report(panic);
            }
        }));
        Ok(Self {
            target,
            check: target.start(),
            finds: finds.to_owned(),
            current,
            current_path,
            since,
            executions: 0,
            outcomes: HashSet::new(),
            failures: BTreeMap::new(),
            slowest: Duration::ZERO,
        })
    }

    /// Returns whether the outcome is new.
    fn check(&mut self, input: &[u8]) -> bool {
        // Fails only if the disk is full; the check goes on without it.
        let _ = self.current.rewind().and_then(|()| self.current.write_all(input));
        let _ = self.current.set_len(input.len() as u64);
        let began = Instant::now();
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Some(began);
        let result = check_without_panic(&mut *self.check, input);
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.slowest = self.slowest.max(began.elapsed());
        self.executions += 1;
        match result {
            Ok(outcome) => self.outcomes.insert(outcome),
            Err(failure) => {
                self.report(input, &failure);
                false
            }
        }
    }

    fn report(&mut self, input: &[u8], failure: &str) {
        // The rest of the lines varies.
        let kind = shape(failure.lines().next().unwrap_or_default());
        if self.failures.contains_key(&kind) {
            return;
        }
        let name = format!("{}.failed-{}", self.target, self.failures.len() + 1);
        let path = self.finds.join(name);
        println!("{}: input {}: {failure}", self.target, self.executions);
        match fs::write(&path, input) {
            Ok(()) => println!("{}", replay_with(self.target, &path)),
            Err(error) => println!("cannot write {}: {error}", path.display()),
        }
        self.failures.insert(kind, path);
        // What a panic left behind must not fail other inputs.
        self.check = self.target.start();
    }

    fn summary(&self, time: Duration) -> String {
        format!(
            "{}: {} inputs in {} s, {} different outcomes, {} failures, the slowest {:.0} ms",
            self.target,
            self.executions,
            time.as_secs(),
            self.outcomes.len(),
            self.failures.len(),
            self.slowest.as_secs_f64() * 1000.0,
        )
    }

    fn end(self) -> ExitCode {
        // It exists, and nothing needs it.
        let _ = fs::remove_file(&self.current_path);
        match self.failures.is_empty() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
    }
}

fn replay_with(target: Kind, path: &Path) -> String {
    format!("replay it with: cargo xtask fuzz {target} --replay {}", path.display())
}

/// Ends the process if an input hangs.
fn watch(target: Kind, since: &Mutex<Option<Instant>>, current: &Path) {
    loop {
        thread::sleep(Duration::from_secs(1));
        let running = *since.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some_and(|began| began.elapsed() > MAX_TIME) {
            println!("{target}: an input takes more than {} s", MAX_TIME.as_secs());
            println!("{}", replay_with(target, current));
            std::process::exit(1);
        }
    }
}

/// A panic is a failure.
fn check_without_panic(check: &mut dyn Check, input: &[u8]) -> Result<String, String> {
    IS_CHECKING.store(true, Ordering::Relaxed);
    let result = catch_unwind(AssertUnwindSafe(|| check.check(input)));
    IS_CHECKING.store(false, Ordering::Relaxed);
    result.unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().cloned();
        let message = message.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        Err(format!("panic: {}", message.unwrap_or_default()))
    })
}
