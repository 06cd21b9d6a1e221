//! The difference between what a person is to hold in an app and what they hold there, as orders.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::progress::{CHECK_EVERY, held_by, is_looked_for, waits_for_person};
use super::{Books, Direction, Entitlement, Holding, Op, OpState};
use crate::desk::access::ending::{sessions_until, stands};
use crate::desk::access::{AccessWrite, EndReason, Grant, GrantState, LedgerEntry, LedgerEvent};
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::change::message::MessageKind;
use crate::desk::change::timer::{TimerKind, TimerWrite};
use crate::desk::id::{AppId, GrantId, PersonId, TicketId, TierId};
use crate::desk::organisation::Organisation;
use crate::desk::organisation::connector::Kind;
use crate::desk::sla::later;
use crate::desk::ticket::timeline::{AccessOutcome, Event};

/// The longest wait before an app is looked at for what an order may have left there.
const LATE_MAX: SignedDuration = SignedDuration::from_mins(1);

/// Whose access to which app.
pub type Key<'a> = (&'a PersonId, &'a AppId);
/// All that a person is to hold in an app, each with the grants that are the reason.
type Wanted<'g> = BTreeMap<Entitlement, Vec<&'g Grant>>;

/// Whether the desk writes to the app.
pub fn is_connected(app: &AppId, organisation: &Organisation) -> bool {
    organisation.connector_of(app).is_some()
}

/// Whether a person does in the app what the desk orders.
pub(super) fn is_by_hand(app: &AppId, organisation: &Organisation) -> bool {
    organisation.connector_of(app).is_none_or(|connector| connector.kind == Kind::Manual)
}

/// All that a person is to hold in an app, each with the grants that are the reason. Where an app has one licence tier at a
/// time, that is the highest of all (I11).
pub fn wanted<'g>(
    grants: &'g [Grant],
    (subject, app): Key<'_>,
    organisation: &Organisation,
    now: Timestamp,
) -> Wanted<'g> {
    let of = |grant: &&Grant| {
        let begun = grant.state != GrantState::Scheduled;
        grant.subject == *subject && grant.app == *app && begun && !grant.has_ended(now)
    };
    let mut wanted = Wanted::new();
    for grant in grants.iter().filter(of) {
        for entitlement in grant.entitlements() {
            wanted.entry(entitlement).or_default().push(grant);
        }
    }
    let catalog = organisation.apps.get(app);
    if catalog.is_some_and(|app| app.one_tier) {
        let order = |tier: &str| catalog.and_then(|app| app.tier(tier)).map_or(0, |(order, _)| order + 1);
        let tiers = wanted.keys().filter_map(Entitlement::tier);
        let highest = tiers.max_by_key(|tier| order(tier.as_str())).cloned();
        wanted.retain(|entitlement, _| entitlement.tier().is_none_or(|tier| Some(tier) == highest.as_ref()));
    }
    wanted
}

/// Brings the orders for a person's access to an app in line with their grants, and moves the grants whose orders have come to
/// their end. All of it goes into the change under way.
pub fn bring_in_line(change: &mut Change, books: &mut Books, key: Key<'_>, at: &At<'_>) {
    if !is_connected(key.1, at.organisation) && !books.has_anything(key) {
        return;
    }
    // Moving a grant may end what another order was planned for; it comes to its end because states only go forward.
    for _ in 0..=books.grants.len() {
        order(change, books, key, at);
        if !settle(change, books, key, at) {
            break;
        }
    }
    wake(change, books, key);
}

/// Has the job look at each ticket's orders when the first of them is due.
fn wake(change: &mut Change, books: &Books, key: Key<'_>) {
    let mut due: BTreeMap<TicketId, Timestamp> = BTreeMap::new();
    for op in books.ops.iter().filter(|op| op.is_about(key) && op.state.is_open()) {
        due.entry(op.ticket).and_modify(|at| *at = op.not_before.min(*at)).or_insert(op.not_before);
    }
    let kind = TimerKind::Provision;
    change.timers.extend(due.into_iter().map(|(ticket, due_at)| TimerWrite::Set { kind, ticket, due_at }));
}

