//! Values of the desk in the words of a page: states, priorities, tickets in lists.

use std::fmt::Display;

use super::Frame;
use super::times::When;
use super::words::Words;
use crate::app::tickets::work::{Sights, TicketSummary};
use crate::desk::access::HumanDecision;
use crate::desk::id::PriorityId;
use crate::desk::sla::ClockKind;
use crate::desk::ticket::{State, WaitingFor};

/// A number of bytes, in the largest unit that fits.
pub fn size(words: Words, bytes: u64) -> String {
    // Cut off, not rounded: a file at the bound is not shown as above it.
    let tenths = |shift: u32| words.decimal(((u128::from(bytes) * 10) >> shift) as f64 / 10.0, 1);
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes / 1_024),
        1_048_576..1_073_741_824 => format!("{} MiB", tenths(20)),
        _ => format!("{} GiB", tenths(30)),
    }
}

/// A priority: its name, and its rank for the bar next to it, from 0 for the most urgent to 3.
#[derive(Debug, Clone)]
pub struct Priority {
    pub name: String,
    pub rank: usize,
}

/// A state: its words, and the tone of its mark.
#[derive(Debug, Clone)]
pub struct StateWord {
    pub text: String,
    /// `new`, `work`, `wait`, `good` or `over`.
    pub tone: &'static str,
}

/// A ticket in a list.
#[derive(Debug, Clone)]
pub struct Row {
    pub key: String,
    pub version: i64,
    pub subject: String,
    pub state: StateWord,
    pub priority: Priority,
    pub category: String,
    pub team: String,
    pub assignee: Option<String>,
    pub requester: String,
    pub due: Option<When>,
    /// How much of its time is over, 0 to 4.
    pub risk: u8,
    pub updated: When,
    /// Whether it waits for the one who asked.
    pub waits_for_requester: bool,
}

/// An approver's decision on a request for access.
pub struct Decided {
    pub who: String,
    pub approved: bool,
    pub reason: String,
    pub when: When,
}

/// The tone of a state's mark.
pub const fn tone(state: State) -> &'static str {
    match state {
        State::New | State::Open | State::Reopened => "new",
        State::InProgress => "work",
        State::Waiting(_) => "wait",
        State::Resolved => "good",
        State::Closed | State::Cancelled | State::Merged => "over",
    }
}

impl Frame {
    /// A state as those say it who work on tickets.
    pub fn state(&self, state: State) -> StateWord {
        let text = self.words.t(&format!("state.{}", state.code()));
        StateWord { text, tone: tone(state) }
    }

    /// A state in plain words, for the one who asked.
    pub fn plain_state(&self, state: State) -> StateWord {
        let text = self.words.t(&format!("plain.{}", state.code()));
        StateWord { text, tone: tone(state) }
    }

    /// A decision, with who took it and in whose place.
    pub fn decided(&self, decision: &HumanDecision) -> Decided {
        Decided {
            who: self.approver(decision),
            approved: decision.approve,
            reason: decision.reason.clone(),
            when: self.times.ago(decision.at),
        }
    }

    /// A priority by its id.
    pub fn priority(&self, id: &PriorityId) -> Priority {
        let found = self.organisation.priority(id);
        let name = found.map_or_else(|| id.to_string(), |(_, level)| level.name.clone());
        Priority { name, rank: found.map_or(3, |(rank, _)| rank.min(3)) }
    }

    /// A code of the desk in the reader's words; the code itself where it is none of those that have words.
    pub fn named(&self, kind: &str, code: impl Display) -> String {
        let key = format!("{kind}.{code}");
        if self.words.has(&key) { self.words.t(&key) } else { code.to_string() }
    }

    /// How large a risk is.
    pub fn risk(&self, level: impl Display) -> String {
        self.words.t1("access.risk", self.named("option", level).to_lowercase())
    }

    /// A category's name; the id of one that is no more.
    pub fn category(&self, id: &str) -> String {
        self.organisation.categories.get(id).map_or_else(|| id.to_owned(), |category| category.name.clone())
    }

    /// The name of a ticket's clock: in the reader's language, or as the configuration has it.
    pub fn clock(&self, code: &str) -> String {
        let further = self.organisation.watch.further.iter().find(|clock| clock.id.as_str() == code);
        match (further, ClockKind::ALL.into_iter().any(|kind| kind.code() == code)) {
            (Some(clock), _) => clock.name.clone(),
            (None, true) => self.words.t(&format!("promise.{code}")),
            (None, false) => code.to_owned(),
        }
    }

    /// An app's name; the id of one that is no more.
    pub fn app(&self, id: &str) -> String {
        self.organisation.apps.get(id).map_or_else(|| id.to_owned(), |app| app.name.clone())
    }

    /// The name of an app's tier; the id of one that is no more.
    pub fn tier(&self, app: &str, id: &str) -> String {
        let tier = self.organisation.apps.get(app).and_then(|app| app.tier(id));
        tier.map_or_else(|| id.to_owned(), |(_, tier)| tier.name.clone())
    }

    /// A team's name.
    pub fn team(&self, id: &str) -> String {
        self.organisation.teams.get(id).map_or_else(|| id.to_owned(), |team| team.name.clone())
    }

    /// A ticket as a row of a list, with its state by [`Frame::state`] or [`Frame::plain_state`].
    pub fn row(&self, ticket: &TicketSummary, sights: &Sights, state: fn(&Frame, State) -> StateWord) -> Row {
        let sight = sights.of(ticket);
        Row {
            key: ticket.number.to_string(),
            version: sight.version(ticket.version),
            subject: ticket.subject.clone(),
            state: if ticket.damaged.is_empty() {
                state(self, ticket.state)
            } else {
                StateWord { text: self.words.t("state.damaged"), tone: "wait" }
            },
            priority: self.priority(&ticket.priority),
            category: self.category(ticket.category.as_str()),
            team: self.team(ticket.team.as_str()),
            assignee: ticket.assignee.as_ref().map(|id| self.name(id)),
            requester: self.name(&ticket.requester),
            due: ticket.due_at.map(|due| self.times.due(due)),
            risk: ticket.due_at.map_or(0, |due| self.times.risk(ticket.created_at, due)),
            updated: self.times.ago(sight.updated_at(ticket.updated_at)),
            waits_for_requester: matches!(ticket.state, State::Waiting(WaitingFor::Requester) | State::Resolved),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::frame::words::Language;

    #[test]
    fn a_size_has_the_point_of_the_reader_s_language_and_is_never_rounded_up() {
        let (english, german) = (Words(Language::English), Words(Language::German));
        assert_eq!([size(english, 900), size(english, 2_000)], ["900 B", "1 KiB"]);
        assert_eq!([size(english, 1_572_864), size(german, 1_572_864)], ["1.5 MiB", "1,5 MiB"]);
        assert_eq!(size(german, (20 << 20) - 1), "19,9 MiB");
        assert_eq!(size(german, 3 << 30), "3,0 GiB");
    }
}
