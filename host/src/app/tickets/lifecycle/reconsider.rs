//! A change by hand after which the rules are asked again: a ticket that gets another category gets the priority and the team that
//! the rules find for that, with a record of what they were asked and said.

use std::sync::Arc;

use crate::app::decide::{again, pipeline};
use crate::app::error::{Broken, Busy};
use crate::app::rollout::health::Cause;
use crate::app::tickets::change::{Changed, Key, idempotency};
use crate::app::{App, Error};
use crate::desk::actor::Actor;
use crate::desk::change::condition::Condition;
use crate::desk::id::{CategoryId, TicketNumber};
use crate::desk::permission;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::edit::{EditTicket, Found, edit_with};
use crate::store::{Commit, PackedRun};

impl App {
    /// Changes a ticket by hand as [`crate::app::Office::edit_ticket`] does, and asks the rules for its priority and its team again, as
    /// far as the person names neither.
    ///
    /// # Errors
    ///
    /// As [`crate::app::Office::edit_ticket`]; [`Error::Busy`] where the rules have too much to do, or the category has changed
    /// meanwhile.
    pub async fn edit_and_ask(
        self: &Arc<Self>,
        actor: &Actor,
        number: TicketNumber,
        condition: &Condition,
        wanted: EditTicket,
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        let (wanted, key) = (wanted.into_normal(), idempotency(actor, key));
        if let Some(before) = self.repeated(number, key.as_ref()).await? {
            return Ok(before);
        }
        let (ticket, _) = self.ticket(actor, number).await?;
        permission::edit(actor, &ticket)?;
        let category = self.category_of(&ticket, &wanted);
        let (found, run) = self.reconsider(actor, &ticket, &category).await?;
        let may = |ticket: &Ticket| Ok(permission::edit(actor, ticket).map(drop)?);
        self.commit_if((actor, number), condition, key, may, |ticket, _, at| {
            if self.category_of(ticket, &wanted) != category {
                return Err(Busy::Ticket.into());
            }
            let permit = permission::edit(actor, ticket)?;
            let change = edit_with(ticket, &wanted, &found, &permit, at)?;
            Ok(change.map(|change| Commit { run: Some(run.clone()), ..Commit::from(change) }))
        })
        .await
    }

    /// The category that a ticket is to have; its own where there is no such category, which the change itself refuses.
    fn category_of(&self, ticket: &Ticket, wanted: &EditTicket) -> CategoryId {
        let organisation = self.organisation();
        let named = wanted.category.as_deref().and_then(|id| organisation.categories.get_key_value(id));
        named.map_or_else(|| ticket.category.clone(), |(id, _)| id.clone())
    }

    /// Asks the stages after categorization about a ticket with this category, in the lane of the one who wants to know.
    async fn reconsider(
        self: &Arc<Self>,
        actor: &Actor,
        ticket: &Ticket,
        category: &CategoryId,
    ) -> Result<(Found, PackedRun), Error> {
        let (organisation, now) = (self.organisation(), self.clock.now());
        let new = again::submitted(ticket);
        let cause = Cause::new(&new.submitted_by, new.text_bytes());
        let ticket = Ticket { category: category.clone(), ..ticket.clone() };
        let (shown, so_far) = (again::shown(&ticket), again::classified(&ticket));
        let case = self.question((organisation, self.rules.generation()), new, (ticket.id, now));
        let lane = actor.person().unwrap_or(&ticket.submitted.submitted_by);
        let category = category.clone();
        let asked =
            self.rules.workers().run(lane.as_str(), move || pipeline::reconsider(case, shown, so_far, &category));
        let pipeline::Reconsidered { rated, routed, samples, packed } = asked.await?;
        self.metrics.count_calls(&samples);
        self.judge(&samples, cause);
        Ok((Found { rated, routed }, packed.map_err(Broken::Unpacked)?))
    }
}
