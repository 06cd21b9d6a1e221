//! The order of the queue: unfinished ones first, then by rank, then by when they are due, then by number; never by when
//! they were submitted.

use super::leads::Leads;
use super::walk::{Args, Key, Walks, merged};
use super::{Filter, QueuePlace, Reader};
use crate::desk::ticket::Ticket;
use crate::store::tickets::rows::queue_due;
use crate::store::{Error, Store};

/// Entries that one walk looks at before it gives back what it has found.
const WALK_MAX: usize = 1_000;
/// How often walks are sent out for one page.
const ROUNDS_MAX: usize = 3;

/// The unfinished tickets that come before one in the queue, by what puts them there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    pub by_priority: i64,
    /// Of the same priority, and due earlier.
    pub by_due: i64,
    /// Due at the same time, with a lower number.
    pub by_number: i64,
}

impl Store {
    /// The tickets before one, as it stands.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn ahead(&self, ticket: &Ticket) -> Result<Ahead, Error> {
        let sql = "select cast(coalesce(sum(case when rank < $1 then 1 else 0 end), 0) as bigint), \
                   cast(coalesce(sum(case when rank = $1 and queue_due < $2 then 1 else 0 end), 0) as bigint), \
                   count(*) from tickets where unfinished = 1 and (rank < $1 or (rank = $1 and queue_due < $2) \
                   or (rank = $1 and queue_due = $2 and number < $3))";
        let args = vec![ticket.rank.into(), queue_due(ticket).into(), ticket.number.0.into()];
        let rows = self.db.all(sql, args).await?;
        let Some(row) = rows.first() else { return Ok(Ahead { by_priority: 0, by_due: 0, by_number: 0 }) };
        let (by_priority, by_due) = (row.int(0)?, row.int(1)?);
        Ok(Ahead { by_priority, by_due, by_number: row.int(2)? - by_priority - by_due })
    }
}

/// The places of at least `wanted` tickets after a place, if there are so many; and where the search stopped before the end.
pub async fn places(
    reader: &mut Reader,
    filter: &Filter,
    after: Option<QueuePlace>,
    wanted: usize,
) -> Result<(Vec<QueuePlace>, Option<QueuePlace>), Error> {
    let leads = Leads::of(reader, filter).await?;
    let mut found = Vec::new();
    let mut rounds = 0;
    for finished in [false, true] {
        if after.is_some_and(|after| after.finished && !finished) {
            continue;
        }
        let place = |[rank, due, number]: Key| QueuePlace { finished, rank, due, number };
        let mut from = after.filter(|after| after.finished == finished);
        loop {
            let (keys, stopped) = round(reader, &leads, finished, from, wanted).await?;
            found.extend(keys.into_iter().map(place));
            if found.len() >= wanted {
                return Ok((found, None));
            }
            let Some(stopped) = stopped.map(place) else { break };
            rounds += 1;
            if rounds == ROUNDS_MAX {
                return Ok((found, Some(stopped)));
            }
            from = Some(stopped);
        }
    }
    Ok((found, None))
}

/// All walks through one half of the queue, once.
async fn round(
    reader: &mut Reader,
    leads: &Leads,
    finished: bool,
    after: Option<QueuePlace>,
    wanted: usize,
) -> Result<(Vec<Key>, Option<Key>), Error> {
    let mut args = Args::default();
    let mut ranges = Vec::new();
    let all = leads.ranges(!finished, &mut args);
    let steps = steps(leads.ranks.as_deref(), after, &mut args);
    for range in &all {
        ranges.extend(steps.iter().map(|step| format!(" where {range}{step}")));
    }
    if ranges.is_empty() {
        return Ok((Vec::new(), None));
    }
    let residual = leads.residual(!finished, &mut args);
    let walks = Walks {
        keys: ["rank", "queue_due", "number"],
        order: "rank, queue_due, number",
        source: leads.lead().source(true),
        keys_of: leads.lead().source(false),
        ranges,
        looked_at: (!residual.is_empty()).then_some(WALK_MAX),
        residual,
        wanted,
    };
    merged(&reader.all(&walks.sql(), args.0).await?)
}

/// The entries after a place, as ranges that an index has in one piece and enters at their beginning. A comparison of row values
/// would be one range only, but SQLite enters it at all that is equal to its beginning, and most finished tickets are.
fn steps(ranks: Option<&[i64]>, after: Option<QueuePlace>, args: &mut Args) -> Vec<String> {
    let place =
        after.map(|QueuePlace { rank, due, number, .. }| (rank, args.place(rank), args.place(due), args.place(number)));
    let Some(ranks) = ranks else {
        return match place {
            None => vec![String::new()],
            Some((_, rank, due, number)) => vec![
                format!(" and rank = {rank} and queue_due = {due} and number > {number}"),
                format!(" and rank = {rank} and queue_due > {due}"),
                format!(" and rank > {rank}"),
            ],
        };
    };
    let mut steps = Vec::new();
    for value in ranks {
        let rank = args.place(*value);
        match &place {
            Some((last, ..)) if value < last => {}
            Some((last, _, due, number)) if value == last => steps.extend([
                format!(" and rank = {rank} and queue_due = {due} and number > {number}"),
                format!(" and rank = {rank} and queue_due > {due}"),
            ]),
            _ => steps.push(format!(" and rank = {rank}")),
        }
    }
    steps
}
