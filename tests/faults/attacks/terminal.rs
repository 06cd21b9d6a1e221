//! Texts of requesters, of files, of tables and of rules, as commands show them on a terminal.

use std::process::Output;

use serde_json::json;
use tempfile::TempDir;

use crate::support::components::{hostile, hostile_manifest, put};
use crate::support::house::House;
use crate::support::place::Database;

/// The beginning of a line that nothing of the program's wrote.
const FORGED: &str = "2026-11-28T10:00:00Z";

/// Nothing that a terminal would take for a command, that turns what stands next to it, or that looks like another line.
fn is_text(output: &Output) -> String {
    let text = String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap();
    let bad = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.contains(bad), "{text:?}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with(FORGED)), "{text}");
    text
}

#[test]
fn differences_between_tables_are_text() {
    let desk = House::demo(Database::Sqlite);
    let mei = desk.as_role("mei");
    let put = |text: &str| mei.put_text("/api/v1/tables/sites?why=%E2%81%A6moved", text, "text/csv");
    for bad in ["k,a\nx,\u{1b}[2J\n", "k,a\nx\u{9b}2J,one\n", "k,a\u{7}\nx,one\n", "k,a\u{202e}\nx,one\n"] {
        let refused = put(bad).expect(422);
        assert_eq!(refused["problems"][0]["code"], "bad-character", "{bad:?}");
    }
    let digest = |text: &str| put(text).expect(200)["digest"].as_str().unwrap().to_owned();
    let first = digest("k,a\nx,one\ngone\u{2067},two\n");
    let second = digest(&format!("k,a,b\u{2066}\nx,\"two\n{FORGED} approved\u{202e}\",1\ny\u{202e},three,2\n"));
    let told = is_text(&desk.command(&["tables", "diff", "sites", &first, &second]));
    for shown in [r"+ column b\u{2066}", r"+ y\u{202e}", r"- gone\u{2067}", r"a: one -> two\n2026-11-28T10:00:00Z"] {
        assert!(told.contains(shown), "{shown}\n{told}");
    }
    let told = is_text(&desk.command(&["tables", "versions", "sites"]));
    assert!(told.contains(r"\u{2066}moved"), "{told}");
}

#[test]
fn what_an_import_says_of_its_rows_is_text() {
    let desk = House::demo(Database::Sqlite);
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("tickets.csv");
    let rows = format!(
        "title,text,group,who,when\n\
         How do I print?,The printer has no toner.,\u{1b}[2J\u{202e}mine,amara,2026-01-05T08:00:00Z\n\
         How do I scan?,The scanner has no light.,network,a/\u{9b}b\u{2066},2026-01-05T08:00:00Z\n\
         How do I copy?,The copier has no paper.,network,amara,\"then\n{FORGED} approved\u{202e}\"\n"
    );
    std::fs::write(&file, rows).unwrap();
    let told = |more: &[&str]| {
        let head = ["import", file.to_str().unwrap(), "--request-type", "question", "--requester", "amara"];
        let maps = ["--map", "subject=title", "--map", "body=text", "--map", "requester=who"];
        let output = desk.command(&[&head, maps.as_slice(), more].concat());
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
        is_text(&output)
    };
    // A label becomes one word in small letters.
    let of_rows = told(&["--map", "label.team=group"]);
    for shown in [r"\u{1b}[2j\u{202e}mine", r"a/\u{9b}b\u{2066}"] {
        assert!(of_rows.contains(shown), "{shown}\n{of_rows}");
    }
    let of_history = told(&["--history", "--map", "created-at=when"]);
    assert!(of_history.contains(r"then\n2026-11-28T10:00:00Z approved\u{202e}"), "{of_history}");
}

#[test]
fn what_a_backtest_says_of_a_candidate_is_text() {
    let desk = House::demo(Database::Sqlite);
    let incident = json!({ "request_type": "incident", "subject": "The VPN is down", "body": "Since this morning.",
        "fields": { "service": "vpn", "people-affected": 1 } });
    desk.as_role("amara").post("/api/v1/tickets", &incident).expect(201);
    let dir = TempDir::new().unwrap();
    let words = format!("\u{202e}\u{9b}2J\u{1b}[2J\n{FORGED} approved");
    let words = serde_json::to_string(&words).unwrap();
    let manifest = hostile_manifest("team-routing", "routing", "say-name", "");
    put(dir.path(), "candidate", &format!("{manifest}text = {words}\ntimes = 1\n"), hostile());
    let candidate = dir.path().join("candidate");
    let told = is_text(&desk.command(&["rules", "backtest", candidate.to_str().unwrap()]));
    assert!(told.contains("new failures: 1,") && told.contains(r"\u{202e}"), "{told}");
}

/// A command asks the desk at its own machine or one elsewhere: both show the same.
#[test]
fn what_a_requester_writes_is_text_wherever_a_ticket_is_explained() {
    let desk = House::demo(Database::Sqlite);
    let incident = json!({ "request_type": "incident", "subject": "The VPN\u{2066} is down", "body": "Since this morning.",
        "fields": { "service": "vpn", "people-affected": 1 } });
    desk.as_role("amara").post("/api/v1/tickets", &incident).expect(201);
    for output in [desk.command(&["explain", "IT-1"]), desk.asked("kofi", &["explain", "IT-1"])] {
        let told = is_text(&output);
        assert!(told.contains(r"The VPN\u{2066} is down"), "{told}");
    }
}

/// JSON says such characters by escapes, and means the same.
#[test]
fn json_that_a_command_prints_is_text() {
    let desk = House::demo(Database::Sqlite);
    desk.until_active("tidy-text");
    let why = json!({ "why": "a quiet day\u{2066} of rest" });
    desk.as_role("mei").post("/api/v1/rules/tidy-text/suspend", &why).expect(200);
    let there = is_text(&desk.asked("mei", &["rules", "events", "tidy-text"]));
    let events: serde_json::Value = serde_json::from_str(&there).unwrap();
    assert!(there.contains(r"day\u2066 of") && events.to_string().contains("day\u{2066} of"), "{there}");
}
