//! Drafts: a requester who was refused goes on where they were.

use serde_json::json;

use crate::support::house::House;
use crate::support::place::{Database, on_both};

#[test]
fn a_requester_who_is_refused_goes_on_with_a_draft_and_gets_one_ticket() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, lena) = (desk.as_role("amara"), desk.as_role("lena"));
        let path = "/api/v1/drafts/0199c0de-0000-7000-8000-000000000001";
        let half = json!({ "request_type": "hardware", "subject": "A laptop", "body": "please", "fields": {} });
        assert_eq!(amara.put(path, &half).expect(200)["problems"], json!([]), "nothing is checked yet");
        assert_eq!(lena.get(path).status, 404, "it is its author's alone");
        let refused = amara.post(&format!("{path}/submit"), &json!({})).expect(422);
        assert!(!refused["problems"].as_array().unwrap().is_empty(), "{refused}");
        // Another day, at another device: the words are there, and so is what was missing.
        let desk = desk.cut_off_and_restart();
        let amara = desk.as_role("amara");
        let kept = amara.get("/api/v1/drafts").expect(200)[0].clone();
        assert_eq!((&kept["submission"]["subject"], &kept["problems"]), (&json!("A laptop"), &refused["problems"]));
        let mut whole = kept["submission"].clone();
        whole["fields"] = json!({ "device": "monitor", "justification": "it hurts the eyes", "urgency": "low" });
        whole["body"] = json!("My monitor flickers all day long.");
        assert_eq!(amara.put(path, &whole).expect(200)["problems"], json!([]));
        let made = amara.post(&format!("{path}/submit"), &json!({})).expect(201);
        assert_eq!(amara.post(&format!("{path}/submit"), &json!({})).expect(200)["key"], made["key"], "sent again");
        assert_eq!(amara.get("/api/v1/drafts").expect(200), json!([]));
        assert_eq!(amara.delete(path).status, 404);
        let count = amara.get("/api/v1/tickets").expect(200)["tickets"].as_array().map_or(0, Vec::len);
        assert_eq!(count, 1);
        let kept: Vec<u16> = (0..51)
            .map(|n| amara.put(&format!("/api/v1/drafts/0199c0de-0000-7000-8000-0000000001{n:02}"), &half).status)
            .collect();
        assert_eq!((kept.iter().filter(|status| **status == 200).count(), kept[50]), (50, 422), "there is a bound");
        let one = "/api/v1/drafts/0199c0de-0000-7000-8000-000000000100";
        assert_eq!((amara.delete(one).status, amara.get(one).status), (204, 404));
        let listed = amara.get("/api/v1/drafts").expect(200);
        assert_eq!(listed.as_array().map(Vec::len), Some(49));
    });
}

/// The same drafts by the command line, at the desk's address and in their author's name.
#[test]
fn drafts_are_listed_shown_sent_and_thrown_away_by_commands() {
    let desk = House::demo(Database::Sqlite);
    let (first, second) = ("0199c0de-0000-7000-8000-000000000001", "0199c0de-0000-7000-8000-000000000002");
    let draft = |id: &str, fields: &serde_json::Value| {
        let body = json!({ "request_type": "hardware", "subject": format!("A monitor {fields}"),
            "body": "My monitor flickers all day long.", "fields": fields });
        desk.as_role("amara").put(&format!("/api/v1/drafts/{id}"), &body).expect(200);
    };
    draft(first, &json!({}));
    draft(second, &json!({ "device": "monitor", "justification": "it hurts the eyes", "urgency": "low" }));
    let drafts = |arguments: &[&str]| desk.answered("amara", &[["tickets", "drafts"].as_slice(), arguments].concat());
    let refused = desk.asked("amara", &["tickets", "drafts", "send", first]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("device: "), "{said}");
    let listed = drafts(&["list"]);
    let of = |id: &str| listed.lines().find(|line| line.starts_with(id)).unwrap().to_owned();
    assert!(of(first).contains("to correct)") && !of(second).contains("to correct"), "{listed}");
    let shown: serde_json::Value = serde_json::from_str(&drafts(&["show", first])).unwrap();
    assert_eq!((&shown["id"], shown["problems"].as_array().unwrap().is_empty()), (&json!(first), false));
    assert_eq!(drafts(&["send", second]), format!("{second} is IT-1 now\n"));
    drafts(&["discard", first]);
    assert_eq!(drafts(&["list"]), "");
    assert_eq!(desk.answered("lena", &["tickets", "drafts", "list"]), "", "they are their author's alone");
    let nowhere = desk.command(&["tickets", "drafts", "list"]);
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("--url"), "a desk has to be named");
}
