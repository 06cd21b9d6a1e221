//! Messages to people outside the desk, which leave after the transaction that wrote them.

use jiff::Timestamp;

use crate::desk::id::{MessageId, PersonId, TicketId};
use crate::desk::ticket::State;
use crate::desk::ticket::timeline::AccessOutcome;

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

/// The event, as far as the message tells of it: public words only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The public words that were said.
    pub reply: Option<Reply>,
    /// The state that the ticket went into.
    pub moved: Option<Moved>,
    /// The news of the access that the ticket is about.
    pub access: Option<AccessNews>,
    /// The other day that the ticket goes by.
    pub day: Option<NewDay>,
}

/// Another day by which a ticket goes, with the bundle that it is or is a part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDay {
    /// As 2027-01-18.
    pub to: String,
    /// The reason of the person who moved it.
    pub reason: String,
}

/// The end that a request for access has come to, or the access itself, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessNews {
    pub outcome: AccessOutcome,
    /// Empty where none was given.
    pub reason: String,
    /// Whether the desk gave the reason by itself, and neither a person nor a rule.
    pub by_desk: bool,
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
    /// Whether the desk gave the reason by itself, and neither a person nor a rule.
    pub by_desk: bool,
}

/// The subject of a message; its words are chosen when it is sent. Of several reasons for a message to one person, the first in
/// this order names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MessageKind {
    /// An access request awaits the recipient's decision.
    ApprovalWanted,
    /// The ticket has arrived, and this is its key.
    Acknowledgement,
    /// The ticket is resolved; the requester confirms that, or disputes it.
    Resolved,
    /// The ticket is over.
    Closed,
    /// The requester has written on a ticket that was resolved.
    RequesterWrote,
    /// A person has said something to the recipient.
    Reply,
    /// Words on the ticket name the recipient.
    Mentioned,
    /// The ticket's requester, or one who follows it, may want to know how it stands.
    StateChanged,
    /// The ticket has come up to the recipient's team.
    Escalated,
    /// The ticket is the recipient's work now.
    Assigned,
    /// The ticket is the recipient's work, and goes by another day.
    DayMoved,
    /// The ticket is the recipient's work no more, because they did not take it up in time.
    NotTakenUp,
    /// The ticket stays in the queue of the recipient's team: it was given out as often as the team allows, and not taken up.
    LeftInQueue,
    /// The requester has not said yet whether the resolution holds.
    ConfirmationReminder,
    /// The requester has not answered yet what they were asked.
    AnswerReminder,
    /// A promise about the ticket is broken.
    PromiseBroken,
    /// A promise about the ticket has used much of its time.
    PromiseRunsOut,
    /// Access that the recipient holds ends soon.
    AccessEnding,
    /// The recipient is asked whether access that another person holds is still needed.
    ReviewWanted,
    /// A person decides about access in another's place, or does so no longer: the recipient is one of the two. It is about no ticket,
    /// and has the id of what was given in the place of one.
    Delegation,
    /// The recipient's mail is refused as a ticket, and kept as a draft of theirs. It is about no ticket, and has the id of the draft in
    /// the place of one.
    MailKept,
}

codes! {
    MessageKind {
        ApprovalWanted => "approval-wanted",
        Acknowledgement => "acknowledgement",
        Resolved => "resolved",
        Closed => "closed",
        RequesterWrote => "requester-wrote",
        Reply => "reply",
        Mentioned => "mentioned",
        StateChanged => "state-changed",
        Escalated => "escalated",
        Assigned => "assigned",
        DayMoved => "day-moved",
        NotTakenUp => "not-taken-up",
        LeftInQueue => "left-in-queue",
        ConfirmationReminder => "confirmation-reminder",
        AnswerReminder => "answer-reminder",
        PromiseBroken => "promise-broken",
        PromiseRunsOut => "promise-runs-out",
        AccessEnding => "access-ending",
        ReviewWanted => "review-wanted",
        Delegation => "delegation",
        MailKept => "mail-kept",
    }
}

impl MessageKind {
    /// Whether it goes out at once in any case: others wait for the recipient, another acts in their name, or it answers a mail of theirs.
    pub const fn is_owed_always(self) -> bool {
        matches!(
            self,
            MessageKind::ApprovalWanted | MessageKind::ReviewWanted | MessageKind::Delegation | MessageKind::MailKept
        )
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
