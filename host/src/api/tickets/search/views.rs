//! `/api/v1/views`: lists under a name.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::headers::condition::condition;
use crate::api::http::json::Json;
use crate::api::http::page::{self, PageQuery};
use crate::api::http::problem::Problem;
use crate::api::tickets::list::{self, TicketPage};
use crate::api::tickets::state;
use crate::api::tickets::views::damage;
use crate::app::App;
use crate::app::tickets::search::views::{StoredView, ViewCount, ViewWanted};
use crate::app::tickets::work::Filter;
use crate::desk::id::ViewId;
use crate::desk::text::into_normal;

/// Tickets on a page where the client does not say how many.
const LIMIT: usize = 50;

/// The filter of a list; parts that are left out do not narrow it.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ViewFilterBody {
    states: Vec<String>,
    team: Option<String>,
    /// A person, `@me` for the one who reads the list, or `@none` for those that no person has.
    assignee: Option<String>,
    /// A person, or `@me`.
    requester: Option<String>,
    priority: Option<String>,
    /// A category or a parent of it.
    category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_type: Option<String>,
    /// One of the tags, for agents and admins.
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

/// A list to keep.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewBody {
    /// Up to 100 characters.
    name: String,
    /// Who else has it: empty for no one, `staff` for all agents and admins, or `team:` and a team. Sharing is for agents and admins.
    #[serde(default)]
    audience: String,
    #[serde(default)]
    filter: ViewFilterBody,
}

impl ViewBody {
    fn wanted(self) -> Result<ViewWanted, Problem> {
        let ViewFilterBody { states, team, assignee, requester, priority, category, request_type, tag } = self.filter;
        let mut states = states.iter().map(|code| state(code)).collect::<Result<Vec<_>, _>>()?;
        states.sort_unstable();
        states.dedup();
        let normal = |text: Option<String>| text.map(into_normal);
        let [team, assignee, requester] = [team, assignee, requester].map(normal);
        let filter = Filter {
            states,
            team,
            assignee,
            requester,
            requesters: Vec::new(),
            priority: normal(priority),
            category: normal(category),
            request_type: normal(request_type),
            tag: normal(tag),
            only: None,
        };
        Ok(ViewWanted { name: self.name, audience: self.audience, filter })
    }
}

/// A list under a name.
#[derive(Serialize, ToSchema)]
pub struct SavedView {
    id: String,
    owner: String,
    name: String,
    audience: String,
    filter: ViewFilterBody,
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// Why it cannot be used, where its row was changed by another hand: then its filter is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
}

impl From<StoredView> for SavedView {
    fn from(view: StoredView) -> Self {
        let Filter { states, team, assignee, requester, requesters: _, priority, category, request_type, tag, only: _ } =
            view.filter;
        let states = states.into_iter().map(|state| state.code().to_owned()).collect();
        Self {
            id: view.id.to_string(),
            owner: view.owner.to_string(),
            name: view.name,
            audience: view.audience.code(),
            filter: ViewFilterBody { states, team, assignee, requester, priority, category, request_type, tag },
            version: view.version,
            changed_at: view.changed_at,
            damage: damage(&view.damaged),
        }
    }
}

fn id(text: &str) -> Result<ViewId, Problem> {
    text.parse().map_err(|_| Problem::bad_field("id", "is no UUID, which the one who keeps the list chooses"))
}

fn tagged(view: StoredView) -> Response {
    let etag = format!("\"{}\"", view.version);
    ([(header::ETAG, etag)], axum::Json(SavedView::from(view))).into_response()
}

/// List the lists that you have: your own, and those that are shared with you.
#[utoipa::path(get, path = "/api/v1/views", tag = "tickets", security(("token" = [])),
    responses((status = 200, body = Vec<SavedView>), (status = 403, body = Problem)))]
pub async fn list(State(app): State<Arc<App>>, Caller(actor): Caller) -> Result<axum::Json<Vec<SavedView>>, Problem> {
    Ok(axum::Json(app.views(&actor).await?.into_iter().map(SavedView::from).collect()))
}

/// Read a list's name and filter.
#[utoipa::path(get, path = "/api/v1/views/{id}", tag = "tickets", security(("token" = [])),
    params(("id" = String, Path)), responses((status = 200, body = SavedView), (status = 404, body = Problem)))]
pub async fn read(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(named): Path<String>,
) -> Result<Response, Problem> {
    Ok(tagged(app.view(&actor, id(&named)?).await?))
}

/// Keep a list under an id that you choose, a new UUID; or change one of yours, with its `ETag` as `If-Match`.
#[utoipa::path(put, path = "/api/v1/views/{id}", tag = "tickets", security(("token" = [])),
    params(("id" = String, Path),
        ("If-Match" = Option<String>, Header, description = "ETags of the versions that may be replaced, or *"),
        ("If-None-Match" = Option<String>, Header, description = "* for a list that is not there yet")),
    request_body = ViewBody,
    responses((status = 200, body = SavedView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
pub async fn keep(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(named): Path<String>,
    headers: HeaderMap,
    Json(body): Json<ViewBody>,
) -> Result<Response, Problem> {
    Ok(tagged(app.keep_view(&actor, id(&named)?, &condition(&headers)?, body.wanted()?).await?))
}

/// Take a list away. Its owner may, and admins those that are shared.
#[utoipa::path(delete, path = "/api/v1/views/{id}", tag = "tickets", security(("token" = [])),
    params(("id" = String, Path), ("If-Match" = String, Header, description = "ETags that you mean, or *")),
    responses((status = 204), (status = 404, body = Problem), (status = 412, body = Problem), (status = 428, body = Problem)))]
pub async fn remove(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(named): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    app.remove_view(&actor, id(&named)?, &condition(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the tickets of a list, in the order of the queue.
#[utoipa::path(get, path = "/api/v1/views/{id}/tickets", tag = "tickets", security(("token" = [])),
    params(("id" = String, Path), PageQuery),
    responses((status = 200, body = TicketPage), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn tickets(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(named): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<TicketPage>, Problem> {
    let (start, limit) = (list::in_queue(query.after.as_deref())?, page::limit(query.limit, LIMIT)?);
    let (page, sights) = app.view_tickets(&actor, id(&named)?, start, limit).await?;
    Ok(axum::Json(TicketPage::new(page, &sights)))
}

/// How many tickets a list has.
#[derive(Serialize, ToSchema)]
pub struct CountView {
    /// At most 999.
    count: usize,
    /// Whether there may be more.
    or_more: bool,
}

impl From<ViewCount> for CountView {
    fn from(ViewCount { count, or_more }: ViewCount) -> Self {
        Self { count, or_more }
    }
}

/// Count the tickets of a list, up to 999. Lists come without counts, so that none waits for one.
#[utoipa::path(get, path = "/api/v1/views/{id}/count", tag = "tickets", security(("token" = [])),
    params(("id" = String, Path)), responses((status = 200, body = CountView), (status = 404, body = Problem)))]
pub async fn count(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(named): Path<String>,
) -> Result<axum::Json<CountView>, Problem> {
    Ok(axum::Json(app.view_count(&actor, id(&named)?).await?.into()))
}
