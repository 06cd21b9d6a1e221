//! Waiting for a condition instead of for time.

use std::time::{Duration, Instant};

/// How long a condition may take to come true before the test gives up on it: long, since the machine may have much else to do.
const PATIENCE: Duration = Duration::from_secs(120);

/// The pause between two questions: it grows with the time that a condition has been waited for already.
const PAUSE_MIN: Duration = Duration::from_millis(2);
const PAUSE_MAX: Duration = Duration::from_millis(20);

/// Cases that are played at the same time.
const AT_ONCE: usize = 4;

/// Plays cases that have nothing to do with each other and mostly wait, some of them at the same time.
///
/// # Panics
///
/// Where one of them fails, after all that were begun have ended.
pub fn side_by_side<T: Sync>(cases: &[T], play: impl Fn(&T) + Sync) {
    let play = &play;
    for some in cases.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            for case in some {
                scope.spawn(move || play(case));
            }
        });
    }
}

/// Asks until the answer is there, and says how long that took.
///
/// # Panics
///
/// Where it never comes.
pub fn until<T>(what: &str, ask: impl FnMut() -> Option<T>) -> (T, Duration) {
    until_within(PATIENCE, what, ask)
}

/// The same for what may take longer.
///
/// # Panics
///
/// Where it never comes.
pub fn until_within<T>(patience: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> (T, Duration) {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return (answer, start.elapsed());
        }
        let waited = start.elapsed();
        assert!(waited < patience, "waited {patience:?} for {what}");
        // A desk that is asked without a pause has less time for the thing that is waited for.
        std::thread::sleep((waited / 50).clamp(PAUSE_MIN, PAUSE_MAX));
    }
}
