//! The one list of everything that a desk does by itself while it serves. Each job is a file; its work is a use case of `app`.
//!
//! Work that waits in a queue is claimed, run, and tried again by [`runner`]; any number of hosts may share it. The loops
//! follow what other processes change, each for its own host.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::app::jobs::stop::Stop;
use crate::app::jobs::{Claimed, Failed, Outcome, Queue};
use crate::app::{App, Error};
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
    queues.extend(ways.webhooks.then_some(Queue::Webhooks));
    queues
}

/// Whether a queue rests: while the configuration names no endpoint at all, what is for one waits.
fn rests(app: &App, queue: Queue) -> bool {
    queue == Queue::Webhooks && !app.has_endpoints()
}

/// A piece of work under way.
type Work<'a> = Pin<Box<dyn Future<Output = Result<Outcome, Failed>> + Send + 'a>>;

/// Does one piece of work that was claimed from one of the [`queues`]. The work of each kind is made apart from where it runs: one
/// function that waits for any of them has room for all of them on its stack, which is too much in a debug build.
fn run<'a>(app: &'a App, ways: &'a Ways, claimed: &'a Claimed) -> Work<'a> {
    match claimed.queue {
        Queue::Timers(TimerKind::AccessDeadline) => work(access::deadlines::run(app, claimed)),
        Queue::Timers(TimerKind::Clocks) => work(tickets::clocks::run(app, claimed)),
        Queue::Timers(TimerKind::LinkedTickets) => work(tickets::linked_tickets::run(app, claimed)),
        Queue::Timers(TimerKind::AccessExpiry) => work(access::ends::run(app, claimed)),
        Queue::Timers(TimerKind::AccessReminder) => work(access::ends::remind(app, claimed)),
        Queue::Timers(TimerKind::Provision) => work(access::provision::run(app, ways, claimed)),
        Queue::Timers(TimerKind::AccessCheck) => work(access::check::run(app, ways, claimed)),
        Queue::Timers(TimerKind::AccessStart) => work(access::ends::begin(app, claimed)),
        Queue::Timers(TimerKind::AccessNudge) => work(access::deadlines::nudge(app, claimed)),
        Queue::Timers(TimerKind::AccessEscalation) => work(access::deadlines::escalate(app, claimed)),
        Queue::Timers(TimerKind::AccessReview) => work(access::ends::review(app, claimed)),
        Queue::Timers(TimerKind::WaitsUntil) => work(tickets::waits::run(app, claimed)),
        Queue::Outbox => Box::pin(messages::run(app, ways, claimed)),
        Queue::Webhooks => Box::pin(webhooks::run(app, ways, claimed)),
    }
}

fn work<'a>(done: impl Future<Output = Result<Outcome, Error>> + Send + 'a) -> Work<'a> {
    Box::pin(async move { done.await.map_err(Failed::from) })
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
