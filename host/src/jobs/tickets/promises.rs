//! Open tickets follow the configuration: at the start, where it has changed meanwhile, and after a look that failed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::app::jobs::stop::Stop;

/// How often it is asked whether there is something to follow, which costs nothing where there is not.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Lets them follow until it is asked to stop.
pub async fn run(app: Arc<App>, mut stop: Stop) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.told() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = app.office.follow_configuration().await {
            tracing::warn!(%error, "open tickets did not follow the configuration yet: tried again soon");
        }
    }
}
