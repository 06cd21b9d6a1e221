//! Claims work that is due, runs it with a time limit, and writes what came of it.
//!
//! It looks at a queue when the next piece of it is due, when it hears that something may be, and now and then anyway:
//! another host may have put something in.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::ways::Ways;
use super::{queues, rests};
use crate::app::jobs::stop::Stop;
use crate::app::jobs::{Claimed, Due, Failed, LEASE, Outcome, Queue, RUN_MAX, Settled, attempts_max};
use crate::app::{App, Error, clock};

/// How often queues are looked at where nothing else is a reason to.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How much work of one queue this host does at once; no more is claimed than can begin.
const AT_ONCE_MAX: usize = 8;
/// The same for work that shares transactions, where each place takes a whole batch: one batch is read while another is written.
const TOGETHER_AT_ONCE_MAX: usize = 2;

/// So many failed attempts of a piece of work are each in the log.
const SAID_ATTEMPTS: u32 = 12;

const fn at_once_max(queue: Queue) -> usize {
    match super::together_max(queue) {
        1 => AT_ONCE_MAX,
        _ => TOGETHER_AT_ONCE_MAX,
    }
}

/// One queue, and the bound on how much of its work is done at once.
struct Lane {
    queue: Queue,
    places: Arc<Semaphore>,
}

/// Does work until it is asked to stop. Then it claims no more, and ends when the work that it began has ended.
pub async fn run(app: Arc<App>, ways: Arc<Ways>, mut stop: Stop) {
    let lane = |queue| Lane { queue, places: Arc::new(Semaphore::new(at_once_max(queue))) };
    let lanes: Vec<Lane> = queues(&ways).into_iter().map(lane).collect();
    let mut running = JoinSet::new();
    while !stop.is_told() {
        let mut wait = LOOK_EVERY;
        for lane in &lanes {
            match look(&app, &ways, lane, &mut running).await {
                Ok(next) => wait = wait.min(next),
                Err(error) => {
                    tracing::warn!(job = lane.queue.name(), %error, "waiting work cannot be looked at: tried again soon");
                }
            }
        }
        count_dead(&app).await;
        rest(&app, wait, &mut running, &mut stop).await;
    }
    while running.join_next().await.is_some() {}
}

/// Does all that is due now or becomes due meanwhile, and counts the runs. For tests and measurements, which set the clock
/// instead of waiting.
///
/// # Errors
///
/// Where the store cannot be read or written.
pub async fn run_due(app: &Arc<App>, ways: &Arc<Ways>) -> Result<usize, Error> {
    let mut runs = 0;
    super::access::drift::look(app, ways).await?;
    loop {
        let before = runs;
        super::webhooks::look(app, ways).await;
        for queue in queues(ways).into_iter().filter(|queue| !rests(app, *queue)) {
            runs += run_due_in(app, ways, queue).await?;
        }
        if runs == before {
            return Ok(runs);
        }
    }
}

/// Does some of the work that is due in one queue, and counts the runs. They go one after the other, so that the outcome is the same
/// each time; only work that shares transactions goes as in a desk that serves.
async fn run_due_in(app: &Arc<App>, ways: &Arc<Ways>, queue: Queue) -> Result<usize, Error> {
    let together = super::together_max(queue);
    if together > 1 {
        return run_all_together(app, ways, queue, together).await;
    }
    let claimed = app.jobs.claim(queue, AT_ONCE_MAX).await?;
    let (mut running, runs) = (JoinSet::new(), claimed.len());
    for one in claimed {
        running.spawn(run_some((Arc::clone(app), Arc::clone(ways)), vec![one], None));
        running.join_next().await;
    }
    Ok(runs)
}

/// Does all that is due in a queue whose work shares transactions: the next batch is claimed and read while one is written.
async fn run_all_together(app: &Arc<App>, ways: &Arc<Ways>, queue: Queue, together: usize) -> Result<usize, Error> {
    let (mut running, mut runs) = (JoinSet::new(), 0);
    let came = loop {
        let claimed = match app.jobs.claim(queue, together).await {
            Ok(claimed) if claimed.is_empty() => break Ok(runs),
            Ok(claimed) => claimed,
            Err(error) => break Err(error),
        };
        runs += claimed.len();
        if running.len() == TOGETHER_AT_ONCE_MAX {
            running.join_next().await;
        }
        running.spawn(run_some((Arc::clone(app), Arc::clone(ways)), claimed, None));
    };
    // Work that was begun ends, also after a failed claim.
    while running.join_next().await.is_some() {}
    came
}

/// Waits until there is a reason to look again.
async fn rest(app: &App, wait: Duration, running: &mut JoinSet<()>, stop: &mut Stop) {
    let mut next = tokio::time::interval(wait.max(Duration::from_millis(1)));
    // The first tick comes at once.
    next.tick().await;
    tokio::select! {
        () = stop.told() => {}
        () = app.jobs.may_be_due() => {}
        _ = next.tick() => {}
        Some(_) = running.join_next() => while running.try_join_next().is_some() {},
    }
}

