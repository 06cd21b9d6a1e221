//! `/api/v1/tables`: reference tables that rules look things up in.

use std::ops::Bound;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::http::address::Query;
use super::http::auth::Caller;
use super::http::headers::accept::prefers;
use super::http::headers::condition::{condition, unless_known};
use super::http::headers::header_text;
use super::http::json::{Json, says_utf8};
use super::http::page::{self, List, PageQuery};
use super::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::reference::diff::{RowDiff, TableDiff};
use crate::app::reference::{
    Changed, Format, History, Origin, Put, TableEvent, TableProposal, TableStatus, TableVersionEntry,
};
use crate::app::rollout::steps::Signatory;
use crate::desk::actor::Actor;
use crate::desk::change::condition::{Condition, Tags};
use crate::desk::text::quoted;
use crate::desk::ticket::intake::attachment::essence;

/// Rows that one answer lists at most, and where nothing is said.
const ROWS_MAX: usize = 1000;
const ROWS: usize = 100;
/// Bytes of rows that one answer lists, the columns' names of each included, before the row with which they get more.
const ROWS_BYTES_MAX: usize = 1 << 20;

/// A table that is live.
#[derive(Serialize, ToSchema)]
pub struct TableView {
    name: String,
    /// Where it is changed: `configuration`, a file in `tables/`, or `api`.
    origin: &'static str,
    /// SHA-256 of the content.
    digest: String,
    /// The headings: a name, and a type behind it where it is not text. The first column is the key.
    columns: Vec<ColumnView>,
    row_count: usize,
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

/// A column.
#[derive(Serialize, ToSchema)]
pub struct ColumnView {
    name: String,
    /// `text`, `whole`, `number`, `flag` or `date`.
    #[serde(rename = "type")]
    kind: &'static str,
}

impl From<TableStatus> for TableView {
    fn from(status: TableStatus) -> Self {
        let TableStatus { name, origin, digest, table, since } = status;
        let columns = table.columns.iter().map(|c| ColumnView { name: c.name.clone(), kind: c.kind.code() });
        Self {
            name,
            origin: match origin {
                Origin::Configuration => "configuration",
                Origin::Api => "api",
            },
            digest,
            columns: columns.collect(),
            row_count: table.rows.len(),
            since,
        }
    }
}

/// A version of a table that waits for a second person: a rule that decides about access looks things up in the table.
#[derive(Serialize, ToSchema)]
pub struct TableProposalView {
    name: String,
    /// SHA-256 of the content, which is kept and can be read as a version.
    digest: String,
    /// A person's id, `operator:NAME`, or `ID via operator:NAME`.
    proposed_by: String,
    why: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl From<TableProposal> for TableProposalView {
    fn from(proposal: TableProposal) -> Self {
        let TableProposal { name, digest, proposed_by, why, at } = proposal;
        Self { name, digest, proposed_by, why, at }
    }
}

/// All tables.
#[derive(Serialize, ToSchema)]
pub struct TablesView {
    tables: Vec<TableView>,
}

/// A table with some of its rows.
#[derive(Serialize, ToSchema)]
pub struct TableRowsView {
    #[serde(flatten)]
    table: TableView,
    /// In the order of their keys; each is its cells by column.
    #[schema(value_type = Vec<Object>)]
    rows: Vec<Map<String, Value>>,
    /// Where the next rows begin, if there are more.
    next_after: Option<String>,
}

/// Which rows.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RowsQuery {
    /// The key after which to begin.
    #[serde(default)]
    after: Option<String>,
    /// 1 to 1000; 100 where nothing is said.
    #[serde(default)]
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
}

/// Why something is done.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhyQuery {
    /// Kept with the change; up to 1,000 characters.
    why: String,
}

/// List the reference tables.
#[utoipa::path(get, path = "/api/v1/tables", tag = "tables", security(("token" = [])),
    responses((status = 200, body = TablesView)))]
pub async fn list(State(app): State<Arc<App>>, Caller(actor): Caller) -> Result<axum::Json<TablesView>, Problem> {
    let tables = app.tables(&actor)?.into_iter().map(TableView::from).collect();
    Ok(axum::Json(TablesView { tables }))
}

