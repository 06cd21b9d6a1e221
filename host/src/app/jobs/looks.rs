//! Work that is looked for again and again.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};

use super::stop::Stop;

/// The times at which something is looked for, until it is asked to stop.
pub struct Looks {
    ticks: Interval,
    stop: Stop,
}

impl Looks {
    /// At once, and then each time after so long. Looks that would have come while one took long are left out.
    pub fn every(wait: Duration, stop: Stop) -> Looks {
        let mut ticks = tokio::time::interval(wait);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Looks { ticks, stop }
    }

    /// Waits for the next; whether there is one. It is asked to stop between two looks, so that none is cut off.
    pub async fn next(&mut self) -> bool {
        tokio::select! {
            () = self.stop.told() => false,
            _ = self.ticks.tick() => true,
        }
    }
}
