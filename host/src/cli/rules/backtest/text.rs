//! A backtest's report as text for people.

use std::fmt::Write as _;

use crate::app::replay::access::AccessReport;
use crate::app::replay::promises::{PromiseReport, PromiseSum};
use crate::app::replay::report::{CostReport, FieldReport, Report};
use crate::app::replay::tally::Example;
use crate::cli::which::thousands;
use crate::rules::text::shown;

/// Pairs of values that are shown of one field; the page and the JSON have more.
const MOVES_MAX: usize = 12;
/// Examples that are shown.
const EXAMPLES_MAX: usize = 8;

/// The report's text.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "tried: {}", shown(&report.tried.join(", ")));
    for difference in &report.differs {
        let _ = writeln!(out, "  differs: {}", shown(difference));
    }
    let period = report.first.zip(report.last).map(|(first, last)| format!(" from {first} to {last}"));
    let _ = writeln!(
        out,
        "{} of {} decisions{} would have been others ({:.2} %)",
        thousands(report.changed),
        thousands(report.decisions),
        period.unwrap_or_default(),
        report.changed_share * 100.0
    );
    if let Some(note) = bounded(report) {
        let _ = writeln!(out, "note: {note}");
    }
    if report.drifted > 0 {
        let _ = writeln!(
            out,
            "note: today's configuration makes other decisions of {} recorded answers, whatever is tried; they are compared \
             with what they come to today",
            thousands(report.drifted)
        );
    }
    for (reason, count) in &report.not_judged {
        let _ = writeln!(out, "note: {} decisions were not judged: {}", thousands(*count), shown(reason));
    }
    for stage in report.stages.iter().filter(|stage| stage.changed > 0) {
        let (changed, all) = (thousands(stage.changed), thousands(stage.decisions));
        let _ = writeln!(out, "\n{}: {changed} of {all} change", stage.stage);
        stage.fields.iter().for_each(|found| field(&mut out, found));
    }
    let Report { failures, reopened, .. } = report;
    let _ = writeln!(out, "\nnew failures: {}, mended: {}", thousands(failures.new), thousands(failures.mended));
    for failure in &failures.examples {
        let _ = writeln!(out, "  {} {} {}: {}", failure.ticket, failure.stage, failure.rule, shown(&failure.message));
    }
    if reopened.decisions > 0 {
        let (changed, all) = (thousands(reopened.changed), thousands(reopened.decisions));
        let _ = writeln!(out, "of {all} decisions about tickets that were reopened, {changed} change");
    }
    report.promises.iter().for_each(|found| promises(&mut out, found));
    report.access.iter().for_each(|found| access(&mut out, found));
    report.costs.iter().for_each(|found| cost(&mut out, found));
    if !report.examples.is_empty() {
        let _ = writeln!(out, "\nexamples");
        report.examples.iter().take(EXAMPLES_MAX).for_each(|found| example(&mut out, found));
    }
    for limit in &report.limits {
        let word = if limit.holds { "ok  " } else { "FAIL" };
        let _ = writeln!(out, "{word} {}: {} allowed, {} found", limit.limit, limit.allowed, limit.found);
    }
    let speed = &report.speed;
    let _ = writeln!(
        out,
        "{} decisions/s, {} calls; a call took {:.1} µs in the rule and {:.1} µs beside it",
        thousands(speed.decisions_per_second as u64),
        thousands(speed.calls),
        speed.rule_us,
        speed.overhead_us
    );
    out
}

/// Why older decisions than these may have been left out, where something ended the search.
pub fn bounded(report: &Report) -> Option<String> {
    let newest = thousands(report.decisions);
    if report.limit_reached {
        Some(format!("`--limit` let through the newest {newest} decisions; older ones were not asked about"))
    } else if report.cut_short {
        Some(format!("the time was over after the newest {newest} decisions; older ones were not asked about"))
    } else {
        None
    }
}

/// The meaning of other priorities in hours of the promise, in total and by team.
fn promises(out: &mut String, found: &PromiseReport) {
    let sum = |sum: &PromiseSum| {
        format!(
            "{} tickets; {} would be promised {:.1} h sooner in all, {} {:.1} h later",
            thousands(sum.tickets),
            thousands(sum.sooner),
            sum.hours_sooner,
            thousands(sum.later),
            sum.hours_later
        )
    };
    let _ = writeln!(out, "\nresolutions by other priorities: {}", sum(&found.total));
    for one in found.teams.iter().take(MOVES_MAX) {
        let _ = writeln!(out, "  {}: {}", shown(one.team.as_deref().unwrap_or_default()), sum(one));
    }
    for one in found.tickets.iter().take(EXAMPLES_MAX) {
        let _ =
            writeln!(out, "  {}: {} -> {}, {:+.1} h ({})", one.ticket, one.from, one.to, one.hours, shown(&one.team));
    }
}

