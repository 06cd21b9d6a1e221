//! Changes by hand: `PATCH /api/v1/tickets/{key}` and `/api/v1/grants/{id}/revoke`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::views::{GrantView, TicketView};
use super::{changed, number};
use crate::api::http::auth::Caller;
use crate::api::http::headers::condition::condition;
use crate::api::http::headers::key::key as key_of;
use crate::api::http::json::Json;
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::desk::id::GrantId;
use crate::desk::text::quoted;
use crate::desk::ticket::edit::EditTicket;

/// What to change; what is left out stays.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditBody {
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    impact: Option<String>,
    #[serde(default)]
    urgency: Option<String>,
    /// The promised times follow it, as far as they are not kept already.
    #[serde(default)]
    priority: Option<String>,
    /// Without an assignee, somebody in the team gets it as at creation.
    #[serde(default)]
    team: Option<String>,
    /// A member of the team; `null` leaves the ticket in the team's queue.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    assignee: Option<Option<String>>,
    /// All tags that it is to have.
    #[serde(default)]
    tags: Option<Vec<String>>,
    /// Why, up to 1,000 characters. Beside a changed category or priority the requester reads it too.
    #[serde(default)]
    reason: String,
    /// Whether the rules for priority and routing are asked again, with the category as it is then. What they find is set in their
    /// name, but for all that is named here; where none of them says anything, the ticket stays as it is. Left out, those for routing
    /// are asked after another category or another team, as far as `[routing]` of the configuration has it so.
    #[serde(default)]
    ask_rules: Option<bool>,
}

/// Tells `null` from what was left out (RFC 7396).
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Change a ticket by hand.
///
/// For agents and admins, with the reason; the timeline keeps both, beside what the rules had said. `If-Match` carries the
/// ticket's `ETag`, so that nobody undoes what they have not seen.
#[utoipa::path(patch, path = "/api/v1/tickets/{key}", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), ("If-Match" = String, Header, description = "ETags that you mean, or *"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = EditBody,
    responses((status = 200, body = TicketView), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
pub async fn edit(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Json(body): Json<EditBody>,
) -> Result<Response, Problem> {
    let (condition, key) = (condition(&headers)?, key_of(&headers, &format!("edit {ticket}"), &body)?);
    let number = number(&ticket)?;
    let asks = body.ask_rules;
    let done = app.edit_by_hand(&actor, number, &condition, (body.into(), asks), key).await?;
    changed(&app, &actor, StatusCode::OK, done).await
}

impl From<EditBody> for EditTicket {
    fn from(body: EditBody) -> Self {
        let EditBody { category, impact, urgency, priority, team, assignee, tags, reason, ask_rules: _ } = body;
        Self { category, impact, urgency, priority, team, assignee, tags, reason }
    }
}

/// Why access is taken back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeBody {
    /// Up to 1,000 characters; whoever had the access reads it too.
    #[serde(default)]
    reason: String,
}

/// Take access back, at once. For whoever answers for the app, and admins.
#[utoipa::path(post, path = "/api/v1/grants/{id}/revoke", tag = "access", security(("token" = [])),
    params(("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = RevokeBody,
    responses((status = 200, body = GrantView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn revoke(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(body): Json<RevokeBody>,
) -> Result<axum::Json<GrantView>, Problem> {
    let key = key_of(&headers, &format!("revoke {id}"), &body)?;
    let missing = || Problem::new(Kind::NOT_FOUND, format!("there is no grant {}: its id is a UUID", quoted(&id)));
    let id: GrantId = id.parse().map_err(|_| missing())?;
    let grant = app.revoke_grant(&actor, id, &body.reason, key).await?;
    Ok(axum::Json(GrantView::new((grant, false))))
}
