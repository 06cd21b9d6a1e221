//! A folder of rules whose rule gets another name: what ended with the old one.

use serde_json::json;

use super::doubt::{access, component, patient, state, table, until_rule};
use crate::support::components::put;
use crate::support::place::Database;

/// Under its new name it has no past: what ended with the old one is missed as if its folder were away.
#[test]
fn a_rule_for_access_that_gets_another_name_and_stage_in_one_edit_leaves_access_to_a_person() {
    let desk = patient(Database::Sqlite, 1_000);
    put(&desk.rules, "20-deny", &access("deny", "1.0.0", "deny", ""), &component());
    until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "1.0.0");
    assert_eq!(state(&desk), "denied_by_policy");
    put(&desk.rules, "20-deny", &access("refuse", "1.1.0", "deny", ""), &component());
    until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "1.1.0");
    assert_eq!(state(&desk), "denied_by_policy", "another name alone changes nothing");
    put(&desk.rules, "20-deny", &table("sorts", "2.0.0", "priority", "", ""), &component());
    until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "2.0.0");
    assert_eq!(state(&desk), "awaiting");
    assert!(desk.stranger().get("/readyz").text.contains("20-deny"));
    let desk = desk.cut_off_and_restart();
    assert_eq!(state(&desk), "awaiting");
    for name in ["deny", "refuse"] {
        let path = format!("/api/v1/rules/{name}/retire");
        desk.as_role("mei").post(&path, &json!({ "why": "it is not wanted" })).expect(200);
    }
    assert_eq!(state(&desk), "approved");
}

#[test]
fn a_rule_for_access_that_gets_another_name_while_the_desk_is_stopped_ends_and_is_missed() {
    let desk = patient(Database::Sqlite, 1_000);
    put(&desk.rules, "20-deny", &access("deny", "1.0.0", "deny", ""), &component());
    until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "1.0.0");
    assert_eq!(state(&desk), "denied_by_policy");
    let place = desk.cut_off();
    put(&place.rules, "20-deny", &table("sorts", "2.0.0", "priority", "", ""), &component());
    let desk = place.open();
    until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "2.0.0");
    assert_eq!(state(&desk), "awaiting");
    let desk = desk.cut_off_and_restart();
    assert_eq!(state(&desk), "awaiting");
    desk.as_role("mei").post("/api/v1/rules/deny/retire", &json!({ "why": "it is not wanted" })).expect(200);
    assert_eq!(state(&desk), "approved");
}

/// A reload says of a name as of a folder that what is not there any more is gone, also where it is the reload that finds that out.
#[test]
fn a_name_that_is_not_there_any_more_at_a_reload_is_gone_for_good() {
    let desk = patient(Database::Sqlite, 1_000);
    put(&desk.rules, "20-deny", &access("deny", "1.0.0", "deny", ""), &component());
    until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "1.0.0");
    assert_eq!(state(&desk), "denied_by_policy");
    put(&desk.rules, "20-deny", &table("sorts", "2.0.0", "priority", "", ""), &component());
    desk.as_role("mei").post("/api/v1/rules/reload", &json!({})).expect(200);
    assert_eq!(state(&desk), "approved");
    assert!(!desk.stranger().get("/readyz").text.contains("20-deny"));
    let desk = desk.cut_off_and_restart();
    assert_eq!(state(&desk), "approved");
}

/// The copy of a rule in a second folder is refused for its name until the first folder has another one: then it decides from there.
#[test]
fn a_rule_whose_folder_gets_another_one_goes_on_from_where_it_lies_by_then() {
    let desk = patient(Database::Sqlite, 1_000);
    put(&desk.rules, "20-deny", &access("deny", "1.0.0", "deny", ""), &component());
    until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "1.0.0");
    put(&desk.rules, "15-deny", &access("deny", "1.0.0", "deny", ""), &component());
    until_rule(&desk, "15-deny", |rule| rule["last_error"].to_string().contains("belongs to"));
    put(&desk.rules, "20-deny", &table("sorts", "2.0.0", "priority", "", ""), &component());
    until_rule(&desk, "15-deny", |rule| rule["active"]["version"] == "1.0.0");
    assert_eq!(state(&desk), "denied_by_policy");
}

/// The version that the first folder had goes on beside no trial in another one: it lies nowhere any more.
#[test]
fn a_rule_that_is_only_tried_where_its_name_lies_by_then_leaves_access_to_a_person() {
    let desk = patient(Database::Sqlite, 1_000);
    put(&desk.rules, "20-deny", &access("deny", "1.0.0", "deny", ""), &component());
    until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "1.0.0");
    put(&desk.rules, "15-deny", &access("deny", "1.1.0", "deny", "mode = \"shadow\""), &component());
    until_rule(&desk, "15-deny", |rule| rule["last_error"].to_string().contains("belongs to"));
    put(&desk.rules, "20-deny", &table("sorts", "2.0.0", "priority", "", ""), &component());
    until_rule(&desk, "15-deny", |rule| !rule["last_error"].is_string());
    assert_eq!(state(&desk), "awaiting");
    let desk = desk.cut_off_and_restart();
    assert_eq!(state(&desk), "awaiting");
}

/// A name that is deployed elsewhere already is no other name for the folder: what it had goes on, as the refusal says.
#[test]
fn a_rule_whose_new_name_is_not_taken_goes_on_under_its_old_one() {
    let desk = patient(Database::Sqlite, 1_000);
    let wasm = component();
    put(&desk.rules, "20-deny", &access("deny", "1.0.0", "deny", ""), &wasm);
    until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "1.0.0");
    let sent = table("sorts", "1.0.0", "priority", "", "");
    let parts = [("manifest", sent.as_bytes()), ("component", wasm.as_slice()), ("why", b"a test".as_slice())];
    let answer = desk.as_role("mei").send_parts("/api/v1/rules", &parts);
    assert_eq!(answer.status, 201, "{}", answer.text);
    put(&desk.rules, "20-deny", &table("sorts", "2.0.0", "priority", "", ""), &wasm);
    until_rule(&desk, "20-deny", |rule| rule["last_error"].to_string().contains("is not taken"));
    assert_eq!(state(&desk), "denied_by_policy");
}
