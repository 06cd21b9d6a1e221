//! Access that a ticket gave begins at its time and ends at its time, and its holder hears before.

use crate::app::jobs::{Claimed, Outcome};
use crate::app::{App, Error};

/// Ends it.
pub async fn run(app: &App, claimed: &Claimed) -> Result<Outcome, Error> {
    done_where_gone(app.expire_if_over(claimed.ticket).await)
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
