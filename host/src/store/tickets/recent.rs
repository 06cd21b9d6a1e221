//! What a requester has asked for lately. Every ticket that is created wants to know this of its own requester, so one task
//! reads it for all who ask at the same time, in one statement.

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use crate::desk::id::{PersonId, TicketNumber};
use crate::store::db::{Arg, Db, Row};
use crate::store::sql::columns::{at_or_epoch, ms};
use crate::store::{Error, Store};

/// Requesters that one statement reads.
const BATCH_MAX: usize = 16;

/// A ticket as far as a duplicate is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentTicket {
    pub number: TicketNumber,
    pub request_type: String,
    pub subject: String,
    pub state: String,
    pub created_at: Timestamp,
}

/// Somebody who wants to know.
pub struct Ask {
    requester: PersonId,
    since: Timestamp,
    limit: i64,
    done: oneshot::Sender<Result<Vec<RecentTicket>, Error>>,
}

impl Store {
    /// A requester's tickets since an instant, newest first.
    pub async fn recent(&self, requester: &PersonId, since: Timestamp, limit: i64) -> Result<Vec<RecentTicket>, Error> {
        let (done, wait) = oneshot::channel();
        let ask = Ask { requester: requester.clone(), since, limit, done };
        self.recent.send(ask).await.map_err(|_| Error::Stopped)?;
        wait.await.map_err(|_| Error::Stopped)?
    }
}

/// Reads until all senders are gone.
pub async fn read(db: Db, mut receive: mpsc::Receiver<Ask>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while receive.recv_many(&mut batch, BATCH_MAX).await > 0 {
        match tickets_of(&db, &batch).await {
            // Whoever asked may be gone.
            Ok(found) => batch.drain(..).zip(found).for_each(|(ask, found)| drop(ask.done.send(Ok(found)))),
            // What is wrong with one row must not concern the others.
            Err(_) => {
                for ask in batch.drain(..) {
                    let found = tickets_of(&db, std::slice::from_ref(&ask)).await;
                    let _ = ask.done.send(found.map(|found| found.into_iter().flatten().collect()));
                }
            }
        }
    }
}

/// For each who asks, in their order.
async fn tickets_of(db: &Db, asks: &[Ask]) -> Result<Vec<Vec<RecentTicket>>, Error> {
    let args = |ask: &Ask| [ask.requester.as_str().into(), Arg::from(ms(ask.since))];
    let mut found: Vec<Vec<RecentTicket>> = asks.iter().map(|_| Vec::new()).collect();
    for row in db.quick(&statement(asks), asks.iter().flat_map(args).collect()).await? {
        let place = usize::try_from(row.int(0)?).unwrap_or(usize::MAX);
        if let Some(tickets) = found.get_mut(place) {
            tickets.push(read_row(&row)?);
        }
    }
    Ok(found)
}

/// One query for each who asks, each with an index of its own; the limit keeps one requester's thousands from being read.
/// It is written out: SQLite plans by a limit's value, and would prepare the statement again each time one is bound.
fn statement(asks: &[Ask]) -> String {
    let one = |(place, ask): (usize, &Ask)| {
        let [requester, since] = [2 * place + 1, 2 * place + 2];
        let limit = ask.limit;
        format!(
            "select * from (select cast({place} as bigint) as place, number, request_type, subject, state, created_at from tickets \
             where requester = ${requester} and created_at >= ${since} \
             order by created_at desc, number desc limit {limit}) as t{place}"
        )
    };
    let all: Vec<String> = asks.iter().enumerate().map(one).collect();
    format!("{} order by place, created_at desc, number desc", all.join(" union all "))
}

fn read_row(row: &Row) -> Result<RecentTicket, Error> {
    Ok(RecentTicket {
        number: TicketNumber(row.int(1)?),
        request_type: row.text(2)?,
        subject: row.text(3)?,
        state: row.text(4)?,
        created_at: at_or_epoch(row.int(5)?),
    })
}
