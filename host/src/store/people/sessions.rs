//! Sessions in browsers, by the hash of their secret. Each stands for the token with which it was begun.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::json;

use super::ID_DIGITS;
use crate::desk::id::PersonId;
use crate::store::chain::audit;
use crate::store::db::{Arg, Row};
use crate::store::sql::among;
use crate::store::sql::columns::{at, ms, parsed};
use crate::store::{Error, Store};

/// The most sessions of one person that a list shows.
const LISTED_MAX: i64 = 50;

/// A session, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of its secret, in hexadecimal.
    pub hash: String,
    /// The hash of the token with which it was begun.
    pub token: String,
    pub person: PersonId,
    /// The browser, as it names itself.
    pub agent: String,
    pub created_at: Timestamp,
    /// The last request, to within some minutes.
    pub seen_at: Timestamp,
    /// When it ends, however much it is used.
    pub expires_at: Timestamp,
    /// Whether letters alone are keys on the pages of this person.
    pub single_keys: bool,
}

/// Which sessions of a person end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended<'a> {
    All,
    /// The one whose hash begins so.
    One(&'a str),
    /// All but the one with this hash.
    Others(&'a str),
}

impl Session {
    /// Its id: the beginning of its hash, which gives nothing away.
    pub fn id(&self) -> &str {
        self.hash.get(..ID_DIGITS).unwrap_or(&self.hash)
    }
}

const COLUMNS: &str = "hash, token, person, agent, created_at, seen_at, expires_at, \
                       (select k.single_keys from page_preferences k where k.person = sessions.person)";

fn session(row: &Row) -> Result<Session, Error> {
    const T: &str = "sessions";
    Ok(Session {
        hash: row.text(0)?,
        token: row.text(1)?,
        person: parsed(T, "person", &row.text(2)?)?,
        agent: row.text(3)?,
        created_at: at(T, "created_at", row.int(4)?)?,
        seen_at: at(T, "seen_at", row.int(5)?)?,
        expires_at: at(T, "expires_at", row.int(6)?)?,
        single_keys: row.opt_int(7)? != Some(0),
    })
}

impl Store {
    /// Begins a session, and notes it in the audit. Those that are over long since are forgotten.
    pub async fn begin_session(&self, session: &Session, forget_before: Timestamp) -> Result<(), Error> {
        let begun = ms(session.created_at);
        let (person, token) = (session.person.as_str(), session.token.get(..ID_DIGITS).unwrap_or_default());
        let detail = json!({ "person": person, "token": token, "agent": audit::cut(&session.agent),
            "hash": session.hash, "of_token": session.token, "expires_at": ms(session.expires_at) });
        let args: Vec<Arg> = vec![
            session.hash.as_str().into(),
            session.token.as_str().into(),
            person.into(),
            session.agent.as_str().into(),
            begun.into(),
            ms(session.expires_at).into(),
        ];
        let sql = "insert into sessions (hash, token, person, agent, created_at, seen_at, expires_at) \
                   values ($1, $2, $3, $4, $5, $5, $6) on conflict do nothing";
        let about = session.id().to_owned();
        let entry = audit::Entry { at: session.created_at, event: audit::SESSION_BEGAN, about, detail };
        self.change_entrance(sql, args, Some(entry)).await?;
        let sql = "delete from sessions where expires_at < $1";
        self.change_entrance(sql, vec![ms(forget_before).into()], None).await.map(drop)
    }

    /// The session with this hash, if it has been used since `idle_since`, and has not ended.
    pub async fn session(&self, hash: &str, idle_since: Timestamp, now: Timestamp) -> Result<Option<Session>, Error> {
        let sql = format!(
            "select {COLUMNS} from sessions where hash = $1 and ended_at is null and seen_at > $2 and expires_at > $3"
        );
        let args = vec![hash.into(), ms(idle_since).into(), ms(now).into()];
        self.db.optional(&sql, args).await?.as_ref().map(session).transpose()
    }

    /// The tokens of those of these sessions that have been used since `idle_since` and have not ended by `now`, by session.
    pub async fn tokens_of_sessions(
        &self,
        sessions: &HashSet<&str>,
        (idle_since, now): (Timestamp, Timestamp),
    ) -> Result<HashMap<String, String>, Error> {
        if sessions.is_empty() {
            return Ok(HashMap::new());
        }
        let (mut args, list) = among(sessions.iter().copied());
        let (idle, end) = (args.len() + 1, args.len() + 2);
        args.extend([Arg::from(ms(idle_since)), ms(now).into()]);
        let sql = format!(
            "select hash, token from sessions where hash in ({list}) and ended_at is null and seen_at > ${idle} \
             and expires_at > ${end}"
        );
        self.db.quick(&sql, args).await?.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
    }

    /// How many sessions were begun with each of these tokens, by the token's id, that have been used since `idle_since` and have
    /// not ended by `now`; without those that have none.
    pub async fn sessions_of_tokens(
        &self,
        ids: &[&str],
        (idle_since, now): (Timestamp, Timestamp),
    ) -> Result<HashMap<String, i64>, Error> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let (mut args, list) = among(ids.iter().copied());
        let (idle, end) = (args.len() + 1, args.len() + 2);
        args.extend([Arg::from(ms(idle_since)), ms(now).into()]);
        let id = format!("substr(token, 1, {ID_DIGITS})");
        let sql = format!(
            "select {id}, count(*) from sessions where {id} in ({list}) and ended_at is null and seen_at > ${idle} \
             and expires_at > ${end} group by {id}"
        );
        self.db.all(&sql, args).await?.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
    }

    /// Notes that a session is in use.
    pub async fn touch_session(&self, hash: &str, now: Timestamp) -> Result<(), Error> {
        let sql = "update sessions set seen_at = $1 where hash = $2 and seen_at < $1";
        self.change_entrance(sql, vec![ms(now).into(), hash.into()], None).await.map(drop)
    }

    /// The sessions of a person that have not ended, the latest first.
    pub async fn sessions(
        &self,
        person: &PersonId,
        idle_since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Session>, Error> {
        self.sessions_in_force(Some(person), (idle_since, now), LISTED_MAX).await
    }

    /// The sessions of a person, or of all, that have been used since `idle_since` and have not ended by `now`; the latest first, at most
    /// `limit`.
    pub async fn sessions_in_force(
        &self,
        person: Option<&PersonId>,
        (idle_since, now): (Timestamp, Timestamp),
        limit: i64,
    ) -> Result<Vec<Session>, Error> {
        let sql = format!(
            "select {COLUMNS} from sessions where ($1 = '' or person = $1) and ended_at is null and seen_at > $2 \
             and expires_at > $3 order by created_at desc, hash limit $4"
        );
        let person = person.map(PersonId::as_str).unwrap_or_default();
        let args = vec![person.into(), ms(idle_since).into(), ms(now).into(), limit.into()];
        Ok(self.readable("sessions", &self.db.all(&sql, args).await?, session))
    }

    /// Ends sessions of a person, and notes in the audit which and who did; how many.
    pub async fn end_sessions(
        &self,
        person: &PersonId,
        ended: Ended<'_>,
        (by, now): (&str, Timestamp),
    ) -> Result<u64, Error> {
        let (begins, but, about) = match ended {
            Ended::All => ("", "", "all"),
            Ended::One(hash) => (hash, "", hash.get(..ID_DIGITS).unwrap_or(hash)),
            Ended::Others(hash) => ("", hash, "others"),
        };
        let sql = "update sessions set ended_at = $1 where person = $2 and ended_at is null \
                   and ($3 = '' or substr(hash, 1, length($3)) = $3) and ($4 = '' or hash <> $4) returning hash";
        let args: Vec<Arg> = vec![ms(now).into(), person.as_str().into(), begins.into(), but.into()];
        let detail = json!({ "person": person.as_str(), "by": by });
        let entry = audit::Entry { at: now, event: audit::SESSION_ENDED, about: about.to_owned(), detail };
        self.change_named(sql, args, (entry, "sessions")).await
    }

    /// Keeps whether letters alone are keys on a person's pages.
    pub async fn use_single_keys(&self, person: &PersonId, on: bool, now: Timestamp) -> Result<(), Error> {
        let sql = "insert into page_preferences (person, single_keys, changed_at) values ($1, $2, $3) \
                   on conflict (person) do update set single_keys = excluded.single_keys, changed_at = excluded.changed_at";
        let args: Vec<Arg> = vec![person.as_str().into(), i64::from(on).into(), ms(now).into()];
        self.change_entrance(sql, args, None).await.map(drop)
    }
}
