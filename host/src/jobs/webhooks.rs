//! An event reaches an endpoint: what happened becomes deliveries, and each is signed and sent.

use std::sync::Arc;
use std::time::Duration;

use super::ways::{Hook, Ways};
use crate::app::App;
use crate::app::access::provision::crash;
use crate::app::jobs::looks::Looks;
use crate::app::jobs::stop::Stop;
use crate::app::jobs::webhooks::{Delivery, Next, Subscription};
use crate::app::jobs::{Again, Claimed, Failed, Outcome};
use crate::connectors::http::{Answer, Error, Keep, Method, Request};
use crate::connectors::webhook;
use jiff::Timestamp;

/// How long an endpoint may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// As much of an answer as is read.
const ANSWER_BYTES_MAX: usize = 16 << 10;
/// How often the feed is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The statuses with which an endpoint asks for fewer requests.
const THROTTLES: [u16; 4] = [429, 502, 503, 504];

/// Makes deliveries of what happens, until it is asked to stop.
pub async fn follow(app: Arc<App>, ways: Arc<Ways>, stop: Stop) {
    let subscriptions = ways.subscriptions();
    if subscriptions.is_empty() {
        return;
    }
    let mut looks = Looks::every(LOOK_EVERY, stop);
    while looks.next().await {
        look(&app, &subscriptions).await;
    }
}

/// Makes deliveries of what has happened.
pub async fn look(app: &App, subscriptions: &[Subscription]) {
    match app.queue_events(subscriptions).await {
        Ok(0) => {}
        Ok(_) => app.jobs.wake(),
        Err(error) => tracing::warn!(%error, "events for webhooks were not queued: tried again soon"),
    }
}

/// Sends one delivery.
pub async fn run(app: &App, ways: &Ways, claimed: &Claimed) -> Result<Outcome, Failed> {
    let delivery = match app.next_delivery(claimed).await? {
        Next::Send(delivery) => delivery,
        Next::Nothing => return Ok(Outcome::Done),
        Next::Wait(until) => return Ok(Outcome::NotBefore(until)),
    };
    let Some(hook) = ways.hooks.iter().find(|hook| hook.subscription.name == delivery.webhook) else {
        let why = format!("the configuration has no webhook `{}` any more", delivery.webhook);
        return Err(Failed { why, again: Again::Never });
    };
    let now = app.clock.now();
    crash::point("post-before");
    let answer = send(ways, hook, &delivery, now).await;
    crash::point("post-after");
    let (status, why) = match &answer {
        Ok(answer) => (Some(answer.status.as_u16()), format!("it answered {}", answer.status)),
        Err(error) => (None, error.to_string()),
    };
    match app.delivery_answered(claimed, &delivery.webhook, status, why).await? {
        Ok(()) => Ok(Outcome::Done),
        Err(failed) => Err(asked_to_wait(failed, answer.ok(), now)),
    }
}

async fn send(ways: &Ways, hook: &Hook, delivery: &Delivery, now: Timestamp) -> Result<Answer, Error> {
    let request = Request {
        method: Method::POST,
        to: &hook.endpoint,
        headers: webhook::headers(&delivery.event, now.as_second(), &delivery.body, &hook.secrets),
        body: delivery.body.clone().into_bytes(),
        within: ANSWER_MAX,
        answer: Keep::Beginning(ANSWER_BYTES_MAX),
    };
    ways.http.send(request).await
}

/// The failure, later where the endpoint asks for that.
fn asked_to_wait(failed: Failed, answer: Option<Answer>, now: Timestamp) -> Failed {
    let throttles = answer.filter(|answer| THROTTLES.contains(&answer.status.as_u16()));
    let wait = throttles.and_then(|answer| answer.retry_after(now));
    match (failed.again, wait.and_then(|wait| now.checked_add(wait).ok())) {
        (Again::Later, Some(until)) => Failed { again: Again::NotBefore(until), ..failed },
        _ => failed,
    }
}
