//! `/api/v1/webhooks`: how the endpoints of the configuration are doing, what was delivered to them, and delivering it again.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
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
use crate::app::jobs::webhooks::{Delivery, Replay, StoredWebhook};
use crate::desk::text::quoted;

/// An endpoint of the configuration.
#[derive(Serialize, ToSchema)]
pub struct WebhookView {
    name: String,
    /// Whether events are delivered to it.
    enabled: bool,
    /// Since when no delivery has succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
    /// Why it is out of use; empty while it is in use.
    why: String,
}

impl From<StoredWebhook> for WebhookView {
    fn from(webhook: StoredWebhook) -> Self {
        let StoredWebhook { name, failing_since, disabled_at, why, .. } = webhook;
        Self { name, enabled: disabled_at.is_none(), failing_since, disabled_at, why }
    }
}

/// An event for one endpoint.
#[derive(Serialize, ToSchema)]
pub struct DeliveryView {
    id: String,
    /// `webhook-id`: the same for each attempt and for each endpoint.
    event: String,
    /// Such as `ticket.commented`.
    r#type: String,
    /// The body, as it is sent.
    body: String,
    /// `waiting`, `delivered` or `given-up`.
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    queued_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    attempts: i64,
    /// The status of the last answer, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i64>,
    /// Why the last attempt failed; empty where none has.
    last_error: String,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let Delivery { id, event, kind, body, queued_at, attempts, last_error, dead_at, sent_at, status, .. } =
            delivery;
        let state = match (sent_at, dead_at) {
            (Some(_), _) => "delivered",
            (None, Some(_)) => "given-up",
            (None, None) => "waiting",
        };
        let (id, r#type, delivered_at) = (id.to_string(), kind, sent_at);
        Self { id, event, r#type, body, state, queued_at, delivered_at, attempts, status, last_error }
    }
}

/// List the webhooks that were ever in use.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "operations", security(("token" = [])),
    responses((status = 200, body = Vec<WebhookView>), (status = 403, body = Problem)))]
pub async fn list(State(app): State<Arc<App>>, Caller(actor): Caller) -> Result<axum::Json<Vec<WebhookView>>, Problem> {
    Ok(axum::Json(app.webhooks(&actor).await?.into_iter().map(WebhookView::from).collect()))
}

/// List what was delivered to a webhook, the newest first.
#[utoipa::path(get, path = "/api/v1/webhooks/{name}/deliveries", tag = "operations", security(("token" = [])),
    params(("name" = String, Path), PageQuery), responses((status = 200, body = Vec<DeliveryView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn deliveries(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Paged<DeliveryView>, Problem> {
    let limit = query.limit()?;
    let before = List::Deliveries.place(query.after.as_deref())?;
    let before = before.map(|[id]| Uuid::from_u128(id));
    let page = app.deliveries(&actor, &name, before, limit).await?;
    let next = page.next.map(|id| List::Deliveries.write([id.as_u128()]));
    Ok(Paged { items: page.items.into_iter().map(DeliveryView::from).collect(), next, limit })
}

/// The deliveries that are made again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayBody {
    /// All that was queued since then.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// How much is delivered again.
#[derive(Serialize, ToSchema)]
pub struct ReplayedView {
    replayed: u64,
}

/// Deliver one event again, with the same id, if the configuration still sends it to the webhook.
#[utoipa::path(post, path = "/api/v1/webhooks/{name}/deliveries/{id}/replay", tag = "operations",
    security(("token" = [])), params(("name" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = ReplayedView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn replay_one(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path((name, id)): Path<(String, String)>,
) -> Result<axum::Json<ReplayedView>, Problem> {
    let missing = |_| Problem::new(Kind::NOT_FOUND, format!("there is no delivery {}", quoted(&id)));
    let replayed = app.replay(&actor, &name, Replay::One(id.parse().map_err(missing)?)).await?;
    Ok(axum::Json(ReplayedView { replayed }))
}

/// Deliver all events since some time again, with the same ids, as far as the configuration still sends them to the webhook.
#[utoipa::path(post, path = "/api/v1/webhooks/{name}/replay", tag = "operations", security(("token" = [])),
    params(("name" = String, Path)), request_body = ReplayBody,
    responses((status = 200, body = ReplayedView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn replay(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Json(ReplayBody { since }): Json<ReplayBody>,
) -> Result<axum::Json<ReplayedView>, Problem> {
    let replayed = app.replay(&actor, &name, Replay::Since(since)).await?;
    Ok(axum::Json(ReplayedView { replayed }))
}

/// The reason for which a webhook gets another secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookSecretBody {
    /// 1 to 1,000 characters; kept in the audit.
    why: String,
}

/// A secret that was made.
#[derive(Serialize, ToSchema)]
pub struct WebhookSecretView {
    /// `whsec_` and the base64 of 32 bytes. It is shown this once.
    secret: String,
}

/// Make a secret for a webhook that has no `secret-file`. It is shown this once.
///
/// It signs from now on, together with the one that was made last before it; one from before that ends. Until the first is made,
/// the events of the webhook wait, each for seven days at the most. All end with the version of the configuration that takes the webhook
/// away: one that comes again under its name needs a secret of its own.
#[utoipa::path(post, path = "/api/v1/webhooks/{name}/secret", tag = "operations", security(("token" = [])),
    params(("name" = String, Path)), request_body = WebhookSecretBody,
    responses((status = 200, body = WebhookSecretView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn make_secret(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Json(WebhookSecretBody { why }): Json<WebhookSecretBody>,
) -> Result<Response, Problem> {
    let secret = app.make_webhook_secret(&actor, &name, &why).await?;
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((headers, axum::Json(WebhookSecretView { secret })).into_response())
}

/// The reason for which a webhook is paused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookPauseBody {
    /// 1 to 1,000 characters; kept in the audit.
    why: String,
}

/// Pause a webhook: its events wait for it until it is taken into use again, those of the last seven days.
#[utoipa::path(post, path = "/api/v1/webhooks/{name}/pause", tag = "operations", security(("token" = [])),
    params(("name" = String, Path)), request_body = WebhookPauseBody,
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn pause(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Json(WebhookPauseBody { why }): Json<WebhookPauseBody>,
) -> Result<axum::http::StatusCode, Problem> {
    app.pause_webhook(&actor, &name, &why).await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}

/// Take a webhook into use again that was paused or had failed for too long: it goes on where it was.
#[utoipa::path(post, path = "/api/v1/webhooks/{name}/enable", tag = "operations", security(("token" = [])),
    params(("name" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn enable(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
) -> Result<axum::http::StatusCode, Problem> {
    app.enable_webhook(&actor, &name, None).await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}
