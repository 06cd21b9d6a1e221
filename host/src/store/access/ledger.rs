//! The ledger of access: every event, in order, chained; added to, never changed.

use jiff::Timestamp;

use crate::desk::id::TicketId;
use crate::store::chain::{Chain, Content, ContentDigest, Encoding, End};
use crate::store::columns::ms;
use crate::store::db::{Arg, Tx};
use crate::store::{Error, Store};

/// Something that happened to an access request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEvent {
    pub at: Timestamp,
    pub ticket: TicketId,
    pub event: &'static str,
    pub detail: String,
}

/// Adds events. It holds the end of the chain until the transaction ends, so it comes last in it.
pub async fn append(tx: &mut Tx, events: &[LedgerEvent]) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    let mut end = End::take(tx, Chain::Ledger).await?;
    let rows = events.iter().map(|event| {
        let at = ms(event.at);
        let (link, hash) = end.add(&content(at, event.ticket, event.event, &event.detail));
        vec![
            at.into(),
            event.ticket.0.into(),
            event.event.into(),
            event.detail.as_str().into(),
            Some(link).into(),
            Arg::from(hash),
        ]
    });
    let rows = rows.collect();
    tx.insert("insert into ledger (at, ticket, event, detail, link, hash)", 6, "", rows).await?;
    end.put_back(tx).await
}

/// An event's content, as it is chained.
pub fn content(at: i64, ticket: TicketId, event: &str, detail: &str) -> ContentDigest {
    let mut content = Content::of(Chain::Ledger, Encoding::One);
    content.int(at).field(ticket.0.as_bytes()).field(event.as_bytes()).field(detail.as_bytes());
    content.digest()
}

impl Store {
    /// The events of a ticket's access in order: what, and its detail.
    pub async fn ledger(&self, ticket: TicketId) -> Result<Vec<(String, String)>, Error> {
        let sql = "select event, detail from ledger where ticket = $1 order by seq";
        let rows = self.db.all(sql, vec![ticket.0.into()]).await?;
        rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
    }
}
