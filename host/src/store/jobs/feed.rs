//! The feed of all that happens: the chain over all timelines, read forward. A record's place in it is the order in which
//! transactions ended, on every host, so a reader who has seen a place has seen all before it.

use super::super::chain::timelines::Part;
use crate::desk::id::{TicketId, TicketNumber};
use crate::desk::ticket::timeline::Entry;
use crate::desk::ticket::{State, WaitingFor};
use crate::store::db::Row;
use crate::store::sql::columns::{corrupt, from_json};
use crate::store::sql::places;
use crate::store::{Error, Store};

/// The most tickets of one page, besides those of the record with which it gets more.
const TICKETS_MAX: usize = 200;

/// Something that happened to a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// The place of the transaction in the feed.
    pub place: i64,
    pub ticket: TicketNumber,
    /// The entry's place in the ticket's timeline.
    pub seq: i64,
    pub entry: Entry,
}

/// A piece of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    pub happened: Vec<Happened>,
    /// The place up to which it was read: where the next piece begins. As it was asked for, where there is nothing new.
    pub read_to: i64,
}

/// A ticket as those who watch the feed need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    pub number: TicketNumber,
    pub id: TicketId,
    pub version: i64,
    pub requester: String,
    pub submitted_by: String,
    /// Those who follow it.
    pub watchers: Vec<String>,
    /// Whether people are to decide about access that it asks for.
    pub awaits_approval: bool,
}

impl Store {
    /// The place of the last transaction.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn feed_end(&self) -> Result<i64, Error> {
        self.number("select link from chain_heads where chain = 'timelines'", Vec::new()).await
    }

    /// The events after a place, a piece at a time.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read. A transaction whose row is damaged is passed over.
    pub async fn feed(&self, after: i64) -> Result<FeedPage, Error> {
        let sql = format!("select link, entries from timelines where link > $1 order by link limit {TICKETS_MAX}");
        let mut page = FeedPage { happened: Vec::new(), read_to: after };
        let mut places: Vec<(i64, i64, i64)> = Vec::new();
        let mut of: Vec<(i64, Part)> = Vec::new();
        for row in self.db.quick(&sql, vec![after.into()]).await? {
            let (link, entries) = (row.int(0)?, row.text(1)?);
            page.read_to = link;
            let Some(parts) = Part::all(&entries) else {
                self.leave_out("timelines", &link, &corrupt("timelines", "entries", entries));
                continue;
            };
            places.extend(parts.iter().map(|part| (part.ticket.0, part.first, part.last)));
            of.extend(parts.into_iter().map(|part| (link, part)));
            if places.len() >= TICKETS_MAX {
                break;
            }
        }
        for (ticket, stored) in self.entries_at(&places).await? {
            let found = of.iter().find(|(_, p)| p.ticket == ticket && (p.first..=p.last).contains(&stored.seq));
            let Some((place, _)) = found else { continue };
            page.happened.push(Happened { place: *place, ticket, seq: stored.seq, entry: stored.entry });
        }
        page.happened.sort_by_key(|happened| (happened.place, happened.ticket, happened.seq));
        Ok(page)
    }

    /// Tickets as those who watch the feed need them.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn watched(&self, tickets: &[TicketNumber]) -> Result<Vec<Watched>, Error> {
        if tickets.is_empty() {
            return Ok(Vec::new());
        }
        let places = places(0, tickets.len());
        let sql = format!(
            "select number, id, version, requester, submitted_by, state, watchers from tickets where number in ({places})"
        );
        let rows = self.db.quick(&sql, tickets.iter().map(|number| number.0.into()).collect()).await?;
        let watched = |row: &Row| {
            Ok(Watched {
                number: TicketNumber(row.int(0)?),
                id: TicketId(row.uuid(1)?),
                version: row.int(2)?,
                requester: row.text(3)?,
                submitted_by: row.text(4)?,
                watchers: from_json("tickets", "watchers", &row.text(6)?)?,
                awaits_approval: row.text(5)? == State::Waiting(WaitingFor::Approval).code(),
            })
        };
        Ok(self.readable("tickets", &rows, watched))
    }
}
