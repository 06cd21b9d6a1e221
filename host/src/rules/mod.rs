//! The rules: sandboxed components that answer the desk's six questions.
//!
//! This room knows WebAssembly and nothing of HTTP, SQL or the desk; it could be a crate of its own. It is given a
//! directory and keeps a [`live::catalog::Generation`] of what is live there; [`run::call::ask`] puts a question to one rule and
//! brings back an answer or a fault, both plain values, with what they cost.
//!
//! Absent on purpose: no clock, randomness, file, socket or environment of this machine reaches a guest (`wasi` has the
//! virtual ones for runtimes that need some); no compiled code is taken from outside; no guest runs on a thread that
//! serves requests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

pub mod contract;
pub mod digest;
pub mod limits;
pub mod live;
pub mod load;
pub mod package;
pub mod remedies;
pub mod run;
mod source;
pub mod tables;
pub mod text;

use live::catalog::{Catalog, Generation};
use live::rollout::Rollout;
use live::slots::Past;
use live::watch::{Habits, MissingRules, Watch};
use load::compile::{CompileError, CompileLimits, Compiler};
use load::trust::Trust;
use load::{LoadError, Loader};
use run::call_permits::CALLS_BESIDE;
use run::engine::{Allocation, EngineError};
use run::examples::Judge;
use run::rule::Rule;
use run::workers::Workers;
use tables::Tables;

/// How the rules are run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory with one folder a rule.
    pub rules_dir: PathBuf,
    /// Where compiled code is kept; only this desk may write there.
    pub cache_dir: PathBuf,
    /// The program that compiles when it is called with `compile-rule`: this one, usually.
    pub compiler_program: PathBuf,
    pub compile_limits: CompileLimits,
    /// The largest component that is taken, in bytes.
    pub component_bytes_max: usize,
    /// Threads that guests run on.
    pub worker_threads: usize,
    /// Jobs that may wait for such a thread.
    pub waiting_max: usize,
    /// How often the directory is looked at even without an event.
    pub poll: Duration,
    /// How long rules go on when their directory is empty or most of it is missing, which is rarely meant.
    pub patience: Duration,
    /// How long all rules of one ticket may take together.
    pub ticket_budget: Duration,
    pub pooled: bool,
    /// Whose signature a rule needs.
    pub trust: Trust,
    /// Whether a version of a rule for access becomes active only when a second person has approved it.
    pub two_person_access: bool,
    /// The judge of the names that rules use: a rule that uses others is refused.
    pub judge: Option<Judge>,
}

