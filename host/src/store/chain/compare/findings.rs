//! The words about access that no grant gives, compared with the audit: who has let it stay, and what was taken away.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::{Difference, Entry};
use crate::desk::access::provisioning::finding::FindingVerdict;
use crate::desk::id::FindingId;
use crate::store::chain::audit;
use crate::store::db::{Row, Tx};
use crate::store::{Error, Store};

/// Entries and rows that are read at a time.
const PAGE: i64 = 500;

impl Store {
    pub(super) async fn compare_findings(&self) -> Result<Vec<Difference>, Error> {
        // The audit and the table of one instant.
        let mut tx = self.db.begin_reading().await?;
        let mut said = said(&mut tx).await?;
        let (mut found, mut after) = (Vec::new(), Uuid::nil());
        loop {
            let sql = format!(
                "select id, app, entitlement, account, verdict, settled_by, reason, settled_at from access_findings \
                 where id > $1 order by id limit {PAGE}"
            );
            let rows = tx.all(&sql, vec![after.into()]).await?;
            let Some(last) = rows.last() else { break };
            after = last.uuid(0)?;
            for row in &rows {
                let id = FindingId(row.uuid(0)?).to_string();
                // A row that cannot be read is not what was written either.
                if !is_as_said(row, said.remove(&id).as_ref()).unwrap_or(false) {
                    found.push(format!("the finding {id} is not what the audit says: it was changed or added"));
                }
            }
        }
        tx.end().await?;
        found.extend(said.into_keys().map(|id| format!("the finding {id} is missing: it was removed")));
        Ok(found.into_iter().map(|what| (None, what)).collect())
    }
}

/// The audit's last word about each finding that a word was said of.
async fn said(tx: &mut Tx) -> Result<BTreeMap<String, Entry>, Error> {
    let (mut said, mut after) = (BTreeMap::new(), 0);
    let event = audit::FINDING;
    loop {
        let sql = format!(
            "select link, at, about, detail from audit where link > $1 and event = '{event}' order by link limit {PAGE}"
        );
        let rows = tx.all(&sql, vec![after.into()]).await?;
        let Some(last) = rows.last() else { return Ok(said) };
        after = last.int(0)?;
        for row in &rows {
            let (about, detail) = (row.text(2)?, serde_json::from_str(&row.text(3)?).unwrap_or(Value::Null));
            let entry = Entry { at: row.int(1)?, event: event.to_owned(), about: about.clone(), detail };
            said.insert(about, entry);
        }
    }
}

/// Whether a row is as the audit has it; where that has no word, the finding is open, or went by itself.
fn is_as_said(row: &Row, said: Option<&Entry>) -> Result<bool, Error> {
    let (verdict, by, reason) = (row.opt_text(4)?, row.opt_text(5)?, row.text(6)?);
    let went = verdict.as_deref() == Some(FindingVerdict::Gone.code());
    let Some(said) = said else { return Ok(verdict.is_none() || (went && by.is_none() && reason.is_empty())) };
    let of_it = said.text("app") == row.text(1)?
        && said.text("entitlement") == row.text(2)?
        && said.text("account") == row.text(3)?
        && said.opt_text("by") == by
        && said.text("reason") == reason;
    let stands = verdict == said.opt_text("verdict") && row.opt_int(7)? == Some(said.at);
    // What was let stay may be there no more at a later look; that is no word of anyone.
    let let_stay = said.text("verdict") == FindingVerdict::Accepted.code();
    Ok(of_it && (stands || (went && let_stay)))
}
