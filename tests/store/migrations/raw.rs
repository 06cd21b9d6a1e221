//! Databases as programs of earlier schemas left them, written past the store.

use std::fs;

use ruledesk::store::Target;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, SqlSafeStr as _, SqliteConnection};

use crate::support::components::root;

/// The newest schema that has rows of its own here. What comes later is tried by migrating these.
pub const SCHEMA_MAX: i64 = 7;

/// A connection that knows nothing of the store.
pub enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    pub async fn to(target: &Target) -> Raw {
        match target {
            Target::Sqlite(file) => {
                let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
                Raw::Sqlite(options.journal_mode(SqliteJournalMode::Wal).connect().await.unwrap())
            }
            Target::Postgres(url) => Raw::Postgres(PgConnection::connect(url).await.unwrap()),
        }
    }

    pub async fn migrate(&mut self, schema: i64) {
        let folder = root().join("migrations").join(match self {
            Raw::Sqlite(_) => "sqlite",
            Raw::Postgres(_) => "postgres",
        });
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let migrations = files.iter().zip(1..=schema).map(|(file, number)| {
            let text = AssertSqlSafe(fs::read_to_string(file).unwrap()).into_sql_str();
            Migration::new(number, "of old".into(), MigrationType::Simple, text, false)
        });
        let migrator = Migrator::with_migrations(migrations.collect());
        match self {
            Raw::Sqlite(connection) => migrator.run(connection).await.unwrap(),
            Raw::Postgres(connection) => migrator.run(connection).await.unwrap(),
        }
    }

    pub async fn write(&mut self, rows: &str) {
        match self {
            Raw::Sqlite(connection) => {
                sqlx::raw_sql(AssertSqlSafe(for_sqlite(rows))).execute(connection).await.unwrap();
            }
            Raw::Postgres(connection) => {
                sqlx::raw_sql(AssertSqlSafe(rows.to_owned())).execute(connection).await.unwrap();
            }
        }
    }

    /// How many migrations are applied; none while that cannot be said.
    pub async fn applied(&mut self) -> i64 {
        const COUNT: &str = "select count(*) from _sqlx_migrations";
        let count = match self {
            Raw::Sqlite(connection) => sqlx::query_scalar(COUNT).fetch_one(connection).await,
            Raw::Postgres(connection) => sqlx::query_scalar(COUNT).fetch_one(connection).await,
        };
        count.unwrap_or_default()
    }

    pub async fn close(self) {
        match self {
            Raw::Sqlite(connection) => connection.close().await.unwrap(),
            Raw::Postgres(connection) => connection.close().await.unwrap(),
        }
    }
}

/// PostgreSQL's text with SQLite's literals for ids and bytes.
fn for_sqlite(rows: &str) -> String {
    const ID_CHARS: usize = 36;
    let mut text = rows.replace("bytea'\\x", "X'");
    while let Some(at) = text.find("uuid'") {
        let id = at + "uuid'".len();
        let hex = text[id..id + ID_CHARS].replace('-', "");
        text.replace_range(at..id + ID_CHARS, &format!("X'{hex}"));
    }
    text
}

/// The rows that a program of a schema wrote.
fn rows(schema: i64) -> String {
    fs::read_to_string(root().join(format!("tests/store/migrations/fixtures/rows-{schema}.sql"))).unwrap()
}

/// Makes a database live through all schemas up to one: each migration, and after it the rows of its time.
pub async fn fill(target: &Target, schema: i64) {
    let mut raw = Raw::to(target).await;
    for n in 1..=schema {
        raw.migrate(n).await;
        raw.write(&rows(n)).await;
    }
    raw.close().await;
}
