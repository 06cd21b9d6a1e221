//! Recorded decisions, asked again: the one way in which they are read, put together and given to the rules' threads.
//!
//! They are streamed, newest first: one page is read while the one before it is worked on, so that memory stays the same
//! however long the history is, and every core has something to do. [`verify`] asks the versions that decided and compares;
//! [`backtest`] asks candidates and tells what would have changed.

use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::decide::stages::ask_one;
use super::record::read::stage_order;
use super::{App, Error};
use crate::desk::id::TicketNumber;
use crate::rules::run::call::{Called, Fault};
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::{Input, Stage};
use crate::rules::tables::Tables;
use crate::store::rules::history::{Aftermath, PastRun, RunFilter};
use crate::store::{self, Store};

pub mod access;
pub mod backtest;
pub mod dry_run;
pub mod manifest;
pub mod policy;
pub mod promises;
pub mod report;
pub mod tally;
pub mod verdict;
pub mod verify;
mod versions;

/// Runs that are read at once: enough that a page costs little against what is done with it, and few enough that pages of the
/// longest texts, some megabytes a run, fit in memory.
const PAGE_RUNS: i64 = 16;
/// Pages that wait to be worked on.
const PAGES_AHEAD: usize = 1;
/// Runs that one job works on: some milliseconds of work, so that all cores end together.
const JOB_RUNS: usize = 16;
/// The same where a reader waits for the end: a job that was begun is not stopped, and each of its calls may take its whole time.
const GENTLE_JOB_RUNS: usize = 4;

/// How often a call is made that the wall clock stops.
const TRIES_MAX: usize = 3;

/// Which recorded decisions are asked again; `None` and empty do not narrow them. They come newest first.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub since: Option<Timestamp>,
    /// The first instant that is left out.
    pub until: Option<Timestamp>,
    pub ticket: Option<TicketNumber>,
    pub request_type: Option<String>,
    /// The category that the ticket has now, or a parent of it.
    pub category: Option<String>,
    pub stages: Vec<Stage>,
    /// Only decisions in which a rule of this name had a part.
    pub rule: Option<String>,
    /// At most so many decisions; one decision is one stage of one run.
    pub limit: Option<u64>,
    /// The bounds of the work, where a reader waits for it.
    pub effort: Effort,
}

/// The bounds of the work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// How long it may go on; what was begun until then comes to its end.
    pub within: Option<Duration>,
    /// Whether it leaves all threads of the rules but one to others.
    pub gently: bool,
}

/// Why decisions that were asked for may not have been worked on: the newest were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounded {
    /// The time was over before all of them were.
    pub by_time: bool,
    /// As many were taken as the limit lets through.
    pub by_limit: bool,
}

/// A recorded run, and what people did to its ticket afterwards, where that was asked for.
#[derive(Debug)]
pub struct Past {
    pub past: PastRun,
    pub aftermath: Option<Aftermath>,
}

/// Where the time went.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// In rules, summed over all threads.
    pub rules: Duration,
    /// In all that was done with decisions on the rules' threads, rules included.
    pub threads: Duration,
}

impl Spent {
    /// Adds another's.
    pub fn add(&mut self, other: Spent) {
        self.rules += other.rules;
        self.threads += other.threads;
    }

    /// Microseconds beside the rules' own, for each of so many answers.
    pub fn overhead_us(&self, answers: u64) -> f64 {
        let beside = self.threads.saturating_sub(self.rules);
        if answers == 0 { 0.0 } else { beside.as_secs_f64() * 1e6 / answers as f64 }
    }
}

/// Asks a rule, and again where the wall clock stopped it: on a machine with too much to do that happens to any rule.
fn ask_patiently(rule: &Rule, input: &Input, tables: &Arc<Tables>, spent: &mut Spent) -> Called {
    let mut called = ask_one(rule, input, tables);
    spent.rules += called.took;
    for _ in 1..TRIES_MAX {
        if !matches!(called.result, Err(Fault::Deadline { .. })) {
            break;
        }
        called = ask_one(rule, input, tables);
        spent.rules += called.took;
    }
    called
}

