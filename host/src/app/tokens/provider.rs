//! Signing in by the company's identity provider. The desk is asked by a browser and asks the provider, which a job of each host
//! does: questions wait for it in a queue of a few.
//!
//! Nothing is kept of a sign-in that has not come to its end: the browser has a seed, from which the secrets of the flow follow,
//! so that any host may end what another has begun, and no stranger fills a table.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};

use super::passwords::ClientAddress;
use super::sessions::SignedIn;
use super::{generate, hash};
use crate::app::error::Broken;
use crate::app::office::signatory;
use crate::app::tickets::quota::Rate;
use crate::app::{Error, Office};
use crate::desk::actor::{Actor, Role};
use crate::desk::id::PersonId;
use crate::desk::organisation::identity::{Ended, Identified, Parts};
use crate::desk::permission;
use crate::desk::sla::{earlier, later};
use crate::rules::digest::hex;
use crate::store::people::Token;
use crate::store::people::identities::SignOn;

/// How long a sign-in lasts at most: then the provider is asked again, and tells of other groups.
const LIVES: SignedDuration = SignedDuration::from_hours(12);
/// How long it is known which tokens stand for sign-ins: longer than one lasts.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(2 * 24);
/// Sign-ins from one address in a minute, each of which asks the provider.
const OF_ADDRESS: Rate = Rate::per_minute(30);
/// Ends of sign-ins that one address may name in a minute: those that others make up there keep none of the provider's waiting.
const ENDS: Rate = Rate::per_minute(600);
/// Questions that wait for the provider at once.
const WAITING_MAX: usize = 64;
/// The label of the tokens that stand for sign-ins by a provider.
pub const LABEL: &str = "signed in by the identity provider";
const SEED_BYTES: usize = 32;
/// The longest code that a provider gives, in bytes.
const CODE_BYTES_MAX: usize = 4096;

/// A provider as people see it, and what their groups let them do.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Its name, on the button.
    pub name: String,
    pub parts: Parts,
}

/// The secrets of one sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// It comes back with the answer.
    pub state: String,
    /// It comes back within the token.
    pub nonce: String,
    /// It is shown when the code is redeemed, and its hash before (RFC 7636).
    pub verifier: String,
    pub challenge: String,
}

impl Secrets {
    /// Those that follow from a seed.
    fn of(seed: &str) -> Secrets {
        let one = |what: &str| hash(&format!("{what} {seed}"));
        let verifier = one("verifier");
        let challenge = BASE64.encode(Sha256::digest(verifier.as_bytes()));
        Secrets { state: one("state"), nonce: one("nonce"), verifier, challenge }
    }
}

/// A question to the provider, with the place for its answer.
#[derive(Debug)]
pub enum Question {
    /// Where someone signs in.
    Address { secrets: Secrets, answer: Answer<String> },
    /// Who has come back with a code; the provider says which one it is where it does so at all.
    Identify { code: String, issuer: Option<String>, secrets: Secrets, answer: Answer<Identified> },
    /// Whose sign-in a token of the provider's ends.
    Ended { token: String, answer: Answer<Ended> },
    /// Where people end the provider's own session, and come back from to this address.
    WayOut { back: String, answer: Answer<Option<String>> },
}

/// The place for an answer.
pub type Answer<T> = oneshot::Sender<Result<T, NoAnswer>>;

/// Why the provider gives no answer that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer {
    pub words: String,
    /// Whether it could not be asked, so that a later try may do.
    pub away: bool,
}

/// The provider, as far as this host offers it.
#[derive(Debug)]
pub struct Provider {
    offer: Offer,
    questions: mpsc::Sender<Question>,
}

/// The answer that a browser brings back from the provider.
#[derive(Debug, Clone, Default)]
pub struct Back {
    pub code: String,
    pub state: String,
    pub issuer: Option<String>,
}

