//! `/api/v1/tickets`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json_;
use utoipa::ToSchema;
use uuid::Uuid;

use super::http::address::Query;
use super::http::auth::Caller;
use super::http::headers::condition::{condition, unless_known};
use super::http::headers::key::key as key_of;
use super::http::json::Json;
use super::http::page::{self, List, PageQuery, Paged};
use super::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::tickets::change::Changed;
use crate::app::tickets::submit::CreatedTicket;
use crate::app::tickets::work::{RunPlace, Words};
use crate::desk::access::AccessCase;
use crate::desk::actor::Actor;
use crate::desk::id::{AttachmentId, MessageId, PersonId, RunId, TicketNumber};
use crate::desk::organisation::form::Raw;
use crate::desk::permission::works_on_tickets;
use crate::desk::text::quoted;
use crate::desk::ticket::intake::Submission;
use crate::desk::ticket::sight::Sight;
use crate::desk::ticket::timeline::Visibility;
use crate::desk::ticket::{Attachment, Move, State as TicketState, Ticket};
use lifecycle::RecordBody;
use views::{EntryView, MessageView, RunView, TicketView};

pub(crate) mod bulk;
pub mod dry_run;
pub(crate) mod edits;
pub(crate) mod explain;
pub(crate) mod knowledge;
pub(crate) mod lifecycle;
pub(crate) mod links;
pub mod list;
pub mod search;
pub mod summary;
pub(crate) mod views;

/// The way by which submissions come in here.
const CHANNEL: &str = "api";

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
    /// From requesters, those that the taxonomy leaves to them; up to 50.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Up to 50.
    #[serde(default)]
    pub attachments: Vec<AttachmentBody>,
    /// The `id`s of files that were sent before (`POST /api/v1/attachments`); with the attachments, up to 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uploads: Vec<Uuid>,
    /// For whom: somebody else only for agents and admins.
    #[serde(default)]
    pub requester: Option<String>,
    /// Where it came from, up to 64 characters, where an agent or admin passes on what came by another way, such as `phone`;
    /// `api` where nothing is said.
    #[serde(default)]
    pub channel: Option<String>,
}

/// An attached file, without its content.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachmentBody {
    /// Up to 255 characters.
    pub name: String,
    /// Up to 255 characters.
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
        let attachment =
            |a: AttachmentBody| Attachment { name: a.name, media_type: a.media_type, size: a.size, content: None };
        Ok((
            requester,
            Submission {
                request_type: self.request_type,
                channel: CHANNEL.to_owned(),
                channel_named: self.channel,
                subject: self.subject,
                body: self.body,
                fields: self.fields.into_iter().map(|(name, value)| (name, raw(value))).collect(),
                tags: self.tags,
                attachments: self.attachments.into_iter().map(attachment).collect(),
                uploads: self.uploads.into_iter().map(AttachmentId).collect(),
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
    let key = key_of(&headers, "", &body)?;
    let (requester, submission) = body.submission()?;
    let made = app.create_ticket(&actor, requester, submission, key).await?;
    answer_made(&app, &actor, made).await
}

/// The answer to a request that made a ticket, now or before.
pub async fn answer_made(app: &App, actor: &Actor, made: CreatedTicket) -> Result<Response, Problem> {
    let sight = match made.sight {
        Some(sight) => sight,
        None => app.sight_of(actor, &made.ticket, made.access.as_ref()).await?,
    };
    let until = app.waits_until(&made.ticket).await?;
    let status = if made.new { super::CREATED } else { StatusCode::OK };
    Ok(one(status, (made.ticket, until), made.access, &sight))
}

/// A ticket, and the day until which it waits, with its version as `ETag` and its place as `Location`.
fn one(
    status: StatusCode,
    (ticket, until): (Ticket, Option<Date>),
    access: Option<AccessCase>,
    sight: &Sight,
) -> Response {
    let etag = HeaderValue::from_str(&format!("\"{}\"", sight.tag(&ticket)));
    let location = HeaderValue::from_str(&format!("/api/v1/tickets/{}", ticket.number));
    let waits_until = until.map(|day| day.to_string());
    let view = TicketView { waits_until, ..TicketView::new(ticket, access, sight) };
    let mut response = (status, axum::Json(view)).into_response();
    if let (Ok(etag), Ok(location)) = (etag, location) {
        response.headers_mut().insert(header::ETAG, etag);
        if status == super::CREATED {
            response.headers_mut().insert(header::LOCATION, location);
        }
    }
    response
}

/// A ticket after a change, as the one who made it sees it; 200 where the same request was done before.
pub(super) async fn changed(
    app: &App,
    actor: &Actor,
    status: StatusCode,
    Changed { ticket, case, repeated }: Changed,
) -> Result<Response, Problem> {
    let sight = app.sight_of(actor, &ticket, case.as_ref()).await?;
    let until = app.waits_until(&ticket).await?;
    Ok(one(if repeated { StatusCode::OK } else { status }, (ticket, until), case, &sight))
}

fn state(code: &str) -> Result<TicketState, Problem> {
    TicketState::from_code(code).ok_or_else(|| {
        let known: Vec<&str> = TicketState::ALL.iter().map(|state| state.code()).collect();
        Problem::bad_query(format!("{} is not a state: use {}", quoted(code), known.join(", ")))
    })
}

/// A key in a path; what is no key names no ticket.
pub(super) fn number(key: &str) -> Result<TicketNumber, Problem> {
    key.parse().map_err(|e| Problem::new(Kind::NOT_FOUND, format!("there is no ticket {}: {e}", quoted(key))))
}

/// The key of the last ticket that a client has, in a query.
pub(super) fn last_seen(name: &str, key: Option<&str>) -> Result<Option<TicketNumber>, Problem> {
    key.map(str::parse).transpose().map_err(|e| Problem::bad_query(format!("`{name}`: {e}")))
}

/// Read a ticket.
#[utoipa::path(get, path = "/api/v1/tickets/{key}", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path, description = "such as `IT-1042`"),
        ("If-None-Match" = Option<String>, Header, description = "ETags that you have already")),
    responses((status = 200, body = TicketView), (status = 304, description = "you have it already"),
        (status = 404, body = Problem)))]
