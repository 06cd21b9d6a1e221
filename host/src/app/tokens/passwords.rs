//! Signing in with a password of this desk. Passwords are kept as Argon2id (RFC 9106); guessing is slowed down by person and by
//! address.

use std::collections::BTreeSet;
use std::time::Duration;

use argon2::Argon2;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use tokio::sync::Semaphore;

use super::sessions::SignedIn;
use super::{generate, hash};
use crate::app::error::Broken;
use crate::app::office::signatory;
use crate::app::tickets::quota::{Buckets, Rate};
use crate::app::{Error, Office};
use crate::desk::actor::{Actor, Role};
use crate::desk::id::PersonId;
use crate::desk::organisation::form::Problem;
use crate::desk::permission;
use crate::store::people::Token;
use crate::store::people::accounts::Account;

/// The address of the one who sends a request, as a text that stands for all addresses which they have at will; empty where it
/// came by no connection.
#[derive(Debug, Clone, Default)]
pub struct ClientAddress(pub String);

/// The shortest and the longest password, in characters (NIST SP 800-63B-4, 3.1.1.2).
const CHARS_MIN: usize = 15;
const CHARS_MAX: usize = 256;
/// Wrong passwords of one person, and from one address, in a minute.
const WRONG_OF_PERSON: Rate = Rate::per_minute(5);
const WRONG_OF_ADDRESS: Rate = Rate::per_minute(20);
/// How long a session of a password lasts at most; the session itself ends sooner.
const TOKEN_LIVES: Duration = Duration::from_secs(7 * 24 * 3600);
/// The label of the tokens that stand for sign-ins with a password.
pub const LABEL: &str = "signed in with a password";
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// How signing in went.
#[derive(Debug)]
pub enum Entered {
    Signed(SignedIn),
    /// The person or the password is wrong; which one is not said.
    Wrong,
    /// Too many were wrong: try again after so long.
    Wait(Duration),
}

/// Passwords that are compared at once: each takes 19 MiB and a core.
const AT_ONCE_MAX: usize = 4;

/// Wrong passwords of the last minute, and places to compare one.
#[derive(Debug)]
pub struct Guesses {
    pub(super) wrong: Buckets,
    places: Semaphore,
}

impl Default for Guesses {
    fn default() -> Self {
        Self { wrong: Buckets::default(), places: Semaphore::new(AT_ONCE_MAX) }
    }
}

