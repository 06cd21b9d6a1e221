//! What a rule chose, and what a stage came to, as one word each: so that they can be compared and counted.

use serde_json::Value;

use crate::rules::contract::{access, categorization, intake, priority, routing};
use crate::rules::run::stage::{Answer, Stage};

/// What an answer chooses: a category, a level, a team, or what intake and access do. `None` where the rule passes, or
/// leaves the choice to others.
pub fn of(answer: &Answer) -> Option<&str> {
    match answer {
        Answer::Intake(answer) => Some(match answer.decision {
            intake::Decision::Accept(_) => "accept",
            intake::Decision::Reject(_) => "reject",
        }),
        Answer::Categorization(answer) => match &answer.decision {
            categorization::Decision::Pass => None,
            categorization::Decision::Classify(classified) => classified.category.as_deref(),
        },
        Answer::Priority(answer) => match &answer.decision {
            priority::Decision::Pass => None,
            priority::Decision::Rate(rating) => Some(&rating.level),
        },
        Answer::Routing(answer) => match &answer.decision {
            routing::Decision::Pass => None,
            routing::Decision::Assign(destination) => destination.team.as_deref(),
        },
        Answer::Access(answer) => match &answer.decision {
            access::Decision::Pass => None,
            access::Decision::Approve(_) => Some("approve"),
            access::Decision::RequireApproval(_) => Some("require-approval"),
            access::Decision::Deny => Some("deny"),
        },
    }
}

/// The same of a recorded answer, whose decision is `"pass"` or `{"rate": {"level": "high"}}`.
pub fn of_recorded(stage: Stage, decision: &Value) -> Option<&str> {
    let inner = |case: &str, key: &str| decision.get(case)?.get(key)?.as_str();
    match stage {
        Stage::Intake | Stage::Access => case(decision).filter(|case| *case != "pass"),
        Stage::Categorization => inner("classify", "category"),
        Stage::Priority => inner("rate", "level"),
        Stage::Routing => inner("assign", "team"),
    }
}

/// The case of a recorded variant: a text, or an object's only key.
pub fn case(decision: &Value) -> Option<&str> {
    decision.as_str().or_else(|| decision.as_object()?.keys().next().map(String::as_str))
}

/// What a stage came to, by its recorded verdict, in the words of the rules' choices.
pub fn of_verdict(stage: Stage, verdict: &Value) -> Option<&str> {
    let text = |key: &str| verdict.get(key).and_then(Value::as_str);
    match stage {
        Stage::Intake => verdict.get("accepted")?.as_bool().map(|accepted| if accepted { "accept" } else { "reject" }),
        Stage::Categorization => text("category"),
        Stage::Priority => text("priority"),
        Stage::Routing => text("team"),
        Stage::Access => match text("outcome")? {
            "approved" => Some("approve"),
            "awaiting" => Some("require-approval"),
            _ => Some("deny"),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn routed(team: Option<&str>) -> Answer {
        let destination = routing::Destination {
            team: team.map(str::to_owned),
            assignee: None,
            skills: Vec::new(),
            strategy: None,
            tier: None,
        };
        let decision = routing::Decision::Assign(destination);
        Answer::Routing(routing::Answer { decision, reason: String::new(), attributes: Vec::new() })
    }

    fn denied() -> Answer {
        let decision = access::Decision::Deny;
        Answer::Access(access::Answer { decision, reason: String::new(), attributes: Vec::new() })
    }

    #[test]
    fn a_recorded_answer_says_what_the_answer_said() {
        let cases = [
            (Stage::Routing, routed(Some("network")), Some("network")),
            (Stage::Routing, routed(None), None),
            (Stage::Access, denied(), Some("deny")),
        ];
        for (stage, answer, expected) in cases {
            let recorded = serde_json::to_value(&answer).unwrap();
            assert_eq!(of(&answer), expected);
            assert_eq!(of_recorded(stage, &recorded["decision"]), expected, "{recorded}");
        }
    }

    #[test]
    fn verdicts_use_the_words_of_answers() {
        assert_eq!(of_verdict(Stage::Intake, &json!({ "accepted": false })), Some("reject"));
        assert_eq!(of_verdict(Stage::Access, &json!({ "outcome": "awaiting" })), Some("require-approval"));
        assert_eq!(of_verdict(Stage::Priority, &json!({ "priority": "low" })), Some("low"));
        assert_eq!(of_verdict(Stage::Priority, &json!({})), None);
    }
}
