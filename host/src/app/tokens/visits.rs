//! How often browsers ask for pages: a person as often as programs do in that person's name, and an address with only so many
//! cookies that belong to no session and tokens that belong to no person.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::hash;
use super::passwords::ClientAddress;
use super::sessions::{Session, SignedIn};
use crate::app::tickets::quota::{AtOnce, Buckets, Rate, Turn};
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::PersonId;

/// Cookies and tokens that one address may show in a minute and that no one has: each is looked for in the database.
const UNKNOWN: Rate = Rate::per_minute(120);
/// Pages of one person that are made at once: as many as requests of a program in that person's name are in progress.
const AT_ONCE_MAX: usize = 100;
/// How soon one more is worth a try.
const PAGE_AGAIN: Duration = Duration::from_secs(1);
/// How long it is remembered that a cookie belongs to no session: the many tabs of a browser whose session has ended show the same one, and
/// take no place from the others at their address.
const GONE_FOR: Duration = Duration::from_secs(5);
/// Sessions that are remembered, so that they pass where others at their address are unknown.
const REMEMBERED_MAX: usize = 10_000;

/// The pages that were asked for in the last minutes.
#[derive(Debug, Default)]
pub struct Visits {
    people: Buckets,
    unknown: Buckets,
    at_once: AtOnce,
    /// Hashes of the secrets of sessions that were found.
    seen: Mutex<HashSet<String>>,
    /// Hashes of secrets that belong to no session, each with when it was looked for.
    gone: Mutex<HashMap<String, Duration>>,
}

impl Visits {
    fn has_seen(&self, hash: &str) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).contains(hash)
    }

    fn is_gone(&self, hash: &str, now: Duration) -> bool {
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        gone.get(hash).is_some_and(|since| now.saturating_sub(*since) < GONE_FOR)
    }

    fn note(&self, hash: String, is_live: bool, now: Duration) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_live {
            seen.remove(&hash);
            let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
            if gone.len() >= REMEMBERED_MAX {
                gone.clear();
            }
            gone.insert(hash, now);
            return;
        }
        if seen.len() >= REMEMBERED_MAX {
            seen.clear();
        }
        seen.insert(hash);
    }
}

impl Office {
    fn may_show_unknown(&self, from: &str, now: Duration) -> Result<(), Error> {
        let room = self.visits.unknown.look(from, UNKNOWN, 1, now);
        room.map_err(|wait| Error::TooMuch { what: "unknown sessions from this address in one minute", wait })
    }

    /// Begins a session with a token that a browser at this address shows; `None` for one that is unknown or revoked.
    ///
    /// # Errors
    ///
    /// [`Error::TooMuch`] at an address that has shown too much that no one has, and for a person who begins too many; where the store
    /// cannot be written, or the system gives no randomness.
    pub async fn sign_in(
        &self,
        token: &str,
        agent: &str,
        ClientAddress(from): &ClientAddress,
    ) -> Result<Option<SignedIn>, Error> {
        let now = self.clock.elapsed();
        let is_new = !from.is_empty() && !self.has_seen(token);
        if is_new {
            self.may_show_unknown(from, now)?;
        }
        let begun = self.begin_session(hash(token), agent).await?;
        if is_new && begun.is_none() {
            // That there was room for it was looked at before.
            let _ = self.visits.unknown.take(from, UNKNOWN, 1, now);
        }
        Ok(begun)
    }

    /// A place for one more page of a person, until it is made. A form that comes slowly is not made yet.
    ///
    /// # Errors
    ///
    /// [`Error::TooMuch`].
    pub fn begin_page(&self, person: &PersonId) -> Result<Turn, Error> {
        let turn = self.visits.at_once.begin(person.as_str(), AT_ONCE_MAX);
        turn.ok_or(Error::TooMuch { what: "pages at once", wait: PAGE_AGAIN })
    }

    /// As [`Office::session`], for one more page that a browser at this address asks for.
    ///
    /// # Errors
    ///
    /// [`Error::TooMuch`] for a person who asks for too many, and at an address that has shown too many secrets of no session; as
    /// [`Office::session`].
    pub async fn visit(
        &self,
        secret: &str,
        ClientAddress(from): &ClientAddress,
    ) -> Result<Option<(Session, Actor)>, Error> {
        let (key, now) = (hash(secret), self.clock.elapsed());
        if self.visits.is_gone(&key, now) {
            return Ok(None);
        }
        let is_new = !from.is_empty() && !self.visits.has_seen(&key);
        if is_new {
            self.may_show_unknown(from, now)?;
        }
        let found = self.session(secret).await?;
        self.visits.note(key, found.is_some(), now);
        let Some((session, actor)) = found else {
            if is_new {
                // That there was room for it was looked at before.
                let _ = self.visits.unknown.take(from, UNKNOWN, 1, now);
            }
            return Ok(None);
        };
        let rate = Rate::per_minute(self.quotas.requests_per_minute());
        let counted = self.visits.people.take(session.person.as_str(), rate, 1, now);
        counted.map_err(|wait| Error::TooMuch { what: "pages in one minute", wait })?;
        Ok(Some((session, actor)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_remembered_while_they_last_and_only_so_many() {
        let visits = Visits::default();
        let now = Duration::from_secs(60);
        visits.note("a".to_owned(), true, now);
        assert!(visits.has_seen("a") && !visits.has_seen("b"));
        visits.note("a".to_owned(), false, now);
        assert!(!visits.has_seen("a"));
        for n in 0..=REMEMBERED_MAX {
            visits.note(n.to_string(), true, now);
            visits.note(format!("none {n}"), false, now);
        }
        assert!(visits.seen.lock().unwrap().len() <= REMEMBERED_MAX);
        assert!(visits.gone.lock().unwrap().len() <= REMEMBERED_MAX);
    }

    #[test]
    fn a_cookie_of_no_session_is_looked_for_once_in_a_while() {
        let (visits, now) = (Visits::default(), Duration::from_secs(60));
        assert!(!visits.is_gone("a", now));
        visits.note("a".to_owned(), false, now);
        assert!(visits.is_gone("a", now + GONE_FOR / 2) && !visits.is_gone("b", now));
        assert!(!visits.is_gone("a", now + GONE_FOR));
    }
}
