//! Who may come in: tokens, by their hash.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::commit::writer::Work;
use super::sql::columns::{at, ms, parsed};
use super::{Error, Store};
use crate::desk::actor::Role;
use crate::desk::id::PersonId;

/// A token, without the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// SHA-256 of the token, in hexadecimal.
    pub hash: String,
    pub person: PersonId,
    pub roles: BTreeSet<Role>,
    /// What it is for, in its owner's words.
    pub label: String,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

impl Store {
    /// Adds a token. The same token again changes nothing.
    pub async fn add_token(&self, token: &Token) -> Result<(), Error> {
        let roles: Vec<&str> = token.roles.iter().map(|role| role.code()).collect();
        let args = vec![
            token.hash.as_str().into(),
            token.person.as_str().into(),
            roles.join(" ").into(),
            token.label.as_str().into(),
            ms(token.created_at).into(),
        ];
        let sql = "insert into tokens (hash, person, roles, label, created_at) values ($1, $2, $3, $4, $5) \
                   on conflict do nothing";
        self.ask(|done| Work::Statement(sql, args, done)).await.map(drop)
    }

    /// The token with this hash, unless it was revoked.
    pub async fn token(&self, hash: &str) -> Result<Option<Token>, Error> {
        let sql = "select person, roles, label, created_at from tokens where hash = $1 and revoked_at is null";
        let Some(row) = self.db.optional(sql, vec![hash.into()]).await? else { return Ok(None) };
        let roles = row.text(1)?;
        Ok(Some(Token {
            hash: hash.to_owned(),
            person: parsed("tokens", "person", &row.text(0)?)?,
            roles: roles.split(' ').filter_map(Role::from_code).collect(),
            label: row.text(2)?,
            created_at: at("tokens", "created_at", row.int(3)?)?,
            revoked_at: None,
        }))
    }

    /// Revokes a token; whether there was one.
    pub async fn revoke_token(&self, hash: &str, now: Timestamp) -> Result<bool, Error> {
        let args = vec![ms(now).into(), hash.into()];
        let sql = "update tokens set revoked_at = $1 where hash = $2 and revoked_at is null";
        self.ask(|done| Work::Statement(sql, args, done)).await.map(|changed| changed == 1)
    }
}
