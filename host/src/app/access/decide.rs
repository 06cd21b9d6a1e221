//! People decide about access.

use jiff::Timestamp;

use crate::app::tickets::change::{Retry, Which};
use crate::app::tickets::work::may_read;
use crate::app::{Error, Office};
use crate::desk::access::{self, AccessCase, ApproverDecision, Grant};
use crate::desk::actor::Actor;
use crate::desk::id::{PersonId, TicketNumber};
use crate::desk::permission;
use crate::desk::ticket::Ticket;

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
    ) -> Result<(Ticket, AccessCase), Error> {
        let missing = || Error::Missing { what: "access request", name: number.to_string() };
        let decided = self.change(Which::Number(number), Retry::Commutes, |ticket, case, at| {
            may_read(actor, ticket, case)?;
            let case = case.ok_or_else(missing)?;
            let permit = permission::decide_access(actor, ticket, case)?;
            Ok(Some(access::decide(ticket, case, decision, &permit, at)?))
        });
        let (ticket, case) = decided.await?;
        Ok((ticket, case.ok_or_else(missing)?))
    }

    /// The tickets whose access requests await the actor.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn awaiting(&self, actor: &Actor) -> Result<Vec<(Ticket, AccessCase)>, Error> {
        let Some(person) = actor.person() else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for id in self.store.awaiting(person).await? {
            let both = self.store.ticket_and_case_by_id(id).await?;
            found.extend(both.and_then(|(ticket, case)| Some((ticket, case?))));
        }
        Ok(found)
    }

    /// What somebody holds and has held in the last year: one's own, or anybody's for agents and admins.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn grants(&self, actor: &Actor, person: &PersonId) -> Result<Vec<(Grant, bool)>, Error> {
        if actor.person() != Some(person) {
            permission::read_decisions(actor)?;
        }
        let now = self.clock.now();
        let year = Timestamp::from_millisecond(now.as_millisecond() - 365 * 86_400_000);
        let grants = self.store.grants(person, year.unwrap_or(Timestamp::UNIX_EPOCH)).await?;
        Ok(grants
            .into_iter()
            .map(|grant| {
                let effective = grant.is_effective(now);
                (grant, effective)
            })
            .collect())
    }
}
