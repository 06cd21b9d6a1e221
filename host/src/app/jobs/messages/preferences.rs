//! How people want to hear of things.

use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::PersonId;
use crate::desk::organisation::form::Problem;
use crate::desk::permission::Act;
use crate::desk::refusal::Refusal;
use crate::store::jobs::messages::StoredPreference;

/// When messages go to a person. A decision that others wait for is always asked for at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    Off,
    Immediately,
    /// Once a day, all in one.
    Digest,
}

impl Delivery {
    /// Every choice.
    pub const ALL: [Delivery; 3] = [Delivery::Off, Delivery::Immediately, Delivery::Digest];

    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Delivery::Off => "off",
            Delivery::Immediately => "immediately",
            Delivery::Digest => "digest",
        }
    }

    /// The choice with this word.
    pub fn from_code(code: &str) -> Option<Delivery> {
        Delivery::ALL.into_iter().find(|delivery| delivery.code() == code)
    }
}

/// How a person wants to hear of things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference {
    pub delivery: Delivery,
    /// `None` for what the directory says, else the desk.
    pub locale: Option<String>,
}

/// A preference as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub delivery: String,
    pub locale: Option<String>,
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
            problems.push(Problem::new("delivery", "unknown", format!("choose one of {known}")));
        }
        let correspondence = self.correspondence.load_full();
        let known: Vec<&str> = correspondence.templates.locales().collect();
        if wanted.locale.as_deref().is_some_and(|locale| !known.contains(&locale)) {
            let message = format!("the desk speaks {}", known.join(", "));
            problems.push(Problem::new("locale", "unknown", message));
        }
        let Some(delivery) = delivery.filter(|_| problems.is_empty()) else {
            return Err(Error::Rejected { problems });
        };
        let locale = wanted.locale.clone().unwrap_or_default();
        let stored = StoredPreference { delivery: delivery.code().to_owned(), locale };
        self.store.prefer(person, &stored, self.clock.now()).await?;
        Ok(Preference { delivery, locale: wanted.locale })
    }

    /// How a person wants to hear of things: at once, where they have said nothing.
    pub(super) async fn preference_of(&self, person: &PersonId) -> Result<Preference, Error> {
        let stored = self.store.preference(person).await?;
        let Some(StoredPreference { delivery, locale }) = stored else {
            return Ok(Preference { delivery: Delivery::Immediately, locale: None });
        };
        let delivery = Delivery::from_code(&delivery).unwrap_or(Delivery::Immediately);
        Ok(Preference { delivery, locale: Some(locale).filter(|locale| !locale.is_empty()) })
    }
}

fn own(actor: &Actor) -> Result<&PersonId, Error> {
    match actor {
        Actor::Person { id, .. } => Ok(id),
        Actor::Operator { .. } | Actor::System => Err(Refusal::Forbidden { act: Act::CreateForSelf }.into()),
    }
}
