//! PostgreSQL: connections that never go back to their pool within a transaction, waits with bounds, and servers that stand
//! between the desk and the database.

use std::str::FromStr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Postgres};

use super::Lane;
use super::apart;
use super::arguments::{Arg, bind_postgres};
use super::limits::{Limits, WRITERS};
use super::reach::{self, Reach};
use super::retry::Tries;
use crate::store::Error;

/// Prepared statements that a connection keeps.
const STATEMENTS_KEPT: usize = 256;
/// How long a server that starts together with the desk is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// What the desk allows beyond the server's own limit before it gives a connection up: only a server that stands still, or a
/// network that is cut, takes so long.
const GRACE: Duration = Duration::from_secs(1);
/// The option in the database's URL that says how many prepared statements a connection keeps (sqlx's name for it).
const STATEMENTS_OPTION: &str = "statement-cache-capacity";
/// The advisory lock of migrations, held for a transaction.
const MIGRATION_LOCK: i64 = 0x7275_6c65_6465_736b;
/// After how many seconds the server gives up a connection whose other end is gone; where the server has no such settings,
/// its operating system's apply.
const KEEPALIVE: &str = "set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3; \
                         set tcp_user_timeout = 10000";
/// How often the server looks, in the middle of a statement, whether its other end is still there, in milliseconds: a search that was
/// called off ends there soon, and not at its limit. Servers have it since version 14.
const LOOKS_FOR_ITS_END: &str = "set client_connection_check_interval = 500";

/// A PostgreSQL server. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Server {
    write: PgPool,
    quick: PgPool,
    lists: PgPool,
    /// For notices, which keep a connection for themselves.
    notices: PgPool,
    reach: Reach,
    limits: Limits,
    /// Whether each transaction may be on another of the server's connections, as behind PgBouncer in transaction mode.
    /// Then no prepared statement has a name, and every statement is within a transaction.
    pub(super) shared: bool,
}

/// How a transaction begins.
#[derive(Debug, Clone, Copy)]
pub enum Begin {
    Writing,
    Reading,
    /// For statements whose order an index has: nothing is sorted that can be walked through. PostgreSQL sorts what it
    /// believes to be little, and believes what its statistics said some time ago.
    Walking,
    /// For statements whose plan depends on what they are given: it is made for each, never once for all.
    Searching,
    /// For a command that reads the whole history.
    LongReading,
}

impl Server {
    /// Connects, and waits a while for a server that is starting.
    pub async fn open(url: &str, limits: Limits) -> Result<Server, Error> {
        // Of all values only whole numbers are sent, which the option for digits does not concern; and PgBouncer refuses it.
        let mut options = PgConnectOptions::from_str(url)?.extra_float_digits(None);
        let kept = statements_kept(url);
        if kept.is_none() {
            options = options.statement_cache_capacity(STATEMENTS_KEPT);
        }
        let shared = kept == Some(0);
        reach::first(&options, PATIENCE).await?;
        let (quick, lists) = limits.shares();
        let pool =
            |connections, idle| pool(&options, connections, (!shared).then(|| own_limits(&limits, idle)), &limits);
        Ok(Server {
            write: pool(WRITERS, limits.idle_writing),
            quick: pool(quick, limits.idle_reading),
            lists: pool(lists, limits.idle_reading),
            notices: pool(1, limits.idle_reading),
            reach: Reach::watch(options.clone()),
            limits,
            shared,
        })
    }

    /// Whether the server can be reached, as far as is known.
    pub fn check(&self) -> Result<(), Error> {
        self.reach.check()
    }

    /// How long a write that waits behind slow ones may have waited and be begun still.
    pub fn patience(&self) -> Duration {
        self.limits.turn
    }

    /// Lets it be found out whether the server can be reached.
    pub fn doubt(&self) {
        self.reach.doubt();
    }

    /// The pool from which a listener takes its connection, where a connection is one.
    pub fn listening(&self) -> Option<&PgPool> {
        (!self.shared).then_some(&self.notices)
    }

