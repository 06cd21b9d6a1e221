//! `ruledesk rules ...`: the desk's rules in production. It acts on the database in a process of its own; a desk that runs
//! beside it follows within a second.

use clap::{Args, Subcommand, ValueEnum};

use super::{Failure, Place, desk};

use crate::app::Clock;
use crate::app::life::{self, LifeTrial, Part, Word};
use crate::desk::id::PersonId;

mod deploy;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows every rule's versions and parts.
    List(List),
    /// Checks a rule's folder as a desk does and deploys it, without the rules directory.
    Deploy(deploy::Deploy),
    /// Lets the candidate play a higher part: shadow, canary or active.
    Promote(Move),
    /// Lets the candidate step back: to loaded, shadow or a smaller canary.
    Demote(Move),
    /// Agrees, as a second person (--as), that a proposed version becomes active.
    Approve(One),
    /// Returns to the version before, whatever the directory holds.
    Rollback(One),
    /// Takes the active version out; the version before takes over.
    Suspend(One),
    /// Puts a suspended version back.
    Resume(One),
    /// Ends a rule: none of its versions is asked any more.
    Retire(One),
    /// Shows what happened to a rule's versions, the latest first.
    Events(Events),
}

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub struct Events {
    #[command(flatten)]
    place: Place,
    /// The rule.
    name: String,
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
pub struct Move {
    #[command(flatten)]
    one: One,
    #[arg(long)]
    to: To,
    /// The canary's share of tickets, 1 to 99.
    #[arg(long, required_if_eq("to", "canary"))]
    percent: Option<u8>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum To {
    Loaded,
    Shadow,
    Canary,
    Active,
}

/// Who acts where nobody is named: whoever may start programs on this machine.
const ADMINISTRATOR: &str = "administrator";

/// Runs one of the commands.
pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List(List { place }) => list(&place).await,
        Command::Deploy(deploy) => deploy::run(deploy).await,
        Command::Events(Events { place, name }) => events(&place, &name).await,
        Command::Promote(to) => {
            let part = to.part();
            act(to.one, life::Command::Promote(part)).await
        }
        Command::Demote(to) => match to.part() {
            Part::Trial(trial) => act(to.one, life::Command::Demote(trial)).await,
            Part::Active => Err("nothing is demoted to `active`: use promote".into()),
        },
        Command::Approve(one) => act(one, life::Command::Approve).await,
        Command::Rollback(one) => act(one, life::Command::RollBack).await,
        Command::Suspend(one) => act(one, life::Command::Suspend).await,
        Command::Resume(one) => act(one, life::Command::Resume).await,
        Command::Retire(one) => act(one, life::Command::Retire).await,
    }
}

impl Move {
    fn part(&self) -> Part {
        match self.to {
            To::Loaded => Part::Trial(LifeTrial::Loaded),
            To::Shadow => Part::Trial(LifeTrial::Shadow),
            To::Canary => Part::Trial(LifeTrial::Canary(self.percent.unwrap_or_default())),
            To::Active => Part::Active,
        }
    }
}

async fn act(one: One, command: life::Command) -> Result<(), Failure> {
    let (config, _) = desk::configuration(&one.place, None)?;
    let store = desk::store(&config.server).await?;
    let by = one.person.map_or_else(|| ADMINISTRATOR.to_owned(), |person| person.to_string());
    let word = Word { by, why: one.why };
    let two = config.server.two_person_access;
    let done = life::command(&store, &Clock::System, two, &one.name, &command, &word).await;
    store.close().await;
    done?;
    Ok(())
}

async fn list(place: &Place) -> Result<(), Failure> {
    let (config, _) = desk::configuration(place, None)?;
    let store = desk::store(&config.server).await?;
    for row in store.deployments().await? {
        let short =
            |version: Option<String>| version.map_or("-".to_owned(), |version| version.chars().take(12).collect());
        let trial = row.trial.unwrap_or_default();
        let share = row.percent.map(|percent| format!(" {percent} %")).unwrap_or_default();
        println!(
            "{:<24} {:<9} active {:<12} candidate {:<12} {trial}{share} previous {:<12} suspended {}",
            row.name,
            row.source,
            short(row.active),
            short(row.candidate),
            short(row.previous),
            short(row.suspended),
        );
    }
    store.close().await;
    Ok(())
}

async fn events(place: &Place, name: &str) -> Result<(), Failure> {
    let (config, _) = desk::configuration(place, None)?;
    let store = desk::store(&config.server).await?;
    for event in store.deployment_events(name, life::EVENTS_MAX).await? {
        println!("{} {:<12} by {}: {}", event.at, event.event, event.actor, event.why);
    }
    store.close().await;
    Ok(())
}
