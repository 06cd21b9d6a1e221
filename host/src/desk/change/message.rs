//! Messages to people outside the desk, which leave after the transaction that wrote them.

use jiff::Timestamp;

use crate::desk::id::{MessageId, PersonId, TicketId};
use crate::desk::ticket::State;

/// A message to one person about one ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: MessageId,
    pub ticket: TicketId,
    pub kind: MessageKind,
    pub to: PersonId,
    pub at: Timestamp,
    pub about: About,
}

/// What happened, as far as the message tells of it: public words only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The public words that were said.
    pub reply: Option<Reply>,
    /// The state that the ticket went into.
    pub moved: Option<Moved>,
}

/// Public words on a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The person who said them; `None` for the desk itself or a rule.
    pub by: Option<PersonId>,
    pub body: String,
}

/// A step of a ticket from one state into another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub from: State,
    pub to: State,
    pub reason: String,
}

/// The subject of a message; its words are chosen when it is sent. Of several reasons for a message to one person, the first in
/// this order names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MessageKind {
    /// An access request awaits the recipient's decision.
    ApprovalWanted,
    /// The ticket has arrived, and this is its key.
    Acknowledgement,
    /// What was asked for is done, or cannot be.
    Resolved,
    /// The ticket is over.
    Closed,
    /// Somebody has said something to the recipient.
    Reply,
    /// The ticket's requester may want to know how it stands.
    StateChanged,
    /// The ticket is the recipient's work now.
    Assigned,
    /// A promised time is over.
    SlaBreached,
    /// A promised time is nearly over.
    SlaWarning,
}

impl MessageKind {
    /// Every kind.
    pub const ALL: [MessageKind; 9] = [
        MessageKind::ApprovalWanted,
        MessageKind::Acknowledgement,
        MessageKind::Resolved,
        MessageKind::Closed,
        MessageKind::Reply,
        MessageKind::StateChanged,
        MessageKind::Assigned,
        MessageKind::SlaBreached,
        MessageKind::SlaWarning,
    ];

    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            MessageKind::ApprovalWanted => "approval-wanted",
            MessageKind::Acknowledgement => "acknowledgement",
            MessageKind::Resolved => "resolved",
            MessageKind::Closed => "closed",
            MessageKind::Reply => "reply",
            MessageKind::StateChanged => "state-changed",
            MessageKind::Assigned => "assigned",
            MessageKind::SlaBreached => "sla-breached",
            MessageKind::SlaWarning => "sla-warning",
        }
    }

    /// The kind with this word.
    pub fn from_code(code: &str) -> Option<MessageKind> {
        MessageKind::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Whether it goes out whatever its recipient prefers, because others wait for the recipient.
    pub const fn is_owed_always(self) -> bool {
        matches!(self, MessageKind::ApprovalWanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for kind in MessageKind::ALL {
            assert_eq!(MessageKind::from_code(kind.code()), Some(kind));
        }
    }
}
