//! Drafts over HTTP: submissions that their authors go on with later.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::json::Json;
use crate::api::http::page::{List, PageQuery, Paged, whole};
use crate::api::http::problem::{FieldProblem, Kind, Problem};
use crate::api::tickets::{NewTicketBody, answer_made};
use crate::app::App;
use crate::app::tickets::submit::drafts::{DraftPlace, StoredDraft};
use crate::desk::id::DraftId;

/// A submission that is kept.
#[derive(Serialize, ToSchema)]
pub struct DraftView {
    id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    saved_at: Timestamp,
    submission: NewTicketBody,
    /// Problems that the desk found when it was sent; none where it was not, or was changed since.
    problems: Vec<FieldProblem>,
}

/// The draft of an address.
fn named(id: &str) -> Result<DraftId, Problem> {
    let id = id.parse().map(DraftId);
    id.map_err(|e| Problem::new(Kind::NOT_FOUND, format!("there is no such draft: its id is a UUID, and {e}")))
}

/// The place after which a page of drafts begins.
fn place(text: &str) -> Result<DraftPlace, Problem> {
    let [saved_at, id] = List::Drafts.read(text)?;
    Ok((i64::try_from(saved_at).unwrap_or(i64::MAX), Uuid::from_u128(id)))
}

fn view(draft: StoredDraft) -> Result<DraftView, Problem> {
    let submission = read(&draft)?;
    let problems = draft.problems.into_iter().map(FieldProblem::from).collect();
    Ok(DraftView { id: draft.id.0, saved_at: draft.saved_at, submission, problems })
}

/// A draft of a list, from which one that cannot be read keeps no other.
fn readable(app: &App, draft: StoredDraft) -> Option<DraftView> {
    let id = draft.id;
    view(draft).inspect_err(|_| app.leave_out_draft(id)).ok()
}

fn read(draft: &StoredDraft) -> Result<NewTicketBody, Problem> {
    let read = serde_json::from_str(&draft.content);
    read.map_err(|e| Problem::new(Kind::REJECTED, format!("the draft is none that this program reads: {e}")))
}

/// List your drafts, the latest first. A page ends earlier where they are long.
#[utoipa::path(get, path = "/api/v1/drafts", tag = "tickets", security(("token" = [])), params(PageQuery),
    responses((status = 200, body = Vec<DraftView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 400, body = Problem), (status = 403, body = Problem)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Query(query): Query<PageQuery>,
) -> Result<Paged<DraftView>, Problem> {
    let limit = query.limit()?;
    let after = query.after.as_deref().map(place).transpose()?;
    let page = app.drafts_after(&actor, after, limit).await?;
    let next = page.next.map(|(saved_at, id)| List::Drafts.write([whole(saved_at), id.as_u128()]));
    let items = page.items.into_iter().filter_map(|draft| readable(&app, draft)).collect();
    Ok(Paged { items, next, limit })
}

/// Read one of your drafts.
#[utoipa::path(get, path = "/api/v1/drafts/{id}", tag = "tickets", security(("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = DraftView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<DraftView>, Problem> {
    Ok(axum::Json(view(app.draft(&actor, named(&id)?).await?)?))
}

/// Keep a submission under an id of your own making (UUID), up to 50. Nothing of it is checked yet.
#[utoipa::path(put, path = "/api/v1/drafts/{id}", tag = "tickets", security(("token" = [])),
    params(("id" = Uuid, Path)), request_body = NewTicketBody,
    responses((status = 200, body = DraftView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn keep(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Json(body): Json<NewTicketBody>,
) -> Result<axum::Json<DraftView>, Problem> {
    if body.attachments.iter().any(|file| i64::try_from(file.size).is_err()) {
        return Err(Problem::bad_field("attachments", "has a file that is larger than files are"));
    }
    let content = serde_json::to_string(&body).unwrap_or_default();
    Ok(axum::Json(view(app.keep_draft(&actor, named(&id)?, content).await?)?))
}

/// Forget a draft.
#[utoipa::path(delete, path = "/api/v1/drafts/{id}", tag = "tickets", security(("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn forget(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.forget_draft(&actor, named(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Submit a draft, which is forgotten then. Where it is refused, it stays, with the problems.
///
/// Sent again, it answers with the ticket that it made.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/submit", tag = "tickets", security(("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 201, body = crate::api::tickets::views::TicketView),
        (status = 200, body = crate::api::tickets::views::TicketView, description = "made before"),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn submit(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let made = match app.made_of_draft(&actor, named(&id)?).await? {
        Some(made) => made,
        None => {
            let draft = app.draft(&actor, named(&id)?).await?;
            let wanted = read(&draft)?.submission()?;
            app.submit_draft(&actor, draft, wanted).await?
        }
    };
    answer_made(&app, &actor, made).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::tickets::submit::draft_content::DraftContent;

    /// A page reads what the interface keeps, and the reverse: both say the same of a submission.
    #[test]
    fn the_interface_and_the_pages_keep_a_draft_alike() {
        let whole = serde_json::json!({ "request_type": "hardware", "subject": "A laptop", "body": "please",
            "fields": { "device": "laptop", "people": 2.0, "tools": ["a"] }, "tags": ["vip"],
            "attachments": [{ "name": "a.txt", "media_type": "text/plain", "size": 3 }],
            "uploads": ["0199c0de-0000-7000-8000-000000000001"], "requester": "lena", "channel": "phone" });
        let body: NewTicketBody = serde_json::from_value(whole.clone()).unwrap();
        let page = DraftContent::read(&serde_json::to_string(&body).unwrap()).unwrap();
        assert_eq!(serde_json::to_value(&page).unwrap(), whole);
        let again: NewTicketBody = serde_json::from_str(&page.text()).unwrap();
        assert_eq!(serde_json::to_value(&again).unwrap(), whole);
    }
}
