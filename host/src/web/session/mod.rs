//! Signing in and out, and who is there.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::frame::failure::Failure;
use super::frame::form::Form;
use super::frame::times::When;
use super::frame::words::{LANGUAGE_COOKIE, Language};
use super::frame::{Frame, cookie, local, page};
use crate::app::App;
use crate::app::tokens::sessions::{Session, SignedIn};
use crate::desk::actor::Actor;
use crate::desk::id::PersonId;

/// The cookie of a session. Its beginning makes browsers take it from this host alone, and only with the attributes below.
const COOKIE: &str = "__Host-ruledesk";
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";
/// How long a browser keeps the cookie, in seconds: the desk ends the session by its own clock.
const COOKIE_MAX_AGE: u32 = 7 * 24 * 3600;

/// Someone who is signed in, with the frame of the page that they asked for.
pub struct Visit {
    pub app: Arc<App>,
    pub actor: Actor,
    pub frame: Frame,
    session: Session,
}

impl FromRequestParts<Arc<App>> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let path = parts.uri.path();
        let back =
            if parts.method.is_safe() { parts.uri.path_and_query().map_or(path, |all| all.as_str()) } else { "/" };
        let ask = || Failure::SignIn { next: back.to_owned() };
        let secret = cookie(&parts.headers, COOKIE).ok_or_else(ask)?;
        let (session, actor) = app.session(&secret).await?.ok_or_else(ask)?;
        let frame = Frame::new(app, &parts.headers, path, Some(&actor));
        Ok(Visit { app: Arc::clone(app), actor, frame, session })
    }
}

impl Visit {
    /// The id of the one who is signed in.
    pub fn person(&self) -> &PersonId {
        &self.session.person
    }
}

/// Where to go after signing in.
#[derive(Debug, Default, Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

/// A person whom a demo lets in by one click.
struct DemoPerson {
    id: PersonId,
    name: String,
    title: String,
    roles: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    f: Frame,
    next: String,
    people: Vec<DemoPerson>,
    refused: bool,
}

fn sign_in_page(app: &App, headers: &HeaderMap, next: &str, refused: bool) -> Result<Response, Failure> {
    let f = Frame::new(app, headers, "/sign-in", None);
    let people = app.well_known_people().into_iter().map(|id| {
        let person = f.organisation.people.get(&id);
        DemoPerson {
            name: f.name(&id),
            title: person.map(|person| format!("{}, {}", person.title, person.location)).unwrap_or_default(),
            roles: f.words.t(&format!("demo.{id}")),
            id,
        }
    });
    let people = people.collect();
    let status = if refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page(status, &SignInPage { f, next: local(next).to_owned(), people, refused })
}

/// `GET /sign-in`.
pub async fn sign_in(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Failure> {
    sign_in_page(&app, &headers, &next, false)
}

/// `POST /sign-in`: with a token, or as one of a demo's people.
pub async fn enter(State(app): State<Arc<App>>, headers: HeaderMap, form: Form) -> Result<Response, Failure> {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let person = form.given("person").and_then(|id| id.parse::<PersonId>().ok());
    let begun = match (person, form.given("token")) {
        (Some(person), _) => app.sign_in_as(&person, agent).await?,
        (None, Some(token)) => app.sign_in(token.trim(), agent).await?,
        (None, None) => None,
    };
    let next = form.text("next");
    let Some(SignedIn { secret, actor }) = begun else { return sign_in_page(&app, &headers, &next, true) };
    // A session that was there before ends: its cookie may have been planted.
    end_present(&app, &headers).await?;
    tracing::debug!(person = ?actor.person(), "signed in");
    let cookie = format!("{COOKIE}={secret}; {ATTRIBUTES}; Max-Age={COOKIE_MAX_AGE}");
    Ok(with_cookie(Redirect::to(local(&next)).into_response(), &cookie))
}

async fn end_present(app: &App, headers: &HeaderMap) -> Result<(), Failure> {
    let Some(secret) = cookie(headers, COOKIE) else { return Ok(()) };
    if let Some((session, actor)) = app.session(&secret).await? {
        app.end_sessions(&actor, Some(&session.hash)).await?;
    }
    Ok(())
}

/// `POST /sign-out`.
pub async fn leave(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    end_present(&app, &headers).await?;
    let mut response = Redirect::to("/sign-in").into_response();
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
    Ok(with_cookie(response, &format!("{COOKIE}=; {ATTRIBUTES}; Max-Age=0")))
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `POST /language`: keeps the choice in the browser.
pub async fn language(form: Form) -> Response {
    let (tag, next) = (form.text("language"), form.text("next"));
    let response = Redirect::to(local(&next)).into_response();
    match Language::from_tag(&tag) {
        Some(language) => {
            let cookie =
                format!("{LANGUAGE_COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000", language.tag());
            with_cookie(response, &cookie)
        }
        None => response,
    }
}

/// A session of the reader's.
struct Listed {
    id: String,
    agent: String,
    begun: When,
    seen: When,
    is_this: bool,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    f: Frame,
    email: String,
    title: String,
    sessions: Vec<Listed>,
}

/// `GET /account`: who one is here, and from where one is signed in.
pub async fn account(visit: Visit) -> Result<Response, Failure> {
    let sessions = visit.app.sessions(&visit.actor).await?;
    let Visit { frame: f, session: present, .. } = visit;
    let person = f.organisation.people.get(&present.person);
    let (email, title) = person.map(|person| (person.email.clone(), person.title.clone())).unwrap_or_default();
    let listed = |session: Session| Listed {
        id: session.id().to_owned(),
        begun: f.times.ago(session.created_at),
        seen: f.times.ago(session.seen_at),
        is_this: session.hash == present.hash,
        agent: session.agent,
    };
    let sessions = sessions.into_iter().map(listed).collect();
    page(StatusCode::OK, &AccountPage { f, email, title, sessions })
}

/// `POST /account/sessions`: ends one of one's own sessions, or all.
pub async fn end_sessions(visit: Visit, form: Form) -> Result<Response, Failure> {
    visit.app.end_sessions(&visit.actor, form.given("session").as_deref()).await?;
    Ok(Redirect::to("/account").into_response())
}
