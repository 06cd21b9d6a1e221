//! The sessions that let anyone in: who is signed in where, and ending them.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::tokens::Asked;
use super::{Visit, agent};
use crate::app::observe::audit::{Found, Source, Wanted};
use crate::app::tokens::sessions::Session;
use crate::desk::id::PersonId;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::{Form, encode};
use crate::web::frame::history::{Step, fact};
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};

/// Sessions on the page; those behind them are found by their person.
const ROWS: usize = 200;
/// Steps on the page, the latest first, and how many are looked at for them; all of them are in the audit.
const STEPS: usize = 20;
const STEPS_LOOKED_AT: usize = 100;

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
    steps: Vec<Step>,
}

fn shown(f: &Frame, session: &Session, present: &Session) -> Shown {
    Shown {
        id: session.id().to_owned(),
        name: f.name(&session.person),
        person: session.person.to_string(),
        begun: f.times.ago(session.created_at),
        seen: f.times.ago(session.seen_at),
        until: f.times.until(session.expires_at),
        is_this: session.hash == present.hash,
        agent: agent::name(&session.agent),
    }
}

/// The last sessions that were ended: of all, or of a person.
async fn steps(visit: &Visit, person: Option<&PersonId>) -> Result<Vec<Step>, Failure> {
    let wanted = Wanted {
        event: Some("session-ended".to_owned()),
        person: person.map(PersonId::to_string),
        ..Wanted::default()
    };
    let page = (None, STEPS_LOOKED_AT);
    let (found, _) = visit.app.search_audit(&visit.actor, Source::Desk, &wanted, page).await?;
    let f = &visit.frame;
    // A search by person finds also those of others that they ended.
    let of = found.iter().filter(|step| person.is_none_or(|id| fact(step, "person") == id.as_str()));
    let step = |step: &Found| {
        let word = match step.about.as_str() {
            "all" => "sessions.ended-all",
            "others" => "sessions.ended-others",
            _ => "sessions.ended",
        };
        Step::of(f, step, f.words.t1(word, f.name_of(&fact(step, "person"))))
    };
    Ok(of.take(STEPS).map(step).collect())
}

/// `GET /admin/sessions`.
pub async fn list(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let limit = i64::try_from(ROWS + 1).unwrap_or(i64::MAX);
    // An id that no person can have belongs to no one.
    let person = Some(asked.person.trim()).filter(|id| !id.is_empty()).map(str::parse::<PersonId>);
    let (all, steps) = match person.transpose() {
        Ok(person) => {
            let person = person.as_ref();
            (visit.app.sessions_in_force(&visit.actor, person, limit).await?, steps(&visit, person).await?)
        }
        Err(_) => (visit.app.sessions_in_force(&visit.actor, None, 0).await?, Vec::new()),
    };
    let Visit { frame: f, session: present, .. } = visit;
    let page_ = EveryonePage {
        more: all.len() > ROWS,
        of_one: !asked.person.trim().is_empty() && !all.is_empty(),
        sessions: all.into_iter().take(ROWS).map(|session| shown(&f, &session, &present)).collect(),
        steps,
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
