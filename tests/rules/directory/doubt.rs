//! A rule for access that is there and does not decide: a person does.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::components::{example_rules, hostile, hostile_manifest, put};
use crate::support::house::House;
use crate::support::place::{Database, on_both_at_once};
use crate::support::wait::until;

pub(super) fn component() -> Vec<u8> {
    fs::read(example_rules().join("60-decision-table/rule.wasm")).unwrap()
}

/// A table of one row about everything.
pub(super) fn table(name: &str, version: &str, stage: &str, says: &str, head: &str) -> String {
    let then = match stage {
        "access" => format!("then = \"{says}\""),
        _ => "then.level = \"low\"".to_owned(),
    };
    format!(
        "name = \"{name}\"\nversion = \"{version}\"\nstages = [\"{stage}\"]\norder = 10\n{head}\n[settings]\nstage = \"{stage}\"\n\
         [[settings.row]]\nname = \"all\"\n{then}\nreason = \"{says}\"\n"
    )
}

pub(super) fn access(name: &str, version: &str, says: &str, head: &str) -> String {
    table(name, version, "access", says, head)
}

/// A desk with one rule that approves.
pub(super) fn approving(database: Database) -> House {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "10-approve", &access("approve", "1.0.0", "approve", ""), &component());
    House::with_rules(database, dir.path())
}

/// The same, where a folder that is away is believed to be gone for good after so many seconds.
pub(super) fn patient(database: Database, seconds: u64) -> House {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "10-approve", &access("approve", "1.0.0", "approve", ""), &component());
    let patience = format!("[server]\nrules-patience-s = {seconds}\n");
    House::with_settings(database, dir.path(), |text| text.replace("[server]\n", &patience))
}

pub(super) fn state(desk: &House) -> Value {
    let body = json!({ "request_type": "access", "subject": "Jira please", "fields": {
        "app": "jira", "tier": "user", "duration-hours": 100, "justification": "I join the data project" } });
    let amara = desk.as_role("amara");
    let made = amara.post("/api/v1/tickets", &body).expect(201);
    let state = made["access"]["state"].clone();
    if state == "awaiting" {
        // The same is not asked for twice.
        let path = format!("/api/v1/tickets/{}/transitions", made["key"].as_str().unwrap());
        amara.with("if-match", "*").post(&path, &json!({ "to": "cancelled" })).expect(200);
    }
    state
}

fn rule(desk: &House, folder: &str) -> Option<Value> {
    let rules = desk.as_role("kofi").get("/api/v1/rules").expect(200);
    rules["rules"].as_array()?.iter().find(|rule| rule["folder"] == folder).cloned()
}

pub(super) fn until_rule(desk: &House, folder: &str, is: impl Fn(&Value) -> bool) -> Value {
    until("the rule", || rule(desk, folder).filter(|rule| is(rule))).0
}

#[test]
fn the_rules_of_this_test_approve_and_deny() {
    let desk = approving(Database::Sqlite);
    assert_eq!(state(&desk), "approved");
    put(&desk.rules, "20-deny", &access("deny", "1.0.0", "deny", ""), &component());
    until_rule(&desk, "20-deny", |rule| rule["state"] == "active");
    assert_eq!(state(&desk), "denied_by_policy");
}

#[test]
fn what_is_off_tried_or_of_another_stage_leaves_access_to_a_person_while_its_next_version_is_refused() {
    for first in [
        access("deny", "1.0.0", "deny", "mode = \"off\""),
        access("deny", "1.0.0", "deny", "mode = \"shadow\""),
        table("deny", "1.0.0", "priority", "", ""),
    ] {
        let desk = approving(Database::Sqlite);
        put(&desk.rules, "20-deny", &first, &component());
        until_rule(&desk, "20-deny", |rule| rule["version"] == "1.0.0");
        put(&desk.rules, "20-deny", &access("deny", "2.0.0", "deny", ""), b"no wasm");
        until_rule(&desk, "20-deny", |rule| rule["last_error"].is_string());
        assert_eq!(state(&desk), "awaiting", "{first}");
        let desk = desk.cut_off_and_restart();
        assert_eq!(state(&desk), "awaiting", "{first}");
    }
}

