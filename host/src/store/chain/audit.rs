//! The audit: what was done to rules, tables, tokens and sessions, and which submissions were refused; added to, never changed.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Chain, Content, ContentDigest, Encoding, End, entrance};
use crate::store::db::{Arg, Db, Tx};
use crate::store::sql::columns::{at_or_epoch, ms};
use crate::store::{Error, Store};

/// The longest text that the audit keeps of what was refused, in bytes.
const TEXT_BYTES_MAX: usize = 2 << 10;
/// The same for one of many texts.
const SHORT_BYTES_MAX: usize = 256;

/// The subjects of entries, as words.
pub const RULE: &str = "rule";
pub const TABLE: &str = "table";
pub const TOKEN_ADDED: &str = "token-added";
pub const TOKEN_REVOKED: &str = "token-revoked";
pub const ACCOUNT_SET: &str = "account-set";
pub const SESSION_BEGAN: &str = "session-began";
pub const SESSION_ENDED: &str = "session-ended";
pub const IDENTITY_BOUND: &str = "identity-bound";
pub const IDENTITY_UNBOUND: &str = "identity-unbound";
pub const CONFIGURATION: &str = "configuration";
/// Files of the configuration directory were agreed to, where the desk asks for two people.
pub const FILES: &str = "files-agreed";
/// An admin has had the folders of the rules looked at again, and has meant all that was not there to be gone.
pub const RELOADED: &str = "rules-reloaded";
pub const REFUSED: &str = "refused";
/// A person was erased: which entries of a ticket's timeline have another digest since.
pub const ERASED: &str = "erased";
pub const SCHEDULE: &str = "schedule";
pub const WEBHOOK: &str = "webhook";
pub const DIRECTORY: &str = "directory";
pub const CAMPAIGN: &str = "campaign";
/// A provider has signed a person in, and a token stands for that.
pub const SIGN_ON: &str = "sign-on";
/// An app has said when a person signed in to it last.
pub const APP_SIGN_IN: &str = "app-sign-in";
/// The desk stopped ending access because too many people had left at once, and a person let it go on.
pub const BRAKE: &str = "brake";
pub const BRAKE_RESUMED: &str = "brake-resumed";
/// Access that no grant gives was let stay, or is taken away.
pub const FINDING: &str = "finding";
/// A person lets another approve in their place, or that has ended.
pub const DELEGATION: &str = "delegation";
/// The first entry: how much was there before.
pub const BEGAN: &str = "began";
/// Rows that were there before the audit kept the facts of their kind.
pub const TAKEN_IN: &str = "taken-in";

/// The tables whose rows from before the audit are counted in its first entry.
pub const COUNTED: [&str; 7] =
    ["deployment_events", "table_events", "tokens", "timeline", "access_cases", "access_decisions", "grants"];

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub at: Timestamp,
    pub event: &'static str,
    /// The rule, the table, the token or the requester.
    pub about: String,
    /// A JSON object.
    pub detail: Value,
}

/// Adds entries. It holds the end of the chain until the transaction ends, so it comes last in it.
pub async fn append(tx: &mut Tx, entries: &[Entry]) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut end = End::take(tx, Chain::Audit).await?;
    let rows = entries.iter().map(|entry| row(&mut end, entry)).collect();
    tx.insert_later("insert into audit (at, event, about, detail, link, hash)", 6, "", rows).await?;
    end.put_back(tx).await
}

fn row(end: &mut End, entry: &Entry) -> Vec<Arg> {
    let (at, detail) = (ms(entry.at), entry.detail.to_string());
    let (link, hash) = end.add(&content(Encoding::One, at, entry.event, &entry.about, &detail));
    vec![at.into(), entry.event.into(), entry.about.as_str().into(), detail.into(), Some(link).into(), Arg::from(hash)]
}

/// An entry's content, as it is chained.
pub fn content(encoding: Encoding, at: i64, event: &str, about: &str, detail: &str) -> ContentDigest {
    let mut content = Content::of(Chain::Audit, encoding);
    content.int(at).field(event.as_bytes()).field(about.as_bytes()).field(detail.as_bytes());
    content.digest()
}

