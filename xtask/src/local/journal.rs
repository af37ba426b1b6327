//! What the server tells of the requests it answers: a line each, and in the end what came how often.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use uhub_sdk::local::ReceivedRequest;

/// How many lines of requests may wait for whoever reads standard error. Beyond them, lines are left out:
/// the server waits for nobody.
const WAITING: usize = 10_000;

/// How many other lines find a place behind them.
const OTHERS: usize = 100;

/// How many kinds of answers are told apart: clients may invent any number of actions.
const KINDS: usize = 100;

/// How long the end waits for the lines of requests, and then for what has to be said after them.
const PATIENCE: Duration = Duration::from_secs(1);

/// Counts requests, and writes lines to standard error from a thread of its own. Nothing else may write
/// there: who does waits with that thread for a reader.
pub(crate) struct Journal {
    started: Instant,
    quiet: bool,
    desk: Arc<Desk>,
}

/// What the thread and those who write share.
#[derive(Default)]
struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    tally: Tally,
    waiting: VecDeque<Line>,
    is_over: bool,
    /// All is written, and the thread has ended.
    is_written: bool,
}

struct Line {
    text: String,
    is_request: bool,
}

#[derive(Default)]
struct Tally {
    requests: u64,
    left_out: u64,
    /// By action and outcome.
    kinds: BTreeMap<(String, String), u64>,
}

impl Journal {
    /// With `quiet`, requests are counted and no lines are written of them.
    pub(crate) fn new(quiet: bool, mut out: impl Write + Send + 'static) -> Self {
        let desk = Arc::new(Desk::default());
        let thread_desk = Arc::clone(&desk);
        thread::spawn(move || {
            while let Some(line) = thread_desk.next() {
                // Closed, or a pipe that nobody reads any more: the server is of use without it.
                let _ = writeln!(out, "{}", line.text);
            }
        });
        Self {
            started: Instant::now(),
            quiet,
            desk,
        }
    }

    /// Writes a line that is not of a request.
    pub(crate) fn say(&self, text: String) {
        self.desk.put(&mut self.desk.state(), text, false);
    }

    /// Takes notice of a request that has been answered.
    pub(crate) fn note(&self, request: &ReceivedRequest) {
        let mut state = self.desk.state();
        state.tally.add(request);
        if !self.quiet {
            self.desk.put(&mut state, line(request), true);
        }
    }

    /// Writes the summary. Lines of requests that nobody has read until then are left out.
    pub(crate) fn sum_up(&self) {
        let mut state = self.desk.wait(|state| !state.waiting.is_empty());
        let waiting = state.waiting.len();
        state.waiting.retain(|line| !line.is_request);
        state.tally.left_out += (waiting - state.waiting.len()) as u64;
        let summary = state.tally.summary(self.started.elapsed());
        self.desk.put(&mut state, summary, false);
    }

