//! Live events as text: the body of an answer that goes on, as server-sent events (HTML Living Standard, 9.2). Programs and
//! pages get the same.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::events::{Told, Watcher};
use super::proofs::{Held, Shown};
use super::stop::Stop;

/// How often something is sent where nothing happens, so that no proxy takes the stream for dead.
const SIGN_EVERY: Duration = Duration::from_secs(15);
/// How long a stream goes on: then the client comes back.
const STREAM_MAX: Duration = Duration::from_secs(15 * 60);
/// Events that may wait for a client that reads slowly.
const WAITING_MAX: usize = 16;
/// How soon a client comes back, in milliseconds.
const RETRY_MS: u32 = 2_000;

/// Events as a body.
#[derive(Debug)]
pub struct EventStream(mpsc::Receiver<Bytes>);

impl EventStream {
    /// Sends a watcher what happens, until the client goes or holds what it has shown no more, the desk stops, or the stream's time
    /// is over.
    pub fn of(watcher: Watcher, shown: Shown, stop: Stop) -> EventStream {
        let (send, events) = mpsc::channel(WAITING_MAX);
        let held = watcher.hold(shown);
        tokio::spawn(pass_on(watcher, held, send, stop));
        EventStream(events)
    }
}

async fn pass_on(mut watcher: Watcher, held: Held, send: mpsc::Sender<Bytes>, mut stop: Stop) {
    let mut signs = tokio::time::interval(SIGN_EVERY);
    signs.set_missed_tick_behavior(MissedTickBehavior::Delay);
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
            () = held.lost() => return,
            happened = watcher.next() => match happened {
                Ok(happened) => written(&happened),
                // The client comes back, and gets what it has missed by then.
                Err(error) => return tracing::warn!(%error, "a stream of events ends: the feed cannot be read"),
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

impl Body for EventStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
