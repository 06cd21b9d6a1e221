//! The six stages of a ticket's life, each with the way in which it commonly fails, and that it cannot fail so here. The whole of each
//! stage has its tests elsewhere; these say the one thing.

use serde_json::{Value, json};

use crate::support::client::{Answer, Client, resolved};
use crate::support::house::House;
use crate::support::place::on_both;

fn submit(client: &Client, subject: &str, more: &Value) -> Answer {
    let mut body = json!({ "request_type": "incident", "subject": subject, "body": "It does not answer since this morning.",
        "fields": { "service": "vpn", "people-affected": 1 } });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.post("/api/v1/tickets", &body)
}

fn key_of(client: &Client, subject: &str, more: &Value) -> String {
    submit(client, subject, more).expect(201)["key"].as_str().unwrap().to_owned()
}

fn path(key: &str) -> String {
    format!("/api/v1/tickets/{key}")
}

fn step(client: &Client, key: &str, body: &Value) -> Answer {
    client.with("if-match", "*").post(&format!("{}/transitions", path(key)), body)
}

fn edit(client: &Client, key: &str, body: &Value) -> Answer {
    client.with("if-match", "*").patch(&path(key), body)
}

/// Stage 1: tickets come without what is needed to work on them, most of all by the side door.
#[test]
fn intake_takes_no_ticket_without_what_its_work_needs_by_any_channel() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let laptop = json!({ "request_type": "hardware", "body": "please", "fields": {} });
        let by_phone = json!({ "request_type": "hardware", "body": "please", "fields": {}, "requester": "amara", "channel": "phone" });
        for (client, more) in [(&amara, &laptop), (&kofi, &by_phone)] {
            let refused = submit(client, "A laptop", more).expect(422);
            let problems = refused["problems"].as_array().unwrap();
            assert!(!problems.is_empty() && problems.iter().all(|problem| problem["message"] != ""), "{refused}");
        }
        // A draft may be half of it, until it is sent.
        let draft = "/api/v1/drafts/0199c0de-0000-7000-8000-000000000001";
        let half = json!({ "request_type": "hardware", "subject": "A laptop", "body": "please", "fields": {} });
        amara.put(draft, &half).expect(200);
        assert_eq!(amara.post(&format!("{draft}/submit"), &json!({})).status, 422);
        assert_eq!(
            kofi.get("/api/v1/tickets").expect(200)["tickets"],
            json!([]),
            "and nothing half-made is left behind"
        );
        let whole = key_of(&amara, "VPN does not connect", &json!({}));
        assert_eq!(
            kofi.post(&format!("{}/split", path(&whole)), &half).status,
            422,
            "a part of another is no side door"
        );
        let all = kofi.get("/api/v1/tickets").expect(200);
        assert_eq!(all["tickets"].as_array().unwrap().len(), 1, "{all}");
    });
}

/// Stage 2: everything ends up under "other".
#[test]
fn categorization_leaves_no_resolved_ticket_under_other() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let vague = json!({ "request_type": "question", "body": "Please tell me.", "fields": {} });
        let key = key_of(&amara, "How?", &vague);
        assert_eq!(kofi.get(&path(&key)).expect(200)["category"], "miscellaneous");
        let ways: [&dyn Fn() -> Answer; 3] = [
            &|| step(&kofi, &key, &resolved()),
            &|| {
                let whole = json!({ "commands": [{ "transition": resolved() }] });
                kofi.with("if-match", "*").post(&format!("{}/steps", path(&key)), &whole)
            },
            &|| kofi.with("if-match", "*").post(&format!("{}/steps", path(&key)), &json!({ "macro": "explained" })),
        ];
        for way in ways {
            assert!((400..500).contains(&way().status));
        }
        assert_ne!(kofi.get(&path(&key)).expect(200)["state"], "resolved");
        let many = json!({ "tickets": [&key], "step": { "commands": [{ "transition": resolved() }] } });
        assert_eq!(kofi.post("/api/v1/bulk", &many).expect(200)[0]["done"], false);
        // One that is resolved along with another is about the same.
        let again = key_of(&lena, "How?", &vague);
        let same = json!({ "link": "duplicate-of", "ticket": &key });
        kofi.post(&format!("{}/links", path(&again)), &same).expect(200);
        edit(&kofi, &key, &json!({ "category": "software", "reason": "it is about software" })).expect(200);
        step(&kofi, &key, &resolved()).expect(200);
        desk.advance(jiff::SignedDuration::ZERO);
        let followed = kofi.get(&path(&again)).expect(200);
        assert_eq!((&followed["state"], &followed["category"]), (&json!("resolved"), &json!("software")), "{followed}");
        let told = kofi.get(&format!("{}/explain?field=category", path(&again))).expect(200);
        let change = &told["fields"][0]["changes"][0];
        assert_eq!((&change["by"], &change["from"]), (&json!("the desk"), &json!("miscellaneous")), "{told}");
        let read = lena.get(&format!("{}/timeline", path(&again))).expect(200).to_string();
        assert!(read.contains("it is resolved with a ticket of this category") && !read.contains(&key), "{read}");
    });
}

