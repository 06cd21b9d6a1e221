//! All that takes effect stands in tables of its own: grants, people's decisions, reviews, rules, reference tables, tokens, findings,
//! accounts, sessions, published documents, timelines. Here they are compared with what the chains say of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::timelines::{Part, digest};
use super::{Chain, audit};
use crate::desk::id::TicketNumber;
use crate::store::db::{Row, Tx};
use crate::store::tickets::timeline::TimelineRow;
use crate::store::{Error, Store};

mod access;
mod delegations;
mod entrance;
mod findings;
mod kept;
mod provisioned;
mod reviews;
mod rules;
mod tickets;

/// A difference from what a chain says, and the ticket that it is about.
pub(super) type Difference = (Option<TicketNumber>, String);

/// Entries of the audit that are read at a time.
const PAGE: i64 = 500;
/// Parts of timelines that are read at a time.
const PARTS: usize = 64;

/// An entry of the audit.
struct Entry {
    at: i64,
    event: String,
    about: String,
    detail: Value,
}

impl Entry {
    /// The entry in a row of its link, time, event, what it is about, and detail.
    fn of(row: &Row) -> Result<Entry, Error> {
        let detail = serde_json::from_str(&row.text(4)?).unwrap_or_default();
        Ok(Entry { at: row.int(1)?, event: row.text(2)?, about: row.text(3)?, detail })
    }

    fn text(&self, key: &str) -> String {
        self.detail.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn opt_text(&self, key: &str) -> Option<String> {
        self.detail.get(key).and_then(Value::as_str).map(str::to_owned)
    }

    fn int(&self, key: &str) -> Option<i64> {
        self.detail.get(key).and_then(Value::as_i64)
    }
}

/// Takes each entry of the audit about these events, or each of all where none is named, as of the instant of a transaction.
async fn each_entry(tx: &mut Tx, events: &[&str], mut take: impl FnMut(Entry)) -> Result<(), Error> {
    let events = events.iter().map(|event| format!("'{event}'")).collect::<Vec<_>>().join(", ");
    let narrowed = if events.is_empty() { String::new() } else { format!(" and event in ({events})") };
    let mut after = 0_i64;
    loop {
        let sql = format!(
            "select link, at, event, about, detail from audit where link > $1{narrowed} order by link limit {PAGE}"
        );
        let rows = tx.all(&sql, vec![after.into()]).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.int(0)?;
        for row in &rows {
            take(Entry::of(row)?);
        }
    }
}

/// The rows of a table, by their ids in its first column, that are not as the audit says, which has the last word about each.
async fn unlike_said(
    tx: &mut Tx,
    (table, noun): (&str, &str),
    mut said: BTreeMap<String, Entry>,
    is_as_said: fn(&Row, Option<&Entry>) -> Result<bool, Error>,
) -> Result<Vec<Difference>, Error> {
    let (mut found, mut after) = (Vec::new(), Uuid::nil());
    loop {
        let sql = format!("{table} where id > $1 order by id limit {PAGE}");
        let rows = tx.all(&sql, vec![after.into()]).await?;
        let Some(last) = rows.last() else { break };
        after = last.uuid(0)?;
        for row in &rows {
            let id = row.uuid(0)?.to_string();
            // A row that cannot be read is not what was written either.
            if !is_as_said(row, said.remove(&id).as_ref()).unwrap_or(false) {
                found.push(format!("the {noun} {id} is not what the audit says: it was changed or added"));
            }
        }
    }
    found.extend(said.into_keys().map(|id| format!("the {noun} {id} is missing: it was removed")));
    Ok(found.into_iter().map(|what| (None, what)).collect())
}

/// The sum of the audit.
#[derive(Default)]
struct Expected {
    /// Rows from before the audit, by table.
    before: BTreeMap<String, i64>,
    /// Events of rules by their number: the texts of their columns.
    rules: BTreeMap<i64, Vec<String>>,
    /// The last event of each rule.
    last: BTreeMap<String, Entry>,
    /// Events of tables by their number.
    tables: BTreeMap<i64, Vec<String>>,
    /// The digest that each table has live; none where it was removed.
    live: BTreeMap<String, Option<String>>,
    /// Tokens by their hash.
    tokens: BTreeMap<String, Vec<String>>,
    revoked: BTreeMap<String, i64>,
}

impl Expected {
    fn take(&mut self, entry: Entry) {
        let texts = |keys: &[&str]| keys.iter().map(|key| entry.text(key)).collect::<Vec<_>>();
        match entry.event.as_str() {
            audit::BEGAN => {
                let counts = entry.detail.as_object().into_iter().flatten();
                self.before = counts.filter_map(|(table, count)| Some((table.clone(), count.as_i64()?))).collect();
            }
            audit::RULE => {
                let mut row = vec![entry.at.to_string(), entry.about.clone()];
                row.extend(texts(&["event", "before", "after", "actor", "why", "version"]));
                self.rules.extend(entry.int("seq").map(|seq| (seq, row)));
                self.last.insert(entry.about.clone(), entry);
            }
            audit::TABLE => {
                let mut row = vec![entry.at.to_string(), entry.about.clone()];
                row.extend(texts(&["event", "digest", "actor", "why"]));
                self.tables.extend(entry.int("seq").map(|seq| (seq, row)));
                if entry.text("event").is_empty() {
                    self.live.insert(entry.about.clone(), entry.opt_text("digest"));
                }
            }
            audit::TOKEN_ADDED => {
                let number = |key| entry.int(key).map(|n| n.to_string()).unwrap_or_default();
                let mut row = texts(&["person", "roles", "label"]);
                row.extend([number("created_at"), number("expires_at")]);
                self.tokens.insert(entry.text("hash"), row);
            }
            audit::TOKEN_REVOKED => drop(self.revoked.insert(entry.text("hash"), entry.at)),
            _ => {}
        }
    }