/// Read a table: as JSON some rows at a time, as CSV (`Accept: text/csv`) all of it.
#[utoipa::path(get, path = "/api/v1/tables/{name}", tag = "tables", security(("token" = [])),
    params(("name" = String, Path), RowsQuery),
    responses((status = 200, content((TableRowsView = "application/json"), (String = "text/csv"))),
        (status = 304, description = "you have it already"), (status = 404, body = Problem)))]
pub async fn read(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Query(query): Query<RowsQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let limit = page::within(query.limit, ROWS, ROWS_MAX)?;
    let status = app.table(&actor, &name)?;
    let as_csv = prefers(&headers, "application/json", "text/csv");
    // The two forms are two representations, and tags tell them apart.
    let tag = if as_csv { status.digest.clone() } else { format!("{}.json", status.digest) };
    if let Some(known) = unless_known(&headers, &tag)? {
        return Ok(([(header::VARY, "accept")], known).into_response());
    }
    if as_csv {
        return Ok(csv(&status.digest, app.table_as_csv(status.table).await?));
    }
    let view = TableRowsView::new(status, query.after, limit);
    Ok(([(header::ETAG, format!("\"{tag}\"")), (header::VARY, "accept".to_owned())], axum::Json(view)).into_response())
}

impl TableRowsView {
    fn new(status: TableStatus, after: Option<String>, limit: usize) -> Self {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let table = Arc::clone(&status.table);
        let mut rows = table.rows.range((from, Bound::Unbounded)).peekable();
        let names = table.columns.iter().map(|column| column.name.len()).sum::<usize>();
        let (mut page, mut bytes, mut last) = (Vec::new(), 0, None);
        while page.len() < limit
            && bytes < ROWS_BYTES_MAX
            && let Some((key, row)) = rows.next()
        {
            bytes += names + row.iter().map(String::len).sum::<usize>();
            page.push(table.named(row).map(|(name, cell)| (name.to_owned(), cell.into())).collect());
            last = Some(key.clone());
        }
        let next_after = last.filter(|_| rows.peek().is_some());
        Self { table: status.into(), rows: page, next_after }
    }
}

fn csv(digest: &str, text: String) -> Response {
    let etag = HeaderValue::try_from(format!("\"{digest}\"")).unwrap_or(HeaderValue::from_static("\"\""));
    let media_type = HeaderValue::from_static("text/csv; charset=utf-8");
    let vary = HeaderValue::from_static("accept");
    ([(header::CONTENT_TYPE, media_type), (header::ETAG, etag), (header::VARY, vary)], text).into_response()
}

/// Put a table, new or in place of another version: CSV whose first line names the columns, or TOML.
///
/// Tickets that come after it see it, all stages of one ticket the same. With `If-Match`, only in place of the version named.
/// Where the desk asks for two people and a rule that decides about access looks things up in it, the answer is 202, and the
/// version waits until a second person approves it.
#[utoipa::path(put, path = "/api/v1/tables/{name}", tag = "tables", security(("token" = [])),
    params(("name" = String, Path), WhyQuery,
        ("If-Match" = Option<String>, Header, description = "ETags of the versions that may be replaced, or *"),
        ("If-None-Match" = Option<String>, Header, description = "* for a table that is not there yet")),
    request_body(content((String = "text/csv"), (String = "application/toml"))),
    responses((status = 200, body = TableView), (status = 202, body = TableProposalView), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem)))]
pub async fn put(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Query(query): Query<WhyQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let (format, condition) = (format_of(&headers)?, of_table(&headers)?);
    let put = Put { name: &name, format, text: text_of(&body)?, condition, why: &query.why };
    changed_view(&app, &actor, &name, &app.put_table(&actor, &put).await?).await
}

/// The outcome of a change: the table as it is live, or the version that waits for a second person (202).
async fn changed_view(app: &App, actor: &Actor, name: &str, changed: &Changed) -> Result<Response, Problem> {
    let proposal = if changed.live { None } else { app.table_proposal(actor, name).await? };
    Ok(match proposal {
        Some(proposal) => (StatusCode::ACCEPTED, axum::Json(TableProposalView::from(proposal))).into_response(),
        None => tagged(app.table(actor, name)?),
    })
}

