//! The two databases behind a few verbs. Every difference between them is in this folder; statements above it are the same
//! text for both.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::Error;

mod arguments;
mod failure;
pub(super) mod flush;
pub mod limits;
pub mod notices;
pub mod postgres;
pub mod private;
mod reach;
pub mod retry;
pub mod sqlite;

pub use arguments::{Arg, Row};
pub use limits::Limits;

use counted::note;
use flush::Flush;
use postgres::{Begin, Held, Server};
use retry::Tries;
use sqlite::Embedded;
use sqlite::pool::Lease;
use sqlite::script::Script;

/// How long the database may take to show that it is there.
const PING_MAX: Duration = Duration::from_millis(1_500);

/// An open database. Clones share its connections.
#[derive(Debug, Clone)]
pub enum Db {
    Sqlite(Embedded),
    Postgres(Server),
}

/// A connection within a transaction.
pub enum Tx {
    Sqlite(Lease, Embedded, Script),
    Postgres(Held),
}

/// The group of connections that a read uses, so that long reads never hold up short ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Writes.
    Write,
    /// Short reads that every request waits for: tokens, keys, one ticket, revisions.
    Quick,
    /// Lists and all other reads that may take longer.
    Lists,
}

/// Runs to its end in a task of its own: it is not cut off when the future that waits for it is dropped.
///
/// # Errors
///
/// Its own, and [`Error::Stopped`] where the program ends.
pub async fn apart<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    tokio::spawn(work).await.map_err(|_| Error::Stopped)?
}

/// Begins a transaction in a task of its own: one that is dropped meanwhile leaves no connection in an unknown state.
async fn begin_apart(server: &Server, begin: Begin) -> Result<Tx, Error> {
    let server = server.clone();
    apart(async move { Ok(Tx::Postgres(server.begin(begin).await?)) }).await
}

impl Db {
    /// Opens an embedded database, making the file if there is none.
    pub async fn open_sqlite(file: &Path) -> Result<Db, Error> {
        Self::open_sqlite_within(file, Limits::default()).await
    }

    /// The same, within other limits.
    pub async fn open_sqlite_within(file: &Path, limits: Limits) -> Result<Db, Error> {
        Embedded::open(file, limits).await.map(Db::Sqlite)
    }

    /// Connects to a server.
    pub async fn open_postgres(url: &str) -> Result<Db, Error> {
        Self::open_postgres_within(url, Limits::default()).await
    }

    /// The same, within other limits.
    pub async fn open_postgres_within(url: &str, limits: Limits) -> Result<Db, Error> {
        Server::open(url, limits).await.map(Db::Postgres)
    }