/// A password as it is kept, in the string format of the Password Hashing Competition.
fn kept(password: &str, salt: &[u8; SALT_BYTES]) -> Result<String, argon2::Error> {
    let argon2 = Argon2::default();
    let mut out = [0; HASH_BYTES];
    argon2.hash_password_into(password.as_bytes(), salt, &mut out)?;
    let parameters = argon2.params();
    let (memory, passes, lanes) = (parameters.m_cost(), parameters.t_cost(), parameters.p_cost());
    let (salt, out) = (BASE64.encode(salt), BASE64.encode(out));
    Ok(format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${out}"))
}

/// Whether a password is the one that is kept.
fn is_kept(password: &str, kept_as: &str) -> bool {
    let salt = kept_as.split('$').nth(4).and_then(|salt| BASE64.decode(salt).ok());
    let Some(salt) = salt.and_then(|salt| <[u8; SALT_BYTES]>::try_from(salt).ok()) else { return false };
    let Ok(again) = kept(password, &salt) else { return false };
    // In a time that says nothing of where they differ.
    let differ = again.bytes().zip(kept_as.bytes()).fold(0, |sum, (one, other)| sum | (one ^ other));
    again.len() == kept_as.len() && differ == 0
}

impl Office {
    /// Whether anyone signs in with a password here.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn has_accounts(&self) -> Result<bool, Error> {
        Ok(self.store.has_accounts().await?)
    }

    /// Gives a person a password and what they may do with it; their sessions end.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`] for a person who is not in the organisation; [`Error::Rejected`] for a password
    /// that is too short or too long.
    pub async fn set_password(
        &self,
        actor: &Actor,
        person: PersonId,
        roles: BTreeSet<Role>,
        password: String,
    ) -> Result<(), Error> {
        permission::manage_tokens(actor)?;
        if !self.organisation().people.contains_key(&person) {
            return Err(Error::Missing { what: "person in the organisation called", name: person.to_string() });
        }
        self.keep_password(Account { person, roles, password }, &signatory(actor).to_string()).await
    }

    /// Changes one's own password, for one who knows the present one; all sessions end.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] where the present one is wrong, or the new one too short or too long.
    pub async fn change_password(&self, actor: &Actor, present: String, new: String) -> Result<(), Error> {
        let wrong = || {
            let problem = Problem::new("present", "wrong", "is not your present password".to_owned());
            Error::Rejected { problems: vec![problem] }
        };
        let person = actor.person().ok_or_else(wrong)?;
        let account = self.store.account(person).await?.ok_or_else(wrong)?;
        if self.may_guess(person.as_str(), "").is_err() || !self.matches(present, Some(&account)).await? {
            self.guessed_wrong(person.as_str(), "");
            return Err(wrong());
        }
        self.keep_password(Account { password: new, ..account }, person.as_str()).await
    }

    async fn keep_password(&self, account: Account, by: &str) -> Result<(), Error> {
        let length = account.password.chars().count();
        if !(CHARS_MIN..=CHARS_MAX).contains(&length) {
            let message =
                format!("has {length} characters: use {CHARS_MIN} to {CHARS_MAX}, such as some words in a row");
            return Err(Error::Rejected { problems: vec![Problem::new("password", "invalid", message)] });
        }
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(Broken::Randomness)?;
        let text = account.password;
        let password = apart(move || kept(&text, &salt).unwrap_or_default()).await?;
        let account = Account { password, ..account };
        let now = self.clock.now();
        self.store.set_account(&account, by, now).await?;
        self.store.end_sessions(&account.person, None, now).await?;
        tracing::info!(by, person = %account.person, "a password was set");
        Ok(())
    }

    /// Begins a session with a person's id or address and a password.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written, or the system gives no randomness.
    pub async fn sign_in_with_password(
        &self,
        (name, password): (&str, String),
        agent: &str,
        ClientAddress(from): &ClientAddress,
    ) -> Result<Entered, Error> {
        let organisation = self.organisation();
        let name = name.trim();
        let is_meant = |person: &&crate::desk::organisation::Person| {
            person.id.as_str() == name || person.email.eq_ignore_ascii_case(name)
        };
        let person = organisation.people.values().find(is_meant).map(|person| person.id.clone());
        let guessed = person.as_ref().map_or(name, PersonId::as_str).chars().take(100).collect::<String>();
        if let Err(wait) = self.may_guess(&guessed, from) {
            return Ok(Entered::Wait(wait));
        }
        let account = match &person {
            Some(person) => self.store.account(person).await?,
            None => None,
        };
        if !self.matches(password, account.as_ref()).await? {
            self.guessed_wrong(&guessed, from);
            return Ok(Entered::Wrong);
        }
        let Some(account) = account else { return Ok(Entered::Wrong) };
        let token = self.token_of_account(account).await?;
        Ok(self.begin_session(token, agent).await?.map_or(Entered::Wrong, Entered::Signed))
    }

    /// A token that is shown to no one, for which the session stands: its hash.
    async fn token_of_account(&self, account: Account) -> Result<String, Error> {
        let (now, by) = (self.clock.now(), account.person.to_string());
        let token = Token {
            hash: hash(&generate()?),
            person: account.person,
            roles: account.roles,
            label: LABEL.to_owned(),
            created_at: now,
            expires_at: now.checked_add(TOKEN_LIVES).ok(),
            revoked_at: None,
        };
        self.store.add_token(&token, &by).await?;
        Ok(token.hash)
    }

    /// Whether a password is that of an account; it takes as long where there is none.
    async fn matches(&self, password: String, account: Option<&Account>) -> Result<bool, Error> {
        let kept_as = account.map(|account| account.password.clone());
        let _place = self.guesses.places.acquire().await;
        let long = password.chars().count() > CHARS_MAX;
        apart(move || match kept_as {
            _ if long => false,
            Some(kept_as) => is_kept(&password, &kept_as),
            None => kept(&password, &[0; SALT_BYTES]).is_ok_and(|_| false),
        })
        .await
    }

    fn may_guess(&self, person: &str, from: &str) -> Result<(), Duration> {
        let now = self.clock.elapsed();
        self.guesses.wrong.look(&format!("person {person}"), WRONG_OF_PERSON, 1, now)?;
        match from {
            "" => Ok(()),
            from => self.guesses.wrong.look(&format!("address {from}"), WRONG_OF_ADDRESS, 1, now),
        }
    }

    fn guessed_wrong(&self, person: &str, from: &str) {
        let now = self.clock.elapsed();
        // That there was room for it was looked at before.
        let _ = self.guesses.wrong.take(&format!("person {person}"), WRONG_OF_PERSON, 1, now);
        if !from.is_empty() {
            let _ = self.guesses.wrong.take(&format!("address {from}"), WRONG_OF_ADDRESS, 1, now);
        }
    }
}

/// Does what takes a while, and much memory, away from the threads that serve requests.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Broken::Task(error).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let one = kept("correct horse battery staple", &[7; SALT_BYTES]).unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert!(is_kept("correct horse battery staple", &one));
        for wrong in ["correct horse battery stapl", "", "Correct horse battery staple"] {
            assert!(!is_kept(wrong, &one), "{wrong}");
        }
        assert_ne!(one, kept("correct horse battery staple", &[8; SALT_BYTES]).unwrap(), "each has its own salt");
        for odd in ["", "$argon2id$v=19$m=1,t=1,p=1$x$y", &one[..one.len() - 1]] {
            assert!(!is_kept("correct horse battery staple", odd), "{odd}");
        }
    }
}
