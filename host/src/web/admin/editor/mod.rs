//! The editor of a decision table, and what the change would have done to the tickets of the last month.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::{SignedDuration, Timestamp};

use crate::app::Error;
use crate::app::replay::Filter;
use crate::app::replay::manifest::FailedExample;
use crate::app::replay::report::Report;
use crate::app::rollout::deploy::Upload;
use crate::desk::permission;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

pub mod grid;

use grid::{Grid, NotATable, NotAValue};

/// How far back a backtest goes, and how many decisions it asks about.
const DAYS: i64 = 30;
const DECISIONS_MAX: u64 = 5_000;
/// Moves and examples that a page shows.
const SHOWN: usize = 12;
/// Rows and columns of a grid.
const ROWS_MAX: usize = 500;
const COLUMNS_MAX: usize = 60;
/// The code of a rule that does not live up to one of its examples.
const EXAMPLE_FAILED: &str = "example-failed";

/// From one value to another, and how often.
struct Move {
    field: String,
    from: String,
    to: String,
    count: u64,
    /// Of the most frequent, for the bar next to it.
    share: f64,
}

/// A ticket that would have gone another way.
struct Example {
    ticket: String,
    changes: Vec<(String, String, String)>,
    reason: String,
}

/// The changes that there would have been.
struct Beside {
    decisions: u64,
    /// How many decisions were asked about at most, where there may be older ones.
    newest: Option<u64>,
    changed: u64,
    percent: String,
    moves: Vec<Move>,
    examples: Vec<Example>,
    /// How often people agree with it, before and after, in percent.
    agree: Option<(u64, u64)>,
    new_failures: u64,
    seconds: String,
}

#[derive(Template)]
#[template(path = "admin/editor.html")]
struct EditorPage {
    f: Frame,
    name: String,
    version: String,
    live_version: String,
    grid: Grid,
    /// As it is live, cell by cell, to mark what differs.
    live: Grid,
    problem: Option<String>,
    /// An example of the rule's own that the rows do not live up to.
    example: Option<FailedExample>,
    beside: Option<Beside>,
    manifest: Option<String>,
    why: String,
    days: i64,
    /// The place of a row that was just moved, where the focus goes.
    moved: Option<usize>,
}

impl EditorPage {
    /// The heading of a column.
    fn column(&self, at: &usize) -> &str {
        self.grid.columns.get(*at).map(String::as_str).unwrap_or_default()
    }

    /// Whether this row was just moved.
    fn is_moved(&self, row: &usize) -> bool {
        self.moved == Some(*row)
    }

    /// Whether a cell is not as it is live.
    fn differs(&self, row: &usize, column: &usize) -> bool {
        let cell = |grid: &Grid| grid.rows.get(*row).and_then(|cells| cells.get(*column)).cloned().unwrap_or_default();
        cell(&self.grid) != cell(&self.live)
    }
}

fn beside(f: &Frame, report: &Report) -> Beside {
    let named = |field: &str, id: &str| match field {
        "team" => f.team(id),
        "category" => f.category(id),
        _ => id.to_owned(),
    };
    let fields = || report.stages.iter().flat_map(|stage| &stage.fields);
    let moves = fields().flat_map(|field| field.moves.iter().map(move |found| (field.field, found)));
    let mut moves: Vec<_> = moves.filter(|(_, found)| found.from != found.to).collect();
    moves.sort_by_key(|(_, found)| std::cmp::Reverse(found.count));
    let most = moves.first().map_or(1, |(_, found)| found.count).max(1);
    let people = fields().filter_map(|field| field.people);
    let (words, before, after) = people.fold((0, 0, 0), |(words, before, after), people| {
        (words + people.words, before + people.agreed_before, after + people.agree_after)
    });
    let percent = |part: u64| part.saturating_mul(100).checked_div(words).unwrap_or_default();
    Beside {
        decisions: report.decisions,
        newest: report.limit_reached.then_some(DECISIONS_MAX),
        changed: report.changed,
        percent: f.words.decimal(report.changed_share * 100.0, 1),
        moves: moves
            .into_iter()
            .take(SHOWN)
            .map(|(field, found)| Move {
                field: f.words.t(&format!("field.{field}")),
                from: named(field, &found.from),
                to: named(field, &found.to),
                count: found.count,
                share: found.count as f64 / most as f64 * 100.0,
            })
            .collect(),
        examples: report
            .examples
            .iter()
            .take(SHOWN)
            .map(|example| Example {
                ticket: example.ticket.clone(),
                changes: example
                    .changes
                    .iter()
                    .map(|(field, from, to)| {
                        (f.words.t(&format!("field.{field}")), named(field, from), named(field, to))
                    })
                    .collect(),
                reason: example.after_reason.clone(),
            })
            .collect(),
        agree: (words > 0).then(|| (percent(before), percent(after))),
        new_failures: report.failures.new,
        seconds: f.words.decimal(report.speed.seconds, 1),
    }
}

