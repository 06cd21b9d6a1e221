//! Open requests and grants that are held now: what a request is looked at against before access is given, and what follows the
//! organisation.

use jiff::Timestamp;

use crate::desk::access::Grant;
use crate::desk::change::AccessSeen;
use crate::desk::id::{AppId, GrantId, PersonId, TicketId, TicketNumber, TierId};
use crate::store::access::ops::OPEN;
use crate::store::access::{GRANT_COLUMNS, SUPPORTS, UNDER_WAY, grant};
use crate::store::db::{Row, Tx};
use crate::store::sql::columns::{ms, parsed};
use crate::store::{Error, Store};

/// A request that waits for approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRequest {
    pub number: TicketNumber,
    pub app: AppId,
    pub tier: TierId,
    pub role: Option<String>,
}

impl Store {
    /// How far a person's access has come. Read before all that is decided by it.
    pub async fn access_seen(&self, name: &str) -> Result<AccessSeen, Error> {
        let sql = "select revision from access_revisions where name = $1";
        let row = self.db.optional(sql, vec![name.into()]).await?;
        let revision = row.map_or(Ok(0), |row| row.int(0))?;
        Ok(AccessSeen { name: name.to_owned(), revision })
    }

    /// The requests for a person that wait for approval.
    pub async fn open_requests(&self, subject: &PersonId) -> Result<Vec<OpenRequest>, Error> {
        let sql = "select t.number, c.app, c.tier, c.role from access_cases c join tickets t on t.id = c.ticket \
                   where c.subject = $1 and c.state = 'awaiting' and t.state = 'waiting_approval' order by t.number";
        let rows = self.db.all(sql, vec![subject.as_str().into()]).await?;
        let open = |row: &Row| {
            let (app, tier) =
                (parsed("access_cases", "app", &row.text(1)?)?, parsed("access_cases", "tier", &row.text(2)?)?);
            Ok(OpenRequest { number: TicketNumber(row.int(0)?), app, tier, role: row.opt_text(3)? })
        };
        rows.iter().map(open).collect()
    }

    /// The tickets whose requests wait for approval, after one of them, at most `limit`.
    pub async fn open_cases(&self, after: Option<TicketId>, limit: usize) -> Result<Vec<TicketId>, Error> {
        let sql = format!(
            "select ticket from access_cases where state = 'awaiting' and ticket > $1 order by ticket limit {limit}"
        );
        let after = after.map_or_else(uuid::Uuid::nil, |id| id.0);
        let rows = self.db.all(&sql, vec![after.into()]).await?;
        rows.iter().map(|row| Ok(TicketId(row.uuid(0)?))).collect()
    }

    /// A person's grants that are not over.
    pub async fn held(&self, subject: &PersonId, now: Timestamp) -> Result<Vec<Grant>, Error> {
        let sql = format!(
            "select {GRANT_COLUMNS} from grants where subject = $1 and expires_at > $2 and {SUPPORTS} order by id"
        );
        let rows = self.db.all(&sql, vec![subject.as_str().into(), ms(now).into()]).await?;
        rows.iter().map(grant).collect()
    }

    /// A person's grants that are not over, or that the desk is not done with in the app.
    pub async fn grants_in_force(&self, subject: &PersonId, now: Timestamp) -> Result<Vec<Grant>, Error> {
        let sql = format!(
            "select {GRANT_COLUMNS} from grants where subject = $1 and ((expires_at > $2 and {SUPPORTS}) or {UNDER_WAY}) \
             order by id"
        );
        let rows = self.db.all(&sql, vec![subject.as_str().into(), ms(now).into()]).await?;
        rows.iter().map(grant).collect()
    }

    /// The grants to an app that are held, and of which nothing is there or on its way, after one of them, at most `limit`.
    pub async fn not_in_app(
        &self,
        app: &AppId,
        now: Timestamp,
        after: Option<GrantId>,
        limit: usize,
    ) -> Result<Vec<GrantId>, Error> {
        let sql = format!(
            "select id from grants where app = $1 and expires_at > $2 and {SUPPORTS} and id > $3 \
             and not exists (select 1 from holdings h where h.subject = grants.subject and h.app = grants.app \
             and h.entitlement = 'account') and not exists (select 1 from access_ops o where o.subject = grants.subject \
             and o.app = grants.app and o.entitlement = 'account' and o.{OPEN}) order by id limit {limit}"
        );
        let after = after.map_or_else(uuid::Uuid::nil, |id| id.0);
        let rows = self.db.all(&sql, vec![app.as_str().into(), ms(now).into(), after.into()]).await?;
        rows.iter().map(|row| Ok(GrantId(row.uuid(0)?))).collect()
    }

    /// The grants that a ticket gave.
    pub async fn grants_of_ticket(&self, ticket: TicketId) -> Result<Vec<Grant>, Error> {
        let sql = format!("select {GRANT_COLUMNS} from grants where ticket = $1 order by id");
        let rows = self.db.all(&sql, vec![ticket.0.into()]).await?;
        rows.iter().map(grant).collect()
    }

    /// Those who hold anything that is not over.
    pub async fn all_holders(&self, now: Timestamp) -> Result<Vec<PersonId>, Error> {
        let sql = format!("select distinct subject from grants where expires_at > $1 and {SUPPORTS} order by subject");
        let rows = self.db.all(&sql, vec![ms(now).into()]).await?;
        // A name that is none belongs to no person who could have left.
        Ok(rows.iter().filter_map(|row| parsed("grants", "subject", &row.text(0).ok()?).ok()).collect())
    }

    /// The ids of what a person holds that is not over.
    pub async fn held_ids(&self, subject: &PersonId, now: Timestamp) -> Result<Vec<GrantId>, Error> {
        let sql = format!("select id from grants where subject = $1 and expires_at > $2 and {SUPPORTS} order by id");
        let rows = self.db.all(&sql, vec![subject.as_str().into(), ms(now).into()]).await?;
        rows.iter().map(|row| Ok(GrantId(row.uuid(0)?))).collect()
    }
}

/// Locks how far these persons' access has come, in the order of their names, and gives it.
pub async fn lock(tx: &mut Tx, names: &[&str]) -> Result<Vec<(String, i64)>, Error> {
    let rows = names.iter().map(|name| vec![(*name).into(), 0_i64.into()]).collect();
    tx.insert("insert into access_revisions (name, revision)", 2, "on conflict do nothing", rows).await?;
    let places: Vec<String> = (1..=names.len()).map(|n| format!("${n}")).collect();
    let sql = format!(
        "select name, revision from access_revisions where name in ({}) order by name{}",
        places.join(", "),
        tx.for_update()
    );
    let rows = tx.all(&sql, names.iter().map(|name| (*name).into()).collect()).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
}

/// Writes how far a person's access has come now.
pub async fn advance(tx: &mut Tx, name: &str, revision: i64) -> Result<(), Error> {
    let sql = "update access_revisions set revision = $1 where name = $2";
    tx.execute(sql, vec![revision.into(), name.into()]).await.map(drop)
}