    /// A connection, which waits for one no longer than it may, and not at all where the server is away.
    async fn hold(&self, lane: Lane) -> Result<Held, Error> {
        self.reach.check()?;
        let pool = match lane {
            Lane::Write => &self.write,
            Lane::Quick => &self.quick,
            Lane::Lists => &self.lists,
        };
        let acquired = tokio::select! {
            acquired = pool.acquire() => acquired.map_err(|error| self.doubtful(error.into()))?,
            away = self.reach.away() => return Err(away),
        };
        Ok(Held {
            connection: Some(acquired),
            state: State::Free,
            before: State::Free,
            limit: self.limits.statement + GRACE,
            named: !self.shared,
            reach: self.reach.clone(),
        })
    }

    fn doubtful(&self, error: Error) -> Error {
        if error.casts_doubt() {
            self.reach.doubt();
        }
        error
    }

    /// Begins a transaction. A future that is dropped meanwhile leaves nothing begun.
    pub async fn begin(&self, begin: Begin) -> Result<Held, Error> {
        let lane = match begin {
            Begin::Writing => Lane::Write,
            Begin::Reading => Lane::Quick,
            Begin::Walking | Begin::Searching | Begin::LongReading => Lane::Lists,
        };
        let mut tries = Tries::default();
        loop {
            // Nothing has been done before this, so it is tried again for every reason for which anything is.
            match self.begin_once(lane, begin).await {
                Err(error) if tries.again(&error).await => {}
                begun => return begun,
            }
        }
    }

    async fn begin_once(&self, lane: Lane, begin: Begin) -> Result<Held, Error> {
        let mut held = self.hold(lane).await?;
        held.limit = match begin {
            Begin::Writing | Begin::Reading | Begin::Walking | Begin::Searching => self.limits.statement + GRACE,
            Begin::LongReading => self.limits.long_statement + GRACE,
        };
        if let Err(error) = held.command(&self.beginning(begin), State::Within).await {
            // The first of its statements may have been done, and it is within a transaction that has failed: it goes back to no pool.
            held.state = State::Busy;
            return Err(error);
        }
        Ok(held)
    }

    /// The statement that begins a transaction. Limits are set within it where they are not the connection's own.
    fn beginning(&self, begin: Begin) -> String {
        const READING: &str = "begin isolation level repeatable read read only";
        const WALKING: &str = "begin isolation level repeatable read read only; set local enable_sort = off";
        const SEARCHING: &str =
            "begin isolation level repeatable read read only; set local plan_cache_mode = force_custom_plan";
        let Limits { lock, statement, long_statement, idle_writing, idle_reading, .. } = self.limits;
        let (begin, within) = match begin {
            Begin::Writing if !self.shared => return "begin".to_owned(),
            Begin::Reading if !self.shared => return READING.to_owned(),
            Begin::Walking if !self.shared => return WALKING.to_owned(),
            Begin::Searching if !self.shared => return SEARCHING.to_owned(),
            Begin::Writing => ("begin", [lock, statement, idle_writing]),
            Begin::Reading => (READING, [lock, statement, idle_reading]),
            Begin::Walking => (WALKING, [lock, statement, idle_reading]),
            Begin::Searching => (SEARCHING, [lock, statement, idle_reading]),
            Begin::LongReading => (READING, [lock, long_statement, idle_reading]),
        };
        format!("{begin}; {}", setting("set local", within))
    }

    /// All rows of a statement that reads. It is made in a task of its own, so that a request that is dropped does not cut it
    /// off: its connection goes back to its pool when the server has answered. One that is dropped before there is a connection for it
    /// is not made.
    pub async fn all(&self, lane: Lane, sql: &str, args: Vec<Arg>) -> Result<Vec<PgRow>, Error> {
        let (server, sql) = (self.clone(), sql.to_owned());
        let waits = Arc::new(());
        let asked = Arc::downgrade(&waits);
        apart(async move {
            let mut tries = Tries::default();
            loop {
                match server.all_once(lane, &sql, args.clone(), &asked).await {
                    Err(error) if tries.again(&error).await => {}
                    read => return read,
                }
            }
        })
        .await
    }

