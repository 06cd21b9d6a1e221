//! The two databases behind four verbs. Every difference between them is in this file; statements above it are the same
//! text for both.

use std::fmt::Write as _;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Postgres, Row as _, Sqlite, SqliteConnection, Transaction};
use uuid::Uuid;

use super::Error;
use super::flush::{Flush, Flusher};

/// Connections that read; the machine's cores read no faster with more.
const READERS_MAX: u32 = 8;
/// How long a statement waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// An argument of a statement.
#[derive(Debug, Clone)]
pub enum Arg {
    Int(i64),
    OptInt(Option<i64>),
    Text(String),
    OptText(Option<String>),
    Uuid(Uuid),
    Bytes(Vec<u8>),
}

macro_rules! into_arg {
    ($($from:ty => $case:ident;)*) => {$(
        impl From<$from> for Arg {
            fn from(value: $from) -> Arg {
                Arg::$case(value)
            }
        }
    )*};
}

into_arg! {
    i64 => Int;
    Option<i64> => OptInt;
    String => Text;
    Option<String> => OptText;
    Uuid => Uuid;
    Vec<u8> => Bytes;
}

impl From<&str> for Arg {
    fn from(value: &str) -> Arg {
        Arg::Text(value.to_owned())
    }
}

/// A row of either database, read by position.
pub enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! getters {
    ($($name:ident: $type:ty;)*) => {$(
        #[doc = concat!("The column at `at` as `", stringify!($type), "`.")]
        pub fn $name(&self, at: usize) -> Result<$type, Error> {
            Ok(match self {
                Row::Sqlite(row) => row.try_get(at)?,
                Row::Postgres(row) => row.try_get(at)?,
            })
        }
    )*};
}

impl Row {
    getters! {
        int: i64;
        opt_int: Option<i64>;
        text: String;
        opt_text: Option<String>;
        uuid: Uuid;
        bytes: Vec<u8>;
    }
}

/// An open database.
#[derive(Debug, Clone)]
pub enum Db {
    Sqlite { write: SqlitePool, read: SqlitePool, disk: Flusher },
    Postgres(PgPool),
}

/// A connection within a transaction.
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>, Flusher),
    Postgres(Transaction<'static, Postgres>),
}

