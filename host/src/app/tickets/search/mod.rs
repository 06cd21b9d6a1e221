//! Tickets by their words.

use crate::app::tickets::work::Sights;
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::TicketNumber;
use crate::desk::permission;
use crate::store::sql::search::Wanted;
pub use crate::store::tickets::search::{FOUND_MAX, SearchFilter};
use crate::store::tickets::summary::TicketSummary;

pub mod views;

impl Office {
    /// The tickets that have the words and that the actor may see, the newest first. A requester's are searched by what is public
    /// of them, and so are those of a department, for its readers, where the filter names its people.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn search_tickets(
        &self,
        actor: &Actor,
        text: &str,
        mut filter: SearchFilter,
        limit: usize,
    ) -> Result<(Vec<TicketSummary>, Sights), Error> {
        let permit = permission::list(actor)?;
        if filter.team.is_some() || filter.assignee.is_some() {
            permission::list_internally(actor)?;
        }
        let reads_all = permit.only().is_some_and(|reader| self.reads_tickets_of_all(reader, &filter.requesters));
        filter.only = permit.only().filter(|_| !reads_all).cloned();
        filter.in_public |= reads_all;
        let found = match Wanted::all(text) {
            Some(wanted) => self.store.search_tickets(wanted, &filter, limit.min(FOUND_MAX)).await?,
            None => Vec::new(),
        };
        let sights = self.sights(actor, found.iter().map(|ticket| ticket.number)).await?;
        Ok((found, sights))
    }

    /// Puts the words of some tickets into the index; how much that settled.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn index_tickets(&self) -> Result<usize, Error> {
        Ok(self.store.index_pending().await?)
    }

    /// Merges pieces of the index while there is nothing to put into it; whether there may be more to merge.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn merge_index(&self) -> Result<bool, Error> {
        Ok(self.store.merge_index().await?)
    }

    /// The number from which downwards no search finds tickets yet, while an index that was built again is filled.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn unsearchable_from(&self) -> Result<Option<TicketNumber>, Error> {
        Ok(self.store.filled_down_to().await?)
    }
}
