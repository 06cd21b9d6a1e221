//! The rules that are live, as one unchanging generation, and what became of each folder.
//!
//! A generation is swapped as a whole by one pointer: a ticket takes one at its first stage and keeps it to its last,
//! whatever is reloaded meanwhile. A folder that breaks keeps its last good rule in the next generation. Which version of a
//! rule has which part is in `slots`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;

pub use super::generation::{Generation, Playing, Role};
use super::rollout::{Rollout, RolloutStep, VersionId};
use super::slots::Slots;
use crate::rules::load::LoadError;
use crate::rules::run::rule::Rule;

/// The state of a folder.
#[derive(Debug, Clone)]
pub struct FolderStatus {
    pub folder: PathBuf,
    /// The rule of this folder that is live, if one is.
    pub live: Option<Arc<Rule>>,
    /// The generation that the live rule came with.
    pub since_generation: u64,
    /// Why the folder's present state is not live.
    pub error: Option<FolderError>,
    /// Whether what was refused here last may have been meant for access decisions.
    pub may_be_access: bool,
    /// When the folder was last looked at with a result.
    pub checked_at: SystemTime,
}

/// Why a folder's present state is not live.
#[derive(Debug, Clone)]
pub struct FolderError {
    pub message: Arc<str>,
    pub at: SystemTime,
}

/// How often reloads have come to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reloads {
    pub loaded: u64,
    pub refused: u64,
    pub retired: u64,
}

/// The live generation, and the folders and rollouts behind it. The lock orders writers; no reader waits.
pub struct Catalog {
    generation: ArcSwap<Generation>,
    folders: ArcSwap<BTreeMap<PathBuf, FolderStatus>>,
    slots: ArcSwap<Slots>,
    reloads: ArcSwap<Reloads>,
    writing: Mutex<Authority>,
}

/// The authority over rollouts: it says what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Authority {
    /// The folders of the directory: each offer is kept in memory at once.
    Folders,
    /// The deployments in a database, by [`Catalog::install`].
    Deployments,
}

/// One folder's outcome.
pub enum Outcome {
    Loaded(Box<Rule>),
    /// With whether it may have been meant for access decisions.
    Refused {
        error: LoadError,
        may_be_access: bool,
    },
    Gone,
}

impl Catalog {
    /// A catalog without rules.
    pub fn new(two_person_access: bool) -> Self {
        Self {
            generation: ArcSwap::from_pointee(Generation::new(0, Vec::new(), None)),
            folders: ArcSwap::default(),
            slots: ArcSwap::from_pointee(Slots::new(two_person_access)),
            reloads: ArcSwap::default(),
            writing: Mutex::new(Authority::Folders),
        }
    }

    /// Says which request types ask for access: rules that are asked about them are changed by two people, where the desk asks
    /// for two.
    pub fn set_access_forms(&self, forms: BTreeSet<String>) {
        let _writing = self.write();
        let mut slots = Slots::clone(&self.slots.load());
        slots.set_access_forms(Arc::new(forms));
        self.slots.store(Arc::new(slots));
    }

    /// The rollouts of all rules as they are in effect.
    pub fn slots(&self) -> Arc<Slots> {
        self.slots.load_full()
    }

    /// The steps of the directory that are not kept yet, by name, and the generation that they are part of. The first call makes
    /// the deployments the authority: from then on, offers wait to be kept by [`Catalog::install`].
    pub fn pending(&self) -> (u64, BTreeMap<String, RolloutStep>) {
        let mut authority = self.write();
        *authority = Authority::Deployments;
        (self.generation.load().number, self.slots.load().pending())
    }

    /// Takes the rollouts as they are kept at a revision, with rules that were not in memory; `settled` are the steps that they
    /// include. Whether all of it is in effect now: a rule whose new version is missing goes on as it is.
    pub fn install(
        &self,
        rollouts: BTreeMap<String, Rollout>,
        rules: Vec<Arc<Rule>>,
        settled: &BTreeMap<String, RolloutStep>,
        revision: i64,
    ) -> bool {
        let _writing = self.write();
        let mut slots = Slots::clone(&self.slots.load());
        for (name, step) in settled {
            slots.settled(name, step);
        }
        let whole = slots.install(rollouts, rules);
        let exact = whole && slots.pending().is_empty();
        self.publish(slots, exact.then_some(revision));
        whole
    }

