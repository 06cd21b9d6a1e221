//! What happens because its time has come: access that nobody decided about in time is denied by the desk.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::app::{App, Error};
use crate::desk::access::NOT_IN_TIME;
use crate::desk::actor::Author;
use crate::desk::id::TicketId;
use crate::desk::ticket::{self, State, WaitingFor};
use crate::store;
use crate::store::access::AccessChange;

/// How often deadlines are looked at. A step that is over cannot be approved meanwhile.
const EVERY: Duration = Duration::from_secs(5);

impl App {
    /// Denies every access request that nobody has decided in time; how many those were. One that cannot be denied now keeps
    /// no other waiting, and is tried again the next time.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn deny_overdue(&self, now: Timestamp) -> Result<usize, Error> {
        let mut denied = 0;
        for id in self.store.overdue(now).await? {
            match self.deny_lapsed(id, now).await {
                Ok(done) => denied += usize::from(done),
                Err(error) => tracing::error!(ticket = %id, %error, "an overdue access request was not denied"),
            }
        }
        Ok(denied)
    }

    /// Whether a case was denied: not where it has time yet, nor where somebody was quicker.
    async fn deny_lapsed(&self, id: TicketId, now: Timestamp) -> Result<bool, Error> {
        let Some((ticket, Some(before))) = self.store.ticket_and_case_by_id(id).await? else { return Ok(false) };
        let waits = ticket.state == State::Waiting(WaitingFor::Approval);
        let Some(after) = before.denial(now).filter(|_| waits) else { return Ok(false) };
        let messages = self.messages_about(&ticket, &before, &after, now);
        let calendar = &self.organisation().calendar;
        let change = ticket::settle_access(&ticket, &after, (Author::System, NOT_IN_TIME), calendar, messages, now);
        match self.store.apply(change, Some(AccessChange { before, after, grant: None })).await {
            Ok(()) => {
                tracing::info!(ticket = %ticket.number, "access request denied: {NOT_IN_TIME}");
                Ok(true)
            }
            Err(store::Error::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps deadlines for as long as the desk runs. Several hosts may: what one has settled, no other settles again.
    pub async fn keep_deadlines(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.deny_overdue(self.clock.now()).await {
                tracing::warn!(%error, "overdue access requests cannot be read: tried again soon");
            }
        }
    }
}
