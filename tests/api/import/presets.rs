//! The exports of other desks come in by their names, as they were.

use serde_json::{Value, json};

use crate::support::components::root;
use crate::support::house::House;
use crate::support::place::{Database, on_both};

const PRESETS: [&str; 7] = ["freshservice", "glpi", "jira", "otrs", "servicenow", "zammad", "zendesk"];

#[test]
fn the_exports_of_other_desks_come_in_by_their_names() {
    let desk = House::demo(Database::Sqlite);
    let kofi = desk.as_role("kofi");
    let exports = root().join("tests/api/import/exports");
    for preset in PRESETS {
        let file = exports.join(format!("{preset}.csv"));
        let basics = ["import", file.to_str().unwrap(), "--request-type", "incident", "--requester", "amara", "--json"];
        let more = ["--history", "--preset", preset, "--channel", preset];
        let output = desk.command(&[basics.as_slice(), &more].concat());
        let told: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{preset}: {}", String::from_utf8_lossy(&output.stderr)));
        assert_eq!((&told["accepted"], output.status.code()), (&json!(2), Some(0)), "{preset}: {told}");
    }
    let all = kofi.get("/api/v1/tickets?limit=200&sort=number").expect(200)["tickets"].clone();
    for (n, preset) in PRESETS.iter().enumerate() {
        let find = |subject: &str| {
            let of = |ticket: &&Value| ticket["subject"] == subject && ticket["channel"] == *preset;
            let key = all.as_array().unwrap().iter().find(of).unwrap()["key"].as_str().unwrap().to_owned();
            kofi.get(&format!("/api/v1/tickets/{key}")).expect(200)
        };
        let (done, waits) = (find("VPN is down"), find("The screen flickers"));
        let facts = ["state", "requester", "assignee"].map(|name| done[name].as_str().unwrap_or_default().to_owned());
        assert_eq!(facts, ["closed", "amara", "kofi"], "{n} {preset}");
        let critical = if *preset == "zammad" { "high" } else { "critical" };
        assert_eq!((&done["priority"], &waits["priority"]), (&json!(critical), &json!("medium")), "{preset}");
        assert_eq!((&waits["state"], &waits["assignee"]), (&json!("waiting_requester"), &Value::Null), "{preset}");
        assert!(waits["requester"].as_str().unwrap().starts_with("max.former"), "{preset}");
        let day = |name: &str| done[name].as_str().unwrap_or_default().get(..10).unwrap_or_default().to_owned();
        assert_eq!((day("created_at"), day("resolved_at")), ("2026-01-05".into(), "2026-01-06".into()), "{preset}");
    }
}

/// Threads of a file: who said what and when, and of private notes nothing to the requester.
#[test]
fn a_thread_comes_in_with_its_ticket_and_its_private_notes_stay_private() {
    on_both(|database| {
        let desk = House::demo(database);
        let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
        let thread = json!([
            { "author": "amara@meridian.example", "body": "Since nine.", "public": true, "created_at": "2026-01-05T09:30:00Z" },
            { "author": "gone-since", "body": "The vendor wired gateway 3 wrongly.", "public": false,
              "created_at": "2026-01-05T10:00:00Z" },
            { "author": "kofi", "body": "It works again.", "public": true, "created_at": "2026-01-05T11:00:00Z" }]);
        let rows = |thread: &Value| {
            format!(
                "n,title,opened,solved,who,words\n1,VPN is down,2026-01-05T09:12:00Z,2026-01-05T12:00:00Z,amara,\"{}\"\n",
                thread.to_string().replace('"', "\"\"")
            )
        };
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("threads.csv");
        let import = |thread: &Value| {
            std::fs::write(&file, rows(thread)).unwrap();
            let maps = ["subject=title", "created-at=opened", "resolved-at=solved", "requester=who", "comments=words"];
            let maps: Vec<&str> = maps.iter().flat_map(|map| ["--map", *map]).collect();
            let basics = ["import", file.to_str().unwrap(), "--request-type", "incident", "--requester", "amara"];
            let more = ["--history", "--key", "n", "--json"];
            let output = desk.command(&[basics.as_slice(), &more, &maps].concat());
            let told: Value = serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
            told
        };
        assert_eq!(import(&thread)["accepted"], 1);
        assert_eq!(import(&thread)["made_before"], 1);
        let ticket = kofi.get("/api/v1/tickets/IT-1").expect(200);
        assert_eq!((&ticket["state"], &ticket["updated_at"]), (&json!("resolved"), &json!("2026-01-05T12:00:00Z")));
        let whole = kofi.get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        for said in ["Since nine.", "gateway 3", "gone-since", "It works again.", "2026-01-05T10:00:00Z"] {
            assert!(whole.contains(said), "{said}: {whole}");
        }
        assert!(
            whole.find("Since nine.") < whole.find("gateway 3") && whole.find("gateway 3") < whole.find("works again")
        );
        for path in ["", "/timeline", "/messages"] {
            let seen = amara.get(&format!("/api/v1/tickets/IT-1{path}")).text;
            assert!(!seen.contains("gateway 3") && !seen.contains("gone-since"), "{path}: {seen}");
        }
        let seen = amara.get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
        assert!(seen.contains("Since nine.") && seen.contains("It works again."), "{seen}");
        assert_eq!(kofi.get("/api/v1/tickets/IT-1/messages").expect(200), json!([]), "nothing is sent about the past");
        let mut changed = thread.clone();
        changed[2]["body"] = json!("It does not.");
        assert_eq!(import(&changed)["changed_since"], 1);
    });
}

/// The same thread as another desk's interface answers it: a document, whose columns are ways to fields.
#[test]
fn an_export_in_json_comes_in_with_its_thread() {
    let desk = House::demo(Database::Sqlite);
    let (amara, kofi) = (desk.as_role("amara"), desk.as_role("kofi"));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tickets.json");
    let comment = |author: &str, body: &str, public: bool| json!({ "author": { "emailAddress": author }, "body": body, "jsdPublic": public, "created": "2026-01-05T11:00:00.000+0100" });
    let comments = [
        comment("kofi@meridian.example", "Which office?", true),
        comment("kofi@meridian.example", "The vendor wired gateway 3 wrongly.", false),
    ];
    let issue = |key: &str, created: &str| {
        json!({ "key": key, "fields": { "summary": "VPN is down", "created": created, "reporter": { "emailAddress": "amara@meridian.example" },
            "comment": { "comments": comments } } })
    };
    let export = json!({ "issues": [issue("ITSD-1", "2026-01-05T09:12:00.000+0100"), issue("ITSD-2", "yesterday")] });
    std::fs::write(&file, export.to_string()).unwrap();
    let maps = [
        "subject=fields.summary",
        "created-at=fields.created",
        "requester=fields.reporter.emailAddress",
        "comments=fields.comment",
    ];
    let maps: Vec<&str> = maps.iter().flat_map(|map| ["--map", *map]).collect();
    let basics = ["import", file.to_str().unwrap(), "--request-type", "incident", "--requester", "amara"];
    let output = desk.command(&[basics.as_slice(), &["--history", "--key", "key", "--json"], &maps].concat());
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!((&told["accepted"], output.status.code()), (&json!(1), Some(3)), "{told}");
    assert_eq!(told["rejected"]["rows"][0]["line"], 2, "of a list, the place of the object: {told}");
    let whole = kofi.get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
    assert!(whole.contains("gateway 3") && whole.contains("Which office?"), "{whole}");
    let seen = amara.get("/api/v1/tickets/IT-1/timeline").expect(200).to_string();
    assert!(seen.contains("Which office?") && !seen.contains("gateway 3"), "{seen}");
}
