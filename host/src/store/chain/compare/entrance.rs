//! Accounts, identities, sessions, published documents, the directory, sign-ins and what else decides who comes in, compared with
//! the facts that the audit has.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Difference, Entry, each_entry};
use crate::store::chain::audit;
use crate::store::chain::entrance::{
    ACCOUNTS, BRAKES, CAMPAIGNS, ENTRIES, IDENTITIES, LEVEL, PROPOSALS, SESSIONS, SIGN_INS, SIGN_ONS, TABLES, Table,
    VERSIONS, WHOLE, mark,
};
use crate::store::{Error, Store};

/// The places of facts of a session: whose it is, when it began, is over, and was ended.
const PERSON: usize = 1;
const EXPIRES: usize = 3;
const ENDED: usize = 4;
/// The place of the time at which a sign-on began.
const BEGUN: usize = 3;
/// The places of the kind of an entry of the directory, and of whom or what it stands for.
const KIND: usize = 0;
const STANDS_FOR: usize = 2;
/// The facts of a stop before a person lets the desk go on.
const STOP_FACTS: usize = 2;
/// Characters of a session's hash that are its id.
const ID_CHARS: usize = 16;

/// The audit's word about all rows of the entrance.
#[derive(Default)]
struct Expected {
    /// The level up to which the audit has the facts of all rows; 0 where it has none.
    level: i64,
    /// Entries that take in what was there and are yet to come; none before the first.
    left: Option<u64>,
    /// Entries that take in rows a second time, which the desk never writes.
    again: usize,
    /// The facts by table and key.
    rows: BTreeMap<&'static str, BTreeMap<String, Vec<String>>>,
    /// Keys of rows about which an earlier program has said less than their facts.
    unsaid: BTreeSet<String>,
    /// The time of the last session that began.
    latest: i64,
    /// Sign-ons that began before this time may have been forgotten.
    kept_from: i64,
}

impl Store {
    pub(super) async fn compare_entrance(&self) -> Result<Vec<Difference>, Error> {
        // The audit and the tables of one instant.
        let mut tx = self.db.begin_reading().await?;
        let mut expected = Expected::default();
        each_entry(&mut tx, &[], |entry| expected.take(&entry)).await?;
        let mut found = Vec::new();
        for table in TABLES.iter().filter(|table| table.since <= expected.level) {
            let there = table.rows(&mut tx).await?;
            found.extend(expected.differences(table, &there));
        }
        tx.end().await?;
        if expected.level < LEVEL {
            found.push(
                "the audit does not say which accounts, sessions, documents and entries of the directory were there: that \
                 entry is missing"
                    .to_owned(),
            );
        }
        if expected.again > 0 {
            found.push(format!(
                "{} entries take rows into the audit a second time: accounts, sessions or documents were edited before that",
                expected.again
            ));
        }
        Ok(found.into_iter().map(|what| (None, what)).collect())
    }
}

impl Expected {
    fn take(&mut self, entry: &Entry) {
        match entry.event.as_str() {
            audit::BEGAN => {
                let is_whole = entry.detail.get(WHOLE).and_then(Value::as_bool).unwrap_or_default();
                self.level = if is_whole { entry.int("level").unwrap_or(1) } else { 0 };
            }
            audit::TAKEN_IN => self.take_in(entry),
            audit::ACCOUNT_SET => self.account(entry),
            audit::IDENTITY_BOUND => {
                let key = format!("{} {}", entry.text("issuer"), entry.text("subject"));
                self.put(&IDENTITIES, key, vec![entry.text("person"), entry.at.to_string()]);
            }
            audit::IDENTITY_UNBOUND => self.unbound(entry),
            audit::SESSION_BEGAN => self.began(entry),
            audit::SESSION_ENDED => self.ended(entry),
            audit::CONFIGURATION => self.published(entry),
            audit::TABLE => self.table(entry),
            audit::CAMPAIGN => {
                let mut facts = ["name", "app", "asks", "by"].map(|key| entry.text(key)).to_vec();
                facts.extend([entry.at.to_string(), entry.int("due_at").unwrap_or_default().to_string()]);
                self.put(&CAMPAIGNS, entry.about.clone(), facts);
            }
            audit::DIRECTORY => self.entry_of_directory(entry),
            audit::SIGN_ON => self.sign_on(entry),
            audit::APP_SIGN_IN => {
                let last = entry.int("last_at").map(|last: i64| last.to_string()).unwrap_or_default();
                self.put(&SIGN_INS, format!("{} {}", entry.about, entry.text("app")), vec![last]);
            }
            audit::BRAKE => {
                let people = entry.int("people").unwrap_or_default().to_string();
                let facts = vec![entry.at.to_string(), people, String::new(), String::new(), String::new()];
                self.put(&BRAKES, entry.about.clone(), facts);
            }
            audit::BRAKE_RESUMED => {
                if let Some(facts) = self.of(&BRAKES).get_mut(&entry.about) {
                    facts.truncate(STOP_FACTS);
                    facts.extend([entry.at.to_string(), entry.text("by"), entry.text("reason")]);
                }
            }
            audit::ERASED => self.erased(entry),
            _ => {}
        }
    }

