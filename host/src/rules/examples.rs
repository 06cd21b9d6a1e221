//! A manifest's examples: a sparse input is filled in, and a sparse answer compared with what the rule says.
//!
//! Everything here works on JSON in the contract's own names, so that an example reads like the contract.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::call::ask;
use super::manifest::Example;
use super::rule::Rule;
use super::stage::{Input, Stage};
use super::tables::Tables;

/// An example that a rule does not live up to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("example \"{name}\" ({stage}): {message}")]
pub struct ExampleFailed {
    pub name: String,
    pub stage: Stage,
    pub message: String,
}

/// Asks a rule all its examples.
///
/// # Errors
///
/// The first example that fails.
pub fn check(rule: &Rule, tables: &Arc<Tables>) -> Result<(), ExampleFailed> {
    rule.manifest.examples.iter().try_for_each(|example| {
        check_one(rule, example, tables).map_err(|message| ExampleFailed {
            name: example.name.clone(),
            stage: example.stage,
            message,
        })
    })
}

fn check_one(rule: &Rule, example: &Example, tables: &Arc<Tables>) -> Result<(), String> {
    let input = fill_in(example.stage, &example.input)?;
    let answer = ask(rule, &input, tables).result.map_err(|fault| fault.to_string())?;
    let answer = serde_json::to_value(&answer).map_err(|e| e.to_string())?;
    let differences = differences(&example.expect, &answer);
    if differences.is_empty() { Ok(()) } else { Err(differences) }
}

/// A whole input from a sparse one.
///
/// # Errors
///
/// Names what the contract has no place for.
pub fn fill_in(stage: Stage, sparse: &toml::Table) -> Result<Input, String> {
    let mut whole = default_input(stage);
    let sparse = serde_json::to_value(sparse).map_err(|e| e.to_string())?;
    merge(&mut whole, sparse, "input")?;
    Input::from_json(stage, whole).map_err(|e| format!("the input is not of the contract: {e}"))
}

fn default_input(stage: Stage) -> Value {
    let person = json!({
        "id": "amara", "name": "Amara Okafor", "email": "amara@example.org", "department": "Finance",
        "title": "Controller", "location": "Berlin", "groups": [], "managers": [], "vip": false,
        "attributes": [],
    });
    // A Monday at noon, UTC.
    let at = 1_767_614_400_000_u64;
    let mut input = json!({
        "now": { "at": at, "utc-offset": 0, "local-day": 20458, "weekday": 1, "minute-of-day": 720,
                 "in-business-hours": true },
        "ticket": { "request-type": "", "channel": "api", "subject": "", "body": "", "fields": [],
                    "tags": [], "signals": [], "attachments": [], "created-at": at, "attributes": [] },
        "requester": person,
    });
    let more = match stage {
        Stage::Intake => json!({ "submitted-by": "amara", "headers": [], "recent": [] }),
        Stage::Categorization | Stage::Priority | Stage::Routing => json!({ "so-far": so_far() }),
        Stage::Access => json!({
            "so-far": so_far(),
            "subject": person,
            "request": { "kind": "new", "app": "", "tier": "", "role": null, "groups": [],
                         "duration-hours": null, "justification": "" },
            "item": { "app": "", "name": "", "tier": "", "risk": "low", "max-duration-hours": 720,
                      "owner": null, "groups": [], "seats-left": null, "attributes": [] },
            "grants": [],
            "history": { "requested": 0, "approved": 0, "denied": 0, "revoked": 0 },
            "peers": { "department-size": 0, "department-holders": 0 },
        }),
    };
    if let (Value::Object(input), Value::Object(more)) = (&mut input, more) {
        input.extend(more);
    }
    input
}

fn so_far() -> Value {
    json!({ "category": null, "tags": [], "kind": "incident", "impact": null, "urgency": null,
            "priority": null, "team": null, "assignee": null, "attributes": [] })
}

/// Lays `sparse` over `whole`: records are merged, everything else is replaced.
fn merge(whole: &mut Value, sparse: Value, at: &str) -> Result<(), String> {
    let (Value::Object(whole), Value::Object(sparse)) = (&mut *whole, &sparse) else {
        *whole = sparse;
        return Ok(());
    };
    for (key, value) in sparse {
        let at = format!("{at}.{key}");
        let Some(place) = whole.get_mut(key) else {
            let known: Vec<&str> = whole.keys().map(String::as_str).collect();
            return Err(format!("`{at}` is not in the contract: known are {}", known.join(", ")));
        };
        match (key.as_str(), value) {
            ("fields", Value::Object(fields)) => *place = fields_from(fields),
            ("attributes" | "headers", Value::Object(pairs)) => *place = attributes_from(pairs),
            ("grants" | "recent", Value::Array(items)) => *place = completed(key, items),
            _ => merge(place, value.clone(), &at)?,
        }
    }
    Ok(())
}

