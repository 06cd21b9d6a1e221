//! Would a desk take this file, and if not, why, and what to do about it: in words for somebody who sees a component for
//! the first time.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::sandbox::{Sandbox, Shipped, with_empty};
use crate::rules::compile::CompileError;
use crate::rules::examples;
use crate::rules::inspect::{Inspection, Refused, inspect};
use crate::rules::load::LoadError;
use crate::rules::manifest::ManifestError;
use crate::rules::tables::Tables;

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
}

/// What is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub what: String,
    pub mend: String,
}

/// Does to a component what a desk would do before the rule goes live.
pub fn check(
    sandbox: &Sandbox,
    folder: &Path,
    wasm: &[u8],
    bytes_max: usize,
    shipped: Option<Result<Shipped, ManifestError>>,
    tables: &Tables,
) -> Checked {
    let mut checked = Checked {
        bytes: wasm.len(),
        inspection: None,
        loaded_in: None,
        examples: None,
        notes: Vec::new(),
        problem: None,
    };
    let inspection = match inspect(wasm, bytes_max) {
        Ok(inspection) => checked.inspection.insert(inspection).clone(),
        Err(refused) => {
            checked.problem = Some(of_refused(&refused));
            return checked;
        }
    };
    let alone = shipped.is_none();
    let stages: Vec<&str> = inspection.stages.iter().map(|stage| stage.name()).collect();
    let shipped = match shipped.unwrap_or_else(|| Shipped::made_up(&stages)) {
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
    let rule = match sandbox.rule(folder, &shipped, wasm) {
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
    let (tables, empty): (Arc<Tables>, _) = with_empty(tables, &shipped.manifest);
    if !empty.is_empty() {
        let names = empty.join(", ");
        checked
            .notes
            .push(format!("no rows are known for the tables {names}: give a desk's configuration with --config"));
    }
    match examples::check(&rule, &tables) {
        Ok(()) => checked.examples = Some(shipped.manifest.examples.len()),
        Err(failed) => {
            let mend = "correct the rule or the example; `ruledesk rule test` shows all of them, field by field";
            checked.problem = Some(Problem { what: failed.to_string(), mend: mend.to_owned() });
        }
    }
    checked
}

fn of_refused(refused: &Refused) -> Problem {
    let mend = match refused {
        Refused::TooLarge { .. } => {
            "build it smaller (without debug information, optimised for size), or ask the desk's admin to raise \
             `component-mib-max`"
        }
        Refused::NotWasm => {
            "give the .wasm file that `ruledesk rule build` made, not its source, not an archive, not a text"
        }
        Refused::Precompiled => "give the component itself, the .wasm file: each desk compiles it anew",
        Refused::CoreModule => {
            "a compiler makes a core module first, and a component is made of it: run `ruledesk rule build` in the rule's \
             folder"
        }
        Refused::Malformed { .. } => {
            "the file is not whole: copy or download it again and compare the sizes, or build it again"
        }
        Refused::Import { .. } => {
            "find what in the source, or in a library of it, asks for that, and do without; `ruledesk rule build` links a \
             runtime that needs nothing else"
        }
        Refused::Network { .. } => {
            "a decision depends on its input, its settings and reference tables alone, so that it can be made again: remove \
             the network call, and let an admin keep what it would fetch in a reference table"
        }
        Refused::OtherContract { .. } => {
            "build it with the SDK that belongs to this desk: `ruledesk rule build` of the same version lays it out"
        }
        Refused::Clash { .. } => {
            "a rule is built against one version of the contract: look for a second copy of the SDK among its dependencies, \
             remove one, and build it again"
        }
        Refused::NoStage { .. } => {
            "export the function of a stage: in Rust `export!(MyRule: priority);`, in JavaScript `export const priority`, in \
             Python a class `Priority`; `ruledesk rule new` makes a rule that does"
        }
    };
    Problem { what: refused.to_string(), mend: mend.to_owned() }
}

fn of_load(error: &LoadError) -> Problem {
    let mend = match error {
        LoadError::Refused { source, .. } => return of_refused(source),
        LoadError::StageNotExported { .. } => {
            "remove the stage from `stages` in the manifest, or add its function to the source and build again"
        }
        LoadError::Misfit { .. } => {
            "the functions are there, and their types are not the contract's: build it with the SDK of this desk, and do not \
             change the .wit files"
        }
        LoadError::NoSuchTable { .. } => "correct the name under `tables`, or ask the desk's admin for the table",
        LoadError::Compile { source: CompileError::Refused(message), .. } if message.contains("settings") => {
            "correct `[settings]` in the manifest; the sentences above are the rule's own"
        }
        LoadError::Compile { source: CompileError::TooLong(_) | CompileError::Died { .. }, .. } => {
            "it is too large or too strange for the compiler: build it smaller, with optimisation and without debug \
             information"
        }
        LoadError::Compile { .. } => {
            "the file is damaged, or a tool made something that is not valid: build it again with `ruledesk rule build`"
        }
        LoadError::Manifest(_) => "mend the manifest: the SDK's guide has a table of its keys",
        LoadError::Bug { .. } => "report it, with the file",
        LoadError::Example { .. } => "correct the rule or the example; `ruledesk rule test` shows all of them",
        LoadError::Unreadable { .. } | LoadError::Unstable { .. } | LoadError::Outside { .. } => {
            "give a file that can be read and that nobody is writing to"
        }
    };
    Problem { what: error.to_string(), mend: mend.to_owned() }
}
