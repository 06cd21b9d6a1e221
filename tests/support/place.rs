//! A desk as it is seen from outside: its address, its database, its folders, and the command line about it. It is the same
//! whether a process of its own serves it or the test's.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use ruledesk::store::db::Db;
use ruledesk::store::{Store, Target};
use tempfile::TempDir;

use super::client::Client;
use super::components::{PROGRAM, compiled, root};
use super::postgres;
use super::wait::{side_by_side, until};

/// The name of the file of a database.
const SQLITE_FILE: &str = "ruledesk.db";

/// Which database a desk keeps its tickets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// A test's body, once on each database.
pub fn on_both(test: impl Fn(Database)) {
    for database in [Database::Sqlite, Database::Postgres] {
        test(database);
    }
}

/// The same at the same time, for a test that mostly waits.
pub fn on_both_at_once(test: impl Fn(Database) + Sync) {
    side_by_side(&[Database::Sqlite, Database::Postgres], |database| test(*database));
}

/// Where a desk is and what it works on. It outlives the process, or the part of one, that serves it.
pub struct Place {
    /// The address that it is served at; empty while nothing serves it.
    pub url: String,
    /// Its rules directory, which the test may change.
    pub rules: PathBuf,
    pub(super) config: PathBuf,
    pub(super) data: TempDir,
    pub(super) database: Option<String>,
    /// Variables in the environment of its process.
    pub(super) environment: Vec<(&'static str, String)>,
    /// The largest file that its process may write, in units of 512 bytes.
    pub(super) file_blocks_max: Option<u64>,
}

impl Place {
    /// A configuration, with a copy of these rules and a database without tickets.
    pub(super) fn new(database: Database, rules: &Path, config: &Path) -> Place {
        let data = TempDir::new().unwrap();
        let own = data.path().join("rules");
        copy(rules, &own);
        let database = match database {
            Database::Postgres => Some(migrated_database()),
            Database::Sqlite => {
                let folder = data.path().join("data");
                DirBuilder::new().mode(0o700).create(&folder).unwrap();
                put_migrated_file(&folder.join(SQLITE_FILE));
                None
            }
        };
        let (url, environment) = (String::new(), Vec::new());
        Place { url, rules: own, config: config.to_owned(), data, database, environment, file_blocks_max: None }
    }

    /// The demo organisation: a copy, so that a test may change any file of it.
    pub fn demo(database: Database, rules: &Path) -> Place {
        let mut place = Place::new(database, rules, &root().join("host/demo"));
        place.config = place.data.path().join("config");
        copy_demo(&place.config);
        place
    }

    /// The demo organisation with its `desk.toml` changed.
    pub fn with_settings(database: Database, rules: &Path, change: impl FnOnce(String) -> String) -> Place {
        let place = Place::demo(database, rules);
        let text = std::fs::read_to_string(place.settings()).unwrap();
        std::fs::write(place.settings(), change(text)).unwrap();
        place
    }

    /// The same without a table in its database, as no program has been started on it yet.
    pub fn before_its_first_start(self) -> Place {
        let database = self.database.as_ref().map(|_| postgres::fresh_database());
        if database.is_none() {
            std::fs::remove_dir_all(self.data_dir()).unwrap();
        }
        Place { database, ..self }
    }

    /// Another host of the same desk: the same server and configuration, with a rules directory and data of its own.
    pub(super) fn beside(&self) -> Place {
        let database = self.database.clone();
        assert!(database.is_some(), "hosts share a PostgreSQL");
        let data = TempDir::new().unwrap();
        let rules = data.path().join("rules");
        copy(&self.rules, &rules);
        // Hosts are machines of their own: each compiles for itself.
        let cache = data.path().join("cache").to_string_lossy().into_owned();
        let (config, environment) = (self.config.clone(), vec![("RULEDESK_CACHE", cache)]);
        Place { url: String::new(), rules, config, data, database, environment, file_blocks_max: None }
    }

    /// Nothing at all, to be left behind where a place is taken.
    pub(super) fn nowhere() -> Place {
        let (url, rules, config) = (String::new(), PathBuf::new(), PathBuf::new());
        let data = TempDir::new().unwrap();
        Place { url, rules, config, data, database: None, environment: Vec::new(), file_blocks_max: None }
    }

