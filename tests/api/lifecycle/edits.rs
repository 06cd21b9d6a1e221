//! Changes by hand: who may make them, what follows from them, and access that is taken back.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

const TICKET: &str = "/api/v1/tickets/IT-1";

fn submit(desk: &House) -> Value {
    let body = json!({ "request_type": "incident", "subject": "VPN is down",
        "body": "Nobody in Berlin can reach the VPN since 9.", "fields": { "service": "vpn", "people-affected": 40 } });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    desk.as_role("kofi").get(TICKET).expect(200)
}

fn edit(client: &Client, version: i64, body: &Value) -> crate::support::client::Answer {
    client.with("if-match", &format!("\"{version}\"")).patch(TICKET, body)
}

#[test]
fn what_a_person_changes_is_written_down_with_the_reason_and_the_promise_follows() {
    on_both(|database| {
        let desk = House::demo(database);
        let kofi = desk.as_role("kofi");
        let before = submit(&desk);
        let body = json!({ "priority": "critical", "category": "network.wifi", "tags": [], "reason": "it is the Wi-Fi, and all of Berlin" });
        let answer = edit(&kofi, 1, &body);
        let after = answer.expect(200);
        assert_eq!(answer.etag.as_deref(), Some("\"2\""));
        assert_eq!((&after["priority"], &after["category"]), (&json!("critical"), &json!("network.wifi")));
        assert_eq!(after["team"], before["team"], "what nobody named stays");
        let due = |ticket: &Value| ticket["resolution"]["due_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert_eq!((&before["priority"], &after["resolution"]["target_minutes"]), (&json!("high"), &json!(240)));
        assert!(due(&after) < due(&before), "{after}");

        let entries = kofi.get(&format!("{TICKET}/timeline")).expect(200);
        let by_hand = |field: &str| {
            let found = entries.as_array().unwrap().iter().rfind(|e| e["details"]["field"] == field);
            found.unwrap_or_else(|| panic!("{field}: {entries}")).clone()
        };
        let set = by_hand("priority");
        assert_eq!((&set["by"], &set["author"]), (&json!("person"), &json!("kofi")));
        assert_eq!(set["details"]["from"], "high");
        assert_eq!(set["details"]["reason"], "it is the Wi-Fi, and all of Berlin");
        let same = edit(&kofi, 2, &json!({ "priority": "critical", "reason": "again" })).expect(200);
        assert_eq!(same["version"], 2, "nothing changed");
    });
}

/// On request, a ticket that gets another category gets the priority and the team that the rules find for that, in their name and
/// with a record of what they were asked; what the person names stays theirs.
#[test]
fn a_new_category_has_the_later_stages_asked_again_on_request_and_says_why() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let vague = json!({ "request_type": "question", "subject": "How?", "body": "Please tell me.", "fields": {} });
        amara.post("/api/v1/tickets", &vague).expect(201);
        let before = kofi.get(TICKET).expect(200);
        assert_eq!((&before["category"], &before["team"]), (&json!("miscellaneous"), &json!("service-desk")));
        let alone = json!({ "category": "hardware.printer", "reason": "a printer", "ask_rules": false });
        assert_eq!(edit(&kofi, 1, &alone).expect(200)["team"], "service-desk", "no more was asked for");

        desk.clock.advance(jiff::SignedDuration::from_mins(1));
        let asked = json!({ "category": "security", "reason": "somebody asks for passwords", "ask_rules": true });
        assert_eq!(amara.with("if-match", "*").patch(TICKET, &asked).status, 403);
        let once = kofi.with("idempotency-key", "again");
        let after = edit(&once, 2, &asked).expect(200);
        assert_eq!((&after["category"], &after["team"]), (&json!("security"), &json!("security")), "{after}");
        assert_ne!(after["priority"], before["priority"], "a matter of security is more urgent");
        assert!(!after["assignee"].is_null() && after["version"] == 3, "it is one change: {after}");
        assert_eq!(edit(&once, 2, &asked).expect(200)["version"], 3, "sent again, it is the same one");
        let entries = kofi.get(&format!("{TICKET}/timeline")).expect(200);
        let last = |field: &str| {
            let found = entries.as_array().unwrap().iter().rfind(|entry| entry["details"]["field"] == field).unwrap();
            (found["by"].clone(), found["author"].as_str().unwrap().to_owned(), found["details"]["reason"].clone())
        };
        assert_eq!(last("category"), (json!("person"), "kofi".to_owned(), asked["reason"].clone()));
        let (by, rule, why) = last("team");
        assert!(by == "rule" && rule.starts_with("team-routing ") && why != "", "{entries}");
        assert!(last("priority").1.starts_with("impact-urgency "), "{entries}");
        let runs = kofi.get(&format!("{TICKET}/decisions")).expect(200);
        let stages = |run: &Value| {
            let names =
                run["stages"].as_array().unwrap().iter().map(|stage| stage["stage"].as_str().unwrap().to_owned());
            names.collect::<Vec<_>>()
        };
        assert_eq!(runs.as_array().unwrap().len(), 2, "{runs}");
        assert_eq!(
            (&runs[1]["cause"], stages(&runs[1])),
            (&json!("reconsidered"), vec!["priority".into(), "routing".into()])
        );
        let told = kofi.get(&format!("{TICKET}/explain?field=team")).expect(200);
        assert!(told["fields"][0]["set_by"]["name"].as_str().unwrap().starts_with("team-routing"), "{told}");

        // A team that the person names is theirs to name; the rules go on about the priority.
        let named = json!({ "category": "network.vpn", "team": "desktop", "reason": "the client", "ask_rules": true });
        let after = edit(&kofi, 3, &named).expect(200);
        assert_eq!((&after["team"], &after["priority"]), (&json!("desktop"), &before["priority"]), "{after}");
        let unknown = json!({ "category": "no-such", "reason": "x", "ask_rules": true });
        assert_eq!(edit(&kofi, 4, &unknown).expect(422)["problems"][0]["field"], "category");
        assert_eq!(edit(&kofi, 3, &asked).status, 412, "it is at another version");
        // Rules that are asked again as often as one likes come to the same, and leave no trace where nothing changes.
        let once_more = json!({ "category": "network.vpn", "reason": "are they sure?", "ask_rules": true });
        let settled = edit(&kofi, 4, &once_more).expect(200);
        let runs = kofi.get(&format!("{TICKET}/decisions")).expect(200);
        let version = settled["version"].as_i64().unwrap();
        assert_eq!(edit(&kofi, version, &once_more).expect(200), settled);
        assert_eq!(kofi.get(&format!("{TICKET}/decisions")).expect(200), runs);
        let verified = desk.command(&["decisions", "verify"]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
        desk.do_what_is_due();
    });
}

