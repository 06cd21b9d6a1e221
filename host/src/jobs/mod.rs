//! The one list of everything that a desk does by itself while it serves. Each job is a file; its work is a use case of `app`.
//!
//! Work that waits in a queue is claimed, run, and tried again by [`runner`]; any number of hosts may share it. The loops
//! follow what other processes change, each for its own host.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::app::App;
use crate::app::jobs::stop::Stop;
use crate::app::jobs::{Claimed, Failed, Outcome, Queue};
use crate::desk::change::timer::TimerKind;
use crate::desk::id::TicketId;

mod access;
mod messages;
mod old_keys;
pub mod runner;
pub mod sign_on;
pub mod tickets;
pub mod ways;
mod webhooks;

use ways::Ways;

/// How long jobs may take to end once they were asked to: longer than one run may take.
const END_MAX: Duration = Duration::from_secs(45);
const _: () = assert!(END_MAX.as_secs() > crate::app::jobs::RUN_MAX.as_secs());

/// The queues that this host works on. Mail and webhooks are among them only if there is a way to send them; else they wait.
fn queues(ways: &Ways) -> Vec<Queue> {
    let mut queues: Vec<Queue> = TimerKind::ALL.into_iter().map(Queue::Timers).collect();
    queues.extend(ways.mail.as_ref().map(|_| Queue::Outbox));
    queues.extend(ways.hooks.first().map(|_| Queue::Webhooks));
    queues
}

/// Does one piece of work that was claimed from one of the [`queues`].
async fn run(app: &App, ways: &Ways, claimed: &Claimed) -> Result<Outcome, Failed> {
    match claimed.queue {
        Queue::Timers(TimerKind::AccessDeadline) => Ok(access::deadlines::run(app, claimed).await?),
        Queue::Timers(TimerKind::Clocks) => Ok(tickets::clocks::run(app, claimed).await?),
        Queue::Timers(TimerKind::LinkedTickets) => Ok(tickets::linked_tickets::run(app, claimed).await?),
        Queue::Timers(TimerKind::AccessExpiry) => Ok(access::ends::run(app, claimed).await?),
        Queue::Timers(TimerKind::AccessReminder) => Ok(access::ends::remind(app, claimed).await?),
        Queue::Timers(TimerKind::Provision) => Ok(access::provision::run(app, ways, claimed).await?),
        Queue::Timers(TimerKind::AccessCheck) => Ok(access::check::run(app, ways, claimed).await?),
        Queue::Timers(TimerKind::AccessStart) => Ok(access::ends::begin(app, claimed).await?),
        Queue::Timers(TimerKind::AccessNudge) => Ok(access::deadlines::nudge(app, claimed).await?),
        Queue::Timers(TimerKind::AccessEscalation) => Ok(access::deadlines::escalate(app, claimed).await?),
        Queue::Timers(TimerKind::AccessReview) => Ok(access::ends::review(app, claimed).await?),
        Queue::Outbox => messages::run(app, ways, claimed).await,
        Queue::Webhooks => webhooks::run(app, ways, claimed).await,
    }
}

/// The most pieces of work of a queue that are done in one transaction.
const fn together_max(queue: Queue) -> usize {
    match queue {
        Queue::Timers(TimerKind::AccessExpiry) => access::ends::ENDS_TOGETHER_MAX,
        Queue::Timers(TimerKind::Clocks) => tickets::clocks::CLOCKS_TOGETHER_MAX,
        _ => 1,
    }
}

/// Does pieces of work of one queue in one transaction, as far as possible; gives the tickets whose work is done.
async fn run_together(app: &App, queue: Queue, claimed: &[Claimed]) -> BTreeSet<TicketId> {
    match queue {
        Queue::Timers(TimerKind::AccessExpiry) if claimed.len() > 1 => access::ends::run_together(app, claimed).await,
        Queue::Timers(TimerKind::Clocks) if claimed.len() > 1 => tickets::clocks::run_together(app, claimed).await,
        _ => BTreeSet::new(),
    }
}

/// The jobs of a desk, under way.
pub struct Running(JoinSet<()>);

/// Starts all jobs; they end when they are asked to stop, each with what it has begun.
pub fn start(app: &Arc<App>, ways: &Arc<Ways>, stop: &Stop) -> Running {
    let mut all = JoinSet::new();
    all.spawn(runner::run(Arc::clone(app), Arc::clone(ways), stop.clone()));
    all.spawn(webhooks::follow(Arc::clone(app), Arc::clone(ways), stop.clone()));
    all.spawn(access::drift::follow(Arc::clone(app), Arc::clone(ways), stop.clone()));
    all.spawn(Arc::clone(&app.office).tell_watchers(stop.clone()));
    all.spawn(Arc::clone(&app.office).look_at_proofs(stop.clone()));
    all.spawn(sign_on::run(Arc::clone(app), ways, stop.clone()));
    all.spawn(old_keys::run(Arc::clone(app), stop.clone()));
    all.spawn(tickets::search_index::run(Arc::clone(app), stop.clone()));
    all.spawn(tickets::scan::run(Arc::clone(app), Arc::clone(ways), stop.clone()));
    all.spawn(tickets::promises::run(Arc::clone(app), stop.clone()));
    all.spawn(tickets::schedules::run(Arc::clone(app), Arc::clone(ways), stop.clone()));
    all.spawn(tickets::handover::run(Arc::clone(app), stop.clone()));
    all.spawn(Arc::clone(app).follow_tables(stop.clone()));
    all.spawn(Arc::clone(app).follow_directory(stop.clone()));
    all.spawn(Arc::clone(app).keep_following(stop.clone()));
    all.spawn(Arc::clone(app).keep_following_people(stop.clone()));
    Running(all)
}

impl Running {
    /// Waits until all have ended, after they were asked to stop. The store must be open until then.
    pub async fn end(mut self) {
        let ended = tokio::time::timeout(END_MAX, async {
            while let Some(ended) = self.0.join_next().await {
                if let Err(error) = ended {
                    tracing::error!(%error, "a job of the desk did not come to its end");
                }
            }
        });
        if ended.await.is_err() {
            tracing::warn!(jobs = self.0.len(), "some jobs did not end in time, and are cut off");
        }
    }
}