    /// Starts its next process with these variables.
    pub fn set_environment(&mut self, environment: Vec<(&'static str, String)>) {
        self.environment = environment;
    }

    /// The file `desk.toml` of its configuration.
    pub fn settings(&self) -> PathBuf {
        self.config.join("desk.toml")
    }

    pub fn data_dir(&self) -> PathBuf {
        self.data.path().join("data")
    }

    /// Where its store is.
    pub fn target(&self) -> Target {
        match &self.database {
            Some(url) => Target::Postgres(url.clone()),
            None => Target::Sqlite(self.data_dir().join(SQLITE_FILE)),
        }
    }

    /// Waits until tickets are asked of a rule, which is some time after the desk has read it.
    pub fn until_active(&self, rule: &str) {
        until(&format!("{rule} to be active"), || {
            let listed = self.as_role("kofi").get("/api/v1/rules").json();
            let is_active = |one: &serde_json::Value| one["name"] == rule && one["state"] == "active";
            let active = listed["rules"].as_array()?.iter().any(is_active);
            (active && listed["revision"]["serving"] == listed["revision"]["wanted"]).then_some(())
        });
    }

    /// A client with a person's demo token.
    pub fn as_role(&self, person: &str) -> Client {
        Client { url: self.url.clone(), token: Some(format!("demo-{person}")), headers: Vec::new() }
    }

    /// A client with a token of its own for a person.
    pub fn with_roles(&self, person: &str, roles: &str) -> Client {
        let output = self.command(&["token", person, "--roles", roles]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        Client { url: self.url.clone(), token: Some(token), headers: Vec::new() }
    }

    /// A client without a token.
    pub fn stranger(&self) -> Client {
        Client { url: self.url.clone(), token: None, headers: Vec::new() }
    }

    /// The program, with what it needs to find this desk.
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).arg("--config").arg(&self.config).arg("--rules").arg(&self.rules);
        command.arg("--data").arg(self.data_dir());
        command.env_remove("DATABASE_URL").env("RULEDESK_CACHE", compiled());
        if let Some(database) = &self.database {
            command.env("DATABASE_URL", database);
        }
        command
    }

    /// A command of the program about this desk, run beside it to its end.
    pub fn command(&self, arguments: &[&str]) -> Output {
        self.program(arguments).output().unwrap()
    }

    /// A command to this desk at its address, in the name of a person of the demo.
    pub fn asked(&self, person: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).args(["--url", &self.url, "--token", &format!("demo-{person}")]);
        command.env_remove("DATABASE_URL").env_remove("RULEDESK_CONFIG").output().unwrap()
    }

    /// The words of such a command that does what it is asked to.
    pub fn answered(&self, person: &str, arguments: &[&str]) -> String {
        let output = self.asked(person, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a statement on its PostgreSQL, as an intruder who gets past the desk would.
    pub fn sql(&self, statement: &'static str) {
        use sqlx::{Connection as _, Executor as _};
        let database = self.database.as_ref().expect("the desk is on PostgreSQL");
        in_runtime(async {
            let mut connection = sqlx::PgConnection::connect(database).await.unwrap();
            connection.execute(statement).await.unwrap();
            connection.close().await.unwrap();
        });
    }

    /// The number that a statement reads from its database.
    pub fn number(&self, sql: &str) -> i64 {
        in_runtime(async {
            let db = match self.target() {
                Target::Sqlite(file) => Db::open_sqlite(&file).await.unwrap(),
                Target::Postgres(url) => Db::open_postgres(&url).await.unwrap(),
            };
            let rows = db.all(sql, Vec::new()).await.unwrap();
            db.close().await;
            rows[0].int(0).unwrap()
        })
    }

    /// How many rows each table of its database has.
    pub fn rows(&self) -> BTreeMap<String, i64> {
        const SQLITE: &str = "select name from sqlite_master where type = 'table'";
        const POSTGRES: &str = "select table_name::text from information_schema.tables where table_schema = 'public'";
        in_runtime(async {
            let (db, tables) = match self.target() {
                Target::Sqlite(file) => (Db::open_sqlite(&file).await.unwrap(), SQLITE),
                Target::Postgres(url) => (Db::open_postgres(&url).await.unwrap(), POSTGRES),
            };
            let mut rows = BTreeMap::new();
            for table in db.all(tables, Vec::new()).await.unwrap() {
                let table = table.text(0).unwrap();
                let count = db.all(&format!("select count(*) from {table}"), Vec::new()).await.unwrap();
                rows.insert(table, count[0].int(0).unwrap());
            }
            db.close().await;
            rows
        })
    }
}

/// A PostgreSQL database as a desk without tickets leaves it.
pub fn migrated_database() -> String {
    postgres::prepared_database(|url| migrate(Target::Postgres(url.to_owned())))
}

/// Puts a SQLite database as a desk without tickets leaves it at a place where there is none, for its owner alone. The schema is made
/// once: a copy takes a fraction of the time.
pub fn put_migrated_file(file: &Path) {
    static PREPARED: OnceLock<Vec<u8>> = OnceLock::new();
    let prepared = PREPARED.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let made = folder.path().join(SQLITE_FILE);
        migrate(Target::Sqlite(made.clone()));
        let log = std::fs::metadata(made.with_extension("db-wal")).map_or(0, |log| log.len());
        assert_eq!(log, 0, "all of it is in the one file when the database is closed");
        std::fs::read(made).unwrap()
    });
    let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).unwrap();
    made.write_all(prepared).unwrap();
}

/// Brings a database to the schema of today and closes it.
fn migrate(target: Target) {
    let migrate = move || in_runtime(async move { Store::open(&target).await.unwrap().close().await });
    // On a thread of its own: where a test asks, a runtime may be there already.
    std::thread::spawn(migrate).join().unwrap();
}

/// Waits for what is done on a runtime of its own.
pub fn in_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Copies the demo organisation. The copy has no holidays, since tests go by the present: the hours of the desk are those of the
/// week, on each day of the year.
pub fn copy_demo(to: &Path) {
    copy(&root().join("host/demo"), to);
    let settings = to.join("desk.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let (before, holidays) = text.split_once("holidays = [").unwrap();
    let after = &holidays[holidays.find(']').unwrap()..];
    std::fs::write(&settings, format!("{before}holidays = [{after}")).unwrap();
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
