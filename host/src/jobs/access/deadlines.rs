//! The time is over in which an access request can be approved.

use crate::app::jobs::{Claimed, Outcome};
use crate::app::{App, Error};

pub async fn run(app: &App, claimed: &Claimed) -> Result<Outcome, Error> {
    app.deny_if_overdue(claimed.ticket).await
}
