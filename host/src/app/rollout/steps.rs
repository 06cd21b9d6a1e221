//! Steps of rollouts, written to the database: each with its audit, in one transaction. A running desk follows within a
//! second.

use super::rows::{rollout_of, row_of};
use crate::app::error::Busy;
use crate::app::office::signatory;
use crate::app::{App, Error, Office};
use crate::desk::actor::Actor;
use crate::desk::permission;
use crate::desk::text::into_normal;
use crate::desk::ticket::edit;
use crate::rules::live::rollout::{Needs, NotTaken, Rollout, RolloutStep, Trial, VersionId};
pub use crate::rules::live::rollout::{Part, Signatory, Trial as LifeTrial};
use crate::store;
pub use crate::store::rules::deployments::DeploymentEvent;
use crate::store::rules::deployments::{Brought, DeploymentChange};
use crate::store::sql::page::Page;

/// How often a step is tried again that crosses with others.
const TRIES_MAX: usize = 8;

/// A command of an admin or an operator to one rule.
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
    /// A second person agrees to a version that they have looked at, so they always say which version that was.
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

/// The one who takes a step, and why: what the audit keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub by: Signatory,
    pub why: String,
}

impl Reason {
    /// A reason that an actor gives.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] where it is empty, too long, or cannot be kept.
    pub fn given(actor: &Actor, why: String) -> Result<Self, Error> {
        match edit::check_reason("why", &why) {
            Some(problem) => Err(problem.into()),
            None => Ok(Self { by: signatory(actor), why: into_normal(why) }),
        }
    }

    pub(super) fn of_directory(why: String) -> Self {
        Self { by: Signatory::Directory, why }
    }

    pub(super) fn of_desk(why: impl Into<String>) -> Self {
        Self { by: Signatory::Desk, why: why.into() }
    }
}

