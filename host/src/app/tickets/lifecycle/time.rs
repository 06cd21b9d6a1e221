//! Time that people write down on tickets. It is for those who work on them.

use uuid::Uuid;

use crate::app::tickets::change::Key;
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::{TicketNumber, TimeId};
use crate::desk::permission;
use crate::desk::ticket::lifecycle::time::{TimeSpent, spend};
use crate::store::sql::page::Page;

/// The time that was written down on a ticket: the sum of all of it, and a page of its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeOnTicket {
    pub total_minutes: i64,
    pub page: Page<TimeSpent, TimeId>,
}

impl Office {
    /// The time that was written down on a ticket; of its entries those after one, the oldest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn time_on_ticket(
        &self,
        actor: &Actor,
        number: TicketNumber,
        after: Option<TimeId>,
        limit: usize,
    ) -> Result<TimeOnTicket, Error> {
        let (ticket, _) = self.ticket(actor, number).await?;
        permission::list_internally(actor)?;
        // No entry has the least of all ids.
        let after = after.unwrap_or(TimeId(Uuid::nil()));
        let page = self.store.time_spent_after(ticket.number, after, limit).await?;
        Ok(TimeOnTicket { total_minutes: self.store.minutes_spent(ticket.number).await?, page })
    }

    /// Writes time down on a ticket, or takes some off that was written down in error; all of it then, with at most `limit` entries.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`]; [`Error::Rejected`] for no time, too much, or more taken off than there is.
    pub async fn spend_time(
        &self,
        actor: &Actor,
        number: TicketNumber,
        time: (i64, &str),
        key: Option<Key>,
        limit: usize,
    ) -> Result<TimeOnTicket, Error> {
        // With the sum of that very version: two who take the same time off at once do not take off more than there is.
        let total = || self.store.minutes_spent(number);
        let spent = self.change_by((actor, number), key, total, |total: &i64, ticket, _, at| {
            permission::list_internally(actor)?;
            Ok(Some(spend(ticket, time, *total, &permission::edit(actor, ticket)?, at)?))
        });
        spent.await?;
        self.time_on_ticket(actor, number, None, limit).await
    }
}