/// A table as it is live now, with its version as `ETag`.
fn tagged(status: TableStatus) -> Response {
    let etag = format!("\"{}\"", status.digest);
    ([(header::ETAG, etag)], axum::Json(TableView::from(status))).into_response()
}

fn text_of(body: &Bytes) -> Result<Arc<str>, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let place = error.valid_up_to();
        Problem::bad_body(&format!("the table is not UTF-8 text: the byte at {place} belongs to none"))
    });
    text.map(Arc::from)
}

/// The precondition of a change of a table: each of its forms stands for the version.
fn of_table(headers: &HeaderMap) -> Result<Condition, Problem> {
    let digest = |tag: String| tag.strip_suffix(".json").map(str::to_owned).unwrap_or(tag);
    let of = |tags: Option<Tags>| match tags {
        Some(Tags::OneOf(tags)) => Some(Tags::OneOf(tags.into_iter().map(digest).collect())),
        other => other,
    };
    let Condition { matches, none_matches } = condition(headers)?;
    Ok(Condition { matches: of(matches), none_matches: of(none_matches) })
}

fn format_of(headers: &HeaderMap) -> Result<Format, Problem> {
    let given = header_text(headers, header::CONTENT_TYPE).unwrap_or_default();
    match essence(given).as_str() {
        "text/csv" if says_utf8(given) => Ok(Format::Csv),
        "application/toml" | "text/toml" if says_utf8(given) => Ok(Format::Toml),
        _ => {
            let detail =
                format!("send UTF-8 as `Content-Type: text/csv` or `application/toml`, not as {}", quoted(given));
            Err(Problem::new(Kind::NOT_A_TABLE, detail))
        }
    }
}

/// Remove a table; refused while a live rule looks things up in it. Its versions are kept.
#[utoipa::path(delete, path = "/api/v1/tables/{name}", tag = "tables", security(("token" = [])),
    params(("name" = String, Path), WhyQuery,
        ("If-Match" = Option<String>, Header, description = "ETags of the versions that may be removed, or *")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem)))]
pub async fn remove(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Query(query): Query<WhyQuery>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    app.remove_table(&actor, &name, &of_table(&headers)?, &query.why).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The versions of a table, and who changed it.
#[derive(Serialize, ToSchema)]
pub struct TableHistoryView {
    /// The newest first.
    versions: Vec<TableVersionView>,
    /// The newest first.
    events: Vec<TableEventView>,
    /// The version that waits for a second person.
    proposed: Option<TableProposalView>,
    /// Send it as `after` for the next of both; absent where there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A version that is kept.
#[derive(Serialize, ToSchema)]
pub struct TableVersionView {
    digest: String,
    row_count: i64,
    #[schema(value_type = String, format = DateTime)]
    first_seen: Timestamp,
}

/// A change.
#[derive(Serialize, ToSchema)]
pub struct TableEventView {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `live`, `removed`, or `proposed` where a second person had yet to agree.
    event: &'static str,
    /// The version that went live or was proposed; none where the table was removed.
    digest: Option<String>,
    /// A person's id, or `operator:NAME` for who works at the desk's shell.
    actor: String,
    /// The user at the shell, where it was done there, whether or not in a person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    why: String,
}

impl From<TableVersionEntry> for TableVersionView {
    fn from(entry: TableVersionEntry) -> Self {
        Self { digest: entry.digest, row_count: entry.rows, first_seen: entry.first_seen }
    }
}

impl From<TableEvent> for TableEventView {
    fn from(event: TableEvent) -> Self {
        let TableEvent { at, event, digest, actor, why } = event;
        let by = Signatory::parse(&actor);
        let event = match (event.as_str(), &digest) {
            ("proposed", _) => "proposed",
            (_, Some(_)) => "live",
            (_, None) => "removed",
        };
        Self { at, event, digest, actor: by.name(), operator: by.operator().map(str::to_owned), why }
    }
}

/// List the versions of a table, and who changed it and why.
#[utoipa::path(get, path = "/api/v1/tables/{name}/versions", tag = "tables", security(("token" = [])),
    params(("name" = String, Path), PageQuery),
    responses((status = 200, body = TableHistoryView), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn history(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<TableHistoryView>, Problem> {
    let (limit, [after]) = (query.limit()?, List::TableHistory.after(query.after.as_deref())?);
    let History { versions, events, next } = app.table_history(&actor, &name, after, limit).await?;
    let proposed = app.table_proposal(&actor, &name).await?.map(TableProposalView::from);
    let versions = versions.into_iter().map(TableVersionView::from).collect();
    let events = events.into_iter().map(TableEventView::from).collect();
    let next = next.map(|after| List::TableHistory.write([page::whole(after)]));
    Ok(axum::Json(TableHistoryView { versions, events, proposed, next }))
}

/// Download a version of a table as CSV, by its digest or the beginning of it.
#[utoipa::path(get, path = "/api/v1/tables/{name}/versions/{digest}", tag = "tables", security(("token" = [])),
    params(("name" = String, Path), ("digest" = String, Path)),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 404, body = Problem)))]
