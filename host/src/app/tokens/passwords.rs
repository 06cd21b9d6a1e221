//! Signing in with a password of this desk. Passwords are kept as Argon2id (RFC 9106); guessing is slowed down by person and by
//! address.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use argon2::Argon2;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use jiff::SignedDuration;
use tokio::sync::Semaphore;

use super::sessions::SignedIn;
use super::{generate, hash};
use crate::app::error::Broken;
use crate::app::office::signatory;
use crate::app::tickets::lifecycle::survey::same;
use crate::app::tickets::quota::{Buckets, Rate};
use crate::app::{Error, Office};
use crate::desk::actor::{Actor, Role};
use crate::desk::id::PersonId;
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::permission;
use crate::desk::sla::later;
use crate::store::people::Token;
use crate::store::people::accounts::Account;
use crate::store::people::sessions::Ended;

/// The address of the one who sends a request, as a text that stands for all addresses which they have at will; empty where it
/// came by no connection.
#[derive(Debug, Clone, Default)]
pub struct ClientAddress(pub String);

/// The shortest and the longest password, in characters (NIST SP 800-63B-4, 3.1.1.2).
const CHARS_MIN: usize = 15;
const CHARS_MAX: usize = 256;
/// Wrong passwords in a minute: of one person from one address, and from one address.
const WRONG_OF_PERSON: Rate = Rate::per_minute(5);
const WRONG_OF_ADDRESS: Rate = Rate::per_minute(20);
/// Those of one person from all addresses together from which the person has not signed in before: so many more, since others may
/// use them up, who then keep the person out only where the person is new as well.
const WRONG_FROM_ELSEWHERE: Rate = Rate::per_minute(10);
/// Sessions that one person begins.
const BEGUN_BY_PERSON: Rate = Rate::per_hour(300);
/// The people and addresses that are remembered together.
const REMEMBERED_MAX: usize = 10_000;
/// How long a session of a password lasts at most; the session itself ends sooner.
const TOKEN_LIVES: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The label of the tokens that stand for sign-ins with a password.
pub const LABEL: &str = "signed in with a password";
/// Kept in the place of a password by which no person comes in any more: it is the hash of none.
const NO_PASSWORD: &str = "none";
/// Tokens of one person that are revoked at once.
const CLOSED_MAX: i64 = 10_000;
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
    /// The sessions that people have begun, each of which the audit keeps.
    begun: Buckets,
    /// The addresses from which people have signed in since the start, each with the person.
    known: Mutex<HashSet<(String, String)>>,
    places: Semaphore,
}

/// A password that is being compared. It counts as wrong from the beginning, so that many at once are no more than one after the
/// other.
struct Guess {
    person: String,
    from: String,
    taken: Vec<(String, Rate)>,
}

impl Guesses {
    /// Counts a password before it is compared.
    ///
    /// # Errors
    ///
    /// How long to wait, where too many were wrong.
    fn begin(&self, person: &str, from: &str, now: Duration) -> Result<Guess, Duration> {
        let known = (person.to_owned(), from.to_owned());
        let is_known = self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(&known);
        // What was typed stands in quotation marks: no name has the form of a person at an address then.
        let mut counted = vec![(format!("person {person:?} from {from}"), WRONG_OF_PERSON)];
        if !from.is_empty() {
            counted.push((format!("address {from}"), WRONG_OF_ADDRESS));
            counted.extend((!is_known).then(|| (format!("person {person:?}"), WRONG_FROM_ELSEWHERE)));
        }
        let (person, from) = known;
        let mut guess = Guess { person, from, taken: Vec::with_capacity(counted.len()) };
        for (name, rate) in counted {
            if let Err(wait) = self.wrong.take(&name, rate, 1, now) {
                self.give_back(&guess, now);
                return Err(wait);
            }
            guess.taken.push((name, rate));
        }
        Ok(guess)
    }

    /// Counts a session that a person begins.
    ///
    /// # Errors
    ///
    /// How long to wait, where there were too many.
    pub(super) fn count_session(&self, person: &str, now: Duration) -> Result<(), Duration> {
        self.begun.take(person, BEGUN_BY_PERSON, 1, now)
    }

    fn give_back(&self, guess: &Guess, now: Duration) {
        for (name, rate) in &guess.taken {
            self.wrong.give_back(name, *rate, 1, now);
        }
    }

    /// It was right, and its address is known from now on.
    fn was_right(&self, guess: Guess, now: Duration) {
        self.give_back(&guess, now);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert((guess.person, guess.from));
    }
}

