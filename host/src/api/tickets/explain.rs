//! `/api/v1/tickets/{key}/explain`.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::{IntoParams, ToSchema};

use super::number;
use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::problem::Problem;
use crate::app::App;

/// Which field to explain.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExplainQuery {
    /// Such as `team`, `tags.vip`, or `fields` for all of the form; every field where nothing is said. `queue` says why the ticket
    /// stands where it does in the queue.
    field: Option<String>,
}

/// Why a ticket is as it is.
#[derive(Serialize, ToSchema)]
pub struct ExplanationView {
    key: String,
    /// Plain sentences that may be handed to the requester.
    text: String,
    /// For each field: its value, who set it with which reason, what each rule proposed, and what people changed since.
    /// Absent for whoever may not read decisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    fields: Option<Json>,
}

/// Explain a ticket: which rule set each field, what overrode what, who changed it since.
///
/// Requesters are given the plain text about their own tickets.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/explain", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), ExplainQuery),
    responses((status = 200, body = ExplanationView), (status = 404, body = Problem)))]
pub async fn explain(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    Query(query): Query<ExplainQuery>,
) -> Result<axum::Json<ExplanationView>, Problem> {
    let told = app.explain(&actor, number(&key)?, query.field.as_deref()).await?;
    let fields = told.fields.map(|fields| serde_json::to_value(fields).unwrap_or_default());
    Ok(axum::Json(ExplanationView { key: told.key, text: told.text, fields }))
}
