//! `ruledesk person`: what the desk keeps of a person; and tokens.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::desk::{self, Shell};
use super::{Failure, Place};
use crate::desk::id::PersonId;
use crate::rules::text::in_json;

pub mod delegations;
pub mod token;

/// Gives out everything that the desk keeps of a person, parts them from an account of the identity provider, or erases one
/// who has left.
#[derive(Debug, Args)]
pub struct Person {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prints everything that the desk keeps of a person, as JSON.
    Export {
        #[command(flatten)]
        place: Place,
        /// The person's id in the configuration.
        person: PersonId,
    },
    /// Forgets which account of the identity provider a person has, so that another may sign in as them.
    Unbind {
        #[command(flatten)]
        place: Place,
        /// The person's id in the configuration.
        person: PersonId,
    },
    /// Puts another name in the place of a person who has left, and takes away the words of their own tickets. Chains stay whole.
    Erase {
        #[command(flatten)]
        place: Place,
        /// The person's id in the configuration.
        person: PersonId,
        /// Why, for the audit.
        #[arg(long)]
        reason: String,
    },
}

/// Exports or erases a person.
pub async fn run(person: Person) -> Result<(), Failure> {
    match person.command {
        Command::Export { place, person } => {
            let Shell { office, actor } = desk::shell(&place, None).await?;
            let kept = office.export_person(&actor, &person).await;
            office.close().await;
            let kept = kept.map_err(desk::told)?;
            if kept.iter().all(|kept| kept.rows.is_empty()) {
                eprintln!("the desk keeps nothing of `{person}`: is that the id?");
            }
            let sections = kept.into_iter().map(|kept| (kept.name.to_owned(), json!(kept.rows)));
            let whole = format!("{:#}\n", Value::Object(sections.collect::<Map<_, _>>()));
            super::say(format_args!("{}", in_json(&whole)));
            Ok(())
        }
        Command::Unbind { place, person } => {
            let Shell { office, actor } = desk::shell(&place, None).await?;
            let unbound = office.unbind_identities(&actor, &person).await;
            office.close().await;
            let accounts = unbound.map_err(desk::told)?;
            let accounts = if accounts == 1 { "1 account is".to_owned() } else { format!("{accounts} accounts are") };
            super::say(format_args!("{person}: {accounts} forgotten\n"));
            Ok(())
        }
        Command::Erase { place, person, reason } => {
            let Shell { office, actor } = desk::shell(&place, None).await?;
            let erased = office.erase_person(&actor, &person, &reason).await;
            office.close().await;
            let erased = erased.map_err(desk::told)?;
            let (tickets, entries) = (erased.tickets, erased.entries);
            if tickets == 0 && entries == 0 {
                eprintln!("no ticket and no entry was of `{person}`: is that the id?");
            }
            super::say(format_args!("{person} is {} now: {tickets} tickets, {entries} entries\n", erased.pseudonym));
            Ok(())
        }
    }
}
