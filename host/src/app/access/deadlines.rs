//! An access request that waits: its approvers are reminded, more people are asked, and what none decides in time is denied by the
//! desk.

use crate::app::jobs::Outcome;
use crate::app::tickets::change::{Changed, Retry, Which};
use crate::app::{Error, Office};
use crate::desk::access::{self, AccessCase, AccessState, NOT_IN_TIME};
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::TicketId;
use crate::desk::ticket::{State, Ticket, WaitingFor};

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

    /// Lets the approvers whom an access request awaits hear of it again.
    ///
    /// # Errors
    ///
    /// As [`Office::deny_if_overdue`].
    pub async fn remind_approvers(&self, id: TicketId) -> Result<Outcome, Error> {
        self.while_it_waits(id, access::nudge).await
    }

    /// Takes an access request that still waits to the desk's own approvers as well.
    ///
    /// # Errors
    ///
    /// As [`Office::deny_if_overdue`].
    pub async fn escalate_access(&self, id: TicketId) -> Result<Outcome, Error> {
        self.while_it_waits(id, access::escalate).await
    }

    async fn while_it_waits(
        &self,
        id: TicketId,
        make: impl Fn(&Ticket, &AccessCase, &At<'_>) -> Option<Change>,
    ) -> Result<Outcome, Error> {
        let changed = self.change(Which::Id(id), Retry::Commutes, None, |ticket, case, at| {
            Ok(case.and_then(|case| make(ticket, case, at)))
        });
        match changed.await {
            Ok(_) | Err(Error::Missing { .. }) => Ok(Outcome::Done),
            Err(error) => Err(error),
        }
    }
}
