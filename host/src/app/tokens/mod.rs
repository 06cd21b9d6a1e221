//! Who is asking: bearer tokens (RFC 6750), of which only the hash is kept, and sessions that stand for them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::app::error::{Broken, accept};
use crate::app::office::signatory;
use crate::app::{Error, Office};
use crate::desk::actor::{Actor, Role};
use crate::desk::id::PersonId;
use crate::desk::organisation::form::{Fault, Problem, check_characters};
use crate::desk::permission;
use crate::desk::text::into_normal;
use crate::desk::ticket::edit::check_reason;
use crate::rules::digest::hex;
pub use crate::store::people::ListedToken;
use crate::store::people::Token;

pub mod passwords;
pub mod personal;
pub mod provider;
pub mod sessions;
mod shown;
pub mod visits;

/// How long a token is trusted without asking the store again: a revocation by another host takes effect within it.
const TRUSTED_FOR: Duration = Duration::from_secs(5);
/// Tokens that are remembered.
const REMEMBERED_MAX: usize = 10_000;
/// The longest label, in characters.
const LABEL_CHARS_MAX: usize = 200;
/// The beginning of every token, so that a leaked one is recognised.
const PREFIX: &str = "rdk_";
/// The fewest digits that stand for a token's id.
const ID_DIGITS_MIN: usize = 8;
/// Random bytes of a token.
const TOKEN_BYTES: usize = 24;

/// Tokens seen a moment ago, by their hashes: since when, by a clock that only goes on, and who holds them if they are known.
#[derive(Default)]
pub struct Cache(RwLock<HashMap<String, (Duration, Option<Actor>)>>);

/// Tokens that this process accepts and no other: they are kept nowhere, and end with it.
#[derive(Default)]
pub struct WellKnown(RwLock<HashMap<String, Actor>>);

impl Cache {
    fn get(&self, hash: &str, now: Duration) -> Option<Option<Actor>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (since, actor) = known.get(hash)?;
        (now.saturating_sub(*since) < TRUSTED_FOR).then(|| actor.clone())
    }

    /// Whether someone held it when it was seen, however long ago that was, or it was seen a moment ago to be none.
    fn has(&self, hash: &str, now: Duration) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(hash).is_some_and(|(since, actor)| actor.is_some() || now.saturating_sub(*since) < TRUSTED_FOR)
    }

    /// Forgets a token, so that the store is asked for it.
    fn forget(&self, hash: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(hash);
    }

    fn put(&self, hash: String, now: Duration, actor: Option<Actor>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.retain(|_, (since, actor)| actor.is_some() && now.saturating_sub(*since) < TRUSTED_FOR);
        }
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(hash, (now, actor));
    }
}

/// The hash under which a token is kept. A token is random, so a plain hash is enough: there is nothing to guess.
pub fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// A new token.
///
/// # Errors
///
/// Where the system gives no randomness.
fn generate() -> Result<String, Error> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(Broken::Randomness)?;
    Ok(format!("{PREFIX}{}", hex(&bytes)))
}

impl Office {
    /// Whether this token was looked for before, and is one, or is known to be none without another look.
    pub fn has_seen(&self, token: &str) -> bool {
        let hash = hash(token);
        self.tokens.has(&hash, self.clock.elapsed())
            || self.well_known.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(&hash)
    }

    /// The actor who holds this token, if it is one.
    pub async fn actor(&self, token: &str) -> Result<Option<Actor>, Error> {
        self.actor_of(hash(token)).await
    }

    /// The actor who holds the token with this hash.
    async fn actor_of(&self, hash: String) -> Result<Option<Actor>, Error> {
        let now = self.clock.elapsed();
        if let Some(found) = self.tokens.get(&hash, now) {
            return Ok(found);
        }
        if let Some(actor) = self.well_known_actor(&hash) {
            return Ok(Some(actor).filter(|actor| !self.has_left(actor)));
        }
        let found = self.store.token(&hash, self.clock.now()).await?;
        let actor = found.map(|token| Actor::Person { id: token.person, roles: token.roles });
        let actor = actor.filter(|actor| self.is_here(actor));
        self.tokens.put(hash, now, actor.clone());
        Ok(actor)
    }

