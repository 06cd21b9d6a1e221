//! `ruledesk connector ...`: the tools for connectors that are components.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::author::build;
use crate::cli::{Failure, Found};
use crate::rules::contract::connector::runs;
use crate::rules::digest::Digest;
use crate::rules::load::compile::{CompileLimits, THIS_PROGRAM};
use crate::rules::load::connector::{BYTES_MAX, Programs};
use crate::rules::load::inspect::inspect_connector;
use crate::rules::load::trust::CONNECTOR_SIGNATURE;
use crate::rules::load::trust::key::SigningKey;
use crate::rules::text::shown;

/// The bounds of compiling a connector.
const COMPILE: CompileLimits = CompileLimits { timeout_s: 60, memory_mib: 2048 };

/// The commands about a connector.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Builds the connector in a folder into a component.
    Build(Build),
    /// Vouches for a connector as it is now, in a file with the end `.sig` next to it: a desk with `[rules] trusted-keys` takes no other.
    Sign(Sign),
    /// Asks a connector again what was asked in recorded runs, with the answers that came then, in the desk's own sandbox.
    Test(Test),
}

/// The source and its component.
#[derive(Debug, Args)]
pub struct Build {
    /// The folder of its source.
    #[arg(default_value = ".", value_name = "DIR")]
    directory: PathBuf,
    /// The component's file. Default: `connector.wasm` in the folder.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The components and the key.
#[derive(Debug, Args)]
pub struct Sign {
    /// The components.
    #[arg(required = true, value_name = "FILE")]
    components: Vec<PathBuf>,
    /// The private key's file, as `ruledesk rule keygen` makes it.
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
}

/// The component and the runs.
#[derive(Debug, Args)]
pub struct Test {
    /// The component.
    component: PathBuf,
    /// Runs as JSON, one or a list: written by hand, or of `GET /api/v1/access/orders/ID/runs`.
    #[arg(required = true, value_name = "RUNS")]
    runs: Vec<PathBuf>,
    /// Where compiled code is kept between runs. Default: `ruledesk` in the user's cache directory.
    #[arg(long, env = "RULEDESK_CACHE", value_name = "DIR")]
    cache: Option<PathBuf>,
}

/// Does it.
pub fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Build(build) => make(build),
        Command::Sign(sign) => vouch(sign),
        Command::Test(test) => replay(test),
    }
}

fn make(Build { directory, out }: &Build) -> Result<(), Failure> {
    let component = build::component(directory)?;
    inspect_connector(&component, BYTES_MAX)?;
    let file = out.clone().unwrap_or_else(|| directory.join("connector.wasm"));
    fs::write(&file, &component).map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
    println!("{}: {} KiB", file.display(), component.len().div_ceil(1024));
    Ok(())
}

fn vouch(Sign { components, key }: &Sign) -> Result<(), Failure> {
    let key = SigningKey::read(key)?;
    for component in components {
        let bytes = fs::read(component).map_err(|error| format!("{} cannot be read: {error}", component.display()))?;
        inspect_connector(&bytes, BYTES_MAX)?;
        let mut file = component.clone().into_os_string();
        file.push(CONNECTOR_SIGNATURE);
        let (file, signature) = (PathBuf::from(file), key.sign_connector(Digest::of(&bytes)));
        let written = fs::write(&file, signature.to_text());
        written.map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
        println!("{}: signed with {} -> {}", component.display(), signature.key, file.display());
    }
    Ok(())
}

fn replay(Test { component, runs: files, cache }: &Test) -> Result<(), Failure> {
    let read = |file: &Path| format!("{} cannot be read", file.display());
    let bytes = fs::read(component).map_err(|error| format!("{}: {error}", read(component)))?;
    let cache = cache.clone().unwrap_or_else(|| env::temp_dir().join("ruledesk-connectors"));
    let program = Programs::new(PathBuf::from(THIS_PROGRAM), cache, COMPILE).load(&bytes, None)?;
    let (mut all, mut other) = (0, 0);
    for file in files {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", read(file)))?;
        let runs = runs(&text).map_err(|error| format!("{} has no runs: {error}", file.display()))?;
        for (number, run) in runs.iter().enumerate() {
            all += 1;
            let order = &run.task.order;
            let about = format!("{} {} {} for {}", run.task.goal, order.direction, order.kind, order.person.id);
            let name = format!("{} #{}, {}", file.display(), number + 1, shown(&about));
            match program.replay(run) {
                Ok(()) => println!("ok      {name}: {} calls", run.exchanges.len()),
                Err(difference) => {
                    other += 1;
                    println!("OTHER   {name}: {}", shown(&difference.to_string()));
                }
            }
        }
    }
    if other > 0 {
        return Err(Found(format!("{other} of {all} runs are otherwise than recorded")).into());
    }
    println!("{all} runs are as recorded, by the component {}", program.digest);
    Ok(())
}
