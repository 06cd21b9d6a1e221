//! Who hears of what: each person once of what concerns them, none of their own acts, and a private note in no message.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde_json::json;

use super::super::incident;
use crate::support::client::resolved;
use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::peers::smtp::{Relay, Taken};
use crate::support::place::{Database, on_both};

/// A desk whose mail goes to a relay.
fn desk(database: Database) -> (House, Relay) {
    let relay = Relay::start();
    let desk = House::with_settings(database, example_rules(), |text| text + &relay.settings());
    (desk, relay)
}

/// The messages since the last look, by recipient.
fn news(desk: &House, relay: &Relay, seen: &mut usize) -> BTreeMap<String, Taken> {
    desk.do_what_is_due();
    let taken = relay.taken();
    let new = taken[*seen..].to_vec();
    *seen = taken.len();
    let count = new.len();
    let by_person: BTreeMap<String, Taken> =
        new.into_iter().map(|taken| (taken.to.split('@').next().unwrap().to_owned(), taken)).collect();
    assert_eq!(by_person.len(), count, "one message to each person");
    by_person
}

fn people(news: &BTreeMap<String, Taken>) -> BTreeSet<&str> {
    news.keys().map(String::as_str).collect()
}

#[test]
fn each_person_hears_once_of_what_concerns_them_and_never_of_what_they_did() {
    on_both(|database| {
        let (desk, relay) = desk(database);
        let (amara, kofi, mut seen) = (desk.as_role("amara"), desk.as_role("kofi"), 0);
        let ticket = amara.post("/api/v1/tickets", &incident("VPN is down")).expect(201);
        let key = ticket["key"].as_str().unwrap();
        let path = |what: &str| format!("/api/v1/tickets/{key}/{what}");
        let worker = kofi.get(&format!("/api/v1/tickets/{key}")).expect(200)["assignee"].as_str().unwrap().to_owned();
        assert_ne!(worker, "kofi", "another person has it");

        let first = news(&desk, &relay, &mut seen);
        let both = BTreeSet::from(["amara", worker.as_str()]);
        assert_eq!(people(&first), both);
        let acknowledgement = &first["amara"];
        assert_eq!(acknowledgement.header("Subject"), format!("[{key}] VPN is down"));
        assert_eq!(acknowledgement.header("Auto-Submitted"), "auto-replied");
        assert_eq!(first[&worker].header("Auto-Submitted"), "auto-generated");

        kofi.post(&path("comments"), &json!({ "body": "Is it better now?", "internal": false })).expect(201);
        let replied = news(&desk, &relay, &mut seen);
        assert_eq!(people(&replied), both);
        assert!(replied["amara"].text.contains("Is it better now?"));
        assert_eq!(replied["amara"].header("Auto-Submitted"), "", "a person wrote it");
        for header in ["In-Reply-To", "References"] {
            let thread = acknowledgement.header(header);
            assert!(thread.starts_with("<t.") && thread.ends_with("@meridian.example>"), "{thread}");
            assert_eq!(replied["amara"].header(header), thread, "one thread");
        }
        assert_ne!(replied["amara"].header("Message-ID"), acknowledgement.header("Message-ID"));

        kofi.post(&path("comments"), &json!({ "body": "She is always like that.", "internal": true })).expect(201);
        assert_eq!(people(&news(&desk, &relay, &mut seen)), BTreeSet::new(), "a private note");
        amara.post(&path("comments"), &json!({ "body": "No, still down.", "internal": false })).expect(201);
        assert_eq!(people(&news(&desk, &relay, &mut seen)), BTreeSet::from([worker.as_str()]));
        let kofi = kofi.with("if-match", "*");
        kofi.post(&path("transitions"), &json!({ "to": "in_progress" })).expect(200);
        assert_eq!(people(&news(&desk, &relay, &mut seen)), BTreeSet::new(), "work goes on");
        let mut done = resolved();
        done["reason"] = json!("The gateway was restarted.");
        kofi.post(&path("transitions"), &done).expect(200);
        let resolved = news(&desk, &relay, &mut seen);
        assert_eq!(people(&resolved), both);
        assert!(resolved["amara"].text.contains("The gateway was restarted."), "{}", resolved["amara"].text);
        assert!(relay.taken().iter().all(|taken| !taken.text.contains("always like that")));

        let messages = kofi.get(&path("messages")).expect(200);
        let states: Vec<&str> = messages.as_array().unwrap().iter().map(|m| m["state"].as_str().unwrap()).collect();
        assert_eq!(states, vec!["sent"; relay.taken().len()]);
        assert_eq!(messages[0]["receipt"], "250 2.0.0 taken as 4711");
    });
}

