//! Whom the subjects of identity providers stand for, and the tokens of their sign-ins.

use jiff::Timestamp;
use serde_json::json;

use super::ID_DIGITS;
use crate::desk::id::PersonId;
use crate::desk::organisation::identity::Ended;
use crate::store::chain::audit;
use crate::store::db::Arg;
use crate::store::sql::columns::{ms, parsed};
use crate::store::{Error, Store};

/// A sign-in by a provider.
#[derive(Debug, Clone, Copy)]
pub struct SignOn<'a> {
    /// The hash of the token that stands for it.
    pub token: &'a str,
    pub issuer: &'a str,
    pub subject: &'a str,
    pub session: Option<&'a str>,
    pub begun_at: Timestamp,
}

impl Store {
    /// The person whom a subject of a provider stands for.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn identity(&self, issuer: &str, subject: &str) -> Result<Option<PersonId>, Error> {
        let sql = "select person from identities where issuer = $1 and subject = $2";
        let row = self.db.optional(sql, vec![issuer.into(), subject.into()]).await?;
        row.map(|row| parsed("identities", "person", &row.text(0)?)).transpose()
    }

    /// Lets a subject of a provider stand for a person, and notes it in the audit; whether it does now: not where another
    /// subject of that provider does.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read or written.
    pub async fn bind_identity(
        &self,
        issuer: &str,
        subject: &str,
        person: &PersonId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let sql =
            "insert into identities (issuer, subject, person, bound_at) values ($1, $2, $3, $4) on conflict do nothing";
        let args: Vec<Arg> = vec![issuer.into(), subject.into(), person.as_str().into(), ms(now).into()];
        let detail = json!({ "issuer": issuer, "subject": subject, "person": person.as_str() });
        let entry = audit::Entry { at: now, event: audit::IDENTITY_BOUND, about: person.to_string(), detail };
        self.change_entrance(sql, args, Some(entry)).await?;
        // Two who come at once are bound to the same person or to none.
        Ok(self.identity(issuer, subject).await?.as_ref() == Some(person))
    }

    /// Forgets which subjects stand for a person, and notes it in the audit; how many.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn unbind_identities(&self, person: &PersonId, by: &str, now: Timestamp) -> Result<u64, Error> {
        let detail = json!({ "person": person.as_str(), "by": by });
        let entry = audit::Entry { at: now, event: audit::IDENTITY_UNBOUND, about: person.to_string(), detail };
        let sql = "delete from identities where person = $1 returning issuer || ' ' || subject";
        self.change_named(sql, vec![person.as_str().into()], (entry, "identities")).await
    }

    /// Notes which sign-in a token stands for, in the audit as well; those from before `forget_before` are forgotten.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn add_sign_on(&self, sign_on: SignOn<'_>, forget_before: Timestamp) -> Result<(), Error> {
        let SignOn { token, issuer, subject, session, begun_at } = sign_on;
        let sql = "insert into sign_ons (token, issuer, subject, provider_session, begun_at) values ($1, $2, $3, $4, $5) \
                   on conflict do nothing";
        let session = session.unwrap_or_default();
        let args: Vec<Arg> = vec![token.into(), issuer.into(), subject.into(), session.into(), ms(begun_at).into()];
        let detail = json!({ "hash": token, "issuer": issuer, "subject": subject, "session": session,
            "forget_before": ms(forget_before) });
        let about = token.get(..ID_DIGITS).unwrap_or(token).to_owned();
        let entry = audit::Entry { at: begun_at, event: audit::SIGN_ON, about, detail };
        self.change_entrance(sql, args, Some(entry)).await?;
        let sql = "delete from sign_ons where begun_at < $1";
        self.change_entrance(sql, vec![ms(forget_before).into()], None).await.map(drop)
    }

    /// The hashes of the tokens that stand for these sign-ins.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn tokens_of_sign_ons(&self, ended: &Ended) -> Result<Vec<String>, Error> {
        let sql = "select token from sign_ons where issuer = $1 and ($2 = '' or subject = $2) \
                   and ($3 = '' or provider_session = $3) and ($2 <> '' or $3 <> '') order by begun_at";
        let text = |part: &Option<String>| Arg::from(part.as_deref().unwrap_or_default());
        let args = vec![ended.issuer.as_str().into(), text(&ended.subject), text(&ended.session)];
        self.db.all(sql, args).await?.iter().map(|row| row.text(0)).collect()
    }
}
