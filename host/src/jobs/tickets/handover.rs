//! Tickets that wait for a person are given out, and those of people who are gone are handed on.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::app::jobs::looks::Looks;
use crate::app::jobs::stop::Stop;

/// How often it is looked whether there is something to hand on.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// Shares out until it is asked to stop.
pub async fn run(app: Arc<App>, stop: Stop) {
    let mut looks = Looks::every(LOOK_EVERY, stop);
    while looks.next().await {
        match app.share_out().await {
            Ok(0) => {}
            Ok(tickets) => tracing::info!(tickets, "tickets were handed on"),
            Err(error) => tracing::warn!(%error, "tickets that wait for a person were not given out: tried again soon"),
        }
    }
}
