//! Promises that run out: those responsible hear of it at the shares that the desk has set, each once, and the requester who
//! has to confirm a resolution is reminded, and at last taken to agree. One who is asked and says nothing is reminded, too, and at
//! last taken to need it no more.
//!
//! A clock remembers the largest share at which something was done about it, so that no share is acted on twice: on several
//! hosts, after an outage, and where the shares are set otherwise meanwhile. One timer a ticket waits for whichever comes next.

use jiff::Timestamp;

use super::clocks::{calendar, follow_further};
use super::{escalation, links};
use crate::desk::actor::Author;
use crate::desk::change::at::At;
use crate::desk::change::message::MessageKind;
use crate::desk::change::timer::{TimerKind, TimerWrite};
use crate::desk::change::{Change, TicketWrite};
use crate::desk::id::PersonId;
use crate::desk::organisation::Organisation;
use crate::desk::organisation::service::Escalation;
use crate::desk::sla::{Clock, ClockKind};
use crate::desk::ticket::timeline::Event;
use crate::desk::ticket::{State, Ticket, changed, moved};

/// The share at which a promise is broken, in percent.
pub const BREACH: u16 = 100;
/// The most people who hear of one alert.
const RECIPIENTS_MAX: usize = 20;
/// Why the desk closes a ticket.
const UNANSWERED: &str = "nothing was said against the solution in time";
/// Why the desk gives a ticket up about which it asked something.
const NOT_SAID: &str = "what was asked was not answered in time";

/// The shares of a ticket's clock at which something is to be done, ascending, after those that are done.
fn shares(ticket: &Ticket, kind: ClockKind, organisation: &Organisation) -> Vec<u16> {
    let mut shares = match kind {
        ClockKind::Confirmation | ClockKind::Answer => {
            let closing = organisation.closing_of(&ticket.submitted.request_type);
            closing.remind_percent.into_iter().chain([BREACH]).collect()
        }
        ClockKind::FirstResponse
        | ClockKind::Resolution
        | ClockKind::Update
        | ClockKind::Team
        | ClockKind::Further(_) => {
            let escalations = organisation.watch.escalate_at.iter();
            let about = escalations.filter(|one| one.is_about(kind, &ticket.submitted.request_type));
            let mut all = organisation.watch.alert_at.clone();
            all.extend(about.map(|one| one.percent));
            all
        }
    };
    let done = ticket.clocks.get(kind).map_or(0, |clock| clock.alerted);
    shares.retain(|share| *share > done);
    shares.sort_unstable();
    shares.dedup();
    shares
}

/// When something is to be done next about a ticket's promises, if nothing happens before.
pub fn next_at(ticket: &Ticket, organisation: &Organisation) -> Option<Timestamp> {
    let next = |kind: ClockKind| {
        let clock = ticket.clocks.get(kind)?;
        let share = *shares(ticket, kind, organisation).first()?;
        clock.reaches(calendar(ticket, kind, organisation), share)
    };
    ticket.clocks.kinds().into_iter().filter_map(next).min()
}

/// Lets the clocks that the configuration declares follow a change, and adds to it the timer that waits for its ticket's promises,
/// where that has to wait for another moment than before.
pub fn keep_time(change: &mut Change, organisation: &Organisation) {
    match &mut change.ticket {
        TicketWrite::Open(after) => follow_further(None, after, organisation),
        TicketWrite::Update { before, after } => follow_further(Some(&**before), after, organisation),
    }
    let next = next_at(change.after(), organisation);
    let (ticket, waits) = match change.ticket() {
        TicketWrite::Open(ticket) => (ticket.id, next.is_some()),
        TicketWrite::Update { before, after } => {
            let moved = before.clocks != after.clocks || before.team != after.team;
            (after.id, moved && (next.is_some() || next_at(before, organisation).is_some()))
        }
    };
    if waits {
        change.timers.push(TimerWrite::due(TimerKind::Clocks, ticket, next));
    }
}

