//! `/api/v1/tickets`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json_;
use utoipa::ToSchema;
use uuid::Uuid;

use super::http::address::Query;
use super::http::auth::Caller;
use super::http::json::Json;
use super::http::page::{self, List, PageQuery, Paged};
use super::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::tickets::submit::digest;
use crate::desk::access::AccessCase;
use crate::desk::id::{MessageId, PersonId, TicketNumber};
use crate::desk::organisation::form::Raw;
use crate::desk::ticket::intake::Submission;
use crate::desk::ticket::timeline::Visibility;
use crate::desk::ticket::{Attachment, State as TicketState, Ticket};
use views::{EntryView, MessageView, RunView, TicketView};

pub mod dry_run;
pub(crate) mod edits;
pub(crate) mod explain;
pub mod list;
pub mod summary;
pub(crate) mod views;

/// The longest `Idempotency-Key`, in bytes.
const KEY_BYTES_MAX: usize = 255;

/// A submission.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTicketBody {
    pub request_type: String,
    /// May be empty where the body says it all.
    #[serde(default)]
    pub subject: String,
    #[serde(default)]
    pub body: String,
    /// The form's fields by name: texts, numbers, true or false, lists of options.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub fields: serde_json::Map<String, Json_>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub attachments: Vec<AttachmentBody>,
    /// For whom: somebody else only for agents and admins.
    #[serde(default)]
    pub requester: Option<String>,
    /// Where it came from; `api` where nothing is said.
    #[serde(default)]
    pub channel: Option<String>,
}

/// An attached file, without its content.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachmentBody {
    pub name: String,
    pub media_type: String,
    /// In bytes.
    pub size: u64,
}

fn raw(value: Json_) -> Raw {
    match value {
        Json_::Null => Raw::Null,
        Json_::String(text) => Raw::Text(text),
        Json_::Number(number) => number.as_f64().map_or(Raw::Other, Raw::Number),
        Json_::Bool(flag) => Raw::Flag(flag),
        Json_::Array(items) => Raw::List(items.into_iter().map(raw).collect()),
        Json_::Object(_) => Raw::Other,
    }
}

impl NewTicketBody {
    /// For whom, and what.
    pub fn submission(self) -> Result<(Option<PersonId>, Submission), Problem> {
        let requester = self.requester.map(|id| id.parse::<PersonId>()).transpose();
        let requester = requester.map_err(|e| Problem::bad_field("requester", &e.to_string()))?;
        let attachment = |a: AttachmentBody| Attachment { name: a.name, media_type: a.media_type, size: a.size };
        Ok((
            requester,
            Submission {
                request_type: self.request_type,
                channel: self.channel.unwrap_or_else(|| "api".to_owned()),
                subject: self.subject,
                body: self.body,
                fields: self.fields.into_iter().map(|(name, value)| (name, raw(value))).collect(),
                tags: self.tags,
                attachments: self.attachments.into_iter().map(attachment).collect(),
                headers: Vec::new(),
            },
        ))
    }
}

/// Submit a ticket.
///
/// The rules check, categorise, prioritise and route it; it is stored with every decision, or not at all.
/// With an `Idempotency-Key`, the same request sent again answers with the ticket that it made.
#[utoipa::path(post, path = "/api/v1/tickets", tag = "tickets", security(("token" = [])), request_body = NewTicketBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    responses((status = 201, body = TicketView), (status = 200, body = TicketView, description = "made before"),
        (status = 422, body = Problem), (status = 503, body = Problem), (status = 507, body = Problem)))]
pub async fn create(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    headers: HeaderMap,
    Json(body): Json<NewTicketBody>,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers, &body)?;
    let (requester, submission) = body.submission()?;
    let made = app.create_ticket(&actor, requester, submission, key).await?;
    let status = if made.new { super::CREATED } else { StatusCode::OK };
    Ok(one(status, made.ticket, made.access))
}

/// The key and the digest of what it stands for.
fn idempotency_key(headers: &HeaderMap, body: &NewTicketBody) -> Result<Option<(String, String)>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX);
    let Some(key) = key else {
        return Err(Problem::new(Kind::BAD_HEADER, "`Idempotency-Key` has 1 to 255 plain characters"));
    };
    // The value, not the bytes: the same request may be spelt another way.
    let canonical = serde_json::to_vec(body).unwrap_or_default();
    Ok(Some((key.to_owned(), digest(&canonical))))
}

/// A ticket with its version as `ETag` and its place as `Location`.
pub(super) fn one(status: StatusCode, ticket: Ticket, access: Option<AccessCase>) -> Response {
    let etag = HeaderValue::from_str(&format!("\"{}\"", ticket.version));
    let location = HeaderValue::from_str(&format!("/api/v1/tickets/{}", ticket.number));
    let mut response = (status, axum::Json(TicketView::new(ticket, access))).into_response();
    if let (Ok(etag), Ok(location)) = (etag, location) {
        response.headers_mut().insert(header::ETAG, etag);
        if status == super::CREATED {
            response.headers_mut().insert(header::LOCATION, location);
        }
    }
    response
}

