//! Rules that cost something before they are asked: in their start function, in their manifest, by the length of their file.

use std::fs::File;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::components::{PROGRAM, compiled, from_text, hostile, hostile_manifest, put};
use crate::support::house::House;
use crate::support::place::Database;
use crate::support::wait::until;

/// An allocator that forgets nothing, as the contract's ABI asks for one, within the first page of the memory.
const REALLOC: &str = "(global $top (mut i32) (i32.const 8192))
    (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
        (global.set $top (i32.add (local.get $at) (local.get 3))) (local.get $at))";

/// A module for `priority` that has no opinion, which is what lies at 64; with more parts, and with work before it says so.
fn guest(memory: &str, more: &str, work: &str) -> Vec<u8> {
    from_text(&format!(
        r#"(module (memory (export "memory") {memory}) {REALLOC} {more}
            (func (export "ruledesk:rules/priority@1.0.0#decide") (param i32) (result i32) {work} (i32.const 64)))"#
    ))
}

fn manifest(name: &str) -> String {
    format!(
        "name = \"{name}\"\nversion = \"1.0.0\"\nstages = [\"priority\"]\norder = 1\n[limits]\ndeadline-ms = 2000\n"
    )
}

fn ask(desk: &House) {
    let body = json!({ "request_type": "question", "subject": "Anything", "body": "at all" });
    desk.as_role("amara").post("/api/v1/tickets", &body).expect(201);
}

/// The part of a rule in the record of the only ticket.
fn part(desk: &House, rule: &str) -> Value {
    let runs = desk.as_role("kofi").get("/api/v1/tickets/IT-1/decisions").expect(200);
    let stages = runs[0]["stages"].as_array().unwrap();
    let mut parts = stages.iter().flat_map(|stage| stage["rules"].as_array().unwrap().clone());
    parts.find(|part| part["rule"] == rule).unwrap_or_else(|| panic!("{rule}: {runs}"))
}

/// Why a folder's rule is not taken.
fn refusal(desk: &House, folder: &str) -> String {
    let (refusal, _) = until(&format!("{folder} to be refused"), || {
        let rules = desk.as_role("kofi").get("/api/v1/rules").json();
        let of_folder = |rule: &&Value| rule.to_string().contains(folder) && rule["last_error"].is_string();
        let found = rules["rules"].as_array()?.iter().find(of_folder)?.clone();
        found["last_error"].as_str().map(str::to_owned)
    });
    refusal
}

const SPIN: &str =
    "(func $spin (param $n i32) (loop $l (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))";

/// A loop costs some five units of fuel each time: one alone is within the twenty million of a call, and two are not.
#[test]
fn a_start_function_is_within_the_fuel_of_the_call() {
    let dir = TempDir::new().unwrap();
    let start = format!("{SPIN} (func $begin (call $spin (i32.const 2500000))) (start $begin)");
    let work = "(call $spin (i32.const 2500000))";
    put(dir.path(), "both", &manifest("both"), &guest("16", &start, work));
    put(dir.path(), "one", &manifest("one"), &guest("16", SPIN, work));
    let desk = House::with_rules(Database::Sqlite, dir.path());
    ask(&desk);
    assert_eq!(part(&desk, "one")["outcome"], "answered", "{}", part(&desk, "one"));
    assert_eq!(part(&desk, "both")["outcome"], "out-of-fuel", "{}", part(&desk, "both"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it is about how long a start takes")]
fn a_start_function_without_end_is_refused_in_its_time_and_keeps_nothing_waiting() {
    let dir = TempDir::new().unwrap();
    let start = "(func $begin (loop $l (br $l))) (start $begin)";
    put(dir.path(), "endless", &manifest("endless"), &guest("16", start, ""));
    let begun = Instant::now();
    let desk = House::with_rules(Database::Sqlite, dir.path());
    ask(&desk);
    assert!(!refusal(&desk, "endless").is_empty());
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// Four megabytes of escape characters, as the reason why the settings are not right.
#[test]
fn what_a_rule_says_against_its_settings_is_short_and_text() {
    let dir = TempDir::new().unwrap();
    let complains = "(func (export \"ruledesk:rules/settings@1.0.0#configure\") (param i32 i32) (result i32)
        (memory.fill (i32.const 262144) (i32.const 27) (i32.const 4000000))
        (i32.store (i32.const 128) (i32.const 262144)) (i32.store (i32.const 132) (i32.const 4000000))
        (i32.store8 (i32.const 64) (i32.const 1)) (i32.store (i32.const 68) (i32.const 128))
        (i32.store (i32.const 72) (i32.const 1)) (i32.const 64))";
    put(dir.path(), "loud", &format!("{}[settings]\na = 1\n", manifest("loud")), &guest("80", complains, ""));
    let desk = House::with_rules(Database::Sqlite, dir.path());
    ask(&desk);
    let refused = refusal(&desk, "loud");
    assert!(refused.len() < 40 << 10 && !refused.contains(|c: char| c.is_control() && c != '\n'), "{refused:.1000}");
    let listed = desk.as_role("kofi").get("/api/v1/rules");
    assert!(listed.status == 200 && listed.text.len() < 256 << 10, "{} bytes", listed.text.len());
}

/// The memory's own maximum bounds it before the rule's limit does: its guest hears so and goes on.
#[test]
fn a_memory_grows_to_its_own_maximum_and_that_is_no_fault() {
    let dir = TempDir::new().unwrap();
    let grows = "(if (i32.ne (memory.grow (i32.const 10)) (i32.const -1)) (then unreachable))";
    put(dir.path(), "grows", &manifest("grows"), &guest("1 2", "", grows));
    let desk = House::with_rules(Database::Sqlite, dir.path());
    ask(&desk);
    let part = part(&desk, "grows");
    assert_eq!(part["outcome"], "answered", "{part}");
    assert!(part["memory-peak"].as_u64() <= Some(2 << 16), "{part}");
}

#[test]
fn a_manifest_that_costs_more_than_it_says_is_refused_by_name() {
    let plain = hostile_manifest("plain", "priority", "pass", "");
    let long = plain.replace("1.0.0", &format!("1.0.0-{}", "x".repeat(65)));
    let stages = plain.replace("[\"priority\"]", &format!("[{}]", vec!["\"priority\""; 60_000].join(", ")));
    let values = format!(
        "{plain}\n[[example]]\nname = \"many\"\nstage = \"priority\"\ninput = {{ ticket = {{ tags = [{}] }} }}\nexpect = {{}}\n",
        vec!["\"\""; 50_001].join(", ")
    );
    for (folder, manifest, named) in
        [("10-long", long, "version"), ("20-stages", stages, "stages"), ("30-values", values, "example")]
    {
        let dir = TempDir::new().unwrap();
        put(dir.path(), folder, &manifest, hostile());
        let desk = House::with_rules(Database::Sqlite, dir.path());
        let refused = refusal(&desk, folder);
        assert!(refused.contains(named) && refused.len() < 5 << 10, "{folder}: {refused:.1000}");
        ask(&desk);
    }
}

/// The file has two gigabytes and takes no room on the disk.
#[test]
fn the_check_of_a_file_that_only_claims_to_be_long_reads_none_of_it() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("rule.wasm");
    File::create(&file).unwrap().set_len(2 << 30).unwrap();
    let mut check = Command::new(PROGRAM);
    let output = check.args(["rule", "check"]).arg(&file).env("RULEDESK_CACHE", compiled()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("no desk takes more than 1024 MiB"), "{said}");
}
