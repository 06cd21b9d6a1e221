//! Grants: access that a person holds, from when and until when, and how far the app itself has come with it.

use jiff::Timestamp;

use crate::desk::id::{AppId, GrantId, PersonId, TicketId, TierId};
use crate::desk::organisation::Organisation;
use crate::desk::verdict::access::Scope;

/// Access that a person holds or has held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub id: GrantId,
    pub ticket: TicketId,
    pub subject: PersonId,
    pub app: AppId,
    pub tier: TierId,
    pub role: Option<String>,
    pub groups: Vec<String>,
    pub granted_at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    pub state: GrantState,
    /// Why it ends or has ended; `None` while it is held, and for grants that ended before this was kept.
    pub end_reason: Option<EndReason>,
}

/// How far the app itself has come with a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GrantState {
    /// It begins later: nothing is written to the app yet.
    Scheduled,
    /// The app is being written to: nothing is there yet, or not all of it.
    Provisioning,
    /// All of it was read back in the app; or the desk writes nothing there.
    Active,
    /// It is over, and the app is being written to.
    Deprovisioning,
    /// It is over, and what it gave was read back as gone, or another grant gives it.
    Ended,
    /// The app refused a part of it, and the rest is being taken away again.
    Compensating,
    /// The app refused it, and nothing of it is left there.
    Failed,
}

/// Why a grant ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndReason {
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
    /// The person who had it needs it no more.
    GivenBack,
    /// Another grant gives the same from now on.
    Replaced,
    /// The person who had it has left.
    Left,
    /// The app refused it.
    Refused,
    /// No reviewer kept it.
    Reviewed,
    /// The person who had it has moved, and the rules deny it now.
    Moved,
    /// It was to begin later, and by then it may not be given.
    NotBegun,
    /// It was taken away in the app itself, past the desk.
    Removed,
}

codes! {
    GrantState {
        Scheduled => "scheduled",
        Provisioning => "provisioning",
        Active => "active",
        Deprovisioning => "deprovisioning",
        Ended => "ended",
        Compensating => "compensating",
        Failed => "failed",
    }
}

impl GrantState {
    /// Whether a grant in this state gives something, or will.
    pub const fn supports(self) -> bool {
        matches!(self, GrantState::Scheduled | GrantState::Provisioning | GrantState::Active)
    }

    /// Whether the desk still has something to do in the app.
    pub const fn is_under_way(self) -> bool {
        matches!(self, GrantState::Provisioning | GrantState::Deprovisioning | GrantState::Compensating)
    }
}

codes! {
    EndReason {
        Expired => "expired",
        Revoked => "revoked",
        GivenBack => "given-back",
        Replaced => "replaced",
        Left => "left",
        Refused => "refused",
        Reviewed => "reviewed",
        Moved => "moved",
        NotBegun => "not-begun",
        Removed => "removed-in-app",
    }
}

impl Grant {
    /// Whether it was to let its person in at an instant: from `expires_at` on it is not, whether or not a sweep has been (I8).
    pub fn is_effective(&self, at: Timestamp) -> bool {
        self.granted_at <= at && at < self.expires_at && self.revoked_at.is_none_or(|end| at < end)
    }

    /// The instant at which its access ends or has ended, by its time or because it was taken back before.
    pub fn access_end(&self) -> Timestamp {
        self.revoked_at.map_or(self.expires_at, |revoked| revoked.min(self.expires_at))
    }

    /// Whether it gives access now: a person who has left has none, whether or not the grant has been ended; what the app does
    /// not have yet gives none; and what has ended stays so where a clock is set back.
    pub fn gives_access(&self, organisation: &Organisation, at: Timestamp) -> bool {
        self.state == GrantState::Active && self.is_effective(at) && organisation.is_active(&self.subject)
    }

    /// Whether it is over. One that begins later, by another host's clock, is not.
    pub fn has_ended(&self, at: Timestamp) -> bool {
        self.expires_at <= at || self.revoked_at.is_some() || !self.state.supports()
    }

    /// Where it stands at an instant. Grants that ended before states were kept have ended.
    pub fn standing(&self, at: Timestamp) -> GrantState {
        match self.state {
            GrantState::Active if self.has_ended(at) => GrantState::Ended,
            state => state,
        }
    }

    /// Whether it gives the same access to an app as a scope does.
    pub fn is_of(&self, app: &AppId, scope: &Scope) -> bool {
        self.app == *app && self.tier == scope.tier && self.role == scope.role
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for state in GrantState::ALL {
            assert_eq!(GrantState::from_code(state.code()), Some(state));
        }
        for reason in EndReason::ALL {
            assert_eq!(EndReason::from_code(reason.code()), Some(reason));
        }
    }
}
