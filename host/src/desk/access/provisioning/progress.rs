//! Orders on their way: what is written before something is sent, and what comes of it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::plan::{bring_in_line, compensate, drop_holding, hold, is_by_hand, is_connected, look_for, write};
use super::{Books, Direction, Entitlement, Holding, Op, OpState};
use crate::desk::access::decide::revoked;
use crate::desk::access::ending::stands;
use crate::desk::access::{EndReason, Grant, GrantState};
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::OpId;
use crate::desk::organisation::Organisation;
use crate::desk::sla::later;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::timeline::{AccessOutcome, Event};

/// The wait before the second attempt; it doubles with each further one.
const BACKOFF_MIN: SignedDuration = SignedDuration::from_secs(2);
/// The longest wait between two attempts: an end is tried again for ever (I13).
const BACKOFF_MAX: SignedDuration = SignedDuration::from_hours(1);
/// How often a person who has to do something by hand is looked for.
const BY_HAND: SignedDuration = SignedDuration::from_hours(24);
/// How often what a grant gives is read again in the app.
pub const CHECK_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// The longest text that is kept of what was sent and came back, in bytes.
const SAID_BYTES_MAX: usize = 1_000;
/// Why a grant ends that its app has lost.
const TAKEN_AWAY: &str = "it was taken away in the app itself";

/// An answer about one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// Before anything was sent, the app had it as it is to be.
    Found,
    /// It was read back as it is to be.
    Verified,
    /// It was read back, and is not as it is to be.
    NotThere,
    /// The app has accepted it.
    Applied,
    /// The app has accepted it, and says until this time what came of it.
    Promised(Timestamp),
    /// The app wants to be asked again from this time on, and has done nothing.
    Later(Timestamp),
    /// The app does not let the desk do it, and has done nothing; it is asked again from this time on, and of other orders meanwhile.
    Forbidden(Timestamp),
    /// It may have been done or not.
    Unknown,
    /// The same, and the app wants to be asked again from this time on.
    UnknownUntil(Timestamp),
    /// The app refuses it.
    Rejected,
    /// A person has to do it, and say so.
    ByHand,
}

/// An answer about one order, with the attempt that it belongs to and what was sent and came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub op: OpId,
    pub attempt: u32,
    pub came: Came,
    pub said: String,
}

/// Notes that orders are about to be sent, so that a host that dies meanwhile leaves a trace. No other looks at them before
/// `until`. `None` where none of them can be sent any more.
pub fn sending(ticket: &Ticket, ids: &[OpId], until: Timestamp, at: &At<'_>) -> Option<Change> {
    let mut books = at.review().books();
    let sent: Vec<Op> = books.ops.iter().filter(|op| ids.contains(&op.id) && may_be_sent(op.state)).cloned().collect();
    let first = sent.first()?.clone();
    let mut change = Change::next(ticket, at, Vec::new());
    for op in sent {
        let (state, attempt) = (OpState::Sent, op.attempt + 1);
        write(&mut change, &mut books, Op { state, attempt, not_before: until, changed_at: at.now, ..op });
    }
    bring_in_line(&mut change, &mut books, (&first.subject, &first.app), at);
    Some(change)
}

/// Whether an order in this state has no effect that is not known.
pub const fn may_be_sent(state: OpState) -> bool {
    matches!(state, OpState::Planned | OpState::Waiting)
}

/// Whether an order was left to a person. Their word is waited for as long as no app is.
pub(super) fn waits_for_person(op: &Op) -> bool {
    op.state == OpState::Waiting && op.not_before.duration_since(op.changed_at) >= BY_HAND
}

/// Whether the word of a person counts for an order: it was left to one, or the app cannot be asked what is there. Any other app says so
/// itself, once it is asked again.
pub fn takes_word(op: &Op, organisation: &Organisation) -> bool {
    let is_read =
        organisation.connector_of(&op.app).is_some_and(|connector| connector.kind.reads(&op.entitlement.to_string()));
    op.state == OpState::Waiting && (!is_read || waits_for_person(op))
}

/// Takes the answers about orders; what is stale is passed over. `None` where all of it is.
pub fn take(ticket: &Ticket, reports: &[Report], at: &At<'_>) -> Option<Change> {
    let mut books = at.review().books();
    let mut change = Change::next(ticket, at, Vec::new());
    let mut keys = BTreeSet::new();
    for report in reports {
        let current = |op: &&Op| {
            // An app may have said what came of it before the desk has noted that it was to say so.
            let overtaken = matches!(report.came, Came::Promised(_)) && op.state != OpState::Sent;
            op.id == report.op && op.attempt == report.attempt && op.state.is_open() && !overtaken
        };
        let Some(op) = books.ops.iter().find(current).cloned() else { continue };
        keys.insert((op.subject.clone(), op.app.clone()));
        take_one(&mut change, &mut books, op, report, at);
    }
    for (subject, app) in &keys {
        bring_in_line(&mut change, &mut books, (subject, app), at);
    }
    (!keys.is_empty()).then_some(change)
}

