//! Those who follow a ticket that is not theirs: they read its public part and hear of what happens to it. And those who are
//! named in words on it.

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::PersonId;
use crate::desk::organisation::Organisation;
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::permission::MayWatch;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::sight::of_named;
use crate::desk::ticket::timeline::{Event, Visibility};
use crate::desk::ticket::{Ticket, changed};

/// The most people who follow one ticket.
pub const WATCHERS_MAX: usize = 50;
/// The marks that may stand behind an id and are none of it, such as the end of a sentence.
const MARKS: [char; 4] = ['.', '-', '_', '@'];
/// The most people who are named in one text and hear of it.
const MENTIONS_MAX: usize = 20;

/// Lets a person follow a ticket; `None` where it is so already, or the ticket is the person's own.
///
/// # Errors
/// [`Refusal::Problems`] for a person who is not here, and where too many follow it.
pub fn watch(ticket: &Ticket, person: &PersonId, permit: &MayWatch, at: &At<'_>) -> Result<Option<Change>, Refusal> {
    let author = permit.on(ticket)?;
    let problem = |code, fault, values: &[&dyn Display]| Refusal::from(Problem::of("person", code, fault, values));
    if !at.organisation.is_active(person) {
        return Err(problem("unknown", Fault::NotHere, &[person]));
    }
    if ticket.belongs_to(person) || ticket.is_watched_by(person) {
        return Ok(None);
    }
    if ticket.watchers.len() >= WATCHERS_MAX {
        return Err(problem("too-many", Fault::ManyWatchers, &[&WATCHERS_MAX]));
    }
    let mut after = changed(ticket, at.now);
    after.watchers.push(person.clone());
    let event = Event::Watched { person: person.clone() };
    let visibility = visibility(at.organisation, person);
    let entry = at.entry(author.clone(), visibility, event);
    Ok(Some(Change::update(ticket, after, vec![entry])))
}

/// Lets a person follow a ticket no more; `None` where it is so already.
///
/// # Errors
/// [`Refusal::Forbidden`] where the permit is for another ticket.
pub fn unwatch(ticket: &Ticket, person: &PersonId, permit: &MayWatch, at: &At<'_>) -> Result<Option<Change>, Refusal> {
    let author = permit.on(ticket)?;
    if !ticket.is_watched_by(person) {
        return Ok(None);
    }
    let mut after = changed(ticket, at.now);
    after.watchers.retain(|watcher| watcher != person);
    let event = Event::Unwatched { person: person.clone() };
    let visibility = visibility(at.organisation, person);
    let entry = at.entry(author.clone(), visibility, event);
    Ok(Some(Change::update(ticket, after, vec![entry])))
}

/// Lets those who follow a ticket that went up in another follow that one, where its later words stand; `None` where all do. None who
/// is not here any more comes with it, and no more than [`WATCHERS_MAX`] follow it in the end.
pub fn follow_on(into: &Ticket, merged: &Ticket, at: &At<'_>) -> Option<Change> {
    let is_new = |person: &&PersonId| {
        let is_here = at.organisation.is_active(person);
        is_here && !into.belongs_to(person) && !into.is_watched_by(person)
    };
    let room = WATCHERS_MAX.saturating_sub(into.watchers.len());
    let coming: Vec<&PersonId> = merged.watchers.iter().filter(is_new).take(room).collect();
    if coming.is_empty() {
        return None;
    }
    let mut after = changed(into, at.now);
    after.watchers.extend(coming.iter().map(|person| (*person).clone()));
    let entry = |person: &PersonId| {
        let event = Event::Watched { person: person.clone() };
        at.entry(Author::System, visibility(at.organisation, person), event)
    };
    Some(Change::update(into, after, coming.into_iter().map(entry).collect()))
}

/// Those who follow a ticket, as far as a reader sees them: a requester knows who else reads the ticket, but not which of those
/// who work here do.
pub fn shown<'a>(ticket: &'a Ticket, organisation: &Organisation, sees: Visibility) -> Vec<&'a PersonId> {
    ticket.watchers.iter().filter(|person| visibility(organisation, person) <= sees).collect()
}

