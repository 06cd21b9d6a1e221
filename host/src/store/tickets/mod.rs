//! Reading tickets and what happened to them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::db::Row;
use super::sql::columns::at_or_epoch;
use super::sql::page::Page;
use super::sql::places;
use super::{Error, Store};
use crate::desk::id::{MessageId, TicketId, TicketNumber};
use crate::desk::ticket::Ticket;

pub mod attachments;
pub mod endings;
pub mod knowledge;
pub mod list;
pub mod recent;
pub mod reports;
pub(crate) mod rows;
pub mod search;
pub mod summary;
pub mod timeline;
pub mod waiting;

/// A message in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    pub id: MessageId,
    pub kind: String,
    pub recipient: String,
    pub queued_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    /// Whether it was not to be sent.
    pub not_sent: bool,
    /// The words of the peer that took it, or why it was not to be sent; empty while it waits.
    pub receipt: String,
    pub attempts: i64,
    /// Why the last attempt failed; empty where none has.
    pub last_error: String,
    /// Whether the desk has given up on it.
    pub is_dead: bool,
}

impl Store {
    /// The ticket with this number.
    pub async fn ticket(&self, number: TicketNumber) -> Result<Option<Ticket>, Error> {
        rows::ticket(&self.db.quick(&rows::select("t.number = $1"), vec![number.0.into()]).await?)
    }

    /// The ticket with this id.
    pub async fn ticket_by_id(&self, id: TicketId) -> Result<Option<Ticket>, Error> {
        rows::ticket(&self.db.quick(&rows::select("t.id = $1"), vec![id.0.into()]).await?)
    }

    /// The number of the ticket with this id.
    pub async fn number_of(&self, id: TicketId) -> Result<Option<TicketNumber>, Error> {
        let row = self.db.optional("select number from tickets where id = $1", vec![id.0.into()]).await?;
        row.map(|row| Ok(TicketNumber(row.int(0)?))).transpose()
    }

    /// The tickets with these ids, in no certain order. Those that are not there, or are damaged, are left out.
    pub async fn tickets_by_ids(&self, ids: &[TicketId]) -> Result<Vec<Ticket>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let read = self.rows_of_tickets(ids).await?;
        Ok(read.values().filter_map(|rows| rows::ticket(rows).ok()).flatten().collect())
    }

    /// The rows of the tickets with these ids, of which there is one at least, by the tickets' numbers.
    pub(in crate::store) async fn rows_of_tickets(&self, ids: &[TicketId]) -> Result<BTreeMap<i64, Vec<Row>>, Error> {
        let sql = rows::select(&format!("t.id in ({})", places(0, ids.len())));
        let mut of_number: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
        for row in self.db.all(&sql, ids.iter().map(|id| id.0.into()).collect()).await? {
            of_number.entry(row.int(0)?).or_default().push(row);
        }
        Ok(of_number)
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
            "select id, kind, recipient, queued_at, sent_at, receipt, attempts, last_error, dead_at, not_sent from outbox where ticket = $1 and id > $2 \
             order by id limit {}",
            limit + 1
        );
        let rows = self.db.quick(&sql, vec![ticket.0.into(), after.into()]).await?;
        let message = |row: &Row| {
            Ok(StoredMessage {
                id: MessageId(row.uuid(0)?),
                kind: row.text(1)?,
                recipient: row.text(2)?,
                queued_at: at_or_epoch(row.int(3)?),
                sent_at: row.opt_int(4)?.map(at_or_epoch),
                receipt: row.text(5)?,
                attempts: row.int(6)?,
                last_error: row.text(7)?,
                is_dead: row.opt_int(8)?.is_some(),
                not_sent: row.int(9)? != 0,
            })
        };
        Ok(self.readable_page("outbox", (&rows, limit), message, |row| row.uuid(0).map(MessageId)))
    }

    /// How many unfinished tickets a person has requested or submitted; no more than `most` are counted of either.
    pub async fn unfinished_of(&self, person: &str, most: u64) -> Result<u64, Error> {
        let one = |filter: &str| {
            format!("(select count(*) from (select 1 from tickets where {filter} and unfinished = 1 limit {most}) t)")
        };
        let sql =
            format!("select {} + {}", one("requester = $1"), one("submitted_by = $1 and submitted_by <> requester"));
        let row = self.db.optional(&sql, vec![person.into()]).await?;
        Ok(row.map_or(Ok(0), |row| row.int(0))?.try_into().unwrap_or_default())
    }

    /// How many unfinished tickets each person has, and how many of them wait for their requesters, by the counts that are kept and
    /// by counting; the two are equal.
    pub async fn loads(&self) -> Result<Vec<(String, [i64; 2], [i64; 2])>, Error> {
        let sql = "select a.person, a.unfinished, a.waiting, (select count(*) from tickets t \
                   where t.assignee = a.person and t.unfinished = 1), (select count(*) from tickets t \
                   where t.assignee = a.person and t.state = 'waiting_requester') from agents a order by a.person";
        let rows = self.db.all(sql, Vec::new()).await?;
        let load = |row: &Row| Ok((row.text(0)?, [row.int(1)?, row.int(2)?], [row.int(3)?, row.int(4)?]));
        rows.iter().map(load).collect()
    }
}
