//! Time and ids: the only place that asks the system for either.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime};

use jiff::Timestamp;
use uuid::Uuid;

/// What time it is, for the whole desk.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's.
    System,
    /// A test's: milliseconds since 1970-01-01T00:00:00Z, moved by hand.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The instant, to the millisecond: what the store keeps, so that what is read back equals what was written.
    pub fn now(&self) -> Timestamp {
        let millisecond = match self {
            Clock::System => {
                #[expect(clippy::disallowed_methods, reason = "this is the place that asks")]
                let now = Timestamp::now();
                now.as_millisecond()
            }
            Clock::Fixed(millisecond) => millisecond.load(Ordering::Relaxed),
        };
        Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// A new id, UUID version 7 (RFC 9562): later ones sort after earlier ones.
    pub fn new_id(&self) -> Uuid {
        #[expect(clippy::disallowed_methods, reason = "this is the place that asks")]
        Uuid::now_v7()
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
