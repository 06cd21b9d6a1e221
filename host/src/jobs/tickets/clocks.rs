//! A promise about a ticket comes to a share of its time at which something is done.

use std::collections::BTreeSet;

use crate::app::jobs::{Claimed, Outcome};
use crate::app::{App, Error};
use crate::desk::id::TicketId;

/// The most timers that are looked after in one transaction: what is written with them is read again by nothing else meanwhile.
pub const CLOCKS_TOGETHER_MAX: usize = 256;

pub async fn run(app: &App, claimed: &Claimed) -> Result<Outcome, Error> {
    app.watch_promises(claimed.ticket).await
}

/// Looks after many in one transaction; the tickets with which that is done. The others are for [`run`], one by one.
pub async fn run_together(app: &App, claimed: &[Claimed]) -> BTreeSet<TicketId> {
    // One that was begun before and came to no end is tried by itself.
    let fresh: Vec<&Claimed> = claimed.iter().filter(|claimed| claimed.attempts == 1).collect();
    let ids: Vec<TicketId> = fresh.iter().map(|claimed| claimed.ticket).collect();
    let written = async {
        let came = app.watch_promises_together(&ids).await?;
        let ended: Vec<(&Claimed, Outcome)> =
            fresh.iter().filter_map(|claimed| Some((*claimed, *came.get(&claimed.ticket)?))).collect();
        // Where a change has set a timer again, its claim holds no longer, and this leaves it alone.
        app.jobs.settle_timers(&ended).await?;
        Ok::<_, Error>(came.into_keys().collect())
    };
    match written.await {
        Ok(done) => done,
        Err(error) => {
            tracing::warn!(%error, timers = ids.len(), "promises were not looked after together: each is by itself");
            BTreeSet::new()
        }
    }
}
