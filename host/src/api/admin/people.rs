//! Everything that the desk keeps of a person, over HTTP.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::json::Json;
use crate::api::http::problem::Problem;
use crate::app::App;
use crate::app::tokens::personal::{ErasedPerson, Kept};
use crate::desk::id::PersonId;

/// Everything of one kind that the desk keeps of a person.
#[derive(Serialize, ToSchema)]
pub struct KeptView {
    /// Such as `tickets`, `entries` of timelines, `messages` or `grants`.
    name: &'static str,
    /// Objects whose names are those of the columns.
    #[schema(value_type = Vec<Object>)]
    rows: Vec<Map<String, Value>>,
    /// Whether there is more than an export takes.
    more: bool,
}

impl From<Kept> for KeptView {
    fn from(Kept { name, rows, more }: Kept) -> Self {
        Self { name, rows, more }
    }
}

fn person(text: &str) -> Result<PersonId, Problem> {
    text.parse().map_err(|e| Problem::bad_field("person", &format!("{e}")))
}

/// Export everything that the desk keeps of a person (GDPR, article 15). For admins and the operator.
#[utoipa::path(get, path = "/api/v1/people/{person}/export", tag = "people", security(("token" = [])),
    params(("person" = String, Path)), responses((status = 200, body = Vec<KeptView>), (status = 403, body = Problem)))]
pub async fn export(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Vec<KeptView>>, Problem> {
    let kept = app.export_person(&actor, &person(&id)?).await?;
    Ok(axum::Json(kept.into_iter().map(KeptView::from).collect()))
}

/// Why a person is erased.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErasureBody {
    /// Up to 1,000 characters, for the audit.
    reason: String,
}

/// A person was erased.
#[derive(Serialize, ToSchema)]
pub struct ErasureView {
    /// The name in the person's place.
    pseudonym: String,
    tickets: usize,
    /// Entries of timelines that were changed.
    entries: usize,
}

impl From<ErasedPerson> for ErasureView {
    fn from(ErasedPerson { pseudonym, tickets, entries }: ErasedPerson) -> Self {
        Self { pseudonym, tickets, entries }
    }
}

/// Erase a person who has left (GDPR, article 17): another name stands in their place, and the words of their tickets go.
///
/// The chains stay whole: the audit says which entries changed. The ledger of access, the records of decisions and the audit stay as
/// proof. Sent again, it goes on where it was cut off. For admins and the operator.
#[utoipa::path(post, path = "/api/v1/people/{person}/erasure", tag = "people", security(("token" = [])),
    params(("person" = String, Path)), request_body = ErasureBody,
    responses((status = 200, body = ErasureView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn erase(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Json(body): Json<ErasureBody>,
) -> Result<axum::Json<ErasureView>, Problem> {
    Ok(axum::Json(app.erase_person(&actor, &person(&id)?, &body.reason).await?.into()))
}
