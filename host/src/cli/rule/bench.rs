//! `ruledesk rule bench`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::Failure;
use super::tools::{Tools, component_bytes, kib};
use crate::author::bench::{Measured, measure};
use crate::author::case::{Case, in_folder, read};
use crate::author::sandbox::{Shipped, with_empty};
use crate::rules::tables::Tables;
use crate::rules::text::{in_json, shown};

/// Measures decisions, each in a fresh instance: time, fuel, memory, beside the limits.
#[derive(Debug, Args)]
pub struct Bench {
    /// The component, `rule.wasm`.
    file: PathBuf,
    /// A file with a case or a list of cases to ask; the manifest's examples and the cases beside it, if left out.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// How often each is asked.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    calls: u32,
    /// Its manifest; the `rule.toml` beside it, if left out.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Prints everything as one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    tools: Tools,
}

/// Measures and shows.
pub fn run(args: &Bench) -> Result<(), Failure> {
    let wasm = component_bytes(&args.file)?;
    let opened = args.tools.open()?;
    let folder = args.file.parent().unwrap_or(Path::new("."));
    let shipped = opened.shipped(&args.file, args.manifest.as_deref(), &wasm)?;
    let rule = opened.sandbox.rule(folder, &shipped, &wasm)?;
    let (tables, _) = with_empty(&opened.tables, &shipped.manifest);
    let calls = usize::try_from(args.calls).unwrap_or(usize::MAX);
    let mut all = Vec::new();
    for (case, tables) in cases(args.input.as_deref(), folder, &shipped, &tables)? {
        let input = case.asked().map_err(|message| format!("{}: {message}", case.name))?;
        all.push(measure(&rule, &case.name, &input, &case.tables(&tables), calls));
    }
    if args.json {
        let all: Vec<Value> = all.iter().map(as_json).collect();
        println!("{}", in_json(&serde_json::to_string_pretty(&all)?));
    } else {
        all.iter().for_each(say);
    }
    match all.iter().find_map(|measured| Some((&measured.name, measured.fault.as_ref()?))) {
        None => Ok(()),
        Some((name, fault)) => Err(format!("\"{name}\" gave no answer: {fault}").into()),
    }
}

/// The cases to ask, each with the tables for those that it has none of: those of a file, else the examples and cases of the rule,
/// else nothing in particular.
fn cases(
    file: Option<&Path>,
    folder: &Path,
    shipped: &Shipped,
    tables: &Arc<Tables>,
) -> Result<Vec<(Case, Arc<Tables>)>, Failure> {
    let manifest = &shipped.manifest;
    let mut out = Vec::new();
    let cases = match file {
        Some(file) => read(file)?,
        None => {
            let examples = manifest.examples.iter();
            out.extend(examples.map(|example| (Case::of(example), example.asked_with(manifest, tables))));
            in_folder(&folder.join("cases"))?.into_iter().flat_map(|(_, cases)| cases).collect()
        }
    };
    // Settings of their own would make other rules of them.
    let own = cases.into_iter().filter(|case| case.settings.is_none() && manifest.stages.contains(&case.stage));
    out.extend(own.map(|case| (case, Arc::clone(tables))));
    if out.is_empty() {
        let empty = manifest.stages.iter().map(|stage| Case::of_input("an empty input", *stage, Value::Null));
        out.extend(empty.map(|case| (case, Arc::clone(tables))));
    }
    Ok(out)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn say(measured: &Measured) {
    let limits = &measured.limits;
    let [min, p50, p90, p99, max] = [0, 50, 90, 99, 100].map(|percent| micros(measured.percentile(percent)));
    let fuel = measured.fuel;
    println!("{}: {} ({} calls)", measured.stage, measured.name, measured.calls());
    println!(
        "  time    min {min} µs, p50 {p50} µs, p90 {p90} µs, p99 {p99} µs, max {max} µs; limit {} ms",
        limits.deadline_ms
    );
    println!("  fuel    {} of {} ({} %)", fuel.max, limits.fuel, percent(fuel.max, limits.fuel));
    if fuel.min != fuel.max {
        println!(
            "          and {} at least: the same input does not cost the same, so the rule is no pure function",
            fuel.min
        );
    }
    let (peak, allowed) = (measured.memory_peak, limits.memory_bytes);
    println!("  memory  {} of {} ({} %)", kib(peak), kib(allowed), percent(peak as u64, allowed as u64));
    if let Some(fault) = &measured.fault {
        println!("  FAULT   {}", shown(&fault.to_string()));
    }
}

fn percent(part: u64, whole: u64) -> u64 {
    part.saturating_mul(100) / whole.max(1)
}

fn as_json(measured: &Measured) -> Value {
    json!({
        "name": measured.name,
        "stage": measured.stage,
        "calls": measured.calls(),
        "micros": {
            "min": micros(measured.percentile(0)),
            "p50": micros(measured.percentile(50)),
            "p90": micros(measured.percentile(90)),
            "p99": micros(measured.percentile(99)),
            "max": micros(measured.percentile(100)),
        },
        "fuel": { "min": measured.fuel.min, "max": measured.fuel.max, "limit": measured.limits.fuel },
        "memory": { "peak": measured.memory_peak, "limit": measured.limits.memory_bytes },
        "deadline-ms": measured.limits.deadline_ms,
        "fault": measured.fault,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::run::manifest::parse;

    const MANIFEST: &str = r#"
name = "vips-first"
version = "1.0.0"
stages = ["priority"]
order = 1
tables = ["vips"]

[[example]]
name = "a VIP in the evening"
stage = "priority"
at = 2026-11-30T19:30:00+01:00
tables.vips.amara = { since = "2020" }
expect = { decision = "rate" }
"#;

    #[test]
    fn what_is_measured_is_asked_at_its_own_instant_with_its_own_rows() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("cases")).unwrap();
        let case = r#"{ "name": "another", "stage": "priority", "at": "2026-11-30T19:30:00+01:00",
            "tables": { "vips": { "amara": { "since": "2020" } } } }"#;
        std::fs::write(folder.path().join("cases/another.json"), case).unwrap();
        let manifest = parse(Path::new("rule.toml"), MANIFEST).unwrap();
        let shipped = Shipped { manifest, text: MANIFEST.to_owned() };
        let found = cases(None, folder.path(), &shipped, &Arc::default()).unwrap();
        assert_eq!(found.len(), 2);
        let evening = shipped.manifest.examples[0].whole().unwrap();
        for (case, tables) in found {
            assert_eq!(case.asked().unwrap(), evening, "{}", case.name);
            let tables = case.tables(&tables);
            assert!(tables.get("vips").is_some_and(|vips| vips.row("amara").is_some()), "{}", case.name);
        }
    }
}
