//! Reference tables: from the configuration directory or put there by API, in versions.
//!
//! One place of truth for each table: a name belongs to the configuration directory or to the store, never to both. All
//! tables change at once, by one pointer; a ticket sees the same ones through all its stages.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::error::Broken;
use super::{Error, Office};
use crate::config::{self, Table};
use crate::desk::actor::Actor;
use crate::desk::change::condition::Condition;
use crate::desk::permission;
use crate::rules::digest::Digest;
use crate::rules::limits::TABLE_KEY_BYTES_MAX;
use crate::store::Store;
use crate::store::tables::TableVersion;
pub use crate::store::tables::{TableEvent, TableProposal, TableVersionEntry};

pub mod agreed;
mod change;
pub mod configuration;
pub mod diff;
pub mod drafts;
mod foreign;
pub mod lines;
mod live;
mod touched;
pub mod waiting;
pub mod words;

/// A key that a table can hold is one that rules can look up.
const _: () = assert!(config::CELL_BYTES_MAX <= TABLE_KEY_BYTES_MAX);

/// The most tables.
const TABLES_MAX: usize = 1000;
/// The largest table that is taken, in bytes of text.
pub const TABLE_BYTES_MAX: usize = 16 << 20;

/// Where a table comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A file of the configuration directory.
    Configuration,
    /// The API or the command line.
    Api,
}

/// A table as it is live.
#[derive(Debug, Clone)]
pub struct TableStatus {
    pub name: String,
    pub origin: Origin,
    pub digest: String,
    pub table: Arc<Table>,
    /// When this version went live, where that is known.
    pub since: Option<Timestamp>,
}

/// All tables that admins maintain.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    by_name: BTreeMap<String, TableStatus>,
    /// Of the store, when its tables were read.
    revision: i64,
}

/// Why a table cannot be changed as things are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    #[error(
        "the table `{name}` is in the configuration directory and was put by API too: remove the file, or the table by \
         `DELETE /api/v1/tables/{name}`"
    )]
    TwoOrigins { name: String },
    #[error(
        "the table `{name}` belongs to the configuration directory: change the file tables/{name}, or remove it and reload \
         the configuration first"
    )]
    Configured { name: String },
    #[error(
        "the document `{document}` belongs to the configuration directory: change its file {file} or its tables in \
         desk.toml, or name it there under `[configuration] by-api`"
    )]
    NotByApi { document: &'static str, file: &'static str },
    #[error(
        "it makes access easier to get or sends more to another system ({what}), which no one person does alone on this desk: \
         keep it as the draft of `{document}`, or leave the draft that is there as it is, and let another administrator publish \
         the same"
    )]
    NeedsSecond { document: &'static str, what: String },
    #[error(
        "it makes access easier to get or sends more to another system ({what}), and its draft is yours: another administrator \
         has to publish the same"
    )]
    OwnDraft { what: String },
    #[error(
        "the files make access easier to get ({what}), which no one person does alone on this desk: they wait, and are in force \
         when another administrator reads them again as they are (`POST /api/v1/config/reload`), or agrees to them at \
         `/admin/configuration/waiting`"
    )]
    FilesNeedSecond { what: String },
    #[error("the files of the configuration directory are others than those that you have read: look at them again")]
    OtherFiles,
    #[error("there are {TABLES_MAX} tables already: remove one first")]
    TooMany,
    #[error("a rule that decides about access looks things up in `{name}`: change the rule first")]
    NeededForAccess { name: String },
    #[error("the rule `{rule}` looks things up in `{name}`: change the rule first")]
    Needed { name: String, rule: String },
}

/// A part of a table's history.
#[derive(Debug, Clone)]
pub struct History {
    pub versions: Vec<TableVersionEntry>,
    pub events: Vec<TableEvent>,
    /// After how many the next part begins, if there may be one.
    pub next: Option<i64>,
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Toml,
}

/// A table to put.
pub struct Put<'a> {
    pub name: &'a str,
    pub format: Format,
    pub text: Arc<str>,
    /// The version that it replaces, where that is to be certain.
    pub condition: Condition,
    pub why: &'a str,
}

