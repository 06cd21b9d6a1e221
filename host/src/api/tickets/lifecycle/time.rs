//! Time that people write down on tickets, over HTTP.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::headers::key::key as key_of;
use crate::api::http::json::Json;
use crate::api::http::page::{LIMIT_MAX, List, PageQuery};
use crate::api::http::problem::Problem;
use crate::api::tickets::number;
use crate::app::App;
use crate::app::tickets::lifecycle::time::TimeOnTicket;
use crate::desk::id::TimeId;
use crate::desk::ticket::lifecycle::time::TimeSpent;

/// Time that a person has worked on a ticket.
#[derive(Serialize, ToSchema)]
pub struct TimeView {
    person: String,
    /// Less than nothing where too much was written down before.
    minutes: i64,
    note: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// All time that was written down on a ticket.
#[derive(Serialize, ToSchema)]
pub struct TimesView {
    total_minutes: i64,
    /// The oldest first.
    entries: Vec<TimeView>,
    /// Send it as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl From<TimeOnTicket> for TimesView {
    fn from(TimeOnTicket { total_minutes, page }: TimeOnTicket) -> Self {
        let view = |TimeSpent { person, minutes, note, at, .. }: TimeSpent| TimeView { person, minutes, note, at };
        let next = page.next.map(|id| List::TimeSpent.write([id.0.as_u128()]));
        Self { total_minutes, entries: page.items.into_iter().map(view).collect(), next }
    }
}

/// Read the time that was written down on a ticket. For agents and admins.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/time", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), PageQuery),
    responses((status = 200, body = TimesView), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub async fn read(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<TimesView>, Problem> {
    let limit = query.limit()?;
    let after = List::TimeSpent.place(query.after.as_deref())?;
    let after = after.map(|[id]| TimeId(Uuid::from_u128(id)));
    Ok(axum::Json(app.time_on_ticket(&actor, number(&key)?, after, limit).await?.into()))
}

/// Time to write down.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeBody {
    /// 1 to 1,440; less than nothing takes off what was written down in error.
    minutes: i64,
    /// Up to 500 characters.
    #[serde(default)]
    note: String,
}

/// Write down how long you have worked on a ticket. For agents and admins.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/time", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = TimeBody,
    responses((status = 200, body = TimesView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn spend(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Json(body): Json<TimeBody>,
) -> Result<axum::Json<TimesView>, Problem> {
    let key = key_of(&headers, &format!("time {ticket}"), &body)?;
    let time = (body.minutes, body.note.as_str());
    Ok(axum::Json(app.spend_time(&actor, number(&ticket)?, time, key, LIMIT_MAX).await?.into()))
}
