//! Rules as they are deployed: a directory that is a link and is led elsewhere, one that is empty for a moment, copies of folders,
//! several rules changed at once, more folders than are read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use ruledesk::rules::Rules;
use ruledesk::rules::tables::Tables;
use tempfile::TempDir;

use crate::support::components::{hostile, hostile_manifest, open, options, put};
use crate::support::wait::until;

fn manifest(name: &str, version: &str) -> String {
    hostile_manifest(name, "priority", "pass", "").replace("1.0.0", version)
}

/// Names and versions of what is live.
fn live(rules: &Rules) -> Vec<String> {
    let generation = rules.generation();
    generation.rules().iter().map(|rule| format!("{} {}", rule.manifest.name, rule.manifest.version)).collect()
}

fn tree(place: &Path, version: &str) {
    put(place, "one", &manifest("one", version), hostile());
    put(place, "two", &manifest("two", version), hostile());
}

/// As git-sync does it.
#[test]
fn a_directory_that_is_a_link_is_followed_to_where_it_leads_and_the_old_tree_may_go() {
    let dir = TempDir::new().unwrap();
    tree(&dir.path().join("rev-1"), "1.0.0");
    symlink("rev-1", dir.path().join("current")).unwrap();
    let rules = open(&dir.path().join("current"));
    assert_eq!(live(&rules), ["one 1.0.0", "two 1.0.0"]);
    let generation = rules.generation().number;

    tree(&dir.path().join("rev-2"), "2.0.0");
    symlink("rev-2", dir.path().join("next")).unwrap();
    fs::rename(dir.path().join("next"), dir.path().join("current")).unwrap();
    until("the new tree", || (live(&rules) == ["one 2.0.0", "two 2.0.0"]).then_some(()));
    assert_eq!(rules.generation().number, generation + 1, "both at once");
    fs::remove_dir_all(dir.path().join("rev-1")).unwrap();
    // Events come from where it leads now.
    put(&dir.path().join("rev-2"), "one", &manifest("one", "2.1.0"), hostile());
    until("a change in the new tree", || (live(&rules) == ["one 2.1.0", "two 2.0.0"]).then_some(()));
}

/// As Kubernetes mounts a volume: everything is a link into `..data`, which is one itself.
#[test]
fn a_mounted_volume_is_swapped_as_a_whole() {
    let dir = TempDir::new().unwrap();
    tree(&dir.path().join("..2026_01"), "1.0.0");
    symlink("..2026_01", dir.path().join("..data")).unwrap();
    for folder in ["one", "two"] {
        symlink(Path::new("..data").join(folder), dir.path().join(folder)).unwrap();
    }
    let rules = open(dir.path());
    assert_eq!(live(&rules), ["one 1.0.0", "two 1.0.0"]);
    tree(&dir.path().join("..2026_02"), "2.0.0");
    symlink("..2026_02", dir.path().join("..data_tmp")).unwrap();
    fs::rename(dir.path().join("..data_tmp"), dir.path().join("..data")).unwrap();
    until("the new volume", || (live(&rules) == ["one 2.0.0", "two 2.0.0"]).then_some(()));
    fs::remove_dir_all(dir.path().join("..2026_01")).unwrap();
    rules.reload();
    assert_eq!(live(&rules), ["one 2.0.0", "two 2.0.0"]);
}

#[test]
fn a_directory_that_is_empty_or_gone_retires_nothing_until_that_is_believed() {
    let dir = TempDir::new().unwrap();
    let (place, away) = (dir.path().join("rules"), dir.path().join("away"));
    tree(&place, "1.0.0");
    let mut patient = options(&place);
    patient.patience = Duration::from_secs(3600);
    let rules = Rules::open(&patient, Tables::default()).unwrap();
    fs::rename(&place, &away).unwrap();
    until("it to be said", || rules.catalog().directory().unreadable.clone());
    fs::create_dir(&place).unwrap();
    until("it to be empty", || (rules.catalog().directory().missing.len() == 2).then_some(()));
    assert_eq!(rules.catalog().directory().troubles().len(), 1);
    assert_eq!(live(&rules), ["one 1.0.0", "two 1.0.0"]);
    rules.reload();
    assert_eq!(live(&rules), ["one 1.0.0", "two 1.0.0"], "a reload is no belief");
    tree(&place, "1.0.0");
    until("it to be as before", || rules.catalog().directory().missing.is_empty().then_some(()));
    assert_eq!(rules.catalog().directory().troubles(), [""; 0]);

    fs::remove_dir_all(&place).unwrap();
    fs::create_dir(&place).unwrap();
    until("it to be empty again", || (rules.catalog().directory().missing.len() == 2).then_some(()));
    rules.reload_and_believe();
    assert_eq!(live(&rules), [""; 0]);
}

