//! The timeline: what happened to a ticket, entry by entry, never changed afterwards.
//!
//! It knows how each event reads and who may see it, not how it is stored.

use jiff::Timestamp;

use super::actor::{Author, RuleRef};
use super::id::{
    CategoryId, CommentId, GrantId, ImpactId, MessageId, PersonId, PriorityId, Tag, TeamId,
    TicketNumber, UrgencyId,
};
use super::organisation::{Kind, Strategy};
use super::ticket::State;

/// Who may see an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// The requester too.
    Public,
    /// Agents and admins only.
    Internal,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub at: Timestamp,
    pub author: Author,
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Submitted {
        channel: String,
        requester: PersonId,
    },
    /// Intake let it in; `signals` are for agents.
    Accepted {
        tags: Vec<Tag>,
        signals: Vec<String>,
        duplicate_of: Option<TicketNumber>,
        reason: String,
    },
    FieldChanged {
        field: String,
        from: String,
        to: String,
        reason: String,
    },
    Categorized {
        category: CategoryId,
        kind: Kind,
        tags: Vec<Tag>,
        reason: String,
    },
    Prioritized {
        priority: PriorityId,
        impact: Option<ImpactId>,
        urgency: Option<UrgencyId>,
        reason: String,
    },
    Routed {
        team: TeamId,
        tier: u8,
        reason: String,
    },
    Assigned {
        assignee: PersonId,
        /// `None` where a rule or a person named the assignee.
        strategy: Option<Strategy>,
    },
    Unassigned {
        reason: String,
    },
    /// A rule failed or nobody had what was needed, and something else stands in.
    FellBack {
        stage: &'static str,
        reason: String,
        rules: Vec<RuleRef>,
    },
    AccessRequested {
        subject: PersonId,
        app: String,
        tier: String,
    },
    AccessDecided {
        /// `approved`, `awaiting-approval` or `denied`.
        outcome: &'static str,
        reason: String,
    },
    StepDecided {
        /// 1 is the first step.
        step: usize,
        approver: PersonId,
        approved: bool,
        reason: String,
    },
    AccessGranted {
        grant: GrantId,
        subject: PersonId,
        app: String,
        tier: String,
        expires_at: Timestamp,
    },
    AccessCancelled,
    Commented {
        comment: CommentId,
        body: String,
        visibility: Visibility,
    },
    StateChanged {
        from: State,
        to: State,
        reason: String,
    },
    AcknowledgementQueued {
        message: MessageId,
        to: PersonId,
    },
}

/// An event in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// A stable word for programs, such as `categorized`.
    pub kind: &'static str,
    /// A sentence for people; a comment's own text.
    pub text: String,
    /// The particulars, for programs.
    pub details: Vec<(&'static str, String)>,
    pub visibility: Visibility,
}

fn words<T: ToString>(items: &[T]) -> String {
    let words: Vec<String> = items.iter().map(T::to_string).collect();
    words.join(", ")
}

fn told(kind: &'static str, text: String, details: Vec<(&'static str, String)>) -> Told {
    Told {
        kind,
        text,
        details,
        visibility: Visibility::Public,
    }
}

fn internal(told: Told) -> Told {
    Told {
        visibility: Visibility::Internal,
        ..told
    }
}

/// The sentence, then the reason if there is one.
fn because(sentence: String, reason: &str) -> String {
    if reason.is_empty() {
        format!("{sentence}.")
    } else {
        format!("{sentence}: {reason}")
    }
}

impl Event {
    /// The event in words: its kind, its sentence, its particulars, and who may see them.
    pub fn told(&self) -> Told {
        match self {
            Event::Submitted { .. } | Event::Accepted { .. } | Event::FieldChanged { .. } => {
                self.told_of_intake()
            }
            Event::Categorized { .. }
            | Event::Prioritized { .. }
            | Event::Routed { .. }
            | Event::Assigned { .. }
            | Event::Unassigned { .. }
            | Event::FellBack { .. } => self.told_of_decisions(),
            Event::AccessRequested { .. }
            | Event::AccessDecided { .. }
            | Event::StepDecided { .. }
            | Event::AccessGranted { .. }
            | Event::AccessCancelled => self.told_of_access(),
            Event::Commented {
                comment,
                body,
                visibility,
            } => Told {
                kind: "commented",
                text: body.clone(),
                details: vec![("comment", comment.to_string())],
                visibility: *visibility,
            },
            Event::StateChanged { from, to, reason } => told(
                "state-changed",
                because(format!("{} became {}", from.words(), to.words()), reason),
                vec![("from", from.code().into()), ("to", to.code().into())],
            ),
            Event::AcknowledgementQueued { message, to } => told(
                "acknowledgement-queued",
                format!("An acknowledgement goes to {to}."),
                vec![("message", message.to_string()), ("to", to.to_string())],
            ),
        }
    }

    fn told_of_intake(&self) -> Told {
        match self {
            Event::Submitted { channel, requester } => told(
                "submitted",
                format!("Submitted for {requester} through {channel}."),
                vec![
                    ("channel", channel.clone()),
                    ("requester", requester.to_string()),
                ],
            ),
            Event::Accepted {
                tags,
                signals,
                duplicate_of,
                reason,
            } => {
                let mut details = vec![("tags", words(tags)), ("signals", words(signals))];
                if let Some(number) = duplicate_of {
                    details.push(("duplicate-of", number.to_string()));
                }
                internal(told("accepted", because("Accepted".into(), reason), details))
            }
            Event::FieldChanged {
                field,
                from,
                to,
                reason,
            } => told(
                "field-changed",
                because(format!("{field} became “{to}”"), reason),
                vec![
                    ("field", field.clone()),
                    ("from", from.clone()),
                    ("to", to.clone()),
                ],
            ),
            _ => self.told(),
        }
    }
}
