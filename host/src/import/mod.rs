//! Importing tickets from a file of rows: what the columns mean, reading row by row, and the summary at the end.
//!
//! It knows neither the store nor the rules nor the organisation: rows go in, plain tickets and counts come out. The
//! caller submits the tickets and reports what became of them.

mod json;
mod mapping;
mod past;
mod people;
mod presets;
mod read;
mod score;
mod summary;
#[cfg(test)]
mod tests;
mod thread;
mod wrong;

pub use json::JSON_BYTES_MAX;
pub use mapping::{HeldBack, MapError, Mapping, Target, slug};
pub use past::{NotATimeFormat, Past, check_format};
pub use people::People;
pub use presets::Preset;
pub use read::{ImportedTicket, Plan, Row, Skipped, Tickets};
pub use score::{Agreement, ClassScore};
pub use summary::{Outcome, Summary};
pub use thread::{Comment, ThreadWrong};
pub use wrong::{ReadError, RowProblem, RowWrong};

/// What a file says a ticket came to, to compare decisions with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    pub category: Option<String>,
    pub priority: Option<String>,
    pub team: Option<String>,
}

/// What can be labelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LabelKind {
    Category,
    Priority,
    Team,
}

impl LabelKind {
    /// Every kind.
    pub const ALL: [LabelKind; 3] = [LabelKind::Category, LabelKind::Priority, LabelKind::Team];

    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            LabelKind::Category => "category",
            LabelKind::Priority => "priority",
            LabelKind::Team => "team",
        }
    }
}

impl Labels {
    /// The label of that kind.
    pub fn get(&self, kind: LabelKind) -> Option<&str> {
        match kind {
            LabelKind::Category => self.category.as_deref(),
            LabelKind::Priority => self.priority.as_deref(),
            LabelKind::Team => self.team.as_deref(),
        }
    }
}