pub async fn version(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path((name, digest)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (digest, text) = app.table_version(&actor, &name, &digest).await?;
    Ok(csv(&digest, text))
}

/// Which versions to compare.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DiffQuery {
    /// A digest, or the beginning of one.
    from: String,
    /// A digest, or the beginning of one.
    to: String,
}

/// What is different between two versions. Of rows, the first hundred of each kind are listed.
#[derive(Serialize, ToSchema)]
pub struct TableDiffView {
    columns_added: Vec<String>,
    columns_removed: Vec<String>,
    added_count: usize,
    added: Vec<String>,
    removed_count: usize,
    removed: Vec<String>,
    changed_count: usize,
    changed: Vec<RowDiffView>,
}

/// A row that is different.
#[derive(Serialize, ToSchema)]
pub struct RowDiffView {
    key: String,
    cells: Vec<CellDiffView>,
}

/// A cell that is different.
#[derive(Serialize, ToSchema)]
pub struct CellDiffView {
    column: String,
    from: String,
    to: String,
}

impl From<TableDiff> for TableDiffView {
    fn from(diff: TableDiff) -> Self {
        let TableDiff { columns_added, columns_removed, added, removed, changed } = diff;
        let cell = |(column, from, to)| CellDiffView { column, from, to };
        let row = |row: RowDiff| RowDiffView { key: row.key, cells: row.cells.into_iter().map(cell).collect() };
        Self {
            columns_added,
            columns_removed,
            added_count: added.count,
            added: added.first,
            removed_count: removed.count,
            removed: removed.first,
            changed_count: changed.count,
            changed: changed.first.into_iter().map(row).collect(),
        }
    }
}

/// Compare two versions of a table.
#[utoipa::path(get, path = "/api/v1/tables/{name}/diff", tag = "tables", security(("token" = [])),
    params(("name" = String, Path), DiffQuery),
    responses((status = 200, body = TableDiffView), (status = 404, body = Problem)))]
pub async fn compare(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Query(query): Query<DiffQuery>,
) -> Result<axum::Json<TableDiffView>, Problem> {
    Ok(axum::Json(app.table_difference(&actor, &name, &query.from, &query.to).await?.into()))
}

/// The version that is meant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackBody {
    /// Its digest, or the beginning of it.
    digest: String,
    /// Kept with the change.
    why: String,
}

/// Make an earlier version of a table live again.
#[utoipa::path(post, path = "/api/v1/tables/{name}/rollback", tag = "tables", security(("token" = [])),
    params(("name" = String, Path)), request_body = RollbackBody,
    responses((status = 200, body = TableView), (status = 202, body = TableProposalView), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn roll_back(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Json(body): Json<RollbackBody>,
) -> Result<Response, Problem> {
    let changed = app.roll_back_table(&actor, &name, &body.digest, &body.why).await?;
    changed_view(&app, &actor, &name, &changed).await
}

/// Agree, as a second person, that the proposed version that you have looked at goes live.
#[utoipa::path(post, path = "/api/v1/tables/{name}/approve", tag = "tables", security(("token" = [])),
    params(("name" = String, Path)), request_body = RollbackBody,
    responses((status = 200, body = TableView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn approve(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Json(body): Json<RollbackBody>,
) -> Result<axum::Json<TableView>, Problem> {
    Ok(axum::Json(app.approve_table(&actor, &name, &body.digest, &body.why).await?.into()))
}
