//! `ruledesk rule run`.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::Failure;
use super::tools::{Tools, component_bytes, kib};
use crate::author::case::{Case, typed};
use crate::author::report::level;
use crate::author::sandbox::with_empty;
use crate::author::trial::said;
use crate::rows;
use crate::rules::limits::Limits;
use crate::rules::run::call::{Called, ask};
use crate::rules::run::stage::Stage;
use crate::rules::text::{in_json, shown, shown_lines};

/// Makes one decision and shows all that there is to see of it.
#[derive(Debug, Args)]
pub struct Run {
    /// The component, `rule.wasm`.
    file: PathBuf,
    /// Where it is asked; needed where the input does not say so.
    #[arg(long)]
    stage: Option<Stage>,
    /// A case, or an input alone, whole or sparse, as JSON; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// Its manifest; the `rule.toml` beside it, if left out.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Prints everything as one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    tools: Tools,
}

/// Asks, shows, and fails if the rule did.
pub fn run(args: &Run) -> Result<(), Failure> {
    let wasm = component_bytes(&args.file)?;
    let opened = args.tools.open()?;
    let case = case(&args.input, args.stage)?;
    let mut shipped = opened.shipped(&args.file, args.manifest.as_deref(), &wasm)?;
    if let Some(settings) = case.settings_text() {
        shipped = shipped.with_settings(&settings);
    }
    let folder = args.file.parent().unwrap_or(Path::new("."));
    let rule = opened.sandbox.rule(folder, &shipped, &wasm)?;
    let (tables, _) = with_empty(&opened.tables, &shipped.manifest);
    let input = case.asked()?;
    let called = ask(&rule, &input, &case.tables(&tables));
    if args.json {
        println!("{}", in_json(&serde_json::to_string_pretty(&as_json(&called))?));
    } else {
        say(&called, &shipped.manifest.limits);
    }
    match called.result {
        Ok(_) => Ok(()),
        Err(fault) => Err(fault.to_string().into()),
    }
}

/// A case, or an input alone.
fn case(file: &Path, stage: Option<Stage>) -> Result<Case, Failure> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text)?;
        text
    } else {
        let bytes = fs::read(file).map_err(|e| format!("{} cannot be read: {e}", file.display()))?;
        rows::text(&bytes).ok_or_else(|| format!("{} is not text: save it as UTF-8", file.display()))?
    };
    let value: Value = typed(file, &text)?;
    if value.get("input").is_some() {
        let mut case: Case = typed(file, &text)?;
        case.stage = stage.unwrap_or(case.stage);
        return Ok(case);
    }
    let stage = stage.ok_or("name the stage with --stage, because an input alone does not say where it is asked")?;
    Ok(Case::of_input("", stage, value))
}

fn as_json(called: &Called) -> Value {
    json!({
        "answer": said(called),
        "log": called.log,
        "log-cut": called.log_cut,
        "lookups": called.lookups,
        "fuel": called.fuel,
        "micros": u64::try_from(called.took.as_micros()).unwrap_or(u64::MAX),
        "memory-peak": called.memory_peak,
    })
}

fn say(called: &Called, limits: &Limits) {
    println!("{}", shown_lines(&serde_json::to_string_pretty(&said(called)).unwrap_or_default()));
    for line in &called.log {
        println!("log {}: {}", level(line), shown(&line.message));
    }
    if called.log_cut {
        println!("log: more lines were cut (the limit is {} bytes)", limits.log_bytes);
    }
    for lookup in &called.lookups {
        let row = lookup.row.as_ref().map_or_else(
            || "no such row".to_owned(),
            |row| row.iter().map(|column| format!("{}={}", column.name, column.value)).collect::<Vec<_>>().join(", "),
        );
        println!("looked up {} in {}: {}", shown(&lookup.key), shown(&lookup.table), shown(&row));
    }
    println!(
        "fuel {} of {}, {} µs of {} ms, memory {} of {}",
        called.fuel,
        limits.fuel,
        called.took.as_micros(),
        limits.deadline_ms,
        kib(called.memory_peak),
        kib(limits.memory_bytes)
    );
}
