//! Reading tickets and working on them.

use crate::app::{App, Error};
use crate::desk::access::{AccessCase, AccessState};
use crate::desk::actor::Actor;
use crate::desk::id::{CommentId, MessageId, TicketNumber};
use crate::desk::permission;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::timeline::Visibility;
use crate::desk::ticket::{self, State, Ticket};
use crate::store;
use crate::store::access::AccessChange;
pub use crate::store::page::Page;
pub use crate::store::rules::decisions::StoredRun;
pub use crate::store::tickets::list::{Filter, QueuePlace, Start, UpdatedPlace};
pub use crate::store::tickets::summary::TicketSummary;
pub use crate::store::tickets::{StoredEntry, StoredMessage};

impl App {
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
    ) -> Result<(Ticket, Option<AccessCase>, permission::MayRead), Error> {
        let found = self.store.ticket_and_case(number).await?;
        let (ticket, case) = found.ok_or_else(|| Error::Missing { what: "ticket", name: number.to_string() })?;
        match permission::read(actor, &ticket, case.as_ref()) {
            Ok(permit) => Ok((ticket, case, permit)),
            Err(Refusal::Forbidden { .. }) => Err(Error::Missing { what: "ticket", name: number.to_string() }),
            Err(other) => Err(other.into()),
        }
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
        let (_, _, permit) = self.readable(actor, number).await?;
        Ok(self.store.timeline_page(permit.ticket(), permit.internal(), after, limit).await?)
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

    /// Adds a comment; the ticket after it.
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
        // A comment commutes with whatever else happens, so a conflict is tried again, a bounded number of times.
        const TRIES_MAX: usize = 5;
        for _ in 0..TRIES_MAX {
            let (ticket, case) = self.ticket(actor, number).await?;
            let permit = permission::comment(actor, &ticket, case.as_ref(), visibility)?;
            let id = CommentId(self.clock.new_id());
            let calendar = &self.organisation().calendar;
            let change = ticket::comment(&ticket, id, body, &permit, calendar, self.clock.now())?;
            let after = change.after.clone();
            match self.store.apply(change, None).await {
                Ok(()) => return Ok(after),
                Err(store::Error::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Busy("many people are changing this ticket: try again soon".to_owned()))
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
        let (ticket, case) = self.ticket(actor, number).await?;
        if ticket.version != seen {
            return Err(Error::Stale { version: ticket.version });
        }
        let permit = permission::transition(actor, &ticket)?;
        let calendar = &self.organisation().calendar;
        let change = ticket::transition(&ticket, to, reason, &permit, calendar, self.clock.now())?;
        let after = change.after.clone();
        // Whoever cancels a ticket takes back what it asks for.
        let awaits = |case: &AccessCase| case.state == AccessState::Awaiting;
        let access = case.filter(|case| to == State::Cancelled && awaits(case)).map(|before| AccessChange {
            after: before.cancelled(),
            before,
            grant: None,
        });
        match self.store.apply(change, access).await {
            Ok(()) => Ok(after),
            Err(store::Error::Conflict) => Err(Error::Stale { version: self.find(number).await?.version }),
            Err(error) => Err(error.into()),
        }
    }
}
