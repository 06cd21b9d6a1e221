//! The chain over all timelines: a record for each transaction that added to them.
//!
//! A record's `entries` has a word for each ticket: its number, the first and the last place of its new entries, and a digest of
//! these, as `12:3-5:0a1b...`. So the chain stands on texts that it holds itself, and an entry that was edited is found by its
//! ticket.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::{Chain, Content, ContentDigest, Encoding, Ends};
use crate::desk::id::TicketNumber;
use crate::store::Error;
use crate::store::db::{Arg, Tx};
use crate::store::sql::columns::hex;
use crate::store::tickets::timeline::{RowHash, TimelineRow};

/// Hexadecimal digits of a digest that are kept: 128 bits.
const DIGITS: usize = 32;

/// The new entries of one ticket, as a record names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub ticket: TicketNumber,
    pub first: i64,
    pub last: i64,
    pub digest: String,
}

impl Part {
    /// The parts of a record's text; `None` where it is none.
    pub fn all(entries: &str) -> Option<Vec<Part>> {
        entries.split(' ').map(Part::parse).collect()
    }

    fn parse(word: &str) -> Option<Part> {
        let mut pieces = word.split(':');
        let (ticket, places, digest) = (pieces.next()?, pieces.next()?, pieces.next()?);
        let (first, last) = places.split_once('-')?;
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        Some(Part { ticket: TicketNumber(ticket.parse().ok()?), first, last, digest: digest.to_owned() })
    }
}

/// The digest of entries, in their order.
pub fn digest<'a>(rows: impl Iterator<Item = &'a TimelineRow>) -> String {
    let mut sha = Sha256::new();
    for row in rows {
        row.add_to(&mut RowHash(&mut sha));
    }
    hex(&sha.finalize().into()).chars().take(DIGITS).collect()
}

/// A record's content, as it is chained.
pub fn content(encoding: Encoding, entries: &str) -> ContentDigest {
    let mut content = Content::of(Chain::Timelines, encoding);
    content.field(entries.as_bytes());
    content.digest()
}

/// Adds the entries of one transaction, which has taken the end of the chain where there are any.
pub async fn append(tx: &mut Tx, rows: &[TimelineRow], ends: &mut Ends) -> Result<(), Error> {
    let mut tickets: BTreeMap<i64, Vec<&TimelineRow>> = BTreeMap::new();
    for row in rows {
        tickets.entry(row.ticket).or_default().push(row);
    }
    let words = tickets.iter().filter_map(|(ticket, rows)| {
        let (first, last) = (rows.first()?.seq, rows.last()?.seq);
        Some(format!("{ticket}:{first}-{last}:{}", digest(rows.iter().copied())))
    });
    let entries = words.collect::<Vec<_>>().join(" ");
    if entries.is_empty() {
        return Ok(());
    }
    let mut end = ends.give(Chain::Timelines)?;
    let (link, hash) = end.add(&content(Encoding::One, &entries));
    let row: Vec<Arg> = vec![entries.into(), Some(link).into(), hash.into()];
    tx.insert_later("insert into timelines (entries, link, hash)", 3, "", vec![row]).await?;
    end.put_back(tx).await
}
