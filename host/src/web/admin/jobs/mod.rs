//! How the desk is doing: whether it can serve, and the work that it has given up on.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::jobs::{DeadJob, JobId, Queue};
use crate::desk::permission;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::shown::size;
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

pub mod schedules;

/// Dead jobs on the page; those behind them come as these are done.
const ROWS: i64 = 50;

/// Something that is right, or is not.
struct Check {
    name: String,
    good: bool,
    text: String,
}

/// Work that was tried too often.
struct Dead {
    id: String,
    job: &'static str,
    ticket: Option<String>,
    attempts: u32,
    error: String,
    when: When,
}

#[derive(Template)]
#[template(path = "admin/jobs.html")]
struct JobsPage {
    f: Frame,
    checks: Vec<Check>,
    queues: Vec<(&'static str, i64)>,
    dead: Vec<Dead>,
    more: bool,
    done: Option<String>,
}

/// How many were tried again.
#[derive(Debug, Default, Deserialize)]
pub struct How {
    done: Option<u64>,
}

/// `GET /admin/jobs`.
pub async fn list(visit: Visit, Query(How { done }): Query<How>) -> Result<Response, Failure> {
    permission::administer(&visit.actor).map_err(crate::app::Error::from)?;
    let found = visit.app.jobs.dead(&visit.actor, None, ROWS).await?;
    let queues = visit.app.jobs.dead_counts().await?;
    let overdue = visit.app.revocations_overdue().await?;
    let database = visit.app.store.ping().await.map_err(|error| error.for_strangers());
    let kept = visit.app.store.kept().await.map_err(crate::app::Error::from)?;
    let rules = visit.app.rules_are_ready();
    let troubles = visit.app.rules.catalog().troubles();
    let f = visit.frame;
    let check = |key: &str, good: bool, text: String| Check { name: f.words.t(key), good, text };
    let fine = |good: bool| f.words.t(if good { "health.good" } else { "health.not-yet" });
    let checks = vec![
        check("health.database", database.is_ok(), database.err().unwrap_or_else(|| fine(true))),
        check("health.rules", rules, fine(rules)),
        check(
            "health.directory",
            troubles.is_empty(),
            if troubles.is_empty() { fine(true) } else { troubles.join(" ") },
        ),
        check("health.revocations", overdue == 0, f.words.n("health.overdue", overdue)),
        check("health.storage", true, size(f.words, kept.database_bytes)),
        check("health.files", true, f.words.t2("health.files-of", kept.files, size(f.words, kept.file_bytes))),
    ];
    let dead = |job: DeadJob| Dead {
        id: job.id.to_string(),
        job: job.id.queue.name(),
        ticket: job.ticket.map(|number| number.to_string()),
        attempts: job.attempts,
        error: job.last_error,
        when: f.times.ago(job.dead_at),
    };
    let page_ = JobsPage {
        checks,
        queues: queues.into_iter().filter(|(_, count)| *count > 0).map(|(queue, n)| (queue.name(), n)).collect(),
        more: found.next.is_some(),
        dead: found.items.into_iter().map(dead).collect(),
        done: done.map(|done| f.words.n("jobs.retried", done)),
        f,
    };
    page(StatusCode::OK, &page_)
}

/// `POST /admin/jobs`: does one job again, or all of a queue.
pub async fn retry(visit: Visit, form: Form) -> Result<Response, Failure> {
    let wanted = form.text("job");
    let retried = match Queue::from_name(&wanted) {
        Some(queue) => visit.app.jobs.retry_all(&visit.actor, queue).await?,
        None => {
            let id: JobId = wanted.parse().map_err(|_| Failure::BadForm)?;
            visit.app.jobs.retry(&visit.actor, &id).await.map(|()| 1)?
        }
    };
    Ok(Redirect::to(&format!("/admin/jobs?done={retried}")).into_response())
}
