//! A ticket in its parts: what was submitted, which never changes; how it stands, which rules and people change; and the
//! clocks of what was promised.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::id::{
    CategoryId, ImpactId, PersonId, PriorityId, RequestTypeId, Skill, Tag, TeamId, TicketId, TicketNumber, UrgencyId,
};
use super::organisation::Kind;
use super::organisation::form;
use super::sla::Clocks;

pub mod assignment;
mod comment;
pub mod edit;
pub mod history;
pub mod intake;
pub mod knowledge;
pub mod lifecycle;
pub mod sight;
pub mod submit;
pub mod timeline;
mod transitions;

pub use comment::{comment, judged_comment};
pub use intake::attachment::Attachment;
pub use transitions::{Move, Party, TRANSITIONS, day_has_come, may_wait_until, transition};
pub(super) use transitions::{changed, moved};

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    New,
    Open,
    InProgress,
    Waiting(WaitingFor),
    Resolved,
    Reopened,
    Closed,
    Cancelled,
    Merged,
}

/// Whose turn it is while the desk waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WaitingFor {
    Requester,
    Approval,
    Vendor,
}

impl State {
    /// Every state.
    pub const ALL: [State; 11] = [
        State::New,
        State::Open,
        State::InProgress,
        State::Waiting(WaitingFor::Requester),
        State::Waiting(WaitingFor::Approval),
        State::Waiting(WaitingFor::Vendor),
        State::Resolved,
        State::Reopened,
        State::Closed,
        State::Cancelled,
        State::Merged,
    ];

    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            State::New => "new",
            State::Open => "open",
            State::InProgress => "in_progress",
            State::Waiting(WaitingFor::Requester) => "waiting_requester",
            State::Waiting(WaitingFor::Approval) => "waiting_approval",
            State::Waiting(WaitingFor::Vendor) => "waiting_vendor",
            State::Resolved => "resolved",
            State::Reopened => "reopened",
            State::Closed => "closed",
            State::Cancelled => "cancelled",
            State::Merged => "merged",
        }
    }

    /// The state with this word.
    pub fn from_code(code: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether work on the ticket is still owed, so that it counts as load of its assignee.
    pub const fn is_unfinished(self) -> bool {
        !matches!(self, State::Resolved | State::Closed | State::Cancelled | State::Merged)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What a ticket began with, as intake accepted it. Nothing changes it afterwards but another day for a bundle.
#[derive(Debug, Clone, PartialEq)]
pub struct Submitted {
    pub request_type: RequestTypeId,
    pub channel: String,
    pub requester: PersonId,
    pub submitted_by: PersonId,
    pub at: Timestamp,
    pub subject: String,
    pub body: String,
    pub fields: Vec<form::Field>,
    pub attachments: Vec<Attachment>,
    /// What intake rules noticed.
    pub signals: Vec<String>,
}

/// A ticket as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    pub id: TicketId,
    pub number: TicketNumber,
    /// Counts up from 1 with every change.
    pub version: i64,
    /// Shared by all versions of the ticket.
    pub submitted: Arc<Submitted>,
    pub kind: Kind,
    pub tags: Vec<Tag>,
    pub category: CategoryId,
    pub impact: Option<ImpactId>,
    pub urgency: Option<UrgencyId>,
    pub priority: PriorityId,
    /// The priority's place in the organisation's list; 0 is the most urgent. Kept, because queues are in this order.
    pub rank: i64,
    pub team: TeamId,
    pub assignee: Option<PersonId>,
    /// The skills that routing asked for in this team; none where a person sent it there.
    pub skills: Vec<Skill>,
    /// The escalation tier; 1 is the first line.
    pub tier: u8,
    pub state: State,
    pub duplicate_of: Option<TicketNumber>,
    /// Those who follow it and are not its requester, in the order in which they came.
    pub watchers: Vec<PersonId>,
    pub updated_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub clocks: Clocks,
}

impl Ticket {
    /// Whether this person requested or submitted it.
    pub fn belongs_to(&self, person: &PersonId) -> bool {
        self.submitted.requester == *person || self.submitted.submitted_by == *person
    }

    /// Whether this person follows it.
    pub fn is_watched_by(&self, person: &PersonId) -> bool {
        self.watchers.contains(person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for state in State::ALL {
            assert_eq!(State::from_code(state.code()), Some(state));
        }
    }
}
