//! One line for each answer, written by a thread of its own: a worker only adds to a list.
//!
//! A worker adds a record of fixed size and no text: the thread formats the lines and writes all that wait at once. `tracing-appender` takes
//! formatted lines, each an allocation of the worker and a write of its own; `telemetry` says what else it lacks.

use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

/// Lines wait this long for others to be written with them.
const GATHER: Duration = Duration::from_millis(10);
/// The last lines have this long to be written at the end.
const LAST_LINES: Duration = Duration::from_secs(1);
/// More than this many waiting lines, and further ones are counted instead.
const MOST_WAITING: usize = 65_536;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStyle {
    /// For a terminal.
    Text,
    /// A JSON object each.
    Json,
}

/// One answer.
#[derive(Debug, Clone, Copy)]
pub struct LogLine {
    /// When it was given.
    pub at: SystemTime,
    /// The operation's name in the OpenAPI document.
    pub operation: &'static str,
    /// The status code.
    pub status: u16,
    /// How long it took.
    pub micros: u64,
    /// Bytes of its body.
    pub bytes: usize,
}

/// Writes a line for each answer; dropped, it writes what still waits, for a second at most.
#[derive(Debug)]
pub struct RequestLog {
    waiting: Arc<Mutex<Waiting>>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<LogLine>,
    lost: u64,
    over: bool,
}

impl RequestLog {
    /// Starts the writing thread. Lines that cannot be written are counted in `lost`, and nothing else comes of it.
    ///
    /// # Errors
    /// If there can be no further thread.
    pub fn start(
        style: LogStyle,
        mut to: impl Write + Send + 'static,
        all_lost: Arc<AtomicU64>,
    ) -> std::io::Result<Self> {
        let waiting = Arc::new(Mutex::new(Waiting::default()));
        let shared = Arc::clone(&waiting);
        let writer = std::thread::Builder::new().name("request-log".into()).spawn(move || {
            let mut text = Vec::new();
            loop {
                let Waiting { lines, lost, over } = take(&shared);
                if lines.is_empty() && lost == 0 && !over {
                    std::thread::park();
                    std::thread::sleep(GATHER);
                    continue;
                }
                let mut clock = Clock::default();
                for line in &lines {
                    push_line(&mut text, style, line, &mut clock);
                }
                if to.write_all(&text).is_err() {
                    all_lost.fetch_add(lines.len() as u64, Ordering::Relaxed);
                }
                text.clear();
                if lost > 0 {
                    all_lost.fetch_add(lost, Ordering::Relaxed);
                    tracing::warn!(lines = lost, "requests came faster than their log could be written");
                }
                if over {
                    let _ = to.flush();
                    return;
                }
                std::thread::sleep(GATHER);
            }
        })?;
        Ok(Self { waiting, writer: Some(writer) })
    }

    /// Adds a line.
    pub fn push(&self, line: LogLine) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.lines.len() >= MOST_WAITING {
            waiting.lost += 1;
            return;
        }
        waiting.lines.push(line);
        let first = waiting.lines.len() == 1;
        drop(waiting);
        if first {
            self.wake();
        }
    }

    /// Whether the writing thread is there.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.writer.as_ref().is_some_and(|writer| !writer.is_finished())
    }

    fn wake(&self) {
        if let Some(writer) = &self.writer {
            writer.thread().unpark();
        }
    }
}

impl Drop for RequestLog {
    fn drop(&mut self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).over = true;
        self.wake();
        // Whoever reads the log may be asleep: the end does not wait for them.
        let end = Instant::now() + LAST_LINES;
        while self.runs() && Instant::now() < end {
            std::thread::sleep(GATHER);
        }
    }
}

fn take(waiting: &Mutex<Waiting>) -> Waiting {
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let room = waiting.lines.capacity().min(MOST_WAITING);
    let over = waiting.over;
    let lines = std::mem::replace(&mut waiting.lines, Vec::with_capacity(room));
    Waiting { lines, lost: std::mem::take(&mut waiting.lost), over }
}

