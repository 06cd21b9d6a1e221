//! `/api/v1/schedules`: what comes again by the calendar.

use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::json::Json;
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::tickets::submit::schedule_acts::{Run, ScheduleStatus, ScheduleStep};
use crate::desk::text::quoted;

/// Something that comes again.
#[derive(Serialize, ToSchema)]
pub struct ScheduleView {
    /// `ticket:` and the entry's id, or `report:`, the id and the person who gets it.
    name: String,
    /// Null where it never comes, and while it is paused.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<Timestamp>,
    /// The last occurrence that was done, or from when on the entry is there; null where the desk has not looked at it yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    done_until: Option<Timestamp>,
    /// Tries of the next occurrence so far.
    attempts: i64,
    /// Why the last try failed, or an occurrence was left out; may be empty.
    last_error: String,
    /// Since when it is paused; absent where it runs.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_at: Option<Timestamp>,
    /// Whether the next occurrence is done at once, before its time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    wanted: bool,
}

impl From<ScheduleStatus> for ScheduleView {
    fn from(ScheduleStatus { name, next_at, progress }: ScheduleStatus) -> Self {
        let done_until = progress.as_ref().map(|progress| progress.done_until);
        let paused_at = progress.as_ref().and_then(|progress| progress.paused_at);
        let wanted = progress.as_ref().is_some_and(|progress| progress.wanted);
        let (attempts, last_error) = progress.map(|p| (p.attempts, p.last_error)).unwrap_or_default();
        Self { name, next_at, done_until, attempts, last_error, paused_at, wanted }
    }
}

/// List the tickets and reports that come again, with when they do. For admins.
#[utoipa::path(get, path = "/api/v1/schedules", tag = "operations", security(("token" = [])),
    responses((status = 200, body = Vec<ScheduleView>), (status = 403, body = Problem)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
) -> Result<axum::Json<Vec<ScheduleView>>, Problem> {
    let all = app.schedules(&actor).await?;
    Ok(axum::Json(all.into_iter().map(ScheduleView::from).collect()))
}

/// An occurrence that has ended.
#[derive(Serialize, ToSchema)]
pub struct ScheduleRunView {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    done_at: Timestamp,
    /// Why it was left out; absent where it was done.
    #[serde(skip_serializing_if = "String::is_empty")]
    left_out: String,
}

impl From<Run> for ScheduleRunView {
    fn from(Run { at, done_at, left_out }: Run) -> Self {
        Self { at, done_at, left_out }
    }
}

/// List the last occurrences of a schedule that ended, the latest first, at most 100. For admins.
#[utoipa::path(get, path = "/api/v1/schedules/{name}/runs", tag = "operations", security(("token" = [])),
    params(("name" = String, Path)),
    responses((status = 200, body = Vec<ScheduleRunView>), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn runs(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
) -> Result<axum::Json<Vec<ScheduleRunView>>, Problem> {
    let runs = app.schedule_runs(&actor, &name).await?;
    Ok(axum::Json(runs.into_iter().map(ScheduleRunView::from).collect()))
}

/// The reason for a step.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleStepBody {
    /// 1 to 1,000 characters; kept in the audit.
    why: String,
}

/// Pause a schedule, resume it, or have its next occurrence done within seconds and not again at its time. For admins.
///
/// A paused one makes up for nothing when it is resumed.
#[utoipa::path(post, path = "/api/v1/schedules/{name}/{step}", tag = "operations", security(("token" = [])),
    params(("name" = String, Path), ("step" = String, Path, description = "`pause`, `resume` or `run-next`")),
    request_body = ScheduleStepBody,
    responses((status = 200, body = ScheduleView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn step(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path((name, code)): Path<(String, String)>,
    Json(body): Json<ScheduleStepBody>,
) -> Result<axum::Json<ScheduleView>, Problem> {
    let step = ScheduleStep::from_code(&code);
    let step = step.ok_or_else(|| Problem::new(Kind::NOT_FOUND, format!("there is no step {}", quoted(&code))))?;
    Ok(axum::Json(app.step_schedule(&actor, &name, step, &body.why).await?.into()))
}
