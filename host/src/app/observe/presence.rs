//! Who is at a ticket now: looks at it, or writes an answer. Each host knows of its own readers; nothing is kept.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::codes;
use crate::desk::id::{PersonId, TicketNumber};
use crate::desk::permission;

/// How long a person is there whose browser says nothing more: it was closed, or has lost its connection.
const STAYS: Duration = Duration::from_secs(25);
/// Tickets at which people are, at most; beyond that the longest silent go.
const TICKETS_MAX: usize = 10_000;
/// People at one ticket, at most.
const PEOPLE_MAX: usize = 50;

/// How a person is at a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    Looks,
    Types,
}

codes! { Doing { Looks => "looks", Types => "types" } }

/// Who is at one ticket, doing what, and when they were last heard of.
type Present = HashMap<PersonId, (Doing, Duration)>;

/// Those who are at tickets: each with when their browser last said so.
#[derive(Debug, Default)]
pub struct Presence(Mutex<HashMap<TicketNumber, Present>>);

impl Presence {
    /// Notes how a person is at a ticket, or that they have left it; the others who are there, by id.
    fn note(
        &self,
        number: TicketNumber,
        person: &PersonId,
        doing: Option<Doing>,
        now: Duration,
    ) -> Vec<(PersonId, Doing)> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= TICKETS_MAX {
            all.retain(|_, people| people.values().any(|(_, at)| now.saturating_sub(*at) <= STAYS));
            if all.len() >= TICKETS_MAX {
                all.clear();
            }
        }
        let people = all.entry(number).or_default();
        people.retain(|_, (_, at)| now.saturating_sub(*at) <= STAYS);
        match doing {
            Some(doing) if people.len() < PEOPLE_MAX || people.contains_key(person) => {
                people.insert(person.clone(), (doing, now));
            }
            Some(_) => {}
            None => {
                people.remove(person);
            }
        }
        let mut others: Vec<(PersonId, Doing)> =
            people.iter().filter(|(id, _)| *id != person).map(|(id, (doing, _))| (id.clone(), *doing)).collect();
        if people.is_empty() {
            all.remove(&number);
        }
        others.sort_by(|(one, _), (other, _)| one.cmp(other));
        others
    }
}

impl Office {
    /// Notes how the actor is at a ticket, `None` where they leave it; the others who are there. For those who work on tickets.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn at_ticket(
        &self,
        actor: &Actor,
        number: TicketNumber,
        doing: Option<Doing>,
    ) -> Result<Vec<(PersonId, Doing)>, Error> {
        permission::list_internally(actor)?;
        self.ticket(actor, number).await?;
        let Some(person) = actor.person() else { return Ok(Vec::new()) };
        Ok(self.presence.note(number, person, doing, self.clock.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_who_says_nothing_more_is_gone_within_half_a_minute() {
        let (presence, number) = (Presence::default(), TicketNumber(7));
        let [kofi, mei] = ["kofi", "mei"].map(|id| id.parse::<PersonId>().unwrap());
        let at = Duration::from_secs;
        assert_eq!(presence.note(number, &kofi, Some(Doing::Looks), at(0)), []);
        assert_eq!(presence.note(number, &mei, Some(Doing::Types), at(5)), [(kofi.clone(), Doing::Looks)]);
        assert_eq!(presence.note(number, &kofi, Some(Doing::Looks), at(10)), [(mei.clone(), Doing::Types)]);
        assert_eq!(presence.note(TicketNumber(8), &kofi, Some(Doing::Looks), at(10)), []);
        assert_eq!(presence.note(number, &kofi, Some(Doing::Looks), at(31)), [], "it is 26 s since the last word");
        assert_eq!(presence.note(number, &mei, None, at(32)), [(kofi.clone(), Doing::Looks)]);
        assert_eq!(presence.note(number, &kofi, None, at(33)), []);
        assert!(!presence.0.lock().unwrap().contains_key(&number), "an empty ticket takes no room");
    }
}
