//! A rule in each language joins a desk that runs.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{build, with_tools};
use crate::support::components::{example_rules, root};
use crate::support::house::House;
use crate::support::place::{Database, copy};
use crate::support::wait::until_within;

/// Folders of example rules that are not in Rust, and the stage at which each is asked about an incident.
const OTHERS: [(&str, &str); 4] = [
    ("13-pasted-secrets", "intake"),
    ("21-similar-words", "categorization"),
    ("41-language-routing", "routing"),
    ("42-on-call-roster", "routing"),
];

#[test]
fn rules_in_five_languages_join_a_running_desk_and_each_answer_is_proved() {
    let others = OTHERS.map(|(folder, _)| with_tools(&root().join("example-rules").join(folder), folder));
    let others = build("five-languages", &others);
    let empty = TempDir::new().unwrap();
    // The machine may be busy with compiling other tests' rules.
    let patient = |text: String| text.replace("[server]", "[server]\ncompile-timeout-s = 600");
    let desk = House::with_settings(Database::Sqlite, empty.path(), patient);
    let incident = || {
        let body = json!({ "request_type": "incident", "subject": "VPN is down", "fields": { "service": "vpn" },
            "body": "My key is ghp_0123456789abcdefghijABCDEFGHIJ012345 and the VPN client cannot connect from home." });
        desk.as_role("amara").post("/api/v1/tickets", &body).expect(201)
    };
    let before = incident();
    assert_eq!(before["category"], "miscellaneous", "no rule is asked yet");

    copy(&example_rules().join("22-keyword-category"), &desk.rules.join("22-keyword-category"));
    for entry in std::fs::read_dir(&others).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &desk.rules.join(entry.file_name()));
    }
    let active = || {
        let rules = desk.as_role("mei").get("/api/v1/rules").expect(200);
        rules["rules"].as_array().unwrap().iter().filter(|rule| rule["active"].is_object()).count()
    };
    let patience = Duration::from_secs(600);
    until_within(patience, "five active rules", || (active() == 5).then_some(()));
    let ticket = incident();
    assert_eq!(ticket["category"], "network.vpn", "the words of earlier tickets, in Python: {ticket}");
    assert!(!ticket["body"].as_str().unwrap().contains("ghp_"), "the token is masked, in C: {ticket}");
    let path = format!("/api/v1/tickets/{}/decisions", ticket["key"].as_str().unwrap());
    let runs = desk.as_role("kofi").get(&path).expect(200);
    let said = |stage: &str, rule: &str| -> Value {
        let stages = runs[0]["stages"].as_array().unwrap();
        let stage = stages.iter().find(|s| s["stage"] == stage).unwrap();
        let rules = stage["rules"].as_array().unwrap();
        rules.iter().find(|part| part["rule"] == rule).unwrap_or_else(|| panic!("{rule} was asked: {stage}")).clone()
    };
    for (folder, stage) in OTHERS.into_iter().chain([("22-keyword-category", "categorization")]) {
        let (_, rule) = folder.split_once('-').unwrap();
        assert_eq!(said(stage, rule)["outcome"], "answered", "{rule}");
    }

    let proved = desk.command(&["decisions", "verify", "--json"]);
    let text = String::from_utf8_lossy(&proved.stdout).into_owned() + &String::from_utf8_lossy(&proved.stderr);
    assert!(proved.status.success(), "{text}");
    let proved: Value = serde_json::from_slice(&proved.stdout).unwrap();
    assert_eq!((&proved["same"], &proved["answers"]), (&json!(5), &json!(5)), "{text}");
    // An interpreter that is compiled without optimisation needs a larger stack, and that makes it no less certain.
    let certain = || {
        let rules = desk.as_role("mei").get("/api/v1/rules").expect(200)["rules"].clone();
        let verdicts: Vec<&Value> = rules.as_array().unwrap().iter().map(|rule| &rule["deterministic"]).collect();
        assert!(!verdicts.contains(&&json!(false)), "{rules:#}");
        verdicts.iter().all(|verdict| verdict.is_boolean()).then_some(())
    };
    until_within(patience, "each rule to be compared", certain);
    // None of them runs out on the largest text that a form takes.
    crate::faults::largest::decided(&super::open(&others));
}
