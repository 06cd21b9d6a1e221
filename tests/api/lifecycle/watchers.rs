//! Those who follow tickets, are named on them, and write down their time.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{comment, count, incident, messages, step};
use crate::support::client::{Client, resolved};
use crate::support::house::House;
use crate::support::place::on_both;

fn note(client: &Client, key: &str, body: &str) -> Value {
    client.post(&format!("/api/v1/tickets/{key}/comments"), &json!({ "body": body, "internal": true })).expect(201)
}

/// How many messages of a kind a person has from a ticket.
fn heard(desk: &House, key: &str, kind: &str, person: &str) -> usize {
    messages(desk, key).iter().filter(|(found, to)| found == kind && to == person).count()
}

#[test]
fn those_who_follow_a_ticket_read_its_public_part_and_hear_of_it_until_they_no_longer_follow() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        let path = format!("/api/v1/tickets/{key}");
        let watcher = |person: &str| format!("{path}/watchers/{person}");
        note(&kofi, &key, "She is always like that.");
        assert_eq!(lena.get(&path).status, 404);
        assert_eq!(
            lena.put(&watcher("lena"), &json!({})).status,
            404,
            "no one comes to see a ticket by wishing to follow it"
        );
        assert_eq!(amara.put(&watcher("lena"), &json!({})).expect(200), json!(["lena"]));
        assert_eq!(amara.put(&watcher("lena"), &json!({})).expect(200), json!(["lena"]));
        assert_eq!(kofi.put(&watcher("kofi"), &json!({})).expect(200), json!(["lena", "kofi"]));
        assert_eq!(amara.get(&format!("{path}/watchers")).expect(200), json!(["lena"]), "agents are not shown to her");
        assert_eq!(amara.delete(&watcher("kofi")).expect(200), json!(["lena"]));
        assert_eq!(kofi.get(&format!("{path}/watchers")).expect(200), json!(["lena", "kofi"]), "nor does she end it");
        assert_eq!(amara.put(&watcher("nobody-here"), &json!({})).status, 422);
        assert_eq!(kofi.put(&watcher("amara"), &json!({})).expect(200), json!(["lena", "kofi"]), "it is hers anyway");

        let seen = lena.get(&path).expect(200);
        assert!(
            seen.get("assignee").is_none_or(Value::is_null) && seen.get("team").is_none_or(Value::is_null),
            "{seen}"
        );
        let timeline = lena.get(&format!("{path}/timeline")).expect(200).to_string();
        assert!(!timeline.contains("always like that") && timeline.contains("watched"), "{timeline}");
        assert!(!timeline.contains("\"kofi\""), "{timeline}");
        assert_eq!(lena.get("/api/v1/watched").expect(200)[0]["key"], key.as_str());
        assert_eq!(lena.get(&format!("/api/v1/watched?before={key}")).expect(200), json!([]));

        comment(&kofi, &key, "Is it better now?").expect(201);
        assert_eq!([heard(&desk, &key, "reply", "lena"), heard(&desk, &key, "reply", "kofi")], [1, 0]);
        comment(&lena, &key, "Not here.").expect(201);
        assert_eq!([heard(&desk, &key, "reply", "lena"), heard(&desk, &key, "reply", "kofi")], [1, 1]);
        step(&kofi, &key, &resolved()).expect(200);
        assert_eq!([heard(&desk, &key, "state-changed", "lena"), heard(&desk, &key, "resolved", "amara")], [1, 1]);
        assert_eq!(step(&lena, &key, &json!({ "to": "closed" })).status, 403, "it is not hers to confirm");

        assert_eq!(lena.delete(&watcher("kofi")).status, 403);
        assert_eq!(lena.delete(&watcher("lena")).expect(200), json!([]));
        assert_eq!(lena.get(&path).status, 404);
        assert_eq!(lena.get("/api/v1/watched").expect(200), json!([]));
        comment(&kofi, &key, "All well?").expect(201);
        assert_eq!(heard(&desk, &key, "reply", "lena"), 1);
    });
}

#[test]
fn the_word_of_one_who_follows_is_no_answer_of_the_requester() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        kofi.put(&format!("/api/v1/tickets/{key}/watchers/lena"), &json!({})).expect(200);
        step(&kofi, &key, &json!({ "to": "waiting_requester", "reason": "which office?" })).expect(200);
        comment(&lena, &key, "I have it too.").expect(201);
        assert_eq!(super::state(&kofi, &key), "waiting_requester");
        comment(&amara, &key, "Berlin.").expect(201);
        assert_eq!(super::state(&kofi, &key), "in_progress");
    });
}

#[test]
fn a_person_who_is_named_hears_of_it_where_they_may_read_it() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        note(&kofi, &key, "@akira, @amara and @lena: please look. Mail zoe@zoe.");
        let mentions = |person: &str| heard(&desk, &key, "mentioned", person);
        assert_eq!(["akira", "amara", "lena", "zoe"].map(mentions), [1, 0, 0, 0], "a private note names agents only");
        comment(&kofi, &key, "Asking @zoe. And @lena, who is not part of it, and @kofi.").expect(201);
        assert_eq!(["lena", "zoe", "kofi"].map(mentions), [0, 1, 0]);
        assert_eq!(count(&desk, &key, "mentioned"), 2);
        comment(&amara, &key, "@amara @@akira").expect(201);
        assert_eq!(["amara"].map(mentions), [0], "no person hears of what they did");
    });
}

