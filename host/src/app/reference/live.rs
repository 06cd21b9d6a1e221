//! The tables of a running desk: in effect on its rules, and following the changes of other processes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Changed, Conflict, Put, Reference, TableStatus};
use crate::app::jobs::looks::Looks;
use crate::app::jobs::stop::Stop;
use crate::app::office::signatory;
use crate::app::rollout::rules::tables;
use crate::app::{App, Error};
use crate::config::Table;
use crate::desk::actor::Actor;
use crate::desk::change::condition::Condition;
use crate::desk::permission;
use crate::desk::text::normal;
use crate::store;
use crate::store::tables::{By, TableVersion};

/// How often the store is asked whether another process has changed a table.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);

impl App {
    /// Makes a table live, as [`Office::put_table`](crate::app::Office::put_table), and for every ticket that comes after.
    ///
    /// # Errors
    ///
    /// Those of the office's.
    pub async fn put_table(self: &Arc<Self>, actor: &Actor, table: &Put<'_>) -> Result<Changed, Error> {
        let changed = self.office.put_table(actor, table).await?;
        self.catch_up_tables().await?;
        Ok(changed)
    }

    /// The live rules that look things up in a table, by name.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub fn rules_of_table(&self, actor: &Actor, name: &str) -> Result<Vec<String>, Error> {
        permission::read_rules(actor)?;
        let generation = self.rules.generation();
        let naming = generation.rules().iter().filter(|rule| rule.manifest.tables.iter().any(|table| table == name));
        Ok(naming.map(|rule| rule.manifest.name.to_string()).collect())
    }

    /// Agrees that a proposed version goes live, as [`Office::approve_table`](crate::app::Office::approve_table), for every
    /// ticket that comes after.
    ///
    /// # Errors
    ///
    /// Those of the office's.
    pub async fn approve_table(
        self: &Arc<Self>,
        actor: &Actor,
        name: &str,
        digest: &str,
        why: &str,
    ) -> Result<TableStatus, Error> {
        self.office.approve_table(actor, name, digest, why).await?;
        self.catch_up_tables().await?;
        self.table(actor, name)
    }

    /// Makes a kept version live again, as [`Office::roll_back_table`](crate::app::Office::roll_back_table), and for every
    /// ticket that comes after.
    ///
    /// # Errors
    ///
    /// Those of the office's.
    pub async fn roll_back_table(
        self: &Arc<Self>,
        actor: &Actor,
        name: &str,
        digest: &str,
        why: &str,
    ) -> Result<Changed, Error> {
        let changed = self.office.roll_back_table(actor, name, digest, why).await?;
        self.catch_up_tables().await?;
        Ok(changed)
    }

    /// Takes a table away, unless a rule that is live needs it.
    ///
    /// # Errors
    ///
    /// [`Error::Table`] naming the rule; [`Error::Missing`].
    pub async fn remove_table(
        self: &Arc<Self>,
        actor: &Actor,
        name: &str,
        condition: &Condition,
        why: &str,
    ) -> Result<(), Error> {
        permission::administer(actor)?;
        self.check_change(name, why)?;
        let generation = self.rules.generation();
        let needs = generation.rules().iter().find(|rule| rule.manifest.tables.iter().any(|table| table == name));
        if let Some(rule) = needs {
            let rule = &rule.manifest.name;
            return Err(Conflict::Needed { name: name.to_owned(), rule: rule.to_string() }.into());
        }
        if self.table_decides_access(name).await? {
            return Err(Conflict::NeededForAccess { name: name.to_owned() }.into());
        }
        let (by, why) = (signatory(actor).to_string(), &*normal(why));
        let removed = self.store.remove_table(name, condition, By { actor: &by, why }, self.clock.now()).await;
        match removed {
            Err(store::Error::Conflict) => return Err(Error::StaleTable { name: name.to_owned() }),
            Err(error) => return Err(error.into()),
            Ok(false) => return Err(Error::Missing { what: "table", name: name.to_owned() }),
            Ok(true) => {}
        }
        self.catch_up_tables().await
    }

    /// Reads the store's tables again if any has changed.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read, or a table in it was tampered with: the tables stay as they are.
    async fn catch_up_tables(self: &Arc<Self>) -> Result<(), Error> {
        // Before anything is read: tables that were read outside could be older than those here by the time they are taken.
        let _only_one = self.changing_tables.lock().await;
        if self.store.tables_revision().await? == self.reference.load().revision {
            return Ok(());
        }
        let before = self.reference.load_full();
        let reference = before.of_configuration().with_those_of(&self.store, &before).await?;
        self.take(reference).await
    }

    /// Takes the tables of a configuration, and those of the store, all at once; the versions of the former are kept too. The
    /// caller holds `changing_tables`, and has read the configuration since.
    ///
    /// # Errors
    ///
    /// As [`Reference::read`]: the tables stay as they are.
    pub(in crate::app) async fn take_tables(
        self: &Arc<Self>,
        configured: &BTreeMap<String, Table>,
    ) -> Result<(), Error> {
        self.take(Reference::read(configured, &self.store).await?).await
    }

    /// Shows rules the organisation as it is now, with the tables as they are.
    pub(in crate::app) async fn show_organisation(self: &Arc<Self>) -> Result<(), Error> {
        let _only_one = self.changing_tables.lock().await;
        let (organisation, written) = (self.organisation(), self.reference.load().written());
        let seen = self.apart(move || tables(&organisation, &written)).await?;
        self.rules.set_tables(seen);
        Ok(())
    }

    /// The same with tables of a configuration, at a start: no rule is read again by it.
    pub(super) async fn begin_with_tables(&self, configured: &BTreeMap<String, Table>) -> Result<(), Error> {
        let _only_one = self.changing_tables.lock().await;
        let reference = Reference::read(configured, &self.store).await?;
        let (organisation, written) = (self.organisation(), reference.written());
        let seen = self.apart(move || tables(&organisation, &written)).await?;
        self.rules.set_tables(seen);
        self.adopt_tables(reference).await.map(drop)
    }

    async fn take(self: &Arc<Self>, reference: Reference) -> Result<(), Error> {
        let (organisation, written) = (self.organisation(), reference.written());
        let seen = self.apart(move || tables(&organisation, &written)).await?;
        self.rules.set_tables(seen);
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

    /// Whether the configuration and the tables here are those of the store; one statement says so.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn has_all_published(&self) -> Result<bool, Error> {
        let (configuration, tables) = self.store.followed_revisions().await?;
        let here = self.configuration.load(std::sync::atomic::Ordering::Acquire);
        Ok(here == configuration && self.reference.load().revision == tables)
    }

    /// Follows the changes that other processes make to the tables, until it is asked to stop.
    pub async fn follow_tables(self: Arc<Self>, stop: Stop) {
        let mut looks = Looks::every(FOLLOW_EVERY, stop);
        while looks.next().await {
            match self.has_all_published().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, "configuration and tables cannot be followed: they stay as they are");
                    continue;
                }
            }
            if let Err(error) = self.catch_up_configuration().await {
                tracing::error!(%error, "the configuration cannot be followed: it stays as it is");
            }
            if let Err(error) = self.catch_up_tables().await {
                tracing::error!(%error, "the reference tables cannot be followed: they stay as they are");
            }
        }
    }
}