/// Takes that an app has lost what a grant gives: it is said, and given again; or the grant ends, where the app is one in which
/// that counts. `None` where the grant is over, or it is held by
/// none of the desk's doing.
pub fn missing(ticket: &Ticket, grant: &Grant, lost: &[(Entitlement, String)], at: &At<'_>) -> Option<Change> {
    let mut books = at.review().books();
    let is_lost = |holding: &&Holding| {
        (&holding.subject, &holding.app) == (&grant.subject, &grant.app)
            && lost.iter().any(|(entitlement, _)| holding.entitlement == *entitlement)
    };
    let gone: Vec<Holding> = books.holdings.iter().filter(is_lost).cloned().collect();
    if gone.is_empty() || grant.has_ended(at.now) || grant.state != GrantState::Active {
        return None;
    }
    let detail = lost.iter().map(|(entitlement, said)| format!("{entitlement} is missing in the app: {said}"));
    let detail = cut(&detail.collect::<Vec<_>>().join("; ")).to_owned();
    let event = Event::AccessDecided { outcome: AccessOutcome::Attention, detail };
    let entry = at.internal(Author::System, event);
    if at.organisation.apps.get(&grant.app).is_some_and(|app| app.ends_when_removed) {
        // What still counts as held is looked for once more: the end is proved as any other.
        let why = (Author::System, TAKEN_AWAY.to_owned());
        let mut change = revoked(ticket, grant, why, EndReason::Removed, at);
        change.entries.push(entry);
        return Some(change);
    }
    let mut change = Change::next(ticket, at, vec![entry]);
    for holding in &gone {
        drop_holding(&mut change, &mut books, holding, false, at);
    }
    stands(&mut change, grant, GrantState::Provisioning, None, at.now);
    books.stands(grant.id, GrantState::Provisioning, None);
    bring_in_line(&mut change, &mut books, (&grant.subject, &grant.app), at);
    Some(change)
}

/// Orders what a grant gives in an app that the desk did not write to when it was given. The grant stays as it is: what the app
/// refuses is tried again, and no person loses by a connector that is not right yet. `None` where nothing is missing.
pub fn adopt(ticket: &Ticket, grant: &Grant, at: &At<'_>) -> Option<Change> {
    let mut books = at.review().books();
    let key = (&grant.subject, &grant.app);
    if grant.has_ended(at.now) || !is_connected(key.1, at.organisation) {
        return None;
    }
    let mut change = Change::next(ticket, at, Vec::new());
    let known = books.ops.len();
    bring_in_line(&mut change, &mut books, key, at);
    (books.ops.len() > known).then_some(change)
}

/// Orders that all is taken from one who has left and holds something by default, with no grant. `None` where nothing is left, or is
/// on its way already.
pub fn take_rest(ticket: &Ticket, grant: &Grant, at: &At<'_>) -> Option<Change> {
    let mut books = at.review().books();
    if at.organisation.is_active(&grant.subject) {
        return None;
    }
    let mut change = Change::next(ticket, at, Vec::new());
    let known = books.ops.len();
    bring_in_line(&mut change, &mut books, (&grant.subject, &grant.app), at);
    (books.ops.len() > known).then_some(change)
}

