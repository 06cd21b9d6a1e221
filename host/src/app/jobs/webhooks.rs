//! Webhooks: what happens becomes deliveries, each endpoint at its own pace. The feed is durable, so an endpoint that was out of
//! use, or a desk that was down, misses nothing of the last week.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::endpoints::Webhook;
use super::{Again, Claimed, Failed};
use crate::app::error::accept;
use crate::app::office::signatory;
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::permission;
use crate::desk::sla::{earlier, later};
use crate::desk::ticket::edit::check_reason;
use crate::desk::ticket::timeline::Visibility;
use crate::store::chain::audit;
use crate::store::jobs::feed::{Happened, Watched};
use crate::store::jobs::webhooks::NewDelivery;
pub use crate::store::jobs::webhooks::{Delivery, StoredWebhook, WAITING_MAX, gone};
use crate::store::sql::page::Page;

/// Events longer ago than this are sent to no endpoint: they are history, such as tickets that were taken over.
const STALE_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);
/// An endpoint that has taken nothing for so long is out of use until an admin says otherwise.
const DISABLED_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);
/// How long deliveries that succeeded are kept, for the log and for replays.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long deliveries wait while their endpoint is out of use.
const DISABLED_WAIT: SignedDuration = SignedDuration::from_hours(24);

/// How long deliveries wait that are due to an endpoint which is slow, and has as many on their way as it may.
const HELD_FOR: SignedDuration = SignedDuration::from_secs(5);

/// The answer of an endpoint that is gone for good (Standard Webhooks, "Operational considerations").
const GONE: u16 = 410;

/// The details of an event that endpoints get: ids and stable words, no texts of people.
const TOLD: [&str; 7] = ["comment", "field", "from", "to", "outcome", "team", "assignee"];

/// The next thing to do about a delivery that was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    Send(Box<Delivery>),
    /// The delivery was removed, or the endpoint has it already.
    Nothing,
    /// Its endpoint is out of use: not before this time.
    Wait(Timestamp),
}

/// The body of an event (Standard Webhooks, "Payload structure").
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    timestamp: String,
    data: Map<String, Value>,
}

/// Whether an endpoint wants to hear of an event.
fn wants(webhook: &Webhook, kind: &str, visibility: Visibility) -> bool {
    let matches = |pattern: &String| match pattern.strip_suffix('*') {
        Some(beginning) => kind.starts_with(beginning),
        None => pattern == kind,
    };
    (webhook.internal || visibility == Visibility::Public)
        && (webhook.events.is_empty() || webhook.events.iter().any(matches))
}

/// Whether something is from so long ago that no endpoint gets it any more.
pub fn is_stale(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) > STALE_AFTER
}

/// Whether an endpoint, as the configuration has it now, still wants a delivery that was queued for it, perhaps by an earlier version:
/// what it heard of then may be more than it may hear of now, or where it is now.
pub fn still_wants(webhook: &Webhook, delivery: &Delivery) -> bool {
    let body: Value = serde_json::from_str(&delivery.body).unwrap_or_default();
    let visibility = body.pointer("/data/visibility").and_then(Value::as_str);
    let is_public = visibility == Some(Visibility::Public.code());
    wants(webhook, &delivery.kind, if is_public { Visibility::Public } else { Visibility::Internal })
}

impl Office {
    /// Turns new events into deliveries, and counts them. Several hosts may do so at once: each piece of the feed is taken by one.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written: what was not reached is taken with the next look.
    pub async fn queue_events(&self) -> Result<usize, Error> {
        let endpoints = self.endpoints.load_full();
        if endpoints.is_empty() {
            return Ok(0);
        }
        let known = self.store.webhooks().await?;
        let mut queued = 0;
        for endpoint in endpoints.iter() {
            match known.iter().find(|webhook| webhook.name == endpoint.id.as_str()) {
                Some(StoredWebhook { disabled_at: Some(_), .. }) => {}
                Some(webhook) => queued += self.queue_events_of(endpoint, webhook.seen).await?,
                None => self.begin_webhook(endpoint.id.as_str()).await?,
            }
        }
        Ok(queued)
    }

