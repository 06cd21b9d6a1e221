//! People decide about access.

use jiff::Timestamp;

use crate::app::tickets::change::{Changed, Key, Retry, Which, idempotency};
use crate::app::tickets::work::may_read;
use crate::app::tickets::work::{LIST_BYTES_MAX, Sights};
use crate::app::{Error, Office};
use crate::desk::access::{self, AccessCase, ApproverDecision, Grant};
use crate::desk::actor::Actor;
use crate::desk::id::{PersonId, TicketId, TicketNumber};
use crate::desk::permission;
use crate::desk::ticket::Ticket;
pub use crate::store::access::lists::GrantPlace;
use crate::store::sql::page::Page;
use crate::store::tickets::summary::TicketSummary;

impl Office {
    /// Takes an approver's decision. The last approval is the provisioning: the grant is in the same transaction. A
    /// decision is about the request, so other changes of its ticket do not stand in its way.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where the request does not await the actor, also because another approver was quicker.
    pub async fn decide_access(
        &self,
        actor: &Actor,
        number: TicketNumber,
        decision: &ApproverDecision,
        key: Option<Key>,
    ) -> Result<(Ticket, AccessCase), Error> {
        let missing = || Error::Missing { what: "access request", name: number.to_string() };
        let key = idempotency(actor, key);
        let decided = self.change(Which::Number(number), Retry::Commutes, key, |ticket, case, at| {
            may_read(actor, ticket, case)?;
            let case = case.ok_or_else(missing)?;
            let permit = permission::decide_access(actor, ticket, case)?;
            Ok(Some(access::decide(ticket, case, decision, &permit, at)?))
        });
        let Changed { ticket, case, .. } = decided.await?;
        Ok((ticket, case.ok_or_else(missing)?))
    }

    /// The tickets whose access requests await the actor, after one of them, oldest first.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn awaiting(
        &self,
        actor: &Actor,
        after: Option<TicketId>,
        limit: usize,
    ) -> Result<(Page<(TicketSummary, AccessCase), TicketId>, Sights), Error> {
        let page = match actor.person() {
            Some(person) => self.store.awaiting(person, after, limit).await?,
            None => Page { items: Vec::new(), next: None },
        };
        let page = page.within(LIST_BYTES_MAX, |(_, case)| case.text_bytes(), |(ticket, _)| ticket.id);
        let sights = self.sights(actor, page.items.iter().map(|(ticket, _)| ticket.number)).await?;
        Ok((page, sights))
    }

    /// What a person holds and has held in the last year, after one of the grants: one's own, or anybody's for agents and
    /// admins. Each with whether it gives access now.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn grants(
        &self,
        actor: &Actor,
        person: &PersonId,
        after: Option<GrantPlace>,
        limit: usize,
    ) -> Result<Page<(Grant, bool), GrantPlace>, Error> {
        if actor.person() != Some(person) {
            permission::read_decisions(actor)?;
        }
        let is_new = after.is_none();
        let now = self.clock.now();
        let year = Timestamp::from_millisecond(now.as_millisecond() - 365 * 86_400_000);
        let year = year.unwrap_or(Timestamp::UNIX_EPOCH);
        let page = self.store.grants_page(person, year, after, limit).await?;
        // One who has left the directory may have held something all the same.
        if is_new && page.items.is_empty() && !self.organisation().people.contains_key(person) {
            return Err(Error::Missing { what: "person", name: person.to_string() });
        }
        Ok(page.map(|grant| {
            let effective = grant.is_effective(now);
            (grant, effective)
        }))
    }
}
