//! The effect of rules for access: a candidate over the history and the ledger, and a person's access against the rules as they
//! are now.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::json::Json;
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::access::people::moves::Reassessed;

/// The candidate: a live rule with another manifest, such as other settings, or another version of it that the desk has.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyBody {
    /// The rule's name.
    rule: String,
    /// The whole text of the other `rule.toml`.
    #[serde(default)]
    manifest: Option<String>,
    /// The other version, as `GET /api/v1/rules/{rule}/versions` names it.
    #[serde(default)]
    version: Option<String>,
    /// How many days back; 1 to 366. Default 90.
    #[serde(default)]
    days: Option<u16>,
}

/// A grant that is held, against the rules as they are now.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReassessedView {
    grant: String,
    app: String,
    tier: String,
    role: Option<String>,
    /// `stays`, `narrower`, `needs-approval` or `denied`.
    standing: &'static str,
    /// The rules' reason.
    reason: String,
}

impl From<Reassessed> for ReassessedView {
    fn from(Reassessed { grant, standing, reason }: Reassessed) -> Self {
        ReassessedView {
            grant: grant.id.to_string(),
            app: grant.app.to_string(),
            tier: grant.tier.to_string(),
            role: grant.role,
            standing: standing.code(),
            reason,
        }
    }
}

/// Try a rule for access over the history of requests and the ledger, before it goes live: what it would deny, what would lose its
/// approval, how often each approver would be asked, and which grants that are held today it would not have given. Nothing is
/// changed. At most 20,000 decisions are asked about.
#[utoipa::path(post, path = "/api/v1/access/policy/backtest", tag = "access", security(("token" = [])),
    request_body = PolicyBody,
    responses((status = 200, body = Object, description = "the report, as of `ruledesk rules backtest --json`; see `access`"),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn backtest(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Json(body): Json<PolicyBody>,
) -> Result<axum::Json<Value>, Problem> {
    let days = body.days.unwrap_or(90);
    if !(1..=366).contains(&days) || body.manifest.is_some() == body.version.is_some() {
        return Err(Problem::new(Kind::REJECTED, "name a `manifest` or a `version`, and 1 to 366 `days`"));
    }
    let report = app.backtest_access(&actor, (&body.rule, body.manifest, body.version), days).await?;
    Ok(axum::Json(serde_json::to_value(&report).unwrap_or_default()))
}

/// Hold all that a person has against the rules as they are now. Nothing is changed. For agents and admins.
#[utoipa::path(get, path = "/api/v1/people/{id}/reassessment", tag = "access", security(("token" = [])),
    params(("id" = String, Path)),
    responses((status = 200, body = Vec<ReassessedView>), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn reassess(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Vec<ReassessedView>>, Problem> {
    let missing = |_| Problem::new(Kind::NOT_FOUND, format!("there is no person `{id}`"));
    let found = app.reassess(&actor, &id.parse().map_err(missing)?).await?;
    Ok(axum::Json(found.into_iter().map(ReassessedView::from).collect()))
}
