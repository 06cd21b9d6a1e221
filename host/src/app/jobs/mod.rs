//! Work that waits in the store: how it is claimed, what becomes of it after a run, and how an administrator looks after what
//! the desk has given up on.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::app::office::signatory;
use crate::app::{Clock, Error};
use crate::desk::actor::Actor;
use crate::desk::change::timer::TimerKind;
use crate::desk::permission;
use crate::store::Store;
use crate::store::jobs::Lease;
pub use crate::store::jobs::{Claimed, DeadJob, DeadPlace, JobId, Queue};
use crate::store::sql::page::Page;

pub(in crate::app) mod background;
pub mod endpoints;
pub mod event_stream;
pub mod events;
pub mod looks;
pub mod messages;
pub mod pace;
pub mod proofs;
pub mod stop;
pub mod webhooks;

/// How long a claim holds. It outlives a run and the writing of what came of it.
pub const LEASE: Duration = Duration::from_secs(60);
/// How long one run may take.
pub const RUN_MAX: Duration = Duration::from_secs(30);
const _: () = assert!(RUN_MAX.as_secs() * 2 <= LEASE.as_secs(), "no claim runs out under a run that is in time");

/// How long work that fails is tried again, and how often.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// How often work is begun before the desk gives up on it.
    attempts_max: u32,
    /// The wait after the first attempt; it doubles with each further one.
    backoff_min: Duration,
    /// The longest wait between two attempts.
    backoff_max: Duration,
}

/// With the waits between, for half an hour: nothing but the desk's own store can be the matter.
const OWN_WORK: Patience =
    Patience { attempts_max: 12, backoff_min: Duration::from_secs(1), backoff_max: Duration::from_secs(15 * 60) };
/// The end of access, for as long as it takes: what is given up would be access that stays (I8, I13). Once an hour at last, so that very
/// many that fail for ever are not most of the desk's work.
const FOR_EVER: Patience = Patience { attempts_max: u32::MAX, backoff_max: Duration::from_secs(3600), ..OWN_WORK };
/// For two days and a half: another system may be down over a weekend.
const OTHERS_WORK: Patience =
    Patience { attempts_max: 26, backoff_min: Duration::from_secs(5), backoff_max: Duration::from_secs(4 * 3600) };

const fn patience(queue: Queue) -> Patience {
    match queue {
        Queue::Timers(TimerKind::AccessExpiry | TimerKind::AccessReview | TimerKind::Provision) => FOR_EVER,
        Queue::Timers(_) => OWN_WORK,
        Queue::Outbox | Queue::Webhooks => OTHERS_WORK,
    }
}

/// How often work of a queue is begun before the desk gives up on it.
pub const fn attempts_max(queue: Queue) -> u32 {
    patience(queue).attempts_max
}

/// Why a run has failed, and whether another may do better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    pub why: String,
    pub again: Again,
}

/// Whether and when failed work is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// After a wait that grows with the attempts.
    Later,
    /// Not before this time, as the other side asks.
    NotBefore(Timestamp),
    /// It will never succeed.
    Never,
}

impl From<String> for Failed {
    fn from(why: String) -> Self {
        Failed { why, again: Again::Later }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        error.to_string().into()
    }
}

/// Dead jobs on one page.
pub const DEAD_PAGE_MAX: i64 = 200;

/// The end of a run that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, or there is nothing to do any more.
    Done,
    /// It is not due before this time.
    NotBefore(Timestamp),
}

/// The end that claimed work came to with its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Done,
    /// It failed, and is tried again from this time on.
    Again(Timestamp),
    /// It failed once too often, and is dead until it is revived.
    Buried,
    /// It failed, and was cancelled, set again or claimed by another host meanwhile: this run has no say.
    Overtaken,
}

/// The waiting work of a desk, for those who do it and those who look after it. It needs no rules.
#[derive(Debug)]
pub struct Jobs {
    store: Store,
    clock: Clock,
    /// Tells this process that something may be due before it looks by itself.
    due: Notify,
}

