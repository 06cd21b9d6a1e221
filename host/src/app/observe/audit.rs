//! Searches in the records of acts.

use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::permission;
pub use crate::store::chain::search::{Found, Source, Wanted};

/// Entries on a page, at most.
pub const PAGE_MAX: usize = 200;

impl Office {
    /// The last entries that are wanted, the newest first, at most [`PAGE_MAX`]; and before which to go on, where there may be more.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for those who may not check records.
    pub async fn search_audit(
        &self,
        actor: &Actor,
        source: Source,
        wanted: &Wanted,
        (before, limit): (Option<i64>, usize),
    ) -> Result<(Vec<Found>, Option<i64>), Error> {
        permission::check_records(actor)?;
        Ok(self.store.search_chain(source, wanted, before, limit.clamp(1, PAGE_MAX)).await?)
    }
}
