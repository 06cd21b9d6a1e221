//! The stream of a browser: which tickets change, as it happens, as server-sent events (HTML Living Standard, 9.2). Keys and
//! versions alone: what has changed is read by the usual page, with the reader's usual permissions.

use axum::body::Body;
use axum::extract::Extension;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::frame::failure::Failure;
use super::frame::header_text;
use super::session::Visit;
use crate::app::jobs::event_stream::EventStream;
use crate::app::jobs::stop::Stop;

/// `GET /live`.
pub async fn watch(visit: Visit, Extension(stop): Extension<Stop>, headers: HeaderMap) -> Result<Response, Failure> {
    let after = header_text(&headers, "last-event-id").parse::<i64>().ok();
    let shown = visit.shown();
    let watcher = visit.app.office.watch(visit.actor, after.filter(|place| *place >= 0)).await?;
    let kinds = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((kinds, Body::new(EventStream::of(watcher, shown, stop))).into_response())
}
