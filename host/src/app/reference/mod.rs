//! Reference tables: from the configuration directory or put there by API, in versions.
//!
//! One place of truth for each table: a name belongs to the configuration directory or to the store, never to both. All
//! tables change at once, by one pointer; a ticket sees the same ones through all its stages.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::rollout::rules::tables;
use super::stop::Stop;
use super::{App, Error};
use crate::config::{self, Table};
use crate::desk::actor::Actor;
use crate::desk::organisation::form::Problem;
use crate::desk::permission;
use crate::rules::digest::Digest;
use crate::rules::limits::TABLE_KEY_BYTES_MAX;
use crate::store::Store;
use crate::store::tables::{By, LiveTable, TableVersion};
pub use crate::store::tables::{TableEvent, TableVersionEntry};

pub mod diff;

/// What a table can hold, rules can find.
const _: () = assert!(config::CELL_BYTES_MAX <= TABLE_KEY_BYTES_MAX);

/// The largest table that is taken, in bytes of text.
pub const TABLE_BYTES_MAX: usize = 16 << 20;
/// The most tables.
const TABLES_MAX: usize = 1000;
/// How often the store is asked whether another process has changed a table.
const FOLLOW_EVERY: std::time::Duration = std::time::Duration::from_millis(200);

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
    pub text: &'a str,
    /// The digest of the version that it replaces, where that is to be certain.
    pub expected: Option<&'a str>,
    pub why: &'a str,
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
        // Read first: what changes meanwhile is then seen to have changed, and read again.
        let revision = store.tables_revision().await?;
        let mut by_name = Self::of(configured).by_name;
        for live in store.live_tables().await? {
            let name = live.version.name.clone();
            if by_name.insert(name.clone(), from_store(live)?).is_some() {
                return Err(Error::Conflict(format!(
                    "the table `{name}` is in the configuration directory and was put by API too: remove the file, or the \
                     table by `DELETE /api/v1/tables/{name}`"
                )));
            }
        }
        Ok(Self { by_name, revision })
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

fn from_store(live: LiveTable) -> Result<TableStatus, Error> {
    let LiveTable { version, since } = live;
    let table = Arc::new(checked(&version)?);
    let TableVersion { name, digest, .. } = version;
    Ok(TableStatus { name, origin: Origin::Api, digest, table, since: Some(since) })
}

/// A kept version, if it still is what its digest says.
///
/// # Errors
///
/// [`Error::Broken`] where it is not.
pub fn checked(version: &TableVersion) -> Result<Table, Error> {
    let TableVersion { name, digest, content, .. } = version;
    if Digest::of(content.as_bytes()).to_string() != *digest {
        return Err(Error::Broken(format!("the kept version {digest} of the table `{name}` was tampered with")));
    }
    Table::from_csv(name, content)
        .map_err(|problems| Error::Broken(format!("the kept table `{name}` cannot be read: {}", listed(&problems))))
}

