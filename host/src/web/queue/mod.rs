//! The agents' queue: a line a ticket, by priority and then by when each is due or in another order, page by page along the
//! store's own indexes.

use std::collections::BTreeMap;
use std::slice::Chunks;

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;

use super::frame::failure::Failure;
use super::frame::shown::Row;
use super::frame::{Frame, page};
use super::session::Visit;
use super::ticket::PEOPLE_MAX;
use crate::app::tickets::search::views::OwnView;
use crate::app::tickets::work::NO_ONE;
use crate::desk::permission;
use crate::desk::ticket::State;

mod asked;
pub mod bulk;
mod file;
pub mod views;

use asked::{Asked, Sort, place};
use views::{Kept, Views};

/// Tickets on a page.
const ROWS: usize = 50;
/// Those of them that a browser lays out at once: a long list comes part by part, each in a picture of its own.
const ROWS_AT_ONCE: usize = 8;

/// An option of a filter.
struct Choice {
    id: String,
    name: String,
    chosen: bool,
}

/// A filter.
struct Narrow {
    name: &'static str,
    label: String,
    choices: Vec<Choice>,
    set: bool,
}

/// A heading by which the list may be sorted.
struct Heading {
    name: String,
    address: String,
    here: bool,
}

/// A word about what has just happened, and what was filled in.
#[derive(Default)]
pub struct Said {
    /// With its tone: `good` or `bad`.
    text: Option<(String, &'static str)>,
    name: String,
}

impl Said {
    fn is_problem(&self) -> bool {
        matches!(self.text, Some((_, "bad")))
    }
}

#[derive(Template)]
#[template(path = "queue/list.html")]
struct QueuePage {
    f: Frame,
    title: String,
    views: Views,
    /// The list that is open, where it is one that is kept.
    kept: Option<Kept>,
    /// The filter that says which tickets these are, for keeping them as a list; none where the list is one that every agent has.
    parts: Vec<(&'static str, String)>,
    audiences: Vec<(String, String)>,
    /// The id under which the open list would be kept.
    new_id: String,
    said: Said,
    sorted: String,
    by_priority: Heading,
    by_key: Heading,
    by_due: Heading,
    by_changed: Heading,
    narrows: Vec<Narrow>,
    rows: Vec<Row>,
    next: Option<String>,
    first: Option<String>,
    address: String,
    /// The whole list as a file.
    file: String,
    none_left: bool,
    /// Empty where there are too many to list: then people are looked for as one types.
    assignees: Vec<(String, String)>,
    states: Vec<(String, String)>,
    tags: Vec<String>,
    macros: Vec<(String, String)>,
}

impl QueuePage {
    /// The headings by which the list may be sorted, for those who do not see them all.
    const fn orders(&self) -> [&Heading; 4] {
        [&self.by_priority, &self.by_due, &self.by_key, &self.by_changed]
    }

    const fn is_long(&self) -> bool {
        self.rows.len() > ROWS_AT_ONCE
    }

    fn parts_of_list(&self) -> Chunks<'_, Row> {
        self.rows.chunks(ROWS_AT_ONCE)
    }
}

fn narrows(visit: &Visit, asked: &Asked) -> Vec<Narrow> {
    let f = &visit.frame;
    let narrow = |name: &'static str, now: &str, mut all: Vec<(String, String)>| {
        // Old tickets have tags, forms and teams that there are no more: the list says that it is narrowed by one.
        if !now.is_empty() && name != "state" && all.iter().all(|(id, _)| id != now) {
            all.push((now.to_owned(), now.to_owned()));
        }
        Narrow {
            name,
            label: f.words.t(&format!("queue.by-{name}")),
            set: !now.is_empty(),
            choices: all.into_iter().map(|(id, name)| Choice { chosen: id == now, id, name }).collect(),
        }
    };
    let organisation = &f.organisation;
    let mut states: Vec<(String, String)> = vec![("all".to_owned(), f.words.t("queue.every-state"))];
    states.extend(State::ALL.into_iter().map(|state| (state.code().to_owned(), f.state(state).text)));
    vec![
        narrow("state", &asked.state, states),
        narrow("team", &asked.team, organisation.teams.values().map(|t| (t.id.to_string(), t.name.clone())).collect()),
        narrow(
            "priority",
            &asked.priority,
            organisation.priorities.iter().map(|p| (p.id.to_string(), p.name.clone())).collect(),
        ),
        narrow(
            "category",
            &asked.category,
            organisation.categories.values().map(|c| (c.id.to_string(), c.name.clone())).collect(),
        ),
        narrow("assignee", &asked.assignee, assigned(visit, &asked.assignee)),
        narrow(
            "request_type",
            &asked.request_type,
            organisation.request_types.values().map(|form| (form.id.to_string(), form.name.clone())).collect(),
        ),
        narrow("tag", &asked.tag, organisation.tags.iter().map(|tag| (tag.to_string(), tag.to_string())).collect()),
    ]
}

