//! The ledger of access as it leaves the desk: each event with its place and its hash, so that the chain can be walked where there is
//! no database.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::check::Place;
use super::{Chain, Encoding, beginning, hash};
use crate::desk::id::TicketId;
use crate::store::access::ledger;
use crate::store::{Error, Store};

/// Events that are read at a time.
const PAGE: i64 = 1_000;

/// One event, as it is chained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    pub link: i64,
    pub hash: String,
    /// Milliseconds since 1970.
    pub at: i64,
    /// The same as people read it; no part of what is chained.
    pub time: Option<Timestamp>,
    pub ticket: Uuid,
    pub event: String,
    /// The event's facts, as the ledger keeps them.
    pub detail: String,
}

/// The end of the ledger's chain, and the number of events from before there was one, on which it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEnd {
    pub end: Place,
    pub unchained: i64,
}

impl Store {
    /// The end of the ledger's chain now.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn ledger_end(&self) -> Result<LedgerEnd, Error> {
        let sql = "select link, hash, unchained from chain_heads where chain = $1";
        let head = self.db.optional(sql, vec![Chain::Ledger.name().into()]).await?;
        head.map_or_else(
            || Ok(LedgerEnd { end: Place { link: 0, hash: String::new() }, unchained: 0 }),
            |head| Ok(LedgerEnd { end: Place { link: head.int(0)?, hash: head.text(1)? }, unchained: head.int(2)? }),
        )
    }

    /// The events after a place and up to another, some at a time.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn ledger_lines(&self, after: i64, until: i64) -> Result<Vec<LedgerLine>, Error> {
        let sql = format!(
            "select link, hash, at, ticket, event, detail from ledger where link > $1 and link <= $2 order by link limit {PAGE}"
        );
        let rows = self.db.all_of_history(&sql, vec![after.into(), until.into()]).await?;
        let line = |row: &crate::store::db::Row| {
            let at = row.int(2)?;
            Ok(LedgerLine {
                link: row.int(0)?,
                hash: row.text(1)?,
                at,
                time: Timestamp::from_millisecond(at).ok(),
                ticket: row.uuid(3)?,
                event: row.text(4)?,
                detail: row.text(5)?,
            })
        };
        rows.iter().map(line).collect()
    }
}

/// A walk along exported events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerWalk {
    at: Place,
}

impl LedgerWalk {
    /// At the beginning of a chain that stands on so many older events.
    pub fn begin(unchained: i64) -> LedgerWalk {
        LedgerWalk { at: Place { link: 0, hash: beginning(Chain::Ledger, unchained) } }
    }

    /// Goes on to an event; whether that is the one which was written there.
    pub fn step(&mut self, line: &LedgerLine) -> bool {
        let encoding = Encoding::of(&line.hash);
        let content = ledger::content(encoding, line.at, TicketId(line.ticket), &line.event, &line.detail);
        let follows = line.link == self.at.link + 1 && hash(&self.at.hash, line.link, &content) == line.hash;
        self.at = Place { link: line.link, hash: line.hash.clone() };
        follows
    }

    /// Where it has come to; the hash is empty where it has not begun.
    pub fn place(&self) -> Place {
        if self.at.link == 0 { Place { link: 0, hash: String::new() } } else { self.at.clone() }
    }
}
