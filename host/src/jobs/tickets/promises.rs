//! Open tickets follow the configuration: at the start, where it has changed meanwhile, and after a look that failed.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::app::jobs::looks::Looks;
use crate::app::jobs::stop::Stop;

/// How often it is asked whether there is something to follow, which costs nothing where there is not.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Lets them follow until it is asked to stop.
pub async fn run(app: Arc<App>, stop: Stop) {
    let mut looks = Looks::every(LOOK_EVERY, stop);
    while looks.next().await {
        if let Err(error) = app.office.follow_configuration().await {
            tracing::warn!(%error, "open tickets did not follow the configuration yet: tried again soon");
        }
    }
}
