//! Files that changes bind to their tickets: each to one ticket, and for good.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Commit, Committed, Writing};
use crate::desk::ticket::timeline::Visibility;
use crate::store::Error;
use crate::store::db::{Arg, Tx};

/// Locks the files that changes name, by id, and refuses the changes of which a ticket has a file already.
pub async fn refuse_bound(
    tx: &mut Tx,
    commits: &[Commit],
    outcomes: &mut [Option<Result<Committed, Error>>],
) -> Result<(), Error> {
    let named = super::open(commits, outcomes).flat_map(|commit| commit.change.attachments());
    let mut ids: Vec<Uuid> = named.map(|write| write.id.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    ids.sort_unstable();
    ids.dedup();
    let mut free = BTreeMap::new();
    let sql = format!("select ticket from attachments where id = $1{}", tx.for_update());
    for id in ids {
        let row = tx.optional(&sql, vec![id.into()]).await?;
        free.insert(id, row.map(|row| row.opt_int(0)).transpose()?.is_some_and(|ticket| ticket.is_none()));
    }
    for (commit, outcome) in commits.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_none()) {
        for write in commit.change.attachments() {
            // The second of two that name it comes too late.
            if free.insert(write.id.0, false) != Some(true) {
                *outcome = Some(Err(Error::AttachmentTaken));
            }
        }
    }
    Ok(())
}

/// Binds the files of one change.
pub async fn bind(tx: &mut Tx, writing: &Writing<'_>) -> Result<(), Error> {
    for write in writing.commit.change.attachments() {
        let args: Vec<Arg> = vec![
            writing.after.number.0.into(),
            write.comment.map(|comment| comment.to_string()).unwrap_or_default().into(),
            i64::from(write.visibility == Visibility::Internal).into(),
            write.id.0.into(),
        ];
        tx.later("update attachments set ticket = $1, comment = $2, internal = $3 where id = $4", args).await?;
    }
    Ok(())
}
