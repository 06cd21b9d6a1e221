//! # access-policy
//!
//! Approves a request for access, asks people, or denies it, by a table of policies.
//!
//! First come the checks that always hold: a justification long enough for the risk, no conflict with access that the
//! subject holds, and a cap on the duration by risk. Then `[[settings.policies]]` is read from the top, and the first whose
//! conditions all hold decides. If none holds, the manager is asked.
//!
//! | setting | meaning |
//! |---|---|
//! | `justification-chars.RISK` | shorter justifications are denied |
//! | `hours-max.RISK` | the longest grant, in hours |
//! | `conflicts` | `held` and `requested` access, `app` or `app/tier`, that nobody may have together |
//! | `due-in-hours` | how long approvers have |
//! | `stand-in` | who approves where there is no manager or owner, or these would approve for themselves |
//! | `policies.decide` | `approve`, `ask` or `deny` |
//! | `policies.because` | why, for people |
//! | `policies.approvers` | for `ask`, one step each: `manager`, `owner`, `group:NAME` or a person's id |
//! | `policies.hours-max` | the longest grant of this policy, in hours |
//!
//! Conditions of a policy, all optional: `kind` (`new`, `extend`), `apps`, `tiers`, `risks`, `departments`,
//! `not-departments`, `titles`, `groups` (in any), `hours-at-most` (what is asked for, and never "as long as possible"),
//! `peers-percent` (so many of the department hold it), `peers-at-least` (people in the department).

use std::collections::BTreeMap;

