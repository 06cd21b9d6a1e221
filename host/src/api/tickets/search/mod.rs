//! `/api/v1/search`: tickets by their words.

use std::sync::Arc;

use axum::extract::State;
use axum::response::AppendHeaders;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::page;
use crate::api::http::problem::Problem;
use crate::api::tickets::list::named;
use crate::api::tickets::summary::TicketSummaryView;
use crate::app::App;
use crate::app::tickets::search::{Names, SearchFilter};
use crate::desk::id::TicketNumber;

pub(crate) mod views;

/// The header that says from which ticket downwards a search finds none yet.
const UNSEARCHABLE_FROM: &str = "unsearchable-from";
/// Tickets on a page where the client does not say how many.
const LIMIT: usize = 50;

/// The words, and what narrows the search.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// Words, all of which a ticket has: in its subject and body, its comments or how it was resolved. Beginnings of words are
    /// enough; case and accents do not matter.
    q: String,
    state: Option<String>,
    team: Option<String>,
    assignee: Option<String>,
    requester: Option<String>,
    /// Those that the people of a department requested: for its readers, agents and admins.
    department: Option<String>,
    category: Option<String>,
    priority: Option<String>,
    request_type: Option<String>,
    /// One of the tags. For agents and admins.
    tag: Option<String>,
    /// The key of the last ticket that you have: older ones follow.
    before: Option<String>,
    /// 1 to 200; 50 where nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

impl SearchQuery {
    /// The words, and the tickets that they may be found in, those of these requesters where some are named.
    fn into_filter(self, requesters: Vec<String>) -> Result<(String, SearchFilter), Problem> {
        let SearchQuery { q, state, team, assignee, requester, category, priority, request_type, tag, before, .. } =
            self;
        let state = state.as_deref().map(super::state).transpose()?.map(|state| state.code().to_owned());
        let before = super::last_seen("before", before.as_deref())?.map(|TicketNumber(number)| number);
        let narrowed = SearchFilter { requesters, ..SearchFilter::default() };
        let narrowed = SearchFilter { request_type, tag, before, ..narrowed };
        Ok((q, SearchFilter { state, team, assignee, requester, category, priority, ..narrowed }))
    }
}

/// Tickets, and up to one header.
type Found = (AppendHeaders<Option<(&'static str, String)>>, axum::Json<Vec<TicketSummaryView>>);

/// Search tickets by their words, the newest first.
///
/// Requesters find their own, by what is public of them, and so do the readers of a department those of its people, where they name
/// it. A ticket is found within a second or two of its last word. After an update that built the index again, the older tickets are
/// found bit by bit: a header says which are not yet.
#[utoipa::path(get, path = "/api/v1/search", tag = "tickets", security(("token" = [])), params(SearchQuery),
    responses((status = 200, body = Vec<TicketSummaryView>, headers(("unsearchable-from" = String,
        description = "The newest ticket that no search finds yet, nor those before it; left out where all are found"))),
        (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn search(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Query(query): Query<SearchQuery>,
) -> Result<Found, Problem> {
    let limit = page::limit(query.limit, LIMIT)?;
    let requesters = query.department.as_deref().map(|name| app.department(&actor, name)).transpose()?;
    let (q, filter) = query.into_filter(requesters.unwrap_or_default())?;
    let unsearchable = app.unsearchable_from().await?.map(|number| (UNSEARCHABLE_FROM, number.to_string()));
    let names = Names::from(&filter);
    let (found, sights) = app.search_tickets(&actor, &q, filter, limit).await?;
    named(&app, &actor, names, found.is_empty()).await?;
    let found = found.into_iter().map(|ticket| TicketSummaryView::new(ticket, None, &sights)).collect();
    Ok((AppendHeaders(unsearchable), axum::Json(found)))
}
