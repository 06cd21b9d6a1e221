//! `ruledesk rules list`, `promote`, `rollback` and the like. They act on the database in a process of their own; a desk that
//! runs beside it follows within a second.

use clap::{Args, ValueEnum};

use crate::app::rollout::steps::{Command, LifeTrial, Part};
use crate::cli::desk::{self, Shell, at_shell};
use crate::cli::{Failure, Place};
use crate::desk::id::PersonId;
use crate::rules::live::rollout::{Signatory, VersionId};
use crate::rules::text::shown;

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
    let Shell { office, actor } = desk::shell(&one.place, one.person.as_ref()).await?;
    let done = office.command_rule(&actor, &one.name, &command, one.why).await;
    office.close().await;
    done.map_err(desk::told)
}

pub async fn list(place: &Place) -> Result<(), Failure> {
    let Shell { office, actor } = desk::shell(place, None).await?;
    let found = office.rollouts(&actor).await;
    office.close().await;
    for (name, rollout) in found? {
        let short = |version: Option<VersionId>| version.map_or("-".to_owned(), |version| version.short());
        let (trial, share) = match rollout.candidate.as_ref().map(|candidate| candidate.trial) {
            None => ("", String::new()),
            Some(LifeTrial::Loaded) => ("loaded", String::new()),
            Some(LifeTrial::Shadow) => ("shadow", String::new()),
            Some(LifeTrial::Canary(percent)) => ("canary", format!(" {percent} %")),
        };
        println!(
            "{name:<24} {:<9} active {:<25} candidate {:<25} {trial}{share} previous {:<25} suspended {}",
            rollout.source.code(),
            short(rollout.active),
            short(rollout.candidate.map(|candidate| candidate.version)),
            short(rollout.previous),
            short(rollout.suspended),
        );
        if let Some(by) = &rollout.retiring {
            println!("{:<24} is to be retired, says {by}: a second person has yet to agree", "");
        }
    }
    Ok(())
}

pub async fn events(place: &Place, name: &str) -> Result<(), Failure> {
    let Shell { office, actor } = desk::shell(place, None).await?;
    let found = office.rule_events(&actor, name).await;
    office.close().await;
    for event in found? {
        let version = event.version.and_then(|version| Some(version.parse::<VersionId>().ok()?.short()));
        let version = version.unwrap_or_else(|| "-".to_owned());
        let by = Signatory::parse(&event.actor);
        let (name, why) = (shown(&by.name()), shown(&event.why));
        println!("{} {:<12} {version:<25} by {name}: {why}{}", event.at, event.event, at_shell(&by));
    }
    Ok(())
}
