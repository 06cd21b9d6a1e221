//! The wall clock of rules: what stops a call that has taken too long.
//!
//! It ticks the epoch of every engine of the process ([`Engine::increment_epoch`]) while a call is under way, and rests where none
//! has been for a moment: two hundred ticks a second for nothing are most of what an idle desk would take of a processor.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

use crate::rules::limits::EPOCH_TICK_MS;

/// Ticks without a call after which the clock rests: a second, so that calls that come one after another do not wake it each time.
const RESTS_AFTER_TICKS: u32 = 200;

static CLOCK: Clock = Clock {
    calls: AtomicUsize::new(0),
    is_resting: AtomicBool::new(false),
    engines: Mutex::new(Vec::new()),
    thread: OnceLock::new(),
};

struct Clock {
    /// The calls that are under way.
    calls: AtomicUsize,
    is_resting: AtomicBool,
    engines: Mutex<Vec<EngineWeak>>,
    thread: OnceLock<Thread>,
}

/// A call that is under way: for as long as this is there the clock ticks.
#[derive(Debug)]
pub struct UnderWay(());

impl UnderWay {
    /// Sees to it that the clock ticks.
    pub fn begin() -> Self {
        // The clock says that it rests before it looks for calls, and a call counts itself before it looks whether the clock rests: in
        // one order for all threads, so that one of the two sees the other.
        CLOCK.calls.fetch_add(1, Ordering::SeqCst);
        // Also where another call is under way: its thread may have been put aside before it came to look.
        if CLOCK.is_resting.load(Ordering::SeqCst) {
            CLOCK.thread.get().map(Thread::unpark);
        }
        Self(())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        CLOCK.calls.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Ticks after which a call is stopped that may take so long.
pub const fn ticks(deadline_ms: u64) -> u64 {
    deadline_ms.div_ceil(EPOCH_TICK_MS) + 1
}

/// Has the clock tick for an engine until that is gone.
///
/// The clock has a thread of its own: a tick that waits for an executor which a guest keeps busy would never come.
///
/// # Errors
///
/// Where the process can have no further thread.
pub fn start(engine: &Engine) -> std::io::Result<()> {
    let mut engines = CLOCK.engines.lock().unwrap_or_else(PoisonError::into_inner);
    if CLOCK.thread.get().is_none() {
        let clock = thread::Builder::new().name("rules-clock".to_owned()).spawn(|| CLOCK.run())?;
        // Under the lock, so that it is set once.
        drop(CLOCK.thread.set(clock.thread().clone()));
    }
    engines.push(engine.weak());
    Ok(())
}

impl Clock {
    fn run(&self) {
        let mut idle = 0;
        loop {
            #[expect(clippy::disallowed_methods, reason = "this thread is the clock")]
            thread::sleep(Duration::from_millis(EPOCH_TICK_MS));
            self.tick();
            idle = if self.calls.load(Ordering::SeqCst) == 0 { idle + 1 } else { 0 };
            if idle == RESTS_AFTER_TICKS {
                self.rest();
                idle = 0;
            }
        }
    }

    /// Ticks for all engines, and forgets those that are gone.
    fn tick(&self) {
        let mut engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        engines.retain(|engine| engine.upgrade().inspect(Engine::increment_epoch).is_some());
    }

    /// Waits until there is a call.
    fn rest(&self) {
        self.is_resting.store(true, Ordering::SeqCst);
        // It may be woken for nothing.
        while self.calls.load(Ordering::SeqCst) == 0 {
            thread::park();
        }
        self.is_resting.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use wasmtime::{Config, Instance, Module, Store};

    use super::*;

    /// How long a loop without an end runs that may take so long.
    fn runs(engine: &Engine, deadline_ms: u64) -> Duration {
        let module =
            Module::new(engine, wat::parse_str(r#"(module (func (export "run") (loop br 0)))"#).unwrap()).unwrap();
        let mut store = Store::new(engine, ());
        let run = Instance::new(&mut store, &module, &[]).unwrap().get_typed_func::<(), ()>(&mut store, "run").unwrap();
        let _under_way = UnderWay::begin();
        store.set_epoch_deadline(ticks(deadline_ms));
        #[expect(clippy::disallowed_methods, reason = "the clock is what is looked at")]
        let begun = Instant::now();
        run.call(&mut store, ()).unwrap_err();
        begun.elapsed()
    }

    fn engine() -> Engine {
        let engine = Engine::new(Config::new().epoch_interruption(true)).unwrap();
        start(&engine).unwrap();
        engine
    }

    #[test]
    fn a_call_without_an_end_is_stopped_also_after_the_clock_has_rested() {
        let (first, second) = (engine(), engine());
        assert!(runs(&first, 20) >= Duration::from_millis(20));
        // Other tests of this process may have calls under way, which keep the clock from its rest for a while.
        let rested = (0..1_000).any(|_| {
            #[expect(clippy::disallowed_methods, reason = "waits for the condition")]
            thread::sleep(Duration::from_millis(10));
            CLOCK.is_resting.load(Ordering::SeqCst)
        });
        assert!(rested, "a clock that nobody needs rests");
        for engine in [&first, &second, &first] {
            let took = runs(engine, 20);
            assert!((20..60_000).contains(&took.as_millis()), "{took:?}");
        }
    }

    #[test]
    fn a_call_keeps_the_clock_going_for_longer_than_it_would_go_on_its_own() {
        let engine = engine();
        let deadline = 2 * u64::from(RESTS_AFTER_TICKS) * EPOCH_TICK_MS;
        let took = runs(&engine, deadline);
        // A clock that rested would let it run for ever.
        assert!(took >= Duration::from_millis(deadline) && took < Duration::from_secs(60), "{took:?}");
    }
}
