//! Copying SQLite's write-ahead log back into the database in small pieces, while the other connection writes.
//!
//! The connection that writes only appends to the log (`wal_autocheckpoint = 0`), so no commit ever waits for a large copy. A
//! connection of its own runs `wal_checkpoint(passive)`, which blocks no other, often enough that each piece is bounded, and seldom
//! enough that a page which many commits have changed is copied once: with a million tickets each copy is a wait for the disk at many
//! places, and commits wait for the same disk.
//! That alone would let the log grow for ever while there is always something being written: it begins again from its front
//! only when all of it was copied and no connection reads from it. So once the log is long and almost all of it is copied, writing
//! stops for one `wal_checkpoint(restart)`, which copies the little that came in meanwhile. When nothing more is written, the
//! log is cut to nothing (`truncate`), and after a peak to `journal_size_limit`.
//!
//! See <https://sqlite.org/wal.html#avoiding_excessively_large_wal_files> and
//! <https://sqlite.org/pragma.html#pragma_wal_checkpoint>.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection as _, Row as _, SqliteConnection};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;

use super::pool::Pool;
use crate::store::Error;

/// How long commits gather for a piece. Two busy cores write some 50 MB of log in that time.
const GATHER: Duration = Duration::from_secs(1);
/// So many commits are a piece before that time is over, in case each of them writes much.
const PIECE_COMMITS: usize = 64;
/// After how long without a commit the log is cut to nothing.
const QUIET: Duration = Duration::from_secs(1);
/// Pages in the log from which on it is to begin again: 64 MB. Writing stops for that moment, so it is seldom.
const LONG_PAGES: i64 = 8_192;
/// Pages in the log from which on writing waits however much is left to be copied, since the disk cannot keep up: 192 MB.
const TOO_LONG_PAGES: i64 = 24_576;
/// Pages that may be left to be copied while writing stops: 2 MB, some milliseconds.
const LEFT_PAGES_MAX: i64 = 256;
/// How often a piece is copied in a row so that little is left; each is smaller than the one before, since copying is quicker
/// than writing.
const PIECES_MAX: u32 = 4;
/// How long writing waits at most for those who still read from the log, each time.
const READERS_WAIT_MS: u32 = 10;

/// Copies the log of one database back. Clones share its task, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    grew: mpsc::Sender<()>,
    stop: watch::Sender<bool>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Checkpoints {
    /// Starts the task; whoever holds a connection of `write` keeps others from writing.
    ///
    /// # Errors
    ///
    /// Where the connection cannot be used.
    pub async fn start(mut connection: SqliteConnection, write: Pool) -> Result<Checkpoints, Error> {
        let wait = sqlx::AssertSqlSafe(format!("pragma busy_timeout = {READERS_WAIT_MS}"));
        sqlx::raw_sql(wait).execute(&mut connection).await?;
        // A first read, with which SQLite opens the log.
        sqlx::raw_sql("select count(*) from sqlite_master").execute(&mut connection).await?;
        let (grew, growing) = mpsc::channel(PIECE_COMMITS);
        let (stop, stopped) = watch::channel(false);
        let copier = Copier { connection, write };
        let task = tokio::spawn(copier.run(growing, stopped));
        Ok(Checkpoints { grew, stop, task: Arc::new(Mutex::new(Some(task))) })
    }

    /// Says that the log grew.
    pub fn grew(&self) {
        // Where so many words wait already, the task has yet to look.
        let _ = self.grew.try_send(());
    }

    /// Ends the task and waits until its connection is closed.
    pub async fn end(&self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.lock().await.take() {
            // It fails only where the program ends.
            let _ = task.await;
        }
    }
}

/// How the log is copied: each way does what the one before does, and more.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// At the same time as writes and reads, as far as that goes.
    Passive,
    /// All of it, so that the log begins again from its front.
    Restart,
    /// The same, and the file is cut to nothing.
    Truncate,
}