    /// The actor who holds the token with this hash, where it is one that all may know.
    fn well_known_actor(&self, hash: &str) -> Option<Actor> {
        self.well_known.0.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// Whether the organisation says that this person has left. It need not know those whose tokens all may know.
    fn has_left(&self, actor: &Actor) -> bool {
        let organisation = self.organisation();
        actor.person().and_then(|id| organisation.people.get(id)).is_some_and(|person| !person.active)
    }

    /// A person who is not in the organisation any more has left it.
    fn is_here(&self, actor: &Actor) -> bool {
        actor.person().is_some_and(|id| self.organisation().is_active(id))
    }

    /// Accepts a token that anybody may know, for as long as this process runs.
    pub fn accept_well_known(&self, token: &str, person: PersonId, roles: BTreeSet<Role>) {
        let actor = Actor::Person { id: person, roles };
        self.well_known.0.write().unwrap_or_else(PoisonError::into_inner).insert(hash(token), actor);
    }

    /// Gives a person a new token, which is shown this once: only its hash is kept.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`] for a person who is not in the organisation; [`Error::Rejected`] for a label that is no
    /// line of text.
    pub async fn add_token(
        &self,
        actor: &Actor,
        person: PersonId,
        roles: BTreeSet<Role>,
        label: String,
        expires_at: Option<Timestamp>,
    ) -> Result<String, Error> {
        permission::manage_tokens(actor)?;
        if !self.organisation().people.contains_key(&person) {
            return Err(Error::Missing { what: "person in the organisation called", name: person.to_string() });
        }
        let label = into_normal(label);
        accept(check_label(&label))?;
        let token = generate()?;
        let created_at = self.clock.now();
        let kept = Token { hash: hash(&token), person, roles, label, created_at, expires_at, revoked_at: None };
        self.store.add_token(&kept, &signatory(actor).to_string()).await?;
        let (by, id, person) = (signatory(actor), kept.id(), &kept.person);
        tracing::info!(%by, id, %person, label = kept.label, "a token was given out");
        Ok(token)
    }

    /// Revokes a token, by itself or by its id, for a reason, or for none where an operator does so; a running desk refuses it within
    /// five seconds.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Rejected`] for a reason that is none; [`Error::Missing`] where there is no such token, or it was
    /// revoked before; [`Error::Ambiguous`] where several ids begin so.
    pub async fn revoke_token(&self, actor: &Actor, token: &str, why: Option<&str>) -> Result<(), Error> {
        permission::end_tokens(actor)?;
        accept(why.and_then(|why| check_reason("why", why)))?;
        let missing = || Error::Missing { what: "token that still holds like", name: shown(token) };
        let hash = if token.starts_with(PREFIX) { hash(token) } else { self.token_of_id(token).await? };
        let by = signatory(actor).to_string();
        if !self.store.revoke_token_for(&hash, (&by, why), self.clock.now()).await? {
            return Err(missing());
        }
        tracing::info!(by = %signatory(actor), "a token was revoked");
        Ok(())
    }

    /// The tokens of a person, or of all; the newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn tokens(&self, actor: &Actor, person: Option<&PersonId>) -> Result<Vec<ListedToken>, Error> {
        permission::end_tokens(actor)?;
        Ok(self.store.tokens(person).await?)
    }

    /// The tokens of a person, or of all, that let anyone in now; the newest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn tokens_in_force(
        &self,
        actor: &Actor,
        person: Option<&PersonId>,
        limit: i64,
    ) -> Result<Vec<ListedToken>, Error> {
        permission::end_tokens(actor)?;
        Ok(self.store.tokens_in_force(person, self.clock.now(), limit).await?)
    }

    async fn token_of_id(&self, id: &str) -> Result<String, Error> {
        let what = "token with the id";
        let found = if id.len() < ID_DIGITS_MIN { Vec::new() } else { self.store.tokens_that_begin(id).await? };
        match found.as_slice() {
            [hash] => Ok(hash.clone()),
            [] => Err(Error::Missing { what, name: shown(id) }),
            several => {
                let meant = several.iter().map(|hash| hash.chars().take(16).collect()).collect();
                Err(Error::Ambiguous { what, name: shown(id), meant })
            }
        }
    }
}

/// Why a label cannot be shown in a list of tokens, if it cannot.
fn check_label(label: &str) -> Option<Problem> {
    if label.chars().count() > LABEL_CHARS_MAX {
        return Some(Problem::of("label", "too-long", Fault::Long, &[&LABEL_CHARS_MAX]));
    }
    check_characters("label", label)
}

/// The beginning of a token: enough to recognise, too little to use.
fn shown(token: &str) -> String {
    token.chars().take(PREFIX.len() + 4).chain("...".chars()).collect()
}
