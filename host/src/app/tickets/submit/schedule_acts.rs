//! An administrator's view of what comes again by the calendar: how far each entry has come and what became of it; pausing one, letting
//! it run again, and doing the next occurrence before its time.

use jiff::Timestamp;
use serde_json::json;

use super::schedules::entries;
use crate::app::error::accept;
use crate::app::office::signatory;
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::codes;
use crate::desk::organisation::form::Problem;
use crate::desk::permission;
use crate::desk::ticket::edit::check_reason;
use crate::store;
use crate::store::chain::audit;
use crate::store::jobs::schedules::Progress;
pub use crate::store::jobs::schedules::Run;

/// An entry, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleStatus {
    pub name: String,
    /// `None` where it never comes, or is paused.
    pub next_at: Option<Timestamp>,
    /// `None` where the desk has not looked at it yet.
    pub progress: Option<Progress>,
}

/// A step that is taken with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleStep {
    /// Nothing of it comes from now on.
    Pause,
    /// It comes again; what would have come meanwhile is left out.
    Resume,
    /// The next occurrence is done at once, and not again at its time.
    RunNext,
}

codes! { ScheduleStep { Pause => "pause", Resume => "resume", RunNext => "run-next" } }

/// An entry whose row is damaged, as it is shown.
fn damaged(error: &store::Error, now: Timestamp) -> Progress {
    Progress {
        done_until: now,
        attempts: 0,
        last_error: error.to_string(),
        leased_until: Timestamp::UNIX_EPOCH,
        paused_at: None,
        wanted: false,
    }
}

impl Office {
    /// Everything that comes again, with how far it has come.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn schedules(&self, actor: &Actor) -> Result<Vec<ScheduleStatus>, Error> {
        permission::administer(actor)?;
        let (organisation, now) = (self.organisation(), self.clock.now());
        let mut all = Vec::new();
        for schedule in &organisation.schedules {
            for (name, _) in entries(schedule) {
                let progress = match self.store.schedule_if_any(&name).await {
                    Err(error @ store::Error::Corrupt { .. }) => Some(damaged(&error, now)),
                    progress => progress?,
                };
                let done = progress.as_ref().map_or(now, |progress| progress.done_until);
                let paused = progress.as_ref().is_some_and(|progress| progress.paused_at.is_some());
                let next_at = schedule.rhythm.next_after(&organisation.calendar, done).filter(|_| !paused);
                all.push(ScheduleStatus { name, next_at, progress });
            }
        }
        Ok(all)
    }

    /// The last occurrences of an entry that ended, the latest first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`].
    pub async fn schedule_runs(&self, actor: &Actor, name: &str) -> Result<Vec<Run>, Error> {
        permission::administer(actor)?;
        self.check_scheduled(name)?;
        Ok(self.store.schedule_runs(name).await?)
    }

    /// Takes a step with an entry, which the audit keeps with its reason; how the entry is then. A step that changes nothing is none.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`]; [`Error::Rejected`] without a reason, and where an entry that is paused is to run.
    pub async fn step_schedule(
        &self,
        actor: &Actor,
        name: &str,
        step: ScheduleStep,
        why: &str,
    ) -> Result<ScheduleStatus, Error> {
        permission::administer(actor)?;
        self.check_scheduled(name)?;
        accept(check_reason("why", why))?;
        let now = self.clock.now();
        self.store.schedule(name, now).await?;
        let changed = match step {
            ScheduleStep::Pause => self.store.pause_schedule(name, true, now).await?,
            ScheduleStep::Resume => self.store.pause_schedule(name, false, now).await?,
            ScheduleStep::RunNext if !self.store.want_schedule(name).await? => {
                return Err(Problem::new("step", "paused", "is paused: resume it first").into());
            }
            ScheduleStep::RunNext => true,
        };
        if changed {
            let detail = json!({ "step": step.code(), "by": signatory(actor).to_string(), "why": why });
            let entry = audit::Entry { at: now, event: audit::SCHEDULE, about: name.to_owned(), detail };
            self.store.audit(entry).await?;
        }
        let all = self.schedules(actor).await?;
        all.into_iter().find(|one| one.name == name).ok_or_else(|| missing(name))
    }

    fn check_scheduled(&self, name: &str) -> Result<(), Error> {
        let organisation = self.organisation();
        let known = organisation.schedules.iter().flat_map(entries).any(|(known, _)| known == name);
        if known { Ok(()) } else { Err(missing(name)) }
    }
}

fn missing(name: &str) -> Error {
    Error::Missing { what: "schedule", name: name.to_owned() }
}
