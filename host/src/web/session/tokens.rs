//! The tokens that let anyone in: who has which, and taking one back. Giving one out is for the operator at the machine alone.

use std::cmp::Reverse;
use std::collections::HashMap;

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::Visit;
use crate::app::Error;
use crate::app::observe::audit::{Found, Source, Wanted};
use crate::app::tokens::ListedToken;
use crate::desk::id::PersonId;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::{Form, encode};
use crate::web::frame::history::{Outcome, Step, fact};
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};

/// Tokens on the page; those behind them are found by their person.
const ROWS: usize = 200;
/// Steps on the page, the latest first, and how many of each kind are looked at for them; all of them are in the audit.
const STEPS: usize = 20;
const STEPS_LOOKED_AT: usize = 100;

/// A token, without the token.
struct Shown {
    id: String,
    person: String,
    name: String,
    roles: String,
    label: String,
    since: When,
    until: Option<When>,
    /// How many sessions end with it.
    sessions: i64,
}

#[derive(Template)]
#[template(path = "session/tokens.html")]
struct TokensPage {
    f: Frame,
    tokens: Vec<Shown>,
    person: String,
    more: bool,
    outcome: Outcome,
    steps: Vec<Step>,
}

/// Whose tokens or sessions, and whether one was just ended.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    pub(super) person: String,
    pub(super) done: Option<String>,
}

fn shown(f: &Frame, token: ListedToken, sessions: &HashMap<String, i64>) -> Shown {
    let roles = token.roles.iter().map(|role| f.words.t(&format!("role.{}", role.code())));
    Shown {
        sessions: sessions.get(&token.id).copied().unwrap_or_default(),
        id: token.id,
        name: f.name(&token.person),
        person: token.person.to_string(),
        roles: roles.collect::<Vec<_>>().join(", "),
        label: token.label,
        since: f.times.ago(token.created_at),
        until: token.expires_at.map(|until| f.times.until(until)),
    }
}

/// The last steps that were taken with tokens: of all, or of those that a person was given.
async fn steps(visit: &Visit, person: Option<&PersonId>) -> Result<Vec<Step>, Failure> {
    let (given_out, taken_back) = ("token-added", "token-revoked");
    let of = person.map(PersonId::as_str);
    let wanted = |event: &str, person: Option<&str>| Wanted {
        event: Some(event.to_owned()),
        person: person.map(str::to_owned),
        ..Wanted::default()
    };
    let page = (None, STEPS_LOOKED_AT);
    let (app, actor) = (&visit.app, &visit.actor);
    let (mut found, _) = app.search_audit(actor, Source::Desk, &wanted(given_out, of), page).await?;
    let (mut ended, _) = app.search_audit(actor, Source::Desk, &wanted(taken_back, None), page).await?;
    // A search by person finds also those that they gave out to others.
    found.retain(|given| of.is_none_or(|id| fact(given, "person") == id));
    ended.retain(|ended| of.is_none() || found.iter().any(|given| given.about == ended.about));
    found.extend(ended);
    found.sort_by_key(|step| Reverse(step.seq));
    let f = &visit.frame;
    let text = |step: &Found| {
        if step.event == given_out {
            f.words.t2("tokens.given", &step.about, f.name_of(&fact(step, "person")))
        } else {
            f.words.t1("tokens.ended", &step.about)
        }
    };
    Ok(found.iter().take(STEPS).map(|step| Step::of(f, step, text(step))).collect())
}

async fn render(visit: Visit, person: String, outcome: Outcome, status: StatusCode) -> Result<Response, Failure> {
    let limit = i64::try_from(ROWS + 1).unwrap_or(i64::MAX);
    // An id that no person can have belongs to no one.
    let of = Some(person.trim()).filter(|id| !id.is_empty()).map(str::parse::<PersonId>);
    let (all, steps) = match of.transpose() {
        Ok(of) => {
            let of = of.as_ref();
            (visit.app.tokens_in_force(&visit.actor, of, limit).await?, steps(&visit, of).await?)
        }
        Err(_) => (visit.app.tokens_in_force(&visit.actor, None, 0).await?, Vec::new()),
    };
    let ids: Vec<&str> = all.iter().map(|token| token.id.as_str()).collect();
    let sessions = visit.app.sessions_of_tokens(&visit.actor, &ids).await?;
    let f = visit.frame;
    let page_ = TokensPage {
        more: all.len() > ROWS,
        tokens: all.into_iter().take(ROWS).map(|token| shown(&f, token, &sessions)).collect(),
        steps,
        person,
        outcome,
        f,
    };
    page(status, &page_)
}

/// `GET /admin/tokens`.
pub async fn list(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let outcome = Outcome::of(&visit.frame, asked.done.as_deref(), "tokens.done");
    render(visit, asked.person, outcome, StatusCode::OK).await
}

/// `POST /admin/tokens`: takes one back, for a reason. One that holds no more has been taken back before, or has ended.
pub async fn end(visit: Visit, form: Form) -> Result<Response, Failure> {
    let (person, why) = (form.text("person"), form.text("why"));
    match visit.app.revoke_token(&visit.actor, &form.text("token"), Some(&why)).await {
        Ok(()) | Err(Error::Missing { .. }) => {}
        Err(Error::Rejected { problems }) => {
            let outcome = Outcome::not_taken(&visit.frame, &problems, why);
            return render(visit, person, outcome, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
        Err(other) => return Err(other.into()),
    }
    let back = encode(&[("person", person.as_str()), ("done", "1")]);
    Ok(Redirect::to(&format!("/admin/tokens?{back}")).into_response())
}