impl Jobs {
    /// The waiting work in a store.
    pub fn new(store: Store, clock: Clock) -> Jobs {
        Jobs { store, clock, due: Notify::new() }
    }

    /// Says that something may be due, so that it need not wait for the next look.
    pub fn wake(&self) {
        self.due.notify_one();
    }

    /// Waits until something may be due.
    pub async fn may_be_due(&self) {
        self.due.notified().await;
    }

    /// Claims work that is due, at most `limit` pieces. Each is this host's until [`Jobs::settle`], or until its lease is over.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn claim(&self, queue: Queue, limit: usize) -> Result<Vec<Claimed>, Error> {
        let now = self.clock.now();
        let lease = Lease { fence: self.clock.new_id(), now, until: later(now, LEASE) };
        Ok(self.store.claim(queue, lease, i64::try_from(limit).unwrap_or(i64::MAX)).await?)
    }

    /// How long it is until the next piece of work is due: no time where one is due already; `None` where none waits. And for
    /// how long that one has been due.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn next_due(&self, queue: Queue) -> Result<Option<Due>, Error> {
        let now = self.clock.now();
        let next = self.store.next_due(queue).await?;
        Ok(next.map(|at| {
            let between = at.duration_since(now);
            if at > now { Due::In(between.unsigned_abs()) } else { Due::Since(between.unsigned_abs()) }
        }))
    }

    /// Writes what came of a run: done, or why not.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written: then the lease runs out, and the work is done again.
    pub async fn settle(&self, claimed: &Claimed, came: Result<Outcome, Failed>) -> Result<Settled, Error> {
        let now = self.clock.now();
        let (held, settled) = match came {
            Ok(Outcome::Done) => {
                // Where the claim no longer holds, the work itself has cancelled its timer, or it was set again: both are right.
                self.store.finish(claimed, now).await?;
                return Ok(Settled::Done);
            }
            Ok(Outcome::NotBefore(at)) => (self.store.put_off(claimed, at).await?, Settled::Again(at)),
            Err(Failed { why, again }) if again == Again::Never || claimed.attempts >= attempts_max(claimed.queue) => {
                (self.store.bury(claimed, now, &why).await?, Settled::Buried)
            }
            Err(Failed { why, again }) => {
                let wait = backoff(patience(claimed.queue), claimed.attempts, share(self.clock.new_id()));
                let at = match again {
                    Again::NotBefore(at) => at.max(later(now, wait)),
                    Again::Later | Again::Never => later(now, wait),
                };
                (self.store.retry_later(claimed, at, &why).await?, Settled::Again(at))
            }
        };
        Ok(if held { settled } else { Settled::Overtaken })
    }

    /// Gives back what was claimed together and not begun: it is due at once, and no attempt of it counts.
    ///
    /// # Errors
    ///
    /// As [`Jobs::settle`].
    pub async fn give_back(&self, unbegun: &[Claimed]) -> Result<(), Error> {
        self.store.give_back(unbegun, self.clock.now()).await?;
        self.wake();
        Ok(())
    }

    /// Writes the end of many timers that did not fail, in one transaction.
    ///
    /// # Errors
    ///
    /// As [`Jobs::settle`].
    pub async fn settle_timers(&self, ended: &[(&Claimed, Outcome)]) -> Result<(), Error> {
        let until = |outcome: Outcome| match outcome {
            Outcome::Done => None,
            Outcome::NotBefore(at) => Some(at),
        };
        let ended: Vec<_> = ended.iter().map(|(claimed, outcome)| (*claimed, until(*outcome))).collect();
        Ok(self.store.settle_timers(&ended).await?)
    }

    /// How much dead work there is in each queue that this program knows.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn dead_counts(&self) -> Result<Vec<(Queue, i64)>, Error> {
        let counts = self.store.dead_counts().await?;
        let count = |queue: Queue| counts.iter().find(|(name, _)| name == queue.name()).map_or(0, |(_, count)| *count);
        Ok(queues().map(|queue| (queue, count(queue))).collect())
    }

    /// Work that the desk has given up on, the longest dead first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn dead(
        &self,
        actor: &Actor,
        after: Option<DeadPlace>,
        limit: i64,
    ) -> Result<Page<DeadJob, DeadPlace>, Error> {
        permission::administer(actor)?;
        let limit = usize::try_from(limit.clamp(1, DEAD_PAGE_MAX)).unwrap_or(usize::MAX);
        Ok(self.store.dead_jobs(after.as_ref(), limit).await?)
    }

    /// Has one piece of dead work done again, as if it had never been tried.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`] where it is not dead.
    pub async fn retry(&self, actor: &Actor, id: &JobId) -> Result<(), Error> {
        permission::administer(actor)?;
        if !self.store.revive(id, self.clock.now()).await? {
            return Err(Error::Missing { what: "dead job", name: id.to_string() });
        }
        self.wake();
        tracing::info!(job = id.queue.name(), id = %id, actor = %signatory(actor), "a dead job is tried again");
        Ok(())
    }

    /// Has all dead work of a queue done again; how many pieces that were.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn retry_all(&self, actor: &Actor, queue: Queue) -> Result<u64, Error> {
        permission::administer(actor)?;
        let revived = self.store.revive_all(queue, self.clock.now()).await?;
        self.wake();
        tracing::info!(job = queue.name(), revived, actor = %signatory(actor), "all dead jobs of a kind are tried again");
        Ok(revived)
    }
}

