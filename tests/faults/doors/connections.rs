//! Clients that open connections and send nothing, or that send much and may do nothing, keep no other client waiting.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use ruledesk::api::{self, Clients};
use ruledesk::app::jobs::stop::{Stopper, stop};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use crate::support::house::House;
use crate::support::place::{Database, on_both};

/// Longer than anything here takes, shorter than the server's own limits.
const PATIENCE: Duration = Duration::from_secs(25);
const PLACES: usize = 8;
/// Bytes of an answer that no buffer of a system holds.
const LARGE: usize = 128 << 20;

/// A server with few places and two routes: one answers at once, the other when the test says so.
async fn server() -> (SocketAddr, Arc<Notify>, Stopper, JoinHandle<()>) {
    server_for(PLACES.into()).await
}

/// The same that bears so much of its clients. A third route answers with more than any connection holds on its way.
async fn server_for(clients: Clients) -> (SocketAddr, Arc<Notify>, Stopper, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let release = Arc::new(Notify::new());
    let wait = Arc::clone(&release);
    let slow = get(async move || {
        wait.notified().await;
        "slow"
    });
    let large = get(async || "x".repeat(LARGE));
    let router = Router::new().route("/", get(async || "quick")).route("/slow", slow).route("/large", large);
    let (stopper, stop) = stop();
    let serving = tokio::spawn(api::serve(listener, router, clients, stop));
    (address, release, stopper, serving)
}

async fn connect(address: SocketAddr, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    stream
}

/// All that a server sends until it ends the connection.
async fn answer(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut text)).await.expect("an answer in time").unwrap();
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn half_sent_heads_make_room_and_requests_in_progress_stay() {
    let (address, release, _stopper, _serving) = server().await;
    let mut kept = connect(address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    kept.readable().await.unwrap();
    let slow = connect(address, "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let mut half = Vec::new();
    for _ in 0..5 * PLACES {
        half.push(connect(address, "GET / HTTP/1.1\r\nX-A: b\r\n").await);
    }
    let quick = connect(address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer(quick).await.ends_with("quick"));
    release.notify_one();
    assert!(answer(slow).await.ends_with("slow"));
    // A proxy's connection that has served before is still there.
    kept.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    assert_eq!(answer(kept).await.matches("quick").count(), 2);
    // The oldest of the others were ended to make room.
    assert_eq!(answer(half.remove(0)).await, "");
}

#[tokio::test]
async fn where_all_places_have_a_request_in_progress_the_next_waits_for_one() {
    let (address, release, _stopper, _serving) = server().await;
    let mut slow = Vec::new();
    for _ in 0..PLACES {
        slow.push(connect(address, "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await);
    }
    let quick = tokio::spawn(answer(connect(address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await));
    // Which of them is let go first is the server's business.
    let mut answers: JoinSet<String> = slow.into_iter().map(answer).collect();
    for _ in 0..PLACES {
        release.notify_one();
        assert!(answers.join_next().await.unwrap().unwrap().ends_with("slow"));
    }
    assert!(quick.await.unwrap().ends_with("quick"));
}

#[tokio::test]
async fn a_stop_waits_for_requests_and_not_for_half_of_one() {
    let (address, release, stopper, serving) = server().await;
    let half = connect(address, "GET / HTTP/1.1\r\nX-A: b\r\n").await;
    let kept = connect(address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    kept.readable().await.unwrap();
    let slow = connect(address, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    // A request that was answered afterwards shows that those before were read.
    let last = connect(address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer(last).await.ends_with("quick"));
    drop(stopper);
    assert_eq!(answer(half).await, "");
    assert!(!serving.is_finished());
    release.notify_one();
    assert!(answer(slow).await.ends_with("slow"));
    tokio::time::timeout(PATIENCE, serving).await.expect("an end in time").unwrap();
}

#[tokio::test]
async fn an_answer_that_is_not_read_ends_and_gives_back_its_place() {
    let clients = Clients { connections: 1, unread: Duration::from_secs(3) };
    let (address, _release, _stopper, _serving) = server_for(clients).await;
    let get_large = "GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut unread = connect(address, get_large).await;
    unread.readable().await.unwrap();
    // There is one place, and a request in progress is not pushed out: only the limit makes room.
    let quick = connect(address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer(quick).await.ends_with("quick"));
    let mut begun = Vec::new();
    let end = tokio::time::timeout(PATIENCE, unread.read_to_end(&mut begun)).await.expect("an end in time");
    assert!(!begun.is_empty() && begun.len() < LARGE, "{} bytes, {end:?}", begun.len());
    // One who reads gets all of it.
    assert!(answer(connect(address, get_large).await).await.len() > LARGE);
}

/// The body is announced and never sent: the answer comes from the head alone.
#[test]
fn permission_is_asked_before_a_body_is_read() {
    let desk = House::demo(Database::Sqlite);
    let address: SocketAddr = desk.url.trim_start_matches("http://").parse().unwrap();
    let routes = [
        "PUT /api/v1/tables/floors",
        "POST /api/v1/rules/dry-run",
        "POST /api/v1/rules",
        "POST /api/v1/rules/vip/promote",
        "POST /api/v1/tables/floors/rollback",
        "POST /api/v1/bulk",
        "POST /api/v1/articles",
        "PUT /api/v1/articles/KB-1",
        "POST /api/v1/articles/KB-1/state",
    ];
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        // All at once: the desk waits a second for the body of each.
        let mut asked: JoinSet<()> = JoinSet::new();
        for route in routes {
            for (authorization, status) in [("Authorization: Bearer demo-amara\r\n", "403"), ("", "401")] {
                let head = format!(
                    "{route} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{authorization}\
                     Content-Type: application/json\r\nContent-Length: 900000\r\n\r\n"
                );
                asked.spawn(async move {
                    let said = answer(connect(address, &head).await).await;
                    assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{route}: {said}");
                });
            }
        }
        while let Some(came) = asked.join_next().await {
            came.unwrap();
        }
    });
}

/// An answer is not many times what was sent.
#[test]
fn so_many_problems_are_named_and_no_more() {
    let desk = House::demo(Database::Sqlite);
    let fields: serde_json::Map<_, _> = (0..20_000).map(|n| (format!("f{n}"), json!(1))).collect();
    let tags: Vec<String> = (0..20_000).map(|n| format!("t{n}")).collect();
    let body = json!({ "request_type": "incident", "subject": "VPN", "fields": fields, "tags": tags });
    let refused = desk.as_role("amara").post("/api/v1/tickets", &body);
    assert_eq!(refused.status, 422);
    assert!(refused.text.len() < 40_000, "{} bytes", refused.text.len());
}

#[test]
fn a_query_is_short_and_a_state_counts_once() {
    on_both(|database| {
        let desk = House::demo(database);
        let incident = json!({ "request_type": "incident", "subject": "VPN", "body": "It is down.",
            "fields": { "service": "vpn", "people-affected": 1 } });
        desk.as_role("amara").post("/api/v1/tickets", &incident).expect(201);
        let list = |states: &str| desk.as_role("kofi").get(&format!("/api/v1/tickets?state={states}"));
        let once = list("new,open,in_progress").expect(200);
        assert_eq!(list(&["new,open,in_progress"; 300].join(",")).expect(200), once);
        let refused = list(&"new,".repeat(16_000));
        assert_eq!((refused.status, refused.json()["type"].as_str()), (414, Some("/problems/too-long")));
    });
}