    async fn begin_webhook(&self, name: &str) -> Result<(), Error> {
        if self.store.begin_webhook(name, self.store.feed_end().await?).await? {
            self.note_webhook(name, &Actor::System, json!({ "step": "begun" })).await?;
        }
        Ok(())
    }

    /// Notes in the audit a step that was taken with an endpoint, and by whom.
    pub(super) async fn note_webhook(&self, name: &str, by: &Actor, mut detail: Value) -> Result<(), Error> {
        if let Some(facts) = detail.as_object_mut() {
            facts.insert("by".to_owned(), signatory(by).to_string().into());
        }
        let entry = audit::Entry { at: self.clock.now(), event: audit::WEBHOOK, about: name.to_owned(), detail };
        Ok(self.store.audit(entry).await?)
    }

    async fn queue_events_of(&self, endpoint: &Webhook, mut seen: i64) -> Result<usize, Error> {
        let mut queued = 0;
        loop {
            let page = self.store.feed(seen).await?;
            if page.read_to == seen {
                return Ok(queued);
            }
            let mut numbers: Vec<_> = page.happened.iter().map(|happened| happened.ticket).collect();
            numbers.dedup();
            let tickets = self.store.watched(&numbers).await?;
            let now = self.clock.now();
            let deliveries: Vec<NewDelivery> = page
                .happened
                .iter()
                .filter_map(|happened| {
                    let ticket = tickets.iter().find(|ticket| ticket.number == happened.ticket)?;
                    self.delivery_of(endpoint, happened, ticket, now)
                })
                .collect();
            let step = (seen, page.read_to);
            if !self.store.queue_deliveries(endpoint.id.as_str(), step, now, &deliveries).await? {
                // Another host has taken this piece, and goes on.
                return Ok(queued);
            }
            queued += deliveries.len();
            seen = page.read_to;
        }
    }

    fn delivery_of(
        &self,
        endpoint: &Webhook,
        happened: &Happened,
        ticket: &Watched,
        now: Timestamp,
    ) -> Option<NewDelivery> {
        let Happened { place, ticket: number, seq, entry } = happened;
        let kind = kind_of(entry.event.kind())?;
        if is_stale(entry.at, now) || !wants(endpoint, &kind, entry.visibility) {
            return None;
        }
        let mut data = Map::new();
        let mut tell = |name: &str, value: Value| drop(data.insert(name.to_owned(), value));
        tell("ticket", number.to_string().into());
        tell("id", ticket.id.to_string().into());
        tell("sequence", (*seq).into());
        tell("visibility", entry.visibility.code().into());
        for (name, text) in entry.event.details().into_iter().filter(|(name, _)| TOLD.contains(name)) {
            tell(name, text.into());
        }
        let body = Body { r#type: &kind, timestamp: entry.at.to_string(), data };
        Some(NewDelivery {
            id: self.clock.new_id(),
            ticket: ticket.id,
            event: format!("evt_{place}_{}_{seq}", number.0),
            body: serde_json::to_string(&body).unwrap_or_default(),
            kind,
        })
    }

    /// The next thing to do about a delivery.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn next_delivery(&self, claimed: &Claimed) -> Result<Next, Error> {
        self.store.on_disk().await?;
        let Some(delivery) = self.store.delivery(claimed.key).await?.filter(|found| found.sent_at.is_none()) else {
            return Ok(Next::Nothing);
        };
        let webhooks = self.store.webhooks().await?;
        let disabled = webhooks.iter().any(|found| found.name == delivery.webhook && found.disabled_at.is_some());
        if disabled {
            return Ok(Next::Wait(later(self.clock.now(), DISABLED_WAIT)));
        }
        Ok(Next::Send(Box::new(delivery)))
    }