#[test]
fn a_rule_that_decided_and_moved_to_another_stage_or_is_only_tried_leaves_access_to_a_person() {
    let desk = approving(Database::Sqlite);
    put(&desk.rules, "20-deny", &access("deny", "1.0.0", "deny", "mode = \"shadow\""), &component());
    until_rule(&desk, "20-deny", |rule| rule["version"] == "1.0.0");
    assert_eq!(state(&desk), "awaiting");
    put(&desk.rules, "20-deny", &access("deny", "1.1.0", "deny", ""), &component());
    until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "1.1.0");
    assert_eq!(state(&desk), "denied_by_policy");
    put(&desk.rules, "20-deny", &table("deny", "2.0.0", "priority", "", ""), &component());
    until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "2.0.0");
    assert_eq!(state(&desk), "awaiting");
    let mut desk = desk.cut_off_and_restart();
    assert_eq!(state(&desk), "awaiting");
    // However often it is touched since: none of that is a word about access.
    for version in ["2.0.1", "2.0.2"] {
        put(&desk.rules, "20-deny", &table("deny", version, "priority", "", ""), &component());
        until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == version);
        assert_eq!(state(&desk), "awaiting", "{version}");
        desk = desk.cut_off_and_restart();
        assert_eq!(state(&desk), "awaiting", "{version}, after a restart");
    }
    let mei = desk.as_role("mei");
    for _ in 0..2 {
        mei.post("/api/v1/rules/deny/suspend", &json!({ "why": "a doubt" })).expect(200);
        assert_eq!(state(&desk), "awaiting", "no version of it is left");
    }
    put(&desk.rules, "20-deny", &access("deny", "3.0.0", "deny", "mode = \"off\""), &component());
    until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "3.0.0");
    assert_eq!(state(&desk), "approved", "it says itself that it is off");
}

#[test]
fn a_name_that_is_taken_leaves_access_to_a_person() {
    let desk = approving(Database::Sqlite);
    put(&desk.rules, "20-deny", &access("approve", "2.0.0", "deny", ""), &component());
    until_rule(&desk, "20-deny", |rule| rule["last_error"].as_str().is_some_and(|e| e.contains("belongs to")));
    assert_eq!(state(&desk), "awaiting");
    let desk = desk.cut_off_and_restart();
    assert_eq!(state(&desk), "awaiting");
    fs::remove_dir_all(desk.rules.join("20-deny")).unwrap();
    until("it to be gone", || rule(&desk, "20-deny").is_none().then_some(()));
    assert_eq!(state(&desk), "approved");
}

/// A tool that takes a folder away and is slow to put the next there says no more than that it is away.
#[test]
fn a_rule_for_access_whose_folder_is_away_leaves_access_to_a_person_until_that_is_believed() {
    let desk = patient(Database::Sqlite, 1_000);
    put(&desk.rules, "20-deny", &access("deny", "1.0.0", "deny", ""), &component());
    until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "1.0.0");
    assert_eq!(state(&desk), "denied_by_policy");
    fs::remove_dir_all(desk.rules.join("20-deny")).unwrap();
    until("its rule to end", || (state(&desk) != "denied_by_policy").then_some(()));
    assert_eq!(state(&desk), "awaiting");
    // Who starts meanwhile knows no more than who was there.
    let desk = desk.cut_off_and_restart();
    assert_eq!(state(&desk), "awaiting");
    put(&desk.rules, "20-deny", &access("deny", "1.0.0", "deny", ""), &component());
    until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "1.0.0");
    assert_eq!(state(&desk), "denied_by_policy");
    fs::remove_dir_all(desk.rules.join("20-deny")).unwrap();
    until("its rule to end", || (state(&desk) != "denied_by_policy").then_some(()));
    let desk = desk.cut_off_and_restart();
    assert_eq!(state(&desk), "awaiting");
    desk.as_role("mei").post("/api/v1/rules/deny/retire", &json!({ "why": "it is not wanted" })).expect(200);
    assert_eq!(state(&desk), "approved");
}

/// Who starts later goes by the word of the person who has said that what is not there is gone.
#[test]
fn a_folder_that_a_person_has_meant_to_be_gone_is_so_after_a_restart() {
    on_both_at_once(|database| {
        let mut desk = patient(database, 1_000);
        for ended_before in [true, false] {
            put(&desk.rules, "20-deny", &access("deny", "1.0.0", "deny", ""), &component());
            until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "1.0.0");
            fs::remove_dir_all(desk.rules.join("20-deny")).unwrap();
            if ended_before {
                until("its rule to end", || (state(&desk) != "denied_by_policy").then_some(()));
            }
            desk.as_role("mei").post("/api/v1/rules/reload", &json!({})).expect(200);
            assert_eq!(state(&desk), "approved");
            desk = desk.cut_off_and_restart();
            assert_eq!(state(&desk), "approved", "{ended_before}");
        }
        // The next time it is away, nothing is said yet.
        put(&desk.rules, "20-deny", &access("deny", "1.0.0", "deny", ""), &component());
        until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "1.0.0");
        fs::remove_dir_all(desk.rules.join("20-deny")).unwrap();
        until("its rule to end", || (state(&desk) != "denied_by_policy").then_some(()));
        let desk = desk.cut_off_and_restart();
        assert_eq!(state(&desk), "awaiting");
    });
}

