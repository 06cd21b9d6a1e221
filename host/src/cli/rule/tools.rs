//! What the commands that run a rule have in common: where its manifest and its tables are, and the sandbox.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::Failure;
use crate::app::decide::judge::judge;
use crate::app::reference::Reference;
use crate::app::rollout::rules::tables;
use crate::author::check::Desk;
use crate::author::sandbox::{Options, Sandbox, Shipped};
use crate::cli::{Place, desk};
use crate::config::{COMPONENT_MIB_MAX, Config};
use crate::rules::load::MANIFEST_FILE;
use crate::rules::load::compile::{CompileLimits, THIS_PROGRAM};
use crate::rules::load::inspect::inspect;
use crate::rules::run::examples::Judge;
use crate::rules::run::manifest::ManifestError;
use crate::rules::run::stage::Stage;
use crate::rules::tables::Tables;

/// How the tools run a rule.
#[derive(Debug, Args)]
pub struct Tools {
    /// A desk's configuration directory: its reference tables and its limits for components. Without one, tables are
    /// empty and limits are the usual ones.
    #[arg(long, env = "RULEDESK_CONFIG", value_name = "DIR")]
    config: Option<PathBuf>,
    /// Where compiled code is kept between runs. Default: `ruledesk` in the user's cache directory.
    #[arg(long, env = "RULEDESK_CACHE", value_name = "DIR")]
    cache: Option<PathBuf>,
}

/// The sandbox with what it was set up from.
pub struct Opened {
    pub sandbox: Sandbox,
    pub tables: Tables,
    /// The judge of the names that rules use, where its configuration is given.
    pub judge: Option<Judge>,
    /// The largest component that the desk takes, in bytes.
    pub component_bytes_max: usize,
}

impl Tools {
    /// Sets the sandbox up.
    pub fn open(&self) -> Result<Opened, Failure> {
        let config = self.config.as_deref().map(configuration).transpose()?;
        let usual = CompileLimits { timeout_s: 60, memory_mib: 2048 };
        let (tables, component_bytes_max, compile_limits) = match &config {
            Some(config) => {
                let server = &config.server;
                let limits = CompileLimits {
                    timeout_s: server.compile_timeout.as_secs(),
                    memory_mib: server.compile_memory_bytes >> 20,
                };
                (
                    tables(&config.organisation, &Reference::of(&config.tables).written()),
                    server.component_bytes_max,
                    limits,
                )
            }
            None => (Tables::default(), COMPONENT_MIB_MAX << 20, usual),
        };
        let program = PathBuf::from(THIS_PROGRAM);
        let cache = self.cache.clone().unwrap_or_else(usual_cache);
        let sandbox = Sandbox::open(&Options { program, cache, compile_limits, component_bytes_max })?;
        let judge = config.map(|config| judge(Arc::new(config.organisation)));
        Ok(Opened { sandbox, tables, judge, component_bytes_max })
    }
}

impl Opened {
    /// The desk for which a component is checked.
    pub fn desk(&self) -> Desk<'_> {
        Desk {
            sandbox: &self.sandbox,
            component_bytes_max: self.component_bytes_max,
            tables: &self.tables,
            judge: self.judge.as_ref(),
        }
    }

    /// A component's manifest, as [`manifest_of`] finds it; without one, a manifest of the component's stages and nothing else.
    pub fn shipped(&self, component: &Path, named: Option<&Path>, wasm: &[u8]) -> Result<Shipped, Failure> {
        match manifest_of(component, named) {
            Some(shipped) => Ok(shipped?),
            None => Ok(Shipped::made_up(&inspect(wasm, self.component_bytes_max)?.stages)?),
        }
    }
}

fn configuration(directory: &Path) -> Result<Config, Failure> {
    let place = Place { config: Some(directory.to_owned()), ..Place::default() };
    desk::configuration(&place, None).map(|(config, _)| config)
}

fn usual_cache() -> PathBuf {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let caches = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    caches.unwrap_or_else(env::temp_dir).join("ruledesk")
}

/// A component's manifest: the one that is named, else the one beside it, if there is one.
pub fn manifest_of(component: &Path, named: Option<&Path>) -> Option<Result<Shipped, ManifestError>> {
    let beside = component.parent().unwrap_or(Path::new(".")).join(MANIFEST_FILE);
    match named {
        Some(named) => Some(Shipped::read(named)),
        None => beside.is_file().then(|| Shipped::read(&beside)),
    }
}

/// The longest file that is read as a component, in bytes: no desk can be set to take a longer one.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// A component's bytes. A file that says of itself that it is longer than any desk takes is not read at all: it may have a length and
/// no bytes.
pub fn component_bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |e: std::io::Error| format!("{} cannot be read: {e}", file.display());
    let known = std::fs::metadata(file).map_err(unreadable)?;
    if known.is_dir() {
        let file = file.display();
        return Err(format!("{file} is a folder: name the component in it, such as {file}/rule.wasm").into());
    }
    let bytes = known.len();
    if bytes > FILE_BYTES_MAX {
        let (file, mib) = (file.display(), FILE_BYTES_MAX >> 20);
        return Err(format!("{file} has {} MiB, and no desk takes more than {mib} MiB", bytes >> 20).into());
    }
    Ok(std::fs::read(file).map_err(unreadable)?)
}

/// Bytes in KiB or MiB.
pub fn kib(bytes: usize) -> String {
    if bytes < 10 << 20 { format!("{} KiB", bytes.div_ceil(1024)) } else { format!("{} MiB", bytes.div_ceil(1 << 20)) }
}

/// Names of stages.
pub fn stages(stages: &[Stage]) -> String {
    stages.iter().map(|stage| stage.name()).collect::<Vec<_>>().join(", ")
}
