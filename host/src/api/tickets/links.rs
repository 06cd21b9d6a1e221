//! Links between tickets over HTTP: by hand, by merging, and by tickets that come from others.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::views::{TicketView, damage};
use super::{answer_made, changed, number, raw};
use crate::api::http::auth::Caller;
use crate::api::http::headers::condition::condition;
use crate::api::http::headers::key::key as key_of;
use crate::api::http::json::Json;
use crate::api::http::problem::Problem;
use crate::app::App;
use crate::app::tickets::links::{Branch, StoredLink};
use crate::desk::id::TicketNumber;
use crate::desk::ticket::lifecycle::links::LinkKind;

/// A link as the ticket that was asked for sees it.
#[derive(Serialize, ToSchema)]
pub struct LinkView {
    /// Such as `duplicate-of`, or `duplicated-by` where the link belongs to the other ticket.
    link: &'static str,
    ticket: String,
    subject: String,
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who made it; null is the desk.
    by: Option<String>,
    /// Why the other ticket's state is not the one that it has, where its row was changed by another hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
}

impl From<StoredLink> for LinkView {
    fn from(link: StoredLink) -> Self {
        Self {
            link: if link.reverse { link.kind.reverse() } else { link.kind.code() },
            ticket: link.other.to_string(),
            subject: link.subject,
            state: link.state.code(),
            at: link.at,
            by: link.author,
            damage: damage(&link.damaged),
        }
    }
}

/// Read the tickets that one is linked with, in both directions. For agents and admins.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/links", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path)),
    responses((status = 200, body = Vec<LinkView>), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn links(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<axum::Json<Vec<LinkView>>, Problem> {
    let links = app.links(&actor, number(&key)?).await?;
    Ok(axum::Json(links.into_iter().map(LinkView::from).collect()))
}

/// A link to make or to take away.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkBody {
    /// `child-of`, `duplicate-of`, `blocked-by` or `related-to`.
    link: String,
    /// The other ticket, such as `IT-1042`.
    ticket: String,
}

impl LinkBody {
    fn named(&self) -> Result<(LinkKind, TicketNumber), Problem> {
        let by_hand = LinkKind::from_code(&self.link).filter(|kind| LinkKind::BY_HAND.contains(kind));
        let kind = by_hand.ok_or_else(|| {
            let known = LinkKind::BY_HAND.map(LinkKind::code).join(", ");
            Problem::bad_field("link", &format!("is none that people make: use {known}"))
        })?;
        Ok((kind, other("ticket", &self.ticket)?))
    }
}

fn other(field: &str, key: &str) -> Result<TicketNumber, Problem> {
    key.parse().map_err(|e| Problem::bad_field(field, &format!("is no ticket's key: {e}")))
}

/// Link a ticket with another, on which it then depends.
///
/// A blocked ticket is not resolved before the other is; a duplicate is resolved with it.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/links", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = LinkBody,
    responses((status = 200, body = TicketView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn link(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Json(body): Json<LinkBody>,
) -> Result<Response, Problem> {
    let key = key_of(&headers, &format!("link {ticket}"), &body)?;
    let done = app.link(&actor, number(&ticket)?, body.named()?, key).await?;
    changed(&app, &actor, StatusCode::OK, done).await
}

/// Take a link of a ticket away, or refuse a rule's proposal that it duplicates another.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/unlink", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = LinkBody,
    responses((status = 200, body = TicketView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn unlink(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Json(body): Json<LinkBody>,
) -> Result<Response, Problem> {
    let key = key_of(&headers, &format!("unlink {ticket}"), &body)?;
    let done = app.unlink(&actor, number(&ticket)?, body.named()?, key).await?;
    changed(&app, &actor, StatusCode::OK, done).await
}

/// The ticket that takes another up.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeBody {
    /// Such as `IT-1042`; of the same requester.
    into: String,
    /// Up to 1,000 characters.
    #[serde(default)]
    reason: String,
}

/// Merge a ticket into another of the same requester, which takes its later words. For agents and admins.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/merge", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), ("If-Match" = String, Header, description = "ETags that you mean, or *"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = MergeBody,
    responses((status = 200, body = TicketView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem),
        (status = 428, body = Problem)))]
pub async fn merge(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Json(body): Json<MergeBody>,
) -> Result<Response, Problem> {
    let (condition, key) = (condition(&headers)?, key_of(&headers, &format!("merge {ticket}"), &body)?);
    let into = (other("into", &body.into)?, body.reason.as_str());
    let done = app.merge(&actor, number(&ticket)?, &condition, into, key).await?;
    changed(&app, &actor, StatusCode::OK, done).await
}

/// A ticket that comes from another; what is left out is as there.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BranchBody {
    /// The form; with another one, the fields stay behind.
    #[serde(default)]
    request_type: Option<String>,
    #[serde(default)]
    subject: Option<String>,
    body: String,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    fields: Option<serde_json::Map<String, serde_json::Value>>,
}

impl From<BranchBody> for Branch {
    fn from(BranchBody { request_type, subject, body, fields }: BranchBody) -> Self {
        let fields = fields.map(|fields| fields.into_iter().map(|(name, value)| (name, raw(value))).collect());
        Self { request_type, subject, body, fields }
    }
}

/// Take up a ticket that is over in a new one, which is linked with it.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/follow-ups", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = BranchBody,
    responses((status = 201, body = TicketView), (status = 200, body = TicketView, description = "made before"),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn follow_up(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Json(body): Json<BranchBody>,
) -> Result<Response, Problem> {
    let key = key_of(&headers, &format!("follow-up {ticket}"), &body)?;
    let new = app.follow_up(&actor, number(&ticket)?, body.into(), key).await?;
    answer_made(&app, &actor, new).await
}

/// Split a part of a ticket off into a new one of the same requester. For agents and admins.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/split", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = BranchBody,
    responses((status = 201, body = TicketView), (status = 200, body = TicketView, description = "made before"),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn split(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Json(body): Json<BranchBody>,
) -> Result<Response, Problem> {
    let key = key_of(&headers, &format!("split {ticket}"), &body)?;
    let new = app.split(&actor, number(&ticket)?, body.into(), key).await?;
    answer_made(&app, &actor, new).await
}