/// Why someone does not come in by the provider.
#[derive(Debug, thiserror::Error)]
pub enum NotIn {
    #[error("no identity provider is configured")]
    NotOffered,
    #[error("this sign-in was not begun in this browser, or is over")]
    NotBegunHere,
    #[error("too many tries: wait {} s", .0.as_secs())]
    Wait(Duration),
    #[error("the identity provider cannot be asked")]
    Away,
    #[error("the identity provider's answer does not count")]
    Unsound,
    /// The provider knows them, and the desk does not.
    #[error("the desk knows no one of this name")]
    Unknown { name: String },
    /// Another account of the provider stands for the person.
    #[error("another account stands for {person}")]
    Taken { person: PersonId },
    #[error("{person} has left, or has no part here")]
    NoPart { person: PersonId },
    #[error(transparent)]
    Failed(#[from] Error),
}

impl Office {
    /// Offers a provider on this host, once; what is to be asked of it comes by what is returned. `None` where one is offered.
    pub fn offer_provider(&self, offer: Offer) -> Option<mpsc::Receiver<Question>> {
        let (questions, asked) = mpsc::channel(WAITING_MAX);
        self.provider.set(Provider { offer, questions }).ok().map(|()| asked)
    }

    /// The groups of the provider and of the organisation whose members have a part at the desk when they sign in by the provider;
    /// `*` is everyone, and without a provider there are none.
    pub fn groups_with(&self, role: Role) -> Vec<String> {
        let groups = self.provider.get().and_then(|provider| provider.offer.parts.get(&role));
        groups.into_iter().flatten().cloned().collect()
    }

    /// The provider's name, where there is one.
    pub fn provider_name(&self) -> Option<&str> {
        self.provider.get().map(|provider| provider.offer.name.as_str())
    }

    /// Begins a sign-in: the seed that the browser keeps, and the address to which it goes.
    ///
    /// # Errors
    ///
    /// [`NotIn`].
    pub async fn begin_by_provider(&self, ClientAddress(from): &ClientAddress) -> Result<(String, String), NotIn> {
        self.may_ask_provider(from)?;
        let mut bytes = [0; SEED_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| Error::from(Broken::Randomness(error)))?;
        let seed = hex(&bytes);
        let secrets = Secrets::of(&seed);
        let address = self.ask_provider(|answer| Question::Address { secrets, answer }).await?;
        Ok((seed, address))
    }

    /// Ends a sign-in with what the browser has brought back: a session begins.
    ///
    /// # Errors
    ///
    /// [`NotIn`].
    pub async fn sign_in_by_provider(
        &self,
        seed: &str,
        back: Back,
        agent: &str,
        ClientAddress(from): &ClientAddress,
    ) -> Result<SignedIn, NotIn> {
        let secrets = Secrets::of(seed);
        if seed.len() != 2 * SEED_BYTES || back.state != secrets.state || back.code.len() > CODE_BYTES_MAX {
            return Err(NotIn::NotBegunHere);
        }
        self.may_ask_provider(from)?;
        let Back { code, issuer, .. } = back;
        let identified = self.ask_provider(|answer| Question::Identify { code, issuer, secrets, answer }).await?;
        let person = self.person_of(&identified).await?;
        let token = self.token_of_sign_on(&identified, person.clone()).await?;
        self.begin_session(token, agent).await?.ok_or(NotIn::NoPart { person })
    }

    /// Ends the sign-ins that a token of the provider's names (Back-Channel Logout 1.0); how many.
    ///
    /// # Errors
    ///
    /// [`NotIn`].
    pub async fn end_by_provider(&self, token: String, ClientAddress(from): &ClientAddress) -> Result<usize, NotIn> {
        let (name, now) = (format!("ends for {from}"), self.clock.elapsed());
        self.guesses.wrong.take(&name, ENDS, 1, now).map_err(NotIn::Wait)?;
        let ended = self.ask_provider(|answer| Question::Ended { token, answer }).await?;
        let tokens = self.store.tokens_of_sign_ons(&ended).await.map_err(Error::from)?;
        let mut revoked = 0;
        for token in &tokens {
            let by = ended.issuer.as_str();
            let was = self.store.revoke_token(token, by, self.clock.now()).await.map_err(Error::from)?;
            revoked += usize::from(was);
            self.tokens.forget(token);
        }
        tracing::info!(issuer = ended.issuer, revoked, "the identity provider ended sign-ins");
        Ok(revoked)
    }

