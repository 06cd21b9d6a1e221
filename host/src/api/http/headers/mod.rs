//! Headers that several routes understand: preconditions, keys of idempotency, and what an answer may be.

use axum::http::HeaderMap;
use axum::http::header::AsHeaderName;

pub(crate) mod accept;
pub(crate) mod condition;
pub(crate) mod key;

/// The text of a header; `None` where there is none, or it is no text.
pub(crate) fn header_text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
