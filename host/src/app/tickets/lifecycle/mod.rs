//! How tickets end: resolutions as they are read, promises that the desk watches, and escalation.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::app::jobs::Outcome;
use crate::app::tickets::change::{Changed, Key, Retry, Which, idempotency};
use crate::app::tickets::work::may_read;
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::change::at::At;
use crate::desk::change::timer::TimerKind;
use crate::desk::id::{TicketId, TicketNumber};
use crate::desk::permission;
use crate::desk::sla::{Clock, ClockKind};
use crate::desk::ticket::lifecycle::{alerts, escalation};
use crate::desk::ticket::sight::Sight;
use crate::desk::ticket::{Ticket, day_has_come, may_wait_until};
use crate::store::sql::page::Page;
pub use crate::store::tickets::endings::StoredResolution;
use crate::store::{self, Commit};

pub mod closing;
pub mod events;
pub mod promises;
pub mod reconsider;
pub mod survey;
pub mod time;
pub mod watchers;

/// A promise of a ticket as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    pub kind: ClockKind,
    pub clock: Clock,
    /// The open time that it has used, in milliseconds.
    pub used_ms: i64,
    /// Whether it is past its target, or was when it was met.
    pub broken: bool,
}

impl Office {
    /// How a ticket was resolved, each time after a round, at most `limit` times; and whether the reader sees the whole record, or
    /// only what was done.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub async fn resolutions_after(
        &self,
        actor: &Actor,
        number: TicketNumber,
        after: i64,
        limit: usize,
    ) -> Result<(Page<StoredResolution, i64>, bool), Error> {
        let (ticket, _, sight) = self.seen_ticket(actor, number).await?;
        Ok((self.store.resolutions_after(ticket.number, after, limit).await?, sight == Sight::All))
    }

    /// The promises that a ticket is under, or was. The team's own, and further ones, are for those who work on tickets.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub async fn promises(&self, actor: &Actor, number: TicketNumber) -> Result<Vec<Promise>, Error> {
        let (ticket, _, sight) = self.seen_ticket(actor, number).await?;
        let (organisation, now) = (self.organisation(), self.clock.now());
        let promise = |kind: ClockKind| {
            let clock = *ticket.clocks.get(kind)?;
            let calendar = crate::desk::ticket::lifecycle::clocks::calendar(&ticket, kind, &organisation);
            let broken = alerts::is_broken(&ticket, kind, &organisation, now);
            Some(Promise { kind, clock, used_ms: clock.used(calendar, clock.met_at.unwrap_or(now)), broken })
        };
        let seen = |kind: &ClockKind| !kind.is_internal() || sight == Sight::All;
        Ok(ticket.clocks.kinds().into_iter().filter(seen).filter_map(promise).collect())
    }

    /// Takes a ticket up to the next tier; the ticket after it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`]; [`Error::Rejected`] without a reason.
    pub async fn escalate(
        &self,
        actor: &Actor,
        number: TicketNumber,
        reason: &str,
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        self.count_change(actor)?;
        self.change(Which::Number(number), Retry::Commutes, idempotency(actor, key), |ticket, case, at| {
            may_read(actor, ticket, case)?;
            let permit = permission::escalate(actor, ticket)?;
            Ok(Some(escalation::escalate(ticket, reason, &permit, at)?))
        })
        .await
    }

    /// Does what is due about a ticket's promises: alerts, reminders, escalation, and the end of the time to confirm. Several
    /// hosts may do so at once: the change is made for the version that was read, so only one of them makes it.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] where the ticket changes all the time; where the store cannot be read or written.
    pub async fn watch_promises(&self, id: TicketId) -> Result<Outcome, Error> {
        let changed = self.change(Which::Id(id), Retry::Commutes, None, |ticket, _, at| Ok(alerts::fire(ticket, at)));
        let ticket = match changed.await {
            Ok(changed) => changed.ticket,
            Err(Error::Missing { .. }) => return Ok(Outcome::Done),
            Err(error) => return Err(error),
        };
        let next = alerts::next_at(&ticket, &self.organisation());
        Ok(next.map_or(Outcome::Done, Outcome::NotBefore))
    }

    /// Has a ticket worked on again that waits until a day, which has come. The day is read after the ticket, and the change made for that
    /// version alone: one that was put off again meanwhile keeps its new day.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] where the ticket changes all the time; where the store cannot be read or written.
    pub async fn go_on_with(&self, id: TicketId) -> Result<Outcome, Error> {
        let Some(seen) = self.store.ticket_by_id(id).await? else { return Ok(Outcome::Done) };
        let Some(day) = self.store.timer_due(TimerKind::WaitsUntil, id).await? else { return Ok(Outcome::Done) };
        if day > self.clock.now() {
            return Ok(Outcome::NotBefore(day));
        }
        let as_seen = |ticket: &Ticket| ticket.version == seen.version;
        let changed = self.change(Which::Id(id), Retry::Commutes, None, |ticket, _, at| {
            Ok(if as_seen(ticket) { day_has_come(ticket, at) } else { None })
        });
        match changed.await {
            // Others have changed it meanwhile: it is looked at once more, where its day is still this one.
            Ok(changed) if may_wait_until(changed.ticket.state) => Ok(Outcome::NotBefore(day)),
            Ok(_) | Err(Error::Missing { .. }) => Ok(Outcome::Done),
            Err(error) => Err(error),
        }
    }

    /// The day on which a ticket is worked on again by itself, where it waits until one.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn waits_until(&self, ticket: &Ticket) -> Result<Option<Date>, Error> {
        if !may_wait_until(ticket.state) {
            return Ok(None);
        }
        let day = self.store.timer_due(TimerKind::WaitsUntil, ticket.id).await?;
        let organisation = self.organisation();
        Ok(day.map(|day| organisation.calendar.zone.to_datetime(day).date()))
    }

    /// Does what is due about the promises of many tickets, in one transaction; what came of each, the tickets left out that others
    /// have changed meanwhile: those are for [`Office::watch_promises`].
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written.
    pub async fn watch_promises_together(&self, ids: &[TicketId]) -> Result<BTreeMap<TicketId, Outcome>, Error> {
        let organisation = self.organisation();
        let found = self.store.tickets_by_ids(ids).await?;
        let (mut quiet, mut changed, mut commits) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        let outcome =
            |ticket: &Ticket| alerts::next_at(ticket, &organisation).map_or(Outcome::Done, Outcome::NotBefore);
        for ticket in &found {
            let new_id = || self.clock.new_id();
            let at = At::new(self.clock.now(), &organisation, &new_id);
            let Some(change) = alerts::fire(ticket, &at) else {
                quiet.insert(ticket.id, outcome(ticket));
                continue;
            };
            let mut change = change.telling(&at);
            alerts::keep_time(&mut change, &organisation);
            changed.insert(ticket.id, outcome(change.after()));
            commits.push(Commit::from(change));
        }
        if !commits.is_empty() {
            match self.store.commit_together(commits).await {
                Ok(_) => quiet.append(&mut changed),
                Err(store::Error::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(quiet)
    }
}
