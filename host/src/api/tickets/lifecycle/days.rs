//! The days that bundles go by over HTTP.

use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::auth::Caller;
use crate::api::http::json::Json;
use crate::api::http::problem::Problem;
use crate::api::tickets::number;
use crate::app::App;
use crate::app::tickets::submit::days::Moved;
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
}

impl From<Moved> for DayView {
    fn from(Moved { field, from, to, parts }: Moved) -> Self {
        let part = |(ticket, stays): (TicketNumber, Option<Stays>)| DayPartView {
            ticket: ticket.to_string(),
            follows: stays.is_none(),
            stays: stays.map(Stays::code),
        };
        Self { field, from, to, parts: parts.into_iter().map(part).collect() }
    }
}

/// Give a bundle another day, such as the first one of a new colleague. For agents and admins.
///
/// The field is a date of its form. The days of its parts, their fields and the tasks that name it follow in the same step, and the
/// timeline of each says why. Where it has that day already, nothing is done.
#[utoipa::path(put, path = "/api/v1/tickets/{key}/days/{field}", tag = "tickets", security(("token" = [])),
    params(("key" = String, Path), ("field" = String, Path, description = "such as `first-day`")), request_body = DayBody,
    responses((status = 200, body = DayView), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn put(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path((key, field)): Path<(String, String)>,
    Json(DayBody { to, reason }): Json<DayBody>,
) -> Result<axum::Json<DayView>, Problem> {
    let day = to.parse().map_err(|_| Problem::bad_field("to", "is no day: write it as 2027-01-18"))?;
    let wanted = MoveDay { field, to: day, reason };
    Ok(axum::Json(Box::pin(app.move_day(&actor, number(&key)?, &wanted)).await?.into()))
}
