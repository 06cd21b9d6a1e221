//! Messages as they leave: what is still owed of them, to whom, and in which words. What they say is what their recipients may
//! see at that moment, not when they were written.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

use crate::app::error::Broken;
use crate::app::jobs::Claimed;
use crate::app::{Error, Office};
use crate::config::outgoing::mail_in::MailIn;
use crate::desk::access::AccessCase;
use crate::desk::change::message::MessageKind;
use crate::desk::id::{MessageId, PersonId, TicketId};
use crate::desk::organisation::{Organisation, Person};
use crate::desk::sla::later;
use crate::desk::text::is_blank;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::sight::{of_named, of_recipient};
use crate::desk::ticket::timeline::Visibility;
use crate::messages::facts::{Digest, Facts, Recipient};
use crate::messages::{NotRendered, Rendered, Templates};
use crate::rules::digest::hex;
use crate::store::jobs::messages::WaitingMessage;

mod facts;
mod kept;
pub mod preferences;
pub mod preview;
mod standing_in;

pub use preferences::{Delivery, Preference, Wanted};

/// A message that waited longer than this is stale news, and not sent.
const STALE_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The most messages of one digest.
const DIGEST_MAX: i64 = 200;
/// How long the others of a digest wait for the one that takes them along.
const DIGEST_WAIT: SignedDuration = SignedDuration::from_secs(60);
/// The name of the key for tokens in mail.
const THREAD_KEY: &str = "mail-threads";
const KEY_BYTES: usize = 32;
/// Hexadecimal digits of a token in mail: 64 bits, which are tried at a mail server or not at all.
const TOKEN_DIGITS: usize = 16;

/// How messages to people are worded.
#[derive(Debug, Clone)]
pub struct Correspondence {
    pub templates: Templates,
    /// The language of people who have no other.
    pub locale: String,
    /// Where people reach the desk, without a slash at the end.
    pub public_url: Option<String>,
    /// When digests leave, in the calendar's time zone.
    pub digest_at: Time,
    /// How mail comes in; `None` where none is taken.
    pub incoming: Option<MailIn>,
}

impl Default for Correspondence {
    fn default() -> Self {
        // The shipped templates are right, which the tests show.
        let templates = Templates::shipped().unwrap_or_default();
        let digest_at = Time::constant(8, 0, 0, 0);
        Self { templates, locale: "en".to_owned(), public_url: None, digest_at, incoming: None }
    }
}

/// A message in words, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The messages that it stands for.
    pub messages: Vec<MessageId>,
    /// Unique and stable, however often it is tried.
    pub id: String,
    pub to_name: String,
    pub to_address: String,
    pub words: Rendered,
    pub at: Timestamp,
    pub thread: Option<Thread>,
    /// `None` for a digest.
    pub kind: Option<MessageKind>,
}

/// The ids that keep the letters about one ticket together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    pub root: String,
    pub reply_token: String,
}

/// The next thing to do about a message that was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Send(Box<Letter>),
    /// It is not to be sent, for this reason.
    Skip(&'static str),
    /// It is not to be sent before this time.
    Wait(Timestamp),
}

/// A message with everything that it is made of.
struct Ready {
    message: WaitingMessage,
    kind: MessageKind,
    ticket: Ticket,
    case: Option<AccessCase>,
    sees: Visibility,
    /// The fix, where the message says that the ticket is over.
    solution: Option<String>,
    /// The end of the link by which the recipient says how it went.
    survey: Option<String>,
    /// The end of the link by which the recipient decides about access.
    decide: Option<String>,
}

impl Office {
    /// Replaces the words of messages.
    pub fn set_templates(&self, templates: Templates) {
        let old = self.correspondence.load_full();
        self.correspondence.store(Correspondence { templates, ..Correspondence::clone(&old) }.into());
    }

