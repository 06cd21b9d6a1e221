//! A ticket's own columns are what its timeline, which is chained, says last of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Difference;
use crate::desk::id::TicketNumber;
use crate::store::db::Row;
use crate::store::{Error, Store};

/// Tickets that are read at a time.
const PAGE: i64 = 500;
/// The columns that are compared, as they are read.
const COLUMNS: [&str; 6] = ["requester", "submitted_by", "category", "priority", "team", "state"];
/// The events that say something of one of them.
const KINDS: &str = "'submitted', 'set', 'assigned', 'escalated', 'state-changed', 'acknowledged'";

/// The sum of the entries of a timeline, by column; nothing of a column that none speaks of.
type Said = BTreeMap<&'static str, String>;

/// Takes one entry: its kind, its author, and its facts.
fn take(said: &mut Said, kind: &str, author: Option<String>, details: &str) {
    let facts: Vec<Value> = serde_json::from_str(details).unwrap_or_default();
    let fact = |at: usize| facts.get(at).and_then(Value::as_str).map(str::to_owned);
    let mut last = |column, value: Option<String>| said.extend(value.map(|value| (column, value)));
    match kind {
        "submitted" => last("submitted_by", author),
        "set" => {
            let columns = ["category", "priority", "team"];
            let column = columns.into_iter().find(|column| fact(0).as_deref() == Some(column));
            said.extend(column.zip(fact(2)));
        }
        "assigned" => last("team", fact(0)),
        "escalated" => last("team", fact(1)),
        "state-changed" => last("state", fact(1)),
        // The first goes to the one who asked, for good.
        "acknowledged" => drop(fact(0).map(|to| said.entry("requester").or_insert(to))),
        _ => {}
    }
}

impl Store {
    /// The tickets of which a column is not what the timeline says last.
    pub(super) async fn compare_tickets(&self) -> Result<Vec<Difference>, Error> {
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            // Both of one instant.
            let mut tx = self.db.begin_reading().await?;
            let columns = COLUMNS.join(", ");
            let sql = format!("select number, {columns} from tickets where number > $1 order by number limit {PAGE}");
            let tickets = tx.all(&sql, vec![after.into()]).await?;
            let Some(last) = tickets.last().map(|row| row.int(0)).transpose()? else {
                tx.end().await?;
                return Ok(found);
            };
            let sql = format!(
                "select ticket, kind, author, details from timeline where ticket > $1 and ticket <= $2 \
                 and kind in ({KINDS}) order by ticket, seq"
            );
            let entries = tx.all(&sql, vec![after.into(), last.into()]).await?;
            tx.end().await?;
            let mut said: BTreeMap<i64, Said> = BTreeMap::new();
            for row in &entries {
                let of = said.entry(row.int(0)?).or_default();
                take(of, &row.text(1)?, row.opt_text(2)?, &row.text(3)?);
            }
            for row in &tickets {
                let number = row.int(0)?;
                let said = said.remove(&number).unwrap_or_default();
                found.extend(different(row, &said).into_iter().map(|what| (Some(TicketNumber(number)), what)));
            }
            after = last;
        }
    }
}

fn different(row: &Row, said: &Said) -> Vec<String> {
    let differs = |(at, column): (usize, &&'static str)| {
        let there = row.text(at + 1).unwrap_or_default();
        let said = said.get(*column).filter(|said| **said != there)?;
        Some(format!("its {column} is `{there}`, and its timeline says `{said}`: its row was changed"))
    };
    COLUMNS.iter().enumerate().filter_map(differs).collect()
}
