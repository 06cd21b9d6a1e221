//! Clients that hang up, at every moment of every kind of request, on a PostgreSQL that is 20 ms away.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use jiff::Timestamp;
use ruledesk::desk::actor::Role;
use ruledesk::store::people::Token;
use ruledesk::store::{Store, Target};
use serde_json::{Value, json};
use sqlx::Connection as _;

use super::proxy::Proxy;
use crate::support::client::Client;
use crate::support::components::example_rules;
use crate::support::desk::{Database, Desk, on_both};
use crate::support::place::migrated_database;
use crate::support::wait::until_within;

/// How far away the server is.
const DELAY: Duration = Duration::from_millis(20);
/// When clients leave, in milliseconds: while a connection is tested, while a transaction begins, reads, writes, commits.
const LEAVE_AFTER_MS: [u64; 8] = [10, 30, 50, 60, 70, 90, 130, 190];

/// How long a request may take in milliseconds, so that the server ends a transaction that only reads and stands still after thirty
/// seconds.
const REQUEST_MS: &str = "request-timeout-ms = 60000";
/// Less than that.
const PATIENCE: Duration = Duration::from_secs(20);

/// A desk on a PostgreSQL at this address, or on SQLite.
fn desk(database_url: Option<String>) -> Desk {
    let environment = database_url.into_iter().map(|url| ("DATABASE_URL", url)).collect();
    Desk::with_settings_and_environment(example_rules(), environment, |text| {
        text.replace("[server]\n", &format!("[server]\n{REQUEST_MS}\n"))
    })
}

/// A request as text: its method and path, whose it is, and its body.
fn request(head: &str, token: &str, media_type: &str, body: &str) -> String {
    format!(
        "{head} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn requests() -> Vec<String> {
    let json = "application/json";
    let ticket = r#"{"request_type":"question","subject":"x","body":"Please tell me.","fields":{"topic":"other"}}"#;
    vec![
        request("GET /api/v1/tickets/IT-1", "demo-kofi", json, ""),
        request("GET /api/v1/tickets", "demo-kofi", json, ""),
        request("GET /api/v1/tickets/IT-1/timeline", "demo-kofi", json, ""),
        request("GET /api/v1/tickets/IT-1/explain", "demo-kofi", json, ""),
        request("POST /api/v1/tickets", "demo-amara", json, ticket),
        request("POST /api/v1/tickets/IT-1/comments", "demo-kofi", json, r#"{"body":"x"}"#),
        request("PUT /api/v1/tables/hung?why=x", "demo-mei", "text/csv", "k,v\na,1\n"),
        request("GET /api/v1/access-requests", "demo-lena", json, ""),
    ]
}

/// All routes that read, as the desk's own document has them. Most are about a thing that is not there, which is looked for.
fn reads(desk: &Desk) -> Vec<String> {
    let document = desk.stranger().get("/openapi.json").expect(200);
    let routes = document["paths"].as_object().unwrap();
    let paths = routes.iter().filter(|(_, methods)| methods.get("get").is_some()).map(|(path, _)| path);
    paths.map(|path| request(&format!("GET {}", filled(path)), "demo-mei", "application/json", "")).collect()
}

/// A route's path with things in it.
fn filled(path: &str) -> String {
    let key = if path.starts_with("/api/v1/articles") { "KB-1" } else { "IT-1" };
    let path = path.replace("{key}", key).replace("{id}", "01a22499-78cd-70d3-9968-a16ee98dd302");
    let parts = path.split('/').map(|part| if part.starts_with('{') { "teams" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// All routes that write, with the document's own examples of their bodies, and those of before, which are right.
fn writes(desk: &Desk) -> Vec<String> {
    let document = desk.stranger().get("/openapi.json").expect(200);
    let mut all: Vec<String> = requests().into_iter().filter(|request| !request.starts_with("GET ")).collect();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if method == "get" || path.ends_with("/backtest") {
                continue;
            }
            let body = match &operation["requestBody"]["content"]["application/json"]["example"] {
                Value::Null => String::new(),
                example => example.to_string(),
            };
            let head = format!("{} {}", method.to_uppercase(), filled(path));
            let plain = request(&head, "demo-mei", "application/json", &body);
            // Of a thing that is changed, any version is meant, where the route asks for one.
            let is_asked = |parameter: &Value| parameter["name"] == "If-Match";
            let asks = operation["parameters"].as_array().is_some_and(|all| all.iter().any(is_asked));
            all.push(if asks { plain.replacen("\r\n", "\r\nIf-Match: *\r\n", 1) } else { plain });
        }
    }
    all
}

/// A request whose sender waits is answered: those that are left are not refused before the database is asked.
fn is_answered(desk: &Desk, request: &str) {
    let mut client = TcpStream::connect(desk.url.strip_prefix("http://").unwrap()).unwrap();
    client.write_all(request.as_bytes()).unwrap();
    let mut begin = [0; 12];
    client.read_exact(&mut begin).unwrap();
    let status = String::from_utf8_lossy(&begin).into_owned();
    assert!(status.starts_with("HTTP/1.1 20"), "{status}: {request}");
}

/// Sends each request over and over, and leaves before the answer.
fn hang_up(desk: &Desk, requests: &[String]) {
    let address = desk.url.strip_prefix("http://").unwrap();
    for after in LEAVE_AFTER_MS {
        let clients: Vec<TcpStream> = requests
            .iter()
            .flat_map(|request| [request, request])
            .map(|request| {
                let mut client = TcpStream::connect(address).unwrap();
                client.write_all(request.as_bytes()).unwrap();
                client
            })
            .collect();
        std::thread::sleep(Duration::from_millis(after));
        drop(clients);
    }
}

/// More readers at once than the desk has connections idle, so that each of those is used.
const READERS: usize = 12;

/// Many read a ticket at once, and all of them find it; one whose token was taken back reads as often, and is refused.
fn all_find(kofi: &Client, path: &str, revoked: Option<&Client>) {
    std::thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(move || {
                if let Some(revoked) = revoked {
                    assert_eq!(revoked.get("/api/v1/tickets").status, 401);
                }
                kofi.get(path).expect(200);
            });
        }
    });
}

