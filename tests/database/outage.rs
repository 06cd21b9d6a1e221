//! PostgreSQL is killed under load and started again.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::server::Server;
use crate::support::components::example_rules;
use crate::support::desk::Desk;
use crate::support::peers::port;
use crate::support::place::{Database, Place};
use crate::support::wait::until;

/// Clients that create tickets all the time.
const CLIENTS: usize = 6;

/// An answer: the status, how long a client is asked to wait, and the body.
fn post(desk: &Desk, subject: &str) -> (u16, Option<String>, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let body = json!({ "request_type": "question", "subject": subject, "body": "Please tell me.", "fields": { "topic": "other" } });
    let request = agent.post(format!("{}/api/v1/tickets", desk.url)).header("authorization", "Bearer demo-amara");
    let mut response = request.send_json(&body).unwrap();
    let wait = response.headers().get("retry-after").map(|wait| wait.to_str().unwrap().to_owned());
    (response.status().as_u16(), wait, response.body_mut().read_json().unwrap())
}

/// The answers that clients have seen.
#[derive(Default)]
struct Seen {
    acknowledged: Vec<String>,
    refused: Vec<(u16, Option<String>, Value)>,
}

fn clients<T>(desk: &Desk, seen: &Mutex<Seen>, during: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let stop = &stop;
            scope.spawn(move || {
                for n in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let (status, wait, body) = post(desk, &format!("client {client}, number {n}"));
                    let mut seen = seen.lock().unwrap();
                    match status {
                        201 => seen.acknowledged.push(body["key"].as_str().unwrap().to_owned()),
                        _ => seen.refused.push((status, wait, body)),
                    }
                }
            });
        }
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(during));
        stop.store(true, Ordering::Relaxed);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[test]
fn a_server_that_is_killed_and_started_again_costs_some_refusals_and_no_ticket() {
    let server = Server::start();
    // One who waits for a connection gives up after a fifth of a request's time, which are twelve seconds.
    let environment = vec![("DATABASE_URL", server.url())];
    let desk = Desk::with_settings_and_environment(example_rules(), environment, |text| {
        text.replace("[server]\n", "[server]\nrequest-timeout-ms = 60000\n")
    });
    let mei = desk.as_role("mei");
    let seen = Mutex::new(Seen::default());
    let acknowledged = || seen.lock().unwrap().acknowledged.len();
    clients(&desk, &seen, || {
        for _ in 0..2 {
            let before = acknowledged();
            until("some tickets", || (acknowledged() > before + 20).then_some(()));
            server.kill();
            let ((), took) =
                until("the desk to say that it is not ready", || (mei.get("/readyz").status == 503).then_some(()));
            assert!(took < Duration::from_secs(10), "/readyz said so after {took:?}");
            let asked = Instant::now();
            let (status, wait, _) = post(&desk, "while it is away");
            assert_eq!((status, wait.as_deref()), (503, Some("1")));
            assert!(asked.elapsed() < Duration::from_secs(10), "refused at once, not after {:?}", asked.elapsed());
            server.start_again();
            let before = acknowledged();
            until("tickets again", || (acknowledged() > before).then_some(()));
        }
    });
    until("the desk to be ready", || (mei.get("/readyz").status == 200).then_some(()));
    let Seen { mut acknowledged, refused } = seen.into_inner().unwrap();
    for (status, wait, body) in &refused {
        match status {
            503 => assert!(wait.is_some(), "{body}"),
            504 => assert!(body["detail"].as_str().unwrap().contains("may have been done"), "{body}"),
            _ => panic!("{status}: {body}"),
        }
    }
    let kofi = desk.as_role("kofi");
    for key in &acknowledged {
        kofi.get(&format!("/api/v1/tickets/{key}")).expect(200);
    }
    let count = acknowledged.len();
    acknowledged.sort();
    acknowledged.dedup();
    assert_eq!(acknowledged.len(), count, "no number was given twice");
}

/// Thirty seconds of silence look like a fault of the desk.
#[test]
fn a_desk_that_starts_before_its_server_says_at_once_what_it_waits_for() {
    let place = Place::demo(Database::Sqlite, example_rules());
    // A port at which no server listens.
    let port = port::own();
    let url = format!("postgres://desk:a-secret-word@127.0.0.1:{port}/desk");
    let mut command = place.program(&["serve", "--demo", "--listen", "127.0.0.1:0"]);
    let mut child = command.env("DATABASE_URL", url).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    let mut seen = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        seen.push(line.unwrap());
        if seen.iter().any(|line| line.contains("it is waited for")) {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let took = begun.elapsed();
    let said = seen.join("\n");
    assert!(said.contains("up to 30s") && said.contains(&port.to_string()), "{said}");
    assert!(!said.contains("a-secret-word"), "{said}");
    assert!(took < Duration::from_secs(20), "after {took:?}");
}
