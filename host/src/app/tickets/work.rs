//! Reading tickets and working on them.

use super::change::{Retry, Which};
use crate::app::{Error, Office};
use crate::desk::access::AccessCase;
use crate::desk::actor::Actor;
use crate::desk::id::{MessageId, TicketNumber};
use crate::desk::permission::{self, MayRead};
use crate::desk::refusal::Refusal;
use crate::desk::ticket::timeline::Visibility;
use crate::desk::ticket::{self, State, Ticket};
pub use crate::store::rules::decisions::{RunTexts, StoredRun};
pub use crate::store::sql::page::Page;
pub use crate::store::tickets::StoredMessage;
pub use crate::store::tickets::list::{Filter, QueuePlace, Start, UpdatedPlace};
pub use crate::store::tickets::summary::TicketSummary;
pub use crate::store::tickets::timeline::StoredEntry;

impl Office {
    /// One ticket, as far as the actor may see it. Somebody else's ticket is not there, so that its number tells nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub async fn ticket(&self, actor: &Actor, number: TicketNumber) -> Result<(Ticket, Option<AccessCase>), Error> {
        self.readable(actor, number).await.map(|(ticket, case, _)| (ticket, case))
    }

    async fn readable(
        &self,
        actor: &Actor,
        number: TicketNumber,
    ) -> Result<(Ticket, Option<AccessCase>, MayRead), Error> {
        let found = self.store.ticket_and_case(number).await?;
        let (ticket, case) = found.ok_or_else(|| Error::Missing { what: "ticket", name: number.to_string() })?;
        let permit = may_read(actor, &ticket, case.as_ref())?;
        Ok((ticket, case, permit))
    }

    /// A page of the tickets that the actor may see, without their texts.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn tickets(
        &self,
        actor: &Actor,
        mut filter: Filter,
        start: Start,
        limit: usize,
    ) -> Result<Page<TicketSummary, Start>, Error> {
        let permit = permission::list(actor)?;
        filter.only = permit.only().cloned();
        Ok(self.store.tickets(&filter, start, limit).await?)
    }

    /// What happened to a ticket after an entry, the first page after 0; a requester is not shown what is internal.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub async fn timeline(
        &self,
        actor: &Actor,
        number: TicketNumber,
        after: i64,
        limit: usize,
    ) -> Result<Page<StoredEntry, i64>, Error> {
        let (ticket, _, permit) = self.readable(actor, number).await?;
        Ok(self.store.timeline_page(ticket.number, permit.internal(), after, limit).await?)
    }

    /// How a ticket was decided, with the exact input of each stage.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`] for whoever may see the ticket but not this.
    pub async fn decisions(&self, actor: &Actor, number: TicketNumber) -> Result<Vec<StoredRun>, Error> {
        let (ticket, _) = self.ticket(actor, number).await?;
        permission::read_decisions(actor)?;
        Ok(self.store.runs(ticket.id).await?)
    }

    /// The messages that a ticket has queued, after one of them.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn messages(
        &self,
        actor: &Actor,
        number: TicketNumber,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Page<StoredMessage, MessageId>, Error> {
        let (ticket, _) = self.ticket(actor, number).await?;
        permission::read_decisions(actor)?;
        Ok(self.store.messages(ticket.id, after, limit).await?)
    }

    /// Adds a comment; the ticket after it. A comment commutes with whatever else happens to the ticket.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`]; [`Error::Rejected`] for an empty one.
    pub async fn comment(
        &self,
        actor: &Actor,
        number: TicketNumber,
        body: &str,
        visibility: Visibility,
    ) -> Result<Ticket, Error> {
        let changed = self.change(Which::Number(number), Retry::Commutes, |ticket, case, at| {
            may_read(actor, ticket, case)?;
            let permit = permission::comment(actor, ticket, case, visibility)?;
            Ok(Some(ticket::comment(ticket, body, &permit, at)?))
        });
        changed.await.map(|(ticket, _)| ticket)
    }

    /// Puts a ticket into another state, if it is still at the version that the actor has seen.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`]; [`Error::Refused`] where the table has no such transition for the actor.
    pub async fn transition(
        &self,
        actor: &Actor,
        number: TicketNumber,
        seen: i64,
        to: State,
        reason: &str,
    ) -> Result<Ticket, Error> {
        let changed = self.change(Which::Number(number), Retry::Never, |ticket, case, at| {
            may_read(actor, ticket, case)?;
            let permit = permission::transition(actor, ticket)?;
            if ticket.version != seen {
                return Err(Error::Stale { version: ticket.version });
            }
            Ok(Some(ticket::transition(ticket, case, to, reason, &permit, at)?))
        });
        changed.await.map(|(ticket, _)| ticket)
    }
}

/// Whether the actor may read a ticket. Another person's ticket is not there, so that its number tells nothing.
///
/// # Errors
///
/// [`Error::Missing`].
pub(crate) fn may_read(actor: &Actor, ticket: &Ticket, case: Option<&AccessCase>) -> Result<MayRead, Error> {
    permission::read(actor, ticket, case).map_err(|refusal| match refusal {
        Refusal::Forbidden { .. } => Error::Missing { what: "ticket", name: ticket.number.to_string() },
        other => other.into(),
    })
}
