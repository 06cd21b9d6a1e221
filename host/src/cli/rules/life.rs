//! `ruledesk rules list`, `promote`, `rollback` and the like. They act on the database in a process of their own; a desk that
//! runs beside it follows within a second.

use clap::{Args, ValueEnum};

use crate::app::Clock;
use crate::app::rollout::life::{self, LifeTrial, Part, Word};
use crate::cli::{Failure, Place, desk};
use crate::desk::id::PersonId;
use crate::rules::live::rollout::VersionId;

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
    /// The person who acts; without it, the machine's administrator does.
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

pub async fn act(one: One, command: life::Command) -> Result<(), Failure> {
    let (config, _) = desk::configuration(&one.place, None)?;
    let by = desk::acting(&config, one.person.as_ref())?;
    let store = desk::store(&config.server).await?;
    let word = Word { by, why: one.why };
    let two = config.server.two_person_access;
    let done = life::command(&store, &Clock::System, two, &one.name, &command, &word).await;
    store.close().await;
    done.map_err(desk::told)?;
    Ok(())
}

pub async fn list(place: &Place) -> Result<(), Failure> {
    let (config, _) = desk::configuration(place, None)?;
    let store = desk::store(&config.server).await?;
    for row in store.deployments().await? {
        let life = life::life_of(&row)?;
        let short = |version: Option<VersionId>| version.map_or("-".to_owned(), |version| version.short());
        let trial = row.trial.unwrap_or_default();
        let share = row.percent.map(|percent| format!(" {percent} %")).unwrap_or_default();
        println!(
            "{:<24} {:<9} active {:<25} candidate {:<25} {trial}{share} previous {:<25} suspended {}",
            row.name,
            row.source,
            short(life.active),
            short(life.candidate.map(|candidate| candidate.version)),
            short(life.previous),
            short(life.suspended),
        );
    }
    store.close().await;
    Ok(())
}

pub async fn events(place: &Place, name: &str) -> Result<(), Failure> {
    let (config, _) = desk::configuration(place, None)?;
    let store = desk::store(&config.server).await?;
    for event in store.deployment_events(name, life::EVENTS_MAX).await? {
        let version = event.version.and_then(|version| Some(version.parse::<VersionId>().ok()?.short()));
        let version = version.unwrap_or_else(|| "-".to_owned());
        println!("{} {:<12} {version:<25} by {}: {}", event.at, event.event, event.actor, event.why);
    }
    store.close().await;
    Ok(())
}
