//! What happened to a ticket, entry by entry; it is only ever added to.

use jiff::Timestamp;

use crate::desk::actor::Author;
use crate::desk::id::CommentId;

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

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Submitted {
        channel: String,
    },
    /// A field got a value: which, from what, to what, why.
    Set {
        field: &'static str,
        from: Option<String>,
        to: String,
        reason: String,
    },
    /// The store settled whose turn it is; `None` where nobody in the team may have it now.
    Assigned {
        team: String,
        assignee: Option<String>,
        reason: String,
    },
    StateChanged {
        from: &'static str,
        to: &'static str,
        reason: String,
    },
    Commented {
        comment: CommentId,
        body: String,
    },
    AccessDecided {
        outcome: &'static str,
        detail: String,
    },
    Acknowledged {
        to: String,
    },
}

impl Event {
    /// The stable word for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Submitted { .. } => "submitted",
            Event::Set { .. } => "set",
            Event::Assigned { .. } => "assigned",
            Event::StateChanged { .. } => "state-changed",
            Event::Commented { .. } => "commented",
            Event::AccessDecided { .. } => "access-decided",
            Event::Acknowledged { .. } => "acknowledged",
        }
    }

    /// What happened, as name and value pairs.
    pub fn details(&self) -> Vec<(&'static str, String)> {
        match self {
            Event::Submitted { channel } => vec![("channel", channel.clone())],
            Event::Set { field, from, to, reason } => {
                let mut details = vec![("field", (*field).to_owned()), ("to", to.clone())];
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
                vec![("from", (*from).to_owned()), ("to", (*to).to_owned()), ("reason", reason.clone())]
            }
            Event::Commented { comment, body } => {
                vec![("comment", comment.to_string()), ("body", body.clone())]
            }
            Event::AccessDecided { outcome, detail } => {
                vec![("outcome", (*outcome).to_owned()), ("detail", detail.clone())]
            }
            Event::Acknowledged { to } => vec![("to", to.clone())],
        }
    }
}
