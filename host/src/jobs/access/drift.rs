//! Apps are looked at day by day for access that no grant gives: what is seen twice, one look right after the other, is found.

use std::sync::Arc;
use std::time::Duration;

use crate::app::jobs::looks::Looks;
use crate::app::jobs::stop::Stop;
use crate::app::{App, Error};
use crate::desk::access::provisioning::Entitlement;
use crate::jobs::ways::Ways;

/// How often it is looked whether a look is due.
const ASK_EVERY: Duration = Duration::from_secs(300);

/// Looks at apps when that is due, until it is asked to stop.
pub async fn follow(app: Arc<App>, ways: Arc<Ways>, stop: Stop) {
    let mut looks = Looks::every(ASK_EVERY, stop);
    while looks.next().await {
        if let Err(error) = look(&app, &ways).await {
            tracing::warn!(%error, "apps were not looked at for access that no grant gives: tried again in a day");
        }
    }
}

/// Looks at all apps, where that is due.
///
/// # Errors
///
/// Where the store cannot be read or written.
pub async fn look(app: &App, ways: &Ways) -> Result<(), Error> {
    if !app.looks_for_findings() {
        return Ok(());
    }
    let (organisation, now) = (app.organisation(), app.clock.now());
    for one in organisation.apps.values() {
        let connector = organisation.connector_of(&one.id);
        let Some(opened) = connector.and_then(|connector| ways.apps.open(connector, now).ok().flatten()) else {
            continue;
        };
        for entitlement in Entitlement::of_apps([one]) {
            let Ok(Some(first)) = opened.holders(&entitlement).await else { continue };
            let Ok(Some(second)) = opened.holders(&entitlement).await else { continue };
            // What an app shows once of two times is neither found by that nor gone.
            let (both, once): (Vec<String>, Vec<String>) =
                first.iter().cloned().partition(|account| second.contains(account));
            let once: Vec<String> = second.into_iter().filter(|account| !first.contains(account)).chain(once).collect();
            app.found_in_app(&one.id, &entitlement, (&both, &once)).await?;
        }
    }
    Ok(())
}
