//! Signing in and out, and who is there.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::frame::failure::Failure;
use super::frame::form::{self, Form};
use super::frame::guard::Reader;
use super::frame::words::{LANGUAGE_COOKIE, Language};
use super::frame::{Frame, SESSION_COOKIE, cookie, header_text, local, page};
use crate::app::jobs::proofs::Shown;
use crate::app::tickets::quota::Turn;
use crate::app::tokens::passwords::{ClientAddress, Entered};
use crate::app::tokens::sessions::{Session, SignedIn};
use crate::app::{App, Error};
use crate::desk::actor::Actor;
use crate::desk::id::PersonId;

pub mod account;
mod agent;
pub mod everyone;
pub mod provider;
pub mod tokens;

const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";
/// How long a browser keeps the cookie, in seconds: the desk ends the session by its own clock.
const COOKIE_MAX_AGE: u32 = 7 * 24 * 3600;

/// Someone who is signed in, with the frame of the page that they asked for.
pub struct Visit {
    pub app: Arc<App>,
    pub actor: Actor,
    pub frame: Frame,
    session: Session,
    /// Their place among the pages that are made for them.
    _turn: Turn,
}

impl FromRequestParts<Arc<App>> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let path = parts.uri.path();
        let back =
            if parts.method.is_safe() { parts.uri.path_and_query().map_or(path, |all| all.as_str()) } else { "/" };
        let ask = || Failure::SignIn { next: back.to_owned() };
        let secret = cookie(&parts.headers, SESSION_COOKIE).ok_or_else(ask)?;
        let from = parts.extensions.get::<ClientAddress>().cloned().unwrap_or_default();
        let (session, actor) = app.visit(&secret, &from).await?.ok_or_else(ask)?;
        let turn = app.begin_page(&session.person)?;
        let mut frame = Frame::new(app, &parts.headers, path, Some(&actor));
        frame.single_keys = session.single_keys;
        if let Some(reader) = parts.extensions.get::<Reader>() {
            reader.is(&frame);
        }
        Ok(Visit { app: Arc::clone(app), actor, frame, session, _turn: turn })
    }
}

impl Visit {
    /// The session, to be looked at again while an answer goes on.
    pub fn shown(&self) -> Shown {
        Shown::Session(self.session.hash.clone())
    }

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
    /// Whether they have just signed out.
    out: Option<String>,
}

/// A person whom a demo lets in by one click.
struct DemoPerson {
    id: PersonId,
    name: String,
    title: String,
    roles: String,
}

#[derive(Template)]
#[template(path = "session/sign_in.html")]
struct SignInPage {
    f: Frame,
    next: String,
    people: Vec<DemoPerson>,
    /// The identity provider's name, where there is one.
    provider: Option<String>,
    /// Where to go afterwards, as a query.
    begin: String,
    /// The address to end the provider's own session, after one signed out here.
    way_out: Option<String>,
    /// Whether anyone signs in with a password here.
    passwords: bool,
    name: String,
    refused: Option<String>,
    /// The address at which a browser would not keep the session: plain HTTP under a name.
    insecure: bool,
}

/// The step before: a sign-in that failed, why, and the name that was given; or a sign-out.
#[derive(Default)]
struct Tried {
    refused: Option<String>,
    name: String,
    way_out: Option<String>,
}

async fn sign_in_page(app: &App, headers: &HeaderMap, next: &str, tried: Tried) -> Result<Response, Failure> {
    let passwords = app.has_accounts().await?;
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
    let Tried { refused, name, way_out } = tried;
    let provider = app.provider_name().map(str::to_owned);
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let insecure = is_insecure(headers);
    let next = local(next).to_owned();
    let begin = form::encode(&[("next", &next)]);
    page(status, &SignInPage { f, next, begin, people, provider, way_out, passwords, name, refused, insecure })
}

/// Whether a browser would refuse the cookie: it takes secure ones by HTTPS, and from this computer itself. A browser says by
/// Fetch Metadata that it trusts the address; one that does not send it is asked by plain HTTP under a name.
fn is_insecure(headers: &HeaderMap) -> bool {
    let text = |name: &str| header_text(headers, name);
    let host = match text("host").rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        // Without a port; a colon is then part of an address of version 6.
        _ => text("host"),
    };
    let own = host.is_empty() || host == "localhost" || host.ends_with(".localhost") || host == "[::1]";
    let own = own || host.starts_with("127.");
    let is_browser = text("accept").contains("text/html") && text("user-agent").starts_with("Mozilla/");
    let insecure = is_browser && !own && text("sec-fetch-site").is_empty();
    if insecure {
        tracing::warn!(
            host,
            "a browser that comes by plain HTTP under a name keeps no session: serve the pages by HTTPS"
        );
    }
    insecure
}

