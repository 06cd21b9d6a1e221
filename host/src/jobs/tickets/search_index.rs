//! The words of tickets are put into the index that searches go by.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::app::jobs::stop::Stop;
use crate::jobs::every::Looks;

/// How often the list of tickets with new words is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Keeps the index until it is asked to stop.
pub async fn run(app: Arc<App>, stop: Stop) {
    let asked = stop.clone();
    let mut looks = Looks::every(LOOK_EVERY, stop);
    while looks.next().await {
        while !asked.is_told() {
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
