//! How many deliveries an endpoint of a webhook may have on their way at once. One that is slow, or takes nothing, holds a few of this
//! host's places, and keeps no other endpoint's deliveries waiting.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// An endpoint is slow that took so long for its last answer.
const SLOW: Duration = Duration::from_secs(2);
/// Deliveries to a slow endpoint at once: a part of the places that this host has for those of all.
const AT_ONCE_MAX: usize = 2;

/// How an endpoint does.
#[derive(Debug, Default)]
struct Pace {
    on_their_way: usize,
    /// Whether its last answer came late, or it took nothing.
    is_slow: bool,
}

/// The endpoints that have deliveries on their way, or are slow.
#[derive(Debug, Clone, Default)]
pub struct Paces(Arc<Mutex<HashMap<String, Pace>>>);

/// A delivery on its way to an endpoint, until it is dropped.
#[derive(Debug)]
pub struct OnItsWay {
    paces: Paces,
    name: String,
}

impl Paces {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Pace>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets one more delivery go to an endpoint; `None` where that is slow and has as many on their way as it may.
    pub fn begin(&self, name: &str) -> Option<OnItsWay> {
        let mut all = self.all();
        let pace = all.entry(name.to_owned()).or_default();
        if pace.is_slow && pace.on_their_way >= AT_ONCE_MAX {
            return None;
        }
        pace.on_their_way += 1;
        Some(OnItsWay { paces: self.clone(), name: name.to_owned() })
    }
}

impl OnItsWay {
    /// Notes how long the endpoint took for its answer, and whether it took the delivery.
    pub fn answered(&self, took: Duration, is_taken: bool) {
        if let Some(pace) = self.paces.all().get_mut(&self.name) {
            pace.is_slow = !is_taken || took >= SLOW;
        }
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        let mut all = self.paces.all();
        let Some(pace) = all.get_mut(&self.name) else { return };
        pace.on_their_way -= 1;
        if pace.on_their_way == 0 && !pace.is_slow {
            all.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_that_hangs_holds_a_few_places_until_it_takes_something_in_time() {
        let paces = Paces::default();
        let go = |name: &str, many: usize| (0..many).filter_map(|_| paces.begin(name)).collect::<Vec<OnItsWay>>();
        let first = go("hangs", 8);
        assert_eq!((first.len(), go("quick", 8).len()), (8, 8), "none is known to be slow yet");
        first.iter().for_each(|one| one.answered(Duration::from_secs(20), false));
        assert!(paces.begin("hangs").is_none());
        drop(first);
        let next = go("hangs", 8);
        assert_eq!((next.len(), go("quick", 8).len()), (AT_ONCE_MAX, 8));
        next.iter().for_each(|one| one.answered(SLOW, true));
        assert!(paces.begin("hangs").is_none(), "late is slow as well");
        next.iter().for_each(|one| one.answered(Duration::ZERO, true));
        assert_eq!(go("hangs", 8).len(), 8);
        drop(next);
        assert!(paces.all().is_empty(), "one that is quick and has nothing on its way takes no room");
    }
}