/// Does what is due about a ticket's promises; `None` where nothing is.
pub fn fire(ticket: &Ticket, at: &At<'_>) -> Option<Change> {
    let mut due = Vec::new();
    let mut after = changed(ticket, at.now);
    for kind in ticket.clocks.kinds() {
        let calendar = calendar(ticket, kind, at.organisation);
        let Some(clock) = after.clocks.get_mut(kind) else { continue };
        let has_come = |share: &u16| clock.reaches(calendar, *share).is_some_and(|moment| moment <= at.now);
        let come: Vec<u16> = shares(ticket, kind, at.organisation).into_iter().filter(has_come).collect();
        clock.alerted = come.last().copied().unwrap_or(clock.alerted);
        due.extend(come.into_iter().map(|share| (kind, share)));
    }
    if due.is_empty() {
        return None;
    }
    if due.contains(&(ClockKind::Confirmation, BREACH)) {
        return Some(close(ticket, at));
    }
    if due.contains(&(ClockKind::Answer, BREACH)) {
        return Some(give_up(ticket, at));
    }
    let mut change = Change::update(ticket, after, Vec::new());
    for (kind, percent) in due {
        alert(&mut change, ticket, kind, percent, at);
    }
    Some(change)
}

/// The requester has let the time pass in which a resolution can be disputed.
fn close(ticket: &Ticket, at: &At<'_>) -> Change {
    let event = Event::StateChanged { from: ticket.state, to: State::Closed, reason: UNANSWERED.to_owned() };
    let entry = at.public(Author::System, event);
    let mut change = Change::update(ticket, moved(ticket, State::Closed, at), vec![entry]);
    change.messages.push(at.message(ticket.id, MessageKind::Closed, &ticket.submitted.requester));
    change
}

/// The requester has let the time pass in which an answer was awaited. A ticket in that state asks for no access that waits.
fn give_up(ticket: &Ticket, at: &At<'_>) -> Change {
    let event = Event::StateChanged { from: ticket.state, to: State::Cancelled, reason: NOT_SAID.to_owned() };
    let entry = at.public(Author::System, event);
    let mut change = Change::update(ticket, moved(ticket, State::Cancelled, at), vec![entry]);
    links::linked_follow(&mut change, at);
    change
}

fn alert(change: &mut Change, ticket: &Ticket, clock: ClockKind, percent: u16, at: &At<'_>) {
    let event = Event::ClockReached { clock, percent };
    change.entries.push(at.internal(Author::System, event));
    let reminder = match clock {
        ClockKind::Confirmation => Some(MessageKind::ConfirmationReminder),
        ClockKind::Answer => Some(MessageKind::AnswerReminder),
        ClockKind::FirstResponse
        | ClockKind::Resolution
        | ClockKind::Update
        | ClockKind::Team
        | ClockKind::Further(_) => None,
    };
    if let Some(reminder) = reminder {
        change.messages.push(at.message(ticket.id, reminder, &ticket.submitted.requester));
        return;
    }
    let kind = if percent >= BREACH { MessageKind::PromiseBroken } else { MessageKind::PromiseRunsOut };
    for person in responsible(ticket, at.organisation) {
        change.messages.push(at.message(ticket.id, kind, &person));
    }
    let goes_up = |one: &Escalation| one.percent == percent && one.is_about(clock, &ticket.submitted.request_type);
    if at.organisation.watch.escalate_at.iter().any(goes_up) {
        let reason = format!("{percent} % of the time for {} had passed", clock.code());
        escalation::raise(change, (Author::System, &reason), at);
    }
}

/// Those who hear of a promise that runs out: the assignee, or the team where the ticket has none.
pub(in crate::desk::ticket) fn responsible(ticket: &Ticket, organisation: &Organisation) -> Vec<PersonId> {
    let active = |person: &&PersonId| organisation.is_active(person);
    if let Some(assignee) = ticket.assignee.as_ref().filter(active) {
        return vec![assignee.clone()];
    }
    let team = organisation.teams.get(&ticket.team);
    let members = team.into_iter().flat_map(|team| &team.members).map(|member| &member.person);
    members.filter(active).take(RECIPIENTS_MAX).cloned().collect()
}

/// Whether a clock is past its target, or was when it was met.
pub fn is_broken(ticket: &Ticket, kind: ClockKind, organisation: &Organisation, now: Timestamp) -> bool {
    let calendar = calendar(ticket, kind, organisation);
    ticket.clocks.get(kind).is_some_and(|clock: &Clock| clock.breached(calendar, now))
}
