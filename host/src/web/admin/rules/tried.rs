//! A backtest's report as its page shows it: plots, and the same numbers as tables.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Bar, PLOT};
use crate::app::replay::promises::PromiseSum;
use crate::app::replay::report::{CostReport, FieldReport, Report, SideReport};
use crate::app::replay::tally;
use crate::web::frame::Frame;
use crate::web::frame::times::When;

/// Changes of a field that are drawn, and values on one side of its table; what is left is summed up.
const MOVES: usize = 12;
const VALUES: usize = 10;
/// Bars of a plot of times: what is beyond waited for the machine.
const BARS: usize = 48;
/// Failures, grants and approvers that are listed.
const LISTED: usize = 20;

/// A value from one thing to another.
pub struct Move {
    pub from: String,
    pub to: String,
    pub count: u64,
    /// Of the most frequent, in percent.
    pub length: f64,
}

/// From what to what: a row for each value before, a column for each after.
pub struct Matrix {
    pub names: Vec<String>,
    /// Each cell: how many, and whether these would change.
    pub rows: Vec<(String, Vec<(u64, bool)>)>,
}

/// How often people agree with it, before and after.
pub struct People {
    pub words: u64,
    pub before: u64,
    pub after: u64,
    pub better: u64,
    pub worse: u64,
    /// The same two in percent, for their bars.
    pub share: (f64, f64),
}

/// One field of a stage.
pub struct Field {
    pub name: String,
    pub changed: u64,
    pub moves: Vec<Move>,
    pub others: u64,
    pub matrix: Option<Matrix>,
    pub people: Option<People>,
}

/// One stage.
pub struct Stage {
    pub code: &'static str,
    pub name: String,
    pub decisions: u64,
    pub changed: u64,
    pub fields: Vec<Field>,
}

/// A decision that would have been another.
pub struct Example {
    pub ticket: String,
    pub stage: String,
    pub when: When,
    /// Field, from, to.
    pub changes: Vec<(String, String, String)>,
    pub before: (String, String),
    pub after: (String, String),
    pub people: String,
}

/// How long calls took, before and after.
pub struct Times {
    pub before: Vec<Bar>,
    pub after: Vec<Bar>,
    pub least: String,
    pub greatest: String,
    /// From how long on, how many before, how many after.
    pub rows: Vec<(String, u64, u64)>,
}

/// One side of the costs of a rule.
pub struct Side {
    pub version: String,
    pub calls: u64,
    pub fuel: u64,
    pub half: String,
    pub most: String,
}

/// The costs of a rule.
pub struct Cost {
    pub rule: String,
    pub sides: Vec<Side>,
    pub times: Option<Times>,
    pub not_reproduced: u64,
}

/// The effect on access, each count with its word.
pub struct Access {
    pub requests: u64,
    pub counts: Vec<(String, u64)>,
    /// Person, before, after.
    pub approvers: Vec<(String, u64, u64)>,
    pub standing: Vec<Standing>,
}

/// Access that stands though it would have been decided otherwise.
pub struct Standing {
    pub person: String,
    pub access: String,
    pub ticket: String,
    /// The decision that there would be.
    pub would_be: String,
}

/// A team's tickets that would be promised sooner or later, and by how many hours.
pub struct MovedPromises {
    pub team: String,
    pub sooner: u64,
    pub hours_sooner: String,
    pub later: u64,
    pub hours_later: String,
}

/// A backtest's report, ready to be shown.
pub struct Tried {
    pub title: String,
    pub differs: Vec<String>,
    /// The first and the last decision.
    pub period: Option<(String, String)>,
    pub decisions: u64,
    pub changed: u64,
    pub percent: String,
    pub cut_short: bool,
    pub limit_reached: bool,
    pub drifted: u64,
    pub not_judged: Vec<(String, u64)>,
    pub stages: Vec<Stage>,
    pub new_failures: u64,
    pub mended: u64,
    /// Ticket, rule, message.
    pub failures: Vec<(String, String, String)>,
    pub reopened: (u64, u64),
    pub examples: Vec<Example>,
    pub access: Option<Access>,
    pub promises: Vec<MovedPromises>,
    pub costs: Vec<Cost>,
    pub seconds: String,
}

