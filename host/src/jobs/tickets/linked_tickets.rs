//! Tickets that are linked with one follow what has become of it.

use crate::app::jobs::{Claimed, Outcome};
use crate::app::{App, Error};

pub async fn run(app: &App, claimed: &Claimed) -> Result<Outcome, Error> {
    app.follow_links(claimed.ticket).await
}