/// The text of the last second, so that it is written out once.
#[derive(Debug, Default)]
struct Clock {
    second: u64,
    text: String,
}

impl Clock {
    /// `2031-05-07T08:09:10` of a time, and its microseconds.
    fn read(&mut self, at: SystemTime) -> (&str, u32) {
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        if self.text.is_empty() || self.second != since.as_secs() {
            self.second = since.as_secs();
            let micros = i64::try_from(since.as_secs()).unwrap_or(0).saturating_mul(1_000_000);
            let text = crate::model::time::format_instant(micros);
            text.trim_end_matches('Z').clone_into(&mut self.text);
        }
        (&self.text, since.subsec_micros())
    }
}

fn push_line(out: &mut Vec<u8>, style: LogStyle, line: &LogLine, clock: &mut Clock) {
    let LogLine { operation, status, micros, bytes, .. } = *line;
    let mut digits = itoa::Buffer::new();
    let (second, fraction) = clock.read(line.at);
    let [start, level, status_word, micros_word, bytes_word, end] = match style {
        LogStyle::Text => ["", "Z  INFO request: operation=", " status=", " duration_us=", " bytes=", "\n"],
        LogStyle::Json => [
            "{\"timestamp\":\"",
            "Z\",\"level\":\"INFO\",\"fields\":{\"message\":\"answered\",\"operation\":\"",
            "\",\"status\":",
            ",\"duration_us\":",
            ",\"bytes\":",
            "},\"target\":\"request\"}\n",
        ],
    };
    out.extend_from_slice(start.as_bytes());
    out.extend_from_slice(second.as_bytes());
    out.push(b'.');
    // Six digits, zeros in front kept.
    out.extend_from_slice(&digits.format(1_000_000 + fraction).as_bytes()[1..]);
    out.extend_from_slice(level.as_bytes());
    out.extend_from_slice(operation.as_bytes());
    for (word, number) in
        [(status_word, u64::from(status)), (micros_word, micros), (bytes_word, bytes as u64)]
    {
        out.extend_from_slice(word.as_bytes());
        out.extend_from_slice(digits.format(number).as_bytes());
    }
    out.extend_from_slice(end.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_by_the_end_and_is_json() {
        let sink = Sink::default();
        let log = RequestLog::start(LogStyle::Json, sink.clone(), Arc::default()).unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_micros(1_936_080_550_000_042);
        for micros in 0..500 {
            log.push(LogLine { at, operation: "getTile", status: 200, micros, bytes: 7 });
        }
        drop(log);
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 500);
        assert_eq!(lines[0]["timestamp"], "2031-05-09T08:09:10.000042Z");
        assert!(lines.iter().zip(0..).all(|(line, micros)| line["fields"]["duration_us"] == micros));
    }

    /// A pipe whose reader is gone, and one whose reader sleeps.
    enum Bad {
        Gone,
        Asleep,
    }

    impl Write for Bad {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            match self {
                Self::Gone => Err(std::io::ErrorKind::BrokenPipe.into()),
                Self::Asleep => loop {
                    std::thread::sleep(Duration::from_secs(60));
                },
            }
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_cannot_be_written_loses_lines_and_holds_up_nothing() {
        for bad in [Bad::Gone, Bad::Asleep] {
            let (lost, start) = (Arc::<AtomicU64>::default(), Instant::now());
            let log = RequestLog::start(LogStyle::Json, bad, Arc::clone(&lost)).unwrap();
            let line = LogLine {
                at: SystemTime::UNIX_EPOCH,
                operation: "getTile",
                status: 200,
                micros: 1,
                bytes: 7,
            };
            for _ in 0..MOST_WAITING + 100_000 {
                log.push(line);
            }
            assert!(log.runs());
            let waiting = log.waiting.lock().unwrap().lines.len();
            assert!(waiting <= MOST_WAITING);
            drop(log);
            assert!(start.elapsed() < Duration::from_secs(10));
        }
    }
}
