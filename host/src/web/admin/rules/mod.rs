//! The rules: what is live, how each does, and every step of its rollout.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;

use crate::app::Error;
use crate::app::observe::stats::{HourStats, RuleStats, Window};
use crate::app::rollout::archive;
use crate::app::rollout::rules::RuleStatus;
use crate::app::rollout::steps::{Command, DeploymentEvent, LifeTrial, Part};
use crate::web::admin::editor::grid;
use crate::web::frame::failure::{Failure, if_any};
use crate::web::frame::form::Form;
use crate::web::frame::shown::size;
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

pub mod backtest;
mod tried;

/// Versions and events that a page shows.
const SHOWN: usize = 20;
/// The width and the height of a plot, in its own units.
const PLOT: (f64, f64) = (480.0, 120.0);

/// A version and the part that it plays.
struct Arm {
    part: String,
    version: String,
    id: String,
    percent: Option<u8>,
    proposed_by: Option<String>,
}

/// A rule in the list.
struct Listed {
    name: String,
    order: String,
    stages: String,
    version: String,
    candidate: Option<Arm>,
    suspended: bool,
    calls: u64,
    failures: u64,
    micros: u64,
    error: Option<String>,
    has_rows: bool,
}

#[derive(Template)]
#[template(path = "admin/rules.html")]
struct RulesPage {
    f: Frame,
    generation: u64,
    rules: Vec<Listed>,
}

/// The candidate of a rule, in words.
fn candidate(f: &Frame, status: &RuleStatus) -> Option<Arm> {
    let found = status.rollout.as_ref()?.candidate.as_ref()?;
    let (part, percent) = match found.trial {
        LifeTrial::Loaded => ("loaded", None),
        LifeTrial::Shadow => ("shadow", None),
        LifeTrial::Canary(percent) => ("canary", Some(percent)),
    };
    Some(Arm {
        part: f.words.t(&format!("part.{part}")),
        version: status.candidate.as_ref().map(|rule| rule.manifest.version.clone()).unwrap_or_default(),
        id: found.version.to_string(),
        percent,
        proposed_by: found.proposed_by.as_ref().map(|by| f.name_of(&by.to_string())),
    })
}

fn listed(f: &Frame, status: &RuleStatus) -> Listed {
    let manifest = status.live.as_ref().map(|rule| &rule.manifest);
    let sum = |of: fn(&crate::app::rollout::rules::Figures) -> u64| status.health.iter().map(of).sum::<u64>();
    let calls = sum(|figures| figures.calls);
    Listed {
        name: manifest.map_or_else(|| status.folder.clone(), |manifest| manifest.name.to_string()),
        order: manifest.map(|manifest| manifest.order.to_string()).unwrap_or_default(),
        stages: manifest
            .map(|m| {
                m.stages
                    .iter()
                    .map(|stage| f.words.t(&format!("stage.{}", stage.name())))
                    .collect::<Vec<_>>()
                    .join(", ")
            })
            .unwrap_or_default(),
        version: manifest.map(|manifest| manifest.version.clone()).unwrap_or_default(),
        candidate: candidate(f, status),
        suspended: status.rollout.as_ref().is_some_and(|rollout| rollout.suspended.is_some()),
        failures: sum(|figures| figures.failures),
        micros: sum(|figures| figures.mean_micros * figures.calls).checked_div(calls).unwrap_or_default(),
        calls,
        error: status.error.as_ref().map(|(message, _)| message.clone()),
        has_rows: status.live.as_ref().is_some_and(|rule| grid::has_rows(&rule.manifest_text)),
    }
}

/// `GET /admin/rules`.
pub async fn list(visit: Visit) -> Result<Response, Failure> {
    let (generation, statuses) = visit.app.rules_status(&visit.actor)?;
    let f = visit.frame;
    let rules = statuses.iter().map(|status| listed(&f, status)).collect();
    page(StatusCode::OK, &RulesPage { generation, rules, f })
}

/// A bar of a plot.
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    title: String,
}

/// How long calls take, as bars from the shortest to the longest.
struct Plot {
    bars: Vec<Bar>,
    least: String,
    middle: String,
    greatest: String,
    rows: Vec<(String, u64)>,
}

