//! Signatures: with keys that the desk trusts, a rule goes live when one of them has signed it, and in no other way.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use ruledesk::rules::Rules;
use ruledesk::rules::load::trust::key::SigningKey;
use ruledesk::rules::load::trust::{Trust, TrustedKey};
use ruledesk::rules::tables::Tables;
use tempfile::TempDir;

use crate::support::components::{PROGRAM, hostile, hostile_manifest, options, put};
use crate::support::wait::until;

fn program(arguments: &[&str], folder: &Path) -> Output {
    Command::new(PROGRAM).args(arguments).current_dir(folder).output().unwrap()
}

fn succeeds(arguments: &[&str], folder: &Path) -> String {
    let output = program(arguments, folder);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A directory with the rule `one`, and beside it two keys of which the desk trusts the first.
fn keys_and_rules() -> (TempDir, Trust) {
    let dir = TempDir::new().unwrap();
    succeeds(&["rule", "keygen", "--out", "ours.key"], dir.path());
    succeeds(&["rule", "keygen", "--out", "theirs.key"], dir.path());
    put(&dir.path().join("rules"), "one", &manifest("1.0.0"), hostile());
    let ours = SigningKey::read(&dir.path().join("ours.key")).unwrap();
    (dir, Trust::new(vec![TrustedKey::new("ours", &ours.public_bytes()).unwrap()]))
}

fn manifest(version: &str) -> String {
    hostile_manifest("one", "priority", "pass", "").replace("1.0.0", version)
}

fn open(dir: &TempDir, trust: Trust) -> Rules {
    let mut options = options(&dir.path().join("rules"));
    options.trust = trust;
    Rules::open(&options, Tables::default()).unwrap()
}

fn live(rules: &Rules) -> Option<String> {
    Some(rules.generation().rules().first()?.manifest.version.clone())
}

fn error(rules: &Rules) -> Option<String> {
    let folders = rules.catalog().folders();
    folders.values().find_map(|f| f.error.as_ref().map(|e| e.message.to_string()))
}

fn refused_for(rules: &Rules, why: &str) {
    until(why, || error(rules).filter(|error| error.contains(why)));
}

#[test]
fn only_what_a_trusted_key_has_signed_goes_live_and_the_last_good_version_serves_on() {
    let (dir, trust) = keys_and_rules();
    let sign = |key: &str| succeeds(&["rule", "sign", "rules/one", "--key", key], dir.path());
    let folder = dir.path().join("rules/one");
    let rules = open(&dir, trust);
    assert!(error(&rules).unwrap().contains("not signed, and this desk takes only what is signed by `ours`"));
    assert_eq!(live(&rules), None);

    sign("theirs.key");
    refused_for(&rules, "which this desk does not trust");
    assert_eq!(live(&rules), None);

    sign("ours.key");
    until("the rule that was signed later", || (live(&rules)? == "1.0.0").then_some(()));
    assert_eq!(error(&rules), None);
    assert_eq!(rules.generation().rules()[0].signed_by.as_deref(), Some("ours"));

    // The signature that is there is for another manifest, then for another component.
    fs::write(folder.join("rule.toml"), manifest("1.1.0")).unwrap();
    refused_for(&rules, "the manifest is not the one that `ours` signed");
    assert_eq!(live(&rules).as_deref(), Some("1.0.0"), "the last good version serves on");
    sign("ours.key");
    until("the new version", || (live(&rules)? == "1.1.0").then_some(()));

    let mut tampered = hostile().to_vec();
    // An empty custom section of a component: the code is the same, the bytes are not.
    tampered.extend([0, 2, 1, b'x']);
    fs::write(folder.join("rule.wasm"), &tampered).unwrap();
    refused_for(&rules, "the component is not the one that `ours` signed");
    assert_eq!(live(&rules).as_deref(), Some("1.1.0"));

    fs::write(folder.join("rule.sig"), "all is well").unwrap();
    refused_for(&rules, "no rule.sig of ours");
    fs::remove_file(folder.join("rule.sig")).unwrap();
    refused_for(&rules, "not signed");
    assert_eq!(live(&rules).as_deref(), Some("1.1.0"));
}

#[test]
fn a_desk_that_trusts_no_key_asks_for_no_signature() {
    let (dir, _) = keys_and_rules();
    succeeds(&["rule", "sign", "rules/one", "--key", "theirs.key"], dir.path());
    let rules = open(&dir, Trust::default());
    assert_eq!(live(&rules).as_deref(), Some("1.0.0"));
    assert_eq!(rules.generation().rules()[0].signed_by, None);
}

#[test]
fn a_private_key_is_for_its_owner_and_is_never_overwritten() {
    let (dir, _) = keys_and_rules();
    let file = dir.path().join("ours.key");
    let mode = |file: &Path| fs::metadata(file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    let before = fs::read(&file).unwrap();
    let again = program(&["rule", "keygen", "--out", "ours.key"], dir.path());
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists"), "{again:?}");
    assert_eq!(fs::read(&file).unwrap(), before);

    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = program(&["rule", "sign", "rules/one", "--key", "ours.key"], dir.path());
    assert!(String::from_utf8_lossy(&exposed.stderr).contains("chmod 600"), "{exposed:?}");
    assert!(!dir.path().join("rules/one/rule.sig").exists());
}

#[test]
fn an_untrusted_component_is_never_compiled() {
    let (dir, trust) = keys_and_rules();
    let mut options = options(&dir.path().join("rules"));
    options.trust = trust;
    options.cache_dir = dir.path().join("cache");
    let rules = Rules::open(&options, Tables::default()).unwrap();
    assert!(error(&rules).unwrap().contains("not signed"));
    let compiled = fs::read_dir(dir.path().join("cache")).unwrap().map(|file| file.unwrap().file_name());
    assert_eq!(compiled.collect::<Vec<_>>(), ["key"]);
}
