//! The life of a rule, end to end: tried beside the active version, promoted, taken back, suspended; whatever is in the
//! folder, and after a restart.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::Answer;
use crate::support::components::{hostile, hostile_manifest, put};
use crate::support::desk::Desk;
use crate::support::house::House;
use crate::support::place::{Database, Place, on_both, on_both_at_once};
use crate::support::wait::until;

mod access_flow;
mod bundles;
mod closing;
mod crash;
mod drafts;
mod failure_points;
mod friday;
mod outage;
mod promises;
mod schedules;
mod second_person;

/// A directory whose only rule is `one` in version 1.0.0, which does this at that stage.
fn one_rule(stage: &str, does: &str) -> TempDir {
    let rules = TempDir::new().unwrap();
    put(rules.path(), "one", &hostile_manifest("one", stage, does, ""), hostile());
    rules
}

/// A desk with that rule.
fn desk(database: Database, stage: &str, does: &str) -> House {
    House::with_rules(database, one_rule(stage, does).path())
}

/// Three failures of five end a version; a call that only a busy machine made slow is none of them, and none of these.
const SUSPENDED_SOON: &str = "[suspend]\nfailures = 3\nwithin-calls = 5\n[limits]\ndeadline-ms = 2000";

fn offer(desk: &Place, version: &str, stage: &str, does: &str, more: &str) {
    let manifest = hostile_manifest("one", stage, does, more).replace("1.0.0", version);
    std::fs::write(desk.rules.join("one/rule.toml"), manifest).unwrap();
}

fn one(desk: &Place) -> Value {
    desk.as_role("mei").get("/api/v1/rules").expect(200)["rules"][0].clone()
}

/// Waits until the rule looks like this.
fn until_one(desk: &Place, what: &str, looks: impl Fn(&Value) -> bool) -> Value {
    until(what, || Some(one(desk)).filter(|one| looks(one))).0
}

fn ticket(desk: &Place) -> Answer {
    ticket_of(desk, "amara", "at all")
}

fn ticket_of(desk: &Place, person: &str, body: &str) -> Answer {
    let body =
        json!({ "request_type": "question", "subject": "Anything", "body": body, "fields": { "topic": "other" } });
    desk.as_role(person).post("/api/v1/tickets", &body)
}

/// People whose tickets count apart from each other's.
const PEOPLE: [&str; 3] = ["amara", "lena", "priya"];

/// The parts of a stage's record about a ticket.
fn parts(desk: &Place, ticket: &Value, stage: &str) -> Value {
    let path = format!("/api/v1/tickets/{}/decisions", ticket["key"].as_str().unwrap());
    let runs = desk.as_role("kofi").get(&path).expect(200);
    let stages = runs[0]["stages"].as_array().unwrap().clone();
    stages.into_iter().find(|s| s["stage"] == stage).unwrap()["rules"].clone()
}

fn part_of<'a>(parts: &'a Value, mode: &str) -> Option<&'a Value> {
    parts.as_array().unwrap().iter().find(|part| part["mode"] == mode)
}

