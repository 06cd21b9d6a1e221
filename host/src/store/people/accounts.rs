//! Accounts: the passwords of people who sign in here, as hashes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use super::roles;
use crate::desk::actor::Role;
use crate::desk::id::PersonId;
use crate::store::chain::{audit, entrance};
use crate::store::db::Arg;
use crate::store::sql::columns::{ms, parsed};
use crate::store::{Error, Store};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub person: PersonId,
    /// Argon2id with its parameters and salt.
    pub password: String,
    pub roles: BTreeSet<Role>,
}

impl Store {
    /// Keeps a person's account in the place of the one before, and notes in the audit who set it.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn set_account(&self, account: &Account, by: &str, now: Timestamp) -> Result<(), Error> {
        let words: Vec<&str> = account.roles.iter().map(|role| role.code()).collect();
        let (words, person) = (words.join(" "), account.person.as_str());
        let password = entrance::digest(&account.password);
        let detail = json!({ "person": person, "roles": words, "by": by, "password": password });
        let args: Vec<Arg> =
            vec![person.into(), account.password.as_str().into(), words.into(), ms(now).into(), by.into()];
        let sql = "insert into accounts (person, password, roles, set_at, set_by) values ($1, $2, $3, $4, $5) \
                   on conflict (person) do update set password = excluded.password, roles = excluded.roles, \
                   set_at = excluded.set_at, set_by = excluded.set_by";
        let entry = audit::Entry { at: now, event: audit::ACCOUNT_SET, about: person.to_owned(), detail };
        self.change_entrance(sql, args, Some(entry)).await.map(drop)
    }

    /// A person's account.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn account(&self, person: &PersonId) -> Result<Option<Account>, Error> {
        let sql = "select password, roles from accounts where person = $1";
        let Some(row) = self.db.optional(sql, vec![person.as_str().into()]).await? else { return Ok(None) };
        Ok(Some(Account { person: person.clone(), password: row.text(0)?, roles: roles(&row.text(1)?) }))
    }

    /// Who has an account, and with which roles; the first `limit` by their ids.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn roles_of_accounts(&self, limit: i64) -> Result<Vec<(PersonId, BTreeSet<Role>)>, Error> {
        let sql = "select person, roles from accounts order by person limit $1";
        let rows = self.db.all(sql, vec![limit.into()]).await?;
        rows.iter().map(|row| Ok((parsed("accounts", "person", &row.text(0)?)?, roles(&row.text(1)?)))).collect()
    }

    /// Whether there is any account.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn has_accounts(&self) -> Result<bool, Error> {
        Ok(self.db.optional("select 1 from accounts limit 1", Vec::new()).await?.is_some())
    }
}