/// Why the rules cannot be run at all. A rule that is broken is no reason.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the rules directory {path} cannot be opened: {source}", path = path.display())]
    Directory { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Compiler(#[from] CompileError),
    #[error("cannot link the contract: {0}")]
    Linker(wasmtime::Error),
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// The running rules.
pub struct Rules {
    catalog: Arc<Catalog>,
    loader: Arc<Loader>,
    tables: Arc<ArcSwap<Tables>>,
    workers: Workers,
    watch: Watch,
    /// Whether a version of a rule for access becomes active only when a second person has approved it.
    pub two_person_access: bool,
    /// How long all rules of one ticket may take together.
    pub ticket_budget: Duration,
    /// Whether instances come from a pool.
    pub allocation: Allocation,
}

impl Rules {
    /// Loads the directory, waits until that is done, and goes on watching it.
    ///
    /// # Errors
    ///
    /// Where the directory, the cache or the engine cannot be used.
    pub fn open(options: &Options, tables: Tables) -> Result<Self, OpenError> {
        let rules = Self::begin(options, tables, BTreeMap::new(), &Past::default())?;
        rules.watch.wait_until_read(None);
        Ok(rules)
    }

    /// Begins to load the directory and goes on watching it. `rollouts` are those that are kept, where there are any: the names
    /// that folders have, and the versions that should be live; `past` is what is known of them.
    ///
    /// # Errors
    ///
    /// Where the directory, the cache or the engine cannot be used.
    pub fn begin(
        options: &Options,
        tables: Tables,
        rollouts: BTreeMap<String, Rollout>,
        past: &Past,
    ) -> Result<Self, OpenError> {
        let no_directory = |source| OpenError::Directory { path: options.rules_dir.clone(), source };
        // By its name: where that leads may change.
        let root = std::path::absolute(&options.rules_dir).map_err(no_directory)?;
        std::fs::read_dir(&root).map_err(no_directory)?;
        let threads = u32::try_from(options.worker_threads).unwrap_or(u32::MAX).clamp(1, 256);
        let calls_at_once = threads + CALLS_BESIDE;
        let wanted = if options.pooled { Allocation::Pooled { calls_at_once } } else { Allocation::OnDemand };
        let (engine, allocation) = run::engine::open(wanted)?;
        run::engine::clock::start(&engine).map_err(OpenError::Thread)?;
        let compiler = Compiler::new(
            &engine,
            options.compiler_program.clone(),
            options.cache_dir.clone(),
            options.compile_limits,
        )?;
        let loader = Loader::new(&engine, compiler, root.clone(), options.component_bytes_max, options.trust.clone());
        let loader = Arc::new(loader.map_err(OpenError::Linker)?);
        options.judge.iter().for_each(|judge| loader.set_judge(judge.clone()));
        let catalog = Arc::new(Catalog::new(options.two_person_access));
        if !rollouts.is_empty() {
            catalog.know(rollouts, past);
        }
        let tables = Arc::new(ArcSwap::from_pointee(tables));
        let workers = Workers::start(threads as usize, options.waiting_max).map_err(OpenError::Thread)?;
        let habits = Habits { root, poll: options.poll, patience: options.patience };
        let watch =
            Watch::start(habits, &loader, Arc::clone(&catalog), Arc::clone(&tables)).map_err(OpenError::Thread)?;
        let (two_person_access, ticket_budget) = (options.two_person_access, options.ticket_budget);
        Ok(Self { catalog, loader, tables, workers, watch, two_person_access, ticket_budget, allocation })
    }

    /// The generation that is live now; a ticket keeps the one it began with.
    pub fn generation(&self) -> Arc<Generation> {
        self.catalog.generation()
    }

    /// What became of each folder, and how often.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The reference tables as they are now.
    pub fn tables(&self) -> Arc<Tables> {
        self.tables.load_full()
    }

    /// Replaces the reference tables.
    pub fn set_tables(&self, tables: Tables) {
        self.tables.store(Arc::new(tables));
    }

    /// A rule of a manifest and a component that lie in no folder, such as a candidate or an archived version. It is ready
    /// to be asked and is not live; `from` is named in errors. This compiles, so it may take a while.
    ///
    /// # Errors
    ///
    /// The first thing that would keep it from going live.
    pub fn prepare(&self, from: &Path, manifest_text: &str, wasm: &[u8]) -> Result<Rule, LoadError> {
        self.loader.prepare(from, manifest_text, wasm, &self.tables())
    }

    /// A version that decided once, of the manifest and the component that the archive has: ready to be asked again. It is
    /// made as [`Rules::prepare`] makes one and is asked no examples: these, and the tables that it names, may belong to a
    /// desk that is no more, and what it said then stays true.
    ///
    /// # Errors
    ///
    /// Why it cannot be asked any more; `from` is named in it.
    pub fn revive(&self, from: &Path, manifest_text: &str, wasm: &[u8]) -> Result<Rule, LoadError> {
        let manifest = run::manifest::parse(from, manifest_text)?;
        self.loader.make(from, manifest, manifest_text.to_owned(), wasm)
    }

    /// The same, after it is known whether the version always answers the same: before that it decides no access.
    ///
    /// # Errors
    ///
    /// As [`Rules::revive`].
    pub fn revive_settled(&self, from: &Path, manifest_text: &str, wasm: &[u8]) -> Result<Rule, LoadError> {
        let rule = self.revive(from, manifest_text, wasm)?;
        self.loader.settle(&rule, &self.tables());
        Ok(rule)
    }

    /// The same for a rule that is to go live: where this desk trusts certain keys, one of them must have signed it.
    ///
    /// # Errors
    ///
    /// The first thing that keeps it from going live; an untrusted component is never compiled.
    pub fn admit(
        &self,
        from: &Path,
        manifest_text: &str,
        wasm: &[u8],
        signature: Option<&str>,
    ) -> Result<Rule, LoadError> {
        self.loader.admit(from, manifest_text, wasm, signature, &self.tables())
    }

    /// What prepares rules on another thread, with the tables of now.
    pub fn preparer(&self) -> Preparer {
        Preparer { loader: Arc::clone(&self.loader), tables: self.tables() }
    }

    /// The threads that guests run on.
    pub fn workers(&self) -> &Workers {
        &self.workers
    }

    /// Looks at every folder again and waits until that is done. The rule of a missing folder goes on for its usual time.
    pub fn reload(&self) {
        self.watch.reload(MissingRules::GoOn);
    }

    /// The same for a person who says that the directory is as it should be: a missing folder is gone at once.
    pub fn reload_and_believe(&self) {
        self.watch.reload(MissingRules::End);
    }

    /// Sets what the desk knows of the names that rules use from now on.
    pub fn set_judge(&self, judge: Judge) {
        self.loader.set_judge(judge);
    }

    /// Says which folders should be in the directory.
    pub fn expect(&self, folders: Vec<String>) {
        self.watch.expect(folders);
    }

    /// Says with which folders rules have ended before this process began, by the rules' names, and how long ago: those that are not
    /// there are as little believed to be gone for good as if this process had seen it.
    pub fn ended_before(&self, ended: BTreeMap<String, (String, Duration)>) {
        let folders = ended.values().cloned().collect();
        self.catalog.ended_with(ended.into_iter().map(|(name, (folder, _))| (name, folder)).collect());
        self.watch.ended_before(folders);
    }

    /// Whether all that lay in the directory at the start has been loaded or refused.
    pub fn is_read(&self) -> bool {
        self.watch.is_read()
    }

    /// Waits until [`Rules::is_read`], for this long at most.
    pub fn wait_until_read(&self, patience: Duration) {
        self.watch.wait_until_read(Some(patience));
    }
}

/// Makes rules of bytes that lie in no folder; see [`Rules::admit`].
pub struct Preparer {
    loader: Arc<Loader>,
    tables: Arc<Tables>,
}

impl Preparer {
    /// As [`Rules::admit`].
    ///
    /// # Errors
    ///
    /// The first thing that keeps it from going live.
    pub fn admit(
        &self,
        from: &Path,
        manifest_text: &str,
        wasm: &[u8],
        signature: Option<&str>,
    ) -> Result<Rule, LoadError> {
        self.loader.admit(from, manifest_text, wasm, signature, &self.tables)
    }

    /// The same for a version that has served before. It passed its examples then, so they are not asked again: reference
    /// tables may have changed since.
    ///
    /// # Errors
    ///
    /// The first thing that keeps it from going live.
    pub fn readmit(
        &self,
        from: &Path,
        manifest_text: &str,
        wasm: &[u8],
        signature: Option<&str>,
    ) -> Result<Rule, LoadError> {
        self.loader.readmit(from, manifest_text, wasm, signature, &self.tables)
    }
}
