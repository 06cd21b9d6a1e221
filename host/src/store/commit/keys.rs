//! Idempotency keys: the same request sent again is the same ticket.

use std::time::Duration;

use jiff::Timestamp;

use super::{Commit, Committed};
use crate::desk::id::{PersonId, TicketId};
use crate::store::db::Tx;
use crate::store::sql::columns::ms;
use crate::store::{Error, Store};

/// A key under which a client may send the same request again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Whose key it is: the same key of another person is another key. `None` is the desk itself.
    pub actor: Option<PersonId>,
    pub key: String,
    /// The digest of the request: the same key for another request is refused.
    pub digest: String,
    /// How long the key is kept; `None` for one that never ends.
    pub kept_for: Option<Duration>,
}

impl IdempotencyKey {
    /// Whose key it is, as the table has it; no person's id is empty.
    fn owner(&self) -> &str {
        self.actor.as_ref().map_or("", |person| person.as_str())
    }
}

/// Takes the keys of all changes, in one order on every host; a change whose key was taken before is settled by it.
pub async fn claim(
    tx: &mut Tx,
    commits: &[Commit],
    outcomes: &mut [Option<Result<Committed, Error>>],
) -> Result<(), Error> {
    let claims = commits.iter().zip(outcomes);
    let claims = claims.filter_map(|(commit, outcome)| Some((commit.idempotency.as_ref()?, commit, outcome)));
    let mut claims: Vec<_> = claims.collect();
    claims.sort_by_key(|(claim, ..)| (&claim.actor, &claim.key));
    for (claim, commit, outcome) in claims {
        *outcome = claim_one(tx, claim, commit).await?;
    }
    Ok(())
}

/// Gives keys back that this transaction took for changes which it does not make: what is asked for again under one of them is not
/// done yet.
pub async fn give_back(tx: &mut Tx, claims: Vec<&IdempotencyKey>) -> Result<(), Error> {
    let rows = claims.into_iter().map(|claim| vec![claim.owner().into(), claim.key.as_str().into()]);
    tx.insert_later("delete from idempotency where (actor, key) in (", 2, ")", rows.collect()).await
}

/// Takes one key; `Some` where it was taken before.
async fn claim_one(
    tx: &mut Tx,
    claim: &IdempotencyKey,
    commit: &Commit,
) -> Result<Option<Result<Committed, Error>>, Error> {
    let ticket = commit.change.after();
    let now = ticket.updated_at;
    let ends_at =
        claim.kept_for.map(|kept| ms(now).saturating_add(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX)));
    // One that has ended is taken again, in the same statement.
    let taken = tx
        .execute(
            "insert into idempotency (actor, key, digest, ticket, at, ends_at) values ($1, $2, $3, $4, $5, $6) \
             on conflict (actor, key) do update set digest = excluded.digest, ticket = excluded.ticket, at = excluded.at, \
             ends_at = excluded.ends_at where idempotency.ends_at <= excluded.at",
            vec![
                claim.owner().into(),
                claim.key.as_str().into(),
                claim.digest.as_str().into(),
                ticket.id.0.into(),
                ms(now).into(),
                ends_at.into(),
            ],
        )
        .await?;
    if taken == 1 {
        return Ok(None);
    }
    let sql = "select digest, ticket from idempotency where actor = $1 and key = $2";
    let row = tx.optional(sql, vec![claim.owner().into(), claim.key.as_str().into()]).await?;
    let Some(row) = row else { return Ok(Some(Err(Error::Conflict))) };
    let same = row.text(0)? == claim.digest;
    Ok(Some(if same { Ok(Committed::Before(TicketId(row.uuid(1)?))) } else { Err(Error::KeyReused) }))
}

impl Store {
    /// The ticket that was made under a key before, if one was. When this returns, it is on disk.
    ///
    /// # Errors
    ///
    /// [`Error::KeyReused`] where the key was used for another request.
    pub async fn made_under(&self, claim: &IdempotencyKey, now: Timestamp) -> Result<Option<TicketId>, Error> {
        let sql = "select digest, ticket from idempotency where actor = $1 and key = $2 and (ends_at is null or ends_at > $3)";
        let row = self.db.optional(sql, vec![claim.owner().into(), claim.key.as_str().into(), ms(now).into()]).await?;
        let Some(row) = row else { return Ok(None) };
        if row.text(0)? != claim.digest {
            return Err(Error::KeyReused);
        }
        // A client that asks again may be answered before the one that asked first, and not before it is on disk.
        self.db.flush().done().await?;
        Ok(Some(TicketId(row.uuid(1)?)))
    }

    /// The digest and the ticket of a key of the desk itself, if it was used. When this returns, it is on disk.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn made_by_desk(&self, key: &str) -> Result<Option<(String, TicketId)>, Error> {
        let sql = "select digest, ticket from idempotency where actor = '' and key = $1";
        let Some(row) = self.db.optional(sql, vec![key.into()]).await? else { return Ok(None) };
        self.db.flush().done().await?;
        Ok(Some((row.text(0)?, TicketId(row.uuid(1)?))))
    }

    /// Forgets keys that have ended, some at a time; how many.
    pub async fn forget_keys(&self, now: Timestamp) -> Result<u64, Error> {
        const FORGET: &str = "delete from idempotency where (actor, key) in \
                              (select actor, key from idempotency where ends_at <= $1 order by ends_at limit 1000)";
        self.write_in_turn(FORGET, vec![ms(now).into()]).await
    }
}
