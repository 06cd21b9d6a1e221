//! What a backtest counts while it runs: pieces are made on many threads and added up. Its memory does not grow with the
//! history: of what is shown, and of values that differ, a bounded number is kept.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::access::{AccessReport, AccessTally};
use super::promises::PromiseTally;
use super::verdict::Verdict;
use super::{Bounded, Spent};
use crate::app::{App, Error};
use crate::desk::text::beginning;
use crate::rules::run::stage::Stage;
use crate::store::rules::histogram::Histogram;
use crate::store::rules::history::Aftermath;

/// Pairs of values, from and to, that one field keeps apart; what is more is counted without its values.
const MOVES_MAX: usize = 500;
/// Examples that are kept of each such pair.
const EXAMPLES_MAX: usize = 3;
/// Failures that are shown.
const FAILURES_MAX: usize = 20;
/// The longest value that is kept, in characters: more of it would say no more.
const VALUE_CHARS_MAX: usize = 80;

/// Everything that was counted.
#[derive(Debug, Default)]
pub struct Tally {
    /// Decisions in which a candidate, or a rule that is taken out, had a part.
    pub decisions: u64,
    pub changed: u64,
    /// Decisions that differ under today's configuration alone, before the candidate is asked.
    pub drifted: u64,
    /// Decisions that were not judged, by the reason.
    pub not_judged: BTreeMap<String, u64>,
    /// The bounds that were come to before all decisions were compared.
    pub bounded: Bounded,
    pub stages: BTreeMap<Stage, StageTally>,
    pub failures: Failures,
    /// By rule.
    pub costs: BTreeMap<String, Costs>,
    pub reopened: Reopened,
    /// The times of the first and the last decision.
    pub period: Option<(Timestamp, Timestamp)>,
    /// Calls of rules, of candidates and of the versions that they are compared with.
    pub calls: u64,
    pub spent: Spent,
    pub access: AccessTally,
    pub promises: PromiseTally,
}

/// One stage's part.
#[derive(Debug, Default)]
pub struct StageTally {
    pub decisions: u64,
    pub changed: u64,
    pub fields: BTreeMap<&'static str, FieldTally>,
}

/// What became of one field.
#[derive(Debug, Default)]
pub struct FieldTally {
    pub changed: u64,
    /// By the values from and to, those that stay the same among them.
    pub moves: BTreeMap<(String, String), Move>,
    /// Changes whose values are not kept apart.
    pub others: u64,
    pub people: People,
}

/// One pair of values.
#[derive(Debug, Default)]
pub struct Move {
    pub count: u64,
    pub examples: Vec<Example>,
}

/// How a field agrees with what people later said about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct People {
    /// Decisions that people had a word on.
    pub words: u64,
    pub agreed_before: u64,
    pub agree_after: u64,
    /// Changes towards what people said, and away from it.
    pub better: u64,
    pub worse: u64,
}

/// How many decisions were about tickets whose requester did not take the resolution.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reopened {
    pub decisions: u64,
    pub changed: u64,
}

/// Rules that fail.
#[derive(Debug, Default)]
pub struct Failures {
    /// Where the version of then did not, or did not exist.
    pub new: u64,
    /// Where the version of then failed and the candidate does not.
    pub mended: u64,
    pub examples: Vec<Failure>,
}

/// A failure that is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Failure {
    pub ticket: String,
    pub stage: Stage,
    pub rule: String,
    pub message: String,
}

/// What a candidate costs beside the version that it replaces, over the same inputs.
#[derive(Debug, Default)]
pub struct Costs {
    pub before: String,
    pub after: String,
    /// As recorded on the day.
    pub recorded: Side,
    /// The version of then, asked again now, beside the candidate.
    pub now: Side,
    pub candidate: Side,
    /// The candidate where there is nothing to compare it with.
    pub alone: Side,
    /// Answers of the version of then that are not what it said then.
    pub not_reproduced: u64,
}

/// Fuel and time of some calls.
#[derive(Debug, Default)]
pub struct Side {
    pub fuel: u64,
    /// How long they took, in nanoseconds.
    pub took: Histogram,
}

