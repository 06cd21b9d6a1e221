//! Access: a denial overrides, approvals unite, the narrowest scope is granted, and every doubt goes to a person.

use super::check::check_length;
use super::{Given, Unfit};
use crate::desk::access::{AccessRequest, Named};
use crate::desk::id::{PersonId, TierId};
use crate::desk::organisation::{App, Organisation, Tier};

mod approvers;

use approvers::{check_step, fallback};

/// The longest that approvers may have, in hours: a year.
pub const DUE_HOURS_MAX: u32 = 366 * 24;
/// Why a request is denied about which no one may decide.
pub(in crate::desk) const ALL_PARTY: &str =
    "a person would have to decide, and everybody who may is party to the request";

/// What is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub tier: TierId,
    pub role: Option<String>,
    pub groups: Vec<String>,
    pub duration_hours: u32,
}

/// One step of approval: so many of these people, within so many hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalStep {
    pub approvers: Vec<PersonId>,
    pub needed: u32,
    pub due_in_hours: u32,
    /// The reason why these people are approvers, by which those are found who may approve later.
    pub named: Vec<Named>,
}

impl ApprovalStep {
    /// Whether it asks for the same as another; the time may differ.
    fn asks_as(&self, other: &ApprovalStep) -> bool {
        (&self.approvers, self.needed, &self.named) == (&other.approvers, other.needed, &other.named)
    }
}

/// Who has to agree to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    pub steps: Vec<ApprovalStep>,
    pub scope: Scope,
}

/// What an access rule says, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessAnswer {
    Pass,
    Approve(Scope),
    Require(Approval),
    Deny,
}

/// What an access rule says, as it says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawAccess {
    Pass,
    Approve(RawScope),
    Require(Vec<RawStep>, RawScope),
    Deny,
}

/// A scope as a rule gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawScope {
    pub tier: String,
    pub role: Option<String>,
    pub groups: Vec<String>,
    pub duration_hours: u32,
}

/// A step as a rule gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawStep {
    pub approvers: Vec<String>,
    pub needed: u32,
    pub due_in_hours: u32,
}

/// Who is asking for what, as far as an answer is checked against it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub organisation: &'a Organisation,
    pub request: &'a AccessRequest,
    pub app: &'a App,
    pub tier: &'a Tier,
    pub requester: &'a PersonId,
    pub submitted_by: &'a PersonId,
}

/// What access comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessVerdict {
    pub outcome: Outcome,
    /// The deciding rules' reasons, joined.
    pub reason: String,
    pub heard: Heard,
    /// Whether the desk itself gave the reason, since no rule did.
    pub by_desk: bool,
}

/// Whether every rule was heard that should have been. A verdict without one of them is no word of the rules that an emergency
/// could stand in for: the one that is missing might deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    All,
    /// A rule failed, is suspended or refused, is not there, or what it goes by was decided without a rule.
    NotAll,
}

/// The three things that can come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Approved(Scope),
    Await(Approval),
    Denied,
}

/// Checks an answer against the catalog and the directory.
///
/// # Errors
/// [`Unfit`]: what is not allowed. A person decides then.
pub fn check(asked: &Asked<'_>, raw: RawAccess) -> Result<AccessAnswer, Unfit> {
    Ok(match raw {
        RawAccess::Pass => AccessAnswer::Pass,
        RawAccess::Deny => AccessAnswer::Deny,
        RawAccess::Approve(scope) => AccessAnswer::Approve(check_scope(asked, scope)?),
        RawAccess::Require(steps, scope) => {
            if steps.is_empty() {
                return Err(Unfit::NoSteps);
            }
            check_length("steps", steps.len())?;
            let steps = steps.into_iter().map(|step| check_step(asked, &step)).collect::<Result<_, _>>()?;
            AccessAnswer::Require(Approval { steps, scope: check_scope(asked, scope)? })
        }
    })
}

fn check_scope(asked: &Asked<'_>, raw: RawScope) -> Result<Scope, Unfit> {
    let requested = asked.app.tier(asked.tier.id.as_str()).map_or(0, |(order, _)| order);
    let Some((order, tier)) = asked.app.tier(&raw.tier) else {
        let known: Vec<&str> = asked.app.tiers.iter().map(|t| t.id.as_str()).collect();
        return Err(Unfit::Tier { tier: raw.tier, app: asked.app.id.to_string(), known: known.join(", ") });
    };
    if order > requested {
        return Err(Unfit::HigherTier { tier: tier.id.to_string(), asked: asked.tier.id.to_string() });
    }
    let hours_max = tier.hours_max.min(asked.request.duration_hours.unwrap_or(u32::MAX));
    if raw.duration_hours == 0 || raw.duration_hours > hours_max {
        return Err(Unfit::Duration { hours: raw.duration_hours, hours_max });
    }
    if let Some(role) = raw.role.as_ref().filter(|role| !tier.roles.contains(role)) {
        let (role, tier, known) = (role.clone(), tier.id.to_string(), tier.roles.join(", "));
        return Err(Unfit::Role { role, tier, known });
    }
    check_length("groups", raw.groups.len())?;
    if let Some(group) = raw.groups.iter().find(|group| !tier.groups.iter().any(|g| g.as_str() == *group)) {
        return Err(Unfit::Group { group: group.clone(), tier: tier.id.to_string() });
    }
    Ok(Scope { tier: tier.id.clone(), role: raw.role, groups: raw.groups, duration_hours: raw.duration_hours })
}

