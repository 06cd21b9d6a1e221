//! `/api/v1/access/orders`: what is on its way to apps, and the word of a person who has done it by hand.

use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::json::Json;
use crate::api::http::page::{List, PageQuery, Paged};
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::access::orders::Attestation;
use crate::desk::access::provisioning::Op;
use crate::desk::id::OpId;

/// One effect in an app, on its way.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderView {
    pub id: String,
    pub grant: String,
    pub subject: String,
    pub app: String,
    /// `account`, `tier:ID`, `role:NAME` or `group:NAME`.
    pub entitlement: String,
    /// `grant`, `revoke` or `replace`.
    pub direction: &'static str,
    /// The tier that it takes the place of.
    pub replaces: Option<String>,
    /// `planned`, `sent`, `unknown`, `applied`, `waiting`, `verified`, `rejected` or `superseded`.
    pub state: &'static str,
    /// How often it was sent.
    pub attempt: u32,
    /// When it is looked at next.
    #[schema(value_type = String, format = DateTime)]
    pub not_before: Timestamp,
    /// The last call, and what came back.
    pub said: String,
    #[schema(value_type = String, format = DateTime)]
    pub planned_at: Timestamp,
}

impl From<Op> for OrderView {
    fn from(op: Op) -> Self {
        OrderView {
            id: op.id.to_string(),
            grant: op.grant.to_string(),
            subject: op.subject.to_string(),
            app: op.app.to_string(),
            entitlement: op.entitlement.to_string(),
            direction: op.direction.code(),
            replaces: op.replaces.map(|tier| tier.to_string()),
            state: op.state.code(),
            attempt: op.attempt,
            not_before: op.not_before,
            said: op.said,
            planned_at: op.planned_at,
        }
    }
}

/// The word about an order that was carried out by hand.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttestBody {
    /// Whether it is as it is to be; else it was not done.
    done: bool,
    /// How that is known, such as the app's own number for it; up to 1,000 characters.
    evidence: String,
}

/// List what is on its way to apps, oldest first. For agents and admins.
#[utoipa::path(get, path = "/api/v1/access/orders", tag = "access", security(("token" = [])), params(PageQuery),
    responses((status = 200, body = Vec<OrderView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 403, body = Problem)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Query(query): Query<PageQuery>,
) -> Result<Paged<OrderView>, Problem> {
    let limit = query.limit()?;
    let after = query.after.as_deref().map(|text| List::Orders.read(text)).transpose()?;
    let orders = app.open_orders(&actor, after.map(|[id]| OpId(Uuid::from_u128(id))), limit).await?;
    let last = orders.last().filter(|_| orders.len() == limit);
    let next = last.map(|op| List::Orders.write([op.id.0.as_u128()]));
    Ok(Paged { items: orders.into_iter().map(OrderView::from).collect(), next, limit })
}

/// Say that an order was carried out by hand, or that it was not. For the owner of the app, and admins; never for the person
/// whom it is about.
#[utoipa::path(post, path = "/api/v1/access/orders/{id}/attest", tag = "access", security(("token" = [])),
    params(("id" = String, Path)), request_body = AttestBody,
    responses((status = 200, body = OrderView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn attest(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Json(body): Json<AttestBody>,
) -> Result<axum::Json<OrderView>, Problem> {
    let missing = || Problem::new(Kind::NOT_FOUND, format!("there is no order `{id}`: its id is a UUID"));
    let op = id.parse().map_err(|_| missing())?;
    let attestation = Attestation { done: body.done, evidence: body.evidence };
    Ok(axum::Json(app.attest(&actor, op, &attestation).await?.into()))
}