/// The outcome of a change of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Of the version that was put.
    pub digest: String,
    /// Whether it is live. Otherwise it waits for a second person.
    pub live: bool,
}

impl Reference {
    /// The tables of a configuration alone.
    pub fn of(configured: &BTreeMap<String, Table>) -> Self {
        let one = |(name, table): (&String, &Table)| (name.clone(), from_configuration(name, table));
        Self { by_name: configured.iter().map(one).collect(), revision: 0 }
    }

    /// The tables of a configuration and of a store.
    ///
    /// # Errors
    ///
    /// A name that belongs to both, with what to do; or a version in the store that is not what its digest says.
    pub async fn read(configured: &BTreeMap<String, Table>, store: &Store) -> Result<Self, Error> {
        let configured = configured.clone();
        let of_files = tokio::task::spawn_blocking(move || Self::of(&configured)).await?;
        of_files.with_those_of(store, &Self::default()).await
    }

    /// These tables of a configuration with those of a store, of which those that `before` has are not read again.
    async fn with_those_of(mut self, store: &Store, before: &Self) -> Result<Self, Error> {
        // The revision first: a change that comes meanwhile is then noticed, and read again.
        self.revision = store.tables_revision().await?;
        for (name, digest, since) in store.live_digests().await? {
            let known = before.by_name.get(&name).filter(|known| known.origin == Origin::Api && known.digest == digest);
            let status = match known {
                Some(known) => TableStatus { since: Some(since), ..known.clone() },
                None => match store.table_version(&name, &digest).await? {
                    Some(version) => tokio::task::spawn_blocking(move || from_store(version, since)).await??,
                    // It was replaced meanwhile: the revision says so.
                    None => continue,
                },
            };
            if self.by_name.insert(name.clone(), status).is_some() {
                return Err(Conflict::TwoOrigins { name }.into());
            }
        }
        Ok(self)
    }

    /// The tables of the configuration alone, as they are.
    fn of_configuration(&self) -> Self {
        let configured = self.configured().map(|(name, status)| (name.clone(), status.clone()));
        Self { by_name: configured.collect(), revision: 0 }
    }

    /// The tables as they are written, by name.
    pub fn written(&self) -> BTreeMap<String, (Arc<Table>, Arc<str>)> {
        let one = |(name, status): (&String, &TableStatus)| {
            (name.clone(), (Arc::clone(&status.table), Arc::from(status.digest.as_str())))
        };
        self.by_name.iter().map(one).collect()
    }

    fn configured(&self) -> impl Iterator<Item = (&String, &TableStatus)> {
        self.by_name.iter().filter(|(_, status)| status.origin == Origin::Configuration)
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.by_name.keys()
    }
}

fn from_configuration(name: &str, table: &Table) -> TableStatus {
    let digest = Digest::of(table.to_csv().as_bytes()).to_string();
    let (name, table) = (name.to_owned(), Arc::new(table.clone()));
    TableStatus { name, origin: Origin::Configuration, digest, table, since: None }
}

fn from_store(version: TableVersion, since: Timestamp) -> Result<TableStatus, Error> {
    let table = Arc::new(checked(&version)?);
    let TableVersion { name, digest, .. } = version;
    Ok(TableStatus { name, origin: Origin::Api, digest, table, since: Some(since) })
}

/// A kept version, if it still is what its digest says.
///
/// # Errors
///
/// [`Error::Broken`] where it is not.
fn checked(version: &TableVersion) -> Result<Table, Error> {
    let TableVersion { name, digest, content, .. } = version;
    if Digest::of(content.as_bytes()).to_string() != *digest {
        return Err(Broken::Table { name: name.clone(), digest: digest.clone() }.into());
    }
    Table::from_csv(name, content).map_err(|problems| Broken::TableText { name: name.clone(), problems }.into())
}

impl Reference {
    /// Whether a table has a row with this key.
    pub fn has(&self, table: &str, key: &str) -> bool {
        self.by_name.get(table).is_some_and(|status| status.table.rows.contains_key(key))
    }
}

