//! The rules that are live, as one unchanging generation, and what became of each folder.
//!
//! A generation is swapped as a whole by one pointer: a ticket takes one at its first stage and keeps it to its last,
//! also over a reload. A folder that breaks keeps its last good rule in the next generation. Which version of a
//! rule has which part is in `slots`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use arc_swap::ArcSwap;

use super::directory::Directory;
use super::doubt::{Meant, Standing, missed};
pub use super::generation::{Generation, Missed, Playing, Role};
use super::guard::SETTLE_ACCESS;
use super::rollout::{Rollout, RolloutStep, VersionId};
use super::slots::{Past, Slots, version_of};
use crate::rules::load::LoadError;
use crate::rules::run::manifest::Says;
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::Stage;
use crate::rules::text::cut;

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
    /// The rule in the folder, where it is one: also where its name belongs to another folder.
    pub loaded: Option<Arc<Rule>>,
    /// The purpose of the folder's content.
    pub says: Says,
    /// When the folder was last looked at with a result.
    pub checked_at: SystemTime,
}

/// Why a folder's present state is not live.
#[derive(Debug, Clone)]
pub struct FolderError {
    pub message: Arc<str>,
    pub at: SystemTime,
}

/// A folder that is not read yet as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread {
    /// Its purpose.
    pub says: Says,
    pub since: Instant,
}

/// How often reloads have come to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reloads {
    pub loaded: u64,
    pub refused: u64,
    pub retired: u64,
}

/// The longest message about a folder, in bytes.
const MESSAGE_BYTES_MAX: usize = 40 << 10;

/// The live generation, and the folders and rollouts behind it. The lock orders writers; no reader waits.
pub struct Catalog {
    generation: ArcSwap<Generation>,
    folders: ArcSwap<BTreeMap<PathBuf, FolderStatus>>,
    slots: ArcSwap<Slots>,
    reloads: ArcSwap<Reloads>,
    /// Folders that are not read yet as they are now.
    unread: ArcSwap<BTreeMap<PathBuf, Unread>>,
    directory: ArcSwap<Directory>,
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
    /// With what it may have been meant for.
    Refused {
        error: LoadError,
        says: Says,
    },
    Gone,
    /// Its files have the content that they had.
    Same,
}

