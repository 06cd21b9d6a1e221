//! Keys of idempotency end, and so do the log of webhooks and files that no ticket got; what has ended is forgotten.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::app::jobs::looks::Looks;
use crate::app::jobs::stop::Stop;

/// How often they are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(15 * 60);

/// Forgets keys until it is asked to stop.
pub async fn run(app: Arc<App>, stop: Stop) {
    let mut looks = Looks::every(LOOK_EVERY, stop);
    while looks.next().await {
        if let Err(error) = app.forget_keys().await {
            tracing::warn!(%error, "old keys of idempotency were not forgotten: tried again later");
        }
        if let Err(error) = app.sweep_attachments().await {
            tracing::warn!(%error, "files that no ticket got were not swept away: tried again later");
        }
        if let Err(error) = app.forget_deliveries().await {
            tracing::warn!(%error, "old deliveries to webhooks were not forgotten: tried again later");
        }
    }
}