    /// Gives back a delivery to an endpoint which is slow, and has as many on their way as it may, and puts off all that are due to it;
    /// until when. None of them counts as tried.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn hold_deliveries(&self, claimed: &Claimed, name: &str) -> Result<Timestamp, Error> {
        let now = self.clock.now();
        let until = now.saturating_add(HELD_FOR).unwrap_or(Timestamp::MAX);
        self.store.give_back(std::slice::from_ref(claimed), now).await?;
        self.store.hold_deliveries(name, now, until).await?;
        Ok(until)
    }

    /// Writes down the status of an answer, or that there was none; what becomes of the delivery.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn delivery_answered(
        &self,
        claimed: &Claimed,
        name: &str,
        status: Option<u16>,
        why: String,
    ) -> Result<Result<(), Failed>, Error> {
        let now = self.clock.now();
        if let Some(status) = status.filter(|status| (200..300).contains(status)) {
            self.store.delivered(claimed, name, now, status.into()).await?;
            return Ok(Ok(()));
        }
        self.store.delivery_failed(claimed, name, now, status.map(i64::from)).await?;
        if status == Some(GONE) {
            self.disable(name, "it answered 410 Gone").await?;
            return Ok(Err(Failed { why, again: Again::Never }));
        }
        let webhooks = self.store.webhooks().await?;
        let since = webhooks.iter().find(|found| found.name == name).and_then(|found| found.failing_since);
        if since.is_some_and(|since| now.duration_since(since) > DISABLED_AFTER) {
            self.disable(name, "it has taken nothing for five days").await?;
        }
        Ok(Err(why.into()))
    }

    async fn disable(&self, name: &str, why: &str) -> Result<(), Error> {
        if self.store.disable_webhook(name, self.clock.now(), why).await? {
            tracing::error!(webhook = name, why, "a webhook is out of use: an admin takes it into use again");
            self.note_webhook(name, &Actor::System, json!({ "step": "disabled", "why": why })).await?;
        }
        Ok(())
    }

    /// All endpoints that were ever in use.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn webhooks(&self, actor: &Actor) -> Result<Vec<StoredWebhook>, Error> {
        permission::administer(actor)?;
        Ok(self.store.webhooks().await?)
    }

    /// The deliveries to an endpoint, the newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`].
    pub async fn deliveries(
        &self,
        actor: &Actor,
        name: &str,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Page<Delivery, Uuid>, Error> {
        self.known_webhook(actor, name).await?;
        Ok(self.store.deliveries(name, before, limit).await?)
    }

    /// The events that wait for an endpoint, which it gets while it is in use.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`].
    pub async fn webhook_resumes(&self, actor: &Actor, name: &str) -> Result<Resumes, Error> {
        let webhook = self.known_webhook(actor, name).await?;
        let unread = self.store.feed_end().await?.saturating_sub(webhook.seen);
        Ok(Resumes { waiting: self.store.waiting_deliveries(name).await?, unread })
    }

    /// Takes an endpoint out of use for a reason, which its history keeps: its events wait for it. One that is out of use stays so.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`]; [`Error::Rejected`] without a reason.
    pub async fn pause_webhook(&self, actor: &Actor, name: &str, why: &str) -> Result<(), Error> {
        self.known_webhook(actor, name).await?;
        accept(check_reason("why", why))?;
        if self.store.disable_webhook(name, self.clock.now(), why).await? {
            self.note_webhook(name, actor, json!({ "step": "paused", "why": why })).await?;
            tracing::info!(webhook = name, actor = %signatory(actor), "a webhook is paused");
        }
        Ok(())
    }

    /// Takes an endpoint into use again, for a reason, or for none where a program does so; it goes on where it was.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`]; [`Error::Rejected`] for a reason that is none.
    pub async fn enable_webhook(&self, actor: &Actor, name: &str, why: Option<&str>) -> Result<(), Error> {
        let was_in_use = self.known_webhook(actor, name).await?.disabled_at.is_none();
        accept(why.and_then(|why| check_reason("why", why)))?;
        self.store.enable_webhook(name, self.clock.now()).await?;
        self.jobs.wake();
        if !was_in_use {
            self.note_webhook(name, actor, json!({ "step": "enabled", "why": why.unwrap_or_default() })).await?;
        }
        tracing::info!(webhook = name, actor = %signatory(actor), "a webhook is in use again");
        Ok(())
    }

    /// Delivers again, with the same ids, one delivery or all since some time; how many.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`] for an endpoint or a delivery that there is not.
    pub async fn replay(&self, actor: &Actor, name: &str, which: Replay) -> Result<u64, Error> {
        self.known_webhook(actor, name).await?;
        let (id, since) = match which {
            Replay::One(id) => (Some(id), Timestamp::MIN),
            Replay::Since(since) => (None, since),
        };
        let replayed = self.store.replay_deliveries(name, (id, since), self.clock.now()).await?;
        if let (Some(id), 0) = (id, replayed) {
            return Err(Error::Missing { what: "delivery", name: id.to_string() });
        }
        self.jobs.wake();
        self.note_webhook(name, actor, json!({ "step": "replayed", "replayed": replayed })).await?;
        tracing::info!(webhook = name, replayed, actor = %signatory(actor), "events are delivered again");
        Ok(replayed)
    }

    async fn known_webhook(&self, actor: &Actor, name: &str) -> Result<StoredWebhook, Error> {
        let known = self.webhooks(actor).await?;
        let missing = || Error::Missing { what: "webhook", name: name.to_owned() };
        known.into_iter().find(|webhook| webhook.name == name).ok_or_else(missing)
    }

    /// Forgets deliveries that succeeded long ago; how many.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn forget_deliveries(&self) -> Result<u64, Error> {
        let before = earlier(self.clock.now(), KEPT_FOR);
        let mut forgotten = 0;
        loop {
            match self.store.forget_deliveries(before).await? {
                0 => return Ok(forgotten),
                some => forgotten += some,
            }
        }
    }
}

