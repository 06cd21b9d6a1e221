//! `ruledesk rule test`.

use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Failure;
use super::tools::{Tools, component_bytes};
use crate::author::accept::accept;
use crate::author::case::in_folder;
use crate::author::language::Language;
use crate::author::report::{Format, write};
use crate::author::sandbox::Shipped;
use crate::author::ship::ship;
use crate::author::sources::stale;
use crate::author::trial::Trial;
use crate::rules::load::{COMPONENT_FILE, MANIFEST_FILE};

/// Asks a rule its manifest's examples and its cases (DIR/cases/*.json), in the desk's own sandbox.
#[derive(Debug, Args)]
pub struct Test {
    /// The rule's folder.
    #[arg(default_value = ".", value_name = "DIR")]
    directory: PathBuf,
    /// The folder of cases; `cases` in the rule's folder, if left out.
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// Records what the rule says now as what is expected, wherever it differs.
    #[arg(long)]
    accept: bool,
    /// Takes the component as it is, even if its source is newer.
    #[arg(long)]
    no_build: bool,
    /// How the result is written.
    #[arg(long, value_enum, default_value = "human")]
    format: Written,
    /// The file to write it to, beside what is printed for people.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    tools: Tools,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Written {
    Human,
    Json,
    Junit,
}

impl Written {
    fn format(self) -> Format {
        match self {
            Written::Human => Format::Human,
            Written::Json => Format::Json,
            Written::Junit => Format::JUnit,
        }
    }
}

/// Builds if needed, asks, says what came of it; fails if a case did.
pub fn run(test: &Test) -> Result<(), Failure> {
    let directory = &test.directory;
    if !test.no_build
        && Language::of(directory).is_some()
        && let Some(why) = stale(directory)
    {
        eprintln!("building {}: {why}", directory.display());
        ship(directory, None, None, &|_, _, _| None)?;
    }
    let shipped = Shipped::read(&directory.join(MANIFEST_FILE))?;
    let wasm = component_bytes(&directory.join(COMPONENT_FILE))?;
    let cases = in_folder(&test.cases.clone().unwrap_or_else(|| directory.join("cases")))?;
    let opened = test.tools.open()?;
    let trial = Trial {
        sandbox: &opened.sandbox,
        folder: directory,
        shipped: &shipped,
        wasm: &wasm,
        tables: &opened.tables,
        judge: opened.judge.as_ref(),
    };
    let report = trial.run(cases)?;
    match &test.output {
        Some(file) => {
            fs::write(file, write(&report, test.format.format()))
                .map_err(|e| format!("{} cannot be written: {e}", file.display()))?;
            print!("{}", write(&report, Format::Human));
        }
        None => print!("{}", write(&report, test.format.format())),
    }
    if test.accept {
        let recorded = accept(directory, &report)?;
        eprintln!("recorded {recorded} new expected answers: look at what has changed before you keep it");
        let not_asked = report.not_asked();
        return if not_asked == 0 { Ok(()) } else { Err(format!("{not_asked} cases could not be asked").into()) };
    }
    match report.failed() {
        0 => Ok(()),
        failed => Err(format!("{failed} of {} cases failed", report.tried.len()).into()),
    }
}
