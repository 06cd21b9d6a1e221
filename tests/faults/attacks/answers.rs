//! Rules that answer what no person could submit: names without end, texts that cannot be seen, times beyond all clocks. What is
//! kept of it is short and is text, and the ticket is made all the same.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::Answer;
use crate::support::components::{hostile, hostile_manifest, put};
use crate::support::house::House;
use crate::support::place::Database;

/// Characters that a terminal, a log or a reader would take for more than text.
const DANGEROUS: &str = "\u{202e}\u{1b}\n";

/// A manifest of the hostile rule that says a text so often.
fn manifest(name: &str, stage: &str, does: &str, (text, times): (&str, usize)) -> String {
    let limits = "[limits]\noutput-kib = 4096\nfuel = 2_000_000_000\ndeadline-ms = 2000";
    let text = serde_json::to_string(text).unwrap();
    format!("{}text = {text}\ntimes = {times}\n", hostile_manifest(name, stage, does, limits))
}

/// A desk with that one rule.
fn desk(stage: &str, does: &str, says: (&str, usize)) -> House {
    let rules = TempDir::new().unwrap();
    put(rules.path(), "bad", &manifest("bad", stage, does, says), hostile());
    House::with_rules(Database::Sqlite, rules.path())
}

fn ask(desk: &House) -> Answer {
    let body =
        json!({ "request_type": "question", "subject": "Anything", "body": "at all", "fields": { "topic": "other" } });
    desk.as_role("amara").post("/api/v1/tickets", &body)
}

/// The parts of the only ticket's record, of all stages.
fn parts(desk: &House) -> Vec<Value> {
    let runs = desk.as_role("kofi").get("/api/v1/tickets/IT-1/decisions").expect(200);
    let stages = runs[0]["stages"].as_array().unwrap();
    stages.iter().flat_map(|stage| stage["rules"].as_array().unwrap().clone()).collect()
}

fn ticket(desk: &House) -> Value {
    desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200)
}

fn is_text(text: &str) {
    let bad = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.contains(bad), "{:?}", text.chars().take(500).collect::<String>());
}

#[test]
fn a_name_that_does_not_exist_is_repeated_short_and_as_text() {
    for (stage, does) in [
        ("intake", "say-name"),
        ("intake", "say-field"),
        ("categorization", "say-name"),
        ("priority", "say-name"),
        ("routing", "say-name"),
    ] {
        // Some three hundred kilobytes.
        let desk = desk(stage, does, (DANGEROUS, 60_000));
        ask(&desk).expect(201);
        let parts = parts(&desk);
        assert_eq!(parts[0]["outcome"], "invalid-answer", "{stage} {does}");
        let fault = parts[0]["fault"].as_str().unwrap();
        assert!(fault.len() < 5 << 10, "{stage} {does}: a fault of {} bytes", fault.len());
        is_text(fault);
        let explained = desk.as_role("kofi").get("/api/v1/tickets/IT-1/explain");
        assert!(explained.status == 200 && explained.text.len() < 64 << 10, "{stage} {does}");
        let ticket = ticket(&desk);
        assert_eq!((&ticket["category"], &ticket["priority"]), (&json!("miscellaneous"), &json!("medium")));
        assert_eq!(ticket["team"], "service-desk", "{stage} {does}");
    }
}

#[test]
fn the_problems_of_a_rule_are_short_and_text_for_the_requester_and_in_a_draft() {
    let desk = desk("intake", "say-problems", ("\u{1b}\u{202e}x", 170));
    let refused = ask(&desk);
    let length = refused.text.len();
    let problems = refused.expect(422)["problems"].as_array().unwrap().clone();
    assert!(problems.len() == 100 && length < 80 << 10, "{} problems, {length} bytes", problems.len());
    for problem in &problems {
        for part in ["field", "code", "message"] {
            is_text(problem[part].as_str().unwrap());
        }
    }
    let (amara, path) = (desk.as_role("amara"), "/api/v1/drafts/0199c0de-0000-7000-8000-000000000001");
    let body =
        json!({ "request_type": "question", "subject": "Anything", "body": "at all", "fields": { "topic": "other" } });
    amara.put(path, &body).expect(200);
    assert_eq!(amara.post(&format!("{path}/submit"), &json!({})).status, 422);
    let kept = amara.get(path);
    assert!(kept.text.len() < 80 << 10, "{} bytes", kept.text.len());
    is_text(kept.expect(200)["problems"][0]["message"].as_str().unwrap());
}

#[test]
fn texts_of_rules_are_held_to_the_law_of_peoples() {
    for nothing in ["", " ", "\u{200b}", "\u{2060}\u{feff}", "\u{3164}"] {
        for does in ["say-subject", "say-body"] {
            let desk = desk("intake", does, (nothing, 1));
            ask(&desk).expect(201);
            assert_eq!(parts(&desk)[0]["outcome"], "invalid-answer", "{does} {nothing:?}");
            let ticket = ticket(&desk);
            assert_eq!((&ticket["subject"], &ticket["body"]), (&json!("Anything"), &json!("at all")), "{nothing:?}");
            assert_eq!(ticket["signals"], json!(["intake-unchecked"]), "{does} {nothing:?}");
        }
    }
    let desk = desk("intake", "say-subject", ("From Zu\u{308}rich", 1));
    ask(&desk).expect(201);
    assert_eq!(ticket(&desk)["subject"], "From Z\u{fc}rich", "composed, as what people send");
    for bad in ["two\nlines", "a\u{1b}[2J", "evil\u{202e}gpj.exe"] {
        let desk = self::desk("intake", "say-subject", (bad, 1));
        ask(&desk).expect(201);
        assert_eq!(ticket(&desk)["subject"], "Anything", "{bad:?}");
    }
}

