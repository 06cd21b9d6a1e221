//! Examples, made from the schemas that they have to fit.

use serde_json::{Map, Value, json};

/// How far types within types are followed.
const DEPTH_MAX: usize = 8;

/// Adds an example to a content that has none.
pub fn add(content: &mut Map<String, Value>, schemas: &Value) {
    let Some(schema) = content.get("schema") else { return };
    let example = special(schema).unwrap_or_else(|| of(schema, schemas, DEPTH_MAX));
    content.entry("example").or_insert(example);
}

/// Examples that say more than a schema does.
fn special(schema: &Value) -> Option<Value> {
    let name = schema.get("$ref")?.as_str()?.rsplit('/').next()?;
    Some(match name {
        "NewTicketBody" => json!({
            "request_type": "incident", "subject": "VPN is down", "body": "Nobody in Berlin can reach the VPN since 9.",
            "fields": { "service": "vpn", "people-affected": 40 },
        }),
        "CommentBody" => json!({ "body": "We look into it.", "internal": false }),
        "TransitionBody" => json!({ "to": "in_progress", "reason": "I have it" }),
        "EditBody" => json!({ "priority": "high", "reason": "The whole site is cut off" }),
        "DecisionBody" => json!({ "approve": true, "reason": "For the data project", "hours": 24 }),
        "RevokeBody" => json!({ "reason": "The project is over" }),
        "Move" => json!({ "to": "canary", "percent": 10, "why": "It agrees in the shadow" }),
        "DryRunBody" => json!({ "ticket": "IT-7" }),
        _ => return None,
    })
}

/// A value that fits a schema.
fn of(schema: &Value, schemas: &Value, depth: usize) -> Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next()) {
        let named = schemas.get(name).filter(|_| depth > 0);
        return named.map_or(Value::Null, |schema| of(schema, schemas, depth - 1));
    }
    if let Some(one) = schema.get("enum").and_then(|all| all.get(0)) {
        return one.clone();
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        let parts = parts.iter().filter_map(|part| of(part, schemas, depth).as_object().cloned());
        return Value::Object(parts.flatten().collect());
    }
    for choice in ["oneOf", "anyOf"] {
        let choices = schema.get(choice).and_then(Value::as_array);
        let not_null = |part: &&Value| part.get("type").and_then(Value::as_str) != Some("null");
        if let Some(part) = choices.and_then(|parts| parts.iter().find(not_null)) {
            return of(part, schemas, depth);
        }
    }
    match kind(schema) {
        "object" => object(schema, schemas, depth),
        "array" => {
            let item = schema.get("items").filter(|_| depth > 1).map(|item| of(item, schemas, depth - 1));
            Value::Array(item.filter(|item| !item.is_null()).into_iter().collect())
        }
        "string" => text(schema).into(),
        "integer" => whole(schema).into(),
        "number" => json!(1.5),
        "boolean" => json!(true),
        _ => Value::Null,
    }
}

/// The type of a value, that of its presence where it may be absent.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default()
        }
        _ if schema.get("properties").is_some() => "object",
        _ => "",
    }
}

fn object(schema: &Value, schemas: &Value, depth: usize) -> Value {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let required = |name: &str| {
        let all = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        all.filter_map(Value::as_str).any(|required| required == name)
    };
    let one = |(name, schema): (&String, &Value)| (name.clone(), of(schema, schemas, depth.saturating_sub(1)));
    // What may be left out is, where nothing can be shown of it.
    let all = properties.map(one).filter(|(name, value)| required(name) || !value.is_null());
    Value::Object(all.collect())
}

fn text(schema: &Value) -> &'static str {
    match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => "2026-03-02T09:15:00Z",
        Some("date") => "2026-03-02",
        Some("uuid") => "01980000-0000-7000-8000-000000000001",
        Some("binary") => "",
        _ => "text",
    }
}

fn whole(schema: &Value) -> i64 {
    schema.get("minimum").and_then(Value::as_f64).map_or(1, |least| (least as i64).max(1))
}
