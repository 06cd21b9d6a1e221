//! How many files and connections the system lets the program have open at once.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many as a desk can use; beyond that, programs which it starts could take long to close what they inherit.
const WANTED_MAX: u64 = 65_536;

/// Descriptors that are kept for the desk's own files: its database, its rules, and what it starts.
const RESERVE: u64 = 256;

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

/// How many connections of clients there may be: all that the system gives but for a reserve, which is half of it where it
/// gives little.
pub fn connections_max() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(WANTED_MAX).min(WANTED_MAX);
    usize::try_from(limit - RESERVE.min(limit / 2)).unwrap_or(usize::MAX)
}