/// Who has a directory read that cannot be, such as one that is not mounted, says nothing about what is not there.
#[test]
fn a_reload_of_a_directory_that_cannot_be_read_means_nothing_to_be_gone() {
    let desk = patient(Database::Sqlite, 1_000);
    put(&desk.rules, "20-deny", &access("deny", "1.0.0", "deny", ""), &component());
    until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "1.0.0");
    fs::remove_dir_all(desk.rules.join("20-deny")).unwrap();
    until("its rule to end", || (state(&desk) != "denied_by_policy").then_some(()));
    let elsewhere = desk.rules.with_extension("away");
    fs::rename(&desk.rules, &elsewhere).unwrap();
    desk.as_role("mei").post("/api/v1/rules/reload", &json!({})).expect(200);
    assert_eq!(state(&desk), "awaiting");
    let place = desk.cut_off();
    fs::rename(&elsewhere, &place.rules).unwrap();
    assert_eq!(state(&place.open()), "awaiting");
}

#[test]
fn a_folder_that_is_away_for_longer_than_the_patience_is_gone_for_one_who_starts_then() {
    on_both_at_once(|database| {
        let desk = patient(database, 1_000);
        put(&desk.rules, "20-deny", &access("deny", "1.0.0", "deny", ""), &component());
        until_rule(&desk, "20-deny", |rule| rule["active"]["version"] == "1.0.0");
        fs::remove_dir_all(desk.rules.join("20-deny")).unwrap();
        until("its rule to end", || (state(&desk) != "denied_by_policy").then_some(()));
        desk.advance(SignedDuration::from_secs(900));
        let desk = desk.cut_off_and_restart();
        assert_eq!(state(&desk), "awaiting");
        desk.advance(SignedDuration::from_secs(100));
        let desk = desk.cut_off_and_restart();
        assert_eq!(state(&desk), "approved");
    });
}

/// Its rule would be kept under a name by which no folder is found, and pass to the next copy of it.
#[test]
fn a_folder_whose_name_is_no_text_is_refused_and_leaves_access_to_a_person() {
    let desk = approving(Database::Sqlite);
    let aside = TempDir::new().unwrap();
    put(aside.path(), "deny", &access("deny", "1.0.0", "deny", ""), &component());
    fs::rename(aside.path().join("deny"), desk.rules.join(OsStr::from_bytes(b"20-den\xff"))).unwrap();
    until_rule(&desk, "20-den\u{fffd}", |rule| {
        rule["last_error"].as_str().is_some_and(|error| error.contains("not UTF-8: rename it"))
    });
    assert_eq!(state(&desk), "awaiting");
}

/// An example on which a rule takes all the time that it may have, and then fails.
#[test]
fn while_the_examples_of_a_rule_run_a_person_decides() {
    let desk = approving(Database::Sqlite);
    let limits = "[limits]\nfuel = 2_000_000_000\ndeadline-ms = 2000";
    let example = "[[example]]\nname = \"any\"\nstage = \"access\"\nexpect = { decision = \"deny\" }\n";
    let manifest = hostile_manifest("slow", "access", "loop", limits);
    put(&desk.rules, "20-slow", &format!("{manifest}{example}"), hostile());
    until_rule(&desk, "20-slow", |_| true);
    let mut during = Vec::new();
    let (refused, _) = until("the example to have failed", || {
        during.push(state(&desk));
        let now = rule(&desk, "20-slow")?;
        (now["state"] == "refused").then_some(now)
    });
    assert!(during.iter().all(|state| state == "awaiting"), "{during:?}");
    assert!(refused["last_error"].to_string().contains("any"), "the example was asked: {refused}");
    assert_eq!(state(&desk), "awaiting");
}

#[test]
fn a_rule_that_denies_has_no_request_slip_by_while_it_is_looked_at_at_a_start() {
    let dir = TempDir::new().unwrap();
    let examples: String = (0..40)
        .map(|n| format!("[[example]]\nname = \"{n}\"\nstage = \"access\"\nexpect = {{ decision = \"deny\" }}\n"))
        .collect();
    put(dir.path(), "10-approve", &access("approve", "1.0.0", "approve", ""), &component());
    put(dir.path(), "20-deny", &format!("{}{examples}", access("deny", "1.0.0", "deny", "")), &component());
    let desk = House::with_rules(Database::Sqlite, dir.path());
    let first = state(&desk);
    assert!(first == "awaiting" || first == "denied_by_policy", "{first}");
    until_rule(&desk, "20-deny", |rule| rule["state"] == "active");
    assert_eq!(state(&desk), "denied_by_policy");
}

