//! The connections of one kind, of which each statement or transaction has one for itself.
//!
//! SQLite's connection has a thread of its own, and each way there and back costs more than a small statement. The driver's own pool
//! goes it twice for each use: it asks a connection that comes back whether it still answers, in a task of its own. It also hands
//! out the one that has rested longest, whose thread sleeps deepest and whose pages are oldest. Here a connection comes back at
//! once, since a file does not go away, and the one that was used last is the next. One that was left in the middle of something,
//! as where a request was dropped, comes back when that is over.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::store::Error;
use crate::store::db::arguments::{Arg, bind_sqlite};

/// `SQLITE_ERROR`, which is the answer to `rollback` where no transaction is open.
const NOTHING_OPEN: &str = "1";

/// Connections of one kind. Clones share them.
#[derive(Debug, Clone)]
pub struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: SqliteConnectOptions,
    connections: u32,
    /// The longest wait for one that is free.
    wait: Duration,
    /// Those that are free, the one that was used last at the end.
    free: Mutex<Vec<SqliteConnection>>,
    /// One for each connection; it is held by the one who has the connection.
    places: Arc<Semaphore>,
    closing: AtomicBool,
}

impl Pool {
    /// Opens all connections at once, and they stay: none is wanting later, when the system may have no descriptor to give.
    pub async fn open(options: SqliteConnectOptions, connections: u32, wait: Duration) -> Result<Pool, sqlx::Error> {
        let mut free = Vec::new();
        for _ in 0..connections {
            free.push(SqliteConnection::connect_with(&options).await?);
        }
        let places = Arc::new(Semaphore::new(free.len()));
        let (free, closing) = (Mutex::new(free), AtomicBool::new(false));
        Ok(Pool(Arc::new(Inner { options, connections, wait, free, places, closing })))
    }

    /// Takes a connection, in the order in which they are asked for.
    pub async fn take(&self) -> Result<Lease, sqlx::Error> {
        let Pool(inner) = self;
        if inner.is_closing() {
            return Err(sqlx::Error::PoolClosed);
        }
        let place = tokio::time::timeout(inner.wait, Arc::clone(&inner.places).acquire_owned()).await;
        let place = place.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        let free = inner.free().pop();
        let connection = match free {
            Some(connection) => connection,
            // The one of this place was given up.
            None => SqliteConnection::connect_with(&inner.options).await?,
        };
        let held = Some((connection, place));
        Ok(Lease { held, pool: Arc::clone(inner), begins: None, is_open: false, is_busy: false })
    }

    /// Closes all connections, each when it is free.
    pub async fn close(&self) {
        let Pool(inner) = self;
        inner.closing.store(true, Ordering::Release);
        // It fails only where they are closed already.
        let _all = Arc::clone(&inner.places).acquire_many_owned(inner.connections).await;
        inner.places.close();
        let free = std::mem::take(&mut *inner.free());
        for connection in free {
            // What it could not do is done when the database is opened again.
            let _ = connection.close().await;
        }
    }
}

impl Inner {
    fn free(&self) -> MutexGuard<'_, Vec<SqliteConnection>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}

/// A connection, until this is dropped.
pub struct Lease {
    held: Option<(SqliteConnection, OwnedSemaphorePermit)>,
    pool: Arc<Inner>,
    /// How a transaction begins whose first statement is still to come: both go in one.
    begins: Option<&'static str>,
    /// Whether a transaction may be open.
    is_open: bool,
    /// Whether a statement may be under way.
    is_busy: bool,
}

impl Lease {
    /// The connection itself.
    ///
    /// # Errors
    ///
    /// Never while this is there.
    pub fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        self.held.as_mut().map(|(connection, _)| connection).ok_or(sqlx::Error::PoolClosed)
    }

    /// Begins a transaction with the first statement that comes.
    pub fn begin_with_first(&mut self, begin: &'static str) {
        self.begins = Some(begin);
    }

