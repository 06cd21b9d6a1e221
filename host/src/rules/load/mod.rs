//! From a folder to a rule that is ready to be asked: read, checked, compiled, linked, and its examples passed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use rustix::io::Errno;
use wasmtime::Engine;
use wasmtime::component::Linker;

use super::digest::Digest;
use super::run::call_permits::Beside;
use super::run::determinism::{self, Determinism, Uncertain, Verdict};
use super::run::engine;
use super::run::examples::{self, ExampleFailed, Judge, Passed, largest};
use super::run::guest::{self, Guest};
use super::run::manifest::{self, Manifest, ManifestError};
use super::run::rule::{Exports, Rule};
use super::run::stage::Stage;
use super::tables::Tables;
use compile::{CompileError, Compiler, Known};
use folder::Files;
use inspect::{Inspection, Refused, inspect};
use trust::{Trust, Untrusted};

pub(crate) mod cache;
pub mod compile;
pub mod compiler;
mod confinement;
pub mod connector;
pub mod difference;
pub(crate) mod files;
pub mod folder;
pub mod inspect;
pub(crate) mod snapshot;
pub mod trust;

/// The manifest's name in a rule's folder.
pub const MANIFEST_FILE: &str = "rule.toml";
/// The component's name in a rule's folder.
pub const COMPONENT_FILE: &str = "rule.wasm";

/// Why a folder gives no rule.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("{folder}: loading it panicked; this is a bug in the host", folder = folder.display())]
    Bug { folder: PathBuf },
    #[error("{file} cannot be read: {source}", file = file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("{file} is {is}: a rule's files are plain files", file = file.display())]
    NoFile { file: PathBuf, is: &'static str },
    #[error("{file} changed while it was being read", file = file.display())]
    Unstable { file: PathBuf },
    #[error("{file} is a link out of the rules directory, which is not followed", file = file.display())]
    Outside { file: PathBuf },
    #[error("{file} is {bytes} bytes; allowed are {bytes_max}", file = file.display())]
    TooLong { file: PathBuf, bytes: u64, bytes_max: usize },
    #[error(
        "{folder} is one of more than {folders_max} folders in the rules directory: none beyond that number is read, and as \
         long as it is there, a person decides about access",
        folder = folder.display()
    )]
    BeyondLimit { folder: PathBuf, folders_max: usize },
    #[error(
        "{manifest}: `component` names the component {named}, and beside it lies {found}: the two are not of one version",
        manifest = manifest.display()
    )]
    OtherComponent { manifest: PathBuf, named: Digest, found: Digest },
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("{folder}: {source}", folder = folder.display())]
    Untrusted { folder: PathBuf, source: Untrusted },
    #[error("{file}: {source}", file = file.display())]
    Refused { file: PathBuf, source: Refused },
    #[error("{manifest}: `stages` names `{stage}`, which the component does not export: it exports {exported}", manifest = manifest.display())]
    StageNotExported { manifest: PathBuf, stage: Stage, exported: String },
    #[error("{file}: {source}", file = file.display())]
    Compile { file: PathBuf, source: CompileError },
    #[error("{file}: it does not fit the contract: {message}", file = file.display())]
    Misfit { file: PathBuf, message: String },
    #[error("{manifest}: `tables` names `{table}`, which does not exist: there are {known}", manifest = manifest.display())]
    NoSuchTable { manifest: PathBuf, table: String, known: String },
    #[error("{manifest}: {why}", manifest = manifest.display())]
    Table { manifest: PathBuf, why: String },
    #[error("{manifest}: {source}", manifest = manifest.display())]
    Example { manifest: PathBuf, source: ExampleFailed },
}

impl LoadError {
    /// Whether it is the machine's failure and not the folder's, so that the same folder is worth trying again.
    pub fn is_passing(&self) -> bool {
        match self {
            LoadError::Compile { source, .. } => source.is_passing(),
            LoadError::Unreadable { source, .. } => is_want(source),
            LoadError::Unstable { .. } => true,
            _ => false,
        }
    }
}

/// Whether the machine has too little of something just now.
fn is_want(error: &io::Error) -> bool {
    let wants = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS, Errno::AGAIN];
    error.raw_os_error().is_some_and(|found| wants.iter().any(|want| want.raw_os_error() == found))
}

/// What makes rules out of folders.
pub struct Loader {
    compiler: Compiler,
    linker: Linker<Guest>,
    beside: Beside,
    component_bytes_max: usize,
    /// The directory that no file may lie outside of.
    root: PathBuf,
    trust: Trust,
    /// The judge of the names that rules use.
    judge: ArcSwapOption<Judge>,
}