fn take_one(change: &mut Change, books: &mut Books, op: Op, report: &Report, at: &At<'_>) {
    let from_now = |wait: SignedDuration| later(at.now, wait);
    let again = from_now(backoff(op.attempt));
    let supported = books.grants.iter().any(|grant| {
        op.is_about((&grant.subject, &grant.app))
            && grant.state == GrantState::Active
            && !grant.has_ended(at.now)
            && grant.entitlements().contains(&op.entitlement)
    });
    let (state, not_before) = match report.came {
        Came::Found | Came::Verified => (OpState::Verified, at.now),
        // What the app has accepted may only show late; what was lost has waited already.
        Came::NotThere if op.state == OpState::Applied => (OpState::Planned, again),
        Came::NotThere => (OpState::Planned, at.now),
        Came::Applied => (OpState::Applied, from_now(SignedDuration::from_secs(1))),
        Came::Promised(until) => (OpState::Applied, until),
        // It is looked whether it is there, and not known yet.
        Came::Later(not_before) | Came::Forbidden(not_before) if is_looked_for(&op) => {
            (OpState::Unknown, not_before.max(from_now(SignedDuration::from_secs(1))))
        }
        Came::Later(not_before) | Came::Forbidden(not_before) => {
            (OpState::Waiting, not_before.max(from_now(SignedDuration::from_secs(1))))
        }
        Came::Unknown if op.state == OpState::Unknown => (OpState::Unknown, from_now(longer(&op))),
        Came::Unknown => (OpState::Unknown, again),
        Came::UnknownUntil(not_before) => (OpState::Unknown, not_before.max(from_now(SignedDuration::from_secs(1)))),
        // What is to go is never given up, nor is what a person holds by a grant that the app has had.
        Came::Rejected if op.direction == Direction::Revoke || supported => (OpState::Waiting, from_now(BACKOFF_MAX)),
        Came::Rejected => (OpState::Rejected, at.now),
        Came::ByHand => (OpState::Waiting, from_now(BY_HAND)),
    };
    let said = cut(&report.said).to_owned();
    let left = may_be_left(&op, &report.came, at);
    let op = Op { state, not_before, said, changed_at: at.now, ..op };
    write(change, books, op.clone());
    if left && state == OpState::Rejected {
        look_for(change, books, &op, at.now, at);
    } else if left && report.came == Came::ByHand {
        hold(change, books, held_by(&op, false, at.now));
    }
    match state {
        OpState::Verified => verified(change, books, &op, report.came == Came::Found, at),
        OpState::Rejected => compensate(change, books, &op, at),
        OpState::Planned
        | OpState::Sent
        | OpState::Unknown
        | OpState::Applied
        | OpState::Waiting
        | OpState::Superseded => {}
    }
}

/// Whether an order takes away what may not be there, so that it is looked for first.
pub fn is_looked_for(op: &Op) -> bool {
    op.direction == Direction::Revoke && op.state == OpState::Unknown && op.is_unsent()
}

/// Whether an order that stops here may have left something in the app all the same: that counts as held until it is read back as gone.
fn may_be_left(op: &Op, came: &Came, at: &At<'_>) -> bool {
    match (op.direction, came) {
        (Direction::Revoke, _) => false,
        // The half of it may be there.
        (Direction::Replace, Came::Rejected) => true,
        // An attempt before this one may have had its effect, which shows late, or of which the app says nothing.
        (Direction::Grant, Came::Rejected) => op.attempt > 1,
        // It was sent, and it can no longer be read whether it is there.
        (_, Came::ByHand) => !may_be_sent(op.state) && !is_by_hand(&op.app, at.organisation),
        _ => false,
    }
}

/// Writes what a person holds after an order was read back as done.
fn verified(change: &mut Change, books: &mut Books, op: &Op, found: bool, at: &At<'_>) {
    let mut gone = vec![];
    if op.direction == Direction::Revoke {
        gone.push(op.entitlement.clone());
    }
    gone.extend(op.replaces.clone().map(Entitlement::Tier));
    let is_gone =
        |holding: &&Holding| op.is_about((&holding.subject, &holding.app)) && gone.contains(&holding.entitlement);
    for holding in books.holdings.iter().filter(is_gone).cloned().collect::<Vec<_>>() {
        drop_holding(change, books, &holding, false, at);
    }
    if op.direction != Direction::Revoke {
        // A replacement that was found done gives what a grant of the desk had given in another form.
        hold(change, books, held_by(op, found && op.direction == Direction::Grant, at.now));
    }
}

/// The holding that an order gives.
pub(super) fn held_by(op: &Op, preexisting: bool, since: Timestamp) -> Holding {
    Holding {
        subject: op.subject.clone(),
        app: op.app.clone(),
        entitlement: op.entitlement.clone(),
        preexisting,
        grant: op.grant,
        ticket: op.ticket,
        since,
    }
}

fn backoff(attempt: u32) -> SignedDuration {
    let times = 1_i32.checked_shl(attempt.saturating_sub(1).min(20)).unwrap_or(i32::MAX);
    BACKOFF_MIN.checked_mul(times).map_or(BACKOFF_MAX, |wait| wait.min(BACKOFF_MAX))
}

/// The wait of an order of which it is still not known what came of it: twice as long as the last. No attempt is made meanwhile that would
/// make it longer.
fn longer(op: &Op) -> SignedDuration {
    let last = op.not_before.duration_since(op.changed_at);
    last.checked_mul(2).map_or(BACKOFF_MAX, |wait| wait.clamp(backoff(op.attempt), BACKOFF_MAX))
}

fn cut(said: &str) -> &str {
    said.get(..said.floor_char_boundary(SAID_BYTES_MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_an_hour() {
        let waits: Vec<i64> = [0, 1, 2, 3, 11, 12, u32::MAX].map(|n| backoff(n).as_secs()).into();
        assert_eq!(waits, [2, 2, 4, 8, 2048, 3600, 3600]);
    }
}