    fn before(&self, table: &str) -> i64 {
        self.before.get(table).copied().unwrap_or_default()
    }
}

/// How often all is looked at again before something is said to be wrong: a rule or a review may change twice while it is looked at.
const AGAIN: usize = 2;

/// Those of the differences of one look that a second one has found as well. A chain and what it is about are read one after the other,
/// and people work meanwhile: what was written in between differs once.
fn both(first: Vec<Difference>, second: Vec<Difference>) -> Vec<Difference> {
    let second: BTreeSet<Difference> = second.into_iter().collect();
    first.into_iter().filter(|found| second.contains(found)).collect()
}

impl Store {
    /// Differences of the tables that a chain is about from what the chain says.
    pub(super) async fn compare(&self, chain: Chain) -> Result<Vec<Difference>, Error> {
        match chain {
            Chain::Runs | Chain::Archive => Ok(Vec::new()),
            Chain::Ledger => {
                let mut found = self.compare_access().await?;
                found.extend(self.compare_provisioned().await?);
                let mut reviews = self.compare_reviews().await?;
                for _ in 0..AGAIN {
                    if !reviews.is_empty() {
                        reviews = both(reviews, self.compare_reviews().await?);
                    }
                }
                found.extend(reviews);
                Ok(found)
            }
            Chain::Audit => {
                let mut found = self.compare_all_with_audit().await?;
                for _ in 0..AGAIN {
                    if !found.is_empty() {
                        found = both(found, self.compare_all_with_audit().await?);
                    }
                }
                Ok(found)
            }
            Chain::Timelines => {
                let mut found = self.count_entries().await?;
                found.extend(self.compare_tickets().await?);
                Ok(found)
            }
        }
    }

    async fn compare_all_with_audit(&self) -> Result<Vec<Difference>, Error> {
        let mut found = self.compare_audit().await?;
        found.extend(self.compare_entrance().await?);
        found.extend(self.compare_findings().await?);
        found.extend(self.compare_kept().await?);
        found.extend(self.compare_delegations().await?);
        Ok(found)
    }

