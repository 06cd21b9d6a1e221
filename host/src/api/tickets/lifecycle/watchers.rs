//! Following tickets over HTTP.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::page;
use crate::api::http::problem::Problem;
use crate::api::tickets::summary::TicketSummaryView;
use crate::api::tickets::{last_seen, number};
use crate::app::App;
use crate::desk::id::PersonId;

/// Tickets on a page where the client does not say how many.
const LIMIT: usize = 50;

fn person(text: &str) -> Result<PersonId, Problem> {
    text.parse().map_err(|e| Problem::bad_field("person", &format!("{e}")))
}

fn words(people: Vec<PersonId>) -> axum::Json<Vec<String>> {
    axum::Json(people.into_iter().map(|person| person.to_string()).collect())
}

/// Read who follows a ticket, by their ids. Requesters see those who do not work here.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/watchers", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path)), responses((status = 200, body = Vec<String>), (status = 404, body = Problem)))]
pub async fn watchers(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<axum::Json<Vec<String>>, Problem> {
    Ok(words(app.watchers(&actor, number(&key)?).await?))
}

/// Let a person follow a ticket, who then reads its public part and hears of what happens.
///
/// For its requester, agents and admins. Those who follow it may comment in public.
#[utoipa::path(put, path = "/api/v1/tickets/{key}/watchers/{person}", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), ("person" = String, Path)),
    responses((status = 200, body = Vec<String>), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn watch(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path((key, named)): Path<(String, String)>,
) -> Result<axum::Json<Vec<String>>, Problem> {
    Ok(words(app.set_watching(&actor, number(&key)?, (&person(&named)?, true)).await?))
}

/// Let a person follow a ticket no more. For that person, its requester, agents and admins.
#[utoipa::path(delete, path = "/api/v1/tickets/{key}/watchers/{person}", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), ("person" = String, Path)),
    responses((status = 200, body = Vec<String>), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn unwatch(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path((key, named)): Path<(String, String)>,
) -> Result<axum::Json<Vec<String>>, Problem> {
    Ok(words(app.set_watching(&actor, number(&key)?, (&person(&named)?, false)).await?))
}

/// Which of the tickets that you follow.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WatchedQuery {
    /// The key of the last ticket that you have: older ones follow.
    before: Option<String>,
    /// 1 to 200; 50 where nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// List the tickets that you follow, the newest first.
#[utoipa::path(get, path = "/api/v1/watched", tag = "tickets", security(("token" = [])), params(WatchedQuery),
    responses((status = 200, body = Vec<TicketSummaryView>), (status = 400, body = Problem), (status = 403, body = Problem)))]
pub async fn watched(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Query(query): Query<WatchedQuery>,
) -> Result<axum::Json<Vec<TicketSummaryView>>, Problem> {
    let before = last_seen("before", query.before.as_deref())?;
    let (found, sights) = app.watched(&actor, before, page::limit(query.limit, LIMIT)?).await?;
    Ok(axum::Json(found.into_iter().map(|ticket| TicketSummaryView::new(ticket, None, &sights)).collect()))
}
