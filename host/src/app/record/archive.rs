//! Old records go into segment files, and segments are deleted: both are acts in a chain, by the name of the one who did them.

use jiff::Timestamp;

use crate::app::error::accept;
use crate::app::office::signatory;
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::permission;
use crate::desk::text::normal;
use crate::desk::ticket::edit::check_reason;
pub use crate::store::rules::segments::Stopped;
pub use crate::store::rules::segments::acts::{Deletion, Facts, Kept};
use crate::store::rules::segments::{Bounds, Step};

impl Office {
    /// Moves all records from before an instant into segments, the oldest first; `made` is given each as it is done. Gives why it
    /// ended before the last of them, where it did.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the archive or the database fails, what was moved before stays so.
    pub async fn archive(
        &self,
        actor: &Actor,
        before: Timestamp,
        mut made: impl FnMut(Kept),
    ) -> Result<Option<Stopped>, Error> {
        permission::administer(actor)?;
        let by = signatory(actor).to_string();
        loop {
            match self.store.archive_segment(before, self.clock.now(), &by, Bounds::default()).await? {
                Step::Archived(kept) => made(*kept),
                Step::Ended(stopped) => return Ok(stopped),
            }
        }
    }

    /// All segments that were ever made, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn segments(&self, actor: &Actor) -> Result<Vec<Kept>, Error> {
        permission::administer(actor)?;
        Ok(self.store.segments().await?)
    }

    /// Deletes a segment with all its records, for a reason.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Rejected`] without a reason.
    pub async fn delete_segment(&self, actor: &Actor, name: &str, why: &str) -> Result<Kept, Error> {
        permission::administer(actor)?;
        accept(check_reason("why", why))?;
        let by = signatory(actor).to_string();
        Ok(self.store.delete_segment(self.clock.now(), name, &by, normal(why).trim()).await?)
    }
}
