//! Requesters and approvers see of a ticket what its timeline shows them, wherever they look, and set no more of it.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

/// The parts that the timeline keeps internal, and what other tickets and rules say.
const HIDDEN: [&str; 8] = ["team", "assignee", "tier", "tags", "signals", "impact", "urgency", "duplicate_of"];

fn incident() -> Value {
    json!({ "request_type": "incident", "subject": "VPN is down", "body": "Nobody in Berlin can reach it.",
        "fields": { "service": "vpn", "people-affected": 40 } })
}

fn shown(ticket: &Value) -> Vec<&'static str> {
    HIDDEN.into_iter().filter(|part| ticket.get(part).is_some()).collect()
}

#[test]
fn a_requester_sees_no_part_that_the_timeline_keeps_internal() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let none: [&str; 0] = [];
        assert_eq!(shown(&amara.post("/api/v1/tickets", &incident()).expect(201)), none);
        let edit = json!({ "urgency": "low", "impact": "low", "team": "desktop", "reason": "as I found it" });
        let edited = kofi.with("if-match", "*").patch("/api/v1/tickets/IT-1", &edit).expect(200);
        assert_eq!(shown(&edited), HIDDEN);
        for path in ["/api/v1/tickets/IT-1", "/api/v1/tickets"] {
            let of = |client: &Client| match client.get(path).expect(200) {
                list if list.get("tickets").is_some() => list["tickets"][0].clone(),
                ticket => ticket,
            };
            assert_eq!(shown(&of(&amara)), none, "{path}");
            let all: Vec<&str> =
                HIDDEN.into_iter().filter(|part| *part != "signals" || path.ends_with("IT-1")).collect();
            assert_eq!(shown(&of(&kofi)), all, "{path}");
        }
        let commented = amara.post("/api/v1/tickets/IT-1/comments", &json!({ "body": "Thank you" })).expect(201);
        assert_eq!(shown(&commented), none);
        let told = amara.get("/api/v1/tickets/IT-1/explain").expect(200)["text"].as_str().unwrap().to_owned();
        let timeline = amara.get("/api/v1/tickets/IT-1/timeline").text;
        for word in ["desktop", "Desktop", "as I found it", "team-routing"] {
            assert!(!told.contains(word) && !timeline.contains(word), "{word}: {told} {timeline}");
        }
        // What is not shown is not found out by asking for it either.
        for query in
            ["team=desktop", "assignee=emma", "sort=updated", "sort=updated&updated_since=2026-01-01T00:00:00Z"]
        {
            assert_eq!(amara.get(&format!("/api/v1/tickets?{query}")).status, 403, "{query}");
            assert_eq!(kofi.get(&format!("/api/v1/tickets?{query}")).status, 200, "{query}");
        }
    });
}

#[test]
fn an_approver_sees_what_a_requester_does() {
    let desk = House::demo(Database::Sqlite);
    let access = json!({ "request_type": "access", "subject": "GitHub please", "fields": { "app": "github",
        "tier": "write", "duration-hours": 24, "justification": "I join the data project on Monday" } });
    desk.as_role("amara").post("/api/v1/tickets", &access).expect(201);
    let lena = desk.as_role("lena");
    let none: [&str; 0] = [];
    assert_eq!(shown(&lena.get("/api/v1/access-requests").expect(200)[0]), none);
    assert_eq!(shown(&lena.get("/api/v1/tickets/IT-1").expect(200)), none);
    // Who may not take a step hears that, whether or not the version is of now.
    for version in ["\"1\"", "\"9\""] {
        let step =
            lena.with("if-match", version).post("/api/v1/tickets/IT-1/transitions", &json!({ "to": "cancelled" }));
        assert_eq!(step.status, 403, "{version}: {}", step.text);
    }
    let decided = lena.post("/api/v1/tickets/IT-1/access/decisions", &json!({ "approve": true })).expect(200);
    assert_eq!(shown(&decided), none);
}