/// The events that an endpoint has not got yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resumes {
    /// Deliveries that wait for it, counted up to [`WAITING_MAX`].
    pub waiting: i64,
    /// Changes that have not been looked at for it yet.
    pub unread: i64,
}

/// Which deliveries are made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    One(Uuid),
    /// All that were queued since then.
    Since(Timestamp),
}

/// The type of an event by the word of its entry; `None` for what concerns the desk alone.
fn kind_of(word: &str) -> Option<String> {
    match word {
        "submitted" => Some("ticket.created".to_owned()),
        "set" => Some("ticket.updated".to_owned()),
        "access-decided" => Some("access.decided".to_owned()),
        "acknowledged" => None,
        other => Some(format!("ticket.{}", other.replace('-', "_"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_gets_what_it_wants_and_no_more() {
        let hears = |events: &[&str], internal, kind, visibility| {
            let webhook = Webhook {
                id: "x".parse().unwrap(),
                url: String::new(),
                secret_file: None,
                events: events.iter().map(|event| (*event).to_owned()).collect(),
                internal,
            };
            wants(&webhook, kind, visibility)
        };
        let public = Visibility::Public;
        assert!(hears(&[], false, "ticket.created", public));
        assert!(hears(&["ticket.*"], false, "ticket.commented", public));
        assert!(hears(&["*"], false, "access.decided", public));
        assert!(!hears(&["ticket.*"], false, "access.decided", public));
        assert!(!hears(&["ticket.commented"], false, "ticket.created", public));
        assert!(!hears(&[], false, "ticket.commented", Visibility::Internal));
        assert!(hears(&[], true, "ticket.commented", Visibility::Internal));
    }

    #[test]
    fn the_type_of_an_event_has_the_characters_that_the_specification_allows() {
        assert_eq!(kind_of("state-changed").as_deref(), Some("ticket.state_changed"));
        assert_eq!(kind_of("acknowledged"), None);
    }
}