/// Writes an order as it stands now, and says so in the ledger.
pub(super) fn write(change: &mut Change, books: &mut Books, op: Op) {
    let event = LedgerEvent::Op { op: op.clone() };
    change.ledger.push(LedgerEntry { at: op.changed_at, ticket: op.ticket, event });
    change.access.push(AccessWrite::Op(op.clone()));
    match books.ops.iter_mut().find(|known| known.id == op.id) {
        Some(known) => *known = op,
        None => books.ops.push(op),
    }
}

/// Notes that a person holds something in the app.
pub(super) fn hold(change: &mut Change, books: &mut Books, holding: Holding) {
    let event = LedgerEvent::Holds {
        grant: holding.grant,
        subject: holding.subject.clone(),
        app: holding.app.clone(),
        entitlement: holding.entitlement.clone(),
        preexisting: holding.preexisting,
    };
    change.ledger.push(LedgerEntry { at: holding.since, ticket: holding.ticket, event });
    change.access.push(AccessWrite::Hold(holding.clone()));
    books.holdings.retain(|known| !known.is_same(&holding));
    books.holdings.push(holding);
}

/// Notes that a person holds something in the app no more, or that it is left there as none of the desk's. Of
/// a person who has left nothing is left.
pub(super) fn drop_holding(change: &mut Change, books: &mut Books, holding: &Holding, kept: bool, at: &At<'_>) {
    let event = LedgerEvent::HoldsNoMore {
        grant: holding.grant,
        subject: holding.subject.clone(),
        app: holding.app.clone(),
        entitlement: holding.entitlement.clone(),
        kept,
    };
    change.ledger.push(LedgerEntry { at: at.now, ticket: holding.ticket, event });
    change.access.push(AccessWrite::Drop(holding.clone()));
    books.holdings.retain(|known| !known.is_same(holding));
}

impl Holding {
    fn is_same(&self, other: &Holding) -> bool {
        (&self.subject, &self.app, &self.entitlement) == (&other.subject, &other.app, &other.entitlement)
    }
}

/// The orders that are on their way, by what they are about.
fn open<'b>(books: &'b Books, key: Key<'_>) -> BTreeMap<Entitlement, &'b Op> {
    let ops = books.ops.iter().filter(|op| op.is_about(key) && op.state.is_open());
    let mut open = BTreeMap::new();
    for op in ops {
        open.insert(op.entitlement.clone(), op);
        open.extend(op.replaces.clone().map(|tier| (Entitlement::Tier(tier), op)));
    }
    open
}

fn held(books: &Books, (subject, app): Key<'_>) -> BTreeMap<Entitlement, Holding> {
    let of = |holding: &&Holding| holding.subject == *subject && holding.app == *app;
    books.holdings.iter().filter(of).map(|holding| (holding.entitlement.clone(), holding.clone())).collect()
}

/// All that a person is to hold in an app, and the tier that they keep there by default: where no grant of theirs is left, who is
/// here and has an account that a grant had given (I11).
fn to_hold<'g>(grants: &'g [Grant], books: &Books, key: Key<'_>, at: &At<'_>) -> (Wanted<'g>, Option<TierId>) {
    let mut all = wanted(grants, key, at.organisation, at.now);
    let app = at.organisation.apps.get(key.1).filter(|app| app.one_tier);
    let here = at.organisation.is_active(key.0);
    // Of a grant that the app has refused, nothing stays.
    let refused = |holding: &Holding| {
        grants.iter().any(|grant| grant.id == holding.grant && grant.state == GrantState::Compensating)
    };
    let account = held(books, key).remove(&Entitlement::Account);
    // Nor is one given of which it is still looked whether it is there.
    let unknown = open(books, key).get(&Entitlement::Account).is_some_and(|op| is_looked_for(op));
    let given = account.is_some_and(|account| !account.preexisting && !refused(&account)) && !unknown;
    let tier = app.and_then(|app| app.default_tier.clone()).filter(|_| all.is_empty() && here && given);
    if let Some(tier) = &tier {
        let reasons = grants.iter().filter(|grant| grant.subject == *key.0 && grant.app == *key.1);
        all.insert(Entitlement::Account, Vec::new());
        all.insert(Entitlement::Tier(tier.clone()), reasons.collect());
    }
    (all, tier)
}

