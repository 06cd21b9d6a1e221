//! Stage 3's failure point: everything is urgent, and promises are broken in silence. Alerts come at their shares, each once;
//! a promise ends with its cause.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{comment, count, incident, step};
use crate::store::chain::by_hand;
use crate::support::client::{Client, resolved};
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, in_runtime, on_both};
use crate::support::wait::until;

mod escalation;
mod followed;
mod further;
mod take_up;
mod team;

/// The demo, open day and night, with alerts and a promise of updates.
pub(super) fn watched(database: Database, more: &str) -> House {
    House::with_settings(database, example_rules(), |text| {
        let always = "\n[[other-calendar]]\nid = \"always\"\ntime-zone = \"UTC\"\n".to_owned()
            + &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
                .map(|day| format!("{day} = [\"00:00-24:00\"]\n"))
                .concat();
        let text = text.replace("first-response = ", "next-update = \"2h\"\ncalendar = \"always\"\nfirst-response = ");
        format!("{text}\n[promises]\nalert-at = [50, 100]\n{more}{always}")
    })
}

fn promise(client: &Client, key: &str, clock: &str) -> Value {
    let all = client.get(&format!("/api/v1/tickets/{key}/promises")).expect(200);
    all.as_array().unwrap().iter().find(|one| one["clock"] == clock).cloned().unwrap_or_default()
}

#[test]
fn each_share_is_alerted_once_on_any_number_of_looks() {
    on_both(|database| {
        let desk = watched(database, "");
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        let target = promise(&kofi, &key, "first-response")["target_minutes"].as_i64().unwrap();
        let (soon, broken) = (|| count(&desk, &key, "promise-runs-out"), || count(&desk, &key, "promise-broken"));
        desk.advance(SignedDuration::from_mins(target / 2 - 1));
        assert_eq!((soon(), broken()), (0, 0));
        desk.advance(SignedDuration::from_mins(1));
        let each = soon();
        assert!(each > 0, "the assignee hears of it, or the team");
        desk.advance(SignedDuration::from_mins(1));
        assert_eq!((soon(), broken()), (each, 0));
        desk.advance(SignedDuration::from_mins(target));
        assert_eq!((soon(), broken()), (each, each));
        assert_eq!(promise(&kofi, &key, "first-response")["broken"], true);
        let entries = kofi.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
        let reached = entries.as_array().unwrap().iter().filter(|entry| entry["kind"] == "clock-reached");
        let shares: Vec<&str> = reached.map(|entry| entry["details"]["percent"].as_str().unwrap()).collect();
        assert_eq!(shares, ["50", "100"]);
        assert!(
            !amara.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200).to_string().contains("clock-reached")
        );
    });
}

#[test]
fn an_outage_gives_each_alert_once_afterwards_and_a_resolved_ticket_none() {
    on_both(|database| {
        let desk = watched(database, "");
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let [late, done] = ["late", "done"].map(|subject| incident(&amara, subject));
        step(&kofi, &done, &resolved()).expect(200);
        desk.clock.advance(SignedDuration::from_hours(24 * 9));
        let desk = desk.cut_off_and_restart();
        desk.advance(SignedDuration::ZERO);
        let alerts = |key: &str| count(&desk, key, "promise-runs-out") + count(&desk, key, "promise-broken");
        // First response and resolution, both shares each; who hears of several at one moment gets one message.
        let kofi = desk.as_role("kofi");
        let entries = kofi.get(&format!("/api/v1/tickets/{late}/timeline")).expect(200);
        let reached = entries.as_array().unwrap().iter().filter(|entry| entry["kind"] == "clock-reached");
        let mut reached: Vec<String> = reached.map(|entry| entry["details"].to_string()).collect();
        let count = reached.len();
        reached.sort();
        reached.dedup();
        assert!(reached.len() == count && count >= 4, "{entries}");
        let told = alerts(&late);
        assert!(told >= 1);
        desk.advance(SignedDuration::from_hours(1));
        assert_eq!(alerts(&late), told);
        let story = kofi.get(&format!("/api/v1/tickets/{done}/timeline")).expect(200);
        assert_eq!(alerts(&done), 0, "escalation does not outlive its cause: {story}");
    });
}

#[test]
fn promises_that_fall_due_together_are_looked_after_and_one_that_cannot_be_read_holds_up_no_other() {
    on_both(|database| {
        let desk = watched(database, "");
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let keys = ["one", "two", "three", "four", "five"].map(|subject| incident(&amara, subject));
        let target = promise(&kofi, &keys[0], "first-response")["target_minutes"].as_i64().unwrap();
        let broken = "update contents set fields = 'nonsense' where ticket = 3";
        in_runtime(by_hand(&desk.target(), &[broken]));
        desk.advance(SignedDuration::from_mins(target / 2));
        let whole = [&keys[0], &keys[1], &keys[3], &keys[4]];
        let each = whole.map(|key| count(&desk, key, "promise-runs-out"));
        assert!(each.iter().all(|count| *count > 0), "all that fell due at one moment: {each:?}");
        let reached = |key: &str| {
            let entries = kofi.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200);
            entries.as_array().unwrap().iter().filter(|entry| entry["kind"] == "clock-reached").count()
        };
        assert_eq!(whole.map(|key| reached(key)), [1; 4]);
        desk.do_what_is_due();
        assert_eq!(whole.map(|key| reached(key)), [1; 4], "each once");
    });
}