/// Access: fails closed. Only a rule's own approval, with no rule failed and none asking for a person, approves. Where a rule
/// has failed, more is asked than by those that answered, and less is given.
pub fn combine(asked: &Asked<'_>, given: &[Given<AccessAnswer>]) -> AccessVerdict {
    let answers = || given.iter().filter_map(|g| Some((g, g.answer.as_ref()?)));
    let reasons = |pick: &dyn Fn(&AccessAnswer) -> bool| {
        let reasons: Vec<&str> = answers().filter(|(_, a)| pick(a)).map(|(g, _)| g.reason.as_str()).collect();
        reasons.join("; ")
    };
    let failed = given.iter().any(|g| g.answer.is_none());
    let heard = if failed { Heard::NotAll } else { Heard::All };
    if answers().any(|(_, answer)| *answer == AccessAnswer::Deny) {
        return AccessVerdict {
            outcome: Outcome::Denied,
            reason: reasons(&|a| *a == AccessAnswer::Deny),
            heard,
            by_desk: false,
        };
    }
    let mut scope = narrowest(
        asked,
        answers().filter_map(|(_, answer)| match answer {
            AccessAnswer::Approve(scope) | AccessAnswer::Require(Approval { scope, .. }) => Some(scope),
            AccessAnswer::Pass | AccessAnswer::Deny => None,
        }),
    );
    let mut steps = united(answers().map(|(_, answer)| answer));
    let approves = answers().any(|(_, answer)| matches!(answer, AccessAnswer::Approve(_)));
    if failed || (steps.is_empty() && !approves) {
        let more = fallback(asked, heard);
        if more.iter().any(|step| step.approvers.is_empty()) {
            let reason = ALL_PARTY.to_owned();
            return AccessVerdict { outcome: Outcome::Denied, reason, heard, by_desk: true };
        }
        let more: Vec<ApprovalStep> = more.into_iter().filter(|step| !steps.iter().any(|s| s.asks_as(step))).collect();
        steps.extend(more);
        if failed {
            scope.duration_hours = scope.duration_hours.min(asked.organisation.defaults.access_fallback_hours.max(1));
        }
        let why = if failed { "a rule failed, so a person decides" } else { "no rule decided, so a person does" };
        let outcome = Outcome::Await(Approval { steps, scope });
        return AccessVerdict { outcome, reason: why.to_owned(), heard, by_desk: true };
    }
    if steps.is_empty() {
        return AccessVerdict {
            outcome: Outcome::Approved(scope),
            reason: reasons(&|a| matches!(a, AccessAnswer::Approve(_))),
            heard,
            by_desk: false,
        };
    }
    let mut reason = reasons(&|a| matches!(a, AccessAnswer::Require(_)));
    if steps.iter().any(|step| step.named == [Named::AccessApprovers]) {
        reason.push_str("; where too few who are named may approve, the access approvers stand in");
    }
    AccessVerdict { outcome: Outcome::Await(Approval { steps, scope }), reason, heard, by_desk: false }
}

/// The steps of all answers. What several rules ask for alike is asked once, within the shortest time; what one rule asks for
/// twice is asked twice.
fn united<'a>(answers: impl Iterator<Item = &'a AccessAnswer>) -> Vec<ApprovalStep> {
    let mut steps: Vec<ApprovalStep> = Vec::new();
    for answer in answers {
        let AccessAnswer::Require(approval) = answer else { continue };
        let mut taken = vec![false; steps.len()];
        for step in &approval.steps {
            let same = steps.iter_mut().zip(&mut taken).find(|(other, taken)| !**taken && other.asks_as(step));
            if let Some((other, taken)) = same {
                *taken = true;
                other.due_in_hours = other.due_in_hours.min(step.due_in_hours);
            } else {
                steps.push(step.clone());
                taken.push(true);
            }
        }
    }
    steps
}

/// The lowest tier, the shortest time, the groups that all name, the role if all agree. Without any proposal it is what was
/// asked for, within the catalog.
fn narrowest<'a>(asked: &Asked<'_>, scopes: impl Iterator<Item = &'a Scope>) -> Scope {
    let order = |scope: &Scope| asked.app.tier(scope.tier.as_str()).map_or(0, |(order, _)| order);
    scopes
        .cloned()
        .reduce(|a, b| Scope {
            tier: if order(&a) <= order(&b) { a.tier.clone() } else { b.tier.clone() },
            role: a.role.filter(|role| b.role.as_ref() == Some(role)),
            groups: a.groups.into_iter().filter(|group| b.groups.contains(group)).collect(),
            duration_hours: a.duration_hours.min(b.duration_hours),
        })
        .unwrap_or_else(|| Scope {
            tier: asked.tier.id.clone(),
            role: asked.request.role.clone().filter(|role| asked.tier.roles.contains(role)),
            groups: asked.tier.groups.iter().map(|g| g.as_str().to_owned()).collect(),
            duration_hours: asked.request.duration_hours.unwrap_or(u32::MAX).min(asked.tier.hours_max),
        })
}
