//! What the desk remembers: the only room with SQL, on SQLite or PostgreSQL.
//!
//! It writes what `desk` decided, each change in one transaction, and decides nothing itself but what only a transaction
//! can know: the next number, and whose turn it is. Reads are in one file per noun.
//!
//! In reading order: [`db`] is the two databases behind a few verbs, and [`sql`] the pieces of statements; [`commit`] writes all that is
//! about tickets, many changes in one transaction; [`tickets`], [`access`], [`people`], [`rules`], [`tables`] and [`jobs`] read and
//! keep one thing each; [`chain`] joins records by their hashes and compares what takes effect with them.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

pub mod access;
pub mod chain;
pub mod commit;
pub mod db;
pub mod jobs;
mod migrate;
pub mod people;
pub mod rules;
pub mod sql;
pub mod tables;
pub mod tickets;

pub use commit::keys::IdempotencyKey;
pub use commit::{Commit, Committed};
pub use rules::decisions::{DecisionRecord, RunRecord};
pub use rules::recorder::PackedRun;

use crate::desk::id::TicketNumber;
use commit::writer::{Waiting, Work};
use db::{Arg, Db, Limits, flush};
use rules::packing::dictionary::Dictionaries;
use rules::segments::NotArchived;
use rules::segments::place::{Archive, Lost};
use rules::segments::read::Segments;
use sql::damaged::Damaged;
use tickets::attachments::files::Files;

/// How much work may wait for the one writer, and for the one reader of recent tickets.
const WAITING_MAX: usize = 1024;

/// The database's or the system's own words about a failure, for the log and for those who look after the desk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(String);

impl<T: Into<String>> From<T> for Words {
    fn from(words: T) -> Self {
        Self(words.into())
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The failures of a store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the ticket has changed since it was read")]
    Conflict,
    #[error("a ticket has one of the files already")]
    AttachmentTaken,
    #[error("the store of files {0}")]
    Files(#[from] Lost),
    #[error("{other} depends on this ticket by now")]
    Circle { other: TicketNumber },
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error("too many writes are waiting: try again soon")]
    Full,
    #[error("the database cannot be used: {0}")]
    Unavailable(sqlx::Error),
    #[error("the database cannot be opened: {0}")]
    Unopened(std::io::Error),
    #[error("the connection to the database was lost ({0}): nothing of it is kept; try again soon")]
    LostConnection(Words),
    #[error("the database cannot be reached ({0}): nothing of it is kept; try again soon")]
    Away(Words),
    #[error("the database went away while it took this ({0}): it may have been done; look before you send it again")]
    MayBeDone(Words),
    #[error("all connections to the database are in use: try again soon")]
    Crowded,
    #[error("others have changed the same things at each try ({0}): nothing of it is kept; try again soon")]
    Contended(Words),
    #[error("the database took too long ({0}): nothing of it is kept; try again soon")]
    Slow(Words),
    #[error("the system has too little left for the database ({0}): try again soon")]
    Starved(Words),
    #[error("nothing can be written to the database now ({0}): try again soon")]
    Shut(Words),
    #[error(
        "what stands between the desk and PostgreSQL gives each transaction another connection, as PgBouncer does in \
         transaction mode: add `statement-cache-capacity=0` to the database's URL, as in `postgres://.../desk?statement-cache-capacity=0`"
    )]
    Pooled,
    #[error("the database's disk did not take it ({0}): nothing of it is kept; make room and try again")]
    NoRoom(Words),
    #[error(
        "a later version of RuleDesk has changed this database (by its migration {migration}): start that version, or put \
         back the backup that was made before it"
    )]
    Later { migration: i64 },
    #[error("the database's schema cannot be brought up to date: {0}")]
    Migration(sqlx::migrate::MigrateError),
    #[error("{column} of {table} holds `{found}`, which nothing of ours wrote")]
    Corrupt { table: &'static str, column: &'static str, found: String },
    #[error(
        "the archive's {part} of the rule `{rule}` is not what was archived under the digest {digest}: it is not used; put it back from a backup"
    )]
    Damaged { rule: String, part: &'static str, digest: String },
    #[error("the disk did not take what was written ({0}): nothing more is written until the desk is started again")]
    Lost(Words),
    #[error(transparent)]
    Archive(#[from] NotArchived),
    #[error("the writer has stopped")]
    Stopped,
}

impl Error {
    /// The message for callers without a token: nothing of it is the database server's own words.
    pub fn for_strangers(&self) -> String {
        match self {
            Error::LostConnection(_) | Error::Away(_) | Error::Slow(_) => "the database does not answer".to_owned(),
            Error::Lost(_) | Error::Starved(_) | Error::Shut(_) | Error::NoRoom(_) | Error::Crowded => self.to_string(),
            Error::Conflict
            | Error::AttachmentTaken
            | Error::Files(_)
            | Error::Circle { .. }
            | Error::KeyReused
            | Error::Full
            | Error::Unavailable(_)
            | Error::Unopened(_)
            | Error::MayBeDone(_)
            | Error::Contended(_)
            | Error::Pooled
            | Error::Later { .. }
            | Error::Migration(_)
            | Error::Corrupt { .. }
            | Error::Damaged { .. }
            | Error::Archive(_)
            | Error::Stopped => "the database cannot be used".to_owned(),
        }
    }
}

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Sqlite(PathBuf),
    Postgres(String),
}

