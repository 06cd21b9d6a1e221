//! `/api/v1/events`: which tickets change, as it happens, as server-sent events (HTML Living Standard, 9.2).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::api::http::auth::{Caller, bearer};
use crate::api::http::problem::Problem;
use crate::app::App;
use crate::app::jobs::event_stream::EventStream;
use crate::app::jobs::proofs::Shown;
use crate::app::jobs::stop::Stop;
use crate::app::tokens::hash;

/// Watch which tickets change.
///
/// Each event `ticket` names a ticket that you may see and its version: read it to learn more. After a break, send the last
/// `id` in `Last-Event-ID`, as browsers do, and you get what you have missed. An event `reset` means that it was too much:
/// read your lists again.
#[utoipa::path(get, path = "/api/v1/events", tag = "tickets", security(("token" = [])),
    params(("Last-Event-ID" = Option<String>, Header, description = "the last `id` that you were told")),
    responses((status = 200, body = String, content_type = "text/event-stream", example = "id: 7\nevent: ticket\ndata: {\"ticket\":\"IT-12\",\"version\":3}\n\n"),
        (status = 400, body = Problem), (status = 429, body = Problem)))]
pub async fn watch(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Extension(stop): Extension<Stop>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let shown = Shown::Token(hash(bearer(&headers).unwrap_or_default()));
    let after = headers.get("last-event-id").map(place).transpose()?;
    let watcher = app.office.watch(actor, after).await?;
    let kinds = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((kinds, Body::new(EventStream::of(watcher, shown, stop))).into_response())
}

fn place(value: &HeaderValue) -> Result<i64, Problem> {
    let place = value.to_str().ok().and_then(|text| text.parse().ok()).filter(|place: &i64| *place >= 0);
    place.ok_or_else(|| Problem::bad_query("`Last-Event-ID` is the last `id` of this stream"))
}
