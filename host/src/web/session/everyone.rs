//! The sessions that let anyone in: who is signed in where, and ending them.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::Visit;
use super::tokens::Asked;
use crate::app::tokens::sessions::Session;
use crate::desk::id::PersonId;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::{Form, encode};
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};

/// Sessions on the page; those behind them are found by their person.
const ROWS: usize = 200;

/// A session, without its secret.
struct Shown {
    id: String,
    person: String,
    name: String,
    agent: String,
    begun: When,
    seen: When,
    until: When,
    /// Whether it is the reader's own, in this browser.
    is_this: bool,
}

#[derive(Template)]
#[template(path = "session/everyone.html")]
struct EveryonePage {
    f: Frame,
    sessions: Vec<Shown>,
    person: String,
    /// The person whose sessions these are, where it is one.
    of_one: bool,
    more: bool,
    done: bool,
}

fn shown(f: &Frame, session: Session, present: &Session) -> Shown {
    Shown {
        id: session.id().to_owned(),
        name: f.name(&session.person),
        person: session.person.to_string(),
        begun: f.times.ago(session.created_at),
        seen: f.times.ago(session.seen_at),
        until: f.times.until(session.expires_at),
        is_this: session.hash == present.hash,
        agent: session.agent,
    }
}

/// `GET /admin/sessions`.
pub async fn list(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let limit = i64::try_from(ROWS + 1).unwrap_or(i64::MAX);
    // An id that no person can have belongs to no one.
    let person = Some(asked.person.trim()).filter(|id| !id.is_empty()).map(str::parse::<PersonId>);
    let all = match person.transpose() {
        Ok(person) => visit.app.sessions_in_force(&visit.actor, person.as_ref(), limit).await?,
        Err(_) => visit.app.sessions_in_force(&visit.actor, None, 0).await?,
    };
    let Visit { frame: f, session: present, .. } = visit;
    let page_ = EveryonePage {
        more: all.len() > ROWS,
        of_one: !asked.person.trim().is_empty() && !all.is_empty(),
        sessions: all.into_iter().take(ROWS).map(|session| shown(&f, session, &present)).collect(),
        person: asked.person,
        done: asked.done.is_some(),
        f,
    };
    page(StatusCode::OK, &page_)
}

/// `POST /admin/sessions`: ends one session of a person, or all of theirs. One that has ended before is over.
pub async fn end(visit: Visit, form: Form) -> Result<Response, Failure> {
    let of = form.text("of").trim().parse::<PersonId>().map_err(|_| Failure::BadForm)?;
    visit.app.end_sessions_of(&visit.actor, &of, form.given("session").as_deref()).await?;
    let back = encode(&[("person", form.text("person").as_str()), ("done", "1")]);
    Ok(Redirect::to(&format!("/admin/sessions?{back}")).into_response())
}
