//! Access: what one holds, what there is to ask for, and giving back.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::access::catalog::{Catalog, Standing};
use crate::app::access::decide::{GrantPlace, ListedGrant};
use crate::desk::id::GrantId;
use crate::desk::organisation::Tier;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// Grants that are looked at.
const GRANTS: usize = 100;

/// Access that one holds, or has held.
pub struct Held {
    pub id: GrantId,
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

fn held(f: &Frame, (ListedGrant { grant, .. }, now): (ListedGrant, bool)) -> Held {
    let app = f.organisation.apps.get(&grant.app);
    let tier = app.and_then(|app| app.tier(grant.tier.as_str()));
    let left = grant.expires_at.as_millisecond() - f.times.now.as_millisecond();
    Held {
        id: grant.id,
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

/// The access that the reader holds now.
pub async fn held_now(visit: &Visit) -> Result<Vec<Held>, Failure> {
    Ok(all(visit).await?.into_iter().filter(|held| held.now).collect())
}

/// An app of the catalog.
struct Listed {
    name: String,
    id: String,
    description: String,
    owner: Option<String>,
    tiers: Vec<ListedTier>,
}

struct ListedTier {
    id: String,
    name: String,
    risk: String,
    longest: String,
    cost: Option<String>,
    seats_left: Option<u32>,
    held: bool,
    requested: bool,
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
    let catalog = visit.app.catalog(&visit.actor, "").await?;
    let f = visit.frame;
    let form = f.organisation.request_types.values().find(|form| form.grants_access).map(|form| form.id.to_string());
    let Catalog { currency, items } = catalog;
    let tier = |(tier, standing): (&Tier, &Standing)| ListedTier {
        id: tier.id.to_string(),
        name: tier.name.clone(),
        risk: tier.risk.clone(),
        longest: f.times.span(i64::from(tier.hours_max) * 60),
        cost: tier.monthly_cost.map(|cost| format!("{}.{:02} {currency}", cost / 100, cost % 100)),
        seats_left: standing.seats_left,
        held: standing.held.is_some(),
        requested: standing.requested,
    };
    let apps = items.iter().map(|item| Listed {
        name: item.app.name.clone(),
        id: item.app.id.to_string(),
        description: item.app.description.clone(),
        owner: item.app.owner.as_ref().map(|owner| f.name(owner)),
        tiers: item.app.tiers.iter().zip(&item.tiers).map(tier).collect(),
    });
    let apps = apps.collect();
    page(StatusCode::OK, &AccessPage { held: now, past, apps, form, f })
}

/// `POST /access/{grant}/give-back`.
pub async fn give_back(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let id: GrantId = id.parse().map_err(|_| Failure::NoPage)?;
    let reason = form.given("reason").unwrap_or_else(|| visit.frame.words.t("access.no-longer"));
    visit.app.revoke_grant(&visit.actor, id, &reason, None).await?;
    Ok(Redirect::to("/access").into_response())
}
