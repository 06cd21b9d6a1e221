//! Access that a ticket gave begins at its time and ends at its time, and its holder hears before.

use std::collections::BTreeSet;

pub use crate::app::access::ending::ENDS_TOGETHER_MAX;
use crate::app::jobs::{Claimed, Outcome};
use crate::app::{App, Error};
use crate::desk::id::TicketId;

/// Ends it.
pub async fn run(app: &App, claimed: &Claimed) -> Result<Outcome, Error> {
    done_where_gone(app.expire_if_over(claimed.ticket).await)
}

/// Ends what these tickets gave, many in one transaction; the tickets with which that was done, whose timers went with it. The
/// others are for [`run`], one by one: one that cannot be written holds up no other.
pub async fn run_together(app: &App, claimed: &[Claimed]) -> BTreeSet<TicketId> {
    // One that was begun before and came to no end is tried by itself.
    let fresh = claimed.iter().filter(|claimed| claimed.attempts == 1);
    let mut left: Vec<TicketId> = fresh.map(|claimed| claimed.ticket).collect();
    let mut done = BTreeSet::new();
    // Each round ends one grant of each person in each app.
    while !left.is_empty() {
        let ended = match app.expire_together(&left).await {
            Ok(ended) => ended,
            Err(error) => {
                tracing::warn!(%error, ends = left.len(), "ends of access were not written together: each is tried by itself");
                break;
            }
        };
        if ended.is_empty() {
            break;
        }
        left.retain(|ticket| !ended.contains(ticket));
        done.extend(ended);
    }
    done
}

/// Begins it.
pub async fn begin(app: &App, claimed: &Claimed) -> Result<Outcome, Error> {
    done_where_gone(app.begin_if_due(claimed.ticket).await)
}

/// Says that it ends soon.
pub async fn remind(app: &App, claimed: &Claimed) -> Result<Outcome, Error> {
    done_where_gone(app.remind_of_end(claimed.ticket).await)
}

/// Takes back what no reviewer has kept in time.
pub async fn review(app: &App, claimed: &Claimed) -> Result<Outcome, Error> {
    done_where_gone(app.end_reviews(claimed.ticket).await)
}

fn done_where_gone(came: Result<Outcome, Error>) -> Result<Outcome, Error> {
    match came {
        Err(Error::Missing { .. }) => Ok(Outcome::Done),
        came => came,
    }
}
