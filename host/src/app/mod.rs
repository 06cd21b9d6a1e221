//! The use cases: one function each, where desk, rules and store meet. Whoever calls them translates.
//!
//! - [`App::create_ticket`] takes a submission through the rules and into the store
//! - [`App::ticket`], [`App::tickets`], [`App::timeline`], [`App::decisions`] read
//! - [`App::comment`], [`App::transition`] change
//! - [`App::decide_access`], [`App::awaiting`], [`App::grants`] are about access
//! - [`App::keep`], [`App::rule_versions`], [`App::rule_difference`] are about the archive of rules
//! - [`App::actor`] says who is asking

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use crate::desk::id::TicketNumber;
use crate::desk::organisation::Organisation;
use crate::desk::ticket::Ticket;
use crate::rules::Rules;
use crate::rules::catalog::Generation;
use crate::store::Store;

pub mod access;
pub mod archive;
pub mod clock;
pub mod error;
mod facts;
pub mod intake;
pub mod metrics;
pub mod pipeline;
pub mod record;
pub mod recorded;
pub mod rules;
pub mod tokens;
pub mod work;

pub use clock::Clock;
pub use error::Error;
pub use metrics::Metrics;

/// A desk that runs.
pub struct App {
    pub clock: Clock,
    pub store: Store,
    pub rules: Rules,
    pub metrics: Metrics,
    organisation: ArcSwap<Organisation>,
    /// Where it comes from when it is read again.
    source: rules::Source,
    tokens: tokens::Cache,
    well_known: tokens::WellKnown,
    /// Held by whoever puts rules into the archive, so that only one does.
    archiving: tokio::sync::Mutex<()>,
    /// The last generation whose rules are all in the archive; generations count up.
    archived: AtomicU64,
}

impl App {
    /// Puts a desk together.
    pub fn new(clock: Clock, source: rules::Source, organisation: Organisation, store: Store, rules: Rules) -> Self {
        Self {
            clock,
            store,
            rules,
            metrics: Metrics::default(),
            organisation: ArcSwap::from_pointee(organisation),
            source,
            tokens: tokens::Cache::default(),
            well_known: tokens::WellKnown::default(),
            archiving: tokio::sync::Mutex::new(()),
            archived: AtomicU64::new(0),
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

    /// Puts the rules of a generation into the archive before a record names them. Where that cannot be done, tickets are
    /// taken all the same: their records have the digests, and the next generation tries again; or the next ticket, where
    /// only too much else was waiting to be written.
    async fn archive(&self, generation: &Generation) {
        if self.archived.load(Ordering::Acquire) >= generation.number {
            return;
        }
        let _only_one = self.archiving.lock().await;
        if self.archived.load(Ordering::Acquire) >= generation.number {
            return;
        }
        let mut again = false;
        for rule in generation.rules() {
            let (component, manifest) = (rule.digest.to_string(), rule.manifest_digest.to_string());
            let kept = match self.store.has_rule_version(&component, &manifest).await {
                Ok(true) => Ok(()),
                Ok(false) => self.keep(rule).await,
                Err(error) => Err(error.into()),
            };
            if let Err(error) = kept {
                again |= matches!(error, Error::Busy(_));
                tracing::error!(rule = %rule.manifest.name, digest = %rule.digest, %error, "a rule was not archived");
            }
        }
        if !again {
            self.archived.fetch_max(generation.number, Ordering::Release);
        }
    }
}
