//! A backtest's result as it is read: what changes, from what to what, the most telling examples, costs, and whether it is
//! within limits. Programs read it as JSON.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::access::AccessReport;
use super::promises::PromiseReport;
use super::tally::{Costs, Example, Failure, FieldTally, People, Reopened, Side, Tally};
use crate::rules::run::stage::Stage;
pub use crate::store::rules::histogram::BAR_STEP;

/// Nanoseconds of a microsecond.
const NANOS_PER_MICRO: f64 = 1_000.0;
/// Examples that are shown.
const EXAMPLES_MAX: usize = 30;

/// What a backtest found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// What was tried, in words.
    pub tried: Vec<String>,
    /// In what it differs from what is live, in words; empty where it is not known.
    pub differs: Vec<String>,
    /// The times of the first and the last decision.
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    pub decisions: u64,
    pub changed: u64,
    /// Of all decisions, 0 to 1.
    pub changed_share: f64,
    /// Decisions that differ under today's configuration alone, before the candidate is asked.
    pub drifted: u64,
    pub not_judged: BTreeMap<String, u64>,
    /// Whether the time was over before all decisions were compared: the newest are.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut_short: bool,
    /// Whether as many decisions were taken as the limit lets through: the newest, and none that are older.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub limit_reached: bool,
    pub stages: Vec<StageReport>,
    pub failures: FailuresReport,
    pub costs: Vec<CostReport>,
    pub reopened: Reopened,
    /// The effect on access, where requests were among the decisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessReport>,
    /// The meaning of other priorities for promises, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promises: Option<PromiseReport>,
    pub examples: Vec<Example>,
    pub limits: Vec<Checked>,
    pub speed: Speed,
}

/// One stage.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StageReport {
    pub stage: Stage,
    pub decisions: u64,
    pub changed: u64,
    pub fields: Vec<FieldReport>,
}

/// One field.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FieldReport {
    pub field: &'static str,
    pub changed: u64,
    /// The matrix, those that stay the same among it; the most frequent first.
    pub moves: Vec<MoveReport>,
    /// Changes beyond those.
    pub others: u64,
    /// How it agrees with what people later said, where they said something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<People>,
}

/// From one value to another, or to itself.
#[derive(Debug, Serialize)]
pub struct MoveReport {
    pub from: String,
    pub to: String,
    pub count: u64,
}

/// Rules that fail.
#[derive(Debug, Serialize)]
pub struct FailuresReport {
    pub new: u64,
    pub mended: u64,
    pub examples: Vec<Failure>,
}

/// What one candidate costs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CostReport {
    pub rule: String,
    pub before: Option<String>,
    pub after: String,
    /// The version of then, as recorded on the day; and asked again now.
    pub recorded: Option<SideReport>,
    pub now: Option<SideReport>,
    pub candidate: SideReport,
    /// The candidate's median over the earlier version's, both of now.
    pub latency_ratio: Option<f64>,
    pub fuel_ratio: Option<f64>,
    /// Answers of the version of then that it does not give any more: `ruledesk decisions verify` tells which.
    pub not_reproduced: u64,
}

/// Fuel and time of some calls.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SideReport {
    pub calls: u64,
    pub fuel_mean: u64,
    pub mean_us: f64,
    pub p50_us: f64,
    pub p95_us: f64,
    /// Microseconds from which on, and how many.
    pub histogram: Vec<(f64, u64)>,
}

/// How fast it went.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Speed {
    pub seconds: f64,
    pub decisions_per_second: f64,
    /// Calls of rules.
    pub calls: u64,
    /// For each call: in the rule, and beside it on the rules' threads.
    pub rule_us: f64,
    pub overhead_us: f64,
}

/// What may be, and what is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Checked {
    pub limit: &'static str,
    pub allowed: String,
    pub found: String,
    pub holds: bool,
}

/// What may change at most; `None` allows everything.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limits {
    pub changed: Option<Most>,
    pub failures: Option<u64>,
    pub latency_ratio: Option<f64>,
}

/// So many, or so large a share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Most {
    Count(u64),
    /// 0 to 1.
    Share(f64),
}

/// Why a text is no bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a number nor a share: use `20` or `2%`")]
pub struct NotABound(String);

impl std::str::FromStr for Most {
    type Err = NotABound;

