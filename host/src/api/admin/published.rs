//! `/api/v1/config/documents`: parts of the configuration that are published by API, version by version.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::headers::condition::condition;
use crate::api::http::json::Json;
use crate::api::http::problem::{FieldProblem, Kind, Problem};
use crate::app::App;
use crate::app::reference::configuration::{
    Document, DocumentDraft, LiveDocument, Proposed, PublishedVersion, Touched, Wanted,
};
use crate::desk::text::quoted;

/// A part of the configuration.
#[derive(Serialize, ToSchema)]
pub struct DocumentView {
    /// `people`, `teams`, `taxonomy`, `request-types`, `apps`, `calendars`, `priorities`, `promises`, `macros`, `canned-replies`,
    /// `templates` or `webhooks`.
    document: &'static str,
    /// Whether it is published by API; else it is a file of the configuration directory, and read again with that.
    by_api: bool,
    /// Of the version that is live: send it back in `If-Match` to publish another. 0 before the first, where the directory's file
    /// is live.
    revision: i64,
    /// TOML. Of webhooks that are the directory's, addresses are cut off behind their hosts.
    content: String,
}

impl From<LiveDocument> for DocumentView {
    fn from(live: LiveDocument) -> Self {
        let LiveDocument { document, by_api, revision, content } = live;
        Self { document: document.code(), by_api, revision: revision.unwrap_or(0), content }
    }
}

/// A version of a document.
#[derive(Serialize, ToSchema)]
pub struct DocumentVersionView {
    revision: i64,
    /// SHA-256 of the content.
    digest: String,
    author: String,
    why: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The earlier revision whose content it has, where it was rolled back.
    again: Option<i64>,
}

impl From<PublishedVersion> for DocumentVersionView {
    fn from(version: PublishedVersion) -> Self {
        let PublishedVersion { revision, digest, author, why, at, again } = version;
        Self { revision, digest, author, why, at, again }
    }
}

/// A thing that differs, with what that touches.
#[derive(Serialize, ToSchema)]
pub struct TouchedView {
    /// `person`, `department readers`, `team`, `category`, `request type`, `app`, `calendar`, `priority`, `impact`, `urgency`, `matrix`,
    /// `promises`, `routing`, `devices`, `macro`, `canned reply`, `template`, `webhook`, `connector`, `incompatible access` or `tag`.
    kind: &'static str,
    id: String,
    /// `added`, `changed` or `removed`.
    change: &'static str,
    /// Tickets on which work is owed that have it.
    open_tickets: i64,
    /// Whether what is promised about these tickets follows the change: their due times move, and their timelines say so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    promises_move: bool,
    /// Rules whose manifests name it.
    rules: Vec<String>,
    /// Of an app whose `default-tier` is new: for how many people who are here it orders nothing, because their last grant has ended
    /// before.
    #[serde(skip_serializing_if = "Option::is_none")]
    out_before_default: Option<usize>,
    /// Of a webhook that is there already: how many deliveries wait for it, counted up to 1,000. They go where it says then, as far as
    /// it still hears of such events; where it is removed, they are not sent, and a secret that the desk keeps for it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_deliveries: Option<i64>,
    /// Of a connector: the apps that are written to by it, before or afterwards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    apps: Vec<String>,
}

impl From<Touched> for TouchedView {
    fn from(touched: Touched) -> Self {
        let Touched { difference, open_tickets, promises_move, rules, waiting_deliveries, apps, .. } = touched;
        let out = touched.out_before_default;
        let (kind, id, change) = (difference.noun.code(), difference.id, difference.way.code());
        let out_before_default = (out > 0).then_some(out);
        Self { kind, id, change, open_tickets, promises_move, rules, out_before_default, waiting_deliveries, apps }
    }
}

