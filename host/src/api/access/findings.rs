//! `/api/v1/access/findings`: access that apps have and no grant gives, and what is to become of it.

use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::json::Json;
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::desk::access::provisioning::finding::Finding;
use crate::desk::text::quoted;

/// Access that an app has and no grant gives.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingView {
    id: String,
    /// `extra` where no grant ever gave it, `resurrected` where the desk had taken it away and it has come back.
    kind: &'static str,
    app: String,
    /// `tier:ID`, `role:NAME` or `group:NAME`.
    entitlement: String,
    /// As the app names who has it.
    account: String,
    /// `null` where it is no person whom the desk knows.
    person: Option<String>,
    /// The grant that had given it.
    grant: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    found_at: Timestamp,
    /// The last time that it was seen there.
    #[schema(value_type = String, format = DateTime)]
    seen_at: Timestamp,
    /// `accepted`, `removed` or `gone`; `null` while it is open.
    verdict: Option<&'static str>,
    settled_by: Option<String>,
    reason: Option<String>,
}

/// The word about a finding.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleBody {
    /// Whether it may stay; else the desk takes it away, where a grant of its own had given it.
    accept: bool,
    /// Up to 1,000 characters.
    reason: String,
}

impl From<Finding> for FindingView {
    fn from(found: Finding) -> Self {
        FindingView {
            id: found.id.to_string(),
            kind: found.kind(),
            app: found.app.to_string(),
            entitlement: found.entitlement.to_string(),
            account: found.account,
            person: found.person.map(|person| person.to_string()),
            grant: found.grant.map(|grant| grant.to_string()),
            found_at: found.found_at,
            seen_at: found.seen_at,
            verdict: found.end.as_ref().map(|end| end.verdict.code()),
            settled_by: found.end.as_ref().and_then(|end| end.by.as_ref()).map(ToString::to_string),
            reason: found.end.map(|end| end.reason),
        }
    }
}

/// List the access that apps have and no grant gives, up to 1,000: what is open, and what was accepted. For agents and admins.
#[utoipa::path(get, path = "/api/v1/access/findings", tag = "access", security(("token" = [])),
    responses((status = 200, body = Vec<FindingView>), (status = 403, body = Problem)))]
pub async fn list(State(app): State<Arc<App>>, Caller(actor): Caller) -> Result<axum::Json<Vec<FindingView>>, Problem> {
    Ok(axum::Json(app.findings(&actor).await?.into_iter().map(FindingView::from).collect()))
}

/// Settle a finding: let it stay, or have it taken away. For admins.
#[utoipa::path(post, path = "/api/v1/access/findings/{id}/settle", tag = "access", security(("token" = [])),
    params(("id" = String, Path)), request_body = SettleBody,
    responses((status = 200, body = FindingView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn settle(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Json(body): Json<SettleBody>,
) -> Result<axum::Json<FindingView>, Problem> {
    let missing = || Problem::new(Kind::NOT_FOUND, format!("there is no finding {}: its id is a UUID", quoted(&id)));
    let id = id.parse().map_err(|_| missing())?;
    Ok(axum::Json(app.settle_finding(&actor, id, (body.accept, &body.reason)).await?.into()))
}
