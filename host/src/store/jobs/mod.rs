//! Work that waits: claimed by lease, struck off under a fence, tried again later, and at last laid aside as dead. One mechanism
//! for both queues.
//!
//! A claim puts off `not_before` to the end of its lease, so that no other claim gets the row until then, and leaves an id in
//! `fence` that no other claim has. The work's outcome is written only where that id is still there: a holder whose
//! lease ran out, or whose timer was set again meanwhile, changes nothing.

use jiff::Timestamp;
use uuid::Uuid;

use super::db::{Arg, Row};
use super::sql::columns::{at, at_or_epoch, corrupt, ms};
use super::sql::dialect::SKIP_LOCKED;
use super::sql::page::Page;
use super::sql::places;
use super::{Error, Store};
use crate::desk::change::timer::TimerKind;
use crate::desk::id::{TicketId, TicketNumber};

pub mod feed;
pub mod messages;
pub mod schedules;
pub mod webhooks;

/// The longest reason for a failure that is kept, in bytes.
const ERROR_BYTES_MAX: usize = 1_000;
/// How many dead rows are revived in one transaction.
const REVIVED_AT_ONCE: i64 = 500;

/// Where work waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Queue {
    /// The timers of one kind.
    Timers(TimerKind),
    /// Messages that have not left.
    Outbox,
    /// Events that an endpoint of a webhook has not got yet.
    Webhooks,
}

/// The name of [`Queue::Outbox`]; no kind of timer has it.
const OUTBOX: &str = "outbox";
/// The name of [`Queue::Webhooks`]; no kind of timer has it.
const WEBHOOKS: &str = "webhooks";

impl Queue {
    /// The stable word for programs: the kind of timer, `outbox` or `webhooks`.
    pub const fn name(self) -> &'static str {
        match self {
            Queue::Timers(kind) => kind.code(),
            Queue::Outbox => OUTBOX,
            Queue::Webhooks => WEBHOOKS,
        }
    }

    /// The queue with this word.
    pub fn from_name(name: &str) -> Option<Queue> {
        match name {
            OUTBOX => Some(Queue::Outbox),
            WEBHOOKS => Some(Queue::Webhooks),
            kind => TimerKind::from_code(kind).map(Queue::Timers),
        }
    }

    const fn table(self) -> &'static str {
        match self {
            Queue::Timers(_) => "timers",
            Queue::Outbox => "outbox",
            Queue::Webhooks => "webhook_deliveries",
        }
    }

    /// The column that tells the queue's rows apart.
    const fn key(self) -> &'static str {
        match self {
            Queue::Timers(_) => "ticket",
            Queue::Outbox | Queue::Webhooks => "id",
        }
    }

    /// The column from which a row's delay counts.
    const fn due(self) -> &'static str {
        match self {
            Queue::Timers(_) => "due_at",
            Queue::Outbox | Queue::Webhooks => "queued_at",
        }
    }

    /// The condition for its rows. Kinds are words of this program, so they may stand in a statement.
    fn rows(self) -> String {
        match self {
            Queue::Timers(kind) => format!("kind = '{}'", kind.code()),
            Queue::Outbox | Queue::Webhooks => "sent_at is null".to_owned(),
        }
    }
}

/// A claim to be made: under which id, when, and until when no other may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// New for each claim.
    pub fence: Uuid,
    pub now: Timestamp,
    pub until: Timestamp,
}

/// Work that this host has claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub queue: Queue,
    /// The ticket of a timer, the id of a message.
    pub key: Uuid,
    pub ticket: TicketId,
    /// When the timer was due, or the message queued.
    pub due_at: Timestamp,
    /// Claims so far, this one included.
    pub attempts: u32,
    fence: Uuid,
}

/// Which row of a queue, for those who look after it; as text `QUEUE.ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobId {
    pub queue: Queue,
    pub key: Uuid,
}

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.queue.name(), self.key)
    }
}

impl std::str::FromStr for JobId {
    type Err = NoJobId;

    fn from_str(text: &str) -> Result<Self, NoJobId> {
        let parts = text.split_once('.').and_then(|(name, key)| Some((Queue::from_name(name)?, key.parse().ok()?)));
        parts.map(|(queue, key)| JobId { queue, key }).ok_or(NoJobId)
    }
}

/// A text that names no row of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is QUEUE.ID, as the list of dead jobs shows it")]
pub struct NoJobId;

