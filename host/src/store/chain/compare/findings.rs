//! The words about access that no grant gives, compared with the audit: who has let it stay, and what was taken away.

use std::collections::BTreeMap;

use super::{Difference, Entry, each_entry, unlike_said};
use crate::desk::access::provisioning::finding::FindingVerdict;
use crate::store::chain::audit;
use crate::store::db::{Row, Tx};
use crate::store::{Error, Store};

impl Store {
    pub(super) async fn compare_findings(&self) -> Result<Vec<Difference>, Error> {
        // The audit and the table of one instant.
        let mut tx = self.db.begin_reading().await?;
        let said = said(&mut tx).await?;
        let table =
            "select id, app, entitlement, account, verdict, settled_by, reason, settled_at from access_findings";
        let found = unlike_said(&mut tx, (table, "finding"), said, is_as_said).await?;
        tx.end().await?;
        Ok(found)
    }
}

/// The audit's last word about each finding that a word was said of.
async fn said(tx: &mut Tx) -> Result<BTreeMap<String, Entry>, Error> {
    let mut said = BTreeMap::new();
    let take = |entry: Entry| drop(said.insert(entry.about.clone(), entry));
    each_entry(tx, &[audit::FINDING], take).await?;
    Ok(said)
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
