//! A death in the middle of things, for tests: a debug build that is started with `RULEDESK_CRASH_AT=POINT:N` kills itself when
//! it comes to that point for the Nth time, as SIGKILL from outside would. A release build has no such points.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The point to die at, and how often it is passed until then.
static AT: OnceLock<(String, u32)> = OnceLock::new();
static PASSED: AtomicU32 = AtomicU32::new(0);

/// Has this process die at a point, `POINT:N`; nothing happens where the text is none of this form, and in a release build.
pub fn arm(text: &str) {
    let times = |text: &str| text.parse().ok();
    if let Some((name, times)) = text.split_once(':').and_then(|(name, n)| Some((name, times(n)?))) {
        // The first word counts.
        let _ = AT.set((name.to_owned(), times));
    }
}

/// Dies here where that was asked for.
pub fn point(name: &str) {
    let Some((_, times)) = AT.get().filter(|(at, _)| cfg!(debug_assertions) && at == name) else { return };
    if PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *times {
        // Where that is not allowed, the test that waits for the end says so.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}
