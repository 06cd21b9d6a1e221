//! A promise about a ticket comes to a share of its time at which something is done.

use crate::app::jobs::{Claimed, Outcome};
use crate::app::{App, Error};

pub async fn run(app: &App, claimed: &Claimed) -> Result<Outcome, Error> {
    app.watch_promises(claimed.ticket).await
}
