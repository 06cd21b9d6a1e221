//! Who may come in: tokens, by their hash, and the sessions that were begun with them.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;
use serde_json::json;

use crate::desk::actor::Role;
use crate::desk::id::PersonId;
use crate::store::chain::audit;
use crate::store::db::{Arg, Row, apart};
use crate::store::sql::among;
use crate::store::sql::columns::{at, ms, parsed};
use crate::store::{Error, Store};

pub mod accounts;
pub mod agreed;
pub mod configuration;
pub mod delegations;
pub mod directory;
pub mod drafts;
pub mod identities;
pub mod personal;
pub mod places;
pub mod sessions;

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
    /// From when on it is refused; `None` for one that has no end.
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// A token without its hash, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedToken {
    /// The beginning of the token's hash, which means it alone.
    pub id: String,
    pub person: PersonId,
    pub roles: BTreeSet<Role>,
    pub label: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// Hexadecimal digits of a token's hash that are its id.
const ID_DIGITS: usize = 16;

impl Token {
    /// The token's id: the beginning of its hash.
    pub fn id(&self) -> &str {
        self.hash.get(..ID_DIGITS).unwrap_or(&self.hash)
    }
}

impl Store {
    /// Adds a token, and notes in the audit who gave it out.
    pub async fn add_token(&self, token: &Token, by: &str) -> Result<(), Error> {
        let roles: Vec<&str> = token.roles.iter().map(|role| role.code()).collect();
        let (roles, expires_at) = (roles.join(" "), token.expires_at.map(ms));
        let detail = json!({ "hash": token.hash, "person": token.person.as_str(), "roles": roles, "label": token.label,
            "created_at": ms(token.created_at), "expires_at": expires_at, "by": by });
        let args: Vec<Arg> = vec![
            token.hash.as_str().into(),
            token.person.as_str().into(),
            roles.into(),
            token.label.as_str().into(),
            ms(token.created_at).into(),
            expires_at.into(),
        ];
        let sql = "insert into tokens (hash, person, roles, label, created_at, expires_at) values ($1, $2, $3, $4, $5, $6) \
                   on conflict do nothing";
        let about = token.id().to_owned();
        let entry = audit::Entry { at: token.created_at, event: audit::TOKEN_ADDED, about, detail };
        self.change_entrance(sql, args, Some(entry)).await.map(drop)
    }

    /// The token with this hash, unless it was revoked or is over.
    pub async fn token(&self, hash: &str, now: Timestamp) -> Result<Option<Token>, Error> {
        let sql = "select person, roles, label, created_at, expires_at from tokens \
                   where hash = $1 and revoked_at is null and (expires_at is null or expires_at > $2)";
        let Some(row) = self.db.optional(sql, vec![hash.into(), ms(now).into()]).await? else { return Ok(None) };
        Ok(Some(Token {
            hash: hash.to_owned(),
            person: parsed("tokens", "person", &row.text(0)?)?,
            roles: roles(&row.text(1)?),
            label: row.text(2)?,
            created_at: at("tokens", "created_at", row.int(3)?)?,
            expires_at: row.opt_int(4)?.map(|ms| at("tokens", "expires_at", ms)).transpose()?,
            revoked_at: None,
        }))
    }

    /// Who holds those of these tokens that hold at a time, and with which roles, by the token's hash.
    pub async fn holders_of_tokens(
        &self,
        hashes: &HashSet<&str>,
        now: Timestamp,
    ) -> Result<Vec<(String, PersonId, BTreeSet<Role>)>, Error> {
        if hashes.is_empty() {
            return Ok(Vec::new());
        }
        let (mut args, list) = among(hashes.iter().copied());
        args.push(ms(now).into());
        let sql = format!(
            "select hash, person, roles from tokens where hash in ({list}) and revoked_at is null \
             and (expires_at is null or expires_at > ${})",
            args.len()
        );
        let rows = self.db.quick(&sql, args).await?;
        rows.iter().map(holder).collect()
    }

    /// The tokens of a person, or of all; the newest first.
    pub async fn tokens(&self, person: Option<&PersonId>) -> Result<Vec<ListedToken>, Error> {
        let sql = "select hash, person, roles, label, created_at, expires_at, revoked_at from tokens \
                   where $1 = '' or person = $1 order by created_at desc, hash";
        let rows = self.db.all(sql, vec![person.map(PersonId::as_str).unwrap_or_default().into()]).await?;
        Ok(self.readable("tokens", &rows, listed))
    }

