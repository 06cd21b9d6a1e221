//! Reference tables as grids and as text: what rules look up, with its versions. A change is looked at before it is a new version with a
//! reason, and an earlier version is one click away.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::Error;
use crate::app::reference::diff::TableDiff;
use crate::app::reference::{Format, History, Origin, Put};
use crate::desk::change::condition::Condition;
use crate::desk::organisation::form::Problem;
use crate::web::frame::failure::{Failure, if_any};
use crate::web::frame::form::Form;
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

mod difference;

/// Versions and events that a page shows.
const SHOWN: usize = 20;
/// Rows that a page shows as a grid; a larger table is changed as a file.
const GRID_ROWS_MAX: usize = 500;
/// The longest table that a page shows as text, in bytes: a longer one is changed by the interface.
const TEXT_BYTES_MAX: usize = 200 << 10;

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

/// A version that is kept.
struct Version {
    digest: String,
    short: String,
    rows: i64,
    seen: When,
    live: bool,
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
    /// Whether it may be changed here, and as a grid.
    may_change: bool,
    editable: bool,
    from_files: bool,
    too_long: bool,
    /// The whole table as text; none where that is too long.
    text: Option<String>,
    /// Whether it is the text that was filled in.
    by_text: bool,
    /// The rules that look things up in it.
    rules: String,
    /// The differences of a change, or of an earlier version: HTML.
    beside: String,
    looked_at: Option<String>,
    versions: Vec<Version>,
    events: Vec<Event>,
    proposal: Option<(String, String, String)>,
    notice: Option<(String, &'static str)>,
    why: String,
}

/// The form as it was filled in, and the word of the page about it.
#[derive(Default)]
struct Filled {
    rows: Option<Vec<Vec<String>>>,
    text: Option<String>,
    why: String,
    notice: Option<(String, &'static str)>,
    beside: String,
    looked_at: Option<String>,
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
    /// An earlier version, to look at: its digest, or the beginning of it.
    version: Option<String>,
}

/// `GET /admin/tables/{name}`: as it is live, with what an earlier version has otherwise where that is asked for.
pub async fn show(visit: Visit, Path(name): Path<String>, Query(how): Query<How>) -> Result<Response, Failure> {
    let notice = how.done.map(|_| (visit.frame.words.t("table.done"), "good"));
    let mut filled = Filled { notice, ..Filled::default() };
    if let Some(version) = how.version {
        let live = visit.app.table(&visit.actor, &name)?.digest;
        let found = visit.app.table_difference(&visit.actor, &name, &live, &version).await?;
        filled.beside = difference::shown(&visit.frame, found)?;
        filled.looked_at = Some(version);
    }
    render(visit, name, filled, StatusCode::OK).await
}

fn events(f: &Frame, history: &mut History) -> Vec<Event> {
    let event = |event: crate::app::reference::TableEvent| Event {
        when: f.times.ago(event.at),
        event: event.event,
        who: f.name_of(&event.actor),
        why: event.why,
        digest: event.digest.map(|digest| digest.chars().take(12).collect()),
    };
    std::mem::take(&mut history.events).into_iter().map(event).collect()
}

async fn render(visit: Visit, name: String, filled: Filled, status: StatusCode) -> Result<Response, Failure> {
    let live = visit.app.table(&visit.actor, &name)?;
    let history = if_any(visit.app.table_history(&visit.actor, &name, 0, SHOWN).await)?;
    let mut history = history.unwrap_or(History { versions: Vec::new(), events: Vec::new(), next: None });
    let proposal = visit.app.table_proposal(&visit.actor, &name).await?;
    let rules = visit.app.rules_of_table(&visit.actor, &name)?.join(", ");
    let csv = visit.app.table_as_csv(Arc::clone(&live.table)).await?;
    let f = visit.frame;
    let columns = csv.lines().next().unwrap_or_default().split(',').map(str::to_owned).collect();
    let too_long = live.table.rows.len() > GRID_ROWS_MAX;
    let (by_text, text) = (filled.text.is_some(), filled.text.unwrap_or(csv));
    let rows = filled.rows.unwrap_or_else(|| live.table.rows.values().take(GRID_ROWS_MAX).cloned().collect());
    let from_files = live.origin == Origin::Configuration;
    let may_change = f.administers() && !from_files;
    let events = events(&f, &mut history);
    let version = |version: crate::app::reference::TableVersionEntry| Version {
        short: version.digest.chars().take(12).collect(),
        rows: version.rows,
        seen: f.times.ago(version.first_seen),
        live: version.digest == live.digest,
        digest: version.digest,
    };
    let versions = history.versions.into_iter().map(version).collect();
    let page_ = TablePage {
        columns,
        rows,
        editable: may_change && !too_long,
        may_change,
        from_files,
        too_long,
        text: Some(text).filter(|text| may_change && text.len() <= TEXT_BYTES_MAX),
        by_text,
        rules,
        beside: filled.beside,
        looked_at: filled.looked_at,
        versions,
        events,
        proposal: proposal.map(|p| (p.digest, f.name_of(&p.proposed_by), p.why)),
        notice: filled.notice,
        why: filled.why,
        digest: live.digest,
        name,
        f,
    };
    page(status, &page_)
}

/// A line of CSV (RFC 4180).
fn line(cells: &[String]) -> String {
    let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
    cells.iter().map(quoted).collect::<Vec<_>>().join(",")
}

/// The table that a form has, as CSV: its text, or the cells of its grid, which are given as well.
async fn text_of(visit: &Visit, name: &str, form: &Form) -> Result<(String, Filled), Failure> {
    let why = form.text("why");
    if let Some(text) = form.given("text") {
        return Ok((text.clone(), Filled { text: Some(text), why, ..Filled::default() }));
    }
    let live = visit.app.table(&visit.actor, name)?;
    let csv = visit.app.table_as_csv(Arc::clone(&live.table)).await?;
    let head = csv.lines().next().unwrap_or_default().to_owned();
    let cells = form.all("cell");
    let rows = cells.chunks(live.table.columns.len().max(1)).map(<[String]>::to_vec);
    // A row of which nothing is filled in is one that is taken out.
    let rows: Vec<Vec<String>> = rows.filter(|row| row.iter().any(|cell| !cell.trim().is_empty())).collect();
    let text = std::iter::once(head).chain(rows.iter().map(|row| line(row))).collect::<Vec<_>>().join("\n");
    Ok((text + "\n", Filled { rows: Some(rows), why, ..Filled::default() }))
}

/// Does what a form asks for; what it would change where it only looks.
async fn act(visit: &Visit, name: &str, text: String, form: &Form) -> Result<Option<TableDiff>, Error> {
    let (app, actor, why) = (&visit.app, &visit.actor, form.text("why"));
    if let Some(digest) = form.given("approve") {
        app.approve_table(actor, name, &digest, &why).await?;
    } else if let Some(digest) = form.given("roll-back") {
        app.roll_back_table(actor, name, &digest, &why).await?;
    } else {
        let condition = Condition::version(form.text("digest"));
        let put = Put { name, format: Format::Csv, text: Arc::from(text), condition, why: &why };
        if form.text("do") == "look" {
            return Ok(Some(app.check_table(actor, &put).await?));
        }
        app.put_table(actor, &put).await?;
    }
    Ok(None)
}

/// `POST /admin/tables/{name}`: a look at a change, a new version, the approval of one, or an earlier one again.
pub async fn put(visit: Visit, Path(name): Path<String>, form: Form) -> Result<Response, Failure> {
    let (text, mut filled) = text_of(&visit, &name, &form).await?;
    let status = match act(&visit, &name, text, &form).await {
        Ok(None) => return Ok(Redirect::to(&format!("/admin/tables/{name}?done=1")).into_response()),
        Ok(Some(found)) => {
            filled.beside = difference::shown(&visit.frame, found)?;
            StatusCode::OK
        }
        Err(Error::Rejected { problems }) => {
            let f = &visit.frame;
            let said = |problem: &Problem| match problem.field.as_str() {
                "why" => f.problem(problem),
                field => {
                    let line = field.strip_prefix("line ").map(|line| f.words.t1("table.line", line));
                    format!("{}: {}", line.unwrap_or_else(|| field.to_owned()), f.problem(problem))
                }
            };
            let all = problems.iter().map(said).collect::<Vec<_>>().join(" ");
            filled.notice = Some((all, "bad"));
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(Error::StaleTable { .. }) => {
            filled.notice = Some((visit.frame.words.t("table.stale"), "warn"));
            StatusCode::PRECONDITION_FAILED
        }
        Err(other) => return Err(other.into()),
    };
    if form.given("approve").or_else(|| form.given("roll-back")).is_some() {
        filled.rows = None;
    }
    render(visit, name, filled, status).await
}
