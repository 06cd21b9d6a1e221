//! Who is asking: the bearer token of a request (RFC 6750).

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;

use super::fair::Fair;
use super::problem::{Kind, Problem};
use crate::app::{App, Error};
use crate::desk::actor::Actor;
use crate::desk::permission;

/// How much of a body that is refused is read and thrown away.
const DRAINED_BYTES_MAX: usize = 32 << 20;
/// How long the next piece of such a body is waited for.
const SILENCE_MAX: Duration = Duration::from_millis(500);

/// The person who sent the request.
#[derive(Debug, Clone)]
pub struct Caller(pub Actor);

/// The person at the door, or why none is known: looked up once for a request.
#[derive(Debug, Clone)]
struct Known(Result<Caller, Problem>);

/// The door before a route's body is read.
#[derive(Clone)]
pub struct Door {
    pub app: Arc<App>,
    pub fair: Fair,
    pub opens_for: OpensFor,
}

/// Those for whom a door opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpensFor {
    /// All: the route's handler decides.
    All,
    /// Those who administer the desk.
    Administrators,
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        match parts.extensions.get::<Known>() {
            Some(Known(caller)) => caller.clone(),
            None => identify(app, &parts.headers).await,
        }
    }
}

async fn identify(app: &App, headers: &HeaderMap) -> Result<Caller, Problem> {
    let Some(token) = bearer(headers) else {
        return Err(Problem::new(Kind::UNAUTHENTICATED, "send `Authorization: Bearer TOKEN`"));
    };
    match app.actor(token).await {
        Ok(Some(actor)) => Ok(Caller(actor)),
        Ok(None) => Err(Problem::new(Kind::UNAUTHENTICATED, "this token is unknown or was revoked")),
        Err(error) => Err(error.into()),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Looks who is asking before any byte of a body is read: one who may not ask for the route at all costs the desk no memory,
/// and one with too many requests in progress is refused.
pub async fn enter(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let caller = identify(&door.app, request.headers()).await;
    let refused = match (&caller, door.opens_for) {
        // Some of these routes are for strangers, too: the handler asks.
        (_, OpensFor::All) => None,
        (Err(problem), OpensFor::Administrators) => Some(problem.clone()),
        (Ok(Caller(actor)), OpensFor::Administrators) => {
            permission::administer(actor).err().map(|refusal| Problem::from(Error::from(refusal)))
        }
    };
    if let Some(problem) = refused {
        drain(request.into_body()).await;
        return problem.into_response();
    }
    let turn = caller.as_ref().ok().map(|Caller(actor)| door.fair.begin(actor));
    if matches!(turn, Some(None)) {
        let detail = "too many of your requests are in progress: wait for answers before you send more";
        drain(request.into_body()).await;
        return Problem::new(Kind::TOO_MANY, detail).into_response();
    }
    request.extensions_mut().insert(Known(caller));
    let response = next.run(request).await;
    drop(turn);
    response
}

/// Reads a body that is refused and throws it away, so that a client which sends all before it reads gets to read the answer;
/// one that sends nothing gets it soon.
pub async fn drain(mut body: Body) {
    let mut left = DRAINED_BYTES_MAX;
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(SILENCE_MAX, body.frame()).await {
        left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len()));
        if left == 0 {
            return;
        }
    }
}
