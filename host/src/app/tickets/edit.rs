//! Changes of a ticket's fields by hand.

use super::change::{Retry, Which};
use super::work::may_read;
use crate::app::{Error, Office};
use crate::desk::access::AccessCase;
use crate::desk::actor::Actor;
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
        seen: i64,
        wanted: &EditTicket,
    ) -> Result<(Ticket, Option<AccessCase>), Error> {
        self.change(Which::Number(number), Retry::Never, |ticket, case, at| {
            may_read(actor, ticket, case)?;
            let permit = permission::edit(actor, ticket)?;
            if ticket.version != seen {
                return Err(Error::Stale { version: ticket.version });
            }
            Ok(edit(ticket, wanted, &permit, at)?)
        })
        .await
    }
}
