//! A manifest's examples: a sparse input is filled in, and a sparse answer compared with what the rule says.
//!
//! Everything here works on JSON in the contract's own names, so that an example reads like the contract.

use std::sync::Arc;

use super::call::ask;
use super::manifest::{Example, Manifest};
use super::rule::Rule;
use super::stage::{Answer, Stage};
use crate::rules::tables::Tables;

mod compare;
pub mod example;
mod input;
pub mod largest;

pub use compare::{Difference, compare, flat};
pub use input::{at_instant, fill_in, fill_in_json};

/// An example that a rule does not live up to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("example \"{name}\" ({stage}): {message}")]
pub struct ExampleFailed {
    pub name: String,
    pub stage: Stage,
    pub message: String,
}

/// An answer that a rule gives, or would give, about which a desk is asked whether it knows the names.
pub enum Said<'a> {
    /// To an example.
    Answer(Answer),
    /// By the rows of its table.
    Manifest(&'a Manifest),
}

/// Whether a desk knows the names that a rule uses, and if not, which.
#[derive(Clone)]
pub struct Judge(Arc<Knows>);

type Knows = dyn Fn(Said<'_>) -> Result<(), String> + Send + Sync;

impl Judge {
    pub fn new(knows: impl Fn(Said<'_>) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(knows))
    }
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Judge")
    }
}

/// Whether a rule has passed its examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    NotYet,
    /// When it was loaded before: then only the names in its answers are looked at, which the desk may know no longer.
    Before,
}

/// Asks a rule all its examples.
///
/// # Errors
///
/// The first example that fails.
pub fn check(rule: &Rule, tables: &Arc<Tables>, judge: Option<&Judge>, passed: Passed) -> Result<(), ExampleFailed> {
    for example in rule.manifest.examples.iter().filter(|_| passed == Passed::NotYet || judge.is_some()) {
        check_one(rule, example, tables, judge, passed).map_err(|message| ExampleFailed {
            name: example.name.clone(),
            stage: example.stage,
            message,
        })?;
    }
    Ok(())
}

fn check_one(
    rule: &Rule,
    example: &Example,
    tables: &Arc<Tables>,
    judge: Option<&Judge>,
    passed: Passed,
) -> Result<(), String> {
    let input = example.whole()?;
    let answer = match ask(rule, &input, &example.asked_with(&rule.manifest, tables)).result {
        Err(_) if passed == Passed::Before => return Ok(()),
        answer => answer.map_err(|fault| fault.to_string())?,
    };
    if passed == Passed::NotYet {
        compared(example, &answer)?;
    }
    match judge {
        Some(Judge(knows)) => knows(Said::Answer(answer)).map_err(|why| format!("this desk does not take it: {why}")),
        None => Ok(()),
    }
}

/// Whether a desk knows all names in the table that a rule's settings are, if they are one.
///
/// # Errors
///
/// The row and the name.
pub fn check_table(manifest: &Manifest, judge: Option<&Judge>) -> Result<(), String> {
    judge.map_or(Ok(()), |Judge(knows)| knows(Said::Manifest(manifest)))
}

/// Whether a desk knows all names in an answer.
///
/// # Errors
///
/// The name.
pub fn judged(answer: &Answer, judge: Option<&Judge>) -> Result<(), String> {
    judge.map_or(Ok(()), |Judge(knows)| knows(Said::Answer(answer.clone())))
}

fn compared(example: &Example, answer: &Answer) -> Result<(), String> {
    let answer = serde_json::to_value(answer).map_err(|e| e.to_string())?;
    let expect = serde_json::to_value(&example.expect).map_err(|e| e.to_string())?;
    let differences: Vec<String> = compare(&expect, &answer).iter().map(ToString::to_string).collect();
    if differences.is_empty() {
        return Ok(());
    }
    let said = flat(&answer);
    let word = |key| said.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
    Err(format!("{} (the rule said: {}, because {})", differences.join("; "), word("decision"), word("reason")))
}
