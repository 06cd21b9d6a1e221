//! Who is asking: the bearer token of a request (RFC 6750).

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::body::held::holding;
use super::fair::rates::Rates;
use super::fair::{Fair, Turn};
use super::problem::{Kind, Problem};
use crate::app::tokens::passwords::ClientAddress;
use crate::app::{App, Error};
use crate::desk::actor::Actor;
use crate::desk::refusal::Refusal;

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
    pub rates: Rates,
    pub opens_for: OpensFor,
}

/// Those for whom a door opens.
#[derive(Debug, Clone, Copy)]
pub enum OpensFor {
    /// All: the route's handler decides.
    All,
    /// Those who have this permission, which every request of the route needs.
    Only(fn(&Actor) -> Result<(), Refusal>),
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        match parts.extensions.get::<Known>() {
            Some(Known(caller)) => caller.clone(),
            None => identify(app, &parts.headers, None).await,
        }
    }
}

/// Looks whose token it is. Tokens that were never seen are looked for in the database, so that an address has only so many.
async fn identify(app: &App, headers: &HeaderMap, brake: Option<(&Rates, &str)>) -> Result<Caller, Problem> {
    let Some(token) = bearer(headers) else {
        return Err(Problem::new(Kind::UNAUTHENTICATED, "send `Authorization: Bearer TOKEN`"));
    };
    let is_new = !app.has_seen(token);
    let now = app.clock.elapsed();
    if let Some((rates, from)) = brake.filter(|_| is_new) {
        let detail = "too many unknown tokens came from this address";
        rates.may_ask(from, now).map_err(|wait| Problem::wait(detail, wait))?;
    }
    match app.actor(token).await {
        Ok(Some(actor)) => Ok(Caller(actor)),
        Ok(None) => {
            if let Some((rates, from)) = brake.filter(|_| is_new) {
                rates.unknown_token(from, now);
            }
            Err(Problem::new(Kind::UNAUTHENTICATED, "this token is unknown or was revoked"))
        }
        Err(error) => Err(error.into()),
    }
}

/// The token that a request has.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Looks who is asking before any byte of a body is read: one who may not ask for the route at all costs the desk no memory,
/// and one who asks for too much is refused.
pub async fn enter(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    match door.let_in(request.headers(), request.extensions()).await {
        Err(problem) => problem.into_response(),
        Ok((caller, turn)) => {
            let left = door.left(&caller);
            request.extensions_mut().insert(Known(caller));
            // A client that does not read its answers has them in progress.
            let mut answer = next.run(request).await.map(|body| holding(body, turn));
            answer.headers_mut().extend(left);
            answer
        }
    }
}

/// Lets requests for pages through, as many as may come from one address; who is asking is their own question.
pub async fn pass(State((app, rates)): State<(Arc<App>, Rates)>, mut request: Request, next: Next) -> Response {
    let from = rates.client(request.extensions(), request.headers());
    if !from.is_empty()
        && let Err(wait) = rates.address(&from, app.clock.elapsed())
    {
        return Problem::wait("too many requests came from this address", wait).into_response();
    }
    request.extensions_mut().insert(ClientAddress(from));
    next.run(request).await
}

impl Door {
    /// The requests that are left of those that a person may send, as fields of the answer.
    fn left(&self, caller: &Result<Caller, Problem>) -> HeaderMap {
        let person = caller.as_ref().ok().and_then(|Caller(actor)| actor.person());
        person.map(|person| self.rates.left(person.as_str(), self.app.clock.elapsed())).unwrap_or_default()
    }

    /// Who comes in, if they are known, with a place among the requests in progress.
    async fn let_in(
        &self,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Result<(Result<Caller, Problem>, Option<Turn>), Problem> {
        let from = self.rates.client(extensions, headers);
        let now = self.app.clock.elapsed();
        if !from.is_empty() {
            let detail = "too many requests came from this address";
            self.rates.address(&from, now).map_err(|wait| Problem::wait(detail, wait))?;
        }
        let brake = (!from.is_empty()).then_some((&self.rates, from.as_str()));
        let caller = identify(&self.app, headers, brake).await;
        match (&caller, self.opens_for) {
            // Some of these routes are for strangers, too: the handler asks.
            (_, OpensFor::All) => {}
            (Err(problem), OpensFor::Only(_)) => return Err(problem.clone()),
            (Ok(Caller(actor)), OpensFor::Only(may)) => {
                may(actor).map_err(|refusal| Problem::from(Error::from(refusal)))?;
            }
        }
        let Ok(Caller(actor)) = &caller else { return Ok((caller, None)) };
        if let Some(person) = actor.person() {
            let detail = "you have sent too many requests in the last minute";
            self.rates.person(person.as_str(), now).map_err(|wait| Problem::wait(detail, wait))?;
        }
        let detail = "too many of your requests are in progress: wait for answers before you send more";
        let turn = self.fair.begin(actor).ok_or_else(|| Problem::new(Kind::TOO_MANY, detail))?;
        Ok((caller, Some(turn)))
    }
}