/// The changes that a document makes.
#[derive(Serialize, ToSchema)]
pub struct ProposedView {
    /// Of the version that was published; absent where it was only looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
    changes: Vec<TouchedView>,
    /// Why it would not be published.
    problems: Vec<FieldProblem>,
    /// The first thing by which access would be easier to get, or by which a webhook hears of more that requesters do not see. A desk
    /// that asks for two people publishes it when it is the draft of one administrator and another publishes the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    eases_access: Option<String>,
}

impl From<Proposed> for ProposedView {
    fn from(proposed: Proposed) -> Self {
        let Proposed { revision, touched, problems, after: _, looser: eases_access } = proposed;
        let changes = touched.into_iter().map(TouchedView::from).collect();
        Self { revision, changes, problems: problems.into_iter().map(FieldProblem::from).collect(), eases_access }
    }
}

/// A document to look at.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentBody {
    /// TOML, as in the file of the directory.
    content: String,
}

/// A document to publish.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishBody {
    /// TOML, as in the file of the directory.
    content: String,
    /// 1 to 1,000 characters; kept with the version.
    why: String,
}

/// The version to which a document goes back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentRollbackBody {
    /// Of the version whose content is published again.
    revision: i64,
    /// 1 to 1,000 characters; kept with the version.
    why: String,
}

fn document(code: &str) -> Result<Document, Problem> {
    Document::from_code(code).ok_or_else(|| {
        let known = Document::ALL.map(Document::code).join(", ");
        Problem::new(Kind::NOT_FOUND, format!("there is no document {}: there are {known}", quoted(code)))
    })
}

/// List the documents of the configuration as they are live.
#[utoipa::path(get, path = "/api/v1/config/documents", tag = "config", security(("token" = [])),
    responses((status = 200, body = Vec<DocumentView>), (status = 403, body = Problem)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
) -> Result<axum::Json<Vec<DocumentView>>, Problem> {
    let documents = app.live_documents(&actor).await?;
    Ok(axum::Json(documents.into_iter().map(DocumentView::from).collect()))
}

/// List the versions of a document that were published, the latest first.
#[utoipa::path(get, path = "/api/v1/config/documents/{document}/versions", tag = "config", security(("token" = [])),
    params(("document" = String, Path)),
    responses((status = 200, body = Vec<DocumentVersionView>), (status = 404, body = Problem)))]
pub async fn versions(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(code): Path<String>,
) -> Result<axum::Json<Vec<DocumentVersionView>>, Problem> {
    let versions = app.document_versions(&actor, document(&code)?).await?;
    Ok(axum::Json(versions.into_iter().map(DocumentVersionView::from).collect()))
}

/// Read a version of a document, as TOML.
#[utoipa::path(get, path = "/api/v1/config/documents/{document}/versions/{revision}", tag = "config",
    security(("token" = [])), params(("document" = String, Path), ("revision" = String, Path)),
    responses((status = 200, body = String, content_type = "application/toml"),
        (status = 404, body = Problem)))]
