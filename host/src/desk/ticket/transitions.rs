//! The one table of the transitions that exist, and the change that each makes.

use jiff::Timestamp;

use super::edit::check_optional_reason;
use super::lifecycle::clocks;
use super::lifecycle::links::{self, Around};
use super::lifecycle::resolution::{self, ResolutionRecord};
use super::timeline::{Entry, Event, Visibility};
use super::{State, Ticket, WaitingFor};
use crate::desk::access::{self, AccessCase};
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::permission::MayTransition;
use crate::desk::refusal::Refusal;
use crate::desk::text::{is_blank, normal};

/// The part in which a person, or the desk itself, asks for another state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    Requester,
    Agent,
    System,
}

impl Party {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Party::Requester => "the requester",
            Party::Agent => "an agent",
            Party::System => "the desk itself",
        }
    }
}

/// The one table of transitions: from, to, and who may ask for it. What it does not name does not exist.
pub const TRANSITIONS: &[(State, State, &[Party])] = {
    use Party::{Agent, Requester, System};
    use State::{Cancelled, Closed, InProgress, Merged, New, Open, Reopened, Resolved};
    const REQUESTER: State = State::Waiting(WaitingFor::Requester);
    const APPROVAL: State = State::Waiting(WaitingFor::Approval);
    const VENDOR: State = State::Waiting(WaitingFor::Vendor);
    &[
        (New, Open, &[System]),
        (New, APPROVAL, &[System]),
        (New, Resolved, &[System]),
        (Open, InProgress, &[Agent]),
        (Open, REQUESTER, &[Agent]),
        (Open, VENDOR, &[Agent]),
        (Open, Resolved, &[Agent, System]),
        (Open, Cancelled, &[Requester, Agent, System]),
        (Open, Merged, &[Agent]),
        (InProgress, Open, &[Agent]),
        (InProgress, REQUESTER, &[Agent]),
        (InProgress, VENDOR, &[Agent]),
        (InProgress, Resolved, &[Agent, System]),
        (InProgress, Cancelled, &[Requester, Agent, System]),
        (InProgress, Merged, &[Agent]),
        (REQUESTER, InProgress, &[Requester, Agent, System]),
        (REQUESTER, Resolved, &[Agent, System]),
        (REQUESTER, Cancelled, &[Requester, Agent, System]),
        (REQUESTER, Merged, &[Agent]),
        (VENDOR, InProgress, &[Agent]),
        (VENDOR, Resolved, &[Agent, System]),
        (VENDOR, Cancelled, &[Requester, Agent, System]),
        (VENDOR, Merged, &[Agent]),
        (APPROVAL, Resolved, &[System]),
        (APPROVAL, Cancelled, &[Requester, Agent, System]),
        (Resolved, Closed, &[Requester, System]),
        (Resolved, Reopened, &[Requester, Agent, System]),
        (Reopened, InProgress, &[Agent]),
        (Reopened, REQUESTER, &[Agent]),
        (Reopened, VENDOR, &[Agent]),
        (Reopened, Resolved, &[Agent, System]),
        (Reopened, Cancelled, &[Requester, Agent, System]),
        (Reopened, Merged, &[Agent]),
    ]
};

/// Another state, as it is asked for.
#[derive(Debug, Clone)]
pub struct Move {
    pub to: State,
    /// May be empty.
    pub reason: String,
    /// How it was resolved, for a ticket that becomes so.
    pub record: ResolutionRecord,
}

impl Move {
    /// To a state, for no reason given.
    pub fn to(to: State) -> Move {
        Move { to, reason: String::new(), record: ResolutionRecord::default() }
    }
}