/// Sorted by its folder, the copy would be the first that is read.
#[test]
fn a_copy_that_sorts_first_takes_no_name_at_a_restart() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "40-one", &access("one", "1.0.0", "approve", ""), &component());
    let desk = House::with_rules(Database::Sqlite, dir.path());
    until("it to be written down", || {
        let events = desk.as_role("mei").get("/api/v1/rules/one/events");
        (events.status == 200 && events.text.contains("offered")).then_some(())
    });
    let place = desk.cut_off();
    put(&place.rules, "05-old", &access("one", "0.9.0", "deny", ""), &component());
    let desk = place.open();
    let copy = until_rule(&desk, "05-old", |rule| rule["last_error"].is_string());
    assert!(copy["last_error"].as_str().unwrap().contains("40-one"), "{copy}");
    let owner = until_rule(&desk, "40-one", |rule| rule["state"] == "active");
    assert_eq!(owner["active"]["version"], "1.0.0", "{owner}");
    assert_eq!(state(&desk), "awaiting", "nobody knows which is meant");
}

#[test]
fn a_component_that_is_written_over_under_an_unchanged_time_is_noticed() {
    let desk = approving(Database::Sqlite);
    put(&desk.rules, "20-deny", &access("deny", "1.0.0", "deny", ""), &component());
    until_rule(&desk, "20-deny", |rule| rule["state"] == "active");
    let file = desk.rules.join("20-deny/rule.wasm");
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, vec![7; component().len()]).unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(before).unwrap();
    until_rule(&desk, "20-deny", |rule| rule["last_error"].is_string());
    assert_eq!(state(&desk), "denied_by_policy", "the last good version serves on");
}

/// As rsync puts one file after the other.
#[test]
fn one_file_of_two_decides_nothing_until_the_other_one_has_followed() {
    let desk = approving(Database::Sqlite);
    let manifest = |version: &str, says: &str| access("policy", version, says, "");
    put(&desk.rules, "20-policy", &manifest("1.0.0", "deny"), &component());
    until_rule(&desk, "20-policy", |rule| rule["state"] == "active");
    let file = desk.rules.join("20-policy/rule.toml");
    // The other file is waited for some seconds: where a busy machine takes longer to ask, it is tried again from a whole pair.
    let mut tries = 2..;
    let version = loop {
        let major = tries.next().unwrap();
        let (version, before) = (format!("{major}.0.0"), format!("1.{major}.0"));
        fs::write(&file, manifest(&version, "approve")).unwrap();
        until_rule(&desk, "20-policy", |rule| rule["content"] == "compiling");
        let decided = state(&desk);
        if rule(&desk, "20-policy").is_some_and(|rule| rule["content"] == "compiling") {
            assert_eq!(decided, "denied_by_policy", "the pair of before decides");
            break version;
        }
        fs::write(&file, manifest(&before, "deny")).unwrap();
        until_rule(&desk, "20-policy", |rule| rule["active"]["version"] == before);
    };
    // A component that differs by a section of nothing.
    let other = [component(), vec![0, 2, 1, b'x']].concat();
    fs::write(desk.rules.join("20-policy/rule.wasm"), other).unwrap();
    until_rule(&desk, "20-policy", |rule| rule["active"]["version"] == version);
    assert_eq!(state(&desk), "approved");
}

/// A desk with a rule that approves, one that denies what is about hardware, and one that says what a ticket is about, or fails to.
fn sorted(fails: bool) -> House {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "10-approve", &access("approve", "1.0.0", "approve", ""), &component());
    let only = access("deny", "1.0.0", "deny", "[match]\ncategories = [\"hardware\"]");
    put(dir.path(), "20-deny", &only, &component());
    if fails {
        put(dir.path(), "05-sorts", &hostile_manifest("sorts", "categorization", "give-up", ""), hostile());
    } else {
        let sorts = table("sorts", "1.0.0", "categorization", "", "");
        let sorts = sorts.replace("then.level = \"low\"", "then.category = \"software\"");
        put(dir.path(), "05-sorts", &sorts, &component());
    }
    House::with_rules(Database::Sqlite, dir.path())
}

#[test]
fn access_waits_where_the_rule_is_unheard_that_says_which_rules_for_access_are_asked() {
    assert_eq!(state(&sorted(true)), "awaiting");
    let desk = sorted(false);
    assert_eq!(state(&desk), "approved");
    let mei = desk.as_role("mei");
    let why = json!({ "why": "a doubt" });
    mei.post("/api/v1/rules/sorts/suspend", &why).expect(200);
    assert_eq!(state(&desk), "awaiting");
    mei.post("/api/v1/rules/sorts/resume", &why).expect(200);
    assert_eq!(state(&desk), "approved");
}

#[test]
fn access_waits_where_any_rule_before_it_fails_whose_word_it_sees() {
    for stage in ["intake", "priority", "routing"] {
        let desk = approving(Database::Sqlite);
        put(&desk.rules, "05-fails", &hostile_manifest("fails", stage, "give-up", ""), hostile());
        until_rule(&desk, "05-fails", |rule| rule["state"] == "active");
        assert_eq!(state(&desk), "awaiting", "{stage}");
    }
}
