//! Tickets of another desk, taken over as they stood.

use std::sync::Arc;

use crate::app::{App, Error};
use crate::desk::actor::Actor;
use crate::desk::change::at::At;
use crate::desk::id::TicketId;
use crate::desk::permission;
use crate::desk::ticket::history::{self, Past};
use crate::store::{Commit, Committed, IdempotencyKey};

use super::submit::Made;

impl App {
    /// Writes a ticket of history. No rule is asked, nothing is granted, and no message leaves.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Rejected`] with what to correct; [`Error::KeyReused`]; [`Error::Busy`].
    pub async fn take_over_ticket(
        self: &Arc<Self>,
        actor: &Actor,
        past: Past,
        (key, digest): (String, String),
    ) -> Result<Made, Error> {
        let organisation = self.organisation();
        let permit = permission::import(actor)?;
        let claim = IdempotencyKey { actor: actor.person().cloned(), key, digest };
        if let Some(id) = self.store.made_under(&claim).await? {
            return self.made_before(id).await;
        }
        let change = {
            let ids = || self.clock.new_id();
            let at = At::new(self.clock.now(), &organisation, &ids);
            history::take_over(past, &permit, TicketId(self.clock.new_id()), &at)?
        };
        let mut ticket = change.after().clone();
        match self.store.commit(Commit { change, run: None, idempotency: Some(claim) }).await? {
            Committed::Written { number, .. } => {
                ticket.number = number;
                Ok(Made { ticket, access: None, new: true, rules_asked: 0 })
            }
            Committed::Before(id) => self.made_before(id).await,
        }
    }
}
