//! Words that people take for the same are the same, and what cannot be seen says nothing.

use serde_json::{Value, json};

use crate::support::components::example_rules;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

/// The same word, composed and decomposed.
const COMPOSED: &str = "Z\u{fc}rich";
const DECOMPOSED: &str = "Zu\u{308}rich";

/// A desk whose form for questions has a choice with an umlaut.
fn with_a_choice(database: Database, option: &str) -> House {
    let desk = House::with_settings(database, example_rules(), |text| text);
    let forms = desk.settings().with_file_name("request-types.toml");
    let text = std::fs::read_to_string(&forms).unwrap();
    let field = format!("{{ name = \"site\", label = \"Site\", kind = \"choice\", options = [\"{option}\"] }},");
    let (before, after) = text.split_once("id = \"question\"").unwrap();
    let (head, rest) = after.split_once("field = [").unwrap();
    std::fs::write(&forms, format!("{before}id = \"question\"{head}field = [{field}{rest}")).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
    desk
}

fn question(more: &Value) -> Value {
    let mut body = json!({ "request_type": "question", "subject": "A question", "body": "Please tell me." });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn a_word_is_the_same_however_it_is_composed() {
    for (configured, sent) in [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)] {
        let desk = with_a_choice(Database::Sqlite, configured);
        let amara = desk.as_role("amara");
        let body = question(&json!({ "subject": format!("In {sent}"), "fields": { "topic": "other", "site": sent } }));
        let ticket = amara.post("/api/v1/tickets", &body).expect(201);
        assert_eq!(ticket["fields"]["site"], COMPOSED);
        assert_eq!(ticket["subject"], format!("In {COMPOSED}"));
        amara.post("/api/v1/tickets/IT-1/comments", &json!({ "body": sent })).expect(201);
        let timeline = amara.get("/api/v1/tickets/IT-1/timeline").text;
        assert!(timeline.contains(COMPOSED) && !timeline.contains(DECOMPOSED));
    }
    on_both(|database| {
        let desk = House::demo(database);
        let mei = desk.as_role("mei");
        let put = |text: &str| mei.put_text("/api/v1/tables/sites?why=test", text, "text/csv");
        let twice = put(&format!("site,team\n{COMPOSED},a\n{DECOMPOSED},b\n"));
        assert!(twice.status == 422 && twice.text.contains("twice"), "{}", twice.text);
        put(&format!("site,team\n{DECOMPOSED},a\n")).expect(200);
        assert_eq!(mei.get("/api/v1/tables/sites").expect(200)["rows"][0]["site"], COMPOSED);
    });
}

/// As a program writes it that escapes all letters beyond ASCII, and as one that does not.
#[test]
fn every_body_is_composed_however_it_is_written() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, mei) = (desk.as_role("amara"), desk.as_role("mei"));
        desk.until_active("tidy-text");
        for (n, written) in [(1, DECOMPOSED), (2, r"Zu\u0308rich")] {
            let draft = format!("/api/v1/drafts/0199c0de-0000-7000-8000-00000000000{n}");
            let body = format!(r#"{{"request_type":"question","subject":"In {written}","body":"Later."}}"#);
            let kept = amara.with("content-type", "application/json").send("PUT", &draft, Some(body.as_bytes()));
            kept.expect(200);
            let subject = amara.get(&draft).expect(200).to_string();
            assert!(subject.contains(COMPOSED) && !subject.contains(DECOMPOSED), "{subject}");
            for step in ["suspend", "resume"] {
                let why = format!(r#"{{"why":"{step} for {written} ({n})"}}"#);
                let done = mei.send_text(&format!("/api/v1/rules/tidy-text/{step}"), &why, "application/json");
                assert!(done.status < 300, "{step}: {}", done.text);
            }
        }
        let events = mei.get("/api/v1/rules/tidy-text/events").text;
        assert!(events.matches(COMPOSED).count() >= 4 && !events.contains(DECOMPOSED), "{events}");
    });
}

#[test]
fn what_cannot_be_seen_is_no_text() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi, mei) = (desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("mei"));
        amara.post("/api/v1/tickets", &question(&json!({}))).expect(201);
        for nothing in ["\u{200b}", "\u{2060}\u{feff}", "\u{ad}", "\u{3164}", " \u{a0}\u{2003}", "\u{2800}"] {
            let body = question(&json!({ "subject": nothing, "body": nothing }));
            assert_eq!(
                amara.post("/api/v1/tickets", &body).expect(422)["problems"][0]["code"],
                "required",
                "{nothing:?}"
            );
            // Nor is it a subject where there is a body.
            let unseen = json!({ "request_type": "incident", "subject": nothing.repeat(5), "body": "Nobody can reach it.",
                "fields": { "service": "vpn" } });
            let refused = amara.post("/api/v1/tickets", &unseen).expect(422);
            assert_eq!(refused["problems"][0]["code"], "required", "{nothing:?}: {refused}");
            let comment = json!({ "body": nothing });
            assert_eq!(amara.post("/api/v1/tickets/IT-1/comments", &comment).status, 422, "{nothing:?}");
            let edit = json!({ "priority": "low", "reason": nothing });
            assert_eq!(kofi.with("if-match", "*").patch("/api/v1/tickets/IT-1", &edit).status, 422, "{nothing:?}");
            let why: String = nothing.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let table = mei.put_text(&format!("/api/v1/tables/sites?why={why}"), "site,team\na,b\n", "text/csv");
            assert_eq!(table.status, 422, "{nothing:?}");
            let row = mei.put_text("/api/v1/tables/sites?why=test", &format!("site,team\n{nothing},b\n"), "text/csv");
            assert_eq!(row.status, 422, "{nothing:?}");
        }
        let required = json!({ "request_type": "access", "subject": "GitHub please", "fields": { "app": "github",
            "tier": "write", "duration-hours": 24, "justification": "\u{200b}" } });
        let refused = amara.post("/api/v1/tickets", &required).expect(422);
        assert!(refused["problems"].to_string().contains("justification"), "{refused}");
        let for_oneself = json!({ "request_type": "access", "subject": "GitHub please", "fields": { "app": "github",
            "tier": "write", "duration-hours": 24, "justification": "I join the data project on Monday",
            "for": "\u{200b}\u{2060}", "role": "\u{feff}" } });
        let made = amara.post("/api/v1/tickets", &for_oneself).expect(201);
        assert!(made["fields"].get("for").is_none() && made["fields"].get("role").is_none(), "{made}");
    });
}