#[test]
fn a_duplicate_of_no_ticket_is_none() {
    for (key, counts) in [("IT-4294967297", true), ("IT-9223372036854775807", true), ("IT-0x", false), ("x", false)] {
        let desk = desk("intake", "say-name", (key, 1));
        ask(&desk).expect(201);
        assert_eq!(ticket(&desk)["duplicate_of"], Value::Null, "{key}");
        assert_eq!(parts(&desk)[0]["outcome"] == "answered", counts, "{key}");
        desk.as_role("kofi").get("/api/v1/tickets").expect(200);
    }
}

#[test]
fn approvers_who_would_have_for_ever_leave_the_decision_to_a_person() {
    let desk = desk("access", "wait-for-ever", ("", 1));
    let access = json!({ "request_type": "access", "subject": "GitHub please", "fields": { "app": "github",
        "tier": "write", "duration-hours": 24, "justification": "I join the data project on Monday" } });
    let made = desk.as_role("amara").post("/api/v1/tickets", &access).expect(201);
    assert_eq!(made["access"]["state"], "awaiting", "{made}");
    let part = parts(&desk).into_iter().find(|part| part["rule"] == "bad").unwrap();
    assert_eq!(part["outcome"], "invalid-answer", "{part}");
    for path in ["tickets/IT-1", "tickets", "tickets/IT-1/decisions", "tickets/IT-1/timeline", "access-requests"] {
        desk.as_role("kofi").get(&format!("/api/v1/{path}")).expect(200);
    }
}

#[test]
fn all_answers_about_a_ticket_are_kept_within_one_bound() {
    let rules = TempDir::new().unwrap();
    for n in 0..10 {
        let name = format!("bad-{n}");
        // A megabyte of JSON, which has six characters for each.
        put(rules.path(), &name, &manifest(&name, "priority", "say-name", ("\u{1}", 170_000)), hostile());
    }
    let desk = House::with_rules(Database::Sqlite, rules.path());
    assert_eq!(ask(&desk).expect(201)["priority"], "medium");
    let decisions = desk.as_role("kofi").get("/api/v1/tickets/IT-1/decisions");
    assert!(decisions.text.len() < 6 << 20, "the record has {} bytes", decisions.text.len());
    let outcomes: Vec<Value> = parts(&desk).into_iter().map(|part| part["outcome"].clone()).collect();
    assert!(outcomes.contains(&json!("invalid-answer")) && outcomes.contains(&json!("not-started")), "{outcomes:?}");
}

/// The others fill the record, so that there is no room for the answer of a rule that does nothing wrong.
#[test]
fn what_was_left_unasked_counts_against_no_rule() {
    let rules = TempDir::new().unwrap();
    let lasting = "[suspend]\nfailures = 10000\nwithin-calls = 10000\n[limits]";
    for n in 0..5 {
        let name = format!("bad-{n}");
        let fills = manifest(&name, "priority", "say-name", ("\u{1}", 170_000)).replace("[limits]", lasting);
        put(rules.path(), &name, &fills, hostile());
    }
    let soon = "[suspend]\nfailures = 1\nwithin-calls = 3";
    let last = hostile_manifest("last", "priority", "pass", soon).replace("order = 1\n", "order = 90\n");
    put(rules.path(), "last", &last, hostile());
    let desk = House::with_rules(Database::Sqlite, rules.path());
    for person in ["amara", "lena", "priya", "amara", "lena", "priya"] {
        let body = json!({ "request_type": "question", "subject": "Anything", "body": "at all", "fields": { "topic": "other" } });
        desk.as_role(person).post("/api/v1/tickets", &body).expect(201);
    }
    let last = parts(&desk).into_iter().find(|part| part["rule"] == "last").unwrap();
    assert_eq!(last["outcome"], "not-started", "{last}");
    let listed = desk.as_role("kofi").get("/api/v1/rules").expect(200);
    let last = listed["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == "last").unwrap().clone();
    assert_eq!((last["state"].as_str(), &last["suspended"]), (Some("active"), &Value::Null), "{last}");
    let events = desk.as_role("mei").get("/api/v1/rules/last/events").expect(200);
    assert_eq!(events.as_array().unwrap().len(), 1, "it was offered, and no more: {events}");
}

#[test]
fn a_number_of_a_rule_is_exact_or_refused() {
    for (number, kept) in [("9007199254740991", true), ("9007199254740993", false), ("-1e300", false), ("40", true)] {
        let desk = desk("intake", "say-number", (number, 1));
        let body = json!({ "request_type": "incident", "subject": "VPN", "body": "It is down.",
            "fields": { "service": "vpn", "people-affected": 7 } });
        desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
        let part = parts(&desk).swap_remove(0);
        assert_eq!(part["outcome"], if kept { "answered" } else { "invalid-answer" }, "{number}: {part}");
        let shown = ticket(&desk)["fields"]["people-affected"].to_string();
        assert_eq!(shown, if kept { number } else { "7" }, "{number}");
    }
}
