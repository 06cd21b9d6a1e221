//! What rules' answers come to at a stage: each asked as its manifest says, checked against the organisation, all combined,
//! and written down. The pipeline does this for new tickets, and whatever replays old decisions does the same.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::translate;
use crate::desk::organisation::{Organisation, RequestType};
use crate::desk::verdict::access::{AccessAnswer, AccessVerdict, Asked, Outcome};
use crate::desk::verdict::check;
use crate::desk::verdict::{
    self, By, Classification, Classified, Destination, IntakeAnswer, IntakeVerdict, Rated, Rating, Routed,
};
use crate::rules::contract::intake;
use crate::rules::run::call::{Called, ask};
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::{Answer, Input};
use crate::rules::tables::Tables;

/// Asks a rule. One that does not want the recent tickets is not shown them.
pub fn ask_one(rule: &Rule, input: &Input, tables: &Arc<Tables>) -> Called {
    match input {
        Input::Intake(all) if !rule.manifest.wants_recent_tickets && !all.recent.is_empty() => {
            let input = Input::Intake(intake::Input { recent: Vec::new(), ..all.clone() });
            ask(rule, &input, tables)
        }
        _ => ask(rule, input, tables),
    }
}

/// Checks what an intake rule says.
///
/// # Errors
///
/// A sentence that says why it does not count; likewise below.
pub fn intake(organisation: &Organisation, form: &RequestType, answer: Answer) -> Result<IntakeAnswer, String> {
    match answer {
        Answer::Intake(answer) => match translate::intake_answer(answer.decision) {
            Ok(changes) => check::changes(organisation, form, changes).map(IntakeAnswer::Accept),
            Err(problems) if problems.is_empty() => Err("it rejects without a problem".to_owned()),
            Err(problems) => check::check_length("problems", problems.len()).map(|()| IntakeAnswer::Reject(problems)),
        },
        other => Err(wrong_stage(&other)),
    }
}

/// Checks what a categorization rule says.
pub fn categorization(organisation: &Organisation, answer: Answer) -> Result<Classification, String> {
    match answer {
        Answer::Categorization(answer) => {
            check::classification(organisation, translate::classification(answer.decision))
        }
        other => Err(wrong_stage(&other)),
    }
}

/// Checks what a priority rule says; `None` is no opinion.
pub fn priority(organisation: &Organisation, answer: Answer) -> Result<Option<Rating>, String> {
    match answer {
        Answer::Priority(answer) => {
            translate::rating(answer.decision).map(|r| check::rating(organisation, r)).transpose()
        }
        other => Err(wrong_stage(&other)),
    }
}

/// Checks what a routing rule says; `None` is no opinion.
pub fn routing(organisation: &Organisation, answer: Answer) -> Result<Option<Destination>, String> {
    match answer {
        Answer::Routing(answer) => {
            translate::destination(answer.decision).map(|d| check::destination(organisation, d)).transpose()
        }
        other => Err(wrong_stage(&other)),
    }
}

/// Checks what an access rule says.
pub fn access(asked: &Asked<'_>, answer: Answer) -> Result<AccessAnswer, String> {
    match answer {
        Answer::Access(answer) => verdict::access::check(asked, translate::access_answer(answer.decision)),
        other => Err(wrong_stage(&other)),
    }
}

fn wrong_stage(answer: &Answer) -> String {
    // Each stage's call returns that stage's answer by its type; this keeps the match whole.
    format!("an answer of another stage: {}", answer.reason())
}

/// Intake's verdict as it is recorded.
pub fn intake_record(verdict: &IntakeVerdict) -> Json {
    match verdict {
        IntakeVerdict::Accepted(changes) => json!({
            "accepted": true, "signals": changes.signals,
            "duplicate-of": changes.duplicate_of.map(|n| n.to_string()),
        }),
        IntakeVerdict::Rejected(problems) => json!({
            "accepted": false,
            "problems": problems.iter().map(|p| json!({ "field": p.field, "code": p.code })).collect::<Vec<_>>(),
        }),
    }
}

/// Categorization's verdict as it is recorded.
pub fn categorization_record(verdict: &Classified) -> Json {
    json!({
        "category": verdict.category.value.as_str(), "category-by": by(&verdict.category.by),
        "kind": verdict.kind.value.code(),
        "tags": verdict.tags.iter().map(|tag| tag.value.as_str()).collect::<Vec<_>>(),
    })
}

/// Priority's verdict as it is recorded.
pub fn priority_record(verdict: &Rated) -> Json {
    json!({
        "priority": verdict.level.value.as_str(), "priority-by": by(&verdict.level.by),
        "impact": verdict.impact.as_ref().map(|i| i.as_str()),
        "urgency": verdict.urgency.as_ref().map(|u| u.as_str()),
    })
}

/// Routing's verdict as it is recorded.
pub fn routing_record(verdict: &Routed) -> Json {
    json!({
        "team": verdict.team.value.as_str(), "team-by": by(&verdict.team.by),
        "assignee": verdict.assignee.as_ref().map(|a| a.as_str()),
        "skills": verdict.skills.iter().map(|s| s.as_str()).collect::<Vec<_>>(),
        "strategy": verdict.strategy.code(), "tier": verdict.tier,
    })
}

/// Access's verdict as it is recorded.
pub fn access_record(verdict: &AccessVerdict) -> Json {
    let outcome = match &verdict.outcome {
        Outcome::Approved(_) => "approved",
        Outcome::Await(_) => "awaiting",
        Outcome::Denied => "denied",
    };
    json!({ "outcome": outcome, "reason": verdict.reason })
}

/// Who or what set a field, in a few words.
pub fn by(by: &By) -> String {
    match by {
        By::Rule { rule, .. } => rule.to_string(),
        By::RequestType => "the request type".to_owned(),
        By::Category => "the category".to_owned(),
        By::Default => "the desk's default".to_owned(),
    }
}