fn plot(bars: &[(f64, u64)]) -> Option<Plot> {
    let most = bars.iter().map(|(_, count)| *count).max().filter(|most| *most > 0)?;
    let width = PLOT.0 / bars.len() as f64;
    let label =
        |micros: f64| if micros < 1000.0 { format!("{micros:.0} µs") } else { format!("{:.1} ms", micros / 1000.0) };
    let shown = bars.iter().enumerate().map(|(n, (from, count))| {
        let height = *count as f64 / most as f64 * PLOT.1;
        let title = format!("{}: {count}", label(*from));
        Bar { x: n as f64 * width, y: PLOT.1 - height, width: (width - 1.0).max(1.0), height, title }
    });
    let at = |n: usize| bars.get(n).map(|(from, _)| label(*from)).unwrap_or_default();
    Some(Plot {
        bars: shown.collect(),
        least: at(0),
        middle: at(bars.len() / 2),
        greatest: at(bars.len().saturating_sub(1)),
        rows: bars.iter().map(|(from, count)| (label(*from), *count)).collect(),
    })
}

/// A figure of a rule hour by hour.
struct Track {
    title: String,
    bars: Vec<Bar>,
    /// When the first hour of the plot begins, and the last.
    first: String,
    last: String,
    greatest: String,
    rows: Vec<(String, String)>,
}

/// How a rule did over time: how often it was asked and how often it failed, and how long calls took and how much they worked, but for
/// one in a hundred.
fn tracks(f: &Frame, stats: &RuleStats) -> Vec<Track> {
    const HOUR_MS: i64 = 3_600_000;
    let (first, last) = (stats.since.as_millisecond() / HOUR_MS, f.times.now.as_millisecond() / HOUR_MS);
    let begins = |hour: i64| {
        let at = Timestamp::from_millisecond(hour.saturating_mul(HOUR_MS));
        at.map(|at| f.times.exact(at)).unwrap_or_default()
    };
    let width = PLOT.0 / (last - first + 1).max(1) as f64;
    let track = |key: &str, unit: &str, of: &dyn Fn(&HourStats) -> u64| {
        let most = stats.hours.values().map(of).max().filter(|most| *most > 0)?;
        let text = |number: u64| format!("{number} {unit}").trim_end().to_owned();
        let bar = |(hour, stats): (&i64, &HourStats)| {
            let height = of(stats) as f64 / most as f64 * PLOT.1;
            let title = format!("{}: {}", begins(*hour), text(of(stats)));
            Bar { x: (hour - first) as f64 * width, y: PLOT.1 - height, width: (width - 1.0).max(1.0), height, title }
        };
        Some(Track {
            title: f.words.t(&format!("rule.track-{key}")),
            bars: stats.hours.iter().map(bar).collect(),
            first: begins(first),
            last: begins(last),
            greatest: text(most),
            rows: stats.hours.iter().map(|(hour, stats)| (begins(*hour), text(of(stats)))).collect(),
        })
    };
    let all = [
        track("calls", "", &|hour| hour.calls),
        track("failures", "", &|hour| hour.failures),
        track("time", "µs", &|hour| hour.micros.percentile(99).unwrap_or_default()),
        track("fuel", "", &|hour| hour.fuel.percentile(99).unwrap_or_default()),
    ];
    all.into_iter().flatten().collect()
}

/// A version in the archive.
struct Version {
    /// The beginnings of its digests; empty where they are damaged, and for the version that decides.
    other: String,
    version: String,
    short: String,
    seen: When,
    size: i64,
    damage: Option<String>,
}

/// An entry of a rule's audit.
struct Act {
    when: When,
    event: String,
    who: String,
    why: String,
}

impl Version {
    fn of(f: &Frame, version: archive::Version, active: &str) -> Version {
        let id = version.id().map(|id| id.short()).unwrap_or_default();
        Version {
            other: Some(id).filter(|id| !active.is_empty() && id != active).unwrap_or_default(),
            short: version.component_digest.chars().take(12).collect(),
            seen: f.times.ago(version.first_seen),
            size: version.component_bytes / 1024,
            damage: version.damage,
            version: version.version,
        }
    }
}

