//! `ruledesk rule build`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use super::tools::{Opened, Tools, kib, stages};
use crate::author::check::{Problem, check};
use crate::author::sandbox::Shipped;
use crate::author::ship::{Built, ship};
use crate::author::watch::watch;

/// Builds each folder's rule into a component, beside its manifest or into a rules directory.
#[derive(Debug, Args)]
pub struct Build {
    /// Folders of rules.
    #[arg(default_value = ".", value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// The rules directory: gets one folder a rule, with its manifest and its component.
    #[arg(long, value_name = "RULES")]
    out: Option<PathBuf>,
    /// Settings to write into the manifest instead of its own; its examples, which are about its own, are left out.
    #[arg(long, requires = "out", value_name = "FILE")]
    settings: Option<PathBuf>,
    #[command(flatten)]
    tools: Tools,
    /// Builds again whenever a source is saved, until it is stopped.
    #[arg(long)]
    watch: bool,
}

/// Builds, and goes on building if asked to.
pub fn run(build: &Build) -> Result<(), Failure> {
    // The desk tells the one who saves and looks; two checks would take twice as long.
    let opened = build.out.as_ref().filter(|_| !build.watch).map(|_| build.tools.open()).transpose()?;
    let check = |directory: &Path, shipped: Shipped, component: &[u8]| {
        opened.as_ref().and_then(|opened| problem(opened, directory, shipped, component))
    };
    let one = |directory: &Path| ship(directory, build.out.as_deref(), build.settings.as_deref(), &check);
    if build.watch {
        return Ok(watch(&build.directories, |directory| {
            match one(directory) {
                Ok(built) => say(&built),
                Err(error) => eprintln!("error: {error}"),
            }
            println!("watching {} ...", directory.display());
        })?);
    }
    for directory in &build.directories {
        say(&one(directory)?);
    }
    Ok(())
}

/// Why a desk would not take a rule. Where no desk's tables are known, an example that needs their rows says nothing.
fn problem(opened: &Opened, directory: &Path, mut shipped: Shipped, component: &[u8]) -> Option<Problem> {
    if opened.judge.is_none() && !shipped.manifest.tables.is_empty() {
        shipped.manifest.examples.retain(|example| example.tables.is_some());
    }
    check(opened.desk(), directory, component, Some(Ok(shipped))).problem
}

fn say(built: &Built) {
    let imports = &built.inspection.imports;
    println!(
        "{} {}: {}, exports {}, imports {} -> {}",
        built.name,
        built.version,
        kib(built.bytes),
        stages(&built.inspection.stages),
        imported(imports),
        built.target.display()
    );
}

/// The imports in one line: a language's runtime has many of WASI, which say nothing of the rule.
fn imported(imports: &[String]) -> String {
    let (wasi, own): (Vec<&str>, Vec<&str>) =
        imports.iter().map(String::as_str).partition(|import| import.starts_with("wasi:"));
    let wasi = (!wasi.is_empty()).then(|| format!("{} interfaces of the virtual WASI", wasi.len()));
    let all: Vec<String> = own.into_iter().map(str::to_owned).chain(wasi).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}