use ruledesk_sdk::access::{self, Answer, ApprovalStep, Input};
use ruledesk_sdk::export;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct AccessPolicy {
    #[serde(default)]
    justification_chars: BTreeMap<String, usize>,
    #[serde(default)]
    hours_max: BTreeMap<String, u32>,
    #[serde(default)]
    conflicts: Vec<Conflict>,
    due_in_hours: u32,
    stand_in: String,
    policies: Vec<Policy>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Conflict {
    held: String,
    requested: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Policy {
    decide: Decide,
    because: String,
    #[serde(default)]
    approvers: Vec<String>,
    hours_max: Option<u32>,
    kind: Option<String>,
    #[serde(default)]
    apps: Vec<String>,
    #[serde(default)]
    tiers: Vec<String>,
    #[serde(default)]
    risks: Vec<String>,
    #[serde(default)]
    departments: Vec<String>,
    #[serde(default)]
    not_departments: Vec<String>,
    #[serde(default)]
    titles: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
    hours_at_most: Option<u32>,
    peers_percent: Option<u64>,
    peers_at_least: Option<u32>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Decide {
    Approve,
    Ask,
    Deny,
}

impl access::Rule for AccessPolicy {
    fn prepare(&mut self) -> Result<(), Vec<String>> {
        let mut problems = Vec::new();
        for (index, policy) in self.policies.iter().enumerate() {
            if (policy.decide == Decide::Ask) == policy.approvers.is_empty() {
                problems.push(format!("`policies[{index}]`: name `approvers` to ask, and only then"));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn decide(&self, input: &Input) -> Result<Answer, String> {
        if let Some(reason) = self.denial(input) {
            return Ok(Answer::deny(reason));
        }
        let policy = self.policies.iter().find(|policy| policy.holds(input));
        let own_cap = policy.and_then(|policy| policy.hours_max);
        let risk_cap = self.hours_max.get(&input.item.risk).copied();
        let scope = input.requested_scope(own_cap.into_iter().chain(risk_cap).min());
        let Some(policy) = policy else {
            let answer = Answer::require(scope).step(self.step("manager", input));
            return Ok(answer.because("no policy names this access, so the manager decides"));
        };
        let answer = match policy.decide {
            Decide::Approve => Answer::approve(scope),
            Decide::Deny => Answer::deny(""),
            Decide::Ask => {
                let steps = policy.approvers.iter().map(|approver| self.step(approver, input));
                steps.fold(Answer::require(scope), with_step)
            }
        };
        Ok(answer.because(&policy.because))
    }
}

impl AccessPolicy {
    /// Why the request is denied whatever the policies say.
    fn denial(&self, input: &Input) -> Option<String> {
        let said = input.request.justification.trim().chars().count();
        let needed = self.justification_chars.get(&input.item.risk).copied().unwrap_or(0);
        if said < needed {
            return Some(format!(
                "access of risk {} needs a justification of at least {needed} characters",
                input.item.risk
            ));
        }
        let conflict = self.conflicts.iter().find(|conflict| {
            names(&conflict.requested, &input.request.app, &input.request.tier)
                && input.active_grants().any(|g| names(&conflict.held, &g.app, &g.tier))
        })?;
        Some(format!("nobody may hold {} together with {}", conflict.requested, conflict.held))
    }

    /// The step for one approver; nobody approves for themselves.
    fn step(&self, approver: &str, input: &Input) -> ApprovalStep {
        let may = |id: &&String| **id != input.subject.id && **id != input.requester.id;
        let person = match approver {
            "manager" => input.subject.managers.iter().find(may).cloned(),
            "owner" => input.item.owner.as_ref().filter(may).cloned(),
            other => Some(other.to_owned()).filter(|id| may(&id)),
        };
        let approvers = vec![person.unwrap_or_else(|| self.stand_in.clone())];
        ApprovalStep::any_of(approvers, self.due_in_hours)
    }
}

/// Adds a step unless the one before asks the same people: the manager may own the app.
fn with_step(answer: Answer, step: ApprovalStep) -> Answer {
    match &answer.decision {
        access::Decision::RequireApproval(plan) if plan.steps.last() == Some(&step) => answer,
        _ => answer.step(step),
    }
}

/// Whether `app` or `app/tier` names this access.
fn names(pattern: &str, app: &str, tier: &str) -> bool {
    match pattern.split_once('/') {
        Some((wanted_app, wanted_tier)) => wanted_app == app && wanted_tier == tier,
        None => pattern == app,
    }
}

impl Policy {
    fn holds(&self, input: &Input) -> bool {
        let (request, subject, peers) = (&input.request, &input.subject, &input.peers);
        let any = |wanted: &[String], value: &String| wanted.is_empty() || wanted.contains(value);
        let holders = u64::from(peers.department_holders) * 100;
        self.kind.as_ref().is_none_or(|kind| *kind == request.kind)
            && any(&self.apps, &request.app)
            && any(&self.tiers, &request.tier)
            && any(&self.risks, &input.item.risk)
            && any(&self.departments, &subject.department)
            && any(&self.titles, &subject.title)
            && (self.not_departments.is_empty() || !self.not_departments.contains(&subject.department))
            && (self.groups.is_empty() || self.groups.iter().any(|group| subject.is_in(group)))
            && self.hours_at_most.is_none_or(|most| request.duration_hours.is_some_and(|asked| asked <= most))
            && self.peers_at_least.is_none_or(|least| peers.department_size >= least)
            && self.peers_percent.is_none_or(|p| holders > 0 && holders >= p * u64::from(peers.department_size))
    }
}

export!(AccessPolicy: access);

#[cfg(test)]
mod tests {
    use ruledesk_sdk::access::{Decision, Grant, Rule};
    use ruledesk_sdk::testing::{self, access_input, person};

    use super::*;

    const SHIPPED: &str = include_str!("../rule.toml");

    fn shipped() -> AccessPolicy {
        testing::shipped(SHIPPED)
    }

    fn asked(input: &Input) -> Vec<Vec<String>> {
        match shipped().decide(input).unwrap().decision {
            Decision::RequireApproval(plan) => plan.steps.into_iter().map(|s| s.approvers).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn high_risk(subject: testing::PersonBuilder) -> Input {
        let mut input = access_input(subject.department("Engineering"), "datadog", "admin");
        input.item.risk = "high".to_owned();
        input.item.owner = Some("olga".to_owned());
        input.request.justification = "I am on call for the billing service from Monday".to_owned();
        input
    }

    #[test]
    fn the_manifests_examples_hold() {
        assert_eq!(testing::examples::<AccessPolicy>(SHIPPED), Ok(8));
    }

    #[test]
    fn nobody_approves_for_themselves() {
        let manager_first = high_risk(person("amara").manager("bo"));
        assert_eq!(asked(&manager_first), [["bo"], ["olga"]]);
        assert_eq!(asked(&high_risk(person("olga").manager("bo"))), [["bo"], ["group:it-admins"]]);
        assert_eq!(asked(&high_risk(person("amara"))), [["group:it-admins"], ["olga"]]);
        let mut for_a_report = high_risk(person("amara").manager("bo").manager("chi"));
        for_a_report.requester = person("bo").build();
        assert_eq!(asked(&for_a_report), [["chi"], ["olga"]]);
    }

    #[test]
    fn the_same_person_is_asked_once() {
        assert_eq!(asked(&high_risk(person("amara").manager("olga"))), [["olga"]]);
    }

    #[test]
    fn the_shortest_duration_counts() {
        let mut input = high_risk(person("amara").manager("bo"));
        input.request.duration_hours = Some(10_000);
        let Decision::RequireApproval(plan) = shipped().decide(&input).unwrap().decision else { panic!() };
        assert_eq!(plan.scope.duration_hours, 168);
        input.item.max_duration_hours = 8;
        let Decision::RequireApproval(plan) = shipped().decide(&input).unwrap().decision else { panic!() };
        assert_eq!(plan.scope.duration_hours, 8);
    }

    #[test]
    fn a_conflict_ends_with_the_grant() {
        let mut input = access_input(person("amara").department("People"), "salesforce", "admin");
        input.request.justification = "I look after the sales team's data".to_owned();
        let mut grant = Grant {
            app: "workday".to_owned(),
            tier: "manager".to_owned(),
            role: None,
            groups: vec![],
            granted_at: 0,
            expires_at: u64::MAX,
            state: "active".to_owned(),
        };
        input.grants = vec![grant.clone()];
        assert_eq!(shipped().decide(&input).unwrap().decision, Decision::Deny);
        grant.expires_at = input.now.at;
        input.grants = vec![grant];
        assert_ne!(shipped().decide(&input).unwrap().decision, Decision::Deny);
    }

    #[test]
    fn asking_nobody_is_refused() {
        let wrong = "due-in-hours = 1\nstand-in = \"x\"\n[[policies]]\ndecide = \"ask\"\nbecause = \"\"";
        assert_eq!(testing::try_rule::<AccessPolicy>(wrong).err().unwrap().len(), 1);
    }
}
