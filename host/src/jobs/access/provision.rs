//! Orders are carried out in apps: looked at before anything is sent, sent, and read back. What is about to be sent is written
//! first, and what came of it after; a host that dies between the two leaves an order that is looked at before it is sent again.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::app::access::provision::{Order, Orders, crash};
use crate::app::jobs::{Claimed, Outcome};
use crate::app::{App, Error, clock};
use crate::connectors::apps::{self, Effect};
use crate::desk::access::provisioning::progress::{Came, Report, may_be_sent};
use crate::desk::access::provisioning::{Direction, Op, OpState};
use crate::desk::id::OpId;
use crate::desk::organisation::connector::{Connector, Kind};
use crate::jobs::ways::Ways;

/// How long a run begins new orders. What it has begun then has its own bounds, within those of a run.
const BEGIN_MAX: Duration = Duration::from_secs(10);
/// How long a run begins to send what it has looked at. An app that takes its time with each call would else take the whole of a run, and
/// nothing that came of it would be written.
const SEND_MAX: Duration = Duration::from_secs(15);
/// The words about an order to an app that has no connector which could carry it out.
const BY_HAND: &str = "a person does it by hand, and says so";
/// How often a run looks for orders: each look may free others, such as those that wait for an account.
const LOOKS_MAX: usize = 12;

/// Carries out the orders of a ticket that are due.
pub async fn run(app: &App, ways: &Ways, claimed: &Claimed) -> Result<Outcome, Error> {
    let begun = clock::instant();
    for _ in 0..LOOKS_MAX {
        let orders = app.orders(claimed.ticket).await?;
        if orders.due.is_empty() || begun.elapsed() > BEGIN_MAX {
            return Ok(rest(app, &orders));
        }
        let (mut free, mut again) = (Vec::new(), orders.next);
        for order in orders.due {
            match paused(app, &order, app.clock.now()) {
                Some(until) => again = again.into_iter().chain([until]).min(),
                None => free.push(order),
            }
        }
        // Nothing is written of those that wait for their app: there may be very many.
        if free.is_empty() {
            return Ok(again.map_or(Outcome::Done, Outcome::NotBefore));
        }
        carry_out(app, ways, &free, begun).await?;
    }
    Ok(rest(app, &app.orders(claimed.ticket).await?))
}

/// When a ticket's orders are to be looked at again: at once where some are due.
fn rest(app: &App, orders: &Orders) -> Outcome {
    let at_once = (!orders.due.is_empty()).then(|| app.clock.now());
    at_once.or(orders.next).map_or(Outcome::Done, Outcome::NotBefore)
}

/// Looks at orders, sends those that have to be, and has all that came of it written. Those for which the run has no time left come in the
/// next one.
async fn carry_out(app: &App, ways: &Ways, orders: &[Order], begun: Instant) -> Result<(), Error> {
    let now = app.clock.now();
    let (mut reports, mut to_send) = (Vec::new(), Vec::new());
    for order in orders {
        if begun.elapsed() > BEGIN_MAX {
            break;
        }
        match look(app, ways, order, now).await {
            Some(report) => reports.push(report),
            None => to_send.push(order),
        }
    }
    let Some(grant) = orders.first().map(|order| order.op.grant) else { return Ok(()) };
    if !reports.is_empty() {
        pause(app, orders, &reports);
        app.take_reports(grant, &reports).await?;
    }
    if to_send.is_empty() {
        return Ok(());
    }
    let ids: Vec<OpId> = to_send.iter().map(|order| order.op.id).collect();
    let mut reports = Vec::new();
    for (id, attempt) in app.sending(grant, &ids).await? {
        let Some(order) = to_send.iter().find(|order| order.op.id == id) else { continue };
        // It counts as sent, so that it is looked at first, once its time is over.
        if begun.elapsed() > SEND_MAX {
            break;
        }
        crash::point("send-before");
        reports.push(send(app, ways, order, attempt, now).await);
        crash::point("send-after");
    }
    pause(app, orders, &reports);
    app.take_reports(grant, &reports).await
}

/// Until when an order waits, since its app is left alone or had as many in this minute as it bears.
fn paused(app: &App, order: &Order, now: Timestamp) -> Option<Timestamp> {
    let connector = order.connector.as_ref()?;
    // For what the app is not asked at all, it need not be there; a message that is to be sent, it has to hear.
    let is_sent = matches!(connector.kind, Kind::Webhook(_) | Kind::Manual) && may_be_sent(order.op.state);
    if !is_sent && !connector.kind.reads(&order.op.entitlement.to_string()) {
        return None;
    }
    app.pauses.until(&connector.id, order.op.id, now).or_else(|| app.pauses.full_until(connector, now))
}

