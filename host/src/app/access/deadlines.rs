//! An access request that no approver decides in time is denied by the desk.

use crate::app::jobs::Outcome;
use crate::app::tickets::change::{Changed, Retry, Which};
use crate::app::{Error, Office};
use crate::desk::access::{self, AccessState, NOT_IN_TIME};
use crate::desk::id::TicketId;
use crate::desk::ticket::{State, WaitingFor};

impl Office {
    /// Denies an access request if its time is over and it still awaits an approver. Several hosts may do so at once: the
    /// change is made for the version that was read, so only one of them makes it.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] where the ticket changes all the time; where the store cannot be read or written.
    pub async fn deny_if_overdue(&self, id: TicketId) -> Result<Outcome, Error> {
        let changed = self.change(Which::Id(id), Retry::Commutes, None, |ticket, case, at| {
            Ok(case.and_then(|case| access::lapse(ticket, case, at)))
        });
        let (ticket, case) = match changed.await {
            Ok(Changed { ticket, case: Some(case), .. }) => (ticket, case),
            // There is nothing to deny.
            Ok(Changed { case: None, .. }) | Err(Error::Missing { .. }) => return Ok(Outcome::Done),
            Err(error) => return Err(error),
        };
        let waits = ticket.state == State::Waiting(WaitingFor::Approval);
        if let Some(due_at) = case.due_at().filter(|_| waits) {
            return Ok(Outcome::NotBefore(due_at));
        }
        if case.state == AccessState::Denied && case.decisions.iter().all(|decision| decision.approve) {
            tracing::info!(ticket = %ticket.number, "access request denied: {NOT_IN_TIME}");
        }
        Ok(Outcome::Done)
    }
}
