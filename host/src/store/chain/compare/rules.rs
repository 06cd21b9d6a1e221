//! The parts that rules play, and the tables in force, are those that their last events left.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Entry, Expected};
use crate::store::db::Row;
use crate::store::{Error, Store};

/// The columns of a rule's row that are compared.
const COLUMNS: &str = "name, source, folder, active, candidate, trial, percent, proposed_by, previous, offered, suspended, \
                       retire_proposed_by, changed_at, changed_by, why";

/// A text of the rollout that an event left.
fn text(of: Option<&Value>) -> Option<String> {
    of.and_then(Value::as_str).map(str::to_owned)
}

/// The columns as the last event of a rule says them, after its name. An event of an earlier program says nothing of some: of those
/// there is what stands in the row.
fn said(last: &Entry, row: &[Option<String>]) -> Vec<Option<String>> {
    let after: Value = serde_json::from_str(&last.text("after")).unwrap_or_default();
    let candidate = after.get("candidate").filter(|candidate| !candidate.is_null());
    let of_candidate = |key: &str| candidate.and_then(|candidate| candidate.get(key));
    let trial = of_candidate("trial");
    let canary = trial.and_then(|trial| trial.get("canary"));
    let word = if canary.is_some() { Some("canary".to_owned()) } else { text(trial) };
    let if_said = |key: &str, place: usize| match after.get(key) {
        Some(value) => text(Some(value)),
        None => row.get(place).cloned().flatten(),
    };
    vec![
        text(after.get("source")),
        if_said("folder", 1),
        text(after.get("active")),
        text(of_candidate("version")),
        word,
        canary.map(Value::to_string),
        text(of_candidate("proposed-by")),
        text(after.get("previous")),
        if_said("offered", 8),
        text(after.get("suspended")),
        text(after.get("retiring")),
        Some(last.at.to_string()),
        last.opt_text("actor"),
        last.opt_text("why"),
    ]
}

/// The columns as they are in a row, after its name.
fn there(row: &Row) -> Result<Vec<Option<String>>, Error> {
    let mut there = Vec::new();
    for at in 1..15 {
        there.push(match at {
            6 | 12 => row.opt_int(at)?.map(|number| number.to_string()),
            _ => row.opt_text(at)?,
        });
    }
    Ok(there)
}

impl Store {
    /// The parts that rules play are those that their last events left.
    pub(super) async fn compare_rules(&self, expected: &Expected) -> Result<Vec<String>, Error> {
        // A rule from before the audit, of which it has no event, has its events in their own table.
        let known = self.names("select distinct name from deployment_events").await?;
        let rows = self.db.all_of_history(&format!("select {COLUMNS} from deployments"), Vec::new()).await?;
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        for row in rows {
            let name = row.text(0)?;
            let there = there(&row)?;
            match expected.last.get(&name) {
                None if !known.contains(&name) => {
                    found.push(format!("the rule `{name}` is in no event: its row was added"));
                }
                Some(last) if said(last, &there) != there => {
                    found.push(format!(
                        "the rule `{name}` stands otherwise than its last event says: its row was changed"
                    ));
                }
                None | Some(_) => {}
            }
            seen.insert(name);
        }
        let missing = expected.last.keys().filter(|name| !seen.contains(*name));
        found.extend(missing.map(|name| format!("the rule `{name}` is missing: its row was removed")));
        Ok(found)
    }

    /// The tables in force are those that their last events left.
    pub(super) async fn compare_tables(&self, expected: &Expected) -> Result<Vec<String>, Error> {
        let known = self.names("select distinct name from table_events").await?;
        let rows = self.db.all_of_history("select name, digest from tables_live", Vec::new()).await?;
        let live =
            rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect::<Result<BTreeMap<_, _>, Error>>()?;
        let differs = |(name, digest): &(&String, &Option<String>)| live.get(*name) != digest.as_ref();
        let named = expected.live.iter().filter(differs);
        let mut found: Vec<String> = named
            .map(|(name, _)| format!("the table `{name}` is live in another version than the audit says"))
            .collect();
        let added = live.keys().filter(|name| !expected.live.contains_key(*name) && !known.contains(*name));
        found.extend(added.map(|name| format!("the table `{name}` is live in no event: it was added")));
        Ok(found)
    }

    async fn names(&self, sql: &str) -> Result<BTreeSet<String>, Error> {
        self.db.all_of_history(sql, Vec::new()).await?.iter().map(|row| row.text(0)).collect()
    }
}
