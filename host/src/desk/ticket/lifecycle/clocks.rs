//! The clocks of a ticket: how each follows what happens to it.
//!
//! | clock | starts | pauses | is met |
//! |---|---|---|---|
//! | first-response | with the ticket | when it is over | by the first public answer, or the resolution |
//! | resolution | with the ticket | while the requester's turn lasts | by the resolution; a reopening lets it run on |
//! | next-update | with every public answer of the desk | as the resolution | by the resolution |
//! | team-resolution | when a team gets the ticket | as the resolution | by the resolution |
//! | confirmation | with the resolution | never | it ends with the state `resolved` |
//! | requester-answer | when the requester is asked, and with every public answer of the desk meanwhile | where the ticket waits until a day | it ends with the state |
//! | a further one | as its configuration says | as that says, and when the ticket is no longer worked on | as that says, once |
//!
//! A clock that pauses keeps what it has used; another priority changes the target and the calendar from then on, and so does a category
//! that has promises of its own.
//!
//! Where the configuration changes, tickets that are not over follow it: every clock that was not met has the target and the
//! calendar that its priority, its team or its type has now, and the time since it began to run last counts by that calendar;
//! a promise that is made no more ends, and one that is new begins with the next occasion of its kind. A ticket that is promised for a
//! day keeps the day. The place in the queue is that of the priority in the list as it is now. What a ticket has of a level or team
//! that is no more stays as it was.

use std::sync::Arc;

use jiff::Timestamp;

use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::{CategoryId, PriorityId};
use crate::desk::organisation::service::{FurtherClock, Occasion, Targets};
use crate::desk::organisation::{Calendar, Organisation, PriorityLevel};
use crate::desk::sla::{self, Clock, ClockKind, Clocks, MINUTE_MS};
use crate::desk::ticket::timeline::{Event, Visibility};
use crate::desk::ticket::{State, Ticket, WaitingFor, changed};

/// The calendar that a ticket's clock of this kind runs by.
pub fn calendar<'o>(ticket: &Ticket, kind: ClockKind, organisation: &'o Organisation) -> &'o Calendar {
    match kind {
        ClockKind::FirstResponse | ClockKind::Resolution | ClockKind::Update => {
            organisation.calendar_of(&ticket.priority)
        }
        ClockKind::Team => organisation.calendar_of_team(&ticket.team),
        ClockKind::Confirmation | ClockKind::Answer => &organisation.calendar,
        ClockKind::Further(name) => match organisation.watch.further(name, &ticket.submitted.request_type) {
            Some(of) => calendar_of(of, &ticket.priority, organisation),
            None => &organisation.calendar,
        },
    }
}

/// The calendar that a further clock runs by on a ticket of this priority.
fn calendar_of<'o>(of: &FurtherClock, priority: &PriorityId, organisation: &'o Organisation) -> &'o Calendar {
    let named = of.calendar.as_ref().and_then(|id| organisation.calendars.get(id));
    named.unwrap_or_else(|| organisation.calendar_of(priority))
}

/// Lets the clocks follow a ticket into the state that it now has.
pub(in crate::desk) fn follow_state(after: &mut Ticket, at: &At<'_>) {
    let organisation = at.organisation;
    let each = |after: &mut Ticket, kinds: &[ClockKind], turn: fn(Clock, &Calendar, Timestamp) -> Clock| {
        for kind in kinds {
            let calendar = calendar(after, *kind, organisation);
            if let Some(clock) = after.clocks.get_mut(*kind) {
                *clock = turn(*clock, calendar, at.now);
            }
        }
    };
    const WORK: [ClockKind; 3] = [ClockKind::Resolution, ClockKind::Update, ClockKind::Team];
    (after.clocks.confirmation, after.clocks.answer) = (None, None);
    match after.state {
        // The requester's time is not ours; an approver's and a vendor's is.
        State::Waiting(WaitingFor::Requester) => {
            each(after, &WORK, Clock::pause);
            await_answer(after, at);
        }
        State::Resolved => {
            each(after, &WORK, Clock::meet);
            each(after, &[ClockKind::FirstResponse], Clock::meet);
            let minutes = organisation.closing_of(&after.submitted.request_type).confirm_minutes;
            after.clocks.confirmation = Some(Clock::start(&organisation.calendar, minutes, at.now));
        }
        State::Reopened => each(after, &WORK, Clock::reopen),
        State::Closed | State::Cancelled | State::Merged => {
            each(after, &WORK, Clock::pause);
            each(after, &[ClockKind::FirstResponse], Clock::pause);
        }
        State::New | State::Open | State::InProgress | State::Waiting(WaitingFor::Approval | WaitingFor::Vendor) => {
            each(after, &WORK, Clock::resume);
        }
    }
}