fn events(desk: &Place) -> Vec<String> {
    let events = desk.as_role("mei").get("/api/v1/rules/one/events").expect(200);
    events.as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_shadow_has_no_effect_is_promoted_and_rolled_back_with_a_broken_file() {
    on_both_at_once(|database| {
        let desk = desk(database, "intake", "pass");
        offer(&desk, "1.1.0", "intake", "reject", "mode = \"shadow\"");
        until_one(&desk, "the shadow", |one| one["candidate"]["state"] == "shadow");
        let made = ticket(&desk).expect(201);
        let parts = parts(&desk, &made, "intake");
        assert_eq!(part_of(&parts, "active").unwrap()["version"], "1.0.0");
        let shadow = part_of(&parts, "shadow").unwrap();
        assert_eq!(shadow["version"], "1.1.0");
        assert!(!shadow["disagrees"].as_array().unwrap().is_empty(), "{shadow}");
        let arms = one(&desk)["arms"].clone();
        let arm = arms.as_array().unwrap().iter().find(|arm| arm["part"] == "shadow").unwrap().clone();
        assert_eq!((&arm["calls"], &arm["disagreements"]), (&json!(1), &json!(1)));
        assert_eq!(arm["kinds"].as_object().unwrap().len(), 1);

        // Only the candidate is in the folder; the active version comes out of the archive.
        let desk = desk.cut_off_and_restart();
        let again = one(&desk);
        assert_eq!(again["active"]["version"], "1.0.0");
        assert_eq!(again["candidate"]["state"], "shadow");
        ticket(&desk).expect(201);

        let mei = desk.as_role("mei");
        for why in ["", " ", "no\0text", &"x".repeat(1_001)] {
            let refused = mei.post("/api/v1/rules/one/promote", &json!({ "to": "active", "why": why })).expect(422);
            assert_eq!(refused["problems"][0]["field"], "why");
        }
        let output = desk.command(&["rules", "promote", "one", "--to", "active", "--why", " "]);
        assert!(String::from_utf8_lossy(&output.stderr).contains("why: say why"), "the command refuses the same");
        desk.as_role("kofi").post("/api/v1/rules/one/promote", &json!({ "to": "active", "why": "x" })).expect(403);
        mei.post("/api/v1/rules/one/promote", &json!({ "to": "active", "why": "we are sure" })).expect(200);
        ticket(&desk).expect(422);

        std::fs::write(desk.rules.join("one/rule.toml"), "name = 1").unwrap();
        let broken =
            until_one(&desk, "the broken file", |one| one["last_error"].is_string() && one["content"] == "refused");
        // Several versions have been active; one is.
        let arms = broken["arms"].as_array().unwrap();
        let active: Vec<&Value> = arms.iter().filter(|arm| arm["now"] == "active").map(|arm| &arm["id"]).collect();
        assert!(!active.is_empty() && active.iter().all(|id| **id == broken["active"]["id"]), "{broken}");
        let output = desk.command(&["rules", "rollback", "one", "--why", "it rejects all"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        until("the running desk to follow", || (ticket(&desk).status == 201).then_some(()));
        assert_eq!(events(&desk), ["rolled-back", "promoted", "offered", "offered"]);

        let desk = desk.cut_off_and_restart();
        ticket(&desk).expect(201);
        let output = desk.command(&["rules", "rollback", "one", "--why", "again"]);
        assert!(!output.status.success(), "there is no earlier version");
    });
}

#[test]
fn a_canary_has_its_share_and_goes_back_by_itself_when_it_fails() {
    on_both(|database| {
        let desk = desk(database, "priority", "pass");
        let canary = "mode = \"canary\"\n[canary]\npercent = 50\nafter-calls = 20\nfailures-max-percent = 10";
        offer(&desk, "1.1.0", "priority", "give-up", canary);
        until_one(&desk, "the canary", |one| one["candidate"]["percent"] == 50);
        let (mut inside, mut outside) = (0, 0);
        // The third failure is more than a tenth of twenty calls.
        until("the canary's end", || {
            let made = ticket_of(&desk, PEOPLE[(inside + outside) % 3], "at all").expect(201);
            let parts = parts(&desk, &made, "priority");
            match part_of(&parts, "canary") {
                Some(canary) => {
                    inside += 1;
                    assert_eq!(canary["outcome"], "rule-error");
                    assert_eq!(part_of(&parts, "beside").unwrap()["version"], "1.0.0");
                }
                None => {
                    outside += 1;
                    assert_eq!(part_of(&parts, "active").unwrap()["version"], "1.0.0");
                }
            }
            (one(&desk)["candidate"]["state"] == "loaded").then_some(())
        });
        // Tickets do not wait for the canary's end, so that some more may have been decided by it. How many it decided says nothing
        // about when it was judged; the judgement itself does, and it counts calls.
        assert!(inside >= 3, "{inside} inside and {outside} outside");
        let last = desk.as_role("mei").get("/api/v1/rules/one/events").expect(200)[0].clone();
        assert_eq!((&last["event"], &last["actor"]), (&json!("demoted"), &json!("desk")));
        assert_eq!(last["why"], "it failed at 3 of at most 20 calls", "the third failure ends it, and no later one");
        // Five standard deviations from the half, on a machine of any speed.
        let (all, more) = ((inside + outside) as f64, inside.abs_diff(outside) as f64);
        assert!(more <= 5.0 * all.sqrt(), "{inside} inside and {outside} outside");
        let made = ticket(&desk).expect(201);
        assert_eq!(parts(&desk, &made, "priority").as_array().unwrap().len(), 1, "it is not asked any more");
    });
}

#[test]
fn a_canary_serves_its_share_and_goes_back_when_it_is_too_slow() {
    on_both(|database| {
        let desk = desk(database, "priority", "pass");
        let canary = |more: &str| format!("mode = \"canary\"\n[canary]\npercent = 50\nafter-calls = 20\n{more}");
        // No call takes a minute.
        offer(&desk, "1.1.0", "priority", "pass", &canary("latency-max-us = 60000000"));
        until_one(&desk, "the canary", |one| one["candidate"]["percent"] == 50);
        let keys: Vec<Value> = (0..100).map(|_| ticket(&desk).expect(201)).collect();
        let inside = keys.iter().filter(|made| part_of(&parts(&desk, made, "priority"), "canary").is_some()).count();
        // Five standard deviations from the half.
        assert!((25..=75).contains(&inside), "{inside} of 100 tickets");
        assert_eq!(one(&desk)["candidate"]["state"], "canary", "it is as fast as it has to be");

        // And none takes no time.
        offer(&desk, "1.2.0", "priority", "pass", &canary("latency-max-us = 0"));
        until_one(&desk, "the slow canary", |one| one["candidate"]["version"] == "1.2.0");
        // Of sixty calls, fewer than twenty inside are hardly ever seen.
        (0..60).for_each(|_| drop(ticket(&desk).expect(201)));
        let large = "🙂 ".repeat(2_000);
        (0..60).for_each(|n| drop(ticket_of(&desk, PEOPLE[n % 3], &large).expect(201)));
        assert_eq!(one(&desk)["candidate"]["state"], "canary", "one person and large texts say little about it");
        let mut asked = 0;
        until("the canary's end", || {
            ticket_of(&desk, PEOPLE[asked % 3], "at all").expect(201);
            asked += 1;
            (one(&desk)["candidate"]["state"] == "loaded").then_some(())
        });
        let last = desk.as_role("mei").get("/api/v1/rules/one/events").expect(200)[0].clone();
        assert!(last["why"].as_str().unwrap().contains("its mean of 20 calls"), "{last}");
        assert_eq!(one(&desk)["active"]["version"], "1.0.0");
    });
}

#[test]
fn a_rule_whose_folder_is_gone_is_retired_and_comes_back_with_it() {
    on_both(|database| {
        let desk = desk(database, "intake", "reject");
        ticket(&desk).expect(422);
        let (folder, aside) = (desk.rules.join("one"), desk.rules.with_file_name("aside"));
        std::fs::rename(&folder, &aside).unwrap();
        until("the rule to be retired", || (ticket(&desk).status == 201).then_some(()));
        assert_eq!(events(&desk)[0], "gone");
        let desk = desk.cut_off_and_restart();
        ticket(&desk).expect(201);
        std::fs::rename(&aside, &folder).unwrap();
        until("the rule to be back", || (ticket(&desk).status == 422).then_some(()));
    });
}

/// Nobody knows what the version that was active would have said.
#[test]
fn an_access_rule_that_the_archive_holds_damaged_leaves_the_decision_to_a_person() {
    let desk = House::demo(Database::Postgres);
    let body = json!({ "request_type": "access", "subject": "jira please", "fields": {
        "app": "jira", "tier": "user", "duration-hours": 100, "justification": "I join the data project" } });
    let state =
        |desk: &House| desk.as_role("amara").post("/api/v1/tickets", &body).expect(201)["access"]["state"].clone();
    assert_eq!(state(&desk), "approved");
    desk.sql(
        "update components set bytes = bytes || '\\x00'::bytea where digest in \
         (select component_digest from rule_versions where name = 'access-policy')",
    );
    // What is in the folder is another version, which nobody has made active.
    let file = desk.rules.join("50-access-policy/rule.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let place = desk.cut_off();
    std::fs::write(&file, text.replacen("order = 50", "order = 50\nmode = \"shadow\"", 1)).unwrap();
    let desk = place.open();
    assert_eq!(state(&desk), "awaiting");
    let error = desk.as_role("mei").get("/api/v1/rules").expect(200).to_string();
    assert!(error.contains("not what was archived"), "{error}");
}

#[test]
fn a_rule_that_keeps_failing_is_suspended_and_the_last_good_version_takes_over() {
    on_both(|database| {
        let desk = desk(database, "priority", "pass");
        ticket(&desk).expect(201);
        // What is replaced before it is on record is no version to go back to after a restart.
        until("the first version on record", || (events(&desk) == ["offered"]).then_some(()));
        offer(&desk, "1.1.0", "priority", "give-up", SUSPENDED_SOON);
        until_one(&desk, "the new version", |one| one["active"]["version"] == "1.1.0");
        for person in PEOPLE {
            ticket_of(&desk, person, "at all").expect(201);
        }
        let after = until_one(&desk, "the last good version", |one| one["active"]["version"] == "1.0.0");
        assert!(after["suspended"].is_string(), "{after}");
        assert_eq!(events(&desk)[0], "suspended");
        let desk = desk.cut_off_and_restart();
        assert_eq!(one(&desk)["active"]["version"], "1.0.0", "a restart resumes nothing");
        desk.as_role("mei").post("/api/v1/rules/one/resume", &json!({ "why": "mended around it" })).expect(200);
        assert_eq!(one(&desk)["active"]["version"], "1.1.0");
    });
}

#[test]
fn a_desk_that_is_told_to_stop_has_first_taken_back_what_kept_failing() {
    on_both(|database| {
        let mut desk = Desk::with_rules(database, one_rule("priority", "pass").path());
        ticket(&desk).expect(201);
        // What is replaced before it is on record is no version to go back to after a restart.
        until("the first version on record", || (events(&desk) == ["offered"]).then_some(()));
        offer(&desk, "1.1.0", "priority", "give-up", SUSPENDED_SOON);
        until_one(&desk, "the new version", |one| one["active"]["version"] == "1.1.0");
        for person in PEOPLE {
            ticket_of(&desk, person, "at all").expect(201);
        }
        desk.stop();
        let desk = desk.crash_and_restart();
        assert_eq!(one(&desk)["active"]["version"], "1.0.0");
        assert_eq!(events(&desk), ["suspended", "offered", "offered"]);
    });
}

#[test]
fn one_person_and_large_texts_take_no_rule_from_others() {
    let desk = desk(Database::Sqlite, "priority", "pass");
    offer(&desk, "1.1.0", "priority", "give-up", SUSPENDED_SOON);
    until_one(&desk, "the failing version", |one| one["active"]["version"] == "1.1.0");
    for _ in 0..12 {
        ticket(&desk).expect(201);
    }
    offer(&desk, "1.2.0", "priority", "loop", SUSPENDED_SOON);
    until_one(&desk, "the version that takes all fuel", |one| one["active"]["version"] == "1.2.0");
    let large = "🙂 ".repeat(2_000);
    for _ in 0..2 {
        PEOPLE.iter().for_each(|person| drop(ticket_of(&desk, person, &large).expect(201)));
    }
    assert_eq!(events(&desk), ["offered", "offered", "offered"]);
    for person in PEOPLE {
        ticket_of(&desk, person, "a small text").expect(201);
    }
    let after = until_one(&desk, "the version before", |one| one["active"]["version"] == "1.1.0");
    assert!(after["suspended"].is_string(), "a rule that never ends is taken back all the same: {after}");
}

/// The rule was right as long as the category was there.
#[test]
fn what_the_configuration_causes_takes_no_rule_back() {
    on_both(|database| {
        let desk = desk(database, "priority", "pass");
        let file = desk.settings().with_file_name("taxonomy.toml");
        let taxonomy = std::fs::read_to_string(&file).unwrap();
        let with = format!("{taxonomy}\n[[category]]\nid = \"no-such-name\"\nname = \"A name\"\n");
        let reload = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let answer = desk.as_role("mei").post("/api/v1/config/reload", &json!({}));
            assert_eq!(answer.status, 204, "{}", answer.text);
        };
        reload(&with);
        offer(&desk, "1.1.0", "categorization", "unknown-name", SUSPENDED_SOON);
        until_one(&desk, "the rule that names it", |one| one["active"]["version"] == "1.1.0");
        let category = || {
            let made = ticket(&desk).expect(201);
            let path = format!("/api/v1/tickets/{}", made["key"].as_str().unwrap());
            desk.as_role("kofi").get(&path).expect(200)["category"].clone()
        };
        assert_eq!(category(), "no-such-name");
        let ready = || desk.stranger().get("/readyz").text;
        assert_eq!(ready(), "ready\n");
        reload(&taxonomy);
        for person in PEOPLE.into_iter().cycle().take(12) {
            ticket_of(&desk, person, "at all").expect(201);
        }
        assert!(ready().contains("configuration"), "{}", ready());
        assert_eq!(events(&desk), ["offered", "offered"]);
        reload(&with);
        assert_eq!(category(), "no-such-name", "it is live as before");
        assert_eq!(ready(), "ready\n");
        // A name that was never there is the rule's own doing.
        reload(&taxonomy);
        let desk = desk.cut_off_and_restart();
        for person in PEOPLE.into_iter().cycle().take(12) {
            ticket_of(&desk, person, "at all").expect(201);
        }
        until("the version before", || (one(&desk)["active"]["version"] == "1.0.0").then_some(()));
    });
}

/// It was replaced for a reason, and only people bring it back.
#[test]
fn a_suspended_access_rule_does_not_give_way_to_the_version_before() {
    let desk = House::demo(Database::Sqlite);
    let file = desk.rules.join("50-access-policy/rule.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("version = \"1.0.0\"", "version = \"1.1.0\"")).unwrap();
    let rule = || {
        let rules = desk.as_role("mei").get("/api/v1/rules").expect(200);
        rules["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == "access-policy").cloned().unwrap()
    };
    until("the next version", || (rule()["active"]["version"] == "1.1.0").then_some(()));
    let why = json!({ "why": "a doubt" });
    desk.as_role("mei").post("/api/v1/rules/access-policy/suspend", &why).expect(200);
    assert!(rule()["active"].is_null(), "{}", rule());
    desk.as_role("mei").post("/api/v1/rules/access-policy/resume", &why).expect(200);
    assert_eq!((&rule()["active"]["version"], rule()["previous"].is_null()), (&json!("1.1.0"), false));
}

#[test]
fn a_suspended_access_rule_leaves_the_decision_to_a_person() {
    let desk = House::demo(Database::Sqlite);
    let amara = desk.as_role("amara");
    let body = json!({ "request_type": "access", "subject": "jira please", "fields": {
        "app": "jira", "tier": "user", "duration-hours": 100, "justification": "I join the data project" } });
    let state = || amara.post("/api/v1/tickets", &body).expect(201)["access"]["state"].clone();
    assert_eq!(state(), "approved");
    let why = json!({ "why": "a doubt" });
    desk.as_role("mei").post("/api/v1/rules/access-policy/suspend", &why).expect(200);
    assert_eq!(state(), "awaiting");
    let cancel = json!({ "to": "cancelled" });
    amara.with("if-match", "\"1\"").post("/api/v1/tickets/IT-2/transitions", &cancel).expect(200);
    desk.as_role("mei").post("/api/v1/rules/access-policy/resume", &why).expect(200);
    assert_eq!(state(), "approved");
}
