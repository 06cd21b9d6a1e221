//! The agents' queue: a line a ticket, by priority and then by when each is due, page by page along the store's own index.

use std::collections::BTreeMap;

use askama::Template;
use axum::Json;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::frame::failure::Failure;
use super::frame::form::encode;
use super::frame::shown::Row;
use super::frame::{Frame, page};
use super::session::Visit;
use super::ticket::next::teams;
use crate::app::tickets::work::{Filter, QueuePlace, Start};
use crate::desk::permission;
use crate::desk::ticket::State;

pub mod bulk;

/// Tickets on a page.
const ROWS: usize = 50;
/// The most that the count of a view says.
const COUNT_MAX: usize = 99;

/// Which tickets, as the address says it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    team: String,
    #[serde(default)]
    assignee: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    priority: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    requester: String,
    #[serde(default)]
    after: String,
    #[serde(default)]
    none: String,
}

/// A view that is one click away.
struct View {
    name: String,
    address: String,
    /// Its name for the script that fetches the counts.
    code: String,
    here: bool,
}

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

#[derive(Template)]
#[template(path = "queue/list.html")]
struct QueuePage {
    f: Frame,
    title: String,
    views: Vec<View>,
    narrows: Vec<Narrow>,
    rows: Vec<Row>,
    next: Option<String>,
    first: bool,
    address: String,
    none_left: bool,
    assignees: Vec<(String, String)>,
    states: Vec<(String, String)>,
    macros: Vec<(String, String)>,
}

impl Asked {
    fn filter(&self) -> Filter {
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let states = match self.state.as_str() {
            "" => State::ALL.into_iter().filter(|state| state.is_unfinished()).collect(),
            "all" => Vec::new(),
            code => State::from_code(code).into_iter().collect(),
        };
        Filter {
            states,
            team: given(&self.team),
            assignee: given(&self.assignee),
            requester: given(&self.requester),
            priority: given(&self.priority),
            category: given(&self.category),
            only: None,
        }
    }

    fn start(&self) -> Start {
        let mut parts = self.after.split('.').map(|part| part.parse::<i64>().ok());
        let mut part = || parts.next().flatten();
        let place = match (part(), part(), part(), part()) {
            (Some(finished), Some(rank), Some(due), Some(number)) => {
                Some(QueuePlace { finished: finished != 0, rank, due, number })
            }
            _ => None,
        };
        Start::Queue(place)
    }

    /// The address of the same list from another place on.
    fn address(&self, after: &str) -> String {
        let pairs = [
            ("team", self.team.as_str()),
            ("assignee", &self.assignee),
            ("state", &self.state),
            ("priority", &self.priority),
            ("category", &self.category),
            ("requester", &self.requester),
            ("after", after),
        ];
        let given: Vec<(&str, &str)> = pairs.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        if given.is_empty() { "/queue".to_owned() } else { format!("/queue?{}", encode(&given)) }
    }

    fn is_narrowed(&self) -> bool {
        !(self.state.is_empty() && self.priority.is_empty() && self.category.is_empty() && self.requester.is_empty())
    }
}

fn place(start: Start) -> Option<String> {
    let Start::Queue(Some(QueuePlace { finished, rank, due, number })) = start else { return None };
    Some(format!("{}.{rank}.{due}.{number}", i32::from(finished)))
}

/// The views in front: one's own work, one's teams, and all.
fn views(visit: &Visit, asked: &Asked) -> Vec<View> {
    let f = &visit.frame;
    let me = visit.person().to_string();
    let plain = !asked.is_narrowed();
    let view = |code: String, name: String, team: &str, assignee: &str| View {
        here: plain && asked.team == team && asked.assignee == assignee,
        address: Asked { team: team.to_owned(), assignee: assignee.to_owned(), ..Asked::default() }.address(""),
        code,
        name,
    };
    let mut views = vec![view("mine".to_owned(), f.words.t("queue.mine"), "", &me)];
    views.extend(teams(visit).into_iter().map(|team| view(format!("team-{team}"), f.team(&team), &team, "")));
    views.push(view("all".to_owned(), f.words.t("queue.all"), "", ""));
    views
}

fn narrows(f: &Frame, asked: &Asked) -> Vec<Narrow> {
    let narrow = |name: &'static str, now: &str, all: Vec<(String, String)>| Narrow {
        name,
        label: f.words.t(&format!("queue.by-{name}")),
        set: !now.is_empty(),
        choices: all.into_iter().map(|(id, name)| Choice { chosen: id == now, id, name }).collect(),
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
    ]
}

/// The people to whom tickets of a team may be given, or of all teams.
fn assignees(f: &Frame, team: &str) -> Vec<(String, String)> {
    let teams = f.organisation.teams.values().filter(|known| team.is_empty() || known.id.as_str() == team);
    let people: BTreeMap<String, String> = teams
        .flat_map(|team| team.members.iter())
        .map(|member| (member.person.to_string(), f.name(&member.person)))
        .collect();
    people.into_iter().collect()
}

/// `GET /queue`.
pub async fn list(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    permission::list_internally(&visit.actor).map_err(crate::app::Error::from)?;
    let (found, sights) = visit.app.tickets(&visit.actor, asked.filter(), asked.start(), ROWS).await?;
    let f = &visit.frame;
    let rows = found
        .items
        .iter()
        .map(|ticket| f.row(ticket, (sights.of(ticket).version(ticket.version), ticket.updated_at), false));
    let rows = rows.collect();
    let views = views(&visit, &asked);
    let here = views.iter().find(|view| view.here).map(|view| view.name.clone());
    let of_team = (!asked.team.is_empty()).then(|| f.team(&asked.team));
    let next = found.next.and_then(place).map(|after| asked.address(&after));
    let states = [State::Open, State::InProgress, State::Resolved, State::Cancelled];
    let page_ = QueuePage {
        title: here.or(of_team).unwrap_or_else(|| f.words.t("queue.title")),
        views,
        narrows: narrows(f, &asked),
        rows,
        next,
        first: asked.after.is_empty(),
        address: asked.address(&asked.after),
        none_left: !asked.none.is_empty(),
        assignees: assignees(f, &asked.team),
        states: states.into_iter().map(|state| (state.code().to_owned(), f.state(state).text)).collect(),
        macros: f.organisation.macros.iter().map(|(id, step)| (id.to_string(), step.name.clone())).collect(),
        f: visit.frame,
    };
    page(StatusCode::OK, &page_)
}

/// `GET /queue/counts`: how many there are in each view, at most [`COUNT_MAX`] and one more; asked for when the page is there.
pub async fn counts(visit: Visit) -> Result<Json<BTreeMap<String, usize>>, Failure> {
    let me = visit.person().to_string();
    let mut wanted = vec![("mine".to_owned(), Asked { assignee: me, ..Asked::default() })];
    wanted.extend(teams(&visit).into_iter().map(|team| (format!("team-{team}"), Asked { team, ..Asked::default() })));
    wanted.push(("all".to_owned(), Asked::default()));
    let mut counts = BTreeMap::new();
    for (code, asked) in wanted {
        let found = visit.app.tickets(&visit.actor, asked.filter(), Start::Queue(None), COUNT_MAX + 1).await?;
        counts.insert(code, found.0.items.len());
    }
    Ok(Json(counts))
}