impl Office {
    /// The same office with the reference tables of the configuration: enough to change those of the store, also where one of
    /// them was tampered with and has to be put or rolled back.
    #[must_use]
    pub fn with_tables(self, configured: &BTreeMap<String, Table>) -> Self {
        self.reference.store(Arc::new(Reference::of(configured)));
        self
    }

    /// The same office with the reference tables of the store besides.
    ///
    /// # Errors
    ///
    /// As [`Reference::read`].
    pub async fn with_tables_of_store(self, configured: &BTreeMap<String, Table>) -> Result<Self, Error> {
        let reference = Reference::read(configured, &self.store).await?;
        self.reference.store(Arc::new(reference));
        Ok(self)
    }

    /// The tables that are live, by name.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub fn tables(&self, actor: &Actor) -> Result<Vec<TableStatus>, Error> {
        permission::read_rules(actor)?;
        Ok(self.reference.load().by_name.values().cloned().collect())
    }

    /// One table that is live.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Missing`].
    pub fn table(&self, actor: &Actor, name: &str) -> Result<TableStatus, Error> {
        permission::read_rules(actor)?;
        let found = self.reference.load().by_name.get(name).cloned();
        found.ok_or_else(|| Error::Missing { what: "table", name: name.to_owned() })
    }

    /// The version of a table that waits for a second person, if one does.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn table_proposal(&self, actor: &Actor, name: &str) -> Result<Option<TableProposal>, Error> {
        permission::read_rules(actor)?;
        Ok(self.store.table_proposal(name).await?)
    }

    /// Some of the kept versions of a table, and of what happened to it: both the newest first, after as many as `after` says.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Missing`].
    pub async fn table_history(&self, actor: &Actor, name: &str, after: i64, limit: usize) -> Result<History, Error> {
        permission::read_rules(actor)?;
        let versions = self.store.table_versions(name, after, limit).await?;
        let events = self.store.table_events(name, after, limit).await?;
        if versions.items.is_empty() && self.store.table_versions(name, 0, 1).await?.items.is_empty() {
            return Err(Error::Missing { what: "table", name: name.to_owned() });
        }
        let more = versions.next.is_some() || events.next.is_some();
        let next = after.saturating_add(i64::try_from(limit).unwrap_or(i64::MAX));
        Ok(History { versions: versions.items, events: events.items, next: more.then_some(next) })
    }

    /// A kept version of a table as CSV, by its digest or the beginning of it, with its digest.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Missing`].
    pub async fn table_version(&self, actor: &Actor, name: &str, digest: &str) -> Result<(String, String), Error> {
        permission::read_rules(actor)?;
        let version = self.kept_version(name, digest).await?;
        self.apart(move || checked(&version).map(|table| (version.digest.clone(), table.to_csv()))).await?
    }

    /// A live table as CSV.
    ///
    /// # Errors
    ///
    /// Where the program ends meanwhile.
    pub async fn table_as_csv(&self, table: Arc<Table>) -> Result<String, Error> {
        self.apart(move || table.to_csv()).await
    }

    /// The differences between two kept versions of a table, by their digests or the beginnings of those.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Missing`].
    pub async fn table_difference(
        &self,
        actor: &Actor,
        name: &str,
        from: &str,
        to: &str,
    ) -> Result<diff::TableDiff, Error> {
        permission::read_rules(actor)?;
        let (from, to) = (self.kept_version(name, from).await?, self.kept_version(name, to).await?);
        self.apart(move || Ok(diff::diff(&checked(&from)?, &checked(&to)?))).await?
    }

    /// The one version that a digest, or the beginning of one, means.
    async fn kept_version(&self, name: &str, digest: &str) -> Result<TableVersion, Error> {
        let missing = || Error::Missing { what: "version of this table", name: digest.to_owned() };
        let is_digest = !digest.is_empty() && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let meant = if is_digest { self.store.table_digests(name, digest).await? } else { Vec::new() };
        let [digest] = meant.as_slice() else { return Err(missing()) };
        self.store.table_version(name, digest).await?.ok_or_else(missing)
    }
}