impl Default for Guesses {
    fn default() -> Self {
        Self {
            wrong: Buckets::default(),
            begun: Buckets::default(),
            known: Mutex::default(),
            places: Semaphore::new(AT_ONCE_MAX),
        }
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

impl Office {
    /// Closes all ways in that a person has, because their user in the directory is deleted: the next who is made there under the
    /// same name comes in by none of them.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written: what was not reached is done when it is tried again.
    pub(in crate::app) async fn close_ways_in(&self, person: &PersonId, by: &str) -> Result<(), Error> {
        let now = self.clock.now();
        if self.store.account(person).await?.is_some() {
            let none = Account { person: person.clone(), password: NO_PASSWORD.to_owned(), roles: BTreeSet::new() };
            self.store.set_account(&none, by, now).await?;
        }
        self.store.unbind_identities(person, by, now).await?;
        for token in self.store.tokens_in_force(Some(person), now, CLOSED_MAX).await? {
            for hash in self.store.tokens_that_begin(&token.id).await? {
                self.store.revoke_token(&hash, by, now).await?;
            }
        }
        self.store.end_sessions(person, Ended::All, (by, now)).await?;
        Ok(())
    }
}

/// Whether a password is the one that is kept.
fn is_kept(password: &str, kept_as: &str) -> bool {
    let salt = kept_as.split('$').nth(4).and_then(|salt| BASE64.decode(salt).ok());
    let Some(salt) = salt.and_then(|salt| <[u8; SALT_BYTES]>::try_from(salt).ok()) else { return false };
    let Ok(again) = kept(password, &salt) else { return false };
    same(&again, kept_as)
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
        let wrong = || Error::from(Problem::of("present", "wrong", Fault::WrongPassword, &[]));
        let person = actor.person().ok_or_else(wrong)?;
        let account = self.store.account(person).await?.ok_or_else(wrong)?;
        let guess = self.guesses.begin(person.as_str(), "", self.clock.elapsed()).map_err(|_| wrong())?;
        if !self.matches(present, Some(&account)).await? {
            return Err(wrong());
        }
        self.guesses.was_right(guess, self.clock.elapsed());
        self.keep_password(Account { password: new, ..account }, person.as_str()).await
    }

    async fn keep_password(&self, account: Account, by: &str) -> Result<(), Error> {
        let length = account.password.chars().count();
        if !(CHARS_MIN..=CHARS_MAX).contains(&length) {
            let values: [&dyn Display; 3] = [&length, &CHARS_MIN, &CHARS_MAX];
            let problem = Problem::of("password", "invalid", Fault::PasswordLength, &values);
            return Err(problem.into());
        }
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(Broken::Randomness)?;
        let text = account.password;
        let password = apart(move || kept(&text, &salt).unwrap_or_default()).await?;
        let account = Account { password, ..account };
        let now = self.clock.now();
        self.store.set_account(&account, by, now).await?;
        self.store.end_sessions(&account.person, Ended::All, (by, now)).await?;
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
        let person = organisation.person_named(name).map(|person| person.id.clone());
        let guessed = person.as_ref().map_or(name, PersonId::as_str).chars().take(100).collect::<String>();
        let guess = match self.guesses.begin(&guessed, from, self.clock.elapsed()) {
            Ok(guess) => guess,
            Err(wait) => return Ok(Entered::Wait(wait)),
        };
        let account = match &person {
            Some(person) => self.store.account(person).await?,
            None => None,
        };
        if !self.matches(password, account.as_ref()).await? {
            return Ok(Entered::Wrong);
        }
        self.guesses.was_right(guess, self.clock.elapsed());
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
            expires_at: Some(later(now, TOKEN_LIVES)),
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
            Some(kept_as) if kept_as != NO_PASSWORD => is_kept(&password, &kept_as),
            _ => kept(&password, &[0; SALT_BYTES]).is_ok_and(|_| false),
        })
        .await
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
    fn guesses_from_elsewhere_do_not_keep_a_person_out_who_was_here_before() {
        let (guesses, now) = (Guesses::default(), Duration::from_secs(1));
        guesses.was_right(guesses.begin("ivan", "home", now).unwrap(), now);
        // Many at once are counted before the first of them is compared.
        let begun = |from: &str| (0..50).map_while(|_| guesses.begin("ivan", from, now).ok()).count();
        assert_eq!(["cafe", "train", "airport", "hotel"].map(begun), [5, 5, 0, 0]);
        assert!(guesses.begin("ivan", "home", now).is_ok());
        assert_eq!(begun("home"), 4);
        let minute = Duration::from_secs(61);
        guesses.was_right(guesses.begin("ivan", "home", minute).unwrap(), minute);
        let names = (0..50).map_while(|n| guesses.begin(&format!("name {n}"), "one address", minute).ok());
        assert_eq!(names.count(), 20);
    }

    #[test]
    fn no_name_that_is_typed_counts_for_a_person_where_they_are_known() {
        let (guesses, now) = (Guesses::default(), Duration::from_secs(1));
        guesses.was_right(guesses.begin("ivan", "home", now).unwrap(), now);
        for name in ["ivan from home", "ivan\" from home", "\"ivan\" from home"] {
            assert_eq!((0..50).map_while(|_| guesses.begin(name, name, now).ok()).count(), 5, "{name}");
        }
        assert!(guesses.begin("ivan", "home", now).is_ok());
    }

    #[test]
    fn one_person_begins_only_so_many_sessions() {
        let guesses = Guesses::default();
        let begun = |now: u64| {
            let now = Duration::from_secs(now);
            (0..500).take_while(|_| guesses.count_session("amara", now).is_ok()).count()
        };
        assert_eq!((begun(0), begun(0), begun(36)), (300, 0, 3));
        assert!(guesses.count_session("kofi", Duration::ZERO).is_ok());
    }

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