pub async fn read(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (ticket, access, sight) = app.seen_ticket(&actor, number(&key)?).await?;
    let known = unless_known(&headers, &sight.tag(&ticket))?;
    let until = app.waits_until(&ticket).await?;
    Ok(known.unwrap_or_else(|| one(StatusCode::OK, (ticket, until), access, &sight)))
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
    // Who sees another part of it counts its entries otherwise.
    let list = if works_on_tickets(&actor) { List::Timeline } else { List::PublicTimeline };
    let (limit, [after]) = (query.limit()?, list.after(query.after.as_deref())?);
    let page = app.timeline(&actor, number(&key)?, after, limit).await?;
    let next = page.next.map(|seq| list.write([page::whole(seq)]));
    Ok(Paged { items: page.items.into_iter().map(|entry| EntryView::new(entry, &actor)).collect(), next, limit })
}

/// A comment.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommentBody {
    pub body: String,
    /// A private note, for agents and admins only.
    #[serde(default)]
    pub internal: bool,
    /// The `id`s of files that were sent before (`POST /api/v1/attachments`); up to 50. They are seen by those who see the comment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uploads: Vec<Uuid>,
    /// How long it took, 1 to 1,440; for agents and admins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<i64>,
}

/// Comment on a ticket.
///
/// With an `Idempotency-Key`, the same request sent again adds no second comment. A requester's words on a ticket that was resolved
/// may open a new one, by a rule for closing: then that one is the answer.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/comments", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = CommentBody,
    responses((status = 201, body = TicketView), (status = 200, body = TicketView, description = "made before"),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn comment(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Json(body): Json<CommentBody>,
) -> Result<Response, Problem> {
    let key = key_of(&headers, &format!("comment {ticket}"), &body)?;
    let visibility = if body.internal { Visibility::Internal } else { Visibility::Public };
    let files: Vec<AttachmentId> = body.uploads.iter().copied().map(AttachmentId).collect();
    let words = Words { body: &body.body, visibility, files: &files, minutes: body.minutes, channel: CHANNEL };
    let done = app.comment(&actor, number(&ticket)?, words, key).await?;
    changed(&app, &actor, super::CREATED, done).await
}

/// A change of state.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransitionBody {
    /// The state to go to, such as `in_progress`.
    pub to: String,
    /// Up to 1,000 characters. The requester reads it; where a ticket is resolved and nothing is said, the fix instead.
    #[serde(default)]
    pub reason: String,
    /// For `resolved`: how it was, in the parts that the request type asks for.
    #[serde(default)]
    pub resolution: RecordBody,
    /// For `cancelled`: whether the access that parts of a bundle gave ends with it, as far as you may end it. `GET .../parts` says which
    /// that is. Where it does not end, people are asked whether it is to be taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub end_access: bool,
    /// For `waiting_requester` and `waiting_vendor`: the day on which it is `in_progress` again by itself, as the desk opens, and the
    /// assignee hears of it. After today, and at most 366 days from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    pub until: Option<String>,
}