/// Begins the work that is due in a queue, as far as its bound allows; gives how long it is until the next piece is due.
async fn look(app: &Arc<App>, ways: &Arc<Ways>, lane: &Lane, running: &mut JoinSet<()>) -> Result<Duration, Error> {
    if rests(app, lane.queue) {
        return Ok(LOOK_EVERY);
    }
    let free = lane.places.available_permits();
    // Claiming waits until half of the places are free, so that a long queue is claimed in batches and not one by one.
    if free < at_once_max(lane.queue).div_ceil(2) {
        return Ok(LOOK_EVERY);
    }
    let next = app.jobs.next_due(lane.queue).await?;
    let lag = match next {
        Some(Due::Since(lag)) => lag,
        Some(Due::In(_)) | None => Duration::ZERO,
    };
    app.metrics.set_job_lag(lane.queue.name(), lag);
    match next {
        None => return Ok(LOOK_EVERY),
        Some(Due::In(next)) => return Ok(next),
        Some(Due::Since(_)) => {}
    }
    let together = super::together_max(lane.queue);
    for claimed in app.jobs.claim(lane.queue, free * together).await?.chunks(together) {
        // No more was claimed than there are places, so this one is free.
        let place = Arc::clone(&lane.places).try_acquire_owned().ok();
        running.spawn(run_some((Arc::clone(app), Arc::clone(ways)), claimed.to_vec(), place));
    }
    Ok(LOOK_EVERY)
}

/// Runs some pieces of work of one queue: together where that can be, and what is left of them one by one.
async fn run_some((app, ways): (Arc<App>, Arc<Ways>), claimed: Vec<Claimed>, place: Option<OwnedSemaphorePermit>) {
    let Some(queue) = claimed.first().map(|claimed| claimed.queue) else { return };
    let (host, work, begun) = (Arc::clone(&app), claimed.clone(), clock::instant());
    // In a task of its own, as each run is, so that a panic ends no other work. A timer is struck off by the transaction that
    // does its work, so nothing is done twice.
    let mut task = JoinSet::new();
    task.spawn(async move { super::run_together(&host, queue, &work).await });
    let done = match tokio::time::timeout(RUN_MAX, task.join_next()).await {
        Ok(Some(Ok(done))) => done,
        _ => Default::default(),
    };
    done.iter().for_each(|_| app.metrics.count_job(queue.name(), outcome(Settled::Done, false)));
    let left: Vec<Claimed> = claimed.into_iter().filter(|claimed| !done.contains(&claimed.ticket)).collect();
    for (begins, claimed) in left.iter().enumerate() {
        // What is left when the leases are over is claimed again, here or by another host, and done there.
        if clock::instant().saturating_duration_since(begun) >= LEASE {
            if let Err(error) = app.jobs.give_back(left.get(begins..).unwrap_or_default()).await {
                tracing::warn!(job = queue.name(), %error, "work that was not begun counts as tried: it cannot be given back");
            }
            break;
        }
        run_one((Arc::clone(&app), Arc::clone(&ways)), claimed.clone()).await;
    }
    drop(place);
}

/// Runs one piece of work, writes its outcome, and counts it.
async fn run_one((app, ways): (Arc<App>, Arc<Ways>), claimed: Claimed) {
    let job = claimed.queue.name();
    let came = attempt(&app, &ways, &claimed).await;
    let failure = came.as_ref().err().map(|failed| failed.why.clone());
    let (ticket, attempts) = (claimed.ticket, claimed.attempts);
    match app.jobs.settle(&claimed, came).await {
        Ok(settled) => {
            app.metrics.count_job(job, outcome(settled, failure.is_some()));
            let error = failure.unwrap_or_default();
            match settled {
                Settled::Buried => {
                    tracing::error!(job, %ticket, attempts, error, "the desk has given up on a job: see `ruledesk jobs dead`");
                }
                Settled::Again(at) if !error.is_empty() && is_said(attempts) => {
                    tracing::warn!(job, %ticket, attempts, error, %at, "a job failed: it is tried again");
                }
                Settled::Again(_) | Settled::Done | Settled::Overtaken => {}
            }
        }
        Err(error) => {
            app.metrics.count_job(job, "unsettled");
            tracing::error!(job, %ticket, %error, "what became of a job was not written: it is done again when its lease is over");
        }
    }
}

/// Whether a failure after so many attempts is in the log: of what fails for ever, ever fewer, so that much of it fills no log.
fn is_said(attempts: u32) -> bool {
    attempts <= SAID_ATTEMPTS || attempts.is_power_of_two()
}

/// One attempt, in a task of its own, so that one that panics fails as any other does.
async fn attempt(app: &Arc<App>, ways: &Arc<Ways>, claimed: &Claimed) -> Result<Outcome, Failed> {
    let attempts_max = attempts_max(claimed.queue);
    if claimed.attempts > attempts_max {
        return Err(format!("{attempts_max} attempts were begun, and none came to an end").into());
    }
    let (host, ways, work) = (Arc::clone(app), Arc::clone(ways), claimed.clone());
    let task = tokio::spawn(async move { super::run(&host, &ways, &work).await });
    let abort = task.abort_handle();
    match tokio::time::timeout(RUN_MAX, task).await {
        Ok(Ok(came)) => came,
        Ok(Err(error)) => Err(format!("it did not come to its end: {error}").into()),
        Err(_) => {
            abort.abort();
            Err(format!("it took longer than {} s", RUN_MAX.as_secs()).into())
        }
    }
}

/// The word of the metrics for what became of a run.
fn outcome(settled: Settled, failed: bool) -> &'static str {
    match settled {
        Settled::Buried => "buried",
        Settled::Again(_) if failed => "failed",
        Settled::Again(_) => "not-due",
        Settled::Done => "done",
        Settled::Overtaken => "overtaken",
    }
}

async fn count_dead(app: &App) {
    if let Ok(overdue) = app.revocations_overdue().await {
        app.metrics.set_revocations_overdue(overdue);
    }
    // A failure to read has been logged by `run` already.
    for (queue, count) in app.jobs.dead_counts().await.unwrap_or_default() {
        app.metrics.set_jobs_dead(queue.name(), count);
    }
}
