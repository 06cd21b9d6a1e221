//! `/api/v1/access/orders`: what is on its way to apps, and the word of a person who has done it by hand.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::headers::header_text;
use crate::api::http::json::{Json, parse};
use crate::api::http::page::{List, PageQuery, Paged};
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::access::orders::{AppAnswer, AppOutcome, Attestation, ConnectorRun, Signed};
use crate::desk::access::provisioning::Op;
use crate::desk::id::OpId;
use crate::desk::text::quoted;

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

/// One run of a connector that is a component.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectorRunView {
    pub id: String,
    pub attempt: u32,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Whether it has looked only, and was to change nothing.
    pub looked: bool,
    /// `component`, `task`, `exchanges` and `finding`, as `ruledesk connector test` takes them.
    #[schema(value_type = Object)]
    pub run: Value,
}

/// List the last runs of an order's connector, where that is a component: what it was asked, the calls that were made for it and
/// their answers. For agents and admins.
#[utoipa::path(get, path = "/api/v1/access/orders/{id}/runs", tag = "access", security(("token" = [])),
    params(("id" = String, Path)),
    responses((status = 200, body = Vec<ConnectorRunView>), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn runs(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Vec<ConnectorRunView>>, Problem> {
    let runs = app.runs_of(&actor, id.parse().map_err(|_| no_order(&id))?).await?;
    Ok(axum::Json(runs.into_iter().map(ConnectorRunView::from).collect()))
}

impl From<ConnectorRun> for ConnectorRunView {
    fn from(run: ConnectorRun) -> Self {
        let ConnectorRun { id, attempt, at, looked, record, .. } = run;
        // The desk has written it as JSON.
        ConnectorRunView {
            id: id.to_string(),
            attempt,
            at,
            looked,
            run: serde_json::from_str(&record).unwrap_or_default(),
        }
    }
}

fn no_order(id: &str) -> Problem {
    Problem::new(Kind::NOT_FOUND, format!("there is no order {}: its id is a UUID", quoted(id)))
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
    let after = List::Orders.place(query.after.as_deref())?;
    let orders = app.open_orders(&actor, after.map(|[id]| OpId(Uuid::from_u128(id))), limit).await?;
    let next = orders.next.map(|id| List::Orders.write([id.0.as_u128()]));
    Ok(Paged { items: orders.items.into_iter().map(OrderView::from).collect(), next, limit })
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
    let op = id.parse().map_err(|_| no_order(&id))?;
    let attestation = Attestation { done: body.done, evidence: body.evidence };
    Ok(axum::Json(app.attest(&actor, op, &attestation).await?.into()))
}

/// The word of an app about an order that it has accepted.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderAnswerBody {
    /// The order that it answers, as the order itself says it: the signature covers this, and not the address.
    order: String,
    /// The attempt that it answers.
    attempt: u32,
    state: OrderOutcome,
    /// For `later`: in how many seconds it may be sent again; at most a day. Default 60.
    #[serde(default)]
    retry_after: Option<u32>,
    /// How that is known, such as the app's own number for it; up to 1,000 characters.
    #[serde(default)]
    evidence: String,
}

/// The outcome of it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OrderOutcome {
    Done,
    Refused,
    Later,
}

/// The order as it stands after an app's word.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderAnsweredView {
    /// As of an order.
    state: &'static str,
    /// Whether the word has changed anything: one about an order that has come to its end, or about an earlier attempt, does not.
    taken: bool,
}

impl From<OrderAnswerBody> for AppAnswer {
    fn from(body: OrderAnswerBody) -> Self {
        let outcome = match body.state {
            OrderOutcome::Done => AppOutcome::Done,
            OrderOutcome::Refused => AppOutcome::Refused,
            OrderOutcome::Later => AppOutcome::Later(body.retry_after.unwrap_or(60)),
        };
        AppAnswer { order: body.order.parse().ok(), attempt: body.attempt, outcome, evidence: body.evidence }
    }
}

/// The headers of a signed message; what is missing is empty, and signs nothing.
fn signed(headers: &HeaderMap) -> Signed<'_> {
    let text = |name: &str| header_text(headers, name).unwrap_or_default();
    Signed { id: text("webhook-id"), timestamp: text("webhook-timestamp"), signatures: text("webhook-signature") }
}

/// Say what came of an order that was accepted. For apps with a connector of kind `webhook`: signed by one of its secrets
/// (Standard Webhooks 1.0.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`), with no token.
#[utoipa::path(post, path = "/api/v1/provisioning/{id}/answer", tag = "access", params(("id" = String, Path)),
    request_body = OrderAnswerBody,
    responses((status = 200, body = OrderAnsweredView), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 422, body = Problem)))]
pub async fn answer(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<axum::Json<OrderAnsweredView>, Problem> {
    let order = app.signed_by_app(id.parse().unwrap_or(OpId(Uuid::nil())), (&signed(&headers), &body)).await?;
    let answer: OrderAnswerBody = parse(&body)?;
    let (op, taken) = app.answered(&order, &answer.into()).await?;
    Ok(axum::Json(OrderAnsweredView { state: op.state.code(), taken }))
}