/// Plans what is missing, drops what was planned and is not wanted any more. Orders that may have reached the app are left to
/// come to their end: what they leave is looked at again then.
fn order(change: &mut Change, books: &mut Books, key: Key<'_>, at: &At<'_>) {
    let grants = books.grants.clone();
    let (wanted, _) = to_hold(&grants, books, key, at);
    supersede(change, books, key, &wanted, at);
    let held = held(books, key);
    let replaced = give_missing(change, books, key, (&wanted, &held), at);
    let is_over =
        |holding: &&Holding| !wanted.contains_key(&holding.entitlement) && !replaced.contains(&holding.entitlement);
    for holding in held.values().filter(is_over) {
        end_holding(change, books, key, holding, at);
    }
}

/// Drops the orders that are not wanted any more and of which nothing is in the app. Where something may be, it is looked for.
fn supersede(change: &mut Change, books: &mut Books, key: Key<'_>, wanted: &Wanted<'_>, at: &At<'_>) {
    let how = Manner::of(key.1, at.organisation);
    for op in open(books, key).into_values().cloned().collect::<Vec<_>>() {
        let is_wanted = wanted.contains_key(&op.entitlement) == (op.direction != Direction::Revoke);
        if is_wanted || !books.ops.contains(&op) {
            continue;
        }
        let soon = op.not_before.clamp(at.now, later(at.now, LATE_MAX));
        match trace(&op, how) {
            Trace::Left => {}
            Trace::Nothing => write(change, books, Op { state: OpState::Superseded, changed_at: at.now, ..op }),
            // It counts as held: it is looked whether it still is.
            Trace::Perhaps if op.direction == Direction::Revoke => {
                write(change, books, Op { state: OpState::Unknown, not_before: soon, changed_at: at.now, ..op });
            }
            Trace::Perhaps => {
                let stopped = Op { state: OpState::Superseded, changed_at: at.now, ..op };
                write(change, books, stopped.clone());
                look_for(change, books, &stopped, soon, at);
            }
        }
    }
}

/// Has it looked, from some time on, whether an order that has stopped left something in the app: that counts as held until it was read
/// back as gone.
pub(super) fn look_for(change: &mut Change, books: &mut Books, stopped: &Op, from: Timestamp, at: &At<'_>) {
    hold(change, books, held_by(stopped, false, at.now));
    let (key, of) = ((&stopped.subject, &stopped.app), (stopped.ticket, stopped.grant));
    let end = planned(books, key, of, (stopped.entitlement.clone(), Direction::Revoke), at);
    // It is not dropped before the look, also where another grant gives the same by then: of what is not there, nothing is held.
    write(change, books, Op { state: OpState::Unknown, not_before: from, ..end });
}

