//! `/api/v1/delegations`: who approves in whose place, by the word of people themselves.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::json::Json;
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::desk::id::DelegationId;
use crate::desk::organisation::accounts::OwnDelegation;
use crate::desk::text::quoted;

/// Leave that a person gave another to approve in their place.
#[derive(Debug, Serialize, ToSchema)]
pub struct DelegationView {
    id: String,
    /// In whose place.
    person: String,
    /// Who may approve.
    to: String,
    /// The first day, by the desk's zone.
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    until: Date,
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// When it was ended before its last day was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// `desk` where one of the two has left.
    ended_by: Option<String>,
}

/// Whom you let approve in your place, and when.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DelegationBody {
    /// A person's id.
    to: String,
    /// The first day, by the desk's zone: today or later, as `2026-12-24`.
    from: String,
    /// The last day; 92 days at most.
    until: String,
}

impl From<OwnDelegation> for DelegationView {
    fn from(found: OwnDelegation) -> Self {
        DelegationView {
            id: found.id.to_string(),
            person: found.person.to_string(),
            to: found.to.to_string(),
            from: found.from,
            until: found.until,
            made_at: found.given.at,
            ended_at: found.given.ended,
            ended_by: found.ended_by,
        }
    }
}

fn day(field: &str, text: &str) -> Result<Date, Problem> {
    let day = Some(text).filter(|text| text.len() == "YYYY-MM-DD".len()).and_then(|text| text.parse().ok());
    day.ok_or_else(|| Problem::bad_field(field, "it is a day as YYYY-MM-DD"))
}

/// List whom you let approve in your place and who lets you, up to 200, the newest first; also what was over in the last 180 days.
#[utoipa::path(get, path = "/api/v1/delegations", tag = "access", security(("token" = [])),
    responses((status = 200, body = Vec<DelegationView>), (status = 403, body = Problem)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
) -> Result<axum::Json<Vec<DelegationView>>, Problem> {
    Ok(axum::Json(app.delegations(&actor).await?.into_iter().map(DelegationView::from).collect()))
}

/// Let another person approve in your place, from the beginning of one day to the end of another.
///
/// Both of you get a letter. It is for what you are asked to approve, not for what others ask of you in their place; who approves in your
/// place approves nothing that is for either of you, and the two of you count as one. The same once more is the one that there is.
#[utoipa::path(post, path = "/api/v1/delegations", tag = "access", security(("token" = [])),
    request_body = DelegationBody,
    responses((status = 201, body = DelegationView), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn add(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Json(body): Json<DelegationBody>,
) -> Result<(StatusCode, axum::Json<DelegationView>), Problem> {
    let days = (day("from", &body.from)?, day("until", &body.until)?);
    let made = app.delegate(&actor, &body.to, days).await?;
    Ok((StatusCode::CREATED, axum::Json(made.into())))
}

/// End what you have given another, or lay down what you were given. One that is over already stays as it is.
#[utoipa::path(post, path = "/api/v1/delegations/{id}/end", tag = "access", security(("token" = [])),
    params(("id" = String, Path)),
    responses((status = 200, body = DelegationView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn end(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<DelegationView>, Problem> {
    let missing = || Problem::new(Kind::NOT_FOUND, format!("there is no delegation {}: its id is a UUID", quoted(&id)));
    let id: DelegationId = id.parse().map_err(|_| missing())?;
    Ok(axum::Json(app.end_delegation(&actor, id).await?.into()))
}
