//! Webhooks: how far each endpoint has come in the feed, and what is delivered to it.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Claimed, Queue, held};
use crate::desk::id::TicketId;
use crate::store::db::{Arg, Row, Tx};
use crate::store::sql::columns::{at, ms};
use crate::store::sql::page::Page;
use crate::store::{Error, Store};

const T: &str = "webhook_deliveries";
/// Bytes of bodies that a page of deliveries has, before the delivery with which it gets longer.
const PAGE_BYTES_MAX: usize = 1 << 20;
/// Deliveries that are forgotten in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 500;
/// Waiting deliveries of an endpoint that are counted.
pub const WAITING_MAX: i64 = 1_000;

/// An endpoint, as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWebhook {
    pub name: String,
    /// The place in the feed up to which its events are deliveries.
    pub seen: i64,
    pub failing_since: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
    /// Why it is not in use.
    pub why: String,
}

/// An event for one endpoint, as it is queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    pub id: Uuid,
    pub ticket: TicketId,
    /// The stable id of the event.
    pub event: String,
    pub kind: String,
    pub body: String,
}

/// An event for one endpoint, and what has become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: Uuid,
    pub webhook: String,
    pub event: String,
    pub kind: String,
    pub body: String,
    pub queued_at: Timestamp,
    pub attempts: i64,
    pub last_error: String,
    pub dead_at: Option<Timestamp>,
    pub sent_at: Option<Timestamp>,
    /// The status of the last answer.
    pub status: Option<i64>,
}

/// The endpoints that come and go with a version of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComeAndGo {
    pub begun: Vec<String>,
    pub ended: Vec<String>,
}

/// The name under which the secrets of an endpoint are kept.
pub fn secrets_of(name: &str) -> String {
    format!("webhook/{name}")
}

/// Why deliveries are given up whose endpoint is gone.
pub fn gone(name: &str) -> String {
    format!("the configuration has no webhook `{name}` any more")
}

/// Ends endpoints, and begins others from here on, with the version that says so: an event that follows it is missed by none of them.
/// One that comes again under its name begins as a new one: the secrets of before have ended, since they may be why it was taken away,
/// and what waited then is not sent.
///
/// # Errors
///
/// Where the database cannot be written.
pub async fn come_and_go(tx: &mut Tx, ComeAndGo { begun, ended }: &ComeAndGo, now: Timestamp) -> Result<(), Error> {
    for name in begun.iter().chain(ended) {
        tx.execute("delete from secrets where name = $1", vec![secrets_of(name).into()]).await?;
        let sql = "update webhook_deliveries set dead_at = $2, last_error = $3, fence = null \
                   where webhook = $1 and sent_at is null and dead_at is null";
        tx.execute(sql, vec![name.as_str().into(), ms(now).into(), gone(name).into()]).await?;
    }
    for name in begun {
        let sql = "insert into webhooks (name, seen) \
                   select $1, coalesce((select link from chain_heads where chain = 'timelines'), 0) where true \
                   on conflict (name) do update \
                   set seen = excluded.seen, failing_since = null, disabled_at = null, why = ''";
        tx.execute(sql, vec![name.as_str().into()]).await?;
    }
    Ok(())
}

const COLUMNS: &str = "id, webhook, event, kind, body, queued_at, attempts, last_error, dead_at, sent_at, status";

fn delivery(row: &Row) -> Result<Delivery, Error> {
    let time = |column, value: Option<i64>| value.map(|ms| at(T, column, ms)).transpose();
    Ok(Delivery {
        id: row.uuid(0)?,
        webhook: row.text(1)?,
        event: row.text(2)?,
        kind: row.text(3)?,
        body: row.text(4)?,
        queued_at: at(T, "queued_at", row.int(5)?)?,
        attempts: row.int(6)?,
        last_error: row.text(7)?,
        dead_at: time("dead_at", row.opt_int(8)?)?,
        sent_at: time("sent_at", row.opt_int(9)?)?,
        status: row.opt_int(10)?,
    })
}

fn webhook(row: &Row) -> Result<StoredWebhook, Error> {
    let time = |column, value: Option<i64>| value.map(|ms| at("webhooks", column, ms)).transpose();
    Ok(StoredWebhook {
        name: row.text(0)?,
        seen: row.int(1)?,
        failing_since: time("failing_since", row.opt_int(2)?)?,
        disabled_at: time("disabled_at", row.opt_int(3)?)?,
        why: row.text(4)?,
    })
}