    /// Whether a transaction was begun and has not ended.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// The text of a statement, with the beginning of the transaction before it where that is still to come. No parameter is in
    /// that, so the statement's own keep their numbers.
    fn begun<'a>(&mut self, sql: &'a str) -> Cow<'a, str> {
        let Some(begin) = self.begins.take() else { return Cow::Borrowed(sql) };
        self.is_open = true;
        Cow::Owned(format!("{begin}; {sql}"))
    }

    /// All rows of a statement. `kept` says whether its text is likely to come again.
    pub async fn all(&mut self, sql: &str, args: Vec<Arg>, kept: bool) -> Result<Vec<SqliteRow>, Error> {
        let args = bind_sqlite(args)?;
        let sql = self.begun(sql);
        let query = sqlx::query_with(AssertSqlSafe(&*sql), args).persistent(kept);
        self.is_busy = true;
        let rows = query.fetch_all(self.connection()?).await;
        self.is_busy = false;
        Ok(rows?)
    }

    /// Runs statements of which nothing is to be known but that they were done.
    pub async fn execute(&mut self, sql: &str, args: Vec<Arg>, kept: bool) -> Result<(), Error> {
        let args = bind_sqlite(args)?;
        let sql = self.begun(sql);
        let query = sqlx::query_with(AssertSqlSafe(&*sql), args).persistent(kept);
        self.is_busy = true;
        let done = query.execute(self.connection()?).await;
        self.is_busy = false;
        done?;
        Ok(())
    }

    /// Begins the transaction now, where that is still to come.
    pub async fn begin(&mut self) -> Result<(), Error> {
        let Some(begin) = self.begins.take() else { return Ok(()) };
        self.is_open = true;
        self.execute(begin, Vec::new(), true).await
    }

    /// Runs statements of which the last ends the transaction.
    pub async fn finish(&mut self, sql: &str, args: Vec<Arg>, kept: bool) -> Result<(), Error> {
        self.execute(sql, args, kept).await?;
        self.is_open = false;
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some((connection, place)) = self.held.take() else { return };
        if !self.is_open && !self.is_busy {
            self.pool.free().push(connection);
            // The next one to have the place finds the connection there.
            drop(place);
            return;
        }
        let (pool, is_open) = (Arc::clone(&self.pool), self.is_open);
        // Where there is no runtime any more, the connection is closed, which rolls back.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(settle((connection, place), is_open, pool));
        }
    }
}

