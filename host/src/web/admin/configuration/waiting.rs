//! Files of the configuration directory that make access easier to get: what they change, who asks for it, and the word of a second
//! administrator.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::bar;
use crate::app::Error;
use crate::app::reference::Conflict;
use crate::app::reference::lines::Line;
use crate::app::reference::waiting::Waiting;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// The files that wait, as the page shows them.
struct Shown {
    digest: String,
    what: String,
    /// Who asks for it, and since when.
    asked: Option<(String, When)>,
    may_agree: bool,
    files: Vec<(String, Vec<Vec<Line>>)>,
    /// Whether a file differs of which no line is shown.
    more: bool,
}

impl Shown {
    fn of(f: &Frame, waiting: Waiting) -> Shown {
        let Waiting { digest, what, asked, may_agree, files } = waiting;
        let asked = asked.map(|(who, at)| (f.name_of(&who), f.times.ago(at)));
        let more = files.iter().any(|(_, groups)| groups.is_empty());
        Shown { digest, what, asked, may_agree, files, more }
    }
}

#[derive(Template)]
#[template(path = "admin/waiting.html")]
struct WaitingPage {
    f: Frame,
    parts: Vec<(&'static str, String, bool)>,
    notice: Option<(String, &'static str)>,
    shown: Option<Shown>,
    /// A reason that was given and did not do.
    why: String,
}

/// How one came to the page.
#[derive(Debug, Default, Deserialize)]
pub struct How {
    done: Option<String>,
}

async fn render(
    visit: Visit,
    notice: Option<(String, &'static str)>,
    why: String,
    status: StatusCode,
) -> Result<Response, Failure> {
    let waiting = visit.app.waiting_files(&visit.actor).await?;
    let f = visit.frame;
    let shown = waiting.map(|waiting| Shown::of(&f, waiting));
    page(status, &WaitingPage { parts: bar(&f, ""), notice, shown, why, f })
}

/// `GET /admin/configuration/waiting`.
pub async fn show(visit: Visit, Query(How { done }): Query<How>) -> Result<Response, Failure> {
    let key = match done.as_deref() {
        None => None,
        Some("asked") => Some("waiting.asked"),
        Some(_) => Some("waiting.done"),
    };
    let notice = key.map(|key| (visit.frame.words.t(key), "good"));
    render(visit, notice, String::new(), StatusCode::OK).await
}

/// `POST /admin/configuration/waiting`: the reader's word for the files that they have read.
pub async fn agree(visit: Visit, form: Form) -> Result<Response, Failure> {
    let (digest, why) = (form.text("digest"), form.text("why"));
    let back = |done: &str| Ok(Redirect::to(&format!("/admin/configuration/waiting?done={done}")).into_response());
    let words = visit.frame.words;
    let notice = match visit.app.agree_to_waiting_files(&visit.actor, (&digest, &why)).await {
        Ok(problems) => match problems.into_iter().next() {
            None => return back("agreed"),
            Some(problem) => (problem, "bad"),
        },
        Err(Error::Table(Conflict::FilesNeedSecond { .. })) => return back("asked"),
        Err(Error::Table(Conflict::OtherFiles)) => (words.t("waiting.others"), "warn"),
        Err(Error::Rejected { .. }) => (words.t("waiting.why-needed"), "bad"),
        Err(other) => return Err(other.into()),
    };
    render(visit, Some(notice), why, StatusCode::UNPROCESSABLE_ENTITY).await
}
