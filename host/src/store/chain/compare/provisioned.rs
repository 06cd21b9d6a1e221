//! Holdings in apps, compared with the ledger.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::Difference;
use crate::desk::access::LedgerEvent;
use crate::desk::id::TicketId;
use crate::store::access::ledger::{Said, stored};
use crate::store::db::{Arg, Row};
use crate::store::sql::places;
use crate::store::{Error, Store};

/// Events that are read at a time.
const PAGE: usize = 1_000;
/// People who are looked at again at a time.
const PEOPLE: usize = 500;
/// The columns of a holding, as [`hold`] reads them.
const HOLDINGS: &str = "select subject, app, entitlement, preexisting, grant_id from holdings";

/// A person, an app, an entitlement.
type Key = [String; 3];
/// By whom and what: whether it was there before, and for which grant it was given.
type Held = BTreeMap<Key, (bool, Uuid)>;

/// The ledger's word about all apps, up to one of its events.
#[derive(Default)]
struct Expected {
    holdings: Held,
    upto: i64,
}

impl Store {
    pub(super) async fn compare_provisioned(&self) -> Result<Vec<Difference>, Error> {
        let mut expected = Expected::default();
        loop {
            let rows = self.db.all_of_history(&events(), vec![expected.upto.into()]).await?;
            if rows.is_empty() {
                break;
            }
            expected.read(&rows)?;
        }
        let mut there = Held::new();
        for row in self.db.all_of_history(HOLDINGS, Vec::new()).await? {
            hold(&mut there, &row)?;
        }
        let keys = there.keys().chain(expected.holdings.keys());
        let differ: BTreeSet<Key> =
            keys.filter(|key| there.get(*key) != expected.holdings.get(*key)).cloned().collect();
        drop(there);
        let differ = if differ.is_empty() { differ } else { self.differ_still(&mut expected, differ).await? };
        let found = differ.into_iter().map(|[subject, app, entitlement]| {
            let what = format!(
                "what {subject} holds in {app}, {entitlement}, is not what the ledger says: it was changed, added or removed"
            );
            (None, what)
        });
        Ok(found.collect())
    }

    /// Those of some holdings that are not what the ledger says where both are read at one instant: orders are carried out meanwhile,
    /// so that what was read one after the other may differ with nothing wrong.
    async fn differ_still(&self, expected: &mut Expected, differ: BTreeSet<Key>) -> Result<BTreeSet<Key>, Error> {
        let mut tx = self.db.begin_reading().await?;
        loop {
            let rows = tx.all(&events(), vec![expected.upto.into()]).await?;
            if rows.is_empty() {
                break;
            }
            expected.read(&rows)?;
        }
        let people: BTreeSet<&str> = differ.iter().map(|[subject, ..]| subject.as_str()).collect();
        let people: Vec<&str> = people.into_iter().collect();
        let mut there = Held::new();
        for some in people.chunks(PEOPLE) {
            let sql = format!("{HOLDINGS} where subject in ({})", places(0, some.len()));
            for row in tx.all(&sql, some.iter().map(|person| Arg::from(*person)).collect()).await? {
                hold(&mut there, &row)?;
            }
        }
        tx.end().await?;
        let mut differ = differ;
        differ.retain(|key| there.get(key) != expected.holdings.get(key));
        Ok(differ)
    }
}

/// The statement for the next events about holdings after one of them.
fn events() -> String {
    format!(
        "select at, event, detail, hash, ticket, seq from ledger where seq > $1 and event in ('holds', 'holds-no-more') \
         order by seq limit {PAGE}"
    )
}

fn hold(held: &mut Held, row: &Row) -> Result<(), Error> {
    let key = [row.text(0)?, row.text(1)?, row.text(2)?];
    held.insert(key, (row.int(3)? == 1, row.uuid(4)?));
    Ok(())
}

impl Expected {
    fn read(&mut self, rows: &[Row]) -> Result<(), Error> {
        for row in rows {
            self.upto = row.int(5)?;
            // What cannot be read breaks the chain itself, and is named there.
            if let Ok(event) = stored(row, TicketId(row.uuid(4)?))
                && let Said::Event(said) = event.said
            {
                self.take(said);
            }
        }
        Ok(())
    }

    fn take(&mut self, event: LedgerEvent) {
        match event {
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