/// The requester is asked, and has from now on the time that the type of the ticket leaves them to answer, where it bounds that.
fn await_answer(after: &mut Ticket, at: &At<'_>) {
    let closing = at.organisation.closing_of(&after.submitted.request_type);
    let minutes = closing.answer_minutes;
    after.clocks.answer = minutes.map(|minutes| Clock::start(&at.organisation.calendar, minutes, at.now));
}

/// The ticket waits until a day: before that no time to answer runs out.
pub(in crate::desk) fn put_off(after: &mut Ticket, at: &At<'_>) {
    after.clocks.answer = after.clocks.answer.map(|clock| clock.pause(&at.organisation.calendar, at.now));
}

/// Lets the clocks that the configuration declares follow a ticket from how it was, if it was there, to how it is now.
pub(in crate::desk) fn follow_further(before: Option<&Ticket>, after: &mut Ticket, organisation: &Organisation) {
    let submitted = Arc::clone(&after.submitted);
    for of in organisation.watch.further.iter().filter(|of| of.is_for(&submitted.request_type)) {
        let kind = ClockKind::Further(of.id);
        let clock = match after.clocks.get(kind).copied() {
            Some(met) if met.met_at.is_some() => continue,
            Some(clock) => goes_on(of, clock, (before, &*after), organisation),
            None => begins(of, (before, &*after), organisation),
        };
        after.clocks.set(kind, clock);
    }
}

/// A further clock as it begins; `None` where nothing begins it, or what it promises is done already.
fn begins(
    of: &FurtherClock,
    (before, after): (Option<&Ticket>, &Ticket),
    organisation: &Organisation,
) -> Option<Clock> {
    let minutes = *of.minutes.get(&after.priority)?;
    // A priority that promises it begins it late, rather than not at all.
    let promised = before.is_some_and(|before| !of.minutes.contains_key(&before.priority));
    let is_new = |one: &Occasion| promised || before.is_none_or(|before| !holds(one, before));
    let begun = of.starts.iter().any(|one| holds(one, after) && is_new(one));
    if !begun || !after.state.is_unfinished() || of.met.iter().any(|one| holds(one, after)) {
        return None;
    }
    let calendar = calendar_of(of, &after.priority, organisation);
    let clock = Clock::start(calendar, minutes, after.updated_at);
    Some(if runs(of, after) { clock } else { clock.pause(calendar, after.updated_at) })
}

/// A further clock that was not met, as it is after a change; `None` where the ticket's priority promises it no more.
fn goes_on(
    of: &FurtherClock,
    clock: Clock,
    (before, after): (Option<&Ticket>, &Ticket),
    organisation: &Organisation,
) -> Option<Clock> {
    let (minutes, now) = (*of.minutes.get(&after.priority)?, after.updated_at);
    let calendar = calendar_of(of, &after.priority, organisation);
    let clock = match before.filter(|before| before.priority != after.priority) {
        Some(before) => clock.retarget((calendar_of(of, &before.priority, organisation), calendar), minutes, now),
        None => clock,
    };
    Some(if of.met.iter().any(|one| holds(one, after)) {
        clock.meet(calendar, now)
    } else if runs(of, after) {
        clock.resume(calendar, now)
    } else {
        clock.pause(calendar, now)
    })
}

/// Whether a further clock runs in the state that a ticket has.
fn runs(of: &FurtherClock, ticket: &Ticket) -> bool {
    ticket.state.is_unfinished() && !of.pauses.iter().any(|state| state == ticket.state.code())
}

/// Whether an occasion by which a further clock starts or is met has come for a ticket.
fn holds(one: &Occasion, ticket: &Ticket) -> bool {
    match one {
        Occasion::Submitted => true,
        Occasion::Answered => ticket.clocks.first_response.met_at.is_some(),
        Occasion::State(word) => ticket.state.code() == word,
        Occasion::Tag(tag) => ticket.tags.contains(tag),
    }
}

