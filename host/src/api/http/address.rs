//! A request's address: our own answers where it is not what was expected, before any handler has it.

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, Query as AnyQuery, RawPathParams, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use super::problem::{Kind, Problem};

/// The query of an address as a value.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = AnyQuery::try_from_uri(&parts.uri);
        read.map(|AnyQuery(value)| Self(value)).map_err(|e| Problem::new(Kind::BAD_QUERY, e.body_text()))
    }
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
    let query = AnyQuery::<Vec<(String, String)>>::try_from_uri(request.uri());
    let query = query.map(|AnyQuery(pairs)| pairs).unwrap_or_default();
    match query.iter().find(|(name, text)| name.contains('\0') || text.contains('\0')) {
        Some((name, _)) => Problem::zero_character(Kind::BAD_QUERY, name).into_response(),
        None => next.run(request).await,
    }
}