    /// Waits until all is written: but not for ever.
    pub(crate) fn finish(&self) {
        self.desk.state().is_over = true;
        self.desk.changed.notify_all();
        drop(self.desk.wait(|state| !state.is_written));
    }
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, state: &mut State, text: String, is_request: bool) {
        let places = WAITING + if is_request { 0 } else { OTHERS };
        if state.waiting.len() < places {
            state.waiting.push_back(Line { text, is_request });
            self.changed.notify_all();
        } else {
            state.tally.left_out += 1;
        }
    }

    /// The next line to write, as soon as there is one, or nothing at the end.
    fn next(&self) -> Option<Line> {
        let mut state = self.state();
        loop {
            if let Some(line) = state.waiting.pop_front() {
                if state.waiting.is_empty() {
                    self.changed.notify_all();
                }
                return Some(line);
            }
            if state.is_over {
                state.is_written = true;
                self.changed.notify_all();
                return None;
            }
            let woken = self.changed.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits while this holds, as long as there is patience.
    fn wait(&self, holds: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        self.changed
            .wait_timeout_while(self.state(), PATIENCE, |state| holds(state))
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

/// What `tracing` reports: each report is one write.
pub(crate) struct Reports(pub(crate) Arc<Journal>);

impl Write for Reports {
    fn write(&mut self, report: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(report);
        self.0.say(text.trim_end().to_owned());
        Ok(report.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Tally {
    fn add(&mut self, request: &ReceivedRequest) {
        self.requests += 1;
        let mut kind = (action(request), outcome(request));
        if self.kinds.len() >= KINDS && !self.kinds.contains_key(&kind) {
            kind.0 = "(others)".to_owned();
        }
        *self.kinds.entry(kind).or_default() += 1;
    }

    fn summary(&self, time: Duration) -> String {
        let plural = if self.requests == 1 { "" } else { "s" };
        let mut text = format!(
            "{} request{plural} in {:.0} s",
            self.requests,
            time.as_secs_f64()
        );
        let width = self.kinds.keys().map(|(action, _)| action.chars().count());
        let width = width.max().unwrap_or(0);
        for ((action, outcome), count) in &self.kinds {
            let _ = write!(text, "\n{count:>8}  {action:<width$}  {outcome}");
        }
        if self.left_out > 0 {
            let _ = write!(
                text,
                "\n{} lines were left out: nobody read them",
                self.left_out
            );
        }
        text
    }
}

/// A request as one line. It holds no parameter but the action.
fn line(request: &ReceivedRequest) -> String {
    let mut line = format!(
        "{} {}: {}",
        plain(&request.method),
        action(request),
        outcome(request)
    );
    if let Some(elapsed) = request.elapsed {
        let _ = write!(line, ", {:.1} ms", elapsed.as_secs_f64() * 1000.0);
    }
    if request.attempt > 1 {
        let _ = write!(line, ", attempt {}", request.attempt);
    }
    line
}

fn action(request: &ReceivedRequest) -> String {
    request
        .action
        .as_deref()
        .map_or_else(|| "(no action)".to_owned(), plain)
}

/// How a request was answered, and by what fault.
fn outcome(request: &ReceivedRequest) -> String {
    let mut parts = Vec::new();
    parts.extend(request.ret_code.map(|code| format!("RetCode {code}")));
    // 200 is what the service always says.
    let odd = request.status.filter(|status| *status != 200);
    parts.extend(odd.map(|status| format!("HTTP {status}")));
    if request.status.is_none() {
        parts.push("no answer".to_owned());
    }
    if let Some(fault) = &request.fault {
        let fault = serde_json::to_string(fault).unwrap_or_default();
        parts.push(format!("fault {}", plain(&fault)));
    }
    if parts.is_empty() {
        parts.push("HTTP 200".to_owned());
    }
    parts.join(", ")
}

/// What a client sent, as it can be shown on a terminal: short, and nothing that steers it.
fn plain(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn request(action: Option<&str>, ret_code: Option<i64>) -> ReceivedRequest {
        let mut request = ReceivedRequest::default();
        request.method = "POST".to_owned();
        request.action = action.map(str::to_owned);
        request.parameters = vec![("PublicKey".to_owned(), "kEy".to_owned())];
        request.ret_code = ret_code;
        request.status = Some(200);
        request.attempt = 1;
        request.elapsed = Some(Duration::from_micros(1_250));
        request
    }

    #[test]
    fn a_request_is_one_line_without_its_parameters() {
        let mut listed = request(Some("GetRepo"), Some(0));
        assert_eq!(line(&listed), "POST GetRepo: RetCode 0, 1.2 ms");
        listed.attempt = 3;
        listed.status = None;
        listed.fault = Some(uhub_sdk::local::Fault::CutConnection.after_execution());
        assert_eq!(
            line(&listed),
            r#"POST GetRepo: RetCode 0, no answer, fault {"after_execution":"cut_connection"}, 1.2 ms, attempt 3"#
        );
        let mut odd = request(None, None);
        odd.status = Some(405);
        assert_eq!(line(&odd), "POST (no action): HTTP 405, 1.2 ms");
    }

    #[test]
    fn what_clients_send_steers_no_terminal_and_fills_no_memory() {
        let hostile = format!("Get\u{1b}[2J\r\nRepo{}", "x".repeat(1000));
        let shown = line(&request(Some(&hostile), Some(161)));
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        assert!(shown.chars().count() < 120, "{shown}");

        let mut tally = Tally::default();
        for number in 0..10_000 {
            tally.add(&request(Some(&format!("Action{number}")), Some(161)));
        }
        assert_eq!(tally.kinds.len(), KINDS + 1);
        assert_eq!(tally.kinds.values().sum::<u64>(), 10_000);
    }

    #[test]
    fn the_summary_counts_by_action_and_outcome() {
        let mut tally = Tally::default();
        for (action, ret_code) in [
            ("GetRepo", 0),
            ("CreateRepo", 0),
            ("GetRepo", 153),
            ("GetRepo", 0),
        ] {
            tally.add(&request(Some(action), Some(ret_code)));
        }
        let expected = "4 requests in 12 s\n\
            \x20      1  CreateRepo  RetCode 0\n\
            \x20      2  GetRepo     RetCode 0\n\
            \x20      1  GetRepo     RetCode 153";
        assert_eq!(tally.summary(Duration::from_secs(12)), expected);
        assert_eq!(
            Tally::default().summary(Duration::ZERO),
            "0 requests in 0 s"
        );
    }

    #[test]
    fn however_much_waits_the_summary_and_what_went_wrong_are_written() {
        let (mut reader, writer) = io::pipe().unwrap();
        let journal = Journal::new(false, writer);
        for _ in 0..2 * WAITING {
            journal.note(&request(Some("GetRepo"), Some(0)));
        }
        journal.say("it cannot save".to_owned());
        let reading = thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        });
        journal.sum_up();
        journal.say("it has not saved".to_owned());
        journal.finish();
        let text = reading.join().unwrap();
        let (lines, summary) = text
            .split_once("it cannot save\n20000 requests in ")
            .unwrap();
        let left_out = 2 * WAITING - lines.lines().count();
        assert!(left_out > 0);
        assert!(
            summary.ends_with(&format!(
                "\n   20000  GetRepo  RetCode 0\n{left_out} lines were left out: nobody read them\nit has not saved\n"
            )),
            "{summary}"
        );
    }

    #[test]
    fn nobody_who_reads_is_waited_for_for_ever() {
        let (_reader, writer) = io::pipe().unwrap();
        let journal = Journal::new(false, writer);
        for _ in 0..WAITING {
            journal.note(&request(Some("GetRepo"), Some(0)));
        }
        journal.sum_up();
        journal.finish();
        let state = journal.desk.state();
        assert!(
            !state.is_written && state.waiting.len() == 1,
            "the summary alone waits"
        );
    }
}
