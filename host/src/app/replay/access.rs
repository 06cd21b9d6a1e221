//! The effect of a candidate on access: over the history of requests, what would have been given, asked and denied; and over the
//! ledger, which grants that are held today it would not have given as they were.

use std::collections::BTreeMap;

use serde::Serialize;

use super::verdict::Verdict;
use crate::app::{App, Error};
use crate::desk::id::TicketNumber;

/// Tickets of requests that would have gone otherwise and are looked up on the ledger.
const TICKETS_MAX: usize = 2_000;
/// Grants that are shown.
const SHOWN_MAX: usize = 200;
/// Approvers that are shown; those who would be asked most come first.
const APPROVERS_MAX: usize = 50;

/// The words of outcomes, as the access stage tells them.
const APPROVED: &str = "approved";
const AWAITING: &str = "awaiting";
const DENIED: &str = "denied";

/// Everything that was counted of access.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AccessTally {
    pub requests: u64,
    /// By the outcome before and after.
    moves: BTreeMap<(String, String), u64>,
    /// How often each approver was asked, before and after.
    approvers: BTreeMap<String, (u64, u64)>,
    /// Requests that go from a gift or a question to less, with the outcome that they would have.
    less: Vec<(TicketNumber, &'static str)>,
    /// Whether there are more of those.
    more: bool,
}

/// The effect on access as it is read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AccessReport {
    pub requests: u64,
    /// Requests that were given or asked about, and would be denied.
    pub denied: u64,
    /// Requests that were given at once, and would wait for people.
    pub lose_approval: u64,
    /// Requests that waited for people or were denied, and would be given at once.
    pub given_at_once: u64,
    /// Requests that were denied, and would wait for people.
    pub reopened: u64,
    /// How often each would be asked, the most first.
    pub approvers: Vec<AskedApprover>,
    /// Grants that are held today and would not have been given as they were.
    pub standing: Vec<StandingGrant>,
    /// Whether there are more than are shown or were looked up.
    pub more: bool,
}

/// How often one person is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskedApprover {
    pub person: String,
    pub before: u64,
    pub after: u64,
}

/// A grant that is held today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StandingGrant {
    pub grant: String,
    pub ticket: String,
    pub person: String,
    pub app: String,
    pub tier: String,
    /// `denied`, or `awaiting` where people would have been asked first.
    pub would_be: &'static str,
}

impl AccessTally {
    /// Counts one request.
    pub fn take(&mut self, ticket: TicketNumber, before: &Verdict, after: &Verdict) {
        let outcome = |verdict: &Verdict| verdict.outcome().unwrap_or_default().to_owned();
        let (from, to) = (outcome(before), outcome(after));
        self.requests += 1;
        for person in &before.asks {
            self.approvers.entry(person.to_string()).or_default().0 += 1;
        }
        for person in &after.asks {
            self.approvers.entry(person.to_string()).or_default().1 += 1;
        }
        let less = match (from.as_str(), to.as_str()) {
            (APPROVED | AWAITING, DENIED) => Some(DENIED),
            (APPROVED, AWAITING) => Some(AWAITING),
            _ => None,
        };
        if let Some(would_be) = less {
            self.keep((ticket, would_be));
        }
        *self.moves.entry((from, to)).or_default() += 1;
    }

    fn keep(&mut self, less: (TicketNumber, &'static str)) {
        if self.less.len() < TICKETS_MAX {
            self.less.push(less);
        } else {
            self.more = true;
        }
    }

    /// Counts everything that another has counted.
    pub fn merge(&mut self, other: AccessTally) {
        self.requests += other.requests;
        for (key, count) in other.moves {
            *self.moves.entry(key).or_default() += count;
        }
        for (person, (before, after)) in other.approvers {
            let asked = self.approvers.entry(person).or_default();
            asked.0 += before;
            asked.1 += after;
        }
        self.more |= other.more;
        other.less.into_iter().for_each(|less| self.keep(less));
    }

    fn count(&self, from: &[&str], to: &str) -> u64 {
        let of = |(key, _): &(&(String, String), &u64)| from.contains(&key.0.as_str()) && key.1 == to;
        self.moves.iter().filter(of).map(|(_, count)| count).sum()
    }

    /// The effect as it is read, with the grants that are held today; `None` where no request was among the decisions.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub(super) async fn report(&self, app: &App) -> Result<Option<AccessReport>, Error> {
        if self.requests == 0 {
            return Ok(None);
        }
        let numbers: Vec<TicketNumber> = self.less.iter().map(|(number, _)| *number).collect();
        let held = app.store.held_of_tickets(&numbers, app.clock.now()).await?;
        let more = self.more || held.len() > SHOWN_MAX;
        let would_be = |ticket: TicketNumber| self.less.iter().find(|(number, _)| *number == ticket).map(|(_, to)| *to);
        let standing = held.into_iter().take(SHOWN_MAX).map(|(grant, ticket)| StandingGrant {
            grant: grant.id.to_string(),
            ticket: ticket.to_string(),
            person: grant.subject.to_string(),
            app: grant.app.to_string(),
            tier: grant.tier.to_string(),
            would_be: would_be(ticket).unwrap_or(DENIED),
        });
        let asked = self.approvers.iter();
        let asked = asked.map(|(person, (before, after))| AskedApprover {
            person: person.clone(),
            before: *before,
            after: *after,
        });
        let mut approvers: Vec<AskedApprover> = asked.collect();
        approvers.sort_by_key(|one| (std::cmp::Reverse(one.after.max(one.before)), one.person.clone()));
        approvers.truncate(APPROVERS_MAX);
        Ok(Some(AccessReport {
            requests: self.requests,
            denied: self.count(&[APPROVED, AWAITING], DENIED),
            lose_approval: self.count(&[APPROVED], AWAITING),
            given_at_once: self.count(&[AWAITING, DENIED], APPROVED),
            reopened: self.count(&[DENIED], AWAITING),
            approvers,
            standing: standing.collect(),
            more,
        }))
    }
}
