//! `ruledesk access`: who decides in whose place, by the word of people themselves. Each speaks for themselves, so that these commands
//! ask the desk over HTTP in the name of the person whose token it is.

use clap::{Args, Subcommand};
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::cli::desk::remote::{Remote, word};
use crate::cli::which::{an_id, list_of};
use crate::cli::{Failure, Place};
use crate::desk::id::{DelegationId, PersonId};
use crate::rules::text::in_json;

/// Access, at a desk that runs (`--url`, `--token`).
#[derive(Debug, Args)]
pub struct Access {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Who decides in your place what you are asked to approve, and in whose place you do.
    #[command(subcommand)]
    Delegations(Delegations),
}

#[derive(Debug, Subcommand)]
enum Delegations {
    /// Lists them, the newest first, with those that were over in the last 180 days.
    List {
        /// Prints them as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lets another person decide in your place for some days. Both of you get a letter.
    Add {
        /// Who may decide, by their id.
        to: PersonId,
        /// The first day by the desk's zone, such as 2026-12-24: today or later.
        #[arg(long)]
        from: Date,
        /// The last day.
        #[arg(long)]
        until: Date,
    },
    /// Ends what you have given another, or lays down what you were given.
    End {
        /// Its id, as `access delegations list` shows it.
        #[arg(value_parser = an_id::<DelegationId>)]
        id: DelegationId,
    },
}

/// Does it at a desk that runs.
pub fn run(access: &Access) -> Result<(), Failure> {
    let missing = "say which desk: --url ADDRESS, or the variable RULEDESK_URL, such as http://127.0.0.1:8080";
    let desk: Remote = access.place.remote()?.ok_or(missing)?;
    let Command::Delegations(command) = &access.command;
    match command {
        Delegations::List { json } => {
            let found = desk.get("/delegations")?;
            if *json {
                println!("{}", in_json(&serde_json::to_string_pretty(&found)?));
            } else {
                list_of(&found, "no one decides in your place, and you in no one's").iter().for_each(print);
            }
        }
        Delegations::Add { to, from, until } => {
            let body = json!({ "to": to.as_str(), "from": from.to_string(), "until": until.to_string() });
            print(&desk.post("/delegations", &body)?);
        }
        Delegations::End { id } => print(&desk.post(&format!("/delegations/{id}/end"), &json!({}))?),
    }
    Ok(())
}

fn print(one: &Value) {
    let ended = match (word(one, "ended_at"), word(one, "ended_by")) {
        (at, _) if at.is_empty() => String::new(),
        (at, by) => format!("  ended at {at} by {by}"),
    };
    let (id, to, person) = (word(one, "id"), word(one, "to"), word(one, "person"));
    println!("{id}  {}  {}  {to:<12} in the place of {person}{ended}", word(one, "from"), word(one, "until"));
}
