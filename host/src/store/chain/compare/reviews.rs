//! Reviews of access, compared with the ledger: who was asked about which grant, and what was answered.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::Difference;
use crate::desk::access::LedgerEvent;
use crate::desk::access::campaign::ReviewItem;
use crate::desk::id::TicketId;
use crate::store::access::ledger::{Said, stored};
use crate::store::access::reviews::{COLUMNS, item};
use crate::store::db::Tx;
use crate::store::{Error, Store};

/// Events and rows that are read at a time.
const PAGE: usize = 500;

impl Store {
    pub(super) async fn compare_reviews(&self) -> Result<Vec<Difference>, Error> {
        let mut expected = self.expected_reviews().await?;
        let (mut found, mut after) = (Vec::new(), Uuid::nil());
        loop {
            let sql = format!("select {COLUMNS} from review_items where id > $1 order by id limit {PAGE}");
            // Reviews and lists of one instant.
            let mut tx = self.db.begin_reading().await?;
            let rows = tx.all(&sql, vec![after.into()]).await?;
            let last = rows.last().map_or(Ok(after), |row| row.uuid(0))?;
            let mut asked = review_lists(&mut tx, after, last).await?;
            tx.end().await?;
            if rows.is_empty() {
                break;
            }
            after = last;
            for row in &rows {
                let id = row.uuid(0)?;
                let lists = asked.remove(&id).unwrap_or_default();
                let reviewers =
                    item(row).map(|item| item.reviewers.iter().map(ToString::to_string).collect::<BTreeSet<_>>());
                if reviewers.is_ok_and(|reviewers| reviewers != lists) {
                    let what =
                        format!("the review {id} is in the lists of others than it asks: a row was added or removed");
                    found.push((None, what));
                }
                let said = expected.remove(&id);
                // A row that cannot be read is not what was written either.
                if said.is_none() || item(row).ok() != said {
                    let what = format!("the review {id} is not what the ledger says: it was changed or added");
                    found.push((None, what));
                }
            }
        }
        let missing = expected.into_keys();
        found.extend(missing.map(|id| (None, format!("the review {id} is missing: it was removed"))));
        Ok(found)
    }

    /// The reviews as the ledger says them.
    async fn expected_reviews(&self) -> Result<BTreeMap<Uuid, ReviewItem>, Error> {
        let (mut expected, mut after) = (BTreeMap::<Uuid, ReviewItem>::new(), 0_i64);
        loop {
            let sql = format!(
                "select at, event, detail, hash, ticket, seq from ledger where seq > $1 \
                 and event in ('review-asked', 'reviewed') order by seq limit {PAGE}"
            );
            let rows = self.db.all_of_history(&sql, vec![after.into()]).await?;
            let Some(last) = rows.last() else { return Ok(expected) };
            after = last.int(5)?;
            for row in &rows {
                // What cannot be read breaks the chain itself, and is named there.
                let Ok(event) = stored(row, TicketId(row.uuid(4)?)) else { continue };
                match event.said {
                    Said::Event(LedgerEvent::ReviewAsked { item }) => drop(expected.insert(item.id.0, item)),
                    Said::Event(LedgerEvent::Reviewed { item, answer, .. }) => {
                        if let Some(asked) = expected.get_mut(&item.0) {
                            asked.answer = Some(answer);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

/// In whose lists the reviews between two are.
async fn review_lists(tx: &mut Tx, after: Uuid, last: Uuid) -> Result<BTreeMap<Uuid, BTreeSet<String>>, Error> {
    let sql = "select item, person from review_reviewers where item > $1 and item <= $2";
    let mut lists: BTreeMap<Uuid, BTreeSet<String>> = BTreeMap::new();
    for row in tx.all(sql, vec![after.into(), last.into()]).await? {
        lists.entry(row.uuid(0)?).or_default().insert(row.text(1)?);
    }
    Ok(lists)
}
