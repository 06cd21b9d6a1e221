//! Notes of what a request did, for its trace. For a request that is not traced, noting costs one look at thread-local
//! storage, and nothing is kept.

use std::cell::RefCell;
use std::time::Instant;

use crate::app::record::write::Sample;
use crate::desk::id::{RunId, TicketId, TicketNumber};

/// What one request did.
#[derive(Debug, Default)]
pub struct Trail {
    pub runs: Vec<Run>,
    /// When the store began and ended to write what was decided: the wait for its batch is within.
    pub written: Option<(Instant, Instant)>,
    pub ticket: Option<(TicketNumber, TicketId)>,
}

/// One run of the rules.
#[derive(Debug)]
pub struct Run {
    pub id: RunId,
    pub generation: u64,
    /// Before the facts were read, and after the last stage.
    pub took: (Instant, Instant),
    /// In the order of the calls.
    pub samples: Vec<Sample>,
}

tokio::task_local! {
    static TRAIL: RefCell<Trail>;
}

/// Runs something, and what it did.
pub async fn follow<T>(work: impl Future<Output = T>) -> (T, Trail) {
    let followed = async {
        let done = work.await;
        (done, TRAIL.with(RefCell::take))
    };
    TRAIL.scope(RefCell::default(), followed).await
}

/// Notes something about the request that is being worked for, if it is followed.
pub fn note(write: impl FnOnce(&mut Trail)) {
    // An error says that nobody follows.
    let _ = TRAIL.try_with(|trail| write(&mut trail.borrow_mut()));
}
