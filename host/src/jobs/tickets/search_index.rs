//! The words of tickets are put into the index that searches go by.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::app::jobs::stop::Stop;

/// How often the list of tickets with new words is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Keeps the index until it is asked to stop.
pub async fn run(app: Arc<App>, mut stop: Stop) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.told() => return,
            _ = ticks.tick() => {}
        }
        while !stop.is_told() {
            match app.index_tickets().await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "words of tickets are not in the index yet: tried again soon");
                    break;
                }
            }
        }
    }
}
