//! Timers: when the desk looks at a ticket again, and why. A change sets and cancels them in its own transaction, so that
//! nothing is forgotten and nothing is due that no longer matters.

use jiff::Timestamp;

use crate::desk::id::TicketId;

/// The reason for which the desk looks at a ticket again. A ticket has at most one timer of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimerKind {
    /// The time is over in which an access request can be approved.
    AccessDeadline,
    /// A promise about the ticket comes to a share of its time at which something is done.
    Clocks,
    /// Tickets that are linked with it have to follow what has become of it.
    LinkedTickets,
    /// The access that the ticket gave ends.
    AccessExpiry,
    /// The person who holds the access that the ticket gave hears that it ends soon.
    AccessReminder,
    /// Something is to be done in an app, for the access that the ticket gave.
    Provision,
    /// The access that the ticket gave is read again in the app.
    AccessCheck,
    /// The time is over in which the access that the ticket gave is reviewed.
    AccessReview,
    /// The access that the ticket gave begins.
    AccessStart,
    /// Those whom an access request awaits hear of it again.
    AccessNudge,
    /// An access request that still waits goes to more people.
    AccessEscalation,
    /// The day comes until which the ticket waits.
    WaitsUntil,
}

codes! {
    TimerKind {
        AccessDeadline => "access-deadline",
        Clocks => "clocks",
        LinkedTickets => "linked-tickets",
        AccessExpiry => "access-expiry",
        AccessReminder => "access-reminder",
        Provision => "provision",
        AccessCheck => "access-check",
        AccessReview => "access-review",
        AccessStart => "access-start",
        AccessNudge => "access-nudge",
        AccessEscalation => "access-escalation",
        WaitsUntil => "waits-until",
    }
}

/// One timer as a change leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerWrite {
    /// The timer runs to this time, whether or not it ran before; attempts that failed before are forgotten.
    Set { kind: TimerKind, ticket: TicketId, due_at: Timestamp },
    /// The timer no longer runs, if it did.
    Cancel { kind: TimerKind, ticket: TicketId },
}

impl TimerWrite {
    /// Sets the timer where it is due at some time, and cancels it where it is not.
    pub fn due(kind: TimerKind, ticket: TicketId, due_at: Option<Timestamp>) -> TimerWrite {
        match due_at {
            Some(due_at) => TimerWrite::Set { kind, ticket, due_at },
            None => TimerWrite::Cancel { kind, ticket },
        }
    }

    /// Which timer it is.
    pub fn key(&self) -> (TimerKind, TicketId) {
        match self {
            TimerWrite::Set { kind, ticket, .. } | TimerWrite::Cancel { kind, ticket } => (*kind, *ticket),
        }
    }

    /// When it is due; `None` where it no longer runs.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self {
            TimerWrite::Set { due_at, .. } => Some(*due_at),
            TimerWrite::Cancel { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for kind in TimerKind::ALL {
            assert_eq!(TimerKind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(TimerKind::from_code("outbox"), None, "the name of the other queue");
    }
}
