//! What is taken as a rule, what compiles, and what the cache may hold.

use std::fs;

use ruledesk::rules::Rules;
use ruledesk::rules::run::call::{Fault, ask};
use ruledesk::rules::run::engine::{Allocation, baseline_config};
use ruledesk::rules::run::examples::fill_in;
use ruledesk::rules::run::stage::Stage;
use ruledesk::rules::tables::Tables;
use tempfile::TempDir;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::support::components::{PROGRAM, from_text, hostile, hostile_manifest, open, options, put};
use crate::support::wait::until;

/// Why the only folder of a directory is not live.
fn refusal(manifest: &str, component: &[u8]) -> String {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "bad", manifest, component);
    let rules = open(dir.path());
    assert!(rules.generation().rules().is_empty());
    let folders = rules.catalog().folders();
    folders.values().next().unwrap().error.clone().unwrap().message.to_string()
}

fn manifest() -> String {
    hostile_manifest("bad", "priority", "pass", "")
}

#[test]
fn what_is_no_rule_is_refused_with_the_reason() {
    let core = wat::parse_str("(module)").unwrap();
    assert!(refusal(&manifest(), &core).contains("core module"));
    assert!(refusal(&manifest(), &hostile()[..9000]).contains("cut off"));
    assert!(refusal(&manifest(), b"hello").contains("not WebAssembly"));
    let socket = wat::parse_str(r#"(component (import "wasi:sockets/tcp@0.2.6" (instance)))"#).unwrap();
    assert!(refusal(&manifest(), &socket).contains("`wasi:sockets/tcp@0.2.6`, and a rule can reach no network"));
    let other =
        wat::parse_str(r#"(component (instance $i) (export "ruledesk:rules/priority@2.0.0" (instance $i)))"#).unwrap();
    assert!(refusal(&manifest(), &other).contains("speaks ruledesk:rules/priority@2.0.0"));
}

#[test]
fn a_component_with_other_types_than_the_contracts_is_refused() {
    let text = r#"(component
        (core module $m (func (export "decide") (result i32) (i32.const 0)))
        (core instance $m (instantiate $m))
        (func $decide (result u32) (canon lift (core func $m "decide")))
        (instance $i (export "decide" (func $decide)))
        (export "ruledesk:rules/priority@1.0.0" (instance $i)))"#;
    let no_settings = manifest().split("[settings]").next().unwrap().to_owned();
    let refusal = refusal(&no_settings, &wat::parse_str(text).unwrap());
    assert!(refusal.contains("`priority.decide` has other types"), "{refusal}");
}

#[test]
fn a_component_over_the_size_cap_is_refused() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "bad", &manifest(), hostile());
    let mut options = options(dir.path());
    options.component_bytes_max = 10_000;
    let rules = Rules::open(&options, Tables::default()).unwrap();
    let folders = rules.catalog().folders();
    let message = &folders.values().next().unwrap().error.clone().unwrap().message;
    assert!(message.contains("allowed are 10000"), "{message}");
}

#[test]
fn settings_that_the_rule_refuses_keep_it_from_going_live() {
    let refusal = refusal(&hostile_manifest("bad", "priority", "dance", ""), hostile());
    assert!(refusal.contains("refuses its settings"), "{refusal}");
    assert!(refusal.contains("dance"), "{refusal}");
}

/// The baseline compiler, which compiles what `configure` needs, knows no tail calls.
#[test]
fn settings_reach_a_rule_that_the_baseline_compiler_does_not_know() {
    let core = r#"(module
        (memory (export "memory") 1)
        (data (i32.const 256) "configured")
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func $note (result i32)
            ;; What `decide` is to answer, at 64: an error of ten bytes at 256.
            (i32.store8 (i32.const 64) (i32.const 1))
            (i32.store (i32.const 68) (i32.const 256))
            (i32.store (i32.const 72) (i32.const 10))
            (i32.const 128))
        (func (export "ruledesk:rules/settings@1.0.0#configure") (param i32 i32) (result i32) (return_call $note))
        (func (export "ruledesk:rules/priority@1.0.0#decide") (param i32) (result i32) (i32.const 64)))"#;
    let component = from_text(core);
    let by_baseline = Engine::new(&baseline_config()).and_then(|engine| Component::new(&engine, &component));
    assert!(by_baseline.is_err(), "else this test needs something else that it does not know");

    let dir = TempDir::new().unwrap();
    put(dir.path(), "tail", &hostile_manifest("tail", "priority", "pass", ""), &component);
    let rules = open(dir.path());
    let generation = rules.generation();
    let rule = generation.rules().first().expect("it is live");
    let called = ask(rule, &fill_in(Stage::Priority, &toml::Table::new()).unwrap(), &rules.tables());
    assert_eq!(called.result, Err(Fault::RuleError { message: "configured".to_owned() }));
}

#[test]
fn an_example_that_fails_keeps_it_from_going_live() {
    let example = "\n[[example]]\nname = \"rates\"\nstage = \"priority\"\nexpect = { decision = \"rate\" }\n";
    let refusal = refusal(&(manifest() + example), hostile());
    assert!(refusal.contains("example \"rates\""), "{refusal}");
    assert!(refusal.contains("expected \"rate\", got \"pass\""), "{refusal}");
}

