//! `GET /api/v1/tickets/{key}/access`: all that an approver needs for one decision, and who decides in their place.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::headers::key::key as key_of;
use crate::api::http::json::Json;
use crate::api::http::problem::Problem;
use crate::api::tickets::number;
use crate::app::App;

pub mod delegations;

/// All that an approver needs for one decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionViewView {
    /// Names what is shown: a decision that gives it as `seen` is taken only while it still holds, and keeps it.
    snapshot: String,
    /// All that is given and until when, who else has it, how earlier requests went, risk, cost, the policy's reason and a
    /// recommendation.
    #[schema(value_type = Object)]
    shown: serde_json::Value,
}

/// Read what an approver of this request is shown.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/access", tag = "access", security(("token" = [])),
    params(("key" = String, Path)), responses((status = 200, body = DecisionViewView), (status = 404, body = Problem)))]
pub async fn view(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
) -> Result<axum::Json<DecisionViewView>, Problem> {
    let shown = app.decision_view(&actor, number(&ticket)?).await?;
    let view = serde_json::to_value(&shown.view).unwrap_or_default();
    Ok(axum::Json(DecisionViewView { snapshot: shown.snapshot, shown: view }))
}

/// A question to the one who has asked for access.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionBody {
    /// Up to 1,000 characters.
    question: String,
}

/// The answer to what an approver has asked back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerBackBody {
    /// Up to 1,000 characters.
    answer: String,
}

/// Ask something back before you decide. The one who has asked for access hears of it. The time in which the request can be approved
/// goes on: a question keeps nothing open, and one at a time waits for its answer.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/access/questions", tag = "access", security(("token" = [])),
    params(("key" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = QuestionBody,
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub async fn ask_back(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Json(body): Json<QuestionBody>,
) -> Result<StatusCode, Problem> {
    let key = key_of(&headers, &format!("ask back {ticket}"), &body)?;
    app.ask_back(&actor, number(&ticket)?, &body.question, key).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Answer what an approver has asked back. For those who have asked for the access, and the one who is to have it.
#[utoipa::path(post, path = "/api/v1/tickets/{key}/access/answers", tag = "access", security(("token" = [])),
    params(("key" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = AnswerBackBody,
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn answer_back(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Json(body): Json<AnswerBackBody>,
) -> Result<StatusCode, Problem> {
    let key = key_of(&headers, &format!("answer back {ticket}"), &body)?;
    app.answer_back(&actor, number(&ticket)?, &body.answer, key).await?;
    Ok(StatusCode::NO_CONTENT)
}