impl Tried {
    /// The report in the reader's words, with a title where what was tried has no version.
    pub fn of(f: &Frame, title: Option<String>, report: &Report) -> Tried {
        let stages = report.stages.iter().filter(|stage| stage.decisions > 0).map(|stage| Stage {
            code: stage.stage.name(),
            name: f.words.t(&format!("stage.{}", stage.stage.name())),
            decisions: stage.decisions,
            changed: stage.changed,
            fields: fields(f, &stage.fields),
        });
        let failures = &report.failures;
        let listed = failures.examples.iter().take(LISTED);
        Tried {
            title: title.unwrap_or_else(|| report.tried.join(", ")),
            differs: report.differs.clone(),
            period: report.first.zip(report.last).map(|(first, last)| (f.times.exact(first), f.times.exact(last))),
            decisions: report.decisions,
            changed: report.changed,
            percent: f.words.decimal(report.changed_share * 100.0, 1),
            cut_short: report.cut_short,
            limit_reached: report.limit_reached,
            drifted: report.drifted,
            not_judged: report.not_judged.iter().map(|(why, count)| (f.own_reason(why), *count)).collect(),
            stages: stages.collect(),
            new_failures: failures.new,
            mended: failures.mended,
            failures: listed.map(|one| (one.ticket.clone(), one.rule.clone(), one.message.clone())).collect(),
            reopened: (report.reopened.changed, report.reopened.decisions),
            examples: report.examples.iter().map(|one| example(f, one)).collect(),
            access: access(f, report),
            promises: promises(f, report),
            costs: report.costs.iter().map(|cost| costs(f, cost)).collect(),
            seconds: f.words.decimal(report.speed.seconds, 1),
        }
    }
}

/// A value as people call it.
fn named(f: &Frame, field: &str, value: &str) -> String {
    match field {
        "team" => f.team(value),
        "category" => f.category(value),
        _ => value.to_owned(),
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 }
}

/// The fields that change, or about which people said something.
fn fields(f: &Frame, found: &[FieldReport]) -> Vec<Field> {
    let worth = found.iter().filter(|field| field.changed > 0 || field.people.is_some());
    worth
        .map(|field| {
            let changes: Vec<_> = field.moves.iter().filter(|moved| moved.from != moved.to).collect();
            let most = changes.first().map_or(1, |moved| moved.count);
            let rest: u64 = changes.iter().skip(MOVES).map(|moved| moved.count).sum();
            let moves = changes.iter().take(MOVES).map(|moved| Move {
                from: named(f, field.field, &moved.from),
                to: named(f, field.field, &moved.to),
                count: moved.count,
                length: share(moved.count, most),
            });
            Field {
                name: f.words.t(&format!("field.{}", field.field)),
                changed: field.changed,
                moves: moves.collect(),
                others: field.others + rest,
                matrix: matrix(f, field),
                people: field.people.map(|people| People {
                    words: people.words,
                    before: people.agreed_before,
                    after: people.agree_after,
                    better: people.better,
                    worse: people.worse,
                    share: (share(people.agreed_before, people.words), share(people.agree_after, people.words)),
                }),
            }
        })
        .collect()
}

/// The values that most tickets leave or reach, and between them how many do.
fn matrix(f: &Frame, field: &FieldReport) -> Option<Matrix> {
    let mut weights: BTreeMap<&str, u64> = BTreeMap::new();
    for moved in field.moves.iter().filter(|moved| moved.from != moved.to) {
        *weights.entry(&moved.from).or_default() += moved.count;
        *weights.entry(&moved.to).or_default() += moved.count;
    }
    let mut values: Vec<(&str, u64)> = weights.into_iter().collect();
    values.sort_by_key(|(value, weight)| (Reverse(*weight), *value));
    values.truncate(VALUES);
    let known: BTreeSet<&str> = values.iter().map(|(value, _)| *value).collect();
    // `None` are all others.
    let place = |value: &str| known.get(value).map(|value| (*value).to_owned());
    let mut cells: BTreeMap<(Option<String>, Option<String>), u64> = BTreeMap::new();
    for moved in &field.moves {
        *cells.entry((place(&moved.from), place(&moved.to))).or_default() += moved.count;
    }
    let mut names: Vec<Option<String>> = values.iter().map(|(value, _)| Some((*value).to_owned())).collect();
    if cells.keys().any(|(from, to)| from.is_none() || to.is_none()) {
        names.push(None);
    }
    let word = |name: &Option<String>| match name {
        Some(value) => named(f, field.field, value),
        None => f.words.t("backtest.others"),
    };
    let row = |from: &Option<String>| {
        let cell = |to: &Option<String>| {
            let count = cells.get(&(from.clone(), to.clone())).copied().unwrap_or_default();
            (count, count > 0 && from != to)
        };
        let row: Vec<(u64, bool)> = names.iter().map(cell).collect();
        (word(from), row)
    };
    (!values.is_empty())
        .then(|| Matrix { names: names.iter().map(word).collect(), rows: names.iter().map(row).collect() })
}

fn example(f: &Frame, one: &tally::Example) -> Example {
    let change = |(field, from, to): &(&'static str, String, String)| {
        (f.words.t(&format!("field.{field}")), named(f, field, from), named(f, field, to))
    };
    Example {
        ticket: one.ticket.clone(),
        stage: f.words.t(&format!("stage.{}", one.stage.name())),
        when: f.times.ago(one.at),
        changes: one.changes.iter().map(change).collect(),
        before: (one.before_by.clone(), f.own_reason(&one.before_reason)),
        after: (one.after_by.clone(), f.own_reason(&one.after_reason)),
        people: one.people.join("; "),
    }
}

