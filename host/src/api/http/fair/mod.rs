//! One person's requests do not keep all others waiting: how many of them are in progress at once has a bound.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::desk::actor::Actor;

pub(crate) mod rates;

/// Requests of one person in progress at once: fewer than there are places before the rules' workers, so that one person alone
/// never fills those.
const AT_ONCE_MAX: usize = 100;

/// The requests in progress, by person.
#[derive(Debug, Clone, Default)]
pub struct Fair(Arc<Mutex<HashMap<String, usize>>>);

/// A request in progress, until its answer is sent.
#[derive(Debug)]
pub struct Turn {
    fair: Fair,
    person: String,
}

impl Fair {
    /// Begins a request; `None` where the person has too many in progress.
    pub fn begin(&self, actor: &Actor) -> Option<Turn> {
        let person = actor.person().map(ToString::to_string).unwrap_or_default();
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.entry(person.clone()).or_default();
        if *count >= AT_ONCE_MAX {
            return None;
        }
        *count += 1;
        Some(Turn { fair: self.clone(), person })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut running = self.fair.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(&self.person) {
            *count -= 1;
            // A person without requests takes no room.
            if *count == 0 {
                running.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_has_so_many_and_another_has_as_many() {
        let person = |id: &str| Actor::Person { id: id.parse().unwrap(), roles: [].into() };
        let fair = Fair::default();
        let mut turns: Vec<Turn> = (0..AT_ONCE_MAX).filter_map(|_| fair.begin(&person("amara"))).collect();
        assert_eq!(turns.len(), AT_ONCE_MAX);
        assert!(fair.begin(&person("amara")).is_none());
        assert!(fair.begin(&person("kofi")).is_some());
        turns.pop();
        assert!(fair.begin(&person("amara")).is_some());
        turns.clear();
        assert!(fair.0.lock().unwrap().is_empty());
    }
}
