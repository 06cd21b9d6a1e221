//! An answer's body that keeps something until it is sent or given up: a place, or a turn.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Frame, SizeHint};

/// A body with what it keeps.
pub struct Held<T> {
    body: UnsyncBoxBody<Bytes, axum::Error>,
    _kept: T,
}

/// The body, which keeps this until it is dropped.
pub fn holding<T: Send + Unpin + 'static>(body: Body, kept: T) -> Body {
    Body::new(Held { body: body.boxed_unsync(), _kept: kept })
}

impl<T: Unpin> HttpBody for Held<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
