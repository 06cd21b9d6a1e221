//! The desk without its rules: clock, store and organisation. Most use cases need no more, nor does a command that acts on
//! a desk which another process serves.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::access::people::{directory, standing_in};
use super::access::provision::Pauses;
use super::decide::versions::former::Former;
use super::observe::presence::Presence;
use super::reference::Reference;
use super::tickets::change::Places;
use super::tickets::lifecycle::promises::Following;
use super::tickets::quota::Quotas;
use super::tokens::passwords::Guesses;
use super::tokens::provider::Provider;
use super::tokens::visits::Visits;
use super::{Clock, Error, jobs, tokens};
use crate::desk::actor::Actor;
use crate::desk::id::{PersonId, TicketNumber};
use crate::desk::organisation::Organisation;
use crate::desk::organisation::directory::Directory;
use crate::desk::ticket::Ticket;
use crate::rules::live::rollout::{NotTaken, Signatory};
use crate::store::Store;

/// How much long work is done at once.
const HEAVY_AT_ONCE: usize = 2;

/// A desk without its rules.
pub struct Office {
    pub clock: Clock,
    pub store: Store,
    /// The work that waits in the store.
    pub jobs: jobs::Jobs,
    /// How messages to people are worded.
    pub correspondence: ArcSwap<jobs::messages::Correspondence>,
    pub(super) thread_key: tokio::sync::OnceCell<String>,
    /// The news of those who watch.
    pub feed: jobs::events::Feed,
    organisation: ArcSwap<Organisation>,
    /// The organisation as the configuration has it, without what the identity provider says.
    configured: ArcSwap<Organisation>,
    /// The configurations before this one.
    former: ArcSwap<Former>,
    /// The users and groups that the identity provider keeps here.
    pub(super) directory: ArcSwap<directory::Kept>,
    /// The people who approve in the place of others by those others' own word, as it was read last.
    pub(super) delegations: ArcSwap<standing_in::Kept>,
    /// Held while the organisation is put together, so that an older one never replaces a newer one.
    laying: Mutex<()>,
    /// Held while the directory is changed, so that changes on one host wait for each other.
    pub(super) changing_directory: tokio::sync::Mutex<()>,
    /// Held while what an app has lost is ended, so that ends on one host are counted one after another.
    pub(super) ending_removed: tokio::sync::Mutex<()>,
    /// The reference tables as they were read last.
    pub(super) reference: ArcSwap<Reference>,
    /// Whether a rule for access needs a second person's approval before a version of it becomes active.
    pub(super) two_person_access: bool,
    pub(super) tokens: tokens::Cache,
    pub(super) well_known: tokens::WellKnown,
    /// The places in which changes of one ticket wait for each other.
    pub(super) changing: Places,
    /// How much of their limits people have used.
    pub quotas: Quotas,
    pub(super) presence: Presence,
    pub(super) guesses: Guesses,
    /// Pages that were asked for, by person and address.
    pub(super) visits: Visits,
    /// The identity provider, where there is one.
    pub(super) provider: std::sync::OnceLock<Provider>,
    /// The endpoints of webhooks that the configuration names.
    pub(super) endpoints: ArcSwap<Vec<jobs::endpoints::Webhook>>,
    /// When apps were looked at last for access that no grant gives, in seconds.
    pub(super) looked_at: std::sync::atomic::AtomicI64,
    /// The apps that want to be left alone for a while.
    pub pauses: Pauses,
    /// The endpoints of webhooks that are slow.
    pub paces: jobs::pace::Paces,
    /// How far tickets have followed the configuration.
    pub(super) following: Following,
    /// When the first or last day of a person comes next, in milliseconds.
    turns_at: AtomicI64,
    /// Places for long work that no thread which serves requests may do.
    heavy: Arc<Semaphore>,
}

