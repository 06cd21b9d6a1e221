//! The tokens that let anyone in: who has which, and taking one back. Giving one out is for the operator at the machine alone.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::Visit;
use crate::app::Error;
use crate::app::tokens::ListedToken;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::{Form, encode};
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};

/// Tokens on the page; those behind them are found by their person.
const ROWS: usize = 200;

/// A token, without the token.
struct Shown {
    id: String,
    person: String,
    name: String,
    roles: String,
    label: String,
    since: When,
    until: Option<When>,
}

#[derive(Template)]
#[template(path = "session/tokens.html")]
struct TokensPage {
    f: Frame,
    tokens: Vec<Shown>,
    person: String,
    more: bool,
    done: bool,
}

/// Whose tokens or sessions, and whether one was just ended.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    pub(super) person: String,
    pub(super) done: Option<String>,
}

fn shown(f: &Frame, token: ListedToken) -> Shown {
    let roles = token.roles.iter().map(|role| f.words.t(&format!("role.{}", role.code())));
    Shown {
        id: token.id,
        name: f.name(&token.person),
        person: token.person.to_string(),
        roles: roles.collect::<Vec<_>>().join(", "),
        label: token.label,
        since: f.times.ago(token.created_at),
        until: token.expires_at.map(|until| f.times.until(until)),
    }
}

/// `GET /admin/tokens`.
pub async fn list(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let limit = i64::try_from(ROWS + 1).unwrap_or(i64::MAX);
    // An id that no person can have belongs to no one.
    let person = Some(asked.person.trim()).filter(|id| !id.is_empty()).map(str::parse);
    let all = match person.transpose() {
        Ok(person) => visit.app.tokens_in_force(&visit.actor, person.as_ref(), limit).await?,
        Err(_) => visit.app.tokens_in_force(&visit.actor, None, 0).await?,
    };
    let f = visit.frame;
    let page_ = TokensPage {
        more: all.len() > ROWS,
        tokens: all.into_iter().take(ROWS).map(|token| shown(&f, token)).collect(),
        person: asked.person,
        done: asked.done.is_some(),
        f,
    };
    page(StatusCode::OK, &page_)
}

/// `POST /admin/tokens`: takes one back. One that holds no more has been taken back before, or has ended.
pub async fn end(visit: Visit, form: Form) -> Result<Response, Failure> {
    match visit.app.revoke_token(&visit.actor, &form.text("token")).await {
        Ok(()) | Err(Error::Missing { .. }) => {}
        Err(other) => return Err(other.into()),
    }
    let back = encode(&[("person", form.text("person").as_str()), ("done", "1")]);
    Ok(Redirect::to(&format!("/admin/tokens?{back}")).into_response())
}
