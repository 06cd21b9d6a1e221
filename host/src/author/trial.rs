//! Asks a rule its manifest's examples and its cases, and keeps what came of each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::case::{Case, CaseError};
use super::sandbox::{Sandbox, Shipped, with_empty};
use crate::rules::load::LoadError;
use crate::rules::run::call::{Called, ask};
use crate::rules::run::examples::{Difference, Judge, compare, flat, judged};
use crate::rules::run::guest::LogLine;
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::Stage;
use crate::rules::tables::Tables;

/// Where a case is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The manifest's example with this index.
    Example(usize),
    /// The case with this index in a file.
    File(PathBuf, usize),
}

/// What came of one case.
#[derive(Debug, Clone)]
pub struct Tried {
    pub name: String,
    pub stage: Stage,
    pub place: Place,
    pub outcome: Outcome,
    /// What the rule said, flat; or the fault that it ended in.
    pub said: Value,
    pub expect: Value,
    pub cost: Option<Cost>,
    pub log: Vec<LogLine>,
}

/// What a call cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub fuel: u64,
    pub took: Duration,
    /// In bytes.
    pub memory_peak: usize,
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Passed,
    /// The rule said something else.
    Differs(Vec<Difference>),
    /// The case could not be asked: its input is not of the contract, or its settings are refused.
    NotAsked(String),
}

/// A rule's trial.
#[derive(Debug)]
pub struct Report {
    pub rule: String,
    pub version: String,
    /// The component's digest.
    pub component: String,
    pub tried: Vec<Tried>,
    /// Tables that the manifest names and nobody gave: they were empty.
    pub empty_tables: Vec<String>,
}

impl Report {
    /// How many cases did not pass.
    pub fn failed(&self) -> usize {
        self.tried.iter().filter(|tried| tried.outcome != Outcome::Passed).count()
    }

    /// How many of those could not be asked at all.
    pub fn not_asked(&self) -> usize {
        self.tried.iter().filter(|tried| matches!(tried.outcome, Outcome::NotAsked(_))).count()
    }
}

/// Why there was no trial.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Case(#[from] CaseError),
}

/// What is tried.
pub struct Trial<'a> {
    pub sandbox: &'a Sandbox,
    pub folder: &'a Path,
    pub shipped: &'a Shipped,
    pub wasm: &'a [u8],
    pub tables: &'a Tables,
    /// The judge of the names that rules use, where its configuration is given.
    pub judge: Option<&'a Judge>,
}

impl Trial<'_> {
    /// Asks all examples and cases.
    ///
    /// # Errors
    ///
    /// Where the desk would not take the rule at all.
    pub fn run(&self, cases: Vec<(PathBuf, Vec<Case>)>) -> Result<Report, TrialError> {
        let rule = self.sandbox.rule(self.folder, self.shipped, self.wasm)?;
        let (tables, empty_tables) = with_empty(self.tables, &self.shipped.manifest);
        let mut tried: Vec<Tried> = Vec::new();
        for (index, example) in self.shipped.manifest.examples.iter().enumerate() {
            let tables = example.asked_with(&self.shipped.manifest, &tables);
            tried.push(try_case(&rule, Case::of(example), Place::Example(index), &tables, self.judge));
        }
        // A rule with other settings is another rule; cases that share settings share it.
        let mut configured: BTreeMap<String, Result<Rule, String>> = BTreeMap::new();
        for (file, cases) in cases {
            for (index, case) in cases.into_iter().enumerate() {
                let place = Place::File(file.clone(), index);
                let own = case.settings_text().filter(|settings| *settings != self.shipped.manifest.settings);
                let Some(settings) = own else {
                    tried.push(try_case(&rule, case, place, &tables, self.judge));
                    continue;
                };
                let other = configured.entry(settings).or_insert_with_key(|settings| {
                    let shipped = self.shipped.with_settings(settings);
                    self.sandbox.rule(self.folder, &shipped, self.wasm).map_err(|error| error.to_string())
                });
                tried.push(match other {
                    Ok(rule) => try_case(rule, case, place, &tables, self.judge),
                    Err(message) => not_asked(case, place, message.clone()),
                });
            }
        }
        Ok(Report {
            rule: self.shipped.manifest.name.to_string(),
            version: self.shipped.manifest.version.clone(),
            component: rule.digest.to_string(),
            tried,
            empty_tables,
        })
    }
}

