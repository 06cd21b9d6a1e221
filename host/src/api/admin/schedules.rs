//! `/api/v1/schedules`: what comes again by the calendar.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::problem::Problem;
use crate::app::App;
use crate::app::tickets::submit::schedules::ScheduleStatus;

/// Something that comes again.
#[derive(Serialize, ToSchema)]
pub struct ScheduleView {
    /// `ticket:` and the entry's id, or `report:`, the id and the person who gets it.
    name: String,
    /// Null where it never comes.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<Timestamp>,
    /// The last occurrence that was done, or from when on the entry is there; null where the desk has not looked at it yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    done_until: Option<Timestamp>,
    /// Tries of the next occurrence so far.
    attempts: i64,
    /// Why the last try failed, or an occurrence was left out; may be empty.
    last_error: String,
}

impl From<ScheduleStatus> for ScheduleView {
    fn from(ScheduleStatus { name, next_at, progress }: ScheduleStatus) -> Self {
        let done_until = progress.as_ref().map(|progress| progress.done_until);
        let (attempts, last_error) = progress.map(|p| (p.attempts, p.last_error)).unwrap_or_default();
        Self { name, next_at, done_until, attempts, last_error }
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
