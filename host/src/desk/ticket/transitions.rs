//! The one table of the transitions that exist, and the change that each makes.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use super::edit::check_optional_reason;
use super::lifecycle::alerts::responsible;
use super::lifecycle::clocks;
use super::lifecycle::links::{self, Around};
use super::lifecycle::resolution::{self, ResolutionRecord};
use super::timeline::Event;
use super::{State, Ticket, WaitingFor};
use crate::desk::access::{self, AccessCase};
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::change::message::{About, Message, MessageKind, Moved};
use crate::desk::change::timer::{TimerKind, TimerWrite};
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::permission::MayTransition;
use crate::desk::refusal::Refusal;
use crate::desk::sla;
use crate::desk::text::{is_blank, normal};

/// How far ahead the day is at most until which a ticket waits, in days.
const UNTIL_DAYS_MAX: i64 = 366;
/// Why the desk has a ticket worked on again.
const DAY_CAME: &str = "the day has come until which it waited";

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
        (VENDOR, InProgress, &[Agent, System]),
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
    /// The day on which a ticket that waits is worked on again by itself; `None` where it waits for its requester or vendor alone.
    pub until: Option<Date>,
}

impl Move {
    /// To a state, for no reason given.
    pub fn to(to: State) -> Move {
        Move { to, reason: String::new(), record: ResolutionRecord::default(), until: None }
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
    Move { to, reason, record, until }: Move,
    around: &Around,
    permit: &MayTransition,
    at: &At<'_>,
) -> Result<Change, Refusal> {
    let (parties, author) = permit.on(ticket)?;
    check_transition(ticket.state, to, parties)?;
    let reason = &*normal(&reason);
    if let Some(problem) = check_optional_reason("reason", reason) {
        return Err(problem.into());
    }
    let goes_on = goes_on(to, until, at)?;
    let record = record.into_normal();
    match to {
        State::Merged => return Err(Refusal::MergeNeedsTarget),
        State::Resolved => resolution::check_ready(ticket, &record, around, at.organisation)?,
        _ => {}
    }
    // The requester reads what was done, unless the agent says it otherwise.
    let said = if to == State::Resolved && is_blank(reason) { &record.fix } else { reason };
    let said = until.map_or_else(|| said.to_owned(), |day| with_day(said, day));
    let entry = at.public(author.clone(), Event::StateChanged { from: ticket.state, to, reason: said });
    let mut after = moved(ticket, to, at);
    if goes_on.is_some() {
        clocks::put_off(&mut after, at);
    }
    let mut change = Change::update(ticket, after, vec![entry]);
    if to == State::Resolved {
        resolution::recorded(&mut change, ticket, record, author.clone(), at);
        if around.has_duplicates {
            links::linked_follow(&mut change, at);
        }
    }
    if may_wait_until(to) {
        change.timers.push(TimerWrite::due(TimerKind::WaitsUntil, ticket.id, goes_on));
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

/// Whether a ticket in this state may wait until a day.
pub const fn may_wait_until(state: State) -> bool {
    matches!(state, State::Waiting(WaitingFor::Requester | WaitingFor::Vendor))
}

/// The reason with the day, in the form that all languages read.
fn with_day(reason: &str, day: Date) -> String {
    if is_blank(reason) { format!("→ {day}") } else { format!("{reason} (→ {day})") }
}

/// When a ticket is worked on again that waits until a day: as the desk opens on it, or next.
fn goes_on(to: State, until: Option<Date>, at: &At<'_>) -> Result<Option<Timestamp>, Refusal> {
    let Some(day) = until else { return Ok(None) };
    if !may_wait_until(to) {
        return Err(Problem::of("until", "not-asked", Fault::WaitsUntilNoDay, &[]).into());
    }
    let calendar = &at.organisation.calendar;
    let today = calendar.zone.to_datetime(at.now).date();
    let last = today.checked_add(UNTIL_DAYS_MAX.days()).unwrap_or(Date::MAX);
    let begin = calendar.zone.to_timestamp(day.at(0, 0, 0, 0)).ok().filter(|_| today < day && day <= last);
    let Some(begin) = begin else {
        return Err(Problem::of("until", "out-of-range", Fault::WaitDay, &[&UNTIL_DAYS_MAX]).into());
    };
    Ok(Some(sla::due(calendar, begin, 1).unwrap_or(begin)))
}

/// Has a ticket worked on again that waits until a day, which has come: those responsible hear of it. `None` where it waits no longer.
pub fn day_has_come(ticket: &Ticket, at: &At<'_>) -> Option<Change> {
    if !may_wait_until(ticket.state) {
        return None;
    }
    let (from, to, reason) = (ticket.state, State::InProgress, DAY_CAME.to_owned());
    let news = About { moved: Some(Moved { from, to, reason: reason.clone(), by_desk: true }), ..About::default() };
    let event = Event::StateChanged { from, to, reason };
    let entry = at.public(Author::System, event);
    let mut change = Change::update(ticket, moved(ticket, to, at), vec![entry]);
    for person in responsible(ticket, at.organisation) {
        let message = at.message(ticket.id, MessageKind::StateChanged, &person);
        change.messages.push(Message { about: news.clone(), ..message });
    }
    Some(change)
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