impl Side {
    /// Counts a call.
    pub fn add(&mut self, fuel: u64, took: Duration) {
        self.fuel = self.fuel.saturating_add(fuel);
        self.took.add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    fn merge(&mut self, other: &Side) {
        self.fuel = self.fuel.saturating_add(other.fuel);
        self.took.merge(&other.took);
    }

    /// Fuel for each call.
    pub fn fuel_mean(&self) -> u64 {
        self.fuel.checked_div(self.took.count()).unwrap_or_default()
    }
}

/// A decision that would have been another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Example {
    pub ticket: String,
    pub at: Timestamp,
    pub stage: Stage,
    /// Field, from, to.
    pub changes: Vec<(&'static str, String, String)>,
    pub before_by: String,
    pub before_reason: String,
    pub after_by: String,
    pub after_reason: String,
    /// What people later said to it, such as `team: network`.
    pub people: Vec<String>,
    #[serde(skip)]
    pub number: i64,
}

/// One decision, before and after.
pub struct Compared<'a> {
    pub ticket: crate::desk::id::TicketNumber,
    pub at: Timestamp,
    pub stage: Stage,
    pub before: &'a Verdict,
    pub after: &'a Verdict,
    pub aftermath: Option<&'a Aftermath>,
}

impl Tally {
    /// Counts a decision.
    pub fn take(&mut self, compared: &Compared<'_>) {
        let changes = changes(compared.before, compared.after);
        let changed = u64::from(!changes.is_empty());
        self.decisions += 1;
        self.changed += changed;
        self.period = Some(
            self.period
                .map_or((compared.at, compared.at), |(first, last)| (first.min(compared.at), last.max(compared.at))),
        );
        if compared.aftermath.is_some_and(|aftermath| aftermath.reopened) {
            self.reopened.decisions += 1;
            self.reopened.changed += changed;
        }
        if compared.stage == Stage::Access {
            self.access.take(compared.ticket, compared.before, compared.after);
        }
        let stage = self.stages.entry(compared.stage).or_default();
        stage.decisions += 1;
        stage.changed += changed;
        let example = (changed == 1).then(|| example(compared, &changes));
        for (field, before) in &compared.before.told.fields {
            let tally = stage.fields.entry(field).or_default();
            let after = value(compared.after, field);
            let word = compared.aftermath.and_then(|aftermath| word(compared.stage, field, aftermath));
            if let Some(word) = word {
                tally.people.take(compared.stage, word, before, after);
            }
            tally.take(before, after, example.as_ref());
        }
    }

    /// The effect on access; `None` where no request was among the decisions.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn access_report(&self, app: &App) -> Result<Option<AccessReport>, Error> {
        self.access.report(app).await
    }

    /// Counts everything that another has counted.
    pub fn merge(&mut self, other: Tally) {
        self.decisions += other.decisions;
        self.changed += other.changed;
        self.drifted += other.drifted;
        self.calls += other.calls;
        self.spent.add(other.spent);
        self.reopened.decisions += other.reopened.decisions;
        self.reopened.changed += other.reopened.changed;
        self.period = match (self.period, other.period) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, another) => one.or(another),
        };
        for (reason, count) in other.not_judged {
            *self.not_judged.entry(reason).or_default() += count;
        }
        for (stage, tally) in other.stages {
            self.stages.entry(stage).or_default().merge(tally);
        }
        self.failures.merge(other.failures);
        self.access.merge(other.access);
        self.promises.merge(other.promises);
        for (rule, costs) in other.costs {
            self.costs.entry(rule).or_default().merge(costs);
        }
    }
}

impl StageTally {
    fn merge(&mut self, other: StageTally) {
        self.decisions += other.decisions;
        self.changed += other.changed;
        for (field, tally) in other.fields {
            self.fields.entry(field).or_default().merge(tally);
        }
    }
}

impl FieldTally {
    fn take(&mut self, before: &str, after: &str, example: Option<&Example>) {
        let changed = before != after;
        self.changed += u64::from(changed);
        let key = (cut(before), cut(after));
        if !self.moves.contains_key(&key) && self.moves.len() >= MOVES_MAX {
            self.others += u64::from(changed);
            return;
        }
        let found = self.moves.entry(key).or_default();
        found.count += 1;
        found.keep(example.filter(|_| changed).cloned().into_iter().collect());
    }

    fn merge(&mut self, other: FieldTally) {
        self.changed += other.changed;
        self.others += other.others;
        self.people.merge(other.people);
        for (key, Move { count, examples }) in other.moves {
            if !self.moves.contains_key(&key) && self.moves.len() >= MOVES_MAX {
                self.others += if key.0 == key.1 { 0 } else { count };
                continue;
            }
            let found = self.moves.entry(key).or_default();
            found.count += count;
            found.keep(examples);
        }
    }
}