    async fn all_once(&self, lane: Lane, sql: &str, args: Vec<Arg>, asked: &Weak<()>) -> Result<Vec<PgRow>, Error> {
        let mut held = self.hold(lane).await?;
        if asked.strong_count() == 0 {
            return Err(Error::Stopped);
        }
        if !self.shared {
            return held.all(sql, args).await;
        }
        // Between two messages of one statement the server's connection must stay the same.
        if let Err(error) = held.command(&self.beginning(Begin::Reading), State::Within).await {
            held.state = State::Busy;
            return Err(error);
        }
        let rows = held.all(sql, args).await?;
        held.end().await?;
        Ok(rows)
    }

    /// The same for a statement that may take long.
    pub async fn all_of_history(&self, sql: &str, args: Vec<Arg>) -> Result<Vec<PgRow>, Error> {
        let (server, sql) = (self.clone(), sql.to_owned());
        apart(async move {
            let mut tries = Tries::default();
            loop {
                let read = async {
                    let mut held = server.begin(Begin::LongReading).await?;
                    let rows = held.all(&sql, args.clone()).await?;
                    held.end().await?;
                    Ok(rows)
                };
                match read.await {
                    Err(error) if tries.again(&error).await => {}
                    read => return read,
                }
            }
        })
        .await
    }

    /// Applies migrations in one transaction that takes as long as it takes. Of several hosts, one does and the others wait.
    ///
    /// # Errors
    ///
    /// Those of the migrator, and of the connection.
    pub async fn migrate(&self, migrator: &Migrator) -> Result<(), Error> {
        // Read committed, also where the server's default is another: who has waited must see what was done meanwhile. Zero is no
        // limit.
        let begin = format!("begin isolation level read committed; {}", setting("set local", [Duration::ZERO; 3]));
        let mut held = self.hold(Lane::Write).await?;
        let mut tx = held.start()?.begin_with(AssertSqlSafe(begin)).await?;
        tx.execute(AssertSqlSafe(format!("select pg_advisory_xact_lock({MIGRATION_LOCK})"))).await?;
        // The migrator gives its statements names, of which a shared connection may have some from others.
        const FORGET: &str = "deallocate all";
        if self.shared {
            tx.execute(FORGET).await?;
        }
        migrator.run(&mut *tx).await?;
        if self.shared {
            tx.execute(FORGET).await?;
        }
        let committed = tx.commit().await;
        held.finish(committed)
    }

    /// Closes all connections.
    pub async fn close(&self) {
        for pool in [&self.notices, &self.quick, &self.lists, &self.write] {
            pool.close().await;
        }
    }
}

/// How many prepared statements a URL asks for, if it does.
fn statements_kept(url: &str) -> Option<usize> {
    let (_, options) = url.split_once('?')?;
    let value =
        options.split('&').filter_map(|option| option.split_once('=')).rfind(|(key, _)| *key == STATEMENTS_OPTION);
    value.and_then(|(_, value)| value.parse().ok())
}

fn pool(options: &PgConnectOptions, connections: u32, own: Option<String>, limits: &Limits) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(limits.connection)
        .after_connect(move |connection, _| {
            let own = own.clone();
            Box::pin(async move {
                match own {
                    Some(own) => prepare(connection, own).await,
                    None => Ok(()),
                }
            })
        })
        .connect_lazy_with(options.clone())
}

/// The limits for locks, for statements, and for standing still within a transaction.
fn setting(set: &str, limits: [Duration; 3]) -> String {
    let [lock, statement, idle] = limits.map(|limit| limit.as_millis());
    format!(
        "{set} lock_timeout = {lock}; {set} statement_timeout = {statement}; \
         {set} idle_in_transaction_session_timeout = {idle}"
    )
}

fn own_limits(limits: &Limits, idle: Duration) -> String {
    setting("set", [limits.lock, limits.statement, idle])
}