impl Loader {
    /// A loader for folders below `root`, which takes what `trust` admits.
    ///
    /// # Errors
    ///
    /// Never for an engine of ours.
    pub fn new(
        engine: &Engine,
        compiler: Compiler,
        root: PathBuf,
        component_bytes_max: usize,
        trust: Trust,
    ) -> wasmtime::Result<Self> {
        // Built once: cloning or rebuilding linkers has been a source of bugs elsewhere.
        let linker = guest::linker(engine)?;
        let (beside, judge) = (Beside::default(), ArcSwapOption::empty());
        Ok(Self { compiler, linker, beside, component_bytes_max, root, trust, judge })
    }

    /// Sets what the desk knows of the names that rules use.
    pub fn set_judge(&self, judge: Judge) {
        self.judge.store(Some(Arc::new(judge)));
    }

    /// The rule of a folder's files.
    ///
    /// # Errors
    ///
    /// The first thing that keeps it from going live.
    pub fn load(&self, folder: &Path, files: Files, tables: &Arc<Tables>) -> Result<Rule, LoadError> {
        let Files { manifest, manifest_text, wasm, signature, .. } = files;
        let signed_by = self.signer(folder, &manifest_text, &wasm, signature.as_deref())?;
        let rule = self.passing(folder, manifest, manifest_text, &wasm, tables)?;
        Ok(Rule { signed_by, signature: signature.map(Arc::from), ..rule })
    }

    /// As [`Loader::prepare`], for a rule that is to go live: before anything of it is compiled, its signature must be by a key
    /// that this desk trusts, where it trusts certain keys only.
    ///
    /// # Errors
    ///
    /// The first thing that would keep it from going live; `from` is named in it.
    pub fn admit(
        &self,
        from: &Path,
        manifest_text: &str,
        wasm: &[u8],
        signature: Option<&str>,
        tables: &Arc<Tables>,
    ) -> Result<Rule, LoadError> {
        let signed_by = self.signer(from, manifest_text, wasm, signature)?;
        let rule = self.prepare(from, manifest_text, wasm, tables)?;
        Ok(Rule { signed_by, signature: signature.map(Arc::from), ..rule })
    }

    /// The same for a version that has passed its examples before.
    ///
    /// # Errors
    ///
    /// The first thing that keeps it from going live; `from` is named in it.
    pub fn readmit(
        &self,
        from: &Path,
        manifest_text: &str,
        wasm: &[u8],
        signature: Option<&str>,
        tables: &Arc<Tables>,
    ) -> Result<Rule, LoadError> {
        let signed_by = self.signer(from, manifest_text, wasm, signature)?;
        let manifest = manifest::parse(&from.join(MANIFEST_FILE), manifest_text)?;
        let rule = self.make(from, manifest, manifest_text.to_owned(), wasm)?;
        self.settle(&rule, tables);
        Ok(Rule { signed_by, signature: signature.map(Arc::from), ..rule })
    }

    /// Whose signature a rule has, where this desk asks for one.
    fn signer(
        &self,
        folder: &Path,
        manifest_text: &str,
        wasm: &[u8],
        signature: Option<&str>,
    ) -> Result<Option<Arc<str>>, LoadError> {
        let (component, manifest) = (Digest::of(wasm), Digest::of(manifest_text.as_bytes()));
        let signer = self.trust.verify(component, manifest, signature);
        let signer = signer.map_err(|source| LoadError::Untrusted { folder: folder.to_owned(), source })?;
        Ok(signer.map(Arc::from))
    }

    /// The rule of a manifest and a component, wherever they come from, after its examples have passed.
    ///
    /// # Errors
    ///
    /// The first thing that would keep it from going live; `from` is named in it.
    pub fn prepare(
        &self,
        from: &Path,
        manifest_text: &str,
        wasm: &[u8],
        tables: &Arc<Tables>,
    ) -> Result<Rule, LoadError> {
        let file = from.join(MANIFEST_FILE);
        let manifest = manifest::parse(&file, manifest_text)?;
        check_tables(&manifest, &file, tables)?;
        self.passing(from, manifest, manifest_text.to_owned(), wasm, tables)
    }