/// Leaves apps alone that ask for it or do not answer, for all orders of this host.
fn pause(app: &App, orders: &[Order], reports: &[Report]) {
    let now = app.clock.now();
    for report in reports {
        let order = orders.iter().find(|order| order.op.id == report.op);
        let Some((order, Connector { id, kind, .. })) = order.and_then(|one| Some((one, one.connector.as_ref()?)))
        else {
            continue;
        };
        // A look for which the app is not asked is no answer of the app.
        let is_silent = report.attempt == order.op.attempt && !kind.reads(&order.op.entitlement.to_string());
        match report.came {
            Came::Later(until) | Came::UnknownUntil(until) => app.pauses.leave_alone(id, now, until),
            Came::Unknown => app.pauses.has_not_answered(id, now),
            // What one order may not do, such as changing an administrator of the app, keeps no other waiting.
            Came::Forbidden(until) => app.pauses.was_forbidden(id, now, until),
            Came::Found | Came::Verified | Came::NotThere if is_silent => {}
            Came::Found | Came::Verified | Came::Applied | Came::Promised(_) => app.pauses.has_let(id),
            Came::NotThere | Came::Rejected => app.pauses.has_answered(id),
            Came::ByHand => {}
        }
    }
}

/// Looks at an order before it is sent; `None` where it has to be.
async fn look(app: &App, ways: &Ways, order: &Order, now: Timestamp) -> Option<Report> {
    let op = &order.op;
    let report = |came, said| Some(Report { op: op.id, attempt: op.attempt, came, said });
    let opened = match order.connector.as_ref().map_or(Ok(None), |connector| ways.apps.open(connector, now)) {
        Ok(Some(opened)) => opened,
        Ok(None) if may_be_sent(op.state) => return None,
        Ok(None) => return report(Came::ByHand, BY_HAND.to_owned()),
        Err(why) if may_be_sent(op.state) => return report(Came::Later(later(now)), why.to_string()),
        // It was sent, and may have been done.
        Err(why) => return report(Came::UnknownUntil(later(now)), why.to_string()),
    };
    let effect = Effect { op, account: &order.account };
    let first = op.is_unsent();
    if may_be_sent(op.state) && !first {
        return None;
    }
    let looked = opened.look(effect).await;
    keep(app, op, opened.as_ref()).await;
    match looked {
        (Came::Verified, said) if first => report(Came::Found, said),
        // One that could not be looked at before was never sent either: it is planned again first.
        (Came::NotThere, _) if first && may_be_sent(op.state) => None,
        // The app is busy, and what was sent before may have been done.
        (Came::Later(at), said) if !first => report(Came::UnknownUntil(at), said),
        (Came::Forbidden(_), said) if !first => report(Came::Unknown, said),
        // What is refused to be read was not sent, and what is wrong may be put right.
        (Came::Rejected, said) if first || op.state == OpState::Applied => report(Came::Rejected, said),
        (Came::Rejected, said) => report(Came::Unknown, said),
        (came, said) => report(came, said),
    }
}

/// Sends an order, and reads back what came of it.
async fn send(app: &App, ways: &Ways, order: &Order, attempt: u32, now: Timestamp) -> Report {
    let op = &order.op;
    let report = |came, said| Report { op: op.id, attempt, came, said };
    let opened = match order.connector.as_ref().map_or(Ok(None), |connector| ways.apps.open(connector, now)) {
        Ok(Some(opened)) => opened,
        Ok(None) => return report(Came::ByHand, BY_HAND.to_owned()),
        Err(why) => return report(Came::Later(later(now)), why.to_string()),
    };
    // The app hears the number of this attempt, which its answer names.
    let sent = Op { attempt, ..op.clone() };
    let effect = Effect { op: &sent, account: &order.account };
    let (came, sent) = opened.apply(effect).await;
    if came != Came::Applied {
        // Of what is gone already, by another's hand perhaps, an app may have nothing to take away.
        let refuses_end = came == Came::Rejected && op.direction == Direction::Revoke;
        let read = if refuses_end { Some(opened.look(effect).await) } else { None };
        keep(app, effect.op, opened.as_ref()).await;
        return match read {
            Some((Came::Verified, read)) => report(Came::Verified, format!("{sent}; {read}")),
            _ => report(came, sent),
        };
    }
    // All that it is made of was answered.
    let done = Op { state: OpState::Applied, ..effect.op.clone() };
    let looked = opened.look(Effect { op: &done, account: &order.account }).await;
    keep(app, effect.op, opened.as_ref()).await;
    match looked {
        (Came::Verified, read) => report(Came::Verified, format!("{sent}; {read}")),
        // The app may need a moment until it shows what it has accepted.
        (_, read) => report(Came::Applied, format!("{sent}; {read}")),
    }
}

/// Keeps what a component did. The order goes on where that cannot be written: what came of it is on the ledger.
async fn keep(app: &App, op: &Op, connector: &dyn apps::App) {
    let runs = connector.runs();
    if !runs.is_empty()
        && let Err(error) = app.keep_runs((op.id, op.attempt), runs).await
    {
        tracing::warn!(%error, order = %op.id, "the runs of a connector were not kept");
    }
}

fn later(now: Timestamp) -> Timestamp {
    now.checked_add(jiff::SignedDuration::from_mins(5)).unwrap_or(Timestamp::MAX)
}
