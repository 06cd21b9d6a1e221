//! The words of tickets are put into the index that searches go by.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::app::jobs::looks::Looks;
use crate::app::jobs::stop::Stop;

/// How often the list of tickets with new words is looked at: a ticket that changes several times meanwhile is read once.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Keeps the index until it is asked to stop. When nothing has changed between two looks, a piece of the index is merged.
pub async fn run(app: Arc<App>, stop: Stop) {
    let asked = stop.clone();
    let mut looks = Looks::every(LOOK_EVERY, stop);
    let mut is_merged = false;
    while looks.next().await {
        let is_idle = settle(&app, &asked).await;
        is_merged &= is_idle;
        if !is_idle || is_merged {
            continue;
        }
        match app.merge_index().await {
            Ok(more) => is_merged = !more,
            Err(error) => tracing::warn!(%error, "pieces of the index of words are not merged: tried again soon"),
        }
    }
}

/// Puts all that is on the list into the index; whether there was nothing.
async fn settle(app: &App, asked: &Stop) -> bool {
    let mut is_idle = true;
    while !asked.is_told() {
        match app.index_tickets().await {
            Ok(0) => return is_idle,
            Ok(_) => is_idle = false,
            Err(error) => {
                tracing::warn!(%error, "words of tickets are not in the index yet: tried again soon");
                return false;
            }
        }
    }
    false
}