/// After another category routing is asked by itself, and the ticket goes where the rules say; the priority stays as it was, and so
/// does a team that a person has set. After another team the rules say who of it can have the ticket.
#[test]
fn routing_is_asked_again_by_itself_when_a_ticket_changes_category_or_hands() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let vague = json!({ "request_type": "question", "subject": "How?", "body": "Please tell me.", "fields": {} });
        amara.post("/api/v1/tickets", &vague).expect(201);
        let before = kofi.get(TICKET).expect(200);
        assert_eq!(before["team"], "service-desk");
        let corrected = edit(&kofi, 1, &json!({ "category": "security", "reason": "passwords" })).expect(200);
        assert_eq!((&corrected["team"], &corrected["version"]), (&json!("security"), &json!(2)), "{corrected}");
        assert_eq!(corrected["priority"], before["priority"], "only routing was asked");
        let runs = || kofi.get(&format!("{TICKET}/decisions")).expect(200).as_array().unwrap().clone();
        let asked = runs().pop().unwrap();
        assert_eq!(
            (&asked["cause"], asked["stages"].as_array().unwrap().len()),
            (&json!("reconsidered"), 1),
            "{asked}"
        );
        assert_eq!(asked["stages"][0]["stage"], "routing");
        let told = kofi.get(&format!("{TICKET}/explain?field=team")).expect(200);
        assert!(told["fields"][0]["set_by"]["name"].as_str().unwrap().starts_with("team-routing"), "{told}");

        // To a printer's team by hand: it is the rules that know who of it can have the ticket.
        let handed = edit(&kofi, 2, &json!({ "team": "network", "reason": "they know" })).expect(200);
        assert_eq!(handed["team"], "network");
        let asked_before = runs().len();
        let kept = edit(&kofi, 3, &json!({ "category": "hardware.printer", "reason": "a printer" })).expect(200);
        assert_eq!((&kept["team"], &kept["assignee"]), (&json!("network"), &handed["assignee"]), "a person said so");
        assert_eq!(runs().len(), asked_before, "and no rule was asked");
        let told = kofi.get(&format!("{TICKET}/explain?field=team")).expect(200);
        assert!(told["fields"][0]["changes"].to_string().contains("kofi"), "{told}");
        let to_desktop = edit(&kofi, 4, &json!({ "team": "desktop", "reason": "theirs" })).expect(200);
        assert_eq!(to_desktop["team"], "desktop");
        assert_eq!(runs().len(), asked_before + 1, "who of it knows printers");
        let same = edit(&kofi, 5, &json!({ "category": "hardware.printer", "reason": "again" })).expect(200);
        assert_eq!(same["version"], 5, "nothing changed");
        let verified = desk.command(&["decisions", "verify"]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
        desk.do_what_is_due();
    });
}

