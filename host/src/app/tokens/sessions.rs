//! Sessions: a person in a browser. A session stands for the token with which it was begun, so that its permissions are looked
//! up on each request, and it ends where the token does.
//!
//! The cookie has 256 random bits, of which only the hash is kept. An idle session ends after 12 hours, any after 7 days.

use std::collections::HashMap;
use std::sync::PoisonError;

use jiff::SignedDuration;

use super::{Office, hash};
use crate::app::Error;
use crate::app::error::Broken;
use crate::app::office::signatory;
use crate::desk::actor::{Actor, Role};
use crate::desk::id::PersonId;
use crate::desk::permission;
use crate::desk::sla::{earlier, later};
use crate::rules::digest::hex;
use crate::store::people::sessions::Ended;
pub use crate::store::people::sessions::Session;

/// How long a session lives that is not used.
pub(super) const IDLE_MAX: SignedDuration = SignedDuration::from_hours(12);
/// How long any session lives.
const AGE_MAX: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How old the note of the last use becomes before it is written again.
const SEEN_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// How long sessions that are over are kept, for those who look after what happened.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;
/// The most of a browser's name that is kept, in characters.
const AGENT_CHARS_MAX: usize = 200;

/// A session that has just begun.
#[derive(Debug)]
pub struct SignedIn {
    /// For the cookie; kept nowhere here.
    pub secret: String,
    pub actor: Actor,
}

impl Office {
    /// The people whose tokens all may know, by id; there are none but where a demo runs.
    pub fn well_known_people(&self) -> Vec<PersonId> {
        let known = self.well_known.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut people: Vec<PersonId> = known.values().filter_map(|actor| actor.person().cloned()).collect();
        people.sort();
        people
    }

    /// Those of them who have a role.
    pub fn well_known_with(&self, role: Role) -> Vec<PersonId> {
        let known = self.well_known.0.read().unwrap_or_else(PoisonError::into_inner);
        known.values().filter(|actor| actor.has(role)).filter_map(|actor| actor.person().cloned()).collect()
    }

    /// Begins a session of a person whose token all may know; `None` for all others.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written, or the system gives no randomness.
    pub async fn sign_in_as(&self, person: &PersonId, agent: &str) -> Result<Option<SignedIn>, Error> {
        let token = {
            let known = self.well_known.0.read().unwrap_or_else(PoisonError::into_inner);
            let found = known.iter().find(|(_, actor)| actor.person() == Some(person));
            found.map(|(hash, _)| hash.clone())
        };
        match token {
            Some(token) => self.begin_session(token, agent).await,
            None => Ok(None),
        }
    }

    pub(super) async fn begin_session(&self, token: String, agent: &str) -> Result<Option<SignedIn>, Error> {
        let Some(actor) = self.actor_of(token.clone()).await? else { return Ok(None) };
        let Some(person) = actor.person().cloned() else { return Ok(None) };
        let counted = self.guesses.count_session(person.as_str(), self.clock.elapsed());
        counted.map_err(|wait| Error::TooMuch { what: "sessions that you begin in one hour", wait })?;
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).map_err(Broken::Randomness)?;
        let (secret, now) = (hex(&bytes), self.clock.now());
        let session = Session {
            hash: hash(&secret),
            token,
            person,
            agent: agent.chars().filter(|c| !c.is_control()).take(AGENT_CHARS_MAX).collect(),
            created_at: now,
            seen_at: now,
            expires_at: later(now, AGE_MAX),
            single_keys: true,
        };
        self.store.begin_session(&session, earlier(now, KEPT_FOR)).await?;
        tracing::info!(person = %session.person, session = session.id(), "a session began");
        Ok(Some(SignedIn { secret, actor }))
    }

    /// The session with this hash of its secret, where it has not ended.
    async fn live_session(&self, hash: &str) -> Result<Option<Session>, Error> {
        let now = self.clock.now();
        Ok(self.store.session(hash, earlier(now, IDLE_MAX), now).await?)
    }

    /// The session with this secret and the one whose it is; `None` where it is unknown or has ended.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn session(&self, secret: &str) -> Result<Option<(Session, Actor)>, Error> {
        let now = self.clock.now();
        let Some(session) = self.live_session(&hash(secret)).await? else { return Ok(None) };
        let Some(actor) = self.actor_of(session.token.clone()).await? else { return Ok(None) };
        if session.seen_at < earlier(now, SEEN_EVERY) {
            self.store.touch_session(&session.hash, now).await?;
        }
        Ok(Some((session, actor)))
    }

    /// The actor's own sessions, the latest first.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn sessions(&self, actor: &Actor) -> Result<Vec<Session>, Error> {
        let Some(person) = actor.person() else { return Ok(Vec::new()) };
        let now = self.clock.now();
        Ok(self.store.sessions(person, earlier(now, IDLE_MAX), now).await?)
    }

    /// Ends one of the actor's own sessions, by its id or its hash, or all; how many.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn end_sessions(&self, actor: &Actor, one: Option<&str>) -> Result<u64, Error> {
        self.end_own(actor, one.map_or(Ended::All, Ended::One)).await
    }

    /// Ends all of the actor's own sessions but the one with this hash; how many.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn end_other_sessions(&self, actor: &Actor, present: &str) -> Result<u64, Error> {
        self.end_own(actor, Ended::Others(present)).await
    }

    async fn end_own(&self, actor: &Actor, ended: Ended<'_>) -> Result<u64, Error> {
        let Some(person) = actor.person() else { return Ok(0) };
        Ok(self.store.end_sessions(person, ended, (person.as_str(), self.clock.now())).await?)
    }

    /// How many sessions end with each of these tokens, by its id, when it is taken back; without those with which none does.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn sessions_of_tokens(&self, actor: &Actor, ids: &[&str]) -> Result<HashMap<String, i64>, Error> {
        permission::end_tokens(actor)?;
        let now = self.clock.now();
        Ok(self.store.sessions_of_tokens(ids, (earlier(now, IDLE_MAX), now)).await?)
    }

    /// The sessions of a person, or of all, that let anyone in now; the latest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn sessions_in_force(
        &self,
        actor: &Actor,
        person: Option<&PersonId>,
        limit: i64,
    ) -> Result<Vec<Session>, Error> {
        permission::end_tokens(actor)?;
        let now = self.clock.now();
        Ok(self.store.sessions_in_force(person, (earlier(now, IDLE_MAX), now), limit).await?)
    }

    /// Ends the session of a person that has this id, or all of theirs; how many.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn end_sessions_of(&self, actor: &Actor, person: &PersonId, one: Option<&str>) -> Result<u64, Error> {
        permission::end_tokens(actor)?;
        let ended = one.map_or(Ended::All, Ended::One);
        let by = signatory(actor).to_string();
        let count = self.store.end_sessions(person, ended, (&by, self.clock.now())).await?;
        tracing::info!(by, %person, count, "sessions of a person were ended");
        Ok(count)
    }

    /// Keeps whether letters alone are keys on the actor's own pages, in every browser.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn use_single_keys(&self, actor: &Actor, on: bool) -> Result<(), Error> {
        let Some(person) = actor.person() else { return Ok(()) };
        Ok(self.store.use_single_keys(person, on, self.clock.now()).await?)
    }
}