/// The live rule's manifest and version.
fn live(visit: &Visit, name: &str) -> Result<(String, String), Failure> {
    let (_, statuses) = visit.app.rules_status(&visit.actor)?;
    let active =
        statuses.into_iter().filter_map(|status| status.active).find(|rule| rule.manifest.name.as_str() == name);
    let rule = active.ok_or(Failure::NoPage)?;
    Ok((rule.manifest_text.to_string(), rule.manifest.version.clone()))
}

/// `GET /admin/decision-table/{name}`.
pub async fn show(visit: Visit, Path(name): Path<String>) -> Result<Response, Failure> {
    let (manifest, version) = live(&visit, &name)?;
    let grid = Grid::of(&manifest).map_err(|_| Failure::NoPage)?;
    let page_ = EditorPage {
        f: visit.frame,
        name,
        version: next(&version),
        live_version: version,
        live: grid.clone(),
        grid,
        problem: None,
        example: None,
        beside: None,
        manifest: None,
        why: String::new(),
        days: DAYS,
        moved: None,
    };
    page(StatusCode::OK, &page_)
}

/// The version after this one.
fn next(version: &str) -> String {
    match version.rsplit_once('.').and_then(|(first, last)| Some((first, last.parse::<u64>().ok()?))) {
        Some((first, last)) => format!("{first}.{}", last + 1),
        None => version.to_owned(),
    }
}

/// Moves a row, or takes it away: `up-2` is about the third. Rows are asked in turn, so their order is a part of the table. The place of
/// one that moved.
fn step(rows: &mut Vec<Vec<String>>, wanted: &str) -> Option<usize> {
    let (step, row) = wanted.rsplit_once('-')?;
    let row = row.parse::<usize>().ok().filter(|row| *row < rows.len())?;
    let to = match step {
        "up" => row.checked_sub(1)?,
        "down" => Some(row + 1).filter(|to| *to < rows.len())?,
        "remove" => {
            rows.remove(row);
            return None;
        }
        _ => return None,
    };
    rows.swap(row, to);
    Some(to)
}

/// The grid that a form holds: its columns once, its cells row by row; and the place of a row that was moved.
fn filled(form: &Form) -> (Grid, Option<usize>) {
    let mut columns = form.all("column");
    columns.extend(form.given("new-column").map(|column| column.trim().to_owned()));
    columns.truncate(COLUMNS_MAX);
    let old = form.all("column").len().clamp(1, COLUMNS_MAX);
    let mut rows: Vec<Vec<String>> = form.all("cell").chunks(old).take(ROWS_MAX).map(<[String]>::to_vec).collect();
    for row in &mut rows {
        row.resize(columns.len(), String::new());
    }
    let moved = step(&mut rows, &form.text("do"));
    rows.retain(|row| row.iter().any(|cell| !cell.trim().is_empty()));
    if form.text("do") == "add-row" {
        rows.push(vec![String::new(); columns.len()]);
    }
    (Grid { columns, rows }, moved)
}

