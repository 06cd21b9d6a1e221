//! Tickets of another desk, taken over as they stood.

use std::sync::Arc;

use crate::app::{App, Error};
use crate::desk::actor::Actor;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::{TicketId, TicketNumber};
use crate::desk::permission::{self, MayImport};
use crate::desk::refusal::Refusal;
use crate::desk::ticket::history::log::LogEvent;
use crate::desk::ticket::history::{self, Past};
use crate::desk::ticket::sight::Sight;
use crate::store::{Commit, Committed};

use super::change::{self, Key};
use super::submit::CreatedTicket;

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
        key: Key,
    ) -> Result<CreatedTicket, Error> {
        self.take_over(actor, key, |permit, id, at| history::take_over(past, permit, id, at)).await
    }

    /// Writes a ticket of history with the log of its states, through which it is lived again. No rule is asked, nothing is granted,
    /// and no message leaves.
    ///
    /// # Errors
    ///
    /// As [`App::take_over_ticket`]; an illegal jump is a problem that is filed under its line.
    pub async fn take_over_log(
        self: &Arc<Self>,
        actor: &Actor,
        past: Past,
        log: &[LogEvent],
        key: Key,
    ) -> Result<CreatedTicket, Error> {
        self.take_over(actor, key, |permit, id, at| history::log::replay(past, log, permit, id, at)).await
    }

    /// Keeps what people had decided elsewhere about a ticket that was imported as new: backtests judge by it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be written.
    pub async fn keep_labels(
        &self,
        actor: &Actor,
        ticket: TicketNumber,
        labels: Vec<(&'static str, String)>,
    ) -> Result<(), Error> {
        permission::import(actor)?;
        if labels.is_empty() { Ok(()) } else { Ok(self.store.keep_labels(ticket, labels).await?) }
    }

    /// The ticket that was imported under a key before, if one was.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::KeyReused`]; where the store cannot be read.
    pub async fn imported_before(&self, actor: &Actor, key: Key) -> Result<Option<CreatedTicket>, Error> {
        permission::import(actor)?;
        self.made_under_key(change::idempotency(actor, Some(key)).as_ref()).await
    }

    async fn take_over(
        self: &Arc<Self>,
        actor: &Actor,
        key: Key,
        make: impl FnOnce(&MayImport, TicketId, &At<'_>) -> Result<Change, Refusal>,
    ) -> Result<CreatedTicket, Error> {
        let organisation = self.organisation();
        let permit = permission::import(actor)?;
        let claim = change::idempotency(actor, Some(key));
        if let Some(before) = self.made_under_key(claim.as_ref()).await? {
            return Ok(before);
        }
        let change = {
            let ids = || self.clock.new_id();
            let at = At::new(self.clock.now(), &organisation, &ids);
            make(&permit, TicketId(self.clock.new_id()), &at)?
        };
        let mut ticket = change.after().clone();
        match self.store.commit(Commit { change, run: None, idempotency: claim }).await? {
            Committed::Written { number, .. } => {
                ticket.number = number;
                Ok(CreatedTicket { ticket, access: None, new: true, sight: Some(Sight::All), rules_asked: 0 })
            }
            Committed::Before(id) => self.made_before(id).await,
        }
    }
}
