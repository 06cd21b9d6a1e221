//! Time and ids: the only place that asks the system for either.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use jiff::{SignedDuration, Timestamp};
use uuid::{Builder, Uuid};

/// The time, for the whole desk.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's.
    System,
    /// A test's: it stands still until it is moved by hand.
    Fixed(Arc<FixedClock>),
}

/// A clock that shows one instant. All copies of a [`Clock`] share it.
#[derive(Debug)]
pub struct FixedClock {
    /// Milliseconds since 1970-01-01T00:00:00Z, as far as the time of day was never set.
    millisecond: AtomicI64,
    /// By how many milliseconds the time of day was set forward.
    set: AtomicI64,
    /// How many ids it has made.
    ids: AtomicU64,
    /// Begins each id's last part, so that two such clocks on one database make different ids.
    seed: u64,
}

impl Clock {
    /// A clock that stands still at an instant, in whole milliseconds.
    pub fn fixed(at: Timestamp) -> Clock {
        let millisecond = AtomicI64::new(at.as_millisecond());
        let (_, seed) = Clock::System.new_id().as_u64_pair();
        Clock::Fixed(Arc::new(FixedClock { millisecond, set: AtomicI64::new(0), ids: AtomicU64::new(0), seed }))
    }

    /// The instant, to the millisecond: what the store keeps, so that what is read back equals what was written.
    pub fn now(&self) -> Timestamp {
        let millisecond = match self {
            Clock::System => {
                #[expect(clippy::disallowed_methods, reason = "this is the place that asks")]
                let now = Timestamp::now();
                now.as_millisecond()
            }
            Clock::Fixed(fixed) => fixed.time_of_day(),
        };
        Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// How long this clock has run. It only goes on, also where the time of day is set back; a test's goes with its time.
    pub fn elapsed(&self) -> Duration {
        match self {
            Clock::System => {
                static BEGUN: OnceLock<Instant> = OnceLock::new();
                instant().saturating_duration_since(*BEGUN.get_or_init(instant))
            }
            Clock::Fixed(fixed) => {
                Duration::from_millis(fixed.millisecond.load(Ordering::Acquire).try_into().unwrap_or_default())
            }
        }
    }

    /// A new id, UUID version 7 (RFC 9562): later ones sort after earlier ones.
    pub fn new_id(&self) -> Uuid {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the place that asks")]
            Clock::System => Uuid::now_v7(),
            Clock::Fixed(fixed) => fixed.new_id(),
        }
    }

    /// Moves a clock that stands still; the system's goes its own way.
    pub fn advance(&self, by: SignedDuration) {
        if let Clock::Fixed(fixed) = self {
            let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            fixed.millisecond.fetch_add(by, Ordering::AcqRel);
        }
    }

    /// Sets the time of day of a clock that stands still to another, as an administrator or a time server does: it has run no
    /// longer for that.
    pub fn set(&self, by: SignedDuration) {
        if let Clock::Fixed(fixed) = self {
            let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            fixed.set.fetch_add(by, Ordering::AcqRel);
        }
    }
}

impl FixedClock {
    fn time_of_day(&self) -> i64 {
        self.millisecond.load(Ordering::Acquire).saturating_add(self.set.load(Ordering::Acquire))
    }

    /// An id of this clock's instant: statements that look for what is younger than an instant compare ids.
    fn new_id(&self) -> Uuid {
        let millisecond = u64::try_from(self.time_of_day()).unwrap_or_default();
        // RFC 9562, 6.2, method 1: a counter stands before the rest. Below 2^30 it loses no bit to the version and the variant.
        let counter = self.ids.fetch_add(1, Ordering::Relaxed);
        let tail = (u128::from(counter) << 32) | u128::from(self.seed & 0xffff_ffff);
        let [_, _, _, _, _, _, bytes @ ..] = tail.to_be_bytes();
        Builder::from_unix_timestamp_millis(millisecond, &bytes).into_uuid()
    }
}

/// The instant, to measure by; no decision depends on it.
pub fn instant() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "this is the place that asks")]
    Instant::now()
}

/// One instant on both of the system's clocks, so that what was measured can be told in the time of day.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub at: Instant,
    wall: SystemTime,
}

impl Moment {
    /// The instant.
    pub fn now() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the place that asks")]
        let wall = SystemTime::now();
        Self { at: instant(), wall }
    }

    /// The time of day at an instant that is no earlier than this one.
    pub fn wall(&self, at: Instant) -> SystemTime {
        self.wall + at.saturating_duration_since(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_stands_still_until_it_is_moved_and_its_ids_follow_it() {
        let at = Timestamp::from_millisecond(1_785_744_000_000).unwrap();
        let clock = Clock::fixed(at);
        let copy = clock.clone();
        let mut ids: Vec<Uuid> = (0..300).map(|_| clock.new_id()).collect();
        assert_eq!((clock.now(), clock.now()), (at, at));
        copy.advance(SignedDuration::from_hours(1));
        assert_eq!(clock.now(), at + SignedDuration::from_hours(1));
        ids.push(copy.new_id());
        assert!(ids.is_sorted(), "{ids:?}");
        ids.dedup();
        assert_eq!(ids.len(), 301);
        let (seconds, _) = ids[300].get_timestamp().unwrap().to_unix();
        assert_eq!(seconds.cast_signed(), clock.now().as_second());
        assert_ne!(Clock::fixed(at).new_id(), ids[0], "another clock makes other ids");
        clock.advance(SignedDuration::from_hours(-1));
        assert_eq!(copy.now(), at);
        let ran = clock.elapsed();
        clock.set(SignedDuration::from_hours(-2));
        assert_eq!(
            (copy.now(), copy.elapsed()),
            (at - SignedDuration::from_hours(2), ran),
            "set, it has run no longer"
        );
    }
}