fn access(out: &mut String, found: &AccessReport) {
    let _ = writeln!(
        out,
        "\naccess: of {} requests {} would be denied, {} would wait for people instead of being given at once, {} would be \
         given at once, {} would be asked about instead of being denied",
        thousands(found.requests),
        thousands(found.denied),
        thousands(found.lose_approval),
        thousands(found.given_at_once),
        thousands(found.reopened)
    );
    for one in found.approvers.iter().take(MOVES_MAX) {
        let _ = writeln!(
            out,
            "  {} would be asked {} times, {} before",
            shown(&one.person),
            thousands(one.after),
            thousands(one.before)
        );
    }
    for grant in found.standing.iter().take(MOVES_MAX) {
        let what = if grant.would_be == "denied" { "would not have been given" } else { "would have needed approval" };
        let (person, app, tier) = (shown(&grant.person), &grant.app, &grant.tier);
        let _ = writeln!(out, "  held today: {person} has {app}/{tier} by {}, which {what}", grant.ticket);
    }
    let left = found.standing.len().saturating_sub(MOVES_MAX);
    if left > 0 || found.more {
        let _ = writeln!(out, "  and more: --json has {} of them", found.standing.len());
    }
}

fn field(out: &mut String, field: &FieldReport) {
    if field.changed > 0 {
        let _ = writeln!(out, "  {}: {}", field.field, thousands(field.changed));
    }
    let changed = || field.moves.iter().filter(|moved| moved.from != moved.to);
    for moved in changed().take(MOVES_MAX) {
        let _ = writeln!(out, "    {:>7}  {} -> {}", thousands(moved.count), shown(&moved.from), shown(&moved.to));
    }
    let more: u64 = changed().skip(MOVES_MAX).map(|moved| moved.count).sum::<u64>() + field.others;
    if more > 0 {
        let _ = writeln!(out, "    {:>7}  others", thousands(more));
    }
    if let Some(people) = field.people {
        let _ = writeln!(
            out,
            "    people had a word on {}'s of {}: {} agreed before, {} agree after ({} better, {} worse)",
            field.field, people.words, people.agreed_before, people.agree_after, people.better, people.worse
        );
    }
}

fn cost(out: &mut String, cost: &CostReport) {
    let after = &cost.candidate;
    match (&cost.before, &cost.now) {
        (Some(version), Some(now)) => {
            let _ = writeln!(
                out,
                "{} {version} -> {}: fuel {} -> {} ({:.2}x), median {:.1} -> {:.1} µs ({:.2}x), 95 % {:.1} -> {:.1} µs",
                cost.rule,
                cost.after,
                thousands(now.fuel_mean),
                thousands(after.fuel_mean),
                cost.fuel_ratio.unwrap_or_default(),
                now.p50_us,
                after.p50_us,
                cost.latency_ratio.unwrap_or_default(),
                now.p95_us,
                after.p95_us
            );
        }
        _ => {
            let fuel = thousands(after.fuel_mean);
            let (name, version) = (&cost.rule, &cost.after);
            let _ = writeln!(
                out,
                "{name} {version}: fuel {fuel}, median {:.1} µs, 95 % {:.1} µs",
                after.p50_us, after.p95_us
            );
        }
    }
    if cost.not_reproduced > 0 {
        let _ = writeln!(
            out,
            "  note: {} answers of the version of then are not what was recorded: see `ruledesk decisions verify`",
            thousands(cost.not_reproduced)
        );
    }
}

fn example(out: &mut String, example: &Example) {
    let changes: Vec<String> = example.changes.iter().map(|(f, from, to)| format!("{f}: {from} -> {to}")).collect();
    let _ = writeln!(out, "  {} {}, {}", example.ticket, example.stage, shown(&changes.join("; ")));
    let said =
        |by: &str, reason: &str| [by, reason].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(": ");
    let _ = writeln!(out, "    before {}", shown(&said(&example.before_by, &example.before_reason)));
    let _ = writeln!(out, "    after  {}", shown(&said(&example.after_by, &example.after_reason)));
    if !example.people.is_empty() {
        let _ = writeln!(out, "    people {}", shown(&example.people.join("; ")));
    }
}
