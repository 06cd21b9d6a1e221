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
const COLUMNS: [&str; 7] = ["requester", "submitted_by", "category", "priority", "team", "state", "assignee"];
/// The events that say something of one of them.
const KINDS: &str = "'submitted', 'set', 'assigned', 'escalated', 'state-changed', 'acknowledged', 'access-decided'";
/// Where a ticket stands whose state nothing has changed, and about whose access nothing was decided.
const FIRST_STATES: [&str; 2] = ["new", "open"];
/// The ticket as the first decision about access left it; no column.
const ACCESS: &str = "access";

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
        "assigned" => {
            last("team", fact(0));
            // One that is no one's says so.
            last("assignee", Some(fact(1).unwrap_or_default()));
        }
        "access-decided" => {
            let state = if fact(0).as_deref() == Some("awaiting") { "waiting_approval" } else { "resolved" };
            said.entry(ACCESS).or_insert_with(|| state.to_owned());
        }
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
                let sql =
                    format!("select distinct ticket from timeline where ticket > $1 order by ticket limit {PAGE}");
                let gone = tx.all(&sql, vec![after.into()]).await?;
                tx.end().await?;
                for row in &gone {
                    found.push(missing(row.int(0)?));
                }
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
            found.extend(said.into_keys().map(missing));
            after = last;
        }
    }
}

/// A ticket of which the timeline is left.
fn missing(number: i64) -> Difference {
    (Some(TicketNumber(number)), "its timeline is there, and it is not: its row was removed".to_owned())
}

fn different(row: &Row, said: &Said) -> Vec<String> {
    let differs = |(at, column): (usize, &&'static str)| {
        let there = row.text(at + 1).unwrap_or_default();
        let said = said.get(*column).filter(|said| **said != there)?;
        Some(format!("its {column} is `{there}`, and its timeline says `{said}`: its row was changed"))
    };
    let mut found: Vec<String> = COLUMNS.iter().enumerate().filter_map(differs).collect();
    found.extend(unmoved(row, said));
    found
}

/// Of a ticket whose state nothing has changed, that it is not in one in which tickets begin.
fn unmoved(row: &Row, said: &Said) -> Option<String> {
    if said.contains_key("state") || !said.contains_key("submitted_by") {
        return None;
    }
    let place = COLUMNS.iter().position(|column| *column == "state")?;
    let there = row.text(place + 1).unwrap_or_default();
    let begins = match said.get(ACCESS) {
        Some(state) => *state == there,
        None => FIRST_STATES.contains(&there.as_str()),
    };
    (!begins).then(|| format!("its state is `{there}`, and its timeline says nothing of it: its row was changed"))
}
