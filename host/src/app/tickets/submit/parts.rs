//! The parts of a bundle, and what becomes of them and of the access that they gave where it is cancelled.

use crate::app::tickets::change::{Changed, JustRead, Key, Retry, Which};
use crate::app::{Error, Office};
use crate::desk::access::Grant;
use crate::desk::actor::Actor;
use crate::desk::change::condition::Condition;
use crate::desk::id::TicketNumber;
use crate::desk::permission;
use crate::desk::ticket::intake::bundle;
use crate::desk::ticket::timeline::{Event, Visibility};
use crate::desk::ticket::{Move, State, Ticket};

/// All that hangs on a bundle.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hanging {
    /// The open parts, which are cancelled with it.
    pub open: Vec<TicketNumber>,
    /// The access that parts gave and that is not over, with the part.
    pub access: Vec<(TicketNumber, Grant)>,
}

impl Office {
    /// The open parts of a bundle and the access that its parts gave, for those who may cancel it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn hanging(&self, actor: &Actor, number: TicketNumber) -> Result<Hanging, Error> {
        let (whole, _) = self.ticket(actor, number).await?;
        permission::transition(actor, &whole)?;
        self.hanging_on(&whole).await
    }

    async fn hanging_on(&self, whole: &Ticket) -> Result<Hanging, Error> {
        let mut hanging = Hanging::default();
        for (part, case) in self.parts_of(whole.number).await? {
            if !bundle::is_of(&part, whole) {
                continue;
            }
            hanging.open.extend(bundle::is_open(&part).then_some(part.number));
            if case.is_some() {
                let now = self.clock.now();
                let grants = self.store.grants_of_ticket(part.id).await?.into_iter();
                hanging.access.extend(grants.filter(|grant| !grant.has_ended(now)).map(|grant| (part.number, grant)));
            }
        }
        Ok(hanging)
    }

    /// The parts of a bundle: the children for which it waits, or has waited.
    pub(super) async fn parts_of(&self, whole: TicketNumber) -> Result<Vec<JustRead>, Error> {
        let mut parts = Vec::new();
        for number in self.store.awaited_children(whole).await? {
            parts.extend(self.store.ticket_and_case(number).await?);
        }
        Ok(parts)
    }

    /// Cancels a bundle, then ends the access that its parts gave, as far as the actor may end it. The rest is proposed to be taken
    /// back, as all of it is where a bundle is cancelled and nothing is said.
    ///
    /// # Errors
    ///
    /// As [`Office::transition`]: then no access has ended. Where the store fails after it, the bundle is cancelled, and what has not
    /// ended is proposed to be taken back; the same request under its key goes on.
    pub async fn cancel_with_access(
        &self,
        actor: &Actor,
        number: TicketNumber,
        condition: &Condition,
        wanted: Move,
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        let reason = wanted.reason.clone();
        let done = Box::pin(self.transition(actor, number, condition, wanted, key)).await?;
        if done.ticket.state == State::Cancelled {
            Box::pin(self.end_access_of(actor, &done.ticket, (&reason, done.repeated))).await?;
        }
        Ok(done)
    }

    async fn end_access_of(&self, actor: &Actor, whole: &Ticket, (reason, again): (&str, bool)) -> Result<(), Error> {
        let given = bundle::part_of_cancelled(whole);
        let reason = if reason.trim().is_empty() { given.as_str() } else { reason };
        for (part, grant) in self.hanging_on(whole).await?.access {
            // The first request may have been cut off. What people have kept since then stays.
            if again && self.was_kept(part, &grant, &given).await? {
                continue;
            }
            match Box::pin(self.revoke_grant(actor, grant.id, reason, None)).await {
                // Another may end it, or it has ended meanwhile.
                Ok(_) | Err(Error::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether people were asked about access for this reason, and have not taken it back.
    async fn was_kept(&self, part: TicketNumber, grant: &Grant, why: &str) -> Result<bool, Error> {
        if self.store.open_reviews(grant.ticket).await?.iter().any(|item| item.grant == grant.id) {
            return Ok(false);
        }
        let is_it = |event: &Event| matches!(event, Event::AccessDecided { detail, .. } if detail == why);
        Ok(self.store.timeline(part, Visibility::Internal).await?.iter().any(|said| is_it(&said.entry.event)))
    }

    /// Cancels the open parts of a bundle that is cancelled, and has people look at the access that its parts gave. Done again, it
    /// changes nothing more.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] where one of them changes all the time; where the store cannot be read or written.
    pub(in crate::app::tickets) async fn cancel_parts(&self, whole: &Ticket) -> Result<(), Error> {
        let Hanging { open, access } = self.hanging_on(whole).await?;
        for number in open {
            let follow = self.change(Which::Number(number), Retry::Commutes, None, |part, case, at| {
                Ok(bundle::cancel_part(part, case, whole, at))
            });
            follow.await?;
        }
        for (_, grant) in access {
            Box::pin(self.doubted(&grant, &bundle::part_of_cancelled(whole))).await?;
        }
        Ok(())
    }
}
