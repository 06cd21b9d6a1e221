//! Reading tickets and what happened to them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::columns::at;
use super::db::{Arg, Row};
use super::{Error, Store};
use crate::desk::id::{PersonId, TicketId, TicketNumber};
use crate::desk::ticket::{State, Ticket};

pub mod recent;
pub(crate) mod rows;
pub mod timeline;

/// Which tickets a list shows; `None` and empty do not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub states: Vec<State>,
    pub team: Option<String>,
    pub assignee: Option<String>,
    pub requester: Option<String>,
    pub priority: Option<String>,
    /// A category or a parent of it.
    pub category: Option<String>,
    /// Confines the list to what somebody requested or submitted.
    pub only: Option<PersonId>,
}

/// A place in the queue: what comes after it is the next page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub unfinished: i64,
    pub rank: i64,
    pub due: i64,
    pub number: i64,
}

impl Cursor {
    /// The place of a ticket.
    pub fn of(ticket: &Ticket) -> Cursor {
        Cursor {
            unfinished: i64::from(ticket.state.is_unfinished()),
            rank: ticket.rank,
            due: rows::queue_due(ticket),
            number: ticket.number.0,
        }
    }
}

/// A message in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    pub kind: String,
    pub recipient: String,
    pub queued_at: Timestamp,
    pub sent_at: Option<Timestamp>,
}

impl Store {
    /// The ticket with this number.
    pub async fn ticket(&self, number: TicketNumber) -> Result<Option<Ticket>, Error> {
        rows::ticket(&self.db.all(&rows::select("t.number = $1"), vec![number.0.into()]).await?)
    }

    /// The ticket with this id.
    pub async fn ticket_by_id(&self, id: TicketId) -> Result<Option<Ticket>, Error> {
        rows::ticket(&self.db.all(&rows::select("t.id = $1"), vec![id.0.into()]).await?)
    }

    /// Tickets in the order of the queue: unfinished ones first, then by priority, then by when they are due, then by
    /// number; never by when they were submitted.
    pub async fn tickets(&self, filter: &Filter, after: Option<Cursor>, limit: i64) -> Result<Vec<Ticket>, Error> {
        let (mut conditions, mut args) = conditions(filter);
        if let Some(cursor) = after {
            let n = args.len();
            let [unfinished, rank, due, number] = [n + 1, n + 2, n + 3, n + 4];
            conditions.push(format!(
                "(unfinished < ${unfinished} or (unfinished = ${unfinished} \
                 and (rank, queue_due, number) > (${rank}, ${due}, ${number})))"
            ));
            args.extend([cursor.unfinished.into(), cursor.rank.into(), cursor.due.into(), Arg::from(cursor.number)]);
        }
        let narrowed =
            if conditions.is_empty() { String::new() } else { format!("where {}", conditions.join(" and ")) };
        let sql = format!(
            "select number from tickets {narrowed} order by unfinished desc, rank, queue_due, number limit {limit}"
        );
        let rows = self.db.all(&sql, args).await?;
        let numbers: Vec<i64> = rows.iter().map(|row| row.int(0)).collect::<Result<_, _>>()?;
        self.in_order(&numbers).await
    }

    /// The tickets with these numbers, in this order.
    async fn in_order(&self, numbers: &[i64]) -> Result<Vec<Ticket>, Error> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<String> = (1..=numbers.len()).map(|n| format!("${n}")).collect();
        let sql = rows::select(&format!("t.number in ({})", places.join(", ")));
        let mut found: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
        for row in self.db.all(&sql, numbers.iter().map(|number| (*number).into()).collect()).await? {
            found.entry(row.int(0)?).or_default().push(row);
        }
        let tickets = numbers.iter().filter_map(|number| found.get(number)).map(|rows| rows::ticket(rows));
        tickets.filter_map(Result::transpose).collect()
    }

    /// A ticket's messages, oldest first.
    pub async fn messages(&self, ticket: TicketId) -> Result<Vec<StoredMessage>, Error> {
        let sql = "select kind, recipient, queued_at, sent_at from outbox where ticket = $1 order by id";
        let rows = self.db.all(sql, vec![ticket.0.into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(StoredMessage {
                    kind: row.text(0)?,
                    recipient: row.text(1)?,
                    queued_at: at("outbox", "queued_at", row.int(2)?)?,
                    sent_at: row.opt_int(3)?.map(|v| at("outbox", "sent_at", v)).transpose()?,
                })
            })
            .collect()
    }

    /// How many unfinished tickets each person has, by the count that is kept and by counting; the two are equal.
    pub async fn loads(&self) -> Result<Vec<(String, i64, i64)>, Error> {
        let sql = "select a.person, a.unfinished, (select count(*) from tickets t \
                   where t.assignee = a.person and t.unfinished = 1) from agents a order by a.person";
        let rows = self.db.all(sql, Vec::new()).await?;
        rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?, row.int(2)?))).collect()
    }
}

fn conditions(filter: &Filter) -> (Vec<String>, Vec<Arg>) {
    let mut conditions = Vec::new();
    let mut args: Vec<Arg> = Vec::new();
    let equals = [
        ("team", &filter.team),
        ("assignee", &filter.assignee),
        ("requester", &filter.requester),
        ("priority", &filter.priority),
    ];
    for (column, value) in equals {
        if let Some(value) = value {
            args.push(value.as_str().into());
            conditions.push(format!("{column} = ${}", args.len()));
        }
    }
    if let Some(category) = &filter.category {
        // Compared piece by piece: neither a pattern's special characters nor a database's way of sorting matters.
        args.push(category.as_str().into());
        let whole = args.len();
        args.push(format!("{category}.").into());
        let below = args.len();
        conditions.push(format!("(category = ${whole} or substr(category, 1, length(${below})) = ${below})"));
    }
    if let Some(person) = &filter.only {
        args.push(person.as_str().into());
        let n = args.len();
        conditions.push(format!("(requester = ${n} or submitted_by = ${n})"));
    }
    if !filter.states.is_empty() {
        let places: Vec<String> = filter
            .states
            .iter()
            .map(|state| {
                args.push(state.code().into());
                format!("${}", args.len())
            })
            .collect();
        conditions.push(format!("state in ({})", places.join(", ")));
    }
    (conditions, args)
}
