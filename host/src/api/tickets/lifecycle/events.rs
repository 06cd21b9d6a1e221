//! Events of promises, and moves between teams, over HTTP.

use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::problem::Problem;
use crate::api::tickets::number;
use crate::app::App;
use crate::app::tickets::lifecycle::events::{Handover, PromiseEvent};

/// One event of a promise.
#[derive(Serialize, ToSchema)]
pub struct PromiseEventView {
    /// `first-response`, `resolution`, `next-update`, `team-resolution`, `confirmation`, `requester-answer`, or one that the configuration
    /// declares.
    clock: String,
    /// `start`, `pause`, `resume`, `meet`, `breach`, `retarget` or `cancel`.
    event: &'static str,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The open time that is promised, in seconds.
    target_seconds: i64,
    /// The open time that was used by then, in seconds.
    used_seconds: i64,
    /// When it runs out from then on; null where it does not run.
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
}

impl From<PromiseEvent> for PromiseEventView {
    fn from(event: PromiseEvent) -> Self {
        let PromiseEvent { kind, step, at, target_ms, used_ms, due_at } = event;
        let (target_seconds, used_seconds) = (target_ms / 1_000, used_ms / 1_000);
        Self { clock: kind.code().to_owned(), event: step, at, target_seconds, used_seconds, due_at }
    }
}

/// Read what happened to a ticket's promises, event by event.
///
/// A breach stands where the time of a clock was over while it ran. The team's own clock, and those that
/// the configuration declares, are for agents and admins.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/promises/events", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path)),
    responses((status = 200, body = Vec<PromiseEventView>), (status = 404, body = Problem)))]
pub async fn promises(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<axum::Json<Vec<PromiseEventView>>, Problem> {
    let events = app.promise_events(&actor, number(&key)?).await?;
    Ok(axum::Json(events.into_iter().map(PromiseEventView::from).collect()))
}

/// One move of a ticket to another team.
#[derive(Serialize, ToSchema)]
pub struct HandoverView {
    from: String,
    to: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The person who did it; null is the desk or a rule.
    by: Option<String>,
    /// The note that goes with it; may be empty.
    reason: String,
    /// Whether the team had had the ticket before.
    came_back: bool,
}

/// The way of a ticket from team to team.
#[derive(Serialize, ToSchema)]
pub struct HandoversView {
    /// How often it came back to a team that had had it.
    came_back: usize,
    handovers: Vec<HandoverView>,
}

impl From<Vec<Handover>> for HandoversView {
    fn from(all: Vec<Handover>) -> Self {
        let view = |Handover { from, to, at, by, reason, came_back }: Handover| {
            let by = by.person().map(ToString::to_string);
            HandoverView { from, to, at, by, reason, came_back }
        };
        let came_back = all.iter().filter(|one| one.came_back).count();
        Self { came_back, handovers: all.into_iter().map(view).collect() }
    }
}

/// Read how a ticket went from team to team, and how often it came back. For agents and admins.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/handovers", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path)),
    responses((status = 200, body = HandoversView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn handovers(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<axum::Json<HandoversView>, Problem> {
    Ok(axum::Json(app.handovers(&actor, number(&key)?).await?.into()))
}