fn state(code: &str) -> Result<TicketState, Problem> {
    TicketState::from_code(code).ok_or_else(|| {
        let known: Vec<&str> = TicketState::ALL.iter().map(|state| state.code()).collect();
        Problem::new(Kind::BAD_QUERY, format!("`{code}` is not a state: use {}", known.join(", ")))
    })
}

/// A key in a path; what is no key names no ticket.
pub(super) fn number(key: &str) -> Result<TicketNumber, Problem> {
    key.parse().map_err(|e| Problem::new(Kind::NOT_FOUND, format!("there is no ticket `{key}`: {e}")))
}

/// Read a ticket.
#[utoipa::path(get, path = "/api/v1/tickets/{key}", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path, description = "such as `IT-1042`")),
    responses((status = 200, body = TicketView), (status = 404, body = Problem)))]
pub async fn read(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<Response, Problem> {
    let (ticket, access) = app.ticket(&actor, number(&key)?).await?;
    Ok(one(StatusCode::OK, ticket, access))
}

/// Read what happened to a ticket. Requesters are not shown what is internal.
///
/// A page ends early where its texts are long.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/timeline", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), PageQuery), responses((status = 200, body = Vec<EntryView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 400, body = Problem)))]
pub async fn timeline(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Paged<EntryView>, Problem> {
    let limit = query.limit()?;
    let after = query.after.as_deref().map(|text| List::Timeline.read_whole(text)).transpose()?;
    let [after] = after.unwrap_or_default();
    let page = app.timeline(&actor, number(&key)?, after, limit).await?;
    let next = page.next.map(|seq| List::Timeline.write([page::whole(seq)]));
    Ok(Paged { items: page.items.into_iter().map(EntryView::from).collect(), next, limit })
}

/// A comment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommentBody {
    pub body: String,
    /// A private note, for agents and admins only.
    #[serde(default)]
    pub internal: bool,
}

/// Comment on a ticket.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/comments", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path)), request_body = CommentBody, responses((status = 201, body = TicketView)))]
pub async fn comment(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    Json(body): Json<CommentBody>,
) -> Result<Response, Problem> {
    let visibility = if body.internal { Visibility::Internal } else { Visibility::Public };
    let ticket = app.comment(&actor, number(&key)?, &body.body, visibility).await?;
    Ok(one(super::CREATED, ticket, None))
}

/// A change of state.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransitionBody {
    /// The state to go to, such as `in_progress`.
    pub to: String,
    #[serde(default)]
    pub reason: String,
}

/// Put a ticket into another state.
///
/// `If-Match` carries the ticket's `ETag`, so that nobody undoes what they have not seen.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/transitions", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), ("If-Match" = String, Header)), request_body = TransitionBody,
    responses((status = 200, body = TicketView), (status = 409, body = Problem), (status = 412, body = Problem)))]
pub async fn transition(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    headers: HeaderMap,
    Json(body): Json<TransitionBody>,
) -> Result<Response, Problem> {
    let seen = if_match(&headers)?;
    let to = state(&body.to).map_err(|_| {
        let known: Vec<&str> = TicketState::ALL.iter().map(|state| state.code()).collect();
        Problem::bad_field("to", &format!("`{}` is not a state: use {}", body.to, known.join(", ")))
    })?;
    let ticket = app.transition(&actor, number(&key)?, seen, to, &body.reason).await?;
    Ok(one(StatusCode::OK, ticket, None))
}

/// The version that a client has seen (RFC 9110, section 13.1.1).
pub(super) fn if_match(headers: &HeaderMap) -> Result<i64, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Err(Problem::new(Kind::NEEDS_MATCH, "send the ticket's ETag in `If-Match`"));
    };
    let version = value.to_str().ok().and_then(|text| text.trim().trim_matches('"').parse().ok());
    version.ok_or_else(|| Problem::new(Kind::BAD_HEADER, "`If-Match` takes one ETag, such as \"3\""))
}

/// Read how a ticket was decided: each stage, each rule, with the exact input.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/decisions", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path)), responses((status = 200, body = Vec<RunView>)))]
pub async fn decisions(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<axum::Json<Vec<RunView>>, Problem> {
    let runs = app.decisions(&actor, number(&key)?).await?;
    Ok(axum::Json(runs.into_iter().map(RunView::from).collect()))
}

/// Read the messages that a ticket has queued, oldest first.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/messages", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), PageQuery), responses((status = 200, body = Vec<MessageView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 400, body = Problem)))]
pub async fn messages(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Paged<MessageView>, Problem> {
    let limit = query.limit()?;
    let after = query.after.as_deref().map(|text| List::Messages.read(text)).transpose()?;
    let after = after.map(|[id]| MessageId(Uuid::from_u128(id)));
    let page = app.messages(&actor, number(&key)?, after, limit).await?;
    let next = page.next.map(|id| List::Messages.write([id.0.as_u128()]));
    Ok(Paged { items: page.items.into_iter().map(MessageView::from).collect(), next, limit })
}
