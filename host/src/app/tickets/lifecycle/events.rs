//! The events of a ticket's promises, and its way from team to team.

use jiff::Timestamp;

use crate::app::{Error, Office};
use crate::desk::actor::{Actor, Author};
use crate::desk::id::TicketNumber;
use crate::desk::permission;
use crate::desk::sla::ClockKind;
use crate::desk::ticket::sight::Sight;
use crate::desk::ticket::timeline::{Event, Field};
pub use crate::store::tickets::reports::events::StoredClockEvent;

/// Entries of a timeline that are read at a time, and the most of one ticket.
const PAGE: usize = 500;
const PAGES_MAX: usize = 20;

/// An event of a promise, or the moment at which it was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromiseEvent {
    pub kind: ClockKind,
    /// The step's word, or `breach`.
    pub step: &'static str,
    pub at: Timestamp,
    pub target_ms: i64,
    pub used_ms: i64,
    pub due_at: Option<Timestamp>,
}

/// A move of a ticket to another team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    pub from: String,
    pub to: String,
    pub at: Timestamp,
    pub by: Author,
    pub reason: String,
    /// Whether the team had had it before.
    pub came_back: bool,
}

impl Office {
    /// Everything that happened to a ticket's promises, in order. The team's own, and further ones, are for those who work on
    /// tickets.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub async fn promise_events(&self, actor: &Actor, number: TicketNumber) -> Result<Vec<PromiseEvent>, Error> {
        let (ticket, _, sight) = self.seen_ticket(actor, number).await?;
        let stored = self.store.clock_events(ticket.number).await?;
        let seen = |kind: ClockKind| !kind.is_internal() || sight == Sight::All;
        let mut all: Vec<PromiseEvent> = stored.iter().filter(|event| seen(event.kind)).map(plain).collect();
        let broken = breaches(&stored, self.clock.now());
        all.extend(broken.into_iter().filter(|event| seen(event.kind)));
        all.sort_by_key(|event| event.at);
        Ok(all)
    }

    /// The moves of a ticket between teams, in order.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`] for those who do not work on tickets.
    pub async fn handovers(&self, actor: &Actor, number: TicketNumber) -> Result<Vec<Handover>, Error> {
        permission::list_internally(actor)?;
        let (mut all, mut had, mut after): (Vec<Handover>, Vec<String>, i64) = (Vec::new(), Vec::new(), 0);
        for _ in 0..PAGES_MAX {
            let page = self.timeline(actor, number, after, PAGE).await?;
            for stored in &page.items {
                let Event::Set { field: Field::Team, from: Some(from), to, reason } = &stored.entry.event else {
                    continue;
                };
                had.push(from.clone());
                all.push(Handover {
                    from: from.clone(),
                    to: to.clone(),
                    at: stored.entry.at,
                    by: stored.entry.author.clone(),
                    reason: reason.clone(),
                    came_back: had.contains(to),
                });
            }
            match page.next {
                Some(next) => after = next,
                None => break,
            }
        }
        Ok(all)
    }
}

fn plain(event: &StoredClockEvent) -> PromiseEvent {
    let StoredClockEvent { kind, step, at, target_ms, used_ms, due_at } = *event;
    PromiseEvent { kind, step: step.code(), at, target_ms, used_ms, due_at }
}

/// The moments at which promises were broken: where a clock ran out before the next thing happened to it. One that had used up its
/// time before was broken then.
fn breaches(events: &[StoredClockEvent], now: Timestamp) -> Vec<PromiseEvent> {
    let broken = events.iter().enumerate().filter_map(|(place, event)| {
        let due_at = event.due_at.filter(|_| event.used_ms < event.target_ms)?;
        let later = events.iter().skip(place + 1).find(|later| later.kind == event.kind);
        let runs_to = later.map_or(now, |later| later.at);
        (due_at < runs_to).then(|| PromiseEvent {
            step: "breach",
            at: due_at,
            used_ms: event.target_ms,
            ..plain(event)
        })
    });
    broken.collect()
}
