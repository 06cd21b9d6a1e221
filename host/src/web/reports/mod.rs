//! Reports with their plots: which, over which days and by what stands in the address; the same numbers as a table and a file.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;

use super::frame::failure::Failure;
use super::frame::form::address;
use super::frame::{Frame, csv_file, page};
use super::session::Visit;
use crate::app::observe::csv;
use crate::app::observe::reports::{By, Cell, Days, Per, Report, ReportTable};

mod plot;
pub mod wall;

use plot::{Bar, Columns};

/// The days of a report where the address names none.
const DAYS: i64 = 28;

/// The days and the distinction, as the address says them.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    by: String,
    /// `day`, `week` or `month`.
    #[serde(default)]
    per: String,
    #[serde(default)]
    format: String,
    /// The days to compare with: `year`, or the ones just before.
    #[serde(default)]
    against: String,
}

/// A number above the plot, and the same of the period before.
struct Sum {
    name: String,
    now: String,
    before: Option<String>,
}

/// Reports that answer one sort of question.
struct Group {
    code: &'static str,
    name: String,
    /// The address of the first.
    first: String,
    /// Their addresses, names, and which is here.
    links: Vec<(String, String, bool)>,
}

#[derive(Template)]
#[template(path = "reports/show.html")]
struct ReportPage {
    f: Frame,
    code: &'static str,
    title: String,
    groups: Vec<Group>,
    from: String,
    to: String,
    /// Both days, as the reader writes them.
    period: String,
    bys: Vec<(&'static str, String, bool)>,
    /// The times that its rows may be about; none where it is not over days.
    pers: Vec<(&'static str, String, bool)>,
    /// Whether it is about days, and not about how things stand now.
    has_days: bool,
    /// Whether its sums stand next to those of other days, which are those a year before or else the ones just before.
    compares: bool,
    against_year: bool,
    compared: String,
    sums: Vec<Sum>,
    columns: Option<Columns>,
    series: Vec<String>,
    bars: Vec<Bar>,
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
    file: String,
}

/// `GET /reports`.
pub async fn first() -> Redirect {
    Redirect::to("/reports/volume")
}

impl Asked {
    fn days(&self, today: Date) -> Result<Days, Failure> {
        let day = |text: &str, otherwise: Date| match text.trim() {
            "" => Ok(otherwise),
            text => text.parse::<Date>().map_err(|_| Failure::BadForm),
        };
        let to = day(&self.to, today)?;
        let first = to.checked_sub((DAYS - 1).days()).map_err(|_| Failure::BadForm)?;
        Ok(Days { from: day(&self.from, first)?, to })
    }

    fn address(&self, code: &str, more: &[(&str, &str)]) -> String {
        let [from, to, by] = [("from", self.from.as_str()), ("to", &self.to), ("by", &self.by)];
        let own = [from, to, by, ("per", &self.per), ("against", &self.against)];
        address(&format!("/reports/{code}"), own.into_iter().chain(more.iter().copied()))
    }
}

/// The days that these are compared with.
fn earlier(days: Days, against: &str) -> Option<Days> {
    let year = |day: Date| day.checked_sub(1.year()).ok();
    match against {
        "year" => Some(Days { from: year(days.from)?, to: year(days.to)? }),
        _ => before(days),
    }
}

/// The days just before, as many.
fn before(Days { from, to }: Days) -> Option<Days> {
    let length = from.until(to).ok()?.get_days();
    let last = from.yesterday().ok()?;
    Some(Days { from: last.checked_sub(length.days()).ok()?, to: last })
}

/// `GET /reports/{name}`.
pub async fn show(visit: Visit, Path(code): Path<String>, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let report = Report::from_code(&code).ok_or(Failure::NoPage)?;
    let today = visit.frame.organisation.calendar.zone.to_datetime(visit.frame.times.now).date();
    let days = asked.days(today)?;
    let by = By::from_column(&asked.by);
    let per = Per::from_code(&asked.per).filter(|_| report.is_over_days()).unwrap_or_default();
    let table = visit.app.report(&visit.actor, report, days, by).await?.per(per);
    if asked.format == "csv" {
        return Ok(csv_file(&format!("{}.csv", report.code()), csv::report(&table)));
    }
    let compares = matches!(report, Report::Volume | Report::Attainment);
    let compared = earlier(days, &asked.against).filter(|_| compares);
    let earlier = match compared {
        Some(earlier) => Some(visit.app.report(&visit.actor, report, earlier, by).await?),
        None => None,
    };
    let f = visit.frame;
    let names: Vec<String> = table.columns.iter().map(|column| f.words.t(&format!("report.{column}"))).collect();
    let series = if report.is_over_days() { names.get(2..).unwrap_or_default().to_vec() } else { Vec::new() };
    // Where a ticket may be in several groups, their sum is no number of tickets.
    let adds_up = by.is_none_or(By::divides);
    let bys = By::ALL.map(|one| (one.column(), f.words.t(&format!("by.{}", one.column())), Some(one) == by));
    let page_ = ReportPage {
        code: report.code(),
        title: title(&f, report),
        groups: groups(&f, &asked, report),
        from: days.from.to_string(),
        to: days.to.to_string(),
        period: period(&f, days),
        bys: bys.to_vec(),
        pers: pers(&f, report, per),
        has_days: report != Report::Backlog,
        compares,
        against_year: asked.against == "year",
        compared: compared.map(|days| period(&f, days)).unwrap_or_default(),
        sums: if adds_up { sums(&f, report, &table, earlier.as_ref()) } else { Vec::new() },
        columns: (report.is_over_days() && adds_up)
            // Of days to come nothing is known, and nothing is drawn.
            .then(|| {
                plot::columns(&plot::by_day(&table, (days.from, days.to.min(today)), per, 2), &series, |day| {
                    named(&f, day)
                })
            })
            .flatten(),
        bars: bars(&f, report, by, &table),
        heads: names,
        rows: table.rows.iter().map(|row| cells(&f, by, &table, row)).collect(),
        file: asked.address(report.code(), &[("format", "csv")]),
        series,
        f,
    };
    page(StatusCode::OK, &page_)
}

/// The name of a day, a week or a month of a report, and a shorter one for an axis.
fn named(f: &Frame, text: &str) -> (String, String) {
    match text.parse::<Date>() {
        Ok(day) => (f.times.day(day), f.times.short_day(day)),
        Err(_) => (text.to_owned(), text.get(5..).unwrap_or(text).to_owned()),
    }
}

fn period(f: &Frame, days: Days) -> String {
    format!("{} – {}", f.times.day(days.from), f.times.day(days.to))
}

/// The choices of a report over days, and which is taken.
fn pers(f: &Frame, report: Report, per: Per) -> Vec<(&'static str, String, bool)> {
    let all = Per::ALL.into_iter().filter(|_| report.is_over_days());
    all.map(|one| (one.code(), f.words.t(&format!("report.{}", one.code())), one == per)).collect()
}

/// The groups of all reports, in their order.
const GROUPS: [&str; 4] = ["work", "promises", "people", "rules"];

/// The group in which a report stands.
const fn group_of(report: Report) -> &'static str {
    match report {
        Report::Volume | Report::Backlog | Report::Trend | Report::Resolutions | Report::FirstContact => "work",
        Report::Attainment | Report::Taken | Report::PromiseEvents => "promises",
        Report::Satisfaction | Report::Handling | Report::Handovers => "people",
        Report::Corrections | Report::Deflection => "rules",
    }
}

fn groups(f: &Frame, asked: &Asked, here: Report) -> Vec<Group> {
    let link = |one: Report| (asked.address(one.code(), &[]), short(f, one), one == here);
    let group = |code: &'static str| {
        let links: Vec<_> = Report::ALL.into_iter().filter(|one| group_of(*one) == code).map(link).collect();
        let first = links.first().map(|(address, ..)| address.clone()).unwrap_or_default();
        Group { code, name: f.words.t(&format!("report.group-{code}")), first, links }
    };
    GROUPS.into_iter().map(group).collect()
}

