//! The configuration: one to start from, whether one is right, and documents that are published by API.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::components::{PROGRAM, example_rules};
use crate::support::house::House;
use crate::support::place::on_both;
use crate::support::wait::until;

const TEAMS: &str = "/api/v1/config/documents/teams";
const PRINTING: &str = "\n[[team]]\nid = \"printing\"\nname = \"Printing\"\ntier = 2\nmember = []\n";

fn ruledesk(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(PROGRAM).args(arguments).env_remove("DATABASE_URL").output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn a_configuration_to_start_from_is_right_and_a_check_says_all_that_is_wrong_with_one() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("desk");
    let place = place.to_str().unwrap();
    let (done, said) = ruledesk(&["init", place]);
    assert!(done, "{said}");
    let (done, said) = ruledesk(&["init", place]);
    assert!(!done && said.contains("is there already"), "{said}");
    let (done, said) = ruledesk(&["check", "--config", place]);
    assert!(done && said.contains("2 people, 1 teams"), "{said}");
    let teams = std::path::Path::new(place).join("teams.toml");
    let text = std::fs::read_to_string(&teams).unwrap();
    std::fs::write(&teams, text.replace("person = \"alex\"", "person = \"alec\", colour = \"red\"")).unwrap();
    let (done, said) = ruledesk(&["check", "--config", place]);
    assert!(!done && said.contains("alec") && said.contains("alex") && said.contains("colour"), "{said}");
}

/// The keys that the code of a file asks for by their names.
fn keys_of(code: &str) -> Vec<String> {
    let calls = ["optional(", "required(", "list(", "table(", "entries(", "(keys, ", "(keys,"];
    let mut found = Vec::new();
    for call in calls {
        for (at, _) in code.match_indices(call) {
            let rest = code[at + call.len()..].trim_start();
            let key = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')).map(|(key, _)| key);
            let is_key = |key: &&str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            found.extend(key.filter(is_key).map(str::to_owned));
        }
    }
    found
}

#[test]
fn the_reference_explains_every_key_that_the_code_reads() {
    let (done, reference) = ruledesk(&["config", "reference"]);
    assert!(done, "{reference}");
    // Each second piece between backticks is code.
    let explained: Vec<&str> = reference.split('`').skip(1).step_by(2).collect();
    let words = |code: &str| {
        code.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').map(str::to_owned).collect::<Vec<_>>()
    };
    let explained: std::collections::BTreeSet<String> = explained.into_iter().flat_map(words).collect();
    let mut count = 0;
    for file in crate::tidy::sources(&crate::support::components::root().join("host/src/config")) {
        if file.to_string_lossy().contains("tests") {
            continue;
        }
        for key in keys_of(&std::fs::read_to_string(&file).unwrap()) {
            assert!(explained.contains(&key), "`{key}` of {} is not explained", file.display());
            count += 1;
        }
    }
    assert!(count > 150, "only {count} keys were found");
}

fn publish(client: &Client, revision: i64, content: &str, why: &str) -> Answer {
    let client = client.with("if-match", &format!("\"{revision}\""));
    client.put(TEAMS, &json!({ "content": content, "why": why }))
}

fn has_printing(client: &Client) -> bool {
    let teams = client.get("/api/v1/config/teams").expect(200);
    teams.as_array().unwrap().iter().any(|team| team["id"] == "printing")
}

fn move_to(client: &Client, team: &str) {
    let body = json!({ "team": team, "reason": "they know" });
    client.with("if-match", "*").patch("/api/v1/tickets/IT-1", &body).expect(200);
}

