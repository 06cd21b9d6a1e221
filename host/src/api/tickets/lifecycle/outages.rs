//! Outages over HTTP: a ticket that stands for many.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::json::Json;
use crate::api::http::problem::Problem;
use crate::api::tickets::number;
use crate::app::App;
use crate::app::tickets::submit::outages::SeenOutage;
use crate::desk::ticket::intake::outage::{Declaration, Likeness};

/// The submissions that an outage takes: those for which all that is said holds.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LikenessBody {
    /// The category that the rules find, or one above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_type: Option<String>,
    /// Words of which the subject or the text has one; up to 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    words: Vec<String>,
    /// One field of the form with what it says, such as `{"service": "vpn"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    field: BTreeMap<String, String>,
}

impl LikenessBody {
    fn read(self) -> Result<Likeness, Problem> {
        let category = self.category.map(|id| id.parse()).transpose();
        let request_type = self.request_type.map(|id| id.parse()).transpose();
        if self.field.len() > 1 {
            return Err(Problem::bad_field("like.field", "has more than one field: name one"));
        }
        Ok(Likeness {
            category: category.map_err(|e| Problem::bad_field("like.category", &format!("{e}")))?,
            request_type: request_type.map_err(|e| Problem::bad_field("like.request_type", &format!("{e}")))?,
            words: self.words,
            field: self.field.into_iter().next(),
        })
    }
}

impl From<Likeness> for LikenessBody {
    fn from(like: Likeness) -> Self {
        Self {
            category: like.category.map(|id| id.to_string()),
            request_type: like.request_type.map(|id| id.to_string()),
            words: like.words,
            field: like.field.into_iter().collect(),
        }
    }
}

/// An outage to declare, or what changes of one.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutageBody {
    /// The words that each person reads who is hit by it; up to 2,000 characters.
    announcement: String,
    like: LikenessBody,
}

/// An outage.
#[derive(Serialize, ToSchema)]
pub struct OutageView {
    announcement: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Absent for those who do not work on tickets, as is all that follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    like: Option<LikenessBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    declared_by: Option<String>,
    /// How many tickets are attached.
    #[serde(skip_serializing_if = "Option::is_none")]
    children: Option<i64>,
}

impl From<SeenOutage> for OutageView {
    fn from(SeenOutage { outage, children }: SeenOutage) -> Self {
        let whole = children.is_some();
        Self {
            announcement: outage.announcement,
            since: outage.declared_at,
            ticket: whole.then(|| outage.ticket.to_string()),
            like: whole.then(|| outage.like.into()),
            declared_by: whole.then(|| outage.declared_by.to_string()),
            children,
        }
    }
}

/// Read the outages that are declared now. Requesters read the announcements.
#[utoipa::path(get, path = "/api/v1/outages", tag = "tickets", security(("token" = [])),
    responses((status = 200, body = Vec<OutageView>), (status = 403, body = Problem)))]
pub async fn list(State(app): State<Arc<App>>, Caller(actor): Caller) -> Result<axum::Json<Vec<OutageView>>, Problem> {
    let outages = app.outages(&actor).await?;
    Ok(axum::Json(outages.into_iter().map(OutageView::from).collect()))
}

/// Declare a ticket to be an outage, or change what is said of it. For agents and admins.
///
/// Submissions like it attach themselves to it as children, whose requesters read the announcement and each later public answer on this
/// ticket, and which are resolved with it. `unlink` with `child-of` detaches one that is about something else.
#[utoipa::path(put, path = "/api/v1/tickets/{key}/outage", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path)), request_body = OutageBody,
    responses((status = 200, body = OutageView), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn declare(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
    Json(OutageBody { announcement, like }): Json<OutageBody>,
) -> Result<axum::Json<OutageView>, Problem> {
    let declaration = Declaration { announcement, like: like.read()? };
    Ok(axum::Json(app.declare_outage(&actor, number(&key)?, declaration).await?.into()))
}

/// Let an outage take no more submissions; those that it has stay with it. For agents and admins.
///
/// An outage that is resolved ends by itself.
#[utoipa::path(delete, path = "/api/v1/tickets/{key}/outage", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn end(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<StatusCode, Problem> {
    app.end_outage(&actor, number(&key)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
