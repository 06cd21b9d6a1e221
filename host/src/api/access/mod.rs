//! `/api/v1/access-requests`, `/api/v1/people/{id}/grants` and what else is about access.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::headers::key::key as key_of;
use crate::api::http::json::Json;
use crate::api::http::page::{self, List, PageQuery, Paged};
use crate::api::http::problem::{Kind, Problem};
use crate::api::tickets::number;
use crate::api::tickets::summary::TicketSummaryView;
use crate::api::tickets::views::{GrantView, TicketView};
use crate::app::App;
use crate::app::access::decide::GrantPlace;
use crate::desk::access::{ApproverDecision, Narrow, Seen};
use crate::desk::id::{GrantId, PersonId, TicketId};

pub mod brake;
pub mod catalog;
pub mod extend;
pub mod findings;
pub mod offboard;
pub mod orders;
pub mod policy;
pub mod questions;
pub mod reviews;
pub mod submissions;
pub mod view;

/// List the tickets whose access requests await you, oldest first.
#[utoipa::path(get, path = "/api/v1/access-requests", tag = "access", security(("token" = [])), params(PageQuery),
    responses((status = 200, body = Vec<TicketSummaryView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 400, body = Problem)))]
pub async fn awaiting(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Query(query): Query<PageQuery>,
) -> Result<Paged<TicketSummaryView>, Problem> {
    let limit = query.limit()?;
    let after = List::AccessRequests.place(query.after.as_deref())?;
    let after = after.map(|[id]| TicketId(Uuid::from_u128(id)));
    let (page, sights) = app.awaiting(&actor, after, limit).await?;
    let next = page.next.map(|id| List::AccessRequests.write([id.0.as_u128()]));
    let view = |(ticket, case)| TicketSummaryView::new(ticket, case, &sights);
    Ok(Paged { items: page.items.into_iter().map(view).collect(), next, limit })
}

/// An approver's decision.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionBody {
    pub approve: bool,
    /// Needed for a denial; up to 1,000 characters.
    #[serde(default)]
    pub reason: String,
    /// A shorter grant than the rules allow; never a longer one.
    #[serde(default)]
    pub hours: Option<u32>,
    /// Whether the role is left out that was asked for.
    #[serde(default)]
    pub without_role: bool,
    /// The groups that are given, of those that the rules allow; all of them where nothing is said.
    #[serde(default)]
    pub groups: Option<Vec<String>>,
    /// The `snapshot` that you were shown: the decision is taken only while it still holds, and keeps it.
    #[serde(default)]
    pub seen: Option<String>,
    /// With `seen`: what you went by, such as `peers`, `history`, `risk`, `cost` or `policy`; up to 20.
    #[serde(default)]
    pub insights: Vec<String>,
}

impl From<DecisionBody> for ApproverDecision {
    fn from(body: DecisionBody) -> Self {
        let DecisionBody { approve, reason, hours, without_role, groups, seen, insights } = body;
        let seen = seen.map(|snapshot| Seen { snapshot, insights, ..Seen::default() });
        ApproverDecision { approve, reason, hours, narrow: Narrow { without_role, groups }, seen }
    }
}

/// Decide an access request that awaits you. The last approval that is needed grants.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/access/decisions", tag = "access", security(("token" = [])),
    params(("key" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = DecisionBody,
    responses((status = 200, body = TicketView), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub async fn decide(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Json(body): Json<DecisionBody>,
) -> Result<axum::Json<TicketView>, Problem> {
    let key = key_of(&headers, &format!("decide {ticket}"), &body)?;
    let (ticket, case) = app.decide_access(&actor, number(&ticket)?, body.into(), key).await?;
    let sight = app.sight_of(&actor, &ticket, Some(&case)).await?;
    Ok(axum::Json(TicketView::new(ticket, Some(case), &sight)))
}

/// List what somebody holds and has held in the last year, newest first: your own, or anybody's for agents and admins.
#[utoipa::path(get, path = "/api/v1/people/{id}/grants", tag = "access", security(("token" = [])),
    params(("id" = String, Path), PageQuery),
    responses((status = 200, body = Vec<GrantView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 400, body = Problem)))]
pub async fn grants(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Paged<GrantView>, Problem> {
    let person: PersonId =
        id.parse().map_err(|e| Problem::new(Kind::NOT_FOUND, format!("there is no such person: {e}")))?;
    let limit = query.limit()?;
    let after = query.after.as_deref().map(grant_place).transpose()?;
    let page = app.grants(&actor, &person, after, limit).await?;
    let place = |place: GrantPlace| [page::whole(place.granted_at), place.id.0.as_u128()];
    let next = page.next.map(|next| List::Grants.write(place(next)));
    Ok(Paged { items: page.items.into_iter().map(GrantView::listed).collect(), next, limit })
}

fn grant_place(text: &str) -> Result<GrantPlace, Problem> {
    let [granted_at, id] = List::Grants.read(text)?;
    let granted_at = i64::try_from(granted_at).ok();
    let place = granted_at.map(|granted_at| GrantPlace { granted_at, id: GrantId(Uuid::from_u128(id)) });
    place.ok_or_else(|| Problem::bad_query("`after` names no time: begin again without it"))
}