#[test]
fn a_folder_that_is_replaced_slowly_keeps_its_rule_and_a_copy_of_it_takes_nothing() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "40-one", &manifest("one", "1.0.0"), hostile());
    put(dir.path(), "50-two", &manifest("two", "1.0.0"), hostile());
    let mut patient = options(dir.path());
    patient.patience = Duration::from_secs(3600);
    let rules = Rules::open(&patient, Tables::default()).unwrap();
    put(dir.path(), "05-one", &manifest("one", "0.9.0"), hostile());
    until("the copy to be refused", || {
        let folders = rules.catalog().folders();
        folders.values().find(|status| status.folder.ends_with("05-one") && status.error.is_some()).map(drop)
    });
    fs::remove_dir_all(dir.path().join("40-one")).unwrap();
    until("it to be missed", || (rules.catalog().directory().missing.len() == 1).then_some(()));
    assert_eq!(live(&rules), ["one 1.0.0", "two 1.0.0"]);
    put(dir.path(), "40-one", &manifest("one", "1.1.0"), hostile());
    until("the new one", || (live(&rules) == ["one 1.1.0", "two 1.0.0"]).then_some(()));
}

#[test]
fn rules_that_change_together_go_live_together() {
    let dir = TempDir::new().unwrap();
    for n in 0..6 {
        put(dir.path(), &format!("{n}"), &manifest(&format!("rule-{n}"), "1.0.0"), hostile());
    }
    let rules = open(dir.path());
    let versions =
        || -> Vec<String> { rules.generation().rules().iter().map(|rule| rule.manifest.version.clone()).collect() };
    for n in 0..6 {
        fs::write(dir.path().join(format!("{n}/rule.toml")), manifest(&format!("rule-{n}"), "2.0.0")).unwrap();
    }
    until("all of them", || {
        let versions = versions();
        assert!(versions.iter().all(|version| *version == versions[0]), "{versions:?}");
        (versions[0] == "2.0.0").then_some(())
    });
}

#[test]
fn what_is_served_is_what_lies_there_whatever_its_time_says() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "one", &manifest("one", "1.0.0"), hostile());
    let file = dir.path().join("one/rule.toml");
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    let rules = open(dir.path());
    let text = manifest("one", "1.0.7");
    fs::write(&file, &text).unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(before).unwrap();
    until("the other content", || (live(&rules) == ["one 1.0.7"]).then_some(()));
}

#[test]
fn a_manifest_may_name_the_component_that_it_is_for() {
    use ruledesk::rules::digest::Digest;
    let dir = TempDir::new().unwrap();
    let named = |digest: Digest, version: &str| format!("component = \"{digest}\"\n{}", manifest("one", version));
    put(dir.path(), "one", &named(Digest::of(hostile()), "1.0.0"), hostile());
    let rules = open(dir.path());
    assert_eq!(live(&rules), ["one 1.0.0"]);
    fs::write(dir.path().join("one/rule.toml"), named(Digest::of(b"the next one"), "2.0.0")).unwrap();
    let (message, _) = until("it to be refused", || {
        rules.catalog().folders().values().find_map(|status| Some(status.error.as_ref()?.message.to_string()))
    });
    assert!(message.contains("the two are not of one version"), "{message}");
    assert_eq!(live(&rules), ["one 1.0.0"]);
}

#[test]
fn folders_beyond_the_limit_are_refused_by_name_and_a_person_decides_about_access() {
    let dir = TempDir::new().unwrap();
    for n in 0..1001 {
        put(dir.path(), &format!("{n:04}"), &manifest(&format!("rule-{n}"), "1.0.0"), b"");
    }
    let rules = open(dir.path());
    let folders = rules.catalog().folders();
    let beyond = folders.values().find(|status| status.folder.ends_with("1000")).unwrap();
    assert!(beyond.error.as_ref().unwrap().message.contains("more than 1000 folders"), "{:?}", beyond.error);
    assert_eq!(rules.catalog().directory().beyond, 1);
    assert!(rules.catalog().directory().troubles()[0].contains("1 folders more"));
    assert!(rules.generation().access_in_doubt("any", None, b"ticket").is_some());
    fs::remove_dir_all(dir.path().join("0000")).unwrap();
    until("it to be read", || (rules.catalog().directory().beyond == 0).then_some(()));
}

/// As a backup does that is copied back over a running desk.
#[test]
fn a_cache_that_is_cut_off_under_a_running_desk_ends_nothing() {
    use ruledesk::rules::run::call::ask;
    use ruledesk::rules::run::examples::fill_in;
    use ruledesk::rules::run::stage::Stage;
    let dir = TempDir::new().unwrap();
    let place = dir.path().join("rules");
    put(&place, "one", &manifest("one", "1.0.0"), hostile());
    let mut own = options(&place);
    own.cache_dir = dir.path().join("cache");
    let rules = Rules::open(&own, Tables::default()).unwrap();
    for file in fs::read_dir(&own.cache_dir).unwrap() {
        fs::File::options().write(true).open(file.unwrap().path()).unwrap().set_len(0).unwrap();
    }
    let input = fill_in(Stage::Priority, &toml::Table::new()).unwrap();
    assert!(ask(&rules.generation().rules()[0], &input, &rules.tables()).result.is_ok());
}

#[test]
fn a_file_that_only_claims_to_be_long_is_refused_without_being_read() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "one", &manifest("one", "1.0.0"), b"");
    fs::File::options().write(true).open(dir.path().join("one/rule.wasm")).unwrap().set_len(1 << 40).unwrap();
    let rules = open(dir.path());
    let folders = rules.catalog().folders();
    let message = folders.values().next().unwrap().error.as_ref().unwrap().message.to_string();
    assert!(message.contains("it is 1099511627776 bytes; allowed are 8388608"), "{message}");
}