    /// Refuses what a folder has offered, after it seemed good.
    pub fn refuse(&self, folder: &str, message: &str, now: SystemTime) {
        let _writing = self.write();
        let mut folders = BTreeMap::clone(&self.folders.load());
        let named = |path: &&PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy() == folder);
        if let Some(path) = folders.keys().find(named).cloned() {
            if let Some(status) = folders.get_mut(&path) {
                status.live = None;
            }
            refuse(&mut folders, path, message, now);
            self.folders.store(Arc::new(folders));
        }
    }

    /// The versions that these rollouts need and that are not in memory.
    pub fn missing(&self, rollouts: &BTreeMap<String, Rollout>) -> Vec<VersionId> {
        self.slots.load().missing(rollouts)
    }

    fn write(&self) -> MutexGuard<'_, Authority> {
        // Everything behind the lock is swapped whole, so a writer that panicked has left it whole.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the next generation live, if it differs from this one; `revision` is that of the rollouts, if they are all as kept.
    fn publish(&self, slots: Slots, revision: Option<i64>) {
        let (entries, slot_in_doubt) = slots.entries();
        let folders = self.folders.load();
        let serves = |folder: &Path| {
            let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
            slots.iter().any(|(_, slot)| slot.rollout.folder == name && slot.rollout.active.is_some())
        };
        let folder_in_doubt = folders
            .values()
            .find(|status| status.live.is_none() && status.may_be_access && !serves(&status.folder))
            .map(|status| status.folder.clone());
        let live = self.generation.load();
        let next = Generation::new(live.number + 1, entries, folder_in_doubt.or(slot_in_doubt));
        let as_before = next.is_like(&live) && (live.is_at(revision) || live.revision().is_none());
        match revision {
            Some(revision) if as_before => live.set_revision(revision),
            None if as_before => {}
            _ => {
                revision.into_iter().for_each(|revision| next.set_revision(revision));
                self.generation.store(Arc::new(next));
            }
        }
        self.slots.store(Arc::new(slots));
    }

    /// The generation that is live now.
    pub fn generation(&self) -> Arc<Generation> {
        self.generation.load_full()
    }

    /// The state of each folder, by folder.
    pub fn folders(&self) -> Arc<BTreeMap<PathBuf, FolderStatus>> {
        self.folders.load_full()
    }

    /// How often reloads have come to what since the start.
    pub fn reloads(&self) -> Reloads {
        **self.reloads.load()
    }

    /// Takes the outcomes of some folders and makes the next generation live, if any rule changed.
    pub fn apply(&self, outcomes: Vec<(PathBuf, Outcome)>, now: SystemTime) {
        let authority = self.write();
        let mut folders = BTreeMap::clone(&self.folders.load());
        let mut slots = Slots::clone(&self.slots.load());
        let mut reloads = self.reloads();
        let next = self.generation.load().number + 1;
        for (folder, outcome) in outcomes {
            match outcome {
                Outcome::Loaded(rule) => {
                    reloads.loaded += 1;
                    offer(&mut folders, &mut slots, folder, Arc::from(rule), next, now);
                }
                Outcome::Refused { error, may_be_access } => {
                    reloads.refused += 1;
                    refuse(&mut folders, folder.clone(), &error.to_string(), now);
                    if let Some(status) = folders.get_mut(&folder) {
                        status.may_be_access = may_be_access;
                    }
                }
                Outcome::Gone => {
                    if folders.remove(&folder).is_some() {
                        reloads.retired += 1;
                        // Also where what it holds was refused, and an earlier version of it serves.
                        slots.folder_gone(&folder);
                        tracing::info!(folder = %folder.display(), "rule retired: its folder is gone");
                    }
                }
            }
        }
        if *authority == Authority::Folders {
            slots.keep_in_memory();
        }
        self.folders.store(Arc::new(folders));
        self.reloads.store(Arc::new(reloads));
        self.publish(slots, None);
    }
}

/// Takes a folder's rule, if its name is its own.
fn offer(
    folders: &mut BTreeMap<PathBuf, FolderStatus>,
    slots: &mut Slots,
    folder: PathBuf,
    rule: Arc<Rule>,
    generation: u64,
    now: SystemTime,
) {
    let name = rule.manifest.name.as_str();
    if let Some(other) = taken_by(folders, &folder, name) {
        return refuse(folders, folder, &name_taken(&rule, &other), now);
    }
    // A folder whose rule got another name has no longer the one that it had.
    let before = folders.get(&folder).and_then(|status| status.live.clone());
    if let Some(before) = before.filter(|before| before.manifest.name != rule.manifest.name) {
        slots.gone(before.manifest.name.as_str());
    }
    let short = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if let Err(not_taken) = slots.offered(&short, Arc::clone(&rule)) {
        return refuse(folders, folder, &format!("`{name}` is not taken: {not_taken}"), now);
    }
    tracing::info!(rule = name, version = rule.manifest.version, digest = %rule.digest, "rule loaded");
    folders.insert(folder.clone(), live(folder, rule, generation, now));
}

fn live(folder: PathBuf, rule: Arc<Rule>, generation: u64, now: SystemTime) -> FolderStatus {
    FolderStatus {
        folder,
        live: Some(rule),
        since_generation: generation,
        error: None,
        may_be_access: false,
        checked_at: now,
    }
}

fn refuse(folders: &mut BTreeMap<PathBuf, FolderStatus>, folder: PathBuf, message: &str, now: SystemTime) {
    let error = Some(FolderError { message: Arc::from(message), at: now });
    let status = folders.entry(folder.clone()).or_insert_with(|| FolderStatus {
        folder,
        live: None,
        since_generation: 0,
        error: None,
        may_be_access: false,
        checked_at: now,
    });
    let serving = match &status.live {
        Some(rule) => format!("version {} goes on serving", rule.manifest.version),
        None => "it serves no earlier version".to_owned(),
    };
    tracing::warn!(folder = %status.folder.display(), "rule refused: {message}; {serving}");
    status.error = error;
    status.checked_at = now;
}

/// Another folder whose live rule has this name.
fn taken_by(folders: &BTreeMap<PathBuf, FolderStatus>, folder: &Path, name: &str) -> Option<PathBuf> {
    folders
        .values()
        .find(|status| {
            status.folder != folder && status.live.as_ref().is_some_and(|rule| rule.manifest.name.as_str() == name)
        })
        .map(|status| status.folder.clone())
}

fn name_taken(rule: &Rule, other: &Path) -> String {
    format!("the name `{}` belongs to the rule in {} already: rename one of them", rule.manifest.name, other.display())
}
