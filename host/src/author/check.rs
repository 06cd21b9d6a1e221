//! Would a desk take this file, and if not, why, and what to do about it: in words for a person who sees a component for
//! the first time.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::sandbox::{Sandbox, Shipped, with_empty};
use crate::rules::load::LoadError;
use crate::rules::load::compile::CompileError;
use crate::rules::load::inspect::{Inspection, Refused, inspect};
use crate::rules::remedies;
use crate::rules::run::examples::largest::{self, RunsOut};
use crate::rules::run::examples::{self, Judge, Passed};
use crate::rules::run::manifest::ManifestError;
use crate::rules::run::rule::Rule;
use crate::rules::tables::Tables;

/// The desk that is to take a component.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    pub sandbox: &'a Sandbox,
    /// The largest component that it takes, in bytes.
    pub component_bytes_max: usize,
    /// The tables in which its rules look things up.
    pub tables: &'a Tables,
    /// The judge of the names that its rules use, where its configuration is known.
    pub judge: Option<&'a Judge>,
}

/// What was found out about a file.
#[derive(Debug)]
pub struct Checked {
    pub bytes: usize,
    /// What it claims to be, if it is a component.
    pub inspection: Option<Inspection>,
    /// How long the desk's compiler took, where it came so far; nothing if the code was compiled before.
    pub loaded_in: Option<Duration>,
    /// How many examples it passed.
    pub examples: Option<usize>,
    /// What could not be found out without a manifest, or without the desk's tables.
    pub notes: Vec<String>,
    /// Why a desk would not take it.
    pub problem: Option<Problem>,
    /// The rule itself with the tables that it was tried with, where it came so far.
    pub rule: Option<(Rule, Arc<Tables>)>,
}

impl Checked {
    /// The limit that stops it on the largest text that a form takes, if one does.
    pub fn runs_out(&self) -> Option<RunsOut> {
        self.rule.as_ref().and_then(|(rule, tables)| largest::runs_out(rule, tables))
    }
}

/// What is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub what: String,
    pub mend: String,
}

/// Does to a component what a desk would do before the rule goes live.
pub fn check(desk: Desk<'_>, folder: &Path, wasm: &[u8], shipped: Option<Result<Shipped, ManifestError>>) -> Checked {
    let mut checked = Checked {
        bytes: wasm.len(),
        inspection: None,
        loaded_in: None,
        examples: None,
        notes: Vec::new(),
        problem: None,
        rule: None,
    };
    let inspection = match inspect(wasm, desk.component_bytes_max) {
        Ok(inspection) => checked.inspection.insert(inspection).clone(),
        Err(refused) => {
            checked.problem = Some(of_refused(&refused));
            return checked;
        }
    };
    let alone = shipped.is_none();
    let shipped = match shipped.unwrap_or_else(|| Shipped::made_up(&inspection.stages)) {
        Ok(shipped) => shipped,
        Err(error) => {
            let mend = "mend the manifest: the SDK's guide has a table of its keys".to_owned();
            checked.problem = Some(Problem { what: error.to_string(), mend });
            return checked;
        }
    };
    if alone {
        checked.notes.push(
            "there is no manifest, so its settings and examples were not tried: add --manifest rule.toml".to_owned(),
        );
    }
    #[expect(clippy::disallowed_methods, reason = "tells how long compiling takes; nothing depends on it")]
    let start = Instant::now();
    let rule = match desk.sandbox.rule(folder, &shipped, wasm) {
        Ok(rule) => rule,
        Err(LoadError::Compile { source: CompileError::Refused(message), .. })
            if alone && message.contains("settings") =>
        {
            checked.notes.push(format!("it compiles and takes settings; without any {message}"));
            return checked;
        }
        Err(error) => {
            checked.problem = Some(of_load(&error));
            return checked;
        }
    };
    checked.loaded_in = Some(start.elapsed());
    let (tables, empty): (Arc<Tables>, _) = with_empty(desk.tables, &shipped.manifest);
    if !empty.is_empty() {
        let names = empty.join(", ");
        checked
            .notes
            .push(format!("no rows are known for the tables {names}: give a desk's configuration with --config"));
    }
    try_examples(&mut checked, &rule, &tables, desk.judge);
    checked.rule = Some((rule, tables));
    checked
}

/// The answers of a rule to its examples, and whether the desk knows the names that it uses.
fn try_examples(checked: &mut Checked, rule: &Rule, tables: &Arc<Tables>, judge: Option<&Judge>) {
    if let Err(what) = examples::check_table(&rule.manifest, judge) {
        let mend = "correct the name in the table, or give the configuration of the desk that has it";
        checked.problem = Some(Problem { what, mend: mend.to_owned() });
        return;
    }
    match examples::check(rule, tables, judge, Passed::NotYet) {
        Ok(()) => {
            checked.examples = Some(rule.manifest.examples.len());
        }
        Err(failed) => {
            let mend = "correct the rule or the example; `ruledesk rule test` shows all of them, field by field";
            checked.problem = Some(Problem { what: failed.to_string(), mend: mend.to_owned() });
        }
    }
}

fn of_refused(refused: &Refused) -> Problem {
    Problem { what: refused.to_string(), mend: remedies::of_refused(refused).to_owned() }
}

fn of_load(error: &LoadError) -> Problem {
    Problem { what: error.to_string(), mend: remedies::of_load(error).to_owned() }
}
