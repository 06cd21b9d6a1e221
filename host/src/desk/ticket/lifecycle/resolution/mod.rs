//! The resolution: the record without which no agent resolves a ticket, and the end that its confirmation comes to.

use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::change::message::MessageKind;
use crate::desk::id::CategoryId;
use crate::desk::organisation::Organisation;
use crate::desk::organisation::form::{Fault, Problem, check_long};
use crate::desk::organisation::service::RecordPart;
use crate::desk::refusal::Refusal;
use crate::desk::text::{into_normal, is_blank};
use crate::desk::ticket::lifecycle::links::{self, Around};
use crate::desk::ticket::sight::Part;
use crate::desk::ticket::timeline::{Entry, Event, Field};
use crate::desk::ticket::{State, Ticket, WaitingFor, moved};

pub mod survey;

/// The longest text of each part of a record, in characters.
const PART_CHARS_MAX: usize = 5_000;
/// Problems of a record are filed under this field and the part's name.
const FIELD: &str = "resolution";
/// Why a ticket that is resolved with another gets its category.
const AS_THE_OTHER: &str = "it is resolved with a ticket of this category";

/// The record of how a ticket was resolved: for the next who meets the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolutionRecord {
    pub symptom: String,
    pub cause: String,
    pub fix: String,
    pub next_time: String,
}

impl ResolutionRecord {
    /// The text of a part.
    pub fn part(&self, part: RecordPart) -> &str {
        match part {
            RecordPart::Symptom => &self.symptom,
            RecordPart::Cause => &self.cause,
            RecordPart::Fix => &self.fix,
            RecordPart::NextTime => &self.next_time,
        }
    }

    /// The same, to be written.
    pub fn part_mut(&mut self, part: RecordPart) -> &mut String {
        match part {
            RecordPart::Symptom => &mut self.symptom,
            RecordPart::Cause => &mut self.cause,
            RecordPart::Fix => &mut self.fix,
            RecordPart::NextTime => &mut self.next_time,
        }
    }

    /// The same in the one form in which texts are kept.
    #[must_use]
    pub fn into_normal(self) -> Self {
        let kept = |text: String| into_normal(text.trim().to_owned());
        let Self { symptom, cause, fix, next_time } = self;
        Self { symptom: kept(symptom), cause: kept(cause), fix: kept(fix), next_time: kept(next_time) }
    }

    /// Everything that is wrong with a record of which these parts are required.
    fn check(&self, required: &[RecordPart]) -> Vec<Problem> {
        let one = |part: RecordPart| {
            let (field, text) = (format!("{FIELD}.{}", part.code()), self.part(part));
            if let Some(problem) = check_long(&field, text) {
                return Some(problem);
            }
            if text.chars().count() > PART_CHARS_MAX {
                return Some(Problem::of(&field, "too-long", Fault::Long, &[&PART_CHARS_MAX]));
            }
            let missing = required.contains(&part) && is_blank(text);
            missing.then(|| Problem::of(&field, "required", Fault::NoRecordPart, &[]))
        };
        RecordPart::ALL.into_iter().filter_map(one).collect()
    }
}

/// The end that a resolution came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResolutionEnd {
    /// The requester said that it holds.
    Confirmed,
    /// The requester said that it does not, or wrote again.
    Disputed,
    /// The time for that ran out.
    Unanswered,
    /// An agent took the ticket up again.
    TakenUp,
}

codes! {
    ResolutionEnd {
        Confirmed => "confirmed",
        Disputed => "disputed",
        Unanswered => "unanswered",
        TakenUp => "taken-up",
    }
}

