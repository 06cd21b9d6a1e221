//! SQLite: one connection that writes, some that read, and one more that copies the log back.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Connection as _, Sqlite, SqliteConnection, Transaction};

use super::Lane;
use super::arguments::{Arg, bind_sqlite};
use super::flush::Flusher;
use super::limits::Limits;
use super::private;
use crate::store::Error;
use checkpoint::Checkpoints;

mod checkpoint;
pub(super) mod script;

/// Pages that the connection which writes keeps, in KiB: enough for the ends of all indexes.
const WRITER_KIB: u32 = 65_536;
/// Pages that each other connection keeps, in KiB. The system's own cache is behind it, and counts once for all.
const READER_KIB: u32 = 8_192;
/// Connections that read, of each kind; the machine's cores read no faster with more.
const READERS_MAX: u32 = 4;
/// The largest that the log stays, in bytes, when it begins again after a peak.
const LOG_BYTES_KEPT: u32 = 64 << 20;

/// An embedded database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Embedded {
    pub(in crate::store) write: SqlitePool,
    quick: SqlitePool,
    lists: SqlitePool,
    pub(super) disk: Flusher,
    log: Checkpoints,
}

impl Embedded {
    /// Opens a database, making the file if there is none.
    pub async fn open(file: &Path, limits: Limits) -> Result<Embedded, Error> {
        private::database(file).map_err(Error::Unopened)?;
        let options = options(file, &limits);
        // One connection writes, so that nothing ever waits for a lock inside this process.
        let writing = options.clone().pragma("cache_size", format!("-{WRITER_KIB}"));
        let write = pool(1, &limits).connect_with(writing).await?;
        let (quick, lists) = limits.shares();
        let quick = pool(quick.min(READERS_MAX), &limits).connect_with(options.clone()).await?;
        let lists = pool(lists.min(READERS_MAX), &limits).connect_with(options.clone()).await?;
        // Its connection is there for as long as the database is open, so that the log stays the same file.
        let log = Checkpoints::start(SqliteConnection::connect_with(&options).await?, write.clone()).await?;
        let disk = Flusher::start(file).map_err(sqlx::Error::Io)?;
        Ok(Embedded { write, quick, lists, disk, log })
    }

    fn pool(&self, lane: Lane) -> &SqlitePool {
        match lane {
            Lane::Write => &self.write,
            Lane::Quick => &self.quick,
            Lane::Lists => &self.lists,
        }
    }

    /// All rows of a statement that reads.
    pub async fn all(&self, lane: Lane, sql: &str, args: Vec<Arg>) -> Result<Vec<SqliteRow>, Error> {
        let query = sqlx::query_with(AssertSqlSafe(sql), bind_sqlite(args)?);
        Ok(query.fetch_all(self.pool(lane)).await?)
    }

    /// Begins a transaction that writes. It takes the lock at once: a read that turns into a write later could find it taken.
    pub async fn begin(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        Ok(self.write.begin_with("begin immediate").await?)
    }

    /// Begins a transaction that reads.
    pub async fn begin_reading(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        Ok(self.quick.begin().await?)
    }

    /// Begins a transaction that reads a list.
    pub async fn begin_walking(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        Ok(self.lists.begin().await?)
    }

    /// Says that something was committed.
    pub fn committed(&self) {
        self.log.grew();
    }

    /// Closes all connections; the last of them copies the rest of the log into the database.
    pub async fn close(&self) {
        self.log.end().await;
        for pool in [&self.quick, &self.lists, &self.write] {
            pool.close().await;
        }
    }
}

fn options(file: &Path, limits: &Limits) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        // Two or three decision records fit on a page of this size.
        .page_size(8192)
        .journal_mode(SqliteJournalMode::Wal)
        // Every commit reaches the disk before it is acknowledged: `flush` says how.
        .synchronous(SqliteSynchronous::Normal)
        // For another process's lock, such as a command's that runs at the same time.
        .busy_timeout(limits.lock)
        .pragma("cache_size", format!("-{READER_KIB}"))
        // Nothing is mapped: each connection would map the file for itself, and a file that is cut off under a map ends the
        // process.
        .pragma("mmap_size", "0")
        .pragma("temp_store", "memory")
        // The log is copied back by a connection of its own, never by the one that writes: `checkpoint` says how.
        .pragma("wal_autocheckpoint", "0")
        .pragma("journal_size_limit", LOG_BYTES_KEPT.to_string())
        .statement_cache_capacity(256)
}

/// All connections are opened at once and stay: none is wanting later, when the system may have no descriptor to give.
fn pool(connections: u32, limits: &Limits) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        // A connection to a file does not go stale, so none is tested before it is used.
        .test_before_acquire(false)
        // A transaction that the database ended by itself, as on a full disk, still counts as open with the driver, and the
        // connection could never begin another: it is replaced.
        .before_acquire(|connection, _| {
            Box::pin(async move {
                if connection.is_in_transaction() {
                    // Rolling back may be under way: it is done when this is answered.
                    connection.ping().await?;
                }
                Ok(!connection.is_in_transaction())
            })
        })
        .min_connections(connections)
        .max_connections(connections)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .acquire_timeout(limits.statement)
}
