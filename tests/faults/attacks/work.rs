//! Work that a client asks for and that gets longer with what it names, and what it takes of the memory.

use std::io::Write as _;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::components::{example_rules, from_text};
use crate::support::desk::Desk;
use crate::support::house::House;
use crate::support::place::Database;

/// Tables in the settings of a manifest: compared each with each they would take long.
const TABLES: usize = 4_000;

fn manifest(version: usize) -> String {
    let tables: String = (0..TABLES).map(|n| format!("[[settings.t]]\nname = \"n{n}\"\n")).collect();
    format!("name = \"long\"\nversion = \"1.0.{version}\"\nstages = [\"priority\"]\norder = 90\n{tables}")
}

/// A rule that takes any settings and never has an opinion.
fn quiet() -> Vec<u8> {
    from_text(
        r#"(module (memory (export "memory") 64) (global $top (mut i32) (i32.const 131072))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
                (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
                (global.set $top (i32.add (local.get $at) (local.get 3))) (local.get $at))
            (func (export "ruledesk:rules/settings@1.0.0#configure") (param i32 i32) (result i32) (i32.const 64))
            (func (export "ruledesk:rules/priority@1.0.0#decide") (param i32) (result i32) (i32.const 64)))"#,
    )
}

#[test]
fn long_manifests_are_compared_while_others_are_served() {
    let dir = tempfile::TempDir::new().unwrap();
    let desk = House::with_rules(Database::Sqlite, dir.path());
    let (mei, kofi) = (desk.as_role("mei"), desk.as_role("kofi"));
    let component = quiet();
    let deploy = |version: usize| {
        let text = manifest(version);
        let parts =
            [("manifest", text.as_bytes()), ("component", component.as_slice()), ("why", b"because".as_slice())];
        mei.send_parts("/api/v1/rules", &parts).expect(201)["manifest_digest"].as_str().unwrap().to_owned()
    };
    let (from, to) = (deploy(1), deploy(2));
    let path = format!("/api/v1/rules/long/versions/diff?from={from}&to={to}");
    std::thread::scope(|scope| {
        // A request that takes longer than all may is answered 504.
        let comparing: Vec<_> = (0..2).map(|_| scope.spawn(|| kofi.get(&path).expect(200))).collect();
        assert_eq!(desk.stranger().get("/healthz").status, 200);
        for compared in comparing {
            let compared: Value = compared.join().unwrap();
            assert!(compared.to_string().contains("1.0.2"), "{compared}");
        }
    });
}

/// The most that a desk has had in memory so far, in MiB.
fn peak_mib(desk: &Desk) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", desk.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
}

/// Texts as long as they may be, asked for by clients that read none of their answers.
#[test]
fn long_texts_and_answers_that_are_not_read_take_less_than_half_a_gigabyte() {
    let desk = Desk::with_rules(Database::Postgres, example_rules());
    let (amara, kofi, mei) = (desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("mei"));
    let long = "\u{1f600}".repeat(99_000);
    let ticket = json!({ "request_type": "question", "subject": "Long", "body": long, "fields": { "topic": "other" } });
    for _ in 0..40 {
        amara.post("/api/v1/tickets", &ticket).expect(201);
        kofi.post("/api/v1/tickets/IT-1/comments", &json!({ "body": long })).expect(201);
    }
    let address = desk.url.trim_start_matches("http://");
    let paths = ["tickets?limit=200", "tickets/IT-1/timeline", "tickets/IT-1/explain", "tickets/IT-1/decisions"];
    let ask = |path: &str| {
        let mut client = TcpStream::connect(address).unwrap();
        let head = format!("GET /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer demo-kofi\r\n\r\n");
        client.write_all(head.as_bytes()).unwrap();
        client
    };
    let unread: Vec<TcpStream> = (0..16).flat_map(|_| paths.map(ask)).collect();
    for _ in 0..20 {
        mei.get("/api/v1/tickets?limit=200").expect(200);
    }
    let peak = peak_mib(&desk);
    assert!(peak < 500, "{peak} MiB");
    drop(unread);
}

/// Four at once are twice as many as the desk of a test has threads that serve.
#[test]
fn long_tables_are_read_compared_and_written_while_others_are_served() {
    let desk = House::with_rules(Database::Sqlite, tempfile::TempDir::new().unwrap().path());
    let mei = desk.as_role("mei");
    let put = |team: &str| {
        let rows: String = (0..40_000).map(|n| format!("room-{n},{team},a note about room {n}\n")).collect();
        let made = mei.put_text("/api/v1/tables/rooms?why=test", &format!("room,team,note\n{rows}"), "text/csv");
        made.expect(200)["digest"].as_str().unwrap().to_owned()
    };
    let (from, to) = (put("network"), put("printing"));
    let differ = format!("/api/v1/tables/rooms/diff?from={from}&to={to}");
    let served = std::thread::scope(|scope| {
        let mut busy: Vec<_> = (0..4).map(|_| scope.spawn(|| mei.get(&differ).expect(200))).collect();
        busy.extend(
            (0..2)
                .map(|_| scope.spawn(|| json!(mei.with("accept", "text/csv").get("/api/v1/tables/rooms").text.len()))),
        );
        let mut served = 0;
        while busy.iter().any(|work| !work.is_finished()) {
            assert_eq!(desk.stranger().get("/healthz").status, 200);
            served += 1;
        }
        busy.into_iter().for_each(|work| drop(work.join().unwrap()));
        served
    });
    assert!(served > 3, "only {served} requests were answered meanwhile");
}

/// An admin alone may send as much to try; what does not fit is refused, and what does is let go again.
#[test]
fn what_an_admin_sends_to_be_tried_takes_less_than_half_a_gigabyte() {
    let desk = Desk::with_rules(Database::Sqlite, example_rules());
    let item = "[],".repeat((30 << 20) / 3);
    let body = format!("{{\"submission\":{{\"request_type\":\"x\",\"fields\":{{\"a\":[{item}[]]}}}}}}");
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let mei = desk.as_role("mei");
            let body = body.as_bytes();
            scope.spawn(move || {
                let answer = mei.send_bytes("/api/v1/rules/dry-run", body);
                assert!(
                    matches!(answer.status, 400 | 413 | 422 | 429 | 503),
                    "{}: {:.300}",
                    answer.status,
                    answer.text
                );
            });
        }
    });
    let peak = peak_mib(&desk);
    assert!(peak < 500, "{peak} MiB");
    assert_eq!(desk.stranger().get("/healthz").status, 200);
}
