//! One's own account: who one is here, how one hears of things, and from where one is signed in.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::{Visit, agent, with_cookie};
use crate::app::Error;
use crate::app::jobs::messages::preferences::{Delivery, Wanted};
use crate::app::tokens::sessions::Session;
use crate::desk::organisation::form::Problem;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::said::Found;
use crate::web::frame::times::When;
use crate::web::frame::words::Language;
use crate::web::frame::{Frame, ZONE_COOKIE, page};

/// A session of the reader's.
struct Listed {
    id: String,
    agent: String,
    begun: When,
    seen: When,
    is_this: bool,
}

#[derive(Template)]
#[template(path = "session/account.html")]
struct AccountPage {
    f: Frame,
    email: String,
    title: String,
    /// Ways of hearing of things: code, words, and whether it is the one that is chosen.
    deliveries: Vec<(&'static str, String, bool)>,
    locales: Vec<(String, String, bool)>,
    zone: String,
    zones: Vec<String>,
    done: bool,
    problems: Vec<Found>,
    /// Whether anyone signs in with a password here.
    passwords: bool,
    sessions: Vec<Listed>,
}

/// Whether something was just changed.
#[derive(Debug, Default, Deserialize)]
pub struct How {
    done: Option<String>,
}

/// `GET /account`.
pub async fn show(visit: Visit, Query(how): Query<How>) -> Result<Response, Failure> {
    render(visit, how.done.is_some(), Vec::new()).await
}

async fn render(visit: Visit, done: bool, problems: Vec<Found>) -> Result<Response, Failure> {
    let passwords = visit.app.has_accounts().await?;
    let sessions = visit.app.sessions(&visit.actor).await?;
    let preference = visit.app.own_preference(&visit.actor).await?;
    let correspondence = visit.app.correspondence.load_full();
    let Visit { frame: f, session: present, .. } = visit;
    let person = f.organisation.people.get(&present.person);
    let (email, title) = person.map(|person| (person.email.clone(), person.title.clone())).unwrap_or_default();
    let listed = |session: Session| Listed {
        id: session.id().to_owned(),
        begun: f.times.ago(session.created_at),
        seen: f.times.ago(session.seen_at),
        is_this: session.hash == present.hash,
        agent: agent::name(&session.agent),
    };
    let delivery =
        |one: Delivery| (one.code(), f.words.t(&format!("delivery.{}", one.code())), one == preference.delivery);
    let locales = correspondence.templates.locales();
    // A language has its own name where the desk has it, and its tag else.
    let called = |tag: &str| {
        let known = Language::OFFERED.into_iter().find(|language| language.tag() == tag);
        known.map_or_else(|| tag.to_owned(), |language| language.name().to_owned())
    };
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page_ = AccountPage {
        deliveries: Delivery::ALL.map(delivery).to_vec(),
        locales: locales.map(|tag| (tag.to_owned(), called(tag), preference.locale.as_deref() == Some(tag))).collect(),
        sessions: sessions.into_iter().map(listed).collect(),
        problems,
        zone: f.times.zone.iana_name().unwrap_or_default().to_owned(),
        zones: jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect(),
        done,
        passwords,
        email,
        title,
        f,
    };
    page(status, &page_)
}

/// `POST /account/messages`: how one hears of things.
pub async fn prefer(visit: Visit, form: Form) -> Result<Response, Failure> {
    // What holds for single kinds of message is no part of this form, and stays.
    let kinds = visit.app.own_preference(&visit.actor).await?.kinds;
    let kinds = kinds.into_iter().map(|(kind, choice)| (kind.code().to_owned(), choice.code().to_owned())).collect();
    let wanted = Wanted { delivery: form.text("delivery"), locale: form.given("locale"), kinds };
    visit.app.prefer(&visit.actor, wanted).await?;
    Ok(Redirect::to("/account?done=1").into_response())
}

/// `POST /account/zone`: the zone in which this browser shows times; an unknown one is the desk's again.
pub async fn zone(_: Visit, form: Form) -> Response {
    let name = form.text("zone");
    let known = jiff::tz::TimeZone::get(name.trim()).ok().and_then(|zone| zone.iana_name().map(str::to_owned));
    let (name, age) = known.map_or((String::new(), 0), |name| (name, 31_536_000));
    let cookie = format!("{ZONE_COOKIE}={name}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}");
    with_cookie(Redirect::to("/account?done=1").into_response(), &cookie)
}

/// `POST /account/password`: another password, for one who knows the present one; all sessions end.
pub async fn password(visit: Visit, form: Form) -> Result<Response, Failure> {
    match visit.app.change_password(&visit.actor, form.text("present"), form.text("new")).await {
        Ok(()) => Ok(Redirect::to("/sign-in?next=%2Faccount").into_response()),
        Err(Error::Rejected { problems }) => {
            let f = &visit.frame;
            let found = |problem: &Problem| {
                let id = if problem.field == "present" { "present" } else { "new" };
                f.found((id, &f.words.t(&format!("account.{}", problem.field))), problem)
            };
            let problems = problems.iter().map(found).collect();
            render(visit, false, problems).await
        }
        Err(other) => Err(other.into()),
    }
}

/// `POST /account/keys`: whether letters alone are keys, in every browser of one's own.
pub async fn keys(visit: Visit, form: Form) -> Result<Response, Failure> {
    visit.app.use_single_keys(&visit.actor, form.text("keys") == "on").await?;
    Ok(Redirect::to("/account?done=1").into_response())
}

/// `POST /account/sessions`: ends one of one's own sessions, all but this, or all.
pub async fn end_sessions(visit: Visit, form: Form) -> Result<Response, Failure> {
    if form.has("others") {
        visit.app.end_other_sessions(&visit.actor, &visit.session.hash).await?
    } else {
        visit.app.end_sessions(&visit.actor, form.given("session").as_deref()).await?
    };
    Ok(Redirect::to("/account").into_response())
}
