//! The directory changes while questions are asked.

use std::fs::{self, File};
use std::io::Write;
use std::time::Duration;

use ruledesk::rules::Rules;
use ruledesk::rules::run::call::ask;
use ruledesk::rules::run::examples::fill_in;
use ruledesk::rules::run::stage::Stage;
use ruledesk::rules::tables::Tables;
use tempfile::TempDir;

use crate::support::components::{from_text, hostile, hostile_manifest, open, options, put};
use crate::support::wait::{until, until_within};

/// How long a component of some MiB may take to compile on a machine that does much else.
const HEAVY: Duration = Duration::from_secs(180);

/// What the only rule answers now.
fn reason(rules: &Rules) -> Option<String> {
    let generation = rules.generation();
    let input = fill_in(Stage::Priority, &toml::Table::new()).unwrap();
    let called = ask(generation.rules().first()?, &input, &rules.tables());
    Some(called.result.map_or_else(|fault| fault.to_string(), |answer| answer.reason().to_owned()))
}

fn version(rules: &Rules) -> Option<String> {
    Some(rules.generation().rules().first()?.manifest.version.clone())
}

fn manifest(version: &str, does: &str) -> String {
    hostile_manifest("one", "priority", does, "").replace("1.0.0", version)
}

fn error(rules: &Rules) -> Option<String> {
    let folders = rules.catalog().folders();
    folders.values().find_map(|f| f.error.as_ref().map(|e| e.message.to_string()))
}

#[test]
fn a_rule_is_added_replaced_broken_mended_and_removed() {
    let dir = TempDir::new().unwrap();
    let rules = open(dir.path());
    assert_eq!(reason(&rules), None);

    put(dir.path(), "one", &manifest("1.0.0", "pass"), hostile());
    until("the new rule", || (version(&rules)? == "1.0.0").then_some(()));
    assert_eq!(reason(&rules).as_deref(), Some("nothing"));

    fs::write(dir.path().join("one/rule.toml"), manifest("1.1.0", "give-up")).unwrap();
    until("the new version", || (version(&rules)? == "1.1.0").then_some(()));
    assert!(reason(&rules).unwrap().contains("I do not know"));

    fs::write(dir.path().join("one/rule.toml"), "name = 1").unwrap();
    let (message, _) = until("the error", || error(&rules));
    assert!(message.contains("rule.toml:1"), "{message}");
    assert_eq!(version(&rules).as_deref(), Some("1.1.0"), "the last good version serves on");

    fs::write(dir.path().join("one/rule.toml"), manifest("1.2.0", "pass")).unwrap();
    until("the mended rule", || (version(&rules)? == "1.2.0").then_some(()));
    assert_eq!(error(&rules), None);

    fs::remove_dir_all(dir.path().join("one")).unwrap();
    until("the rule's end", || rules.generation().rules().is_empty().then_some(()));
}

#[test]
fn a_half_written_component_is_never_loaded() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "one", &manifest("1.0.0", "pass"), hostile());
    let rules = open(dir.path());
    let first = rules.generation();

    let mut file = File::create(dir.path().join("one/rule.wasm")).unwrap();
    let (head, tail) = hostile().split_at(hostile().len() / 2);
    file.write_all(head).unwrap();
    file.flush().unwrap();
    fs::write(dir.path().join("one/rule.toml"), manifest("1.1.0", "pass")).unwrap();
    // Another rule is loaded meanwhile, so the directory has been looked at with the half file in it.
    put(dir.path(), "two", &manifest("1.0.0", "pass").replace("\"one\"", "\"two\""), hostile());
    until("the other rule", || (rules.generation().rules().len() == 2).then_some(()));
    assert_eq!(version(&rules).as_deref(), Some("1.0.0"));
    assert_eq!(error(&rules), None, "a file that is still being written is not even tried");

    file.write_all(tail).unwrap();
    drop(file);
    until("the whole file", || (version(&rules)? == "1.1.0").then_some(()));
    assert_eq!(first.rules()[0].manifest.version, "1.0.0", "who holds a generation keeps it");
}

