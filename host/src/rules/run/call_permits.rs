//! Calls beside the workers': of examples, of comparisons, of candidates. However many threads want to make some, there is
//! room for a fixed number at once, so that none takes the instance that a live call needs.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Calls that may be made at once beside those on the workers, whose instances are laid out besides theirs.
pub const CALLS_BESIDE: u32 = 16;

/// The places for such calls.
pub struct Beside {
    free: Mutex<u32>,
    freed: Condvar,
}

/// A place, until it is dropped.
pub struct Place<'a>(&'a Beside);

impl Default for Beside {
    fn default() -> Self {
        Self { free: Mutex::new(CALLS_BESIDE), freed: Condvar::new() }
    }
}

impl Beside {
    /// Waits for a place. Whoever has one makes one call at a time and asks for no second place.
    pub fn enter(&self) -> Place<'_> {
        let free = self.freed.wait_while(self.free(), |free| *free == 0);
        let mut free = free.unwrap_or_else(PoisonError::into_inner);
        *free = free.saturating_sub(1);
        Place(self)
    }

    fn free(&self) -> MutexGuard<'_, u32> {
        // A number is whole, whoever panicked.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free() += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn no_more_than_there_are_places_are_in_at_once() {
        let (beside, within, most) = (Beside::default(), AtomicU32::new(0), AtomicU32::new(0));
        thread::scope(|scope| {
            for _ in 0..4 * CALLS_BESIDE {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let _place = beside.enter();
                        most.fetch_max(within.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        thread::yield_now();
                        within.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.into_inner() <= CALLS_BESIDE);
        assert_eq!(*beside.free(), CALLS_BESIDE, "all have left");
    }
}
