//! A clock that the code knows nothing of: the configuration alone declares it, and it is counted, alerted, escalated, explained and
//! reported like the desk's own. Requesters read nothing of it.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::{comment, incident, step};
use super::{promise, watched};
use crate::support::client::Client;
use crate::support::place::{Database, on_both};
use crate::support::wait::until;

const DIAGNOSIS: &str = "escalate = [{ clock = \"diagnosis\", at = 100 }]\n\n[[promises.clock]]\nid = \"diagnosis\"\n\
    name = \"Cause found\"\nstarts = [\"in_progress\"]\npauses = [\"waiting_requester\"]\nmet = [\"tag:storage\"]\n\
    target = [{ priority = \"critical\", within = \"1h\" }, { priority = \"high\", within = \"2h\" }]\n";

fn works(kofi: &Client, key: &str) {
    step(kofi, key, &json!({ "to": "in_progress" })).expect(200);
}

fn change(kofi: &Client, key: &str, body: &Value) {
    kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), body).expect(200);
}

#[test]
fn a_clock_that_only_the_configuration_knows_is_counted_alerted_explained_and_reported() {
    on_both(|database| {
        let desk = watched(database, DIAGNOSIS);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        change(&kofi, &key, &json!({ "team": "service-desk", "reason": "first things first" }));
        assert_eq!(promise(&kofi, &key, "diagnosis"), Value::Null, "no one works on it yet");
        works(&kofi, &key);
        let begun = promise(&kofi, &key, "diagnosis");
        assert_eq!((&begun["state"], &begun["target_minutes"]), (&json!("running"), &json!(120)), "{begun}");
        desk.advance(SignedDuration::from_mins(30));
        step(&kofi, &key, &json!({ "to": "waiting_requester" })).expect(200);
        desk.advance(SignedDuration::from_hours(5));
        works(&kofi, &key);
        let paused = promise(&kofi, &key, "diagnosis");
        assert_eq!((&paused["state"], &paused["used_minutes"]), (&json!("running"), &json!(30)), "{paused}");
        change(&kofi, &key, &json!({ "priority": "critical", "reason": "all of Berlin" }));
        let sooner = promise(&kofi, &key, "diagnosis");
        assert_eq!((&sooner["used_minutes"], &sooner["target_minutes"]), (&json!(30), &json!(60)), "{sooner}");

        let tier = || kofi.get(&format!("/api/v1/tickets/{key}")).expect(200)["tier"].clone();
        desk.advance(SignedDuration::from_mins(29));
        assert_eq!(tier(), 1);
        desk.advance(SignedDuration::from_mins(1));
        assert_eq!(tier(), 2, "the cause was not found in time");
        let reached = |client: &Client| {
            let all = client.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
            let of_it = |entry: &&Value| entry["kind"] == "clock-reached" && entry["details"]["clock"] == "diagnosis";
            all.as_array().unwrap().iter().filter(of_it).count()
        };
        assert_eq!((reached(&kofi), reached(&amara)), (2, 0), "half of it, and all of it");

        desk.advance(SignedDuration::from_mins(10));
        change(&kofi, &key, &json!({ "tags": ["storage"], "reason": "its disk is full" }));
        let met = promise(&kofi, &key, "diagnosis");
        assert_eq!((&met["state"], &met["used_minutes"], &met["broken"]), (&json!("met"), &json!(70), &json!(true)));
        let events = |client: &Client| {
            let all = client.get(&format!("/api/v1/tickets/{key}/promises/events")).expect(200);
            let of_it = all.as_array().unwrap().iter().filter(|event| event["clock"] == "diagnosis");
            of_it.map(|event| event["event"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(events(&kofi), ["start", "pause", "resume", "retarget", "breach", "meet"]);
        assert_eq!((promise(&amara, &key, "diagnosis"), events(&amara).len()), (Value::Null, 0), "it is internal");

        let told = kofi.get(&format!("/api/v1/tickets/{key}/explain?field=diagnosis")).expect(200);
        let story = &told["fields"][0];
        assert!(story["value"].as_str().unwrap().starts_with("60 minutes of open time"), "{told}");
        let day = |days: i64| (desk.clock.now() + SignedDuration::from_hours(24 * days)).to_string()[..10].to_owned();
        let period = format!("from={}&to={}", day(-3), day(2));
        let kept = kofi.get(&format!("/api/v1/reports/sla-attainment?{period}")).expect(200);
        let row = kept.as_array().unwrap().iter().find(|row| row["clock"] == "diagnosis").unwrap();
        assert_eq!((&row["settled"], &row["kept"], &row["broken"]), (&json!(1), &json!(0), &json!(1)), "{kept}");
    });
}

#[test]
fn a_clock_that_the_configuration_declares_no_more_ends_on_open_tickets() {
    let desk = watched(Database::Sqlite, DIAGNOSIS);
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let key = incident(&amara, "VPN is down");
    works(&kofi, &key);
    assert_eq!(promise(&kofi, &key, "diagnosis")["state"], "running");
    let file = desk.settings();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace(DIAGNOSIS, "")).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
    until("the clock is gone", || (promise(&kofi, &key, "diagnosis") == Value::Null).then_some(()));
    let all = kofi.get(&format!("/api/v1/tickets/{key}/promises/events")).expect(200);
    let last = all.as_array().unwrap().iter().rfind(|event| event["clock"] == "diagnosis").unwrap();
    assert_eq!(last["event"], "cancel", "{all}");
    comment(&kofi, &key, "We are looking.").expect(201);
    assert_eq!(promise(&kofi, &key, "diagnosis"), Value::Null);
    desk.do_what_is_due();
}

/// As many clocks as a desk may have, all of which begin at once, and are all replaced by others: each event is there once.
#[test]
fn sixteen_clocks_begin_end_and_make_room_for_as_many_others() {
    on_both(|database| {
        let clocks = |name: &str| {
            let clock = |n: usize| {
                format!(
                    "[[promises.clock]]\nid = \"{name}-{n}\"\nname = \"{name} {n}\"\nstarts = [\"submitted\"]\n\
                     met = [\"tag:storage\"]\npauses = [\"waiting_requester\"]\n\
                     target = [{{ priority = \"high\", within = \"{n}h\" }}]\n"
                )
            };
            (1..=16).map(clock).collect::<String>()
        };
        let desk = watched(database, &clocks("one"));
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        let events = |step: &str, name: &str| {
            let all = kofi.get(&format!("/api/v1/tickets/{key}/promises/events")).expect(200);
            let is_it = |event: &&Value| event["event"] == step && event["clock"].as_str().unwrap().starts_with(name);
            all.as_array().unwrap().iter().filter(is_it).count()
        };
        assert_eq!(events("start", "one-"), 16);
        step(&kofi, &key, &json!({ "to": "waiting_requester" })).expect(200);
        assert_eq!(events("pause", "one-"), 16);
        let told = kofi.get(&format!("/api/v1/tickets/{key}/explain?field=one-2")).expect(200);
        assert_eq!(told["fields"][0]["value"], "120 minutes of open time, standing still after 0", "{told}");
        let file = desk.settings();
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace(&clocks("one"), &clocks("two"))).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        until("the clocks are gone", || (promise(&kofi, &key, "one-1") == Value::Null).then_some(()));
        assert_eq!(events("cancel", "one-"), 16);
        // What is new begins with the next occasion of its kind, which for this ticket is past.
        works(&kofi, &key);
        assert_eq!(promise(&kofi, &key, "two-1"), Value::Null);
        let other = incident(&amara, "VPN is down again");
        assert_eq!(promise(&kofi, &other, "two-16")["state"], "running");
        desk.do_what_is_due();
    });
}
