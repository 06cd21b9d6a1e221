//! A backtest's report as a page: one file, no scripts, light or dark as the reader's system is.

use std::fmt::Write as _;

use super::plot::{bar, latency, matrix};
use super::text::bounded;
use crate::app::observe::reports::html::escaped;
use crate::app::replay::access::AccessReport;
use crate::app::replay::promises::PromiseReport;
use crate::app::replay::report::{CostReport, FieldReport, Report, StageReport};
use crate::app::replay::tally::Example;
use crate::cli::which::thousands;

const STYLE: &str = include_str!("page.css");

/// The page.
pub fn page(report: &Report) -> String {
    let mut out = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    let tried = escaped(&report.tried.join(", "));
    let _ = write!(
        out,
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Backtest: {tried}</title>\
         <style>{STYLE}</style></head><body><main><header><p class=\"kicker\">RuleDesk backtest</p><h1>{tried}</h1>"
    );
    if let Some((first, last)) = report.first.zip(report.last) {
        let _ = write!(out, "<p class=\"muted\">recorded decisions from {first:.0} to {last:.0}</p>");
    }
    if !report.differs.is_empty() {
        let items = report.differs.iter().map(|one| format!("<li>{}</li>", escaped(one)));
        let _ = write!(out, "<p>What differs from what is live:</p><ul>{}</ul>", items.collect::<String>());
    }
    out.push_str("</header>");
    tiles(&mut out, report);
    limits(&mut out, report);
    notes(&mut out, report);
    report.stages.iter().filter(|stage| stage.decisions > 0).for_each(|found| stage(&mut out, found));
    report.promises.iter().for_each(|found| promises(&mut out, found));
    report.access.iter().for_each(|found| access(&mut out, found));
    failures(&mut out, report);
    if !report.costs.is_empty() {
        out.push_str("<section><h2>Cost</h2>");
        report.costs.iter().for_each(|found| cost(&mut out, found));
        out.push_str("</section>");
    }
    if !report.examples.is_empty() {
        out.push_str("<section><h2>Examples</h2>");
        report.examples.iter().for_each(|found| example(&mut out, found));
        out.push_str("</section>");
    }
    let speed = &report.speed;
    let _ = write!(
        out,
        "<footer class=\"muted\">{} calls of rules in {:.1} s: {} decisions/s; a call took {:.1} µs in the rule and {:.1} µs beside it. \
         Each stage was judged over its own recorded input, under the configuration of the day of this backtest.</footer>",
        thousands(speed.calls),
        speed.seconds,
        thousands(speed.decisions_per_second as u64),
        speed.rule_us,
        speed.overhead_us
    );
    out + "</main></body></html>\n"
}

fn tile(out: &mut String, number: &str, what: &str, class: &str) {
    let _ = write!(out, "<div class=\"tile {class}\"><b>{number}</b><span>{what}</span></div>");
}

fn tiles(out: &mut String, report: &Report) {
    out.push_str("<section class=\"tiles\">");
    tile(out, &thousands(report.decisions), "decisions compared", "");
    let changed = if report.changed > 0 { "accent" } else { "good" };
    tile(out, &thousands(report.changed), &format!("change ({:.2} %)", report.changed_share * 100.0), changed);
    let failures = if report.failures.new > 0 { "bad" } else { "good" };
    tile(out, &thousands(report.failures.new), "new failures", failures);
    let people = || report.stages.iter().flat_map(|stage| &stage.fields).filter_map(|field| field.people);
    if people().next().is_some() {
        let better: u64 = people().map(|people| people.better).sum();
        let worse: u64 = people().map(|people| people.worse).sum();
        let class = if worse > better { "bad" } else { "good" };
        tile(out, &format!("+{better} −{worse}"), "nearer to and further from what people did", class);
    }
    if let Some(ratio) = report.costs.iter().filter_map(|cost| cost.latency_ratio).reduce(f64::max) {
        tile(out, &format!("{ratio:.2}×"), "median latency", if ratio > 1.5 { "bad" } else { "" });
    }
    out.push_str("</section>");
}

fn limits(out: &mut String, report: &Report) {
    if report.limits.is_empty() {
        return;
    }
    out.push_str("<section><h2>Limits</h2><table><tr><th></th><th>limit</th><th>allowed</th><th>found</th></tr>");
    for limit in &report.limits {
        let (class, word) = if limit.holds { ("good", "holds") } else { ("bad", "exceeded") };
        let (allowed, found) = (escaped(&limit.allowed), escaped(&limit.found));
        let _ = write!(
            out,
            "<tr><td><span class=\"badge {class}\">{word}</span></td><td>{}</td><td>{allowed}</td><td>{found}</td></tr>",
            limit.limit
        );
    }
    out.push_str("</table></section>");
}

