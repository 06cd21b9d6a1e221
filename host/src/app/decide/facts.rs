//! Facts about a request for access: what is held, what is open, and how far all that had come.

use crate::desk::access::{AccessRequest, Grant, Review};
use crate::desk::change::AccessSeen;
use crate::desk::id::{PersonId, TicketNumber, TierId};
use crate::desk::organisation::form::Problem;
use crate::desk::verdict::access::AccessVerdict;
use crate::store::access::History;

/// Facts about a request for access, read before the rules are asked.
#[derive(Debug, Clone)]
pub struct AccessFacts {
    pub request: AccessRequest,
    pub grants: Vec<Grant>,
    pub history: History,
    /// Who holds the app, and in which tier; without those who have left.
    pub holders: Vec<(PersonId, TierId)>,
    /// The ticket that asks for the same access and waits for approval.
    pub asked_in: Option<TicketNumber>,
    /// How far access had come when all this was read.
    pub seen: Vec<AccessSeen>,
}

impl AccessFacts {
    /// The state of things that is looked at again where access is given.
    pub fn review(&self, verdict: Option<AccessVerdict>) -> Review {
        Review { held: self.grants.clone(), holders: self.holders.clone(), verdict }
    }

    /// The problem with asking for what is asked for already.
    pub(super) fn asked_already(&self) -> Option<Problem> {
        let number = self.asked_in?;
        let message = format!("{number} asks for the same access and waits for approval: it is enough.");
        Some(Problem::new("tier", "asked-already", message))
    }
}