    /// Whether what is written now can become durable.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Db::Sqlite(file) => file.disk.check(),
            Db::Postgres(server) => server.check(),
        }
    }

    /// How long those who wait in line behind what was not done in time may have waited and be begun still; none where the reason is
    /// another. On SQLite, another process holds the lock of the whole database, so that no one is; on a server, what is locked may be
    /// another thing than what they need.
    pub fn patience_after(&self, error: &Error) -> Option<Duration> {
        match (self, error) {
            (Db::Sqlite(_), Error::Slow(_)) => Some(Duration::ZERO),
            (Db::Postgres(server), Error::Slow(_)) => Some(server.patience()),
            _ => None,
        }
    }

    /// Whether the database answers within a second or two, and can be written to as far as is known.
    ///
    /// # Errors
    ///
    /// Why not.
    pub async fn ping(&self) -> Result<(), Error> {
        self.check()?;
        match tokio::time::timeout(PING_MAX, self.answers()).await {
            Ok(answered) => answered,
            Err(_) => {
                if let Db::Postgres(server) = self {
                    server.doubt();
                }
                Err(Error::Away(format!("no answer within {PING_MAX:?}").into()))
            }
        }
    }

    async fn answers(&self) -> Result<(), Error> {
        if let Db::Sqlite(file) = self {
            file.look().await?;
        }
        self.quick("select 1", Vec::new()).await.map(drop)
    }

    /// Makes everything durable that was committed before.
    pub fn flush(&self) -> Flush {
        match self {
            Db::Sqlite(file) => file.disk.flush(),
            Db::Postgres(_) => Flush::DONE,
        }
    }

    /// Runs `body` in a transaction and commits it. `body` gets the transaction and returns it with its result. After a failure
    /// that passes (a serialization failure, a deadlock, a connection that was lost before the commit), the whole transaction is
    /// run again, a bounded number of times; so `body` must decide from what it reads in it, each time. The result is durable, and
    /// may be acknowledged, when the flush is done.
    ///
    /// # Errors
    ///
    /// Those of `body`, of which nothing is kept then; [`Error::MayBeDone`] where the database went away while it
    /// committed.
    pub async fn transaction<T, F, B>(&self, mut body: F) -> Result<(T, Flush), Error>
    where
        F: FnMut(Tx) -> B,
        B: Future<Output = Result<(T, Tx), Error>>,
    {
        let mut tries = Tries::default();
        loop {
            let attempted = self.attempt(&mut body).await;
            if let Db::Sqlite(file) = self {
                file.lock.note(attempted.as_ref().err());
            }
            match attempted {
                Err(error) if tries.again(&error).await => {}
                done => return done,
            }
        }
    }

    async fn attempt<T, F, B>(&self, body: &mut F) -> Result<(T, Flush), Error>
    where
        F: FnMut(Tx) -> B,
        B: Future<Output = Result<(T, Tx), Error>>,
    {
        let (value, tx) = body(self.begin_soon().await?).await?;
        Ok((value, tx.commit().await?))
    }

    /// Begins a transaction that writes. Dropped before its commit, it leaves nothing.
    pub async fn begin(&self) -> Result<Tx, Error> {
        let mut tx = self.begin_soon().await?;
        if let Tx::Sqlite(lease, ..) = &mut tx {
            lease.begin().await?;
        }
        Ok(tx)
    }

    /// The same; on SQLite it begins together with its first statement, since each way to a connection's thread and back costs more
    /// than a small statement.
    async fn begin_soon(&self) -> Result<Tx, Error> {
        self.check()?;
        match self {
            Db::Sqlite(file) => Ok(Tx::Sqlite(file.writing().await?, file.clone(), Script::default())),
            Db::Postgres(server) => begin_apart(server, Begin::Writing).await,
        }
    }

    /// Begins a transaction that reads: all of its statements see the database as it is at the first. It ends by
    /// [`Tx::end`].
    pub async fn begin_reading(&self) -> Result<Tx, Error> {
        match self {
            Db::Sqlite(file) => Ok(Tx::Sqlite(file.reading().await?, file.clone(), Script::default())),
            Db::Postgres(server) => begin_apart(server, Begin::Reading).await,
        }
    }

    /// The same for statements whose order an index has, such as those of lists: nothing is sorted that can be walked
    /// through.
    pub async fn begin_walking(&self) -> Result<Tx, Error> {
        match self {
            Db::Sqlite(file) => Ok(Tx::Sqlite(file.walking().await?, file.clone(), Script::default())),
            Db::Postgres(server) => begin_apart(server, Begin::Walking).await,
        }
    }

    /// The same for a full-text search, which is planned for each search: the best plan depends on how many rows have these words.
    pub async fn begin_searching(&self) -> Result<Tx, Error> {
        match self {
            Db::Sqlite(file) => Ok(Tx::Sqlite(file.walking().await?, file.clone(), Script::default())),
            Db::Postgres(server) => begin_apart(server, Begin::Searching).await,
        }
    }

    async fn read(&self, lane: Lane, sql: &str, args: Vec<Arg>) -> Result<Vec<Row>, Error> {
        note();
        Ok(match self {
            Db::Sqlite(file) => file.all(lane, sql, args).await?.into_iter().map(Row::Sqlite).collect(),
            Db::Postgres(server) => server.all(lane, sql, args).await?.into_iter().map(Row::Postgres).collect(),
        })
    }

    /// All rows of a statement that reads.
    pub async fn all(&self, sql: &str, args: Vec<Arg>) -> Result<Vec<Row>, Error> {
        self.read(Lane::Lists, sql, args).await
    }

    /// All rows of a statement that reads a few rows by an index, and for which every request waits: no list keeps it
    /// waiting.
    pub async fn quick(&self, sql: &str, args: Vec<Arg>) -> Result<Vec<Row>, Error> {
        self.read(Lane::Quick, sql, args).await
    }

    /// The first row of a statement that reads a few rows by an index, if there is one. No list keeps it waiting.
    pub async fn optional(&self, sql: &str, args: Vec<Arg>) -> Result<Option<Row>, Error> {
        Ok(self.quick(sql, args).await?.into_iter().next())
    }

    /// All rows of a statement that may take minutes, for a command that reads the whole history.
    pub async fn all_of_history(&self, sql: &str, args: Vec<Arg>) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Db::Sqlite(_) => self.all(sql, args).await?,
            Db::Postgres(server) => server.all_of_history(sql, args).await?.into_iter().map(Row::Postgres).collect(),
        })
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match self {
            Db::Sqlite(file) => file.close().await,
            Db::Postgres(server) => server.close().await,
        }
    }
}