/// Whose tickets a list may be narrowed to: the reader's own, those that no person has, and those of the person in the address.
fn assigned(visit: &Visit, now: &str) -> Vec<(String, String)> {
    let (f, me) = (&visit.frame, visit.person().to_string());
    let mut all = vec![(me, f.words.t("queue.mine")), (NO_ONE.to_owned(), f.words.t("queue.unassigned"))];
    if !now.is_empty() && all.iter().all(|(id, _)| id != now) {
        all.push((now.to_owned(), f.name_of(now)));
    }
    all
}

/// The people to whom tickets of a team may be given, or of all teams; none where there are too many to list.
fn assignees(f: &Frame, team: &str) -> Vec<(String, String)> {
    let teams = f.organisation.teams.values().filter(|known| team.is_empty() || known.id.as_str() == team);
    let people: BTreeMap<String, String> = teams
        .flat_map(|team| team.members.iter())
        .map(|member| (member.person.to_string(), f.name(&member.person)))
        .collect();
    if people.len() > PEOPLE_MAX { Vec::new() } else { people.into_iter().collect() }
}

/// `GET /queue`.
pub async fn list(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    if asked.format == "csv" {
        return file::send(visit, asked).await;
    }
    let words = visit.frame.words;
    let text = match asked.done.as_str() {
        done @ ("view" | "removed") => Some((words.t(&format!("views.done-{done}")), "good")),
        _ => None,
    };
    render(visit, asked, Said { text, name: String::new() }).await
}

/// The list that an address names among those that are kept.
fn open<'a>(asked: &Asked, own: &'a [OwnView]) -> Result<Option<&'a OwnView>, Failure> {
    if asked.view.is_empty() {
        return Ok(None);
    }
    own.iter().find(|own| own.view.id.to_string() == asked.view).map(Some).ok_or(Failure::NoPage)
}

/// The page of a list, with a word about what has happened.
pub async fn render(visit: Visit, asked: Asked, said: Said) -> Result<Response, Failure> {
    permission::list_internally(&visit.actor).map_err(crate::app::Error::from)?;
    let own = visit.app.own_views(&visit.actor).await?;
    let open = open(&asked, &own)?;
    let filter = match open {
        Some(own) => visit.app.filter_for(&visit.actor, &own.view)?,
        None => asked.filter(),
    };
    let (found, sights) = visit.app.tickets(&visit.actor, filter, asked.start(), ROWS).await?;
    let f = &visit.frame;
    let row = |ticket| f.row(ticket, &sights, Frame::state);
    let rows = found.items.iter().map(row).collect();
    let views = views::views(&visit, &asked, &own);
    let here = views.front.iter().chain(&views.folded).find(|view| view.here).map(|view| view.name.clone());
    let of_team = (!asked.team.is_empty()).then(|| f.team(&asked.team));
    let states = [State::Open, State::InProgress, State::Resolved, State::Cancelled];
    let heading = |sort: Sort, key: &str| Heading {
        name: f.words.t(key),
        address: asked.sorted(sort),
        here: asked.sort() == sort,
    };
    let narrowed = asked.is_narrowed() && open.is_none();
    let parts = asked.parts().into_iter().filter(|(_, text)| !text.is_empty());
    let status = if said.is_problem() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page_ = QueuePage {
        title: here.or(of_team).unwrap_or_else(|| f.words.t("queue.title")),
        views,
        kept: open.map(|own| views::kept(&visit, own)),
        parts: parts.filter(|_| narrowed).map(|(name, text)| (name, text.to_owned())).collect(),
        audiences: views::audiences(&visit),
        new_id: visit.app.clock.new_id().to_string(),
        said,
        sorted: f.words.t(asked.sort().words()),
        by_priority: heading(Sort::Priority, "field.priority"),
        by_key: heading(Sort::Key, "queue.key"),
        by_due: heading(Sort::Due, "queue.due"),
        by_changed: heading(Sort::Changed, "queue.changed"),
        narrows: narrows(&visit, &asked),
        rows,
        next: found.next.and_then(place).map(|after| asked.address(&after)),
        first: (!asked.after.is_empty()).then(|| asked.address("")),
        address: asked.address(&asked.after),
        file: asked.file(),
        none_left: !asked.none.is_empty(),
        assignees: assignees(f, &asked.team),
        states: states.into_iter().map(|state| (state.code().to_owned(), f.state(state).text)).collect(),
        tags: f.organisation.tags.iter().map(ToString::to_string).collect(),
        macros: f.organisation.macros.iter().map(|(id, step)| (id.to_string(), step.name.clone())).collect(),
        f: visit.frame,
    };
    page(status, &page_)
}