#[test]
fn a_stage_that_is_not_exported_and_a_table_that_does_not_exist_are_named() {
    let table = hostile_manifest("bad", "priority", "pass", "tables = [\"vips\"]");
    assert!(refusal(&table, hostile()).contains("`vips`"));
    let core = "(module (memory (export \"memory\") 1)
        (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 64))
        (func (export \"ruledesk:rules/priority@1.0.0#decide\") (param i32) (result i32) (i32.const 0)))";
    let component = from_text(core);
    let manifest = "name = \"bad\"\nversion = \"1.0.0\"\nstages = [\"intake\"]\norder = 1\n";
    assert!(refusal(manifest, &component).contains("it exports priority"));
}

#[test]
fn a_cached_file_that_was_tampered_with_is_compiled_anew() {
    let dir = TempDir::new().unwrap();
    let rules_dir = dir.path().join("rules");
    fs::create_dir(&rules_dir).unwrap();
    put(&rules_dir, "good", &manifest(), hostile());
    let mut options = options(&rules_dir);
    options.cache_dir = dir.path().join("cache");
    let cached = || {
        let entries = fs::read_dir(dir.path().join("cache")).unwrap();
        entries.map(|e| e.unwrap().path()).find(|p| p.extension().is_some_and(|e| e == "cwasm"))
    };
    drop(Rules::open(&options, Tables::default()).unwrap());
    let file = cached().expect("the first start fills the cache");
    let whole = fs::read(&file).unwrap();
    for damage in [whole.len() - 1, whole.len() / 2, 3] {
        let mut bytes = whole.clone();
        bytes[damage] ^= 1;
        fs::write(&file, &bytes).unwrap();
        let rules = Rules::open(&options, Tables::default()).unwrap();
        assert_eq!(rules.generation().rules().len(), 1);
        assert_ne!(fs::read(&file).unwrap(), bytes, "the damaged file was replaced");
    }
    fs::write(dir.path().join("cache/key"), [7; 32]).unwrap();
    let mac = file.with_extension("mac");
    let before = fs::read(&mac).unwrap();
    drop(Rules::open(&options, Tables::default()).unwrap());
    assert_ne!(fs::read(&mac).unwrap(), before, "a file under another key is not ours");
}

#[test]
fn without_a_pool_everything_works_the_same() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "good", &manifest(), hostile());
    let mut options = options(dir.path());
    options.pooled = false;
    let rules = Rules::open(&options, Tables::default()).unwrap();
    assert_eq!(rules.allocation, Allocation::OnDemand);
    assert_eq!(rules.generation().rules().len(), 1);
}

/// Why a rule does not go live with such a compiler.
fn with_compiler(script: &str) -> String {
    let dir = TempDir::new().unwrap();
    let rules_dir = dir.path().join("rules");
    put(&rules_dir, "slow", &manifest(), hostile());
    let program = dir.path().join("compiler");
    fs::write(&program, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, mode).unwrap();
    let mut options = options(&rules_dir);
    options.cache_dir = dir.path().join("cache");
    options.compiler_program = program;
    options.compile_limits.timeout_s = 1;
    let rules = Rules::open(&options, Tables::default()).unwrap();
    let folders = rules.catalog().folders();
    folders.values().next().unwrap().error.clone().unwrap().message.to_string()
}

#[test]
fn a_compiler_that_dies_or_takes_too_long_is_no_harm() {
    assert!(with_compiler("#!/bin/sh\nkill -9 $$\n").contains("the compiler died (signal: 9"));
    assert!(with_compiler("#!/bin/sh\nexec sleep 60\n").contains("longer than 1 s"));
}

/// Such as while the program is replaced by its next version, or where the machine has no room for a process.
#[test]
fn a_compiler_that_could_not_be_started_is_tried_again_though_nothing_has_changed() {
    let dir = TempDir::new().unwrap();
    let (rules_dir, program) = (dir.path().join("rules"), dir.path().join("ruledesk"));
    put(&rules_dir, "one", &hostile_manifest("one", "access", "pass", ""), hostile());
    let mut options = options(&rules_dir);
    (options.cache_dir, options.compiler_program) = (dir.path().join("cache"), program.clone());
    let rules = Rules::open(&options, Tables::default()).unwrap();
    let folders = rules.catalog().folders();
    let message = folders.values().next().unwrap().error.clone().unwrap().message;
    assert!(message.contains("the compiler cannot be started"), "{message}");
    std::os::unix::fs::symlink(PROGRAM, &program).unwrap();
    until("the rule", || {
        let generation = rules.generation();
        generation.rules().first().is_some_and(|rule| rule.determinism.is_certain()).then_some(())
    });
    assert!(rules.catalog().folders().values().all(|status| status.error.is_none()));
}

/// The process that runs a stranger's `configure` is not the one whose machine code is mapped, and neither is the desk's.
#[test]
fn settings_and_machine_code_are_made_in_a_process_each() {
    let dir = TempDir::new().unwrap();
    let (rules_dir, program, log) = (dir.path().join("rules"), dir.path().join("compiler"), dir.path().join("log"));
    put(&rules_dir, "one", &manifest(), hostile());
    fs::write(&program, format!("#!/bin/sh\necho \"$$ $*\" >> {}\nexec {PROGRAM} \"$@\"\n", log.display())).unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut options = options(&rules_dir);
    (options.cache_dir, options.compiler_program) = (dir.path().join("cache"), program);
    let rules = Rules::open(&options, Tables::default()).unwrap();
    until("the rule", || (!rules.generation().rules().is_empty()).then_some(()));
    let log = fs::read_to_string(&log).unwrap();
    let started: Vec<(u32, bool)> =
        log.lines().map(|line| (line.split(' ').next().unwrap().parse().unwrap(), line.contains("--settle"))).collect();
    let made: Vec<bool> = started.iter().map(|(_, settles)| *settles).take(2).collect();
    assert_eq!(made, [true, false], "first the settings, then the code: {log}");
    let own = std::collections::BTreeSet::from_iter(started.iter().map(|(process, _)| *process));
    assert!(own.len() == started.len() && !own.contains(&std::process::id()), "a process each: {log}");
}
