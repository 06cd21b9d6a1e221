//! `ruledesk jobs`: work that the desk has given up on, and work that comes again. It acts on the database in a process of its own; a desk that runs beside
//! it does within seconds what is to be done again.

use clap::{Args, Subcommand};

pub mod connector;
pub mod mail;
pub mod messages;

use super::desk::{self, Shell};
use super::{Failure, Place};
use crate::app::Error;
use crate::app::jobs::{self, DEAD_PAGE_MAX, JobId, Queue};
use crate::desk::actor::Actor;
use crate::desk::id::PersonId;
use crate::rules::text::shown;

/// Work that the desk has given up on, and work that comes again.
#[derive(Debug, Args)]
pub struct Jobs {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: Place,
    /// The person in whose name you act; the audit names you as well.
    #[arg(long = "as", global = true)]
    person: Option<PersonId>,
}

mod connectors;
mod schedules;

#[derive(Debug, Subcommand)]
enum Command {
    /// Asks the apps that the desk writes to whether they can be asked, and have what orders will name; changes nothing.
    Connectors,
    /// Lists the jobs that the desk has given up on, the longest dead first: id, ticket, and why it failed.
    Dead,
    /// Has jobs done again: one by its id, or all of a kind.
    #[command(group = clap::ArgGroup::new("which").required(true))]
    Retry {
        /// The job's id, as `jobs dead` shows it.
        #[arg(group = "which")]
        id: Option<JobId>,
        /// All jobs of this kind, such as `access-deadline`.
        #[arg(long, group = "which", value_parser = queue)]
        all: Option<Queue>,
    },
    /// Tickets and reports that come again by the calendar: lists, pauses and resumes them.
    Schedules(schedules::Schedules),
}

fn queue(name: &str) -> Result<Queue, String> {
    let known: Vec<&str> = jobs::queues().map(Queue::name).collect();
    Queue::from_name(name).ok_or_else(|| format!("use {}", known.join(" or ")))
}

/// Does it.
pub async fn run(arguments: Jobs) -> Result<(), Failure> {
    if matches!(arguments.command, Command::Connectors) {
        return connectors::run(&arguments.place).await;
    }
    let Shell { office, actor } = desk::shell(&arguments.place, arguments.person.as_ref()).await?;
    let done = match arguments.command {
        Command::Schedules(wanted) => schedules::run(&office, &actor, wanted).await,
        other => act(&office.jobs, &actor, other).await,
    };
    office.close().await;
    done.map_err(desk::told)
}

async fn act(jobs: &jobs::Jobs, actor: &Actor, command: Command) -> Result<(), Error> {
    match command {
        Command::Dead => list(jobs, actor).await?,
        Command::Retry { id: Some(id), .. } => {
            jobs.retry(actor, &id).await?;
            println!("{id} is tried again");
        }
        Command::Retry { all: Some(queue), .. } => {
            let count = jobs.retry_all(actor, queue).await?;
            println!("{count} dead {} tried again", if count == 1 { "job is" } else { "jobs are" });
        }
        // The arguments' group asks for one of them; the others have gone their own way.
        Command::Connectors | Command::Schedules(_) | Command::Retry { id: None, all: None } => {}
    }
    Ok(())
}

async fn list(jobs: &jobs::Jobs, actor: &Actor) -> Result<(), Error> {
    let (mut after, mut is_empty) = (None, true);
    loop {
        let page = jobs.dead(actor, after, DEAD_PAGE_MAX).await?;
        is_empty &= page.items.is_empty();
        for dead in page.items {
            let ticket = dead.ticket.map_or_else(|| "-".to_owned(), |number| number.to_string());
            let (id, at, attempts, error) = (dead.id, dead.dead_at, dead.attempts, dead.last_error);
            println!("{id}  {ticket}  dead since {at} after {attempts} attempts: {}", shown(&error));
        }
        after = page.next;
        if after.is_none() {
            if is_empty {
                eprintln!("no job is dead");
            }
            return Ok(());
        }
    }
}