/// Whether a browser asks for a page that someone looks at (Fetch Metadata). A page of another site that loads the address as a picture
/// would use up the questions to the provider of all at the reader's address.
fn is_visit(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_none_or(|wanted| wanted == "document")
}

/// `GET /sign-in`.
pub async fn sign_in(
    State(app): State<Arc<App>>,
    from: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    Query(Next { next, out }): Query<Next>,
) -> Result<Response, Failure> {
    let from = from.map(|Extension(from)| from).unwrap_or_default();
    let way_out = if out.is_some() && is_visit(&headers) { app.way_out_of_provider(&from).await } else { None };
    sign_in_page(&app, &headers, &next, Tried { way_out, ..Tried::default() }).await
}

/// `POST /sign-in`: with a token, or as one of a demo's people.
pub async fn enter(
    State(app): State<Arc<App>>,
    from: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, Failure> {
    let agent = header_text(&headers, header::USER_AGENT);
    let person = form.given("person").and_then(|id| id.parse::<PersonId>().ok());
    let from = from.map(|Extension(from)| from).unwrap_or_default();
    let words = Frame::new(&app, &headers, "/sign-in", None).words;
    let mut tried = Tried { refused: Some(words.t("sign-in.refused")), name: form.text("name"), way_out: None };
    let begun = match (person, form.given("token"), form.given("name")) {
        (Some(person), ..) => app.sign_in_as(&person, agent).await?,
        (None, Some(token), _) => app.sign_in(token.trim(), agent, &from).await?,
        (None, None, Some(name)) => {
            match app.sign_in_with_password((&name, form.text("password")), agent, &from).await? {
                Entered::Signed(begun) => Some(begun),
                Entered::Wrong => {
                    tried.refused = Some(words.t("sign-in.wrong"));
                    None
                }
                Entered::Wait(wait) => {
                    tried.refused = Some(words.t1("sign-in.wait", wait.as_secs().max(1)));
                    None
                }
            }
        }
        (None, None, None) => None,
    };
    let next = form.text("next");
    let Some(SignedIn { secret, actor }) = begun else { return sign_in_page(&app, &headers, &next, tried).await };
    // A session that was there before ends: its cookie may have been planted.
    end_present(&app, &headers, &from).await?;
    tracing::debug!(person = ?actor.person(), "signed in");
    Ok(entered(&secret, &next))
}

/// The way on for one who has signed in, with the cookie.
fn entered(secret: &str, next: &str) -> Response {
    let cookie = format!("{SESSION_COOKIE}={secret}; {ATTRIBUTES}; Max-Age={COOKIE_MAX_AGE}");
    with_cookie(Redirect::to(local(next)).into_response(), &cookie)
}

async fn end_present(app: &App, headers: &HeaderMap, from: &ClientAddress) -> Result<(), Failure> {
    let Some(secret) = cookie(headers, SESSION_COOKIE) else { return Ok(()) };
    let found = match app.visit(&secret, from).await {
        // It is looked for no more, and the browser forgets it.
        Err(Error::TooMuch { .. }) => None,
        found => found?,
    };
    if let Some((session, actor)) = found {
        app.end_sessions(&actor, Some(&session.hash)).await?;
    }
    Ok(())
}

/// `POST /sign-out`.
pub async fn leave(
    State(app): State<Arc<App>>,
    from: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let from = from.map(|Extension(from)| from).unwrap_or_default();
    end_present(&app, &headers, &from).await?;
    let after = if app.provider_name().is_some() { "/sign-in?out=1" } else { "/sign-in" };
    let mut response = Redirect::to(after).into_response();
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
    Ok(with_cookie(response, &format!("{SESSION_COOKIE}=; {ATTRIBUTES}; Max-Age=0")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_that_would_refuse_the_cookie_is_recognised() {
        let with = |pairs: &[(&'static str, &str)]| {
            let browser = [("accept", "text/html,*/*"), ("user-agent", "Mozilla/5.0")];
            let mut headers = HeaderMap::new();
            for (name, value) in browser.iter().chain(pairs) {
                headers.insert(*name, value.parse().unwrap());
            }
            is_insecure(&headers)
        };
        assert!(with(&[("host", "desk.test")]) && with(&[("host", "desk.test:8080")]));
        for own in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "[::1]", "desk.localhost"] {
            assert!(!with(&[("host", own)]), "{own}");
        }
        // By HTTPS, or through a tunnel that the browser trusts, it says from where it comes.
        assert!(!with(&[("host", "desk.test"), ("sec-fetch-site", "none")]));
        assert!(!with(&[("host", "desk.test"), ("user-agent", "curl/8")]), "a program keeps cookies as it likes");
    }
}
