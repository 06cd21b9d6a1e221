//! Lists under a name, next to those that every agent has: a few stand in front, the others are folded.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};

use super::asked::Asked;
use super::{Said, render};
use crate::app::Error;
use crate::app::tickets::search::views::{Audience, ME, OwnView, ViewCount, ViewWanted};
use crate::app::tickets::work::{Filter, NO_ONE};
use crate::desk::change::condition::Condition;
use crate::desk::id::{PersonId, ViewId};
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::session::Visit;
use crate::web::ticket::next::teams;

/// Lists in front where none was put there by hand.
const FRONT: usize = 4;

/// A list that is one click away.
pub struct View {
    pub name: String,
    pub address: String,
    /// Its name for the script that fetches the counts.
    pub code: String,
    pub here: bool,
}

/// The lists that a reader has.
pub struct Views {
    pub front: Vec<View>,
    pub folded: Vec<View>,
}

/// The list that is open, where it is one that is kept.
pub struct Kept {
    pub id: String,
    pub version: i64,
    pub name: String,
    pub audience: String,
    pub starred: bool,
    /// Whether the reader may change it.
    pub own: bool,
    /// The one who keeps it.
    pub owner: String,
    /// It in words.
    pub lines: Vec<String>,
}

/// How many lists of teams stand in front: as many as there is room for next to one's own work and the lists put there by hand.
fn teams_in_front(own: &[OwnView]) -> usize {
    FRONT.saturating_sub(1 + own.iter().filter(|own| own.starred).count())
}

/// All lists of a reader: one's own work, the lists put in front, one's teams, all; and behind them the others.
pub fn views(visit: &Visit, asked: &Asked, own: &[OwnView]) -> Views {
    let (f, me) = (&visit.frame, visit.person().to_string());
    let plain = !asked.is_narrowed() && asked.view.is_empty();
    let fixed = |code: String, name: String, team: &str, assignee: &str| View {
        here: plain && asked.team == team && asked.assignee == assignee,
        address: Asked { team: team.to_owned(), assignee: assignee.to_owned(), ..Asked::default() }.address(""),
        code,
        name,
    };
    let kept = |own: &OwnView| {
        let id = own.view.id.to_string();
        View {
            here: asked.view == id,
            address: Asked { view: id.clone(), ..Asked::default() }.address(""),
            code: format!("view-{id}"),
            name: own.view.name.clone(),
        }
    };
    let mut front = vec![fixed("mine".to_owned(), f.words.t("queue.mine"), "", &me)];
    front.extend(own.iter().filter(|own| own.starred).map(kept));
    let mut folded = vec![fixed("unassigned".to_owned(), f.words.t("queue.unassigned"), "", NO_ONE)];
    let in_front = teams_in_front(own);
    for (n, team) in teams(visit).into_iter().enumerate() {
        let view = fixed(format!("team-{team}"), f.team(&team), &team, "");
        if n < in_front { front.push(view) } else { folded.push(view) }
    }
    front.push(fixed("all".to_owned(), f.words.t("queue.all"), "", ""));
    folded.extend(own.iter().filter(|own| !own.starred).map(kept));
    Views { front, folded }
}

/// A list that is kept, as the page shows it.
pub fn kept(visit: &Visit, own: &OwnView) -> Kept {
    let (f, view) = (&visit.frame, &own.view);
    let Filter { states, team, assignee, requester, requesters: _, priority, category, request_type, tag, only: _ } =
        &view.filter;
    let person = |id: &String| match id.as_str() {
        ME => f.words.t("views.me"),
        NO_ONE => f.words.t("views.no-one"),
        id => f.name_of(id),
    };
    let states = states.iter().map(|state| f.state(*state).text).collect::<Vec<_>>().join(", ");
    let priority_name = |id: &String| id.parse().map_or_else(|_| id.clone(), |id| f.priority(&id).name);
    let type_name = |id: &String| {
        f.organisation.request_types.get(id.as_str()).map_or_else(|| id.clone(), |form| form.name.clone())
    };
    let parts = [
        ("queue.by-state", Some(states).filter(|text| !text.is_empty())),
        ("queue.by-team", team.as_ref().map(|id| f.team(id))),
        ("field.assignee", assignee.as_ref().map(person)),
        ("queue.requester", requester.as_ref().map(person)),
        ("queue.by-priority", priority.as_ref().map(priority_name)),
        ("queue.by-category", category.as_ref().map(|id| f.category(id))),
        ("by.request_type", request_type.as_ref().map(type_name)),
        ("field.tags", tag.clone()),
    ];
    let lines = parts.into_iter().filter_map(|(key, text)| Some(format!("{}: {}", f.words.t(key), text?)));
    Kept {
        id: view.id.to_string(),
        version: view.version,
        name: view.name.clone(),
        audience: view.audience.code(),
        starred: own.starred,
        own: view.owner == *visit.person() || (f.administers() && view.audience != Audience::None),
        owner: f.name(&view.owner),
        lines: lines.collect(),
    }
}