#[test]
fn a_name_belongs_to_one_folder() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "a", &manifest("1.0.0", "pass"), hostile());
    put(dir.path(), "b", &manifest("2.0.0", "pass"), hostile());
    let rules = open(dir.path());
    assert_eq!(rules.generation().rules().len(), 1);
    assert!(error(&rules).unwrap().contains("the name `one` belongs to"));
}

/// As `cp -r` and `rm -r` do it, for want of `mv`.
#[test]
fn a_folder_that_is_renamed_by_copying_keeps_its_rule() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "a", &manifest("1.0.0", "pass"), hostile());
    let rules = open(dir.path());
    put(dir.path(), "b", &manifest("1.0.0", "pass"), hostile());
    until("the copy to be refused", || error(&rules).filter(|e| e.contains("belongs to")));
    fs::remove_dir_all(dir.path().join("a")).unwrap();
    until("the copy to take over", || {
        let generation = rules.generation();
        generation.rules().first().is_some_and(|rule| rule.folder.ends_with("b")).then_some(())
    });
    assert_eq!(error(&rules), None);
}

#[test]
fn a_link_out_of_the_directory_is_not_followed() {
    let dir = TempDir::new().unwrap();
    let (inside, outside) = (dir.path().join("rules"), dir.path().join("outside"));
    fs::create_dir_all(&inside).unwrap();
    put(&outside, "one", &manifest("1.0.0", "pass"), hostile());
    std::os::unix::fs::symlink(outside.join("one"), inside.join("one")).unwrap();
    let rules = open(&inside);
    assert!(rules.generation().rules().is_empty());
    assert!(error(&rules).unwrap().contains("link out of the rules directory"));
}

/// A component of more than two megabytes, which takes seconds to compile.
fn heavy() -> Vec<u8> {
    let step = "(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const 7)))".repeat(600);
    let functions: String = (0..400).map(|_| format!("(func (param i32) (result i32) {step} (local.get 0))")).collect();
    from_text(&format!(
        "(module (memory (export \"memory\") 1)
          (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
          (func (export \"ruledesk:rules/priority@1.0.0#decide\") (param i32) (result i32) (i32.const 64))
          {functions})"
    ))
}

#[test]
fn a_heavy_rule_compiles_while_its_old_version_serves_and_keeps_no_other_waiting() {
    let dir = TempDir::new().unwrap();
    let rules_dir = dir.path().join("rules");
    fs::create_dir(&rules_dir).unwrap();
    let two = |version: &str| manifest(version, "pass").replace("\"one\"", "\"two\"").replace("order = 1", "order = 2");
    put(&rules_dir, "one", &manifest("1.0.0", "pass"), hostile());
    put(&rules_dir, "two", &two("1.0.0"), hostile());
    let mut options = options(&rules_dir);
    options.cache_dir = dir.path().join("cache");
    let rules = Rules::open(&options, Tables::default()).unwrap();
    let version_of = |place: usize| rules.generation().rules()[place].manifest.version.clone();

    let component = heavy();
    assert!(component.len() > 2 << 20, "{} bytes", component.len());
    let no_settings = two("2.0.0").split("[settings]").next().unwrap().to_owned();
    put(&rules_dir, "two", &no_settings, &component);
    // Changes that are made in one moment go live together, so that the light one has to be a later one.
    let is_loading = || rules.catalog().directory().loading.iter().any(|folder| folder.ends_with("two"));
    until_within(HEAVY, "the heavy rule to be compiled", || is_loading().then_some(()));
    let mut meanwhile = 0;
    for version in ["1.1.0", "1.2.0"] {
        fs::write(rules_dir.join("one/rule.toml"), manifest(version, "pass")).unwrap();
        until("the light rule", || (version_of(0) == version).then_some(()));
        let serves = version_of(1);
        // Looked at last: what was compiled all the while cannot have served.
        if is_loading() {
            assert_eq!(serves, "1.0.0", "the heavy rule's old version serves meanwhile");
            meanwhile += 1;
        }
    }
    assert!(meanwhile > 0, "the light rule waited for the heavy one");
    until_within(HEAVY, "the heavy rule", || (version_of(1) == "2.0.0").then_some(()));
}