    fn from_str(text: &str) -> Result<Self, NotABound> {
        let wrong = || NotABound(text.to_owned());
        match text.strip_suffix('%') {
            Some(percent) => {
                let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
                if (0.0..=100.0).contains(&percent) { Ok(Most::Share(percent / 100.0)) } else { Err(wrong()) }
            }
            None => text.parse().map(Most::Count).map_err(|_| wrong()),
        }
    }
}

impl Report {
    /// Makes a tally readable, and holds it against limits.
    pub fn of(tally: Tally, tried: Vec<String>, limits: &Limits, took: Duration) -> Self {
        let share = |part: u64| if tally.decisions == 0 { 0.0 } else { part as f64 / tally.decisions as f64 };
        let changed_share = share(tally.changed);
        let examples = telling(&tally);
        let costs: Vec<CostReport> = tally.costs.iter().map(|(rule, costs)| cost(rule, costs)).collect();
        let limits = check(&tally, changed_share, &costs, limits);
        let speed = Speed::of(&tally, took);
        let stages = tally.stages.into_iter().map(|(stage, tally)| StageReport {
            stage,
            decisions: tally.decisions,
            changed: tally.changed,
            fields: tally.fields.into_iter().map(|(name, field)| field_report(name, field)).collect(),
        });
        Report {
            tried,
            differs: Vec::new(),
            first: tally.period.map(|(first, _)| first),
            last: tally.period.map(|(_, last)| last),
            decisions: tally.decisions,
            changed: tally.changed,
            changed_share,
            drifted: tally.drifted,
            not_judged: tally.not_judged,
            cut_short: tally.bounded.by_time,
            limit_reached: tally.bounded.by_limit,
            stages: stages.collect(),
            failures: FailuresReport {
                new: tally.failures.new,
                mended: tally.failures.mended,
                examples: tally.failures.examples,
            },
            costs,
            reopened: tally.reopened,
            access: None,
            promises: tally.promises.report(),
            examples,
            limits,
            speed,
        }
    }

    /// Whether everything is within its limits.
    pub fn holds(&self) -> bool {
        self.limits.iter().all(|limit| limit.holds)
    }
}

impl Speed {
    fn of(tally: &Tally, took: Duration) -> Self {
        let seconds = took.as_secs_f64();
        let calls = tally.calls;
        Speed {
            seconds,
            decisions_per_second: if seconds > 0.0 { tally.decisions as f64 / seconds } else { 0.0 },
            calls,
            rule_us: if calls == 0 { 0.0 } else { tally.spent.rules.as_secs_f64() * 1e6 / calls as f64 },
            overhead_us: tally.spent.overhead_us(calls),
        }
    }
}

fn field_report(field: &'static str, tally: FieldTally) -> FieldReport {
    let moves = tally.moves.into_iter().map(|((from, to), found)| MoveReport { from, to, count: found.count });
    let mut moves: Vec<MoveReport> = moves.collect();
    moves.sort_by(|a, b| (Reverse(a.count), &a.from, &a.to).cmp(&(Reverse(b.count), &b.from, &b.to)));
    let people = Some(tally.people).filter(|people| people.words > 0);
    FieldReport { field, changed: tally.changed, moves, others: tally.others, people }
}

fn cost(rule: &str, costs: &Costs) -> CostReport {
    let compared = costs.now.took.count() > 0;
    let ratio = |after: f64, before: f64| (compared && before > 0.0).then(|| after / before);
    CostReport {
        rule: rule.to_owned(),
        before: compared.then(|| costs.before.clone()),
        after: costs.after.clone(),
        recorded: compared.then(|| side(&costs.recorded)),
        now: compared.then(|| side(&costs.now)),
        candidate: side(if compared { &costs.candidate } else { &costs.alone }),
        latency_ratio: ratio(percentile_us(&costs.candidate, 50), percentile_us(&costs.now, 50)),
        fuel_ratio: ratio(costs.candidate.fuel as f64, costs.now.fuel as f64),
        not_reproduced: costs.not_reproduced,
    }
}

fn side(side: &Side) -> SideReport {
    SideReport {
        calls: side.took.count(),
        fuel_mean: side.fuel_mean(),
        mean_us: side.took.mean() / NANOS_PER_MICRO,
        p50_us: percentile_us(side, 50),
        p95_us: percentile_us(side, 95),
        histogram: side.took.bars().into_iter().map(|(start, count)| (start / NANOS_PER_MICRO, count)).collect(),
    }
}

