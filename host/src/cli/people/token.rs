//! `ruledesk token`.

use std::collections::BTreeSet;
use std::io::{BufRead as _, IsTerminal as _, Read as _};

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};

use crate::app::tokens::ListedToken;
use crate::app::{Clock, Office};
use crate::cli::desk::{self, Shell};
use crate::cli::{Failure, Place};
use crate::desk::actor::{Actor, Role};
use crate::desk::id::PersonId;
use crate::rules::text::shown;

/// Gives a person a token, which is shown once; lists tokens, and takes them back.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Add {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    place: Place,
    /// The person's id in the configuration.
    #[arg(required_unless_present = "revoke")]
    person: Option<PersonId>,
    /// `requester`, `agent`, `approver`, `admin`; several separated by commas. `directory` is for the identity provider (SCIM), `mail` for
    /// a mail system.
    #[arg(long, value_delimiter = ',', required_unless_present = "revoke", value_parser = role)]
    roles: Vec<Role>,
    /// Takes this token back instead, by itself, by its id, or `-` to read it from standard input, so that it stands in no list
    /// of processes; a running desk refuses it within seconds.
    #[arg(long, conflicts_with_all = ["person", "roles"])]
    revoke: Option<String>,
    /// Its purpose, in its owner's words.
    #[arg(long, default_value = "")]
    label: String,
    /// For how many days it holds. Without it, until it is taken back.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3650))]
    expires_in_days: Option<u32>,
}

/// A command about tokens that exist.
#[derive(Debug, Subcommand)]
enum Command {
    /// Lists tokens by their ids, of a person or of all; what they are is kept nowhere.
    List {
        #[command(flatten)]
        place: Place,
        /// Only those of this person, by their id in the configuration.
        person: Option<PersonId>,
    },
    /// Gives a person a password to sign in with on the pages, read from standard input, and what they may do; their sessions end.
    Password {
        #[command(flatten)]
        place: Place,
        /// The person's id in the configuration.
        person: PersonId,
        /// `requester`, `agent`, `approver`, `admin`; several separated by commas.
        #[arg(long, value_delimiter = ',', required = true, value_parser = role)]
        roles: Vec<Role>,
    },
    /// Takes a token back by its id, as `token list` shows it, or the token itself from standard input (`-`).
    Revoke {
        #[command(flatten)]
        place: Place,
        /// The token's id, or `-`.
        id: String,
    },
}

fn role(code: &str) -> Result<Role, String> {
    Role::from_code(code).ok_or_else(|| format!("use one or more of {}", Role::ALL.map(Role::code).join(", ")))
}

/// Adds a token and prints it, lists tokens, or takes one back.
pub async fn run(add: Add) -> Result<(), Failure> {
    match add.command {
        Some(Command::List { place, person }) => list(&place, person.as_ref()).await,
        Some(Command::Revoke { place, id }) => revoke(&place, &id).await,
        Some(Command::Password { place, person, roles }) => password(&place, person, roles).await,
        None => match (&add.person, &add.revoke) {
            (Some(person), _) => give(&add, person.clone()).await,
            (None, token) => revoke(&add.place, token.as_deref().unwrap_or_default()).await,
        },
    }
}

async fn give(add: &Add, person: PersonId) -> Result<(), Failure> {
    let Shell { office, actor } = desk::shell(&add.place, None).await?;
    let roles = add.roles.iter().copied().collect::<BTreeSet<_>>();
    let days = add.expires_in_days.map(|days| SignedDuration::from_hours(24 * i64::from(days)));
    let expires_at = days.and_then(|days| Clock::System.now().checked_add(days).ok());
    let done = office.add_token(&actor, person, roles, add.label.clone(), expires_at).await;
    office.close().await;
    println!("{}", done.map_err(desk::told)?);
    Ok(())
}

async fn revoke(place: &Place, token: &str) -> Result<(), Failure> {
    let mut given = token.to_owned();
    if token == "-" {
        given.clear();
        std::io::stdin().take(1024).read_to_string(&mut given).map_err(|e| format!("standard input: {e}"))?;
    }
    let Shell { office, actor } = desk::shell(place, None).await?;
    let done = office.revoke_token(&actor, given.trim(), None).await;
    office.close().await;
    done.map_err(desk::told)?;
    println!("the token is taken back");
    Ok(())
}

async fn password(place: &Place, person: PersonId, roles: Vec<Role>) -> Result<(), Failure> {
    let mut given = String::new();
    let typed = std::io::stdin();
    let read = if typed.is_terminal() {
        eprintln!("Type the password for {person} and press Enter; it shows as you type.");
        typed.lock().take(4096).read_line(&mut given)
    } else {
        typed.take(4096).read_to_string(&mut given)
    };
    read.map_err(|e| format!("standard input: {e}"))?;
    let Shell { office, actor } = desk::shell(place, None).await?;
    let given = given.trim_end_matches(['\r', '\n']).to_owned();
    let name = person.clone();
    let done = office.set_password(&actor, person, roles.into_iter().collect(), given).await;
    office.close().await;
    done.map_err(desk::told)?;
    println!("{name} signs in with this password from now on; sessions from before are over");
    Ok(())
}

async fn list(place: &Place, person: Option<&PersonId>) -> Result<(), Failure> {
    let Shell { office, actor } = desk::shell(place, None).await?;
    let done = print(&office, &actor, person).await;
    office.close().await;
    done
}

async fn print(office: &Office, actor: &Actor, person: Option<&PersonId>) -> Result<(), Failure> {
    let now = office.clock.now();
    let tokens = office.tokens(actor, person).await.map_err(desk::told)?;
    if tokens.is_empty() {
        eprintln!("there is no token: `ruledesk token PERSON --roles agent` gives one");
    }
    for token in tokens {
        let roles: Vec<&str> = token.roles.iter().map(|role| role.code()).collect();
        let ListedToken { id, person, label, created_at, .. } = &token;
        let (roles, state, label) = (roles.join(","), state(&token, now), shown(label));
        println!("{id}  {person:<16} {roles:<28} {state:<40} since {created_at}  {label}");
    }
    Ok(())
}

fn state(token: &ListedToken, now: Timestamp) -> String {
    match (token.revoked_at, token.expires_at) {
        (Some(at), _) => format!("taken back {at}"),
        (None, Some(at)) if at <= now => format!("over since {at}"),
        (None, Some(at)) => format!("until {at}"),
        (None, None) => "without an end".to_owned(),
    }
}