impl ResolutionEnd {
    /// The end that a ticket's way out of `resolved` is, where it leaves it. A ticket's requester alone confirms and disputes;
    /// what the desk reopens, a requester's words have.
    pub fn of(before: &Ticket, after: &Ticket, entries: &[Entry]) -> Option<ResolutionEnd> {
        if before.state != State::Resolved || after.state == State::Resolved {
            return None;
        }
        let moved = entries.iter().find(|entry| matches!(entry.event, Event::StateChanged { .. }));
        let by_requester =
            moved.and_then(|entry| entry.author.person()).map(|person| before.submitted.requester == *person);
        Some(match (after.state, by_requester) {
            (State::Reopened, Some(false)) => ResolutionEnd::TakenUp,
            (State::Reopened, _) => ResolutionEnd::Disputed,
            (_, Some(_)) => ResolutionEnd::Confirmed,
            (_, None) => ResolutionEnd::Unanswered,
        })
    }
}

/// Refuses to resolve a ticket that is not ready for it: it has no real category, waits for others, or says not how.
///
/// # Errors
/// [`Refusal::CatchAll`], [`Refusal::Blocked`], [`Refusal::TasksOpen`]; [`Refusal::Problems`] with each part of the record that is missing.
pub(in crate::desk) fn check_ready(
    ticket: &Ticket,
    record: &ResolutionRecord,
    around: &Around,
    organisation: &Organisation,
) -> Result<(), Refusal> {
    if is_under_other(ticket, organisation) {
        return Err(Refusal::CatchAll { category: ticket.category.clone() });
    }
    if !around.blockers.is_empty() {
        return Err(Refusal::Blocked { by: around.blockers.clone() });
    }
    if around.open_tasks > 0 {
        return Err(Refusal::TasksOpen { open: around.open_tasks });
    }
    let problems = record.check(&organisation.closing_of(&ticket.submitted.request_type).record);
    if problems.is_empty() { Ok(()) } else { Err(Refusal::Problems { problems }) }
}

/// Whether a ticket's category only says that none was found yet, or is no more.
fn is_under_other(ticket: &Ticket, organisation: &Organisation) -> bool {
    organisation.categories.get(&ticket.category).is_none_or(|category| category.catch_all)
}

/// Adds to the change that resolves a ticket how it was, for those who work on tickets, and that the requester hears of it.
pub(in crate::desk) fn recorded(
    change: &mut Change,
    ticket: &Ticket,
    record: ResolutionRecord,
    author: Author,
    at: &At<'_>,
) {
    let requester = &ticket.submitted.requester;
    if !matches!(&author, Author::Person(person) if person == requester) {
        change.messages.push(at.message(ticket.id, MessageKind::Resolved, requester));
    }
    let event = Event::Resolved { record: record.clone() };
    change.entries.push(at.internal(author, event));
    change.record = Some(record);
}

/// Resolves a ticket because the one that it duplicates, or the outage that it is a part of, was; `None` where there is nothing left to
/// do, or access to decide. One for which no category was found has that of the other: none is resolved without a real one.
pub fn resolve_duplicate(
    ticket: &Ticket,
    (category, record): (&CategoryId, &ResolutionRecord),
    around: &Around,
    at: &At<'_>,
) -> Option<Change> {
    if !ticket.state.is_unfinished() || ticket.state == State::Waiting(WaitingFor::Approval) {
        return None;
    }
    // The other ticket may be another person's, so that its number is not said here.
    let event = Event::StateChanged { from: ticket.state, to: State::Resolved, reason: record.fix.clone() };
    let entry = at.public(Author::System, event);
    let mut after = moved(ticket, State::Resolved, at);
    let set = is_under_other(ticket, at.organisation).then(|| {
        let from = std::mem::replace(&mut after.category, category.clone());
        let (from, to) = (Some(from.to_string()), category.to_string());
        let event = Event::Set { field: Field::Category, from, to, reason: AS_THE_OTHER.to_owned() };
        let visibility = Part::Set(Field::Category).visibility();
        at.entry(Author::System, visibility, event)
    });
    let mut change = Change::update(ticket, after, set.into_iter().chain([entry]).collect());
    recorded(&mut change, ticket, record.clone(), Author::System, at);
    if around.has_duplicates {
        links::linked_follow(&mut change, at);
    }
    Some(change)
}
