//! `ruledesk token`.

use std::collections::BTreeSet;

use clap::Args;

use super::{Failure, Place, desk};
use crate::app::{Clock, tokens};
use crate::desk::actor::Role;
use crate::desk::id::PersonId;
use crate::store::people::Token;

/// Gives somebody a token, which is shown once.
#[derive(Debug, Args)]
pub struct Add {
    #[command(flatten)]
    place: Place,
    /// The person's id in the configuration.
    person: PersonId,
    /// `requester`, `agent`, `approver`, `admin`; several separated by commas.
    #[arg(long, value_delimiter = ',', required = true, value_parser = role)]
    roles: Vec<Role>,
    /// What it is for.
    #[arg(long, default_value = "")]
    label: String,
}

fn role(code: &str) -> Result<Role, String> {
    Role::from_code(code).ok_or_else(|| "use requester, agent, approver or admin".to_owned())
}

/// Adds a token and prints it.
pub async fn run(add: Add) -> Result<(), Failure> {
    let (config, _) = desk::configuration(&add.place, None)?;
    if !config.organisation.people.contains_key(&add.person) {
        return Err(format!("`{}` is nobody in the configuration's people.toml", add.person).into());
    }
    let store = desk::store(&config.server).await?;
    let token = tokens::generate()?;
    let kept = Token {
        hash: tokens::hash(&token),
        person: add.person,
        roles: add.roles.into_iter().collect::<BTreeSet<_>>(),
        label: add.label,
        created_at: Clock::System.now(),
        revoked_at: None,
    };
    store.add_token(&kept).await?;
    store.close().await;
    println!("{token}");
    Ok(())
}
