//! The life of rules, kept in the database: what the directory offers is written down, what people command is written down
//! and takes effect, and what another process wrote takes effect here too.
//!
//! How a running desk learns of changes is in `follow`.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use super::archive;
use crate::app::{App, Clock, Error};
use crate::desk::actor::Actor;
use crate::desk::permission;
use crate::desk::ticket::edit;
use crate::rules::live::rollout::{Candidate, Life, NotTaken, Source, Step, Trial, VersionId};
pub use crate::rules::live::rollout::{Part, Trial as LifeTrial};
use crate::rules::run::manifest;
use crate::rules::run::stage::Stage;
pub use crate::store::rules::deployments::DeploymentEvent;
use crate::store::rules::deployments::{Brought, Deployment, DeploymentChange};
use crate::store::{self, Store};

/// How often a change is tried anew that crosses with others.
const TRIES_MAX: usize = 8;
/// Who the rules directory is in the audit.
const DIRECTORY: &str = "directory";
/// Who the desk is in the audit.
pub(crate) const DESK: &str = "desk";
/// Entries of the audit that are shown at once.
pub const EVENTS_MAX: i64 = 200;

/// What an admin can do with a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Promote {
        part: Part,
        /// The version that is meant, in full or by as much of it as means one alone. Without it, the one that is there now.
        version: Option<String>,
    },
    Demote {
        trial: Trial,
        version: Option<String>,
    },
    /// A second person agrees to what they have looked at, so they always say which version that was.
    Approve {
        version: String,
    },
    RollBack,
    Suspend {
        version: Option<String>,
    },
    Resume,
    Retire,
}

/// Who commands, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub by: String,
    pub why: String,
}

/// The life that a row keeps.
///
/// # Errors
///
/// [`store::Error::Corrupt`] where nothing of ours wrote it.
pub fn life_of(row: &Deployment) -> Result<Life, store::Error> {
    let corrupt = |column, found: &str| store::Error::Corrupt { table: "deployments", column, found: found.to_owned() };
    let version = |column, text: &Option<String>| {
        text.as_deref().map(|text| text.parse::<VersionId>().map_err(|_| corrupt(column, text))).transpose()
    };
    let candidate = version("candidate", &row.candidate)?
        .map(|version| {
            let trial = match (row.trial.as_deref(), row.percent.and_then(|percent| u8::try_from(percent).ok())) {
                (Some("loaded"), _) => Trial::Loaded,
                (Some("shadow"), _) => Trial::Shadow,
                (Some("canary"), Some(percent)) => Trial::Canary(percent),
                (other, _) => return Err(corrupt("trial", other.unwrap_or_default())),
            };
            Ok(Candidate { version, trial, proposed_by: row.proposed_by.clone() })
        })
        .transpose()?;
    Ok(Life {
        source: Source::from_code(&row.source).ok_or_else(|| corrupt("source", &row.source))?,
        folder: row.folder.clone(),
        active: version("active", &row.active)?,
        candidate,
        previous: version("previous", &row.previous)?,
        offered: version("offered", &row.offered)?,
        suspended: version("suspended", &row.suspended)?,
    })
}

fn row_of(name: &str, life: &Life, revision: i64, word: &Word, clock: &Clock) -> Deployment {
    let text = |version: Option<VersionId>| version.map(|version| version.to_string());
    let trial = life.candidate.as_ref().map(|candidate| match candidate.trial {
        Trial::Loaded => ("loaded", None),
        Trial::Shadow => ("shadow", None),
        Trial::Canary(percent) => ("canary", Some(i64::from(percent))),
    });
    Deployment {
        name: name.to_owned(),
        source: life.source.code().to_owned(),
        folder: life.folder.clone(),
        active: text(life.active),
        candidate: text(life.candidate.as_ref().map(|candidate| candidate.version)),
        trial: trial.map(|(trial, _)| trial.to_owned()),
        percent: trial.and_then(|(_, percent)| percent),
        proposed_by: life.candidate.as_ref().and_then(|candidate| candidate.proposed_by.clone()),
        previous: text(life.previous),
        offered: text(life.offered),
        suspended: text(life.suspended),
        revision,
        changed_at: clock.now(),
        changed_by: word.by.clone(),
        why: word.why.clone(),
    }
}

