//! The desk's own sandbox for the author's tools: the same engine, compiler process, linker, limits and calls.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::rules::load::compile::{CompileError, CompileLimits, Compiler};
use crate::rules::load::trust::Trust;
use crate::rules::load::{LoadError, Loader, MANIFEST_FILE};
use crate::rules::run::engine::{self, Allocation, EngineError, clock};
use crate::rules::run::manifest::{self, Manifest, ManifestError};
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::Stage;
use crate::rules::tables::{Table, Tables};

/// Where compiled code is kept, and what compiling may use.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program that compiles when it is called with `compile-rule`: this one.
    pub program: PathBuf,
    /// The tools' own cache, which only this user may write to.
    pub cache: PathBuf,
    pub compile_limits: CompileLimits,
    /// The largest component that is taken, in bytes.
    pub component_bytes_max: usize,
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Compiler(#[from] CompileError),
    #[error("cannot link the contract: {0}")]
    Linker(String),
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// What makes rules out of manifests and components, as the desk does.
pub struct Sandbox {
    loader: Loader,
}

/// A rule's manifest as it is read and as it is written.
#[derive(Debug, Clone)]
pub struct Shipped {
    pub manifest: Manifest,
    pub text: String,
}

impl Shipped {
    /// Reads a manifest.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it.
    pub fn read(file: &Path) -> Result<Self, ManifestError> {
        let text = fs::read_to_string(file)
            .map_err(|error| ManifestError::Unreadable { file: file.to_owned(), message: error.to_string() })?;
        Ok(Self { manifest: manifest::parse(file, &text)?, text })
    }

    /// A manifest for a component that comes without one: all stages, no settings, the usual limits.
    ///
    /// # Errors
    ///
    /// Never for stages of the contract.
    pub fn made_up(stages: &[Stage]) -> Result<Self, ManifestError> {
        let stages: Vec<&str> = stages.iter().map(|stage| stage.name()).collect();
        let text = format!("name = \"rule\"\nversion = \"0.0.0\"\nstages = [{}]\norder = 0\n", super::quoted(&stages));
        Ok(Self { manifest: manifest::parse(Path::new(MANIFEST_FILE), &text)?, text })
    }

    /// The same manifest with other settings, as JSON.
    #[must_use]
    pub fn with_settings(&self, settings: &str) -> Self {
        let mut other = self.clone();
        settings.clone_into(&mut other.manifest.settings);
        other
    }
}

impl Sandbox {
    /// Sets it up.
    ///
    /// # Errors
    ///
    /// Where the cache or the engine cannot be used.
    pub fn open(options: &Options) -> Result<Self, SandboxError> {
        // One call at a time, and one more while a rule is checked.
        let (engine, _) = engine::open(Allocation::Pooled { calls_at_once: 2 })?;
        clock::start(&engine).map_err(SandboxError::Thread)?;
        let cache = options.cache.clone();
        let compiler = Compiler::new(&engine, options.program.clone(), cache, options.compile_limits)?;
        let loader = Loader::new(&engine, compiler, PathBuf::from("/"), options.component_bytes_max, Trust::default())
            .map_err(|error| SandboxError::Linker(format!("{error:#}")))?;
        Ok(Self { loader })
    }

    /// The rule of a manifest and a component, before it is asked anything.
    ///
    /// # Errors
    ///
    /// Why the desk would not take it.
    pub fn rule(&self, folder: &Path, shipped: &Shipped, wasm: &[u8]) -> Result<Rule, LoadError> {
        self.loader.make(folder, shipped.manifest.clone(), shipped.text.clone(), wasm)
    }
}

/// The tables with an empty one for each that the manifest names and nobody gave; and the names of those.
pub fn with_empty(tables: &Tables, manifest: &Manifest) -> (Arc<Tables>, Vec<String>) {
    let empty: Vec<String> = manifest.tables.iter().filter(|name| tables.get(name).is_none()).cloned().collect();
    let given = tables.names().into_iter().filter_map(|name| Some((name.to_owned(), tables.get(name)?.clone())));
    let all = given.chain(empty.iter().map(|name| (name.clone(), Table::default()))).collect();
    (Arc::new(all), empty)
}
