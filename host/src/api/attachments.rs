//! `/api/v1/attachments`, and the files of a ticket.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::http::address::Query;
use super::http::auth::Caller;
use super::http::body::file::{self, Sent};
use super::http::headers::condition::unless_known;
use super::http::headers::header_text;
use super::http::problem::{Kind, Problem};
use super::tickets::number;
use crate::app::App;
use crate::app::tickets::submit::attachments::{Declared, StoredAttachment};
use crate::desk::actor::Actor;
use crate::desk::id::{AttachmentId, TicketNumber};
use crate::desk::text::quoted;
use crate::desk::ticket::timeline::Visibility;

/// A file that the desk keeps.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttachmentView {
    id: Uuid,
    /// As it was sent, without path and without characters that deceive.
    name: String,
    /// As its sender says.
    media_type: String,
    /// By the content's own beginning: `application/octet-stream` where that shows none.
    found_type: String,
    /// In bytes.
    size: u64,
    /// SHA-256 in hexadecimal.
    digest: String,
    uploaded_by: String,
    #[schema(value_type = String, format = DateTime)]
    uploaded_at: Timestamp,
    /// The ticket that has it; null for one that is to be submitted.
    ticket: Option<String>,
    /// The comment that it came with.
    comment: Option<Uuid>,
    /// Whether only those who work on tickets see it.
    internal: bool,
    /// `unscanned` where the desk has no scanner, `pending` and `infected` for a file in quarantine, `clean`.
    scan: &'static str,
    /// The malware that was found.
    #[serde(skip_serializing_if = "String::is_empty")]
    malware: String,
}

impl From<StoredAttachment> for AttachmentView {
    fn from(stored: StoredAttachment) -> Self {
        Self {
            id: stored.id.0,
            name: stored.name,
            media_type: stored.declared_type,
            found_type: stored.found_type,
            size: stored.size,
            digest: stored.digest,
            uploaded_by: stored.uploader,
            uploaded_at: stored.uploaded_at,
            ticket: stored.ticket.map(|number| number.to_string()),
            comment: stored.comment.map(|comment| comment.0),
            internal: stored.visibility == Visibility::Internal,
            scan: stored.scan.code(),
            malware: stored.malware,
        }
    }
}

/// A file that is sent for a submission.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// The file's name; of a path, the last part is kept.
    name: String,
}

/// A file that is sent for a ticket.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TicketUploadQuery {
    /// The file's name; of a path, the last part is kept.
    name: String,
    /// A private file, for agents and admins only.
    #[serde(default)]
    internal: bool,
}

fn declared(name: String, headers: &HeaderMap) -> Declared {
    let size = header_text(headers, header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    Declared { name, media_type: header_text(headers, header::CONTENT_TYPE).unwrap_or_default().to_owned(), size }
}

/// Takes a body piece by piece.
async fn take(
    app: &App,
    actor: &Actor,
    to: Option<(TicketNumber, Visibility)>,
    (declared, mut body): (Declared, Body),
) -> Result<StoredAttachment, Problem> {
    let mut incoming = app.begin_attachment(actor, to, declared).await?;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| Problem::bad_body(&format!("the file did not come to its end: {e}")))?;
        incoming.write(frame.data_ref().map_or(&[][..], Bytes::as_ref)).await?;
    }
    Ok(app.keep_attachment(actor, incoming).await?)
}

fn id(text: &str) -> Result<AttachmentId, Problem> {
    text.parse().map_err(|_| Problem::new(Kind::NOT_FOUND, format!("there is no attachment {}", quoted(text))))
}

/// Send a file for a submission, a comment or an attachment field; name its `id` there within a day.
///
/// The body is the file as it is, of any media type.
#[utoipa::path(post, path = "/api/v1/attachments", tag = "tickets", security(("token" = [])), params(UploadQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = AttachmentView), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 413, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub async fn upload(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Query(query): Query<UploadQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, axum::Json<AttachmentView>), Problem> {
    let kept = take(&app, &actor, None, (declared(query.name, &headers), body)).await?;
    Ok((super::CREATED, axum::Json(kept.into())))
}

/// Add a file to a ticket, without words; to add it with words, send it first and name it in the comment. A public one of a requester who
/// was asked for something is an answer.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/attachments", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), TicketUploadQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = AttachmentView), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub async fn attach(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    Query(query): Query<TicketUploadQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, axum::Json<AttachmentView>), Problem> {
    let to = (number(&key)?, if query.internal { Visibility::Internal } else { Visibility::Public });
    let kept = take(&app, &actor, Some(to), (declared(query.name, &headers), body)).await?;
    app.attach(&actor, to, kept.id, None).await?;
    Ok((super::CREATED, axum::Json(app.attachment(&actor, kept.id).await?.into())))
}

/// List the files of a ticket in the order in which they were sent. Requesters are not shown those of private notes.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/attachments", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path)), responses((status = 200, body = Vec<AttachmentView>), (status = 404, body = Problem)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<axum::Json<Vec<AttachmentView>>, Problem> {
    let found = app.attachments(&actor, number(&key)?).await?;
    Ok(axum::Json(found.into_iter().map(AttachmentView::from).collect()))
}

/// Read about a file.
#[utoipa::path(get, path = "/api/v1/attachments/{id}", tag = "tickets", security(("token" = [])),
    params(("id" = String, Path)), responses((status = 200, body = AttachmentView), (status = 404, body = Problem)))]
pub async fn read(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(text): Path<String>,
) -> Result<axum::Json<AttachmentView>, Problem> {
    Ok(axum::Json(app.attachment(&actor, id(&text)?).await?.into()))
}

/// Download a file. One that is in quarantine is not given out.
#[utoipa::path(get, path = "/api/v1/attachments/{id}/content", tag = "tickets", security(("token" = [])),
    params(("id" = String, Path), ("Range" = Option<String>, Header, description = "one range of bytes"),
        ("If-None-Match" = Option<String>, Header, description = "ETags that you have already")),
    responses((status = 200, body = Vec<u8>, content_type = "*/*"),
        (status = 206, body = Vec<u8>, content_type = "*/*"),
        (status = 304, description = "you have it already"), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "it is in quarantine"), (status = 416, body = Problem)))]
pub async fn content(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(text): Path<String>,
    method: Method,
    mut headers: HeaderMap,
) -> Result<Response, Problem> {
    // A part is asked for by GET alone (RFC 9110, section 14.2).
    if method != Method::GET {
        headers.remove(header::RANGE);
    }
    let found = app.open_attachment(&actor, id(&text)?).await?;
    let known = unless_known(&headers, &found.digest)?;
    Ok(known.unwrap_or_else(|| answer(&app, found, &headers)))
}

fn answer(app: &Arc<App>, found: StoredAttachment, headers: &HeaderMap) -> Response {
    let found = Arc::new(found);
    let sent = Sent { name: &found.name, media_type: &found.found_type, size: found.size, tag: &found.digest };
    let (app, of) = (Arc::clone(app), Arc::clone(&found));
    file::answer(&sent, headers, move |range| {
        let (app, of) = (Arc::clone(&app), Arc::clone(&of));
        async move { app.attachment_part(&of, range).await }
    })
}
