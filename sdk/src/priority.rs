//! How urgent is this ticket? Asked when the category is known. It knows nothing of other stages.
//!
//! The highest level proposed by any rule wins, unless a rule whose manifest says `override` proposes one.

pub use crate::bindings::exports::ruledesk::rules::priority::{Answer, Decision, Input, Rating};
use crate::types::Attribute;

/// A rule for priority.
pub trait Rule {
    /// Checks the settings and builds indexes, once, before the first decision. What it does costs decisions nothing.
    ///
    /// # Errors
    ///
    /// One sentence for each thing that is wrong with the settings; the rule is then not activated.
    fn prepare(&mut self) -> Result<(), Vec<String>> {
        Ok(())
    }

    /// Decides about one ticket.
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

    /// Proposes a priority level by its id.
    pub fn rate(level: impl Into<String>) -> Self {
        let rating = Rating { impact: None, urgency: None, level: level.into() };
        Self { decision: Decision::Rate(rating), ..Self::pass("") }
    }

    /// States the impact; without effect on `pass`.
    #[must_use]
    pub fn impact(mut self, impact: impl Into<String>) -> Self {
        if let Decision::Rate(rating) = &mut self.decision {
            rating.impact = Some(impact.into());
        }
        self
    }

    /// States the urgency; without effect on `pass`.
    #[must_use]
    pub fn urgency(mut self, urgency: impl Into<String>) -> Self {
        if let Decision::Rate(rating) = &mut self.decision {
            rating.urgency = Some(urgency.into());
        }
        self
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
