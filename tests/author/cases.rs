//! Cases: how a failed one is shown, how new answers are recorded, how a program reads the result, and a decision of a real
//! desk as a case.

use std::path::Path;

use serde_json::{Value, json};

use super::{err, out, printed, ran, shipped};
use crate::support::components::{hostile, hostile_manifest, root};
use crate::support::house::House;
use crate::support::place::on_both;

const RULE: &str = "30-impact-urgency";

/// The folder of a shipped rule with a manifest without examples and some cases.
fn with_cases(cases: &Value) -> tempfile::TempDir {
    let folder = shipped(RULE);
    let manifest = std::fs::read_to_string(folder.path().join("rule.toml")).unwrap();
    let without = manifest.split("[[example]]").next().unwrap();
    std::fs::write(folder.path().join("rule.toml"), without).unwrap();
    std::fs::create_dir(folder.path().join("cases")).unwrap();
    std::fs::write(folder.path().join("cases/a.json"), serde_json::to_string_pretty(cases).unwrap()).unwrap();
    folder
}

fn test(folder: &Path, more: &[&str]) -> std::process::Output {
    let config = root().join("host/demo");
    let mut arguments = vec!["test", folder.to_str().unwrap(), "--config", config.to_str().unwrap()];
    arguments.extend(more);
    ran(&arguments)
}

fn two_cases() -> Value {
    json!([
        { "name": "as it is", "stage": "priority", "input": { "ticket": { "fields": { "impact": "low" } } },
          "expect": { "reason-contains": "" } },
        { "name": "as <somebody> wishes", "stage": "priority",
          "expect": { "decision": "rate", "level": "purple", "attributes": { "nobody": "wrote this" } } },
    ])
}

#[test]
fn a_failed_case_shows_each_field_that_differs() {
    let folder = with_cases(&two_cases());
    let output = test(folder.path(), &[]);
    let said = out(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("ok   priority a.json: as it is (fuel "), "{said}");
    assert!(said.contains("FAIL priority a.json: as <somebody> wishes"), "{said}");
    assert!(said.contains("     level:\n       expected \"purple\"\n       got      \""), "{said}");
    assert!(said.contains("     attributes.nobody:\n       expected \"wrote this\"\n       got      null"), "{said}");
    assert!(err(&output).contains("1 of 2 cases failed"), "{}", err(&output));
}

#[test]
fn accepting_changes_the_expectation_and_nothing_else() {
    let folder = with_cases(&two_cases());
    let file = folder.path().join("cases/a.json");
    let before = std::fs::read_to_string(&file).unwrap();
    let accepted = test(folder.path(), &["--accept"]);
    printed(&accepted);
    assert!(err(&accepted).contains("recorded 1 new expected answers"), "{}", err(&accepted));
    let after = std::fs::read_to_string(&file).unwrap();
    let (first, second) = (before.find("as <somebody>").unwrap(), before.find("\"purple\"").unwrap());
    assert!(first > second, "keys are sorted, so what is expected stands first");
    let untouched = before.split("\"expect\"").next().unwrap();
    assert!(after.starts_with(untouched) && !after.contains("purple"), "{after}");
    assert!(printed(&test(folder.path(), &[])).ends_with("2 passed, 0 failed\n"));
    let after: Value = serde_json::from_str(&after).unwrap();
    assert_eq!(after[1]["expect"].as_object().unwrap().keys().collect::<Vec<_>>(), ["attributes", "decision", "level"]);
    assert_eq!(after[0], two_cases()[0]);
}

#[test]
fn accepting_changes_a_manifests_example_in_place() {
    let folder = with_cases(&json!([]));
    let manifest = folder.path().join("rule.toml");
    let before = std::fs::read_to_string(&manifest).unwrap();
    let example =
        |expect: &str| format!("{before}[[example]] # mine\nname = \"x\"\nstage = \"priority\"\nexpect = {expect}\n");
    std::fs::write(&manifest, example("{ level = \"purple\" }")).unwrap();
    assert!(!test(folder.path(), &[]).status.success());
    printed(&test(folder.path(), &["--accept"]));
    let after = std::fs::read_to_string(&manifest).unwrap();
    assert!(after.starts_with(&format!("{before}[[example]] # mine\n")) && !after.contains("purple"), "{after}");
    printed(&test(folder.path(), &[]));
}

