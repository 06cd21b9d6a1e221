//! Messages to people outside the desk, which leave after the transaction that wrote them.

use jiff::Timestamp;

use crate::desk::id::{MessageId, PersonId, TicketId};

/// A message to one person about one ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: MessageId,
    pub ticket: TicketId,
    pub kind: MessageKind,
    pub to: PersonId,
    pub at: Timestamp,
}

/// The subject of a message; its words are chosen when it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// The ticket has arrived, and this is its key.
    Acknowledgement,
    /// An access request awaits the recipient's decision.
    ApprovalWanted,
    /// The ticket's requester may want to know how it stands.
    StateChanged,
    /// Access that the recipient holds ends soon.
    AccessEnding,
}

impl MessageKind {
    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            MessageKind::Acknowledgement => "acknowledgement",
            MessageKind::ApprovalWanted => "approval-wanted",
            MessageKind::StateChanged => "state-changed",
            MessageKind::AccessEnding => "access-ending",
        }
    }
}
