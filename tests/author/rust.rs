//! A rule in Rust from nothing to a running desk, by the README's commands.

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{err, new_in_rust, out, printed, ran, target, tool};
use crate::support::house::House;
use crate::support::place::Database;

#[test]
fn a_new_rule_is_built_tried_checked_run_measured_and_asked_by_a_desk() {
    let dir = TempDir::new().unwrap();
    let folder = new_in_rust(dir.path(), "printer-first", "intake,categorization,priority,routing,access,closing");
    let path = folder.to_str().unwrap();
    let wasm = format!("{path}/rule.wasm");

    let native = Command::new("cargo")
        .args(["test", "--quiet", "--lib"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", target())
        .output()
        .unwrap();
    assert!(native.status.success(), "{}{}", out(&native), err(&native));

    // It is built because there is no component yet, and not again.
    let tried = ran(&["test", path]);
    assert!(printed(&tried).ends_with("printer-first 0.1.0: 13 passed, 0 failed\n"), "{}", out(&tried));
    assert!(err(&tried).contains("there is no rule.wasm yet"), "{}", err(&tried));
    let again = ran(&["test", path]);
    assert!(printed(&again).contains("(fuel "));
    assert_eq!(err(&again), "");

    let checked = printed(&ran(&["check", &wasm]));
    assert!(
        checked.contains("exports: intake, categorization, priority, routing, access, closing; it takes settings"),
        "{checked}"
    );
    assert!(checked.contains("examples: all 12 hold") && checked.ends_with("A desk would take it.\n"), "{checked}");

    let input = dir.path().join("input.json");
    std::fs::write(&input, json!({ "ticket": { "body": "a Printer" } }).to_string()).unwrap();
    let input = input.to_str().unwrap();
    let said = printed(&ran(&["run", &wasm, "--stage", "priority", "--input", input]));
    assert!(said.contains("\"level\": \"high\"") && said.contains("it mentions printer"), "{said}");
    let said = printed(&ran(&["run", &wasm, "--stage", "routing", "--input", input, "--json"]));
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["answer"]["team"], "desktop");
    assert!(said["fuel"].as_u64().unwrap() > 0 && said["memory-peak"].as_u64().unwrap() > 0, "{said}");

    let measured = printed(&ran(&["bench", &wasm, "--calls", "20", "--json"]));
    let measured: Value = serde_json::from_str(&measured).unwrap();
    assert_eq!(measured.as_array().unwrap().len(), 13);
    for one in measured.as_array().unwrap() {
        let time = |name: &str| one["micros"][name].as_u64().unwrap();
        assert!(time("min") <= time("p50") && time("p50") <= time("p99") && time("p99") <= time("max"), "{one}");
        assert_eq!(one["fuel"]["min"], one["fuel"]["max"], "the same input costs the same");
    }

    let desk = House::demo(Database::Sqlite);
    let rules = desk.rules.to_str().unwrap();
    let built = printed(&ran(&["build", path, "--out", rules]));
    assert!(built.starts_with("printer-first 0.1.0: ") && built.contains("imports ruledesk:rules/"), "{built}");
    desk.until_active("printer-first");
    let body = json!({ "request_type": "incident", "subject": "Printer on fire", "body": "It is the one in Berlin.",
        "fields": { "service": "vpn" } });
    let ticket = desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
    let key = ticket["key"].as_str().unwrap();
    let runs = desk.as_role("kofi").get(&format!("/api/v1/tickets/{key}/decisions")).expect(200).to_string();
    assert!(runs.contains("it mentions printer"), "{runs}");
}

#[test]
fn wrong_names_and_folders_that_are_there_are_refused() {
    let dir = TempDir::new().unwrap();
    let parent = dir.path().to_str().unwrap();
    let new = |name: &str, language: &str, stage: &str| {
        let output = ran(&["new", name, "--lang", language, "--stage", stage, "--in", parent]);
        (output.status.success(), err(&output))
    };
    let (done, message) = new("Printer", "rust", "intake");
    assert!(!done && message.contains("lower-case"), "{message}");
    let (done, message) = new("printer", "cobol", "intake");
    assert!(!done && message.contains("use rust, javascript"), "{message}");
    let (done, message) = new("printer", "rust", "lunch");
    assert!(!done && message.contains("`lunch` is not a stage"), "{message}");
    let (done, message) = new("thanks", "python", "closing");
    assert!(!done && message.contains("the SDK for python has no `closing`"), "{message}");
    assert!(!dir.path().join("thanks").exists(), "nothing is left of it");
    std::fs::create_dir(dir.path().join("printer")).unwrap();
    std::fs::write(dir.path().join("printer/mine"), "x").unwrap();
    let (done, message) = new("printer", "rust", "intake");
    assert!(!done && message.contains("is there already"), "{message}");
}

#[test]
fn what_is_missing_is_named() {
    let dir = TempDir::new().unwrap();
    let folder = new_in_rust(dir.path(), "no-cargo", "priority");
    let output = tool(&["build", folder.to_str().unwrap()]).env("PATH", dir.path()).output().unwrap();
    let message = err(&output);
    assert!(!output.status.success() && message.contains("install Rust"), "{message}");
    let output = ran(&["build", dir.path().to_str().unwrap()]);
    assert!(err(&output).contains("rule.toml cannot be read"), "{}", err(&output));
    std::fs::write(folder.join("rule.toml"), "name = 3").unwrap();
    let output = ran(&["build", folder.to_str().unwrap()]);
    assert!(err(&output).contains("rule.toml:1: invalid type"), "{}", err(&output));
}
