//! A requester has written on a ticket that was resolved: what becomes of the words? Asked before they are written. It knows nothing
//! of other stages.
//!
//! The first answer that does not pass wins; else the policy of the request type stands.

pub use crate::bindings::exports::ruledesk::rules::closing::{Answer, Decision, Input, Resolution, Words};
use crate::types::Attribute;

/// A rule for closing.
pub trait Rule {
    /// Checks the settings and builds indexes, once, before the first decision. What it does costs decisions nothing.
    ///
    /// # Errors
    ///
    /// One sentence for each thing that is wrong with the settings; the rule is then not activated.
    fn prepare(&mut self) -> Result<(), Vec<String>> {
        Ok(())
    }

    /// Decides about the words on one ticket.
    ///
    /// # Errors
    ///
    /// The rule's own failure in words; it counts as no answer and is recorded.
    fn decide(&self, input: &Input) -> Result<Answer, String>;
}

impl Answer {
    /// No opinion, and why.
    pub fn pass(reason: impl Into<String>) -> Self {
        Self { decision: Decision::Pass, reason: reason.into(), attributes: Vec::new() }
    }

    /// Brings the ticket back, with the words on it; only while it is resolved.
    pub fn reopen() -> Self {
        Self { decision: Decision::Reopen, ..Self::pass("") }
    }

    /// Makes a new ticket of the words, which is linked with this one.
    pub fn follow_up() -> Self {
        Self { decision: Decision::FollowUp, ..Self::pass("") }
    }

    /// Keeps the words and changes nothing: they ask for nothing.
    pub fn keep() -> Self {
        Self { decision: Decision::Keep, ..Self::pass("") }
    }

    /// Takes the words as the requester's confirmation that it is solved; only while the ticket is resolved.
    pub fn confirm() -> Self {
        Self { decision: Decision::Confirm, ..Self::pass("") }
    }

    /// Says why, in one sentence for people.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }

    /// Adds a detail for the decision's record.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push(Attribute::new(name, value));
        self
    }
}

impl Input {
    /// Whether the ticket is closed: it is then not reopened and not confirmed any more.
    pub fn is_closed(&self) -> bool {
        self.state == "closed"
    }
}
