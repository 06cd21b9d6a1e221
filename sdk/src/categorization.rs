//! What is this ticket about? Asked when a submission has been accepted. It knows nothing of other stages.
//!
//! The first category wins; tags of all rules are united.

pub use crate::bindings::exports::ruledesk::rules::categorization::{Answer, Classification, Decision, Input};
use crate::types::Attribute;

/// A rule for categorization.
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

    /// Adds tags and whatever else is stated next, but no category.
    pub fn tags_only() -> Self {
        let nothing = Classification { category: None, tags: Vec::new(), kind: None };
        Self { decision: Decision::Classify(nothing), ..Self::pass("") }
    }

    /// Proposes a category by its id.
    pub fn category(category: impl Into<String>) -> Self {
        let category = Some(category.into());
        let classification = Classification { category, tags: Vec::new(), kind: None };
        Self { decision: Decision::Classify(classification), ..Self::pass("") }
    }

    /// Adds a tag; without effect on `pass`.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        if let Decision::Classify(classification) = &mut self.decision {
            classification.tags.push(tag.into());
        }
        self
    }

    /// States the kind: `incident`, `request`, `problem` or `change`; without effect on `pass`.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        if let Decision::Classify(classification) = &mut self.decision {
            classification.kind = Some(kind.into());
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
