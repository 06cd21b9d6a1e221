//! A second look in the moment in which access is given: much may have changed since it was asked for.

use std::collections::BTreeSet;

use super::provisioning::{Books, Holding, Op};
use super::{AccessCase, AccessState, Grant, guards};
use crate::desk::change::at::At;
use crate::desk::id::{AppId, PersonId, TierId};
use crate::desk::organisation::{App, Organisation};
use crate::desk::verdict::access::{AccessVerdict, Outcome, Scope};

/// The state of things in the moment in which access is given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Review {
    /// All that the person who is to have the access holds.
    pub held: Vec<Grant>,
    /// The grants of the same human by other accounts: what no person may hold together, no human may.
    pub elsewhere: Vec<Grant>,
    /// Who holds the app in a tier that has seats, and in which.
    pub holders: Vec<(PersonId, TierId)>,
    /// The rules' word now, with all that was granted since in view; `None` where they have just said it.
    pub verdict: Option<AccessVerdict>,
    /// The requests for that person that wait for approval, by whichever account.
    pub open: Vec<(AppId, TierId)>,
    /// All that the person holds in apps that the desk writes to.
    pub holdings: Vec<Holding>,
    /// The orders about the person's access that are on their way.
    pub ops: Vec<Op>,
}

impl Review {
    /// All that is held and on its way, to be changed.
    pub(super) fn books(&self) -> Books {
        Books { grants: self.held.clone(), holdings: self.holdings.clone(), ops: self.ops.clone() }
    }
}

impl AccessCase {
    /// The approved case as far as it may be granted: denied where the rules deny it by now or no seat is left, and with no
    /// more in its scope than the rules grant now. Gives the reason of a denial.
    #[must_use]
    pub(super) fn reviewed(&self, at: &At<'_>) -> (AccessCase, Option<String>) {
        let (review, organisation) = (at.review(), at.organisation);
        let mut after = self.clone();
        if self.state != AccessState::Approved {
            return (after, None);
        }
        if let (Some(scope), Some(now)) = (&mut after.scope, review.verdict.as_ref().and_then(granted)) {
            narrow(scope, now, organisation, self);
        }
        // The guards look at what is given, which may be a lower tier than was approved.
        let denied = match &review.verdict {
            Some(AccessVerdict { outcome: Outcome::Denied, reason, .. }) => Some(reason.clone()),
            _ => guards::refuses(&after, at).or_else(|| after.no_seat(review, organisation)),
        };
        match denied {
            Some(_) => (AccessCase { state: AccessState::Denied, ..self.clone() }, denied),
            None => (after, None),
        }
    }

    fn no_seat(&self, review: &Review, organisation: &Organisation) -> Option<String> {
        let app = organisation.apps.get(&self.request.app)?;
        let (_, tier) = app.tier(self.scope.as_ref()?.tier.as_str())?;
        let seats = tier.seats?;
        // Also of those who have left, until what they held has ended: the app has their seats as long (I23).
        let holders = review.holders.iter().filter(|(_, held)| *held == tier.id).map(|(person, _)| person);
        let others: BTreeSet<&PersonId> = holders.filter(|p| **p != self.request.subject).collect();
        let taken = others.len();
        let full = u32::try_from(taken).is_ok_and(|taken| taken >= seats);
        full.then(|| format!("all {seats} seats of {} in {} are taken", tier.name, app.name))
    }
}

impl App {
    /// The tiers whose holders are counted, because there are so many seats of them and no more.
    pub fn seated(&self) -> Vec<&TierId> {
        self.tiers.iter().filter(|tier| tier.seats.is_some()).map(|tier| &tier.id).collect()
    }
}

fn granted(verdict: &AccessVerdict) -> Option<&Scope> {
    match &verdict.outcome {
        Outcome::Approved(scope) => Some(scope),
        Outcome::Await(approval) => Some(&approval.scope),
        Outcome::Denied => None,
    }
}

fn narrow(scope: &mut Scope, now: &Scope, organisation: &Organisation, case: &AccessCase) {
    let app = organisation.apps.get(&case.request.app);
    let order = |scope: &Scope| app.and_then(|app| app.tier(scope.tier.as_str())).map_or(0, |(order, _)| order);
    if order(now) < order(scope) {
        *scope = Scope { duration_hours: scope.duration_hours.min(now.duration_hours), ..now.clone() };
        return;
    }
    scope.duration_hours = scope.duration_hours.min(now.duration_hours);
    if order(now) == order(scope) {
        scope.groups.retain(|group| now.groups.contains(group));
        scope.role = scope.role.take().filter(|role| now.role.as_ref() == Some(role));
    }
}
