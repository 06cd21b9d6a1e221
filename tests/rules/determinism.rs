//! A rule that may answer the same question in two ways is found, and decides no access.

use ruledesk::rules::Rules;
use ruledesk::rules::live::catalog::Role;
use ruledesk::rules::live::rollout::in_share;
use ruledesk::rules::run::stage::Stage;
use ruledesk::rules::tables::Tables;
use tempfile::TempDir;

use crate::support::components::{from_text, hostile, hostile_manifest, open, options, put};
use crate::support::wait::until;

/// A rule that calls itself until the stack is full. How often that is depends on how large its frames are on the machine's
/// stack, which the compiler decides: so the fuel that it uses differs from compiler to compiler.
pub fn deep(stage: &str) -> Vec<u8> {
    let numbers = 1..12;
    let params: String = numbers.clone().map(|n| format!("(param $p{n} i64)")).collect();
    let deeper: String = numbers.clone().map(|n| format!("(i64.mul (local.get $p{n}) (i64.const {n}))")).collect();
    let kept: String = numbers.clone().map(|n| format!("(i64.xor (local.get $p{n}))")).collect();
    let first: String = numbers.map(|n| format!("(i64.const {n})")).collect();
    from_text(&format!(
        "(module (memory (export \"memory\") 1)
          (func $deep {params} (result i64) (call $deep {deeper}) {kept})
          (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
          (func (export \"ruledesk:rules/{stage}@1.0.0#decide\") (param i32) (result i32)
            (drop (call $deep {first})) (i32.const 64)))"
    ))
}

pub fn deep_manifest(stage: &str) -> String {
    format!("name = \"deep\"\nversion = \"1.0.0\"\nstages = [\"{stage}\"]\norder = 1\n")
}

/// Whether the only rule is deterministic, and why not, once that is known.
fn verdict(rules: &Rules) -> Result<(), String> {
    until("the verdict", || rules.generation().rules().first()?.determinism.verdict().cloned()).0
}

#[test]
fn a_rule_that_depends_on_the_machines_stack_is_found_while_it_serves() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "deep", &deep_manifest("priority"), &deep("priority"));
    let rules = open(dir.path());
    let why = verdict(&rules).unwrap_err();
    assert!(why.contains("compiled otherwise, it uses "), "{why}");
    assert!(rules.generation().asked(Stage::Priority, "any", None).next().is_some(), "it decides no access anyway");
}

#[test]
fn such_a_rule_decides_no_access() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "deep", &deep_manifest("access"), &deep("access"));
    let rules = open(dir.path());
    let generation = rules.generation();
    let why = generation.rules()[0].determinism.verdict().expect("known before it is live").clone().unwrap_err();
    assert!(why.contains("fuel"), "{why}");
    assert!(generation.asked_about(Stage::Access, "any", None, b"a ticket").next().is_none());
    assert!(generation.access_in_doubt("any", None, b"a ticket").unwrap().ends_with("deep"));
}

/// What counts is the part that it plays, whatever its manifest says.
#[test]
fn such_a_rule_is_asked_about_access_where_that_has_no_effect() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "deep", &hostile_manifest("deep", "access", "pass", ""), hostile());
    let rules = open(dir.path());
    let asked = |ticket: &[u8]| {
        let generation = rules.generation();
        let roles =
            generation.asked_about(Stage::Access, "any", None, ticket).map(|(_, role)| role).collect::<Vec<_>>();
        (roles, generation.access_in_doubt("any", None, ticket).is_some())
    };
    let try_it = |mode: &str, version: &str| {
        let manifest = format!("{}mode = \"{mode}\"\n[canary]\npercent = 50\n", deep_manifest("access"));
        put(dir.path(), "deep", &manifest.replace("1.0.0", version), &deep("access"));
        let tried = |rules: &Rules| rules.generation().rules().iter().any(|rule| rule.manifest.version == version);
        until("the candidate", || tried(&rules).then_some(()));
    };
    try_it("shadow", "1.1.0");
    assert_eq!(asked(b"a ticket"), (vec![Role::Active, Role::Shadow], false));
    try_it("canary", "1.2.0");
    let tickets: [u8; 64] = std::array::from_fn(|n| u8::try_from(n).unwrap());
    let (inside, outside): (Vec<u8>, Vec<u8>) =
        tickets.into_iter().partition(|ticket| in_share("deep", &[*ticket], 50));
    assert!(!inside.is_empty() && !outside.is_empty());
    for ticket in outside {
        assert_eq!(asked(&[ticket]), (vec![Role::Active], false));
    }
    for ticket in inside {
        assert_eq!(asked(&[ticket]), (vec![Role::Beside], true), "its word would count");
    }
}

#[test]
fn a_verdict_is_remembered_and_other_bytes_need_another() {
    let dir = TempDir::new().unwrap();
    let rules_dir = dir.path().join("rules");
    std::fs::create_dir(&rules_dir).unwrap();
    put(&rules_dir, "one", &hostile_manifest("one", "priority", "pass", ""), hostile());
    let mut options = options(&rules_dir);
    options.cache_dir = dir.path().join("cache");
    let open = || Rules::open(&options, Tables::default()).unwrap();
    assert_eq!(verdict(&open()), Ok(()));
    until("the verdict's file", || {
        let mut files = std::fs::read_dir(&options.cache_dir).unwrap();
        files.any(|file| file.unwrap().path().extension().is_some_and(|e| e == "verdict")).then_some(())
    });
    let known = |rules: &Rules| rules.generation().rules()[0].determinism.verdict().is_some();
    assert!(known(&open()), "at once, without compiling again");
    // What somebody else wrote there counts for nothing.
    for file in std::fs::read_dir(&options.cache_dir).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|e| e == "verdict") {
            std::fs::write(path, "it is bad").unwrap();
        }
    }
    assert_eq!(verdict(&open()), Ok(()));
}
