//! Reading tickets and what happened to them.

use jiff::Timestamp;
use uuid::Uuid;

use super::columns::{self, TICKET_COLUMNS, at};
use super::db::Row;
use super::page::Page;
use super::{Error, Store};
use crate::desk::id::{MessageId, TicketId, TicketNumber};
use crate::desk::ticket::Ticket;

pub mod list;
pub mod recent;
pub mod summary;

/// Bytes of text that a page of a timeline has, before the entry with which it gets larger.
const PAGE_BYTES_MAX: i64 = 1 << 20;

/// One entry of the timeline, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    pub seq: i64,
    pub at: Timestamp,
    pub author_kind: String,
    pub author: String,
    pub author_version: String,
    pub visibility: String,
    pub kind: String,
    /// A JSON object of texts.
    pub details: String,
}

/// A message in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    pub id: MessageId,
    pub kind: String,
    pub recipient: String,
    pub queued_at: Timestamp,
    pub sent_at: Option<Timestamp>,
}

impl Store {
    /// The ticket with this number.
    pub async fn ticket(&self, number: TicketNumber) -> Result<Option<Ticket>, Error> {
        let sql = format!("select number, {TICKET_COLUMNS} from tickets where number = $1");
        self.db.optional(&sql, vec![number.0.into()]).await?.as_ref().map(columns::ticket).transpose()
    }

    /// The ticket with this id.
    pub async fn ticket_by_id(&self, id: TicketId) -> Result<Option<Ticket>, Error> {
        let sql = format!("select number, {TICKET_COLUMNS} from tickets where id = $1");
        self.db.optional(&sql, vec![id.0.into()]).await?.as_ref().map(columns::ticket).transpose()
    }

    /// What happened to a ticket, in order; without `internal`, only what everybody may see. The database leaves out the
    /// rest, so that nothing above can forget to.
    pub async fn timeline(&self, ticket: TicketId, internal: bool) -> Result<Vec<StoredEntry>, Error> {
        self.entries(ticket, internal, 0, i64::MAX).await
    }

    /// The same page by page: what comes after an entry's `seq`, at most `limit` entries and about [`PAGE_BYTES_MAX`].
    pub async fn timeline_page(
        &self,
        ticket: TicketId,
        internal: bool,
        after: i64,
        limit: usize,
    ) -> Result<Page<StoredEntry, i64>, Error> {
        let visible = visible(internal);
        // Lengths are read before the texts: those may be long.
        let sql = format!(
            "select seq, cast(octet_length(details) as bigint) from timeline where ticket = $1 and seq > $2 {visible} \
             order by seq limit {}",
            limit + 1
        );
        let rows = self.db.all(&sql, vec![ticket.0.into(), after.into()]).await?;
        let (mut last, mut bytes, mut more) = (after, 0, false);
        for (n, row) in rows.iter().enumerate() {
            // One entry is on the page, however long it is.
            if n == limit || bytes >= PAGE_BYTES_MAX {
                more = true;
                break;
            }
            last = row.int(0)?;
            bytes += row.int(1)?;
        }
        let items = self.entries(ticket, internal, after, last).await?;
        Ok(Page { items, next: more.then_some(last) })
    }

    /// Entries after one and up to another.
    async fn entries(&self, ticket: TicketId, internal: bool, after: i64, to: i64) -> Result<Vec<StoredEntry>, Error> {
        let visible = visible(internal);
        let sql = format!(
            "select seq, at, author_kind, author, author_version, visibility, kind, details from timeline \
             where ticket = $1 and seq > $2 and seq <= $3 {visible} order by seq"
        );
        let rows = self.db.all(&sql, vec![ticket.0.into(), after.into(), to.into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(StoredEntry {
                    seq: row.int(0)?,
                    at: at("timeline", "at", row.int(1)?)?,
                    author_kind: row.text(2)?,
                    author: row.text(3)?,
                    author_version: row.text(4)?,
                    visibility: row.text(5)?,
                    kind: row.text(6)?,
                    details: row.text(7)?,
                })
            })
            .collect()
    }

    /// A ticket's messages after one of them, oldest first.
    pub async fn messages(
        &self,
        ticket: TicketId,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Page<StoredMessage, MessageId>, Error> {
        // Ids are in the order of time, and none is smaller than nothing.
        let after = after.map_or_else(Uuid::nil, |id| id.0);
        let sql = format!(
            "select id, kind, recipient, queued_at, sent_at from outbox where ticket = $1 and id > $2 \
             order by id limit {}",
            limit + 1
        );
        let rows = self.db.all(&sql, vec![ticket.0.into(), after.into()]).await?;
        let message = |row: &Row| {
            Ok(StoredMessage {
                id: MessageId(row.uuid(0)?),
                kind: row.text(1)?,
                recipient: row.text(2)?,
                queued_at: at("outbox", "queued_at", row.int(3)?)?,
                sent_at: row.opt_int(4)?.map(|v| at("outbox", "sent_at", v)).transpose()?,
            })
        };
        let found = rows.iter().map(message).collect::<Result<Vec<_>, Error>>()?;
        Ok(Page::cut(found, limit, |message| message.id))
    }

    /// How many unfinished tickets each person has, by the count that is kept and by counting; the two are equal.
    pub async fn loads(&self) -> Result<Vec<(String, i64, i64)>, Error> {
        let sql = "select a.person, a.unfinished, (select count(*) from tickets t \
                   where t.assignee = a.person and t.unfinished = 1) from agents a order by a.person";
        let rows = self.db.all(sql, Vec::new()).await?;
        rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?, row.int(2)?))).collect()
    }
}

/// What narrows a timeline to what may be seen.
const fn visible(internal: bool) -> &'static str {
    if internal { "" } else { "and visibility = 'public'" }
}
