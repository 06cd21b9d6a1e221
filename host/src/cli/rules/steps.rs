//! `ruledesk rules list`, `promote`, `rollback` and the like. They act on the database in a process of their own; a desk that
//! runs beside it follows within a second.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::app::rollout::steps::{Command, LifeTrial, Part};
use crate::app::{Error, Office};
use crate::cli::desk::remote::part;
use crate::cli::desk::{self, Shell, at_shell};
use crate::cli::{Failure, Place};
use crate::desk::actor::Actor;
use crate::desk::id::PersonId;
use crate::rules::live::rollout::{Signatory, VersionId};
use crate::rules::text::{in_json, shown};

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    pub place: Place,
}

#[derive(Debug, Args)]
pub struct Events {
    #[command(flatten)]
    pub place: Place,
    /// The rule.
    pub name: String,
}

#[derive(Debug, Args)]
pub struct One {
    #[command(flatten)]
    place: Place,
    /// The rule.
    name: String,
    /// The reason; it stays in the audit.
    #[arg(long)]
    why: String,
    /// The person in whose name you act; the audit names you as well.
    #[arg(long = "as")]
    person: Option<PersonId>,
}

#[derive(Debug, Args)]
pub struct Meant {
    #[command(flatten)]
    pub one: One,
    /// The version that is meant, as `rules list` shows it, or the beginning of its digests; without it, the one that is there
    /// now.
    #[arg(long)]
    pub version: Option<String>,
}

#[derive(Debug, Args)]
pub struct Approve {
    #[command(flatten)]
    pub one: One,
    /// The version that you have looked at, as `rules list` shows it, or the beginning of its digests.
    #[arg(long)]
    pub version: String,
}

#[derive(Debug, Args)]
pub struct Move {
    #[command(flatten)]
    pub meant: Meant,
    #[arg(long)]
    to: To,
    /// The canary's share of tickets, 1 to 99.
    #[arg(long, required_if_eq("to", "canary"))]
    percent: Option<u8>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum To {
    Loaded,
    Shadow,
    Canary,
    Active,
}

impl Move {
    pub fn part(&self) -> Part {
        match self.to {
            To::Loaded => Part::Trial(LifeTrial::Loaded),
            To::Shadow => Part::Trial(LifeTrial::Shadow),
            To::Canary => Part::Trial(LifeTrial::Canary(self.percent.unwrap_or_default())),
            To::Active => Part::Active,
        }
    }
}

pub async fn act(one: One, command: Command) -> Result<(), Failure> {
    if let Some(elsewhere) = one.place.remote()? {
        let (verb, body) = asked(&command, &one.why);
        elsewhere.post(&format!("/rules/{}/{verb}", part(&one.name)), &body)?;
        return print_list(rows_of(&elsewhere.get("/rules")?));
    }
    let Shell { office, actor } = desk::shell(&one.place, one.person.as_ref()).await?;
    let done = office.command_rule(&actor, &one.name, &command, one.why).await;
    let rows = match done {
        Ok(()) => listed(&office, &actor).await,
        Err(error) => Err(desk::told(error)),
    };
    office.close().await;
    // What is so now.
    print_list(rows?.into_iter().filter(|[name, ..]| *name == one.name).collect())
}

/// A command as the interface has it: the last part of its path, and its body.
fn asked(command: &Command, why: &str) -> (&'static str, Value) {
    let to = |trial: &LifeTrial| match trial {
        LifeTrial::Loaded => ("loaded", None),
        LifeTrial::Shadow => ("shadow", None),
        LifeTrial::Canary(percent) => ("canary", Some(*percent)),
    };
    let moved = |(to, percent): (&str, Option<u8>), version: &Option<String>| json!({ "to": to, "percent": percent, "version": version, "why": why });
    match command {
        Command::Promote { part: Part::Active, version } => ("promote", moved(("active", None), version)),
        Command::Promote { part: Part::Trial(trial), version } => ("promote", moved(to(trial), version)),
        Command::Demote { trial, version } => ("demote", moved(to(trial), version)),
        Command::Approve { version } => ("approve", json!({ "version": version, "why": why })),
        Command::Suspend { version } => ("suspend", json!({ "version": version, "why": why })),
        Command::RollBack => ("rollback", json!({ "why": why })),
        Command::Resume => ("resume", json!({ "why": why })),
        Command::Retire => ("retire", json!({ "why": why })),
    }
}

/// The rules as a desk elsewhere has them.
fn rows_of(rules: &Value) -> Vec<[String; 7]> {
    let word = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("-").to_owned();
    let row = |rule: &Value| {
        let given = |name: &str| rule.get(name).filter(|value| !value.is_null());
        let (active, candidate) = (given("active"), given("candidate"));
        let serving = |otherwise: &str| active.map_or_else(|| word(rule.get(otherwise)), |_| "active".to_owned());
        let share = |of: &Value| of.get("percent").and_then(Value::as_u64).map(|percent| format!(" {percent} %"));
        let tried =
            |of: &Value| format!("{} {}{}", version_of(of), word(of.get("state")), share(of).unwrap_or_default());
        let stages = rule.get("stages").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        [
            word(rule.get("name")),
            active.or(candidate).map_or_else(|| word(rule.get("version")), version_of),
            stages.collect::<Vec<_>>().join(", "),
            serving("mode"),
            given("retire_proposed_by")
                .map_or_else(|| serving("state"), |_| format!("{}, to be retired", serving("state"))),
            candidate.map_or_else(|| "-".to_owned(), tried),
            word(rule.get("source")),
        ]
    };
    rules.get("rules").and_then(Value::as_array).into_iter().flatten().map(row).collect()
}

/// A version as the interface has it: its name, where that is known, and as much of its digest as tells it apart.
fn version_of(view: &Value) -> String {
    let id = view.get("id").and_then(Value::as_str).unwrap_or("-");
    let id = id.parse::<VersionId>().map_or_else(|_| id.to_owned(), |id| id.short());
    view.get("version").and_then(Value::as_str).map_or_else(|| id.clone(), |version| format!("{version} ({id})"))
}

fn print_list(found: Vec<[String; 7]>) -> Result<(), Failure> {
    let mut rows = vec![["NAME", "VERSION", "STAGES", "MODE", "STATE", "CANDIDATE", "FROM"].map(str::to_owned)];
    // Some of it may be the words of a desk elsewhere.
    rows.extend(found.into_iter().map(|row| row.map(|cell| shown(&cell))));
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..7).map(|column| width(column).unwrap_or_default()).collect();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    Ok(())
}

