//! `/api/v1/access-requests` and `/api/v1/people/{id}/grants`.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::http::auth::Caller;
use super::http::json::Json;
use super::http::problem::{Kind, Problem};
use super::tickets::views::{GrantView, TicketView};
use crate::app::App;
use crate::desk::access::ApproverDecision;
use crate::desk::id::{PersonId, TicketNumber};

/// List the tickets whose access requests await you, oldest first.
#[utoipa::path(get, path = "/api/v1/access-requests", tag = "access", security(("token" = [])),
    responses((status = 200, body = Vec<TicketView>)))]
pub async fn awaiting(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
) -> Result<axum::Json<Vec<TicketView>>, Problem> {
    let found = app.awaiting(&actor).await?;
    Ok(axum::Json(found.into_iter().map(|(ticket, case)| TicketView::new(ticket, Some(case))).collect()))
}

/// An approver's decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionBody {
    pub approve: bool,
    /// Needed for a denial.
    #[serde(default)]
    pub reason: String,
    /// A shorter grant than the rules allow; never a longer one.
    #[serde(default)]
    pub hours: Option<u32>,
}

/// Decide an access request that awaits you. The last approval that is needed grants.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/access/decisions", tag = "access", security(("token" = [])),
    params(("key" = String, Path)), request_body = DecisionBody,
    responses((status = 200, body = TicketView), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub async fn decide(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    Json(body): Json<DecisionBody>,
) -> Result<axum::Json<TicketView>, Problem> {
    let number: TicketNumber =
        key.parse().map_err(|e| Problem::new(Kind::NOT_FOUND, format!("there is no ticket `{key}`: {e}")))?;
    let decision = ApproverDecision { approve: body.approve, reason: body.reason, hours: body.hours };
    let (ticket, case) = app.decide_access(&actor, number, &decision).await?;
    Ok(axum::Json(TicketView::new(ticket, Some(case))))
}

/// List what somebody holds and has held in the last year: your own, or anybody's for agents and admins.
#[utoipa::path(get, path = "/api/v1/people/{id}/grants", tag = "access", security(("token" = [])),
    params(("id" = String, Path)), responses((status = 200, body = Vec<GrantView>)))]
pub async fn grants(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Vec<GrantView>>, Problem> {
    let person: PersonId =
        id.parse().map_err(|e| Problem::new(Kind::NOT_FOUND, format!("there is no such person: {e}")))?;
    let grants = app.grants(&actor, &person).await?;
    Ok(axum::Json(grants.into_iter().map(GrantView::new).collect()))
}
