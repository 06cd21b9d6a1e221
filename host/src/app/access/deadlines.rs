//! An access request that is not decided in time is denied by the desk.

use crate::app::jobs::Outcome;
use crate::app::{App, Error};
use crate::desk::access::NOT_IN_TIME;
use crate::desk::actor::Author;
use crate::desk::id::TicketId;
use crate::desk::ticket::{self, State, WaitingFor};
use crate::store;
use crate::store::access::AccessChange;

/// How often a denial is begun again because the ticket changed meanwhile.
const TRIES_MAX: usize = 3;

impl App {
    /// Denies an access request if its time is over and it still awaits a decision. Several hosts may do so at once: the change
    /// is made for the version that was read, so only one of them makes it.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] where the ticket changes all the time; where the store cannot be read or written.
    pub async fn deny_if_overdue(&self, id: TicketId) -> Result<Outcome, Error> {
        for _ in 0..TRIES_MAX {
            let now = self.clock.now();
            let Some((ticket, Some(before))) = self.store.ticket_and_case_by_id(id).await? else {
                return Ok(Outcome::Done);
            };
            let waits = ticket.state == State::Waiting(WaitingFor::Approval);
            let Some(due_at) = before.due_at().filter(|_| waits) else { return Ok(Outcome::Done) };
            let Some(after) = before.denial(now) else { return Ok(Outcome::NotBefore(due_at)) };
            let messages = self.messages_about(&ticket, &before, &after, now);
            let calendar = &self.organisation().calendar;
            let change = ticket::settle_access(&ticket, &after, (Author::System, NOT_IN_TIME), calendar, messages, now);
            match self.store.apply(change, Some(AccessChange { before, after, grant: None })).await {
                Ok(()) => {
                    tracing::info!(ticket = %ticket.number, "access request denied: {NOT_IN_TIME}");
                    return Ok(Outcome::Done);
                }
                // The change that came first may have decided, or not.
                Err(store::Error::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Busy("many people are changing this ticket: it is tried again soon".to_owned()))
    }
}
