//! What happens because its time has come: access that no approver decided about in time is denied by the desk.

use std::sync::Arc;
use std::time::Duration;

use crate::app::tickets::change::{Retry, Which};
use crate::app::{App, Error};
use crate::desk::access::{self, AccessCase, AccessState, NOT_IN_TIME};
use crate::desk::id::TicketId;

/// How often deadlines are looked at. A step that is over cannot be approved meanwhile.
const EVERY: Duration = Duration::from_secs(5);

impl App {
    /// Denies every access request that nobody has decided in time; how many those were. One that cannot be denied now keeps
    /// no other waiting, and is tried again the next time.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn deny_overdue(&self) -> Result<usize, Error> {
        let mut denied = 0;
        for id in self.store.overdue(self.clock.now()).await? {
            match self.deny_lapsed(id).await {
                Ok(done) => denied += usize::from(done),
                Err(error) => tracing::error!(ticket = %id, %error, "an overdue access request was not denied"),
            }
        }
        Ok(denied)
    }

    /// Whether a case was denied: not where it has time yet, nor where an approver was quicker.
    async fn deny_lapsed(&self, id: TicketId) -> Result<bool, Error> {
        let (ticket, case) = self
            .change(Which::Id(id), Retry::Commutes, |ticket, case, at| {
                Ok(case.and_then(|case| access::lapse(ticket, case, at)))
            })
            .await?;
        // A denial that no approver gave is the desk's.
        let by_nobody = |case: &AccessCase| case.decisions.iter().all(|decision| decision.approve);
        let denied = case.is_some_and(|case| case.state == AccessState::Denied && by_nobody(&case));
        if denied {
            tracing::info!(ticket = %ticket.number, "access request denied: {NOT_IN_TIME}");
        }
        Ok(denied)
    }

    /// Keeps deadlines for as long as the desk runs. Several hosts may: what one has settled, no other settles again.
    pub async fn keep_deadlines(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.deny_overdue().await {
                tracing::warn!(%error, "overdue access requests cannot be read: tried again soon");
            }
        }
    }
}
