//! `GET /api/v1/tickets/{key}/access`: all that an approver needs for one decision.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::problem::Problem;
use crate::api::tickets::number;
use crate::app::App;

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
