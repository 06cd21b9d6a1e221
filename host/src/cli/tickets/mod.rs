//! `ruledesk tickets`: the work on tickets that has no button of its own at a shell, at a desk that runs. The timeline names people and
//! no operator, so that these commands ask the desk over HTTP in the name of the person whose token it is.

use clap::{Args, Subcommand};

use super::desk::remote::Remote;
use super::{Failure, Place};

mod days;
mod drafts;
pub mod explain;
mod outages;
pub mod reports;

/// Said where a command is for a desk that runs, and none is named.
const WHICH_DESK: &str = "say which desk: --url ADDRESS, or the variable RULEDESK_URL, such as http://127.0.0.1:8080";

/// Drafts, outages and the days of bundles, at a desk that runs (`--url`, `--token`).
#[derive(Debug, Args)]
pub struct Tickets {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Your requests that are not sent yet.
    #[command(subcommand)]
    Drafts(drafts::Command),
    /// Tickets that stand for many: submissions like them attach themselves, are answered together and resolved together.
    #[command(subcommand)]
    Outages(outages::Command),
    /// Gives a bundle another day, such as the first one of a new colleague: its parts, their dates and its tasks follow.
    Day(days::MoveDay),
}

/// Does it.
pub fn run(tickets: &Tickets) -> Result<(), Failure> {
    let desk: Remote = tickets.place.remote()?.ok_or(WHICH_DESK)?;
    match &tickets.command {
        Command::Drafts(command) => drafts::run(command, &desk),
        Command::Outages(command) => outages::run(command, &desk),
        Command::Day(wanted) => days::run(wanted, &desk),
    }
}