fn title(f: &Frame, report: Report) -> String {
    f.words.t(&format!("report.title.{}", report.code()))
}

/// The title of a report next to the others of its group, whose name says the rest.
fn short(f: &Frame, report: Report) -> String {
    match report {
        Report::Trend
        | Report::Attainment
        | Report::PromiseEvents
        | Report::Taken
        | Report::FirstContact
        | Report::Deflection => f.words.t(&format!("report.short.{}", report.code())),
        _ => title(f, report),
    }
}

/// The name of a group, as people know it.
fn group(f: &Frame, by: Option<By>, id: &str) -> String {
    match (by, id) {
        (_, "") => f.words.t(if by.is_some() { "report.no-group" } else { "report.all" }),
        (Some(By::Category), id) => f.category(id),
        (Some(By::Team), id) => f.team(id),
        (Some(By::Assignee), id) => f.name_of(id),
        (Some(By::Priority), id) => id.parse().map_or_else(|_| id.to_owned(), |id| f.priority(&id).name),
        (Some(By::State), id) => f.words.t(&format!("state.{id}")),
        (Some(By::RequestType), id) => {
            f.organisation.request_types.get(id).map_or_else(|| id.to_owned(), |form| form.name.clone())
        }
        (_, id) => id.to_owned(),
    }
}