#[test]
fn a_document_is_published_with_a_reason_goes_back_and_leaves_no_ticket_behind() {
    on_both(|database| {
        let desk = House::with_settings(database, example_rules(), |text| {
            format!("{text}\n[configuration]\nby-api = [\"teams\"]\n")
        });
        let (mei, kofi) = (desk.as_role("mei"), desk.as_role("kofi"));
        let documents = mei.get("/api/v1/config/documents").expect(200);
        let of = |code: &str| documents.as_array().unwrap().iter().find(|one| one["document"] == code).unwrap().clone();
        assert_eq!((&of("teams")["by_api"], &of("teams")["revision"]), (&json!(true), &json!(0)));
        assert_eq!(of("people")["by_api"], false);
        let seed = of("teams")["content"].as_str().unwrap().to_owned();
        let more = format!("{seed}{PRINTING}");

        let people = json!({ "content": "", "why": "x" });
        let refused = mei.with("if-match", "*").put("/api/v1/config/documents/people", &people).expect(409);
        assert!(refused["detail"].as_str().unwrap().contains("people.toml"), "{refused}");
        assert_eq!(publish(&kofi, 0, &more, "printers").status, 403);
        let look = mei.post(&format!("{TEAMS}/check"), &json!({ "content": more })).expect(200);
        let added = json!({ "kind": "team", "id": "printing", "change": "added", "open_tickets": 0, "rules": [] });
        assert_eq!((&look["changes"], &look["problems"]), (&json!([added]), &json!([])));
        assert!(!has_printing(&kofi), "it was only looked at");
        let bad = format!("{more}tier = [\n");
        assert_eq!(publish(&mei, 0, &bad, "printers").expect(422)["problems"][0]["code"], "invalid");
        assert_eq!(publish(&mei, 0, &more, " ").status, 422, "it needs a reason");
        assert_eq!(mei.put(TEAMS, &json!({ "content": more, "why": "x" })).status, 428);

        assert_eq!(publish(&mei, 0, &more, "printers are theirs").expect(200)["revision"], 1);
        assert!(has_printing(&kofi), "at once, without a restart");
        assert_eq!(publish(&mei, 0, &seed, "late").status, 412);
        let ticket = json!({ "request_type": "incident", "subject": "VPN is down", "body": "Since 9 in Berlin.",
            "fields": { "service": "vpn" } });
        desk.as_role("amara").post("/api/v1/tickets", &ticket).expect(201);
        move_to(&kofi, "printing");
        let problem = publish(&mei, 1, &seed, "they are gone").expect(422)["problems"][0].clone();
        let said = problem["message"].as_str().unwrap();
        assert!(
            problem["code"] == "in-use" && said.starts_with("1 open tickets have the team `printing`"),
            "{problem}"
        );
        let agreed = more.replace("name = \"Printing\"", "resolution = \"8h\"\nname = \"Printing\"");
        let look = mei.post(&format!("{TEAMS}/check"), &json!({ "content": agreed })).expect(200)["changes"][0].clone();
        assert_eq!((&look["open_tickets"], &look["promises_move"]), (&json!(1), &json!(true)), "{look}");
        move_to(&kofi, "service-desk");
        let gone = publish(&mei, 1, &seed, "they are gone").expect(200);
        assert_eq!((&gone["revision"], &gone["changes"][0]["change"]), (&json!(2), &json!("removed")));
        assert!(!has_printing(&kofi));

        let back = json!({ "revision": 1, "why": "they are back" });
        let back = mei.with("if-match", "\"2\"").post(&format!("{TEAMS}/rollback"), &back).expect(200);
        assert_eq!(back["revision"], 3);
        let versions = mei.get(&format!("{TEAMS}/versions")).expect(200);
        let of = |n: usize| (versions[n]["revision"].clone(), versions[n]["why"].clone(), versions[n]["again"].clone());
        assert_eq!(of(0), (json!(3), json!("they are back"), json!(1)));
        assert_eq!(of(2), (json!(1), json!("printers are theirs"), Value::Null));
        assert_eq!(mei.get(&format!("{TEAMS}/versions/2")).expect_text(200), seed);

        let desk = desk.cut_off_and_restart();
        let kofi = desk.as_role("kofi");
        assert!(has_printing(&kofi), "it is there after a restart");
        let file = desk.data_dir().join("teams.toml");
        std::fs::write(&file, &seed).unwrap();
        let output = desk.command(&["config", "publish", "teams", file.to_str().unwrap(), "--why", "by hand"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("revision 4"), "{said} {output:?}");
        until("the desk follows what another process published", || (!has_printing(&kofi)).then_some(()));
        let output = desk.command(&["config", "versions", "teams"]);
        assert!(String::from_utf8_lossy(&output.stdout).contains("by hand"), "{output:?}");
    });
}