/// When the next piece of work is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    In(Duration),
    Since(Duration),
}

/// Every queue.
pub fn queues() -> impl Iterator<Item = Queue> {
    TimerKind::ALL.into_iter().map(Queue::Timers).chain([Queue::Outbox, Queue::Webhooks])
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// The wait after so many attempts: it doubles with each, up to a bound. `share`, from 0 to 1, takes up to half of it off, so
/// that what failed together is not tried again together.
fn backoff(patience: Patience, attempts: u32, share: f64) -> Duration {
    let Patience { backoff_min, backoff_max, .. } = patience;
    let doubled = 1_u32.checked_shl(attempts.saturating_sub(1)).map(|times| backoff_min.saturating_mul(times));
    let whole = doubled.map_or(backoff_max, |wait| wait.min(backoff_max));
    whole - whole.mul_f64(share.clamp(0.0, 1.0) / 2.0)
}

/// A number from 0 to 1, out of the last 32 bits of an id: they are random in every id of UUID version 7 (RFC 9562, 5.7).
fn share(id: Uuid) -> f64 {
    let [.., a, b, c, d] = id.into_bytes();
    f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_bound_and_chance_takes_up_to_half_of_it() {
        let waits: Vec<u64> = (1..=12).map(|attempts| backoff(OWN_WORK, attempts, 0.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(backoff(OWN_WORK, 3, 1.0), Duration::from_secs(2));
        assert_eq!(backoff(OWN_WORK, 0, 0.5), Duration::from_millis(750));
        assert_eq!(backoff(OWN_WORK, u32::MAX, 0.0), OWN_WORK.backoff_max);
        let tried = 100_000 / backoff(FOR_EVER, u32::MAX, 1.0).as_secs();
        assert_eq!(tried, 55, "a second, of 100,000 that fail for ever, where chance takes the most off");
        let others: u64 = (1..OTHERS_WORK.attempts_max).map(|n| backoff(OTHERS_WORK, n, 0.0).as_secs()).sum();
        assert_eq!(others / 3600, 57, "hours over which another system's work is tried");
    }

    #[test]
    fn a_share_is_between_nothing_and_all() {
        assert_eq!((share(Uuid::nil()), share(Uuid::max())), (0.0, 1.0));
        let half = share(Uuid::from_u128(1 << 31));
        assert!((half - 0.5).abs() < 1e-6, "{half}");
    }
}
