//! The rules that are live, as one unchanging generation, and what became of each folder.
//!
//! A generation is swapped as a whole by one pointer: a ticket takes one at its first stage and keeps it to its last,
//! whatever is reloaded meanwhile. A folder that breaks keeps its last good rule in the next generation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;

use super::load::LoadError;
use super::manifest::Mode;
use super::rule::Rule;
use super::stage::Stage;

/// All rules that are live at one time.
#[derive(Debug)]
pub struct Generation {
    /// Counts up from 1 in each process.
    pub number: u64,
    /// In the order in which they are asked: by `order`, then by name.
    rules: Vec<Arc<Rule>>,
    /// A folder with a rule for access, or with one that cannot be read, which is not live in any version.
    access_in_doubt: Option<PathBuf>,
}

impl Generation {
    /// A generation that is live nowhere: what would be if these were the rules.
    pub fn imagined(number: u64, mut rules: Vec<Arc<Rule>>) -> Self {
        sort(&mut rules);
        Self { number, rules, access_in_doubt: None }
    }

    /// All rules, in the order in which they are asked.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// The rules to ask at a stage about such a ticket, in order.
    pub fn asked<'a>(
        &'a self,
        stage: Stage,
        request_type: &'a str,
        category: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<Rule>> {
        self.rules.iter().filter(move |rule| {
            let manifest = &rule.manifest;
            manifest.mode != Mode::Off
                && manifest.stages.contains(&stage)
                && manifest.matches.admits(request_type, category)
                && !(stage == Stage::Access && rule.is_kept_from_access())
        })
    }

    /// The folder of a rule that would be asked about access and is not live, not even in an earlier version, or that may
    /// answer the same question in two ways. Access must not be given as if that rule had nothing to say.
    pub fn access_in_doubt(&self) -> Option<&Path> {
        let uncertain = self.rules.iter().find(|rule| rule.is_kept_from_access());
        self.access_in_doubt.as_deref().or_else(|| uncertain.map(|rule| rule.folder.as_path()))
    }

    /// Whether a rule asks to see the requester's recent tickets at a stage.
    pub fn wants_recent_tickets(&self) -> bool {
        self.rules.iter().any(|r| r.manifest.mode != Mode::Off && r.manifest.wants_recent_tickets)
    }
}

/// What became of a folder.
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

/// The live generation and the folders behind it. One thread writes it, everybody reads it.
pub struct Catalog {
    generation: ArcSwap<Generation>,
    folders: ArcSwap<BTreeMap<PathBuf, FolderStatus>>,
    reloads: ArcSwap<Reloads>,
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

impl Default for Catalog {
    fn default() -> Self {
        Self {
            generation: ArcSwap::from_pointee(Generation { number: 0, rules: Vec::new(), access_in_doubt: None }),
            folders: ArcSwap::default(),
            reloads: ArcSwap::default(),
        }
    }
}

impl Catalog {
    /// The generation that is live now.
    pub fn generation(&self) -> Arc<Generation> {
        self.generation.load_full()
    }

    /// What became of each folder, by folder.
    pub fn folders(&self) -> Arc<BTreeMap<PathBuf, FolderStatus>> {
        self.folders.load_full()
    }

    /// How often reloads have come to what since the start.
    pub fn reloads(&self) -> Reloads {
        **self.reloads.load()
    }

    /// Takes the outcomes of some folders and makes the next generation live, if any rule changed.
    pub fn apply(&self, outcomes: Vec<(PathBuf, Outcome)>, now: SystemTime) {
        let mut folders = BTreeMap::clone(&self.folders.load());
        let mut reloads = self.reloads();
        let next = self.generation.load().number + 1;
        let mut changed = false;
        for (folder, outcome) in outcomes {
            match outcome {
                Outcome::Loaded(rule) => {
                    reloads.loaded += 1;
                    match taken_by(&folders, &folder, rule.manifest.name.as_str()) {
                        Some(other) => refuse(&mut folders, folder, &name_taken(&rule, &other), now),
                        None => {
                            changed = true;
                            tracing::info!(rule = %rule.manifest.name, version = rule.manifest.version, digest = %rule.digest, "rule loaded");
                            folders.insert(folder.clone(), live(folder, *rule, next, now));
                        }
                    }
                }
                Outcome::Refused { error, may_be_access } => {
                    reloads.refused += 1;
                    refuse(&mut folders, folder.clone(), &error.to_string(), now);
                    if let Some(status) = folders.get_mut(&folder) {
                        status.may_be_access = may_be_access;
                    }
                }
                Outcome::Gone => {
                    if let Some(status) = folders.remove(&folder) {
                        reloads.retired += 1;
                        changed |= status.live.is_some();
                        tracing::info!(folder = %folder.display(), "rule retired: its folder is gone");
                    }
                }
            }
        }
        let access_in_doubt =
            folders.values().find(|status| status.live.is_none() && status.may_be_access).map(|s| s.folder.clone());
        if changed || access_in_doubt != self.generation.load().access_in_doubt {
            self.generation.store(Arc::new(Generation { number: next, rules: in_order(&folders), access_in_doubt }));
        }
        self.folders.store(Arc::new(folders));
        self.reloads.store(Arc::new(reloads));
    }
}

fn live(folder: PathBuf, rule: Rule, generation: u64, now: SystemTime) -> FolderStatus {
    FolderStatus {
        folder,
        live: Some(Arc::new(rule)),
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

fn in_order(folders: &BTreeMap<PathBuf, FolderStatus>) -> Vec<Arc<Rule>> {
    let mut rules: Vec<Arc<Rule>> = folders.values().filter_map(|s| s.live.clone()).collect();
    sort(&mut rules);
    rules
}

/// Puts rules into the order in which they are asked.
fn sort(rules: &mut [Arc<Rule>]) {
    rules.sort_by(|a, b| (a.manifest.order, &a.manifest.name).cmp(&(b.manifest.order, &b.manifest.name)));
}
