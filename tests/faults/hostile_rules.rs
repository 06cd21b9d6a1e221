//! A bad rule in any stage: the ticket is still made by the documented fallback, the outcome is recorded, and other
//! requests are served meanwhile.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::components::{hostile, hostile_manifest, put};
use crate::support::desk::Desk;
use crate::support::house::House;
use crate::support::place::{Database, Place, on_both_at_once};
use crate::support::wait::until;

const DEEDS: [(&str, &str); 9] = [
    ("loop", "out-of-fuel"),
    // The guest's own stack in its memory is fuller sooner than the engine's, and lies lowest: running over it traps.
    ("recurse", "trap"),
    ("hoard-memory", "out-of-memory"),
    ("panic", "trap"),
    ("call-host", "out-of-fuel"),
    ("huge-answer", ""),
    ("give-up", "rule-error"),
    ("look-up-forbidden", "stopped"),
    ("unknown-name", "invalid-answer"),
];

fn ask(desk: &Place) -> (Value, Value) {
    let body =
        json!({ "request_type": "question", "subject": "Anything", "body": "at all", "fields": { "topic": "other" } });
    let ticket = desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    let path = format!("/api/v1/tickets/{}/decisions", ticket["key"].as_str().unwrap());
    let kofi = desk.as_role("kofi");
    let runs = kofi.get(&path).expect(200);
    let ticket = kofi.get(&format!("/api/v1/tickets/{}", ticket["key"].as_str().unwrap())).expect(200);
    (ticket, runs[0]["stages"].clone())
}

fn outcome(stages: &Value, stage: &str) -> String {
    let stage = stages.as_array().unwrap().iter().find(|s| s["stage"] == stage).unwrap();
    stage["rules"][0]["outcome"].as_str().unwrap().to_owned()
}

#[test]
fn a_bad_rule_in_any_stage_leaves_a_ticket_by_the_fallback() {
    for stage in ["intake", "categorization", "priority", "routing"] {
        for (deed, expected) in DEEDS {
            let rules = TempDir::new().unwrap();
            let limits = "[limits]\nfuel = 5_000_000\ndeadline-ms = 2000";
            put(rules.path(), "bad", &hostile_manifest("bad", stage, deed, limits), hostile());
            let desk = House::with_rules(Database::Sqlite, rules.path());
            let (ticket, stages) = ask(&desk);
            let found = outcome(&stages, stage);
            assert_ne!(found, "answered", "{stage} {deed}");
            if !expected.is_empty() {
                assert_eq!(found, expected, "{stage} {deed}");
            }
            assert_eq!(ticket["category"], "miscellaneous", "{stage} {deed}");
            assert_eq!(ticket["priority"], "medium", "{stage} {deed}");
            assert_eq!(ticket["team"], "service-desk", "{stage} {deed}");
            let signalled = ticket["signals"] == json!(["intake-unchecked"]);
            assert_eq!(signalled, stage == "intake", "{stage} {deed}: {ticket}");
        }
    }
}

#[test]
fn what_intake_could_not_check_is_marked_also_where_a_rule_is_suspended_or_refused() {
    let rules = TempDir::new().unwrap();
    put(rules.path(), "checks", &hostile_manifest("checks", "intake", "pass", ""), hostile());
    let desk = House::with_rules(Database::Sqlite, rules.path());
    let marked = || ask(&desk).0["signals"].to_string().contains("intake-unchecked");
    assert!(!marked());
    let (mei, why) = (desk.as_role("mei"), json!({ "why": "a doubt" }));
    mei.post("/api/v1/rules/checks/suspend", &why).expect(200);
    assert!(marked(), "suspended");
    mei.post("/api/v1/rules/checks/resume", &why).expect(200);
    assert!(!marked());
    put(&desk.rules, "more", &hostile_manifest("more", "intake", "pass", ""), b"no wasm");
    until("the refusal", || {
        let rules = mei.get("/api/v1/rules").expect(200);
        let mut all = rules["rules"].as_array()?.iter();
        all.any(|rule| rule["folder"] == "more" && rule["last_error"].is_string()).then_some(())
    });
    assert!(marked(), "it is refused, as the list of rules says already");
}