    /// Where people end the provider's own session, if there is such a place; they come back to the page for signing in.
    /// `None` also for an address from which it was asked too often.
    pub async fn way_out_of_provider(&self, ClientAddress(from): &ClientAddress) -> Option<String> {
        let back = format!("{}/sign-in", self.correspondence.load().public_url.as_deref()?);
        self.may_ask_provider(from).ok()?;
        self.ask_provider(|answer| Question::WayOut { back, answer }).await.ok().flatten()
    }

    /// Forgets which account of a provider stands for a person, so that another may; how many there were.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn unbind_identities(&self, actor: &Actor, person: &PersonId) -> Result<u64, Error> {
        permission::manage_tokens(actor)?;
        Ok(self.store.unbind_identities(person, &signatory(actor).to_string(), self.clock.now()).await?)
    }

    fn may_ask_provider(&self, from: &str) -> Result<(), NotIn> {
        let now = self.clock.elapsed();
        match from {
            "" => Ok(()),
            from => {
                let name = format!("provider for {from}");
                self.guesses.wrong.take(&name, OF_ADDRESS, 1, now).map_err(NotIn::Wait)
            }
        }
    }

    async fn ask_provider<T>(&self, question: impl FnOnce(Answer<T>) -> Question) -> Result<T, NotIn> {
        let provider = self.provider.get().ok_or(NotIn::NotOffered)?;
        let (send, answer) = oneshot::channel();
        provider.questions.try_send(question(send)).map_err(|_| NotIn::Away)?;
        match answer.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(NoAnswer { words, away })) => {
                tracing::warn!(%words, "a sign-in by the identity provider came to nothing");
                Err(if away { NotIn::Away } else { NotIn::Unsound })
            }
            Err(_) => Err(NotIn::Away),
        }
    }

    /// The person whom an account stands for. One that comes for the first time is bound to the person whom it names.
    async fn person_of(&self, identified: &Identified) -> Result<PersonId, NotIn> {
        let Identified { issuer, subject, name, .. } = identified;
        if let Some(person) = self.store.identity(issuer, subject).await.map_err(Error::from)? {
            return Ok(person);
        }
        let name = name.clone().unwrap_or_default();
        let organisation = self.organisation();
        let found = organisation.person_named(&name).map(|person| person.id.clone());
        let person = found.or_else(|| self.person_of_external(&name)).ok_or(NotIn::Unknown { name })?;
        let now = self.clock.now();
        if !self.store.bind_identity(issuer, subject, &person, now).await.map_err(Error::from)? {
            return Err(NotIn::Taken { person });
        }
        tracing::info!(%person, issuer, subject, "an account of the identity provider was bound to a person");
        Ok(person)
    }

    /// A token that is shown to no one, for which the session stands: its hash.
    async fn token_of_sign_on(&self, identified: &Identified, person: PersonId) -> Result<String, NotIn> {
        let provider = self.provider.get().ok_or(NotIn::NotOffered)?;
        let organisation = self.organisation();
        let roles = organisation.roles_in(&provider.offer.parts, &person, &identified.groups);
        if roles.is_empty() || !organisation.is_active(&person) {
            return Err(NotIn::NoPart { person });
        }
        let (now, by) = (self.clock.now(), identified.issuer.as_str());
        let token = Token {
            hash: hash(&generate()?),
            person,
            roles,
            label: LABEL.to_owned(),
            created_at: now,
            expires_at: Some(later(now, LIVES)),
            revoked_at: None,
        };
        // First how to end it, then what can be used.
        let sign_on = SignOn {
            token: &token.hash,
            issuer: &identified.issuer,
            subject: &identified.subject,
            session: identified.session.as_deref(),
            begun_at: now,
        };
        self.store.add_sign_on(sign_on, earlier(now, KEPT_FOR)).await.map_err(Error::from)?;
        self.store.add_token(&token, by).await.map_err(Error::from)?;
        Ok(token.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secrets_of_a_sign_in_follow_from_its_seed_and_from_no_other() {
        let one = Secrets::of("a");
        assert_eq!(one, Secrets::of("a"));
        let other = Secrets::of("b");
        assert!(one.state != other.state && one.nonce != other.nonce && one.verifier != other.verifier);
        assert!(one.state != one.nonce && one.nonce != one.verifier, "what is shown tells nothing of the rest");
        assert!((43..=128).contains(&one.verifier.len()), "RFC 7636, 4.1");
    }
}
