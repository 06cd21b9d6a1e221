//! A whole input from a sparse one: what is left out is empty, and the moment is fixed.

use serde_json::{Map, Value, json};

use crate::rules::run::stage::{Input, Stage};

/// A whole input from a sparse one.
///
/// # Errors
///
/// Names what the contract has no place for.
pub fn fill_in(stage: Stage, sparse: &toml::Table) -> Result<Input, String> {
    fill_in_json(stage, serde_json::to_value(sparse).map_err(|e| e.to_string())?)
}

/// The same for a sparse input in JSON. A whole one, as it is recorded, stays as it is.
///
/// # Errors
///
/// Names what the contract has no place for.
pub fn fill_in_json(stage: Stage, sparse: Value) -> Result<Input, String> {
    let mut whole = default_input(stage);
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
    fields.iter().map(|(name, value)| json!({ "name": name, "value": field_value(value) })).collect()
}

/// A form field's value that may be written as a plain one: a string is text, a list several options.
pub fn field_value(plain: &Value) -> Value {
    match plain {
        Value::String(text) => json!({ "text": text }),
        Value::Number(number) => json!({ "number": number.as_f64() }),
        Value::Bool(flag) => json!({ "flag": flag }),
        Value::Array(options) => json!({ "choices": options }),
        written_out => written_out.clone(),
    }
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
}