/// Neither places in the timeline, nor versions, tags, times or pages tell that there are private notes.
#[test]
fn private_notes_leave_no_trace_for_requesters() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        amara.post("/api/v1/tickets", &incident()).expect(201);
        let comment = |client: &Client, body: &str, internal: bool| {
            client.post("/api/v1/tickets/IT-1/comments", &json!({ "body": body, "internal": internal })).expect(201)
        };
        let seen = || {
            let ticket = amara.get("/api/v1/tickets/IT-1");
            let list = amara.get("/api/v1/tickets").text;
            (ticket.etag.clone(), ticket.text.clone(), list, amara.get("/api/v1/tickets/IT-1/timeline").text)
        };
        let before = seen();
        for n in 0..3 {
            desk.clock.advance(jiff::SignedDuration::from_secs(60));
            comment(&kofi, &format!("note {n}"), true);
        }
        assert_eq!(seen(), before);
        comment(&kofi, "We look into it", false);
        let timeline = amara.get("/api/v1/tickets/IT-1/timeline").expect(200);
        let places: Vec<i64> =
            timeline.as_array().unwrap().iter().map(|entry| entry["seq"].as_i64().unwrap()).collect();
        assert_eq!(places, (1..=i64::try_from(places.len()).unwrap()).collect::<Vec<_>>());
        assert_eq!(amara.get("/api/v1/tickets/IT-1").expect(200)["version"], 2);
        // Page by page it is the same.
        let (mut path, mut paged) = ("/api/v1/tickets/IT-1/timeline?limit=2".to_owned(), Vec::new());
        loop {
            let page = amara.get(&path);
            paged.extend(page.expect(200).as_array().unwrap().clone());
            let Some(link) = page.link else { break };
            let query = link.trim_start_matches('<').split_once('>').unwrap().0;
            path = format!("/api/v1/tickets/IT-1/timeline{query}");
        }
        assert_eq!(Value::Array(paged), timeline);
        // The version that a requester sees is the one that a requester names, also where notes come between.
        comment(&kofi, "one more", true);
        let cancel = json!({ "to": "cancelled", "reason": "it works again" });
        let stale = amara.with("if-match", "\"1\"").post("/api/v1/tickets/IT-1/transitions", &cancel);
        assert!(stale.status == 412 && stale.text.contains("version is 2"), "{}", stale.text);
        let done = amara.with("if-match", "\"2\"").post("/api/v1/tickets/IT-1/transitions", &cancel).expect(200);
        assert_eq!(done["version"], 3);
    });
}

#[test]
fn a_requester_sets_only_tags_of_theirs_and_no_channel() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let with = |more: Value| {
            let mut body = incident();
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (more, field) in [
            (json!({ "tags": ["compliance"] }), "tags"),
            (json!({ "tags": ["vpn", "vip"] }), "tags"),
            (json!({ "channel": "phone" }), "channel"),
        ] {
            let refused = amara.post("/api/v1/tickets", &with(more.clone())).expect(422);
            assert_eq!(
                (&refused["problems"][0]["field"], &refused["problems"][0]["code"]),
                (&json!(field), &json!("not-yours"))
            );
            kofi.post("/api/v1/tickets", &with(more)).expect(201);
        }
        let own = amara.post("/api/v1/tickets", &with(json!({ "tags": ["vpn"], "channel": "api" }))).expect(201);
        let ticket = kofi.get(&format!("/api/v1/tickets/{}", own["key"].as_str().unwrap())).expect(200);
        assert_eq!(ticket["channel"], "api");
        assert!(ticket["tags"].as_array().unwrap().contains(&json!("vpn")));
    });
}

#[test]
fn a_requester_sees_who_is_in_a_team_and_no_more() {
    let desk = House::demo(Database::Sqlite);
    let member = |person: &str| desk.as_role(person).get("/api/v1/config/teams").expect(200)[0]["members"][0].clone();
    let (amara, kofi) = (member("amara"), member("kofi"));
    assert_eq!(amara["person"], kofi["person"]);
    assert!(amara.get("skills").is_none() && amara.get("available").is_none(), "{amara}");
    assert!(kofi.get("skills").is_some() && kofi["available"].is_boolean(), "{kofi}");
}