fn notes(out: &mut String, report: &Report) {
    let mut notes: Vec<String> = bounded(report).map(|note| escaped(&format!("{note}."))).into_iter().collect();
    if report.drifted > 0 {
        notes.push(format!(
            "Today's configuration makes other decisions of {} recorded answers, whatever is tried; they are compared with what they come to today.",
            thousands(report.drifted)
        ));
    }
    for (reason, count) in &report.not_judged {
        notes.push(format!("{} decisions were not judged: {}.", thousands(*count), escaped(reason)));
    }
    if report.reopened.decisions > 0 {
        let (changed, all) = (thousands(report.reopened.changed), thousands(report.reopened.decisions));
        notes.push(format!("Of {all} decisions about tickets that were reopened later, {changed} change."));
    }
    for note in notes {
        let _ = write!(out, "<p class=\"note\">{note}</p>");
    }
}

fn stage(out: &mut String, stage: &StageReport) {
    let name = stage.stage.name();
    let (changed, all) = (thousands(stage.changed), thousands(stage.decisions));
    let _ = write!(out, "<section><h2>{name} <small>{changed} of {all} decisions change</small></h2>");
    out.push_str("<table class=\"fields\"><tr><th>field</th><th>changes</th><th></th><th>agreement with people, before and after</th></tr>");
    for field in stage.fields.iter().filter(|field| field.changed > 0 || field.people.is_some()) {
        let _ = write!(
            out,
            "<tr><td>{}</td><td class=\"number\">{}</td><td>{}</td><td>{}</td></tr>",
            escaped(field.field),
            thousands(field.changed),
            bar(field.changed, stage.decisions, "accent"),
            people(field)
        );
    }
    out.push_str("</table>");
    for field in stage.fields.iter().filter(|field| field.moves.iter().any(|moved| moved.from != moved.to)) {
        let _ = write!(out, "<h3>{}</h3>{}", escaped(field.field), matrix(field));
    }
    out.push_str("</section>");
}

fn people(field: &FieldReport) -> String {
    let Some(people) = field.people else { return String::new() };
    format!(
        "<div class=\"pair\">{}{}</div><span class=\"muted\">{} → {} of {}; {} better, {} worse</span>",
        bar(people.agreed_before, people.words, "before"),
        bar(people.agree_after, people.words, "after"),
        people.agreed_before,
        people.agree_after,
        people.words,
        people.better,
        people.worse
    )
}

/// The meaning of other priorities in hours of the promise.
fn promises(out: &mut String, found: &PromiseReport) {
    let all = thousands(found.total.tickets);
    let _ = write!(
        out,
        "<section class=\"promises\"><h2>Promises <small>{all} tickets with another priority</small></h2><table><tr><th>team</th>\
         <th>sooner</th><th>hours</th><th>later</th><th>hours</th></tr>"
    );
    for sum in found.teams.iter().chain([&found.total]) {
        let team = escaped(sum.team.as_deref().unwrap_or("all"));
        let (sooner, later) = (thousands(sum.sooner), thousands(sum.later));
        let _ = write!(
            out,
            "<tr><td>{team}</td><td class=\"number\">{sooner}</td><td class=\"number\">{:.1}</td><td class=\"number\">{later}</td>\
             <td class=\"number\">{:.1}</td></tr>",
            sum.hours_sooner, sum.hours_later
        );
    }
    out.push_str("</table><table><tr><th>ticket</th><th>team</th><th>before</th><th>after</th><th>hours</th></tr>");
    for one in &found.tickets {
        let (ticket, team) = (escaped(&one.ticket), escaped(&one.team));
        let (from, to) = (escaped(&one.from), escaped(&one.to));
        let _ = write!(
            out,
            "<tr><td>{ticket}</td><td>{team}</td><td>{from}</td><td>{to}</td><td class=\"number\">{:+.1}</td></tr>",
            one.hours
        );
    }
    out.push_str("</table></section>");
}

