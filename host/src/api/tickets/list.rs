//! `GET /api/v1/tickets`.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::state;
use super::summary::TicketSummaryView;
use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::page::{self, List, signed, whole};
use crate::api::http::problem::Problem;
use crate::app::App;
use crate::app::tickets::search::Names;
use crate::app::tickets::work::{DuePlace, Filter, Page, QueuePlace, Sights, Start, TicketSummary, UpdatedPlace};
use crate::desk::actor::Actor;
use crate::desk::text::{into_normal, quoted};

/// Tickets on a page where nothing is said.
const LIMIT: usize = 50;

/// Which tickets to list, in which order.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// States, separated by commas.
    state: Option<String>,
    /// For agents and admins.
    team: Option<String>,
    /// A person, or `@none` for those that no person has. For agents and admins.
    assignee: Option<String>,
    requester: Option<String>,
    /// Those that the people of a department requested: for its readers, agents and admins.
    department: Option<String>,
    priority: Option<String>,
    /// A category or a parent of it.
    category: Option<String>,
    request_type: Option<String>,
    /// One of the tags. For agents and admins.
    tag: Option<String>,
    /// `queue`, where nothing is said; or for exports, in which no ticket may be missed: `number`, or `updated` for the order
    /// of the last change, which is for agents and admins; or `due`: those with work owed, the first to be due first.
    #[serde(default)]
    sort: Sort,
    /// With `sort=updated`: only what was changed at that time or later (RFC 3339). Changes take a moment to be stored, and
    /// hosts' clocks differ: begin a minute before the last change that you have seen.
    #[param(value_type = Option<String>, format = DateTime)]
    updated_since: Option<Timestamp>,
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 200; 50 where nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// The order of a list.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    #[default]
    Queue,
    Number,
    Updated,
    Due,
}

impl ListQuery {
    fn start(&self) -> Result<Start, Problem> {
        if self.updated_since.is_some() && self.sort != Sort::Updated {
            return Err(Problem::bad_query("`updated_since` goes with `sort=updated`"));
        }
        let after = self.after.as_deref();
        Ok(match self.sort {
            Sort::Queue => in_queue(after)?,
            Sort::Number => {
                let place = after.map(|text| List::TicketsByNumber.read_whole(text)).transpose()?;
                Start::Number(place.map(|[number]| number))
            }
            Sort::Updated => {
                let place = after.map(|text| List::TicketsByUpdate.read_signed(text)).transpose()?;
                let place = place.map(|[updated, number]| UpdatedPlace { updated, number });
                Start::Updated(place.max(self.updated_since.map(UpdatedPlace::before)))
            }
            Sort::Due => {
                let place = after.map(|text| List::TicketsByDue.read_signed(text)).transpose()?;
                Start::Due(place.map(|[due, number]| DuePlace { due, number }))
            }
        })
    }

    fn filter(self) -> Result<Filter, Problem> {
        let states = self.state.as_deref().unwrap_or_default();
        // However often one is named: each of them is a parameter of the statement.
        let states: BTreeSet<&str> = states.split(',').filter(|code| !code.is_empty()).collect();
        // A value that names no state would narrow nothing, which is not what was asked for.
        if let Some(none) = self.state.as_deref().filter(|_| states.is_empty()) {
            state(none)?;
        }
        let normal = |text: Option<String>| text.map(into_normal);
        Ok(Filter {
            states: states.into_iter().map(state).collect::<Result<_, _>>()?,
            team: normal(self.team),
            assignee: normal(self.assignee),
            requester: normal(self.requester),
            requesters: Vec::new(),
            priority: normal(self.priority),
            category: normal(self.category),
            request_type: normal(self.request_type),
            tag: normal(self.tag),
            only: None,
        })
    }
}

/// The place in the queue after which a page begins.
pub(super) fn in_queue(after: Option<&str>) -> Result<Start, Problem> {
    let place = after.map(|text| List::TicketsInQueue.read_signed(text)).transpose()?;
    let place = place.map(|[finished, rank, due, number]| QueuePlace { finished: finished != 0, rank, due, number });
    Ok(Start::Queue(place))
}

/// Refuses a list that is empty because it is narrowed to what there is not: the mistake is named, as that in a state is.
pub(super) async fn named(app: &App, actor: &Actor, names: Names, is_empty: bool) -> Result<(), Problem> {
    let found = if is_empty { app.name_of_nothing(actor, names).await? } else { None };
    match found {
        Some((kind, name)) => Err(Problem::bad_query(format!("there is no {kind} {}", quoted(&name)))),
        None => Ok(()),
    }
}

/// Where the next page begins, as text.
fn next(start: Start) -> Option<String> {
    match start {
        Start::Queue(place) => place.map(|QueuePlace { finished, rank, due, number }| {
            List::TicketsInQueue.write([u128::from(finished), signed(rank), signed(due), signed(number)])
        }),
        Start::Number(place) => place.map(|number| List::TicketsByNumber.write([whole(number)])),
        Start::Updated(place) => {
            place.map(|UpdatedPlace { updated, number }| List::TicketsByUpdate.write([signed(updated), signed(number)]))
        }
        Start::Newest => None,
        Start::Due(place) => {
            place.map(|DuePlace { due, number }| List::TicketsByDue.write([signed(due), signed(number)]))
        }
    }
}

/// A page of tickets.
#[derive(Serialize, ToSchema)]
pub struct TicketPage {
    /// May be fewer than `limit`, or none, where there are more: few tickets match a filter that no index serves alone.
    tickets: Vec<TicketSummaryView>,
    /// Send it as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl TicketPage {
    pub(super) fn new(page: Page<TicketSummary, Start>, sights: &Sights) -> Self {
        let view = |ticket| TicketSummaryView::new(ticket, None, sights);
        Self { tickets: page.items.into_iter().map(view).collect(), next: page.next.and_then(next) }
    }
}

/// List tickets, in the order of the queue where nothing is said.
///
/// The queue has unfinished ones first, then goes by priority, then by when they are due; never by when they were submitted. A
/// ticket that moves in it while a client turns pages may be missed: exports sort by `number` or `updated`.
#[utoipa::path(get, path = "/api/v1/tickets", tag = "tickets", security(("token" = [])), params(ListQuery),
    responses((status = 200, body = TicketPage), (status = 400, body = Problem), (status = 404, body = Problem),
    (status = 422, body = Problem)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<TicketPage>, Problem> {
    let (start, limit) = (query.start()?, page::limit(query.limit, LIMIT)?);
    let requesters = query.department.as_deref().map(|name| app.department(&actor, name)).transpose()?;
    let filter = Filter { requesters: requesters.unwrap_or_default(), ..query.filter()? };
    let names = Names::from(&filter);
    let (page, sights) = app.tickets(&actor, filter, start, limit).await?;
    named(&app, &actor, names, page.items.is_empty() && page.next.is_none()).await?;
    Ok(axum::Json(TicketPage::new(page, &sights)))
}
