//! A rules directory as people leave it: full, oddly named, with links.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::Command;

use ruledesk::rules::Rules;
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
    let names: [&OsStr; 5] = [
        OsStr::new("with space"),
        OsStr::new("Übermäßig 規則"),
        OsStr::new("new\nline"),
        OsStr::new("-rf"),
        OsStr::new("...rule.toml"),
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
    assert_eq!(live, ["rule-0", "rule-1", "rule-2", "rule-3", "rule-4"]);
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
    assert!(error(&rules, "component-outside").unwrap().contains("link out of the rules directory"));
    assert!(error(&rules, "to-nowhere").unwrap().contains("cannot be read"));
    assert!(error(&rules, "to-itself").unwrap().contains("cannot be read"));
}

/// Why a folder is refused, if it is.
fn error(rules: &Rules, folder: &str) -> Option<String> {
    let folders = rules.catalog().folders();
    let status = folders.values().find(|status| status.folder.ends_with(folder))?;
    Some(status.error.as_ref()?.message.to_string())
}

fn live(rules: &Rules) -> Vec<String> {
    rules.generation().rules().iter().map(|rule| rule.manifest.name.as_str().to_owned()).collect()
}

/// A named pipe would keep whoever opens it waiting for a writer who never comes.
#[test]
fn a_manifest_that_is_no_file_or_very_large_is_refused() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "good", &manifest("good"), hostile());
    for folder in ["pipe", "directory", "large", "component"] {
        put(dir.path(), folder, &manifest(folder), hostile());
        fs::remove_file(dir.path().join(folder).join("rule.toml")).unwrap();
    }
    let pipe = |file: &str| assert!(Command::new("mkfifo").arg(dir.path().join(file)).status().unwrap().success());
    pipe("pipe/rule.toml");
    fs::create_dir(dir.path().join("directory/rule.toml")).unwrap();
    fs::write(dir.path().join("component/rule.toml"), manifest("component")).unwrap();
    fs::remove_file(dir.path().join("component/rule.wasm")).unwrap();
    pipe("component/rule.wasm");
    // What is cut off after so many bytes would be a good manifest.
    let large = manifest("large").replacen('\n', &format!("\n{}\n", "#".repeat(2 << 20)), 1);
    fs::write(dir.path().join("large/rule.toml"), large).unwrap();

    let rules = open(dir.path());
    assert_eq!(live(&rules), ["good"]);
    for folder in ["pipe", "component"] {
        assert!(error(&rules, folder).unwrap().contains("is a named pipe"), "{:?}", error(&rules, folder));
    }
    assert!(error(&rules, "directory").unwrap().contains("is a directory"));
    assert!(error(&rules, "large").unwrap().contains("larger than 1048576 bytes"), "{:?}", error(&rules, "large"));
    // Nobody waits at any of the pipes for ever.
    fs::remove_file(dir.path().join("pipe/rule.toml")).unwrap();
    fs::write(dir.path().join("pipe/rule.toml"), manifest("pipe")).unwrap();
    until("the mended one", || live(&rules).contains(&"pipe".to_owned()).then_some(()));
}

#[test]
fn a_link_made_while_the_desk_runs_is_loaded_and_other_files_are_none_of_its_business() {
    let dir = TempDir::new().unwrap();
    let (inside, outside) = (dir.path().join("rules"), dir.path().join("outside"));
    put(&inside, "whole", &manifest("whole"), hostile());
    put(&inside.join("store"), "hidden", &manifest("hidden"), hostile());
    put(&outside, "one", &manifest("one"), hostile());
    let rules = open(&inside);
    assert_eq!(live(&rules), ["whole"]);

    fs::create_dir(inside.join("shared")).unwrap();
    symlink("../whole/rule.wasm", inside.join("shared/rule.wasm")).unwrap();
    fs::write(inside.join("shared/rule.toml"), manifest("shared")).unwrap();
    fs::create_dir(inside.join("hard")).unwrap();
    fs::hard_link(inside.join("whole/rule.wasm"), inside.join("hard/rule.wasm")).unwrap();
    fs::write(inside.join("hard/rule.toml"), manifest("hard")).unwrap();
    symlink("store/hidden", inside.join("by-link")).unwrap();
    until("what is linked", || (live(&rules) == ["hard", "hidden", "shared", "whole"]).then_some(()));

    symlink(outside.join("one"), inside.join("out")).unwrap();
    symlink(outside.join("missing"), inside.join("nowhere")).unwrap();
    symlink(inside.join("itself"), inside.join("itself")).unwrap();
    until("it to be said", || {
        let said = |folder: &str, why: &str| error(&rules, folder).filter(|error| error.contains(why)).map(drop);
        said("out", "link out of the rules directory")?;
        said("nowhere", "cannot be read")?;
        said("itself", "cannot be read")
    });

    until("all three to be counted", || (rules.catalog().reloads().refused >= 3).then_some(()));
    let before = rules.catalog().reloads();
    symlink("somebody@host.1:2", inside.join(".#README")).unwrap();
    symlink("somebody@host.1:2", inside.join("whole/.#rule.toml")).unwrap();
    // Vim keeps its swap file open for as long as somebody looks at the manifest.
    let mut swap = fs::File::create(inside.join("whole/.rule.toml.swp")).unwrap();
    swap.write_all(b"b0VIM").unwrap();
    for name in ["README", "notes~", "4913", "#notes#", "whole/rule.toml~", "whole/4913", "whole/#rule.toml#"] {
        fs::write(inside.join(name), "name = 1").unwrap();
    }
    fs::remove_file(inside.join("4913")).unwrap();
    let changed = manifest("whole").replace("1.0.0", "1.1.0");
    fs::write(inside.join("whole/rule.toml"), changed).unwrap();
    until("the changed one", || {
        rules.generation().rules().iter().find(|rule| rule.manifest.version == "1.1.0").map(drop)
    });
    let after = rules.catalog().reloads();
    assert_eq!((after.loaded, after.refused, after.retired), (before.loaded + 1, before.refused, before.retired));
    assert_eq!(rules.catalog().folders().len(), 7, "{:?}", rules.catalog().folders().keys());
}
