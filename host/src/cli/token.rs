//! `ruledesk token`.

use std::collections::BTreeSet;

use clap::Args;

use super::{Failure, Place, desk};
use crate::app::{Clock, tokens};
use crate::desk::actor::Role;
use crate::desk::id::PersonId;
use crate::store::people::Token;

/// Gives somebody a token, which is shown once, or takes one back.
#[derive(Debug, Args)]
pub struct Add {
    #[command(flatten)]
    place: Place,
    /// The person's id in the configuration.
    #[arg(required_unless_present = "revoke")]
    person: Option<PersonId>,
    /// `requester`, `agent`, `approver`, `admin`; several separated by commas.
    #[arg(long, value_delimiter = ',', required_unless_present = "revoke", value_parser = role)]
    roles: Vec<Role>,
    /// Takes this token back instead; a running desk refuses it within seconds.
    #[arg(long, conflicts_with_all = ["person", "roles"])]
    revoke: Option<String>,
    /// What it is for.
    #[arg(long, default_value = "")]
    label: String,
}

fn role(code: &str) -> Result<Role, String> {
    Role::from_code(code).ok_or_else(|| "use requester, agent, approver or admin".to_owned())
}

/// Adds a token and prints it, or takes one back.
pub async fn run(add: Add) -> Result<(), Failure> {
    let (config, _) = desk::configuration(&add.place, None)?;
    let store = desk::store(&config.server).await?;
    let Some(person) = add.person else {
        let token = add.revoke.unwrap_or_default();
        let known = store.revoke_token(&tokens::hash(&token), Clock::System.now()).await?;
        store.close().await;
        return if known { Ok(()) } else { Err("nobody has this token, or it was taken back before".into()) };
    };
    if !config.organisation.people.contains_key(&person) {
        return Err(format!("`{person}` is nobody in the configuration's people.toml").into());
    }
    let token = tokens::generate()?;
    let kept = Token {
        hash: tokens::hash(&token),
        person,
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
