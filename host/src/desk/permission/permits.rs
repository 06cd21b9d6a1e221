//! The permits that name what they are about: a ticket, a requester, a list.
//!
//! A permit for one ticket gives what it permits only by `on`, with the ticket at hand, so that no use of it can forget to
//! compare the two.

use super::table::Act;
use crate::desk::actor::Author;
use crate::desk::id::{PersonId, TicketId};
use crate::desk::refusal::Refusal;
use crate::desk::ticket::timeline::Visibility;
use crate::desk::ticket::{Party, Ticket};

/// Refuses a permit for one ticket where it is used on another.
fn is_for(permitted: TicketId, at_hand: TicketId, act: Act) -> Result<(), Refusal> {
    if permitted == at_hand { Ok(()) } else { Err(Refusal::Forbidden { act }) }
}

/// Permission to create a ticket for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayCreate {
    pub(super) requester: PersonId,
    pub(super) submitted_by: PersonId,
    pub(super) by_desk: bool,
}

impl MayCreate {
    pub fn requester(&self) -> &PersonId {
        &self.requester
    }

    pub fn submitted_by(&self) -> &PersonId {
        &self.submitted_by
    }

    /// Whether one who works on tickets submits it, who may say more about it than a requester.
    pub fn by_desk(&self) -> bool {
        self.by_desk
    }
}

/// Permission to read one ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayRead {
    pub(super) ticket: TicketId,
    pub(super) sees: Visibility,
}

impl MayRead {
    pub fn ticket(&self) -> TicketId {
        self.ticket
    }

    /// The most hidden entries that may be shown: private notes are internal.
    pub fn sees(&self) -> Visibility {
        self.sees
    }
}

/// Permission to comment on one ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayComment {
    pub(super) ticket: TicketId,
    pub(super) visibility: Visibility,
    pub(super) author: Author,
    /// Whether the comment speaks for the desk, so that it answers the requester.
    pub(super) as_agent: bool,
}

impl MayComment {
    /// The comment that is permitted, if the permit is for this ticket.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] where it is for another one.
    pub fn on(&self, ticket: &Ticket) -> Result<Comment<'_>, Refusal> {
        is_for(self.ticket, ticket.id, Act::CommentPublic).map(|()| Comment {
            visibility: self.visibility,
            author: &self.author,
            as_agent: self.as_agent,
        })
    }
}

/// A comment as far as a permit determines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment<'a> {
    pub visibility: Visibility,
    pub author: &'a Author,
    /// Whether the comment speaks for the desk, so that it answers the requester.
    pub as_agent: bool,
}

/// Permission to ask for another state; the transition table has the last word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayTransition {
    pub(super) ticket: TicketId,
    pub(super) parties: Vec<Party>,
    pub(super) author: Author,
}

impl MayTransition {
    /// The parties that the actor is, and the author, if the permit is for this ticket.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] where it is for another one.
    pub fn on(&self, ticket: &Ticket) -> Result<(&[Party], &Author), Refusal> {
        is_for(self.ticket, ticket.id, Act::ChangeState).map(|()| (self.parties.as_slice(), &self.author))
    }
}

/// Permits for one ticket, with the act that each permits and its author.
macro_rules! for_one_ticket {
    ($($(#[$doc:meta])* $name:ident: $act:ident,)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            pub(super) ticket: TicketId,
            pub(super) author: Author,
        }

        impl $name {
            /// The author, if the permit is for this ticket.
            ///
            /// # Errors
            /// [`Refusal::Forbidden`] where it is for another one.
            pub fn on(&self, ticket: &Ticket) -> Result<&Author, Refusal> {
                is_for(self.ticket, ticket.id, Act::$act).map(|()| &self.author)
            }
        }
    )+};
}

for_one_ticket! {
    /// Permission to change one ticket by hand.
    MayEdit: EditTicket,
    /// Permission to say how one ticket went.
    MayAnswer: AnswerSurvey,
    /// Permission to say that a person follows one ticket, or does not.
    MayWatch: ChangeWatchers,
    /// Permission to take one ticket up to the next tier.
    MayEscalate: Escalate,
    /// Permission to take back the access that a ticket gave.
    MayRevoke: RevokeAccess,
}

/// Permission to read the knowledge base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MayReadKnowledge {
    pub(super) internal: bool,
}

impl MayReadKnowledge {
    /// Whether articles may be shown that are not public.
    pub fn internal(self) -> bool {
        self.internal
    }
}

/// Permission to write articles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayWriteKnowledge {
    pub(super) author: PersonId,
}

impl MayWriteKnowledge {
    /// The one who writes.
    pub fn author(&self) -> &PersonId {
        &self.author
    }
}

/// Permission to list tickets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayList {
    pub(super) only: Option<PersonId>,
}

impl MayList {
    /// The person to whose tickets the list is confined; `None` is the whole desk.
    pub fn only(&self) -> Option<&PersonId> {
        self.only.as_ref()
    }
}

/// Permission to decide one access request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MayDecide {
    pub(super) ticket: TicketId,
    pub(super) approver: PersonId,
}

impl MayDecide {
    /// The approver, if the permit is for this ticket.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] where it is for another one.
    pub fn on(&self, ticket: TicketId) -> Result<&PersonId, Refusal> {
        is_for(self.ticket, ticket, Act::DecideAccess).map(|()| &self.approver)
    }
}