/// The outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Copied {
    /// Somebody was in the way.
    busy: bool,
    /// Pages in the log; -1 where another process copies.
    pages: i64,
    /// Of these, how many are in the database.
    copied: i64,
}

impl Copied {
    fn left(&self) -> i64 {
        self.pages - self.copied
    }
}

/// The connection that copies, and the way to keep others from writing.
struct Copier {
    connection: SqliteConnection,
    write: Pool,
}

impl Copier {
    async fn run(mut self, mut growing: mpsc::Receiver<()>, mut stopped: watch::Receiver<bool>) {
        // Another run of the program may have left a log behind.
        let mut left = true;
        loop {
            tokio::select! {
                () = told(&mut stopped) => break,
                grew = growing.recv() => {
                    if grew.is_none() {
                        break;
                    }
                    left = true;
                    tokio::select! {
                        () = told(&mut stopped) => break,
                        () = pause(GATHER) => {}
                        () = many(&mut growing) => {}
                    }
                    // Those that are here are in this piece; later ones wait for the next.
                    while growing.try_recv().is_ok() {}
                    let copied = self.piece().await;
                    logged(copied.map(|()| true));
                }
                () = pause(QUIET), if left => {
                    let given = self.give_back().await;
                    left = !logged(given);
                }
            }
        }
        // The program goes on without it, or ends.
        let _ = self.connection.close().await;
    }

    /// Copies what has come in, and lets the log begin again where it is long.
    async fn piece(&mut self) -> Result<(), sqlx::Error> {
        let mut done = self.copy(Way::Passive).await?;
        let mut stuck = false;
        for _ in 1..PIECES_MAX {
            if done.pages < LONG_PAGES || done.left() <= LEFT_PAGES_MAX || stuck {
                break;
            }
            let before = std::mem::replace(&mut done, self.copy(Way::Passive).await?);
            // Somebody reads from the log for long: nothing behind that place can be copied now.
            stuck = before.copied == done.copied;
        }
        let little_left = done.left() <= LEFT_PAGES_MAX;
        if done.pages >= LONG_PAGES && (little_left || (done.pages >= TOO_LONG_PAGES && !stuck)) {
            let _nobody_writes = self.write.take().await?;
            self.copy(Way::Restart).await?;
        }
        Ok(())
    }

    /// Gives the log's room back to the disk; whether that was done.
    async fn give_back(&mut self) -> Result<bool, sqlx::Error> {
        let _nobody_writes = self.write.take().await?;
        Ok(!self.copy(Way::Truncate).await?.busy)
    }

    async fn copy(&mut self, way: Way) -> Result<Copied, sqlx::Error> {
        let sql = match way {
            Way::Passive => "pragma wal_checkpoint(passive)",
            Way::Restart => "pragma wal_checkpoint(restart)",
            Way::Truncate => "pragma wal_checkpoint(truncate)",
        };
        let row = sqlx::query(sql).fetch_one(&mut self.connection).await?;
        Ok(Copied { busy: row.try_get::<i64, _>(0)? != 0, pages: row.try_get(1)?, copied: row.try_get(2)? })
    }
}

/// Whether it was done; what went wrong is logged, and tried again when there is more.
fn logged(done: Result<bool, sqlx::Error>) -> bool {
    match done {
        Ok(done) => done,
        Err(sqlx::Error::PoolClosed) => true,
        Err(error) => {
            tracing::warn!(%error, "the write-ahead log was not copied back: tried again soon");
            false
        }
    }
}

/// Waits for so many commits that they are a piece, or until no more can come.
async fn many(growing: &mut mpsc::Receiver<()>) {
    for _ in 1..PIECE_COMMITS {
        if growing.recv().await.is_none() {
            return;
        }
    }
}

/// Waits until the task is to stop.
async fn told(stopped: &mut watch::Receiver<bool>) {
    // It stops as well where all senders are gone.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

#[expect(clippy::disallowed_methods, reason = "there is nothing to wait for but time")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
