//! The rollouts of all rules with the versions that are in memory, and the offers that are not kept yet.
//!
//! The deployments in a database have the last word, by [`Slots::install`]; until they have, an offer of the directory stands on
//! top of the rollout that was kept last. Without deployments the offers alone make the rollouts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::generation::{Playing, playing};
use super::guard::{Guard, is_by_category};
use super::rollout::{NotTaken, Part, Rollout, RolloutStep, Signatory, Source, Trial, VersionId};
use crate::rules::run::manifest::Mode;
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::Stage;

/// One rule's rollout and versions.
#[derive(Debug, Clone, Default)]
pub struct Slot {
    /// As kept last.
    kept: Rollout,
    /// As it is in effect: with the pending step on top.
    pub rollout: Rollout,
    pub versions: BTreeMap<VersionId, Arc<Rule>>,
    pending: Option<RolloutStep>,
    /// The rollout that is kept by now, while a version that it needs is not in memory: until then `kept` stays.
    wanted: Option<Rollout>,
}

impl Slot {
    /// The rollout as it is to be; other than `rollout` while a version that it needs is not in memory.
    pub fn wanted(&self) -> &Rollout {
        self.wanted.as_ref().unwrap_or(&self.rollout)
    }

    /// The rule of a version, if it is in memory.
    pub fn rule(&self, version: VersionId) -> Option<&Arc<Rule>> {
        self.versions.get(&version)
    }
}

/// All rules by name.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    slots: BTreeMap<String, Slot>,
    guard: Guard,
}

impl Slots {
    pub fn new(two_person_access: bool) -> Self {
        Self { slots: BTreeMap::new(), guard: Guard { two_person: two_person_access, access_forms: None } }
    }

    /// Says which request types ask for access.
    pub fn set_access_forms(&mut self, forms: Arc<BTreeSet<String>>) {
        self.guard.access_forms = Some(forms);
    }

    /// By name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Slot)> {
        self.slots.iter().map(|(name, slot)| (name.as_str(), slot))
    }

    /// One rule.
    pub fn get(&self, name: &str) -> Option<&Slot> {
        self.slots.get(name)
    }

    /// The step by which a rule enters that is sent without the directory.
    pub fn offer_by_api(&self, rule: &Rule, by: Signatory) -> RolloutStep {
        self.offer(Source::Api, None, rule, by)
    }

    /// The step by which a rule enters.
    fn offer(&self, source: Source, folder: Option<&str>, rule: &Rule, by: Signatory) -> RolloutStep {
        let manifest = &rule.manifest;
        let part = match manifest.mode {
            // A rule that is off counts as active, and is not asked.
            Mode::Active | Mode::Off => Part::Active,
            Mode::Shadow => Part::Trial(Trial::Shadow),
            Mode::Canary => Part::Trial(Trial::Canary(manifest.canary.percent)),
        };
        RolloutStep::Offer {
            source,
            folder: folder.map(str::to_owned),
            version: version_of(rule),
            part,
            second: self.guard.covers(manifest, self.by_category()),
            by,
        }
    }

    /// Whether a rule for access in memory looks at some categories only.
    fn by_category(&self) -> bool {
        self.slots.values().flat_map(|slot| slot.versions.values()).any(|rule| is_by_category(&rule.manifest))
    }

    /// Whether a step would change what decides about access. A version that is not in memory could.
    fn needs_second(&self, slot: &Slot, step: &RolloutStep) -> bool {
        let by_category = self.by_category();
        let covers = |version| {
            Some(version) != step.version()
                && slot.rule(version).is_none_or(|rule| self.guard.covers(&rule.manifest, by_category))
        };
        self.guard.two_person && slot.kept.at_stake(step).any(covers)
    }

    /// Takes a rule that a folder offers.
    ///
    /// # Errors
    ///
    /// Where the name belongs to another source.
    pub fn offered(&mut self, folder: &str, rule: Arc<Rule>) -> Result<(), NotTaken> {
        let name = rule.manifest.name.as_str();
        let step = self.offer(Source::Directory, Some(folder), &rule, Signatory::Directory);
        let two = self.slots.get(name).is_some_and(|slot| self.needs_second(slot, &step));
        let step = step.guarded(two);
        let slot = self.slots.entry(name.to_owned()).or_default();
        let rollout = slot.kept.after(&step)?;
        slot.versions.insert(version_of(&rule), rule);
        slot.rollout = rollout;
        slot.pending = Some(step);
        Ok(())
    }

    /// The folder that offered some rules is gone.
    pub fn folder_gone(&mut self, folder: &Path) {
        let folder = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let of_it = self.slots.iter().filter(|(_, slot)| folder.is_some() && slot.rollout.folder == folder);
        let names: Vec<String> = of_it.map(|(name, _)| name.clone()).collect();
        names.iter().for_each(|name| self.gone(name));
    }

    /// The folder that offered a rule is gone.
    pub fn gone(&mut self, name: &str) {
        let gone = RolloutStep::Gone { second: false };
        let two = self.slots.get(name).is_some_and(|slot| self.needs_second(slot, &gone));
        if let Some(slot) = self.slots.get_mut(name) {
            let gone = gone.guarded(two);
            // A rollout can always end.
            slot.rollout = slot.kept.after(&gone).unwrap_or_default();
            slot.pending = Some(gone);
        }
    }

    /// The steps that are not kept yet, by name.
    pub fn pending(&self) -> BTreeMap<String, RolloutStep> {
        let pending = |(name, slot): (&String, &Slot)| Some((name.clone(), slot.pending.clone()?));
        self.slots.iter().filter_map(pending).collect()
    }

    /// A step was kept, or never will be.
    pub fn settled(&mut self, name: &str, step: &RolloutStep) {
        if let Some(slot) = self.slots.get_mut(name)
            && slot.pending.as_ref() == Some(step)
        {
            slot.pending = None;
        }
    }

    /// Keeps the rollouts in effect as kept, while the folders are the authority; deployments that come later still learn of the
    /// last step.
    pub fn keep_in_memory(&mut self) {
        for slot in self.slots.values_mut() {
            slot.kept = slot.rollout.clone();
            slot.forget();
        }
    }

    /// Takes the rollouts as they are kept now, with rules that were not in memory. Whether all versions that they need are there:
    /// a rule of which one is missing goes on as it is, unless it serves nothing.
    pub fn install(&mut self, rollouts: BTreeMap<String, Rollout>, rules: Vec<Arc<Rule>>) -> bool {
        for rule in rules {
            let slot = self.slots.entry(rule.manifest.name.as_str().to_owned()).or_default();
            slot.versions.insert(version_of(&rule), rule);
        }
        for (name, slot) in &mut self.slots {
            if !rollouts.contains_key(name) {
                slot.keep(Rollout::default());
            }
        }
        let mut whole = true;
        for (name, rollout) in rollouts {
            whole &= self.slots.entry(name).or_default().keep(rollout);
        }
        for slot in self.slots.values_mut() {
            let on_top = slot.pending.as_ref().and_then(|step| slot.kept.after(step).ok());
            slot.rollout = on_top.unwrap_or_else(|| slot.kept.clone());
            slot.forget();
        }
        whole
    }

    /// The versions that these rollouts need and that are not in memory.
    pub fn missing(&self, rollouts: &BTreeMap<String, Rollout>) -> Vec<VersionId> {
        let missing = rollouts.iter().flat_map(|(name, rollout)| {
            let here = self.slots.get(name);
            rollout.needed().filter(move |version| here.is_none_or(|slot| slot.rule(*version).is_none()))
        });
        missing.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The rules with their parts, and one for access that is live in no version.
    pub fn entries(&self) -> (Vec<(Arc<Rule>, Playing)>, Option<PathBuf>) {
        let mut entries = Vec::new();
        let mut in_doubt = None;
        for (name, slot) in &self.slots {
            let rollout = &slot.rollout;
            let trial = rollout
                .candidate
                .as_ref()
                .and_then(|candidate| Some((slot.rule(candidate.version)?.clone(), playing(candidate.trial)?)));
            let canary_percent = match &trial {
                Some((_, Playing::Canary { percent })) => Some(*percent),
                _ => None,
            };
            let active = rollout.active.and_then(|version| slot.rule(version)).cloned();
            if slot.in_doubt(active.as_deref()) || self.held(slot) {
                in_doubt = Some(PathBuf::from(name));
            }
            entries.extend(active.map(|rule| (rule, Playing::Active { canary_percent })));
            entries.extend(trial);
        }
        (entries, in_doubt)
    }
}