/// `POST /admin/decision-table/{name}`: checks and tries it, or offers it as a new version.
pub async fn run(visit: Visit, Path(name): Path<String>, form: Form) -> Result<Response, Failure> {
    permission::administer(&visit.actor).map_err(Error::from)?;
    let (manifest, live_version) = live(&visit, &name)?;
    let ((grid, moved), version, why) = (filled(&form), form.text("version"), form.text("why"));
    let changed = grid.clone().into_manifest(&manifest, &version);
    let mut page_ = EditorPage {
        f: visit.frame.clone(),
        name: name.clone(),
        version,
        live_version,
        live: Grid::of(&manifest).map_err(|_| Failure::NoPage)?,
        grid,
        problem: None,
        example: None,
        beside: None,
        manifest: None,
        why: why.clone(),
        days: DAYS,
        moved,
    };
    let changed = match changed {
        Ok(changed) => changed,
        Err(error) => {
            page_.problem = Some(not_a_table(&visit.frame, &error));
            return page(StatusCode::UNPROCESSABLE_ENTITY, &page_);
        }
    };
    match form.text("do").as_str() {
        "add-row" | "add-column" => return page(StatusCode::OK, &page_),
        "offer" => match offer(&visit, &name, &changed, why).await? {
            Ok(to) => return Ok(to),
            Err(problem) => {
                page_.problem = Some(problem);
                page_.manifest = Some(changed.clone());
            }
        },
        _ => {}
    }
    let since =
        visit.app.clock.now().checked_sub(SignedDuration::from_hours(DAYS * 24)).unwrap_or(Timestamp::UNIX_EPOCH);
    let filter = Filter { since: Some(since), limit: Some(DECISIONS_MAX), ..Filter::default() };
    match visit.app.backtest_manifest(&visit.actor, &name, changed, filter).await {
        Ok((report, failed)) => {
            page_.beside = Some(beside(&visit.frame, &report));
            page_.example = failed;
        }
        Err(Error::Unfit(unfit)) => page_.problem = Some(format!("{} {}", unfit.what, unfit.mend)),
        Err(other) => return Err(other.into()),
    }
    let status = if page_.problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page(status, &page_)
}

/// Why a grid is no decision table, in the reader's language; the words of the reader of TOML stay as they are.
fn not_a_table(f: &Frame, error: &NotATable) -> String {
    match error {
        NotATable::Cell { row, column, source } => {
            let source = match source {
                NotAValue::Toml(error) => error.message().to_owned(),
                NotAValue::Empty => f.words.t("editor.no-value"),
                NotAValue::Taken { key } => f.words.t1("editor.taken", key),
            };
            f.words.filled("editor.cell", &[row.to_string(), column.clone(), source])
        }
        NotATable::Manifest(error) => f.words.t1("editor.unreadable", error),
        NotATable::Unwritable(error) => f.words.t1("editor.unwritable", error),
    }
}

/// Offers the changed rule as a version; or says why it was not taken.
async fn offer(visit: &Visit, name: &str, manifest: &str, why: String) -> Result<Result<Response, String>, Failure> {
    let component = visit.app.live_component(&visit.actor, name)?;
    let uploading = visit.app.begin_upload(&visit.actor)?;
    let manifest = match grid::in_shadow(manifest) {
        Ok(manifest) => manifest,
        Err(error) => return Ok(Err(not_a_table(&visit.frame, &error))),
    };
    let upload = Upload { manifest: manifest.into_bytes(), component, signature: None, why };
    match visit.app.deploy_rule(&visit.actor, uploading, upload).await {
        Ok(_) => Ok(Ok(Redirect::to(&format!("/admin/rules/{name}?done=1")).into_response())),
        Err(Error::Unfit(unfit)) if unfit.code == EXAMPLE_FAILED => {
            Ok(Err(visit.frame.words.t("editor.example-keeps")))
        }
        Err(Error::Unfit(unfit)) => Ok(Err(format!("{} {}", unfit.what, unfit.mend))),
        Err(Error::Rejected { problems }) => {
            let all = visit.frame.problems(&problems);
            Ok(Err(visit.frame.words.t1("rule.why-needed", all)))
        }
        Err(error @ Error::NotTaken { .. }) => {
            Ok(Err(visit.frame.words.t1("editor.of-directory", visit.frame.why_not(&error))))
        }
        Err(other) => Err(other.into()),
    }
}