    fn put(&mut self, table: &Table, key: String, facts: Vec<String>) {
        self.rows.entry(table.name).or_default().insert(key, facts);
    }

    fn of(&mut self, table: &Table) -> &mut BTreeMap<String, Vec<String>> {
        self.rows.entry(table.name).or_default()
    }

    fn erased(&mut self, entry: &Entry) {
        let marks: BTreeSet<&str> = texts(entry, "entrance").collect();
        for (table, rows) in &mut self.rows {
            rows.retain(|key, _| marks.is_empty() || !marks.contains(mark(table, key).as_str()));
        }
        // Groups that the person was a member of have another list of members since.
        let groups = entry.detail.get("groups").cloned().unwrap_or_default();
        let groups: Vec<(String, Vec<String>)> = serde_json::from_value(groups).unwrap_or_default();
        self.of(&ENTRIES).extend(groups);
    }

    fn entry_of_directory(&mut self, entry: &Entry) {
        let row = entry.detail.get("row").cloned().unwrap_or_default();
        let row: Option<(String, Vec<String>)> = serde_json::from_value(row).unwrap_or_default();
        let (kind, stands_for) = (entry.text("kind"), entry.about.clone());
        // One who comes back is another entry for the same person.
        let is_same = |facts: &[String]| facts.get(KIND) == Some(&kind) && facts.get(STANDS_FOR) == Some(&stands_for);
        self.of(&ENTRIES).retain(|_, facts| !is_same(facts));
        if let Some((key, facts)) = row {
            self.unsaid.remove(&key);
            self.put(&ENTRIES, key, facts);
        } else {
            self.unsaid.insert(entry.text("entry"));
        }
    }

    fn sign_on(&mut self, entry: &Entry) {
        self.kept_from = self.kept_from.max(entry.int("forget_before").unwrap_or_default());
        let mut facts = ["issuer", "subject", "session"].map(|key| entry.text(key)).to_vec();
        facts.push(entry.at.to_string());
        self.put(&SIGN_ONS, entry.text("hash"), facts);
    }

    /// Takes in rows that were there before the audit had their facts. The desk does that once for each level, with one entry
    /// after the other.
    fn take_in(&mut self, entry: &Entry) {
        let left = entry.detail.get("left").and_then(Value::as_u64).unwrap_or_default();
        let (before, level) = (self.level, entry.int("level").unwrap_or(1));
        let follows = self.left.is_none_or(|before| before.checked_sub(1) == Some(left));
        let table = TABLES.iter().find(|table| table.name == entry.about);
        let (true, true, Some(table)) = (before < level, follows, table) else {
            self.again += 1;
            return;
        };
        let rows = entry.detail.get("rows").cloned().unwrap_or_default();
        let rows: Vec<(String, Vec<String>)> = serde_json::from_value(rows).unwrap_or_default();
        if self.left.is_none() {
            // All from before is in these rows as it had become.
            self.rows.retain(|name, _| TABLES.iter().any(|table| table.name == *name && table.since <= before));
            if before == 0 {
                self.unsaid.clear();
            }
        }
        for (key, _) in &rows {
            self.unsaid.remove(key);
        }
        self.of(table).extend(rows);
        (self.left, self.level) = if left == 0 { (None, level) } else { (Some(left), before) };
    }

    fn account(&mut self, entry: &Entry) {
        let person = entry.about.clone();
        let Some(password) = entry.opt_text("password") else {
            self.unsaid.insert(person);
            return;
        };
        self.unsaid.remove(&person);
        self.put(&ACCOUNTS, person, vec![entry.text("roles"), entry.at.to_string(), entry.text("by"), password]);
    }

