//! Logs on standard error: as text on a terminal, else as JSON lines.
//!
//! Other threads only append lines to a buffer, and one thread writes them. If standard error cannot be written or its
//! reader does not read, lines are lost and counted, and no other thread waits.
//!
//! `tracing-appender` (0.2.5) does not fit: its queue is bounded by lines and not by bytes, it does not count the lines that
//! the file system refuses, it does not say whether its thread still runs (`/readyz` does), it writes the last lines only
//! when its guard is dropped, and it writes its own faults to standard output and error, which may block.

use std::fs::File;
use std::io::IsTerminal;
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// The most bytes that wait to be written; further lines are lost.
const MOST_WAITING: usize = 16 << 20;
/// The longest time that [`Log::finish`] waits.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The log: lines that wait to be written to standard error.
#[derive(Debug, Clone)]
pub struct Log(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    lines: Mutex<Lines>,
    /// Signals that there is something to write.
    more: Condvar,
    /// Signals that everything is written, or that the writing thread has ended.
    done: Condvar,
    lost: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Lines {
    waiting: Vec<u8>,
    is_writing: bool,
    has_ended: bool,
}

/// Starts logging at a level: `error`, `warn`, `info`, `debug`, `trace`, or `tracing` directives. Panics of threads are
/// logged too.
///
/// # Errors
/// If the level is not one of these, or if the writing thread cannot be started.
pub fn start(level: &str) -> anyhow::Result<Log> {
    // The server library logs its start and stop at `info`; we log them ourselves.
    let filter = EnvFilter::try_new(format!("actix_server=warn,{level}")).map_err(|error| {
        anyhow::anyhow!("log level {level:?}: {error}; use error, warn, info, debug or trace")
    })?;
    let error = std::io::stderr();
    let is_terminal = error.is_terminal();
    // A second handle, so that a write that waits for a reader does not hold the lock of standard error.
    let log = match error.as_fd().try_clone_to_owned() {
        Ok(handle) => Log::to(File::from(handle))?,
        // Standard error is closed.
        Err(_) => Log::to(std::io::sink())?,
    };
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).log_internal_errors(false).with_writer(log.clone());
    // Tests start logging several times in one process; only the first start counts.
    let _ = if is_terminal { builder.try_init() } else { builder.json().try_init() };
    // The message of a panic must not wait for a reader either.
    std::panic::set_hook(Box::new(|panic| {
        let trace = std::backtrace::Backtrace::capture();
        if trace.status() == std::backtrace::BacktraceStatus::Captured {
            tracing::error!(%trace, "a thread panicked: {panic}");
        } else {
            tracing::error!("a thread panicked: {panic}");
        }
    }));
    Ok(log)
}

impl Log {
    /// A log with a thread that writes its lines to `to`.
    fn to(mut to: impl Write + Send + 'static) -> std::io::Result<Self> {
        let log = Self(Arc::default());
        let shared = Arc::clone(&log.0);
        std::thread::Builder::new().name("log".into()).spawn(move || {
            let _end = End(Arc::clone(&shared));
            let mut lost_before = 0;
            loop {
                let mut text = shared.next();
                let lost = shared.lost.load(Ordering::Relaxed);
                if lost > lost_before {
                    text.extend_from_slice(
                        format!("{} log lines were lost\n", lost - lost_before).as_bytes(),
                    );
                }
                if to.write_all(&text).is_err() {
                    shared.lost.fetch_add(count(&text), Ordering::Relaxed);
                } else {
                    lost_before = lost;
                }
            }
        })?;
        Ok(log)
    }

    /// The number of lines that were lost.
    #[must_use]
    pub fn lost(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.0.lost)
    }

    /// Whether the writing thread is running.
    #[must_use]
    pub fn runs(&self) -> bool {
        !self.0.lock().has_ended
    }

    /// Adds a line of plain text.
    pub fn say(&self, line: &str) {
        self.0.push(format!("{line}\n").as_bytes());
    }

    /// Waits until everything is written, but at most one second: the reader may have stopped.
    pub fn finish(&self) {
        let lines = self.0.lock();
        let wait = |lines: &mut Lines| !lines.has_ended && (lines.is_writing || !lines.waiting.is_empty());
        drop(self.0.done.wait_timeout_while(lines, LAST_LINES, wait));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, text: &[u8]) {
        let mut lines = self.lock();
        if lines.has_ended || lines.waiting.len() + text.len() > MOST_WAITING {
            drop(lines);
            self.lost.fetch_add(count(text), Ordering::Relaxed);
            return;
        }
        lines.waiting.extend_from_slice(text);
        drop(lines);
        self.more.notify_one();
    }

    /// Waits for lines and returns them.
    fn next(&self) -> Vec<u8> {
        let mut lines = self.lock();
        lines.is_writing = false;
        if lines.waiting.is_empty() {
            self.done.notify_all();
        }
        let mut lines = self
            .more
            .wait_while(lines, |lines| lines.waiting.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        lines.is_writing = true;
        std::mem::take(&mut lines.waiting)
    }
}

/// Dropped when the writing thread ends, also by a panic.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.lock().has_ended = true;
        self.0.done.notify_all();
    }
}

fn count(text: &[u8]) -> u64 {
    text.split(|byte| *byte == b'\n').count().saturating_sub(1) as u64
}

impl Write for Log {
    /// Appends lines to the buffer. It never fails and never waits for the writing thread.
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.push(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

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

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// A reader that does not read: a write never returns.
    struct Asleep;

    impl Write for Asleep {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            loop {
                std::thread::sleep(Duration::from_secs(60));
            }
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_in_order_by_the_end() {
        let sink = Sink::default();
        let log = Log::to(sink.clone()).unwrap();
        let expected: String = (0..1_000).map(|number| format!("line {number}\n")).collect();
        (0..1_000).for_each(|number| log.say(&format!("line {number}")));
        log.finish();
        assert_eq!(String::from_utf8(sink.0.lock().unwrap().clone()).unwrap(), expected);
        assert_eq!(log.lost().load(Ordering::Relaxed), 0);
    }

    #[test]
    fn lines_that_cannot_be_written_are_lost_and_counted_and_no_thread_waits() {
        let full = Log::to(Full).unwrap();
        full.say("one");
        full.finish();
        full.say("two");
        full.finish();
        assert!(full.runs() && full.lost().load(Ordering::Relaxed) >= 2);
        let asleep = Log::to(Asleep).unwrap();
        let (start, line) = (Instant::now(), "x".repeat(1_000));
        for _ in 0..40_000 {
            asleep.say(&line);
        }
        assert!(asleep.0.lock().waiting.len() <= MOST_WAITING);
        assert!(asleep.lost().load(Ordering::Relaxed) > 10_000);
        asleep.finish();
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }
}