#[test]
fn an_approver_is_asked_with_what_there_is_to_decide_and_the_requester_hears_what_came_of_it() {
    let (desk, relay) = desk(Database::Sqlite);
    let mut seen = 0;
    let fields = json!({ "app": "github", "tier": "write", "duration-hours": 24,
        "justification": "I join the data project on Monday" });
    let body = json!({ "request_type": "access", "subject": "GitHub please", "fields": fields });
    let ticket = desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    let key = ticket["key"].as_str().unwrap();
    let asked = news(&desk, &relay, &mut seen);
    let wanted = &asked["lena"];
    assert_eq!(wanted.header("Subject"), format!("[{key}] Your decision is needed: GitHub please"));
    for told in ["App: GitHub", "For: Amara Okafor", "I join the data project on Monday", "24 hours"] {
        assert!(wanted.text.contains(told), "{told} is not in\n{}", wanted.text);
    }
    let decision = json!({ "approve": true, "reason": "She needs it." });
    desk.as_role("lena").post(&format!("/api/v1/tickets/{key}/access/decisions"), &decision).expect(200);
    let told = news(&desk, &relay, &mut seen);
    assert!(told.contains_key("amara") && !told.contains_key("lena"), "{told:?}");
}

#[test]
fn a_person_hears_in_their_language_once_a_day_or_not_at_all_as_they_choose() {
    on_both(|database| {
        let (desk, relay) = desk(database);
        let (amara, mut seen) = (desk.as_role("amara"), 0);
        let question = |subject: &str| json!({ "request_type": "question", "subject": subject, "body": "Please tell me.", "fields": { "topic": "other" } });
        let prefer = |delivery: &str, locale: Option<&str>| {
            let body = json!({ "delivery": delivery, "locale": locale });
            amara.put_text("/api/v1/preferences", &body.to_string(), "application/json")
        };
        assert_eq!(
            amara.get("/api/v1/preferences").expect(200),
            json!({ "delivery": "immediately", "kinds": {}, "locale": null })
        );
        prefer("immediately", Some("de")).expect(200);
        amara.post("/api/v1/tickets", &question("Wo ist der Drucker?")).expect(201);
        let german = &news(&desk, &relay, &mut seen)["amara"];
        assert!(german.text.contains("Ihr Anliegen"), "{}", german.text);
        assert!(prefer("immediately", Some("tlh")).expect(422)["detail"].is_string());
        prefer("sometimes", None).expect(422);

        prefer("digest", None).expect(200);
        for subject in ["One", "Two", "Three"] {
            amara.post("/api/v1/tickets", &question(subject)).expect(201);
        }
        assert!(!news(&desk, &relay, &mut seen).contains_key("amara"), "it waits for the morning");
        desk.clock.advance(SignedDuration::from_hours(24));
        let digest = &news(&desk, &relay, &mut seen)["amara"];
        assert!(digest.header("Subject").contains("news on 3 of your tickets"), "{}", digest.header("Subject"));
        for subject in ["One", "Two", "Three"] {
            assert!(digest.text.contains(subject), "{}", digest.text);
        }
        desk.clock.advance(SignedDuration::from_hours(1));
        assert!(news(&desk, &relay, &mut seen).is_empty(), "none leaves twice");

        prefer("off", None).expect(200);
        let key = amara.post("/api/v1/tickets", &question("Four")).expect(201)["key"].as_str().unwrap().to_owned();
        assert!(!news(&desk, &relay, &mut seen).contains_key("amara"));
        let messages = desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}/messages")).expect(200);
        assert_eq!(messages[0]["state"], "not-sent");
        assert_eq!(messages[0]["receipt"], "not sent: its recipient wants no messages");
    });
}

