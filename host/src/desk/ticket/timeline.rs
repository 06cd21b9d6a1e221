//! What happened to a ticket, entry by entry; it is only ever added to.

use jiff::Timestamp;

use super::State;
use super::lifecycle::resolution::ResolutionRecord;
use crate::desk::access::AccessState;
use crate::desk::actor::Author;
use crate::desk::id::{AttachmentId, CommentId, PersonId, TicketNumber};
use crate::desk::organisation::service::RecordPart;
use crate::desk::sla::ClockKind;

/// Who may see an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visibility {
    /// Everybody who may read the ticket.
    Public,
    /// Agents and admins.
    Internal,
}

impl Visibility {
    /// The stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Visibility::Public => "public",
            Visibility::Internal => "internal",
        }
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub at: Timestamp,
    pub author: Author,
    pub visibility: Visibility,
    pub event: Event,
}

impl Entry {
    /// Whether its reason is a sentence of the desk itself, and neither a person's own nor a rule's. Where one ticket goes on as another
    /// one, the desk says so for the person.
    pub fn says_the_desk_why(&self) -> bool {
        self.author == Author::System || matches!(self.event, Event::StateChanged { to: State::Merged, .. })
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Submitted {
        channel: String,
    },
    /// A field got a value: which, from what, to what, why.
    Set {
        field: Field,
        from: Option<String>,
        to: String,
        reason: String,
    },
    /// The store settled whose turn it is; `None` where no member of the team may have it now.
    Assigned {
        team: String,
        assignee: Option<String>,
        reason: String,
    },
    StateChanged {
        from: State,
        to: State,
        reason: String,
    },
    Commented {
        comment: CommentId,
        body: String,
    },
    AccessDecided {
        outcome: AccessOutcome,
        detail: String,
    },
    Acknowledged {
        to: String,
    },
    /// How it was resolved, for those who work on tickets.
    Resolved {
        record: ResolutionRecord,
    },
    /// A promise has used so much of its time.
    ClockReached {
        clock: ClockKind,
        percent: u16,
    },
    /// The configuration promises something else than before, or by another calendar.
    Retargeted {
        clock: ClockKind,
        /// In minutes of open time; `None` where it is promised no more.
        minutes: Option<i64>,
        /// When it was due, and when it is; `None` while it stands still.
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    },
    /// The ticket's priority has another place in the list: 0 is the most urgent.
    Reranked {
        from: i64,
        to: i64,
    },
    /// A person asked for the next tier.
    EscalationAsked {
        reason: String,
    },
    /// The ticket went up to another team.
    Escalated {
        from: String,
        to: String,
        tier: u8,
        reason: String,
    },
    /// A link with another ticket: its word from this one.
    Linked {
        link: String,
        other: TicketNumber,
    },
    Unlinked {
        link: String,
        other: TicketNumber,
    },
    /// The ticket got a file.
    Attached {
        attachment: AttachmentId,
        name: String,
        /// In bytes.
        size: u64,
        /// SHA-256 in hexadecimal.
        digest: String,
    },
    /// A task was added, done, opened again or taken away.
    Task {
        step: String,
        text: String,
    },
    /// The ticket was declared to be an outage, or takes no more tickets: `declared` or `ended`.
    Outage {
        step: String,
    },
    /// A person follows the ticket from now on.
    Watched {
        person: PersonId,
    },
    Unwatched {
        person: PersonId,
    },
    /// A person has worked on it for so long; less than nothing where too much was written down.
    TimeSpent {
        minutes: i64,
        note: String,
    },
    /// The requester said how it went, from 1 to 5, which is the best.
    SurveyAnswered {
        score: i64,
        comment: String,
    },
    /// The entry's row holds what nothing of ours wrote. It is only ever read, never written.
    Unreadable,
}

/// A field of a ticket that rules and people set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Category,
    Tags,
    Impact,
    Urgency,
    Priority,
    Team,
    Tier,
    /// The day that a bundle, or a part of one, goes by.
    Day,
}

codes! {
    Field {
        Category => "category",
        Tags => "tags",
        Impact => "impact",
        Urgency => "urgency",
        Priority => "priority",
        Team => "team",
        Tier => "tier",
        Day => "day",
    }
}

/// What came of a request for access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessOutcome {
    /// The request stands here now.
    Is(AccessState),
    /// The grant was taken back.
    Revoked,
    /// The time of the grant is over.
    Expired,
    /// The app has it.
    Provisioned,
    /// The app does not have it any more.
    Gone,
    /// A person has to look at it.
    Attention,
    /// An approver has asked something back.
    Asked,
    /// That was answered.
    Answered,
}

