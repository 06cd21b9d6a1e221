//! Stage 4's failure point: tickets bounce and stay. Escalation by request and by time, each tier once.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::{count, incident};
use super::watched;
use crate::support::client::{Answer, Client};
use crate::support::house::House;
use crate::support::place::on_both;

fn escalate(client: &Client, key: &str, reason: &str) -> Answer {
    client.post(&format!("/api/v1/tickets/{key}/escalate"), &json!({ "reason": reason }))
}

fn with(desk: &House, key: &str) -> Value {
    desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}")).expect(200)
}

fn to_first_line(desk: &House, key: &str) {
    let edit = json!({ "team": "service-desk", "reason": "first things first" });
    desk.as_role("kofi").with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &edit).expect(200);
}

#[test]
fn a_requester_takes_a_ticket_up_and_each_tier_comes_once() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        to_first_line(&desk, &key);
        assert_eq!(escalate(&amara, &key, " ").status, 422);
        assert_eq!(escalate(&desk.as_role("lena"), &key, "please").status, 404);
        escalate(&amara, &key, "nobody answers").expect(200);
        let ticket = with(&desk, &key);
        assert_eq!((&ticket["team"], &ticket["tier"]), (&json!("applications"), &json!(2)));
        assert!(ticket["assignee"].is_string(), "somebody there has it at once");
        assert!(count(&desk, &key, "escalated") > 0);
        escalate(&kofi, &key, "it is the server").expect(200);
        assert_eq!(with(&desk, &key)["tier"], 3);
        let highest = escalate(&amara, &key, "more").expect(409);
        assert!(highest["detail"].as_str().unwrap().contains("no team is above"), "{highest}");
        let seen = amara.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
        let asked = seen.as_array().unwrap().iter().filter(|entry| entry["kind"] == "escalation-asked").count();
        assert_eq!(asked, 2);
        assert!(!seen.to_string().contains("infrastructure"), "teams are not the requester's matter");
    });
}

#[test]
fn time_takes_a_ticket_up_each_level_once_by_its_own_clock() {
    on_both(|database| {
        let more = "escalate = [{ clock = \"first-response\", at = 100 }, { clock = \"resolution\", at = 100 }]\n";
        let desk = watched(database, more);
        let key = incident(&desk.as_role("amara"), "VPN is down");
        to_first_line(&desk, &key);
        assert_eq!(with(&desk, &key)["tier"], 1);
        desk.advance(SignedDuration::from_hours(3));
        assert_eq!(with(&desk, &key)["tier"], 2, "the first answer is late");
        desk.advance(SignedDuration::from_hours(3));
        assert_eq!(with(&desk, &key)["tier"], 2, "once");
        desk.advance(SignedDuration::from_hours(24));
        assert_eq!(with(&desk, &key)["tier"], 3, "the solution is late");
        desk.advance(SignedDuration::from_hours(240));
        let entries = desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
        let ups = entries.as_array().unwrap().iter().filter(|entry| entry["kind"] == "escalated").count();
        assert_eq!(ups, 2);
    });
}

/// A type of request may go up sooner than others, or alone.
#[test]
fn time_takes_up_only_the_types_of_request_that_are_named() {
    on_both(|database| {
        let more = "escalate = [{ clock = \"resolution\", at = 1, request-types = [\"question\"] }]\n";
        let desk = watched(database, more);
        let amara = desk.as_role("amara");
        let question = json!({ "request_type": "question", "subject": "How do I share it?", "body": "Please tell me.",
            "fields": { "topic": "howto" } });
        let question = amara.post("/api/v1/tickets", &question).expect(201)["key"].as_str().unwrap().to_owned();
        let key = incident(&amara, "VPN is down");
        to_first_line(&desk, &key);
        assert_eq!((&with(&desk, &question)["tier"], &with(&desk, &key)["tier"]), (&json!(1), &json!(1)));
        desk.advance(SignedDuration::from_hours(24 * 7));
        assert_eq!((&with(&desk, &question)["tier"], &with(&desk, &key)["tier"]), (&json!(2), &json!(1)));
    });
}
