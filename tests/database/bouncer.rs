//! PgBouncer in transaction mode between the desk and PostgreSQL: each transaction may be on another connection.

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};
use std::thread;

use ruledesk::store::{Error, Store, Target};
use serde_json::json;
use tempfile::TempDir;

use super::proxy::{database, folder};
use crate::support::components::example_rules;
use crate::support::desk::{Database, Desk};
use crate::support::peers::port;
use crate::support::postgres::{self, unprivileged};
use crate::support::wait::until;

/// A PgBouncer in front of a database of the tests' cluster.
struct Bouncer {
    child: Child,
    url: String,
    _dir: TempDir,
}

impl Bouncer {
    fn before(server: &str, connections: usize) -> Bouncer {
        let dir = TempDir::new().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let port = port::own();
        let (name, socket) = (database(server), folder(server));
        let ini = format!(
            "[databases]\n{name} = host={} dbname={name} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n\
             default_pool_size = {connections}\nmax_client_conn = 200\n",
            socket.display()
        );
        let file = dir.path().join("pgbouncer.ini");
        std::fs::write(&file, ini).unwrap();
        let program = "/usr/sbin/pgbouncer";
        let child = unprivileged(program.as_ref()).arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.expect("install pgbouncer to run these tests");
        until("PgBouncer to listen", || TcpStream::connect(("127.0.0.1", port)).ok().map(drop));
        Bouncer { child, url: format!("postgres://postgres@127.0.0.1:{port}/{name}"), _dir: dir }
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn two_desks_work_behind_pgbouncer_in_transaction_mode() {
    let server = postgres::fresh_database();
    let bouncer = Bouncer::before(&server, 3);
    let url = format!("{}?statement-cache-capacity=0", bouncer.url);
    let start = || Desk::with_environment(Database::Sqlite, example_rules(), vec![("DATABASE_URL", url.clone())]);
    let (mut one, mut other) = (start(), start());
    let desks = [&one, &other];
    thread::scope(|scope| {
        for client in 0..8 {
            let desk = desks[client % 2];
            scope.spawn(move || {
                for n in 0..6 {
                    let subject = format!("client {client}, number {n}");
                    let body = json!({ "request_type": "question", "subject": subject, "body": "Please tell me.", "fields": { "topic": "other" } });
                    let created = desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
                    let path = format!("/api/v1/tickets/{}/comments", created["key"].as_str().unwrap());
                    desk.as_role("kofi").post(&path, &json!({ "body": "x" })).expect(201);
                }
            });
        }
    });
    for desk in desks {
        let page = desk.as_role("kofi").get("/api/v1/tickets?limit=200").expect(200);
        assert_eq!(page["tickets"].as_array().unwrap().len(), 48, "{page}");
    }
    // No notices come through: the other desk finds out by asking.
    let revision = |desk: &Desk| desk.as_role("mei").get("/api/v1/rules").expect(200)["revision"]["serving"].clone();
    let before = revision(&other);
    one.as_role("mei").post("/api/v1/rules/tidy-text/suspend", &json!({ "why": "x" })).expect(200);
    until("the other desk to follow", || (revision(&other) != before).then_some(()));
    one.stop();
    other.stop();
}

#[tokio::test]
async fn without_the_option_it_is_said_what_to_set() {
    let server = postgres::fresh_database();
    let bouncer = Bouncer::before(&server, 1);
    // Whether a start meets a name that is taken depends on the server's connection that it is given: a new one has none.
    let mut errors = Vec::new();
    while !errors.iter().any(|error| matches!(error, Error::Pooled)) {
        assert!(errors.len() < 5, "no start says what to set: {errors:?}");
        errors.extend(Store::open(&Target::Postgres(bouncer.url.clone())).await.err());
    }
    let told = errors.pop().unwrap().to_string();
    assert!(told.contains("statement-cache-capacity=0"), "{told}");
}