fn bind_sqlite(args: Vec<Arg>) -> Result<SqliteArguments, Error> {
    use sqlx::Arguments as _;
    let mut bound = SqliteArguments::default();
    for arg in args {
        match arg {
            Arg::Int(v) => bound.add(v),
            Arg::OptInt(v) => bound.add(v),
            Arg::Text(v) => bound.add(v),
            Arg::OptText(v) => bound.add(v),
            Arg::Uuid(v) => bound.add(v),
            Arg::Bytes(v) => bound.add(v),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(bound)
}

fn bind_postgres(args: Vec<Arg>) -> Result<PgArguments, Error> {
    use sqlx::Arguments as _;
    let mut bound = PgArguments::default();
    for arg in args {
        match arg {
            Arg::Int(v) => bound.add(v),
            Arg::OptInt(v) => bound.add(v),
            Arg::Text(v) => bound.add(v),
            Arg::OptText(v) => bound.add(v),
            Arg::Uuid(v) => bound.add(v),
            Arg::Bytes(v) => bound.add(v),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(bound)
}

impl Db {
    /// Opens an embedded database, making the file if there is none.
    pub async fn open_sqlite(file: &Path) -> Result<Db, Error> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            // Two or three decision records fit on a page of this size.
            .page_size(8192)
            .journal_mode(SqliteJournalMode::Wal)
            // Every commit reaches the disk before it is acknowledged: `flush` says how.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("cache_size", "-65536")
            .pragma("mmap_size", "268435456")
            .pragma("temp_store", "memory")
            // The log is copied back in large pieces, 128 MB at most: whoever writes meanwhile waits, so seldom is better.
            .pragma("wal_autocheckpoint", "16000")
            .statement_cache_capacity(256);
        // A connection to a file does not go stale, so none is tested before it is used.
        // One connection writes, so that nothing ever waits for a lock inside this process.
        let write = SqlitePoolOptions::new()
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
            .max_connections(1)
            .connect_with(options.clone())
            .await?;
        let read = SqlitePoolOptions::new()
            .test_before_acquire(false)
            .max_connections(READERS_MAX)
            .connect_with(options)
            .await?;
        let disk = Flusher::start(file).map_err(sqlx::Error::Io)?;
        Ok(Db::Sqlite { write, read, disk })
    }

    /// Connects to a server.
    pub async fn open_postgres(url: &str) -> Result<Db, Error> {
        let options = PgConnectOptions::from_str(url)?.statement_cache_capacity(256);
        let pool = PgPoolOptions::new().max_connections(READERS_MAX).connect_with(options).await?;
        Ok(Db::Postgres(pool))
    }

    /// Whether what is written now can become durable.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Db::Sqlite { disk, .. } => disk.check(),
            Db::Postgres(_) => Ok(()),
        }
    }

    /// Makes all that was committed before durable, as far as it is not.
    pub fn flush(&self) -> Flush {
        match self {
            Db::Sqlite { disk, .. } => disk.flush(),
            Db::Postgres(_) => Flush::DONE,
        }
    }

    /// Begins a transaction that writes.
    pub async fn begin(&self) -> Result<Tx, Error> {
        self.check()?;
        Ok(match self {
            // Takes the lock at once: a read that turns into a write later could find it taken.
            Db::Sqlite { write, disk, .. } => Tx::Sqlite(write.begin_with("begin immediate").await?, disk.clone()),
            Db::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Begins a transaction that reads: all of its statements see the database as it is at the first. It ends by
    /// [`Tx::end`].
    pub async fn begin_reading(&self) -> Result<Tx, Error> {
        Ok(match self {
            Db::Sqlite { read, disk, .. } => Tx::Sqlite(read.begin().await?, disk.clone()),
            Db::Postgres(pool) => {
                Tx::Postgres(pool.begin_with("begin isolation level repeatable read read only").await?)
            }
        })
    }

    /// The same for statements whose order an index has. PostgreSQL sorts what it believes to be little, and believes what its
    /// statistics said some time ago: here it is to sort nothing that it can walk through.
    pub async fn begin_walking(&self) -> Result<Tx, Error> {
        const BEGIN: &str = "begin isolation level repeatable read read only; set local enable_sort = off";
        Ok(match self {
            Db::Sqlite { .. } => self.begin_reading().await?,
            Db::Postgres(pool) => Tx::Postgres(pool.begin_with(BEGIN).await?),
        })
    }

    /// All rows of a statement that reads.
    pub async fn all(&self, sql: &str, args: Vec<Arg>) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Db::Sqlite { read, .. } => {
                let query = sqlx::query_with(AssertSqlSafe(sql), bind_sqlite(args)?);
                query.fetch_all(read).await?.into_iter().map(Row::Sqlite).collect()
            }
            Db::Postgres(pool) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), bind_postgres(args)?);
                query.fetch_all(pool).await?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row of a statement that reads, if there is one.
    pub async fn optional(&self, sql: &str, args: Vec<Arg>) -> Result<Option<Row>, Error> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match self {
            Db::Sqlite { write, read, .. } => {
                read.close().await;
                write.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

enum Connection<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl Tx {
    fn connection(&mut self) -> Connection<'_> {
        match self {
            Tx::Sqlite(tx, _) => Connection::Sqlite(&mut *tx),
            Tx::Postgres(tx) => Connection::Postgres(&mut *tx),
        }
    }

    /// All rows of a statement.
    pub async fn all(&mut self, sql: &str, args: Vec<Arg>) -> Result<Vec<Row>, Error> {
        Ok(match self.connection() {
            Connection::Sqlite(connection) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), bind_sqlite(args)?);
                query.fetch_all(connection).await?.into_iter().map(Row::Sqlite).collect()
            }
            Connection::Postgres(connection) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), bind_postgres(args)?);
                query.fetch_all(connection).await?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row of a statement, if there is one.
    pub async fn optional(&mut self, sql: &str, args: Vec<Arg>) -> Result<Option<Row>, Error> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }

    /// How the database would run a statement: the lines of its plan.
    pub async fn plan(&mut self, sql: &str, args: Vec<Arg>) -> Result<Vec<String>, Error> {
        let (explain, column) = match self {
            Tx::Sqlite(..) => ("explain query plan", 3),
            Tx::Postgres(_) => ("explain (costs off)", 0),
        };
        self.all(&format!("{explain} {sql}"), args).await?.iter().map(|row| row.text(column)).collect()
    }

    /// Runs a statement; the number of rows that it changed.
    pub async fn execute(&mut self, sql: &str, args: Vec<Arg>) -> Result<u64, Error> {
        Ok(match self.connection() {
            Connection::Sqlite(connection) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), bind_sqlite(args)?);
                query.execute(connection).await?.rows_affected()
            }
            Connection::Postgres(connection) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), bind_postgres(args)?);
                query.execute(connection).await?.rows_affected()
            }
        })
    }

    /// Commits everything since `begin`; it is durable, and may be acknowledged, when what this gives is done. What comes
    /// after it in the database is durable no sooner.
    pub async fn commit(self) -> Result<Flush, Error> {
        match self {
            Tx::Sqlite(tx, disk) => {
                tx.commit().await?;
                Ok(disk.flush())
            }
            Tx::Postgres(tx) => {
                tx.commit().await?;
                Ok(Flush::DONE)
            }
        }
    }

    /// Ends a transaction that has only read.
    pub async fn end(self) -> Result<(), Error> {
        match self {
            Tx::Sqlite(tx, _) => tx.commit().await?,
            Tx::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// Inserts rows: `head` is `insert into t (a, b)`, `tail` what follows the values. In pieces of fixed sizes, so that few
    /// statements are prepared and each is used again.
    pub async fn insert(
        &mut self,
        head: &str,
        columns: usize,
        tail: &str,
        rows: Vec<Vec<Arg>>,
    ) -> Result<Vec<Row>, Error> {
        const PIECES: [usize; 8] = [128, 64, 32, 16, 8, 4, 2, 1];
        let mut returned = Vec::new();
        let mut rows = rows.into_iter();
        while let Some(piece) = PIECES.into_iter().find(|piece| *piece <= rows.len()) {
            let args: Vec<Arg> = rows.by_ref().take(piece).flatten().collect();
            let sql = match self {
                // SQLite finds a numbered parameter by a linear search, which is quadratic over a piece.
                Tx::Sqlite(..) => values(head, columns, piece, tail, |sql, _| sql.push('?')),
                Tx::Postgres(_) => values(head, columns, piece, tail, |sql, n| {
                    // Writing to a String cannot fail.
                    let _ = write!(sql, "${n}");
                }),
            };
            returned.extend(self.all(&sql, args).await?);
        }
        Ok(returned)
    }
}

/// `head values ($1, $2), ($3, $4) tail`, each parameter as `place` writes it.
fn values(head: &str, columns: usize, rows: usize, tail: &str, place: fn(&mut String, usize)) -> String {
    let mut sql = format!("{head} values ");
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            sql.push_str(if column == 0 { "" } else { ", " });
            place(&mut sql, row * columns + column + 1);
        }
        sql.push(')');
    }
    sql.push(' ');
    sql.push_str(tail);
    sql
}
