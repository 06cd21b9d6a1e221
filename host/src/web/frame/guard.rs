//! The layers around every page: the headers that browsers go by, requests of other sites refused, and errors as pages.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::failure::{self, Failure};
use super::packed::{Reads, packed};
use super::{Frame, Viewer, header_text};
use crate::app::App;
use crate::app::tokens::passwords::ClientAddress;

/// One policy for all pages: scripts, styles and requests of this desk alone, nothing inline, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types ruledesk";

/// All headers that each page has. `no-referrer` would make the origin of our own forms `null`.
const HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
];

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The reader of a page, once it has found out who that is: the page that says why it failed does not ask again, which would cost the
/// reader another page of the minute.
#[derive(Debug, Clone, Default)]
pub struct Reader(Arc<OnceLock<(Option<Viewer>, bool)>>);

impl Reader {
    /// Keeps for whom a page is, and whether letters alone are keys for them.
    pub fn is(&self, frame: &Frame) {
        // A request has one reader: a second word about them is the same.
        let _ = self.0.set((frame.viewer.clone(), frame.single_keys));
    }

    /// For whom the page is, where that is known.
    pub fn known(&self) -> Option<&(Option<Viewer>, bool)> {
        self.0.get()
    }
}

/// Whether a script of a page asks, which takes no whole page for what it wanted (Fetch Metadata).
fn is_by_script(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_some_and(|wanted| wanted == "empty")
}

/// Whether a request comes from a page of this desk, or was typed in by the reader (Fetch Metadata; else RFC 6454).
fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(&SITE) {
        return matches!(site, "same-origin" | "none");
    }
    let origin = text(&header::ORIGIN).and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == text(&header::HOST)
}

/// Refuses what another site would have the reader's browser do, makes errors pages, and tells browsers what a page may.
pub async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let reader = Reader::default();
    request.extensions_mut().insert(reader.clone());
    let asked = request.headers().clone();
    let from = request.extensions().get::<ClientAddress>().cloned().unwrap_or_default();
    let id = header_text(request.headers(), "x-request-id").to_owned();
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // The page of a failure leads back to where it stands; an address that takes forms alone has no page there.
    let path = if safe { request.uri().path().to_owned() } else { "/".to_owned() };
    let reads = Reads::of(request.method(), request.headers());
    let own = safe || is_own(request.headers());
    let response = if own { run(next, request).await } else { Failure::Elsewhere.into_response() };
    let status = response.status();
    let failed = match response.extensions().get::<failure::Shown>() {
        Some(shown) => Some(shown.0.clone()),
        // What was refused before it came to a handler.
        None => is_problem(&response).then_some(Failure::Status(status)),
    };
    let mut response = match failed {
        Some(failure) if is_by_script(&asked) => {
            failure::problem(&Frame::new(&app, &asked, &path, None), &failure, &id)
        }
        Some(failure) => {
            // A desk that has too much to do, or cannot read, is not asked once more.
            let may_ask = !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS;
            let frame = Box::pin(Frame::of_failure(&app, (&asked, &path), &reader, may_ask.then_some(&from))).await;
            failure::page(frame, &failure, &id)
        }
        None => response,
    };
    let headers = response.headers_mut();
    let own_policy = headers.get(header::CONTENT_SECURITY_POLICY).cloned();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    // What is no page of the desk has a policy of its own, which lets it do less.
    if let Some(policy) = own_policy {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    // A page is its reader's; styles and scripts are the same for all, and are not fetched again by one who signs in.
    if !is_for_all(headers) {
        headers.append(header::VARY, HeaderValue::from_static("cookie, accept-language"));
    }
    packed(reads, response).await
}

/// Whether the answer is the same for all who ask.
fn is_for_all(headers: &HeaderMap) -> bool {
    header_text(headers, header::CACHE_CONTROL).starts_with("public")
}

/// The answer; a build for development says with it how many statements it took.
#[cfg(debug_assertions)]
async fn run(next: Next, request: Request) -> Response {
    let (mut response, statements) = crate::app::observe::counted(next.run(request)).await;
    if let Ok(said) = HeaderValue::from_str(&format!("sql;desc={statements}")) {
        response.headers_mut().insert(HeaderName::from_static("server-timing"), said);
    }
    response
}

#[cfg(not(debug_assertions))]
async fn run(next: Next, request: Request) -> Response {
    next.run(request).await
}

/// Whether an answer is an error without a page. One to a method that an address does not take never has a page.
fn is_problem(response: &Response) -> bool {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let has_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/"));
    (is_error && !has_page) || status == StatusCode::METHOD_NOT_ALLOWED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_told_from_a_browser_that_shows_a_page() {
        let by = |wanted: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("sec-fetch-dest", wanted.parse().unwrap());
            is_by_script(&headers)
        };
        assert!(by("empty"));
        assert!(!by("document") && !by("iframe") && !by("image") && !is_by_script(&HeaderMap::new()));
    }

    #[test]
    fn only_this_desk_s_own_pages_may_send_forms() {
        let with = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            is_own(&headers)
        };
        assert!(with(&[("sec-fetch-site", "same-origin")]) && with(&[("sec-fetch-site", "none")]));
        for site in ["cross-site", "same-site", ""] {
            assert!(
                !with(&[("sec-fetch-site", site), ("origin", "http://desk.test"), ("host", "desk.test")]),
                "{site}"
            );
        }
        assert!(with(&[("origin", "https://desk.test"), ("host", "desk.test")]));
        assert!(!with(&[("origin", "https://evil.test"), ("host", "desk.test")]));
        assert!(!with(&[("origin", "null"), ("host", "desk.test")]) && !with(&[("host", "desk.test")]));
    }
}
