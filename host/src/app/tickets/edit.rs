//! Changes of a ticket's fields by hand.

use super::change::{Changed, Key, idempotency};
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::change::condition::Condition;
use crate::desk::id::TicketNumber;
use crate::desk::permission;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::edit::{EditTicket, edit};

impl Office {
    /// Changes a ticket by hand, if it is still at the version that the actor has seen; the ticket after it.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`]; [`Error::Rejected`] with what does not exist; [`Error::Refused`].
    pub async fn edit_ticket(
        &self,
        actor: &Actor,
        number: TicketNumber,
        condition: &Condition,
        wanted: EditTicket,
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        let wanted = wanted.into_normal();
        let may = |ticket: &Ticket| Ok(permission::edit(actor, ticket).map(drop)?);
        self.change_if((actor, number), condition, idempotency(actor, key), may, |ticket, _, at| {
            let permit = permission::edit(actor, ticket)?;
            Ok(edit(ticket, &wanted, &permit, at)?)
        })
        .await
    }
}
