//! How people want to hear of things.

use std::collections::BTreeMap;

use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::change::message::MessageKind;
use crate::desk::codes;
use crate::desk::id::PersonId;
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::permission::Act;
use crate::desk::refusal::Refusal;
use crate::store::jobs::messages::StoredPreference;

/// Only as much of a kind's name as is worth sending back.
const FIELD_CHARS_MAX: usize = 60;

/// When messages go to a person. A decision that others wait for is always asked for at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    Off,
    Immediately,
    /// Once a day, all in one.
    Digest,
}

codes! { Delivery { Off => "off", Immediately => "immediately", Digest => "digest" } }

/// How a person wants to hear of things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference {
    pub delivery: Delivery,
    /// `None` for what the directory says, else the desk.
    pub locale: Option<String>,
    /// The kinds of message for which another choice holds.
    pub kinds: BTreeMap<MessageKind, Delivery>,
}

impl Preference {
    /// When messages of a kind go to the person.
    pub fn of(&self, kind: MessageKind) -> Delivery {
        self.kinds.get(&kind).copied().unwrap_or(self.delivery)
    }
}

/// A preference as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub delivery: String,
    pub locale: Option<String>,
    /// A choice for each kind of message that is named.
    pub kinds: BTreeMap<String, String>,
}

impl Office {
    /// How the actor wants to hear of things.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for an actor who is no person.
    pub async fn own_preference(&self, actor: &Actor) -> Result<Preference, Error> {
        self.preference_of(own(actor)?).await
    }

    /// Changes how the actor wants to hear of things.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for an actor who is no person; [`Error::Rejected`] for a choice that there is not, and for a language
    /// that the desk does not speak.
    pub async fn prefer(&self, actor: &Actor, wanted: Wanted) -> Result<Preference, Error> {
        let person = own(actor)?;
        let mut problems = Vec::new();
        let delivery = Delivery::from_code(&wanted.delivery);
        if delivery.is_none() {
            let known = Delivery::ALL.map(Delivery::code).join(", ");
            problems.push(Problem::of("delivery", "unknown", Fault::ChooseOne, &[&known]));
        }
        let correspondence = self.correspondence.load_full();
        let known: Vec<&str> = correspondence.templates.locales().collect();
        if wanted.locale.as_deref().is_some_and(|locale| !known.contains(&locale)) {
            problems.push(Problem::of("locale", "unknown", Fault::NoLanguage, &[&known.join(", ")]));
        }
        let kinds = kinds(&wanted.kinds, &mut problems);
        let Some(delivery) = delivery.filter(|_| problems.is_empty()) else {
            return Err(Error::Rejected { problems });
        };
        let locale = wanted.locale.clone().unwrap_or_default();
        let words: BTreeMap<&str, &str> = kinds.iter().map(|(kind, delivery)| (kind.code(), delivery.code())).collect();
        let kept = serde_json::to_string(&words).unwrap_or_default();
        let stored = StoredPreference { delivery: delivery.code().to_owned(), locale, kinds: kept };
        self.store.prefer(person, &stored, self.clock.now()).await?;
        Ok(Preference { delivery, locale: wanted.locale, kinds })
    }

    /// How a person wants to hear of things: at once, where they have said nothing.
    pub(in crate::app) async fn preference_of(&self, person: &PersonId) -> Result<Preference, Error> {
        let stored = self.store.preference(person).await?;
        let Some(StoredPreference { delivery, locale, kinds }) = stored else {
            return Ok(Preference { delivery: Delivery::Immediately, locale: None, kinds: BTreeMap::new() });
        };
        // A kind that only another program knows is nothing to go by.
        let kinds: BTreeMap<String, String> = serde_json::from_str(&kinds).unwrap_or_default();
        let known =
            |(kind, choice): (String, String)| Some((MessageKind::from_code(&kind)?, Delivery::from_code(&choice)?));
        let kinds = kinds.into_iter().filter_map(known).collect();
        let delivery = Delivery::from_code(&delivery).unwrap_or(Delivery::Immediately);
        Ok(Preference { delivery, locale: Some(locale).filter(|locale| !locale.is_empty()), kinds })
    }
}

/// The choices for single kinds; what is none of either is a problem.
fn kinds(wanted: &BTreeMap<String, String>, problems: &mut Vec<Problem>) -> BTreeMap<MessageKind, Delivery> {
    let mut kinds = BTreeMap::new();
    for (kind, choice) in wanted {
        let field = || format!("kinds.{}", kind.chars().take(FIELD_CHARS_MAX).collect::<String>());
        match (MessageKind::from_code(kind), Delivery::from_code(choice)) {
            (Some(kind), Some(choice)) => drop(kinds.insert(kind, choice)),
            (None, _) => {
                let known = MessageKind::ALL.map(MessageKind::code).join(", ");
                problems.push(Problem::of(&field(), "unknown", Fault::NoKind, &[&known]));
                return kinds;
            }
            (_, None) => {
                let known = Delivery::ALL.map(Delivery::code).join(", ");
                problems.push(Problem::of(&field(), "unknown", Fault::ChooseOne, &[&known]));
            }
        }
    }
    kinds
}

fn own(actor: &Actor) -> Result<&PersonId, Error> {
    match actor {
        Actor::Person { id, .. } => Ok(id),
        Actor::Operator { .. } | Actor::System => Err(Refusal::Forbidden { act: Act::CreateForSelf }.into()),
    }
}