/// Sets a connection's own limits.
async fn prepare(connection: &mut PgConnection, own: String) -> Result<(), sqlx::Error> {
    connection.execute(AssertSqlSafe(own)).await?;
    for wish in [KEEPALIVE, LOOKS_FOR_ITS_END] {
        match connection.execute(wish).await {
            Err(error @ sqlx::Error::Database(_)) => {
                tracing::debug!(%error, "the server does not let the desk say when it gives up a connection that is gone");
            }
            Ok(_) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Where a connection is with its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between two statements, in no transaction.
    Free,
    /// Between two statements of a transaction.
    Within,
    /// In the middle of something: where it is, only the server knows.
    Busy,
}

/// A connection that is taken from its pool. It goes back from between two statements and outside of a transaction, and from
/// nowhere else: one that was cut off within a statement is closed, and one within a transaction is rolled back before.
pub struct Held {
    /// `None` only while it is dropped.
    connection: Option<PoolConnection<Postgres>>,
    state: State,
    /// Where it was before what it is in the middle of.
    before: State,
    limit: Duration,
    named: bool,
    reach: Reach,
}

impl Held {
    /// All rows of a statement.
    pub async fn all(&mut self, sql: &str, args: Vec<Arg>) -> Result<Vec<PgRow>, Error> {
        let args = bind_postgres(args)?;
        let (limit, named) = (self.limit, self.named);
        let connection = self.start()?;
        let query = sqlx::query_with(AssertSqlSafe(sql), args).persistent(named).fetch_all(connection);
        let answered = within(limit, query).await;
        self.finish(answered)
    }

    /// Runs a statement; the number of rows that it changed.
    pub async fn execute(&mut self, sql: &str, args: Vec<Arg>) -> Result<u64, Error> {
        let args = bind_postgres(args)?;
        let (limit, named) = (self.limit, self.named);
        let connection = self.start()?;
        let query = sqlx::query_with(AssertSqlSafe(sql), args).persistent(named).execute(connection);
        let answered = within(limit, query).await;
        self.finish(answered).map(|done| done.rows_affected())
    }

    /// Commits. Without an answer from the server it is unknown whether that was done.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.command("commit", State::Free).await.map_err(|error| match error {
            Error::LostConnection(why) | Error::Slow(why) => Error::MayBeDone(why),
            other => other,
        })
    }

    /// Ends a transaction that has only read.
    pub async fn end(mut self) -> Result<(), Error> {
        self.command("commit", State::Free).await
    }

    /// Sends commands that have no arguments and give no rows; after them, the connection is in that state.
    async fn command(&mut self, sql: &str, after: State) -> Result<(), Error> {
        let limit = self.limit;
        let connection = self.start()?;
        let answered = within(limit, connection.execute(AssertSqlSafe(sql))).await;
        self.finish(answered)?;
        self.state = after;
        Ok(())
    }

    /// From here until [`Held::finish`], the state of the connection is unknown.
    fn start(&mut self) -> Result<&mut PgConnection, Error> {
        let connection = self.connection.as_deref_mut().ok_or(Error::Stopped)?;
        self.before = std::mem::replace(&mut self.state, State::Busy);
        Ok(connection)
    }

    /// What the server answered; where it did, the connection is where it was before.
    fn finish<T>(&mut self, answered: Result<T, sqlx::Error>) -> Result<T, Error> {
        let answered = match answered {
            Ok(value) => {
                self.state = self.before;
                return Ok(value);
            }
            Err(error) => {
                if matches!(error, sqlx::Error::Database(_) | sqlx::Error::ColumnDecode { .. }) {
                    self.state = self.before;
                }
                Error::from(error)
            }
        };
        if answered.casts_doubt() {
            self.state = State::Busy;
            self.reach.doubt();
        }
        Err(answered)
    }
}

/// The answer, or an error as of a connection that was lost, where none comes in time.
async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_) => {
            let late = format!("the server has not answered within {limit:?}");
            Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, late)))
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        match self.state {
            State::Free => {}
            State::Within => drop(tokio::spawn(async move {
                let rolled_back = within(GRACE, connection.execute("rollback")).await;
                if rolled_back.is_err() {
                    connection.close_on_drop();
                }
            })),
            State::Busy => connection.close_on_drop(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_says_how_many_prepared_statements_there_are() {
        assert_eq!(statements_kept("postgres://a@b/c"), None);
        assert_eq!(statements_kept("postgres://a@b/c?sslmode=disable"), None);
        assert_eq!(statements_kept("postgres://a@b/c?sslmode=disable&statement-cache-capacity=0"), Some(0));
        assert_eq!(statements_kept("postgres://a@b/c?statement-cache-capacity=7&host=/tmp"), Some(7));
    }
}