impl Act {
    fn of(f: &Frame, event: DeploymentEvent) -> Act {
        Act { when: f.times.ago(event.at), event: event.event, who: f.name_of(&event.actor), why: event.why }
    }
}

/// The versions of a rule that play a part, or played one before.
fn arms(f: &Frame, found: &RuleStatus) -> Vec<Arm> {
    let rollout = found.rollout.clone().unwrap_or_default();
    let arm = |part: &str, id: String, version: String| Arm {
        part: f.words.t(&format!("part.{part}")),
        version,
        id,
        percent: None,
        proposed_by: None,
    };
    let active = found.active.as_ref().map(|rule| rule.manifest.version.clone()).unwrap_or_default();
    let mut arms: Vec<Arm> = rollout.active.iter().map(|id| arm("active", id.to_string(), active.clone())).collect();
    arms.extend(candidate(f, found));
    arms.extend(rollout.suspended.iter().map(|id| arm("suspended", id.to_string(), String::new())));
    arms.extend(rollout.previous.iter().map(|id| arm("previous", id.to_string(), String::new())));
    arms
}

#[derive(Template)]
#[template(path = "admin/rule.html")]
struct RulePage {
    f: Frame,
    rule: Listed,
    description: String,
    arms: Vec<Arm>,
    calls: u64,
    failed: u64,
    outcomes: Vec<(String, u64)>,
    answers: Vec<(String, String, u64)>,
    plot: Option<Plot>,
    tracks: Vec<Track>,
    p50: String,
    p99: String,
    /// The work of a call in units of fuel, the half of all and 99 of a hundred.
    fuel: (u64, u64),
    memory: String,
    versions: Vec<Version>,
    compared: Option<Compared>,
    acts: Vec<Act>,
    manifest: String,
    notice: Option<(String, &'static str)>,
    retiring: bool,
    can_roll_back: bool,
    window: &'static str,
}

/// The part of a rule that is looked at.
#[derive(Debug, Default, Deserialize)]
pub struct Look {
    window: Option<String>,
    done: Option<String>,
    /// A version that is held against the one that decides.
    compare: Option<String>,
}

/// A version next to the one that decides.
struct Compared {
    from: String,
    to: String,
    /// Whether it is another component.
    component: bool,
    /// The lines of the manifests that differ, each with its class.
    lines: Vec<(&'static str, String)>,
}

async fn compared(visit: &Visit, rule: &str, from: &str, to: &str) -> Result<Compared, Failure> {
    let found = visit.app.rule_difference(&visit.actor, rule, from, to).await?;
    let line = |line: &str| {
        let class = match line.chars().next() {
            Some('+') => "added",
            Some('-') => "removed",
            _ => "same",
        };
        (class, line.to_owned())
    };
    Ok(Compared {
        component: found.from.component_digest != found.to.component_digest,
        from: found.from.version,
        to: found.to.version,
        lines: found.lines.lines().map(line).collect(),
    })
}

/// `GET /admin/rules/{name}`.
pub async fn show(visit: Visit, Path(name): Path<String>, Query(look): Query<Look>) -> Result<Response, Failure> {
    let window = look.window.as_deref().and_then(|window| window.parse().ok()).unwrap_or(Window::Day);
    let done = look.done.map(|_| (visit.frame.words.t("rule.done"), "good"));
    render(visit, &name, (window, look.compare.as_deref()), done, StatusCode::OK).await
}

/// Whether a rule has this name, or its folder where it never became a rule.
fn is_called(status: &RuleStatus, name: &str) -> bool {
    status.live.as_ref().is_some_and(|rule| rule.manifest.name.as_str() == name) || status.folder == name
}

async fn render(
    visit: Visit,
    name: &str,
    (window, compare): (Window, Option<&str>),
    notice: Option<(String, &'static str)>,
    status: StatusCode,
) -> Result<Response, Failure> {
    let (_, statuses) = visit.app.rules_status(&visit.actor)?;
    let found = statuses.into_iter().find(|status| is_called(status, name)).ok_or(Failure::NoPage)?;
    let own = found.live.as_ref().map_or_else(|| name.to_owned(), |rule| rule.manifest.name.to_string());
    // A folder that has never given a rule has no past.
    let stats = if_any(visit.app.rule_stats(&visit.actor, &own, window).await)?.unwrap_or_default();
    let versions = if_any(visit.app.rule_versions(&visit.actor, &own, 0, SHOWN).await)?;
    let versions = versions.map(|page| page.items).unwrap_or_default();
    let events = if_any(visit.app.rule_events(&visit.actor, &own, None, SHOWN).await)?;
    let events = events.map(|page| page.items).unwrap_or_default();
    let rollout = found.rollout.clone().unwrap_or_default();
    let active = rollout.active.map(|id| id.short()).unwrap_or_default();
    let compared = match compare {
        Some(other) if !active.is_empty() => Some(compared(&visit, &own, &active, other).await?),
        _ => None,
    };
    let f = visit.frame;
    let (commonest, _) = stats.commonest(8);
    let micros =
        |percent: u64| stats.micros.percentile(percent).map_or_else(|| "-".to_owned(), |micros| format!("{micros} µs"));
    let page_ = RulePage {
        rule: listed(&f, &found),
        description: found.live.as_ref().map(|rule| rule.manifest.description.clone()).unwrap_or_default(),
        arms: arms(&f, &found),
        calls: stats.calls,
        failed: stats.outcomes.iter().filter(|(outcome, _)| *outcome != "answered").map(|(_, count)| count).sum(),
        outcomes: stats.outcomes.iter().map(|(outcome, count)| (outcome.clone(), *count)).collect(),
        answers: commonest.into_iter().map(|(stage, word, n)| (stage.to_owned(), word.to_owned(), n)).collect(),
        plot: plot(&stats.micros.bars()),
        p50: micros(50),
        p99: micros(99),
        fuel: (stats.fuel.percentile(50).unwrap_or_default(), stats.fuel.percentile(99).unwrap_or_default()),
        memory: size(f.words, stats.memory_peak),
        tracks: tracks(&f, &stats),
        versions: versions.into_iter().map(|version| Version::of(&f, version, &active)).collect(),
        compared,
        acts: events.into_iter().map(|event| Act::of(&f, event)).collect(),
        manifest: found.live.as_ref().map(|rule| rule.manifest_text.to_string()).unwrap_or_default(),
        retiring: rollout.retiring.is_some(),
        can_roll_back: rollout.previous.is_some(),
        notice,
        window: window.name(),
        f,
    };
    page(status, &page_)
}

/// The command that a form means.
fn command(form: &Form) -> Option<Command> {
    let version = form.given("version");
    Some(match form.text("step").as_str() {
        "shadow" => Command::Promote { part: Part::Trial(LifeTrial::Shadow), version },
        "canary" => {
            let percent =
                form.text("percent").trim().parse::<u8>().ok().filter(|percent| (1..=99).contains(percent))?;
            Command::Promote { part: Part::Trial(LifeTrial::Canary(percent)), version }
        }
        "active" => Command::Promote { part: Part::Active, version },
        "loaded" => Command::Demote { trial: LifeTrial::Loaded, version },
        "approve" => Command::Approve { version: version? },
        "roll-back" => Command::RollBack,
        "suspend" => Command::Suspend { version },
        "resume" => Command::Resume,
        "retire" => Command::Retire,
        _ => return None,
    })
}

/// `POST /admin/rules/{name}/step`.
pub async fn step(visit: Visit, Path(name): Path<String>, form: Form) -> Result<Response, Failure> {
    let Some(command) = command(&form) else { return Err(Failure::BadForm) };
    match visit.app.command_rule(&visit.actor, &name, &command, form.text("why")).await {
        Ok(()) => Ok(Redirect::to(&format!("/admin/rules/{name}?done=1")).into_response()),
        Err(Error::Rejected { problems }) => {
            let all = visit.frame.problems(&problems);
            let all = visit.frame.words.t1("rule.why-needed", all);
            render(visit, &name, (Window::Day, None), Some((all, "bad")), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error @ (Error::NotTaken { .. } | Error::Ambiguous { .. })) => {
            let why = visit.frame.why_not(&error);
            render(visit, &name, (Window::Day, None), Some((why, "bad")), StatusCode::CONFLICT).await
        }
        Err(other) => Err(other.into()),
    }
}
