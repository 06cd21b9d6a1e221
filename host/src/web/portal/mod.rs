//! An employee's pages: what can be asked for, one's own tickets, and what one holds.

use askama::Template;
use axum::Json;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};

use super::frame::failure::Failure;
use super::frame::form::{encode, ticket_named};
use super::frame::shown::Row;
use super::frame::{Frame, page};
use super::knowledge::{self, Entry};
use super::session::Visit;
use crate::app::tickets::search::SearchFilter;
use crate::app::tickets::work::{Filter, Start};
use crate::desk::id::{PersonId, TicketNumber};
use crate::desk::organisation::Kind;
use crate::desk::ticket::State;

pub mod access;
pub mod drafts;
mod files;
pub mod request;
pub mod several;
pub mod survey;

use access::Held;

/// Tickets on the start page.
const START_ROWS: usize = 8;
/// Tickets on a page of one's own.
const ROWS: usize = 50;
/// People that the palette offers.
const PEOPLE: usize = 5;

/// A request type, as people look for it.
struct Offer {
    id: String,
    name: String,
    hint: String,
}

/// Request types of one sort.
struct Shelf {
    title: String,
    offers: Vec<Offer>,
}

#[derive(Template)]
#[template(path = "portal/start.html")]
struct StartPage {
    f: Frame,
    shelves: Vec<Shelf>,
    rows: Vec<Row>,
    held: Vec<Held>,
    awaiting: usize,
    /// The announcements of outages.
    outages: Vec<String>,
}

/// The request types, in the order in which people need them: what is broken, what they want, access.
fn shelves(f: &Frame) -> Vec<Shelf> {
    let types = || f.organisation.request_types.values();
    let sorts = [
        ("shelf.broken", types().filter(|t| t.kind == Kind::Incident && !t.grants_access).collect::<Vec<_>>()),
        ("shelf.need", types().filter(|t| t.kind != Kind::Incident && !t.grants_access).collect()),
        ("shelf.access", types().filter(|t| t.grants_access).collect()),
    ];
    let filled = sorts.into_iter().filter(|(_, types)| !types.is_empty());
    filled
        .map(|(title, types)| Shelf {
            title: f.words.t(title),
            offers: types
                .into_iter()
                .map(|form| Offer {
                    id: form.id.to_string(),
                    name: form.name.clone(),
                    hint: form.fields.iter().take(4).map(|field| field.label.as_str()).collect::<Vec<_>>().join(" · "),
                })
                .collect(),
        })
        .collect()
}

/// One's own tickets, the unfinished first.
async fn own_rows(visit: &Visit, states: Vec<State>, limit: usize) -> Result<Vec<Row>, Failure> {
    let filter = Filter { requester: Some(visit.person().to_string()), states, ..Filter::default() };
    rows(visit, filter, limit).await
}

/// The tickets that the people of a department requested, for one who reads them.
async fn department_rows(visit: &Visit, department: &str, states: Vec<State>) -> Result<Vec<Row>, Failure> {
    let requesters = visit.app.department(&visit.actor, department)?;
    rows(visit, Filter { requesters, states, ..Filter::default() }, ROWS).await
}

async fn rows(visit: &Visit, filter: Filter, limit: usize) -> Result<Vec<Row>, Failure> {
    let (found, sights) = visit.app.tickets(&visit.actor, filter, Start::Queue(None), limit).await?;
    Ok(found.items.iter().map(|ticket| visit.frame.row(ticket, &sights, Frame::plain_state)).collect())
}

/// The tickets of others that the reader follows, the newest first.
async fn followed_rows(visit: &Visit) -> Result<Vec<Row>, Failure> {
    let (found, sights) = visit.app.watched(&visit.actor, None, ROWS).await?;
    Ok(found.iter().map(|ticket| visit.frame.row(ticket, &sights, Frame::plain_state)).collect())
}

/// States in which a ticket is of interest to the one who asked.
fn open_states() -> Vec<State> {
    State::ALL.into_iter().filter(|state| state.is_unfinished() || *state == State::Resolved).collect()
}

/// `GET /`.
pub async fn start(visit: Visit) -> Result<Response, Failure> {
    let rows = own_rows(&visit, open_states(), START_ROWS).await?;
    let held = access::held_now(&visit).await?;
    let (awaiting, _) = visit.app.awaiting(&visit.actor, None, START_ROWS).await?;
    let outages = visit.app.outages(&visit.actor).await?.into_iter().map(|seen| seen.outage.announcement).collect();
    let f = visit.frame;
    let awaiting = awaiting.items.len();
    page(StatusCode::OK, &StartPage { shelves: shelves(&f), rows, held, awaiting, outages, f })
}

