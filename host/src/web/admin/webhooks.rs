//! Webhooks: how each endpoint is doing, what was delivered to it, delivering it again, and a new secret for it.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::Error;
use crate::app::jobs::endpoints::Endpoint as Known;
use crate::app::jobs::webhooks::{Delivery, Replay, Resumes, StoredWebhook};
use crate::app::observe::audit::{Found, Source, Wanted};
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::history::{Outcome, Step, fact};
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// Deliveries on a page.
const ROWS: usize = 50;
/// Steps on a page, the latest first; all of them are in the audit.
const STEPS: usize = 20;

/// An endpoint.
struct Endpoint {
    name: String,
    enabled: bool,
    failing: Option<When>,
    why: String,
    /// As the configuration names it; `None` where it does so no more.
    named: Option<Named>,
}

/// The part of an endpoint that the configuration has.
struct Named {
    host: String,
    events: String,
    internal: bool,
    /// Whether a file of the operator has its secrets.
    by_file: bool,
    signed: String,
}

fn named(f: &Frame, found: &Known) -> Named {
    let events = if found.events.is_empty() { f.words.t("webhook.all-events") } else { found.events.join(", ") };
    let signed = match (found.by_file, found.secrets) {
        (true, 0) => f.words.t("webhook.no-file"),
        (true, count) => f.words.n("webhook.secrets", count),
        (false, 0) => f.words.t("webhook.no-secret"),
        (false, count) => f.words.n("webhook.kept-secrets", count),
    };
    Named { host: found.host.clone(), events, internal: found.internal, by_file: found.by_file, signed }
}

fn endpoint(f: &Frame, webhook: StoredWebhook, all: &[Known]) -> Endpoint {
    Endpoint {
        named: all.iter().find(|found| found.name == webhook.name).map(|found| named(f, found)),
        enabled: webhook.disabled_at.is_none(),
        failing: webhook.failing_since.map(|since| f.times.ago(since)),
        name: webhook.name,
        why: f.own_reason(&webhook.why),
    }
}

#[derive(Template)]
#[template(path = "admin/webhooks.html")]
struct WebhooksPage {
    f: Frame,
    endpoints: Vec<Endpoint>,
}

/// `GET /admin/webhooks`.
pub async fn list(visit: Visit) -> Result<Response, Failure> {
    let all = visit.app.webhooks(&visit.actor).await?;
    let known = visit.app.named_endpoints(&visit.actor).await?;
    let f = visit.frame;
    let endpoints = all.into_iter().map(|webhook| endpoint(&f, webhook, &known)).collect();
    page(StatusCode::OK, &WebhooksPage { f, endpoints })
}

/// An event for the endpoint.
struct Sent {
    id: String,
    kind: String,
    tone: &'static str,
    state: String,
    when: When,
    attempts: i64,
    status: Option<i64>,
    error: String,
    body: String,
}

fn sent(f: &Frame, delivery: Delivery) -> Sent {
    let (tone, state) = match (delivery.sent_at, delivery.dead_at) {
        (Some(_), _) => ("good", "webhook.delivered"),
        (None, Some(_)) => ("bad", "webhook.given-up"),
        (None, None) => ("warn", "webhook.waiting"),
    };
    Sent {
        id: delivery.id.to_string(),
        tone,
        state: f.words.t(state),
        when: f.times.ago(delivery.sent_at.unwrap_or(delivery.queued_at)),
        kind: delivery.kind,
        attempts: delivery.attempts,
        status: delivery.status,
        error: delivery.last_error,
        body: delivery.body,
    }
}

#[derive(Template)]
#[template(path = "admin/webhook.html")]
struct WebhookPage {
    f: Frame,
    endpoint: Endpoint,
    sent: Vec<Sent>,
    next: Option<String>,
    /// The events that wait for it.
    waits: Resumes,
    steps: Vec<Step>,
    outcome: Outcome,
    /// A secret that was just made: it is shown this once.
    secret: Option<String>,
}

