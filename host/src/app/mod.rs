//! The use cases: one function each, where desk, rules and store meet. Whoever calls them translates.
//!
//! - [`App::create_ticket`] takes a submission through the rules and into the store
//! - [`App::ticket`], [`App::tickets`], [`App::timeline`], [`App::decisions`] read
//! - [`App::dry_run`] says what would become of a submission
//! - [`App::explain`] says why a ticket is as it is
//! - [`App::comment`], [`App::transition`], [`App::edit_ticket`], [`App::revoke_grant`] change
//! - [`App::decide_access`], [`App::awaiting`], [`App::grants`] are about access
//! - [`App::deny_overdue`] does what is due, because nobody else has done it
//! - [`App::rule_stats`] sums up what a rule did
//! - [`App::keep`], [`App::rule_versions`], [`App::rule_difference`] are about the archive of rules
//! - [`App::actor`] says who is asking

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use crate::desk::id::TicketNumber;
use crate::desk::organisation::Organisation;
use crate::desk::ticket::Ticket;
use crate::rules::Rules;
use crate::rules::live::catalog::Generation;
use crate::rules::run::rule::Rule;
use crate::store::Store;

pub mod access;
mod background;
pub mod clock;
pub mod decide;
pub mod error;
pub mod explain;
pub mod observe;
pub mod record;
pub mod reference;
pub mod replay;
pub mod rollout;
pub mod tickets;
pub mod tokens;

pub use clock::Clock;
pub use error::Error;
pub use observe::metrics::Metrics;

/// A desk that runs.
pub struct App {
    pub clock: Clock,
    pub store: Store,
    pub rules: Rules,
    pub metrics: Metrics,
    /// How each version does in its part.
    pub arms: rollout::health::Arms,
    organisation: ArcSwap<Organisation>,
    /// Where it comes from when it is read again.
    source: rollout::rules::Source,
    tokens: tokens::Cache,
    well_known: tokens::WellKnown,
    reference: ArcSwap<reference::Reference>,
    /// Held by whoever reads what the tables are to be and takes it, so that nothing older is taken after it.
    changing_tables: tokio::sync::Mutex<()>,
    /// Held by whoever puts rules into the archive, so that only one does.
    archiving: tokio::sync::Mutex<()>,
    /// The last generation whose rules are all in the archive; generations count up.
    archived: AtomicU64,
    /// The places for uploads of rules.
    uploads: Arc<tokio::sync::Semaphore>,
    background: background::Background,
    /// Where changes of one ticket wait for each other.
    changing: tickets::change::Places,
    /// How far the catalog has followed the deployments.
    pub following: rollout::follow::Following,
}

impl App {
    /// Puts a desk together.
    pub fn new(
        clock: Clock,
        source: rollout::rules::Source,
        organisation: Organisation,
        store: Store,
        rules: Rules,
    ) -> Self {
        Self {
            clock,
            store,
            rules,
            metrics: Metrics::default(),
            arms: rollout::health::Arms::default(),
            organisation: ArcSwap::from_pointee(organisation),
            source,
            tokens: tokens::Cache::default(),
            well_known: tokens::WellKnown::default(),
            reference: ArcSwap::default(),
            changing_tables: tokio::sync::Mutex::new(()),
            archiving: tokio::sync::Mutex::new(()),
            archived: AtomicU64::new(0),
            uploads: Arc::new(tokio::sync::Semaphore::new(rollout::deploy::UPLOADS_AT_ONCE)),
            background: background::Background::default(),
            changing: tickets::change::Places::default(),
            following: rollout::follow::Following::default(),
        }
    }

    /// The organisation as it is now; whoever holds it keeps it as it was.
    pub fn organisation(&self) -> Arc<Organisation> {
        self.organisation.load_full()
    }

    /// Replaces the organisation.
    pub fn set_organisation(&self, organisation: Organisation) {
        self.organisation.store(Arc::new(organisation));
    }

    /// The ticket with this number.
    async fn find(&self, number: TicketNumber) -> Result<Ticket, Error> {
        let found = self.store.ticket(number).await?;
        found.ok_or_else(|| Error::Missing { what: "ticket", name: number.to_string() })
    }

    /// Puts the rules of a generation into the archive, and what the directory has offered into the deployments, before a
    /// record names them. Where a rule cannot be archived, tickets are taken all the same: their records have the digests.
    async fn archive(&self, generation: &Generation) -> Result<(), Error> {
        if self.archived.load(Ordering::Acquire) >= generation.number {
            return Ok(());
        }
        let _only_one = self.archiving.lock().await;
        if self.archived.load(Ordering::Acquire) >= generation.number {
            return Ok(());
        }
        self.settle().await
    }

    async fn archive_rule(&self, rule: &Rule) -> Result<(), Error> {
        let (component, manifest) = (rule.digest.to_string(), rule.manifest_digest.to_string());
        if self.store.has_rule_version(&component, &manifest).await? {
            return Ok(());
        }
        match self.keep(rule).await {
            Ok(()) => {}
            // Only too much else was waiting to be written.
            Err(error @ Error::Busy(_)) => return Err(error),
            Err(error) => {
                tracing::error!(rule = %rule.manifest.name, digest = %rule.digest, %error, "a rule was not archived");
                return Ok(());
            }
        }
        if let Some(signature) = &rule.signature {
            self.store.keep_signature(&component, &manifest, signature, self.clock.now()).await?;
        }
        Ok(())
    }
}
