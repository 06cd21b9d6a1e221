//! `POST /api/v1/grants/{id}/extend`: more time for access that is held.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::headers::key::key as key_of;
use crate::api::http::json::Json;
use crate::api::http::problem::{Kind, Problem};
use crate::api::tickets::answer_made;
use crate::api::tickets::views::TicketView;
use crate::app::App;
use crate::desk::id::GrantId;
use crate::desk::text::quoted;

/// The time that is asked for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendBody {
    /// From when it is granted on; the longest of the tier bounds it.
    hours: u32,
    justification: String,
}

/// The grant that a path names.
pub(super) fn grant_id(text: &str) -> Result<GrantId, Problem> {
    text.parse()
        .map_err(|_| Problem::new(Kind::NOT_FOUND, format!("there is no grant {}: its id is a UUID", quoted(text))))
}

/// Ask for more time on a grant. It is a request as any other: the rules decide, or people do. Where it is granted, the new
/// grant takes the place of the old one without a gap.
#[utoipa::path(post, path = "/api/v1/grants/{id}/extend", tag = "access", security(("token" = [])),
    params(("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each request")),
    request_body = ExtendBody,
    responses((status = 201, body = TicketView), (status = 200, body = TicketView, description = "made before"),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn extend(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(body): Json<ExtendBody>,
) -> Result<Response, Problem> {
    let key = key_of(&headers, &format!("extend {id}"), &body)?;
    let made = app.extend_grant(&actor, grant_id(&id)?, (body.hours, body.justification), key).await?;
    answer_made(&app, &actor, made).await
}
