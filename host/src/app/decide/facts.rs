//! Facts about a request for access: what is held, what is open, and how far all that had come.

use crate::desk::access::provisioning::{Holding, Op};
use crate::desk::access::{AccessRequest, Grant, Review};
use crate::desk::change::AccessSeen;
use crate::desk::id::{AppId, PersonId, TicketNumber, TierId};
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
    /// All requests for the person that wait for approval, by whichever account.
    pub open: Vec<(AppId, TierId)>,
    /// All that the person holds in apps that the desk writes to, and the orders about it that are on their way.
    pub in_apps: (Vec<Holding>, Vec<Op>),
    /// All that the same human holds by other accounts.
    pub elsewhere: Vec<Grant>,
    /// How far access had come when all this was read.
    pub seen: Vec<AccessSeen>,
}

impl AccessFacts {
    /// The state of things that is looked at again where access is given.
    pub fn review(&self, verdict: Option<AccessVerdict>) -> Review {
        let (holdings, ops) = self.in_apps.clone();
        let (held, holders, open) = (self.grants.clone(), self.holders.clone(), self.open.clone());
        Review { held, holders, verdict, open, holdings, ops, elsewhere: self.elsewhere.clone() }
    }

    /// The problem with asking for what is asked for already.
    pub(super) fn asked_already(&self) -> Option<Problem> {
        let number = self.asked_in?;
        let message = format!("{number} asks for the same access and waits for approval: it is enough.");
        Some(Problem::new("tier", "asked-already", message))
    }
}
