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
        let told = kofi.get(&format!("/api/v1/tickets/{key}/explain?field=team")).expect(200);
        let changes = told["fields"][0]["changes"].as_array().unwrap();
        let by_the_desk: Vec<&Value> = changes.iter().filter(|change| change["by"] == "the desk").collect();
        assert_eq!((by_the_desk.len(), &by_the_desk[0]["to"]), (2, &json!("applications")), "{told}");
        assert_eq!(by_the_desk[0]["reason"], "escalated: nobody answers");
        let highest = escalate(&amara, &key, "more").expect(409);
        assert!(highest["detail"].as_str().unwrap().contains("no team is above"), "{highest}");
        assert!(!highest.to_string().contains("infrastructure"), "nor do refusals name one: {highest}");
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

/// A rule asks for escalation by what it says of a ticket: its tag, or its priority, is one at which the configuration lets tickets go
/// up. That happens when the ticket gets it, at its opening or later, and each tier comes once.
#[test]
fn a_rule_takes_a_ticket_up_by_the_priority_that_it_gives() {
    on_both(|database| {
        let more = "escalate-on = [{ on = \"priority:high\", request-types = [\"incident\", \"question\"] }, \
            { on = \"tag:storage\" }]\n";
        let desk = watched(database, more);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let ups = |key: &str| {
            let entries = kofi.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
            let of_it = entries.as_array().unwrap().iter().filter(|entry| entry["kind"] == "escalated");
            of_it.map(|entry| entry["details"]["reason"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let change = |key: &str, body: Value| {
            kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &body).expect(200);
        };
        // The rules find it high and send it to the second tier: it goes on to the third.
        let opened = incident(&amara, "VPN is down");
        assert_eq!(
            (&with(&desk, &opened)["team"], &with(&desk, &opened)["tier"]),
            (&json!("infrastructure"), &json!(3))
        );
        assert_eq!(ups(&opened), ["it has got the priority `high`"]);
        assert!(with(&desk, &opened)["assignee"].is_string(), "shared out where it is");

        // Asked again about another category, they find it high, and send it to the highest tier that there is.
        let question =
            json!({ "request_type": "question", "subject": "How?", "body": "Please tell me.", "fields": {} });
        let asked = amara.post("/api/v1/tickets", &question).expect(201)["key"].as_str().unwrap().to_owned();
        assert_eq!((&with(&desk, &asked)["tier"], ups(&asked).len()), (&json!(1), 0));
        change(&asked, json!({ "tags": ["storage"], "reason": "its disk is full" }));
        assert_eq!((&with(&desk, &asked)["team"], ups(&asked).len()), (&json!("applications"), 1), "by its tag");
        change(&asked, json!({ "tags": [], "reason": "it is not" }));
        let rated = json!({ "category": "security", "team": "service-desk", "reason": "passwords", "ask_rules": true });
        change(&asked, rated);
        let now = with(&desk, &asked);
        assert_eq!(
            (&now["priority"], &now["team"]),
            (&json!("high"), &json!("service-desk")),
            "a person named it: {now}"
        );
        change(&asked, json!({ "priority": "low", "reason": "no" }));
        change(&asked, json!({ "priority": "high", "reason": "yes" }));
        assert_eq!((&with(&desk, &asked)["team"], ups(&asked).len()), (&json!("applications"), 2));
        change(&asked, json!({ "tags": ["storage"], "reason": "it is" }));
        assert_eq!((&with(&desk, &asked)["tier"], ups(&asked).len()), (&json!(3), 3));
        change(&asked, json!({ "tags": [], "reason": "no" }));
        change(&asked, json!({ "tags": ["storage"], "reason": "it is" }));
        assert_eq!(ups(&asked).len(), 3, "no tier is above");
        assert!(count(&desk, &asked, "escalated") > 0);
        desk.do_what_is_due();
    });
}
