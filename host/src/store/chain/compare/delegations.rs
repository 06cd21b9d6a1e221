//! Who approves in whose place by the word of people themselves, compared with the audit.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::{Difference, Entry};
use crate::desk::id::DelegationId;
use crate::store::chain::{audit, entrance};
use crate::store::db::{Row, Tx};
use crate::store::{Error, Store};

/// Entries and rows that are read at a time.
const PAGE: i64 = 500;
/// The table, as the marks of rows name it that were erased with their person.
const TABLE: &str = "delegations";

impl Store {
    pub(super) async fn compare_delegations(&self) -> Result<Vec<Difference>, Error> {
        // The audit and the table of one instant.
        let mut tx = self.db.begin_reading().await?;
        let mut said = said(&mut tx).await?;
        let (mut found, mut after) = (Vec::new(), Uuid::nil());
        loop {
            let sql = format!(
                "select id, person, delegate, first_day, last_day, made_at, ended_at, ended_by from delegations \
                 where id > $1 order by id limit {PAGE}"
            );
            let rows = tx.all(&sql, vec![after.into()]).await?;
            let Some(last) = rows.last() else { break };
            after = last.uuid(0)?;
            for row in &rows {
                let id = DelegationId(row.uuid(0)?).to_string();
                let said = said.remove(&id);
                // A row that cannot be read is not what was written either.
                if !said.is_some_and(|said| is_as_said(row, &said).unwrap_or(false)) {
                    found.push(format!("the delegation {id} is not what the audit says: it was changed or added"));
                }
            }
        }
        tx.end().await?;
        found.extend(said.into_keys().map(|id| format!("the delegation {id} is missing: it was removed")));
        Ok(found.into_iter().map(|what| (None, what)).collect())
    }
}

/// The audit's last word about each that was not erased with one of its two people.
async fn said(tx: &mut Tx) -> Result<BTreeMap<String, Entry>, Error> {
    let (mut said, mut after): (BTreeMap<String, Entry>, i64) = (BTreeMap::new(), 0);
    let events = [audit::DELEGATION, audit::ERASED].map(|event| format!("'{event}'")).join(", ");
    loop {
        let sql = format!(
            "select link, at, event, about, detail from audit where link > $1 and event in ({events}) \
             order by link limit {PAGE}"
        );
        let rows = tx.all(&sql, vec![after.into()]).await?;
        let Some(last) = rows.last() else { return Ok(said) };
        after = last.int(0)?;
        for row in &rows {
            let (about, detail) = (row.text(3)?, serde_json::from_str(&row.text(4)?).unwrap_or(Value::Null));
            let entry = Entry { at: row.int(1)?, event: row.text(2)?, about: about.clone(), detail };
            if entry.event == audit::DELEGATION {
                said.insert(about, entry);
            } else {
                let marks = entry.detail.get("entrance").and_then(Value::as_array).into_iter().flatten();
                let marks: BTreeSet<&str> = marks.filter_map(Value::as_str).collect();
                said.retain(|id, _| !marks.contains(entrance::mark(TABLE, id).as_str()));
            }
        }
    }
}

fn is_as_said(row: &Row, said: &Entry) -> Result<bool, Error> {
    let number = |key: &str| said.int(key);
    let days = said.text("from") == row.text(3)? && said.text("until") == row.text(4)?;
    let people = said.text("person") == row.text(1)? && said.text("to") == row.text(2)?;
    let times = number("made_at") == Some(row.int(5)?) && number("ended_at") == row.opt_int(6)?;
    Ok(days && people && times && said.opt_text("ended_by") == row.opt_text(7)?)
}
