//! What operators see of requests: an id for each, log lines, counts, and the trace of those that are followed.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use super::problem::Problem;
use super::spans::{self, Seen};
use crate::app::App;
use crate::app::clock::{self, Moment};
use crate::app::observe::left_out;
use crate::app::observe::request_trace::{self, Trail};
use crate::telemetry::MaybeTraces;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How many damaged rows are missing from the lists of an answer; not there for none.
const ROWS_LEFT_OUT: HeaderName = HeaderName::from_static("ruledesk-rows-left-out");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

#[derive(Debug, Clone)]
struct RequestId(HeaderValue);

/// Gives each request an id, the client's own if it sent a short plain one.
pub async fn identify(mut request: Request, next: Next) -> Response {
    let is_plain = |id: &&HeaderValue| (1..=64).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic);
    let given = request.headers().get(REQUEST_ID).filter(is_plain).cloned();
    let id = given.unwrap_or_else(|| {
        let id = crate::app::Clock::System.new_id().to_string();
        HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("none"))
    });
    request.extensions_mut().insert(RequestId(id.clone()));
    // Pages show it, so that people can name it.
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// Who counts requests, and where their traces go.
#[derive(Clone)]
pub struct Watch {
    pub app: Arc<App>,
    pub traces: MaybeTraces,
}

/// Counts a request, logs what went wrong, and hands over its trace where it is followed. Every log line that is written on
/// the way is within the request's span, which has its id.
pub async fn observe(State(watch): State<Watch>, request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().and_then(|id| id.0.to_str().ok()).unwrap_or_default().to_owned();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let (method, path) = (method(request.method()), request.uri().path().to_owned());
    let context = watch.traces.as_ref().map(|traces| {
        let header = request.headers().get(TRACE_PARENT).and_then(|header| header.to_str().ok());
        traces.context(header)
    });
    let context = context.filter(|context| context.sampled);
    let begun = Moment::now();
    let span = tracing::error_span!("request", request_id = id);
    let run = left_out(next.run(request)).instrument(span.clone());
    let ((mut response, missing), trail) = match context {
        Some(_) => request_trace::follow(run).await,
        None => (run.await, Trail::default()),
    };
    if missing > 0 {
        response.headers_mut().insert(ROWS_LEFT_OUT, HeaderValue::from(missing));
    }
    let ended = clock::instant();
    let seen = Seen { method, template: matched.as_ref().map(MatchedPath::as_str), path: &path, id: &id };
    span.in_scope(|| log(&seen, &response));
    count(&watch.app, &seen, &response, begun.at, ended);
    if let (Some(traces), Some(context)) = (&watch.traces, context) {
        traces.give(spans::trace(context, &seen, response.status(), (begun, ended), &trail));
    }
    response
}

/// Logs what went wrong, once, with what only an operator may see.
fn log(seen: &Seen<'_>, response: &Response) {
    let status = response.status().as_u16();
    if response.status().is_server_error() {
        let internal = response.extensions().get::<Problem>().and_then(Problem::internal).unwrap_or_default();
        tracing::error!(method = seen.method, path = seen.path, status, internal, "request failed");
    } else {
        tracing::debug!(method = seen.method, path = seen.path, status, "request");
    }
}

fn count(app: &App, seen: &Seen<'_>, response: &Response, begun: Instant, ended: Instant) {
    let took = ended.saturating_duration_since(begun);
    app.metrics.count_request(seen.method, seen.template.unwrap_or("none"), response.status().as_u16(), took);
}

/// The method's name; clients may make up methods, and what they make up is none.
fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    KNOWN.into_iter().find(|known| method == known).unwrap_or("_OTHER")
}
