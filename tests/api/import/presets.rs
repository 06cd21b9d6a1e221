//! The exports of other desks come in by their names, as they were.

use serde_json::{Value, json};

use crate::support::components::root;
use crate::support::house::House;
use crate::support::place::Database;

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
