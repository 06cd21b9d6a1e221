//! `Idempotency-Key`: a request that is sent again is done once.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::super::problem::{Kind, Problem};
use crate::app::tickets::submit::digest;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key, in bytes.
const KEY_BYTES_MAX: usize = 255;

/// The key of a request, with the digest of what it stands for: the same key for another request is refused.
///
/// # Errors
///
/// 400 where it is empty, too long or no plain text, or there are two.
pub fn key(headers: &HeaderMap, route: &str, body: &impl Serialize) -> Result<Option<(String, String)>, Problem> {
    let mut keys = headers.get_all(KEY).iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX);
    let Some(key) = key.filter(|_| keys.next().is_none()) else {
        return Err(Problem::new(
            Kind::BAD_HEADER,
            "`Idempotency-Key` has 1 to 255 plain characters, and is sent once",
        ));
    };
    // The value, not the bytes: the same request may be spelt another way.
    let mut request = serde_json::to_vec(body).unwrap_or_default();
    request.extend(route.as_bytes());
    Ok(Some((key.to_owned(), digest(&request))))
}

/// Refuses a key on routes that honour none, so that no client believes itself safe. Trying something or looking for something has
/// no effect, so that it may be sent again anyway.
pub async fn refuse(request: Request, next: Next) -> Response {
    let writes = !request.method().is_safe() && request.method() != Method::OPTIONS;
    let has_effect = |path: &str| !path.ends_with("/dry-run") && !path.ends_with("/.search");
    if writes && request.headers().contains_key(KEY) && has_effect(request.uri().path()) {
        let detail = "this route honours no `Idempotency-Key`: send it without one, and look before you send it again";
        return Problem::new(Kind::BAD_HEADER, detail).into_response();
    }
    next.run(request).await
}