/// The effect on access: what would not have been given, who would be asked, and what is held today all the same.
fn access(out: &mut String, found: &AccessReport) {
    let all = thousands(found.requests);
    let _ = write!(out, "<section class=\"access\"><h2>Access <small>{all} requests</small></h2><table>");
    for (what, count, class) in [
        ("would be denied", found.denied, "bad"),
        ("would wait for people instead of being given at once", found.lose_approval, "accent"),
        ("would be given at once", found.given_at_once, "good"),
        ("were denied, and would wait for people", found.reopened, "accent"),
    ] {
        let (number, bar) = (thousands(count), bar(count, found.requests, class));
        let _ = write!(out, "<tr><td>{what}</td><td class=\"number\">{number}</td><td>{bar}</td></tr>");
    }
    out.push_str("</table>");
    if !found.approvers.is_empty() {
        out.push_str(
            "<h3>How often approvers would be asked</h3><table><tr><th>person</th><th>before</th><th>after</th></tr>",
        );
        for one in &found.approvers {
            let (person, before, after) = (escaped(&one.person), thousands(one.before), thousands(one.after));
            let _ = write!(
                out,
                "<tr><td>{person}</td><td class=\"number\">{before}</td><td class=\"number\">{after}</td></tr>"
            );
        }
        out.push_str("</table>");
    }
    if !found.standing.is_empty() {
        out.push_str(
            "<h3>Held today, and not given as it was</h3><table><tr><th>person</th><th>access</th><th>ticket</th><th>would be</th></tr>",
        );
        for one in &found.standing {
            let access = escaped(&format!("{}/{}", one.app, one.tier));
            let (person, ticket) = (escaped(&one.person), escaped(&one.ticket));
            let _ =
                write!(out, "<tr><td>{person}</td><td>{access}</td><td>{ticket}</td><td>{}</td></tr>", one.would_be);
        }
        out.push_str("</table>");
    }
    if found.more {
        out.push_str("<p class=\"note\">There are more of them than are shown here.</p>");
    }
    out.push_str("</section>");
}

fn failures(out: &mut String, report: &Report) {
    let failures = &report.failures;
    if failures.new == 0 && failures.mended == 0 {
        return;
    }
    let (new, mended) = (thousands(failures.new), thousands(failures.mended));
    let _ = write!(out, "<section><h2>Failures <small>{new} new, {mended} mended</small></h2><table>");
    for failure in &failures.examples {
        let (rule, message) = (escaped(&failure.rule), escaped(&failure.message));
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{rule}</td><td>{message}</td></tr>",
            failure.ticket, failure.stage
        );
    }
    out.push_str("</table></section>");
}

fn cost(out: &mut String, cost: &CostReport) {
    let name = escaped(&cost.rule);
    let _ = write!(
        out,
        "<h3>{name}</h3><table><tr><th>version</th><th>calls</th><th>fuel</th><th>mean</th><th>median</th><th>95 %</th></tr>"
    );
    let before = cost.before.as_deref().unwrap_or_default();
    let sides = [
        (format!("{before}, as recorded"), cost.recorded.as_ref(), ""),
        (format!("{before}, asked again now"), cost.now.as_ref(), "before"),
        (cost.after.clone(), Some(&cost.candidate), "after"),
    ];
    for (version, side, class) in sides {
        let Some(side) = side else { continue };
        let dot = if class.is_empty() { String::new() } else { format!("<i class=\"dot {class}\"></i>") };
        let _ = write!(
            out,
            "<tr><td>{dot}{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{:.1} µs</td>\
             <td class=\"number\">{:.1} µs</td><td class=\"number\">{:.1} µs</td></tr>",
            escaped(&version),
            thousands(side.calls),
            thousands(side.fuel_mean),
            side.mean_us,
            side.p50_us,
            side.p95_us
        );
    }
    out.push_str("</table>");
    if cost.not_reproduced > 0 {
        let _ = write!(
            out,
            "<p class=\"note\">{} answers of the version of then are not what was recorded: <code>ruledesk decisions verify</code> tells which.</p>",
            thousands(cost.not_reproduced)
        );
    }
    out.push_str(&latency(cost));
}

fn example(out: &mut String, example: &Example) {
    let _ = write!(
        out,
        "<article><h3>{} <small>{}, {:.0}</small></h3><ul class=\"changes\">",
        escaped(&example.ticket),
        example.stage,
        example.at
    );
    for (field, from, to) in &example.changes {
        let (from, to) = (escaped(from), escaped(to));
        let _ = write!(out, "<li><span>{}</span> <del>{from}</del> → <ins>{to}</ins></li>", escaped(field));
    }
    out.push_str("</ul><dl>");
    for (word, by, reason) in
        [("before", &example.before_by, &example.before_reason), ("after", &example.after_by, &example.after_reason)]
    {
        let _ = write!(out, "<dt>{word}</dt><dd><b>{}</b> {}</dd>", escaped(by), escaped(reason));
    }
    if !example.people.is_empty() {
        let _ = write!(out, "<dt>people</dt><dd>{}</dd>", escaped(&example.people.join("; ")));
    }
    out.push_str("</dl></article>");
}