    async fn expected(&self) -> Result<Expected, Error> {
        let (mut expected, mut after) = (Expected::default(), 0);
        loop {
            let sql =
                format!("select link, at, event, about, detail from audit where link > $1 order by link limit {PAGE}");
            let rows = self.db.all_of_history(&sql, vec![after.into()]).await?;
            let Some(last) = rows.last() else { return Ok(expected) };
            after = last.int(0)?;
            for row in &rows {
                expected.take(Entry::of(row)?);
            }
        }
    }

    async fn compare_audit(&self) -> Result<Vec<Difference>, Error> {
        let expected = self.expected().await?;
        let mut found = Vec::new();
        let sql = "select seq, at, name, event, before, after, actor, why, version from deployment_events order by seq";
        let columns = |row: &Row| {
            let mut columns = vec![row.int(1)?.to_string()];
            for at in 2..8 {
                columns.push(row.text(at)?);
            }
            columns.push(row.opt_text(8)?.unwrap_or_default());
            Ok(columns)
        };
        let before = expected.before("deployment_events");
        found.extend(self.compare_events("rules", sql, columns, &expected.rules, before).await?);
        let sql = "select seq, at, name, event, digest, actor, why from table_events order by seq";
        let columns = |row: &Row| {
            let (at, digest) = (row.int(1)?.to_string(), row.opt_text(4)?.unwrap_or_default());
            Ok(vec![at, row.text(2)?, row.text(3)?, digest, row.text(5)?, row.text(6)?])
        };
        let before = expected.before("table_events");
        found.extend(self.compare_events("tables", sql, columns, &expected.tables, before).await?);
        found.extend(self.compare_rules(&expected).await?);
        found.extend(self.compare_tables(&expected).await?);
        found.extend(self.compare_tokens(&expected).await?);
        Ok(found.into_iter().map(|what| (None, what)).collect())
    }

    /// Compares events with the audit, by their numbers.
    async fn compare_events(
        &self,
        what: &str,
        sql: &str,
        columns: impl Fn(&Row) -> Result<Vec<String>, Error>,
        expected: &BTreeMap<i64, Vec<String>>,
        before: i64,
    ) -> Result<Vec<String>, Error> {
        let (mut found, mut unknown, mut seen) = (Vec::new(), 0, BTreeSet::new());
        for row in self.db.all_of_history(sql, Vec::new()).await? {
            let seq = row.int(0)?;
            match expected.get(&seq) {
                None => unknown += 1,
                Some(said) => {
                    seen.insert(seq);
                    if *said != columns(&row)? {
                        found.push(format!("the event {seq} of {what} is not what the audit says: it was changed"));
                    }
                }
            }
        }
        let missing = expected.keys().filter(|seq| !seen.contains(seq));
        found.extend(missing.map(|seq| format!("the event {seq} of {what} is missing: it was removed")));
        if unknown != before {
            found.push(format!(
                "{unknown} events of {what} are not in the audit, and {before} were there before it: others were added or \
                 removed"
            ));
        }
        Ok(found)
    }

    async fn compare_tokens(&self, expected: &Expected) -> Result<Vec<String>, Error> {
        let sql = "select hash, person, roles, label, created_at, expires_at, revoked_at from tokens";
        let (mut found, mut unknown, mut seen) = (Vec::new(), 0, BTreeSet::new());
        for row in self.db.all_of_history(sql, Vec::new()).await? {
            let hash = row.text(0)?;
            let shown: String = hash.chars().take(12).collect();
            let number = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
            let there =
                vec![row.text(1)?, row.text(2)?, row.text(3)?, number(Some(row.int(4)?)), number(row.opt_int(5)?)];
            match expected.tokens.get(&hash) {
                None => unknown += 1,
                Some(said) if *said != there => found.push(format!(
                    "the token {shown} was changed: it says another person, other roles, or another time"
                )),
                Some(_) => {}
            }
            if expected.revoked.get(&hash).copied() != row.opt_int(6)? && expected.tokens.contains_key(&hash) {
                found.push(format!("the token {shown} is revoked in one place and holds in another"));
            }
            seen.insert(hash);
        }
        let missing = expected.tokens.keys().filter(|hash| !seen.contains(*hash));
        found.extend(missing.map(|hash| format!("the token {hash:.12} is missing: it was removed")));
        let before = expected.before("tokens");
        if unknown != before {
            found.push(format!(
                "{unknown} tokens are not in the audit, and {before} were there before it: others were added or removed"
            ));
        }
        Ok(found)
    }

