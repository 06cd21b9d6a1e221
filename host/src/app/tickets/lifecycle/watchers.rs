//! Following tickets that are not one's own.

use crate::app::tickets::change::{Retry, Which};
use crate::app::tickets::work::{Sights, may_read};
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::{PersonId, TicketNumber};
use crate::desk::permission;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::lifecycle::watchers;
use crate::desk::ticket::timeline::Visibility;
use crate::store::tickets::list::PAGE_MAX;
use crate::store::tickets::summary::TicketSummary;

impl Office {
    /// Those who follow a ticket, as far as the actor sees them.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub async fn watchers(&self, actor: &Actor, number: TicketNumber) -> Result<Vec<PersonId>, Error> {
        let (ticket, _, permit) = self.readable(actor, number).await?;
        Ok(self.shown_watchers(&ticket, permit.sees()))
    }

    /// Lets a person follow a ticket, or no more; those who follow it then.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`] for an actor who may not; [`Error::Rejected`] for a person who is not here.
    pub async fn set_watching(
        &self,
        actor: &Actor,
        number: TicketNumber,
        (person, follows): (&PersonId, bool),
    ) -> Result<Vec<PersonId>, Error> {
        self.count_change(actor)?;
        let changed = self.change(Which::Number(number), Retry::Commutes, None, |ticket, case, at| {
            may_read(actor, ticket, case)?;
            Ok(if follows {
                watchers::watch(ticket, person, &permission::watch(actor, ticket)?, at)?
            } else {
                watchers::unwatch(ticket, person, &permission::unwatch(actor, ticket, person)?, at)?
            })
        });
        let ticket = changed.await?.ticket;
        let sees = if permission::works_on_tickets(actor) { Visibility::Internal } else { Visibility::Public };
        Ok(self.shown_watchers(&ticket, sees))
    }

    fn shown_watchers(&self, ticket: &Ticket, sees: Visibility) -> Vec<PersonId> {
        watchers::shown(ticket, &self.organisation(), sees).into_iter().cloned().collect()
    }

    /// The tickets that the actor follows, the newest first, those before a number.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn watched(
        &self,
        actor: &Actor,
        before: Option<TicketNumber>,
        limit: usize,
    ) -> Result<(Vec<TicketSummary>, Sights), Error> {
        permission::list(actor)?;
        let Some(person) = actor.person() else { return Ok((Vec::new(), self.sights(actor, [].into_iter()).await?)) };
        let found = self.store.watched_by(person, before, limit.min(PAGE_MAX)).await?;
        let sights = self.sights(actor, found.iter().map(|ticket| ticket.number)).await?;
        Ok((found, sights))
    }
}