impl Office {
    /// Puts an office together.
    pub fn new(clock: Clock, store: Store, organisation: Organisation, two_person_access: bool) -> Self {
        let office = Self {
            jobs: jobs::Jobs::new(store.clone(), clock.clone()),
            correspondence: ArcSwap::default(),
            thread_key: tokio::sync::OnceCell::new(),
            feed: jobs::events::Feed::default(),
            // An hour after the start, when the desk is about its day.
            looked_at: (clock.now().as_second() - 23 * 3_600).into(),
            clock,
            store,
            configured: ArcSwap::from_pointee(organisation.clone()),
            organisation: ArcSwap::from_pointee(organisation),
            former: ArcSwap::default(),
            directory: ArcSwap::default(),
            delegations: ArcSwap::default(),
            laying: Mutex::default(),
            changing_directory: tokio::sync::Mutex::default(),
            ending_removed: tokio::sync::Mutex::default(),
            reference: ArcSwap::default(),
            two_person_access,
            tokens: tokens::Cache::default(),
            well_known: tokens::WellKnown::default(),
            changing: Places::default(),
            quotas: Quotas::default(),
            presence: Presence::default(),
            guesses: Guesses::default(),
            visits: Visits::default(),
            provider: std::sync::OnceLock::new(),
            endpoints: ArcSwap::default(),
            pauses: Pauses::default(),
            paces: jobs::pace::Paces::default(),
            following: Following::default(),
            turns_at: AtomicI64::new(i64::MAX),
            heavy: Arc::new(Semaphore::new(HEAVY_AT_ONCE)),
        };
        office.lay_over();
        office
    }

    /// The organisation as it is now; a caller that holds it keeps it as it was.
    pub fn organisation(&self) -> Arc<Organisation> {
        self.organisation.load_full()
    }

    /// The organisation as the configuration has it.
    pub fn configured(&self) -> Arc<Organisation> {
        self.configured.load_full()
    }

    /// Replaces the organisation that the configuration has; what the identity provider says stands above it.
    pub fn set_organisation(&self, organisation: impl Into<Arc<Organisation>>) {
        let replaced = self.configured.swap(organisation.into());
        self.former.rcu(|former| former.followed_by(Arc::clone(&replaced)));
        self.lay_over();
    }

    /// The configurations that the desk has gone by before.
    pub(super) fn former(&self) -> Former {
        Former::clone(&self.former.load())
    }

    /// Puts the organisation together: the configuration, above it the identity provider's people and groups, and the people who
    /// approve in the place of others; without those who are not here today.
    pub(super) fn lay_over(&self) {
        let _only_one = self.laying.lock().unwrap_or_else(PoisonError::into_inner);
        let (configured, kept, given) = (self.configured(), self.directory.load(), self.delegations.load());
        let all = if kept.directory == Directory::default() {
            configured
        } else {
            Arc::new(configured.with_directory(&kept.directory))
        };
        let all = if given.all.is_empty() { all } else { Arc::new(all.with_delegations(&given.all)) };
        let (today, turns) = all.at(self.clock.now());
        self.organisation.store(today.map_or(all, Arc::new));
        self.turns_at.store(turns.map_or(i64::MAX, Timestamp::as_millisecond), Ordering::Release);
    }

    /// Lets people come whose first day has begun, and go whose last day is over; whether that was due.
    pub(super) fn turn_the_day(&self) -> bool {
        let is_due = self.clock.now().as_millisecond() >= self.turns_at.load(Ordering::Acquire);
        if is_due {
            self.lay_over();
        }
        is_due
    }

    /// Lets another approve what one has proposed, if they are two people, by whichever of their accounts.
    pub(super) fn let_approve(&self, proposer: &Signatory, approver: &Signatory) -> Result<(), NotTaken> {
        proposer.let_approve(approver)?;
        let account = |signatory: &Signatory| signatory.person().and_then(|id| id.parse::<PersonId>().ok());
        match (account(proposer), account(approver)) {
            (Some(one), Some(other)) if self.organisation().is_same(&one, &other) => Err(NotTaken::SamePerson),
            _ => Ok(()),
        }
    }

    /// Does work that takes longer the more a client gives, such as reading or comparing tables: apart from the threads that
    /// serve requests, and only so much of it at once.
    ///
    /// # Errors
    ///
    /// Where the work has panicked.
    pub async fn apart<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        // The semaphore is never closed.
        let place = Arc::clone(&self.heavy).acquire_owned().await.ok();
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        Ok(done.await?)
    }

    /// Ends the office: what was written is on the disk.
    pub async fn close(&self) {
        self.store.close().await;
    }

    /// The ticket with this number.
    pub(super) async fn find(&self, number: TicketNumber) -> Result<Ticket, Error> {
        let found = self.store.ticket(number).await?;
        found.ok_or_else(|| Error::Missing { what: "ticket", name: number.to_string() })
    }
}

/// The actor as the audits of rules and tables name them.
pub(super) fn signatory(actor: &Actor) -> Signatory {
    match actor {
        Actor::Person { id, .. } => Signatory::Person(id.to_string()),
        Actor::Operator { name, person } => {
            Signatory::Operator { operator: name.to_string(), person: person.as_ref().map(ToString::to_string) }
        }
        Actor::System => Signatory::Desk,
    }
}