impl Tx {
    /// All rows of a statement.
    pub async fn all(&mut self, sql: &str, args: Vec<Arg>) -> Result<Vec<Row>, Error> {
        if matches!(self, Tx::Sqlite(_, _, script) if !script.takes(&args)) {
            self.catch_up().await?;
        }
        note();
        Ok(match self {
            Tx::Sqlite(lease, _, script) => {
                let rows = if script.is_waiting() {
                    script.add(sql, args);
                    let (sql, args, kept) = script.take().unwrap_or_default();
                    lease.all(&sql, args, kept).await?
                } else {
                    lease.all(sql, args, true).await?
                };
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Tx::Postgres(held) => held.all(sql, args).await?.into_iter().map(Row::Postgres).collect(),
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
        if let Tx::Postgres(held) = self {
            note();
            return held.execute(sql, args).await;
        }
        // The driver counts the rows of all statements that go together, so that SQLite is asked for those of the last change.
        let rows = self.all(&format!("{sql}\n; select changes()"), args).await?;
        let changed = rows.last().map_or(Ok(0), |row| row.int(0))?;
        Ok(u64::try_from(changed).unwrap_or_default())
    }

    /// A column that is read together with rows which the same statement locks. PostgreSQL reads it as it was before the wait for the
    /// lock: there it is null, and is to be read after that.
    pub fn of_locked<'a>(&self, column: &'a str) -> &'a str {
        match self {
            Tx::Sqlite(..) => column,
            Tx::Postgres(_) => "cast(null as bigint)",
        }
    }

    /// Runs a statement whose result is not needed. It may be sent together with later statements: then the next one that is awaited,
    /// or the commit, returns its error.
    ///
    /// # Errors
    ///
    /// Where the database does not take it, or one that waited before it.
    pub async fn later(&mut self, sql: &str, args: Vec<Arg>) -> Result<(), Error> {
        if matches!(self, Tx::Sqlite(_, _, script) if !script.takes(&args)) {
            self.catch_up().await?;
        }
        match self {
            Tx::Sqlite(_, _, script) if script.takes(&args) => {
                script.add(sql, args);
                Ok(())
            }
            _ => self.execute(sql, args).await.map(drop),
        }
    }

    /// Runs the statements that wait.
    async fn catch_up(&mut self) -> Result<(), Error> {
        if let Tx::Sqlite(lease, _, script) = self
            && let Some((sql, args, kept)) = script.take()
        {
            note();
            lease.execute(&sql, args, kept).await?;
        }
        Ok(())
    }

    /// The end of a `select` that locks the rows it reads. SQLite has no such words and needs none: a writer holds the
    /// whole database.
    pub fn for_update(&self) -> &'static str {
        match self {
            Tx::Sqlite(..) => "",
            Tx::Postgres(_) => " for update",
        }
    }

    /// Commits everything since `begin`. It is durable, and may be acknowledged, when the returned flush is done. Later commits are
    /// durable no sooner.
    pub async fn commit(self) -> Result<Flush, Error> {
        match self {
            Tx::Sqlite(mut lease, file, mut script) => {
                if script.is_waiting() {
                    note();
                }
                if script.is_waiting() || lease.is_open() {
                    // Where a statement that waits fails, none after it is run, least of all the commit.
                    script.add("commit", Vec::new());
                    let (sql, args, kept) = script.take().unwrap_or_default();
                    lease.finish(&sql, args, kept).await?;
                }
                // The next one who writes need not wait for the disk.
                drop(lease);
                file.committed();
                Ok(file.disk.flush())
            }
            Tx::Postgres(held) => {
                held.commit().await?;
                Ok(Flush::DONE)
            }
        }
    }

    /// Ends a transaction that has only read.
    pub async fn end(self) -> Result<(), Error> {
        match self {
            Tx::Sqlite(mut lease, ..) if lease.is_open() => lease.finish("commit", Vec::new(), true).await,
            Tx::Sqlite(..) => Ok(()),
            Tx::Postgres(held) => held.end().await,
        }
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
        let mut returned = Vec::new();
        for (sql, args) in self.pieces(head, columns, tail, rows) {
            returned.extend(self.all(&sql, args).await?);
        }
        Ok(returned)
    }

    /// The same for rows of which nothing is returned, sent as by [`Tx::later`].
    ///
    /// # Errors
    ///
    /// As [`Tx::later`].
    pub async fn insert_later(
        &mut self,
        head: &str,
        columns: usize,
        tail: &str,
        rows: Vec<Vec<Arg>>,
    ) -> Result<(), Error> {
        for (sql, args) in self.pieces(head, columns, tail, rows) {
            self.later(&sql, args).await?;
        }
        Ok(())
    }

    /// The statements of an insert, in pieces of fixed sizes.
    fn pieces(&self, head: &str, columns: usize, tail: &str, rows: Vec<Vec<Arg>>) -> Vec<(String, Vec<Arg>)> {
        const PIECES: [usize; 8] = [128, 64, 32, 16, 8, 4, 2, 1];
        let mut rows = rows.into_iter();
        let mut statements = Vec::new();
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
            statements.push((sql, args));
        }
        statements
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

/// The statements that a piece of work runs, counted in builds for development, so that a test can hold a page to a number.
pub mod counted {
    #[cfg(debug_assertions)]
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[cfg(debug_assertions)]
    tokio::task_local! {
        static STATEMENTS: AtomicUsize;
    }

    /// Notes a statement, where the work that runs it is counted.
    pub fn note() {
        #[cfg(debug_assertions)]
        let _ = STATEMENTS.try_with(|count| count.fetch_add(1, Ordering::Relaxed));
    }

    /// The outcome of work, and how many statements it has run in its own task.
    #[cfg(debug_assertions)]
    pub async fn counted<T>(work: impl Future<Output = T>) -> (T, usize) {
        let all = async {
            let value = work.await;
            let count = STATEMENTS.try_with(|count| count.load(Ordering::Relaxed));
            (value, count.unwrap_or_default())
        };
        STATEMENTS.scope(AtomicUsize::new(0), all).await
    }
}