pub async fn version(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path((code, revision)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let number = revision.parse().map_err(|_| Problem::new(Kind::NOT_FOUND, "a revision is a whole number"))?;
    let content = app.document_version(&actor, document(&code)?, number).await?;
    Ok(([(header::CONTENT_TYPE, "application/toml")], content).into_response())
}

/// Look at what a document would change, and at what that touches. Nothing is changed.
#[utoipa::path(post, path = "/api/v1/config/documents/{document}/check", tag = "config", security(("token" = [])),
    params(("document" = String, Path)), request_body = DocumentBody,
    responses((status = 200, body = ProposedView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn check(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(code): Path<String>,
    Json(body): Json<DocumentBody>,
) -> Result<axum::Json<ProposedView>, Problem> {
    let proposed = app.look_at_document(&actor, document(&code)?, &body.content).await?;
    Ok(axum::Json(proposed.into()))
}

/// Publish a document: it is live on this host at once and on all others within a second.
///
/// Refused where it is not right, and where open tickets have what it takes away. Where the desk asks for two people about access,
/// what makes access easier to get, or lets a webhook hear of more that requesters do not see, is published when another administrator
/// has kept the same as the draft; without a draft, what is refused becomes one.
#[utoipa::path(put, path = "/api/v1/config/documents/{document}", tag = "config", security(("token" = [])),
    params(("document" = String, Path), ("If-Match" = String, Header, description = "the live revision as a tag, or *")),
    request_body = PublishBody,
    responses((status = 200, body = ProposedView), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
pub async fn publish(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(code): Path<String>,
    headers: HeaderMap,
    Json(body): Json<PublishBody>,
) -> Result<axum::Json<ProposedView>, Problem> {
    let wanted = (document(&code)?, Wanted::Content(&body.content), body.why.as_str());
    Ok(axum::Json(app.publish(&actor, wanted, &condition(&headers)?).await?.into()))
}

/// Publish the content of an earlier version again.
#[utoipa::path(post, path = "/api/v1/config/documents/{document}/rollback", tag = "config", security(("token" = [])),
    params(("document" = String, Path), ("If-Match" = String, Header, description = "the live revision as a tag, or *")),
    request_body = DocumentRollbackBody,
    responses((status = 200, body = ProposedView), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
pub async fn roll_back(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(code): Path<String>,
    headers: HeaderMap,
    Json(body): Json<DocumentRollbackBody>,
) -> Result<axum::Json<ProposedView>, Problem> {
    let wanted = (document(&code)?, Wanted::Again(body.revision), body.why.as_str());
    Ok(axum::Json(app.publish(&actor, wanted, &condition(&headers)?).await?.into()))
}

/// A document that is not published yet.
#[derive(Serialize, ToSchema)]
pub struct DocumentDraftView {
    /// Also its `ETag`.
    version: i64,
    /// TOML, which need not be right.
    content: String,
    author: String,
    #[schema(value_type = String, format = DateTime)]
    saved_at: Timestamp,
}

fn drafted(draft: DocumentDraft) -> Response {
    let DocumentDraft { version, content, author, saved_at } = draft;
    let etag = format!("\"{version}\"");
    ([(header::ETAG, etag)], axum::Json(DocumentDraftView { version, content, author, saved_at })).into_response()
}

/// Read the draft of a document, which all admins share.
#[utoipa::path(get, path = "/api/v1/config/documents/{document}/draft", tag = "config", security(("token" = [])),
    params(("document" = String, Path)), responses((status = 200, body = DocumentDraftView), (status = 404, body = Problem)))]
pub async fn draft(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    Ok(drafted(app.draft_of(&actor, document(&code)?).await?))
}

/// Keep a draft of a document: `If-None-Match: *` for the first, `If-Match` with its `ETag` from then on.
///
/// It need not be right. Published as it is, it is gone.
#[utoipa::path(put, path = "/api/v1/config/documents/{document}/draft", tag = "config", security(("token" = [])),
    params(("document" = String, Path),
        ("If-Match" = Option<String>, Header, description = "the draft's ETag, or *"),
        ("If-None-Match" = Option<String>, Header, description = "* where there is none yet")),
    request_body = DocumentBody,
    responses((status = 200, body = DocumentDraftView), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
pub async fn keep_draft(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(code): Path<String>,
    headers: HeaderMap,
    Json(body): Json<DocumentBody>,
) -> Result<Response, Problem> {
    Ok(drafted(app.keep_document_draft(&actor, (document(&code)?, &body.content), &condition(&headers)?).await?))
}

/// Forget the draft of a document.
#[utoipa::path(delete, path = "/api/v1/config/documents/{document}/draft", tag = "config", security(("token" = [])),
    params(("document" = String, Path), ("If-Match" = String, Header, description = "the draft's ETag, or *")),
    responses((status = 204), (status = 404, body = Problem), (status = 412, body = Problem), (status = 428, body = Problem)))]
pub async fn drop_draft(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    app.drop_draft_of(&actor, document(&code)?, &condition(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