#[test]
fn the_requester_is_kept_informed_between_answers() {
    on_both(|database| {
        let desk = watched(database, "");
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        assert_eq!(promise(&kofi, &key, "next-update"), Value::Null, "the first answer is another promise");
        comment(&kofi, &key, "We are looking.").expect(201);
        assert_eq!(promise(&kofi, &key, "first-response")["state"], "met");
        desk.advance(SignedDuration::from_mins(30));
        assert_eq!(promise(&kofi, &key, "next-update")["used_minutes"], 30);
        comment(&amara, &key, "Any news?").expect(201);
        assert_eq!(promise(&kofi, &key, "next-update")["used_minutes"], 30, "the requester's words are no answer");
        let note = json!({ "body": "It is the provider.", "internal": true });
        kofi.post(&format!("/api/v1/tickets/{key}/comments"), &note).expect(201);
        assert_eq!(promise(&kofi, &key, "next-update")["used_minutes"], 30, "nor is a private note");
        comment(&kofi, &key, "The provider is at it.").expect(201);
        assert_eq!(promise(&kofi, &key, "next-update")["used_minutes"], 0, "promised afresh");
        step(&kofi, &key, &json!({ "to": "waiting_requester" })).expect(200);
        desk.advance(SignedDuration::from_hours(12));
        assert_eq!(promise(&kofi, &key, "next-update")["state"], "paused");
        step(&kofi, &key, &resolved()).expect(200);
        assert_eq!(promise(&kofi, &key, "next-update")["state"], "met");
    });
}

#[test]
fn what_was_paused_stays_paused_when_the_priority_changes() {
    on_both(|database| {
        let desk = watched(database, "");
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        desk.clock.advance(SignedDuration::from_mins(10));
        step(&kofi, &key, &json!({ "to": "waiting_requester" })).expect(200);
        desk.advance(SignedDuration::from_hours(3));
        let critical = json!({ "priority": "critical", "reason": "all of Berlin" });
        kofi.with("if-match", "*").patch(&format!("/api/v1/tickets/{key}"), &critical).expect(200);
        step(&kofi, &key, &json!({ "to": "in_progress" })).expect(200);
        let resolution = promise(&kofi, &key, "resolution");
        assert_eq!((&resolution["used_minutes"], &resolution["target_minutes"]), (&json!(10), &json!(240)));
        step(&kofi, &key, &resolved()).expect(200);
        desk.clock.advance(SignedDuration::from_hours(1));
        step(&amara, &key, &json!({ "to": "reopened", "reason": "no" })).expect(200);
        assert_eq!(
            promise(&kofi, &key, "resolution")["used_minutes"],
            10,
            "the time while it was resolved does not count"
        );
    });
}

#[test]
fn promises_end_at_once_with_what_they_are_about_and_no_alert_comes_after() {
    let desk = watched(Database::Sqlite, "");
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let [merged, into, cancelled, policy] = ["one", "two", "three", "four"].map(|subject| incident(&amara, subject));
    comment(&kofi, &policy, "We are looking.").expect(201);
    let merge = json!({ "into": into, "reason": "the same" });
    kofi.with("if-match", "*").post(&format!("/api/v1/tickets/{merged}/merge"), &merge).expect(200);
    step(&amara, &cancelled, &json!({ "to": "cancelled" })).expect(200);
    let file = desk.settings();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("next-update = \"2h\"\n", "")).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
    until("the policy is gone from the ticket", || {
        (promise(&kofi, &policy, "next-update") == Value::Null).then_some(())
    });
    for key in [&merged, &cancelled] {
        let all = kofi.get(&format!("/api/v1/tickets/{key}/promises")).expect(200);
        assert!(all.as_array().unwrap().iter().all(|one| one["state"] != "running"), "{all}");
    }
    let before = [&merged, &cancelled].map(|key| count(&desk, key, "promise-runs-out"));
    desk.advance(SignedDuration::from_hours(24 * 30));
    let alerts = |key: &str| count(&desk, key, "promise-runs-out") + count(&desk, key, "promise-broken");
    assert_eq!([&merged, &cancelled].map(|key| alerts(key)), before, "nothing is alerted any more");
    assert!(alerts(&into) > 0, "others are");
    let story = kofi.get(&format!("/api/v1/tickets/{policy}/timeline")).expect(200);
    let of_policy = |entry: &Value| entry["kind"] == "clock-reached" && entry["details"]["clock"] == "next-update";
    assert!(!story.as_array().unwrap().iter().any(of_policy), "{story}");
}

#[test]
fn the_time_between_a_resolution_and_its_dispute_is_no_ones() {
    let desk = watched(Database::Sqlite, "");
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let key = incident(&amara, "VPN is down");
    desk.advance(SignedDuration::from_mins(20));
    step(&kofi, &key, &resolved()).expect(200);
    let used = || promise(&kofi, &key, "resolution")["used_minutes"].clone();
    assert_eq!(used(), 20);
    desk.advance(SignedDuration::from_mins(90));
    step(&amara, &key, &json!({ "to": "reopened", "reason": "still down" })).expect(200);
    assert_eq!(used(), 20, "the gap counts for no one");
    desk.advance(SignedDuration::from_mins(5));
    assert_eq!(used(), 25, "and it runs on from there");
    desk.do_what_is_due();
}