impl Store {
    /// All endpoints that were ever in use, by name.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn webhooks(&self) -> Result<Vec<StoredWebhook>, Error> {
        let sql = "select name, seen, failing_since, disabled_at, why from webhooks order by name";
        Ok(self.readable("webhooks", &self.db.quick(sql, Vec::new()).await?, webhook))
    }

    /// Takes an endpoint into use that is new: its events begin behind this place of the feed. Whether it was new.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn begin_webhook(&self, name: &str, seen: i64) -> Result<bool, Error> {
        let sql = "insert into webhooks (name, seen) values ($1, $2) on conflict do nothing";
        Ok(self.write(sql, vec![name.into(), Arg::from(seen)]).await? == 1)
    }

    /// How many deliveries wait for an endpoint, counted up to [`WAITING_MAX`].
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn waiting_deliveries(&self, name: &str) -> Result<i64, Error> {
        let sql = "select count(*) from (select 1 from webhook_deliveries \
                   where webhook = $1 and sent_at is null and dead_at is null limit $2) w";
        self.number(sql, vec![name.into(), WAITING_MAX.into()]).await
    }

    /// Queues what happened between two places of the feed for an endpoint. Whether it had come as far as `from`: where another
    /// host was quicker, nothing is written.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn queue_deliveries(
        &self,
        name: &str,
        (from, to): (i64, i64),
        now: Timestamp,
        deliveries: &[NewDelivery],
    ) -> Result<bool, Error> {
        let row = |delivery: &NewDelivery| {
            let NewDelivery { id, ticket, event, kind, body } = delivery;
            vec![
                Arg::from(*id),
                name.into(),
                ticket.0.into(),
                event.as_str().into(),
                kind.as_str().into(),
                body.as_str().into(),
                ms(now).into(),
                ms(now).into(),
            ]
        };
        let rows: Vec<Vec<Arg>> = deliveries.iter().map(row).collect();
        let written = self.db.durably(async |mut tx| {
            let sql = "update webhooks set seen = $3 where name = $1 and seen = $2";
            let moved = tx.execute(sql, vec![name.into(), from.into(), Arg::from(to)]).await? == 1;
            if moved {
                let head =
                    "insert into webhook_deliveries (id, webhook, ticket, event, kind, body, queued_at, not_before)";
                tx.insert(head, 8, "", rows.clone()).await?;
            }
            Ok((moved, tx))
        });
        written.await
    }

    /// The delivery with this id.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn delivery(&self, id: Uuid) -> Result<Option<Delivery>, Error> {
        let sql = format!("select {COLUMNS} from webhook_deliveries where id = $1");
        self.db.optional(&sql, vec![id.into()]).await?.as_ref().map(delivery).transpose()
    }

    /// The deliveries to an endpoint, the newest first, before one of them; at most `limit`, with about [`PAGE_BYTES_MAX`] of bodies.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn deliveries(
        &self,
        name: &str,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Page<Delivery, Uuid>, Error> {
        let sql = format!(
            "select {COLUMNS} from webhook_deliveries where webhook = $1 and id < $2 order by id desc limit {}",
            limit + 1
        );
        let args = vec![name.into(), Arg::from(before.unwrap_or(Uuid::max()))];
        let rows = self.db.quick(&sql, args).await?;
        let page = self.readable_page(T, (&rows, limit), delivery, |row| row.uuid(0));
        Ok(page.within(PAGE_BYTES_MAX, |delivery| delivery.body.len(), |delivery| delivery.id))
    }

    /// Writes down that an endpoint has taken a delivery. Whether the claim still held.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn delivered(&self, claimed: &Claimed, name: &str, now: Timestamp, status: i64) -> Result<bool, Error> {
        let held = held(Queue::Webhooks);
        let sql = format!(
            "update webhook_deliveries set sent_at = $3, status = $4, last_error = '', fence = null where {held}"
        );
        let done = self.settle(claimed, &sql, vec![ms(now).into(), Arg::from(status)]).await?;
        let sql = "update webhooks set failing_since = null where name = $1 and failing_since is not null";
        self.write(sql, vec![name.into()]).await?;
        Ok(done)
    }

    /// Writes down the status of an answer that was no success, and since when there has been none.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn delivery_failed(
        &self,
        claimed: &Claimed,
        name: &str,
        now: Timestamp,
        status: Option<i64>,
    ) -> Result<(), Error> {
        let sql = format!("update webhook_deliveries set status = $3 where {}", held(Queue::Webhooks));
        self.settle(claimed, &sql, vec![status.into()]).await?;
        let sql = "update webhooks set failing_since = $2 where name = $1 and failing_since is null";
        self.write(sql, vec![name.into(), ms(now).into()]).await.map(drop)
    }

    /// Takes an endpoint out of use, and says why. Whether it was in use.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn disable_webhook(&self, name: &str, now: Timestamp, why: &str) -> Result<bool, Error> {
        let sql = "update webhooks set disabled_at = $2, why = $3 where name = $1 and disabled_at is null";
        Ok(self.write(sql, vec![name.into(), ms(now).into(), why.into()]).await? == 1)
    }

    /// Takes an endpoint into use again: what waits for it is due now. Whether there is such an endpoint.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn enable_webhook(&self, name: &str, now: Timestamp) -> Result<bool, Error> {
        let sql = "update webhooks set disabled_at = null, failing_since = null, why = '' where name = $1";
        let known = self.write(sql, vec![name.into()]).await? == 1;
        self.deliver_now(name, now).await?;
        Ok(known)
    }

    /// Makes all due now that waits for an endpoint.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn deliver_now(&self, name: &str, now: Timestamp) -> Result<(), Error> {
        let sql = "update webhook_deliveries set not_before = $2 \
                   where webhook = $1 and sent_at is null and dead_at is null and not_before > $2";
        self.write(sql, vec![name.into(), ms(now).into()]).await.map(drop)
    }

    /// Puts off until a time all that is due to an endpoint by now.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn hold_deliveries(&self, name: &str, now: Timestamp, until: Timestamp) -> Result<(), Error> {
        let sql = "update webhook_deliveries set not_before = $3 \
                   where webhook = $1 and sent_at is null and dead_at is null and not_before <= $2";
        self.write(sql, vec![name.into(), ms(now).into(), ms(until).into()]).await.map(drop)
    }

    /// The secrets that the desk keeps under a name.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn secret(&self, name: &str) -> Result<Option<String>, Error> {
        let row = self.db.optional("select value from secrets where name = $1", vec![name.into()]).await?;
        row.map(|row| row.text(0)).transpose()
    }

    /// Keeps secrets under a name in the place of those that were read there before. Whether those were still there.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn replace_secret(&self, name: &str, before: Option<&str>, value: &str) -> Result<bool, Error> {
        let changed = match before {
            None => {
                let sql = "insert into secrets (name, value) values ($1, $2) on conflict do nothing";
                self.write(sql, vec![name.into(), Arg::from(value)]).await?
            }
            Some(before) => {
                let sql = "update secrets set value = $3 where name = $1 and value = $2";
                self.write(sql, vec![name.into(), before.into(), Arg::from(value)]).await?
            }
        };
        Ok(changed == 1)
    }

    /// Delivers again, with the same ids, what was queued for an endpoint since some time, or the one with this id. How many
    /// those are.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn replay_deliveries(
        &self,
        name: &str,
        which: (Option<Uuid>, Timestamp),
        now: Timestamp,
    ) -> Result<u64, Error> {
        let (id, since) = which;
        let only = if id.is_some() { "and id = $4" } else { "" };
        let sql = format!(
            "update webhook_deliveries set sent_at = null, dead_at = null, fence = null, attempts = 0, last_error = '', \
             not_before = $3 where webhook = $1 and queued_at >= $2 {only}"
        );
        let mut args: Vec<Arg> = vec![name.into(), ms(since).into(), ms(now).into()];
        args.extend(id.map(Arg::from));
        self.write(&sql, args).await
    }

    /// Forgets some deliveries that succeeded before a time; how many.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn forget_deliveries(&self, before: Timestamp) -> Result<u64, Error> {
        let sql = "delete from webhook_deliveries where id in (select id from webhook_deliveries where sent_at < $1 \
                   order by sent_at limit $2)";
        self.write(sql, vec![ms(before).into(), FORGOTTEN_AT_ONCE.into()]).await
    }
}
