//! A row's answer at access. Several rows: a denial denies, all approvals are asked for, the narrowest scope is granted.
//! The highest of several is the strictest: deny, then ask, then approve; of two that approve, the shorter.

use ruledesk_sdk::access::{Answer, ApprovalPlan, ApprovalStep, Decision, Input, Scope};

use super::Answer as Reading;
use crate::stage::Facts;
use crate::table::{Chosen, Hit, Row, Table};
use crate::tree::Tree;

/// How long approvers have where the row does not say.
const DUE_IN_HOURS: u32 = 48;

#[derive(Debug, Clone, PartialEq)]
pub enum Then {
    Deny,
    /// Without steps it is approved at once.
    Grant {
        steps: Vec<Step>,
        limit: Limit,
    },
}

/// One step of approval.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// `manager`, `owner`, `group:NAME` or the id of a person.
    any_of: Vec<String>,
    needed: u32,
    due_in_hours: u32,
}

/// What is granted, where it differs from what is asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Limit {
    hours: Option<u32>,
    tier: Option<String>,
    role: Option<String>,
    groups: Option<Vec<String>>,
}

impl Then {
    pub fn approve() -> Self {
        Then::Grant { steps: Vec::new(), limit: Limit::default() }
    }

    pub fn read(answer: &mut Reading<'_>) -> Self {
        let due_in_hours = answer.whole("due-in-hours", 1, u32::MAX).unwrap_or(DUE_IN_HOURS);
        let limit = Limit {
            hours: answer.whole("hours", 1, u32::MAX),
            tier: answer.text("tier"),
            role: answer.text("role"),
            groups: answer.get("groups").is_some().then(|| answer.texts("groups")),
        };
        let asks = answer.get("ask").cloned();
        match (&asks, answer.get("approve")) {
            (None, Some(Tree::Flag(true))) => {}
            (Some(_), None) => {}
            (None, None) => answer.wrong("", "say `approve = true` or `ask = [...]`; `then = \"deny\"` denies"),
            (Some(_), Some(_)) => answer.wrong("", "it either approves or asks: leave out `approve` or `ask`"),
            (None, Some(_)) => answer.wrong("approve", "it is `true` or left out; `then = \"deny\"` denies"),
        }
        let Some(asks) = asks else { return Then::Grant { steps: Vec::new(), limit } };
        let mut steps = Vec::new();
        for ask in asks.items() {
            match step(ask, due_in_hours) {
                Some(step) => steps.push(step),
                None => answer.wrong(
                    "ask",
                    "a step is a text such as \"manager\" or \"manager or owner\", or { any-of = [\"group:NAME\"], needed = 2, due-in-hours = 24 }",
                ),
            }
        }
        if asks.items().is_empty() {
            answer.wrong("ask", "it needs at least one step, such as \"manager\"");
        }
        Then::Grant { steps, limit }
    }

    /// Denies before it asks, asks before it approves, shorter before longer: less is stricter.
    fn rank(&self) -> (u8, usize, u32) {
        match self {
            Then::Deny => (0, 0, 0),
            Then::Grant { steps, limit } => {
                let hours = limit.hours.unwrap_or(u32::MAX);
                (if steps.is_empty() { 2 } else { 1 }, usize::MAX - steps.len(), hours)
            }
        }
    }
}

fn step(tree: &Tree, due_in_hours: u32) -> Option<Step> {
    let named = |texts: Vec<&str>| texts.into_iter().map(|text| text.trim().to_owned()).collect::<Vec<_>>();
    let step = match tree {
        Tree::Text(text) => Step { any_of: named(text.split(" or ").collect()), needed: 1, due_in_hours },
        Tree::Table(entries) => {
            if entries.iter().any(|(key, _)| !["any-of", "needed", "due-in-hours"].contains(&key.as_str())) {
                return None;
            }
            let whole = |key: &str, usual: u32| tree.get(key).map_or(Some(usual), |number| number.whole(1));
            Step {
                any_of: named(tree.get("any-of")?.texts()?),
                needed: whole("needed", 1)?,
                due_in_hours: whole("due-in-hours", due_in_hours)?,
            }
        }
        _ => return None,
    };
    let is_name = |name: &String| !name.is_empty() && !name.contains(' ');
    (!step.any_of.is_empty() && step.any_of.iter().all(is_name)).then_some(step)
}

