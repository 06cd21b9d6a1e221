//! Taking access back: the grant, the ledger and the ticket's timeline in one transaction.

use super::change;
use super::writer::Work;
use crate::desk::access::Grant;
use crate::desk::id::GrantId;
use crate::desk::ticket::{REVOKED, TicketChange};
use crate::store::access::ledger;
use crate::store::access::{GRANT_COLUMNS, event, grant};
use crate::store::columns::ms;
use crate::store::db::{Db, Tx};
use crate::store::flush::Flush;
use crate::store::{Error, Store};

/// A grant that ends before its time.
#[derive(Debug, Clone)]
pub struct Revocation {
    pub grant: GrantId,
    /// The ticket that gave it, with what its timeline says about this; the grant ends when the change is made.
    pub change: TicketChange,
    /// For the ledger: who took it back and why.
    pub detail: String,
}

impl Store {
    /// The grant with this id.
    pub async fn grant(&self, id: GrantId) -> Result<Option<Grant>, Error> {
        let sql = format!("select {GRANT_COLUMNS} from grants where id = $1");
        self.db.optional(&sql, vec![id.0.into()]).await?.as_ref().map(grant).transpose()
    }

    /// Ends a grant. When this returns, it gives access to nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] where it was taken back before, or the ticket has changed since it was read.
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), Error> {
        self.ask(|done| Work::Revoke(Box::new(revocation), done)).await
    }
}

/// Ends a grant in a transaction of its own.
pub async fn revoke(db: &Db, revocation: Revocation) -> Result<Flush, Error> {
    let revoked = db.transaction(|mut tx| {
        let revocation = revocation.clone();
        async move {
            write(&mut tx, revocation).await?;
            Ok(((), tx))
        }
    });
    revoked.await.map(|((), flush)| flush)
}

async fn write(tx: &mut Tx, revocation: Revocation) -> Result<(), Error> {
    let Revocation { grant, change, detail } = revocation;
    let (ticket, now) = (change.after.id, change.after.updated_at);
    let sql = "update grants set revoked_at = $1 where id = $2 and revoked_at is null";
    if tx.execute(sql, vec![ms(now).into(), grant.0.into()]).await? != 1 {
        return Err(Error::Conflict);
    }
    change::write(tx, change, None).await?;
    // Last, because it holds the end of the ledger's chain.
    ledger::append(tx, &[event(ticket, REVOKED, detail, now)]).await
}