fn listed(problems: &[config::Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Checks a table and makes it live in the store. `configured` says whether a name belongs to the configuration directory.
///
/// # Errors
///
/// [`Error::Rejected`] with every row and column that is wrong; [`Error::Conflict`]; [`Error::StaleVersion`].
pub async fn put(
    store: &Store,
    put: &Put<'_>,
    configured: impl Fn(&str) -> bool,
    actor: &str,
    now: Timestamp,
) -> Result<String, Error> {
    check_name(put.name, &configured)?;
    check_why(put.why)?;
    if put.text.len() > TABLE_BYTES_MAX {
        let problem = Problem::new("table", "too-large", format!("The table is larger than {TABLE_BYTES_MAX} bytes."));
        return Err(Error::Rejected { problems: vec![problem] });
    }
    let table = match put.format {
        Format::Csv => Table::from_csv(put.name, put.text),
        Format::Toml => Table::from_toml(put.name, put.text),
    };
    let table = table.map_err(|found| Error::Rejected { problems: found.iter().map(rejected).collect() })?;
    let live = store.live_tables().await?;
    if live.len() >= TABLES_MAX && !live.iter().any(|live| live.version.name == put.name) {
        return Err(Error::Conflict(format!("there are {TABLES_MAX} tables already: remove one first")));
    }
    let content = table.to_csv();
    let digest = Digest::of(content.as_bytes()).to_string();
    let rows = i64::try_from(table.rows.len()).unwrap_or(i64::MAX);
    let version = TableVersion { name: put.name.to_owned(), digest: digest.clone(), content, rows };
    go_live(store, &version, put.expected, By { actor, why: put.why }, now).await?;
    Ok(digest)
}

/// Makes a kept version of a table live again.
///
/// # Errors
///
/// [`Error::Missing`] where there is no such version; [`Error::Conflict`].
pub async fn roll_back(
    store: &Store,
    name: &str,
    digest: &str,
    configured: impl Fn(&str) -> bool,
    by: By<'_>,
    now: Timestamp,
) -> Result<String, Error> {
    check_name(name, &configured)?;
    check_why(by.why)?;
    let version = version(store, name, digest).await?;
    checked(&version)?;
    go_live(store, &version, None, by, now).await?;
    Ok(version.digest)
}

/// A kept version of a table, by its digest or the beginning of it.
///
/// # Errors
///
/// [`Error::Missing`] where no version, or more than one, has such a digest.
pub async fn version(store: &Store, name: &str, digest: &str) -> Result<TableVersion, Error> {
    let missing = || Error::Missing { what: "version of this table", name: digest.to_owned() };
    let versions = store.table_versions(name).await?;
    let mut found = versions.iter().filter(|version| !digest.is_empty() && version.digest.starts_with(digest));
    let (Some(entry), None) = (found.next(), found.next()) else { return Err(missing()) };
    store.table_version(name, &entry.digest).await?.ok_or_else(missing)
}

async fn go_live(
    store: &Store,
    version: &TableVersion,
    expected: Option<&str>,
    by: By<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    match store.put_table(version, expected, by, now).await {
        Err(crate::store::Error::Conflict) => {
            let message = format!("another version of the table `{}` is live than the one named", version.name);
            Err(Error::StaleVersion(message))
        }
        other => Ok(other?),
    }
}

fn check_name(name: &str, configured: impl Fn(&str) -> bool) -> Result<(), Error> {
    if !config::is_table_name(name) {
        let message = "Name a table by 1 to 64 lower-case letters, digits and hyphens.";
        return Err(Error::Rejected { problems: vec![Problem::new("name", "invalid", message)] });
    }
    if configured(name) {
        return Err(Error::Conflict(format!(
            "the table `{name}` belongs to the configuration directory: change the file tables/{name}, or remove it and \
             reload the configuration first"
        )));
    }
    Ok(())
}

fn check_why(why: &str) -> Result<(), Error> {
    if why.trim().is_empty() {
        let problem = Problem::new("why", "required", "Say why, in a sentence for those who come after.");
        return Err(Error::Rejected { problems: vec![problem] });
    }
    Ok(())
}

/// A problem of a table as a problem of a request: the row by its line, the column by its name.
fn rejected(problem: &config::Problem) -> Problem {
    let field = match (problem.line, problem.key.is_empty()) {
        (0, _) => "table".to_owned(),
        (line, true) => format!("line {line}"),
        (line, false) => format!("line {line}, {}", problem.key),
    };
    let message = problem.wrong.to_string();
    Problem::new(&field, "invalid", message)
}

/// Who did it, as the events have it.
fn name_of(actor: &Actor) -> &str {
    actor.person().map_or("the desk", |person| person.as_str())
}

impl App {
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

    /// Makes a table live, for every ticket that comes after.
    ///
    /// # Errors
    ///
    /// As [`put`].
    pub async fn put_table(self: &Arc<Self>, actor: &Actor, table: &Put<'_>) -> Result<TableStatus, Error> {
        permission::administer(actor)?;
        put(&self.store, table, |name| self.is_configured(name), name_of(actor), self.clock.now()).await?;
        self.catch_up_tables().await?;
        self.table(actor, table.name)
    }

    /// Makes a kept version live again.
    ///
    /// # Errors
    ///
    /// As [`roll_back`].
    pub async fn roll_back_table(
        self: &Arc<Self>,
        actor: &Actor,
        name: &str,
        digest: &str,
        why: &str,
    ) -> Result<TableStatus, Error> {
        permission::administer(actor)?;
        let by = By { actor: name_of(actor), why };
        roll_back(&self.store, name, digest, |name| self.is_configured(name), by, self.clock.now()).await?;
        self.catch_up_tables().await?;
        self.table(actor, name)
    }

    /// Takes a table away, unless a rule that is live needs it.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] naming the rule; [`Error::Missing`].
    pub async fn remove_table(self: &Arc<Self>, actor: &Actor, name: &str, why: &str) -> Result<(), Error> {
        permission::administer(actor)?;
        check_name(name, |name| self.is_configured(name))?;
        check_why(why)?;
        let generation = self.rules.generation();
        let needs = generation.rules().iter().find(|rule| rule.manifest.tables.iter().any(|table| table == name));
        if let Some(rule) = needs {
            let rule = &rule.manifest.name;
            return Err(Error::Conflict(format!(
                "the rule `{rule}` looks things up in `{name}`: change the rule first"
            )));
        }
        let by = By { actor: name_of(actor), why };
        if !self.store.remove_table(name, by, self.clock.now()).await? {
            return Err(Error::Missing { what: "table", name: name.to_owned() });
        }
        self.catch_up_tables().await
    }

    /// The kept versions of a table, and what happened to it; both the newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Missing`].
    pub async fn table_history(
        &self,
        actor: &Actor,
        name: &str,
    ) -> Result<(Vec<TableVersionEntry>, Vec<TableEvent>), Error> {
        permission::read_rules(actor)?;
        let versions = self.store.table_versions(name).await?;
        if versions.is_empty() {
            return Err(Error::Missing { what: "table", name: name.to_owned() });
        }
        Ok((versions, self.store.table_events(name).await?))
    }

    /// A kept version of a table, by its digest or the beginning of it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Missing`].
    pub async fn table_version(&self, actor: &Actor, name: &str, digest: &str) -> Result<(String, Table), Error> {
        permission::read_rules(actor)?;
        let version = version(&self.store, name, digest).await?;
        let table = checked(&version)?;
        Ok((version.digest, table))
    }

    fn is_configured(&self, name: &str) -> bool {
        self.reference.load().configured().any(|(configured, _)| configured == name)
    }

    /// Reads the store's tables again if any has changed.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read, or what it holds was tampered with: the tables stay as they are.
    pub async fn catch_up_tables(self: &Arc<Self>) -> Result<(), Error> {
        // Before anything is read: what was read outside could be older than what is there by the time it is taken.
        let _only_one = self.changing_tables.lock().await;
        if self.store.tables_revision().await? == self.reference.load().revision {
            return Ok(());
        }
        let configured = self.reference.load().configured().map(|(n, s)| (n.clone(), Table::clone(&s.table))).collect();
        self.take_tables(&configured).await
    }

    /// Takes the tables of a configuration, and those of the store, all at once; the versions of the former are kept too. For
    /// whoever holds `changing_tables`, and has read the configuration since.
    ///
    /// # Errors
    ///
    /// As [`Reference::read`]: the tables stay as they are.
    pub(super) async fn take_tables(self: &Arc<Self>, configured: &BTreeMap<String, Table>) -> Result<(), Error> {
        let reference = Reference::read(configured, &self.store).await?;
        self.rules.set_tables(tables(&self.organisation(), &reference.written()));
        if self.adopt_tables(reference).await? {
            // A rule may have been refused for want of a table that is there now.
            let app = Arc::clone(self);
            tokio::task::spawn_blocking(move || app.rules.reload());
        }
        Ok(())
    }

    /// Takes tables that the rules see already, and keeps the versions of those that come from the configuration; whether
    /// there are others by name than before.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn adopt_tables(&self, reference: Reference) -> Result<bool, Error> {
        for (name, status) in reference.configured() {
            let content = status.table.to_csv();
            let rows = i64::try_from(status.table.rows.len()).unwrap_or(i64::MAX);
            let version = TableVersion { name: name.clone(), digest: status.digest.clone(), content, rows };
            let known = self.reference.load().by_name.get(name).is_some_and(|before| before.digest == version.digest);
            if !known {
                self.store.keep_table_version(&version, self.clock.now()).await?;
            }
        }
        let reference = Arc::new(reference);
        let before = self.reference.swap(Arc::clone(&reference));
        Ok(!before.names().eq(reference.names()))
    }

    /// Follows what other processes do to the tables, until it is told to stop.
    pub async fn follow_tables(self: Arc<Self>, mut stop: Stop) {
        let mut ticks = tokio::time::interval(FOLLOW_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.told() => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.catch_up_tables().await {
                tracing::error!(%error, "the reference tables cannot be followed: they stay as they are");
            }
        }
    }
}
