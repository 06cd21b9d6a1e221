//! `GET /api/v1/catalog`: the apps that a person may ask for, and how they stand to each.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::problem::Problem;
use crate::app::App;
use crate::app::access::catalog::{CatalogItem, Standing};
use crate::desk::organisation::Tier;

/// Which apps.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CatalogQuery {
    /// Words that the name, the description, the keywords or a tier's name has; all of them count.
    #[serde(default)]
    search: String,
}

/// An app that can be asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct CatalogAppView {
    id: String,
    name: String,
    description: String,
    keywords: Vec<String>,
    owner: Option<String>,
    /// Apps that may do as well.
    alternatives: Vec<String>,
    /// `automatic` where the desk writes to the app, `manual` where a person does, `recorded` where the desk only keeps who may
    /// have it.
    provisioning: &'static str,
    tiers: Vec<CatalogTierView>,
}

/// A tier that can be asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct CatalogTierView {
    id: String,
    name: String,
    risk: String,
    max_duration_hours: u32,
    /// The choices that a form offers.
    durations: Vec<u32>,
    groups: Vec<String>,
    roles: Vec<String>,
    /// Of a seat, such as `12.50`.
    monthly_cost: Option<String>,
    currency: Option<String>,
    seats_left: Option<u32>,
    /// The grant by which you hold it.
    held: Option<HeldView>,
    /// Whether a request of yours waits for approval.
    requested: bool,
}

/// A grant that is held.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldView {
    grant: String,
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// List the apps that you may ask for, with what you hold already.
#[utoipa::path(get, path = "/api/v1/catalog", tag = "access", security(("token" = [])), params(CatalogQuery),
    responses((status = 200, body = Vec<CatalogAppView>), (status = 400, body = Problem)))]
pub async fn catalog(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Query(query): Query<CatalogQuery>,
) -> Result<axum::Json<Vec<CatalogAppView>>, Problem> {
    let catalog = app.catalog(&actor, &query.search).await?;
    Ok(axum::Json(catalog.items.into_iter().map(|item| CatalogAppView::new(item, &catalog.currency)).collect()))
}

impl CatalogAppView {
    fn new(item: CatalogItem, currency: &str) -> Self {
        let CatalogItem { app, connector, tiers } = item;
        let tiers = app.tiers.iter().zip(tiers).map(|(tier, standing)| CatalogTierView::new(tier, standing, currency));
        CatalogAppView {
            tiers: tiers.collect(),
            id: app.id.to_string(),
            name: app.name,
            description: app.description,
            keywords: app.keywords,
            owner: app.owner.map(|owner| owner.to_string()),
            alternatives: app.alternatives.iter().map(ToString::to_string).collect(),
            provisioning: match connector {
                None => "recorded",
                Some("manual") => "manual",
                Some(_) => "automatic",
            },
        }
    }
}

impl CatalogTierView {
    fn new(tier: &Tier, standing: Standing, currency: &str) -> Self {
        let cost = tier.monthly_cost.map(|cost| format!("{}.{:02}", cost / 100, cost % 100));
        CatalogTierView {
            id: tier.id.to_string(),
            name: tier.name.clone(),
            risk: tier.risk.clone(),
            max_duration_hours: tier.hours_max,
            durations: tier.presets.clone(),
            groups: tier.groups.iter().map(ToString::to_string).collect(),
            roles: tier.roles.clone(),
            currency: cost.as_ref().map(|_| currency.to_owned()),
            monthly_cost: cost,
            seats_left: standing.seats_left,
            held: standing.held.map(|grant| HeldView {
                grant: grant.id.to_string(),
                state: grant.state.code(),
                expires_at: grant.expires_at,
            }),
            requested: standing.requested,
        }
    }
}
