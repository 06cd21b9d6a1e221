//! How tickets end over HTTP: records of resolutions, promises, escalation.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::headers::key::key as key_of;
use crate::api::http::json::Json;
use crate::api::http::page::{List, PageQuery, Paged, whole};
use crate::api::http::problem::Problem;
use crate::api::tickets::views::TicketView;
use crate::api::tickets::{changed, number};
use crate::app::App;
use crate::app::tickets::lifecycle::{Promise, StoredResolution};
use crate::desk::ticket::lifecycle::resolution::ResolutionRecord;

pub(crate) mod days;
pub(crate) mod drafts;
pub(crate) mod events;
pub(crate) mod outages;
pub(crate) mod survey;
pub(crate) mod time;
pub(crate) mod watchers;

/// How a ticket was resolved; each part up to 5,000 characters.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordBody {
    /// The trouble as it showed.
    #[serde(default)]
    pub symptom: String,
    /// Where it came from.
    #[serde(default)]
    pub cause: String,
    /// The work that was done; the requester reads it.
    #[serde(default)]
    pub fix: String,
    /// Advice for when it happens again, or so that it does not.
    #[serde(default, rename = "next-time")]
    pub next_time: String,
}

impl From<RecordBody> for ResolutionRecord {
    fn from(body: RecordBody) -> Self {
        let RecordBody { symptom, cause, fix, next_time } = body;
        Self { symptom, cause, fix, next_time }
    }
}

/// One resolution of a ticket.
#[derive(Serialize, ToSchema)]
pub struct ResolutionView {
    /// Counts up from 1.
    round: i64,
    fix: String,
    /// Absent for readers who do not see it, as are cause and next time.
    #[serde(skip_serializing_if = "Option::is_none")]
    symptom: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "next-time")]
    next_time: Option<String>,
    /// Null where the desk itself resolved it.
    resolved_by: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    resolved_at: Timestamp,
    /// `confirmed`, `disputed`, `unanswered` or `taken-up`; null while it stands open.
    ended: Option<&'static str>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

impl ResolutionView {
    fn new(stored: StoredResolution, whole: bool) -> Self {
        let StoredResolution { round, record, resolved_by, resolved_at, end } = stored;
        let shown = |text: String| whole.then_some(text);
        Self {
            round,
            fix: record.fix,
            symptom: shown(record.symptom),
            cause: shown(record.cause),
            next_time: shown(record.next_time),
            resolved_by,
            resolved_at,
            ended: end.map(|(end, _)| end.code()),
            ended_at: end.map(|(_, at)| at),
        }
    }
}

/// Read how a ticket was resolved, each time. Requesters read what was done.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/resolutions", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), PageQuery),
    responses((status = 200, body = Vec<ResolutionView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn resolutions(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Paged<ResolutionView>, Problem> {
    let limit = query.limit()?;
    let [after] = List::Resolutions.after(query.after.as_deref())?;
    let (page, sees_all) = app.resolutions_after(&actor, number(&key)?, after, limit).await?;
    let next = page.next.map(|round| List::Resolutions.write([whole(round)]));
    let view = |one| ResolutionView::new(one, sees_all);
    Ok(Paged { items: page.items.into_iter().map(view).collect(), next, limit })
}

/// A promise of a ticket.
#[derive(Serialize, ToSchema)]
pub struct PromiseView {
    /// `first-response`, `resolution`, `next-update`, `team-resolution`, `confirmation`, `requester-answer`, or one that the configuration
    /// declares.
    clock: String,
    /// `running`, `paused` or `met`.
    state: &'static str,
    target_minutes: i64,
    /// Open time so far.
    used_minutes: i64,
    /// When it runs out if nothing pauses it.
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    met_at: Option<Timestamp>,
    /// Whether more was used than promised.
    broken: bool,
    /// The largest share at which those responsible were alerted, in percent; 0 for none yet.
    alerted_percent: u16,
}

impl From<Promise> for PromiseView {
    fn from(promise: Promise) -> Self {
        let Promise { kind, clock, used_ms, broken } = promise;
        let state = match (clock.met_at, clock.running_since) {
            (Some(_), _) => "met",
            (None, Some(_)) => "running",
            (None, None) => "paused",
        };
        Self {
            clock: kind.code().to_owned(),
            state,
            target_minutes: clock.target_ms / 60_000,
            used_minutes: used_ms / 60_000,
            due_at: clock.due_at,
            met_at: clock.met_at,
            broken,
            alerted_percent: clock.alerted,
        }
    }
}

/// Read the promises that a ticket is under, or was.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/promises", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path)), responses((status = 200, body = Vec<PromiseView>), (status = 404, body = Problem)))]
pub async fn promises(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<axum::Json<Vec<PromiseView>>, Problem> {
    let promises = app.promises(&actor, number(&key)?).await?;
    Ok(axum::Json(promises.into_iter().map(PromiseView::from).collect()))
}

/// Why a ticket should go up.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalateBody {
    /// Up to 1,000 characters.
    reason: String,
}

/// Escalate a ticket to the team above its own, each tier once. For its requester, agents and admins.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/escalate", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = EscalateBody,
    responses((status = 200, body = TicketView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn escalate(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Json(body): Json<EscalateBody>,
) -> Result<Response, Problem> {
    let key = key_of(&headers, &format!("escalate {ticket}"), &body)?;
    let done = app.escalate(&actor, number(&ticket)?, &body.reason, key).await?;
    changed(&app, &actor, StatusCode::OK, done).await
}