#[derive(Template)]
#[template(path = "portal/mine.html")]
struct MinePage {
    f: Frame,
    rows: Vec<Row>,
    all: bool,
    /// Whether those of a department are shown instead of one's own.
    of_others: bool,
    /// Whether those are shown that the reader follows.
    followed: bool,
    /// The departments whose tickets the reader may see, with the address of the list, and whether it is this one.
    departments: Vec<(String, String, bool)>,
}

/// Whether finished tickets are shown too, and whose.
#[derive(Debug, Deserialize)]
pub struct Which {
    all: Option<String>,
    department: Option<String>,
    followed: Option<String>,
}

/// `GET /mine`.
pub async fn mine(visit: Visit, Query(Which { all, department, followed }): Query<Which>) -> Result<Response, Failure> {
    let states = if all.is_some() { Vec::new() } else { open_states() };
    let (all, followed) = (all.is_some(), followed.is_some());
    let rows = match &department {
        Some(department) => department_rows(&visit, department, states).await?,
        None if followed => followed_rows(&visit).await?,
        None => own_rows(&visit, states, ROWS).await?,
    };
    let f = visit.frame;
    let reader = f.viewer.as_ref().map(|viewer| &viewer.id);
    let departments = reader.map(|reader| f.organisation.departments_read_by(reader)).unwrap_or_default();
    let list = |name: &str| {
        let address = format!("/mine?{}", encode(&[("department", name)]));
        (name.to_owned(), address, department.as_deref() == Some(name))
    };
    let departments = departments.into_iter().map(list).collect();
    page(StatusCode::OK, &MinePage { rows, all, of_others: department.is_some(), followed, departments, f })
}

/// A person for the palette, and the list of what they asked for.
#[derive(Debug, Serialize)]
pub struct Somewhere {
    id: String,
    name: String,
    address: String,
}

/// `GET /find/people`: people whose name has these words, for those who work on tickets.
pub async fn people(visit: Visit, Query(Find { q }): Query<Find>) -> Json<Vec<Somewhere>> {
    let f = &visit.frame;
    let wanted = q.trim().to_lowercase();
    let people = f.organisation.people.values().filter(|_| f.works() && !wanted.is_empty());
    let found = people.filter(|person| person.name.to_lowercase().contains(&wanted)).take(PEOPLE);
    let one = |id: &PersonId, name: &str| {
        let asked = [("state", "all"), ("requester", id.as_str())];
        Somewhere { id: id.to_string(), name: name.to_owned(), address: format!("/queue?{}", encode(&asked)) }
    };
    Json(found.map(|person| one(&person.id, &person.name)).collect())
}

/// The words that are looked for.
#[derive(Debug, Deserialize)]
pub struct Find {
    #[serde(default)]
    q: String,
}

#[derive(Template)]
#[template(path = "portal/find.html")]
struct FindPage {
    f: Frame,
    q: String,
    offers: Vec<Offer>,
    articles: Vec<Entry>,
    rows: Vec<Row>,
    /// The ticket from which downwards none is found yet.
    unsearchable: Option<TicketNumber>,
}

/// `GET /find`: a ticket by its key at once; else request types, articles and tickets with these words.
pub async fn find(visit: Visit, Query(Find { q }): Query<Find>) -> Result<Response, Failure> {
    if let Some(number) = ticket_named(&q) {
        return Ok(Redirect::to(&format!("/tickets/{number}")).into_response());
    }
    let wanted = q.trim().to_lowercase();
    let is_wanted = |text: &str| !wanted.is_empty() && text.to_lowercase().contains(&wanted);
    let offers = shelves(&visit.frame).into_iter().flat_map(|shelf| shelf.offers);
    let offers = offers.filter(|offer| is_wanted(&offer.name) || is_wanted(&offer.hint)).collect();
    let articles = knowledge::with_words(&visit, &q).await?;
    let unsearchable = visit.app.unsearchable_from().await?;
    let (found, sights) = visit.app.search_tickets(&visit.actor, &q, SearchFilter::default(), ROWS).await?;
    let state = if visit.frame.works() { Frame::state } else { Frame::plain_state };
    let rows = found.iter().map(|ticket| visit.frame.row(ticket, &sights, state)).collect();
    page(StatusCode::OK, &FindPage { f: visit.frame, q, offers, articles, rows, unsearchable })
}