    /// The next thing to do about a message.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read, or the words cannot be made.
    pub async fn next_step(&self, claimed: &Claimed) -> Result<Step, Error> {
        let organisation = self.organisation();
        self.store.on_disk().await?;
        let Some(message) = self.store.waiting_message(claimed).await? else { return Ok(Step::Skip("it is gone")) };
        let Some(person) = organisation.people.get(&message.to).filter(|person| person.active) else {
            return Ok(Step::Skip("its recipient is not here"));
        };
        // These are about no ticket.
        match message.kind {
            Some(MessageKind::Delegation) => return self.delegation_step(message, person, &organisation).await,
            Some(MessageKind::MailKept) => return self.kept_step(message, person, &organisation).await,
            _ => {}
        }
        let ready = match self.ready(message, &organisation).await? {
            Ok(ready) => ready,
            Err(why) => return Ok(Step::Skip(why)),
        };
        let preference = self.preference_of(&person.id).await?;
        match preference.of(ready.kind) {
            _ if ready.kind.is_owed_always() => {}
            Delivery::Immediately => {}
            Delivery::Off => return Ok(Step::Skip("its recipient wants no messages")),
            Delivery::Digest => return self.digest_step(person, &preference, &ready, &organisation).await,
        }
        let locale = self.locale_of(person, &preference);
        let facts = facts::facts(&ready, person, &organisation, (&self.correspondence.load(), &locale));
        let words = self.correspondence.load().templates.message(&locale, ready.kind, &facts).map_err(unworded)?;
        let Ready { message, kind, ticket, .. } = ready;
        Ok(Step::Send(Box::new(Letter {
            messages: vec![message.id],
            id: format!("m.{}.{}", message.id, self.token(&format!("message {}", message.id), TOKEN_DIGITS).await?),
            to_name: person.name.clone(),
            to_address: person.email.clone(),
            words,
            at: message.queued_at,
            thread: Some(self.thread(&ticket).await?),
            kind: Some(kind),
        })))
    }

    /// Writes down that a letter has left, with the receipt.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written: then it is sent once more, with the same id.
    pub async fn letter_left(&self, claimed: &Claimed, letter: &Letter, receipt: &str) -> Result<(), Error> {
        let now = self.clock.now();
        match letter.messages.as_slice() {
            [_] => drop(self.store.message_left(claimed, now, receipt).await?),
            many => drop(self.store.messages_left(many, now, receipt).await?),
        }
        Ok(())
    }