/// Work that the desk has given up on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadJob {
    pub id: JobId,
    /// `None` where there is no such ticket.
    pub ticket: Option<TicketNumber>,
    pub due_at: Timestamp,
    pub attempts: u32,
    pub last_error: String,
    pub dead_at: Timestamp,
}

/// A place in the list of dead work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadPlace {
    pub dead_at: Timestamp,
    pub id: JobId,
}

impl DeadJob {
    /// Where it stands in the list.
    pub fn place(&self) -> DeadPlace {
        DeadPlace { dead_at: self.dead_at, id: self.id }
    }
}

impl Store {
    /// Claims what is due, the longest due first, at most `limit` rows. Rows that another host is claiming are left to it.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn claim(&self, queue: Queue, lease: Lease, limit: i64) -> Result<Vec<Claimed>, Error> {
        let (table, key, due, rows) = (queue.table(), queue.key(), queue.due(), queue.rows());
        // The rows are chosen once and for all: as a plain subquery they might be chosen again for each row that is updated.
        let sql = format!(
            "with due as materialized (select {key} from {table} \
             where {rows} and dead_at is null and not_before <= $1 order by not_before, {key} limit $2 {skip_locked}) \
             update {table} set fence = $3, not_before = $4, attempts = attempts + 1 \
             where {rows} and {key} in (select {key} from due) returning {key}, ticket, {due}, attempts",
            skip_locked = SKIP_LOCKED.text(&self.db)
        );
        let args = vec![ms(lease.now).into(), limit.into(), lease.fence.into(), Arg::from(ms(lease.until))];
        // A claim that a power cut undoes is made again: there is no need to wait for the disk.
        let (claimed, _) = self
            .db
            .transaction(async |mut tx| {
                let claimed = tx.all(&sql, args.clone()).await?;
                Ok((claimed, tx))
            })
            .await?;
        // One that cannot be read is claimed again and again, and keeps no other waiting.
        let mut claimed = self.readable(table, &claimed, |row| self::claimed(queue, lease.fence, row));
        claimed.sort_by_key(|claimed| (claimed.due_at, claimed.key));
        Ok(claimed)
    }

    /// Strikes off what is done: a timer is gone, a message sent. Whether the claim still held.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn finish(&self, claimed: &Claimed, now: Timestamp) -> Result<bool, Error> {
        let held = held(claimed.queue);
        match claimed.queue {
            Queue::Timers(_) => self.settle(claimed, &format!("delete from timers where {held}"), Vec::new()).await,
            Queue::Outbox | Queue::Webhooks => {
                let table = claimed.queue.table();
                let sql = format!("update {table} set sent_at = $3, fence = null where {held}");
                self.settle(claimed, &sql, vec![ms(now).into()]).await
            }
        }
    }

    /// When a ticket's timer is due; `None` where it does not run, or the desk has given up on it.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn timer_due(&self, kind: TimerKind, ticket: TicketId) -> Result<Option<Timestamp>, Error> {
        let sql = "select due_at from timers where kind = $1 and ticket = $2 and dead_at is null";
        let rows = self.db.quick(sql, vec![kind.code().into(), ticket.0.into()]).await?;
        rows.first().map(|row| at("timers", "due_at", row.int(0)?)).transpose()
    }

    /// Writes the end of many timers in one transaction: those without a time are struck off, the others are not due before it. A
    /// claim that holds no longer changes nothing.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn settle_timers(&self, ended: &[(&Claimed, Option<Timestamp>)]) -> Result<(), Error> {
        let statement = |(claimed, until): &(&Claimed, Option<Timestamp>)| {
            let held = held(claimed.queue);
            let mut args = vec![claimed.key.into(), Arg::from(claimed.fence)];
            let sql = match until {
                None => format!("delete from timers where {held}"),
                Some(until) => {
                    args.push(ms(*until).into());
                    format!("update timers set due_at = $3, not_before = $3, attempts = 0, fence = null where {held}")
                }
            };
            (sql, args)
        };
        let statements: Vec<(String, Vec<Arg>)> = ended.iter().map(statement).collect();
        let written = self.db.durably(async |mut tx| {
            for (sql, args) in &statements {
                tx.execute(sql, args.clone()).await?;
            }
            Ok(((), tx))
        });
        written.await
    }

    /// Gives work back that may be tried again from some time on. Whether the claim still held.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn retry_later(&self, claimed: &Claimed, not_before: Timestamp, why: &str) -> Result<bool, Error> {
        let (table, held) = (claimed.queue.table(), held(claimed.queue));
        let sql = format!("update {table} set not_before = $3, last_error = $4, fence = null where {held}");
        self.settle(claimed, &sql, vec![ms(not_before).into(), cut(why).into()]).await
    }

    /// Gives work back that is not due before some time, as if it had not been claimed. Whether the claim still held.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn put_off(&self, claimed: &Claimed, until: Timestamp) -> Result<bool, Error> {
        let (table, held) = (claimed.queue.table(), held(claimed.queue));
        let due = match claimed.queue {
            Queue::Timers(_) => "due_at = $3, ",
            Queue::Outbox | Queue::Webhooks => "",
        };
        let sql = format!("update {table} set {due}not_before = $3, attempts = 0, fence = null where {held}");
        self.settle(claimed, &sql, vec![ms(until).into()]).await
    }

    /// Gives back what was claimed together and not begun, so that it counts as no attempt. What is claimed again stays as it is.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn give_back(&self, unbegun: &[Claimed], now: Timestamp) -> Result<u64, Error> {
        let Some(Claimed { queue, fence, .. }) = unbegun.first() else { return Ok(0) };
        let (table, key, rows) = (queue.table(), queue.key(), queue.rows());
        let sql = format!(
            "update {table} set attempts = attempts - 1, not_before = $1, fence = null \
             where {rows} and fence = $2 and {key} in ({})",
            places(2, unbegun.len())
        );
        let mut args = vec![ms(now).into(), Arg::from(*fence)];
        args.extend(unbegun.iter().map(|one| Arg::from(one.key)));
        self.write(&sql, args).await
    }

    /// Lays work aside as dead: no claim gets it until it is revived. Whether the claim still held.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn bury(&self, claimed: &Claimed, now: Timestamp, why: &str) -> Result<bool, Error> {
        let (table, held) = (claimed.queue.table(), held(claimed.queue));
        let sql = format!("update {table} set dead_at = $3, last_error = $4, fence = null where {held}");
        self.settle(claimed, &sql, vec![ms(now).into(), cut(why).into()]).await
    }

    /// Waits until all that was written before is on the disk: what leaves the desk must not tell of what a power cut undoes.
    ///
    /// # Errors
    ///
    /// [`Error::Lost`] where the disk has not taken it.
    pub async fn on_disk(&self) -> Result<(), Error> {
        self.db.flush().done().await
    }

    async fn settle(&self, claimed: &Claimed, sql: &str, more: Vec<Arg>) -> Result<bool, Error> {
        let mut args = vec![claimed.key.into(), Arg::from(claimed.fence)];
        args.extend(more);
        Ok(self.write(sql, args).await? == 1)
    }

    /// From when on the next row can be claimed, which may be over; `None` where none waits.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn next_due(&self, queue: Queue) -> Result<Option<Timestamp>, Error> {
        let (table, rows) = (queue.table(), queue.rows());
        let sql = format!("select min(not_before) from {table} where {rows} and dead_at is null");
        let next = self.db.optional(&sql, Vec::new()).await?.map_or(Ok(None), |row| row.opt_int(0))?;
        // A time before all calendars is long over, and one after them never comes.
        Ok(next
            .map(|ms| Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })))
    }

    /// How much dead work there is, by the queue's name; a queue that has none is left out.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn dead_counts(&self) -> Result<Vec<(String, i64)>, Error> {
        let sql = "select kind, count(*) from timers where dead_at is not null group by kind \
                   union all select 'outbox', count(*) from outbox where dead_at is not null having count(*) > 0 \
                   union all select 'webhooks', count(*) from webhook_deliveries where dead_at is not null \
                   having count(*) > 0";
        self.db.all(sql, Vec::new()).await?.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
    }

    /// Dead work behind a place, the longest dead first, at most `limit` rows. Kinds that only a newer program knows are left
    /// to it.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn dead_jobs(&self, after: Option<&DeadPlace>, limit: usize) -> Result<Page<DeadJob, DeadPlace>, Error> {
        let known: Vec<String> = TimerKind::ALL.iter().map(|kind| format!("'{}'", kind.code())).collect();
        let sql = format!(
            "select d.queue, d.key, t.number, d.due_at, d.attempts, d.last_error, d.dead_at from ( \
             select kind as queue, ticket as key, ticket, due_at, attempts, last_error, dead_at \
             from timers where dead_at is not null and kind in ({}) \
             union all select 'outbox' as queue, id as key, ticket, queued_at as due_at, attempts, last_error, dead_at \
             from outbox where dead_at is not null \
             union all select 'webhooks' as queue, id as key, ticket, queued_at as due_at, attempts, last_error, dead_at \
             from webhook_deliveries where dead_at is not null) d left join tickets t on t.id = d.ticket \
             where (d.dead_at, d.key, d.queue) > ($1, $2, $3) order by d.dead_at, d.key, d.queue limit {}",
            known.join(", "),
            limit + 1
        );
        let (dead_at, key, name) = match after {
            Some(place) => (ms(place.dead_at), place.id.key, place.id.queue.name()),
            None => (i64::MIN, Uuid::nil(), ""),
        };
        let rows = self.db.all(&sql, vec![dead_at.into(), key.into(), name.into()]).await?;
        Ok(self.readable_page("timers", (&rows, limit), dead_job, |row| dead_job(row).map(|job| job.place())))
    }

    /// Lets one dead row be claimed again at once, with all its attempts before it. Whether it was dead.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn revive(&self, id: &JobId, now: Timestamp) -> Result<bool, Error> {
        let (table, key, rows) = (id.queue.table(), id.queue.key(), id.queue.rows());
        let sql = format!(
            "update {table} set dead_at = null, attempts = 0, not_before = $2 \
             where {rows} and {key} = $1 and dead_at is not null"
        );
        Ok(self.write(&sql, vec![id.key.into(), ms(now).into()]).await? == 1)
    }

    /// Lets all dead rows of a queue be claimed again at once; how many those were. It goes piece by piece: where it is cut
    /// off, some are revived and the rest are dead still.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn revive_all(&self, queue: Queue, now: Timestamp) -> Result<u64, Error> {
        let (table, key, rows) = (queue.table(), queue.key(), queue.rows());
        let sql = format!(
            "with dead as materialized (select {key} from {table} where {rows} and dead_at is not null \
             order by {key} limit $1 {skip_locked}) \
             update {table} set dead_at = null, attempts = 0, not_before = $2 \
             where {rows} and {key} in (select {key} from dead)",
            skip_locked = SKIP_LOCKED.text(&self.db)
        );
        let mut revived = 0;
        loop {
            let some = self.write(&sql, vec![REVIVED_AT_ONCE.into(), ms(now).into()]).await?;
            revived += some;
            if some == 0 {
                return Ok(revived);
            }
        }
    }
}