/// A desk may keep its rules from being asked by themselves, and may do so for some types of request.
#[test]
fn routing_is_asked_again_as_far_as_the_configuration_has_it() {
    let vague = json!({ "request_type": "question", "subject": "How?", "body": "Please tell me.", "fields": {} });
    for (routing, team) in [
        ("ask-again = []", "service-desk"),
        ("ask-again = [\"team\"]", "service-desk"),
        ("not-for = [\"question\"]", "service-desk"),
        ("not-for = [\"incident\"]", "security"),
    ] {
        let desk =
            House::with_settings(Database::Sqlite, example_rules(), |text| format!("{text}\n[routing]\n{routing}\n"));
        desk.as_role("amara").post("/api/v1/tickets", &vague).expect(201);
        let body = json!({ "category": "security", "reason": "passwords" });
        assert_eq!(edit(&desk.as_role("kofi"), 1, &body).expect(200)["team"], team, "{routing}");
    }
}

#[test]
fn a_ticket_that_changes_teams_is_shared_out_there() {
    on_both(|database| {
        let desk = House::demo(database);
        let kofi = desk.as_role("kofi");
        submit(&desk);
        let moved = edit(&kofi, 1, &json!({ "team": "desktop", "reason": "a laptop after all" })).expect(200);
        assert_eq!((&moved["team"], &moved["tier"]), (&json!("desktop"), &json!(2)));
        let assignee = moved["assignee"].as_str().unwrap();
        assert!(["emma", "paul"].contains(&assignee), "{moved}");
        let other = if assignee == "emma" { "paul" } else { "emma" };
        let given = edit(&kofi, 2, &json!({ "assignee": other, "reason": "knows it" })).expect(200);
        assert_eq!((&given["assignee"], &given["team"]), (&json!(other), &json!("desktop")));
        let queued = edit(&kofi, 3, &json!({ "assignee": null, "reason": "on leave" })).expect(200);
        assert_eq!(queued["assignee"], Value::Null);
        let refused = edit(&kofi, 4, &json!({ "assignee": "akira", "reason": "please" })).expect(422);
        assert_eq!(refused["problems"][0]["field"], "assignee");
        let message = refused["problems"][0]["message"].as_str().unwrap();
        assert!(message.starts_with("Akira Mori is not in the team Desktop: choose one of "), "{message}");
        assert!(message.contains(" (emma)") && message.ends_with(", or change the team as well"), "{message}");
    });
}

#[test]
fn impact_and_urgency_give_the_priority_that_the_matrix_says() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| {
            let cell = |impact, urgency, priority| {
                format!("\n[[matrix]]\nimpact = \"{impact}\"\nurgency = \"{urgency}\"\npriority = \"{priority}\"\n")
            };
            text + &cell("high", "high", "critical") + &cell("low", "high", "medium")
        });
        let kofi = desk.as_role("kofi");
        submit(&desk);
        let body = json!({ "impact": "high", "urgency": "high", "reason": "all of Berlin" });
        assert_eq!(edit(&kofi, 1, &body).expect(200)["priority"], "critical");
        let by_hand = json!({ "impact": "low", "priority": "low", "reason": "they are at home" });
        assert_eq!(edit(&kofi, 2, &by_hand).expect(200)["priority"], "low", "what is said stands");
        let none = json!({ "impact": "medium", "reason": "some are not" });
        assert_eq!(edit(&kofi, 3, &none).expect(200)["priority"], "low", "no cell says another");
    });
}

