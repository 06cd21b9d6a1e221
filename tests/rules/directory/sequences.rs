//! Random sequences of what happens to the folders of rules for access: a rule decides, or a person does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use ruledesk::rules::run::rule::Rule;
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

/// The content of the folders, by number.
#[derive(Default)]
struct Lying {
    /// Each folder's manifest, and whether it is for access.
    manifests: BTreeMap<usize, (String, bool)>,
    /// The folders that each one was copied from, at any time: a copy may be taken for a folder with another name, and goes on then
    /// with what the rule had before.
    origins: BTreeMap<usize, BTreeSet<usize>>,
}

impl Lying {
    /// Whether a rule is the one of a folder with this manifest, in this or an earlier version.
    fn is_of(&self, root: &Path, at: usize, manifest: &str, rule: &Rule) -> bool {
        let is_from = |from: &usize| rule.folder == folder(root, *from);
        let is_renamed = || self.origins.get(&at).is_some_and(|origins| origins.iter().any(is_from));
        let has_name = || manifest.starts_with(&format!("name = \"{}\"\n", rule.manifest.name));
        is_from(&at) || *rule.manifest_text == *manifest || (has_name() && is_renamed())
    }
}

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
            lying.manifests.insert(*at, (manifest, *stage == "access" && *mode != "off"));
        }
        Deed::Remove(at) => {
            let _ = fs::remove_dir_all(folder(root, *at));
            lying.manifests.remove(at);
        }
        Deed::Copy(from, to) => {
            if let Some(what) = lying.manifests.get(from).cloned().filter(|_| from != to) {
                let _ = fs::remove_dir_all(folder(root, *to));
                crate::support::place::copy(&folder(root, *from), &folder(root, *to));
                lying.manifests.insert(*to, what);
                let origins: Vec<usize> = lying.origins.get(from).into_iter().flatten().copied().collect();
                lying.origins.entry(*to).or_default().extend(origins.into_iter().chain([*from]));
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
    for (at, (manifest, is_for_access)) in &lying.manifests {
        let decides = asked.iter().any(|(rule, _)| lying.is_of(root, *at, manifest, rule));
        prop_assert!(!is_for_access || decides || a_person_decides, "folder {at} is missed by nobody: {manifest}");
    }
    Ok(())
}

/// Checks that after each of these deeds.
fn check_each(deeds: &[Deed]) -> Result<(), TestCaseError> {
    let dir = TempDir::new().unwrap();
    // Many desks one after the other: none needs a pool.
    let open = || {
        let options = Options { pooled: false, worker_threads: 1, ..options(dir.path()) };
        Rules::open(&options, Tables::default()).unwrap()
    };
    let (mut lying, mut rules) = (Lying::default(), open());
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
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_folders_a_rule_for_access_decides_or_a_person_does(deeds in prop::collection::vec(deed(), 1..10)) {
        check_each(&deeds)?;
    }
}

/// The folder that had the name ends and the other one has it in the same look.
#[test]
fn a_name_that_is_left_to_a_folder_where_it_is_only_tried_leaves_access_to_a_person() {
    let lay = |folder, name, mode| Deed::Put { folder, name, says: "approve", mode, stage: "access", broken: false };
    let other = || lay(0, 0, "active");
    check_each(&[lay(0, 1, "active"), lay(1, 1, "shadow"), other(), other(), other()]).unwrap();
}
