//! The directory's offers, written down: when a desk starts, and whenever its folders change.
//!
//! How a running desk learns of other changes is in `follow`.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use super::rows::rollout_of;
use super::steps::Reason;
use crate::app::{App, Error};
use crate::rules::live::rollout::{Candidate, RolloutStep, Source, Trial};

impl App {
    /// Brings database and catalog together when a desk starts: folders that went away meanwhile are gone, offers that are
    /// new are taken, canaries that may not count are held back, and what is active comes out of the archive where no folder
    /// has it.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub async fn start_rules(&self) -> Result<(), Error> {
        let only_one = self.archiving.lock().await;
        let here: Vec<String> = self.rules.catalog().folders().keys().filter_map(|path| short(path)).collect();
        for row in self.store.deployments().await? {
            let from_folder = row.source == Source::Directory.code() && row.offered.is_some();
            if from_folder && row.folder.as_ref().is_some_and(|folder| !here.contains(folder)) {
                let names = self.rules.catalog().pending().1;
                if !names.contains_key(&row.name) {
                    let reason = Reason::of_directory("its folder is gone".to_owned());
                    self.take_step(&row.name, &RolloutStep::Gone { second: false }, &reason).await?;
                }
            }
        }
        if self.two_person_access {
            self.hold_back_canaries().await?;
        }
        self.settle().await?;
        drop(only_one);
        self.fetch_missing().await
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
                _ => "its folder is gone".to_owned(),
            };
            match self.take_step(name, step, &Reason::of_directory(why)).await {
                Ok(_) => {}
                Err(Error::NotTaken { why, .. }) => self.refuse(step, name, &why.to_string()),
                Err(error) => return Err(error),
            }
        }
        self.install(Vec::new(), &pending).await?;
        self.archived.fetch_max(generation, Ordering::Release);
        if pending.is_empty() {
            self.archived.fetch_max(self.rules.generation().number, Ordering::Release);
        }
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "shown to people as the time of a refusal")]
    fn refuse(&self, step: &RolloutStep, name: &str, why: &str) {
        if let RolloutStep::Offer { folder: Some(folder), .. } = step {
            self.rules.catalog().refuse(folder, &format!("`{name}` is not taken: {why}"), SystemTime::now());
        }
    }
}

fn short(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_string_lossy().into_owned())
}
