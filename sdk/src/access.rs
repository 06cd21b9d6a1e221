//! May this person have this access? Asked when it is requested, and again before a grant is extended. It knows nothing of other stages.
//!
//! A denial overrides; the approvals that rules ask for are united; the narrowest scope is granted.

pub use crate::bindings::exports::ruledesk::rules::access::{
    Answer, ApprovalPlan, ApprovalStep, CatalogItem, Decision, Grant, History, Input, Peers, Request, Scope,
};
use crate::types::Attribute;

/// A rule for access.
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

    /// Grants the scope without asking anybody, unless another rule asks for people or denies.
    pub fn approve(scope: Scope) -> Self {
        Self { decision: Decision::Approve(scope), ..Self::pass("") }
    }

    /// Grants the scope once people approve; add the steps with [`step`](Self::step), at least one.
    pub fn require(scope: Scope) -> Self {
        let plan = ApprovalPlan { steps: Vec::new(), scope };
        Self { decision: Decision::RequireApproval(plan), ..Self::pass("") }
    }

    /// Refuses, and why.
    pub fn deny(reason: impl Into<String>) -> Self {
        Self { decision: Decision::Deny, ..Self::pass(reason) }
    }

    /// Adds a step of approval after those before; without effect unless approval is required.
    #[must_use]
    pub fn step(mut self, step: ApprovalStep) -> Self {
        if let Decision::RequireApproval(plan) = &mut self.decision {
            plan.steps.push(step);
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

impl ApprovalStep {
    /// One of `approvers` has to approve within `due_in_hours`. Approvers are ids of people, or `group:NAME`.
    pub fn any_of(approvers: Vec<String>, due_in_hours: u32) -> Self {
        Self { approvers, needed: 1, due_in_hours }
    }
}

impl Input {
    /// What is asked for, as a scope: the duration is the shortest of what is asked, what the catalog allows, and
    /// `hours_max`.
    pub fn requested_scope(&self, hours_max: Option<u32>) -> Scope {
        let longest = self.item.max_duration_hours.min(hours_max.unwrap_or(u32::MAX));
        let mut groups = self.item.groups.clone();
        for group in &self.request.groups {
            if !groups.contains(group) {
                groups.push(group.clone());
            }
        }
        Scope {
            tier: self.request.tier.clone(),
            role: self.request.role.clone(),
            groups,
            duration_hours: self.request.duration_hours.unwrap_or(longest).min(longest),
        }
    }

    /// The subject's grants that are in force now.
    pub fn active_grants(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(|grant| grant.state == "active" && grant.expires_at > self.now.at)
    }
}

impl Peers {
    /// The share of the department that holds this access, from 0 to 1; 0 for an empty department.
    pub fn share(&self) -> f64 {
        if self.department_size == 0 {
            return 0.0;
        }
        f64::from(self.department_holders) / f64::from(self.department_size)
    }
}
