//! The real program, serving on a port of its own, and clients that talk to it by role.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ruledesk::store::Target;
use ruledesk::store::db::Db;
use serde_json::Value;
use tempfile::TempDir;

use super::components::{PROGRAM, compiled, example_rules, root};
use super::postgres;
use super::wait::until;

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

/// A running desk. Dropping it kills it, as unkindly as a power cut.
pub struct Desk {
    child: Child,
    pub url: String,
    pub rules: PathBuf,
    place: Place,
}

/// What outlives a desk's process.
pub struct Place {
    data: TempDir,
    database: Option<String>,
    rules: PathBuf,
    config: PathBuf,
    environment: Vec<(&'static str, String)>,
    /// The largest file that the process may write, in units of 512 bytes.
    file_blocks_max: Option<u64>,
}

/// Runs a program that cannot write beyond a file's limit; it gets an error, as from a full disk, and no signal.
const WITH_A_FULL_DISK: &str = "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"";

impl Desk {
    /// The demo organisation with the example rules.
    pub fn demo(database: Database) -> Desk {
        Desk::with_rules(database, example_rules())
    }

    /// The demo organisation with a copy of these rules, which the test may change.
    pub fn with_rules(database: Database, rules: &Path) -> Desk {
        Desk::place(database, rules, &root().join("host/demo"), Vec::new())
    }

