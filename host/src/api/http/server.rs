//! The connections of clients: how many there are, how long each may take, and which one makes room for another.
//!
//! A connection either waits for a request or has one in progress. Where all places are taken, one that waits leaves: first the
//! one that has waited longest for its first request, then the one that has waited longest since an answer. So a client that opens
//! many and sends nothing pushes out its own, a proxy keeps its connections, and a new client always gets in. A connection with a
//! request in progress is never pushed out; it ends by the time limits of requests and of writing.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;

use super::body::held::holding;
use super::fair::rates::Peer;
use crate::app::jobs::stop::Stop;

/// How long a client may take for the head of a request, the wait for it included: an idle connection ends with it.
const HEAD_MAX: Duration = Duration::from_secs(30);
/// How long a client may read nothing of an answer.
const WRITE_MAX: Duration = Duration::from_secs(20);
/// The most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// The wait after the system had no descriptor for a new connection.
const WANT_PAUSE: Duration = Duration::from_millis(50);

/// The most that a server bears of its clients.
#[derive(Debug, Clone, Copy)]
pub struct Clients {
    /// How many connections they may have at once.
    pub connections: usize,
    /// How long one may read nothing of an answer.
    pub unread: Duration,
}

impl From<usize> for Clients {
    /// So many connections, and the usual time.
    fn from(connections: usize) -> Clients {
        Clients { connections, unread: WRITE_MAX }
    }
}

/// The places for connections.
struct Places {
    most: usize,
    state: Mutex<State>,
    /// A connection has ended, or begun to wait.
    changed: Notify,
}

#[derive(Default)]
struct State {
    open: usize,
    /// Counts up with each connection that begins to wait.
    turn: u64,
    /// Those that wait for a request, in the order in which they leave, each with the word to leave.
    waiting: BTreeMap<Turn, Arc<Notify>>,
}

/// A place in the order in which connections leave: those that have never sent a request first, then by how long they wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    has_asked: bool,
    number: u64,
}

/// One connection's place, from its beginning to its end.
struct Place {
    places: Arc<Places>,
    leave: Arc<Notify>,
    /// Its turn among those that wait; `None` while a request is in progress.
    turn: Mutex<Option<Turn>>,
}

/// A request in progress, until its answer is written or given up.
struct InProgress(Arc<Place>);

/// Serves clients until it is asked to stop; then it takes no more, and ends with the last request in progress.
pub async fn serve(listener: TcpListener, router: Router, clients: impl Into<Clients>, mut stop: Stop) {
    let Clients { connections: most, unread } = clients.into();
    let places = Arc::new(Places { most, state: Mutex::default(), changed: Notify::new() });
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.told() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) => {
                let place = tokio::select! {
                    () = stop.told() => break,
                    place = places.take() => place,
                };
                let stream = writing_within(stream, unread);
                connections.spawn(attend((stream, Peer(from.ip())), router.clone(), place, stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a client's connection could not be taken: tried again soon");
                pause().await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

#[expect(
    clippy::disallowed_methods,
    reason = "the system has no descriptor now, and says nothing when it has one again"
)]
async fn pause() {
    tokio::time::sleep(WANT_PAUSE).await;
}

/// A client's stream, on which a write that takes this long is an error.
fn writing_within(stream: TcpStream, unread: Duration) -> TimeoutStream<TcpStream> {
    // Without it, an answer may wait 40 ms for the client's acknowledgement; where it cannot be set, it may.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(unread));
    stream
}

/// Answers the requests of one connection, until either side ends it.
async fn attend((stream, peer): (TimeoutStream<TcpStream>, Peer), router: Router, place: Arc<Place>, mut stop: Stop) {
    let stopping = stop.clone();
    let answer = service_fn(|mut request: hyper::Request<Incoming>| {
        let in_progress = place.begin();
        let router = router.clone();
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(stopping.clone());
        async move { Ok::<_, std::convert::Infallible>(answer(router, request.map(Body::new), in_progress).await) }
    });
    // A client that closes its sending side has hung up: half a close looks as a whole one, and to serve those who are gone
    // would keep their places, streams that never end among them.
    let mut http = http1::Builder::new();
    http.half_close(false).timer(TokioTimer::new()).header_read_timeout(HEAD_MAX).max_buf_size(HEAD_BYTES_MAX);
    let mut connection = pin!(http.serve_connection(TokioIo::new(Box::pin(stream)), answer));
    loop {
        tokio::select! {
            // A client that breaks off, or breaks the protocol, is no matter for the log of the desk.
            _ = connection.as_mut() => return,
            // A request that has just come stays.
            () = place.leave.notified() => if place.is_waiting() { return },
            () = stop.told() => break,
        }
    }
    if place.is_waiting() {
        return;
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

async fn answer(router: Router, request: Request, in_progress: InProgress) -> Response {
    use tower::ServiceExt as _;
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    response.map(|body| holding(body, in_progress))
}

impl Places {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a new connection, which may be that of one that waits for a request.
    async fn take(self: &Arc<Self>) -> Arc<Place> {
        loop {
            let changed = self.changed.notified();
            if let Some(place) = self.try_take() {
                return place;
            }
            changed.await;
        }
    }

    fn try_take(self: &Arc<Self>) -> Option<Arc<Place>> {
        let mut state = self.state();
        if state.open >= self.most {
            let (_, first) = state.waiting.pop_first()?;
            first.notify_one();
            // Its place is free when it has left.
            return None;
        }
        state.open += 1;
        let leave = Arc::new(Notify::new());
        let turn = state.wait(false, Arc::clone(&leave));
        Some(Arc::new(Place { places: Arc::clone(self), leave, turn: Mutex::new(Some(turn)) }))
    }
}

impl State {
    /// Puts a connection at the end of those that wait.
    fn wait(&mut self, has_asked: bool, leave: Arc<Notify>) -> Turn {
        self.turn += 1;
        let turn = Turn { has_asked, number: self.turn };
        self.waiting.insert(turn, leave);
        turn
    }
}

impl Place {
    fn turn(&self) -> MutexGuard<'_, Option<Turn>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_waiting(&self) -> bool {
        self.turn().is_some()
    }

    /// A request has come.
    fn begin(self: &Arc<Self>) -> InProgress {
        if let Some(turn) = self.turn().take() {
            self.places.state().waiting.remove(&turn);
        }
        InProgress(Arc::clone(self))
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let turn = self.0.places.state().wait(true, Arc::clone(&self.0.leave));
        *self.0.turn() = Some(turn);
        self.0.places.changed.notify_one();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let turn = self.turn().take();
        let mut state = self.places.state();
        if let Some(turn) = turn {
            state.waiting.remove(&turn);
        }
        state.open -= 1;
        drop(state);
        self.places.changed.notify_one();
    }
}
