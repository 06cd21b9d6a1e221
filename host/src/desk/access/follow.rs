//! Access follows the organisation: open requests go to those who may approve now, and what people who have left hold ends.

use super::decide::{revoked, settled, write_case};
use super::{AccessCase, AccessState, EndReason, Grant, LedgerEntry, LedgerEvent, Reassigned};
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::change::message::MessageKind;
use crate::desk::ticket::timeline::{AccessOutcome, Entry, Event, Visibility};
use crate::desk::ticket::{State, Ticket, WaitingFor, changed};

/// Why the desk ends what a person has who has left.
pub const HAS_LEFT: &str = "the person who has the access has left";
/// Why the desk denies a request for a person who has left.
const SUBJECT_HAS_LEFT: &str = "the person who was to have the access has left";

/// Takes an open request to those who may approve it now, who hear of it; denies it where the person who was to have the access
/// has left. `None` where nothing has changed.
pub fn follow(ticket: &Ticket, case: &AccessCase, at: &At<'_>) -> Option<Change> {
    if case.state != AccessState::Awaiting || ticket.state != State::Waiting(WaitingFor::Approval) {
        return None;
    }
    let subject = at.organisation.people.get(&case.request.subject);
    if subject.is_none_or(|person| !person.active) {
        let after = AccessCase { state: AccessState::Denied, ..case.clone() };
        return Some(settled(ticket, case, &after, (Author::System, SUBJECT_HAS_LEFT), at));
    }
    let (after, reassigned) = case.following(at.organisation, at.now);
    if reassigned.is_empty() {
        return None;
    }
    let detail = reassigned.iter().map(said).collect::<Vec<_>>().join("; ");
    let event = Event::AccessDecided { outcome: AccessOutcome::Is(AccessState::Awaiting), detail };
    let entry = Entry { at: at.now, author: Author::System, visibility: Visibility::Public, event };
    let mut change = Change::update(ticket, changed(ticket, at.now), vec![entry]);
    let known = case.awaited();
    let new = after.awaited().into_iter().filter(|person| !known.contains(person));
    change.messages = new.map(|person| at.message(ticket.id, MessageKind::ApprovalWanted, person)).collect();
    change.messages.push(at.message(ticket.id, MessageKind::StateChanged, &ticket.submitted.requester));
    write_case(&mut change, case, &after, at);
    Some(change)
}

fn said(change: &Reassigned) -> String {
    let people: Vec<&str> = change.approvers.iter().map(|person| person.as_str()).collect();
    let people = if people.is_empty() { "nobody who is here".to_owned() } else { people.join(", ") };
    let why = if change.stands_in { "too few of its approvers are left" } else { "its approvers have changed" };
    format!("step {} asks {people} now: {why}", change.step + 1)
}

/// Says in the ledger whom the steps ask now.
pub(super) fn reassigned(change: &mut Change, before: &AccessCase, after: &AccessCase, at: &At<'_>) {
    for (step, (old, new)) in before.steps.iter().zip(&after.steps).enumerate() {
        if old.approvers != new.approvers {
            let event = LedgerEvent::Reassigned { step, approvers: new.approvers.clone() };
            change.ledger.push(LedgerEntry { at: at.now, ticket: after.ticket, event });
        }
    }
}

/// Ends what a person has who has left; `None` where it is over, or the person is here.
pub fn end(ticket: &Ticket, grant: &Grant, at: &At<'_>) -> Option<Change> {
    let here = at.organisation.people.get(&grant.subject).is_some_and(|person| person.active);
    if here || grant.has_ended(at.now) {
        return None;
    }
    Some(revoked(ticket, grant, (Author::System, HAS_LEFT.to_owned()), EndReason::Left, at))
}
