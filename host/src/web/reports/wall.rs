//! The numbers of now in large letters, for a screen on the wall.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::ToSpan as _;

use super::{added, number};
use crate::app::observe::reports::{By, Cell, Days, Report};
use crate::web::frame::failure::Failure;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// Days over which promises are counted.
const DAYS: i64 = 7;

/// A team and what lies there.
struct Team {
    name: String,
    open: i64,
    /// Those that are older than three days.
    old: i64,
}

#[derive(Template)]
#[template(path = "reports/wall.html")]
struct WallPage {
    f: Frame,
    open: i64,
    created: i64,
    resolved: i64,
    /// The share of promises that were kept, in percent.
    kept: Option<i64>,
    teams: Vec<Team>,
}

/// `GET /reports/wall`.
pub async fn show(visit: Visit) -> Result<Response, Failure> {
    let today = visit.frame.organisation.calendar.zone.to_datetime(visit.frame.times.now).date();
    let week = Days { from: today.checked_sub((DAYS - 1).days()).unwrap_or(today), to: today };
    let today = Days { from: today, to: today };
    let app = &visit.app;
    let backlog = app.report(&visit.actor, Report::Backlog, today, Some(By::Team)).await?;
    let volume = app.report(&visit.actor, Report::Volume, today, None).await?;
    let promises = app.report(&visit.actor, Report::Attainment, week, None).await?;
    let f = visit.frame;
    let team = |row: &Vec<Cell>| match row.first() {
        Some(Cell::Text(id)) => {
            Some(Team { name: f.team(id), open: number(row, 1), old: (4..=6).map(|column| number(row, column)).sum() })
        }
        _ => None,
    };
    let mut teams: Vec<Team> = backlog.rows.iter().filter_map(team).collect();
    teams.sort_by_key(|team| std::cmp::Reverse(team.open));
    let (settled, kept) = (added(&promises, 2), added(&promises, 3));
    let page_ = WallPage {
        open: added(&backlog, 1),
        created: added(&volume, 2),
        resolved: added(&volume, 3),
        kept: (kept * 100).checked_div(settled),
        teams,
        f,
    };
    page(StatusCode::OK, &page_)
}
