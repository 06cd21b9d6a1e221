//! Lists about access: what awaits a person, and what a person holds.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    CASE_COLUMNS, CASE_COLUMNS_COUNT, DECISION_COLUMNS, DECISION_COLUMNS_COUNT, GRANT_COLUMNS, ListedGrant, case,
    listed,
};
use crate::desk::access::{AccessCase, LedgerEvent};
use crate::desk::id::{AppId, GrantId, PersonId, TicketId};
use crate::store::access::ledger::{Said, stored};
use crate::store::db::{Arg, Row, Tx};
use crate::store::sql::columns::{ms, parsed};
use crate::store::sql::page::Page;
use crate::store::sql::places;
use crate::store::tickets::summary::{self, TicketSummary};
use crate::store::{Error, Store};

/// Ends of access that are looked through for sessions that may go on.
const ENDS_MAX: usize = 500;

/// A grant's place among those of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantPlace {
    /// In milliseconds since 1970.
    pub granted_at: i64,
    pub id: GrantId,
}

impl Store {
    /// Until when sessions of a person may go on in apps where their access has ended, as the ledger says of their last ends; those
    /// that are over are left out.
    pub async fn sessions_of(&self, subject: &PersonId, now: Timestamp) -> Result<Vec<(AppId, Timestamp)>, Error> {
        let sql = format!(
            "select l.at, l.event, l.detail, l.hash, l.ticket, g.id, g.app from ledger l join grants g on g.ticket = l.ticket \
             where g.subject = $1 and l.event = 'sessions-until' order by l.seq desc limit {ENDS_MAX}"
        );
        let mut latest = BTreeMap::<AppId, Timestamp>::new();
        for row in self.db.all(&sql, vec![subject.as_str().into()]).await? {
            // One that cannot be read breaks the chain, and is named there.
            let Ok(event) = stored(&row, TicketId(row.uuid(4)?)) else { continue };
            let Said::Event(LedgerEvent::SessionsUntil { grant, until }) = event.said else { continue };
            if grant.0 == row.uuid(5)? && until > now {
                let app = parsed("grants", "app", &row.text(6)?)?;
                latest.entry(app).and_modify(|last| *last = until.max(*last)).or_insert(until);
            }
        }
        Ok(latest.into_iter().collect())
    }

    /// The tickets whose access requests await a person, after one of them, oldest first; each with its case, as far as that can
    /// be read. Ids are in the order of time.
    pub async fn awaiting(
        &self,
        person: &PersonId,
        after: Option<TicketId>,
        limit: usize,
    ) -> Result<Page<(TicketSummary, Option<AccessCase>), TicketId>, Error> {
        let after = after.map_or_else(uuid::Uuid::nil, |id| id.0);
        let sql = format!(
            "select ticket from access_awaited where person = $1 and ticket > $2 order by ticket limit {}",
            limit + 1
        );
        let mut tx = self.db.begin_reading().await?;
        let rows = tx.all(&sql, vec![person.as_str().into(), after.into()]).await?;
        let ids = rows.iter().map(|row| Ok(TicketId(row.uuid(0)?))).collect::<Result<Vec<_>, Error>>()?;
        let page = Page::cut(ids, limit, |id| *id);
        let (mut tickets, mut cases) = (summaries(&mut tx, &page.items).await?, cases(&mut tx, &page.items).await?);
        tx.end().await?;
        let both = |id: &TicketId| {
            let (mut ticket, case) = (tickets.remove(id)?, cases.remove(id));
            if case.is_none() {
                ticket.damaged.push("access_cases");
            }
            Some((ticket, case))
        };
        Ok(Page { items: page.items.iter().filter_map(both).collect(), next: page.next })
    }

    /// What a person holds, or has held since an instant, after one of the grants, newest first.
    pub async fn grants_page(
        &self,
        subject: &PersonId,
        since: Timestamp,
        after: Option<GrantPlace>,
        limit: usize,
    ) -> Result<Page<ListedGrant, GrantPlace>, Error> {
        let mut args: Vec<Arg> = vec![subject.as_str().into(), ms(since).into()];
        let mut later = "";
        if let Some(GrantPlace { granted_at, id }) = after {
            later = "and (granted_at, id) < ($3, $4)";
            args.extend([granted_at.into(), Arg::from(id.0)]);
        }
        let sql = format!(
            "select {GRANT_COLUMNS} from grants where subject = $1 and expires_at >= $2 {later} \
             order by granted_at desc, id desc limit {}",
            limit + 1
        );
        let rows = self.db.all(&sql, args).await?;
        let place = |row: &Row| Ok((listed(row)?, GrantPlace { granted_at: row.int(7)?, id: GrantId(row.uuid(0)?) }));
        let found = rows.iter().map(place).collect::<Result<Vec<_>, Error>>()?;
        Ok(Page::cut(found, limit, |(_, place)| *place).map(|(grant, _)| grant))
    }
}

fn args(ids: &[TicketId]) -> Vec<Arg> {
    ids.iter().map(|id| id.0.into()).collect()
}

async fn summaries(tx: &mut Tx, ids: &[TicketId]) -> Result<BTreeMap<TicketId, TicketSummary>, Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (sql, args) = summary::statement("id", args(ids), ids.len().next_power_of_two());
    let rows = tx.all(&sql, args).await?;
    rows.iter().map(|row| summary::summary(row).map(|ticket| (ticket.id, ticket))).collect()
}

/// The access cases of tickets, with all that people decided about them. One that cannot be read is left out, as one that is gone.
pub(super) async fn cases(tx: &mut Tx, ids: &[TicketId]) -> Result<BTreeMap<TicketId, AccessCase>, Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let places = places(0, ids.len());
    let among = format!("where ticket in ({places})");
    let mut decided: BTreeMap<TicketId, Vec<Row>> = BTreeMap::new();
    let sql = format!("select {DECISION_COLUMNS}, ticket from access_decisions {among} order by ticket, at, step");
    for row in tx.all(&sql, args(ids)).await? {
        decided.entry(TicketId(row.uuid(DECISION_COLUMNS_COUNT)?)).or_default().push(row);
    }
    let sql = format!("select {CASE_COLUMNS}, ticket from access_cases {among}");
    let mut cases = BTreeMap::new();
    for row in tx.all(&sql, args(ids)).await? {
        let ticket = TicketId(row.uuid(CASE_COLUMNS_COUNT)?);
        let decisions = decided.remove(&ticket).unwrap_or_default();
        if let Ok(case) = case(ticket, &row, &decisions) {
            cases.insert(ticket, case);
        }
    }
    Ok(cases)
}