#[test]
fn only_agents_and_admins_change_tickets_and_only_what_they_have_seen() {
    on_both(|database| {
        let desk = House::demo(database);
        let (kofi, mei, amara) = (desk.as_role("kofi"), desk.as_role("mei"), desk.as_role("amara"));
        submit(&desk);
        let body = json!({ "priority": "low", "reason": "can wait" });
        assert_eq!(edit(&amara, 1, &body).status, 403, "not even their own");
        let other = desk.as_role("priya");
        assert_eq!((edit(&other, 1, &body).status, edit(&other, 1, &json!({})).status), (403, 403), "nor any other");
        let none = other.with("if-match", "*").patch("/api/v1/tickets/IT-99", &body);
        assert_eq!(
            none.expect(403),
            edit(&other, 1, &body).expect(403),
            "which tells of no ticket whether it is there"
        );
        assert_eq!(kofi.patch(TICKET, &body).status, 428);
        edit(&mei, 1, &body).expect(200);
        assert_eq!(edit(&kofi, 1, &json!({ "priority": "high", "reason": "no" })).status, 412);
        for (body, field) in [
            (json!({ "priority": "high" }), "reason"),
            (json!({ "priority": "highest", "reason": "?" }), "priority"),
            (json!({ "team": "nobody", "reason": "?" }), "team"),
            (json!({ "tags": ["no such"], "reason": "?" }), "tags"),
            (json!({ "category": "x\u{0}", "reason": "?" }), "category"),
            (json!({ "impact": "huge", "reason": "zero \u{0}" }), "reason"),
        ] {
            let problem = edit(&kofi, 2, &body).expect(422);
            assert_eq!(problem["problems"][0]["field"], field, "{problem}");
        }
        let cancel = kofi.with("if-match", "\"2\"");
        cancel.post(&format!("{TICKET}/transitions"), &json!({ "to": "cancelled" })).expect(200);
        assert_eq!(edit(&kofi, 3, &json!({ "priority": "high", "reason": "late" })).status, 409);
    });
}

#[test]
fn access_that_is_taken_back_is_gone_at_once() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, mei) = (desk.as_role("amara"), desk.as_role("mei"));
        let ask = |app: &str, tier: &str| {
            let body = json!({ "request_type": "access", "subject": format!("{app} please"), "fields": {
                "app": app, "tier": tier, "duration-hours": 100, "justification": "I join the data project on Monday" } });
            let ticket = amara.post("/api/v1/tickets", &body).expect(201);
            assert_eq!(ticket["access"]["state"], "approved", "{ticket}");
        };
        let newest = || amara.get("/api/v1/people/amara/grants").expect(200)[0].clone();
        ask("jira", "user");
        let revoke = |client: &Client, body: &Value| {
            client.post(&format!("/api/v1/grants/{}/revoke", newest()["id"].as_str().unwrap()), body)
        };
        let why = json!({ "reason": "the project is over" });
        assert_eq!(revoke(&desk.as_role("kofi"), &why).status, 403, "an agent does not answer for the app");
        assert_eq!(revoke(&desk.with_roles("ravi", "requester"), &why).status, 403, "another's access");
        assert_eq!(revoke(&desk.with_roles("ravi", "approver"), &why).status, 403, "the owner of another app");
        let owner = desk.with_roles("chloe", "requester");
        assert_eq!(revoke(&owner, &json!({})).status, 422);
        let ended = revoke(&owner, &why).expect(200);
        assert_eq!(ended["effective"], false);
        assert_eq!(newest()["effective"], false, "at once");
        assert!(newest()["revoked_at"].is_string());
        assert_eq!(revoke(&mei, &why).status, 409, "once is enough");
        let entries = amara.get("/api/v1/tickets/IT-1/timeline").expect(200);
        let last = entries.as_array().unwrap().last().unwrap();
        assert_eq!((&last["author"], &last["details"]["outcome"]), (&json!("chloe"), &json!("revoked")));
        let told = desk.as_role("kofi").get("/api/v1/tickets/IT-1/messages").expect(200);
        assert_eq!(told.as_array().unwrap().last().unwrap()["recipient"], "amara");
        ask("jira", "user");
        assert_eq!(newest()["effective"], true);
        revoke(&mei, &why).expect(200);
        assert_eq!(newest()["effective"], false);
    });
}