/// Waits until nothing is under way on a connection, rolls back what was begun, and gives it back; one that does not get there is
/// closed, and another is opened in its place.
async fn settle((mut connection, place): (SqliteConnection, OwnedSemaphorePermit), is_open: bool, pool: Arc<Inner>) {
    let settled = if is_open {
        match sqlx::query("rollback").execute(&mut connection).await {
            Ok(_) => true,
            Err(sqlx::Error::Database(error)) => error.code().is_some_and(|code| code == NOTHING_OPEN),
            Err(_) => false,
        }
    } else {
        connection.ping().await.is_ok()
    };
    if settled {
        pool.free().push(connection);
    }
    drop(place);
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pool(folder: &tempfile::TempDir, connections: u32) -> Pool {
        // Longer than a busy machine takes to end a statement that was cut off.
        patient_pool(folder, connections, Duration::from_secs(60)).await
    }

    async fn patient_pool(folder: &tempfile::TempDir, connections: u32, patience: Duration) -> Pool {
        let options = SqliteConnectOptions::new().filename(folder.path().join("desk.db")).create_if_missing(true);
        Pool::open(options, connections, patience).await.unwrap()
    }

    async fn count(lease: &mut Lease) -> usize {
        lease.all("select n from t", Vec::new(), true).await.unwrap().len()
    }

    #[tokio::test]
    async fn what_was_not_committed_is_gone_when_the_next_has_the_connection() {
        let folder = tempfile::tempdir().unwrap();
        let pool = pool(&folder, 1).await;
        pool.take().await.unwrap().execute("create table t (n integer)", Vec::new(), true).await.unwrap();
        let mut left = pool.take().await.unwrap();
        left.begin_with_first("begin immediate");
        left.execute("insert into t (n) values ($1)", vec![Arg::Int(1)], true).await.unwrap();
        assert!(left.is_open());
        drop(left);
        let mut kept = pool.take().await.unwrap();
        assert_eq!(count(&mut kept).await, 0);
        kept.begin_with_first("begin immediate");
        kept.finish("insert into t (n) values (2); commit", Vec::new(), true).await.unwrap();
        drop(kept);
        assert_eq!(count(&mut pool.take().await.unwrap()).await, 1);
    }

    #[tokio::test]
    async fn a_transaction_that_never_began_or_has_failed_leaves_a_connection_that_serves() {
        let folder = tempfile::tempdir().unwrap();
        let pool = pool(&folder, 1).await;
        let mut one = pool.take().await.unwrap();
        one.begin_with_first("begin immediate");
        drop(one);
        let mut wrong = pool.take().await.unwrap();
        wrong.begin_with_first("begin immediate");
        assert!(wrong.all("select n from nothing", Vec::new(), true).await.is_err());
        drop(wrong);
        let mut next = pool.take().await.unwrap();
        next.begin_with_first("begin immediate");
        next.all("select $1", vec![Arg::Int(7)], true).await.unwrap();
        next.finish("commit", Vec::new(), true).await.unwrap();
    }

    #[tokio::test]
    async fn connections_are_lent_one_by_one_and_closed_pools_lend_none() {
        let folder = tempfile::tempdir().unwrap();
        let pool = patient_pool(&folder, 2, Duration::from_secs(1)).await;
        let (one, two) = (pool.take().await.unwrap(), pool.take().await.unwrap());
        assert!(matches!(pool.take().await, Err(sqlx::Error::PoolTimedOut)));
        drop(one);
        drop(pool.take().await.unwrap());
        drop(two);
        pool.close().await;
        assert!(matches!(pool.take().await, Err(sqlx::Error::PoolClosed)));
    }

    /// However far a write has come when its request is dropped: all of it is there or nothing, and the next has a connection that is
    /// in no transaction.
    #[tokio::test]
    async fn a_write_that_is_dropped_at_any_step_leaves_no_transaction_open() {
        const ROWS: usize = 3;
        let folder = tempfile::tempdir().unwrap();
        let pool = pool(&folder, 1).await;
        pool.take().await.unwrap().execute("create table t (n integer)", Vec::new(), true).await.unwrap();
        let (mut dropped, mut whole) = (0, 0);
        for cut_off in 0..64 {
            let mut write = Box::pin(async {
                let mut lease = pool.take().await.unwrap();
                lease.begin_with_first("begin immediate");
                for _ in 0..ROWS {
                    lease.execute("insert into t (n) values ($1)", vec![Arg::Int(1)], true).await.unwrap();
                }
                lease.finish("commit", Vec::new(), true).await.unwrap();
            });
            let mut polls = 0;
            let is_whole = std::future::poll_fn(|context| match write.as_mut().poll(context) {
                std::task::Poll::Ready(()) => std::task::Poll::Ready(true),
                std::task::Poll::Pending if polls == cut_off => std::task::Poll::Ready(false),
                std::task::Poll::Pending => {
                    polls += 1;
                    std::task::Poll::Pending
                }
            });
            let is_whole = is_whole.await;
            drop(write);
            let mut next = pool.take().await.unwrap();
            assert_eq!(count(&mut next).await % ROWS, 0, "cut off after {cut_off} steps");
            // SQLite refuses to begin a transaction within another.
            next.execute("begin immediate", Vec::new(), true).await.unwrap();
            next.execute("rollback", Vec::new(), true).await.unwrap();
            drop(next);
            dropped += u32::from(!is_whole);
            whole += u32::from(is_whole);
        }
        assert!(dropped > 0 && whole > 0, "{dropped} were dropped, {whole} were not");
    }

    /// A request that is dropped while its statement runs keeps the connection from the next until that is over.
    #[tokio::test]
    async fn a_statement_that_was_cut_off_is_over_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let pool = pool(&folder, 1).await;
        let mut lease = pool.take().await.unwrap();
        let long =
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000) select max(i) from n";
        {
            let mut cut_off = std::pin::pin!(lease.all(long, Vec::new(), true));
            let polled = std::future::poll_fn(|context| std::task::Poll::Ready(cut_off.as_mut().poll(context)));
            assert!(polled.await.is_pending());
        }
        drop(lease);
        let mut next = pool.take().await.unwrap();
        assert_eq!(next.all("select 1", Vec::new(), true).await.unwrap().len(), 1);
    }
}
