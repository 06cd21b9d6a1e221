//! An answer as plain JSON with the contract's names, so that an example's `expect` can be compared with it.

use serde_json::{Map, Value, json};

use super::Reply;
use crate::types::{Attribute, Value as FieldValue};
use crate::{access, categorization, closing, intake, priority, routing};

/// The reply with the decision's case under `decision` and the fields of its payload beside it; a failure under `error`.
pub fn sketch(reply: &Reply) -> Value {
    match reply {
        Reply::Intake(answer) => whole(answer, intake, |a| (&a.reason, &a.attributes)),
        Reply::Categorization(a) => whole(a, categorization, |a| (&a.reason, &a.attributes)),
        Reply::Priority(answer) => whole(answer, priority, |a| (&a.reason, &a.attributes)),
        Reply::Routing(answer) => whole(answer, routing, |a| (&a.reason, &a.attributes)),
        Reply::Access(answer) => whole(answer, access, |a| (&a.reason, &a.attributes)),
        Reply::Closing(answer) => whole(answer, closing, |a| (&a.reason, &a.attributes)),
    }
}

fn whole<A>(
    answer: &Result<A, String>,
    decision: fn(&A) -> Value,
    rest: fn(&A) -> (&String, &Vec<Attribute>),
) -> Value {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return json!({ "error": error }),
    };
    let (reason, attributes) = rest(answer);
    let mut sketch = decision(answer);
    if let Value::Object(fields) = &mut sketch {
        fields.insert("reason".to_owned(), json!(reason));
        let attributes = attributes.iter().map(|a| (a.name.clone(), json!(a.value)));
        fields.insert("attributes".to_owned(), Value::Object(attributes.collect()));
    }
    sketch
}

fn intake(answer: &intake::Answer) -> Value {
    match &answer.decision {
        intake::Decision::Accept(changes) => {
            let fields: Map<_, _> = changes.fields.iter().map(|f| (f.name.clone(), field_value(&f.value))).collect();
            json!({
                "decision": "accept",
                "subject": changes.subject,
                "body": changes.body,
                "fields": fields,
                "tags": changes.tags,
                "signals": changes.signals,
                "duplicate-of": changes.duplicate_of,
            })
        }
        intake::Decision::Reject(problems) => {
            let problems: Vec<Value> =
                problems.iter().map(|p| json!({ "field": p.field, "code": p.code, "message": p.message })).collect();
            json!({ "decision": "reject", "problems": problems })
        }
    }
}

fn field_value(value: &FieldValue) -> Value {
    match value {
        FieldValue::Text(text) => json!(text),
        FieldValue::Number(number) => json!(number),
        FieldValue::Flag(flag) => json!(flag),
        FieldValue::Date(date) => json!({ "date": date }),
        FieldValue::Choice(choice) => json!({ "choice": choice }),
        FieldValue::Choices(choices) => json!(choices),
    }
}

fn categorization(answer: &categorization::Answer) -> Value {
    match &answer.decision {
        categorization::Decision::Pass => json!({ "decision": "pass" }),
        categorization::Decision::Classify(c) => json!({
            "decision": "classify", "category": c.category, "tags": c.tags, "kind": c.kind,
        }),
    }
}

fn priority(answer: &priority::Answer) -> Value {
    match &answer.decision {
        priority::Decision::Pass => json!({ "decision": "pass" }),
        priority::Decision::Rate(r) => json!({
            "decision": "rate", "impact": r.impact, "urgency": r.urgency, "level": r.level,
        }),
    }
}

fn routing(answer: &routing::Answer) -> Value {
    match &answer.decision {
        routing::Decision::Pass => json!({ "decision": "pass" }),
        routing::Decision::Assign(d) => json!({
            "decision": "assign",
            "team": d.team,
            "assignee": d.assignee,
            "skills": d.skills,
            "strategy": d.strategy,
            "tier": d.tier,
        }),
    }
}

fn access(answer: &access::Answer) -> Value {
    match &answer.decision {
        access::Decision::Pass => json!({ "decision": "pass" }),
        access::Decision::Deny => json!({ "decision": "deny" }),
        access::Decision::Approve(granted) => {
            let mut sketch = scope(granted);
            if let Value::Object(fields) = &mut sketch {
                fields.insert("decision".to_owned(), json!("approve"));
            }
            sketch
        }
        access::Decision::RequireApproval(plan) => {
            let steps: Vec<Value> = plan
                .steps
                .iter()
                .map(|s| {
                    json!({
                        "approvers": s.approvers, "needed": s.needed, "due-in-hours": s.due_in_hours,
                    })
                })
                .collect();
            json!({ "decision": "require-approval", "steps": steps, "scope": scope(&plan.scope) })
        }
    }
}

fn closing(answer: &closing::Answer) -> Value {
    json!({ "decision": match answer.decision {
        closing::Decision::Pass => "pass",
        closing::Decision::Reopen => "reopen",
        closing::Decision::FollowUp => "follow-up",
        closing::Decision::Keep => "keep",
        closing::Decision::Confirm => "confirm",
    } })
}

fn scope(scope: &access::Scope) -> Value {
    json!({
        "tier": scope.tier,
        "role": scope.role,
        "groups": scope.groups,
        "duration-hours": scope.duration_hours,
    })
}
