//! Tickets that wait until a day are worked on again when it has come.

use crate::app::jobs::{Claimed, Outcome};
use crate::app::{App, Error};

pub async fn run(app: &App, claimed: &Claimed) -> Result<Outcome, Error> {
    app.go_on_with(claimed.ticket).await
}
