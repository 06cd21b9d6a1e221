//! The time in which an access request can be approved: those who are awaited hear of it again, more people are asked, and at its end
//! the request is denied.

use crate::app::jobs::{Claimed, Outcome};
use crate::app::{App, Error};

pub async fn run(app: &App, claimed: &Claimed) -> Result<Outcome, Error> {
    app.deny_if_overdue(claimed.ticket).await
}

/// Lets those hear of it again whom it awaits.
pub async fn nudge(app: &App, claimed: &Claimed) -> Result<Outcome, Error> {
    app.remind_approvers(claimed.ticket).await
}

/// Takes it to more people.
pub async fn escalate(app: &App, claimed: &Claimed) -> Result<Outcome, Error> {
    app.escalate_access(claimed.ticket).await
}