/// The audiences that a list may be given, each with its words.
pub fn audiences(visit: &Visit) -> Vec<(String, String)> {
    let f = &visit.frame;
    let mut all = vec![(String::new(), f.words.t("views.only-me")), ("staff".to_owned(), f.words.t("views.staff"))];
    all.extend(teams(visit).into_iter().map(|team| (format!("team:{team}"), f.team(&team))));
    all
}

/// The filter with the word for the reader in the place of their id: shared, it is each reader's own.
fn for_all(mut filter: Filter, reader: &PersonId) -> Filter {
    for named in [&mut filter.assignee, &mut filter.requester] {
        if named.as_deref() == Some(reader.as_str()) {
            *named = Some(ME.to_owned());
        }
    }
    filter
}

fn open(id: ViewId) -> Response {
    Redirect::to(&format!("/queue?view={id}&done=view")).into_response()
}

/// The page again, with what was wrong and what was filled in.
async fn again(visit: Visit, asked: Asked, form: &Form, error: Error) -> Result<Response, Failure> {
    let text = match error {
        Error::Rejected { problems } => visit.frame.problems(&problems),
        Error::Stale { .. } => visit.frame.words.t("bulk.stale"),
        other => return Err(other.into()),
    };
    render(visit, asked, Said { text: Some((text, "bad")), name: form.text("name") }).await
}

/// `POST /queue/views`: keeps the list that is open under a name.
pub async fn keep(visit: Visit, form: Form) -> Result<Response, Failure> {
    let id: ViewId = form.text("id").parse().map_err(|_| Failure::BadForm)?;
    let asked = Asked::of_form(&form);
    let wanted = ViewWanted {
        name: form.text("name"),
        audience: form.text("audience"),
        filter: for_all(asked.filter(), visit.person()),
    };
    let new = Condition::absent();
    match visit.app.keep_view(&visit.actor, id, &new, wanted).await {
        Ok(view) => {
            visit.app.star_view(&visit.actor, view.id, form.has("star")).await?;
            Ok(open(id))
        }
        // The same form twice: it is kept.
        Err(Error::NeedsMatch { .. }) => Ok(open(id)),
        Err(error) => again(visit, asked, &form, error).await,
    }
}

/// `POST /queue/views/{id}`: puts a list in front or back, gives it another name or audience, or takes it away.
pub async fn change(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let id: ViewId = id.parse().map_err(|_| Failure::NoPage)?;
    let version = Condition::version(form.text("version"));
    let done = match form.text("do").as_str() {
        "star" => visit.app.star_view(&visit.actor, id, true).await,
        "unstar" => visit.app.star_view(&visit.actor, id, false).await,
        "remove" => match visit.app.remove_view(&visit.actor, id, &version).await {
            Ok(()) => return Ok(Redirect::to("/queue?done=removed").into_response()),
            Err(error) => Err(error),
        },
        "change" => {
            let filter = visit.app.view(&visit.actor, id).await?.filter;
            let wanted = ViewWanted { name: form.text("name"), audience: form.text("audience"), filter };
            visit.app.keep_view(&visit.actor, id, &version, wanted).await.map(drop)
        }
        _ => return Err(Failure::BadForm),
    };
    match done {
        Ok(()) => Ok(open(id)),
        Err(error) => {
            let asked = Asked { view: id.to_string(), ..Asked::default() };
            again(visit, asked, &form, error).await
        }
    }
}

/// `GET /queue/counts`: how many there are in each list in front, and in no other; asked for when the page is there.
pub async fn counts(visit: Visit) -> Result<Json<BTreeMap<String, String>>, Failure> {
    let own = visit.app.own_views(&visit.actor).await?;
    let me = visit.person().to_string();
    let mut wanted = vec![
        ("mine".to_owned(), Asked { assignee: me, ..Asked::default() }.filter()),
        ("all".to_owned(), Asked::default().filter()),
    ];
    for team in teams(&visit).into_iter().take(teams_in_front(&own)) {
        wanted.push((format!("team-{team}"), Asked { team, ..Asked::default() }.filter()));
    }
    for own in own.iter().filter(|own| own.starred) {
        wanted.push((format!("view-{}", own.view.id), visit.app.filter_for(&visit.actor, &own.view)?));
    }
    let mut counts = BTreeMap::new();
    for (code, filter) in wanted {
        let ViewCount { count, or_more } = visit.app.count_tickets(&visit.actor, filter).await?;
        counts.insert(code, format!("{count}{}", if or_more { "+" } else { "" }));
    }
    Ok(Json(counts))
}
