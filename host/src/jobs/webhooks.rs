//! An event reaches an endpoint: what happened becomes deliveries, and each is signed and sent.

use std::sync::Arc;
use std::time::Duration;

use super::ways::Ways;
use crate::app::App;
use crate::app::access::provision::crash;
use crate::app::jobs::endpoints::Unsigned;
use crate::app::jobs::looks::Looks;
use crate::app::jobs::stop::Stop;
use crate::app::jobs::webhooks::{Delivery, Next, gone, is_stale, still_wants};
use crate::app::jobs::{Again, Claimed, Failed, Outcome};
use crate::connectors::http::{Answer, Endpoint, Error, Keep, Method, Request};
use crate::connectors::webhook::{self, Secret};
use jiff::{SignedDuration, Timestamp};

/// How long an endpoint may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// As much of an answer as is read.
const ANSWER_BYTES_MAX: usize = 16 << 10;
/// How often the feed is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long deliveries wait for the secret of their endpoint; one that is made lets them leave at once.
const SECRET_WAIT: SignedDuration = SignedDuration::from_hours(1);
/// How long a delivery waits for this host to read what was published.
const FOLLOW_WAIT: SignedDuration = SignedDuration::from_secs(1);
/// How long a delivery is left to other hosts that this one would not send.
const OTHERS_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// The statuses with which an endpoint asks for fewer requests.
const THROTTLES: [u16; 4] = [429, 502, 503, 504];

/// Makes deliveries of what happens, until it is asked to stop.
pub async fn follow(app: Arc<App>, ways: Arc<Ways>, stop: Stop) {
    let mut looks = Looks::every(LOOK_EVERY, stop);
    while looks.next().await {
        look(&app, &ways).await;
    }
}

/// Makes deliveries of what has happened.
pub async fn look(app: &App, ways: &Ways) {
    if !ways.webhooks {
        return;
    }
    match app.queue_events().await {
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
    let Some(webhook) = app.endpoint(&delivery.webhook) else {
        return not_sent(app, &delivery, gone(&delivery.webhook)).await;
    };
    if !still_wants(&webhook, &delivery) {
        return not_sent(app, &delivery, "the configuration does not send it to this webhook any more".to_owned())
            .await;
    }
    let secrets = match app.secrets_of(&webhook).await? {
        Ok(secrets) => secrets,
        Err(Unsigned::NoSecret) => return without_secret(app, &delivery),
        Err(unsigned) => return Err(unsigned.to_string().into()),
    };
    let endpoint = ways.http.endpoint(&webhook.url).map_err(|error| format!("{}: {error}", webhook.host()))?;
    let Some(on_its_way) = app.paces.begin(&delivery.webhook) else {
        return Ok(Outcome::NotBefore(app.hold_deliveries(claimed, &delivery.webhook).await?));
    };
    let (now, begun) = (app.clock.now(), app.clock.elapsed());
    crash::point("post-before");
    let answer = send(ways, (&endpoint, secrets.as_slice()), &delivery, now).await;
    crash::point("post-after");
    let is_taken = answer.as_ref().is_ok_and(|answer| answer.status.is_success());
    on_its_way.answered(app.clock.elapsed().saturating_sub(begun), is_taken);
    let (status, why) = match &answer {
        Ok(answer) => (Some(answer.status.as_u16()), format!("it answered {}", answer.status)),
        Err(error) => (None, error.to_string()),
    };
    match app.delivery_answered(claimed, &delivery.webhook, status, why).await? {
        Ok(()) => Ok(Outcome::Done),
        Err(failed) => Err(asked_to_wait(failed, answer.ok(), now)),
    }
}

fn after(app: &App, wait: SignedDuration) -> Outcome {
    Outcome::NotBefore(app.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX))
}

/// A delivery that this host would not send by its configuration is left to another, which may have other files while they are being
/// changed; or to this one, where it has yet to read what was published. It is given up when it is too old for all of them.
async fn not_sent(app: &App, delivery: &Delivery, why: String) -> Result<Outcome, Failed> {
    if is_stale(delivery.queued_at, app.clock.now()) {
        return given_up(why);
    }
    let wait = if app.has_all_published().await? { OTHERS_WAIT } else { FOLLOW_WAIT };
    Ok(after(app, wait))
}

/// A delivery waits for the secret of its endpoint, though not for ever: an endpoint that was forgotten would gather them without end.
fn without_secret(app: &App, delivery: &Delivery) -> Result<Outcome, Failed> {
    if is_stale(delivery.queued_at, app.clock.now()) {
        return given_up("no secret was made for its webhook within seven days".to_owned());
    }
    Ok(after(app, SECRET_WAIT))
}

fn given_up(why: String) -> Result<Outcome, Failed> {
    Err(Failed { why, again: Again::Never })
}

async fn send(
    ways: &Ways,
    (endpoint, secrets): (&Endpoint, &[Secret]),
    delivery: &Delivery,
    now: Timestamp,
) -> Result<Answer, Error> {
    let request = Request {
        method: Method::POST,
        to: endpoint,
        headers: webhook::headers(&delivery.event, now.as_second(), &delivery.body, secrets),
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
