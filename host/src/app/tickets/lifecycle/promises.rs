//! Tickets that are not over follow the configuration: their promises, and their place in the queue. And those are counted whose
//! team is no more, since no one finds them otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::app::tickets::change::{Retry, Which};
use crate::app::{App, Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::TicketNumber;
use crate::desk::permission;
use crate::desk::ticket::lifecycle::clocks::follow_configuration;
use crate::rules::digest::Digest;

/// How far this host has come with what open tickets have to follow.
#[derive(Debug)]
pub struct Following {
    /// Whether the configuration may be another one than the tickets have followed.
    owed: AtomicBool,
    /// Held while they follow it, so that one look at a time goes on.
    looking: tokio::sync::Mutex<()>,
    /// Open tickets in teams that do not exist, as they were counted last.
    astray: AtomicU64,
}

impl Default for Following {
    fn default() -> Self {
        Self { owed: AtomicBool::new(true), looking: tokio::sync::Mutex::default(), astray: AtomicU64::default() }
    }
}

impl Office {
    /// Lets the tickets that are not over follow the configuration, where it promises something else than what they followed last;
    /// how many changed. A look that is cut off is taken again from its beginning, and finds nothing to do where it was done.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written. A ticket that is damaged is left out, and logged.
    pub async fn follow_configuration(&self) -> Result<usize, Error> {
        let _only_one = self.following.looking.lock().await;
        if !self.following.owed.swap(false, Ordering::AcqRel) {
            return Ok(0);
        }
        let followed = self.look_through().await;
        if followed.is_err() {
            self.following.owed.store(true, Ordering::Release);
        }
        followed
    }

    async fn look_through(&self) -> Result<usize, Error> {
        let digest = Digest::of(self.organisation().promises().as_bytes()).to_string();
        if self.store.promises_followed().await? == digest {
            return Ok(0);
        }
        let (mut changed, mut after) = (0, Some(TicketNumber(0)));
        while let Some(number) = after {
            let (numbers, next) = self.store.not_over_after(number).await?;
            for number in numbers {
                changed += usize::from(self.follow(number).await?);
            }
            after = next;
        }
        self.store.keep_promises_followed(&digest).await?;
        if changed > 0 {
            tracing::info!(tickets = changed, "open tickets followed what the configuration promises now");
        }
        Ok(changed)
    }

    /// Lets one ticket follow; whether it changed.
    async fn follow(&self, number: TicketNumber) -> Result<bool, Error> {
        let follows = AtomicBool::new(false);
        let changed = self.change(Which::Number(number), Retry::Commutes, None, |ticket, _, at| {
            let change = follow_configuration(ticket, at);
            follows.store(change.is_some(), Ordering::Relaxed);
            Ok(change)
        });
        match changed.await {
            Ok(_) => Ok(follows.load(Ordering::Relaxed)),
            Err(error @ Error::Damaged { .. }) => {
                tracing::warn!(ticket = %number, %error, "a damaged ticket does not follow the configuration");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// The teams that do not exist and have open tickets, with how many.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn teams_that_are_no_more(&self, actor: &Actor) -> Result<BTreeMap<String, i64>, Error> {
        permission::list_internally(actor)?;
        self.astray().await
    }

    async fn astray(&self) -> Result<BTreeMap<String, i64>, Error> {
        let organisation = self.organisation();
        let open = self.store.unfinished_outside(|team| organisation.teams.contains_key(team)).await?;
        let count = open.values().sum::<i64>();
        self.following.astray.store(count.try_into().unwrap_or_default(), Ordering::Relaxed);
        Ok(open)
    }

    /// Counts the open tickets in teams that do not exist, and logs where they are if that are more than before.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn count_astray(&self) -> Result<(), Error> {
        let before = self.tickets_astray();
        let teams = self.astray().await?;
        if self.tickets_astray() > before {
            tracing::warn!(?teams, "open tickets are in teams that do not exist: give them another team");
        }
        Ok(())
    }

    /// How many open tickets are in teams that do not exist, as they were counted last.
    pub fn tickets_astray(&self) -> u64 {
        self.following.astray.load(Ordering::Relaxed)
    }
}

impl App {
    /// After the configuration was read: counts what it leaves astray, and lets the tickets follow it in the background.
    pub(in crate::app) async fn follow_what_was_read(self: &Arc<Self>) -> Result<(), Error> {
        self.following_tickets().owed.store(true, Ordering::Release);
        self.count_astray().await?;
        let app = Arc::clone(self);
        self.begin(async move {
            if let Err(error) = app.follow_configuration().await {
                tracing::warn!(%error, "open tickets did not follow the configuration yet: tried again soon");
            }
        });
        Ok(())
    }

    fn following_tickets(&self) -> &Following {
        &self.office.following
    }
}
