//! The page behind the link by which an approver decides out of a message: no sign-in, and looking at it decides nothing.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::app::access::people::links::ByLink;
use crate::app::{App, Error};
use crate::desk::access::{AccessState, ApproverDecision, Narrow, Seen};
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::{Frame, page};

#[derive(Template)]
#[template(path = "approvals/link.html")]
struct LinkPage {
    f: Frame,
    link: String,
    key_of_form: String,
    /// `None` where there is nothing to decide any more.
    asked: Option<Asked>,
    /// How the request stands after this decision.
    state: Option<String>,
    problem: Option<String>,
    reason: String,
}

/// The request, as far as a decision needs it.
struct Asked {
    key: String,
    who: String,
    what: String,
    span: String,
    risk: String,
    justification: String,
    policy: String,
    peers: String,
    snapshot: String,
}

fn asked(f: &Frame, ByLink { number, shown, .. }: ByLink) -> Asked {
    let view = shown.view;
    let peers = super::peers(f, &view);
    Asked {
        key: number.to_string(),
        who: f.name_of(&view.subject),
        what: format!("{} · {}", f.app(&view.app), view.tier),
        span: f.times.span(i64::from(view.duration_hours) * 60),
        risk: view.risk,
        justification: view.justification,
        policy: view.policy,
        peers,
        snapshot: shown.snapshot,
    }
}

async fn shown(
    (app, headers): (&Arc<App>, &HeaderMap),
    link: String,
    form: &Form,
    (state, problem): (Option<AccessState>, Option<String>),
) -> Result<Response, Failure> {
    let f = Frame::new(app, headers, &format!("/decide/{link}"), None);
    let found = match app.decision_behind(&link).await {
        Ok(found) => Some(found),
        Err(Error::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let state = state.map(|state| f.words.t(&format!("access.{}", state.code())));
    let status = match (&problem, &found, &state) {
        (Some(_), ..) => StatusCode::CONFLICT,
        (None, None, None) => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    };
    let asked = found.map(|found| asked(&f, found));
    let key_of_form = app.clock.new_id().to_string();
    page(status, &LinkPage { f, link, key_of_form, asked, state, problem, reason: form.text("reason") })
}

/// `GET /decide/{link}`: a page with a form, and no more than that.
pub async fn show(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(link): Path<String>,
) -> Result<Response, Failure> {
    shown((&app, &headers), link, &Form::default(), (None, None)).await
}

/// `POST /decide/{link}`.
pub async fn decide(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(link): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let approve = super::approves(&form)?;
    let decision = ApproverDecision {
        approve,
        reason: form.text("reason"),
        hours: None,
        narrow: Narrow::default(),
        seen: form.given("snapshot").map(|snapshot| Seen { snapshot, ..Seen::default() }),
    };
    let once = form.once(&format!("decide {link}"));
    let came = match app.decide_by_link(&link, decision, once).await {
        Ok((_, case)) => (Some(case.state), None),
        Err(Error::Missing { .. }) => (None, None),
        Err(error @ (Error::Refused(_) | Error::Rejected { .. })) => {
            (None, Some(Frame::new(&app, &headers, "/decide", None).why_not(&error)))
        }
        Err(error) => return Err(error.into()),
    };
    shown((&app, &headers), link, &form, came).await
}
