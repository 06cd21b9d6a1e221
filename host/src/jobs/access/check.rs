//! Access that is granted is read again in the app, day by day: what is missing there is said, and given again.

use jiff::{SignedDuration, Timestamp};

use crate::app::jobs::{Claimed, Outcome};
use crate::app::{App, Error};
use crate::connectors::apps::Effect;
use crate::desk::access::provisioning::progress::{CHECK_EVERY, Came};
use crate::jobs::ways::Ways;

/// Reads all that the ticket's grant gives.
pub async fn run(app: &App, ways: &Ways, claimed: &Claimed) -> Result<Outcome, Error> {
    let now = app.clock.now();
    let mut missing = Vec::new();
    let orders = app.held_by_grants_of(claimed.ticket).await?;
    for order in &orders {
        let connector = order.connector.as_ref().and_then(|connector| ways.apps.open(connector, now).ok().flatten());
        let Some(connector) = connector else { continue };
        let effect = Effect { op: &order.op, account: &order.account };
        // Twice, so that an app that shows things late is not taken at its first word.
        if let (Came::NotThere, _) = connector.look(effect).await
            && let (Came::NotThere, said) = connector.look(effect).await
        {
            missing.push((order.op.entitlement.clone(), said));
        }
    }
    let Some(grant) = orders.first().map(|order| order.op.grant) else { return Ok(Outcome::Done) };
    if !missing.is_empty() {
        tracing::warn!(ticket = %claimed.ticket, missing = missing.len(), "an app has lost access that is granted: it is given again");
        app.found_missing(grant, &missing).await?;
    }
    Ok(Outcome::NotBefore(later(now, CHECK_EVERY)))
}

fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}