/// An open store. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
    send: mpsc::Sender<Waiting>,
    recent: mpsc::Sender<tickets::recent::Ask>,
    /// The dictionaries that records are packed with.
    dictionaries: Arc<Dictionaries>,
    /// Where records are that have left the database.
    segments: Arc<Segments>,
    /// Where the contents of attachments are.
    pub files: Files,
    /// The damaged rows that lists came upon.
    damaged: Arc<Damaged>,
    /// The longest that a write may have waited for its turn, and be begun still.
    patience: Duration,
}

impl Store {
    /// Opens a store, brings its schema up to date and starts its writer.
    ///
    /// # Errors
    ///
    /// Where the database cannot be reached, or has a newer schema than this program knows.
    pub async fn open(target: &Target) -> Result<Store, Error> {
        Self::open_within(target, Limits::default()).await
    }

    /// The same, within other limits.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn open_within(target: &Target, limits: Limits) -> Result<Store, Error> {
        let db = match target {
            Target::Sqlite(file) => Db::open_sqlite_within(file, limits).await?,
            Target::Postgres(url) => Db::open_postgres_within(url, limits).await?,
        };
        migrate::up(&db).await?;
        chain::audit::begin(&db).await?;
        let dictionaries = Arc::new(Dictionaries::open(&db).await?);
        let (send, receive) = mpsc::channel(WAITING_MAX);
        let (recent, asked) = mpsc::channel(WAITING_MAX);
        tokio::spawn(commit::writer::write(db.clone(), receive));
        tokio::spawn(tickets::recent::read(db.clone(), asked));
        let segments = Arc::new(Segments::of(None));
        let damaged = Arc::default();
        let patience = limits.turn;
        Ok(Store { db, send, recent, dictionaries, segments, files: Files::none(), damaged, patience })
    }

    /// The store with the archive that its old records are in, or will be.
    #[must_use]
    pub fn with_archive(self, archive: Archive) -> Store {
        Store { segments: Arc::new(Segments::of(Some(archive))), ..self }
    }

    /// The store with the place that the contents of attachments are in, or will be.
    #[must_use]
    pub fn with_files(self, files: Files) -> Store {
        Store { files, ..self }
    }

    /// The longest that a write may have waited for its turn, and be begun still: a later one could not be answered in time.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Whether the database answers within a second or two, and can be written to as far as is known.
    ///
    /// # Errors
    ///
    /// Why not.
    pub async fn ping(&self) -> Result<(), Error> {
        self.db.ping().await
    }

    /// The latest instant at which a ticket was opened or a message written, by the clock that gave it its id; `None` where there is
    /// none of them yet.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn clock_has_shown(&self) -> Result<Option<Timestamp>, Error> {
        let last = |table: &str| format!("select id from (select id from {table} order by id desc limit 1) l");
        let sql = format!("{} union all {}", last("tickets"), last("outbox"));
        let rows = self.db.quick(&sql, Vec::new()).await?;
        Ok(rows.iter().filter_map(|row| made_at(row.uuid(0).ok()?)).max())
    }

    /// Ends all connections; what was acknowledged is on disk already.
    pub async fn close(&self) {
        self.db.close().await;
    }

    /// The number that a statement reads by an index; 0 where it finds no row.
    async fn number(&self, sql: &str, args: Vec<Arg>) -> Result<i64, Error> {
        self.db.optional(sql, args).await?.map_or(Ok(0), |row| row.int(0))
    }

    /// Runs one statement in a transaction of its own, and waits until that is on the disk; how many rows it wrote.
    async fn write(&self, sql: &str, args: Vec<Arg>) -> Result<u64, Error> {
        let written = self.db.durably(async |mut tx| {
            let changed = tx.execute(sql, args.clone()).await?;
            Ok((changed, tx))
        });
        written.await
    }

    /// Has the writer run one statement, in its turn among the changes of tickets; how many rows it wrote.
    async fn write_in_turn(&self, sql: &'static str, args: Vec<Arg>) -> Result<u64, Error> {
        self.ask(|done| Work::Statement(sql, args, done)).await
    }

    async fn ask<T>(&self, work: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Work) -> Result<T, Error> {
        // Nothing waits in line for a database that is away.
        self.db.check()?;
        let (done, wait) = oneshot::channel();
        self.send.try_send(Waiting::begin(work(done))).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Full,
            mpsc::error::TrySendError::Closed(_) => Error::Stopped,
        })?;
        wait.await.map_err(|_| Error::Stopped)?
    }
}

/// The instant in an id of the seventh kind (RFC 9562).
fn made_at(id: Uuid) -> Option<Timestamp> {
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanoseconds).ok()?).ok()
}
