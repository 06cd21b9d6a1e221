//! Access follows the organisation: open requests go to those who may approve now, and what people who have left hold ends.

use jiff::Timestamp;

use super::decide::{revoked, settled, write_case};
use super::{AccessCase, AccessState, EndReason, Grant, LedgerEntry, LedgerEvent, Named, Reassigned};
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::change::message::MessageKind;
use crate::desk::change::timer::{TimerKind, TimerWrite};
use crate::desk::ticket::timeline::{AccessOutcome, Event};
use crate::desk::ticket::{State, Ticket, WaitingFor};

/// Why the desk ends what a person has who has left.
pub const HAS_LEFT: &str = "the person who has the access has left";
/// Why a step asks others: it is what the timeline says.
const CHOSEN: &str = "one who asks for it lets an approver decide in their place";
/// The same, where none has decided for long.
const NOT_DECIDED: &str = "three quarters of its time are over, and it is not decided";
/// Why the desk denies a request for a person who has left.
const SUBJECT_HAS_LEFT: &str = "the person who was to have the access has left";

/// Takes an open request to those who may approve it now, who hear of it; denies it where the person who was to have the access
/// has left. `None` where nothing has changed.
pub fn follow(ticket: &Ticket, case: &AccessCase, at: &At<'_>) -> Option<Change> {
    if case.state != AccessState::Awaiting || ticket.state != State::Waiting(WaitingFor::Approval) {
        return None;
    }
    if !at.organisation.is_active(&case.request.subject) {
        let after = AccessCase { state: AccessState::Denied, ..case.clone() };
        return Some(settled(ticket, case, &after, (Author::System, SUBJECT_HAS_LEFT), at));
    }
    let (after, reassigned) = case.following(at.organisation, at.now);
    if reassigned.is_empty() {
        return None;
    }
    let detail = reassigned.iter().map(said).collect::<Vec<_>>().join("; ");
    Some(asks_others(ticket, case, &after, (detail, at)))
}

/// The change by which a request asks other people than before, who hear of it, and so does the one who has asked for access.
fn asks_others(ticket: &Ticket, case: &AccessCase, after: &AccessCase, (detail, at): (String, &At<'_>)) -> Change {
    let event = Event::AccessDecided { outcome: AccessOutcome::Is(AccessState::Awaiting), detail };
    let entry = at.public(Author::System, event);
    let mut change = Change::next(ticket, at, vec![entry]);
    let known = case.awaited();
    let new = after.awaited().into_iter().filter(|person| !known.contains(person));
    change.messages = new.map(|person| at.message(ticket.id, MessageKind::ApprovalWanted, person)).collect();
    change.messages.push(at.message(ticket.id, MessageKind::StateChanged, &ticket.submitted.requester));
    write_case(&mut change, case, after, at);
    change
}

/// Sets the timers of the step that is asked now: at half of its time its approvers hear of it again, and at three quarters more
/// people are asked. A request that waits no more has none.
pub(super) fn set_timers(change: &mut Change, case: &AccessCase, now: Timestamp) {
    let step = case.current_step().filter(|_| case.state == AccessState::Awaiting);
    let left = step.map(|(_, step)| step.due_at.as_millisecond().saturating_sub(now.as_millisecond()).max(0));
    let after = |quarters: i64| {
        let ms = now.as_millisecond().checked_add(left?.saturating_mul(quarters) / 4)?;
        Timestamp::from_millisecond(ms).ok()
    };
    for (kind, quarters) in [(TimerKind::AccessNudge, 2), (TimerKind::AccessEscalation, 3)] {
        change.timers.push(TimerWrite::due(kind, case.ticket, after(quarters)));
    }
}

/// Lets those hear again of a request whom it awaits; `None` where it awaits none. It is no decision, and gains no time.
pub fn nudge(ticket: &Ticket, case: &AccessCase, at: &At<'_>) -> Option<Change> {
    let (now, _) = case.following(at.organisation, at.now);
    let awaited = now.awaited();
    if awaited.is_empty() || ticket.state != State::Waiting(WaitingFor::Approval) || case.lapsed(at.now) {
        return None;
    }
    let mut change = Change::next(ticket, at, Vec::new());
    change.messages = awaited.iter().map(|one| at.message(ticket.id, MessageKind::ApprovalWanted, one)).collect();
    Some(change)
}

/// Takes a request that waits to the desk's own approvers as well; `None` where none of them is left to ask, or its step asks the same
/// people for ever.
pub fn escalate(ticket: &Ticket, case: &AccessCase, at: &At<'_>) -> Option<Change> {
    if ticket.state != State::Waiting(WaitingFor::Approval) || case.lapsed(at.now) || case.awaited().is_empty() {
        return None;
    }
    let (number, _) = case.current_step()?;
    let mut more = case.clone();
    let step = more.steps.get(number)?;
    if step.named.is_empty() || step.named.contains(&Named::AccessApprovers) {
        return None;
    }
    // Those would be fewer by leave that a party has given one of them, and those who are asked already would be asked no more.
    if more.is_chosen_from((number, &Named::AccessApprovers), at.organisation, at.now) {
        return None;
    }
    more.steps.get_mut(number)?.named.push(Named::AccessApprovers);
    let (after, asked) = more.following(at.organisation, at.now);
    let asked = asked.into_iter().find(|asked| asked.step == number)?;
    let people: Vec<&str> = asked.approvers.iter().map(|person| person.as_str()).collect();
    let detail = format!("step {} asks {} now: {NOT_DECIDED}", number + 1, people.join(", "));
    Some(asks_others(ticket, case, &after, (detail, at)))
}

fn said(change: &Reassigned) -> String {
    let people: Vec<&str> = change.approvers.iter().map(|person| person.as_str()).collect();
    let people = if people.is_empty() { "nobody who is here".to_owned() } else { people.join(", ") };
    let why = match (change.is_chosen, change.stands_in) {
        (true, _) => CHOSEN,
        (false, true) => "too few of its approvers are left",
        (false, false) => "its approvers have changed",
    };
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
    let here = at.organisation.is_active(&grant.subject);
    if here || grant.has_ended(at.now) {
        return None;
    }
    Some(revoked(ticket, grant, (Author::System, HAS_LEFT.to_owned()), EndReason::Left, at))
}