fn try_case(rule: &Rule, case: Case, place: Place, tables: &Arc<Tables>, judge: Option<&Judge>) -> Tried {
    if !rule.manifest.stages.contains(&case.stage) {
        let message = format!("the rule is not asked at `{}`: its manifest does not name it", case.stage);
        return not_asked(case, place, message);
    }
    let input = match case.asked() {
        Ok(input) => input,
        Err(message) => return not_asked(case, place, message),
    };
    let called = ask(rule, &input, &case.tables(tables));
    let said = said(&called);
    let differences = match case.expect.as_object().filter(|expect| !expect.is_empty()) {
        Some(_) => compare(&case.expect, &said),
        // An expectation that is not written yet holds for no answer: `--accept` writes it.
        None => {
            let got = said.get("decision").or_else(|| said.get("fault")).cloned().unwrap_or_default();
            vec![Difference { path: "expect".to_owned(), expected: Value::Null, got }]
        }
    };
    let unknown = called.result.as_ref().ok().and_then(|answer| judged(answer, judge).err());
    if let Some(why) = unknown.filter(|_| differences.is_empty()) {
        return not_asked(case, place, format!("the desk does not take the answer: {why}"));
    }
    Tried {
        name: case.name,
        stage: case.stage,
        place,
        outcome: if differences.is_empty() { Outcome::Passed } else { Outcome::Differs(differences) },
        said,
        expect: case.expect,
        cost: Some(Cost { fuel: called.fuel, took: called.took, memory_peak: called.memory_peak }),
        log: called.log,
    }
}

fn not_asked(case: Case, place: Place, message: String) -> Tried {
    Tried {
        name: case.name,
        stage: case.stage,
        place,
        outcome: Outcome::NotAsked(message),
        said: Value::Null,
        expect: case.expect,
        cost: None,
        log: Vec::new(),
    }
}

/// A call's answer, flat; of a fault its code and its message.
pub fn said(called: &Called) -> Value {
    match &called.result {
        Ok(answer) => Value::Object(flat(&serde_json::to_value(answer).unwrap_or_default())),
        Err(fault) => json!({ "fault": fault.code(), "message": fault.to_string() }),
    }
}

/// What to expect from now on: what was expected before, as the rule says it now. Of a new decision, everything.
pub fn accepted(expect: &Value, said: &Value) -> Value {
    let (before, now) = (flat(expect), flat(said));
    if now.contains_key("fault") {
        return json!({ "fault": now.get("fault") });
    }
    let same = |key: &str| before.get(key).is_some() && before.get(key) == now.get(key);
    if before.is_empty() || (before.contains_key("decision") && !same("decision")) || before.contains_key("fault") {
        return Value::Object(now);
    }
    let mut out = Map::new();
    for (key, value) in before {
        if key == "reason-contains" {
            let reason = now.get("reason").cloned().unwrap_or_default();
            let holds = reason.as_str().is_some_and(|r| value.as_str().is_some_and(|part| r.contains(part)));
            let (key, value) = if holds { (key, value) } else { ("reason".to_owned(), reason) };
            out.insert(key, value);
        } else {
            let value = now.get(&key).cloned().unwrap_or_default();
            out.insert(key, value);
        }
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepting_keeps_what_was_left_out_left_out() {
        let said = json!({ "decision": "rate", "level": "high", "impact": null, "reason": "VIP", "attributes": [] });
        let expect = json!({ "decision": "rate", "level": "low", "reason-contains": "VI" });
        assert_eq!(accepted(&expect, &said), json!({ "decision": "rate", "level": "high", "reason-contains": "VI" }));
        assert_eq!(accepted(&json!({ "decision": "pass" }), &said), said);
        assert_eq!(accepted(&Value::Null, &said), said);
        assert_eq!(accepted(&expect, &json!({ "fault": "trap", "message": "x" })), json!({ "fault": "trap" }));
    }
}
