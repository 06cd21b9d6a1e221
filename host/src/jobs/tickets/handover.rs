//! Tickets that wait for a person are given out, and those of people who are gone are handed on.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::app::jobs::stop::Stop;

/// How often it is looked whether there is something to hand on.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// Shares out until it is asked to stop.
pub async fn run(app: Arc<App>, mut stop: Stop) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.told() => return,
            _ = ticks.tick() => {}
        }
        match app.share_out().await {
            Ok(0) => {}
            Ok(tickets) => tracing::info!(tickets, "tickets were handed on"),
            Err(error) => tracing::warn!(%error, "tickets that wait for a person were not given out: tried again soon"),
        }
    }
}