/// `{ device = "laptop", people-affected = 40 }` as the contract's list of fields.
fn fields_from(fields: &Map<String, Value>) -> Value {
    let value = |value: &Value| match value {
        Value::String(text) => json!({ "text": text }),
        Value::Number(number) => json!({ "number": number.as_f64() }),
        Value::Bool(flag) => json!({ "flag": flag }),
        Value::Array(options) => json!({ "choices": options }),
        written_out => written_out.clone(),
    };
    fields.iter().map(|(name, v)| json!({ "name": name, "value": value(v) })).collect()
}

fn attributes_from(pairs: &Map<String, Value>) -> Value {
    pairs.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

/// Items of a list, each with what it leaves out.
fn completed(key: &str, items: &[Value]) -> Value {
    let blank = if key == "grants" {
        json!({ "app": "", "tier": "", "role": null, "groups": [], "granted-at": 0, "expires-at": 0,
                "state": "active" })
    } else {
        json!({ "key": "IT-1", "request-type": "", "subject": "", "state": "open", "created-at": 0 })
    };
    items
        .iter()
        .map(|item| {
            let mut whole = blank.clone();
            if let (Value::Object(whole), Value::Object(item)) = (&mut whole, item) {
                whole.extend(item.clone());
            }
            whole
        })
        .collect()
}

/// What differs between the expected and the given answer, a line each; empty if nothing does.
fn differences(expect: &toml::Table, answer: &Value) -> String {
    let (case, payload) = match answer.get("decision") {
        Some(Value::String(case)) => (case.as_str(), None),
        Some(Value::Object(variant)) => {
            variant.iter().next().map_or(("", None), |(case, payload)| (case.as_str(), Some(payload)))
        }
        _ => ("", None),
    };
    let reason = answer.get("reason").and_then(Value::as_str).unwrap_or_default();
    let mut out = String::new();
    for (key, expected) in expect {
        let expected = serde_json::to_value(expected).unwrap_or_default();
        let given = match key.as_str() {
            "decision" => Value::from(case),
            "reason" => Value::from(reason),
            "reason-contains" => {
                let part = expected.as_str().unwrap_or_default();
                if reason.contains(part) {
                    continue;
                }
                Value::from(reason)
            }
            "problems" => payload.cloned().unwrap_or_default(),
            key => payload.and_then(|p| p.get(key)).cloned().unwrap_or_default(),
        };
        if !covers(&expected, &given) {
            let _ = write!(out, "{}{key}: expected {expected}, got {given}", if out.is_empty() { "" } else { "; " });
        }
    }
    if !out.is_empty() {
        let _ = write!(out, " (the rule said: {case}, because {reason})");
    }
    out
}

/// Whether `given` has all that `expected` asks for: records sparsely, lists element by element.
fn covers(expected: &Value, given: &Value) -> bool {
    match (expected, given) {
        // An answer's fields are a list of names and values; an example may write them as a map.
        (Value::Object(fields), Value::Array(_)) => fields_from(fields) == *given,
        (Value::Object(expected), Value::Object(given)) => {
            expected.iter().all(|(key, value)| given.get(key).is_some_and(|given| covers(value, given)))
        }
        (Value::Array(expected), Value::Array(given)) => {
            expected.len() == given.len() && expected.iter().zip(given).all(|(e, g)| covers(e, g))
        }
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => expected == given,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_a_whole_default() {
        for stage in Stage::ALL {
            assert_eq!(fill_in(stage, &toml::Table::new()).map(|i| i.stage()), Ok(stage));
        }
    }

    #[test]
    fn a_sparse_input_is_laid_over_the_default() {
        let sparse = "ticket.fields = { n = 4, on = true, who = \"x\" }\nso-far.category = \"network\"";
        let input = fill_in(Stage::Priority, &toml::from_str(sparse).unwrap()).unwrap();
        let json = serde_json::to_value(&input).unwrap();
        assert_eq!(json["so-far"]["category"], "network");
        assert_eq!(json["ticket"]["fields"][0]["value"], json!({ "number": 4.0 }));
        let wrong = toml::from_str("ticket.title = \"x\"").unwrap();
        assert!(fill_in(Stage::Priority, &wrong).unwrap_err().starts_with("`input.ticket.title`"));
    }

    #[test]
    fn differences_name_what_was_expected_and_given() {
        let answer = json!({ "decision": { "rate": { "level": "high" } }, "reason": "VIP" });
        let expect = toml::from_str("decision = \"rate\"\nlevel = \"low\"").unwrap();
        assert_eq!(
            differences(&expect, &answer),
            "level: expected \"low\", got \"high\" (the rule said: rate, because VIP)"
        );
        let expect = toml::from_str("level = \"high\"\nreason-contains = \"VIP\"").unwrap();
        assert_eq!(differences(&expect, &answer), "");
    }
}
