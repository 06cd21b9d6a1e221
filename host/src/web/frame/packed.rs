//! Pages on their way out: not sent again where the browser has them (RFC 9110, 13.1.2), and compressed where it can read that.

use std::io::Write as _;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use super::header_text;

/// Bodies below this are sent as they are, in bytes.
const LEAST: usize = 1_024;
/// The most that a page may have, in bytes; none has nearly as much.
const MOST: usize = 16 << 20;
/// Between speed and size.
const LEVEL: u32 = 5;

/// The answers that a request can take.
#[derive(Debug, Clone)]
pub struct Reads {
    get: bool,
    known: Option<String>,
    gzip: bool,
}

impl Reads {
    /// Reads it from a request.
    pub fn of(method: &Method, headers: &HeaderMap) -> Reads {
        let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).map(str::to_owned);
        let gzip = header_text(headers, header::ACCEPT_ENCODING).split(',').any(|part| {
            let (coding, weight) = part.split_once(';').unwrap_or((part, ""));
            let weight = weight.replace(' ', "");
            coding.trim().eq_ignore_ascii_case("gzip")
                && !matches!(weight.as_str(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
        });
        Reads { get: method == Method::GET, known, gzip }
    }
}

/// Whether all of an answer is there at once, and may be kept by the browser that asked.
fn is_text(response: &Response) -> bool {
    let kind = header_text(response.headers(), header::CONTENT_TYPE);
    let kept = response.headers().get(header::CACHE_CONTROL).is_none_or(|value| value != "no-store");
    let texts = ["text/html", "text/css", "text/javascript", "text/csv", "image/svg+xml", "application/json"];
    kept && texts.iter().any(|text| kind.starts_with(text))
}

/// The answer as it is sent. A page that shows a secret is neither kept nor compressed.
pub async fn packed(reads: Reads, response: Response) -> Response {
    if response.status() != StatusCode::OK || !is_text(&response) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MOST).await else {
        tracing::error!("a page has more than {MOST} bytes");
        head.status = StatusCode::INTERNAL_SERVER_ERROR;
        return Response::from_parts(head, Body::empty());
    };
    head.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    let tag: String = Sha256::digest(&bytes).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    // The same page compressed or not: a weak tag.
    let tag = format!("W/\"{tag}\"");
    if let (true, Ok(value)) = (reads.get, HeaderValue::from_str(&tag)) {
        head.headers.insert(header::ETAG, value);
        let is_known = |known: &str| known.split(',').any(|one| one.trim() == tag);
        if reads.known.as_deref().is_some_and(is_known) {
            head.status = StatusCode::NOT_MODIFIED;
            head.headers.remove(header::CONTENT_LENGTH);
            return Response::from_parts(head, Body::empty());
        }
    }
    if !reads.gzip || bytes.len() < LEAST {
        return Response::from_parts(head, Body::from(bytes));
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::new(LEVEL));
    match encoder.write_all(&bytes).and_then(|()| encoder.finish()) {
        Ok(small) => {
            head.headers.remove(header::CONTENT_LENGTH);
            head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Response::from_parts(head, Body::from(small))
        }
        Err(_) => Response::from_parts(head, Body::from(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(encoding: &str) -> Reads {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, encoding.parse().unwrap());
        Reads::of(&Method::GET, &headers)
    }

    #[test]
    fn only_what_a_browser_can_read_is_compressed() {
        for (encoding, can) in
            [("gzip, br", true), ("br;q=1, gzip;q=0.5", true), ("br", false), ("gzip;q=0", false), ("", false)]
        {
            assert_eq!(reads(encoding).gzip, can, "{encoding}");
        }
    }

    #[tokio::test]
    async fn a_page_that_shows_a_secret_is_neither_kept_nor_compressed() {
        let page = |cache: &'static str| {
            Response::builder()
                .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
                .header(header::CACHE_CONTROL, cache)
                .body(Body::from("a page ".repeat(1_000)))
                .unwrap()
        };
        let usual = packed(reads("gzip"), page("private, no-cache")).await;
        assert_eq!(usual.headers()[header::CONTENT_ENCODING], "gzip");
        let tag = usual.headers()[header::ETAG].to_str().unwrap().to_owned();
        assert!(to_bytes(usual.into_body(), MOST).await.unwrap().len() < 200);
        let again =
            packed(Reads { known: Some(format!("\"x\", {tag}")), ..reads("gzip") }, page("private, no-cache")).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let secret = packed(reads("gzip"), page("no-store")).await;
        assert!(
            !secret.headers().contains_key(header::CONTENT_ENCODING) && !secret.headers().contains_key(header::ETAG)
        );
    }
}
