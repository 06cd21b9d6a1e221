//! `/api/v1/events`: which tickets change, as it happens, as server-sent events (HTML Living Standard, 9.2).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::mpsc;

use crate::api::http::auth::Caller;
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::jobs::events::{Told, Watcher};
use crate::app::jobs::stop::Stop;

/// How often something is sent where nothing happens, so that no proxy takes the stream for dead.
const SIGN_EVERY: Duration = Duration::from_secs(15);
/// How long a stream goes on: then the client comes back, and its token is looked at again.
const STREAM_MAX: Duration = Duration::from_secs(15 * 60);
/// Events that may wait for a client that reads slowly.
const WAITING_MAX: usize = 16;
/// How soon a client comes back, in milliseconds.
const RETRY_MS: u32 = 2_000;

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
    let after = headers.get("last-event-id").map(place).transpose()?;
    let watcher = app.office.watch(actor, after).await?;
    let (send, events) = mpsc::channel(WAITING_MAX);
    tokio::spawn(tell(watcher, send, stop));
    let kinds = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((kinds, Body::new(Events(events))).into_response())
}

fn place(value: &HeaderValue) -> Result<i64, Problem> {
    let place = value.to_str().ok().and_then(|text| text.parse().ok()).filter(|place: &i64| *place >= 0);
    place.ok_or_else(|| Problem::new(Kind::BAD_QUERY, "`Last-Event-ID` is the last `id` of this stream"))
}

/// Tells a client what happens, until it goes, the desk stops, or its time is over.
async fn tell(mut watcher: Watcher, send: mpsc::Sender<Bytes>, mut stop: Stop) {
    let mut signs = tokio::time::interval(SIGN_EVERY);
    let begins = format!("retry: {RETRY_MS}\nid: {}\n\n", watcher.place());
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
            told = watcher.next() => match told {
                Ok(told) => written(&told),
                // The client comes back, and gets what it has missed by then.
                Err(error) => return tracing::warn!(%error, "a stream of events ends: the feed cannot be read"),
            },
        };
        if !text.is_empty() && send.send(text.into()).await.is_err() {
            return;
        }
    }
}

fn written(told: &Told) -> String {
    match told {
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
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
