//! A sparse answer compared with what a rule said, field by field.

use std::fmt;

use serde_json::{Map, Value};

use super::input::field_value;

/// A place where an answer is not what was expected.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Difference {
    /// Such as `level` or `steps[0].approvers`.
    pub path: String,
    pub expected: Value,
    pub got: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, got {}", self.path, self.expected, self.got)
    }
}

/// An answer without its levels: `decision` is the case's name, beside it are the fields that the case holds (`problems`
/// where it holds a list), `reason` and `attributes`. What is written so already stays as it is.
pub fn flat(answer: &Value) -> Map<String, Value> {
    let mut out = answer.as_object().cloned().unwrap_or_default();
    let Some(Value::Object(variant)) = out.get("decision").cloned() else {
        return out;
    };
    if let Some((case, payload)) = variant.into_iter().next() {
        out.insert("decision".to_owned(), case.into());
        match payload {
            Value::Object(fields) => out.extend(fields),
            Value::Null => {}
            list => {
                out.insert("problems".to_owned(), list);
            }
        }
    }
    out
}

/// Where an answer differs from what is expected of it; what is not expected is not compared. `reason-contains` expects a
/// part of the reason.
pub fn compare(expect: &Value, answer: &Value) -> Vec<Difference> {
    let answer = flat(answer);
    let mut out = Vec::new();
    for (key, expected) in flat(expect) {
        if key == "reason-contains" {
            let reason = answer.get("reason").cloned().unwrap_or_default();
            let holds =
                reason.as_str().is_some_and(|reason| expected.as_str().is_some_and(|part| reason.contains(part)));
            if !holds {
                out.push(Difference { path: key, expected, got: reason });
            }
        } else {
            let got = answer.get(&key).unwrap_or(&Value::Null);
            walk(&key, &expected, got, &mut out);
        }
    }
    out
}

fn walk(path: &str, expected: &Value, got: &Value, out: &mut Vec<Difference>) {
    match (expected, got) {
        // Fields and attributes may be expected by name, in any order: then all of them.
        (Value::Object(expected), Value::Array(pairs)) if pairs.iter().all(|pair| pair.get("name").is_some()) => {
            by_name(path, expected, pairs, out);
        }
        (Value::Object(expected), Value::Object(got)) => {
            for (key, expected) in expected {
                walk(&format!("{path}.{key}"), expected, got.get(key).unwrap_or(&Value::Null), out);
            }
        }
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
            for (index, (expected, got)) in expected.iter().zip(got).enumerate() {
                walk(&format!("{path}[{index}]"), expected, got, out);
            }
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => {}
        _ if expected == got => {}
        _ => out.push(Difference { path: path.to_owned(), expected: expected.clone(), got: got.clone() }),
    }
}

fn by_name(path: &str, expected: &Map<String, Value>, pairs: &[Value], out: &mut Vec<Difference>) {
    let value_of = |name: &str| pairs.iter().find(|pair| pair.get("name").is_some_and(|n| n == name))?.get("value");
    for (name, expected) in expected {
        let got = value_of(name).unwrap_or(&Value::Null);
        // An attribute's value is a text, a field's says its kind.
        let expected = if got.is_object() { field_value(expected) } else { expected.clone() };
        walk(&format!("{path}.{name}"), &expected, got, out);
    }
    for pair in pairs {
        let name = pair.get("name").and_then(Value::as_str).unwrap_or_default();
        if !expected.contains_key(name) {
            let got = pair.get("value").cloned().unwrap_or_default();
            out.push(Difference { path: format!("{path}.{name}"), expected: Value::Null, got });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(expect: &Value, answer: &Value) -> Vec<String> {
        compare(expect, answer).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn differences_name_what_was_expected_and_given() {
        let answer = json!({ "decision": { "rate": { "level": "high" } }, "reason": "VIP" });
        let expect = json!({ "decision": "rate", "level": "low" });
        assert_eq!(paths(&expect, &answer), ["level: expected \"low\", got \"high\""]);
        assert_eq!(paths(&json!({ "level": "high", "reason-contains": "VIP" }), &answer), [""; 0]);
        assert_eq!(paths(&answer, &answer), [""; 0]);
    }

    #[test]
    fn what_lies_deep_is_named_by_its_path() {
        let answer = json!({ "decision": { "require-approval": {
            "steps": [{ "approvers": ["a"], "needed": 1 }], "scope": { "tier": "write" } } }, "reason": "" });
        let expect = json!({ "steps": [{ "needed": 2.0 }], "scope": { "tier": "read" } });
        assert_eq!(
            paths(&expect, &answer),
            ["scope.tier: expected \"read\", got \"write\"", "steps[0].needed: expected 2.0, got 1"]
        );
        assert_eq!(paths(&json!({ "steps": [] }), &answer).len(), 1);
    }

    #[test]
    fn fields_are_compared_by_name() {
        let answer = json!({ "decision": { "accept": { "fields": [
            { "name": "b", "value": { "text": "x" } }, { "name": "a", "value": { "number": 4.0 } }] } } });
        assert_eq!(paths(&json!({ "fields": { "a": 4, "b": "x" } }), &answer), [""; 0]);
        assert_eq!(paths(&json!({ "fields": { "a": 4 } }), &answer), [r#"fields.b: expected null, got {"text":"x"}"#]);
    }
}
