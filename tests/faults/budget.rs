//! All rules of a ticket share its time, and what they are asked has bounds of its own.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::components::{from_text, hostile, hostile_manifest, put};
use crate::support::house::House;
use crate::support::place::Database;
use crate::support::wait::until;

fn submit(desk: &House, person: &str) -> Value {
    let body = json!({ "request_type": "incident", "subject": "VPN is down", "fields": { "service": "vpn" } });
    desk.as_role(person).post("/api/v1/tickets", &body).expect(201)
}

fn parts(desk: &House, ticket: &Value) -> Vec<(String, String)> {
    let path = format!("/api/v1/tickets/{}/decisions", ticket["key"].as_str().unwrap());
    let runs = desk.as_role("kofi").get(&path).expect(200);
    let stages = runs[0]["stages"].as_array().unwrap().clone();
    let rules = stages.iter().flat_map(|stage| stage["rules"].as_array().unwrap().clone());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rules.map(|rule| (text(&rule["rule"]), text(&rule["outcome"]))).collect()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it is about how long a request takes")]
fn rules_that_take_all_the_time_leave_the_rest_to_its_fallback_and_are_taken_out() {
    let dir = TempDir::new().unwrap();
    let limits = "[suspend]\nfailures = 3\nwithin-calls = 10\n[limits]\nfuel = 2_000_000_000\ndeadline-ms = 2000";
    // More than any machine runs to the end of their fuel in the time that a ticket has.
    for number in 0..40 {
        let (name, stage) = (format!("slow-{number:02}"), if number < 39 { "intake" } else { "priority" });
        put(dir.path(), &name, &hostile_manifest(&name, stage, "loop", limits), hostile());
    }
    let desk = House::with_rules(Database::Sqlite, dir.path());
    let begun = Instant::now();
    let ticket = submit(&desk, "amara");
    // A ticket has two and a half seconds, and forty rules of two seconds would take eighty.
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    let path = format!("/api/v1/tickets/{}", ticket["key"].as_str().unwrap());
    assert_eq!(desk.as_role("kofi").get(&path).expect(200)["signals"], json!(["intake-unchecked"]));
    let unasked = parts(&desk, &ticket);
    assert!(unasked.contains(&("slow-39".to_owned(), "not-started".to_owned())), "{unasked:?}");
    for person in ["lena", "priya"] {
        submit(&desk, person);
    }
    until("the first of them to be taken out", || {
        let rules = desk.as_role("kofi").get("/api/v1/rules").expect(200);
        let is_out = |rule: &Value| rule["name"] == "slow-00" && rule["suspended"].is_string();
        rules["rules"].as_array()?.iter().any(is_out).then_some(())
    });
}

/// A shadow is looked at, and takes neither the time nor the room of those that decide.
#[test]
fn rules_that_are_only_tried_leave_their_time_to_those_that_count() {
    let dir = TempDir::new().unwrap();
    let limits = "mode = \"shadow\"\n[limits]\nfuel = 2_000_000_000\ndeadline-ms = 2000";
    // More than any machine runs to the end of their fuel in the time that a ticket has.
    for number in 0..20 {
        let (name, stage) = (format!("tried-{number:02}"), if number < 10 { "intake" } else { "priority" });
        put(dir.path(), &name, &hostile_manifest(&name, stage, "loop", limits), hostile());
    }
    let counts = hostile_manifest("counts", "priority", "pass", "").replace("order = 1\n", "order = 90\n");
    put(dir.path(), "counts", &counts, hostile());
    let desk = House::with_rules(Database::Sqlite, dir.path());
    for person in ["amara", "lena", "priya"] {
        let ticket = submit(&desk, person);
        let path = format!("/api/v1/tickets/{}", ticket["key"].as_str().unwrap());
        assert_eq!(desk.as_role("kofi").get(&path).expect(200)["signals"], json!([]), "what counts was asked");
        let found = parts(&desk, &ticket);
        assert!(found.contains(&("counts".to_owned(), "answered".to_owned())), "{found:?}");
        assert!(found.contains(&("tried-19".to_owned(), "not-started".to_owned())), "{found:?}");
    }
}

/// A core module that prints so many bytes so often, in a line without a loop, through a WASI of before components.
fn printer(times: usize) -> Vec<u8> {
    let write = "(drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8)))".repeat(times);
    from_text(&format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 16)
            (global $top (mut i32) (i32.const 524288))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
                (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
                (global.set $top (i32.add (local.get $at) (local.get 3))) (local.get $at))
            (func (export "ruledesk:rules/priority@1.0.0#decide") (param i32) (result i32)
                (i32.store (i32.const 16) (i32.const 65536)) (i32.store (i32.const 20) (i32.const 200000))
                {write} (i32.const 64)))"#
    ))
}

#[test]
fn what_the_host_does_for_a_rule_costs_fuel() {
    let dir = TempDir::new().unwrap();
    put(
        dir.path(),
        "printer",
        "name = \"printer\"\nversion = \"1.0.0\"\nstages = [\"priority\"]\norder = 1\n",
        &printer(400),
    );
    let desk = House::with_rules(Database::Sqlite, dir.path());
    let ticket = submit(&desk, "amara");
    let found = parts(&desk, &ticket);
    // On a machine with much to do, its time may be up first.
    let is_stopped = |outcome: &String| outcome == "out-of-fuel" || outcome == "deadline";
    assert!(matches!(found.as_slice(), [(_, outcome)] if is_stopped(outcome)), "{found:?}");
}

#[test]
fn control_characters_are_refused_at_the_door_and_line_ends_stay_in_long_texts() {
    let desk = House::demo(Database::Sqlite);
    let post = |subject: &str, body: &str| {
        let body =
            json!({ "request_type": "question", "subject": subject, "body": body, "fields": { "topic": "other" } });
        desk.as_role("amara").post("/api/v1/tickets", &body)
    };
    for subject in [
        "a\u{1b}[2J",
        "two\nlines",
        "a\u{7}",
        "a\u{9b}1m",
        "a\u{0}",
        "two\u{2028}lines",
        "a\u{2029}",
        "evil\u{202e}gpj.exe",
        "\u{202d}a",
    ] {
        let problems = post(subject, "x").expect(422);
        assert_eq!(problems["problems"][0]["code"], "bad-character", "{subject:?}: {problems}");
    }
    for body in ["a\u{1b}[2J", "a\rb", "a\u{8}"] {
        assert_eq!(post("a subject", body).status, 422, "{body:?}");
    }
    post("a subject of mine", "two\r\nlines and\n\ta tab, to be read by somebody").expect(201);
    let why = json!({ "why": "a quiet day\n2026-11-28T10:00:00Z approved by noor" });
    desk.as_role("mei").post("/api/v1/rules/team-routing/suspend", &why).expect(422);
}