/// A public answer of the desk: the first is the first response, and each promises the next.
pub(in crate::desk) fn answered(after: &mut Ticket, at: &At<'_>) {
    let calendar = at.organisation.calendar_of(&after.priority);
    after.clocks.first_response = after.clocks.first_response.meet(calendar, at.now);
    let promised = at.organisation.targets(&after.category, &after.priority).and_then(|targets| targets.update);
    let owed = after.state.is_unfinished();
    let is_put_off = after.clocks.answer.is_some_and(|clock| clock.running_since.is_none());
    if after.state == State::Waiting(WaitingFor::Requester) && !is_put_off {
        await_answer(after, at);
    }
    after.clocks.update = promised.filter(|_| owed).map(|minutes| begun(after.state, calendar, minutes, at.now));
}

/// A clock of the desk's own work that begins now; while the requester's turn lasts it stands still.
fn begun(state: State, calendar: &Calendar, minutes: u32, now: Timestamp) -> Clock {
    let clock = Clock::start(calendar, minutes, now);
    if state == State::Waiting(WaitingFor::Requester) { clock.pause(calendar, now) } else { clock }
}

/// The ticket has come to the team that it is now in.
pub(in crate::desk) fn enter_team(after: &mut Ticket, at: &At<'_>) {
    let promised = at.organisation.teams.get(&after.team).and_then(|team| team.resolution_minutes);
    let calendar = at.organisation.calendar_of_team(&after.team);
    after.clocks.team = promised.map(|minutes| begun(after.state, calendar, minutes, at.now));
}

/// The furthest day that a ticket is promised for, in days.
const DUE_DAYS_MAX: i64 = 2 * 366;

/// Whether an end lies ahead, and no further than a ticket is promised for.
fn is_near(now: Timestamp, end: Timestamp) -> bool {
    let ahead_ms = end.as_millisecond() - now.as_millisecond();
    (1..=DUE_DAYS_MAX * 24 * 60 * MINUTE_MS).contains(&ahead_ms)
}

/// The ticket is promised for an instant, and not as its priority promises: the clock of its resolution has the open time until then.
/// Nothing changes where that has passed, or lies further ahead than two years.
pub(in crate::desk) fn due_by(after: &mut Ticket, end: Timestamp, at: &At<'_>) {
    let calendar = at.organisation.calendar_of(&after.priority);
    let clock = after.clocks.resolution;
    if !is_near(at.now, end) || clock.running_since.is_none() {
        return;
    }
    let target_ms = sla::elapsed(calendar, at.now, end);
    if target_ms > 0 {
        let due_at = sla::due(calendar, at.now, target_ms);
        let day_end = Some(end);
        after.clocks.resolution =
            Clock { target_ms, used_ms: 0, running_since: Some(at.now), due_at, day_end, ..clock };
    }
}

/// Whether a ticket was promised for the day that ends then, as it opened: a day that was over, very far, or without open time before its
/// end is no promise.
pub(in crate::desk) fn was_due_by(ticket: &Ticket, end: Timestamp, at: &At<'_>) -> bool {
    let opened = ticket.submitted.at;
    is_near(opened, end) && sla::elapsed(at.organisation.calendar_of(&ticket.priority), opened, end) > 0
}

/// The ticket is promised for another day: from now on it has the open time until the end of that, and as good as none where the day is
/// over. While the requester's turn lasts, the clock stands still with that time left.
pub(in crate::desk) fn move_day(after: &mut Ticket, end: Timestamp, at: &At<'_>) {
    let clock = after.clocks.resolution;
    if clock.met_at.is_some() {
        return;
    }
    let calendar = at.organisation.calendar_of(&after.priority);
    let left_ms = if end > at.now { sla::elapsed(calendar, at.now, end).max(1) } else { 1 };
    let runs = clock.running_since.is_some();
    let used_ms = if runs { 0 } else { clock.used_ms };
    after.clocks.resolution = Clock {
        target_ms: used_ms + left_ms,
        used_ms,
        running_since: runs.then_some(at.now),
        due_at: if runs { sla::due(calendar, at.now, left_ms) } else { None },
        // What was said about the day of before says nothing about this one.
        alerted: 0,
        day_end: Some(end),
        ..clock
    };
}

/// The ticket has got this priority: what was promised and kept stays as it was promised, the rest follows. Called before the
/// ticket has it, since what was used so far was used by the calendar of before.
pub(in crate::desk) fn follow_priority(after: &mut Ticket, level: &PriorityLevel, at: &At<'_>) {
    let before = at.organisation.calendar_of(&after.priority);
    let calendar = at.organisation.calendar_of(&level.id);
    let Some(targets) = at.organisation.targets(&after.category, &level.id) else { return };
    retarget(&mut after.clocks, targets, |clock, minutes| match clock.met_at {
        Some(_) => clock,
        None => clock.retarget((before, calendar), minutes, at.now),
    });
}

