//! `ruledesk rule check`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use super::tools::{Tools, component_bytes, kib, manifest_of, stages};
use crate::author::check::{Checked, check};
use crate::rules::contract::PACKAGE;
use crate::rules::text::{shown, shown_lines};

/// Tells whether a desk would take a component, and if not, why and what to do.
#[derive(Debug, Args)]
pub struct Check {
    /// The component, `rule.wasm`.
    file: PathBuf,
    /// Its manifest; the `rule.toml` beside it, if left out.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    #[command(flatten)]
    tools: Tools,
}

/// Checks, says what was found, and fails if a desk would not take it.
pub fn run(args: &Check) -> Result<(), Failure> {
    let wasm = component_bytes(&args.file)?;
    let opened = args.tools.open()?;
    let shipped = manifest_of(&args.file, args.manifest.as_deref());
    let folder = args.file.parent().unwrap_or(Path::new("."));
    let checked = check(opened.desk(), folder, &wasm, shipped);
    say(&args.file, &checked);
    match &checked.problem {
        None => Ok(()),
        Some(problem) => {
            println!("A desk would not take it.");
            println!("  why:  {}", shown_lines(&problem.what));
            println!("  mend: {}", shown_lines(&problem.mend));
            Err(format!("{}: a desk would not take it", args.file.display()).into())
        }
    }
}

fn say(file: &Path, checked: &Checked) {
    let Some(inspection) = &checked.inspection else {
        println!("{}: {}", file.display(), kib(checked.bytes));
        return;
    };
    println!("{}: {}, a component of {PACKAGE} {}", file.display(), kib(checked.bytes), inspection.version);
    let settings = if inspection.takes_settings { "; it takes settings" } else { "" };
    println!("  exports: {}{settings}", stages(&inspection.stages));
    println!(
        "  imports: {}",
        if inspection.imports.is_empty() { "nothing".to_owned() } else { inspection.imports.join(", ") }
    );
    if let Some(took) = checked.loaded_in {
        println!("  compiled, linked, types compared: in {} ms", took.as_millis());
    }
    if let Some(examples) = checked.examples {
        println!("  examples: all {examples} hold");
    }
    for note in &checked.notes {
        println!("  note: {}", shown(note));
    }
    if let Some(runs_out) = checked.runs_out() {
        println!("  note: {runs_out}; `limits` can give it more");
    }
    if checked.problem.is_none() {
        println!("A desk would take it.");
    }
}