/// A line for each rule, under headings: versions by their names, with as much of the digest as tells them apart.
pub async fn list(place: &Place) -> Result<(), Failure> {
    if let Some(elsewhere) = place.remote()? {
        return print_list(rows_of(&elsewhere.get("/rules")?));
    }
    let Shell { office, actor } = desk::shell(place, None).await?;
    let found = listed(&office, &actor).await;
    office.close().await;
    print_list(found?)
}

async fn listed(office: &Office, actor: &Actor) -> Result<Vec<[String; 7]>, Failure> {
    let mut rows = Vec::new();
    for (name, rollout) in office.rollouts(actor).await? {
        let known = match office.rule_versions(actor, &name, 0, usize::MAX).await {
            Ok(versions) => versions.items,
            // Offered, and never live.
            Err(Error::Missing { .. }) => Vec::new(),
            Err(other) => return Err(other.into()),
        };
        let find = |id: VersionId| known.iter().find(|version| version.id().is_ok_and(|known| known == id));
        let shown = |id: VersionId| match find(id) {
            Some(version) => format!("{} ({})", version.version, id.short()),
            None => id.short(),
        };
        let candidate = rollout.candidate.as_ref();
        let (mode, share) = match candidate.map(|candidate| candidate.trial) {
            None | Some(LifeTrial::Loaded) => ("loaded", String::new()),
            Some(LifeTrial::Shadow) => ("shadow", String::new()),
            Some(LifeTrial::Canary(percent)) => ("canary", format!(" {percent} %")),
        };
        let (state, serving) = match (rollout.active, rollout.suspended) {
            (Some(active), _) => ("active", Some(active)),
            (None, Some(suspended)) => ("suspended", Some(suspended)),
            (None, None) if candidate.is_some() => ("offered", None),
            (None, None) => ("retired", None),
        };
        let version = serving.or(candidate.map(|candidate| candidate.version));
        let stages =
            version.and_then(find).map(|version| version.stages.iter().map(|stage| stage.name()).collect::<Vec<_>>());
        rows.push([
            name,
            version.map_or_else(|| "-".to_owned(), shown),
            stages.map_or_else(|| "-".to_owned(), |stages| stages.join(", ")),
            if serving.is_some() { "active".to_owned() } else { mode.to_owned() },
            // One person has asked for it, and a second has yet to agree.
            if rollout.retiring.is_some() { format!("{state}, to be retired") } else { state.to_owned() },
            candidate.map_or_else(|| "-".to_owned(), |candidate| format!("{} {mode}{share}", shown(candidate.version))),
            rollout.source.code().to_owned(),
        ]);
    }
    Ok(rows)
}

/// Entries of an audit that are shown, the latest.
const EVENTS_MAX: usize = 1000;

pub async fn events(place: &Place, name: &str) -> Result<(), Failure> {
    if let Some(elsewhere) = place.remote()? {
        let events = elsewhere.get(&format!("/rules/{}/events", part(name)))?;
        println!("{}", in_json(&serde_json::to_string_pretty(&events)?));
        return Ok(());
    }
    let Shell { office, actor } = desk::shell(place, None).await?;
    let found = office.rule_events(&actor, name, None, EVENTS_MAX).await;
    office.close().await;
    for event in found?.items {
        let version = event.version.and_then(|version| Some(version.parse::<VersionId>().ok()?.short()));
        let version = version.unwrap_or_else(|| "-".to_owned());
        let by = Signatory::parse(&event.actor);
        let (name, why) = (shown(&by.name()), shown(&event.why));
        println!("{} {:<12} {version:<25} by {name}: {why}{}", event.at, event.event, at_shell(&by));
    }
    Ok(())
}