    /// The same with variables in the environment of its process.
    pub fn with_environment(database: Database, rules: &Path, environment: Vec<(&'static str, String)>) -> Desk {
        Desk::place(database, rules, &root().join("host/demo"), environment)
    }

    /// An organisation of the test's own, with a copy of these rules.
    pub fn with_config(database: Database, rules: &Path, config: &Path) -> Desk {
        Desk::place(database, rules, config, Vec::new())
    }

    fn place(database: Database, rules: &Path, config: &Path, environment: Vec<(&'static str, String)>) -> Desk {
        let data = TempDir::new().unwrap();
        let own = data.path().join("rules");
        copy(rules, &own);
        let database = (database == Database::Postgres).then(postgres::fresh_database);
        let place = Place { data, database, rules: own, config: config.to_owned(), environment, file_blocks_max: None };
        Desk::start(place)
    }

    /// The demo organisation with its `desk.toml` changed, and a copy of these rules.
    pub fn with_settings(database: Database, rules: &Path, change: impl FnOnce(String) -> String) -> Desk {
        let data = TempDir::new().unwrap();
        let (own, config) = (data.path().join("rules"), data.path().join("config"));
        copy(rules, &own);
        copy(&root().join("host/demo"), &config);
        let file = config.join("desk.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, change(text)).unwrap();
        let database = (database == Database::Postgres).then(postgres::fresh_database);
        Desk::start(Place { data, database, rules: own, config, environment: Vec::new(), file_blocks_max: None })
    }

    /// Another host of the same desk: the same server and configuration, with a rules directory and data of its own.
    pub fn beside(&self) -> Desk {
        let database = self.place.database.clone();
        assert!(database.is_some(), "hosts share a PostgreSQL");
        let data = TempDir::new().unwrap();
        let rules = data.path().join("rules");
        copy(&self.rules, &rules);
        // Hosts are machines of their own: each compiles for itself.
        let cache = data.path().join("cache").to_string_lossy().into_owned();
        Desk::start(Place {
            data,
            database,
            rules,
            config: self.place.config.clone(),
            environment: vec![("RULEDESK_CACHE", cache)],
            file_blocks_max: None,
        })
    }

    fn start(place: Place) -> Desk {
        let log = std::fs::File::options().create(true).append(true).open(place.data.path().join("log")).unwrap();
        let mut command = match place.file_blocks_max {
            None => Command::new(PROGRAM),
            Some(blocks) => {
                let mut command = Command::new("sh");
                command.args(["-c", WITH_A_FULL_DISK, "sh", &blocks.to_string(), PROGRAM]);
                command
            }
        };
        command
            .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--config"])
            .arg(&place.config)
            .arg("--rules")
            .arg(&place.rules)
            .arg("--data")
            .arg(place.data.path().join("data"))
            .env_remove("DATABASE_URL")
            .env("RULEDESK_CACHE", compiled())
            .envs(place.environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(log);
        if let Some(database) = &place.database {
            command.env("DATABASE_URL", database);
        }
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = loop {
            let line = lines.next().expect("the desk says where it serves").unwrap();
            if let Some((_, url)) = line.split_once(" on http://") {
                break format!("http://{}", url.trim());
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        let desk = Desk { child, url, rules: place.rules.clone(), place };
        until("the desk to be ready", || (desk.as_role("mei").get("/readyz").status == 200).then_some(()));
        desk
    }

    /// Kills the process (SIGKILL) and starts another on the same data.
    pub fn crash_and_restart(self) -> Desk {
        Desk::start(self.crash())
    }

    /// Kills the process and starts another that finds the disk full where a file gets larger than so many bytes.
    pub fn restart_with_a_full_disk(self, file_bytes_max: u64) -> Desk {
        let place = self.crash();
        Desk::start(Place { file_blocks_max: Some(file_bytes_max / 512), ..place })
    }

    /// Kills the process (SIGKILL) and starts no other yet.
    pub fn crash(mut self) -> Place {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let (data, rules, config) = (TempDir::new().unwrap(), PathBuf::new(), PathBuf::new());
        let empty = Place { data, database: None, rules, config, environment: Vec::new(), file_blocks_max: None };
        std::mem::replace(&mut self.place, empty)
    }

    /// Runs a statement on the desk's PostgreSQL, as somebody who gets past the desk.
    pub fn sql(&self, statement: &'static str) {
        use sqlx::{Connection as _, Executor as _};
        let database = self.place.database.as_ref().expect("the desk is on PostgreSQL");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = sqlx::PgConnection::connect(database).await.unwrap();
            connection.execute(statement).await.unwrap();
            connection.close().await.unwrap();
        });
    }

    /// How many rows each table of its database has.
    pub fn rows(&self) -> BTreeMap<String, i64> {
        const SQLITE: &str = "select name from sqlite_master where type = 'table'";
        const POSTGRES: &str = "select table_name::text from information_schema.tables where table_schema = 'public'";
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
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

    /// A client with somebody's demo token.
    pub fn as_role(&self, person: &str) -> Client {
        Client { url: self.url.clone(), token: Some(format!("demo-{person}")), headers: Vec::new() }
    }

    /// A client with a token of its own for somebody.
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

    /// Another command of the program about this desk, run beside it to its end.
    pub fn command(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).arg("--config").arg(&self.place.config).arg("--rules").arg(&self.place.rules);
        command.arg("--data").arg(self.place.data.path().join("data"));
        command.env_remove("DATABASE_URL").env("RULEDESK_CACHE", compiled());
        if let Some(database) = &self.place.database {
            command.env("DATABASE_URL", database);
        }
        command.output().unwrap()
    }

    /// Tells the process to stop (SIGTERM) and waits until it has.
    pub fn stop(&mut self) {
        let told = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().unwrap();
        assert!(told.success());
        assert!(self.child.wait().unwrap().success());
    }

    /// What it has logged so far: a JSON object a line, as it is written where there is no terminal.
    pub fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.place.data.path().join("log")).unwrap();
        // The last line may be half written.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Where its store is.
    pub fn target(&self) -> Target {
        match &self.place.database {
            Some(url) => Target::Postgres(url.clone()),
            None => Target::Sqlite(self.place.data.path().join("data/ruledesk.db")),
        }
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Place {
    /// Starts a process on what another has left.
    pub fn start(self) -> Desk {
        Desk::start(self)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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

/// Somebody who talks to a desk.
#[derive(Debug, Clone)]
pub struct Client {
    url: String,
    pub token: Option<String>,
    headers: Vec<(&'static str, String)>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub etag: Option<String>,
    /// Where the next page of a list is.
    pub link: Option<String>,
    pub media_type: String,
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// The body as JSON, of an answer that must have this status.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }
}

impl Client {
    /// The same client, sending another header.
    pub fn with(&self, name: &'static str, value: &str) -> Client {
        let mut client = self.clone();
        client.headers.push((name, value.to_owned()));
        client
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    /// The status, and a body that need not be text.
    pub fn get_bytes(&self, path: &str) -> (u16, Vec<u8>) {
        let mut response = self.response("GET", path, None);
        let body = response.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap();
        (response.status().as_u16(), body)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send_text(path, &body.to_string(), "application/json")
    }

    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.with("content-type", "application/json").send("PATCH", path, Some(body.to_string().as_bytes()))
    }

    pub fn send_text(&self, path: &str, body: &str, media_type: &str) -> Answer {
        self.with("content-type", media_type).send("POST", path, Some(body.as_bytes()))
    }

    /// Sends the parts of a form (`multipart/form-data`), each by its name and with a file name that means nothing.
    pub fn send_parts(&self, path: &str, parts: &[(&str, &[u8])]) -> Answer {
        let boundary = "a-line-that-no-rule-contains";
        let mut body = Vec::new();
        for (name, bytes) in parts {
            let head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"../../../{name}\"\r\n\r\n"
            );
            body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
        }
        body.extend(format!("--{boundary}--\r\n").as_bytes());
        let media_type = format!("multipart/form-data; boundary={boundary}");
        self.with("content-type", &media_type).send("POST", path, Some(&body))
    }

    pub fn send_bytes(&self, path: &str, body: &[u8]) -> Answer {
        self.with("content-type", "application/json").send("POST", path, Some(body))
    }

    pub fn put_text(&self, path: &str, body: &str, media_type: &str) -> Answer {
        self.with("content-type", media_type).send("PUT", path, Some(body.as_bytes()))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    /// A request with any method.
    pub fn send(&self, method: &str, path: &str, body: Option<&[u8]>) -> Answer {
        let mut response = self.response(method, path, body);
        let header = |name| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        let (etag, link, media_type) = (header("etag"), header("link"), header("content-type").unwrap_or_default());
        let status = response.status().as_u16();
        let text = response.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
        Answer { status, etag, link, media_type, text }
    }

    fn response(&self, method: &str, path: &str, body: Option<&[u8]>) -> ureq::http::Response<ureq::Body> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let response = match body {
            Some(body) => agent.run(request.body(body).unwrap()),
            None => agent.run(request.body(()).unwrap()),
        };
        response.unwrap()
    }
}
