//! What the desk remembers: the only room with SQL, on SQLite or PostgreSQL.
//!
//! It writes what `desk` decided, each change in one transaction, and decides nothing itself but what only a transaction
//! can know: the next number, and whose turn it is. Reads are in one file per noun.

use std::path::PathBuf;

use tokio::sync::{mpsc, oneshot};

pub mod access;
pub mod chain;
pub(crate) mod columns;
pub mod commit;
pub mod db;
mod dialect;
mod flush;
pub mod jobs;
mod migrate;
pub mod notices;
pub mod people;
pub mod rules;
pub mod tables;
pub mod tickets;

pub use commit::keys::IdempotencyKey;
pub use commit::{Commit, Committed};
pub use rules::decisions::{DecisionRecord, RunRecord};

use commit::writer::Work;
use db::Db;

/// What may wait for the one writer, and for the one reader of recent tickets.
const WAITING_MAX: usize = 1024;

/// What goes wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the ticket has changed since it was read")]
    Conflict,
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error("too many writes are waiting: try again soon")]
    Full,
    #[error("the database cannot be used: {0}")]
    Unavailable(sqlx::Error),
    #[error("the database's disk did not take it ({0}): nothing of it is kept; make room and try again")]
    NoRoom(String),
    #[error("the database's schema cannot be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("{column} of {table} holds `{found}`, which nothing of ours wrote")]
    Corrupt { table: &'static str, column: &'static str, found: String },
    #[error(
        "the archive's {part} of the rule `{rule}` is not what was archived under the digest {digest}: it is not used; put it back from a backup"
    )]
    Damaged { rule: String, part: &'static str, digest: String },
    #[error("the disk did not take what was written ({0}): nothing more is written until the desk is started again")]
    Lost(String),
    #[error("the writer has stopped")]
    Stopped,
}

/// What databases say where the disk is full, or takes nothing for another reason: SQLite's result codes `SQLITE_FULL` and
/// `SQLITE_IOERR_WRITE`, PostgreSQL's `disk_full`.
const NO_ROOM: [&str; 3] = ["13", "778", "53100"];

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        match code {
            Some(code) if NO_ROOM.contains(&&*code) => Error::NoRoom(error.to_string()),
            _ => Error::Unavailable(error),
        }
    }
}

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Target {
    /// A target from a URL: `postgres://...`, `sqlite:FILE`.
    ///
    /// # Errors
    ///
    /// The text itself, where it is neither.
    pub fn parse(url: &str) -> Result<Target, String> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Target::Postgres(url.to_owned()));
        }
        match url.strip_prefix("sqlite:") {
            Some(file) => Ok(Target::Sqlite(PathBuf::from(file.trim_start_matches("//")))),
            None => Err(url.to_owned()),
        }
    }
}

/// An open store. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
    send: mpsc::Sender<Work>,
    recent: mpsc::Sender<tickets::recent::Ask>,
}

impl Store {
    /// Opens a store, brings its schema up to date and starts its writer.
    ///
    /// # Errors
    ///
    /// Where the database cannot be reached, or has a newer schema than this program knows.
    pub async fn open(target: &Target) -> Result<Store, Error> {
        let db = match target {
            Target::Sqlite(file) => Db::open_sqlite(file).await?,
            Target::Postgres(url) => Db::open_postgres(url).await?,
        };
        migrate::up(&db).await?;
        let (send, receive) = mpsc::channel(WAITING_MAX);
        let (recent, asked) = mpsc::channel(WAITING_MAX);
        tokio::spawn(commit::writer::write(db.clone(), receive));
        tokio::spawn(tickets::recent::read(db.clone(), asked));
        Ok(Store { db, send, recent })
    }

    /// Whether the database answers, and can be written to as far as is known.
    pub async fn ping(&self) -> Result<(), Error> {
        self.db.check()?;
        self.db.all("select 1", Vec::new()).await.map(drop)
    }

    /// Ends all connections; what was acknowledged is on disk already.
    pub async fn close(&self) {
        self.db.close().await;
    }

    async fn ask<T>(&self, work: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Work) -> Result<T, Error> {
        let (done, wait) = oneshot::channel();
        self.send.try_send(work(done)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Full,
            mpsc::error::TrySendError::Closed(_) => Error::Stopped,
        })?;
        wait.await.map_err(|_| Error::Stopped)?
    }
}
