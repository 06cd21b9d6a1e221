//! From a rule's folder to what a desk takes: the component built and validated, and put beside its manifest or into a
//! rules directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::build::{self, BuildError};
use super::check::Problem;
use super::sandbox::Shipped;
use crate::rules::load::inspect::{Inspection, Refused, inspect};
use crate::rules::load::{COMPONENT_FILE, MANIFEST_FILE};
use crate::rules::run::manifest::{self, ManifestError};

/// The largest component that is built, in bytes; a desk may be stricter.
const COMPONENT_BYTES_MAX: usize = 64 << 20;

/// A component that was built.
#[derive(Debug)]
pub struct Built {
    pub name: String,
    pub version: String,
    pub bytes: usize,
    pub inspection: Inspection,
    /// The folder that it was put into.
    pub target: PathBuf,
}

/// Why nothing was shipped.
#[derive(Debug, thiserror::Error)]
pub enum ShipError {
    #[error("{file} cannot be read: {source}. A rule's folder has a {MANIFEST_FILE}; `ruledesk rule new` makes one", file = file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("{file} cannot be written: {source}", file = file.display())]
    Unwritable { file: PathBuf, source: io::Error },
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("{file}: {message}", file = file.display())]
    Settings { file: PathBuf, message: String },
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("{directory}: a desk would not take what was built: {source}", directory = directory.display())]
    Refused { directory: PathBuf, source: Refused },
    #[error(
        "{directory}: a desk would not take what was built: {what}\n  mend: {mend}",
        directory = directory.display(), what = problem.what, mend = problem.mend
    )]
    Unfit { directory: PathBuf, problem: Problem },
    #[error(
        "{manifest}: `stages` names {missing}, which the source does not export: it exports {exported}. Remove the name, or \
         add the function for that stage",
        manifest = manifest.display()
    )]
    Stages { manifest: PathBuf, missing: String, exported: String },
}

/// Why a desk would not take a rule: of its folder, its manifest and its component.
pub type Check<'a> = dyn Fn(&Path, Shipped, &[u8]) -> Option<Problem> + 'a;

/// Builds the rule in a folder. With `out`, a folder of its name there gets manifest and component; else the component is
/// put with its manifest. With `settings`, the manifest that is shipped has those instead of its own. What goes into a rules
/// directory is checked before, as a desk would.
///
/// # Errors
///
/// What keeps it from being built, or a desk from taking it.
pub fn ship(
    directory: &Path,
    out: Option<&Path>,
    settings: Option<&Path>,
    check: &Check<'_>,
) -> Result<Built, ShipError> {
    let manifest_file = directory.join(MANIFEST_FILE);
    let unreadable = |file: &Path, source| ShipError::Unreadable { file: file.to_owned(), source };
    let manifest_text = fs::read_to_string(&manifest_file).map_err(|source| unreadable(&manifest_file, source))?;
    let manifest_text = match settings {
        Some(settings) => with_settings(&manifest_file, &manifest_text, settings)?,
        None => manifest_text,
    };
    let manifest = manifest::parse(&manifest_file, &manifest_text)?;
    let component = build::component(directory)?;
    let inspection = inspect(&component, COMPONENT_BYTES_MAX)
        .map_err(|source| ShipError::Refused { directory: directory.to_owned(), source })?;
    if let Some(missing) = manifest.stages.iter().find(|stage| !inspection.stages.contains(stage)) {
        let exported: Vec<&str> = inspection.stages.iter().map(|stage| stage.name()).collect();
        let (missing, exported) = (missing.to_string(), exported.join(", "));
        return Err(ShipError::Stages { manifest: manifest_file, missing, exported });
    }
    let shipped = Shipped { manifest: manifest.clone(), text: manifest_text.clone() };
    if let Some(problem) = out.and_then(|_| check(directory, shipped, &component)) {
        return Err(ShipError::Unfit { directory: directory.to_owned(), problem });
    }
    let target = match out {
        // `.` has no name of its own, and neither has a link.
        Some(out) => {
            let real = fs::canonicalize(directory).map_err(|source| unreadable(directory, source))?;
            out.join(real.file_name().unwrap_or_default())
        }
        None => directory.to_owned(),
    };
    fs::create_dir_all(&target).map_err(|source| ShipError::Unwritable { file: target.clone(), source })?;
    // The manifest last: what watches the folder sees the component first, and the pair settles together.
    if out.is_some() {
        replace_other(&target.join(COMPONENT_FILE), &component)?;
        replace_other(&target.join(MANIFEST_FILE), manifest_text.as_bytes())?;
    } else {
        // Its time says when it was built.
        replace(&target.join(COMPONENT_FILE), &component)?;
    }
    Ok(Built { name: manifest.name.to_string(), version: manifest.version, bytes: component.len(), inspection, target })
}

/// A manifest with other settings, and without the examples that were about its own.
///
/// # Errors
///
/// Where one of the two is no TOML.
pub fn with_settings(file: &Path, manifest: &str, settings: &Path) -> Result<String, ShipError> {
    let wrong = |file: &Path, message: String| ShipError::Settings { file: file.to_owned(), message };
    let text =
        fs::read_to_string(settings).map_err(|source| ShipError::Unreadable { file: settings.to_owned(), source })?;
    let mut given: toml::Table = toml::from_str(&text).map_err(|e| wrong(settings, e.to_string()))?;
    let own = given.remove("settings").unwrap_or(toml::Value::Table(given));
    let mut manifest: toml::Table = toml::from_str(manifest).map_err(|e| wrong(file, e.to_string()))?;
    manifest.insert("settings".to_owned(), own);
    manifest.remove("example");
    toml::to_string(&manifest).map_err(|e| wrong(file, e.to_string()))
}

/// Writes a file of a rules directory. An equal one is left alone, so that no desk reloads for nothing.
fn replace_other(file: &Path, bytes: &[u8]) -> Result<(), ShipError> {
    if fs::read(file).is_ok_and(|old| old == bytes) { Ok(()) } else { replace(file, bytes) }
}

/// Writes a file so that no reader ever sees half of it.
fn replace(file: &Path, bytes: &[u8]) -> Result<(), ShipError> {
    let temporary = file.with_extension("new");
    fs::write(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, file))
        .map_err(|source| ShipError::Unwritable { file: file.to_owned(), source })
}
