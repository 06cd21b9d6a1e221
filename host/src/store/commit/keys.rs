//! Idempotency keys: the same request sent again is the same ticket.

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

/// Takes one key; `Some` where it was taken before.
async fn claim_one(
    tx: &mut Tx,
    claim: &IdempotencyKey,
    commit: &Commit,
) -> Result<Option<Result<Committed, Error>>, Error> {
    let ticket = commit.change.after();
    let taken = tx
        .execute(
            "insert into idempotency (actor, key, digest, ticket, at) values ($1, $2, $3, $4, $5) \
             on conflict (actor, key) do nothing",
            vec![
                claim.owner().into(),
                claim.key.as_str().into(),
                claim.digest.as_str().into(),
                ticket.id.0.into(),
                ms(ticket.updated_at).into(),
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
    pub async fn made_under(&self, claim: &IdempotencyKey) -> Result<Option<TicketId>, Error> {
        let sql = "select digest, ticket from idempotency where actor = $1 and key = $2";
        let row = self.db.optional(sql, vec![claim.owner().into(), claim.key.as_str().into()]).await?;
        let Some(row) = row else { return Ok(None) };
        if row.text(0)? != claim.digest {
            return Err(Error::KeyReused);
        }
        // A client that asks again may be answered before the one that asked first, and not before it is on disk.
        self.db.flush().done().await?;
        Ok(Some(TicketId(row.uuid(1)?)))
    }
}
