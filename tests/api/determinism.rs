//! A rule that may answer the same question in two ways is shown, and leaves access to a person.

use serde_json::{Value, json};

use crate::rules::determinism::{deep, deep_manifest};
use crate::support::components::put;
use crate::support::house::House;
use crate::support::place::Database;
use crate::support::wait::until;

#[test]
fn a_rule_that_is_not_deterministic_is_shown_with_the_reason_and_a_person_decides() {
    let desk = House::demo(Database::Sqlite);
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let asked = json!({ "request_type": "access", "subject": "Jira please", "fields": {
        "app": "jira", "tier": "user", "duration-hours": 100, "justification": "I join the data project on Monday" } });
    let state = || amara.post("/api/v1/tickets", &asked).expect(201)["access"]["state"].clone();
    let rule = |name: &str| -> Option<Value> {
        let rules = kofi.get("/api/v1/rules").json();
        rules["rules"].as_array()?.iter().find(|rule| rule["name"] == name).cloned()
    };
    assert_eq!(rule("access-policy").unwrap()["deterministic"], true, "known before it was live");
    assert_eq!(state(), "approved");
    put(&desk.rules, "60-deep", &deep_manifest("access"), &deep("access"));
    let (deep, _) = until("the rule", || rule("deep").filter(|deep| deep["state"] == "active"));
    assert_eq!((&deep["state"], &deep["deterministic"]), (&json!("active"), &json!(false)));
    assert!(deep["deterministic_why"].as_str().unwrap().contains("compiled otherwise"), "{deep}");
    assert_eq!(state(), "awaiting");
    until("the others to be compared", || (rule("team-routing")?["deterministic"] == true).then_some(()));
}
