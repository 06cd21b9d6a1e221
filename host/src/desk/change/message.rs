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
    /// The ticket is resolved; the requester confirms that, or disputes it.
    Resolved,
    /// The requester has not said yet whether the resolution holds.
    ConfirmationReminder,
    /// The ticket is over.
    Closed,
    /// The requester has written on a ticket that was resolved.
    RequesterWrote,
    /// A promise about the ticket has used much of its time.
    PromiseRunsOut,
    /// A promise about the ticket is broken.
    PromiseBroken,
    /// The ticket has come up to the recipient's team.
    Escalated,
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
            MessageKind::Resolved => "resolved",
            MessageKind::ConfirmationReminder => "confirmation-reminder",
            MessageKind::Closed => "closed",
            MessageKind::RequesterWrote => "requester-wrote",
            MessageKind::PromiseRunsOut => "promise-runs-out",
            MessageKind::PromiseBroken => "promise-broken",
            MessageKind::Escalated => "escalated",
            MessageKind::AccessEnding => "access-ending",
        }
    }
}
