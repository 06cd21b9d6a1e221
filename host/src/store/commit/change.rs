//! A change to a ticket that exists: only if it is still what was read, and all of it or nothing.

use std::collections::BTreeMap;

use super::create::{add_load, assigned, insert_messages, share_out_one};
use super::writer::Work;
use crate::desk::id::PersonId;
use crate::desk::ticket::{Ticket, TicketChange};
use crate::store::access::ledger;
use crate::store::access::{self, AccessChange};
use crate::store::columns::{self, INSERT_TIMELINE, TICKET_COLUMNS, TICKET_COLUMNS_COUNT, TIMELINE_COLUMNS_COUNT};
use crate::store::db::{Arg, Db, Tx};
use crate::store::flush::Flush;
use crate::store::{Error, Store};

impl Store {
    /// Writes a change, with what it decides about access.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] where the ticket has another version than the one that the change was made for.
    pub async fn apply(&self, change: TicketChange, access: Option<AccessChange>) -> Result<(), Error> {
        self.ask(|done| Work::Change(Box::new(change), access.map(Box::new), done)).await
    }
}

/// Writes a change in a transaction of its own.
pub async fn apply(db: &Db, change: TicketChange, access: Option<AccessChange>) -> Result<Flush, Error> {
    let access = access.as_ref();
    let written = db.transaction(|mut tx| {
        let change = change.clone();
        async move {
            write(&mut tx, change, access).await?;
            Ok(((), tx))
        }
    });
    written.await.map(|((), flush)| flush)
}

/// Writes a change within a transaction. A team's turns are locked before the ticket, as whoever creates tickets locks them
/// before anything else, so that two hosts never wait for each other.
pub async fn write(tx: &mut Tx, mut change: TicketChange, access: Option<&AccessChange>) -> Result<(), Error> {
    if let Some(assignment) = &change.assignment {
        change.after.assignee = share_out_one(tx, assignment).await?;
        let entry = assigned(assignment, change.after.assignee.as_ref(), change.after.updated_at);
        change.entries.push(entry);
    }
    update(tx, &change).await?;
    let id = change.after.id;
    // The ticket's row is locked by its update, so no other entry can take these numbers.
    let last = tx.optional("select coalesce(max(seq), 0) from timeline where ticket = $1", vec![id.0.into()]).await?;
    let last = last.map_or(Ok(0), |row| row.int(0))?;
    let entries = change.entries.iter().zip(last + 1..).map(|(entry, seq)| columns::entry_args(id, seq, entry));
    tx.insert(INSERT_TIMELINE, TIMELINE_COLUMNS_COUNT, "", entries.collect()).await?;
    insert_messages(tx, change.messages.iter()).await?;
    add_load(tx, &load_change(&change.before, &change.after)).await?;
    if let Some(access) = access {
        let events = access::update(tx, access, change.after.updated_at).await?;
        // Last, because it holds the end of the ledger's chain.
        ledger::append(tx, &events).await?;
    }
    Ok(())
}

async fn update(tx: &mut Tx, change: &TicketChange) -> Result<(), Error> {
    let mut args = columns::ticket_args(&change.after);
    let columns = TICKET_COLUMNS.split(',').zip(1..);
    let columns: Vec<String> = columns.map(|(column, n)| format!("{} = ${n}", column.trim())).collect();
    let (id, version) = (TICKET_COLUMNS_COUNT + 1, TICKET_COLUMNS_COUNT + 2);
    let sql = format!("update tickets set {} where id = ${id} and version = ${version}", columns.join(", "));
    args.extend([change.after.id.0.into(), Arg::from(change.before.version)]);
    let changed = tx.execute(&sql, args).await?;
    if changed == 1 { Ok(()) } else { Err(Error::Conflict) }
}

/// Whose unfinished tickets become more or fewer.
fn load_change(before: &Ticket, after: &Ticket) -> BTreeMap<PersonId, i64> {
    let mut change = BTreeMap::new();
    for (ticket, sign) in [(before, -1), (after, 1)] {
        if let Some(person) = ticket.assignee.clone().filter(|_| ticket.state.is_unfinished()) {
            *change.entry(person).or_default() += sign;
        }
    }
    change.retain(|_, n| *n != 0);
    change
}