impl AccessOutcome {
    /// Those that are no state of a request.
    const OTHERS: [AccessOutcome; 7] = [
        AccessOutcome::Revoked,
        AccessOutcome::Expired,
        AccessOutcome::Provisioned,
        AccessOutcome::Gone,
        AccessOutcome::Attention,
        AccessOutcome::Asked,
        AccessOutcome::Answered,
    ];

    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            AccessOutcome::Is(state) => state.code(),
            AccessOutcome::Revoked => "revoked",
            AccessOutcome::Expired => "expired",
            AccessOutcome::Provisioned => "provisioned",
            AccessOutcome::Gone => "gone",
            AccessOutcome::Attention => "attention",
            AccessOutcome::Asked => "asked",
            AccessOutcome::Answered => "answered",
        }
    }

    /// The outcome with this word.
    pub fn from_code(code: &str) -> Option<AccessOutcome> {
        let other = AccessOutcome::OTHERS.into_iter().find(|outcome| outcome.code() == code);
        other.or_else(|| AccessState::from_code(code).map(AccessOutcome::Is))
    }
}

impl Event {
    /// The stable word for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Event::Submitted { .. } => "submitted",
            Event::Set { .. } => "set",
            Event::Assigned { .. } => "assigned",
            Event::StateChanged { .. } => "state-changed",
            Event::Commented { .. } => "commented",
            Event::AccessDecided { .. } => "access-decided",
            Event::Acknowledged { .. } => "acknowledged",
            Event::Resolved { .. } => "resolved",
            Event::ClockReached { .. } => "clock-reached",
            Event::Retargeted { .. } => "retargeted",
            Event::Reranked { .. } => "reranked",
            Event::EscalationAsked { .. } => "escalation-asked",
            Event::Escalated { .. } => "escalated",
            Event::Linked { .. } => "linked",
            Event::Unlinked { .. } => "unlinked",
            Event::Attached { .. } => "attached",
            Event::Task { .. } => "task",
            Event::Outage { .. } => "outage",
            Event::Watched { .. } => "watched",
            Event::Unwatched { .. } => "unwatched",
            Event::TimeSpent { .. } => "time-spent",
            Event::SurveyAnswered { .. } => "survey-answered",
            Event::Unreadable => "unreadable",
        }
    }

    /// What happened, as name and value pairs for programs that read the timeline.
    pub fn details(&self) -> Vec<(&'static str, String)> {
        match self {
            Event::Submitted { channel } => vec![("channel", channel.clone())],
            Event::Set { field, from, to, reason } => {
                let mut details = vec![("field", field.code().to_owned()), ("to", to.clone())];
                details.extend(from.clone().map(|from| ("from", from)));
                details.push(("reason", reason.clone()));
                details
            }
            Event::Assigned { team, assignee, reason } => {
                let mut details = vec![("team", team.clone()), ("reason", reason.clone())];
                details.extend(assignee.clone().map(|assignee| ("assignee", assignee)));
                details
            }
            Event::StateChanged { from, to, reason } => {
                vec![("from", from.code().to_owned()), ("to", to.code().to_owned()), ("reason", reason.clone())]
            }
            Event::Commented { comment, body } => {
                vec![("comment", comment.to_string()), ("body", body.clone())]
            }
            Event::AccessDecided { outcome, detail } => {
                vec![("outcome", outcome.code().to_owned()), ("detail", detail.clone())]
            }
            Event::Acknowledged { to } => vec![("to", to.clone())],
            Event::Resolved { record } => {
                RecordPart::ALL.map(|part| (part.code(), record.part(part).to_owned())).into()
            }
            Event::ClockReached { clock, percent } => {
                vec![("clock", clock.code().to_owned()), ("percent", percent.to_string())]
            }
            Event::Retargeted { clock, minutes, from, to } => {
                let mut details = vec![("clock", clock.code().to_owned())];
                details.extend(minutes.map(|minutes| ("minutes", minutes.to_string())));
                details.extend(from.map(|from| ("from", from.to_string())));
                details.extend(to.map(|to| ("to", to.to_string())));
                details
            }
            Event::Reranked { from, to } => vec![("from", from.to_string()), ("to", to.to_string())],
            Event::EscalationAsked { reason } => vec![("reason", reason.clone())],
            Event::Escalated { from, to, tier, reason } => {
                vec![("from", from.clone()), ("to", to.clone()), ("tier", tier.to_string()), ("reason", reason.clone())]
            }
            Event::Linked { link, other } | Event::Unlinked { link, other } => {
                vec![("link", link.clone()), ("ticket", other.to_string())]
            }
            Event::Attached { attachment, name, size, digest } => vec![
                ("attachment", attachment.to_string()),
                ("name", name.clone()),
                ("size", size.to_string()),
                ("digest", digest.clone()),
            ],
            Event::Task { step, text } => vec![("step", step.clone()), ("text", text.clone())],
            Event::Outage { step } => vec![("step", step.clone())],
            Event::Watched { person } | Event::Unwatched { person } => vec![("person", person.to_string())],
            Event::TimeSpent { minutes, note } => vec![("minutes", minutes.to_string()), ("note", note.clone())],
            Event::SurveyAnswered { score, comment } => {
                vec![("score", score.to_string()), ("comment", comment.clone())]
            }
            Event::Unreadable => {
                vec![("damage", "this entry cannot be read: put its row back from a backup".to_owned())]
            }
        }
    }
}
