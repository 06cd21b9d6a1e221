//! Holdings in apps, and the orders about them, compared with the ledger.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::Difference;
use crate::desk::access::LedgerEvent;
use crate::desk::id::TicketId;
use crate::store::access::ledger::{Said, stored};
use crate::store::db::Arg;
use crate::store::{Error, Store};

/// Events that are read at a time.
const PAGE: usize = 1_000;

/// A person, an app, an entitlement.
type Key = [String; 3];

/// The ledger's word about all apps.
#[derive(Default)]
struct Expected {
    /// By whom and what: whether it was there before, and for which grant it was given.
    holdings: BTreeMap<Key, (bool, Uuid)>,
    /// By its id: state and attempt.
    ops: BTreeMap<Uuid, (&'static str, u32)>,
}

impl Store {
    pub(super) async fn compare_provisioned(&self) -> Result<Vec<Difference>, Error> {
        let expected = self.expected_in_apps().await?;
        let mut found = Vec::new();
        let mut there = BTreeMap::new();
        let sql = "select subject, app, entitlement, preexisting, grant_id from holdings";
        for row in self.db.all_of_history(sql, Vec::new()).await? {
            let key = [row.text(0)?, row.text(1)?, row.text(2)?];
            there.insert(key, (row.int(3)? == 1, row.uuid(4)?));
        }
        let keys = there.keys().chain(expected.holdings.keys());
        let mut differ: Vec<&Key> = keys.filter(|key| there.get(*key) != expected.holdings.get(*key)).collect();
        differ.dedup();
        found.extend(differ.into_iter().map(|[subject, app, entitlement]| {
            let what = format!(
                "what {subject} holds in {app}, {entitlement}, is not what the ledger says: it was changed, added or removed"
            );
            (None, what)
        }));
        let (mut seen, mut after) = (0, None::<Uuid>);
        loop {
            // The first page begins before everything, also before an id that the desk never gives.
            let which = if after.is_some() { "where id > $1 " } else { "" };
            let sql = format!("select id, state, attempt from access_ops {which}order by id limit {PAGE}");
            let rows = self.db.all_of_history(&sql, after.map(Arg::from).into_iter().collect()).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.uuid(0)?);
            seen += rows.len();
            for row in &rows {
                let (id, state, attempt) = (row.uuid(0)?, row.text(1)?, row.int(2)?);
                let said = expected.ops.get(&id);
                if !said.is_some_and(|(known, times)| *known == state && i64::from(*times) == attempt) {
                    found.push((
                        None,
                        format!("the order {id} stands otherwise than the ledger says: it was changed or added"),
                    ));
                }
            }
        }
        if seen < expected.ops.len() {
            found.push((None, format!("{} orders are missing: they were removed", expected.ops.len() - seen)));
        }
        Ok(found)
    }

    async fn expected_in_apps(&self) -> Result<Expected, Error> {
        let (mut expected, mut after) = (Expected::default(), 0_i64);
        loop {
            let sql = format!(
                "select at, event, detail, hash, ticket, seq from ledger where seq > $1 \
                 and event in ('op', 'holds', 'holds-no-more') order by seq limit {PAGE}"
            );
            let rows = self.db.all_of_history(&sql, vec![after.into()]).await?;
            let Some(last) = rows.last() else { return Ok(expected) };
            after = last.int(5)?;
            for row in &rows {
                // What cannot be read breaks the chain itself, and is named there.
                if let Ok(event) = stored(row, TicketId(row.uuid(4)?))
                    && let Said::Event(said) = event.said
                {
                    expected.take(said);
                }
            }
        }
    }
}

impl Expected {
    fn take(&mut self, event: LedgerEvent) {
        match event {
            LedgerEvent::Op { op } => drop(self.ops.insert(op.id.0, (op.state.code(), op.attempt))),
            LedgerEvent::Holds { grant, subject, app, entitlement, preexisting } => {
                let key = [subject.to_string(), app.to_string(), entitlement.to_string()];
                self.holdings.insert(key, (preexisting, grant.0));
            }
            LedgerEvent::HoldsNoMore { subject, app, entitlement, .. } => {
                self.holdings.remove(&[subject.to_string(), app.to_string(), entitlement.to_string()]);
            }
            _ => {}
        }
    }
}
