//! Who approves in whose place by the word of people themselves, compared with the audit.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Difference, Entry, each_entry, unlike_said};
use crate::store::chain::{audit, entrance};
use crate::store::db::{Row, Tx};
use crate::store::{Error, Store};

/// The table, as the marks of rows name it that were erased with their person.
const TABLE: &str = "delegations";

impl Store {
    pub(super) async fn compare_delegations(&self) -> Result<Vec<Difference>, Error> {
        // The audit and the table of one instant.
        let mut tx = self.db.begin_reading().await?;
        let said = said(&mut tx).await?;
        let table = "select id, person, delegate, first_day, last_day, made_at, ended_at, ended_by from delegations";
        let found = unlike_said(&mut tx, (table, "delegation"), said, is_as_said).await?;
        tx.end().await?;
        Ok(found)
    }
}

/// The audit's last word about each that was not erased with one of its two people.
async fn said(tx: &mut Tx) -> Result<BTreeMap<String, Entry>, Error> {
    let mut said: BTreeMap<String, Entry> = BTreeMap::new();
    let take = |entry: Entry| {
        if entry.event == audit::DELEGATION {
            said.insert(entry.about.clone(), entry);
        } else {
            let marks = entry.detail.get("entrance").and_then(Value::as_array).into_iter().flatten();
            let marks: BTreeSet<&str> = marks.filter_map(Value::as_str).collect();
            said.retain(|id, _| !marks.contains(entrance::mark(TABLE, id).as_str()));
        }
    };
    each_entry(tx, &[audit::DELEGATION, audit::ERASED], take).await?;
    Ok(said)
}

fn is_as_said(row: &Row, said: Option<&Entry>) -> Result<bool, Error> {
    let Some(said) = said else { return Ok(false) };
    let number = |key: &str| said.int(key);
    let days = said.text("from") == row.text(3)? && said.text("until") == row.text(4)?;
    let people = said.text("person") == row.text(1)? && said.text("to") == row.text(2)?;
    let times = number("made_at") == Some(row.int(5)?) && number("ended_at") == row.opt_int(6)?;
    Ok(days && people && times && said.opt_text("ended_by") == row.opt_text(7)?)
}
