//! Reference tables as grids: what rules look up, with its versions; a change is a new version with a reason.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::Error;
use crate::app::reference::{Format, Origin, Put};
use crate::desk::change::condition::{Condition, Tags};
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// Versions and events that a page shows.
const SHOWN: usize = 20;
/// Rows that a page shows as a grid; a larger table is changed as a file.
const GRID_ROWS_MAX: usize = 500;

struct Listed {
    name: String,
    rows: usize,
    columns: String,
    from_files: bool,
    since: Option<When>,
}

#[derive(Template)]
#[template(path = "admin/tables.html")]
struct TablesPage {
    f: Frame,
    tables: Vec<Listed>,
}

/// `GET /admin/tables`.
pub async fn list(visit: Visit) -> Result<Response, Failure> {
    let tables = visit.app.tables(&visit.actor)?;
    let f = visit.frame;
    let tables = tables.into_iter().map(|status| Listed {
        rows: status.table.rows.len(),
        columns: status.table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", "),
        from_files: status.origin == Origin::Configuration,
        since: status.since.map(|since| f.times.ago(since)),
        name: status.name,
    });
    let tables = tables.collect();
    page(StatusCode::OK, &TablesPage { tables, f })
}

struct Event {
    when: When,
    event: String,
    who: String,
    why: String,
    digest: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/table.html")]
struct TablePage {
    f: Frame,
    name: String,
    digest: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Whether it may be changed here.
    editable: bool,
    from_files: bool,
    too_long: bool,
    events: Vec<Event>,
    proposal: Option<(String, String, String)>,
    notice: Option<(String, &'static str)>,
    why: String,
}

impl TablePage {
    /// The heading of a column.
    fn column(&self, at: &usize) -> &str {
        self.columns.get(*at).map(String::as_str).unwrap_or_default()
    }
}

/// How one came to the page.
#[derive(Debug, Default, Deserialize)]
pub struct How {
    done: Option<String>,
}

/// `GET /admin/tables/{name}`.
pub async fn show(visit: Visit, Path(name): Path<String>, Query(how): Query<How>) -> Result<Response, Failure> {
    let notice = how.done.map(|_| (visit.frame.words.t("table.done"), "good"));
    render(visit, name, None, (notice, String::new()), StatusCode::OK).await
}

async fn render(
    visit: Visit,
    name: String,
    filled: Option<Vec<Vec<String>>>,
    (notice, why): (Option<(String, &'static str)>, String),
    status: StatusCode,
) -> Result<Response, Failure> {
    let live = visit.app.table(&visit.actor, &name)?;
    let history = visit.app.table_history(&visit.actor, &name, 0, SHOWN).await;
    let proposal = visit.app.table_proposal(&visit.actor, &name).await?;
    let admin = visit.frame.viewer.as_ref().is_some_and(|viewer| viewer.admin);
    let f = visit.frame;
    let csv = visit.app.table_as_csv(Arc::clone(&live.table)).await?;
    let columns = csv.lines().next().unwrap_or_default().split(',').map(str::to_owned).collect();
    let too_long = live.table.rows.len() > GRID_ROWS_MAX;
    let rows = filled.unwrap_or_else(|| live.table.rows.values().take(GRID_ROWS_MAX).cloned().collect());
    let from_files = live.origin == Origin::Configuration;
    let events = history.map(|history| history.events).unwrap_or_default().into_iter().map(|event| Event {
        when: f.times.ago(event.at),
        event: event.event,
        who: f.name_of(&event.actor),
        why: event.why,
        digest: event.digest.map(|digest| digest.chars().take(12).collect()),
    });
    let events = events.collect();
    let proposal = proposal.map(|p| (p.digest, f.name_of(&p.proposed_by), p.why));
    let editable = admin && !from_files && !too_long;
    page(
        status,
        &TablePage {
            name,
            digest: live.digest,
            columns,
            rows,
            editable,
            from_files,
            too_long,
            events,
            proposal,
            notice,
            why,
            f,
        },
    )
}

/// A line of CSV (RFC 4180).
fn line(cells: &[String]) -> String {
    let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
    cells.iter().map(quoted).collect::<Vec<_>>().join(",")
}

/// `POST /admin/tables/{name}`: a new version, the approval of one, or an earlier one again.
pub async fn put(visit: Visit, Path(name): Path<String>, form: Form) -> Result<Response, Failure> {
    let why = form.text("why");
    if let Some(digest) = form.given("approve") {
        visit.app.approve_table(&visit.actor, &name, &digest, &why).await?;
        return Ok(Redirect::to(&format!("/admin/tables/{name}?done=1")).into_response());
    }
    if let Some(digest) = form.given("roll-back") {
        visit.app.roll_back_table(&visit.actor, &name, &digest, &why).await?;
        return Ok(Redirect::to(&format!("/admin/tables/{name}?done=1")).into_response());
    }
    let live = visit.app.table(&visit.actor, &name)?;
    let csv = visit.app.table_as_csv(Arc::clone(&live.table)).await?;
    let head = csv.lines().next().unwrap_or_default().to_owned();
    let cells = form.all("cell");
    let rows: Vec<Vec<String>> = cells.chunks(live.table.columns.len().max(1)).map(<[String]>::to_vec).collect();
    // A row of which nothing is filled in is one that is taken out.
    let rows: Vec<Vec<String>> =
        rows.into_iter().filter(|row| row.iter().any(|cell| !cell.trim().is_empty())).collect();
    let text = std::iter::once(head).chain(rows.iter().map(|row| line(row))).collect::<Vec<_>>().join("\n");
    let condition = Condition { matches: Some(Tags::OneOf(vec![form.text("digest")])), none_matches: None };
    let put = Put { name: &name, format: Format::Csv, text: Arc::from(text + "\n"), condition, why: &why };
    match visit.app.put_table(&visit.actor, &put).await {
        Ok(_) => Ok(Redirect::to(&format!("/admin/tables/{name}?done=1")).into_response()),
        Err(Error::Rejected { problems }) => {
            let all = problems.iter().map(|p| format!("{}: {}", p.field, p.message)).collect::<Vec<_>>().join(" ");
            render(visit, name, Some(rows), (Some((all, "bad")), why), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(Error::StaleTable { .. }) => {
            let words = visit.frame.words.t("table.stale");
            render(visit, name, Some(rows), (Some((words, "warn")), why), StatusCode::PRECONDITION_FAILED).await
        }
        Err(other) => Err(other.into()),
    }
}
