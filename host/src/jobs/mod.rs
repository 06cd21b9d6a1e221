//! Everything that a desk does by itself while it serves: the one list of it. Each job is a file; what it does is a use case of
//! `app`.
//!
//! Work that waits in a queue is claimed, run, and tried again by [`runner`]; any number of hosts may share it. The loops
//! follow what other processes change, each for its own host.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::app::error::Broken;
use crate::app::jobs::stop::Stop;
use crate::app::jobs::{Claimed, Outcome, Queue};
use crate::app::{App, Error};
use crate::desk::change::timer::TimerKind;

mod access_check;
mod access_deadlines;
mod access_ends;
mod clocks;
mod linked_tickets;
mod old_keys;
mod provision;
pub mod runner;

/// How long jobs may take to end once they were told to: longer than one run may take.
const END_MAX: Duration = Duration::from_secs(45);
const _: () = assert!(END_MAX.as_secs() > crate::app::jobs::RUN_MAX.as_secs());

/// The queues that this program works on. Nothing sends messages yet: they wait in the outbox.
const QUEUES: [Queue; 7] = [
    Queue::Timers(TimerKind::AccessDeadline),
    Queue::Timers(TimerKind::Clocks),
    Queue::Timers(TimerKind::LinkedTickets),
    Queue::Timers(TimerKind::AccessExpiry),
    Queue::Timers(TimerKind::AccessReminder),
    Queue::Timers(TimerKind::Provision),
    Queue::Timers(TimerKind::AccessCheck),
];

/// Does one piece of work that was claimed from [`QUEUES`].
async fn run(app: &App, claimed: &Claimed) -> Result<Outcome, Error> {
    match claimed.queue {
        Queue::Timers(TimerKind::AccessDeadline) => access_deadlines::run(app, claimed).await,
        Queue::Timers(TimerKind::Clocks) => clocks::run(app, claimed).await,
        Queue::Timers(TimerKind::LinkedTickets) => linked_tickets::run(app, claimed).await,
        Queue::Timers(TimerKind::AccessExpiry) => access_ends::run(app, claimed).await,
        Queue::Timers(TimerKind::AccessReminder) => access_ends::remind(app, claimed).await,
        Queue::Timers(TimerKind::Provision) => provision::run(app, claimed).await,
        Queue::Timers(TimerKind::AccessCheck) => access_check::run(app, claimed).await,
        Queue::Outbox => Err(Broken::NoSender.into()),
    }
}

/// The jobs of a desk, under way.
pub struct Running(JoinSet<()>);

/// Starts all jobs; they end when they are asked to stop, each with what it has begun.
pub fn start(app: &Arc<App>, stop: &Stop) -> Running {
    let mut all = JoinSet::new();
    all.spawn(runner::run(Arc::clone(app), stop.clone()));
    all.spawn(old_keys::run(Arc::clone(app), stop.clone()));
    all.spawn(Arc::clone(app).follow_tables(stop.clone()));
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
