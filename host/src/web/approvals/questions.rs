//! Questions that approvers ask back, and the answers of those who have asked for access. The request's time goes on meanwhile.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::render;
use crate::app::Error;
use crate::app::access::view::QuestionShown;
use crate::desk::id::TicketNumber;
use crate::web::frame::Frame;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::session::Visit;

/// A question, and its answer where there is one.
pub struct Asked {
    pub by: String,
    pub question: String,
    /// Who has answered, and what.
    pub answer: Option<(String, String)>,
}

/// Questions as they are read.
pub fn shown(f: &Frame, questions: &[QuestionShown]) -> Vec<Asked> {
    let asked = |one: &QuestionShown| Asked {
        by: f.name_of(&one.asked_by),
        question: one.question.clone(),
        answer: one.answered_by.as_deref().map(|id| f.name_of(id)).zip(one.answer.clone()),
    };
    questions.iter().map(asked).collect()
}

/// `POST /approvals/{key}/ask`.
pub async fn ask(visit: Visit, Path(key): Path<String>, form: Form) -> Result<Response, Failure> {
    let number: TicketNumber = key.parse().map_err(|_| Failure::NoPage)?;
    let asked =
        visit.app.ask_back(&visit.actor, number, &form.text("question"), form.once(&format!("question {key}"))).await;
    came(visit, &key, &form, asked).await
}

/// `POST /approvals/{key}/answer`.
pub async fn answer(visit: Visit, Path(key): Path<String>, form: Form) -> Result<Response, Failure> {
    let number: TicketNumber = key.parse().map_err(|_| Failure::NoPage)?;
    let answered =
        visit.app.answer_back(&visit.actor, number, &form.text("answer"), form.once(&format!("question {key}"))).await;
    came(visit, &key, &form, answered).await
}

async fn came(visit: Visit, key: &str, form: &Form, came: Result<(), Error>) -> Result<Response, Failure> {
    match came {
        Ok(()) => Ok(Redirect::to(&format!("/approvals/{key}")).into_response()),
        Err(Error::Refused(refusal)) => {
            let problem = visit.frame.refused(&refusal);
            render(visit, key, form, Some(problem), StatusCode::CONFLICT).await
        }
        Err(Error::Rejected { problems }) => {
            let all = visit.frame.problems(&problems);
            render(visit, key, form, Some(all), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(other) => Err(other.into()),
    }
}
