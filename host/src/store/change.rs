//! A change to a ticket that exists: only if it is still what was read, and all of it or nothing.

use std::collections::BTreeMap;

use super::access::{self, AccessChange};
use super::create::{add_load, insert_messages};
use super::db::{Arg, Db, Tx};
use super::rows::{self, INSERT_TIMELINE, TIMELINE_COLUMNS_COUNT, ms, queue_due};
use super::{Error, Store, writer::Work};
use crate::desk::id::PersonId;
use crate::desk::ticket::{Ticket, TicketChange};

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
pub async fn apply(db: &Db, change: TicketChange, access: Option<AccessChange>) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    update(&mut tx, &change).await?;
    let id = change.after.id;
    // The ticket's row is locked by its update, so no other entry can take these numbers.
    let last = tx.optional("select coalesce(max(seq), 0) from timeline where ticket = $1", vec![id.0.into()]).await?;
    let last = last.map_or(Ok(0), |row| row.int(0))?;
    let entries = change.entries.iter().zip(last + 1..).map(|(entry, seq)| rows::entry_args(id, seq, entry));
    tx.insert(INSERT_TIMELINE, TIMELINE_COLUMNS_COUNT, "", entries.collect()).await?;
    insert_messages(&mut tx, change.messages.iter()).await?;
    add_load(&mut tx, &load_change(&change.before, &change.after)).await?;
    if let Some(access) = access {
        access::update(&mut tx, &access, change.after.updated_at).await?;
    }
    tx.commit().await
}

async fn update(tx: &mut Tx, change: &TicketChange) -> Result<(), Error> {
    let after = &change.after;
    let mut args: Vec<Arg> = vec![
        after.version.into(),
        after.state.code().into(),
        i64::from(after.state.is_unfinished()).into(),
        after.category.as_str().into(),
        after.priority.as_str().into(),
        after.rank.into(),
        after.team.as_str().into(),
        after.assignee.as_ref().map(ToString::to_string).into(),
        i64::from(after.tier).into(),
        ms(after.updated_at).into(),
        after.resolved_at.map(ms).into(),
        after.closed_at.map(ms).into(),
    ];
    for clock in [&after.first_response, &after.resolution] {
        args.extend([
            clock.target_ms.into(),
            clock.used_ms.into(),
            clock.running_since.map(ms).into(),
            clock.met_at.map(ms).into(),
            Arg::from(clock.due_at.map(ms)),
        ]);
    }
    args.extend([queue_due(after).into(), after.id.0.into(), Arg::from(change.before.version)]);
    let changed = tx
        .execute(
            "update tickets set version = $1, state = $2, unfinished = $3, category = $4, priority = $5, rank = $6, \
             team = $7, assignee = $8, tier = $9, updated_at = $10, resolved_at = $11, closed_at = $12, \
             response_target = $13, response_used = $14, response_running = $15, response_met = $16, \
             response_due = $17, resolution_target = $18, resolution_used = $19, resolution_running = $20, \
             resolution_met = $21, resolution_due = $22, queue_due = $23 where id = $24 and version = $25",
            args,
        )
        .await?;
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
