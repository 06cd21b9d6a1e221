//! A connector that is a component writes to an app by calls that the desk makes: only those that are allowed, through every fault
//! on the way, and each run is recorded so that it can be asked again.

use std::process::Command;

use ruledesk::rules::load::trust::key::SigningKey;
use serde_json::{Value, json};

use super::super::provisioning::{approved, asks, connect, connected, hours, in_order, now, seconds, states};
use crate::support::components::{PROGRAM, compiled, example_rules, root, seat_connector};
use crate::support::house::House;
use crate::support::peers::seats::{SeatApp, TOKEN};
use crate::support::place::{Database, on_both};

const ALLOW: &str = r#"["GET /seats/*", "PUT /seats/*"]"#;

/// A desk that writes to the app for Jira by the component.
fn desk(database: Database, app: &SeatApp, allow: &str) -> House {
    let (url, component) = (&app.url, seat_connector().display());
    let kind = format!(
        "kind = \"component\"\ncomponent = \"{component}\"\nurl = \"{url}\"\ninternal = true\ntoken-file = \"app.token\"\n\
         allow = {allow}\nsettings = {{ prefix = \"jira-\" }}"
    );
    connected(database, &kind)
}

/// The runs that are kept of all orders on their way or done.
fn runs(desk: &House) -> Vec<Value> {
    let kofi = desk.as_role("kofi");
    let grant = kofi.get("/api/v1/people/amara/grants").expect(200)[0]["id"].as_str().unwrap().to_owned();
    let story = kofi.get(&format!("/api/v1/grants/{grant}")).expect(200);
    let mut ops: Vec<String> = story["ledger"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["event"] == "op")
        .map(|event| event["detail"]["op"].as_str().unwrap().to_owned())
        .collect();
    ops.sort();
    ops.dedup();
    let of = |op: &String| kofi.get(&format!("/api/v1/access/orders/{op}/runs")).expect(200);
    ops.iter().flat_map(|op| of(op).as_array().unwrap().clone()).collect()
}

/// Asks the component again what was asked in these runs; whether it was the same, and what was printed.
fn tested(file: &std::path::Path) -> (bool, String) {
    let mut command = Command::new(PROGRAM);
    command.args(["connector", "test", "--cache"]).arg(compiled()).arg(seat_connector()).arg(file);
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_component_gives_and_takes_through_faults_and_its_runs_can_be_asked_again() {
    on_both(|database| {
        let app = SeatApp::start();
        let desk = desk(database, &app, ALLOW);
        app.overtake(1);
        app.lose(1);
        asks(&desk.as_role("amara"), "user", 4);
        now(&desk);
        assert_eq!(states(&desk), ["provisioning"], "an answer was lost");
        desk.advance(seconds(5));
        assert_eq!(
            (states(&desk), app.record("amara")),
            (vec!["active".to_owned()], seats(&["account", "tier:jira-user"]))
        );
        let written =
            app.requests().iter().filter(|request| request.starts_with("PUT") && request.ends_with("204")).count();
        assert_eq!(written, 2, "nothing was written twice: {:?}", app.requests());

        let runs = runs(&desk);
        let text = Value::from(runs.clone()).to_string();
        assert!(!text.contains(TOKEN) && text.contains("412"), "{text}");
        assert!(!text.contains("x-other"), "a component sees the headers that it needs");
        assert_eq!(desk.as_role("amara").get("/api/v1/access/orders/1/runs").status, 404);
        let recorded: Vec<Value> = runs.iter().map(|run| run["run"].clone()).collect();
        let file = std::env::temp_dir().join(format!("ruledesk-runs-{}.json", app.url.replace(['/', ':'], "-")));
        std::fs::write(&file, Value::from(recorded.clone()).to_string()).unwrap();
        let (same, said) = tested(&file);
        assert!(same && said.contains(&format!("{} runs are as recorded", recorded.len())), "{said}");
        std::fs::write(&file, text.replace("jira-user", "jira-admin").replace("\"run\"", "\"x\"")).unwrap();
        assert!(!tested(&file).0, "a file without runs is none");
        let other = Value::from(recorded).to_string().replace("/seats/amara", "/seats/jonas");
        std::fs::write(&file, other).unwrap();
        let (same, said) = tested(&file);
        assert!(!same && said.contains("OTHER") && said.contains("it asks for"), "{said}");

        desk.advance(hours(4));
        assert_eq!((states(&desk), app.record("amara")), (vec!["ended".to_owned()], seats(&[])));
        in_order(&desk);
    });
}

fn seats(all: &[&str]) -> String {
    json!({ "seats": all }).to_string()
}

#[test]
fn a_call_that_is_not_allowed_is_not_made() {
    let app = SeatApp::start();
    let desk = desk(Database::Sqlite, &app, r#"["GET /seats/*"]"#);
    asks(&desk.as_role("amara"), "user", 4);
    now(&desk);
    let orders = desk.as_role("kofi").get("/api/v1/access/orders").expect(200).to_string();
    assert!(
        orders.contains("the component asks for PUT /seats/amara: `allow` of its connector has no such call"),
        "{orders}"
    );
    assert_eq!(
        (states(&desk), app.requests().iter().any(|request| request.starts_with("PUT"))),
        (vec!["provisioning".to_owned()], false)
    );
    let stopped = runs(&desk).into_iter().any(|run| run["looked"] == false && run["run"]["finding"].is_null());
    assert!(stopped, "a run that was stopped is kept, too");
    desk.advance(hours(4));
}

#[test]
fn a_connector_that_no_trusted_key_has_signed_writes_nothing() {
    let app = SeatApp::start();
    let folder = tempfile::tempdir().unwrap();
    let (component, key_file) = (folder.path().join("seats.wasm"), folder.path().join("ops.key"));
    std::fs::copy(seat_connector(), &component).unwrap();
    let key = SigningKey::generate().unwrap();
    key.write(&key_file).unwrap();
    // No rule is signed either, so that people decide.
    let keys = format!("[rules]\ntrusted-keys = [\"ops:{}\"]\n", key.public());
    let desk = House::with_settings(Database::Sqlite, example_rules(), |text| format!("{text}\n{keys}"));
    let (url, file) = (&app.url, component.display());
    connect(
        &desk,
        &format!(
            "kind = \"component\"\ncomponent = \"{file}\"\nurl = \"{url}\"\ninternal = true\ntoken-file = \"app.token\"\n\
             allow = {ALLOW}"
        ),
    );
    asks(&desk.as_role("amara"), "user", 4);
    approved(&desk, "IT-1");
    now(&desk);
    let orders = desk.as_role("kofi").get("/api/v1/access/orders").expect(200).to_string();
    assert!(orders.contains("it is not signed"), "{orders}");
    assert_eq!((states(&desk), app.requests()), (vec!["provisioning".to_owned()], vec![]));
    let probed = desk.command(&["jobs", "connectors"]);
    assert!(String::from_utf8_lossy(&probed.stdout).contains("it is not signed"), "{probed:?}");
    let mut sign = Command::new(PROGRAM);
    sign.args(["connector", "sign", "--key"]).arg(&key_file).arg(&component);
    let signed = sign.output().unwrap();
    assert!(signed.status.success(), "{signed:?}");
    desk.advance(hours(1));
    assert_eq!(states(&desk), ["active"]);
    desk.advance(hours(4));
}

#[test]
fn the_examples_own_runs_are_answered_as_they_say() {
    let (same, said) = tested(&root().join("example-rules/80-seat-connector/runs.json"));
    assert!(same && said.contains("4 runs are as recorded"), "{said}");
}
