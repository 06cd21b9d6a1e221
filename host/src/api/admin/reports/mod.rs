//! `/api/v1/reports`: numbers about tickets, as JSON or CSV.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use utoipa::IntoParams;

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::observe::csv;
use crate::app::observe::reports::{By, Cell, Days, Per, Report, ReportTable, html};
use crate::desk::text::quoted;

/// The days, and how tickets are distinguished.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// The first day, in the desk's time zone.
    #[param(value_type = String, format = Date)]
    #[serde(deserialize_with = "day")]
    from: Date,
    /// The last day.
    #[param(value_type = String, format = Date)]
    #[serde(deserialize_with = "day")]
    to: Date,
    /// `category`, `team`, `assignee`, `priority`, `channel`, `request_type`, `state` or `tag` (a ticket counts under each of its tags);
    /// all together where nothing is said.
    by: Option<String>,
    /// Of `volume` and `backlog-over-time`: a row for each `day` (default), `week` or `month`, as ISO 8601 writes them.
    per: Option<String>,
    /// `json` (default), `csv`, or `html`: a page that needs nothing else, with a plot.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// A day as it is written. Of a time, a part would be passed over without a word.
fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let text = String::deserialize(deserializer)?;
    let day = (text.len() == "YYYY-MM-DD".len()).then(|| text.parse().ok()).flatten();
    day.ok_or_else(|| D::Error::custom(format!("{} is no day: write one such as 2026-05-01", quoted(&text))))
}

#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Csv,
    Html,
}

impl ReportQuery {
    fn by(&self) -> Result<Option<By>, Problem> {
        let Some(name) = &self.by else { return Ok(None) };
        let known = || By::ALL.map(By::column).join(", ");
        let by = By::from_column(name).ok_or_else(|| Problem::bad_query(format!("`by` is one of {}", known())));
        by.map(Some)
    }

    fn per(&self, report: Report) -> Result<Per, Problem> {
        let Some(name) = &self.per else { return Ok(Per::Day) };
        let bad = |what: &str| Problem::bad_query(format!("`per` is {what}"));
        if !report.is_over_days() {
            return Err(bad("of `volume` and `backlog-over-time` alone: no other report has days"));
        }
        Per::from_code(name).ok_or_else(|| bad(&format!("one of {}", Per::ALL.map(Per::code).join(", "))))
    }
}

/// Read a report: `volume`, `backlog`, `backlog-over-time`, `sla-attainment`, `time-taken`, `resolutions`, `deflection`, `satisfaction`,
/// `handling-time`, `first-contact`, `handovers`, `sla-events`, or `corrections` of what rules decided. For agents, admins and the operator.
///
/// Days are those of the desk's time zone. A share is a number from 0 to 1, or null where there is nothing to have a share of.
#[utoipa::path(get, path = "/api/v1/reports/{name}", tag = "reports", security(("token" = [])),
    params(("name" = String, Path), ReportQuery),
    responses((status = 200, body = Vec<Object>), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn read(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    let report = Report::from_code(&name);
    let report = report.ok_or_else(|| Problem::new(Kind::NOT_FOUND, format!("reports are {}", known())))?;
    let days = Days { from: query.from, to: query.to };
    let per = query.per(report)?;
    let table = app.report(&actor, report, days, query.by()?).await?.per(per);
    Ok(answer(query.format, (report, days), &table))
}

fn answer(format: Format, (report, days): (Report, Days), table: &ReportTable) -> Response {
    match format {
        Format::Json => axum::Json(objects(table)).into_response(),
        Format::Csv => ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv::report(table)).into_response(),
        Format::Html => {
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CONTENT_SECURITY_POLICY, html::POLICY),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (headers, html::page(report, days, table, html::ENGLISH)).into_response()
        }
    }
}

fn known() -> String {
    Report::ALL.map(Report::code).join(", ")
}

fn objects(table: &ReportTable) -> Vec<Value> {
    let value = |cell: &Cell| match cell {
        Cell::Text(text) => json!(text),
        Cell::Number(number) => json!(number),
        Cell::Share(share) => share.map_or(Value::Null, |share| json!(share as f64 / 1_000.0)),
    };
    let object = |row: &Vec<Cell>| {
        let cells = table.columns.iter().zip(row).map(|(column, cell)| ((*column).to_owned(), value(cell)));
        Value::Object(cells.collect::<Map<_, _>>())
    };
    table.rows.iter().map(object).collect()
}
