//! One person's requests do not keep all others waiting: how many of them are in progress at once has a bound.

use crate::app::tickets::quota::AtOnce;
pub use crate::app::tickets::quota::Turn;
use crate::desk::actor::Actor;

pub(crate) mod rates;

/// Requests of one person in progress at once: fewer than there are places before the rules' workers, so that one person alone
/// never fills those.
const AT_ONCE_MAX: usize = 100;

/// The requests in progress, by person: each until its answer is sent.
#[derive(Debug, Clone, Default)]
pub struct Fair(AtOnce);

impl Fair {
    /// Begins a request; `None` where the person has too many in progress.
    pub fn begin(&self, actor: &Actor) -> Option<Turn> {
        let person = actor.person().map(ToString::to_string).unwrap_or_default();
        self.0.begin(&person, AT_ONCE_MAX)
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
    }
}
