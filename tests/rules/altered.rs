//! Rules that are tried change nothing about those that are not.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ruledesk::rules::live::catalog::{Generation, Playing, Role};
use ruledesk::rules::live::rollout::{Candidate, Trial};
use ruledesk::rules::live::slots::version_of;
use ruledesk::rules::run::stage::Stage;
use tempfile::TempDir;

use crate::support::components::{hostile, hostile_manifest, open, put};
use crate::support::wait::until;

fn manifest(name: &str, version: &str, mode: &str) -> String {
    hostile_manifest(name, "priority", "pass", &format!("mode = \"{mode}\"")).replace("1.0.0", version)
}

/// Who is asked for what, each by name and version.
fn asked(generation: &Generation) -> Vec<(String, Role)> {
    let asked = generation.asked_about(Stage::Priority, "any", None, b"a ticket");
    asked.map(|(rule, role)| (format!("{} {}", rule.manifest.name, rule.manifest.version), role)).collect()
}

#[test]
fn what_is_not_tried_goes_on_playing_its_part() {
    let dir = TempDir::new().unwrap();
    put(dir.path(), "one", &manifest("one", "1.0.0", "active"), hostile());
    put(dir.path(), "two", &manifest("two", "1.0.0", "active"), hostile());
    let rules = open(dir.path());
    put(dir.path(), "one", &manifest("one", "1.1.0", "shadow"), hostile());
    until("the candidate", || (asked(&rules.generation()).len() == 3).then_some(()));

    // Somebody has promoted it, and tries the earlier one again: neither plays what its manifest says.
    let slots = rules.catalog().slots();
    let version = |of: &str| {
        let generation = rules.generation();
        version_of(generation.rules().iter().find(|rule| rule.manifest.version == of).unwrap())
    };
    let mut rollouts: BTreeMap<_, _> =
        slots.iter().map(|(name, slot)| (name.to_owned(), slot.rollout.clone())).collect();
    let rollout = rollouts.get_mut("one").unwrap();
    let earlier = Candidate { version: rollout.active.unwrap(), trial: Trial::Shadow, proposed_by: None };
    (rollout.active, rollout.candidate) = (Some(version("1.1.0")), Some(earlier));
    assert!(rules.catalog().install(rollouts, Vec::new(), &BTreeMap::new(), 1));
    let live = rules.generation();
    let [promoted, earlier, two] =
        [("one 1.1.0", Role::Active), ("one 1.0.0", Role::Shadow), ("two 1.0.0", Role::Active)]
            .map(|(name, role)| (name.to_owned(), role));
    assert_eq!(asked(&live), [promoted.clone(), earlier.clone(), two.clone()]);
    assert_eq!(live.named("one").unwrap().manifest.version, "1.1.0");

    let tried = |part: Playing| {
        let rule = rules.prepare(Path::new("tried"), &manifest("one", "9.0.0", "active"), hostile());
        vec![(Arc::new(rule.unwrap()), part)]
    };
    let nine = |role: Role| ("one 9.0.0".to_owned(), role);
    assert_eq!(asked(&live.altered(&["two".to_owned()], Vec::new())), [promoted.clone(), earlier]);
    assert_eq!(
        asked(&live.altered(&[], tried(Playing::Active { canary_percent: None }))),
        [nine(Role::Active), two.clone()]
    );
    assert_eq!(asked(&live.altered(&[], tried(Playing::Shadow))), [promoted, nine(Role::Shadow), two]);
    assert_eq!(live.altered(&[], Vec::new()).number, live.number);
}
