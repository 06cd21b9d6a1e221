//! Changing a ticket that exists: read it, let the domain make a change of it, write that if it is still what was read.

use crate::app::error::Busy;
use crate::app::{Error, Office};
use crate::desk::access::{AccessCase, Grant};
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::id::{GrantId, TicketId, TicketNumber};
use crate::desk::ticket::Ticket;
use crate::store::{self, Commit, Committed};

/// How often a change is made again while other hosts change the same ticket.
const TRIES_MAX: usize = 8;
/// Tickets that this host may change at the same moment; two that share a place wait for each other without need.
const PLACES: usize = 64;

/// Places in which changes of one ticket wait for each other, so that on one host none is made for a version that is gone
/// before it is written.
#[derive(Debug)]
pub struct Places([tokio::sync::Mutex<()>; PLACES]);

impl Default for Places {
    fn default() -> Self {
        Self(std::array::from_fn(|_| tokio::sync::Mutex::new(())))
    }
}

/// The name of a ticket that is to change.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    Number(TicketNumber),
    Id(TicketId),
}

/// What happens when another host has changed the ticket between reading and writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The change holds for the ticket as it is by then: it is made again.
    Commutes,
    /// The change was meant for the version that was seen: it is refused as stale.
    Never,
}

/// A ticket with what a change of it is made from, as it was read.
struct Seen {
    ticket: Ticket,
    case: Option<AccessCase>,
    grant: Option<Grant>,
}

impl Office {
    /// Changes a ticket; the ticket and its access case after it. Where `make` finds that there is nothing to change, they
    /// are as they were read.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; what `make` refuses; [`Error::Stale`]; [`Error::Busy`] where others change it too often.
    pub(crate) async fn change(
        &self,
        which: Which,
        retry: Retry,
        make: impl Fn(&Ticket, Option<&AccessCase>, &At<'_>) -> Result<Option<Change>, Error>,
    ) -> Result<(Ticket, Option<AccessCase>), Error> {
        self.commit_change(which, retry, |ticket, case, at| Ok(make(ticket, case, at)?.map(Commit::from))).await
    }

    /// The same where a run of the rules is written with the change.
    ///
    /// # Errors
    ///
    /// As [`Office::change`].
    pub(crate) async fn commit_change(
        &self,
        which: Which,
        retry: Retry,
        make: impl Fn(&Ticket, Option<&AccessCase>, &At<'_>) -> Result<Option<Commit>, Error>,
    ) -> Result<(Ticket, Option<AccessCase>), Error> {
        let changed = self.changed(which, None, retry, |seen, at| make(&seen.ticket, seen.case.as_ref(), at)).await?;
        Ok((changed.ticket, changed.case))
    }

    /// Changes a grant, and the ticket that gave it with it; the grant after it.
    ///
    /// # Errors
    ///
    /// As [`Office::change`].
    pub(crate) async fn change_grant(
        &self,
        id: GrantId,
        make: impl Fn(&Ticket, &Grant, &At<'_>) -> Result<Option<Change>, Error>,
    ) -> Result<Grant, Error> {
        let missing = || Error::Missing { what: "grant", name: id.to_string() };
        let ticket = Which::Id(self.store.grant(id).await?.ok_or_else(missing)?.ticket);
        self.changed(ticket, Some(id), Retry::Commutes, |seen, at| {
            Ok(make(&seen.ticket, seen.grant.as_ref().ok_or_else(missing)?, at)?.map(Commit::from))
        })
        .await?;
        self.store.grant(id).await?.ok_or_else(missing)
    }

    async fn changed(
        &self,
        which: Which,
        grant: Option<GrantId>,
        retry: Retry,
        make: impl Fn(&Seen, &At<'_>) -> Result<Option<Commit>, Error>,
    ) -> Result<Seen, Error> {
        let _place = self.place_of(which).await?.lock().await;
        for _ in 0..TRIES_MAX {
            let mut seen = self.see(which, grant).await?;
            let organisation = self.organisation();
            let commit = {
                let ids = || self.clock.new_id();
                make(&seen, &At::new(self.clock.now(), &organisation, &ids))?
            };
            let Some(commit) = commit else { return Ok(seen) };
            seen.ticket = commit.change.after().clone();
            seen.case = commit.change.case().cloned().or(seen.case);
            match self.store.commit(commit).await {
                Ok(Committed::Written { assignee, .. }) => {
                    // The store may have settled whose turn it is.
                    seen.ticket.assignee = assignee;
                    return Ok(seen);
                }
                // Only a request that has a key can have been made before.
                Ok(Committed::Before(_)) => return Ok(seen),
                Err(store::Error::Conflict) if retry == Retry::Commutes => {}
                Err(store::Error::Conflict) => {
                    return Err(Error::Stale { version: self.see(which, None).await?.ticket.version });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Busy::Ticket.into())
    }

    /// Where changes of this ticket wait for each other.
    async fn place_of(&self, which: Which) -> Result<&tokio::sync::Mutex<()>, Error> {
        let number = match which {
            Which::Number(number) => number,
            Which::Id(_) => self.see(which, None).await?.ticket.number,
        };
        let Places(places) = &self.changing;
        let [first, ..] = places;
        let place = usize::try_from(number.0.unsigned_abs()).unwrap_or_default() % PLACES;
        Ok(places.get(place).unwrap_or(first))
    }

    /// Reads a ticket and its case as of one instant, and a grant after them: a change of the grant changes the ticket's
    /// version too, so that a change made of an older grant is a conflict.
    async fn see(&self, which: Which, grant: Option<GrantId>) -> Result<Seen, Error> {
        let (found, name) = match which {
            Which::Number(number) => (self.store.ticket_and_case(number).await?, number.to_string()),
            Which::Id(id) => (self.store.ticket_and_case_by_id(id).await?, id.to_string()),
        };
        let (ticket, case) = found.ok_or(Error::Missing { what: "ticket", name })?;
        let grant = match grant {
            Some(id) => self.store.grant(id).await?,
            None => None,
        };
        Ok(Seen { ticket, case, grant })
    }
}