/// The condition for a row that is claimed: its key is `$1` and the claim's fence `$2`.
fn held(queue: Queue) -> String {
    format!("{} and {} = $1 and fence = $2", queue.rows(), queue.key())
}

/// The beginning of a reason, as far as it is kept.
fn cut(why: &str) -> &str {
    why.get(..why.floor_char_boundary(ERROR_BYTES_MAX)).unwrap_or_default()
}

fn claimed(queue: Queue, fence: Uuid, row: &Row) -> Result<Claimed, Error> {
    Ok(Claimed {
        queue,
        key: row.uuid(0)?,
        ticket: TicketId(row.uuid(1)?),
        due_at: at_or_epoch(row.int(2)?),
        attempts: attempts(row.int(3)?),
        fence,
    })
}

fn dead_job(row: &Row) -> Result<DeadJob, Error> {
    let name = row.text(0)?;
    let queue = Queue::from_name(&name).ok_or_else(|| corrupt("timers", "kind", name))?;
    Ok(DeadJob {
        id: JobId { queue, key: row.uuid(1)? },
        ticket: row.opt_int(2)?.map(TicketNumber),
        due_at: at_or_epoch(row.int(3)?),
        attempts: attempts(row.int(4)?),
        last_error: row.text(5)?,
        dead_at: at_or_epoch(row.int(6)?),
    })
}

fn attempts(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jobs_id_reads_back_and_a_reason_is_cut_between_characters() {
        for queue in [Queue::Timers(TimerKind::AccessDeadline), Queue::Outbox, Queue::Webhooks] {
            let id = JobId { queue, key: Uuid::from_u128(7) };
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for bad in ["", "outbox", "outbox.", "outbox.7", "other.00000000-0000-0000-0000-000000000007"] {
            assert_eq!(bad.parse::<JobId>(), Err(NoJobId), "{bad}");
        }
        let long = format!("{}ü", "x".repeat(ERROR_BYTES_MAX - 1));
        assert_eq!(cut(&long), "x".repeat(ERROR_BYTES_MAX - 1));
        assert_eq!(cut("short"), "short");
    }
}
