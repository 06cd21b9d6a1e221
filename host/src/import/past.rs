//! How a ticket fared before it was imported.

use jiff::Timestamp;

use super::thread::Comment;
use crate::desk::id::PersonId;
use crate::desk::ticket::State;

/// The life of a ticket so far, as a file has it; nothing of it is sure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    pub created_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub state: Option<State>,
    /// The person who had it last.
    pub assignee: Option<PersonId>,
    /// The comments, by their times.
    pub comments: Vec<Comment>,
}

impl Past {
    /// The first two of its times that are in no order that a life can have.
    pub fn backwards(&self) -> Option<(Timestamp, Timestamp)> {
        let times: Vec<Timestamp> = [self.created_at, self.resolved_at, self.closed_at].into_iter().flatten().collect();
        times.windows(2).find_map(|pair| match pair {
            [first, second] if second < first => Some((*second, *first)),
            _ => None,
        })
    }
}
