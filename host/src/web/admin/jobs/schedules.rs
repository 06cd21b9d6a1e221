//! Tickets and reports that come again by the calendar: when each comes next, what became of it, pausing it, and doing the next at once.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::Error;
use crate::app::tickets::submit::schedule_acts::{Run, ScheduleStatus, ScheduleStep};
use crate::web::frame::failure::Failure;
use crate::web::frame::form::{Form, encode};
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// The last occurrences of an entry that a page shows.
const RUNS: usize = 20;

/// Something that comes again.
struct Entry {
    name: String,
    /// When it comes next, in the reader's zone; none where it never does, and while it is paused.
    next: Option<String>,
    paused: Option<When>,
    wanted: bool,
    error: String,
    /// Its last occurrences, the latest first: when it was due, and why it was left out.
    runs: Vec<(String, String)>,
    address: String,
    is_open: bool,
}

#[derive(Template)]
#[template(path = "admin/schedules.html")]
struct SchedulesPage {
    f: Frame,
    entries: Vec<Entry>,
    notice: Option<(String, &'static str)>,
    why: String,
}

/// The entry whose occurrences are shown, and whether a step was just taken.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct How {
    of: String,
    done: Option<String>,
}

fn entry(f: &Frame, status: ScheduleStatus, of: &str, runs: &[Run]) -> Entry {
    let ScheduleStatus { name, next_at, progress } = status;
    let is_open = name == of;
    let run = |run: &Run| (f.times.exact(run.at), run.left_out.clone());
    Entry {
        next: next_at.map(|at| f.times.exact(at)),
        paused: progress.as_ref().and_then(|progress| progress.paused_at).map(|since| f.times.ago(since)),
        wanted: progress.as_ref().is_some_and(|progress| progress.wanted),
        error: progress.map(|progress| progress.last_error).unwrap_or_default(),
        runs: if is_open { runs.iter().take(RUNS).map(run).collect() } else { Vec::new() },
        address: format!("/admin/schedules?{}", encode(&[("of", &name)])),
        is_open,
        name,
    }
}

async fn render(
    visit: Visit,
    of: &str,
    (notice, why): (Option<(String, &'static str)>, String),
    status: StatusCode,
) -> Result<Response, Failure> {
    let all = visit.app.schedules(&visit.actor).await?;
    let known = all.iter().any(|status| status.name == of);
    let runs = if known { visit.app.schedule_runs(&visit.actor, of).await? } else { Vec::new() };
    let f = visit.frame;
    let entries = all.into_iter().map(|status| entry(&f, status, of, &runs)).collect();
    page(status, &SchedulesPage { entries, notice, why, f })
}

/// `GET /admin/schedules`.
pub async fn list(visit: Visit, Query(how): Query<How>) -> Result<Response, Failure> {
    let notice = how.done.map(|_| (visit.frame.words.t("schedules.done"), "good"));
    render(visit, &how.of, (notice, String::new()), StatusCode::OK).await
}

/// `POST /admin/schedules`: takes a step with an entry.
pub async fn step(visit: Visit, form: Form) -> Result<Response, Failure> {
    let (name, why, code) = (form.text("name"), form.text("why"), form.text("step"));
    let step = ScheduleStep::from_code(&code).ok_or(Failure::BadForm)?;
    match visit.app.step_schedule(&visit.actor, &name, step, &why).await {
        Ok(_) => {
            let back = encode(&[("of", &name), ("done", "1")]);
            Ok(Redirect::to(&format!("/admin/schedules?{back}")).into_response())
        }
        Err(Error::Rejected { problems }) => {
            let key = if problems.iter().any(|problem| problem.field == "why") {
                "steps.why-needed"
            } else {
                "schedules.is-paused"
            };
            let notice = (visit.frame.words.t(key), "bad");
            render(visit, &name, (Some(notice), why), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(other) => Err(other.into()),
    }
}