/// How many connections stand still within a transaction.
async fn left_within(url: &str) -> i64 {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let sql = "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'";
    let (count,): (i64,) = sqlx::query_as(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    count
}

#[test]
fn a_client_that_hangs_up_leaves_no_connection_within_a_transaction() {
    let url = migrated_database();
    let proxy = Proxy::before(&url, DELAY);
    let desk = desk(Some(proxy.url(&url)));
    let (amara, kofi, mei) = (desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("mei"));
    let body = json!({ "request_type": "question", "subject": "the first", "body": "Please tell me.", "fields": { "topic": "other" } });
    amara.post("/api/v1/tickets", &body).expect(201);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    requests().iter().for_each(|request| is_answered(&desk, request));
    let token = |hash: &str| Token {
        hash: ruledesk::app::tokens::hash(hash),
        person: "jonas".parse().unwrap(),
        roles: [Role::Requester].into(),
        label: String::new(),
        created_at: Timestamp::UNIX_EPOCH,
        expires_at: None,
        revoked_at: None,
    };
    for round in 0..3 {
        let secret = format!("rdk_{round}");
        hang_up(&desk, &requests());
        until_within(PATIENCE, "all connections to be outside of transactions", || {
            (runtime.block_on(left_within(&url)) == 0).then_some(())
        });
        // A connection with an old view of the database would take the token, and not have the ticket.
        runtime.block_on(async {
            let store = Store::open(&Target::Postgres(url.clone())).await.unwrap();
            store.add_token(&token(&secret), "root").await.unwrap();
            store.revoke_token(&token(&secret).hash, "root", Timestamp::UNIX_EPOCH).await.unwrap();
            store.close().await;
        });
        let mut revoked = desk.as_role("amara");
        revoked.token = Some(secret);
        let created = amara.post("/api/v1/tickets", &body).expect(201);
        let path = format!("/api/v1/tickets/{}", created["key"].as_str().unwrap());
        all_find(&kofi, &path, Some(&revoked));
        kofi.post(&format!("{path}/comments"), &json!({ "body": "x" })).expect(201);
        let table = mei.put_text(&format!("/api/v1/tables/kept-{round}?why=x"), "k,v\na,1\n", "text/csv");
        assert_eq!(table.status, 200, "{}", table.text);
    }
    let log = desk.log();
    let odd = ["already a transaction", "no transaction", "read-only transaction", "in progress"];
    let odd = log.iter().filter(|line| odd.iter().any(|text| line.to_string().contains(text)));
    assert_eq!(odd.collect::<Vec<_>>(), Vec::<&Value>::new());
}

#[test]
fn on_every_route_that_reads_a_client_may_hang_up() {
    let url = migrated_database();
    let proxy = Proxy::before(&url, DELAY);
    let desk = desk(Some(proxy.url(&url)));
    let amara = desk.as_role("amara");
    let body = json!({ "request_type": "question", "subject": "the first", "body": "Please tell me.", "fields": { "topic": "other" } });
    amara.post("/api/v1/tickets", &body).expect(201);
    let reads = reads(&desk);
    assert!(reads.len() > 60, "{} routes", reads.len());
    is_answered(&desk, &request("GET /api/v1/tickets", "demo-mei", "application/json", ""));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for some in reads.chunks(16) {
        hang_up(&desk, some);
        until_within(PATIENCE, "all connections to be outside of transactions", || {
            (runtime.block_on(left_within(&url)) == 0).then_some(())
        });
    }
    let created = amara.post("/api/v1/tickets", &body).expect(201);
    let path = format!("/api/v1/tickets/{}", created["key"].as_str().unwrap());
    all_find(&desk.as_role("kofi"), &path, None);
}

/// SQLite says nothing of its transactions: one that is left would keep all others from writing, or would not see what is new.
#[test]
fn on_every_route_that_writes_a_client_may_hang_up() {
    on_both(|database| {
        let url = (database == Database::Postgres).then(migrated_database);
        let proxy = url.as_ref().map(|url| Proxy::before(url, DELAY));
        let desk = desk(url.as_ref().zip(proxy.as_ref()).map(|(url, proxy)| proxy.url(url)));
        let amara = desk.as_role("amara");
        let body = json!({ "request_type": "question", "subject": "the first", "body": "Please tell me.", "fields": { "topic": "other" } });
        amara.post("/api/v1/tickets", &body).expect(201);
        let writes = writes(&desk);
        assert!(writes.len() > 60, "{} routes", writes.len());
        writes.iter().take(3).for_each(|request| is_answered(&desk, request));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for some in writes.chunks(16) {
            hang_up(&desk, some);
            if let Some(url) = &url {
                until_within(PATIENCE, "all connections to be outside of transactions", || {
                    (runtime.block_on(left_within(url)) == 0).then_some(())
                });
            }
            let created = amara.post("/api/v1/tickets", &body).expect(201);
            let path = format!("/api/v1/tickets/{}", created["key"].as_str().unwrap());
            all_find(&desk.as_role("kofi"), &path, None);
        }
    });
}