/// Writes the first entry, if there is none: how much was there before that the audit does not vouch for. A chain that is older
/// than the facts of the entrance takes in the rows that it finds, once.
///
/// # Errors
///
/// Where the database cannot be read or written.
pub async fn begin(db: &Db) -> Result<(), Error> {
    let sql = "select link, taken_in from chain_heads where chain = 'audit'";
    if let Some(head) = db.optional(sql, Vec::new()).await?
        && head.int(0)? > 0
        && head.int(1)? >= entrance::LEVEL
    {
        return Ok(());
    }
    let written = db.durably(|mut tx| async move {
        let mut end = End::take(&mut tx, Chain::Audit).await?;
        let head = tx.optional("select taken_in from chain_heads where chain = 'audit'", Vec::new()).await?;
        let level = head.map_or(Ok(0), |row| row.int(0))?;
        let is_whole = level >= entrance::LEVEL;
        let entries = if is_whole { Vec::new() } else { first_entries(&mut tx, &end, level).await? };
        let rows = entries.iter().map(|entry| row(&mut end, entry)).collect();
        tx.insert_later("insert into audit (at, event, about, detail, link, hash)", 6, "", rows).await?;
        let sql = "update chain_heads set taken_in = $1 where chain = 'audit'";
        tx.later(sql, vec![level.max(entrance::LEVEL).into()]).await?;
        end.put_back(&mut tx).await?;
        Ok(((), tx))
    });
    written.await
}

/// The entries with which the audit begins, or takes in what was there before it had such facts, beyond those of a level.
async fn first_entries(tx: &mut Tx, end: &End, level: i64) -> Result<Vec<Entry>, Error> {
    let at = at_of(tx, end.link).await?;
    let level = if end.is_beginning() { 0 } else { level };
    let mut found = entrance::found_there(tx, level).await?;
    let mut entries = Vec::new();
    if end.is_beginning() {
        entries.push(began(tx, found.is_empty()).await?);
    } else if found.is_empty() {
        found.push(entrance::nothing_there());
    }
    let taken_in = |(table, detail): (&str, Value)| Entry { at, event: TAKEN_IN, about: table.to_owned(), detail };
    entries.extend(found.into_iter().map(taken_in));
    Ok(entries)
}

/// The first entry; `whole` says that all rows of the entrance come after it.
async fn began(tx: &mut Tx, whole: bool) -> Result<Entry, Error> {
    let mut detail = serde_json::Map::new();
    for table in COUNTED {
        let count = tx.optional(&format!("select count(*) from {table}"), Vec::new()).await?;
        detail.insert(table.to_owned(), json!(count.map_or(Ok(0), |row| row.int(0))?));
    }
    detail.insert(entrance::WHOLE.to_owned(), json!(whole));
    detail.insert("level".to_owned(), json!(entrance::LEVEL));
    Ok(Entry { at: Timestamp::UNIX_EPOCH, event: BEGAN, about: String::new(), detail: Value::Object(detail) })
}

/// The time of an entry: what is added after it is no older, so that a search by time does not end there.
async fn at_of(tx: &mut Tx, link: i64) -> Result<Timestamp, Error> {
    let row = tx.optional("select at from audit where link = $1", vec![link.into()]).await?;
    row.map_or(Ok(0), |row| row.int(0)).map(at_or_epoch)
}

/// A text of a submission, cut where it is long.
pub fn cut(text: &str) -> String {
    cut_to(text, TEXT_BYTES_MAX)
}

/// The same for one of many texts.
pub fn cut_short(text: &str) -> String {
    cut_to(text, SHORT_BYTES_MAX)
}

fn cut_to(text: &str, bytes_max: usize) -> String {
    let end = text.floor_char_boundary(bytes_max);
    let mark = if end < text.len() { " [cut]" } else { "" };
    format!("{}{mark}", text.get(..end).unwrap_or_default())
}

impl Store {
    /// Adds an entry in a transaction of its own.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn audit(&self, entry: Entry) -> Result<(), Error> {
        let db = self.db.clone();
        crate::store::db::apart(async move {
            let entries = &[entry];
            let written = db.durably(|mut tx| async move {
                append(&mut tx, entries).await?;
                Ok(((), tx))
            });
            written.await
        })
        .await
    }
}
