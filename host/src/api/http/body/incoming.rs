//! The body of a request while it comes in: how long it may take, and what becomes of the rest where the answer is there first.
//!
//! A client that sends all before it reads gets to read an early answer: what it still sends is read and thrown away. One that
//! keeps the desk waiting hears so (408), which is no failure of the desk.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};

use super::super::problem::{Kind, Problem};
use crate::app::jobs::stop::Stop;

/// How much of a body that nothing waits for is read and thrown away.
const DRAINED_BYTES_MAX: usize = 256 << 20;
/// How long that may take in all.
const DRAIN_MAX: Duration = Duration::from_secs(15);
/// How long the next piece of such a body is waited for.
const SILENCE_MAX: Duration = Duration::from_secs(1);
/// How long a client that is silent in the middle of a request is waited for after the desk was asked to stop.
const LAST_WAIT: Duration = Duration::from_millis(750);
/// How often it is looked whether it is still silent.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How long requests of a route may take, and what is said where one takes longer.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    pub request_timeout: Duration,
    /// Whether the route's writes honour an `Idempotency-Key`.
    pub takes_keys: bool,
}

/// A body that is read in one place and can be taken up in another.
#[derive(Clone)]
struct Shared(Arc<Inner>);

struct Inner {
    body: Mutex<Body>,
    /// It is being read, and the client has sent nothing more.
    waiting: AtomicBool,
    begun: AtomicBool,
}

impl Shared {
    fn new(body: Body) -> Self {
        let (waiting, begun) = (AtomicBool::new(false), AtomicBool::new(false));
        Self(Arc::new(Inner { body: Mutex::new(body), waiting, begun }))
    }

    fn body(&self) -> MutexGuard<'_, Body> {
        self.0.body.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the request waits for its client.
    fn is_waiting(&self) -> bool {
        self.0.waiting.load(Ordering::Acquire)
    }

    fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::Acquire)
    }
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.0.begun.store(true, Ordering::Release);
        let polled = Pin::new(&mut *self.body()).poll_frame(cx);
        self.0.waiting.store(polled.is_pending(), Ordering::Release);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}

/// Answers a request within its time, and reads what is left of its body where the answer came first.
pub async fn attend(State(patience): State<Patience>, request: Request, next: Next) -> Response {
    let stop = request.extensions().get::<Stop>().cloned();
    let waits_for_leave = request.headers().contains_key(header::EXPECT);
    let method = request.method().clone();
    let (parts, body) = request.into_parts();
    let body = Shared::new(body);
    let run = next.run(Request::from_parts(parts, Body::new(body.clone())));
    let answered = tokio::select! {
        answered = tokio::time::timeout(patience.request_timeout, run) => answered,
        () = stopped(stop, &body) => return slow("the desk stops, and this request has not come to its end").into_response(),
    };
    let response = match answered {
        Ok(response) => response,
        Err(_) if body.is_waiting() => {
            let within = patience.request_timeout.as_millis();
            return slow(&format!("the body has to come within {within} ms")).into_response();
        }
        Err(_) => return Problem::new(Kind::TIMED_OUT, late(&method, patience.takes_keys)).into_response(),
    };
    // A client that has asked whether it may send its body sends none where the answer is there already.
    if body.has_begun() || !waits_for_leave {
        drain(&body).await;
    }
    response
}

fn slow(why: &str) -> Problem {
    Problem::new(Kind::SLOW, format!("{why}: nothing of it was done; send it again as a whole"))
}

/// Bytes that were handed over to be written when the time ran out may be written yet.
fn late(method: &Method, takes_keys: bool) -> &'static str {
    match (method.is_safe(), takes_keys) {
        (true, _) => "nothing was changed: ask again later, or for less",
        (false, true) => {
            "it may have been done, or be done yet: look before you send it again, or send it again with the same Idempotency-Key"
        }
        (false, false) => "it may have been done, or be done yet: look before you send it again",
    }
}

/// Ends a while after the desk was asked to stop, where the client is silent in the middle of its request.
async fn stopped(stop: Option<Stop>, body: &Shared) {
    let Some(mut stop) = stop else { return std::future::pending().await };
    stop.told().await;
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let mut silent = Duration::ZERO;
    while silent < LAST_WAIT {
        looks.tick().await;
        silent = if body.is_waiting() { silent + LOOK_EVERY } else { Duration::ZERO };
    }
}

/// Reads what a client still sends and throws it away; one that sends nothing gets its answer soon.
async fn drain(body: &Shared) {
    use http_body_util::BodyExt as _;
    let mut body = body.clone();
    let reading = async {
        let mut left = DRAINED_BYTES_MAX;
        while !body.is_end_stream() && left > 0 {
            let Ok(Some(Ok(frame))) = tokio::time::timeout(SILENCE_MAX, body.frame()).await else { return };
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        }
    };
    // After that time the client may or may not get to read the answer.
    let _ = tokio::time::timeout(DRAIN_MAX, reading).await;
}