/// Plans what is wanted and not held, and returns what goes by that: in an app with one tier at a time, the tier before.
fn give_missing(
    change: &mut Change,
    books: &mut Books,
    key: Key<'_>,
    (wanted, held): (&Wanted<'_>, &BTreeMap<Entitlement, Holding>),
    at: &At<'_>,
) -> BTreeSet<Entitlement> {
    let one_tier = at.organisation.apps.get(key.1).is_some_and(|app| app.one_tier);
    let mut replaced = BTreeSet::new();
    for (entitlement, reasons) in wanted.iter().filter(|(entitlement, _)| !held.contains_key(entitlement)) {
        let open: BTreeSet<Entitlement> = open(books, key).into_keys().collect();
        if open.contains(entitlement) {
            continue;
        }
        let Some(reason) = reasons.iter().find(|grant| grant.state == GrantState::Provisioning).or(reasons.first())
        else {
            continue;
        };
        let mut given = held.values().filter(|holding| !holding.preexisting && !open.contains(&holding.entitlement));
        let before = given.find_map(|holding| holding.entitlement.tier());
        let replaces = before.filter(|_| one_tier && entitlement.tier().is_some()).cloned();
        replaced.extend(replaces.clone().map(Entitlement::Tier));
        let direction = if replaces.is_some() { Direction::Replace } else { Direction::Grant };
        let op = planned(books, key, (reason.ticket, reason.id), (entitlement.clone(), direction), at);
        write(change, books, Op { replaces, ..op });
    }
    replaced
}

/// Plans the end of what a person holds and is not to. What was there before any grant stays with one who is here.
fn end_holding(change: &mut Change, books: &mut Books, key: Key<'_>, holding: &Holding, at: &At<'_>) {
    let entitlement = &holding.entitlement;
    if holding.preexisting && at.organisation.is_active(key.0) {
        drop_holding(change, books, holding, true, at);
    } else if !open(books, key).contains_key(entitlement) {
        let ended = |grant: &&Grant| {
            grant.subject == *key.0 && grant.app == *key.1 && grant.entitlements().contains(entitlement)
        };
        let last = books.grants.iter().filter(ended).max_by_key(|grant| (grant.state.is_under_way(), grant.id));
        let from = last.map_or((holding.ticket, holding.grant), |grant| (grant.ticket, grant.id));
        let op = planned(books, key, from, (entitlement.clone(), Direction::Revoke), at);
        write(change, books, op);
    }
}

/// How orders to an app are carried out.
#[derive(Clone, Copy)]
struct Manner {
    by_hand: bool,
    takes_by_halves: bool,
}

impl Manner {
    fn of(app: &AppId, organisation: &Organisation) -> Manner {
        let halves = organisation.connector_of(app).is_some_and(|connector| connector.kind.takes_by_halves());
        Manner { by_hand: is_by_hand(app, organisation), takes_by_halves: halves }
    }
}

/// How much of an order may be in the app.
#[derive(Clone, Copy)]
enum Trace {
    Nothing,
    /// It may be, and no answer about the order will say so.
    Perhaps,
    /// It goes on to its end.
    Left,
}

fn trace(op: &Op, how: Manner) -> Trace {
    // What may have been done by half goes on to its end once it was sent.
    let by_halves = match op.direction {
        Direction::Grant => false,
        Direction::Replace => true,
        Direction::Revoke => how.takes_by_halves,
    };
    match op.state {
        OpState::Planned | OpState::Waiting if op.is_unsent() => Trace::Nothing,
        OpState::Planned | OpState::Waiting if by_halves => Trace::Left,
        // It was sent and did not show; an app may show it late.
        OpState::Planned if op.direction == Direction::Grant && !how.by_hand => Trace::Perhaps,
        OpState::Planned => Trace::Nothing,
        // Of what a person was asked to do, it is not known whether they have done it.
        OpState::Waiting if how.by_hand => Trace::Left,
        OpState::Waiting if waits_for_person(op) => Trace::Perhaps,
        OpState::Waiting => Trace::Nothing,
        OpState::Sent | OpState::Unknown | OpState::Applied => Trace::Left,
        OpState::Verified | OpState::Rejected | OpState::Superseded => Trace::Left,
    }
}

fn planned(
    books: &Books,
    (subject, app): Key<'_>,
    (ticket, grant): (TicketId, GrantId),
    (entitlement, direction): (Entitlement, Direction),
    at: &At<'_>,
) -> Op {
    let same = |op: &&Op| op.is_about((subject, app)) && op.entitlement == entitlement;
    let generation = books.ops.iter().filter(same).map(|op| op.generation).max().unwrap_or_default() + 1;
    Op {
        id: at.op_id(),
        ticket,
        grant,
        subject: subject.clone(),
        app: app.clone(),
        entitlement,
        direction,
        replaces: None,
        generation,
        state: OpState::Planned,
        attempt: 0,
        not_before: at.now,
        said: String::new(),
        planned_at: at.now,
        changed_at: at.now,
    }
}

/// Moves grants whose orders have come to their end; whether one has moved.
fn settle(change: &mut Change, books: &mut Books, key: Key<'_>, at: &At<'_>) -> bool {
    let grants = books.grants.clone();
    let (wanted, kept) = to_hold(&grants, books, key, at);
    let (held, open) = (held(books, key), open(books, key));
    let mut moved = Vec::new();
    for grant in grants.iter().filter(|grant| grant.subject == *key.0 && grant.app == *key.1) {
        let all = grant.entitlements();
        let there = all.iter().all(|e| !wanted.contains_key(e) || (held.contains_key(e) && !open.contains_key(e)));
        let gone = all.iter().all(|e| wanted.contains_key(e) || (!held.contains_key(e) && !open.contains_key(e)));
        let next = match grant.state {
            // One whose time is over is not there: it ends next.
            GrantState::Provisioning if there && !grant.has_ended(at.now) => GrantState::Active,
            GrantState::Deprovisioning if gone => GrantState::Ended,
            GrantState::Compensating if gone => GrantState::Failed,
            _ => continue,
        };
        moved.push((grant.clone(), next));
    }
    for (grant, state) in &moved {
        stands(change, grant, *state, grant.end_reason, at.now);
        books.stands(grant.id, *state, None);
        say(change, grant, (*state, kept.as_ref()), at);
        let check = (*state == GrantState::Active).then(|| later(at.now, CHECK_EVERY));
        change.timers.push(TimerWrite::due(TimerKind::AccessCheck, grant.ticket, check));
    }
    !moved.is_empty()
}

/// Says in the ticket's timeline where a grant has come to, and tells its holder.
fn say(change: &mut Change, grant: &Grant, (state, kept): (GrantState, Option<&TierId>), at: &At<'_>) {
    let (outcome, detail) = match state {
        GrantState::Active => (AccessOutcome::Provisioned, "the app has it: it was read back there"),
        GrantState::Ended => (AccessOutcome::Gone, "the app does not have it any more: it was read back there"),
        GrantState::Failed => (AccessOutcome::Gone, "the app refused it, and nothing of it is left there"),
        GrantState::Scheduled | GrantState::Provisioning | GrantState::Deprovisioning | GrantState::Compensating => {
            return;
        }
    };
    let until = (state == GrantState::Ended).then(|| sessions_until(change, grant, at)).flatten();
    let sessions = until.map(|until| format!("; sessions that are open there may go on until {until:.0}"));
    let detail = match kept {
        Some(tier) if state == GrantState::Ended => format!("the person keeps the tier `{tier}`, as all do by default"),
        _ => detail.to_owned(),
    };
    let detail = detail + &sessions.unwrap_or_default();
    // The timeline of another ticket is not the change's to write.
    if grant.ticket == change.after().id {
        let event = Event::AccessDecided { outcome, detail };
        change.entries.push(at.public(Author::System, event));
    }
    change.messages.push(at.message(grant.ticket, MessageKind::StateChanged, &grant.subject));
}

/// Takes a grant back because the app refused a part of it.
pub(super) fn compensate(change: &mut Change, books: &mut Books, refused: &Op, at: &At<'_>) {
    let gives = |grant: &&Grant| {
        refused.is_about((&grant.subject, &grant.app))
            && grant.state == GrantState::Provisioning
            && grant.entitlements().contains(&refused.entitlement)
    };
    for grant in books.grants.iter().filter(gives).cloned().collect::<Vec<_>>() {
        stands(change, &grant, GrantState::Compensating, Some(EndReason::Refused), at.now);
        books.stands(grant.id, GrantState::Compensating, Some(EndReason::Refused));
        for kind in [TimerKind::AccessExpiry, TimerKind::AccessReminder] {
            change.timers.push(TimerWrite::Cancel { kind, ticket: grant.ticket });
        }
        let event = Event::AccessDecided { outcome: AccessOutcome::Attention, detail: refused.said.clone() };
        change.entries.push(at.internal(Author::System, event));
    }
}
