//! A submission that makes several tickets: its own, which waits for all others, and one for each part.

use jiff::civil::Date;
use jiff::{Span, Timestamp};

use super::{NewTicket, Submission};
use crate::desk::access::{self, AccessCase};
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::TicketId;
use crate::desk::organisation::RequestType;
use crate::desk::organisation::form::{Field, Value};
use crate::desk::organisation::parts::{Due, Part};
use crate::desk::ticket::lifecycle::links::LinkKind;
use crate::desk::ticket::lifecycle::{clocks, tasks};
use crate::desk::ticket::timeline::Event;
use crate::desk::ticket::{State, Ticket, moved};

/// A link of a ticket that opens with another that opens with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Join {
    pub kind: LinkKind,
    pub other: TicketId,
}

/// The place of a ticket in a bundle; the default for one that stands alone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Place {
    /// The id that it gets, where others name it.
    pub id: Option<TicketId>,
    /// The day at whose end it is due.
    pub due: Option<Date>,
    pub joins: Vec<Join>,
    pub tasks: Vec<String>,
}

/// A part that is to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned<'f> {
    pub part: &'f Part,
    pub submission: Submission,
    pub due: Option<Date>,
}

/// The parts that a submission makes, by what was filled in.
pub fn plan<'f>(form: &'f RequestType, parent: &NewTicket) -> Vec<Planned<'f>> {
    let fields = &parent.fields;
    let made = form.parts.iter().filter(|part| part.when.holds(fields));
    let planned = made.map(|part| Planned {
        part,
        submission: Submission {
            request_type: part.request_type.to_string(),
            channel: parent.channel.clone(),
            subject: part.subject.fill(fields),
            body: part.body.fill(fields),
            fields: part.fields.iter().map(|(name, pattern)| (name.clone(), pattern.value(fields))).collect(),
            ..Submission::default()
        },
        due: part.due.as_ref().and_then(|due| day(due, fields)),
    });
    planned.collect()
}

/// The tasks that a submission's own ticket begins with.
pub fn tasks_of(form: &RequestType, fields: &[Field]) -> Vec<String> {
    let made = form.tasks.iter().filter(|task| task.when.holds(fields));
    made.map(|task| task.text.fill(fields)).collect()
}

/// The day by which a part is due, by what was filled in.
pub(super) fn day(due: &Due, fields: &[Field]) -> Option<Date> {
    let (_, value) = fields.iter().find(|(name, _)| *name == due.field)?;
    let Value::Date(date) = value else { return None };
    date.checked_add(Span::new().try_days(due.days).ok()?).ok()
}

/// Gives the tickets of a bundle their places: the parent waits for all parts, each part for those that come before it. The ids are
/// of the parts, in order.
pub fn place(parent: &mut NewTicket, own: TicketId, parts: &mut [(Planned<'_>, NewTicket)], ids: &[TicketId]) {
    let named: Vec<(&str, TicketId)> =
        parts.iter().map(|(planned, _)| planned.part.id.as_str()).zip(ids.iter().copied()).collect();
    let mut places = Vec::with_capacity(parts.len());
    for (planned, _) in parts.iter() {
        let after = named.iter().filter(|(name, _)| planned.part.after.iter().any(|before| before == name));
        let waits = after.map(|(_, other)| Join { kind: LinkKind::BlockedBy, other: *other });
        let joins = std::iter::once(Join { kind: LinkKind::Child, other: own }).chain(waits).collect();
        places.push(Place { id: None, due: planned.due, joins, tasks: Vec::new() });
    }
    parent.place.id = Some(own);
    parent.place.joins = ids.iter().map(|other| Join { kind: LinkKind::BlockedBy, other: *other }).collect();
    for (((_, new), place), id) in parts.iter_mut().zip(places).zip(ids) {
        new.place = Place { id: Some(*id), ..place };
    }
}

/// Puts a ticket that opens in its place: the store makes its links, once all have numbers.
pub(in crate::desk) fn settle(change: &mut Change, place: Place, by: &Author, at: &At<'_>) {
    let Place { due, joins, tasks, .. } = place;
    if let Some(end) = due.and_then(|day| end_of(day, at)) {
        change.on_ticket(|ticket| clocks::due_by(ticket, end, at));
    }
    change.joins = joins.into_iter().map(|join| (join, by.clone())).collect();
    for text in tasks {
        tasks::begin_with(change, &text, by, at);
    }
}

/// Why a part, or the access that it gave, goes with a ticket that is cancelled.
pub fn part_of_cancelled(whole: &Ticket) -> String {
    format!("it was a part of {}, which is cancelled", whole.number)
}

/// Whether a ticket belongs to the person for whom a bundle was asked for, as its parts do.
pub fn is_of(part: &Ticket, whole: &Ticket) -> bool {
    part.submitted.requester == whole.submitted.requester
}

/// Whether there is anything left to do on a part.
pub fn is_open(part: &Ticket) -> bool {
    part.state != State::New && part.state.is_unfinished()
}

/// Cancels a part of a ticket that is cancelled; `None` where the part is over, or another person's. Access that waits for a decision
/// is asked for no more; people are asked about access that was given.
pub fn cancel_part(part: &Ticket, case: Option<&AccessCase>, whole: &Ticket, at: &At<'_>) -> Option<Change> {
    if !is_of(part, whole) || !is_open(part) {
        return None;
    }
    let reason = part_of_cancelled(whole);
    let event = Event::StateChanged { from: part.state, to: State::Cancelled, reason };
    let entry = at.public(Author::System, event);
    let mut change = Change::update(part, moved(part, State::Cancelled, at), vec![entry]);
    if let Some(case) = case {
        access::cancelled(&mut change, case, at);
    }
    Some(change)
}

/// The instant at which a day of the desk is over.
pub(super) fn end_of(day: Date, at: &At<'_>) -> Option<Timestamp> {
    let next = day.tomorrow().ok()?;
    at.organisation.calendar.zone.to_timestamp(next.to_datetime(jiff::civil::Time::midnight())).ok()
}
