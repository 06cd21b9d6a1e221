//! Who is asking: the bearer token of a request (RFC 6750).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::problem::{Kind, Problem};
use crate::app::App;
use crate::desk::actor::Actor;

/// Whoever sent the request.
pub struct Caller(pub Actor);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        let Some(token) = token else {
            return Err(Problem::new(Kind::UNAUTHENTICATED, "send `Authorization: Bearer TOKEN`"));
        };
        match app.actor(token).await {
            Ok(Some(actor)) => Ok(Caller(actor)),
            Ok(None) => Err(Problem::new(Kind::UNAUTHENTICATED, "this token is unknown or was revoked")),
            Err(error) => Err(error.into()),
        }
    }
}
