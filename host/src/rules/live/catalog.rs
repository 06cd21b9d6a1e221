//! The rules that are live, as one unchanging generation, and what became of each folder.
//!
//! A generation is swapped as a whole by one pointer, with all that is shown of it: a ticket takes one at its first stage and keeps
//! it to its last, also over a reload. A folder that breaks keeps its last good rule in the next generation. Which
//! version of a rule has which part is in `slots`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;

use super::directory::Directory;
use super::doubt::missed;
pub use super::generation::{Generation, Missed, Playing, Role};
use super::guard::SETTLE_ACCESS;
use super::rollout::{Rollout, RolloutStep, VersionId};
use super::slots::{Past, Slots};
pub use super::view::{FolderError, FolderStatus, Reloads, Unread, View};
use super::view::{refuse, short};
use crate::rules::load::LoadError;
use crate::rules::run::manifest::Says;
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::Stage;

/// The present view of the rules. The lock orders writers; no reader waits.
pub struct Catalog {
    view: ArcSwap<View>,
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
        Self { view: ArcSwap::from_pointee(View::empty(two_person_access)), writing: Mutex::new(Authority::Folders) }
    }

    /// All that is known at this moment.
    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// The present view, to be changed; the caller holds the lock.
    fn present(&self) -> View {
        View::clone(&self.view.load())
    }

    /// Says which request types ask for access: rules that are asked about them are changed by two people, where the desk asks
    /// for two.
    pub fn set_access_forms(&self, forms: BTreeSet<String>) {
        let _writing = self.write();
        let mut view = self.present();
        Arc::make_mut(&mut view.slots).set_access_forms(Arc::new(forms));
        self.view.store(Arc::new(view));
    }

    /// The rollouts of all rules as they are in effect.
    pub fn slots(&self) -> Arc<Slots> {
        Arc::clone(&self.view.load().slots)
    }

    /// The steps of the directory that are not kept yet, by name, and the generation that they are part of. The first call makes
    /// the deployments the authority: from then on, offers wait to be kept by [`Catalog::install`].
    pub fn pending(&self) -> (u64, BTreeMap<String, RolloutStep>) {
        let mut authority = self.write();
        *authority = Authority::Deployments;
        let view = self.view.load();
        (view.generation.number, view.slots.pending())
    }

    /// Learns what the deployments keep before any of it is in memory: the names that folders have, and the versions that should
    /// be live. What folders have offered already is offered once more, each name by the folder that it belongs to.
    pub fn know(&self, rollouts: BTreeMap<String, Rollout>, past: &Past) {
        let mut authority = self.write();
        *authority = Authority::Deployments;
        let mut view = self.present();
        view.slots = Arc::new(Slots::known(view.slots.two_person_access(), rollouts, past));
        let mut offers: Vec<(PathBuf, Arc<Rule>)> = Vec::new();
        for status in Arc::make_mut(&mut view.folders).values_mut() {
            if let Some(rule) = &status.loaded {
                offers.push((status.folder.clone(), Arc::clone(rule)));
                (status.live, status.error) = (None, None);
            }
        }
        let is_owner = |folder: &Path, rule: &Rule| {
            let owner = view.slots.owner(rule.manifest.name.as_str());
            owner.is_some_and(|(owner, _)| owner == short(folder))
        };
        offers.sort_by_key(|(folder, rule)| !is_owner(folder, rule));
        for (folder, rule) in offers {
            let looked_at = view.folders.get(&folder).map(|status| (status.since_generation, status.checked_at));
            let Some((next, now)) = looked_at else { continue };
            view.offer(folder, rule, next, now);
        }
        self.publish(view, None);
    }

    /// Learns with which folders rules have ended before this process began, by the rules' names.
    pub fn ended_with(&self, folders: BTreeMap<String, String>) {
        let _writing = self.write();
        let mut view = self.present();
        Arc::make_mut(&mut view.slots).ended_with(folders);
        let revision = view.generation.revision();
        self.publish(view, revision);
    }

    /// Notes the folders that are not read yet as they are now.
    pub fn set_unread(&self, unread: BTreeMap<PathBuf, Unread>) {
        let _writing = self.write();
        let mut view = self.present();
        if *view.unread != unread {
            view.unread = Arc::new(unread);
            let revision = view.generation.revision();
            self.publish(view, revision);
        }
    }

    /// The folders that are not read yet as they are now.
    pub fn unread(&self) -> Arc<BTreeMap<PathBuf, Unread>> {
        Arc::clone(&self.view.load().unread)
    }

    /// Notes how the directory looks as a whole.
    pub fn set_directory(&self, directory: Directory) {
        let _writing = self.write();
        let mut view = self.present();
        if *view.directory != directory {
            view.directory = Arc::new(directory);
            let revision = view.generation.revision();
            self.publish(view, revision);
        }
    }

    /// The folders in which another name has taken the place of a rule since this was last asked.
    pub fn take_renamed(&self) -> Vec<PathBuf> {
        if self.view.load().renamed.is_empty() {
            return Vec::new();
        }
        let _writing = self.write();
        let mut view = self.present();
        let renamed = std::mem::take(&mut view.renamed);
        self.view.store(Arc::new(view));
        renamed
    }

    /// The directory as it was last looked at.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.view.load().directory)
    }

    /// The folders whose rules have ended with them and are missed: they were not retired, and it is not long ago.
    pub fn gone(&self) -> Vec<String> {
        self.view.load().gone()
    }

    /// The problems of the directory, a sentence each.
    pub fn troubles(&self) -> Vec<String> {
        self.view.load().troubles()
    }

    /// Whether a folder's rule plays a part.
    pub fn serves(&self, folder: &Path) -> bool {
        let name = short(folder);
        self.view.load().slots.folders().any(|other| other == name)
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
        let mut view = self.present();
        let slots = Arc::make_mut(&mut view.slots);
        for (name, step) in settled {
            slots.settled(name, step);
        }
        let whole = slots.install(rollouts, rules);
        let exact = whole && slots.pending().is_empty();
        self.publish(view, exact.then_some(revision));
        whole
    }

    /// Refuses what a folder has offered, after it seemed good.
    pub fn refuse(&self, folder: &str, message: &str, now: SystemTime) {
        let _writing = self.write();
        let mut view = self.present();
        let folders = Arc::make_mut(&mut view.folders);
        if let Some(path) = folders.keys().find(|path| short(path) == folder).cloned() {
            let mut says = Says::Unknown;
            if let Some(status) = folders.get_mut(&path) {
                (status.live, says) = (None, status.says);
            }
            refuse(folders, path, message, says, now);
            self.publish(view, None);
        }
    }

    /// The versions that these rollouts need and that are not in memory.
    pub fn missing(&self, rollouts: &BTreeMap<String, Rollout>) -> Vec<VersionId> {
        self.view.load().slots.missing(rollouts)
    }

    fn write(&self) -> MutexGuard<'_, Authority> {
        // Everything behind the lock is swapped whole, so a writer that panicked has left it whole.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a changed view the present one, with the next generation if that differs from the one before; `revision` is that of
    /// the rollouts, if they are all as kept.
    fn publish(&self, mut view: View, revision: Option<i64>) {
        let standing = view.standing();
        let missed = |stage| missed(&standing, stage).map(|standing| standing.place.clone());
        let missed = Missed {
            intake: missed(Stage::Intake),
            access: missed(Stage::Access),
            feed: SETTLE_ACCESS.into_iter().find_map(missed),
            closing: missed(Stage::Closing),
        };
        let live = Arc::clone(&view.generation);
        let next = Generation::new(live.number + 1, view.slots.entries(), missed);
        let as_before = next.is_like(&live) && (live.is_at(revision) || live.revision().is_none());
        if !as_before {
            revision.into_iter().for_each(|revision| next.set_revision(revision));
            view.generation = Arc::new(next);
        }
        self.view.store(Arc::new(view));
        // Last, so that who sees the revision sees the rollouts that it is of.
        revision.into_iter().filter(|_| as_before).for_each(|revision| live.set_revision(revision));
    }

    /// The generation that is live now.
    pub fn generation(&self) -> Arc<Generation> {
        Arc::clone(&self.view.load().generation)
    }

    /// The state of each folder, by folder.
    pub fn folders(&self) -> Arc<BTreeMap<PathBuf, FolderStatus>> {
        Arc::clone(&self.view.load().folders)
    }

    /// How often reloads have come to what since the start.
    pub fn reloads(&self) -> Reloads {
        self.view.load().reloads
    }

    /// Takes the outcomes of some folders and makes the next generation live, if any rule changed.
    pub fn apply(&self, outcomes: Vec<(PathBuf, Outcome)>, now: SystemTime) {
        let authority = self.write();
        let mut view = self.present();
        let next = view.generation.number + 1;
        for (folder, outcome) in outcomes {
            match outcome {
                Outcome::Loaded(rule) => {
                    view.reloads.loaded += 1;
                    view.offer(folder, Arc::from(rule), next, now);
                }
                Outcome::Refused { error, says } => {
                    view.reloads.refused += 1;
                    let folders = Arc::make_mut(&mut view.folders);
                    if let Some(status) = folders.get_mut(&folder) {
                        status.loaded = None;
                    }
                    refuse(folders, folder, &error.to_string(), says, now);
                }
                Outcome::Same => {
                    if let Some(status) = Arc::make_mut(&mut view.folders).get_mut(&folder) {
                        status.checked_at = now;
                    }
                }
                Outcome::Gone => {
                    // Also where what it holds was refused, and an earlier version of it serves.
                    let served = Arc::make_mut(&mut view.slots).folder_gone(&folder);
                    if Arc::make_mut(&mut view.folders).remove(&folder).is_some() || served {
                        view.reloads.retired += 1;
                        tracing::info!(folder = %folder.display(), "rule retired: its folder is gone");
                    }
                }
            }
        }
        if *authority == Authority::Folders {
            Arc::make_mut(&mut view.slots).keep_in_memory();
        }
        self.publish(view, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the present is as good as any time")]
    fn what_is_shown_of_a_folder_is_what_is_asked_by() {
        const CHANGES: usize = 3000;
        let (catalog, since) = (Catalog::new(false), std::time::Instant::now());
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for change in 1000..1000 + CHANGES {
                    let unread = Unread { says: Says::Unknown, since };
                    catalog.set_unread(BTreeMap::from([(PathBuf::from(change.to_string()), unread)]));
                }
            });
            while !writer.is_finished() {
                let shown = catalog.unread().keys().next().cloned();
                let generation = catalog.generation();
                let asked = generation.access_in_doubt("access", None, &[]).map(Path::to_owned);
                assert!(asked >= shown, "{shown:?} is shown as not read, and access is asked about by {asked:?}");
            }
        });
    }
}
