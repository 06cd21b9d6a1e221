//! Relays that are slow, refuse, talk nonsense or vanish, and a desk that is killed in between: no message is lost, and one that
//! has to be sent twice has the same id.

use jiff::SignedDuration;
use serde_json::json;

use super::super::incident;
use super::super::jobs::by_hand;
use crate::support::components::example_rules;
use crate::support::desk::Desk;
use crate::support::house::House;
use crate::support::peers::smtp::{Manner, Relay, header};
use crate::support::place::{Database, on_both, on_both_at_once};
use crate::support::wait::until;

const QUESTION: &str = r#"{ "request_type": "question", "subject": "Where is it?", "body": "Please tell me.", "fields": { "topic": "other" } }"#;

fn question() -> serde_json::Value {
    serde_json::from_str(QUESTION).unwrap()
}

#[test]
fn a_relay_that_fails_in_any_way_for_a_while_loses_no_message() {
    on_both(|database| {
        let relay = Relay::start();
        let desk = House::with_settings(database, example_rules(), |text| text + &relay.settings());
        let manners = [
            Manner::ToRecipients("451 4.3.0 try again later"),
            Manner::ToRecipients("4xx what is this"),
            Manner::Greets("554 5.3.2 no service now"),
            Manner::Greets("HTTP/1.1 400 Bad Request"),
            Manner::HangsUp,
        ];
        relay.behave(manners[0]);
        let key =
            desk.as_role("amara").post("/api/v1/tickets", &question()).expect(201)["key"].as_str().unwrap().to_owned();
        let messages = || desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}/messages")).expect(200);
        let mut attempts = 0;
        for manner in manners {
            relay.behave(manner);
            desk.advance(SignedDuration::from_hours(5));
            let message = &messages()[0];
            assert_eq!(message["state"], "waiting", "{manner:?}: {message}");
            assert!(message["attempts"].as_i64().unwrap() > attempts, "{manner:?}: {message}");
            assert_ne!(message["last_error"], "", "{manner:?}");
            attempts = message["attempts"].as_i64().unwrap();
        }
        assert_eq!(relay.taken(), []);
        relay.behave(Manner::Takes);
        desk.advance(SignedDuration::from_hours(5));
        assert!(messages().as_array().unwrap().iter().all(|message| message["state"] == "sent"), "{}", messages());
        assert_eq!(relay.taken().iter().filter(|taken| taken.to == "amara@meridian.example").count(), 1);
    });
}

#[test]
fn a_refusal_for_good_is_laid_aside_at_once_and_can_be_tried_again() {
    on_both(|database| {
        let relay = Relay::start();
        let desk = House::with_settings(database, example_rules(), |text| text + &relay.settings());
        relay.behave(Manner::ToRecipients("550 5.1.1 no such mailbox"));
        let key =
            desk.as_role("amara").post("/api/v1/tickets", &question()).expect(201)["key"].as_str().unwrap().to_owned();
        desk.do_what_is_due();
        let dead = desk.as_role("mei").get("/api/v1/jobs/dead").expect(200);
        assert_eq!(dead["jobs"][0]["job"], "outbox");
        assert!(dead["jobs"][0]["last_error"].as_str().unwrap().contains("no such mailbox"), "{dead}");
        let messages = || desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}/messages")).expect(200);
        assert_eq!(messages()[0]["state"], "given-up");
        relay.behave(Manner::Takes);
        desk.as_role("mei").post("/api/v1/jobs/dead/outbox/retry", &json!({})).expect(200);
        desk.do_what_is_due();
        assert_eq!(messages()[0]["state"], "sent");
    });
}