    /// Writes down that a message is not sent, and why.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn message_skipped(&self, claimed: &Claimed, why: &str) -> Result<(), Error> {
        let receipt = format!("not sent: {why}");
        self.store.message_not_sent(claimed, self.clock.now(), &receipt).await?;
        Ok(())
    }

    /// A message with what it is about; why not, where it is not to be sent.
    async fn ready(
        &self,
        message: WaitingMessage,
        organisation: &Organisation,
    ) -> Result<Result<Ready, &'static str>, Error> {
        let Some(kind) = message.kind else { return Ok(Err("this program does not know its kind")) };
        if self.clock.now().duration_since(message.queued_at) > STALE_AFTER {
            return Ok(Err("it has waited for more than a week"));
        }
        let Some((ticket, case)) = self.store.ticket_and_case_by_id(message.ticket).await? else {
            return Ok(Err("its ticket is gone"));
        };
        let of_part = of_recipient(organisation, &ticket, case.as_ref(), &message.to);
        // A reader of the department who is named sees what is public, and nothing of who decides about access.
        let case = case.filter(|_| of_part.is_some());
        let named = || of_named(organisation, &ticket, None, &message.to).filter(|_| kind == MessageKind::Mentioned);
        let Some(sees) = of_part.or_else(named) else {
            return Ok(Err("its recipient may not see the ticket"));
        };
        let asks = kind == MessageKind::Closed && ticket.submitted.requester == message.to;
        let survey = if asks { self.survey_link(&ticket).await? } else { None };
        let decide = match (kind, &case) {
            (MessageKind::ApprovalWanted, Some(case)) => self.decision_link(&ticket, case, &message.to).await?,
            _ => None,
        };
        let solution = self.solution(kind, &ticket).await?;
        Ok(Ok(Ready { message, kind, ticket, case, sees, solution, survey, decide }))
    }

    /// The fix of a ticket, for a message of this kind: a letter that it is over is often the last that one reads of it.
    async fn solution(&self, kind: MessageKind, ticket: &Ticket) -> Result<Option<String>, Error> {
        if !matches!(kind, MessageKind::Closed | MessageKind::ConfirmationReminder) {
            return Ok(None);
        }
        let last = self.store.last_resolution(ticket.number).await?;
        Ok(last.map(|last| last.record.fix).filter(|fix| !is_blank(fix)))
    }

    /// The step for a person who hears of things once a day: the oldest message takes the others along.
    async fn digest_step(
        &self,
        person: &Person,
        preference: &Preference,
        first: &Ready,
        organisation: &Organisation,
    ) -> Result<Step, Error> {
        let now = self.clock.now();
        let due = self.digest_due(first.message.queued_at, organisation);
        if now < due {
            return Ok(Step::Wait(due));
        }
        let waiting = self.store.waiting_messages_of(&person.id, DIGEST_MAX).await?;
        let ripe = |message: &WaitingMessage| {
            message.kind.is_some_and(|kind| !kind.is_owed_always() && preference.of(kind) == Delivery::Digest)
                && self.digest_due(message.queued_at, organisation) <= now
        };
        let mut items: BTreeMap<MessageId, Ready> = BTreeMap::new();
        for message in waiting.into_iter().filter(ripe) {
            if let Ok(ready) = self.ready(message, organisation).await? {
                items.insert(ready.message.id, ready);
            }
        }
        if items.keys().next() != Some(&first.message.id) {
            return Ok(Step::Wait(later(now, DIGEST_WAIT)));
        }
        let locale = self.locale_of(person, preference);
        let correspondence = self.correspondence.load();
        let each = |ready: &Ready| facts::facts(ready, person, organisation, (&correspondence, &locale));
        let digest = Digest {
            organisation: organisation.name.clone(),
            recipient: Recipient { name: person.name.clone() },
            items: items.values().map(each).collect::<Vec<Facts>>(),
        };
        let words = correspondence.templates.digest(&locale, &digest).map_err(unworded)?;
        let id = first.message.id;
        Ok(Step::Send(Box::new(Letter {
            messages: items.into_keys().collect(),
            id: format!("d.{id}.{}", self.token(&format!("digest {id}"), TOKEN_DIGITS).await?),
            to_name: person.name.clone(),
            to_address: person.email.clone(),
            words,
            at: first.message.queued_at,
            thread: None,
            kind: None,
        })))
    }

    /// When the digest leaves that has a message from this time.
    fn digest_due(&self, queued_at: Timestamp, organisation: &Organisation) -> Timestamp {
        let at = self.correspondence.load().digest_at;
        let zone = &organisation.calendar.zone;
        let today = zone.to_datetime(queued_at).date();
        let days = [Some(today), today.tomorrow().ok()].into_iter().flatten();
        let times = days.filter_map(|day| zone.to_ambiguous_timestamp(day.to_datetime(at)).compatible().ok());
        times.filter(|time| *time > queued_at).min().unwrap_or(queued_at)
    }

    /// The language of a person: what they have chosen, what the directory says, what the desk speaks.
    pub(in crate::app) fn locale_of(&self, person: &Person, preference: &Preference) -> String {
        let correspondence = self.correspondence.load();
        let of_directory = person.attributes.get("locale");
        let wish = preference.locale.as_ref().or(of_directory).unwrap_or(&correspondence.locale);
        correspondence.templates.locale(wish).to_owned()
    }

    /// The things that letters about a ticket have in common. Only this desk can make the tokens, so that an answer which has one is
    /// known to be an answer to a letter of ours.
    async fn thread(&self, ticket: &Ticket) -> Result<Thread, Error> {
        let TicketId(id) = ticket.id;
        let token = self.token(&format!("ticket {id}"), TOKEN_DIGITS).await?;
        Ok(Thread { root: format!("t.{id}.{token}"), reply_token: format!("{}.{token}", ticket.number) })
    }

    /// Whether only this desk can have made a token of a ticket's thread.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub(in crate::app) async fn is_of_thread(&self, TicketId(id): TicketId, token: &str) -> Result<bool, Error> {
        Ok(self.token(&format!("ticket {id}"), TOKEN_DIGITS).await? == token)
    }

    /// Whether only this desk can have made a token of a letter about one message.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub(in crate::app) async fn is_of_letter(&self, message: MessageId, token: &str) -> Result<bool, Error> {
        Ok(self.token(&format!("message {message}"), TOKEN_DIGITS).await? == token)
    }

    /// A token about something, of so many hexadecimal digits, that only this desk can make.
    pub(in crate::app) async fn token(&self, about: &str, digits_max: usize) -> Result<String, Error> {
        let key = self.thread_key.get_or_try_init(async || {
            let mut bytes = [0; KEY_BYTES];
            getrandom::fill(&mut bytes).map_err(Broken::Randomness)?;
            Ok::<_, Error>(self.store.shared_secret(THREAD_KEY, &hex(&bytes)).await?)
        });
        let key = key.await?;
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return Ok(String::new()) };
        mac.update(about.as_bytes());
        let digits = hex(&mac.finalize().into_bytes());
        Ok(digits.chars().take(digits_max).collect())
    }
}

fn unworded(error: NotRendered) -> Error {
    Broken::Unworded(error).into()
}

/// The name of a person, or their id where the directory has none.
pub(in crate::app) fn name_of(organisation: &Organisation, person: &PersonId) -> String {
    organisation.people.get(person).map_or_else(|| person.to_string(), |person| person.name.clone())
}