impl Office {
    /// Every rule's rollout, by name.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn rollouts(&self, actor: &Actor) -> Result<Vec<(String, Rollout)>, Error> {
        permission::read_rules(actor)?;
        let rows = self.store.deployments().await?;
        rows.into_iter().map(|row| Ok((row.name.clone(), rollout_of(&row)?))).collect()
    }

    /// Some of the audit of one rule, the latest first: of what came before an entry, the first page before none.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`] where there never was such a rule.
    pub async fn rule_events(
        &self,
        actor: &Actor,
        name: &str,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<DeploymentEvent, i64>, Error> {
        permission::read_rules(actor)?;
        let found = self.store.deployment_events(name, before.unwrap_or(i64::MAX), limit).await?;
        if found.items.is_empty() && before.is_none() && !self.store.has_rule(name).await? {
            return Err(Error::Missing { what: "rule called", name: name.to_owned() });
        }
        Ok(found)
    }

    /// Does what an admin or an operator commands.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Rejected`] without a reason; [`Error::Missing`] where no such rule was ever live;
    /// [`Error::NotTaken`], also where a version is named that does not play that part any more; [`Error::Ambiguous`] where
    /// several are named.
    pub async fn command_rule(&self, actor: &Actor, name: &str, command: &Command, why: String) -> Result<(), Error> {
        permission::administer(actor)?;
        let reason = Reason::given(actor, why)?;
        let row = self.store.deployment(name).await?;
        let row = row.ok_or_else(|| Error::Missing { what: "rule", name: name.to_owned() })?;
        let step = self.step(name, &rollout_of(&row)?, command, &reason.by).await?;
        self.take_step(name, &step, &reason).await.map(drop)
    }

    /// The step that a command means for a rule whose rollout is this.
    async fn step(
        &self,
        name: &str,
        rollout: &Rollout,
        command: &Command,
        by: &Signatory,
    ) -> Result<RolloutStep, Error> {
        let candidate = || rollout.candidate.as_ref().map(|candidate| candidate.version).ok_or(NotTaken::NoCandidate);
        let by = by.clone();
        Ok(match command {
            Command::Promote { part, version } => {
                let version = self.meant(name, version.as_deref(), candidate()).await?;
                RolloutStep::Promote { version, part: *part, needs: Needs::OnePerson, by }
            }
            Command::Demote { trial, version } => {
                // Where it is to be retired and has no candidate, it is that proposal which is taken back.
                let in_force = rollout.active.or(rollout.suspended).filter(|_| rollout.retiring.is_some());
                let there = candidate().or_else(|why| in_force.ok_or(why));
                RolloutStep::Demote { version: self.meant(name, version.as_deref(), there).await?, trial: *trial }
            }
            Command::Approve { version } => RolloutStep::Approve { version: self.named(name, version).await?, by },
            Command::RollBack => RolloutStep::RollBack { needs: Needs::OnePerson, by },
            Command::Suspend { version } => {
                let active = rollout.active.ok_or(NotTaken::NotActive);
                let version = self.meant(name, version.as_deref(), active).await?;
                RolloutStep::Suspend { version, hold: self.is_for_access(version).await? }
            }
            Command::Resume => RolloutStep::Resume { needs: Needs::OnePerson, by },
            Command::Retire => RolloutStep::Retire { needs: Needs::OnePerson, by },
        })
    }

    /// The version that a command means: the one that is there now, unless it names another.
    async fn meant(
        &self,
        rule: &str,
        text: Option<&str>,
        there: Result<VersionId, NotTaken>,
    ) -> Result<VersionId, Error> {
        match text {
            Some(text) => self.named(rule, text).await,
            None => there.map_err(|why| not_taken(rule, why)),
        }
    }

    /// The version of a rule that a text names: in full, or by as much of it as means one version alone.
    async fn named(&self, rule: &str, text: &str) -> Result<VersionId, Error> {
        match text.parse() {
            Ok(version) => Ok(version),
            Err(_) => self.find_version(rule, text).await?.id(),
        }
    }

    /// Takes a step of one rule in the database: reads its rollout, steps, and writes it with its audit in one transaction. A
    /// step that changes nothing writes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotTaken`] where there is no such step from here.
    pub(super) async fn take_step(&self, name: &str, step: &RolloutStep, reason: &Reason) -> Result<Rollout, Error> {
        self.take_step_with(name, step, reason, None).await.map(|(rollout, _)| rollout)
    }

    /// The same with a version that the step is about and that is kept in the same transaction; also gives the revision at
    /// which the rollout is so.
    ///
    /// # Errors
    ///
    /// Those of [`Office::take_step`].
    pub(super) async fn take_step_with(
        &self,
        name: &str,
        step: &RolloutStep,
        reason: &Reason,
        brought: Option<Brought>,
    ) -> Result<(Rollout, i64), Error> {
        for _ in 0..TRIES_MAX {
            let row = self.store.deployment(name).await?;
            let (rollout, revision) = match &row {
                Some(row) => (rollout_of(row)?, row.revision),
                None => (Rollout::default(), 0),
            };
            let step = &self.guarded(&rollout, step, brought.as_ref()).await?;
            let after = rollout.after(step).map_err(|why| not_taken(name, why))?;
            if let RolloutStep::Approve { version, by } = step
                && let Some(proposer) = rollout.proposer_of(*version)
            {
                self.let_approve(proposer, by).map_err(|why| not_taken(name, why))?;
            }
            if after == rollout {
                return Ok((after, self.store.deployment_revision().await?));
            }
            let change = DeploymentChange {
                after: row_of(name, &after, revision, reason, self.clock.now()),
                event: step.code(),
                version: step.version().map(|version| version.to_string()),
                before_json: crate::app::record::write::text(&rollout),
                after_json: crate::app::record::write::text(&after),
                brought: brought.clone(),
            };
            match self.store.change_deployment(change).await {
                Ok(revision) => {
                    let (event, by, why) = (step.code(), &reason.by, &reason.why);
                    tracing::info!(rule = name, event, %by, why, "a rule was rolled out");
                    return Ok((after, revision));
                }
                Err(store::Error::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Busy::Rule.into())
    }
}

fn not_taken(name: &str, why: NotTaken) -> Error {
    Error::NotTaken { name: name.to_owned(), why }
}

impl App {
    /// Does what an admin commands, as [`Office::command_rule`], and waits until it is in effect here.
    ///
    /// # Errors
    ///
    /// Those of [`Office::command_rule`].
    pub async fn command_rule(&self, actor: &Actor, name: &str, command: &Command, why: String) -> Result<(), Error> {
        permission::administer(actor)?;
        // A version that the directory has offered a moment ago has to be there before it can be commanded.
        self.archive(&self.rules.generation()).await?;
        self.office.command_rule(actor, name, command, why).await?;
        self.follow().await
    }
}
