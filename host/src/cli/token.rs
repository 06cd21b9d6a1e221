//! `ruledesk token`.

use std::collections::BTreeSet;

use clap::Args;

use super::desk::{self, Shell};
use super::{Failure, Place};
use crate::desk::actor::Role;
use crate::desk::id::PersonId;

/// Gives a person a token, which is shown once, or takes one back.
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
    /// Its purpose, in its owner's words.
    #[arg(long, default_value = "")]
    label: String,
}

fn role(code: &str) -> Result<Role, String> {
    Role::from_code(code).ok_or_else(|| "use requester, agent, approver or admin".to_owned())
}

/// Adds a token and prints it, or takes one back.
pub async fn run(add: Add) -> Result<(), Failure> {
    let Shell { office, actor } = desk::shell(&add.place, None).await?;
    let roles = add.roles.into_iter().collect::<BTreeSet<_>>();
    let done = match (add.person, add.revoke) {
        (Some(person), _) => office.add_token(&actor, person, roles, add.label).await.map(Some),
        (None, token) => office.revoke_token(&actor, &token.unwrap_or_default()).await.map(|()| None),
    };
    office.close().await;
    if let Some(token) = done.map_err(desk::told)? {
        println!("{token}");
    }
    Ok(())
}
