//! Access that a ticket gave ends, and its holder hears before.

use crate::app::jobs::{Claimed, Outcome};
use crate::app::{App, Error};

/// Ends it.
pub async fn run(app: &App, claimed: &Claimed) -> Result<Outcome, Error> {
    done_where_gone(app.expire_if_over(claimed.ticket).await)
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