    fn passing(
        &self,
        folder: &Path,
        manifest: Manifest,
        manifest_text: String,
        wasm: &[u8],
        tables: &Arc<Tables>,
    ) -> Result<Rule, LoadError> {
        let rule = self.make(folder, manifest, manifest_text, wasm)?;
        let judge = self.judge.load_full();
        let file = || folder.join(MANIFEST_FILE);
        examples::check_table(&rule.manifest, judge.as_deref())
            .map_err(|why| LoadError::Table { manifest: file(), why })?;
        let is_known = self.compiler.is_known(rule.digest, rule.manifest_digest, Known::Examples);
        let passed = if is_known { Passed::Before } else { Passed::NotYet };
        {
            let _place = self.beside.enter();
            examples::check(&rule, tables, judge.as_deref(), passed)
                .map_err(|source| LoadError::Example { manifest: file(), source })?;
        }
        if passed == Passed::NotYet {
            self.compiler.know(rule.digest, rule.manifest_digest, Known::Examples);
        }
        self.settle(&rule, tables);
        Ok(rule)
    }

    /// Finds out whether a rule always answers the same, where that has to be known before it is asked.
    pub fn settle(&self, rule: &Rule, tables: &Arc<Tables>) {
        if let Some(verdict) = self.compiler.recall(rule.digest, rule.manifest_digest) {
            rule.determinism.settle(verdict);
        } else if rule.is_uncertain_about_access() {
            // Any other rule may serve while that is found out.
            self.find_out(rule, tables);
        }
    }

    /// Finds out whether a rule answers the same whenever it is asked the same, unless another thread does so already. This
    /// compiles, so it may take a while.
    pub fn find_out(&self, rule: &Rule, tables: &Arc<Tables>) {
        if !rule.determinism.take() {
            return;
        }
        let Some((verdict, for_good)) = self.compared(rule, tables) else {
            return rule.determinism.give_back();
        };
        if for_good {
            self.compiler.remember(rule.digest, rule.manifest_digest, &verdict);
        }
        if let Err(why) = &verdict {
            tracing::warn!(rule = %rule.manifest.name, version = rule.manifest.version, digest = %rule.digest, "a rule may answer the same question in two ways, so that it decides no access: {why}");
        }
        rule.determinism.settle(verdict);
    }

    /// What a comparison came to, and whether that is so for good; none where it is worth trying again.
    fn compared(&self, rule: &Rule, tables: &Arc<Tables>) -> Option<(Verdict, bool)> {
        let otherwise = rule.component.read().map_err(|error| error.to_string());
        let otherwise = otherwise.map(|wasm| self.plain(rule, &wasm));
        let why = match otherwise {
            Ok(Ok(otherwise)) => {
                let _place = self.beside.enter();
                match determinism::compare(rule, &otherwise, tables) {
                    Ok(()) => return Some((Ok(()), true)),
                    Err(Uncertain::Differs(why)) => return Some((Err(why), true)),
                    // The machine's fault, so it is not remembered.
                    Err(Uncertain::Late(why)) => why,
                }
            }
            Ok(Err(error)) if error.is_passing() => {
                tracing::warn!(rule = %rule.manifest.name, version = rule.manifest.version, "a rule could not be compared, which is tried again: {error}");
                return None;
            }
            // This may be, too.
            Ok(Err(error)) => format!("it could not be compared: {error}"),
            Err(unreadable) => format!("it could not be compared: {unreadable}"),
        };
        Some((Err(why), false))
    }

    /// Asks a rule about the largest text that a form takes, unless that was done, and warns where it does not decide. A rule that
    /// was found to is not asked again, by any desk that shares the cache.
    pub fn try_largest(&self, rule: &Rule, tables: &Arc<Tables>) {
        if rule.largest.get().is_some() {
            return;
        }
        let (component, manifest) = (rule.digest, rule.manifest_digest);
        if self.compiler.is_known(component, manifest, Known::Largest) {
            rule.largest.get_or_init(|| None);
            return;
        }
        let _place = self.beside.enter();
        let found = largest::runs_out(rule, tables);
        match &found {
            Some(runs_out) => {
                tracing::warn!(rule = %rule.manifest.name, version = rule.manifest.version, "a rule runs out: {runs_out}");
            }
            None => self.compiler.know(component, manifest, Known::Largest),
        }
        rule.largest.get_or_init(|| found);
    }

