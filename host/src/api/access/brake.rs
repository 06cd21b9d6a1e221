//! `/api/v1/access/brake`: whether the desk has stopped ending access because too many had left at once, and the word to go on.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::json::Json;
use crate::api::http::problem::Problem;
use crate::app::App;
use crate::app::access::people::brake::Brake;

/// The last time that the desk stopped.
#[derive(Debug, Serialize, ToSchema)]
pub struct BrakeView {
    /// Whether it stands still now.
    stopped: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// How many people were to lose their access.
    people: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    resumed_at: Option<Timestamp>,
    resumed_by: Option<String>,
    reason: Option<String>,
}

/// The word to go on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeBody {
    /// Why it is right that so many have left; up to 1,000 characters.
    reason: String,
}

impl From<Option<Brake>> for BrakeView {
    fn from(brake: Option<Brake>) -> Self {
        let stopped = brake.as_ref().is_some_and(|brake| brake.resumed.is_none());
        let (at, people) = brake.as_ref().map_or((None, 0), |brake| (Some(brake.at), brake.people));
        let resumed = brake.and_then(|brake| brake.resumed);
        let (resumed_at, resumed_by, reason) = match resumed {
            Some((at, by, reason)) => (Some(at), Some(by), Some(reason)),
            None => (None, None, None),
        };
        BrakeView { stopped, at, people, resumed_at, resumed_by, reason }
    }
}

/// Read whether the desk has stopped ending access because too many people had left at once. For agents and admins.
#[utoipa::path(get, path = "/api/v1/access/brake", tag = "access", security(("token" = [])),
    responses((status = 200, body = BrakeView), (status = 403, body = Problem)))]
pub async fn read(State(app): State<Arc<App>>, Caller(actor): Caller) -> Result<axum::Json<BrakeView>, Problem> {
    Ok(axum::Json(app.brake(&actor).await?.into()))
}

/// Have the desk end the access of those who have left; the word holds for an hour. For admins.
#[utoipa::path(post, path = "/api/v1/access/brake/resume", tag = "access", security(("token" = [])),
    request_body = ResumeBody,
    responses((status = 200, body = BrakeView), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub async fn resume(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Json(body): Json<ResumeBody>,
) -> Result<axum::Json<BrakeView>, Problem> {
    Ok(axum::Json(Some(app.resume_ends(&actor, &body.reason).await?).into()))
}