#[test]
fn a_reader_of_the_department_who_is_named_hears_of_it_and_of_no_private_note() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let file = desk.settings().with_file_name("people.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let readers = "\n[[department-readers]]\ndepartment = \"Finance\"\npeople = [\"lena\"]\n";
        std::fs::write(&file, text.clone() + readers).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        let key = incident(&amara, "VPN is down");
        note(&kofi, &key, "Ask @lena.");
        comment(&kofi, &key, "We look into it.").expect(201);
        let mentions = || heard(&desk, &key, "mentioned", "lena");
        assert_eq!((mentions(), heard(&desk, &key, "reply", "lena")), (0, 0), "she is not named where she reads");
        comment(&kofi, &key, "We ask @lena.").expect(201);
        assert_eq!(mentions(), 1);
        desk.do_what_is_due();
        std::fs::write(&file, text).unwrap();
        assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
        comment(&kofi, &key, "And @lena again.").expect(201);
        assert_eq!(mentions(), 1, "a name shows no ticket to those who do not read it");
        desk.do_what_is_due();
    });
}

#[test]
fn time_that_was_worked_is_written_down_with_replies_and_by_itself_and_only_agents_read_it() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = incident(&amara, "VPN is down");
        let path = format!("/api/v1/tickets/{key}/time");
        let reply = json!({ "body": "Try again, please.", "minutes": 12 });
        kofi.post(&format!("/api/v1/tickets/{key}/comments"), &reply).expect(201);
        let phone = kofi.with("idempotency-key", "phone-1");
        for _ in 0..2 {
            let spent = phone.post(&path, &json!({ "minutes": 30, "note": "on the phone" })).expect(200);
            assert_eq!(spent["total_minutes"], 42, "{spent}");
        }
        assert_eq!(kofi.post(&path, &json!({ "minutes": -10, "note": "it was 20" })).expect(200)["total_minutes"], 32);
        for bad in [0, 1_441, -33] {
            assert_eq!(kofi.post(&path, &json!({ "minutes": bad })).status, 422, "{bad}");
        }
        assert_eq!(amara.post(&path, &json!({ "minutes": 5 })).status, 403);
        assert_eq!(amara.get(&path).status, 403);
        let hers = json!({ "body": "Please.", "minutes": 5 });
        assert_eq!(amara.post(&format!("/api/v1/tickets/{key}/comments"), &hers).status, 403);
        let timeline = amara.get(&format!("/api/v1/tickets/{key}/timeline")).expect(200).to_string();
        assert!(!timeline.contains("on the phone") && !timeline.contains("time-spent"), "{timeline}");
        let entries = kofi.get(&path).expect(200)["entries"].clone();
        assert_eq!(entries[0]["person"], "kofi");
        assert_eq!(entries.as_array().unwrap().len(), 3);
    });
}

/// Its later words stand on the ticket that took it up, at the end of a chain too; who wanted to hear of it would hear no more.
#[test]
fn who_follows_a_ticket_that_is_merged_follows_the_one_that_takes_its_words() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let [one, two, three] = ["one", "two", "three"].map(|subject| incident(&amara, subject));
        let watchers = |key: &str| format!("/api/v1/tickets/{key}/watchers");
        for (client, key, person) in [(&amara, &one, "lena"), (&kofi, &one, "kofi"), (&amara, &two, "jonas")] {
            client.put(&format!("{}/{person}", watchers(key)), &json!({})).expect(200);
        }
        for (from, into) in [(&one, &two), (&two, &three)] {
            let path = format!("/api/v1/tickets/{from}/merge");
            kofi.with("if-match", "*").post(&path, &json!({ "into": into })).expect(200);
        }
        desk.advance(SignedDuration::ZERO);
        let mut follow = kofi.get(&watchers(&three)).expect(200).as_array().unwrap().clone();
        follow.sort_by_key(Value::to_string);
        assert_eq!(follow, [json!("jonas"), json!("kofi"), json!("lena")]);
        let shown = amara.get(&watchers(&three)).expect(200);
        assert!(!shown.to_string().contains("kofi"), "agents are not shown to her: {shown}");
        assert_eq!(lena.get(&format!("/api/v1/tickets/{three}")).expect(200)["subject"], "three");
        comment(&amara, &one, "It is down again.").expect(201);
        assert_eq!([heard(&desk, &three, "reply", "lena"), heard(&desk, &three, "reply", "jonas")], [1, 1]);
        lena.delete(&format!("{}/lena", watchers(&three))).expect(200);
        desk.advance(SignedDuration::from_hours(1));
        let left = kofi.get(&watchers(&three)).expect(200).to_string();
        assert!(!left.contains("lena") && left.contains("jonas"), "what was brought along once is not again: {left}");
    });
}
