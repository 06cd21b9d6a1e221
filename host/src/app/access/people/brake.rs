//! The brake: where so many people leave within an hour that it is rather the directory that has gone wrong, the desk ends nothing
//! until a person says that it is so. Their grants give no access meanwhile, and what ends by its own time is never held up.

use jiff::{SignedDuration, Timestamp};

use crate::app::error::accept;
use crate::app::office::signatory;
use crate::app::{App, Error, Office};
use crate::desk::access::Grant;
use crate::desk::actor::Actor;
use crate::desk::permission;
use crate::desk::refusal::Refusal;
use crate::desk::sla::earlier;
use crate::desk::ticket::edit::check_reason;
pub use crate::store::access::reviews::Brake;

/// So many people may leave within an hour, or half of those who hold anything, where the configuration says nothing else.
const LEAVERS_MAX: usize = 20;
/// The time over which leavers are counted, and for which a person's word holds.
const WITHIN: SignedDuration = SignedDuration::from_hours(1);

impl Office {
    /// Whether the access of so many people may be ended now because they have left; where not, that is noted once.
    pub(super) async fn may_end(&self, left: usize, holders: usize) -> Result<bool, Error> {
        let now = self.clock.now();
        let (since, configured) = self.counted(now);
        let most = configured.unwrap_or_else(|| LEAVERS_MAX.max(holders / 2));
        let lately = usize::try_from(self.store.left_since(since).await?).unwrap_or(usize::MAX);
        if left.saturating_add(lately) <= most {
            return Ok(true);
        }
        let last = self.store.last_brake().await?;
        match &last {
            Some(Brake { resumed: Some((resumed, ..)), .. }) if *resumed > since => return Ok(true),
            Some(Brake { resumed: None, .. }) => {}
            _ => {
                self.store.brake(self.clock.new_id(), now, i64::try_from(left).unwrap_or(i64::MAX)).await?;
            }
        }
        tracing::error!(
            left,
            lately,
            most,
            "so many people who hold access cannot have left at once: no grant is ended until an admin resumes it"
        );
        Ok(false)
    }

    /// Whether a grant may end now because its app has lost it: not where the app has lost those of so many people within an hour.
    pub(in crate::app) async fn may_end_removed(&self, grant: &Grant) -> Result<bool, Error> {
        let (since, configured) = self.counted(self.clock.now());
        let most = configured.unwrap_or(LEAVERS_MAX);
        let lately = usize::try_from(self.store.removed_since(&grant.app, since).await?).unwrap_or(usize::MAX);
        if lately < most {
            return Ok(true);
        }
        tracing::error!(app = %grant.app, lately, most, "an app has lost the access of so many people that it may have gone wrong: no more of it ends within this hour");
        Ok(false)
    }

    /// Since when leavers are counted, and how many there may be where the configuration says it.
    fn counted(&self, now: Timestamp) -> (Timestamp, Option<usize>) {
        let configured = self.organisation().defaults.leavers_max.and_then(|most| usize::try_from(most).ok());
        (earlier(now, WITHIN), configured)
    }

    /// The last time that the desk stopped; `None` where it never did.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn brake(&self, actor: &Actor) -> Result<Option<Brake>, Error> {
        permission::read_decisions(actor)?;
        Ok(self.store.last_brake().await?)
    }
}

impl App {
    /// Lets the desk end the access of those who have left, for an hour; it does so before this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], also where it has not stopped; [`Error::Rejected`] without a reason.
    pub async fn resume_ends(self: &std::sync::Arc<Self>, actor: &Actor, reason: &str) -> Result<Brake, Error> {
        permission::administer(actor)?;
        accept(check_reason("reason", reason))?;
        let brake = self.store.last_brake().await?.filter(|brake| brake.resumed.is_none());
        let brake = brake.ok_or(Refusal::NotStopped)?;
        let (now, by) = (self.clock.now(), signatory(actor).to_string());
        if !self.store.resume(brake.id, now, &by, reason.trim()).await? {
            return Err(Refusal::NotStopped.into());
        }
        tracing::warn!(%by, people = brake.people, "the access of those who have left is ended: a person has said that it is so");
        self.follow_people().await?;
        Ok(Brake { resumed: Some((now, by, reason.trim().to_owned())), ..brake })
    }
}
