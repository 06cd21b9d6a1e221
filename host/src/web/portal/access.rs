//! Access: what one holds, and what there is to ask for.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::access::decide::GrantPlace;
use crate::desk::access::Grant;
use crate::web::frame::failure::Failure;
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// Grants that are looked at.
const GRANTS: usize = 100;

/// Access that one holds, or has held.
pub struct Held {
    pub app: String,
    pub tier: String,
    pub role: Option<String>,
    pub until: When,
    pub since: When,
    pub now: bool,
    pub app_id: String,
    pub tier_id: String,
    /// Whether it ends within a week.
    pub soon: bool,
}

const SOON_MS: i64 = 7 * 24 * 3_600_000;

fn held(f: &Frame, (grant, now): (Grant, bool)) -> Held {
    let app = f.organisation.apps.get(&grant.app);
    let tier = app.and_then(|app| app.tier(grant.tier.as_str()));
    let left = grant.expires_at.as_millisecond() - f.times.now.as_millisecond();
    Held {
        app: app.map_or_else(|| grant.app.to_string(), |app| app.name.clone()),
        tier: tier.map_or_else(|| grant.tier.to_string(), |(_, tier)| tier.name.clone()),
        role: grant.role,
        until: f.times.until(grant.revoked_at.unwrap_or(grant.expires_at)),
        since: f.times.ago(grant.granted_at),
        now,
        app_id: grant.app.to_string(),
        tier_id: grant.tier.to_string(),
        soon: now && left < SOON_MS,
    }
}

/// All that the reader holds or has held.
async fn all(visit: &Visit) -> Result<Vec<Held>, Failure> {
    let none: Option<GrantPlace> = None;
    let grants = visit.app.grants(&visit.actor, visit.person(), none, GRANTS).await?;
    Ok(grants.items.into_iter().map(|grant| held(&visit.frame, grant)).collect())
}

/// What the reader holds now.
pub async fn held_now(visit: &Visit) -> Result<Vec<Held>, Failure> {
    Ok(all(visit).await?.into_iter().filter(|held| held.now).collect())
}

/// An app of the catalog.
struct Listed {
    name: String,
    id: String,
    owner: Option<String>,
    tiers: Vec<ListedTier>,
}

struct ListedTier {
    id: String,
    name: String,
    risk: String,
    days: u32,
    hours: u32,
    held: bool,
}

#[derive(Template)]
#[template(path = "portal/access.html")]
struct AccessPage {
    f: Frame,
    held: Vec<Held>,
    past: Vec<Held>,
    apps: Vec<Listed>,
    /// The request type by which access is asked for, where there is one.
    form: Option<String>,
}

/// `GET /access`.
pub async fn show(visit: Visit) -> Result<Response, Failure> {
    let (now, past): (Vec<Held>, Vec<Held>) = all(&visit).await?.into_iter().partition(|held| held.now);
    let f = visit.frame;
    let form = f.organisation.request_types.values().find(|form| form.grants_access).map(|form| form.id.to_string());
    let has = |app: &str, tier: &str| now.iter().any(|held| held.app_id == app && held.tier_id == tier);
    let apps = f.organisation.apps.values().map(|app| Listed {
        name: app.name.clone(),
        id: app.id.to_string(),
        owner: app.owner.as_ref().map(|owner| f.name(owner)),
        tiers: app
            .tiers
            .iter()
            .map(|tier| ListedTier {
                id: tier.id.to_string(),
                name: tier.name.clone(),
                risk: tier.risk.clone(),
                days: tier.hours_max / 24,
                hours: tier.hours_max,
                held: has(app.id.as_str(), tier.id.as_str()),
            })
            .collect(),
    });
    let apps = apps.collect();
    page(StatusCode::OK, &AccessPage { held: now, past, apps, form, f })
}
