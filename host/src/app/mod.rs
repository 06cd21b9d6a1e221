//! The use cases: one function each, where desk, rules and store meet. Their callers translate.
//!
//! [`Office`] has those that need no rules, [`App`] those that do; every use case that a person or an operator asks for takes
//! the [`Actor`](crate::desk::actor::Actor) who asks, from HTTP and from the command line alike.
//!
//! - [`App::create_ticket`] takes a submission through the rules and into the store; [`App::dry_run`] says what would become
//!   of one
//! - [`Office::ticket`], [`Office::tickets`], [`Office::timeline`], [`Office::decisions`], [`Office::explain`] read
//! - [`Office::comment`], [`Office::transition`], [`Office::edit_ticket`], [`Office::revoke_grant`] change; [`App::comment`] lets
//!   rules judge the words after a resolution
//! - [`Office::decide_access`], [`Office::awaiting`], [`Office::grants`] are about access
//! - [`Office::command_rule`], [`Office::rule_events`], [`Office::rule_versions`], [`Office::rule_stats`] are about rules
//! - [`Office::put_table`], [`Office::tables`], [`Office::table_history`] are about reference tables
//! - [`Office::deny_if_overdue`] does what is due, because no person has done it; [`jobs::Jobs`] is the work that waits
//! - [`Office::actor`] says who is asking; [`Office::add_token`], [`Office::revoke_token`] look after that

use std::ops::Deref;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crate::desk::organisation::Organisation;
use crate::rules::Rules;
use crate::rules::live::catalog::Generation;
use crate::rules::run::rule::Rule;
use crate::store::{self, Store};

pub mod access;
pub mod clock;
pub mod decide;
pub mod error;
pub mod explain;
pub mod jobs;
pub mod observe;
pub mod office;
pub mod record;
pub mod reference;
pub mod replay;
pub mod rollout;
pub mod tickets;
pub mod tokens;

pub use clock::Clock;
use error::Busy;
pub use error::Error;
pub use observe::metrics::Metrics;
pub use office::Office;

/// When rules could not be put into the archive, since nothing could be written, and why.
struct NotArchived {
    at: Instant,
    why: store::Error,
}

/// A desk that runs: an office with rules.
///
/// It dereferences to its [`Office`], so that a use case reads the same whether or not the caller's desk has rules, and moves
/// between the two without its callers changing. Where a use case of the office has to take effect on the rules before it
/// answers, `App` has one of the same name that calls the office's and sees to that.
pub struct App {
    pub office: Arc<Office>,
    pub rules: Rules,
    pub metrics: Metrics,
    /// How each version does in its part.
    pub health: rollout::health::Health,
    /// The files that the configuration is read from again.
    source: rollout::rules::Source,
    /// Held from reading the tables that should be live to taking them, so that older ones never replace newer ones.
    changing_tables: tokio::sync::Mutex<()>,
    /// The revision of the published configuration that this host has taken over.
    configuration: AtomicI64,
    /// Held while rules are put into the archive, so that only one caller does so at a time; it has when that was not possible last.
    archiving: tokio::sync::Mutex<Option<NotArchived>>,
    /// The number of the last generation whose rules are all in the archive.
    archived: AtomicU64,
    /// Bounds the uploads of rules at one time.
    uploads: Arc<tokio::sync::Semaphore>,
    /// Bounds the backtests of the pages at one time.
    backtests: tokio::sync::Semaphore,
    background: jobs::background::Background,
    started: OnceLock<rollout::start::Started>,
    /// How far the catalog has followed the deployments.
    pub following: rollout::follow::Following,
}

impl Deref for App {
    type Target = Office;

    fn deref(&self) -> &Office {
        &self.office
    }
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
        let app = Self {
            office: Arc::new(Office::new(clock, store, organisation, rules.two_person_access)),
            rules,
            metrics: Metrics::default(),
            health: rollout::health::Health::default(),
            source,
            changing_tables: tokio::sync::Mutex::new(()),
            configuration: AtomicI64::new(0),
            archiving: tokio::sync::Mutex::new(None),
            archived: AtomicU64::new(0),
            uploads: Arc::new(tokio::sync::Semaphore::new(rollout::deploy::UPLOADS_AT_ONCE)),
            backtests: tokio::sync::Semaphore::new(replay::manifest::BACKTESTS_AT_ONCE),
            background: jobs::background::Background::default(),
            started: OnceLock::new(),
            following: rollout::follow::Following::default(),
        };
        app.tell_access_forms();
        app
    }

    /// Puts the rules of a generation into the archive, and what the directory has offered into the deployments, before a
    /// record names them.
    async fn archive(&self, generation: &Generation) -> Result<(), Error> {
        if self.archived.load(Ordering::Acquire) >= generation.number {
            return Ok(());
        }
        let begun = clock::instant();
        let mut last = self.archiving.lock().await;
        if self.archived.load(Ordering::Acquire) >= generation.number {
            return Ok(());
        }
        // Each of those who waited for the one that failed would wait as long again.
        if let Some(why) = last.as_ref().filter(|last| last.at >= begun).and_then(|last| last.why.for_all()) {
            return Err(Busy::Store(why).into());
        }
        let settled = self.settle().await;
        if let Err(Error::Busy(Busy::Store(why))) = &settled {
            *last = why.for_all().map(|why| NotArchived { at: clock::instant(), why });
        }
        settled
    }

    /// The same for a ticket: it is taken also where a rule cannot be archived, and not where nothing can be written now, since it could
    /// not be written either.
    async fn archive_for_ticket(&self, generation: &Generation) -> Result<(), Error> {
        match self.archive(generation).await {
            Err(error @ Error::Busy(Busy::Store(_))) => Err(error),
            Err(error) => {
                tracing::error!(%error, "the rules that decide are not written down yet: tried again with the next ticket");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn archive_rule(&self, rule: &Rule) -> Result<(), Error> {
        let (component, manifest) = (rule.digest.to_string(), rule.manifest_digest.to_string());
        if self.store.has_rule_version(&component, &manifest).await? {
            return Ok(());
        }
        match self.keep(rule).await {
            Ok(()) => {}
            // The queue of writes was full: it can be tried again.
            Err(error @ Error::Busy(_)) => return Err(error),
            Err(error) => {
                tracing::error!(rule = %rule.manifest.name, digest = %rule.digest, %error, "a rule was not archived");
                return Ok(());
            }
        }
        if let Some(signature) = &rule.signature {
            let verified = rule.signed_by.is_some();
            self.store.keep_signature(&component, &manifest, signature, verified, self.clock.now()).await?;
        }
        Ok(())
    }
}
