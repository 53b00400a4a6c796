//! Progress on standard error: a bar on a terminal, elsewhere a line now and then. Ctrl-C cancels the operation.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc;
use std::time::Duration;
use std::time::Instant;

use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use crate::cli::say_error;
use crate::ops::Cancel;
use crate::ops::Event;
use crate::ops::Progress;

/// The first line is written when an operation has lasted so long: short ones say nothing.
const FIRST_LINE: Duration = Duration::from_secs(2);
/// Further lines follow one another at this distance.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// Runs an operation whose progress is shown, and which Ctrl-C cancels.
pub fn with_progress<T>(work: impl FnOnce(&Progress) -> T) -> T {
    let cancel = Cancel::default();
    cancel_on_interrupt(cancel.clone());
    if std::io::stderr().is_terminal() {
        let bar = ProgressBar::new_spinner();
        let shown = bar.clone();
        let result = work(&Progress::new(move |event| show(&shown, event), cancel));
        bar.finish_and_clear();
        result
    } else {
        let lines = Mutex::new(Lines::new(Instant::now()));
        let events = move |event: &Event| {
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(line) = lines.of(event, Instant::now()) {
                say_error(&line);
            }
        };
        work(&Progress::new(events, cancel))
    }
}

/// The first Ctrl-C cancels, a second one ends the process. It is listened for when this returns; where signals cannot be
/// waited for, the first one ends the process.
fn cancel_on_interrupt(cancel: Cancel) {
    let (listens, wait_for_it) = mpsc::channel();
    let wait = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let Ok(mut interrupts) = signal(SignalKind::interrupt()) else { return };
            // The caller may have gone on already: then it has waited for nothing.
            let _ = listens.send(());
            interrupts.recv().await;
            cancel.cancel();
            say_error("stopping, and taking back what was done; Ctrl-C again ends at once");
            interrupts.recv().await;
            std::process::exit(130);
        });
    };
    if std::thread::Builder::new().name("interrupt".into()).spawn(wait).is_ok() {
        // An error means that the thread has ended: Ctrl-C then ends the process, as it does by itself.
        let _ = wait_for_it.recv();
    }
}

fn show(bar: &ProgressBar, event: &Event) {
    let template = match event.total {
        Some(total) => {
            bar.set_length(total);
            "{msg} {bar:40} {percent:>3} %  {elapsed}"
        }
        None => "{msg} {spinner} {pos}  {elapsed}",
    };
    if bar.message() != event.message {
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(event.message.clone());
    }
    bar.set_position(event.done);
}

/// Which events become lines.
struct Lines {
    next: Instant,
}

impl Lines {
    fn new(start: Instant) -> Self {
        Self { next: start + FIRST_LINE }
    }

    fn of(&mut self, event: &Event, now: Instant) -> Option<String> {
        if now < self.next {
            return None;
        }
        self.next = now + BETWEEN_LINES;
        let Event { done, total, message, .. } = event;
        Some(match total {
            Some(total) if *total > 0 => format!("{message}: {} %", done * 100 / total),
            _ => format!("{message}: {done}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_operation_writes_no_line_and_a_long_one_few() {
        let start = Instant::now();
        let mut lines = Lines::new(start);
        let event = |done, total| Event { step: "take", done, total, message: "taking rows".into() };
        let mut written = Vec::new();
        for second in 0..30 {
            let now = start + Duration::from_secs(second);
            written.extend(lines.of(&event(second, Some(40)), now));
        }
        assert_eq!(written, ["taking rows: 5 %", "taking rows: 30 %", "taking rows: 55 %"]);
        let late = start + Duration::from_secs(60);
        assert_eq!(lines.of(&event(7, None), late).unwrap(), "taking rows: 7");
    }
}
