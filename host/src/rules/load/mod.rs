//! From a folder to a rule that is ready to be asked: read, checked, compiled, linked, and its examples passed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;
use wasmtime::Engine;
use wasmtime::component::Linker;

use super::digest::Digest;
use super::run::call_permits::Beside;
use super::run::determinism::{self, Determinism, Uncertain};
use super::run::examples::{self, ExampleFailed};
use super::run::guest::{self, Guest};
use super::run::manifest::{self, MANIFEST_BYTES_MAX, Manifest, ManifestError, Mode};
use super::run::rule::{Exports, Rule};
use super::run::stage::Stage;
use super::tables::Tables;
use compile::{CompileError, Compiler};
use inspect::{Inspection, Refused, inspect};
use trust::{SIGNATURE_BYTES_MAX, SIGNATURE_FILE, Trust, Untrusted};

pub(crate) mod cache;
pub mod compile;
pub mod compiler;
mod confinement;
pub mod difference;
pub(crate) mod files;
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
    #[error("{manifest}: {source}", manifest = manifest.display())]
    Example { manifest: PathBuf, source: ExampleFailed },
}

impl LoadError {
    /// Whether it says nothing about the folder, so that it is worth trying again as it is.
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
        Ok(Self { compiler, linker, beside: Beside::default(), component_bytes_max, root, trust })
    }

    /// The rule in a folder.
    ///
    /// # Errors
    ///
    /// The first thing that keeps it from going live.
    pub fn load(&self, folder: &Path, tables: &Arc<Tables>) -> Result<Rule, LoadError> {
        let manifest_file = folder.join(MANIFEST_FILE);
        let component_file = folder.join(COMPONENT_FILE);
        let manifest_text = self.read_manifest(&manifest_file)?;
        // Before the component is read: what is wrong with a manifest is the better thing to say.
        let manifest = manifest::parse(&manifest_file, &manifest_text)?;
        check_tables(&manifest, &manifest_file, tables)?;
        let wasm = self.read(&component_file, self.component_bytes_max.saturating_add(1))?;
        let signature = self.read_signature(&folder.join(SIGNATURE_FILE))?;
        let signed_by = self.signer(folder, &manifest_text, &wasm, signature.as_deref())?;
        let rule = self.passing(folder, manifest, manifest_text, &wasm, tables)?;
        Ok(Rule { signed_by, signature: signature.map(Arc::from), ..rule })
    }

    /// As [`Loader::prepare`], of a rule that is to go live: before anything of it is compiled, somebody whom this desk
    /// trusts must vouch for it.
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

    fn read_manifest(&self, file: &Path) -> Result<String, LoadError> {
        // One byte more than allowed, here and below, tells a file that is too large from one that just fits.
        let bytes = self.read(file, MANIFEST_BYTES_MAX.saturating_add(1))?;
        if bytes.len() > MANIFEST_BYTES_MAX {
            return Err(ManifestError::TooLarge { file: file.to_owned() }.into());
        }
        let not_text = |_| ManifestError::Unreadable { file: file.to_owned(), message: "it is not UTF-8".to_owned() };
        Ok(String::from_utf8(bytes).map_err(not_text)?)
    }

    /// Whether a folder's rule is, or could be, one for access decisions: a manifest that cannot be read could say anything.
    pub fn may_be_access(&self, folder: &Path) -> bool {
        let file = folder.join(MANIFEST_FILE);
        match self.read_manifest(&file).map(|text| manifest::parse(&file, &text)) {
            Ok(Ok(manifest)) => manifest.mode == Mode::Active && manifest.stages.contains(&Stage::Access),
            Ok(Err(_)) | Err(_) => true,
        }
    }

    /// A signature's text, if there is such a file; one that is no text fits nothing.
    fn read_signature(&self, file: &Path) -> Result<Option<String>, LoadError> {
        match self.read(file, SIGNATURE_BYTES_MAX.saturating_add(1)) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(LoadError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
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
        let failed = |source| LoadError::Example { manifest: folder.join(MANIFEST_FILE), source };
        {
            let _place = self.beside.enter();
            examples::check(&rule, tables).map_err(failed)?;
        }
        if let Some(verdict) = self.compiler.recall(rule.digest, rule.manifest_digest) {
            rule.determinism.settle(verdict);
        } else if rule.is_uncertain_about_access() {
            // Any other rule may serve while that is found out.
            self.find_out(&rule, tables);
        }
        Ok(rule)
    }

    /// Finds out whether a rule answers the same whenever it is asked the same, unless somebody does so already. This
    /// compiles, so it may take a while.
    pub fn find_out(&self, rule: &Rule, tables: &Arc<Tables>) {
        if !rule.determinism.take() {
            return;
        }
        let otherwise = rule.component.read().map_err(|error| error.to_string());
        let otherwise = otherwise.map(|wasm| self.plain(rule, &wasm));
        let verdict = match otherwise {
            Ok(Ok(otherwise)) => {
                let _place = self.beside.enter();
                let (verdict, for_good) = match determinism::compare(rule, &otherwise, tables) {
                    Ok(()) => (Ok(()), true),
                    Err(Uncertain::Differs(why)) => (Err(why), true),
                    // The machine's fault, so it is not remembered.
                    Err(Uncertain::Late(why)) => (Err(why), false),
                };
                if for_good {
                    self.compiler.remember(rule.digest, rule.manifest_digest, &verdict);
                }
                verdict
            }
            Ok(Err(error)) if error.is_passing() => {
                tracing::warn!(rule = %rule.manifest.name, version = rule.manifest.version, "a rule could not be compared, which is tried again: {error}");
                return rule.determinism.give_back();
            }
            // This may be, too.
            Ok(Err(error)) => Err(format!("it could not be compared: {error}")),
            Err(unreadable) => Err(format!("it could not be compared: {unreadable}")),
        };
        if let Err(why) = &verdict {
            tracing::warn!(rule = %rule.manifest.name, version = rule.manifest.version, digest = %rule.digest, "a rule may answer the same question in two ways, so that it decides no access: {why}");
        }
        rule.determinism.settle(verdict);
    }

    /// The same rule, compiled by other means.
    fn plain(&self, rule: &Rule, wasm: &[u8]) -> Result<Rule, LoadError> {
        let file = rule.folder.join(COMPONENT_FILE);
        let compiled = self.compiler.compile_plainly(wasm, &rule.manifest.settings);
        let compiled = compiled.map_err(|source| LoadError::Compile { file: file.clone(), source })?;
        let exports = Exports::of(&compiled.component);
        let pre = self.linker.instantiate_pre(&compiled.component);
        Ok(Rule {
            pre: pre.map_err(|error| LoadError::Misfit { file, message: format!("{error:#}") })?,
            manifest: rule.manifest.clone(),
            digest: rule.digest,
            manifest_digest: rule.manifest_digest,
            component: rule.component.clone(),
            manifest_text: Arc::clone(&rule.manifest_text),
            folder: rule.folder.clone(),
            configure_each_call: exports.configure.filter(|_| compiled.configure_each_call),
            tables_allowed: Arc::clone(&rule.tables_allowed),
            determinism: Determinism::default(),
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
        let component_file = folder.join(COMPONENT_FILE);
        let inspection = inspect(wasm, self.component_bytes_max)
            .map_err(|source| LoadError::Refused { file: component_file.clone(), source })?;
        check_stages(&manifest, &folder.join(MANIFEST_FILE), &inspection)?;
        self.link(folder, &component_file, manifest, manifest_text, wasm, &inspection)
    }

    fn link(
        &self,
        folder: &Path,
        file: &Path,
        manifest: Manifest,
        manifest_text: String,
        wasm: &[u8],
        inspection: &Inspection,
    ) -> Result<Rule, LoadError> {
        let misfit =
            |error: wasmtime::Error| LoadError::Misfit { file: file.to_owned(), message: format!("{error:#}") };
        let digest = Digest::of(wasm);
        let compiled = self
            .compiler
            .compile(digest, wasm, &manifest.settings)
            .map_err(|source| LoadError::Compile { file: file.to_owned(), source })?;
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

    fn read(&self, file: &Path, bytes_max: usize) -> Result<Vec<u8>, LoadError> {
        files::read(&self.root, file, bytes_max)
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
