//! A rules directory as people leave it: full, oddly named, with links.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use crate::support::components::{hostile, hostile_manifest, open, put};
use crate::support::wait::until;

fn manifest(name: &str) -> String {
    hostile_manifest(name, "priority", "pass", "")
}

/// As many as the desk looks at, in one component that all of them share.
#[test]
fn a_thousand_rules_are_live_together_and_one_of_them_is_replaced() {
    let dir = TempDir::new().unwrap();
    for n in 0..1000 {
        put(dir.path(), &format!("{n:04}"), &manifest(&format!("rule-{n}")), hostile());
    }
    let rules = open(dir.path());
    assert_eq!(rules.generation().rules().len(), 1000);
    let changed = manifest("rule-500").replace("1.0.0", "1.1.0");
    fs::write(dir.path().join("0500/rule.toml"), changed).unwrap();
    until("the changed one", || {
        let generation = rules.generation();
        let rule = generation.rules().iter().find(|rule| rule.manifest.name.as_str() == "rule-500")?;
        (rule.manifest.version == "1.1.0").then_some(())
    });
    assert_eq!(rules.generation().rules().len(), 1000);
}

#[test]
fn a_folder_may_have_any_name_and_the_rule_has_the_manifest_s() {
    let dir = TempDir::new().unwrap();
    let names: [&OsStr; 6] = [
        OsStr::new("with space"),
        OsStr::new("Übermäßig 規則"),
        OsStr::new("new\nline"),
        OsStr::new("-rf"),
        OsStr::new("...rule.toml"),
        OsStr::from_bytes(b"not\xffutf8"),
    ];
    for (n, name) in names.iter().enumerate() {
        let folder = dir.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("rule.wasm"), hostile()).unwrap();
        fs::write(folder.join("rule.toml"), manifest(&format!("rule-{n}"))).unwrap();
    }
    // What is no rule at all is nothing to complain about.
    fs::write(dir.path().join("README"), "Our rules.").unwrap();
    fs::create_dir(dir.path().join("empty")).unwrap();
    let rules = open(dir.path());
    let generation = rules.generation();
    let mut live: Vec<&str> = generation.rules().iter().map(|rule| rule.manifest.name.as_str()).collect();
    live.sort_unstable();
    assert_eq!(live, ["rule-0", "rule-1", "rule-2", "rule-3", "rule-4", "rule-5"]);
    assert_eq!(rules.catalog().folders().len(), names.len());
}

#[test]
fn no_file_of_a_rule_may_lie_outside_and_a_link_to_nowhere_or_to_itself_is_refused() {
    let dir = TempDir::new().unwrap();
    let (inside, outside) = (dir.path().join("rules"), dir.path().join("outside"));
    fs::create_dir_all(&inside).unwrap();
    put(&outside, "one", &manifest("one"), hostile());
    for folder in ["component-outside", "to-nowhere", "to-itself"] {
        fs::create_dir(inside.join(folder)).unwrap();
        fs::write(inside.join(folder).join("rule.toml"), manifest(folder)).unwrap();
    }
    symlink(outside.join("one/rule.wasm"), inside.join("component-outside/rule.wasm")).unwrap();
    symlink(inside.join("missing"), inside.join("to-nowhere/rule.wasm")).unwrap();
    symlink(inside.join("to-itself/rule.wasm"), inside.join("to-itself/rule.wasm")).unwrap();
    // A link that stays inside is a way to share a component.
    put(&inside, "whole", &manifest("whole"), hostile());
    fs::create_dir(inside.join("shared")).unwrap();
    fs::write(inside.join("shared/rule.toml"), manifest("shared")).unwrap();
    symlink("../whole/rule.wasm", inside.join("shared/rule.wasm")).unwrap();

    let rules = open(&inside);
    let generation = rules.generation();
    let live: Vec<&str> = generation.rules().iter().map(|rule| rule.manifest.name.as_str()).collect();
    assert_eq!(live, ["shared", "whole"]);
    let folders = rules.catalog().folders();
    let error = |folder: &str| folders[&inside.canonicalize().unwrap().join(folder)].error.clone().unwrap().message;
    assert!(error("component-outside").contains("link out of the rules directory"));
    assert!(error("to-nowhere").contains("cannot be read"));
    assert!(error("to-itself").contains("cannot be read"));
}