/// Stage 3: the loudest comes first.
#[test]
fn prioritization_goes_by_impact_and_urgency_and_not_by_who_shouts() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let calm = key_of(&amara, "VPN does not connect", &json!({}));
        let loud = key_of(&amara, "URGENT!!! CRITICAL!!! ASAP VPN does not connect", &json!({}));
        let level = |key: &str| kofi.get(&path(key)).expect(200)["priority"].clone();
        assert_eq!(level(&calm), level(&loud), "words make nothing urgent");
        assert_eq!(edit(&amara, &loud, &json!({ "priority": "critical", "reason": "I say so" })).status, 403);
        let wide = json!({ "fields": { "service": "vpn", "people-affected": 400, "impact": "high" } });
        let wide = key_of(&lena, "VPN down in Berlin", &wide);
        assert_ne!(level(&wide), level(&calm), "how many it hits does");
        let queue = kofi.get("/api/v1/tickets").expect(200);
        assert_eq!(queue["tickets"][0]["key"], wide.as_str(), "though it came last");
    });
}

/// Stage 4: tickets lie where no one looks, or go round in circles unnoticed.
#[test]
fn assignment_leaves_no_ticket_out_of_sight_and_counts_each_that_comes_back() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = key_of(&amara, "VPN does not connect", &json!({}));
        let made = kofi.get(&path(&key)).expect(200);
        let first = made["team"].as_str().unwrap().to_owned();
        assert!(!made["assignee"].is_null(), "it has a person from the start: {made}");
        let other = if first == "desktop" { "network" } else { "desktop" };
        for team in [other, first.as_str(), other] {
            let handed = edit(&kofi, &key, &json!({ "team": team, "reason": "theirs" })).expect(200);
            assert!(!handed["assignee"].is_null(), "and in each team: {handed}");
        }
        let way = kofi.get(&format!("{}/handovers", path(&key))).expect(200);
        assert_eq!((&way["came_back"], way["handovers"].as_array().unwrap().len()), (&json!(2), 3), "{way}");
        assert_eq!(edit(&kofi, &key, &json!({ "team": "no-such", "reason": "away with it" })).status, 422);
        desk.do_what_is_due();
    });
}

/// Stage 5: what was found out stays in one head, and the next one asks again.
#[test]
fn resolution_says_how_and_is_there_for_the_next_who_asks() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena, kofi) = (desk.as_role("amara"), desk.as_role("lena"), desk.as_role("kofi"));
        let key = key_of(&amara, "VPN does not connect", &json!({}));
        assert_eq!(step(&kofi, &key, &json!({ "to": "resolved", "reason": "done" })).status, 422, "not without how");
        step(&kofi, &key, &resolved()).expect(200);
        let draft = kofi.post(&format!("{}/article", path(&key)), &json!({})).expect(201);
        let article = draft["key"].as_str().unwrap();
        let public =
            kofi.with("if-match", "*").post(&format!("/api/v1/articles/{article}/state"), &json!({ "to": "public" }));
        public.expect(200);
        let asks = json!({ "subject": "It was down", "body": "a cable had come off" });
        let found = lena.post("/api/v1/articles/suggestions", &asks).expect(200);
        assert_eq!(found[0]["key"], article, "before she sends it: {found}");
    });
}

/// Stage 6: tickets are closed over the heads of those who asked.
#[test]
fn closure_is_the_requesters_word_or_counted_as_none() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let key = key_of(&amara, "VPN does not connect", &json!({}));
        step(&kofi, &key, &resolved()).expect(200);
        assert!((400..500).contains(&step(&kofi, &key, &json!({ "to": "closed" })).status), "no agent closes it");
        step(&amara, &key, &json!({ "to": "reopened", "reason": "still down" })).expect(200);
        step(&kofi, &key, &resolved()).expect(200);
        desk.advance(jiff::SignedDuration::from_hours(7 * 24));
        let all = kofi.get(&format!("{}/resolutions", path(&key))).expect(200);
        let ended: Vec<&Value> = all.as_array().unwrap().iter().map(|one| &one["ended"]).collect();
        assert_eq!(ended, ["disputed", "unanswered"], "silence is no confirmation: {all}");
    });
}