/// The relay has taken the message, and the desk is killed before it could write that down.
#[test]
fn a_desk_that_is_killed_between_sending_and_writing_sends_again_with_the_same_id() {
    on_both_at_once(|database| {
        let relay = Relay::start();
        relay.behave(Manner::TakesInSilence);
        let desk = Desk::with_settings(database, example_rules(), |text| text + &relay.settings());
        desk.as_role("amara").post("/api/v1/tickets", &incident("VPN is down")).expect(201);
        until("the relay to take both messages", || (relay.taken().len() >= 2).then_some(()));
        let cut_off = desk.crash();
        let ids = || {
            let mut ids: Vec<String> = relay.taken().iter().map(|taken| taken.header("Message-ID")).collect();
            ids.sort();
            ids
        };
        let before = ids();
        relay.behave(Manner::Takes);
        // Another host takes them up when the leases of the one that died are over; here they are over at once.
        by_hand(&cut_off.target(), &["update outbox set not_before = 0"]);
        let _desk = cut_off.start();
        until("both messages again", || (relay.taken().len() >= 4).then_some(()));
        let mut twice: Vec<String> = before.iter().chain(&before).cloned().collect();
        twice.sort();
        assert_eq!(ids(), twice, "each once more, under its own id");
    });
}

#[test]
fn mail_goes_only_to_a_relay_whose_certificate_is_trusted() {
    let (relay, certificate) = Relay::start_with_tls();
    let settings = relay.settings().replace("127.0.0.1", "localhost").replace("\"none\"", "\"tls\"");
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text + &settings);
    let key =
        desk.as_role("amara").post("/api/v1/tickets", &question()).expect(201)["key"].as_str().unwrap().to_owned();
    desk.do_what_is_due();
    let message =
        |desk: &House| desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}/messages")).expect(200)[0].clone();
    assert_eq!((&message(&desk)["state"], relay.taken().len()), (&json!("waiting"), 0), "a stranger's certificate");
    std::fs::write(desk.settings().with_file_name("ours.pem"), certificate).unwrap();
    let text = std::fs::read_to_string(desk.settings()).unwrap();
    std::fs::write(desk.settings(), text + "\n[outgoing]\ncertificates = \"ours.pem\"\n").unwrap();
    let desk = desk.cut_off_and_restart();
    desk.advance(SignedDuration::from_hours(1));
    assert_eq!(message(&desk)["state"], "sent", "{}", message(&desk));
}

#[test]
fn without_a_relay_messages_are_files_that_a_person_can_open_and_none_is_written_twice() {
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| {
        text + "\n[mail]\nfrom = \"desk@meridian.example\"\ndirectory = \"letters\"\n\n[outgoing]\npublic-url = \"https://desk.example/\"\n"
    });
    let key =
        desk.as_role("amara").post("/api/v1/tickets", &question()).expect(201)["key"].as_str().unwrap().to_owned();
    desk.do_what_is_due();
    let letters: Vec<String> = std::fs::read_dir(desk.settings().with_file_name("letters"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap().replace("\r\n", "\n"))
        .collect();
    let to_amara = letters.iter().find(|text| header(text, "To").contains("amara@meridian.example")).unwrap();
    assert_eq!(header(to_amara, "Subject"), format!("[{key}] Where is it?"));
    assert!(to_amara.contains(&format!("https://desk.example/tickets/{key}")), "{to_amara}");
}

#[test]
fn a_desk_without_mail_keeps_its_messages_until_it_has_some_but_tells_no_stale_news() {
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| text);
    let open = |desk: &House| desk.as_role("amara").post("/api/v1/tickets", &question()).expect(201);
    let old = open(&desk)["key"].as_str().unwrap().to_owned();
    desk.advance(SignedDuration::from_hours(8 * 24));
    let fresh = open(&desk)["key"].as_str().unwrap().to_owned();
    let relay = Relay::start();
    let text = std::fs::read_to_string(desk.settings()).unwrap();
    std::fs::write(desk.settings(), text + &relay.settings()).unwrap();
    let desk = desk.cut_off_and_restart();
    desk.do_what_is_due();
    let state = |key: &str| {
        let messages = desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}/messages")).expect(200);
        messages[0]["state"].as_str().unwrap().to_owned()
    };
    assert_eq!((state(&old).as_str(), state(&fresh).as_str()), ("not-sent", "sent"));
}
