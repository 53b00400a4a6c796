//! The one thread that writes: whatever waits is committed together, so that one flush serves many.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::ErrorCode;

use crate::store::StoreError;

/// How long the first piece of work of a commit waits for company, at most.
const GROUP_WINDOW: Duration = Duration::from_millis(2);
/// The most pieces of work in one commit.
const GROUP_LIMIT: usize = 256;

type Answer = Result<Box<dyn Any + Send>, StoreError>;

struct Job {
    work: Box<dyn FnOnce(&Connection) -> Answer + Send>,
    reply: mpsc::SyncSender<Answer>,
}

/// The writer thread; dropping it finishes waiting work and joins.
#[derive(Debug)]
pub(in crate::store) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// A way to hand work to the writer.
#[derive(Debug, Clone)]
pub(in crate::store) struct Sender(mpsc::Sender<Job>);

impl Writer {
    /// Starts the thread on its own connection.
    pub(in crate::store) fn start(connection: Connection) -> Self {
        let (jobs, waiting) = mpsc::channel();
        let thread = std::thread::spawn(move || serve(&connection, &waiting));
        Self { jobs: Some(jobs), thread: Some(thread) }
    }

    /// A sender; it answers [`StoreError::WriterGone`] once the writer has stopped.
    pub(in crate::store) fn sender(&self) -> Sender {
        // `jobs` is taken in `drop` only.
        let (stopped, _) = mpsc::channel();
        Sender(self.jobs.clone().unwrap_or(stopped))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Sender {
    /// Runs the work and waits for its commit.
    pub(in crate::store) fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = mpsc::sync_channel(1);
        let work = Box::new(move |connection: &Connection| -> Answer { Ok(Box::new(work(connection)?)) });
        // Both channels close only when the thread is gone.
        self.0.send(Job { work, reply }).map_err(|mpsc::SendError(_)| StoreError::WriterGone)?;
        let value = answer.recv().map_err(|mpsc::RecvError| StoreError::WriterGone)??;
        value.downcast().map(|value| *value).or(Err(StoreError::WriterGone))
    }
}

fn serve(connection: &Connection, waiting: &mpsc::Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        let deadline = Instant::now() + GROUP_WINDOW;
        while group.len() < GROUP_LIMIT {
            match waiting.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(job) => group.push(job),
                Err(mpsc::RecvTimeoutError::Timeout | mpsc::RecvTimeoutError::Disconnected) => break,
            }
        }
        commit_group(connection, group);
    }
}

fn commit_group(connection: &Connection, group: Vec<Job>) {
    let mut answers = Vec::with_capacity(group.len());
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    for job in group {
        let answer = match &begun {
            Ok(()) => run_one(connection, job.work),
            Err(error) => Err(refused(connection, error)),
        };
        answers.push((job.reply, answer));
    }
    let committed = begun.and_then(|()| connection.execute_batch("COMMIT"));
    if committed.is_err() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    for (reply, answer) in answers {
        let answer = match &committed {
            Ok(()) => answer,
            Err(error) => answer.and_then(|_| Err(refused(connection, error))),
        };
        // The caller may have given up waiting; the commit stands either way.
        let _ = reply.send(answer);
    }
}

/// Why a transaction was refused, in words.
fn refused(connection: &Connection, error: &rusqlite::Error) -> StoreError {
    match (error.sqlite_error_code(), connection.path()) {
        (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), Some(path)) => {
            StoreError::Busy(path.into())
        }
        _ => StoreError::Abandoned(error.to_string()),
    }
}

fn run_one(connection: &Connection, work: Box<dyn FnOnce(&Connection) -> Answer + Send>) -> Answer {
    connection.execute_batch("SAVEPOINT piece")?;
    let answer = catch_unwind(AssertUnwindSafe(|| work(connection))).unwrap_or_else(|_| {
        Err(StoreError::Abandoned("a write failed inside the program: see the log".to_owned()))
    });
    match &answer {
        Ok(_) => connection.execute_batch("RELEASE piece")?,
        Err(_) => connection.execute_batch("ROLLBACK TO piece; RELEASE piece")?,
    }
    answer
}
