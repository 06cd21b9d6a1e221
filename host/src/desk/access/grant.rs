//! Grants: access that a person holds, from when and until when.

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
}

impl Grant {
    /// Whether it gives access at an instant: from `expires_at` on it does not, whether or not a sweep has been (I8).
    pub fn is_effective(&self, at: Timestamp) -> bool {
        self.granted_at <= at && at < self.expires_at && self.revoked_at.is_none_or(|end| at < end)
    }

    /// Whether it gives access now: a person who has left has none, whether or not the grant has been ended.
    pub fn gives_access(&self, organisation: &Organisation, at: Timestamp) -> bool {
        self.is_effective(at) && organisation.people.get(&self.subject).is_some_and(|person| person.active)
    }

    /// Whether it is over. One that begins later, by another host's clock, is not.
    pub fn has_ended(&self, at: Timestamp) -> bool {
        self.expires_at <= at || self.revoked_at.is_some()
    }

    /// Whether it gives the same access to an app as a scope does.
    pub fn is_of(&self, app: &AppId, scope: &Scope) -> bool {
        self.app == *app && self.tier == scope.tier && self.role == scope.role
    }
}
