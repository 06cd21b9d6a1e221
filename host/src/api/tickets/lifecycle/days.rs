//! Bundles over HTTP: what hangs on one, and another day for it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::headers::condition::condition;
use crate::api::http::json::Json;
use crate::api::http::problem::Problem;
use crate::api::tickets::number;
use crate::app::App;
use crate::app::tickets::submit::days::{Moved, MovedPart};
use crate::app::tickets::submit::parts::Hanging;
use crate::desk::access::Grant;
use crate::desk::id::TicketNumber;
use crate::desk::ticket::intake::days::{MoveDay, Stays};

/// Another day for a bundle.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DayBody {
    /// At most 732 days from today.
    #[schema(format = Date)]
    to: String,
    /// Up to 1,000 characters; all who read the tickets read it.
    reason: String,
}

/// How a bundle goes by another day.
#[derive(Serialize, ToSchema)]
pub struct DayView {
    field: String,
    /// The day that it had; the same as `to` where it had that day already, and then nothing was done.
    #[schema(value_type = String, format = Date)]
    from: Date,
    #[schema(value_type = String, format = Date)]
    to: Date,
    parts: Vec<DayPartView>,
}

/// A part of a bundle that has another day.
#[derive(Serialize, ToSchema)]
pub struct DayPartView {
    ticket: String,
    /// Whether the part goes by the other day too.
    follows: bool,
    /// Why it stays as it is: `over`; `access`, whose times are what people approve; `by-priority`, which an agent gave it; `other-day`,
    /// where nothing of it hangs on that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    stays: Option<&'static str>,
    /// Whether it follows and its subject or words, which stay as they were written, name another day.
    names_other_day: bool,
}

impl From<Moved> for DayView {
    fn from(Moved { field, from, to, parts, .. }: Moved) -> Self {
        let part = |MovedPart { ticket, stays, names_other_day }: MovedPart| DayPartView {
            ticket: ticket.to_string(),
            follows: stays.is_none(),
            stays: stays.map(Stays::code),
            names_other_day,
        };
        Self { field, from, to, parts: parts.into_iter().map(part).collect() }
    }
}

/// Give a bundle another day, such as the first one of a new colleague. For agents and admins.
///
/// The field is a date of its form. The days of its parts, their fields and the tasks that name it follow in the same step, and the
/// timeline of each says why. With `If-Match`, only where the ticket is at a version named; the answer has its `ETag` after it. Where it
/// has that day already, nothing is done, by any version.
#[utoipa::path(put, path = "/api/v1/tickets/{key}/days/{field}", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), ("field" = String, Path, description = "such as `first-day`"),
        ("If-Match" = Option<String>, Header, description = "ETags of the ticket's versions that you mean, or *")),
    request_body = DayBody,
    responses((status = 200, body = DayView), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem),
        (status = 422, body = Problem)))]
pub async fn put(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path((key, field)): Path<(String, String)>,
    headers: HeaderMap,
    Json(DayBody { to, reason }): Json<DayBody>,
) -> Result<impl IntoResponse, Problem> {
    let condition = condition(&headers)?;
    // As a form takes a date: no shorter way to write it, and no time of day that would be left out.
    let day = (to.len() == "YYYY-MM-DD".len()).then(|| to.parse().ok()).flatten();
    let day = day.ok_or_else(|| Problem::bad_field("to", "is no day: write it as 2027-01-18"))?;
    let wanted = MoveDay { field, to: day, reason };
    let moved = Box::pin(app.move_day(&actor, number(&key)?, &condition, &wanted)).await?;
    Ok(([(header::ETAG, format!("\"{}\"", moved.tag))], axum::Json(DayView::from(moved))))
}

/// All that hangs on a bundle.
#[derive(Serialize, ToSchema)]
pub struct PartsView {
    /// The open parts, which are cancelled with it.
    open: Vec<String>,
    /// The access that its parts gave and that is not over: it stays where the bundle is cancelled, unless that is to end it.
    access: Vec<PartAccessView>,
}

/// Access that a part of a bundle gave.
#[derive(Serialize, ToSchema)]
pub struct PartAccessView {
    /// The part.
    ticket: String,
    grant: String,
    person: String,
    app: String,
    tier: String,
}

impl From<Hanging> for PartsView {
    fn from(Hanging { open, access }: Hanging) -> Self {
        let given = |(ticket, grant): (TicketNumber, Grant)| PartAccessView {
            ticket: ticket.to_string(),
            grant: grant.id.to_string(),
            person: grant.subject.to_string(),
            app: grant.app.to_string(),
            tier: grant.tier.to_string(),
        };
        Self { open: open.iter().map(ToString::to_string).collect(), access: access.into_iter().map(given).collect() }
    }
}

/// Read which open parts of a bundle are cancelled with it, and which access its parts gave that is not over. For those who may cancel it.
#[utoipa::path(get, path = "/api/v1/tickets/{key}/parts", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path)),
    responses((status = 200, body = PartsView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn parts(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<axum::Json<PartsView>, Problem> {
    Ok(axum::Json(app.hanging(&actor, number(&key)?).await?.into()))
}
