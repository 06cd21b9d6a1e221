//! How many files and connections the system lets the program have open at once.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many as a desk can use; beyond that, programs which it starts could take long to close what they inherit.
const WANTED_MAX: u64 = 65_536;

/// Takes what the system would give for the asking: the soft limit is 1,024 for most services, and each client's connection
/// counts.
pub fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(WANTED_MAX, |maximum| maximum.min(WANTED_MAX));
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
        if let Err(error) = raised {
            tracing::warn!(%error, wanted, "the number of open files and connections stays limited");
        }
    }
}
