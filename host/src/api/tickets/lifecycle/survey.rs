//! The question how it went, over HTTP.

use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::json::Json;
use crate::api::http::problem::Problem;
use crate::api::tickets::number;
use crate::app::App;
use crate::app::tickets::lifecycle::survey::Survey;

/// An answer to the question how it went.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SurveyBody {
    /// 1 to 5, which is the best.
    #[schema(minimum = 1, maximum = 5)]
    score: i64,
    /// Up to 2,000 characters.
    #[serde(default)]
    comment: String,
}

/// The question how it went, with its answer.
#[derive(Serialize, ToSchema)]
pub struct SurveyView {
    ticket: String,
    /// Null where nothing was said yet.
    score: Option<i64>,
    comment: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    answered_at: Option<Timestamp>,
    /// Whether it can be answered, or the answer changed.
    open: bool,
}

impl From<Survey> for SurveyView {
    fn from(Survey { ticket, answer, open }: Survey) -> Self {
        Self {
            ticket: ticket.number.to_string(),
            score: answer.as_ref().map(|answer| answer.score),
            answered_at: answer.as_ref().map(|answer| answer.answered_at),
            comment: answer.map(|answer| answer.comment),
            open,
        }
    }
}

/// Read what you said about how your ticket went. For its requester.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/survey", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path)),
    responses((status = 200, body = SurveyView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn read(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<axum::Json<SurveyView>, Problem> {
    Ok(axum::Json(app.own_survey(&actor, number(&key)?).await?.into()))
}

/// Say how your ticket went, within 30 days of its closure; the answer can be changed for a day. For its requester.
#[utoipa::path(put, path = "/api/v1/tickets/{key}/survey", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path)), request_body = SurveyBody,
    responses((status = 200, body = SurveyView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn answer(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    Json(body): Json<SurveyBody>,
) -> Result<axum::Json<SurveyView>, Problem> {
    Ok(axum::Json(app.answer_survey(&actor, number(&key)?, (body.score, &body.comment)).await?.into()))
}
