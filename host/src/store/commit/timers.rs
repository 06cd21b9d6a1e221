//! Timers, as part of a transaction that changes their tickets.

use std::collections::BTreeMap;

use crate::desk::change::timer::TimerWrite;
use crate::store::Error;
use crate::store::db::{Arg, Tx};
use crate::store::sql::columns::ms;

/// A timer that is set again starts afresh: a host that is working on it has lost its claim and cannot strike it off.
const SET_AGAIN: &str = "on conflict (kind, ticket) do update set due_at = excluded.due_at, \
                         not_before = excluded.not_before, attempts = 0, fence = null, last_error = '', dead_at = null";

/// Sets and cancels timers; of several writes about one timer, the last counts.
///
/// The transaction has written the tickets before, so it holds their rows, and no other transaction that sets or cancels the
/// same timers can be at this point. Rows are written in the order of their keys all the same; and claims wait for no row. So
/// two hosts never wait for each other here.
///
/// # Errors
///
/// Where the database does not take it.
pub async fn write(tx: &mut Tx, writes: impl Iterator<Item = &TimerWrite>) -> Result<(), Error> {
    let last: BTreeMap<_, _> = writes.map(|write| (write.key(), write.due_at())).collect();
    let (mut set, mut cancelled) = (Vec::new(), Vec::new());
    for ((kind, ticket), due_at) in last {
        let mut row: Vec<Arg> = vec![kind.code().into(), ticket.0.into()];
        match due_at {
            Some(due_at) => {
                row.extend([ms(due_at).into(), Arg::from(ms(due_at))]);
                set.push(row);
            }
            None => cancelled.push(row),
        }
    }
    tx.insert_later("insert into timers (kind, ticket, due_at, not_before)", 4, SET_AGAIN, set).await?;
    // Rows of values in pieces, as for an insert.
    tx.insert_later("delete from timers where (kind, ticket) in (", 2, ")", cancelled).await?;
    Ok(())
}
