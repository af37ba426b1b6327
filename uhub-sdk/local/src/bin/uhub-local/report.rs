//! What the program reports of requests: a line each, and a summary.

use std::fmt::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{collections::BTreeMap, time::Instant};

use uhub_local::ReceivedRequest;

/// The limit on rows of the summary: clients can invent any number of actions.
const MAX_ROWS: usize = 100;

/// Counts requests by action and outcome.
pub(crate) struct Counts {
    started: Instant,
    rows: Mutex<BTreeMap<(String, String), u64>>,
}

impl Default for Counts {
    fn default() -> Self {
        Self { started: Instant::now(), rows: Mutex::default() }
    }
}

impl Counts {
    pub(crate) fn add(&self, request: &ReceivedRequest) {
        let mut rows = self.rows();
        let mut key = (action(request), outcome(request));
        if rows.len() >= MAX_ROWS && !rows.contains_key(&key) {
            key.0 = "(others)".to_owned();
        }
        *rows.entry(key).or_default() += 1;
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<(String, String), u64>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        let requests: u64 = rows.values().sum();
        let plural = if requests == 1 { "" } else { "s" };
        let seconds = self.started.elapsed().as_secs_f64();
        write!(f, "{requests} request{plural} in {seconds:.0} s")?;
        let widths = rows.keys().map(|(action, _)| action.chars().count());
        let width = widths.max().unwrap_or(0);
        for ((action, outcome), count) in &*rows {
            write!(f, "\n{count:>8}  {action:<width$}  {outcome}")?;
        }
        Ok(())
    }
}

/// A request as one line, without parameters other than the action.
pub(crate) fn line(request: &ReceivedRequest) -> String {
    let mut line =
        format!("{} {}: {}", printable(&request.method), action(request), outcome(request));
    if let Some(elapsed) = request.elapsed {
        let _ = write!(line, ", {:.1} ms", elapsed.as_secs_f64() * 1000.0);
    }
    if request.earlier_equal > 0 {
        let _ = write!(line, ", equal to {} earlier", request.earlier_equal);
    }
    if let Some(meaning) = request.meaning() {
        let _ = write!(line, ": {meaning}");
    }
    line
}

fn action(request: &ReceivedRequest) -> String {
    let action = request.action.as_deref();
    action.map_or_else(|| "(no action)".to_owned(), printable)
}

/// The return code, the HTTP status unless it is the usual 200, and the fault.
fn outcome(request: &ReceivedRequest) -> String {
    let ret_code = request.ret_code.map(|code| format!("RetCode {code}"));
    let status = match request.status {
        None => Some("no response".to_owned()),
        Some(200) => None,
        Some(status) => Some(format!("HTTP {status}")),
    };
    let fault = request.fault.as_ref().map(|fault| {
        let fault = serde_json::to_string(fault).unwrap_or_default();
        format!("fault {}", printable(&fault))
    });
    let parts: Vec<String> = [ret_code, status, fault].into_iter().flatten().collect();
    match parts.is_empty() {
        true => "HTTP 200".to_owned(),
        false => parts.join(", "),
    }
}

/// A client's text, truncated and without control characters, which could steer a terminal.
fn printable(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    let mut shown: String =
        text.chars().take(MAX_CHARS).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(MAX_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn request(action: Option<&str>, ret_code: Option<i64>) -> ReceivedRequest {
        let mut request = ReceivedRequest::default();
        request.method = "POST".to_owned();
        request.action = action.map(str::to_owned);
        request.parameters = vec![("PublicKey".to_owned(), "kEy".to_owned())];
        request.ret_code = ret_code;
        request.status = Some(200);
        request.elapsed = Some(Duration::from_micros(1_250));
        request
    }

    #[test]
    fn a_request_is_one_line_without_its_parameters() {
        let mut listed = request(Some("GetRepo"), Some(0));
        assert_eq!(line(&listed), "POST GetRepo: RetCode 0, 1.2 ms");
        listed.earlier_equal = 2;
        listed.status = None;
        listed.fault = Some(uhub_local::Fault::CutConnection.after_execution());
        assert_eq!(
            line(&listed),
            r#"POST GetRepo: RetCode 0, no response, fault {"after_execution":"cut_connection"}, 1.2 ms, equal to 2 earlier"#
        );
        let refused = request(Some("GetRepo"), Some(171));
        assert_eq!(line(&refused), "POST GetRepo: RetCode 171, 1.2 ms: The signature is wrong.");
        let mut odd = request(None, None);
        odd.status = Some(405);
        assert_eq!(line(&odd), "POST (no action): HTTP 405, 1.2 ms");
    }

    #[test]
    fn texts_of_clients_are_escaped_and_limited() {
        let hostile = format!("Get\u{1b}[2J\r\nRepo{}", "x".repeat(1000));
        let shown = line(&request(Some(&hostile), Some(161)));
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        assert!(shown.chars().count() < 120, "{shown}");

        let counts = Counts::default();
        for number in 0..10_000 {
            counts.add(&request(Some(&format!("Action{number}")), Some(161)));
        }
        assert_eq!(counts.rows().len(), MAX_ROWS + 1);
        assert_eq!(counts.rows().values().sum::<u64>(), 10_000);
    }

    #[test]
    fn the_summary_counts_by_action_and_outcome() {
        let counts = Counts::default();
        for (action, ret_code) in
            [("GetRepo", 0), ("CreateRepo", 0), ("GetRepo", 153), ("GetRepo", 0)]
        {
            counts.add(&request(Some(action), Some(ret_code)));
        }
        let expected = "4 requests in 0 s\n\
            \x20      1  CreateRepo  RetCode 0\n\
            \x20      2  GetRepo     RetCode 0\n\
            \x20      1  GetRepo     RetCode 153";
        assert_eq!(counts.to_string(), expected);
        assert_eq!(Counts::default().to_string(), "0 requests in 0 s");
    }
}