fn visibility(organisation: &Organisation, person: &PersonId) -> Visibility {
    if works_here(organisation, person) { Visibility::Internal } else { Visibility::Public }
}

fn works_here(organisation: &Organisation, person: &PersonId) -> bool {
    organisation.teams.values().flat_map(|team| &team.members).any(|member| member.person == *person)
}

/// The people whom a text names as `@` and their id, and who may read it where it stands: naming a person shows them no ticket
/// that they do not see already. Each once, in their order, at most [`MENTIONS_MAX`].
pub fn mentioned(text: &str, visibility: Visibility, ticket: &Ticket, organisation: &Organisation) -> Vec<PersonId> {
    let mut found: Vec<PersonId> = Vec::new();
    // However often a text names a person, all teams are gone through once for them.
    let mut looked_at = BTreeSet::new();
    let mut rest = text;
    let mut before = None;
    while let Some(at) = rest.find('@') {
        let (head, tail) = rest.split_at(at);
        before = head.chars().next_back().or(before.filter(|_| head.is_empty()));
        let name: String = tail.chars().skip(1).take_while(|c| is_of_id(*c)).collect();
        let next = 1 + name.len();
        let starts = before.is_none_or(|c: char| !is_of_id(c));
        if let Some(person) = person(&name, organisation).filter(|person| starts && looked_at.insert(person.clone()))
            && of_named(organisation, ticket, None, &person).is_some_and(|sees| sees >= visibility)
        {
            found.push(person);
        }
        if found.len() == MENTIONS_MAX {
            break;
        }
        before = name.chars().next_back().or(Some('@'));
        rest = tail.get(next..).unwrap_or_default();
    }
    found
}

/// The text with another name in each place where it names a person as `@` and their id; `None` where it does not.
pub fn named_otherwise(text: &str, person: &str, name: &str) -> Option<String> {
    let (mut done, mut rest, mut found) = (String::with_capacity(text.len()), text, false);
    while let Some((head, tail)) = rest.split_once('@') {
        let before = head.chars().next_back().or(done.chars().next_back());
        done.push_str(head);
        done.push('@');
        rest = tail;
        let is_named = || {
            let id = tail.split(|c: char| !is_of_id(c)).next().unwrap_or_default();
            id == person || id.trim_end_matches(MARKS) == person
        };
        // In this order no mark is looked at again for each that stands before it.
        if before.is_none_or(|c| !is_of_id(c)) && tail.starts_with(person) && is_named() {
            done.push_str(name);
            rest = tail.get(person.len()..).unwrap_or_default();
            found = true;
        }
    }
    done.push_str(rest);
    found.then_some(done)
}

fn is_of_id(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@')
}

/// The person of this name, or of what is left of it without the marks that end a sentence.
fn person(name: &str, organisation: &Organisation) -> Option<PersonId> {
    let known = |name: &str| name.parse::<PersonId>().ok().filter(|id| organisation.is_active(id));
    known(name).or_else(|| known(name.trim_end_matches(MARKS)))
}

#[cfg(test)]
mod tests {
    use super::named_otherwise;

    #[test]
    fn a_person_is_named_otherwise_where_the_text_names_them_and_nowhere_else() {
        let otherwise = |text| named_otherwise(text, "kofi", "erased-1");
        for (text, expected) in [
            ("@kofi", "@erased-1"),
            ("Ask @kofi. Or (@kofi), @kofi-", "Ask @erased-1. Or (@erased-1), @erased-1-"),
            ("@kofi @lena @kofi", "@erased-1 @lena @erased-1"),
        ] {
            assert_eq!(otherwise(text).as_deref(), Some(expected));
        }
        for text in ["", "kofi", "@kofi2", "mail@kofi", "@@kofi", "@lena", "kofi@desk.example", "@"] {
            assert_eq!(otherwise(text), None, "{text}");
        }
    }
}