/// A directory that shows no rule is likelier to be lost than emptied, also when that is believed.
#[test]
fn what_intake_could_not_check_is_marked_also_where_the_directory_has_no_rule_any_more() {
    for whole in [false, true] {
        let rules = TempDir::new().unwrap();
        put(rules.path(), "checks", &hostile_manifest("checks", "intake", "pass", ""), hostile());
        let desk = House::with_rules(Database::Sqlite, rules.path());
        desk.until_active("checks");
        let marked = || ask(&desk).0["signals"].to_string().contains("intake-unchecked");
        assert!(!marked());
        let gone = if whole { desk.rules.clone() } else { desk.rules.join("checks") };
        std::fs::remove_dir_all(&gone).unwrap();
        std::fs::create_dir_all(&desk.rules).unwrap();
        until("the rule to be ended", || {
            let rules = desk.as_role("mei").get("/api/v1/rules").expect(200);
            let is_active = |rule: &Value| rule["name"] == "checks" && !rule["active"].is_null();
            (!rules["rules"].as_array()?.iter().any(is_active)).then_some(())
        });
        let what = format!("it to be marked, since nothing looked at it; the whole directory: {whole}");
        until(&what, || marked().then_some(()));
        put(&desk.rules, "checks", &hostile_manifest("checks", "intake", "pass", ""), hostile());
        desk.until_active("checks");
        assert!(!marked());
    }
}

/// A rule of intake and another one, at a desk that believes nothing for so long.
fn patient(database: Database, patience: &str) -> House {
    let rules = TempDir::new().unwrap();
    put(rules.path(), "checks", &hostile_manifest("checks", "intake", "pass", ""), hostile());
    put(rules.path(), "other", &hostile_manifest("other", "priority", "pass", ""), hostile());
    let patience = format!("[server]\nrules-patience-s = {patience}\n");
    let desk = House::with_settings(database, rules.path(), |settings| settings.replacen("[server]\n", &patience, 1));
    desk.until_active("checks");
    desk
}

/// Waits until the rule of intake has ended with its folder and is missed, or is not missed any more.
fn until_missed(desk: &House, is: bool) {
    until("the rule to be missed, or not to be", || {
        let rules = desk.as_role("mei").get("/api/v1/rules").expect(200);
        let is_missed = |rule: &Value| rule["folder"] == "checks" && rule["content"] == "gone";
        (rules["rules"].as_array()?.iter().any(is_missed) == is).then_some(())
    });
}

#[test]
fn what_intake_could_not_check_is_marked_until_a_single_folder_that_is_gone_is_back_or_the_rule_is_retired() {
    on_both_at_once(|database| {
        let desk = patient(database, "3600");
        let (mei, why) = (desk.as_role("mei"), json!({ "why": "it was replaced" }));
        let marked = || ask(&desk).0["signals"].to_string().contains("intake-unchecked");
        let said = || (mei.get("/readyz").text.contains("nobody has retired them (checks)"), gone_by_metric(&desk));
        let (folder, aside) = (desk.rules.join("checks"), desk.rules.with_file_name("aside"));
        let take_away = || std::fs::rename(&folder, &aside).unwrap();
        let bring_back = || std::fs::rename(&aside, &folder).unwrap();
        assert_eq!((marked(), said()), (false, (false, 0)));

        take_away();
        until_missed(&desk, true);
        assert_eq!((marked(), said()), (true, (true, 1)), "it ended, and nobody has said that it was meant to");
        bring_back();
        desk.until_active("checks");
        assert_eq!((marked(), said()), (false, (false, 0)), "it is back");

        take_away();
        until_missed(&desk, true);
        assert!(marked());
        mei.post("/api/v1/rules/checks/retire", &why).expect(200);
        assert_eq!((marked(), said()), (false, (false, 0)), "it is retired now");
        assert_eq!(mei.post("/api/v1/rules/checks/retire", &why).status, 409, "once is enough");
        bring_back();
        let manifest = hostile_manifest("checks", "intake", "pass", "").replace("1.0.0", "1.1.0");
        put(&desk.rules, "checks", &manifest, hostile());
        desk.until_active("checks");
        assert!(!marked(), "another version of it is taken");

        take_away();
        until_missed(&desk, true);
        mei.post("/api/v1/rules/reload", &json!({})).expect(200);
        until_missed(&desk, false);
        assert!(!marked(), "somebody has said that the directory is as it should be");
    });
}

