//! The log: one line a created ticket, one for each rule that failed, joined by ids.

use serde_json::Value;

use super::incident;
use crate::support::components::{example_rules, hostile, hostile_manifest, put};
use crate::support::desk::Desk;
use crate::support::place::{Database, on_both};

fn lines(desk: &Desk, message: &str) -> Vec<Value> {
    desk.log().into_iter().filter(|line| line["fields"]["message"] == message).collect()
}

#[test]
fn a_created_ticket_is_one_line_with_its_ids() {
    on_both(|database| {
        let desk = Desk::with_rules(database, example_rules());
        let amara = desk.as_role("amara").with("x-request-id", "from-the-client");
        amara.post("/api/v1/tickets", &incident("VPN is down")).expect(201);
        let ticket = desk.as_role("kofi").get("/api/v1/tickets/IT-1").expect(200);
        let runs = desk.as_role("kofi").get("/api/v1/tickets/IT-1/decisions").expect(200);
        let created = lines(&desk, "ticket created");
        assert_eq!(created.len(), 1, "{created:?}");
        let line = &created[0];
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["span"]["request_id"], "from-the-client");
        let fields = &line["fields"];
        assert_eq!(fields["ticket"], ticket["key"]);
        assert_eq!(fields["run"], runs[0]["id"]);
        for field in ["category", "priority", "team"] {
            assert_eq!(fields[field], ticket[field], "{field}");
        }
        let asked: usize =
            runs[0]["stages"].as_array().unwrap().iter().map(|stage| stage["rules"].as_array().unwrap().len()).sum();
        assert_eq!(fields["rules"], asked);
        assert!(fields["micros"].as_u64().unwrap() > 0);
    });
}

#[test]
fn a_rule_that_fails_is_a_warning_with_its_digest() {
    let rules = tempfile::TempDir::new().unwrap();
    put(rules.path(), "bad", &hostile_manifest("bad", "priority", "give-up", ""), hostile());
    let desk = Desk::with_rules(Database::Sqlite, rules.path());
    desk.as_role("amara").with("x-request-id", "one").post("/api/v1/tickets", &incident("Anything")).expect(201);
    let runs = desk.as_role("kofi").get("/api/v1/tickets/IT-1/decisions").expect(200);
    let failed = lines(&desk, "a rule failed");
    assert_eq!(failed.len(), 1, "{failed:?}");
    let (line, fields) = (&failed[0], &failed[0]["fields"]);
    assert_eq!((&line["level"], &line["span"]["request_id"]), (&Value::from("WARN"), &Value::from("one")));
    assert_eq!(fields["run"], runs[0]["id"]);
    let stage = runs[0]["stages"].as_array().unwrap().iter().find(|stage| stage["stage"] == "priority").unwrap();
    assert_eq!(fields["digest"], stage["rules"][0]["component"]);
    assert_eq!(fields["outcome"], "rule-error");
    assert_eq!(fields["fault"], stage["rules"][0]["fault"]);
}
