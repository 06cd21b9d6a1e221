//! All that is known of the rules at one moment: what is asked, and what became of each folder.
//!
//! It is swapped as a whole: where a list shows a folder's new state, tickets are asked by it already, and not a moment later.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::directory::Directory;
use super::doubt::{Meant, Standing};
use super::generation::{Generation, Missed};
use super::slots::{Slots, version_of};
use crate::rules::run::manifest::Says;
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::Stage;
use crate::rules::text::cut;

/// The live generation, and the folders and rollouts that it is made of.
#[derive(Debug, Clone)]
pub struct View {
    pub generation: Arc<Generation>,
    /// The state of each folder, by folder.
    pub folders: Arc<BTreeMap<PathBuf, FolderStatus>>,
    /// The rollouts of all rules as they are in effect.
    pub slots: Arc<Slots>,
    /// The folders that are not read yet as they are now.
    pub unread: Arc<BTreeMap<PathBuf, Unread>>,
    /// The directory as it was last looked at.
    pub directory: Arc<Directory>,
    /// How often reloads have come to what since the start.
    pub reloads: Reloads,
    /// The folders in which another name has taken the place of a rule, and of which the watch has not heard yet.
    pub renamed: Vec<PathBuf>,
}

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
pub const MESSAGE_BYTES_MAX: usize = 40 << 10;

impl View {
    /// A view of no rules, before the directory was looked at.
    pub(super) fn empty(two_person_access: bool) -> Self {
        Self {
            generation: Arc::new(Generation::new(0, Vec::new(), Missed::default())),
            folders: Arc::default(),
            slots: Arc::new(Slots::new(two_person_access)),
            unread: Arc::default(),
            directory: Arc::new(Directory::NEVER_SEEN),
            reloads: Reloads::default(),
            renamed: Vec::new(),
        }
    }

    /// The folders whose rules have ended with them and are missed: they were not retired, and it is not long ago.
    pub fn gone(&self) -> Vec<String> {
        const MISSED: [Stage; 4] = [Stage::Intake, Stage::Categorization, Stage::Access, Stage::Closing];
        let gone = self.slots.ended(&self.directory);
        let gone = gone.filter(|(standing, _)| MISSED.iter().any(|stage| standing.is_missed(*stage)));
        gone.map(|(_, folder)| folder.to_owned()).collect()
    }

    /// The problems of the directory, a sentence each.
    pub(super) fn troubles(&self) -> Vec<String> {
        let mut troubles = self.directory.troubles();
        let gone = self.gone();
        if !gone.is_empty() {
            troubles.push(format!(
                "rules have ended with their folders, or have others in their place there, and nobody has retired them ({}): until \
                 that is believed, or `rules retire` or a reload says that it is meant, what they did not look at is taken as not \
                 checked, and a person decides where they decided about access",
                gone.join(", ")
            ));
        }
        troubles
    }

    /// The one list of what should be live: the rules that are deployed, and the folders that are not, or not yet.
    pub(super) fn standing(&self) -> Vec<Standing> {
        let (folders, unread) = (&self.folders, &self.unread);
        let mut standing = self.slots.standing(&self.directory);
        let with_trouble: BTreeSet<&PathBuf> =
            folders.values().filter(|status| status.error.is_some()).map(|s| &s.folder).chain(unread.keys()).collect();
        let (by_folder, by_version) = self.slots.deciders();
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

    /// Takes a folder's rule, if its name is its own.
    pub(super) fn offer(&mut self, folder: PathBuf, rule: Arc<Rule>, generation: u64, now: SystemTime) {
        let (name, says) = (rule.manifest.name.as_str(), Says::of(&rule.manifest));
        let not_taken = |folders: &mut BTreeMap<PathBuf, FolderStatus>, message: &str| {
            refuse(folders, folder.clone(), message, says, now);
            if let Some(status) = folders.get_mut(&folder) {
                status.loaded = Some(Arc::clone(&rule));
            }
        };
        let owner = self.owner(&folder, &rule);
        let (folders, slots) = (Arc::make_mut(&mut self.folders), Arc::make_mut(&mut self.slots));
        if let Some(other) = owner {
            return not_taken(folders, &name_taken(&rule, &other));
        }
        if let Err(why) = slots.offered(&short(&folder), Arc::clone(&rule)) {
            return not_taken(folders, &format!("`{name}` is not taken: {why}"));
        }
        // A folder whose rule got another name has no longer the one that it had, also where that happened before this process began.
        // Whether it is meant to be missed is no more believed at once than of a folder that is away.
        if slots.folder_has_only(&short(&folder), name) {
            Arc::make_mut(&mut self.directory).ended.push(folder.clone());
            self.renamed.push(folder.clone());
        }
        tracing::info!(rule = name, version = rule.manifest.version, digest = %rule.digest, "rule loaded");
        folders.insert(folder.clone(), live(folder, rule, generation, now));
    }

    /// Another folder that a rule's name belongs to. One that has not been there for a moment keeps it, unless this one holds the
    /// same: then it was renamed.
    fn owner(&self, folder: &Path, rule: &Rule) -> Option<PathBuf> {
        let name = rule.manifest.name.as_str();
        let Some((owner, has)) = self.slots.owner(name) else {
            // One that was retired, say, and still lies there.
            let has_name = |status: &&FolderStatus| {
                let of_it = |rule: &Arc<Rule>| rule.manifest.name.as_str() == name;
                status.folder != folder && status.live.as_ref().is_some_and(of_it)
            };
            return self.folders.values().find(has_name).map(|status| status.folder.clone());
        };
        let path = folder.with_file_name(owner);
        if path == folder {
            return None;
        }
        let is_missing = self.directory.missing.iter().any(|(missing, _)| *missing == path);
        let stands = if is_missing {
            has != Some(version_of(rule))
        } else {
            self.folders.contains_key(&path) || self.unread.contains_key(&path)
        };
        stands.then_some(path)
    }
}

/// A folder's own name.
pub(super) fn short(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn live(folder: PathBuf, rule: Arc<Rule>, generation: u64, now: SystemTime) -> FolderStatus {
    let says = Says::of(&rule.manifest);
    let (live, loaded) = (Some(Arc::clone(&rule)), Some(rule));
    FolderStatus { folder, live, since_generation: generation, error: None, loaded, says, checked_at: now }
}

/// Notes why a folder's content is not taken.
pub(super) fn refuse(
    folders: &mut BTreeMap<PathBuf, FolderStatus>,
    folder: PathBuf,
    message: &str,
    says: Says,
    now: SystemTime,
) {
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