impl Slots {
    /// Whether people decide in place of a version that fed what is decided about access, and that one person has taken out.
    fn held(&self, slot: &Slot) -> bool {
        let by_category = self.by_category();
        let covers = |version| slot.rule(version).is_none_or(|rule| self.guard.covers(&rule.manifest, by_category));
        self.guard.two_person && slot.rollout.active.is_none() && slot.rollout.suspended.is_some_and(covers)
    }
}

impl Slot {
    /// Whether a version for access should be asked and none is: it is suspended with none before it, awaits approval with
    /// none before it, or is in no memory and no archive. A version that cannot be read could be for access.
    fn in_doubt(&self, active: Option<&Rule>) -> bool {
        let proposed = self.rollout.candidate.as_ref().filter(|c| c.proposed_by.is_some()).map(|c| c.version);
        let wanted = self.rollout.active.or(self.rollout.suspended).or(proposed);
        let for_access = |version: VersionId| {
            self.rule(version)
                .is_none_or(|rule| rule.manifest.mode != Mode::Off && rule.manifest.stages.contains(&Stage::Access))
        };
        active.is_none() && wanted.is_some_and(for_access)
    }

    /// Takes a rollout as kept, if its versions are in memory or nothing would be lost; whether they are.
    fn keep(&mut self, rollout: Rollout) -> bool {
        let here = rollout.needed().all(|version| self.versions.contains_key(&version));
        let serves = self.kept.needed().any(|version| self.versions.contains_key(&version));
        if here || !serves {
            self.kept = rollout;
            self.wanted = None;
        } else {
            self.wanted = Some(rollout);
        }
        here
    }

    /// Versions that no part needs leave the memory.
    fn forget(&mut self) {
        let wanted = self.wanted.iter().flat_map(Rollout::needed);
        let needed: BTreeSet<VersionId> = self.rollout.needed().chain(self.kept.needed()).chain(wanted).collect();
        self.versions.retain(|version, _| needed.contains(version));
    }
}

/// A rule's version.
pub fn version_of(rule: &Rule) -> VersionId {
    VersionId { component: rule.digest, manifest: rule.manifest_digest }
}
