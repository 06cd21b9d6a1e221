//! Changes by hand: a ticket's fields, and grants that are taken back.

use crate::app::error::Busy;
use crate::app::{Error, Office};
use crate::desk::access::{AccessCase, Grant};
use crate::desk::actor::Actor;
use crate::desk::id::{GrantId, MessageId, TicketNumber};
use crate::desk::permission;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::edit::{self, Wanted};
use crate::desk::ticket::submit::{Message, MessageKind};
use crate::desk::ticket::{self, Ticket};
use crate::store;
use crate::store::commit::revoke::Revocation;

/// How often a revocation is tried while others change its ticket.
const TRIES_MAX: usize = 5;

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
        wanted: &Wanted,
    ) -> Result<(Ticket, Option<AccessCase>), Error> {
        let (ticket, case) = self.ticket(actor, number).await?;
        let permit = permission::edit(actor, &ticket)?;
        if ticket.version != seen {
            return Err(Error::Stale { version: ticket.version });
        }
        let Some(change) = edit::edit(&self.organisation(), &ticket, wanted, &permit, self.clock.now())? else {
            return Ok((ticket, case));
        };
        match self.store.apply(change, None).await {
            // Read again, because the store may have settled whose turn it is.
            Ok(()) => Ok((self.find(number).await?, case)),
            Err(store::Error::Conflict) => Err(Error::Stale { version: self.find(number).await?.version }),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a grant back: from now on it gives no access. Whoever had it is told.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`], also where it has ended already; [`Error::Rejected`] without a reason.
    pub async fn revoke_grant(&self, actor: &Actor, id: GrantId, reason: &str) -> Result<Grant, Error> {
        let missing = || Error::Missing { what: "grant", name: id.to_string() };
        for _ in 0..TRIES_MAX {
            let grant = self.store.grant(id).await?.ok_or_else(missing)?;
            let ticket = self.store.ticket_by_id(grant.ticket).await?.ok_or_else(missing)?;
            let organisation = self.organisation();
            let owner = organisation.apps.get(&grant.app).and_then(|app| app.owner.as_ref());
            let permit = permission::revoke(actor, &ticket, owner)?;
            if let Some(problem) = edit::check_reason("reason", reason) {
                return Err(Error::Rejected { problems: vec![problem] });
            }
            let now = self.clock.now();
            if !grant.is_effective(now) {
                return Err(Refusal::GrantEnded.into());
            }
            let message = Message {
                id: MessageId(self.clock.new_id()),
                ticket: ticket.id,
                kind: MessageKind::StateChanged,
                to: grant.subject.clone(),
                at: now,
            };
            let author = permit.author().clone();
            let change = ticket::note_revocation(&ticket, author, reason.trim(), vec![message], now);
            let by = actor.person().map_or("the desk", |person| person.as_str());
            let detail = format!("{} {} of {} by {by}: {}", grant.app, grant.tier, grant.subject, reason.trim());
            match self.store.revoke(Revocation { grant: id, change, detail }).await {
                Ok(()) => return Ok(Grant { revoked_at: Some(now), ..grant }),
                Err(store::Error::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Busy::Ticket.into())
    }
}