    fn unbound(&mut self, entry: &Entry) {
        let person = entry.text("person");
        let named: BTreeSet<&str> = texts(entry, "identities").collect();
        let is_gone = |key: &str, facts: &[String]| match named.is_empty() {
            true => facts.first() == Some(&person),
            false => named.contains(key),
        };
        self.of(&IDENTITIES).retain(|key, facts| !is_gone(key, facts));
    }

    fn began(&mut self, entry: &Entry) {
        self.latest = self.latest.max(entry.at);
        let Some(hash) = entry.opt_text("hash") else {
            self.unsaid.insert(entry.about.clone());
            return;
        };
        let expires = entry.int("expires_at").unwrap_or_default().to_string();
        let facts = vec![entry.text("of_token"), entry.text("person"), entry.at.to_string(), expires, String::new()];
        self.put(&SESSIONS, hash, facts);
    }

    fn ended(&mut self, entry: &Entry) {
        let person = entry.text("person");
        let named: BTreeSet<String> = texts(entry, "sessions").map(str::to_owned).collect();
        let mut unsaid = Vec::new();
        for (hash, facts) in self.of(&SESSIONS) {
            if named.contains(hash) {
                if let Some(ended) = facts.get_mut(ENDED) {
                    *ended = entry.at.to_string();
                }
            } else if named.is_empty() && facts.get(PERSON) == Some(&person) {
                unsaid.push(hash.clone());
            }
        }
        self.unsaid.extend(unsaid);
    }

    fn published(&mut self, entry: &Entry) {
        let number = |key| entry.int(key).map(|n: i64| n.to_string()).unwrap_or_default();
        let digest = entry.text("digest");
        let mut facts = vec![entry.about.clone(), digest.clone(), entry.text("by"), entry.text("why")];
        facts.extend([entry.at.to_string(), number("again"), digest]);
        self.put(&VERSIONS, number("revision"), facts);
    }

    fn table(&mut self, entry: &Entry) {
        let name = entry.about.clone();
        if entry.text("event") == "proposed" {
            let facts = vec![entry.text("digest"), entry.text("actor"), entry.text("why"), entry.at.to_string()];
            self.put(&PROPOSALS, name, facts);
        } else if entry.opt_text("digest").is_some() {
            // What goes live takes the proposal with it; a table that is removed leaves it.
            self.of(&PROPOSALS).remove(&name);
        }
    }

    /// Differences between the rows of a table and what the audit says, each by its key.
    fn differences(&self, table: &Table, there: &[(String, Vec<String>)]) -> Vec<String> {
        let (none, noun) = (BTreeMap::new(), table.noun);
        let said = self.rows.get(table.name).unwrap_or(&none);
        let mut found = Vec::new();
        let is_unsaid = |key: &str| self.unsaid.contains(key) || self.unsaid.contains(&shown(table, key));
        for (key, facts) in there.iter().filter(|(key, _)| !is_unsaid(key)) {
            let name = shown(table, key);
            match said.get(key).map(|said| table.differ(facts, said)) {
                None => found.push(format!("{noun} `{name}` is not in the audit: it was added")),
                Some(columns) if !columns.is_empty() => {
                    let columns = columns.join(", ");
                    found.push(format!("{noun} `{name}` is not what the audit says of its {columns}: it was changed"));
                }
                Some(_) => {}
            }
        }
        let keys: BTreeSet<&String> = there.iter().map(|(key, _)| key).collect();
        let missing = said.iter().filter(|(key, facts)| !keys.contains(key) && !self.is_forgotten(table, facts));
        found.extend(missing.map(|(key, _)| format!("{noun} `{}` is missing: it was removed", shown(table, key))));
        found
    }

    /// Whether a row that is not there may be one that the desk has forgotten: a session that was over when another began, or a
    /// sign-on from long before another.
    fn is_forgotten(&self, table: &Table, facts: &[String]) -> bool {
        let time = |place: usize| facts.get(place).and_then(|text| text.parse().ok()).unwrap_or(i64::MAX);
        (table.name == SESSIONS.name && time(EXPIRES) < self.latest)
            || (table.name == SIGN_ONS.name && time(BEGUN) < self.kept_from)
    }
}

/// The texts of a list of an entry.
fn texts<'a>(entry: &'a Entry, key: &str) -> impl Iterator<Item = &'a str> {
    entry.detail.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// A key as it is shown: of a session, and of a token that a sign-on is of, its id, which gives nothing away.
fn shown(table: &Table, key: &str) -> String {
    let is_hash = table.name == SESSIONS.name || table.name == SIGN_ONS.name;
    if is_hash { key.chars().take(ID_CHARS).collect() } else { key.to_owned() }
}