#[test]
fn a_person_hears_of_one_kind_at_once_of_another_once_a_day_and_of_a_third_never() {
    on_both(|database| {
        let (desk, relay) = desk(database);
        let (amara, kofi, mut seen) = (desk.as_role("amara"), desk.as_role("kofi"), 0);
        let prefer = |kinds: serde_json::Value| {
            amara.put("/api/v1/preferences", &json!({ "delivery": "immediately", "kinds": kinds }))
        };
        assert_eq!(prefer(json!({ "no-such-kind": "off" })).status, 422);
        assert_eq!(prefer(json!({ "reply": "sometimes" })).status, 422);
        let kinds = json!({ "acknowledgement": "off", "state-changed": "digest" });
        assert_eq!(prefer(kinds.clone()).expect(200)["kinds"], kinds);
        let ticket = amara.post("/api/v1/tickets", &incident("VPN is down")).expect(201);
        let path = format!("/api/v1/tickets/{}", ticket["key"].as_str().unwrap());
        let first = news(&desk, &relay, &mut seen);
        assert!(!people(&first).contains("amara"), "that it has arrived is not worth a message: {first:?}");
        kofi.post(&format!("{path}/comments"), &json!({ "body": "Is it better now?", "internal": false })).expect(201);
        assert!(people(&news(&desk, &relay, &mut seen)).contains("amara"), "an answer is, at once");
        let waits = json!({ "to": "waiting_requester" });
        kofi.with("if-match", "*").post(&format!("{path}/transitions"), &waits).expect(200);
        assert!(!people(&news(&desk, &relay, &mut seen)).contains("amara"), "that waits for the day's digest");
        desk.clock.advance(SignedDuration::from_hours(24));
        assert!(people(&news(&desk, &relay, &mut seen)).contains("amara"), "which has come");
    });
}

/// The desk says why in the reader's language: why a ticket is closed, why access was given or has ended. The words of people stay as
/// they are.
#[test]
fn the_desk_s_own_reasons_are_in_the_language_of_the_letter_and_those_of_people_as_they_were_said() {
    on_both(|database| {
        let (desk, relay) = desk(database);
        let (amara, lena) = (desk.as_role("amara"), desk.as_role("lena"));
        amara.put("/api/v1/preferences", &json!({ "delivery": "immediately", "locale": "de" })).expect(200);
        let letters = || -> Vec<String> {
            let hers = relay.taken().into_iter().filter(|taken| taken.to.starts_with("amara@"));
            hers.map(|taken| taken.text.replace("=\n", "")).collect()
        };
        let last = |words: &str| {
            let all = letters();
            all.iter().rfind(|text| text.contains(words)).cloned().unwrap_or_else(|| panic!("{words}: {all:#?}"))
        };
        let ticket = amara.post("/api/v1/tickets", &incident("VPN is down")).expect(201);
        let path = format!("/api/v1/tickets/{}/transitions", ticket["key"].as_str().unwrap());
        desk.as_role("kofi").with("if-match", "*").post(&path, &resolved()).expect(200);
        (0..12).for_each(|_| desk.advance(SignedDuration::from_hours(12)));
        assert!(last("ist abgeschlossen.").contains("bis zum Ablauf der Frist wurde der L"));

        let fields = json!({ "app": "github", "tier": "write", "duration-hours": 24,
            "justification": "I join the data project on Monday" });
        let body = json!({ "request_type": "access", "subject": "GitHub please", "fields": fields });
        let decides = |approve: bool, reason: &str| {
            let ticket = amara.post("/api/v1/tickets", &body).expect(201);
            let path = format!("/api/v1/tickets/{}/access/decisions", ticket["key"].as_str().unwrap());
            desk.do_what_is_due();
            lena.post(&path, &json!({ "approve": approve, "reason": reason })).expect(200);
            desk.do_what_is_due();
        };
        lena.put("/api/v1/preferences", &json!({ "delivery": "immediately", "locale": "de" })).expect(200);
        decides(true, "She needs it.");
        let hers = relay.taken().into_iter().filter(|taken| taken.to.starts_with("lena@")).map(|taken| taken.text);
        let asked: String = hers.collect();
        let (_, due) = asked.split_once("Zu entscheiden bis: ").unwrap_or_else(|| panic!("{asked}"));
        let form: String = due.chars().take(18).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(form, "00.00.0000 00:00 C", "the time and the zone: {asked}");
        assert!(last("der Zugang ist freigegeben").contains("Der Grund: She needs it."));
        (0..3).for_each(|_| desk.advance(SignedDuration::from_hours(12)));
        assert!(last(": abgelaufen.").contains("Der Grund: die Zeit, f"));
        decides(false, "Not this month.");
        assert!(last("der Zugang ist abgelehnt").contains("Der Grund: Not this month."));
        for english in ["nothing was said", "the access request is", "the time for which"] {
            assert!(letters().iter().all(|text| !text.contains(english)), "{english}: {:#?}", letters());
        }
    });
}
