//! People decide about access.

use jiff::Timestamp;

use crate::app::{App, Error};
use crate::desk::access::{self, AccessCase, AccessState, Grant, Word};
use crate::desk::actor::Actor;
use crate::desk::id::{GrantId, MessageId, PersonId, TicketId, TicketNumber};
use crate::desk::permission;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::submit::{Message, MessageKind};
use crate::desk::ticket::{self, Ticket, TicketChange};
use crate::store::access::AccessChange;
pub use crate::store::access::lists::GrantPlace;
use crate::store::page::Page;
use crate::store::tickets::summary::TicketSummary;

impl App {
    /// Takes an approver's decision. The last approval is the provisioning: the grant is in the same transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where the request does not await the actor; [`Error::Stale`] where somebody was quicker.
    pub async fn decide_access(
        &self,
        actor: &Actor,
        number: TicketNumber,
        word: &Word,
    ) -> Result<(Ticket, AccessCase), Error> {
        let (ticket, case) = self.ticket(actor, number).await?;
        let before = case.ok_or_else(|| Error::Missing { what: "access request", name: number.to_string() })?;
        let organisation = self.organisation();
        let permit = permission::decide_access(actor, &ticket, &before)?;
        let gone = |id: &PersonId| organisation.people.get(id).is_none_or(|person| !person.active);
        if word.approve && gone(&before.request.subject) {
            return Err(Refusal::SubjectInactive.into());
        }
        let now = self.clock.now();
        let asked = if word.approve { before.clone().within(&organisation.apps)? } else { before.clone() };
        let after = access::decide(&asked, word, &permit, now)?;
        let grant = after.grant(GrantId(self.clock.new_id()), now);
        let messages = self.messages_about(&ticket, &before, &after, now);
        let change = ticket::settle_access(
            &ticket,
            &after,
            (actor.author(), &word.reason),
            &organisation.calendar,
            messages,
            now,
        );
        let (settled, case) = (change.after.clone(), after.clone());
        let access = AccessChange { before, after, grant };
        self.apply_access(number, change, access).await?;
        Ok((settled, case))
    }

    async fn apply_access(
        &self,
        number: TicketNumber,
        change: TicketChange,
        access: AccessChange,
    ) -> Result<(), Error> {
        match self.store.apply(change, Some(access)).await {
            Ok(()) => Ok(()),
            Err(crate::store::Error::Conflict) => Err(Error::Stale { version: self.find(number).await?.version }),
            Err(error) => Err(error.into()),
        }
    }

    /// Whoever is awaited next is told, and the requester when it is settled.
    pub(crate) fn messages_about(
        &self,
        ticket: &Ticket,
        before: &AccessCase,
        after: &AccessCase,
        now: Timestamp,
    ) -> Vec<Message> {
        let message = |kind, to: &PersonId| Message {
            id: MessageId(self.clock.new_id()),
            ticket: ticket.id,
            kind,
            to: to.clone(),
            at: now,
        };
        if after.state != AccessState::Awaiting {
            return vec![message(MessageKind::StateChanged, &ticket.requester)];
        }
        let told = before.awaited();
        let new = after.awaited().into_iter().filter(|person| !told.contains(person));
        new.map(|person| message(MessageKind::ApprovalWanted, person)).collect()
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
    ) -> Result<Page<(TicketSummary, AccessCase), TicketId>, Error> {
        let Some(person) = actor.person() else { return Ok(Page { items: Vec::new(), next: None }) };
        Ok(self.store.awaiting(person, after, limit).await?)
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
        let now = self.clock.now();
        let year = Timestamp::from_millisecond(now.as_millisecond() - 365 * 86_400_000);
        let year = year.unwrap_or(Timestamp::UNIX_EPOCH);
        let page = self.store.grants_page(person, year, after, limit).await?;
        Ok(page.map(|grant| {
            let effective = grant.is_effective(now);
            (grant, effective)
        }))
    }
}