#[test]
fn a_rule_that_is_retired_before_its_folder_is_taken_away_is_not_missed() {
    let desk = patient(Database::Sqlite, "3600");
    let mei = desk.as_role("mei");
    let marked = || ask(&desk).0["signals"].to_string().contains("intake-unchecked");
    mei.post("/api/v1/rules/checks/retire", &json!({ "why": "it is not wanted" })).expect(200);
    assert!(!marked());
    std::fs::remove_dir_all(desk.rules.join("checks")).unwrap();
    until("the folder to be forgotten", || {
        let rules = mei.get("/api/v1/rules").expect(200);
        (!rules["rules"].as_array()?.iter().any(|rule| rule["folder"] == "checks")).then_some(())
    });
    assert!(!marked() && gone_by_metric(&desk) == 0);
}

#[test]
fn a_single_folder_that_is_gone_for_longer_than_the_patience_is_missed_no_more() {
    let desk = patient(Database::Sqlite, "10");
    let marked = || ask(&desk).0["signals"].to_string().contains("intake-unchecked");
    std::fs::remove_dir_all(desk.rules.join("checks")).unwrap();
    until_missed(&desk, true);
    assert!(marked());
    until_missed(&desk, false);
    assert!(!marked() && gone_by_metric(&desk) == 0, "by now it is believed that this was meant");
}

/// How many folders are gone and missed, by the metric.
fn gone_by_metric(desk: &House) -> u64 {
    let text = desk.as_role("mei").get("/metrics").text;
    let line = text.lines().find_map(|line| line.strip_prefix("ruledesk_rules_folders{state=\"gone\"} "));
    line.unwrap().parse().unwrap()
}

#[test]
fn a_rule_that_runs_out_on_a_long_text_says_so() {
    let rules = TempDir::new().unwrap();
    let limits = "[limits]\nfuel = 5_000_000";
    put(rules.path(), "spins", &hostile_manifest("spins", "priority", "loop", limits), hostile());
    let desk = House::with_rules(Database::Sqlite, rules.path());
    let says = until("what it runs out of", || {
        let rules = desk.as_role("mei").get("/api/v1/rules").expect(200);
        rules["rules"][0]["runs_out"].as_str().map(str::to_owned)
    });
    assert!(says.0.contains("it does not decide on a text of"), "{}", says.0);
}

#[test]
fn a_flood_of_log_lines_is_cut_and_the_answer_counts() {
    let rules = TempDir::new().unwrap();
    put(rules.path(), "bad", &hostile_manifest("bad", "priority", "flood-log", ""), hostile());
    let desk = House::with_rules(Database::Sqlite, rules.path());
    let (_, stages) = ask(&desk);
    assert_eq!(outcome(&stages, "priority"), "answered");
    let stage = stages.as_array().unwrap().iter().find(|s| s["stage"] == "priority").unwrap().clone();
    assert_eq!(stage["rules"][0]["log-cut"], true);
}

#[test]
fn other_requests_are_served_while_a_rule_spins() {
    let rules = TempDir::new().unwrap();
    let limits = "[match]\nrequest-types = [\"incident\"]\n[limits]\nfuel = 2_000_000_000\ndeadline-ms = 2000";
    put(rules.path(), "bad", &hostile_manifest("bad", "priority", "loop", limits), hostile());
    let desk = Desk::with_rules(Database::Sqlite, rules.path());
    let spinning = json!({ "request_type": "incident", "subject": "spin", "fields": { "service": "x" } });
    let quiet = json!({ "request_type": "question", "subject": "quick", "body": "Please tell me.", "fields": { "topic": "other" } });
    std::thread::scope(|scope| {
        let spins: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| desk.as_role("lena").post("/api/v1/tickets", &spinning).expect(201)))
            .collect();
        let mut served = 0;
        while spins.iter().any(|spin| !spin.is_finished()) {
            desk.as_role("amara").post("/api/v1/tickets", &quiet).expect(201);
            served += 1;
        }
        assert!(served > 3, "only {served} requests were served while two rules spun");
        assert_eq!(desk.as_role("amara").get("/healthz").status, 200);
        for spin in spins {
            assert_eq!(spin.join().unwrap()["priority"], "medium");
        }
    });
}