/// Streams recorded runs through `work`, which runs on the rules' threads, and hands each result to `take`. Says which of its bounds
/// it came to. Where this is dropped, nothing more is read, and no more is worked on than the threads were
/// already given.
///
/// # Errors
///
/// Where the store cannot be read.
pub async fn replay<T, W>(
    app: &Arc<App>,
    filter: Filter,
    with_aftermath: bool,
    work: W,
    mut take: impl FnMut(T),
) -> Result<Bounded, Error>
where
    T: Send + 'static,
    W: Fn(Vec<Past>) -> T + Send + Sync + 'static,
{
    let work = Arc::new(work);
    let (send, mut pages) = mpsc::channel(PAGES_AHEAD);
    let Effort { within, gently } = filter.effort;
    #[expect(clippy::disallowed_methods, reason = "bounds the work; no decision depends on it")]
    let begun = Instant::now();
    let is_over = move || within.is_some_and(|most| begun.elapsed() >= most);
    let reader = tokio::spawn(read(app.store.clone(), filter, with_aftermath, send));
    // As many as there are cores, and no more: what is measured of a rule should be the rule, not the wait for a core.
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let jobs_max = if gently { 1 } else { cores.min(app.rules.workers().threads()) };
    let job_runs = if gently { GENTLE_JOB_RUNS } else { JOB_RUNS };
    let mut jobs: JoinSet<Result<T, Error>> = JoinSet::new();
    let mut cut_short = false;
    while let Some(page) = pages.recv().await {
        let mut page: Vec<Past> = page;
        cut_short = is_over();
        while !cut_short && !page.is_empty() {
            if jobs.len() >= jobs_max
                && let Some(done) = jobs.join_next().await
            {
                take(done??);
            }
            let rest = page.split_off(job_runs.min(page.len()));
            let runs = std::mem::replace(&mut page, rest);
            let (app, work) = (Arc::clone(app), Arc::clone(&work));
            jobs.spawn(async move { Ok(app.rules.workers().run("", move || work(runs)).await?) });
            cut_short = !page.is_empty() && is_over();
        }
        if cut_short {
            break;
        }
    }
    // The reader may wait for its next page to be taken.
    drop(pages);
    while let Some(done) = jobs.join_next().await {
        take(done??);
    }
    let by_limit = reader.await??;
    Ok(Bounded { by_time: cut_short, by_limit })
}

/// Reads pages until there are no more, or none takes them. Whether the limit ended it.
async fn read(
    store: Store,
    filter: Filter,
    with_aftermath: bool,
    send: mpsc::Sender<Vec<Past>>,
) -> Result<bool, store::Error> {
    let wanted = RunFilter {
        since: filter.since,
        until: filter.until,
        ticket: filter.ticket,
        request_type: filter.request_type.clone(),
        category: filter.category.clone(),
    };
    let mut left = filter.limit.unwrap_or(u64::MAX);
    let mut before = None;
    while left > 0 {
        let mut runs = store.history(&wanted, before, PAGE_RUNS).await?;
        let Some(last) = runs.last() else { break };
        before = Some(last.run.id);
        for past in &mut runs {
            narrow(past, &filter, &mut left);
        }
        // One that is damaged is kept, to be named.
        runs.retain(|past| past.run.recorded.as_ref().map_or(true, |texts| !texts.decisions.is_empty()));
        let mut aftermath = if with_aftermath {
            let tickets = runs.iter().map(|past| (past.number, past.run.ticket)).collect();
            store.aftermath(&tickets).await?
        } else {
            Default::default()
        };
        let page = runs.into_iter().map(|past| Past { aftermath: aftermath.remove(&past.run.ticket), past }).collect();
        if send.send(page).await.is_err() {
            break;
        }
    }
    Ok(left == 0)
}

/// Leaves out decisions of other stages, those in which the rule had no part, and those beyond the limit.
fn narrow(past: &mut PastRun, filter: &Filter, left: &mut u64) {
    let Ok(texts) = &mut past.run.recorded else { return };
    texts.decisions.sort_by_key(|decision| stage_order(&decision.stage));
    if !filter.stages.is_empty() {
        texts.decisions.retain(|decision| filter.stages.iter().any(|stage| stage.name() == decision.stage));
    }
    // A rule's name needs no escapes, and within another text of the JSON the quotation marks would have some.
    if let Some(part) = filter.rule.as_ref().map(|rule| format!("\"rule\":\"{rule}\"")) {
        texts.decisions.retain(|decision| decision.rules.contains(&part));
    }
    let taken = texts.decisions.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
    texts.decisions.truncate(taken);
    *left = left.saturating_sub(taken as u64);
}
