//! How much each reader sees of a ticket: one table, by which the ticket itself, lists, the timeline, explanations and exports go.

use jiff::Timestamp;

use super::Ticket;
use super::timeline::{Field, Visibility};
use crate::desk::access::AccessCase;
use crate::desk::id::PersonId;
use crate::desk::organisation::Organisation;

/// A part of a ticket that not every reader need see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A field that rules and people set.
    Set(Field),
    Assignee,
    /// The signals of intake rules.
    Signals,
    /// The number of another ticket, which may be another person's.
    DuplicateOf,
}

impl Part {
    /// The one table of who sees what. All else of a ticket is for everybody who may read it.
    pub const fn visibility(self) -> Visibility {
        match self {
            Part::Set(Field::Category | Field::Priority | Field::Day) => Visibility::Public,
            Part::Set(Field::Tags | Field::Impact | Field::Urgency | Field::Team | Field::Tier) => Visibility::Internal,
            Part::Assignee | Part::Signals | Part::DuplicateOf => Visibility::Internal,
        }
    }
}

/// The most hidden parts of a ticket that a message to a person may show; `None` where it may show none of it. A message has no
/// token with roles, so the person's part in the ticket decides: those who work in a team see all.
pub fn of_recipient(
    organisation: &Organisation,
    ticket: &Ticket,
    case: Option<&AccessCase>,
    person: &PersonId,
) -> Option<Visibility> {
    let works = |person: &PersonId| {
        organisation.teams.values().flat_map(|team| &team.members).any(|member| member.person == *person)
    };
    if ticket.assignee.as_ref() == Some(person) || works(person) {
        return Some(Visibility::Internal);
    }
    let concerns = |case: &AccessCase| case.names_approver(person) || case.request.subject == *person;
    let follows = ticket.belongs_to(person) || ticket.is_watched_by(person);
    (follows || case.is_some_and(concerns)).then_some(Visibility::Public)
}

/// The most hidden parts of a ticket that a message may show to a person whom words on it name: as [`of_recipient`], and to a reader
/// of the requester's department what is public. Such a reader hears of no ticket unless they are named or follow it.
pub fn of_named(
    organisation: &Organisation,
    ticket: &Ticket,
    case: Option<&AccessCase>,
    person: &PersonId,
) -> Option<Visibility> {
    let reads = || organisation.reads_tickets_of(person, ticket.submitted.requester.as_str());
    of_recipient(organisation, ticket, case, person).or_else(|| reads().then_some(Visibility::Public))
}

/// How much one reader sees of one ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// All of it: those who work on tickets.
    All,
    /// Only the public part: the requester, and approvers.
    Public(PublicState),
}

/// How far a ticket has come for those who see only what is public: a private note changes neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicState {
    /// Counts up from 1 with what they see happen.
    pub version: i64,
    /// When the last of them was written.
    pub updated_at: Timestamp,
}

impl Sight {
    /// Whether a part is shown.
    pub const fn shows(&self, part: Part) -> bool {
        matches!((self, part.visibility()), (Sight::All, _) | (_, Visibility::Public))
    }

    /// A part's value, if it is shown.
    pub fn of<T>(&self, part: Part, value: T) -> Option<T> {
        self.shows(part).then_some(value)
    }

    /// The ticket's version, as this reader may name it.
    pub const fn version(&self, version: i64) -> i64 {
        match self {
            Sight::All => version,
            Sight::Public(state) => state.version,
        }
    }

    /// When the ticket changed last, as far as this reader sees.
    pub const fn updated_at(&self, updated_at: Timestamp) -> Timestamp {
        match self {
            Sight::All => updated_at,
            Sight::Public(state) => state.updated_at,
        }
    }

    /// The tag of the ticket as this reader sees it.
    pub fn tag(&self, ticket: &Ticket) -> String {
        self.version(ticket.version).to_string()
    }
}