/// # Errors
///
/// Nobody is there to ask, or rows contradict each other: then a person decides.
pub fn decide(table: &Table, chosen: &Chosen<'_>, facts: &Facts<'_>, input: &Input) -> Result<Answer, String> {
    let mut rows: Vec<(&Row, &Then)> = Vec::new();
    for row in chosen.rows() {
        if let super::Then::Access(then) = &row.then {
            rows.push((row, then));
        }
    }
    if chosen.hit == Hit::Highest {
        let strictest = rows.iter().min_by_key(|(_, then)| then.rank()).copied();
        rows = strictest.into_iter().collect();
    }
    let denied = rows.iter().copied().find(|(_, then)| matches!(then, Then::Deny));
    if let Some((row, _)) = denied {
        return Ok(Answer::deny(row.reason.fill(facts)));
    }
    if rows.is_empty() {
        return Ok(Answer::pass(chosen.reason(facts)));
    }
    let mut steps = Vec::new();
    let mut united = Limit::default();
    for (row, then) in &rows {
        let Then::Grant { steps: more, limit } = then else { continue };
        united.narrow(limit).map_err(|what| format!("{} grants another {what} than a row before it", row.label))?;
        for step in more {
            let step = step.named(&table.settings.stand_in, input).map_err(|who| {
                format!("{} asks `{who}`, and there is none for this request: set `stand-in`", row.label)
            })?;
            if !steps.contains(&step) {
                steps.push(step);
            }
        }
    }
    let scope = united.scope(input);
    let reason = match rows.as_slice() {
        [(row, _)] => row.reason.fill(facts),
        _ => chosen.reason(facts),
    };
    let answer = Answer::approve(scope.clone()).because(reason);
    if steps.is_empty() {
        return Ok(answer);
    }
    Ok(Answer { decision: Decision::RequireApproval(ApprovalPlan { steps, scope }), ..answer })
}

impl Limit {
    /// Takes on what another row limits; names what the two cannot agree on.
    fn narrow(&mut self, other: &Limit) -> Result<(), &'static str> {
        self.hours = match (self.hours, other.hours) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        agree(&mut self.tier, other.tier.as_ref()).map_err(|()| "tier")?;
        agree(&mut self.role, other.role.as_ref()).map_err(|()| "role")?;
        match (&mut self.groups, &other.groups) {
            (Some(one), Some(two)) => one.retain(|group| two.contains(group)),
            (one, two) => *one = one.take().or_else(|| two.clone()),
        }
        Ok(())
    }

    fn scope(self, input: &Input) -> Scope {
        let asked = input.requested_scope(self.hours);
        Scope {
            tier: self.tier.unwrap_or(asked.tier),
            role: self.role.or(asked.role),
            groups: self.groups.unwrap_or(asked.groups),
            duration_hours: asked.duration_hours,
        }
    }
}

fn agree(one: &mut Option<String>, other: Option<&String>) -> Result<(), ()> {
    match (one.as_ref(), other) {
        (Some(one), Some(other)) if one != other => Err(()),
        (None, Some(other)) => {
            *one = Some(other.clone());
            Ok(())
        }
        _ => Ok(()),
    }
}

impl Step {
    /// With people in place of `manager` and `owner`; nobody approves for themselves.
    fn named(&self, stand_in: &Option<String>, input: &Input) -> Result<ApprovalStep, String> {
        let may = |id: &&String| **id != input.subject.id && **id != input.requester.id;
        let mut approvers: Vec<String> = Vec::new();
        for name in &self.any_of {
            let found = match name.as_str() {
                "manager" => input.subject.managers.iter().find(may).cloned(),
                "owner" => input.item.owner.as_ref().filter(may).cloned(),
                _ => Some(name.clone()),
            };
            approvers.extend(found.filter(|id| !approvers.contains(id)));
        }
        if approvers.is_empty() {
            approvers.push(stand_in.clone().ok_or_else(|| self.any_of.join(" or "))?);
        }
        Ok(ApprovalStep { approvers, needed: self.needed, due_in_hours: self.due_in_hours })
    }
}
