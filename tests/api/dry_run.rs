//! What would become of a submission: the same as when it is made, and nothing is written.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::house::House;
use crate::support::place::{Database, on_both};

const DRY_RUN: &str = "/api/v1/rules/dry-run";

fn submission() -> Value {
    json!({ "request_type": "incident", "subject": "VPN  is down", "body": "Nobody in Berlin can reach the VPN since 9.",
        "fields": { "service": "vpn", "people-affected": 40 } })
}

/// Everything that was counted or kept: what can be seen from outside, and the rows of every table.
fn traces(desk: &House) -> (Value, Vec<String>, BTreeMap<String, i64>) {
    let metrics = desk.stranger().get("/metrics").text;
    let counted =
        metrics.lines().filter(|line| line.starts_with("ruledesk_tickets") || line.starts_with("ruledesk_rule_calls"));
    let tickets = desk.as_role("mei").get("/api/v1/tickets").expect(200);
    (tickets, counted.map(str::to_owned).collect(), desk.rows())
}

fn without(mut ticket: Value) -> Value {
    for changes in ["key", "id", "created_at", "updated_at"] {
        ticket.as_object_mut().unwrap().remove(changes);
    }
    for clock in ["first_response", "resolution"] {
        ticket[clock].as_object_mut().unwrap().remove("due_at");
    }
    ticket
}

fn said(run: &Value) -> Vec<(Value, Value, Value)> {
    let stages = run["stages"].as_array().unwrap().iter();
    let rules = stages.flat_map(|stage| stage["rules"].as_array().unwrap().iter().map(move |rule| (stage, rule)));
    rules.map(|(stage, rule)| (stage["stage"].clone(), rule["rule"].clone(), rule["answer"].clone())).collect()
}

#[test]
fn it_says_what_creating_then_does_and_leaves_no_trace() {
    on_both(|database| {
        let desk = House::demo(database);
        let (mei, kofi) = (desk.as_role("mei"), desk.as_role("kofi"));
        let before = traces(&desk);
        let body = json!({ "submission": submission(), "submitted_by": "amara" });
        let tried = mei.post(DRY_RUN, &body).expect(200);
        assert_eq!(
            mei.post(DRY_RUN, &body).expect(200)["ticket"]["assignee"],
            tried["ticket"]["assignee"],
            "no turn is taken"
        );
        let rejected = json!({ "submission": { "request_type": "hardware", "subject": "A laptop", "body": "please" }, "submitted_by": "amara" });
        let rejected = mei.post(DRY_RUN, &rejected).expect(200);
        assert!(rejected.get("ticket").is_none() && !rejected["problems"].as_array().unwrap().is_empty(), "{rejected}");
        assert_eq!(traces(&desk), before);

        desk.as_role("amara").post("/api/v1/tickets", &submission()).expect(201);
        let made = kofi.get("/api/v1/tickets/IT-1").expect(200);
        assert_eq!(without(tried["ticket"].clone()), without(made));
        assert_eq!(tried["messages"], json!([{ "kind": "acknowledgement", "recipient": "amara" }]));
        let decisions = kofi.get("/api/v1/tickets/IT-1/decisions").expect(200);
        assert_eq!(said(&tried["run"]), said(&decisions[0]));

        let again = mei.post(DRY_RUN, &json!({ "ticket": "IT-1" })).expect(200);
        assert_eq!(said(&again["run"])[2..], said(&decisions[0])[2..], "the record's own submission");
        assert_eq!(again["ticket"]["subject"], "VPN is down");
    });
}

/// A rule for the time after hours is tried during them.
#[test]
fn a_submission_is_tried_at_another_time() {
    let desk = House::demo(Database::Sqlite);
    let mei = desk.as_role("mei");
    let at = |time: &str| {
        let body = json!({ "submission": submission(), "submitted_by": "amara", "at": time });
        mei.post(DRY_RUN, &body).expect(200)["ticket"].clone()
    };
    let (day, night) = (at("2026-03-02T09:15:00Z"), at("2026-03-02T21:15:00Z"));
    assert_eq!(day["created_at"], "2026-03-02T09:15:00Z");
    assert_eq!(night["first_response"]["due_at"], "2026-03-03T08:00:00Z", "an hour after the desk opens");
    assert_eq!(day["first_response"]["due_at"], "2026-03-02T10:15:00Z");
}

/// Which rules are live; what is found out about them meanwhile is no part of that.
fn live(rules: &Value) -> Value {
    let each = rules["rules"].as_array().unwrap().iter();
    let each =
        each.map(|rule| json!([rule["name"], rule["active"], rule["candidate"], rule["previous"], rule["arms"]]));
    json!([rules["generation"], rules["revision"], each.collect::<Vec<_>>()])
}

#[test]
fn other_rules_are_tried_without_going_live() {
    on_both(|database| {
        let desk = House::demo(database);
        let mei = desk.as_role("mei");
        let live = || live(&mei.get("/api/v1/rules").expect(200));
        let before = live();
        let rows = desk.rows();
        let ask = |more: Value| {
            let mut body = json!({ "submission": submission(), "submitted_by": "amara" });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            mei.post(DRY_RUN, &body)
        };
        let gone = ask(json!({ "without": ["impact-urgency"] })).expect(200);
        assert_eq!(gone["ticket"]["priority"], "medium", "the desk's default");
        assert_eq!(ask(json!({ "without": ["no-such"] })).status, 404);
        let manifest = std::fs::read_to_string(desk.rules.join("30-impact-urgency/rule.toml")).unwrap();
        let manifest = manifest.replacen("version = \"", "version = \"9", 1);
        let other = ask(json!({ "with": [{ "manifest": manifest }] })).expect(200);
        let versions = other["run"]["stages"][2]["rules"][0]["version"].as_str().unwrap().to_owned();
        assert!(versions.starts_with('9'), "{versions}");
        assert_eq!(ask(json!({ "with": [{ "manifest": "name = 1" }] })).status, 422);
        assert_eq!(ask(json!({ "with": [{ "manifest": manifest, "component": "AAAA" }] })).status, 422);
        assert_eq!(live(), before, "nothing went live");
        for role in ["kofi", "amara", "lena"] {
            assert_eq!(desk.as_role(role).post(DRY_RUN, &json!({ "ticket": "IT-1" })).status, 403, "{role}");
        }

        let file = desk.rules.parent().unwrap().join("submission.json");
        std::fs::write(&file, submission().to_string()).unwrap();
        let file = file.to_str().unwrap().to_owned();
        let printed = desk.command(&[
            "rules",
            "dry-run",
            "--submission",
            &file,
            "--as",
            "amara",
            "--without",
            "impact-urgency",
            "--json",
        ]);
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
        assert_eq!(without(printed["ticket"].clone()), without(gone["ticket"].clone()));
        assert!(Path::new(&file).exists());
        assert_eq!(mei.get("/api/v1/tickets").expect(200)["tickets"], json!([]));
        assert_eq!(desk.rows(), rows, "no version that was only tried is kept");
    });
}