fn access(f: &Frame, report: &Report) -> Option<Access> {
    let found = report.access.as_ref()?;
    let counts = [
        ("denied", found.denied),
        ("lose-approval", found.lose_approval),
        ("at-once", found.given_at_once),
        ("reopened", found.reopened),
    ];
    let asked = found.approvers.iter().take(LISTED);
    let standing = found.standing.iter().take(LISTED).map(|one| Standing {
        person: f.name_of(&one.person),
        access: format!("{}/{}", one.app, one.tier),
        ticket: one.ticket.clone(),
        would_be: f.words.t(&format!("backtest.would-be-{}", one.would_be)),
    });
    Some(Access {
        requests: found.requests,
        counts: counts.into_iter().map(|(key, n)| (f.words.t(&format!("backtest.access-{key}")), n)).collect(),
        approvers: asked.map(|one| (f.name_of(&one.person), one.before, one.after)).collect(),
        standing: standing.collect(),
    })
}

fn promises(f: &Frame, report: &Report) -> Vec<MovedPromises> {
    let Some(found) = &report.promises else { return Vec::new() };
    let sums = found.teams.iter().take(LISTED).chain([&found.total]);
    let hours = |hours: f64| f.words.decimal(hours, 1);
    let row = |sum: &PromiseSum| MovedPromises {
        team: sum.team.as_ref().map_or_else(|| f.words.t("backtest.all-teams"), |team| f.team(team)),
        sooner: sum.sooner,
        hours_sooner: hours(sum.hours_sooner),
        later: sum.later,
        hours_later: hours(sum.hours_later),
    };
    sums.map(row).collect()
}

fn time(micros: f64) -> String {
    if micros < 1_000.0 { format!("{micros:.0} µs") } else { format!("{:.1} ms", micros / 1_000.0) }
}

fn costs(f: &Frame, cost: &CostReport) -> Cost {
    let before = cost.before.clone().unwrap_or_default();
    let side = |version: String, side: &SideReport| Side {
        version,
        calls: side.calls,
        fuel: side.fuel_mean,
        half: time(side.p50_us),
        most: time(side.p95_us),
    };
    let recorded = cost.recorded.as_ref().map(|found| side(f.words.t1("backtest.recorded", &before), found));
    let now = cost.now.as_ref().map(|found| side(f.words.t1("backtest.now", &before), found));
    let after = side(cost.after.clone(), &cost.candidate);
    Cost {
        rule: cost.rule.clone(),
        sides: recorded.into_iter().chain(now).chain([after]).collect(),
        times: times(cost),
        not_reproduced: cost.not_reproduced,
    }
}

/// The bars of both sides, next to each other, each as a share of its side's calls.
fn times(cost: &CostReport) -> Option<Times> {
    let mut rows: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    // Nanoseconds, so that the bars of both sides are found by whole numbers.
    let place = |micros: f64| (micros * 1_000.0) as u64;
    for (from, count) in cost.now.iter().flat_map(|side| &side.histogram) {
        rows.entry(place(*from)).or_default().0 += count;
    }
    for (from, count) in &cost.candidate.histogram {
        rows.entry(place(*from)).or_default().1 += count;
    }
    let calls = (cost.now.as_ref().map_or(0, |side| side.calls), cost.candidate.calls);
    let rows: Vec<(u64, (u64, u64))> = rows.into_iter().take(BARS).collect();
    let shares = |(before, after): (u64, u64)| (share(before, calls.0), share(after, calls.1));
    let top = rows.iter().map(|(_, counts)| shares(*counts)).fold(0.0, |top: f64, (a, b)| top.max(a).max(b));
    if top <= 0.0 {
        return None;
    }
    let width = PLOT.0 / rows.len() as f64;
    let label = |nanos: u64| time(nanos as f64 / 1_000.0);
    let bar = |n: usize, half: f64, share: f64, title: String| {
        let height = share / top * PLOT.1;
        Bar { x: (n as f64 + half) * width, y: PLOT.1 - height, width: (width / 2.0 - 0.5).max(0.5), height, title }
    };
    let drawn = |half: f64, of: fn((f64, f64)) -> f64| -> Vec<Bar> {
        let draw = |(n, (from, counts)): (usize, &(u64, (u64, u64)))| {
            let share = of(shares(*counts));
            bar(n, half, share, format!("{}: {share:.1} %", label(*from)))
        };
        rows.iter().enumerate().map(draw).collect()
    };
    Some(Times {
        before: drawn(0.0, |shares| shares.0),
        after: drawn(0.5, |shares| shares.1),
        least: rows.first().map(|(from, _)| label(*from)).unwrap_or_default(),
        greatest: rows.last().map(|(from, _)| label(*from)).unwrap_or_default(),
        rows: rows.iter().map(|(from, (before, after))| (label(*from), *before, *after)).collect(),
    })
}
