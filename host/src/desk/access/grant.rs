//! Grants: access that a person holds, from when and until when.

use jiff::Timestamp;

use crate::desk::id::{AppId, GrantId, PersonId, TicketId, TierId};

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
}
