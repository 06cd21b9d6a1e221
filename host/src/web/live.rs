//! The stream of a browser: which tickets change, as it happens, as server-sent events (HTML Living Standard, 9.2). Keys and
//! versions alone: what has changed is read by the usual page, with the reader's usual permissions.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Extension;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::frame::failure::Failure;
use super::session::Visit;
use crate::app::jobs::events::{Told, Watcher};
use crate::app::jobs::stop::Stop;

/// How often something is sent where nothing happens, so that no proxy takes the stream for dead.
const SIGN_EVERY: Duration = Duration::from_secs(15);
/// How long a stream goes on: then the browser comes back, and its session is looked at again.
const STREAM_MAX: Duration = Duration::from_secs(15 * 60);
/// Events that may wait for a browser that reads slowly.
const WAITING_MAX: usize = 16;

/// `GET /live`.
pub async fn watch(visit: Visit, Extension(stop): Extension<Stop>, headers: HeaderMap) -> Result<Response, Failure> {
    let after = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse::<i64>().ok());
    let watcher = visit.app.office.watch(visit.actor, after.filter(|place| *place >= 0)).await?;
    let (send, events) = mpsc::channel(WAITING_MAX);
    tokio::spawn(pass_on(watcher, send, stop));
    let kinds = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((kinds, Body::new(Events(events))).into_response())
}

/// Passes on what happens, until the browser goes, the desk stops, or the stream's time is over.
async fn pass_on(mut watcher: Watcher, send: mpsc::Sender<Bytes>, mut stop: Stop) {
    let mut signs = tokio::time::interval(SIGN_EVERY);
    let begins = format!("retry: 2000\nid: {}\n\n", watcher.place());
    if send.send(begins.into()).await.is_err() {
        return;
    }
    let end = tokio::time::Instant::now() + STREAM_MAX;
    loop {
        let text = tokio::select! {
            () = stop.told() => return,
            () = tokio::time::sleep_until(end) => return,
            () = send.closed() => return,
            _ = signs.tick() => ":\n\n".to_owned(),
            happened = watcher.next() => match happened {
                Ok(happened) => written(&happened),
                Err(error) => return tracing::warn!(%error, "a page's stream of events ends: the feed cannot be read"),
            },
        };
        if !text.is_empty() && send.send(text.into()).await.is_err() {
            return;
        }
    }
}

fn written(happened: &Told) -> String {
    match happened {
        Told::Reset(place) => format!("id: {place}\nevent: reset\ndata: {{}}\n\n"),
        Told::Changes(changes) => {
            let change = |(place, ticket, version): &(Option<i64>, _, i64)| {
                let id = place.map(|place| format!("id: {place}\n")).unwrap_or_default();
                format!("{id}event: ticket\ndata: {{\"ticket\":\"{ticket}\",\"version\":{version}}}\n\n")
            };
            changes.iter().map(change).collect()
        }
    }
}

/// Events as a body.
struct Events(mpsc::Receiver<Bytes>);

impl HttpBody for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
