//! `GET /api/v1/people/{id}/offboarding`: how far the desk has come with a person who leaves.

use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::orders::OrderView;
use crate::api::http::auth::Caller;
use crate::api::http::problem::{Kind, Problem};
use crate::api::tickets::views::GrantView;
use crate::app::App;
use crate::app::access::people::offboard::Offboarding;
use crate::desk::access::provisioning::finding::Finding;
use crate::desk::id::{AppId, PersonId};

/// How far the desk has come with a person who leaves.
#[derive(Debug, Serialize, ToSchema)]
pub struct OffboardingView {
    /// Whether they are gone, and nothing of their access is left: read back in the apps that the desk writes to.
    complete: bool,
    /// Whether the directory still has them: then nothing ends by itself.
    here: bool,
    /// Where the desk knows them from: `configuration` (its directory), `api` (a document that was published), `csv` (a CSV file) or
    /// `directory` (the identity provider); null for one whom it does not know.
    source: Option<&'static str>,
    /// The first day on which they belong to the organisation, as YYYY-MM-DD.
    valid_from: Option<String>,
    /// The last.
    valid_until: Option<String>,
    /// Other accounts of the same human (`same-as`) that are here: each of them leaves by itself.
    accounts: Vec<String>,
    /// Their requests that wait for approval.
    requests: Vec<String>,
    /// Their grants that are held, or that the desk is not done with in the app.
    grants: Vec<GrantView>,
    /// The ids of grants of theirs whose rows are damaged: each stays until it is put back from a backup.
    damaged: Vec<String>,
    /// All that was read back last as theirs, as `app entitlement`.
    holdings: Vec<String>,
    /// Access of theirs in apps that no grant gives, as `app entitlement account`.
    findings: Vec<String>,
    /// The orders that are on their way.
    orders: Vec<OrderView>,
    /// Until when sessions of theirs may go on that are open in apps where their access has ended.
    sessions: Vec<SessionsView>,
    /// How many requests of others wait for their approval.
    awaited: usize,
    /// Their unfinished tickets.
    tickets: i64,
}

/// Sessions in an app that may outlast the access there.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionsView {
    app: String,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

impl From<Offboarding> for OffboardingView {
    fn from(found: Offboarding) -> Self {
        OffboardingView {
            complete: found.is_complete(),
            here: found.here,
            source: found.known.map(|(source, _)| source.code()),
            valid_from: found.known.and_then(|(_, valid)| valid.from).map(|day| day.to_string()),
            valid_until: found.known.and_then(|(_, valid)| valid.until).map(|day| day.to_string()),
            accounts: found.accounts.iter().map(ToString::to_string).collect(),
            requests: found.requests.iter().map(ToString::to_string).collect(),
            grants: found.grants.into_iter().map(|grant| GrantView::new((grant, false))).collect(),
            damaged: found.damaged.iter().map(ToString::to_string).collect(),
            holdings: found.holdings.iter().map(|held| format!("{} {}", held.app, held.entitlement)).collect(),
            findings: found.findings.iter().map(finding).collect(),
            orders: found.ops.into_iter().map(OrderView::from).collect(),
            sessions: found.sessions.into_iter().map(sessions).collect(),
            awaited: found.awaited,
            tickets: found.tickets,
        }
    }
}

fn sessions((app, until): (AppId, Timestamp)) -> SessionsView {
    SessionsView { app: app.to_string(), until }
}

fn finding(found: &Finding) -> String {
    format!("{} {} {}", found.app, found.entitlement, found.account)
}

/// Read how far the desk has come with a person who leaves. For agents and admins.
#[utoipa::path(get, path = "/api/v1/people/{id}/offboarding", tag = "access", security(("token" = [])),
    params(("id" = String, Path)), responses((status = 200, body = OffboardingView), (status = 403, body = Problem)))]
pub async fn offboarding(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<OffboardingView>, Problem> {
    let person: PersonId =
        id.parse().map_err(|e| Problem::new(Kind::NOT_FOUND, format!("there is no such person: {e}")))?;
    Ok(axum::Json(app.offboarding(&actor, &person).await?.into()))
}