impl Catalog {
    /// A catalog without rules.
    pub fn new(two_person_access: bool) -> Self {
        Self {
            generation: ArcSwap::from_pointee(Generation::new(0, Vec::new(), Missed::default())),
            folders: ArcSwap::default(),
            slots: ArcSwap::from_pointee(Slots::new(two_person_access)),
            reloads: ArcSwap::default(),
            unread: ArcSwap::default(),
            directory: ArcSwap::from_pointee(Directory::NEVER_SEEN),
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

    /// Learns what the deployments keep before any of it is in memory: the names that folders have, and the versions that should
    /// be live. What folders have offered already is offered once more, each name by the folder that it belongs to.
    pub fn know(&self, rollouts: BTreeMap<String, Rollout>, past: &Past) {
        let mut authority = self.write();
        *authority = Authority::Deployments;
        let mut slots = Slots::known(self.slots.load().two_person_access(), rollouts, past);
        let mut folders = BTreeMap::clone(&self.folders.load());
        let mut offers: Vec<(PathBuf, Arc<Rule>)> = Vec::new();
        for status in folders.values_mut() {
            if let Some(rule) = &status.loaded {
                offers.push((status.folder.clone(), Arc::clone(rule)));
                (status.live, status.error) = (None, None);
            }
        }
        let is_owner = |folder: &Path, rule: &Rule| {
            let owner = slots.owner(rule.manifest.name.as_str());
            owner.is_some_and(|(owner, _)| owner == short(folder))
        };
        offers.sort_by_key(|(folder, rule)| !is_owner(folder, rule));
        for (folder, rule) in offers {
            let Some((next, now)) = folders.get(&folder).map(|s| (s.since_generation, s.checked_at)) else { continue };
            self.offer(&mut folders, &mut slots, folder, rule, next, now);
        }
        self.folders.store(Arc::new(folders));
        self.publish(slots, None);
    }

    /// Learns with which folders rules have ended before this process began, by the rules' names.
    pub fn ended_with(&self, folders: BTreeMap<String, String>) {
        let _writing = self.write();
        let mut slots = Slots::clone(&self.slots.load());
        slots.ended_with(folders);
        self.publish(slots, self.generation.load().revision());
    }

    /// Notes the folders that are not read yet as they are now.
    pub fn set_unread(&self, unread: BTreeMap<PathBuf, Unread>) {
        let _writing = self.write();
        if **self.unread.load() != unread {
            self.unread.store(Arc::new(unread));
            self.publish(Slots::clone(&self.slots.load()), self.generation.load().revision());
        }
    }

    /// The folders that are not read yet as they are now.
    pub fn unread(&self) -> Arc<BTreeMap<PathBuf, Unread>> {
        self.unread.load_full()
    }

    /// Notes how the directory looks as a whole.
    pub fn set_directory(&self, directory: Directory) {
        let _writing = self.write();
        if **self.directory.load() != directory {
            self.directory.store(Arc::new(directory));
            self.publish(Slots::clone(&self.slots.load()), self.generation.load().revision());
        }
    }

    /// The directory as it was last looked at.
    pub fn directory(&self) -> Arc<Directory> {
        self.directory.load_full()
    }

    /// The folders whose rules have ended with them and are missed: they were not retired, and it is not long ago.
    pub fn gone(&self) -> Vec<String> {
        const MISSED: [Stage; 4] = [Stage::Intake, Stage::Categorization, Stage::Access, Stage::Closing];
        let (slots, directory) = (self.slots.load(), self.directory.load());
        let gone = slots.ended(&directory);
        let gone = gone.filter(|(standing, _)| MISSED.iter().any(|stage| standing.is_missed(*stage)));
        gone.map(|(_, folder)| folder.to_owned()).collect()
    }

    /// The problems of the directory, a sentence each.
    pub fn troubles(&self) -> Vec<String> {
        let mut troubles = self.directory.load().troubles();
        let gone = self.gone();
        if !gone.is_empty() {
            troubles.push(format!(
                "rules have ended with their folders, and nobody has retired them ({}): until that is believed, or `rules retire` or a \
                 reload says that it is meant, what they did not look at is taken as not checked, and a person decides where they \
                 decided about access",
                gone.join(", ")
            ));
        }
        troubles
    }

    /// Whether a folder's rule plays a part.
    pub fn serves(&self, folder: &Path) -> bool {
        let name = short(folder);
        self.slots.load().folders().any(|other| other == name)
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
        if let Some(path) = folders.keys().find(|path| short(path) == folder).cloned() {
            let mut says = Says::Unknown;
            if let Some(status) = folders.get_mut(&path) {
                (status.live, says) = (None, status.says);
            }
            refuse(&mut folders, path, message, says, now);
            self.folders.store(Arc::new(folders));
            self.publish(Slots::clone(&self.slots.load()), None);
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
        let standing = self.standing(&slots);
        let missed = |stage| missed(&standing, stage).map(|standing| standing.place.clone());
        let missed = Missed {
            intake: missed(Stage::Intake),
            access: missed(Stage::Access),
            feed: SETTLE_ACCESS.into_iter().find_map(missed),
            closing: missed(Stage::Closing),
        };
        let live = self.generation.load();
        let next = Generation::new(live.number + 1, slots.entries(), missed);
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

    /// The one list of what should be live: the rules that are deployed, and the folders that are not, or not yet.
    fn standing(&self, slots: &Slots) -> Vec<Standing> {
        let (folders, unread) = (self.folders.load(), self.unread.load());
        let mut standing = slots.standing(&self.directory.load());
        let with_trouble: BTreeSet<&PathBuf> =
            folders.values().filter(|status| status.error.is_some()).map(|s| &s.folder).chain(unread.keys()).collect();
        let (by_folder, by_version) = slots.deciders();
        for folder in with_trouble {
            let status = folders.get(folder);
            let lies_there = status.and_then(|status| status.loaded.as_deref()).map(version_of);
            let refused = status.filter(|status| status.error.is_some()).map(|s| (Meant::Refused, s.says));
            let meant =
                refused.into_iter().chain(unread.get(folder).map(|unread| (Meant::Unread, unread.says))).collect();
            let same = || by_version.get(&lies_there?);
            let decides = by_folder.get(short(folder).as_str()).or_else(same).copied();
            standing.push(Standing { place: folder.clone(), decides, meant });
        }
        standing
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
                    self.offer(&mut folders, &mut slots, folder, Arc::from(rule), next, now);
                }
                Outcome::Refused { error, says } => {
                    reloads.refused += 1;
                    if let Some(status) = folders.get_mut(&folder) {
                        status.loaded = None;
                    }
                    refuse(&mut folders, folder, &error.to_string(), says, now);
                }
                Outcome::Same => {
                    if let Some(status) = folders.get_mut(&folder) {
                        status.checked_at = now;
                    }
                }
                Outcome::Gone => {
                    // Also where what it holds was refused, and an earlier version of it serves.
                    let served = slots.folder_gone(&folder);
                    if folders.remove(&folder).is_some() || served {
                        reloads.retired += 1;
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

    /// Takes a folder's rule, if its name is its own.
    fn offer(
        &self,
        folders: &mut BTreeMap<PathBuf, FolderStatus>,
        slots: &mut Slots,
        folder: PathBuf,
        rule: Arc<Rule>,
        generation: u64,
        now: SystemTime,
    ) {
        let (name, says) = (rule.manifest.name.as_str(), Says::of(&rule.manifest));
        let not_taken = |folders: &mut BTreeMap<PathBuf, FolderStatus>, message: &str| {
            refuse(folders, folder.clone(), message, says, now);
            if let Some(status) = folders.get_mut(&folder) {
                status.loaded = Some(Arc::clone(&rule));
            }
        };
        if let Some(other) = self.owner(folders, slots, &folder, &rule) {
            return not_taken(folders, &name_taken(&rule, &other));
        }
        // A folder whose rule got another name has no longer the one that it had.
        let before = folders.get(&folder).and_then(|status| status.live.clone());
        if let Some(before) = before.filter(|before| before.manifest.name != rule.manifest.name) {
            slots.gone(before.manifest.name.as_str());
        }
        if let Err(why) = slots.offered(&short(&folder), Arc::clone(&rule)) {
            return not_taken(folders, &format!("`{name}` is not taken: {why}"));
        }
        tracing::info!(rule = name, version = rule.manifest.version, digest = %rule.digest, "rule loaded");
        folders.insert(folder.clone(), live(folder, rule, generation, now));
    }

    /// Another folder that a rule's name belongs to. One that has not been there for a moment keeps it, unless this one holds the
    /// same: then it was renamed.
    fn owner(
        &self,
        folders: &BTreeMap<PathBuf, FolderStatus>,
        slots: &Slots,
        folder: &Path,
        rule: &Rule,
    ) -> Option<PathBuf> {
        let name = rule.manifest.name.as_str();
        let Some((owner, has)) = slots.owner(name) else {
            // One that was retired, say, and still lies there.
            let has_name = |status: &&FolderStatus| {
                let of_it = |rule: &Arc<Rule>| rule.manifest.name.as_str() == name;
                status.folder != folder && status.live.as_ref().is_some_and(of_it)
            };
            return folders.values().find(has_name).map(|status| status.folder.clone());
        };
        let path = folder.with_file_name(owner);
        if path == folder {
            return None;
        }
        let is_missing = self.directory.load().missing.iter().any(|(missing, _)| *missing == path);
        let stands = if is_missing {
            has != Some(version_of(rule))
        } else {
            folders.contains_key(&path) || self.unread.load().contains_key(&path)
        };
        stands.then_some(path)
    }
}

/// A folder's own name.
fn short(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn live(folder: PathBuf, rule: Arc<Rule>, generation: u64, now: SystemTime) -> FolderStatus {
    let says = Says::of(&rule.manifest);
    let (live, loaded) = (Some(Arc::clone(&rule)), Some(rule));
    FolderStatus { folder, live, since_generation: generation, error: None, loaded, says, checked_at: now }
}

fn refuse(folders: &mut BTreeMap<PathBuf, FolderStatus>, folder: PathBuf, message: &str, says: Says, now: SystemTime) {
    let message = &cut(message.to_owned(), MESSAGE_BYTES_MAX);
    let error = Some(FolderError { message: Arc::from(message.as_str()), at: now });
    let status = folders.entry(folder.clone()).or_insert_with(|| FolderStatus {
        folder,
        live: None,
        since_generation: 0,
        error: None,
        loaded: None,
        says,
        checked_at: now,
    });
    let serving = match &status.live {
        Some(rule) => format!("version {} goes on serving", rule.manifest.version),
        None => "it serves no earlier version".to_owned(),
    };
    tracing::warn!(folder = %status.folder.display(), "rule refused: {message}; {serving}");
    (status.error, status.says) = (error, says);
    status.checked_at = now;
}

fn name_taken(rule: &Rule, other: &Path) -> String {
    format!("the name `{}` belongs to the rule in {} already: rename one of them", rule.manifest.name, other.display())
}
