//! The directory's offers, written down: when a desk starts, and whenever its folders change.
//!
//! How a running desk learns of other changes is in `follow`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use super::rows::rollout_of;
use super::steps::Reason;
use crate::app::{App, Error, clock};
use crate::rules::live::rollout::{Candidate, Rollout, RolloutStep, Trial, VersionId};
use crate::rules::live::slots::Past;
use crate::rules::run::manifest::{self, Says};
use crate::rules::run::stage::Stage;
use crate::store::Store;

/// How long a desk that knows what decided last waits for its directory before it says that it is ready.
const KNOWN_PATIENCE: Duration = Duration::from_secs(2);
/// The same for one that knows of no rule.
const FIRST_PATIENCE: Duration = Duration::from_secs(15);
/// How far back in the audit of a rule a version is looked for that decided about access, in entries.
const EVENTS_LOOKED_AT: usize = 200;

/// When the rules of this process began.
pub struct Started {
    at: Instant,
    /// Whether the deployments knew of any rule then.
    is_known: bool,
}

impl App {
    /// Brings database and catalog together when a desk starts: what is active comes out of the archive, names belong to the
    /// folders that have them, folders that went away meanwhile, or not long before, are missed, offers that are new are taken, and
    /// canaries that may not count are held back.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub async fn start_rules(self: &Arc<Self>) -> Result<(), Error> {
        if self.two_person_access {
            self.begin_with_agreed_files().await?;
        }
        let only_one = self.archiving.lock().await;
        let (rollouts, past) = kept(&self.store).await?;
        let is_known = !rollouts.is_empty();
        if is_known {
            let expected = rollouts.values().filter(|rollout| rollout.is_live()).filter_map(|r| r.folder.clone());
            let expected = expected.collect();
            let ended = self.ended_before(&rollouts).await?;
            self.rules.catalog().know(rollouts, &past);
            self.rules.expect(expected);
            let app = Arc::clone(self);
            tokio::task::spawn_blocking(move || app.rules.ended_before(ended)).await?;
        }
        if self.two_person_access {
            self.hold_back_canaries().await?;
        }
        self.settle().await?;
        drop(only_one);
        self.started.get_or_init(|| Started { at: clock::instant(), is_known });
        self.fetch_missing().await
    }

    /// The folders with which rules have ended, by the rules' names, and how long ago.
    async fn ended_before(
        &self,
        rollouts: &BTreeMap<String, Rollout>,
    ) -> Result<BTreeMap<String, (String, Duration)>, Error> {
        let mut ended = BTreeMap::new();
        for (name, _) in rollouts.iter().filter(|(_, rollout)| rollout.is_gone()) {
            if let Some((folder, at)) = self.store.ended_with(name).await? {
                let ago = self.clock.now().duration_since(at);
                // By a clock that was ahead, it has just ended.
                ended.insert(name.clone(), (folder, Duration::try_from(ago).unwrap_or_default()));
            }
        }
        Ok(ended)
    }

    /// Whether the rules are as far as tickets should wait for: those that decided last are in effect, and of what lies in the
    /// directory, at a first start, so much has been compiled as can be in a while.
    pub fn rules_are_ready(&self) -> bool {
        let patience = |started: &Started| if started.is_known { KNOWN_PATIENCE } else { FIRST_PATIENCE };
        self.rules.is_read() || self.started.get().is_some_and(|started| started.at.elapsed() >= patience(started))
    }

    /// Canaries of rules for access that were begun before a second person was asked for have no effect any more: each would
    /// decide about access for its share on one word alone.
    async fn hold_back_canaries(&self) -> Result<(), Error> {
        let reason = Reason::of_desk("two-person-access is on: a canary would count on one word");
        for row in self.store.deployments().await? {
            let Some(Candidate { version, trial: Trial::Canary(_), .. }) = rollout_of(&row)?.candidate else {
                continue;
            };
            if self.needs_two(version).await? {
                let back = RolloutStep::Demote { version, trial: Trial::Shadow };
                match self.take_step(&row.name, &back, &reason).await {
                    // Another host, which starts too, may have been quicker.
                    Ok(_) | Err(Error::NotTaken { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Writes down the directory's offers, then follows the database. The caller holds `archiving`.
    pub(crate) async fn settle(&self) -> Result<(), Error> {
        let (generation, pending) = self.rules.catalog().pending();
        let slots = self.rules.catalog().slots();
        for (_, slot) in slots.iter() {
            for rule in slot.versions.values() {
                self.archive_rule(rule).await?;
            }
        }
        for (name, step) in &pending {
            let why = match step {
                RolloutStep::Offer { folder, .. } => {
                    format!("the folder {} has it", folder.as_deref().unwrap_or_default())
                }
                _ => "its folder is gone, or has a rule of another name".to_owned(),
            };
            match self.take_step(name, step, &Reason::of_directory(why)).await {
                Ok(_) => {}
                Err(Error::NotTaken { why, .. }) => self.refuse(step, name, &why.to_string()),
                Err(error) => return Err(error),
            }
        }
        self.install(Vec::new(), &pending).await?;
        // Rules that were loaded meanwhile wait for the next look: only what was pending then is kept now.
        self.archived.fetch_max(generation, Ordering::Release);
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "shown to people as the time of a refusal")]
    fn refuse(&self, step: &RolloutStep, name: &str, why: &str) {
        if let RolloutStep::Offer { folder: Some(folder), .. } = step {
            self.rules.catalog().refuse(folder, &format!("`{name}` is not taken: {why}"), SystemTime::now());
        }
    }
}

/// The rollouts as the deployments keep them, and what is known of their versions.
pub type Kept = (BTreeMap<String, Rollout>, Past);

/// The rollouts that a store keeps.
///
/// # Errors
///
/// Where the store cannot be read.
pub async fn kept(store: &Store) -> Result<Kept, Error> {
    let (mut rollouts, mut past) = (BTreeMap::new(), Past::default());
    for row in store.deployments().await? {
        let rollout = rollout_of(&row)?;
        for version in rollout.named() {
            let said = says(store, &row.name, version).await?;
            past.says.extend(said.map(|says| (version, says)));
        }
        let decided = decided(store, &row.name, &rollout, &past.says).await?;
        past.decided.extend(decided.map(|says| (row.name.clone(), says)));
        rollouts.insert(row.name, rollout);
    }
    Ok((rollouts, past))
}

/// The purpose of a version, by its manifest in the archive.
async fn says(store: &Store, rule: &str, version: VersionId) -> Result<Option<Says>, Error> {
    let manifest = store.manifest(&version.component.to_string(), &version.manifest.to_string()).await?;
    let manifest = manifest.and_then(|text| manifest::parse(Path::new(rule), &text).ok());
    Ok(manifest.map(|manifest| Says::of(&manifest)))
}

/// The words of the version that decided about access before the one which counts now, where that one has moved to other stages.
async fn decided(
    store: &Store,
    rule: &str,
    rollout: &Rollout,
    known: &BTreeMap<VersionId, Says>,
) -> Result<Option<Says>, Error> {
    let is_answer = |says: &Says| *says == Says::Off || says.is_at(Stage::Access);
    let now = rollout.active.and_then(|version| known.get(&version));
    // One that says so itself needs no look at its past.
    if !rollout.is_live() || now.is_some_and(is_answer) {
        return Ok(None);
    }
    for version in store.active_before(rule, EVENTS_LOOKED_AT).await? {
        let Ok(version) = version.parse::<VersionId>() else { continue };
        let said = match known.get(&version) {
            Some(says) => Some(*says),
            None => says(store, rule, version).await?,
        };
        if let Some(says) = said.filter(is_answer) {
            return Ok((says != Says::Off).then_some(says));
        }
    }
    Ok(None)
}
