//! Random sequences of what happens to the folders of rules for access: a rule decides, or a person does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use ruledesk::rules::run::stage::Stage;
use ruledesk::rules::tables::Tables;
use ruledesk::rules::{Options, Rules};
use tempfile::TempDir;

use super::doubt::{component, table};
use crate::support::components::{options, put};

/// Something that happens to a folder.
#[derive(Debug, Clone)]
enum Deed {
    Put { folder: usize, name: usize, says: &'static str, mode: &'static str, stage: &'static str, broken: bool },
    Remove(usize),
    Copy(usize, usize),
    Restart,
}

fn deed() -> impl Strategy<Value = Deed> {
    let put = (
        0..3_usize,
        0..2_usize,
        prop::sample::select(vec!["approve", "deny"]),
        prop::sample::select(vec!["active", "active", "shadow", "off"]),
        prop::sample::select(vec!["access", "access", "priority"]),
        prop::bool::weighted(0.3),
    );
    let put =
        put.prop_map(|(folder, name, says, mode, stage, broken)| Deed::Put { folder, name, says, mode, stage, broken });
    prop_oneof![
        6 => put,
        1 => (0..3_usize).prop_map(Deed::Remove),
        1 => (0..3_usize, 0..3_usize).prop_map(|(from, to)| Deed::Copy(from, to)),
        1 => Just(Deed::Restart),
    ]
}

/// The manifest in a folder of a rule that is to deny, or could be: its manifest.
type Lying = BTreeMap<usize, (String, bool)>;

fn folder(root: &Path, number: usize) -> std::path::PathBuf {
    root.join(format!("folder-{number}"))
}

fn happens(root: &Path, lying: &mut Lying, version: usize, deed: &Deed) {
    match deed {
        Deed::Put { folder: at, name, says, mode, stage, broken } => {
            let head = format!("mode = \"{mode}\"");
            let manifest = table(&format!("rule-{name}"), &format!("1.0.{version}"), stage, says, &head);
            let bytes = if *broken { b"no wasm".to_vec() } else { component() };
            put(root, &format!("folder-{at}"), &manifest, &bytes);
            lying.insert(*at, (manifest, *stage == "access" && *mode != "off"));
        }
        Deed::Remove(at) => {
            let _ = fs::remove_dir_all(folder(root, *at));
            lying.remove(at);
        }
        Deed::Copy(from, to) => {
            if let Some(what) = lying.get(from).cloned().filter(|_| from != to) {
                let _ = fs::remove_dir_all(folder(root, *to));
                crate::support::place::copy(&folder(root, *from), &folder(root, *to));
                lying.insert(*to, what);
            }
        }
        Deed::Restart => {}
    }
}

/// Each folder's manifest that is for access decides, in this or an earlier version of its folder, or a person does.
fn check(rules: &Rules, root: &Path, lying: &Lying) -> Result<(), TestCaseError> {
    let generation = rules.generation();
    let asked: Vec<_> =
        generation.asked_about(Stage::Access, "any", None, b"ticket").filter(|(_, role)| role.counts()).collect();
    let a_person_decides = generation.access_in_doubt("any", None, b"ticket").is_some();
    for (at, (manifest, is_for_access)) in lying {
        let decides =
            asked.iter().any(|(rule, _)| rule.folder == folder(root, *at) || *rule.manifest_text == **manifest);
        prop_assert!(!is_for_access || decides || a_person_decides, "folder {at} is missed by nobody: {manifest}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_folders_a_rule_for_access_decides_or_a_person_does(deeds in prop::collection::vec(deed(), 1..10)) {
        let dir = TempDir::new().unwrap();
        // Many desks one after the other: none needs a pool.
        let open = || {
            let options = Options { pooled: false, worker_threads: 1, ..options(dir.path()) };
            Rules::open(&options, Tables::default()).unwrap()
        };
        let (mut lying, mut rules) = (Lying::new(), open());
        for (number, deed) in deeds.iter().enumerate() {
            happens(dir.path(), &mut lying, number, deed);
            if matches!(deed, Deed::Restart) {
                drop(rules);
                rules = open();
            } else {
                rules.reload();
            }
            check(&rules, dir.path(), &lying)?;
        }
    }
}