fn cell(f: &Frame, by: Option<By>, column: &str, cell: &Cell) -> String {
    match cell {
        Cell::Text(text) if column == "group" => group(f, by, text),
        Cell::Text(text) if column == "clock" => f.clock(text),
        Cell::Text(text) if column == "day" => named(f, text).0,
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        Cell::Share(None) => "-".to_owned(),
        Cell::Share(Some(share)) => format!("{} %", f.words.decimal(*share as f64 / 10.0, 1)),
    }
}

fn cells(f: &Frame, by: Option<By>, table: &ReportTable, row: &[Cell]) -> Vec<String> {
    table.columns.iter().zip(row).map(|(column, one)| cell(f, by, column, one)).collect()
}

/// The bars of a report: the column that matters most, by group.
fn bars(f: &Frame, report: Report, by: Option<By>, table: &ReportTable) -> Vec<Bar> {
    let column = match report {
        Report::Volume | Report::Trend => return Vec::new(),
        Report::Attainment => 5,
        Report::Resolutions => 7,
        Report::Satisfaction => 7,
        Report::Corrections => 6 + usize::from(by.is_some()),
        Report::PromiseEvents => 8,
        Report::FirstContact | Report::Taken => 3,
        Report::Handling | Report::Handovers => 2,
        Report::Backlog | Report::Deflection => 1,
    };
    plot::bars(f.words, (table, column), |row| {
        let words = row.iter().zip(&table.columns).filter(|(one, _)| matches!(one, Cell::Text(_)));
        words.map(|(one, name)| cell(f, by, name, one)).collect::<Vec<_>>().join(" · ")
    })
}

/// The number in a column of a row; nothing where there is none.
fn number(row: &[Cell], column: usize) -> i64 {
    match row.get(column) {
        Some(Cell::Number(number)) => *number,
        Some(Cell::Text(_) | Cell::Share(_)) | None => 0,
    }
}

/// The sum of a column over all rows.
fn added(table: &ReportTable, column: usize) -> i64 {
    table.rows.iter().map(|row| number(row, column)).sum()
}

/// The sums over all rows, with those of the period before.
fn sums(f: &Frame, report: Report, table: &ReportTable, earlier: Option<&ReportTable>) -> Vec<Sum> {
    let wanted: &[usize] = match report {
        Report::Volume => &[2, 3, 4],
        Report::Attainment => &[2, 3, 4],
        Report::Backlog => &[1, 6],
        Report::Trend => &[],
        Report::Resolutions => &[1, 2, 4],
        Report::Deflection => &[1],
        Report::Taken => &[2],
        Report::Satisfaction | Report::Handling | Report::FirstContact => &[1, 2],
        Report::Handovers => &[1, 2, 3],
        Report::Corrections => &[3, 4, 5],
        Report::PromiseEvents => &[2, 5, 8],
    };
    let sum = |column: &usize| {
        let name = table.columns.get(*column)?;
        Some(Sum {
            name: f.words.t(&format!("report.{name}")),
            now: added(table, *column).to_string(),
            before: earlier.map(|earlier| added(earlier, *column).to_string()),
        })
    };
    wanted.iter().filter_map(sum).collect()
}