    /// The tokens of a person, or of all, that hold at a time; the newest first, at most `limit`.
    pub async fn tokens_in_force(
        &self,
        person: Option<&PersonId>,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<ListedToken>, Error> {
        let sql = "select hash, person, roles, label, created_at, expires_at, revoked_at from tokens \
                   where ($1 = '' or person = $1) and revoked_at is null and (expires_at is null or expires_at > $2) \
                   order by created_at desc, hash limit $3";
        let person = person.map(PersonId::as_str).unwrap_or_default();
        let rows = self.db.all(sql, vec![person.into(), ms(now).into(), limit.into()]).await?;
        Ok(self.readable("tokens", &rows, listed))
    }

    /// The hashes of the tokens that begin so.
    pub async fn tokens_that_begin(&self, id: &str) -> Result<Vec<String>, Error> {
        let sql = "select hash from tokens where substr(hash, 1, length($1)) = $1 order by hash limit 2";
        let rows = self.db.all(sql, vec![id.into()]).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// Revokes a token, and notes in the audit who did; whether there was one.
    pub async fn revoke_token(&self, hash: &str, by: &str, now: Timestamp) -> Result<bool, Error> {
        self.revoke_token_for(hash, (by, None), now).await
    }

    /// The same for a reason, which the audit keeps, or for none.
    pub async fn revoke_token_for(
        &self,
        hash: &str,
        (by, why): (&str, Option<&str>),
        now: Timestamp,
    ) -> Result<bool, Error> {
        let args: Vec<Arg> = vec![ms(now).into(), hash.into()];
        let sql = "update tokens set revoked_at = $1 where hash = $2 and revoked_at is null";
        let detail = match why {
            Some(why) => json!({ "hash": hash, "by": by, "why": why }),
            None => json!({ "hash": hash, "by": by }),
        };
        let about = hash.get(..ID_DIGITS).unwrap_or(hash).to_owned();
        let entry = audit::Entry { at: now, event: audit::TOKEN_REVOKED, about, detail };
        Ok(self.change_entrance(sql, args, Some(entry)).await? == 1)
    }

    /// Makes a change in a task of its own, so that a request that is dropped does not cut it off; how many rows it changed.
    pub(in crate::store) async fn change_entrance(
        &self,
        sql: &'static str,
        args: Vec<Arg>,
        entry: Option<audit::Entry>,
    ) -> Result<u64, Error> {
        let db = self.db.clone();
        apart(async move {
            let (args, entry) = (&args, &entry);
            let written = db.durably(|mut tx| async move {
                let changed = tx.execute(sql, args.clone()).await?;
                if changed > 0 {
                    audit::append(&mut tx, entry.as_slice()).await?;
                }
                Ok((changed, tx))
            });
            written.await
        })
        .await
    }

    /// The same for a statement that gives the keys of the rows that it changes, which the entry then has under a name.
    async fn change_named(
        &self,
        sql: &'static str,
        args: Vec<Arg>,
        (entry, name): (audit::Entry, &'static str),
    ) -> Result<u64, Error> {
        let db = self.db.clone();
        apart(async move {
            let (args, entry) = (&args, &entry);
            let written = db.durably(|mut tx| async move {
                let keys: Vec<String> =
                    tx.all(sql, args.clone()).await?.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
                let changed = keys.len() as u64;
                if changed > 0 {
                    let mut named = entry.clone();
                    if let Some(detail) = named.detail.as_object_mut() {
                        detail.insert(name.to_owned(), json!(keys));
                    }
                    audit::append(&mut tx, &[named]).await?;
                }
                Ok((changed, tx))
            });
            written.await
        })
        .await
    }
}

fn roles(text: &str) -> BTreeSet<Role> {
    text.split(' ').filter_map(Role::from_code).collect()
}

fn holder(row: &Row) -> Result<(String, PersonId, BTreeSet<Role>), Error> {
    Ok((row.text(0)?, parsed("tokens", "person", &row.text(1)?)?, roles(&row.text(2)?)))
}

fn listed(row: &Row) -> Result<ListedToken, Error> {
    let time = |column, ms: Option<i64>| ms.map(|ms| at("tokens", column, ms)).transpose();
    Ok(ListedToken {
        id: row.text(0)?.chars().take(ID_DIGITS).collect(),
        person: parsed("tokens", "person", &row.text(1)?)?,
        roles: roles(&row.text(2)?),
        label: row.text(3)?,
        created_at: at("tokens", "created_at", row.int(4)?)?,
        expires_at: time("expires_at", row.opt_int(5)?)?,
        revoked_at: time("revoked_at", row.opt_int(6)?)?,
    })
}
