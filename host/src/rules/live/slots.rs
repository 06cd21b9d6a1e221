//! The rollouts of all rules with the versions that are in memory, and the offers that are not kept yet.
//!
//! The deployments in a database have the last word, by [`Slots::install`]; until they have, an offer of the directory stands on
//! top of the rollout that was kept last. Without deployments the offers alone make the rollouts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::directory::Directory;
use super::doubt::{Meant, Standing};
use super::generation::{Playing, playing};
use super::guard::Guard;
use super::rollout::{Needs, NotTaken, Part, Rollout, RolloutStep, Signatory, Source, Trial, VersionId};
use crate::rules::run::manifest::{Mode, Says};
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
    /// The purposes of its versions, also those that are in no memory.
    says: BTreeMap<VersionId, Says>,
    /// The folder that it ended with, or in which another name has taken its place.
    gone_from: Option<String>,
    /// The words of the last version that was kept as the one which decides about access, since the rule was last retired or off.
    decided: Option<Says>,
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

/// The past of the rules of a desk that starts: what is known of versions that are not in memory.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// The purposes of the versions that rollouts name.
    pub says: BTreeMap<VersionId, Says>,
    /// By the rule's name: the words of the version that decided about access before those that do not, as far back as the rule was
    /// last retired or off.
    pub decided: BTreeMap<String, Says>,
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

    /// The rollouts as they are kept, with no version in memory yet.
    pub fn known(two_person_access: bool, rollouts: BTreeMap<String, Rollout>, past: &Past) -> Self {
        let known = |(name, kept): (String, Rollout)| {
            let says = kept.named().filter_map(|version| Some((version, *past.says.get(&version)?))).collect();
            let decided = past.decided.get(&name).copied();
            let mut slot = Slot { rollout: kept.clone(), kept, says, decided, ..Slot::default() };
            slot.remember();
            (name, slot)
        };
        Self { slots: rollouts.into_iter().map(known).collect(), ..Slots::new(two_person_access) }
    }

    /// Whether a rule for access needs a second person.
    pub fn two_person_access(&self) -> bool {
        self.guard.two_person
    }

    /// The folder that a rule's name belongs to, and the version that it offered last.
    pub fn owner(&self, name: &str) -> Option<(&str, Option<VersionId>)> {
        let rollout = &self.slots.get(name)?.rollout;
        let folder = rollout.folder.as_deref().filter(|_| rollout.source == Source::Directory && rollout.is_live())?;
        Some((folder, rollout.offered))
    }

    /// The folders whose rules play a part.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        let live = self.slots.values().filter(|slot| slot.rollout.is_live());
        live.filter_map(|slot| slot.rollout.folder.as_deref())
    }

    /// The manifests' words of the versions that count: by the folder that offered each, and by the version itself.
    pub fn deciders(&self) -> (BTreeMap<&str, Says>, BTreeMap<VersionId, Says>) {
        let (mut by_folder, mut by_version) = (BTreeMap::new(), BTreeMap::new());
        for slot in self.slots.values() {
            let Some(says) = slot.decides() else { continue };
            by_folder.extend(slot.rollout.folder.as_deref().map(|folder| (folder, says)));
            by_version.extend(slot.rollout.active.map(|version| (version, says)));
        }
        (by_folder, by_version)
    }

    /// The rules that have ended with their folder while that may not be meant: with what they left, and the folder.
    pub fn ended<'a>(&'a self, directory: &'a Directory) -> impl Iterator<Item = (Standing, &'a str)> {
        let (by_folder, _) = self.deciders();
        self.slots.iter().filter_map(move |(name, slot)| {
            let folder = slot.lost(directory)?;
            Some((slot.standing(name, directory, &by_folder), folder))
        })
    }

    /// All rules that should be live, or were, by a directory that looks like this.
    pub fn standing(&self, directory: &Directory) -> Vec<Standing> {
        let (by_folder, _) = self.deciders();
        let standing = self.slots.iter().map(|(name, slot)| {
            let mut standing = slot.standing(name, directory, &by_folder);
            // What fed a decision about access is missed there as if it were for access itself.
            standing.meant.extend(self.held(slot).then_some((Meant::Suspended, Says::ABOUT_ACCESS)));
            standing
        });
        standing.collect()
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
            needs: if self.covers(rule) { Needs::TwoPeople } else { Needs::OnePerson },
            by,
        }
    }

    /// Whether a rule needs two people.
    fn covers(&self, rule: &Rule) -> bool {
        self.guard.covers(&rule.manifest)
    }

    /// How many people a step needs: two where it would change what decides about access. A version that is not in memory could.
    fn needs(&self, slot: &Slot, step: &RolloutStep) -> Needs {
        let covers =
            |version| Some(version) != step.version() && slot.rule(version).is_none_or(|rule| self.covers(rule));
        let is_guarded = self.guard.two_person && slot.kept.at_stake(step).any(covers);
        if is_guarded { Needs::TwoPeople } else { Needs::OnePerson }
    }

    /// Takes a rule that a folder offers.
    ///
    /// # Errors
    ///
    /// Where the name belongs to another source.
    pub fn offered(&mut self, folder: &str, rule: Arc<Rule>) -> Result<(), NotTaken> {
        let name = rule.manifest.name.as_str();
        let step = self.offer(Source::Directory, Some(folder), &rule, Signatory::Directory);
        let needs = self.slots.get(name).map_or(Needs::OnePerson, |slot| self.needs(slot, &step));
        let step = step.guarded(needs);
        let slot = self.slots.entry(name.to_owned()).or_default();
        let rollout = slot.kept.after(&step)?;
        slot.take(rule);
        slot.rollout = rollout;
        slot.pending = Some(step);
        Ok(())
    }

    /// The folder that offered some rules is gone; whether there are any.
    pub fn folder_gone(&mut self, folder: &Path) -> bool {
        let folder = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let of_it = self.slots.iter().filter(|(_, slot)| folder.is_some() && slot.rollout.folder == folder);
        let names: Vec<String> = of_it.map(|(name, _)| name.clone()).collect();
        names.iter().for_each(|name| self.gone(name));
        !names.is_empty()
    }

    /// A folder has a rule of this name: those of other names that it had have ended with that. Whether there are any.
    pub fn folder_has_only(&mut self, folder: &str, name: &str) -> bool {
        let of_it = |slot: &Slot| slot.rollout.folder.as_deref() == Some(folder);
        let others = self.slots.iter().filter(|(other, slot)| other.as_str() != name && of_it(slot));
        let names: Vec<String> = others.map(|(other, _)| other.clone()).collect();
        names.iter().for_each(|name| self.gone(name));
        !names.is_empty()
    }

    /// The folder that offered a rule is gone.
    pub fn gone(&mut self, name: &str) {
        let gone = RolloutStep::Gone { needs: Needs::OnePerson };
        let needs = self.slots.get(name).map_or(Needs::OnePerson, |slot| self.needs(slot, &gone));
        if let Some(slot) = self.slots.get_mut(name) {
            let gone = gone.guarded(needs);
            slot.gone_from = slot.rollout.folder.take().or_else(|| slot.gone_from.take());
            // A rollout can always end.
            slot.rollout = slot.kept.after(&gone).unwrap_or_default();
            slot.pending = Some(gone);
        }
    }

    /// These rules have ended with their folders before this process began.
    pub fn ended_with(&mut self, folders: BTreeMap<String, String>) {
        for (name, folder) in folders {
            if let Some(slot) = self.slots.get_mut(&name) {
                slot.gone_from.get_or_insert(folder);
            }
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
            slot.remember();
            slot.forget();
        }
    }

    /// Takes the rollouts as they are kept now, with rules that were not in memory. Whether all versions that they need are there:
    /// a rule of which one is missing goes on as it is, unless it serves nothing.
    pub fn install(&mut self, rollouts: BTreeMap<String, Rollout>, rules: Vec<Arc<Rule>>) -> bool {
        for rule in rules {
            let slot = self.slots.entry(rule.manifest.name.as_str().to_owned()).or_default();
            slot.take(rule);
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

    /// The rules with their parts.
    pub fn entries(&self) -> Vec<(Arc<Rule>, Playing)> {
        let mut entries = Vec::new();
        for slot in self.slots.values() {
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
            entries.extend(active.map(|rule| (rule, Playing::Active { canary_percent })));
            entries.extend(trial);
        }
        entries
    }
}

impl Slots {
    /// Whether people decide in place of a version that fed what is decided about access, and that one person has taken out.
    fn held(&self, slot: &Slot) -> bool {
        let covers = |version| slot.rule(version).is_none_or(|rule| self.covers(rule));
        self.guard.two_person && slot.rollout.active.is_none() && slot.rollout.suspended.is_some_and(covers)
    }
}

impl Slot {
    /// The manifest's words of the version that counts.
    fn decides(&self) -> Option<Says> {
        self.rollout.active.and_then(|version| self.rule(version)).map(|rule| Says::of(&rule.manifest))
    }

    /// The folder that it has ended with, if that is away and not believed to be gone for good.
    fn lost<'a>(&'a self, directory: &Directory) -> Option<&'a str> {
        self.gone_from.as_deref().filter(|folder| self.rollout.is_gone() && directory.has_lost(folder))
    }

    fn standing(&self, name: &str, directory: &Directory, by_folder: &BTreeMap<&str, Says>) -> Standing {
        // A folder that has a rule of another name by now decides by that one.
        let now = || self.lost(directory).and_then(|folder| by_folder.get(folder)).copied();
        let decides = self.decides().or_else(now);
        let says = |version: &VersionId| self.says.get(version).copied();
        let mut meant = Vec::new();
        for rollout in [&self.rollout, self.wanted()] {
            let absent = rollout.active.filter(|version| self.rule(*version).is_none());
            let offered = rollout.candidate.as_ref().map(|candidate| candidate.version);
            let parts = [(Meant::Active, absent), (Meant::Suspended, rollout.suspended), (Meant::Offered, offered)];
            for (part, version) in parts.into_iter().filter_map(|(part, version)| Some((part, version?))) {
                meant.push((part, says(&version).unwrap_or(Says::Unknown)));
            }
        }
        let before = self.rollout.previous.as_ref().and_then(says);
        let part = match self.rollout.is_gone() {
            true if self.lost(directory).is_some() => Meant::Away,
            true if directory.is_empty() => Meant::Gone,
            _ => Meant::Before,
        };
        meant.extend(before.map(|says| (part, says)));
        // However many versions ago it was: a touch of the one that counts now is no word about access.
        let since = if self.rollout.active.is_none() { Meant::Suspended } else { Meant::Before };
        meant.extend(self.decided.filter(|_| self.rollout.is_live()).map(|says| (since, says)));
        Standing { place: PathBuf::from(name), decides, meant }
    }

    /// Takes a version into memory.
    fn take(&mut self, rule: Arc<Rule>) {
        let version = version_of(&rule);
        self.says.insert(version, Says::of(&rule.manifest));
        self.versions.insert(version, rule);
    }

    /// Takes a rollout as kept, if its versions are in memory or nothing would be lost; whether they are.
    fn keep(&mut self, rollout: Rollout) -> bool {
        let here = rollout.needed().all(|version| self.versions.contains_key(&version));
        let serves = self.kept.needed().any(|version| self.versions.contains_key(&version));
        if here || !serves {
            if rollout.is_gone() {
                // Another host may have missed it first.
                self.gone_from = self.kept.folder.take().or_else(|| self.gone_from.take());
            }
            self.kept = rollout;
            self.remember();
            self.wanted = None;
        } else {
            self.wanted = Some(rollout);
        }
        here
    }

    /// Notes that the version which is kept as active decides about access, or that this is over: the rule says that it is off, or
    /// plays no part any more.
    fn remember(&mut self) {
        let says = self.kept.active.and_then(|version| self.says.get(&version)).copied();
        if !self.kept.is_live() || says == Some(Says::Off) {
            self.decided = None;
        } else if let Some(says) = says.filter(|says| says.is_at(Stage::Access)) {
            self.decided = Some(says);
        }
    }

    /// Versions that no part needs leave the memory.
    fn forget(&mut self) {
        let wanted = self.wanted.iter().flat_map(Rollout::needed);
        let needed: BTreeSet<VersionId> = self.rollout.needed().chain(self.kept.needed()).chain(wanted).collect();
        self.versions.retain(|version, _| needed.contains(version));
        let named = [&self.rollout, &self.kept].into_iter().chain(self.wanted.as_ref()).flat_map(Rollout::named);
        let named: BTreeSet<VersionId> = named.collect();
        self.says.retain(|version, _| named.contains(version));
    }
}

/// A rule's version.
pub fn version_of(rule: &Rule) -> VersionId {
    VersionId { component: rule.digest, manifest: rule.manifest_digest }
}
