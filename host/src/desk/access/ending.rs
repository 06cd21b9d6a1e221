//! The beginnings and ends of grants: every grant ends by a timer, its holder hears before, and what it gave in the app goes with it.

use jiff::{SignedDuration, Timestamp};

use super::decide::revoked;
use super::provisioning::plan;
use super::{AccessState, AccessWrite, EndReason, Grant, GrantState, LedgerEntry, LedgerEvent, guards};
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::change::message::MessageKind;
use crate::desk::change::timer::{TimerKind, TimerWrite};
use crate::desk::id::{PersonId, TierId};
use crate::desk::ticket::Ticket;
use crate::desk::ticket::timeline::{AccessOutcome, Event};

/// How long before the end of a grant its holder hears of it, in hours; the longest first. Only those count that are at most
/// half as long as the grant.
const REMINDER_HOURS: [i64; 3] = [14 * 24, 3 * 24, 24];

/// The timeline's words about a grant that was given for later.
const BEGINS: &str = "the time has come from which on it was granted";
/// Why the timeline says that a grant has ended by itself.
const TIME_IS_OVER: &str = "the time for which it was granted is over";

/// Sets the timers of a grant that begins.
pub(super) fn set_timers(change: &mut Change, grant: &Grant, now: Timestamp) {
    let expiry = TimerWrite::Set { kind: TimerKind::AccessExpiry, ticket: grant.ticket, due_at: grant.expires_at };
    let reminder = next_reminder(grant, now);
    change.timers.push(expiry);
    if grant.state == GrantState::Scheduled {
        let (kind, due_at) = (TimerKind::AccessStart, grant.granted_at);
        change.timers.push(TimerWrite::Set { kind, ticket: grant.ticket, due_at });
    }
    change.timers.extend(reminder.map(|due_at| TimerWrite::Set {
        kind: TimerKind::AccessReminder,
        ticket: grant.ticket,
        due_at,
    }));
}

/// When the holder of a grant hears next that it ends; `None` where it is too short, or its end too near.
pub fn next_reminder(grant: &Grant, now: Timestamp) -> Option<Timestamp> {
    let lasts = grant.expires_at.duration_since(grant.granted_at);
    let leads = REMINDER_HOURS.into_iter().map(SignedDuration::from_hours).filter(|lead| *lead * 2 <= lasts);
    let mut due = leads.filter_map(|lead| grant.expires_at.checked_sub(lead).ok());
    due.find(|due| *due > now)
}

/// Begins a grant that was given for later, or ends it where it may not be given any more (I5). `None` where its time has not
/// come, or it is over. `holders` are those who hold the app in a tier that has seats, or are to.
pub fn begin(ticket: &Ticket, grant: &Grant, holders: &[(PersonId, TierId)], at: &At<'_>) -> Option<Change> {
    if grant.state != GrantState::Scheduled || at.now < grant.granted_at || grant.has_ended(at.now) {
        return None;
    }
    if let Some(why) = guards::refuses_begin(grant, holders, at) {
        return Some(revoked(ticket, grant, (Author::System, why), EndReason::NotBegun, at));
    }
    let event = Event::AccessDecided { outcome: AccessOutcome::Is(AccessState::Approved), detail: BEGINS.to_owned() };
    let entry = at.public(Author::System, event);
    let mut change = Change::next(ticket, at, vec![entry]);
    change.messages.push(at.message(ticket.id, MessageKind::StateChanged, &grant.subject));
    let connected = plan::is_connected(&grant.app, at.organisation);
    let state = if connected { GrantState::Provisioning } else { GrantState::Active };
    let mut books = at.review().books().with(grant);
    stands(&mut change, grant, state, None, at.now);
    books.stands(grant.id, state, None);
    plan::bring_in_line(&mut change, &mut books, (&grant.subject, &grant.app), at);
    Some(change)
}

/// Ends a grant whose time is over; `None` where it is not, or it has ended otherwise.
pub fn expire(ticket: &Ticket, grant: &Grant, at: &At<'_>) -> Option<Change> {
    if at.now < grant.expires_at || grant.revoked_at.is_some() || !grant.state.supports() {
        return None;
    }
    let event = Event::AccessDecided { outcome: AccessOutcome::Expired, detail: TIME_IS_OVER.to_owned() };
    let entry = at.public(Author::System, event);
    let mut change = Change::next(ticket, at, vec![entry]);
    change.messages.push(at.message(ticket.id, MessageKind::StateChanged, &grant.subject));
    moved_to(&mut change, grant, GrantState::Deprovisioning, Some(EndReason::Expired), at);
    Some(change)
}

/// Tells the holder of a grant that it ends soon, and sets the timer for the next time; `None` where there is nothing to say.
pub fn remind(ticket: &Ticket, grant: &Grant, at: &At<'_>) -> Option<Change> {
    if grant.has_ended(at.now) {
        return None;
    }
    let mut change = Change::next(ticket, at, Vec::new());
    change.messages.push(at.message(ticket.id, MessageKind::AccessEnding, &grant.subject));
    change.timers.push(TimerWrite::due(TimerKind::AccessReminder, ticket.id, next_reminder(grant, at.now)));
    Some(change)
}

/// Puts a grant that is over into its state, and what it gave in the app in line with that.
pub(super) fn moved_to(change: &mut Change, grant: &Grant, state: GrantState, reason: Option<EndReason>, at: &At<'_>) {
    let key = (&grant.subject, &grant.app);
    let mut books = at.review().books().with(grant);
    let in_app = plan::is_connected(&grant.app, at.organisation) || books.has_anything(key);
    let state = if in_app { state } else { GrantState::Ended };
    stands(change, grant, state, reason, at.now);
    books.stands(grant.id, state, reason);
    if state == GrantState::Ended {
        sessions_until(change, grant, at);
    }
    for kind in [TimerKind::AccessExpiry, TimerKind::AccessReminder] {
        change.timers.push(TimerWrite::Cancel { kind, ticket: grant.ticket });
    }
    plan::bring_in_line(change, &mut books, key, at);
}

/// Writes in the ledger until when sessions may go on that are open in the app of a grant that has ended there, and gives it; `None`
/// where the catalog says nothing of sessions, or the app was made to end them.
pub(super) fn sessions_until(change: &mut Change, grant: &Grant, at: &At<'_>) -> Option<Timestamp> {
    let hours = at.organisation.apps.get(&grant.app)?.sessions_hours?;
    // Of one who has left the account goes in any case, and with it go their sessions.
    let has_left = !at.organisation.is_active(&grant.subject);
    if has_left && at.organisation.connector_of(&grant.app).is_some_and(|connector| connector.kind.ends_sessions()) {
        return None;
    }
    let until = at.now.checked_add(SignedDuration::from_hours(i64::from(hours))).ok()?;
    let event = LedgerEvent::SessionsUntil { grant: grant.id, until };
    change.ledger.push(LedgerEntry { at: at.now, ticket: grant.ticket, event });
    Some(until)
}

/// Writes where a grant stands now, and says so in the ledger.
pub(super) fn stands(change: &mut Change, grant: &Grant, state: GrantState, reason: Option<EndReason>, now: Timestamp) {
    let event = LedgerEvent::GrantStands { grant: grant.id, state, reason };
    change.ledger.push(LedgerEntry { at: now, ticket: grant.ticket, event });
    change.access.push(AccessWrite::Stand { grant: grant.id, state, reason });
}
