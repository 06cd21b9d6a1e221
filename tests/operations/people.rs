//! All that the desk keeps of a person is given out, and erased without a break in what the desk can prove.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::{Client, resolved};
use crate::support::components::{example_rules, root};
use crate::support::house::House;
use crate::support::place::{Database, copy, on_both};

/// The demo in a directory of its own, so that a person can leave.
fn desk(database: Database) -> (House, TempDir) {
    let dir = TempDir::new().unwrap();
    copy(&root().join("host/demo"), dir.path());
    (House::with_config(database, example_rules(), dir.path()), dir)
}

fn incident(client: &Client, subject: &str) -> String {
    let body = json!({ "request_type": "incident", "subject": subject, "body": "My cat Mitzi sat on it, says Amara Okafor.",
        "fields": { "service": "vpn", "people-affected": 4 } });
    client.post("/api/v1/tickets", &body).expect(201)["key"].as_str().unwrap().to_owned()
}

fn act(client: &Client, key: &str, what: &str, body: &Value) {
    let answer = client.with("if-match", "*").post(&format!("/api/v1/tickets/{key}/{what}"), body);
    assert!(answer.status < 300, "{}", answer.text);
}

/// Lets a person leave.
fn leave(desk: &House, config: &TempDir, person: &str) {
    let file = config.path().join("people.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let line = format!("id = \"{person}\"\n");
    assert!(text.contains(&line));
    std::fs::write(&file, text.replace(&line, &format!("{line}active = false\n"))).unwrap();
    assert_eq!(desk.as_role("mei").post("/api/v1/config/reload", &json!({})).status, 204);
}

#[test]
fn a_person_who_has_left_is_erased_and_the_chains_stay_whole() {
    on_both(|database| {
        let (desk, dir) = desk(database);
        let (amara, kofi, mei) = (desk.as_role("amara"), desk.as_role("kofi"), desk.as_role("mei"));
        let (own, other) = (incident(&amara, "Mitzi sat on it"), incident(&desk.as_role("lena"), "hers"));
        act(&amara, &own, "comments", &json!({ "body": "Mitzi again." }));
        act(&kofi, &own, "comments", &json!({ "body": "Which cat?" }));
        kofi.put(&format!("/api/v1/tickets/{other}/watchers/amara"), &json!({})).expect(200);
        act(&amara, &other, "comments", &json!({ "body": "I have it too." }));
        amara.put("/api/v1/preferences", &json!({ "delivery": "digest" })).expect(200);
        let path = |what: &str| format!("/api/v1/people/amara/{what}");
        assert_eq!(kofi.get(&path("export")).status, 403);
        let export = mei.get(&path("export")).expect(200);
        let rows = |name: &str| {
            let found = export.as_array().unwrap().iter().find(|section| section["name"] == name).unwrap();
            found["rows"].as_array().unwrap().len()
        };
        assert_eq!([rows("tickets"), rows("followed"), rows("preferences"), rows("grants")], [1, 1, 1, 0], "{export}");
        assert!(rows("entries") >= 3 && export.to_string().contains("Mitzi again."), "{export}");

        let erase = || mei.post(&path("erasure"), &json!({ "reason": "she asked for it" }));
        let refused = erase().expect(422).to_string();
        assert!(refused.contains("is here") && refused.contains("unfinished"), "{refused}");
        act(&kofi, &own, "transitions", &resolved());
        desk.advance(SignedDuration::from_hours(24 * 8));
        leave(&desk, &dir, "amara");
        let erased = erase().expect(200);
        let name = erased["pseudonym"].as_str().unwrap().to_owned();
        assert!(name.starts_with("erased-") && erased["tickets"] == 2, "{erased}");
        desk.do_what_is_due();
        let whole = |key: &str| {
            let paths = ["", "/timeline", "/watchers", "/messages"].map(|end| format!("/api/v1/tickets/{key}{end}"));
            paths.map(|path| kofi.get(&path).expect(200).to_string()).join("\n")
        };
        for text in [whole(&own), whole(&other)] {
            assert!(!text.contains("amara") && text.contains(&name), "{text}");
        }
        assert!(!whole(&own).contains("Mitzi"), "{}", whole(&own));
        assert!(whole(&own).contains("Which cat?") && whole(&other).contains("I have it too."), "others' words stay");
        let empty = mei.get(&path("export")).expect(200);
        let left = empty.as_array().unwrap().iter().filter(|section| section["rows"] != json!([])).count();
        assert_eq!(left, 0, "{empty}");
        assert_eq!(erase().expect(200)["pseudonym"], name.as_str(), "again, it is the same");

        let check = desk.command(&["decisions", "chain"]);
        let said = String::from_utf8_lossy(&check.stdout).into_owned() + &String::from_utf8_lossy(&check.stderr);
        assert_eq!(check.status.code(), Some(0), "{said}");
    });
}