/// The last steps that were taken with an endpoint.
async fn steps(visit: &Visit, name: &str) -> Result<Vec<Step>, Failure> {
    let event = Some("webhook".to_owned());
    let wanted = Wanted { event, about: Some(name.to_owned()), ..Wanted::default() };
    let (found, _) = visit.app.search_audit(&visit.actor, Source::Desk, &wanted, (None, STEPS)).await?;
    let f = &visit.frame;
    let step = |found: &Found| Step::of(f, found, f.named("webhook-step", fact(found, "step")));
    Ok(found.iter().map(step).collect())
}

/// Which page, and whether a step was just taken.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Place {
    before: String,
    done: Option<String>,
}

async fn render(
    visit: Visit,
    name: &str,
    at: &Place,
    (outcome, secret): (Outcome, Option<String>),
    status: StatusCode,
) -> Result<Response, Failure> {
    let found = visit.app.deliveries(&visit.actor, name, at.before.parse().ok(), ROWS).await?;
    let all = visit.app.webhooks(&visit.actor).await?;
    let stored = all.into_iter().find(|webhook| webhook.name == name).ok_or(Failure::NoPage)?;
    let steps = steps(&visit, name).await?;
    let waits = visit.app.webhook_resumes(&visit.actor, name).await?;
    let known = visit.app.named_endpoints(&visit.actor).await?;
    let f = visit.frame;
    let page_ = WebhookPage {
        waits,
        steps,
        outcome,
        secret,
        endpoint: endpoint(&f, stored, &known),
        sent: found.items.into_iter().map(|delivery| sent(&f, delivery)).collect(),
        next: found.next.map(|id| format!("/admin/webhooks/{name}?before={id}")),
        f,
    };
    page(status, &page_)
}

/// `GET /admin/webhooks/{name}`.
pub async fn show(visit: Visit, Path(name): Path<String>, Query(at): Query<Place>) -> Result<Response, Failure> {
    let outcome = Outcome::of(&visit.frame, at.done.as_deref(), "webhook.done");
    render(visit, &name, &at, (outcome, None), StatusCode::OK).await
}

/// Takes the step that a form asks for; gives the secret that was made, where it asks for one.
async fn step(visit: &Visit, name: &str, form: &Form, why: &str) -> Result<Option<String>, Failure> {
    if let Some(id) = form.given("delivery") {
        let id = id.parse().map_err(|_| Failure::BadForm)?;
        visit.app.replay(&visit.actor, name, Replay::One(id)).await?;
        return Ok(None);
    }
    match form.text("step").as_str() {
        "pause" => visit.app.pause_webhook(&visit.actor, name, why).await?,
        "enable" => visit.app.enable_webhook(&visit.actor, name, Some(why)).await?,
        "secret" => return Ok(Some(visit.app.make_webhook_secret(&visit.actor, name, why).await?)),
        _ => return Err(Failure::BadForm),
    }
    Ok(None)
}

/// `POST /admin/webhooks/{name}`: pauses it, takes it into use again, makes a secret for it, or delivers an event once more.
pub async fn act(visit: Visit, Path(name): Path<String>, form: Form) -> Result<Response, Failure> {
    let why = form.text("why");
    match step(&visit, &name, &form, &why).await {
        Ok(None) => Ok(Redirect::to(&format!("/admin/webhooks/{name}?done=1")).into_response()),
        Ok(secret) => {
            let outcome = Outcome::of(&visit.frame, Some("1"), "webhook.secret-made");
            let mut response = render(visit, &name, &Place::default(), (outcome, secret), StatusCode::OK).await?;
            // No address leads to it again, and no browser keeps it.
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok(response)
        }
        Err(Failure::Use(error)) => {
            let Error::Rejected { problems } = &*error else { return Err(Failure::Use(error)) };
            let outcome = Outcome::not_taken(&visit.frame, problems, why);
            render(visit, &name, &Place::default(), (outcome, None), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(other) => Err(other),
    }
}
