//! SQLite: one connection that writes, some that read, and one more that copies the log back.

use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{Connection as _, SqliteConnection};

use super::Lane;
use super::arguments::Arg;
use super::flush::Flusher;
use super::limits::Limits;
use super::private;
use crate::store::Error;
use checkpoint::Checkpoints;
use lock::Lock;
use pool::{Lease, Pool};

mod checkpoint;
mod lock;
pub(super) mod pool;
pub(super) mod script;

/// Pages that the connection which writes keeps, in KiB: enough for the ends of all indexes.
const WRITER_KIB: u32 = 65_536;
/// Pages that each other connection keeps, in KiB. The system's own cache is behind it, and counts once for all.
const READER_KIB: u32 = 8_192;
/// Connections that read, of each kind; the machine's cores read no faster with more.
const READERS_MAX: u32 = 4;
/// Rows that a connection's thread reads ahead of the one who takes them: a page of a list comes without a stop in between.
const ROWS_AHEAD: usize = 1_024;
/// The largest that the log stays, in bytes, when it begins again after a peak.
const LOG_BYTES_KEPT: u32 = 64 << 20;

/// An embedded database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Embedded {
    write: Pool,
    quick: Pool,
    lists: Pool,
    pub(super) disk: Flusher,
    pub(super) lock: Lock,
    log: Checkpoints,
}

impl Embedded {
    /// Opens a database, making the file if there is none.
    pub async fn open(file: &Path, limits: Limits) -> Result<Embedded, Error> {
        private::database(file).map_err(Error::Unopened)?;
        let options = options(file, &limits);
        // One connection writes, so that nothing ever waits for a lock inside this process.
        let writing = options.clone().pragma("cache_size", format!("-{WRITER_KIB}"));
        let write = Pool::open(writing, 1, limits.statement).await?;
        let (quick, lists) = limits.shares();
        let quick = Pool::open(options.clone(), quick.min(READERS_MAX), limits.statement).await?;
        let lists = Pool::open(options.clone(), lists.min(READERS_MAX), limits.statement).await?;
        // Its connection is there for as long as the database is open, so that the log stays the same file.
        let log = Checkpoints::start(SqliteConnection::connect_with(&options).await?, write.clone()).await?;
        let disk = Flusher::start(file).map_err(sqlx::Error::Io)?;
        Ok(Embedded { write, quick, lists, disk, lock: Lock::default(), log })
    }

    /// All rows of a statement that reads.
    pub async fn all(&self, lane: Lane, sql: &str, args: Vec<Arg>) -> Result<Vec<SqliteRow>, Error> {
        let pool = match lane {
            Lane::Write => &self.write,
            Lane::Quick => &self.quick,
            Lane::Lists => &self.lists,
        };
        pool.take().await?.all(sql, args, true).await
    }

    /// A transaction that writes, which begins with its first statement. It takes the lock then: a read that turns into a write
    /// later could find it taken.
    pub async fn writing(&self) -> Result<Lease, Error> {
        let mut lease = self.write.take().await?;
        lease.begin_with_first("begin immediate");
        Ok(lease)
    }

    /// A transaction that reads, which begins with its first statement.
    pub async fn reading(&self) -> Result<Lease, Error> {
        let mut lease = self.quick.take().await?;
        lease.begin_with_first("begin");
        Ok(lease)
    }

    /// A transaction that reads a list, which begins with its first statement.
    pub async fn walking(&self) -> Result<Lease, Error> {
        let mut lease = self.lists.take().await?;
        lease.begin_with_first("begin");
        Ok(lease)
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    ///
    /// Those of the migrator, and of the connection.
    pub async fn migrate(&self, migrator: &Migrator) -> Result<(), Error> {
        let mut lease = self.write.take().await?;
        Ok(migrator.run(lease.connection()?).await?)
    }

    /// Whether what is written now would be found again, and can be written, as far as is known.
    ///
    /// # Errors
    ///
    /// [`Error::Starved`] where the file was taken away, [`Error::Shut`] where another program holds its lock.
    pub async fn look(&self) -> Result<(), Error> {
        self.disk.look().await?;
        self.lock.check()
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
        .row_buffer_size(ROWS_AHEAD)
}

#[cfg(test)]
mod tests {
    use crate::store::Error;
    use crate::store::db::{Arg, Db, Tx};

    async fn numbers(db: &Db) -> Vec<i64> {
        let rows = db.quick("select n from t order by n", Vec::new()).await.unwrap();
        rows.iter().map(|row| row.int(0).unwrap()).collect()
    }

    async fn add(tx: &mut Tx, number: i64) -> Result<(), Error> {
        tx.later("insert into t (n) values ($1)", vec![Arg::Int(number)]).await
    }

    #[tokio::test]
    async fn what_waits_goes_with_what_is_awaited_and_each_has_its_own_outcome() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite(&folder.path().join("desk.db")).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        tx.execute("create table t (n integer not null)", Vec::new()).await.unwrap();
        add(&mut tx, 1).await.unwrap();
        add(&mut tx, 2).await.unwrap();
        let rows = tx.all("select n, $2 from t where n > $1 order by n", vec![Arg::Int(1), Arg::Int(7)]).await.unwrap();
        let rows: Vec<_> = rows.iter().map(|row| (row.int(0).unwrap(), row.int(1).unwrap())).collect();
        assert_eq!(rows, [(2, 7)]);
        add(&mut tx, 3).await.unwrap();
        assert_eq!(tx.execute("update t set n = 4 where n = $1", vec![Arg::Int(3)]).await.unwrap(), 1);
        tx.commit().await.unwrap().done().await.unwrap();
        assert_eq!(numbers(&db).await, [1, 2, 4]);
        let counted = db.transaction(async |mut tx: Tx| {
            let changed = tx.execute("update t set n = 0 where n = $1", vec![Arg::Int(99)]).await?;
            Ok((changed, tx))
        });
        assert_eq!(counted.await.unwrap().0, 0);
    }

    #[tokio::test]
    async fn nothing_is_kept_of_a_transaction_of_which_the_last_that_waits_fails() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite(&folder.path().join("desk.db")).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        tx.execute("create table t (n integer not null)", Vec::new()).await.unwrap();
        tx.commit().await.unwrap().done().await.unwrap();
        let failed = db.transaction(async |mut tx: Tx| {
            add(&mut tx, 1).await?;
            tx.later("insert into t (n) values ($1)", vec![Arg::OptInt(None)]).await?;
            Ok(((), tx))
        });
        assert!(failed.await.is_err());
        let mut dropped = db.begin().await.unwrap();
        add(&mut dropped, 2).await.unwrap();
        drop(dropped);
        assert!(numbers(&db).await.is_empty());
        let kept = db.transaction(async |mut tx: Tx| {
            add(&mut tx, 3).await?;
            Ok(((), tx))
        });
        kept.await.unwrap().1.done().await.unwrap();
        assert_eq!(numbers(&db).await, [3]);
    }
}