/// Takes a step of one rule in the database: reads its life, steps, and writes it with its audit in one transaction. A step
/// that changes nothing writes nothing.
///
/// # Errors
///
/// [`Error::NotTaken`] where there is no such step from here.
pub async fn take(store: &Store, clock: &Clock, name: &str, step: &Step, word: &Word) -> Result<Life, Error> {
    take_with(store, clock, name, step, word, None).await.map(|(life, _)| life)
}

/// The same with a version that the step is about and that is kept in the same transaction; also gives the revision at which
/// the life is so.
///
/// # Errors
///
/// Those of [`take`].
pub async fn take_with(
    store: &Store,
    clock: &Clock,
    name: &str,
    step: &Step,
    word: &Word,
    brought: Option<Brought>,
) -> Result<(Life, i64), Error> {
    for _ in 0..TRIES_MAX {
        let row = store.deployments().await?.into_iter().find(|row| row.name == name);
        let (life, revision) = match &row {
            Some(row) => (life_of(row)?, row.revision),
            None => (Life::default(), 0),
        };
        let after = life.after(step).map_err(|why| not_taken(name, &why))?;
        if after == life {
            return Ok((after, store.deployment_revision().await?));
        }
        let change = DeploymentChange {
            after: row_of(name, &after, revision, word, clock),
            event: step.code(),
            version: step.version().map(|version| version.to_string()),
            before_json: crate::app::record::write::text(&life),
            after_json: crate::app::record::write::text(&after),
            brought: brought.clone(),
        };
        match store.change_deployment(change).await {
            Ok(revision) => {
                tracing::info!(rule = name, event = step.code(), by = word.by, why = word.why, "a rule's life changed");
                return Ok((after, revision));
            }
            Err(store::Error::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Busy("this rule is being changed by several at once: try again soon".to_owned()))
}

/// Does what an admin commands, in the database; a running desk follows within a second.
///
/// # Errors
///
/// [`Error::Missing`] where no such rule was ever live; [`Error::NotTaken`], also where a version is named that
/// does not play that part any more; [`Error::Ambiguous`] where several are named; [`Error::Rejected`] without a reason.
pub async fn command(
    store: &Store,
    clock: &Clock,
    two_person_access: bool,
    name: &str,
    command: &Command,
    word: &Word,
) -> Result<Life, Error> {
    check_reason(word)?;
    let row = store.deployments().await?.into_iter().find(|row| row.name == name);
    let row = row.ok_or_else(|| Error::Missing { what: "rule", name: name.to_owned() })?;
    let life = life_of(&row)?;
    let candidate = life.candidate.map(|candidate| candidate.version).ok_or(NotTaken::NoCandidate);
    // The version that is meant: what stands in that place now, unless somebody says which.
    let meant = async |text: &Option<String>, there: Result<VersionId, NotTaken>| match text {
        Some(text) => named(store, name, text).await,
        None => there.map_err(|why| not_taken(name, &why)),
    };
    let by = word.by.clone();
    let step = match command {
        Command::Promote { part, version } => {
            let version = meant(version, candidate).await?;
            let second = two_person_access && is_for_access(store, version).await?;
            Step::Promote { version, part: *part, second, by }
        }
        Command::Demote { trial, version } => Step::Demote { version: meant(version, candidate).await?, trial: *trial },
        Command::Approve { version } => Step::Approve { version: named(store, name, version).await?, by },
        Command::RollBack => Step::RollBack,
        Command::Suspend { version } => {
            Step::Suspend { version: meant(version, life.active.ok_or(NotTaken::NotActive)).await? }
        }
        Command::Resume => Step::Resume,
        Command::Retire => Step::Retire,
    };
    take(store, clock, name, &step, word).await
}

fn not_taken(name: &str, why: &NotTaken) -> Error {
    Error::NotTaken { name: name.to_owned(), why: why.to_string() }
}

/// The version of a rule that somebody names: in full, or by as much of it as means one version alone.
async fn named(store: &Store, name: &str, text: &str) -> Result<VersionId, Error> {
    match text.parse() {
        Ok(version) => Ok(version),
        Err(_) => archive::find(store, name, text).await?.id(),
    }
}

/// Refuses what is done without a reason that can be kept.
pub(crate) fn check_reason(word: &Word) -> Result<(), Error> {
    let problem = edit::check_reason("why", &word.why);
    problem.map_or(Ok(()), |problem| Err(Error::Rejected { problems: vec![problem] }))
}

/// Who somebody is in the audit.
pub(crate) fn author(actor: &Actor) -> String {
    actor.person().map_or_else(|| DESK.to_owned(), ToString::to_string)
}

/// Whether a version is asked about access; one that cannot be read could be.
async fn is_for_access(store: &Store, version: VersionId) -> Result<bool, Error> {
    let kept = match store.rule_version(&version.component.to_string(), &version.manifest.to_string()).await {
        Err(store::Error::Damaged { .. }) => None,
        kept => kept?,
    };
    let manifest = kept.and_then(|kept| manifest::parse(Path::new("rule.toml"), &kept.manifest).ok());
    Ok(manifest.is_none_or(|manifest| manifest.stages.contains(&Stage::Access)))
}

impl App {
    /// Does what an admin commands and waits until it is in effect here.
    ///
    /// # Errors
    ///
    /// Those of [`command`]; [`Error::Refused`].
    pub async fn command_rule(&self, actor: &Actor, name: &str, order: &Command, why: String) -> Result<(), Error> {
        permission::administer(actor)?;
        let by = author(actor);
        // What the directory has offered a moment ago has to be there before it can be commanded.
        self.archive(&self.rules.generation()).await?;
        let word = Word { by, why };
        command(&self.store, &self.clock, self.rules.two_person_access, name, order, &word).await?;
        self.follow().await
    }

    /// The audit of one rule, the latest first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn rule_events(&self, actor: &Actor, name: &str) -> Result<Vec<DeploymentEvent>, Error> {
        permission::read_rules(actor)?;
        Ok(self.store.deployment_events(name, EVENTS_MAX).await?)
    }

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
                    let word = Word { by: DIRECTORY.to_owned(), why: "its folder is gone".to_owned() };
                    take(&self.store, &self.clock, &row.name, &Step::Gone, &word).await?;
                }
            }
        }
        if self.rules.two_person_access {
            self.hold_back_canaries().await?;
        }
        self.settle().await?;
        drop(only_one);
        self.fetch_missing().await
    }

    /// Canaries of rules for access that were begun before a second person was asked for have no effect any more: each would
    /// decide about access for its share on one word alone.
    async fn hold_back_canaries(&self) -> Result<(), Error> {
        let word =
            Word { by: DESK.to_owned(), why: "two-person-access is on: a canary would count on one word".to_owned() };
        for row in self.store.deployments().await? {
            let Some(Candidate { version, trial: Trial::Canary(_), .. }) = life_of(&row)?.candidate else { continue };
            if is_for_access(&self.store, version).await? {
                let back = Step::Demote { version, trial: Trial::Shadow };
                match take(&self.store, &self.clock, &row.name, &back, &word).await {
                    // Another host, which starts too, may have been quicker.
                    Ok(_) | Err(Error::NotTaken { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Writes down what the directory has offered, then follows the database. Only one does so at a time.
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
                Step::Offer { folder, .. } => format!("the folder {} has it", folder.as_deref().unwrap_or_default()),
                _ => "its folder is gone".to_owned(),
            };
            let word = Word { by: DIRECTORY.to_owned(), why };
            match take(&self.store, &self.clock, name, step, &word).await {
                Ok(_) => {}
                Err(Error::NotTaken { why, .. }) => self.refuse(step, name, &why),
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
    fn refuse(&self, step: &Step, name: &str, why: &str) {
        if let Step::Offer { folder: Some(folder), .. } = step {
            self.rules.catalog().refuse(folder, &format!("`{name}` is not taken: {why}"), SystemTime::now());
        }
    }
}

fn short(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_string_lossy().into_owned())
}