    /// The same rule, compiled by other means.
    fn plain(&self, rule: &Rule, wasm: &[u8]) -> Result<Rule, LoadError> {
        let file = rule.folder.join(COMPONENT_FILE);
        let misfit = |error| LoadError::Misfit { file: file.clone(), message: format!("{error:#}") };
        let engine = engine::open_plain().map_err(|error| misfit(error.into()))?;
        let compiled = self.compiler.compile_plainly(&engine, wasm, &rule.manifest.settings);
        let compiled = compiled.map_err(|source| LoadError::Compile { file: file.clone(), source })?;
        let exports = Exports::of(&compiled.component);
        let linker = guest::linker(&engine).map_err(misfit)?;
        Ok(Rule {
            pre: linker.instantiate_pre(&compiled.component).map_err(misfit)?,
            manifest: rule.manifest.clone(),
            digest: rule.digest,
            manifest_digest: rule.manifest_digest,
            component: rule.component.clone(),
            manifest_text: Arc::clone(&rule.manifest_text),
            folder: rule.folder.clone(),
            configure_each_call: exports.configure.filter(|_| compiled.configure_each_call),
            tables_allowed: Arc::clone(&rule.tables_allowed),
            determinism: Determinism::default(),
            largest: OnceLock::new(),
            signed_by: None,
            signature: None,
            wasi: rule.wasi,
            takes_one_block: rule.takes_one_block,
            exports,
        })
    }

    /// The rule of a manifest and a component, wherever they come from, before it is asked its examples.
    ///
    /// # Errors
    ///
    /// The first thing that keeps the component from being asked; `folder` is named in it.
    pub fn make(
        &self,
        folder: &Path,
        manifest: Manifest,
        manifest_text: String,
        wasm: &[u8],
    ) -> Result<Rule, LoadError> {
        let (file, found) = (folder.join(MANIFEST_FILE), Digest::of(wasm));
        if let Some(named) = manifest.component.filter(|named| *named != found) {
            return Err(LoadError::OtherComponent { manifest: file, named, found });
        }
        let inspection = inspect(wasm, self.component_bytes_max)
            .map_err(|source| LoadError::Refused { file: folder.join(COMPONENT_FILE), source })?;
        check_stages(&manifest, &file, &inspection)?;
        self.link(folder, manifest, manifest_text, (wasm, found), &inspection)
    }

    fn link(
        &self,
        folder: &Path,
        manifest: Manifest,
        manifest_text: String,
        (wasm, digest): (&[u8], Digest),
        inspection: &Inspection,
    ) -> Result<Rule, LoadError> {
        let file = || folder.join(COMPONENT_FILE);
        let misfit = |error: wasmtime::Error| LoadError::Misfit { file: file(), message: format!("{error:#}") };
        let compiled = self
            .compiler
            .compile(digest, wasm, &manifest.settings)
            .map_err(|source| LoadError::Compile { file: file(), source })?;
        let exports = Exports::of(&compiled.component);
        let pre = self.linker.instantiate_pre(&compiled.component).map_err(misfit)?;
        let rule = Rule {
            digest,
            manifest_digest: Digest::of(manifest_text.as_bytes()),
            component: self.compiler.keep(wasm, digest),
            manifest_text: Arc::from(manifest_text),
            folder: folder.to_owned(),
            configure_each_call: exports.configure.filter(|_| compiled.configure_each_call),
            tables_allowed: manifest.tables.iter().cloned().collect(),
            manifest,
            determinism: Determinism::default(),
            largest: OnceLock::new(),
            wasi: inspection.wasi,
            takes_one_block: inspection.takes_one_block,
            signed_by: None,
            signature: None,
            pre,
            exports,
        };
        let _place = self.beside.enter();
        super::run::call::check_types(&rule).map_err(misfit)?;
        Ok(rule)
    }
}

fn check_stages(manifest: &Manifest, file: &Path, inspection: &Inspection) -> Result<(), LoadError> {
    match manifest.stages.iter().find(|stage| !inspection.stages.contains(stage)) {
        None => Ok(()),
        Some(stage) => Err(LoadError::StageNotExported {
            manifest: file.to_owned(),
            stage: *stage,
            exported: inspection.stages.iter().map(|s| s.name()).collect::<Vec<_>>().join(", "),
        }),
    }
}

fn check_tables(manifest: &Manifest, file: &Path, tables: &Tables) -> Result<(), LoadError> {
    match manifest.tables.iter().find(|table| tables.get(table).is_none()) {
        None => Ok(()),
        Some(table) => Err(LoadError::NoSuchTable {
            manifest: file.to_owned(),
            table: table.clone(),
            known: tables.names().join(", "),
        }),
    }
}
