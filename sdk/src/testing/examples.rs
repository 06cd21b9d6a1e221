//! Runs a manifest's examples natively, as the desk runs them against the component before it activates a rule.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::sketch::sketch;
use super::world::{World, set_row};
use super::{from_manifest, sparse};
use crate::glue::Exported;

/// Why the examples did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missed {
    /// The manifest cannot be read, or its settings are wrong.
    Manifest(Vec<String>),
    /// An example's input cannot be read, or the rule has no such stage.
    Input {
        /// The example's name.
        example: String,
        /// What is wrong with it.
        message: String,
    },
    /// The rule answered something else.
    Answer {
        /// The example's name.
        example: String,
        /// What was expected and is not so.
        differences: Vec<String>,
    },
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest(problems) => write!(f, "manifest: {}", problems.join("; ")),
            Self::Input { example, message } => write!(f, "example `{example}`: {message}"),
            Self::Answer { example, differences } => {
                write!(f, "example `{example}`: {}", differences.join("; "))
            }
        }
    }
}

impl std::error::Error for Missed {}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default, rename = "example")]
    examples: Vec<Example>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    name: String,
    stage: String,
    /// The instant that it is asked at.
    #[serde(default)]
    at: Option<toml::Value>,
    #[serde(default)]
    input: sparse::Input,
    /// Rows by table and key, each with its cells by column.
    #[serde(default)]
    tables: BTreeMap<String, BTreeMap<String, toml::Table>>,
    expect: toml::Table,
}

/// Builds the rule from the manifest's settings and asks it every example; the number of examples.
///
/// # Errors
///
/// The first example that does not hold, or what is wrong with the manifest.
pub fn examples<R: Exported>(manifest: &str) -> Result<usize, Missed> {
    let rule: R = from_manifest(manifest).map_err(Missed::Manifest)?;
    let read: Manifest = toml::from_str(manifest).map_err(|error| Missed::Manifest(vec![error.to_string()]))?;
    let count = read.examples.len();
    for example in read.examples {
        check(&rule, example)?;
    }
    Ok(count)
}

fn check<R: Exported>(rule: &R, example: Example) -> Result<(), Missed> {
    let Example { name, stage, at, input, tables, expect } = example;
    let _rows = with_rows(&tables);
    let input_error = |message| Missed::Input { example: name.clone(), message };
    let input = match at {
        None => input,
        Some(at) => input.at(&at).map_err(input_error)?,
    };
    let question = input.complete(&stage).map_err(input_error)?;
    let reply = rule.ask(&question);
    let reply = reply.ok_or_else(|| input_error(format!("the rule has no stage `{stage}`")))?;
    let expected = serde_json::to_value(&expect).map_err(|error| input_error(error.to_string()))?;
    let answer = sketch(&reply);
    let mut differences = Vec::new();
    if let Value::Object(expected) = &expected {
        for (key, expected) in expected {
            compare_key(key, expected, &answer, &mut differences);
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    differences.push(format!("the answer was {answer}"));
    Err(Missed::Answer { example: name, differences })
}

/// Gives an example's rows to the look-ups of this thread, for as long as the result lives.
fn with_rows(tables: &BTreeMap<String, BTreeMap<String, toml::Table>>) -> World {
    let world = World::aside();
    for (table, rows) in tables {
        for (key, row) in rows {
            let cell = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let cells: Vec<(&str, String)> = row.iter().map(|(column, value)| (column.as_str(), cell(value))).collect();
            let cells: Vec<(&str, &str)> = cells.iter().map(|(column, value)| (*column, value.as_str())).collect();
            set_row(table, key, &cells);
        }
    }
    world
}

fn compare_key(key: &str, expected: &Value, answer: &Value, differences: &mut Vec<String>) {
    if key == "reason-contains" {
        let reason = answer.get("reason").and_then(Value::as_str).unwrap_or_default();
        if !expected.as_str().is_some_and(|part| reason.contains(part)) {
            differences.push(format!("the reason does not contain {expected}"));
        }
        return;
    }
    let found = answer.get(key).unwrap_or(&Value::Null);
    if !holds(expected, found) {
        differences.push(format!("`{key}`: expected {expected}, found {found}"));
    }
}

/// Whether what is expected is so: of tables only the keys given, of lists every element.
fn holds(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.iter().all(|(key, expected)| holds(expected, found.get(key).unwrap_or(&Value::Null)))
        }
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len() && expected.iter().zip(found).all(|(e, f)| holds(e, f))
        }
        (Value::Number(expected), Value::Number(found)) => expected.as_f64() == found.as_f64(),
        _ => expected == found,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tables_are_sparse_and_lists_are_whole() {
        let found = json!({ "a": [{ "b": 1, "c": 2 }], "d": null });
        assert!(holds(&json!({ "a": [{ "b": 1.0 }] }), &found));
        assert!(!holds(&json!({ "a": [] }), &found));
        assert!(!holds(&json!({ "a": [{ "b": 2 }] }), &found));
        assert!(!holds(&json!({ "e": 1 }), &found));
    }
}