/// Put a ticket into another state.
///
/// `If-Match` carries the ticket's `ETag`, so that nobody undoes what they have not seen. To `resolved` belongs a record of how,
/// a category that is a real one, and that no ticket which blocks it is left. The requester confirms by `closed` and disputes by
/// `reopened`.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/transitions", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), ("If-Match" = String, Header, description = "ETags that you mean, or *"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = TransitionBody,
    responses((status = 200, body = TicketView), (status = 409, body = Problem), (status = 412, body = Problem),
        (status = 422, body = Problem), (status = 428, body = Problem)))]
pub async fn transition(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Json(body): Json<TransitionBody>,
) -> Result<Response, Problem> {
    let (condition, key) = (condition(&headers)?, key_of(&headers, &format!("transition {ticket}"), &body)?);
    let (ends, wanted) = (body.end_access, body.wanted()?);
    let done = match ends {
        true => Box::pin(app.cancel_with_access(&actor, number(&ticket)?, &condition, wanted, key)).await?,
        false => app.transition(&actor, number(&ticket)?, &condition, wanted, key).await?,
    };
    changed(&app, &actor, StatusCode::OK, done).await
}

impl TransitionBody {
    fn wanted(self) -> Result<Move, Problem> {
        let (to, until) = (self.to()?, self.until()?);
        Ok(Move { to, reason: self.reason, record: self.resolution.into(), until })
    }

    /// Of a time, a part would be passed over without a word.
    fn until(&self) -> Result<Option<Date>, Problem> {
        let Some(text) = &self.until else { return Ok(None) };
        let day = (text.len() == "YYYY-MM-DD".len()).then(|| text.parse().ok()).flatten();
        let message = || format!("{} is no day: write one such as 2026-05-01", quoted(text));
        day.map(Some).ok_or_else(|| Problem::bad_field("until", &message()))
    }

    fn to(&self) -> Result<TicketState, Problem> {
        if self.end_access && self.to != TicketState::Cancelled.code() {
            return Err(Problem::bad_field("end_access", "belongs to the state `cancelled` alone: leave it out"));
        }
        TicketState::from_code(&self.to).ok_or_else(|| {
            let known: Vec<&str> = TicketState::ALL.iter().map(|state| state.code()).collect();
            Problem::bad_field("to", &format!("{} is not a state: use {}", quoted(&self.to), known.join(", ")))
        })
    }
}

/// Read how a ticket was decided: each stage, each rule, with the exact input; the oldest run of the rules first.
///
/// A page ends early where its records are long.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/decisions", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), PageQuery), responses((status = 200, body = Vec<RunView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 400, body = Problem)))]
pub async fn decisions(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Paged<RunView>, Problem> {
    let limit = query.limit()?;
    let after = List::Decisions.place(query.after.as_deref())?;
    let place =
        |[at, id]: [u128; 2]| RunPlace { at: i64::try_from(at).unwrap_or(i64::MAX), id: RunId(Uuid::from_u128(id)) };
    let after = after.map(place);
    let page = app.decisions(&actor, number(&key)?, after, limit).await?;
    let next = page.next.map(|RunPlace { at, id }| List::Decisions.write([page::whole(at), id.0.as_u128()]));
    Ok(Paged { items: page.items.into_iter().map(RunView::from).collect(), next, limit })
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
    let after = List::Messages.place(query.after.as_deref())?;
    let after = after.map(|[id]| MessageId(Uuid::from_u128(id)));
    let page = app.messages(&actor, number(&key)?, after, limit).await?;
    let next = page.next.map(|id| List::Messages.write([id.0.as_u128()]));
    Ok(Paged { items: page.items.into_iter().map(MessageView::from).collect(), next, limit })
}