impl Move {
    /// Keeps the examples that tell most: those that people had a word on, then the newest.
    fn keep(&mut self, more: Vec<Example>) {
        if more.is_empty() {
            return;
        }
        self.examples.extend(more);
        self.examples.sort_by_key(|example| (example.people.is_empty(), std::cmp::Reverse(example.number)));
        self.examples.truncate(EXAMPLES_MAX);
    }
}

impl Failures {
    /// Counts a new failure.
    pub fn found(&mut self, failure: Failure) {
        self.new += 1;
        if self.examples.len() < FAILURES_MAX {
            self.examples.push(failure);
        }
    }

    fn merge(&mut self, other: Failures) {
        self.new += other.new;
        self.mended += other.mended;
        let room = FAILURES_MAX.saturating_sub(self.examples.len());
        self.examples.extend(other.examples.into_iter().take(room));
    }
}

impl Costs {
    fn merge(&mut self, other: Costs) {
        self.before = if self.before.is_empty() { other.before } else { std::mem::take(&mut self.before) };
        self.after = other.after;
        self.recorded.merge(&other.recorded);
        self.now.merge(&other.now);
        self.candidate.merge(&other.candidate);
        self.alone.merge(&other.alone);
        self.not_reproduced += other.not_reproduced;
    }
}

impl People {
    fn take(&mut self, stage: Stage, word: &str, before: &str, after: &str) {
        let (was, is) = (agreement(stage, word, before), agreement(stage, word, after));
        self.words += 1;
        self.agreed_before += u64::from(was == 1);
        self.agree_after += u64::from(is == 1);
        self.better += u64::from(is > was);
        self.worse += u64::from(is < was);
    }

    fn merge(&mut self, other: People) {
        self.words += other.words;
        self.agreed_before += other.agreed_before;
        self.agree_after += other.agree_after;
        self.better += other.better;
        self.worse += other.worse;
    }
}

/// 1 where a value is what people said, -1 where it is not; 0 for a request that waits for people, which is neither.
fn agreement(stage: Stage, word: &str, value: &str) -> i8 {
    match value {
        _ if value == word => 1,
        "awaiting" if stage == Stage::Access => 0,
        _ => -1,
    }
}

/// What people later said about a field.
fn word<'a>(stage: Stage, field: &str, aftermath: &'a Aftermath) -> Option<&'a str> {
    match (stage, field) {
        (Stage::Categorization, "category" | "kind")
        | (Stage::Priority, "priority" | "impact" | "urgency")
        | (Stage::Routing, "team" | "assignee") => aftermath.set.get(field).map(String::as_str),
        (Stage::Access, "outcome") => aftermath.access,
        _ => None,
    }
}

/// A verdict's value; a field that it does not have, such as the signals of what was rejected, has none.
fn value<'a>(verdict: &'a Verdict, field: &str) -> &'a str {
    verdict.told.fields.iter().find(|(name, _)| *name == field).map_or("none", |(_, value)| value)
}

/// Where two verdicts differ.
pub fn changes(before: &Verdict, after: &Verdict) -> Vec<(&'static str, String, String)> {
    let names = before.told.fields.iter().map(|(name, _)| *name);
    let more = after
        .told
        .fields
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !before.told.fields.iter().any(|(n, _)| n == name));
    let pairs = names.chain(more).map(|name| (name, value(before, name), value(after, name)));
    pairs.filter(|(_, from, to)| from != to).map(|(name, from, to)| (name, cut(from), cut(to))).collect()
}

fn example(compared: &Compared<'_>, changes: &[(&'static str, String, String)]) -> Example {
    let said = |(field, _, _): &(&'static str, String, String)| {
        let word = compared.aftermath.and_then(|aftermath| word(compared.stage, field, aftermath))?;
        Some(format!("{field}: {word}"))
    };
    Example {
        ticket: compared.ticket.to_string(),
        at: compared.at,
        stage: compared.stage,
        changes: changes.to_vec(),
        before_by: compared.before.told.by.clone(),
        before_reason: compared.before.told.reason.clone(),
        after_by: compared.after.told.by.clone(),
        after_reason: compared.after.told.reason.clone(),
        people: changes.iter().filter_map(said).collect(),
        number: compared.ticket.0,
    }
}

fn cut(text: &str) -> String {
    beginning(text, VALUE_CHARS_MAX)
}
