//! Time that people work on tickets, as they write it down.

use jiff::Timestamp;

use crate::desk::actor::{Actor, Author};
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::TimeId;
use crate::desk::organisation::form::{Fault, Problem, check_characters};
use crate::desk::permission::{self, MayEdit};
use crate::desk::refusal::Refusal;
use crate::desk::text::normal;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::timeline::Event;

/// The most minutes that are written down at once: a day.
pub const MINUTES_MAX: i64 = 24 * 60;
/// The longest note, in characters.
const NOTE_CHARS_MAX: usize = 500;

/// Time that a person has worked on a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeSpent {
    pub id: TimeId,
    /// Empty for the desk itself.
    pub person: String,
    /// Less than nothing where too much was written down before.
    pub minutes: i64,
    pub note: String,
    pub at: Timestamp,
}

/// The same change, and the time that it took is written down with it.
///
/// # Errors
/// As [`spend`]; [`Refusal::Forbidden`] for those who do not work on the ticket.
pub fn along(change: Change, minutes: i64, actor: &Actor, at: &At<'_>) -> Result<Change, Refusal> {
    if minutes < 0 {
        return Err(range().into());
    }
    let now = change.after().clone();
    let spent = spend(&now, (minutes, ""), 0, &permission::edit(actor, &now)?, at)?;
    Ok(change.then(spent))
}

fn range() -> Problem {
    Problem::of("minutes", "out-of-range", Fault::Minutes, &[&MINUTES_MAX])
}

/// Writes time down on a ticket on which `total` minutes are written down so far, in any state: what was worked was worked.
///
/// # Errors
/// [`Refusal::Problems`] for no time or too much, for more taken off than there is, and for a note that is too long.
pub fn spend(
    ticket: &Ticket,
    (minutes, note): (i64, &str),
    total: i64,
    permit: &MayEdit,
    at: &At<'_>,
) -> Result<Change, Refusal> {
    let author = permit.on(ticket)?;
    let note = normal(note.trim()).into_owned();
    let mut problems: Vec<Problem> = check_characters("note", &note).into_iter().collect();
    if minutes == 0 || minutes.abs() > MINUTES_MAX {
        problems.push(range());
    } else if total + minutes < 0 {
        problems.push(Problem::of("minutes", "out-of-range", Fault::MinutesOff, &[&total]));
    }
    if note.chars().count() > NOTE_CHARS_MAX {
        problems.push(Problem::of("note", "too-long", Fault::Long, &[&NOTE_CHARS_MAX]));
    }
    if !problems.is_empty() {
        return Err(Refusal::Problems { problems });
    }
    let person = match author {
        Author::Person(person) => person.to_string(),
        Author::System | Author::Rule(_) => String::new(),
    };
    let event = Event::TimeSpent { minutes, note: note.clone() };
    let entry = at.internal(author.clone(), event);
    let mut change = Change::next(ticket, at, vec![entry]);
    change.time.push(TimeSpent { id: at.time_id(), person, minutes, note, at: at.now });
    Ok(change)
}
