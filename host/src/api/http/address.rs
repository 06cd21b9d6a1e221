//! A request's address: our own answers where it is not what was expected, before any handler has it.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::rejection::{QueryRejection, RawPathParamsRejection};
use axum::extract::{FromRequestParts, MatchedPath, Query as AnyQuery, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::{Kind, Problem};
use crate::desk::text::{quoted, with_quoted};

/// The query of an address as a value.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = AnyQuery::try_from_uri(&parts.uri);
        read.map(|AnyQuery(value)| Self(value)).map_err(|e| Problem::bad_query(why(&e)))
    }
}

/// The fault of a query without the words of the program that read it.
fn why(fault: &QueryRejection) -> String {
    let said = fault.body_text();
    with_quoted(said.strip_prefix("Failed to deserialize query string: ").unwrap_or(&said))
}

/// The most bytes of a query.
const QUERY_BYTES_MAX: usize = 8 << 10;

/// Refuses an address that is too long, or one with a text that could be stored nowhere: no UTF-8, or with a zero character, which PostgreSQL has in
/// none. It stands before every handler, so that none has to look.
pub async fn check(path: Result<RawPathParams, RawPathParamsRejection>, request: Request, next: Next) -> Response {
    if let Err(RawPathParamsRejection::InvalidUtf8InPathParam(found)) = &path {
        return Problem::new(Kind::BAD_PATH, found.body_text()).into_response();
    }
    let zero = path.iter().flatten().find(|(_, text)| text.contains('\0'));
    if let Some((name, _)) = zero {
        return Problem::zero_character(Kind::BAD_PATH, name).into_response();
    }
    if request.uri().query().is_some_and(|query| query.len() > QUERY_BYTES_MAX) {
        return Problem::new(Kind::TOO_LONG, format!("a query has at most {QUERY_BYTES_MAX} bytes")).into_response();
    }
    if request.uri().query().is_some_and(|query| !is_utf8(query)) {
        return Problem::bad_query("a query is UTF-8, as is what it escapes by %").into_response();
    }
    let query = AnyQuery::<Vec<(String, String)>>::try_from_uri(request.uri());
    let query = query.map(|AnyQuery(pairs)| pairs).unwrap_or_default();
    match query.iter().find(|(name, text)| name.contains('\0') || text.contains('\0')) {
        Some((name, _)) => Problem::zero_character(Kind::BAD_QUERY, name).into_response(),
        None => next.run(request).await,
    }
}

/// The operations of a document that take nothing by a query, as `GET /api/v1/drafts`.
pub fn without_query(document: &Value) -> BTreeSet<String> {
    let is_of_query = |parameter: &Value| parameter.get("in").is_some_and(|place| place == "query");
    operations(document, |path, parameters| path.starts_with("/api/") && !parameters.iter().any(is_of_query))
}

/// The operations of a document of which this holds, by their path and their parameters.
pub fn operations(document: &Value, holds: impl Fn(&str, &[Value]) -> bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, methods) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let parameters =
                operation.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            if holds(path, parameters) {
                found.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    found
}

/// Refuses a query where an operation takes none, as an unknown key of a body is refused. Those that take some parameters refuse the
/// others when they are read.
pub async fn takes(State(without): State<Arc<BTreeSet<String>>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let method = if request.method() == Method::HEAD { "GET" } else { request.method().as_str() };
    if request.uri().query().is_none() || !without.contains(&format!("{method} {path}")) {
        return next.run(request).await;
    }
    let query = AnyQuery::<Vec<(String, String)>>::try_from_uri(request.uri());
    match query.map(|AnyQuery(pairs)| pairs).unwrap_or_default().first() {
        Some((name, _)) => {
            let detail = format!("unknown parameter {}: there are none here", quoted(name));
            Problem::bad_query(detail).into_response()
        }
        None => next.run(request).await,
    }
}

/// Whether a query is UTF-8 once what it escapes is read. Read leniently, it would be about another text than the one that was sent.
fn is_utf8(query: &str) -> bool {
    let digit =
        |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|n| u8::try_from(n).ok());
    let (mut bytes, mut rest) = (Vec::with_capacity(query.len()), query.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let escaped = match (first, digit(after.first()), digit(after.get(1))) {
            (b'%', Some(high), Some(low)) => Some((high << 4) | low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    std::str::from_utf8(&bytes).is_ok()
}

/// Refuses a request that says twice where it goes, who asks, or what comes with it: one of the two would count here, and the other
/// for a proxy. One of HTTP/1.1 says at least whom it asks (RFC 9112, section 3.2).
pub async fn unambiguous(request: Request, next: Next) -> Response {
    if request.version() == Version::HTTP_11 && !request.headers().contains_key(header::HOST) {
        return Problem::new(Kind::BAD_HEADER, "`host` is missing, which each request of HTTP/1.1 has").into_response();
    }
    let twice = [header::HOST, header::AUTHORIZATION, header::CONTENT_TYPE]
        .into_iter()
        .find(|name| request.headers().get_all(name).iter().nth(1).is_some());
    match twice {
        Some(name) => Problem::new(Kind::BAD_HEADER, format!("`{name}` is sent once")).into_response(),
        None => next.run(request).await,
    }
}

/// Answers only requests that name this machine itself.
pub async fn loopback_only(request: Request, next: Next) -> Response {
    // An address that names a host stands above the header (RFC 9112, section 3.2.2).
    let of_address = request.uri().authority().map(|authority| authority.as_str());
    let host = of_address.or_else(|| request.headers().get(header::HOST).and_then(|host| host.to_str().ok()));
    if host.is_some_and(is_loopback) {
        return next.run(request).await;
    }
    let detail = "this desk has tokens that everybody knows: it answers only to localhost, 127.0.0.1 and [::1]";
    Problem::new(Kind::MISDIRECTED, detail).into_response()
}

/// Whether a host, with or without a port, is a name or an address of this machine for itself (RFC 6761, section 6.3).
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_address = name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
    is_address || name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_without_parameters_of_a_query_are_found() {
        let parameter = |place: &str| serde_json::json!([{ "name": "a", "in": place }]);
        let document = serde_json::json!({ "paths": {
            "/api/v1/a": { "get": { "parameters": parameter("query") }, "post": {} },
            "/api/v1/b/{a}": { "delete": { "parameters": parameter("path") } },
            "/metrics": { "get": {} },
        } });
        let found: Vec<String> = without_query(&document).into_iter().collect();
        assert_eq!(found, ["DELETE /api/v1/b/{a}", "POST /api/v1/a"]);
    }

    #[test]
    fn a_query_is_utf_8_as_it_is_meant() {
        for good in ["", "a=b&c", "team=Z%C3%BCrich", "team=Z%c3%bcrich+s", "100%", "%zz=%z", "%", "%4"] {
            assert!(is_utf8(good), "{good}");
        }
        for bad in ["%ff", "team=caf%e9", "a=%C3&b=%BC", "%ed%a0%80", "%c0%80"] {
            assert!(!is_utf8(bad), "{bad}");
        }
    }

    #[test]
    fn a_machine_is_itself_by_few_names() {
        for own in
            ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:80", "desk.localhost", "127.0.0.7", "localhost."]
        {
            assert!(is_loopback(own), "{own}");
        }
        for other in [
            "example.org",
            "localhost.example.org:80",
            "10.0.0.1",
            "127.0.0.1.example.org",
            "",
            "[::2]",
            "notlocalhost",
        ] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
