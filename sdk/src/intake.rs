//! Can this submission become a ticket? Asked when it arrives. It knows nothing of other stages.
//!
//! All rules are asked about the submission as it came; changes are applied in order, and any rejection rejects.

pub use crate::bindings::exports::ruledesk::rules::intake::{Answer, Changes, Decision, Input, Problem, RecentTicket};
use crate::types::{Attribute, Field, Value};

/// A rule for intake.
pub trait Rule {
    /// Checks the settings and builds indexes, once, before the first decision. What it does costs decisions nothing.
    ///
    /// # Errors
    ///
    /// One sentence for each thing that is wrong with the settings; the rule is then not activated.
    fn prepare(&mut self) -> Result<(), Vec<String>> {
        Ok(())
    }

    /// Decides about one submission.
    ///
    /// # Errors
    ///
    /// The rule's own failure in words; it counts as no answer and is recorded.
    fn decide(&self, input: &Input) -> Result<Answer, String>;
}

impl Answer {
    /// Accepts the submission as it is.
    pub fn accept() -> Self {
        Self::accept_with(Changes::none())
    }

    /// Accepts the submission with changes.
    pub fn accept_with(changes: Changes) -> Self {
        Self { decision: Decision::Accept(changes), reason: String::new(), attributes: Vec::new() }
    }

    /// Sends the submission back with what is to be mended; without problems it is accepted.
    pub fn reject(problems: Vec<Problem>) -> Self {
        if problems.is_empty() {
            return Self::accept();
        }
        Self { decision: Decision::Reject(problems), ..Self::accept() }
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

impl Changes {
    /// Changes nothing.
    pub fn none() -> Self {
        Self {
            subject: None,
            body: None,
            fields: Vec::new(),
            tags: Vec::new(),
            signals: Vec::new(),
            duplicate_of: None,
        }
    }

    /// Whether nothing is changed.
    pub fn is_none(&self) -> bool {
        *self == Self::none()
    }

    /// Sets or adds a form field.
    pub fn set_field(&mut self, name: impl Into<String>, value: Value) {
        self.fields.push(Field { name: name.into(), value });
    }
}

impl Problem {
    /// A problem with a form field, or with `subject` or `body`. `code` is a stable word for programs.
    pub fn new(field: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), code: code.into(), message: message.into() }
    }

    /// A field that must be filled in: code `required`.
    pub fn required(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(field, "required", message)
    }
}