/// The ticket has got its category in the place of another: where that is promised otherwise, what was not kept follows as it follows
/// a priority. A ticket that is promised for a day keeps the day.
pub(in crate::desk) fn follow_category(after: &mut Ticket, before: &CategoryId, at: &At<'_>) {
    let targets = |category: &CategoryId| at.organisation.targets(category, &after.priority);
    let (was, is) = (targets(before), targets(&after.category));
    let Some(targets) = is.filter(|_| was != is) else { return };
    let calendar = at.organisation.calendar_of(&after.priority);
    retarget(&mut after.clocks, targets, |clock, minutes| match (clock.met_at, clock.day_end) {
        (None, None) => clock.retarget((calendar, calendar), minutes, at.now),
        _ => clock,
    });
}

/// Gives the clocks that go by priority and category other targets, each by way of `promised`.
fn retarget(clocks: &mut Clocks, targets: Targets, promised: impl Fn(Clock, u32) -> Clock) {
    clocks.first_response = promised(clocks.first_response, targets.first_response);
    clocks.resolution = promised(clocks.resolution, targets.resolution);
    clocks.update = clocks.update.zip(targets.update).map(|(clock, minutes)| promised(clock, minutes));
}

/// The minutes that a ticket's clock of this kind is promised by the configuration: `Err` where what would say so is no more.
fn minutes(ticket: &Ticket, kind: ClockKind, organisation: &Organisation) -> Result<Option<u32>, Gone> {
    let targets = || organisation.targets(&ticket.category, &ticket.priority).ok_or(Gone);
    Ok(match kind {
        ClockKind::FirstResponse => Some(targets()?.first_response),
        ClockKind::Resolution => Some(targets()?.resolution),
        ClockKind::Update => targets()?.update,
        ClockKind::Team => organisation.teams.get(&ticket.team).ok_or(Gone)?.resolution_minutes,
        ClockKind::Confirmation => Some(organisation.closing_of(&ticket.submitted.request_type).confirm_minutes),
        ClockKind::Answer => organisation.closing_of(&ticket.submitted.request_type).answer_minutes,
        ClockKind::Further(name) => {
            let of = organisation.watch.further(name, &ticket.submitted.request_type);
            of.and_then(|of| of.minutes.get(&ticket.priority).copied())
        }
    })
}

/// The level or team that made a promise does not exist any more.
struct Gone;

/// Lets a ticket that is not over follow the configuration as it is now; `None` where it does already.
pub fn follow_configuration(ticket: &Ticket, at: &At<'_>) -> Option<Change> {
    if !ticket.state.is_unfinished() && ticket.state != State::Resolved {
        return None;
    }
    let mut after = changed(ticket, at.now);
    let mut entries = Vec::new();
    let mut note = |visibility, event| entries.push(at.entry(Author::System, visibility, event));
    for kind in ticket.clocks.kinds() {
        let Some(before) = ticket.clocks.get(kind).copied() else { continue };
        let Ok(minutes) = minutes(ticket, kind, at.organisation) else { continue };
        let now = match minutes {
            None if before.met_at.is_none() => None,
            None => Some(before),
            Some(minutes) => Some(before.promised_by(calendar(ticket, kind, at.organisation), minutes)),
        };
        if now == Some(before) {
            continue;
        }
        after.clocks.set(kind, now);
        let visibility = if kind.is_internal() { Visibility::Internal } else { Visibility::Public };
        let minutes = now.map(|clock| clock.target_ms / MINUTE_MS);
        let (from, to) = (before.due_at, now.and_then(|clock| clock.due_at));
        note(visibility, Event::Retargeted { clock: kind, minutes, from, to });
    }
    let rank = at.organisation.priority(&ticket.priority).map(|(rank, _)| i64::try_from(rank).unwrap_or(i64::MAX));
    if let Some(rank) = rank.filter(|rank| *rank != ticket.rank) {
        after.rank = rank;
        note(Visibility::Internal, Event::Reranked { from: ticket.rank, to: rank });
    }
    (!entries.is_empty()).then(|| Change::update(ticket, after, entries))
}
