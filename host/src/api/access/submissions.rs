//! `/api/v1/access/submissions`: several items, or several people, in one submission, each with a decision of its own.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::headers::key::key as key_of;
use crate::api::http::json::Json;
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::access::people::submission::{AccessSubmission, SubmissionItem, SubmissionRequest};
use crate::desk::text::quoted;

/// The items that are asked for, and for whom.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmissionBody {
    /// The people who are to have it; without any, you.
    #[serde(default)]
    people: Vec<String>,
    /// At most 50 requests come of one submission.
    items: Vec<ItemBody>,
    justification: String,
}

/// One item of the catalog.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemBody {
    app: String,
    tier: String,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    duration_hours: Option<u32>,
    /// A day such as `2026-03-01`, or an instant (RFC 3339), at which it is to begin; at once where nothing is said. Needs a form with a
    /// field `starts`.
    #[serde(default)]
    starts: Option<String>,
}

/// A submission with where each of its requests stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubmissionView {
    id: String,
    requester: String,
    #[schema(value_type = String, format = DateTime)]
    asked_at: Timestamp,
    requests: Vec<SubmissionPartView>,
}

/// One item for one person.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubmissionPartView {
    person: String,
    app: String,
    tier: String,
    /// The key of the request's ticket; null where the rules did not take it, or it is not made yet.
    ticket: Option<String>,
    /// `denied_by_policy`, `awaiting`, `approved`, `denied` or `cancelled`.
    state: Option<&'static str>,
    /// Why the rules did not take it.
    problem: Option<String>,
}

impl From<AccessSubmission> for SubmissionView {
    fn from(found: AccessSubmission) -> Self {
        let part = |part: crate::app::access::people::submission::SubmissionPart| SubmissionPartView {
            person: part.subject.to_string(),
            app: part.app.to_string(),
            tier: part.tier.to_string(),
            ticket: part.ticket.map(|number| number.to_string()),
            state: part.state.map(|state| state.code()),
            problem: part.problem,
        };
        SubmissionView {
            id: found.id.to_string(),
            requester: found.requester.to_string(),
            asked_at: found.asked_at,
            requests: found.parts.into_iter().map(part).collect(),
        }
    }
}

impl From<SubmissionBody> for SubmissionRequest {
    fn from(body: SubmissionBody) -> Self {
        let item = |item: ItemBody| SubmissionItem {
            app: item.app,
            tier: item.tier,
            role: item.role,
            hours: item.duration_hours,
            starts: item.starts,
        };
        let items = body.items.into_iter().map(item).collect();
        SubmissionRequest { people: body.people, items, justification: body.justification }
    }
}

/// Ask for several items, or for several people. Each item for each person is a request of its own: one that is denied holds up no
/// other. Where one cannot be asked for as it stands, none is made. Sent again with its key, it makes what is still missing.
#[utoipa::path(post, path = "/api/v1/access/submissions", tag = "access", security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = SubmissionBody,
    responses((status = 201, body = SubmissionView), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub async fn submit(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    headers: HeaderMap,
    Json(body): Json<SubmissionBody>,
) -> Result<(StatusCode, axum::Json<SubmissionView>), Problem> {
    let key = key_of(&headers, "access submission", &body)?;
    let made = app.ask_for_several(&actor, &body.into(), key).await?;
    Ok((StatusCode::CREATED, axum::Json(made.into())))
}

/// Read a submission: where each of its requests stands. For the one who has asked, agents and admins.
#[utoipa::path(get, path = "/api/v1/access/submissions/{id}", tag = "access", security(("token" = [])),
    params(("id" = String, Path)),
    responses((status = 200, body = SubmissionView), (status = 404, body = Problem)))]
pub async fn read(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<SubmissionView>, Problem> {
    let missing =
        |_| Problem::new(Kind::NOT_FOUND, format!("there is no submission {}: its id is a UUID", quoted(&id)));
    let id = id.parse().map_err(missing)?;
    Ok(axum::Json(app.access_submission(&actor, id).await?.into()))
}