/// Puts a ticket into another state. Cancelling it takes back the access that it asks for; resolving it needs a record of how,
/// and that no other has to be resolved before.
///
/// # Errors
/// [`Refusal::NoTransition`], [`Refusal::NotTheirTransition`], [`Refusal::MergeNeedsTarget`]; those of a ticket that is not
/// ready to be resolved.
pub fn transition(
    ticket: &Ticket,
    case: Option<&AccessCase>,
    Move { to, reason, record }: Move,
    around: &Around,
    permit: &MayTransition,
    at: &At<'_>,
) -> Result<Change, Refusal> {
    let (parties, author) = permit.on(ticket)?;
    check_transition(ticket.state, to, parties)?;
    let reason = &*normal(&reason);
    if let Some(problem) = check_optional_reason("reason", reason) {
        return Err(Refusal::Problems { problems: vec![problem] });
    }
    let record = record.into_normal();
    match to {
        State::Merged => return Err(Refusal::MergeNeedsTarget),
        State::Resolved => resolution::check_ready(ticket, &record, around, at.organisation)?,
        _ => {}
    }
    // The requester reads what was done, unless the agent says it otherwise.
    let said = if to == State::Resolved && is_blank(reason) { &record.fix } else { reason };
    let entry = Entry {
        at: at.now,
        author: author.clone(),
        visibility: Visibility::Public,
        event: Event::StateChanged { from: ticket.state, to, reason: said.to_owned() },
    };
    let mut change = Change::update(ticket, moved(ticket, to, at), vec![entry]);
    if to == State::Resolved {
        resolution::recorded(&mut change, ticket, record, author.clone(), at);
        if around.has_duplicates {
            links::linked_follow(&mut change, at);
        }
    }
    if let Some(case) = case.filter(|_| to == State::Cancelled) {
        access::cancelled(&mut change, case, at);
    }
    let form = at.organisation.request_types.get(&ticket.submitted.request_type);
    let is_bundle = form.is_some_and(|form| !form.parts.is_empty());
    if to == State::Cancelled && (is_bundle || !around.blockers.is_empty()) {
        links::linked_follow(&mut change, at);
    }
    Ok(change)
}

pub(super) fn check_transition(from: State, to: State, parties: &[Party]) -> Result<(), Refusal> {
    let from_here = || TRANSITIONS.iter().filter(move |(start, _, _)| *start == from);
    let Some((_, _, who)) = from_here().find(|(_, end, _)| *end == to) else {
        let allowed = from_here().map(|(_, end, _)| *end).collect();
        return Err(Refusal::NoTransition { from, to, allowed });
    };
    if parties.iter().any(|party| who.contains(party)) {
        return Ok(());
    }
    Err(Refusal::NotTheirTransition { from, to, allowed: who.to_vec() })
}

/// The ticket in another state, its clocks and times with it.
pub(in crate::desk) fn moved(ticket: &Ticket, to: State, at: &At<'_>) -> Ticket {
    let mut after = changed(ticket, at.now);
    after.state = to;
    match to {
        State::Resolved => after.resolved_at = Some(at.now),
        State::Reopened => after.resolved_at = None,
        State::Closed | State::Cancelled | State::Merged => after.closed_at = Some(at.now),
        State::New | State::Open | State::InProgress | State::Waiting(_) => {}
    }
    clocks::follow_state(&mut after, at);
    after
}

/// The ticket at its next version.
pub(in crate::desk) fn changed(ticket: &Ticket, now: Timestamp) -> Ticket {
    Ticket { version: ticket.version + 1, updated_at: now, ..ticket.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_transition_is_named_twice_and_every_state_can_be_reached() {
        for (n, (from, to, who)) in TRANSITIONS.iter().enumerate() {
            assert!(!who.is_empty() && from != to);
            let again = TRANSITIONS.iter().skip(n + 1).any(|(f, t, _)| f == from && t == to);
            assert!(!again, "{from} -> {to}");
        }
        for state in State::ALL.into_iter().filter(|state| *state != State::New) {
            assert!(TRANSITIONS.iter().any(|(_, to, _)| *to == state), "{state}");
        }
    }

    #[test]
    fn what_does_not_exist_is_refused_with_what_does() {
        let refusal = check_transition(State::Closed, State::Open, &[Party::Agent]).unwrap_err();
        assert_eq!(refusal.to_string(), "a ticket that is closed cannot become open: it stays as it is");
        let refusal = check_transition(State::Resolved, State::Closed, &[Party::Agent]).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "only the requester or the desk itself may make a ticket that is resolved closed"
        );
    }
}
