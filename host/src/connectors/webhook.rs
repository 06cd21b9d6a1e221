//! Webhooks by Standard Webhooks 1.0.0: the headers of one attempt. The id stays the same over all attempts, so that a receiver
//! knows what it has had.

use super::http::{HeaderMap, HeaderName, HeaderValue};
use crate::signing::sign;
pub use crate::signing::{NotASecret, Secret};

/// The headers of an attempt at this second of Unix time.
pub fn headers(id: &str, second: i64, body: &str, secrets: &[Secret]) -> HeaderMap {
    let texts = [
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", second.to_string()),
        ("webhook-signature", sign(id, second, body.as_bytes(), secrets)),
    ];
    // Ids are ours, and all else is digits and base64: each is a header's value.
    let headers = texts
        .into_iter()
        .filter_map(|(name, text)| Some((HeaderName::from_static(name), HeaderValue::try_from(text).ok()?)));
    headers.collect()
}
