//! `/api/v1/jobs/dead`: work that the desk has given up on.

use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::jobs::{DEAD_PAGE_MAX, DeadJob, DeadPlace, JobId, Queue};
use crate::desk::text::quoted;

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeadQuery {
    /// How many, 1 to 200; 50 where nothing is said.
    limit: Option<i64>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// Jobs on a page where the client does not say how many.
const PAGE: i64 = 50;

/// A page of dead jobs, the longest dead first.
#[derive(Serialize, ToSchema)]
pub struct DeadPageView {
    jobs: Vec<DeadJobView>,
    /// Where the next page begins, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Work that was tried too often.
#[derive(Serialize, ToSchema)]
pub struct DeadJobView {
    /// The job's name, a dot, and what it is about.
    id: String,
    /// Such as `access-deadline`.
    job: &'static str,
    /// The ticket that it is about.
    ticket: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    attempts: u32,
    /// Why the last attempt failed.
    last_error: String,
    #[schema(value_type = String, format = DateTime)]
    dead_at: Timestamp,
}

impl From<DeadJob> for DeadJobView {
    fn from(dead: DeadJob) -> Self {
        let DeadJob { id, ticket, due_at, attempts, last_error, dead_at } = dead;
        let ticket = ticket.map(|number| number.to_string());
        Self { id: id.to_string(), job: id.queue.name(), ticket, due_at, attempts, last_error, dead_at }
    }
}

/// List the work that the desk has given up on, the longest dead first.
#[utoipa::path(get, path = "/api/v1/jobs/dead", tag = "operations", security(("token" = [])), params(DeadQuery),
    responses((status = 200, body = DeadPageView), (status = 403, body = Problem)))]
pub async fn dead(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Query(query): Query<DeadQuery>,
) -> Result<axum::Json<DeadPageView>, Problem> {
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=DEAD_PAGE_MAX).contains(&limit) {
        return Err(Problem::bad_query(format!("`limit` is 1 to {DEAD_PAGE_MAX}")));
    }
    let after = query.after.as_deref().map(read_cursor).transpose()?;
    let dead = app.jobs.dead(&actor, after, limit).await?;
    let jobs = dead.items.into_iter().map(DeadJobView::from).collect();
    Ok(axum::Json(DeadPageView { jobs, next: dead.next.map(write_cursor) }))
}

/// The work that is done again.
#[derive(Serialize, ToSchema)]
pub struct RetriedView {
    /// How many dead jobs.
    retried: u64,
}

/// Do dead work again: one job by its id, or all jobs of a kind by their name.
#[utoipa::path(post, path = "/api/v1/jobs/dead/{id}/retry", tag = "operations", security(("token" = [])),
    params(("id" = String, Path, description = "a job's `id`, or its `job` for all of the kind")),
    responses((status = 200, body = RetriedView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn retry(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<RetriedView>, Problem> {
    let retried = match Queue::from_name(&id) {
        Some(queue) => app.jobs.retry_all(&actor, queue).await?,
        None => {
            let id: JobId =
                id.parse().map_err(|e| Problem::new(Kind::NOT_FOUND, format!("there is no {}: {e}", quoted(&id))))?;
            app.jobs.retry(&actor, &id).await.map(|()| 1)?
        }
    };
    Ok(axum::Json(RetriedView { retried }))
}

/// The version of cursors that this program writes; it is the only one that it reads.
const CURSOR: &str = "1";

fn write_cursor(place: DeadPlace) -> String {
    format!("{CURSOR}~{:x}~{}", place.dead_at.as_millisecond(), place.id)
}

fn read_cursor(text: &str) -> Result<DeadPlace, Problem> {
    let place = text.strip_prefix(CURSOR).and_then(|rest| rest.strip_prefix('~')).and_then(|rest| {
        let (dead_at, id) = rest.split_once('~')?;
        let dead_at = Timestamp::from_millisecond(i64::from_str_radix(dead_at, 16).ok()?).ok()?;
        Some(DeadPlace { dead_at, id: id.parse().ok()? })
    });
    place.ok_or_else(|| Problem::bad_query("`after` takes the `next` of the page before"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_as_written() {
        let id: JobId = "access-deadline.01980000-0000-7000-8000-000000000001".parse().unwrap();
        let place = DeadPlace { dead_at: Timestamp::from_millisecond(1_785_744_000_123).unwrap(), id };
        assert_eq!(read_cursor(&write_cursor(place)).ok(), Some(place));
        for bad in ["", "1", "1~~", "1~ff~outbox", "2~ff~outbox.01980000-0000-7000-8000-000000000001"] {
            assert!(read_cursor(bad).is_err(), "{bad}");
        }
    }
}
