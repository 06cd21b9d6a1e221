//! The page behind the link by which a requester says how it went: no sign-in, and looking at it answers nothing, since programs that
//! check mail open every link.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::app::App;
use crate::app::Error;
use crate::app::tickets::lifecycle::survey::Survey;
use crate::desk::ticket::lifecycle::resolution::survey::SCORE_MAX;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::{Frame, page};

#[derive(Template)]
#[template(path = "portal/survey.html")]
struct SurveyPage {
    f: Frame,
    link: String,
    /// `None` where there is nothing to answer.
    question: Option<Question>,
    /// Whether it was answered by this request.
    thanks: bool,
}

struct Question {
    key: String,
    subject: String,
    score: i64,
    comment: String,
    scores: Vec<i64>,
}

fn shown(
    app: &App,
    headers: &HeaderMap,
    link: String,
    found: Option<Survey>,
    thanks: bool,
) -> Result<Response, Failure> {
    let f = Frame::new(app, headers, &format!("/survey/{link}"), None);
    let question = found.filter(|survey| survey.open).map(|Survey { ticket, answer, .. }| Question {
        key: ticket.number.to_string(),
        subject: ticket.submitted.subject.clone(),
        score: answer.as_ref().map_or(0, |answer| answer.score),
        comment: answer.map(|answer| answer.comment).unwrap_or_default(),
        scores: (1..=SCORE_MAX).collect(),
    });
    let status = if question.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    page(status, &SurveyPage { f, link, question, thanks })
}

/// `GET /survey/{link}`.
pub async fn show(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(link): Path<String>,
) -> Result<Response, Failure> {
    let found = match app.survey_behind(&link).await {
        Ok(found) => Some(found),
        Err(Error::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    shown(&app, &headers, link, found, false)
}

/// `POST /survey/{link}`.
pub async fn answer(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(link): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let score = form.text("score").parse().map_err(|_| Failure::BadForm)?;
    let found = match app.answer_by_link(&link, (score, &form.text("comment"))).await {
        Ok(found) => Some(found),
        Err(Error::Missing { .. } | Error::Refused(_)) => None,
        Err(error) => return Err(error.into()),
    };
    shown(&app, &headers, link, found, true)
}
