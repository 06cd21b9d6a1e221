//! Time that people write down on tickets. It is for those who work on them.

use crate::app::tickets::change::{Key, Retry, Which, idempotency};
use crate::app::tickets::work::may_read;
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::TicketNumber;
use crate::desk::permission;
use crate::desk::ticket::lifecycle::time::{TimeSpent, spend};

impl Office {
    /// The time that was written down on a ticket, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn time_spent(&self, actor: &Actor, number: TicketNumber) -> Result<Vec<TimeSpent>, Error> {
        let (ticket, _) = self.ticket(actor, number).await?;
        permission::list_internally(actor)?;
        Ok(self.store.time_spent(ticket.number).await?)
    }

    /// Writes time down on a ticket, or takes some off that was written down in error; all of it then.
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
    ) -> Result<Vec<TimeSpent>, Error> {
        let total: i64 = self.time_spent(actor, number).await?.iter().map(|time| time.minutes).sum();
        let spent = self.change(Which::Number(number), Retry::Commutes, idempotency(actor, key), |ticket, case, at| {
            may_read(actor, ticket, case)?;
            Ok(Some(spend(ticket, time, total, &permission::edit(actor, ticket)?, at)?))
        });
        spent.await?;
        self.time_spent(actor, number).await
    }
}
