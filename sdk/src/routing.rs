//! Who takes this ticket? Asked when the priority is known, and again when a ticket changes hands. It knows nothing of other stages.
//!
//! The first answer wins. Which member of a team gets the ticket is settled by the desk, where the true load is known.

pub use crate::bindings::exports::ruledesk::rules::routing::{Answer, Decision, Destination, Input};
use crate::types::Attribute;

/// A rule for routing.
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

    /// To a team, by its id.
    pub fn to_team(team: impl Into<String>) -> Self {
        Self::to(Destination { team: Some(team.into()), ..nowhere() })
    }

    /// To one person, by their id.
    pub fn to_person(person: impl Into<String>) -> Self {
        Self::to(Destination { assignee: Some(person.into()), ..nowhere() })
    }

    /// To whichever team has members with the skills that are named next.
    pub fn to_skills() -> Self {
        Self::to(nowhere())
    }

    /// To a destination that is spelled out.
    pub fn to(destination: Destination) -> Self {
        Self { decision: Decision::Assign(destination), ..Self::pass("") }
    }

    /// Requires a skill; without effect on `pass`.
    #[must_use]
    pub fn skill(mut self, skill: impl Into<String>) -> Self {
        if let Decision::Assign(destination) = &mut self.decision {
            destination.skills.push(skill.into());
        }
        self
    }

    /// Picks the member by `round-robin` or `least-loaded`; without effect on `pass`.
    #[must_use]
    pub fn strategy(mut self, strategy: impl Into<String>) -> Self {
        if let Decision::Assign(destination) = &mut self.decision {
            destination.strategy = Some(strategy.into());
        }
        self
    }

    /// States the escalation tier, 1 for the first line; without effect on `pass`.
    #[must_use]
    pub fn tier(mut self, tier: u8) -> Self {
        if let Decision::Assign(destination) = &mut self.decision {
            destination.tier = Some(tier);
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

fn nowhere() -> Destination {
    Destination { team: None, assignee: None, skills: Vec::new(), strategy: None, tier: None }
}