fn percentile_us(side: &Side, percent: u64) -> f64 {
    side.took.percentile(percent).unwrap_or_default() as f64 / NANOS_PER_MICRO
}

/// The examples that tell most: of each kind of change some, what weighs more and happens more often first.
fn telling(tally: &Tally) -> Vec<Example> {
    let mut found: Vec<(u8, bool, Reverse<u64>, usize, &Example)> = Vec::new();
    for stage in tally.stages.values() {
        for (field, fields) in &stage.fields {
            for ((from, to), moved) in fields.moves.iter().filter(|((from, to), _)| from != to) {
                let weight = weight(field, from, to);
                let examples = moved.examples.iter().enumerate();
                found.extend(
                    examples
                        .map(|(nth, example)| (weight, example.people.is_empty(), Reverse(moved.count), nth, example)),
                );
            }
        }
    }
    // One of each kind before the second of any.
    found
        .sort_by_key(|(weight, silent, count, nth, example)| (*nth, *weight, *silent, *count, Reverse(example.number)));
    let mut out: Vec<Example> = Vec::new();
    for (.., example) in found {
        if !out
            .iter()
            .any(|known| known.ticket == example.ticket && known.stage == example.stage && known.at == example.at)
        {
            out.push(example.clone());
        }
        if out.len() >= EXAMPLES_MAX {
            break;
        }
    }
    out
}

/// How much a change weighs for people; 0 weighs most.
fn weight(field: &str, from: &str, to: &str) -> u8 {
    match (field, from, to) {
        ("outcome", _, "approved") | ("acceptance", ..) => 0,
        ("outcome", ..) => 1,
        ("scope" | "approvers", ..) => 2,
        ("team" | "priority", ..) => 3,
        ("category", ..) => 4,
        ("assignee" | "kind", ..) => 5,
        _ => 6,
    }
}

fn check(tally: &Tally, share: f64, costs: &[CostReport], limits: &Limits) -> Vec<Checked> {
    let mut out = Vec::new();
    if let Some(most) = limits.changed {
        let (allowed, found, holds) = match most {
            Most::Count(most) => (most.to_string(), tally.changed.to_string(), tally.changed <= most),
            Most::Share(most) => (format!("{} %", most * 100.0), format!("{:.2} %", share * 100.0), share <= most),
        };
        out.push(Checked { limit: "changed decisions", allowed, found, holds });
    }
    if let Some(most) = limits.failures {
        let found = tally.failures.new;
        let holds = found <= most;
        out.push(Checked { limit: "new failures", allowed: most.to_string(), found: found.to_string(), holds });
    }
    if let Some(most) = limits.latency_ratio {
        let ratio = costs
            .iter()
            .filter_map(|cost| cost.latency_ratio)
            .fold(None, |a: Option<f64>, b| Some(a.map_or(b, |a| a.max(b))));
        let found = ratio.map_or("nothing to compare with".to_owned(), |ratio| format!("{ratio:.2}"));
        let holds = ratio.is_none_or(|ratio| ratio <= most);
        out.push(Checked { limit: "latency ratio", allowed: most.to_string(), found, holds });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_a_number_or_a_share() {
        assert_eq!("20".parse(), Ok(Most::Count(20)));
        assert_eq!("2%".parse(), Ok(Most::Share(0.02)));
        for wrong in ["2 per cent", "-1%", "101%", "NaN%", "-1", ""] {
            assert_eq!(wrong.parse::<Most>(), Err(NotABound(wrong.to_owned())));
        }
    }

    #[test]
    fn limits_hold_up_to_what_they_allow() {
        let mut tally = Tally { decisions: 100, changed: 2, ..Tally::default() };
        tally.failures.new = 1;
        let limits = Limits { changed: Some(Most::Share(0.02)), failures: Some(0), latency_ratio: Some(2.0) };
        let report = Report::of(tally, Vec::new(), &limits, Duration::from_secs(1));
        let held: Vec<(&str, bool)> = report.limits.iter().map(|limit| (limit.limit, limit.holds)).collect();
        assert_eq!(held, [("changed decisions", true), ("new failures", false), ("latency ratio", true)]);
        assert!(!report.holds());
    }
}
