//! A manifest's examples: a sparse input is filled in, and a sparse answer compared with what the rule says.
//!
//! Everything here works on JSON in the contract's own names, so that an example reads like the contract.

use std::sync::Arc;

use super::call::ask;
use super::manifest::Example;
use super::rule::Rule;
use super::stage::Stage;
use crate::rules::tables::Tables;

mod compare;
mod input;

pub use compare::{Difference, compare, flat};
pub use input::{fill_in, fill_in_json};

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
    let expect = serde_json::to_value(&example.expect).map_err(|e| e.to_string())?;
    let differences: Vec<String> = compare(&expect, &answer).iter().map(ToString::to_string).collect();
    if differences.is_empty() {
        return Ok(());
    }
    let said = flat(&answer);
    let word = |key| said.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
    Err(format!("{} (the rule said: {}, because {})", differences.join("; "), word("decision"), word("reason")))
}