    /// The tickets whose entries are not what records of the timelines' chain name: of each record those that it names.
    pub(super) async fn edited_entries(&self, records: &[String]) -> Result<Vec<Vec<Difference>>, Error> {
        let mut found: Vec<Vec<Difference>> = records.iter().map(|_| Vec::new()).collect();
        let parts = |(record, entries): (usize, &String)| {
            let parts = Part::all(entries).unwrap_or_default();
            parts.into_iter().map(move |part| (record, part))
        };
        let named: Vec<(usize, Part)> = records.iter().enumerate().flat_map(parts).collect();
        for named in named.chunks(PARTS) {
            let place = |(_, part): &(usize, Part)| (part.ticket.0, part.first, part.last);
            let rows = self.timeline_rows(&named.iter().map(place).collect::<Vec<_>>()).await?;
            for (record, part) in named {
                let own =
                    |row: &&TimelineRow| row.ticket == part.ticket.0 && (part.first..=part.last).contains(&row.seq);
                let found_now = digest(rows.iter().filter(own));
                if found_now == part.digest || found_now == self.digest_since_erased(part).await? {
                    continue;
                }
                let (first, last) = (part.first, part.last);
                let what = format!(
                    "its timeline's entries {first} to {last} are not what was written: one was changed or removed"
                );
                found.get_mut(*record).into_iter().for_each(|of| of.push((Some(part.ticket), what.clone())));
            }
        }
        Ok(found)
    }

    /// The digest that entries have since persons were erased from them, as the audit says; the one of the record where none was.
    async fn digest_since_erased(&self, part: &Part) -> Result<String, Error> {
        let sql = "select detail from audit where event = $1 and about = $2 order by link";
        let args = vec![audit::ERASED.into(), part.ticket.to_string().into()];
        let mut digest = part.digest.clone();
        for row in self.db.all_of_history(sql, args).await? {
            let detail: Value = serde_json::from_str(&row.text(0)?).unwrap_or_default();
            let changed = detail.get("parts").and_then(Value::as_array).into_iter().flatten();
            for changed in changed {
                let Ok((first, last, before, after)) =
                    serde_json::from_value::<(i64, i64, String, String)>(changed.clone())
                else {
                    continue;
                };
                if (first, last, &before) == (part.first, part.last, &digest) {
                    digest = after;
                }
            }
        }
        Ok(digest)
    }

    /// Whether there are entries that no record of the chain names.
    async fn count_entries(&self) -> Result<Vec<Difference>, Error> {
        let before = self.expected().await?.before("timeline");
        let (mut named, mut after) = (0, 0);
        loop {
            let sql = format!("select link, entries from timelines where link > $1 order by link limit {PAGE}");
            let rows = self.db.all_of_history(&sql, vec![after.into()]).await?;
            let Some(last) = rows.last() else { break };
            after = last.int(0)?;
            for row in &rows {
                for part in Part::all(&row.text(1)?).into_iter().flatten() {
                    named += part.last - part.first + 1;
                }
            }
        }
        // What was written since the last record was read has its record, too.
        let sql = "select (select count(*) from timeline), (select coalesce(max(link), 0) from timelines)";
        let row = self.db.all_of_history(sql, Vec::new()).await?;
        let Some(row) = row.first() else { return Ok(Vec::new()) };
        let (there, end) = (row.int(0)?, row.int(1)?);
        let outside = there - named;
        Ok(if end == after && outside != before {
            let what = format!(
                "{outside} entries of timelines are in no record, and {before} were when the chain began: others were added or \
                 removed"
            );
            vec![(None, what)]
        } else {
            Vec::new()
        })
    }
}
