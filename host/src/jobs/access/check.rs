//! Access that is granted is read again in the app, day by day: what is missing there is said, and given again or ended.

use jiff::{SignedDuration, Timestamp};

use crate::app::access::provision::Order;
use crate::app::jobs::{Claimed, Outcome};
use crate::app::{App, Error};
use crate::connectors::apps::Effect;
use crate::desk::access::provisioning::Entitlement;
use crate::desk::access::provisioning::progress::{CHECK_EVERY, Came};
use crate::jobs::ways::Ways;

/// Reads all that the ticket's grant gives.
pub async fn run(app: &App, ways: &Ways, claimed: &Claimed) -> Result<Outcome, Error> {
    let now = app.clock.now();
    let mut missing = Vec::new();
    let orders = app.held_by_grants_of(claimed.ticket).await?;
    for order in &orders {
        let Some(connector) = &order.connector else { continue };
        if let Some(until) = app.pauses.alone_until(&connector.id, now) {
            return Ok(Outcome::NotBefore(until));
        }
        let Some(opened) = ways.apps.open(connector, now).ok().flatten() else { continue };
        let effect = Effect { op: &order.op, account: &order.account };
        // Twice, so that an app that shows things late is not taken at its first word.
        match opened.look(effect).await {
            (Came::NotThere, _) => {
                if let (Came::NotThere, said) = opened.look(effect).await {
                    missing.push((order.op.entitlement.clone(), said));
                }
            }
            (Came::Found | Came::Verified, _) => {}
            (Came::Later(until) | Came::UnknownUntil(until), _) if until > now => {
                app.pauses.leave_alone(&connector.id, now, until);
                return Ok(Outcome::NotBefore(until));
            }
            (_, said) => {
                let (app, entitlement) = (&order.op.app, &order.op.entitlement);
                tracing::warn!(%app, %entitlement, said, "an app does not say whether it still has access that is granted: nothing follows from it");
            }
        }
    }
    sign_in(app, ways, &orders).await?;
    let Some(grant) = orders.first().map(|order| order.op.grant) else { return Ok(Outcome::Done) };
    if !missing.is_empty() {
        tracing::warn!(ticket = %claimed.ticket, missing = missing.len(), "an app has lost access that is granted");
        app.found_missing(grant, &missing).await?;
    }
    Ok(Outcome::NotBefore(later(now, CHECK_EVERY)))
}

/// Reads when the person has signed in last, where the app says that.
async fn sign_in(app: &App, ways: &Ways, orders: &[Order]) -> Result<(), Error> {
    let now = app.clock.now();
    let account = |order: &&Order| order.op.entitlement == Entitlement::Account;
    let Some(order) = orders.iter().find(account) else { return Ok(()) };
    let place = order.connector.as_ref().and_then(|connector| Some((connector, connector.last_sign_in.as_deref()?)));
    let Some((connector, place)) = place else { return Ok(()) };
    let Some(opened) = ways.apps.open(connector, now).ok().flatten() else { return Ok(()) };
    match opened.last_sign_in(Effect { op: &order.op, account: &order.account }, place).await {
        Ok(last) => app.saw_sign_in((&order.op.subject, &order.op.app), last).await,
        Err(why) => {
            tracing::warn!(app = %order.op.app, %why, "an app does not say when a person has signed in last: it is asked again in a day");
            Ok(())
        }
    }
}

fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}
