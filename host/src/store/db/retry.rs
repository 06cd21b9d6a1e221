//! How often something is tried again that failed for a reason which passes, and how long it waits before.

use std::time::Duration;

use crate::store::Error;

/// How often the same transaction is made, all in all.
const TRIES_MAX: u32 = 16;
/// The wait after the first failure; each is twice the one before, up to the longest.
const WAIT_FIRST: Duration = Duration::from_millis(5);
const WAIT_MAX: Duration = Duration::from_millis(200);

/// Counts the tries of one transaction.
#[derive(Debug, Default)]
pub struct Tries(u32);

impl Tries {
    /// Whether it is to be made again after this error; waits before it says so.
    #[expect(clippy::disallowed_methods, reason = "there is nothing to wait for but that others are done")]
    pub async fn again(&mut self, error: &Error) -> bool {
        self.0 += 1;
        if !error.passes() || self.0 >= TRIES_MAX {
            return false;
        }
        tracing::debug!(%error, tries = self.0, "a transaction is made again");
        tokio::time::sleep(wait(self.0, chance())).await;
        true
    }
}

/// How often a change is made again that others got ahead of.
const TURNS_MAX: u32 = 100;
/// The failures after which the wait for a turn grows no more.
const TURN_WAITS: u32 = 4;

/// Counts the tries of a change of something that others change at the same moment. Each time one of them was done, and what is
/// done alone takes some milliseconds: so all come to their turn.
#[derive(Debug, Default)]
pub struct Turns(u32);

impl Turns {
    /// Whether the change is to be made again; waits before it says so.
    #[expect(clippy::disallowed_methods, reason = "there is nothing to wait for but that others are done")]
    pub async fn again(&mut self) -> bool {
        self.0 += 1;
        if self.0 >= TURNS_MAX {
            return false;
        }
        tokio::time::sleep(wait(self.0.min(TURN_WAITS), chance())).await;
        true
    }
}

/// The wait after so many failures: half of its length is by chance, so that two that got into each other's way do not meet
/// again.
fn wait(failures: u32, chance: f64) -> Duration {
    let whole = WAIT_FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(WAIT_MAX);
    whole.mul_f64(0.5 + chance / 2.0)
}

/// A number from 0 to 1.
fn chance() -> f64 {
    // Without randomness all wait equally long, which is only slower.
    getrandom::u32().map_or(1.0, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_all_of_them_are_shorter_than_a_request() {
        assert_eq!(wait(1, 0.0), WAIT_FIRST / 2);
        assert_eq!(wait(1, 1.0), WAIT_FIRST);
        assert_eq!(wait(1_000, 1.0), WAIT_MAX);
        let all: Duration = (1..TRIES_MAX).map(|failures| wait(failures, 1.0)).sum();
        assert!(all < Duration::from_secs(3), "{all:?}");
        let turns: Duration = (1..TURNS_MAX).map(|failures| wait(failures.min(TURN_WAITS), 1.0)).sum();
        assert!(turns < Duration::from_secs(5), "{turns:?}");
    }

    #[tokio::test]
    async fn only_what_passes_is_tried_again_and_not_for_ever() {
        let mut tries = Tries::default();
        assert!(!tries.again(&Error::Conflict).await);
        let mut tries = Tries::default();
        let mut made = 1;
        while tries.again(&Error::Contended("".into())).await {
            made += 1;
        }
        assert_eq!(made, TRIES_MAX);
    }
}
