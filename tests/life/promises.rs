//! The events of promises, one by one, and how tickets go from team to team.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::client::{Client, resolved};
use crate::support::house::House;
use crate::support::place::on_both;

fn events(client: &Client, key: &str) -> Vec<String> {
    let all = client.get(&format!("/api/v1/tickets/{key}/promises/events")).expect(200);
    let word = |event: &Value| format!("{} {}", event["clock"].as_str().unwrap(), event["event"].as_str().unwrap());
    all.as_array().unwrap().iter().map(word).collect()
}

#[test]
fn each_event_of_a_promise_can_be_asked_for_and_is_counted() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let body = json!({ "request_type": "incident", "subject": "VPN is down", "body": "Nobody in Berlin can reach it.",
            "fields": { "service": "vpn", "people-affected": 40 } });
        let key = amara.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/tickets/{key}");
        let say =
            |client: &Client, body: &str| client.post(&format!("{path}/comments"), &json!({ "body": body })).status;
        let step = |to: &Value| kofi.with("if-match", "*").post(&format!("{path}/transitions"), to).status;
        assert_eq!(events(&amara, &key), ["first-response start", "resolution start"]);
        desk.clock.advance(SignedDuration::from_mins(1));
        assert_eq!(say(&kofi, "Which gateway is it?"), 201);
        desk.clock.advance(SignedDuration::from_mins(1));
        assert_eq!(step(&json!({ "to": "waiting_requester" })), 200);
        desk.clock.advance(SignedDuration::from_mins(1));
        assert_eq!(say(&amara, "The one in Berlin."), 201);
        desk.advance(SignedDuration::from_hours(30 * 24));
        assert_eq!(step(&resolved()), 200);
        let wanted = [
            "first-response start",
            "resolution start",
            "first-response meet",
            "resolution pause",
            "resolution resume",
            "resolution breach",
            "resolution meet",
            "confirmation start",
        ];
        assert_eq!(events(&amara, &key), wanted);
        let all = kofi.get(&format!("{path}/promises/events")).expect(200);
        let breach = all.as_array().unwrap().iter().find(|event| event["event"] == "breach").unwrap().clone();
        assert_eq!(breach["used_seconds"], breach["target_seconds"], "{breach}");
        assert_eq!(desk.as_role("lena").get(&format!("{path}/promises/events")).status, 404, "another person's");

        let day = |hours: i64| {
            let at = desk.clock.now() - SignedDuration::from_hours(hours);
            at.to_string()[..10].to_owned()
        };
        let report = format!("/api/v1/reports/sla-events?from={}&to={}", day(40 * 24), day(-24));
        let rows = kofi.get(&report).expect(200);
        let row = rows.as_array().unwrap().iter().find(|row| row["clock"] == "resolution").unwrap().clone();
        let counts = ["started", "paused", "resumed", "met", "broken"].map(|column| row[column].as_i64().unwrap());
        assert_eq!(counts, [1, 1, 1, 1, 1], "{rows}");
        let csv = kofi.get(&format!("{report}&format=csv")).text;
        assert!(csv.starts_with("group,clock,started,paused,resumed,met,retargeted,cancelled,broken\r\n"), "{csv}");
    });
}

#[test]
fn a_ticket_says_how_often_it_was_handed_over_and_came_back() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let body = json!({ "request_type": "question", "subject": "Anything", "body": "At all.", "fields": { "topic": "other" } });
        let key = amara.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/tickets/{key}");
        let first = kofi.get(&path).expect(200)["team"].as_str().unwrap().to_owned();
        for team in ["network", first.as_str(), "network"] {
            let hand = json!({ "team": team, "reason": format!("for {team} to look at") });
            kofi.with("if-match", "*").patch(&path, &hand).expect(200);
        }
        let way = kofi.get(&format!("{path}/handovers")).expect(200);
        assert_eq!((&way["came_back"], way["handovers"].as_array().unwrap().len()), (&json!(2), 3), "{way}");
        let last = &way["handovers"][2];
        assert_eq!((&last["from"], &last["to"], &last["by"]), (&json!(first), &json!("network"), &json!("kofi")));
        assert_eq!((&last["reason"], &last["came_back"]), (&json!("for network to look at"), &json!(true)));
        assert_eq!(amara.get(&format!("{path}/handovers")).status, 403, "teams are none of a requester's business");
    });
}