#[test]
fn programs_read_json_and_junit() {
    let folder = with_cases(&two_cases());
    let read: Value = serde_json::from_str(&out(&test(folder.path(), &["--format", "json"]))).unwrap();
    assert_eq!((&read["passed"], &read["failed"]), (&json!(1), &json!(1)));
    assert_eq!(read["cases"][1]["differences"][1]["path"], "level");
    assert!(read["cases"][0]["fuel"].as_u64().unwrap() > 0);

    let file = folder.path().join("junit.xml");
    let output = test(folder.path(), &["--format", "junit", "--output", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("FAIL"), "people still see it");
    let text = std::fs::read_to_string(file).unwrap();
    let read = roxmltree::Document::parse(&text).unwrap();
    let all = |name: &str| read.descendants().filter(|node| node.has_tag_name(name)).collect::<Vec<_>>();
    assert_eq!(all("testsuite")[0].attribute("failures"), Some("1"));
    assert_eq!(all("testcase")[1].attribute("name"), Some("as <somebody> wishes"));
    assert!(all("failure")[0].text().unwrap().contains("expected \"purple\""));
}

#[test]
fn cases_that_cannot_be_asked_say_why() {
    let folder = with_cases(&json!([
        { "name": "another stage", "stage": "intake", "expect": { "decision": "accept" } },
        { "name": "no such field", "stage": "priority", "input": { "tickets": {} }, "expect": { "decision": "pass" } },
        { "name": "wrong settings", "stage": "priority", "settings": { "x": 1 }, "expect": { "decision": "pass" } },
        { "name": "nothing yet", "stage": "priority" },
    ]));
    let said = out(&test(folder.path(), &[]));
    assert!(said.contains("not asked: the rule is not asked at `intake`"), "{said}");
    assert!(said.contains("not asked: `input.tickets` is not in the contract: known are "), "{said}");
    assert!(said.contains("refuses its settings"), "{said}");
    assert!(said.contains("nothing is expected yet"), "{said}");
    std::fs::write(folder.path().join("cases/b.json"), "{ \"name\": \"a\",\n \"stage\": \"lunch\" }").unwrap();
    assert!(err(&test(folder.path(), &[])).contains("b.json: `stage`: unknown variant `lunch`"));
}

#[test]
fn a_fault_is_shown_and_may_be_expected() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rule.wasm"), hostile()).unwrap();
    std::fs::write(folder.path().join("rule.toml"), hostile_manifest("bad", "priority", "panic", "")).unwrap();
    let input = folder.path().join("in.json");
    std::fs::write(&input, "{}").unwrap();
    let wasm = folder.path().join("rule.wasm");
    let output = ran(&["run", wasm.to_str().unwrap(), "--stage", "priority", "--input", input.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        out(&output).contains("\"fault\": \"trap\"") && err(&output).contains("the rule trapped"),
        "{}",
        out(&output)
    );
    std::fs::create_dir(folder.path().join("cases")).unwrap();
    let case = json!({ "name": "it traps", "stage": "priority", "expect": { "fault": "trap" } });
    std::fs::write(folder.path().join("cases/a.json"), case.to_string()).unwrap();
    assert!(printed(&test(folder.path(), &[])).contains("1 passed"));
}

#[test]
fn a_recorded_decision_becomes_a_case_that_holds() {
    on_both(|database| {
        let desk = House::demo(database);
        let body = json!({ "request_type": "incident", "subject": "The VPN is down", "body": "Since this morning.",
            "fields": { "service": "vpn", "people-affected": 40 } });
        let ticket = desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
        let key = ticket["key"].as_str().unwrap();

        let ambiguous = desk.command(&["rule", "case", key, "--stage", "intake"]);
        assert!(err(&ambiguous).contains("choose one with --rule: required-fields, tidy-text"), "{}", err(&ambiguous));
        let missing = desk.command(&["rule", "case", "IT-99", "--stage", "intake"]);
        assert!(err(&missing).contains("there is no ticket IT-99"), "{}", err(&missing));

        for (stage, rule, folder) in [
            ("intake", "tidy-text", "12-tidy-text"),
            ("priority", "impact-urgency", RULE),
            ("routing", "team-routing", "40-team-routing"),
        ] {
            let case = printed(&desk.command(&["rule", "case", key, "--stage", stage, "--rule", rule]));
            assert!(case.starts_with(&format!("{{\n  \"name\": \"{key}: what {rule} ")), "{case}");
            let read: Value = serde_json::from_str(&case).unwrap();
            assert_eq!(read["input"]["ticket"]["subject"], "The VPN is down");
            assert!(read["expect"]["decision"].is_string() && read["settings"].is_object(), "{case}");
            let folder = shipped(folder);
            std::fs::create_dir(folder.path().join("cases")).unwrap();
            let file = folder.path().join("cases/it.json");
            std::fs::write(&file, &case).unwrap();
            // The settings are the case's own, whatever the manifest says by now.
            let said = out(&test(folder.path(), &[]));
            assert!(said.contains(&format!("ok   {stage} it.json: {key}: what {rule}")), "{said}");
            std::fs::write(&file, case.replace("\"reason\": \"", "\"reason\": \"not ")).unwrap();
            assert!(!test(folder.path(), &[]).status.success(), "another answer is noticed");
        }
    });
}
