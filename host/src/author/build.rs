//! From a folder of source to a component: one file a language, each of which knows that language's tools.

use std::io;
use std::path::{Path, PathBuf};

use super::language::Language;
use crate::rules::package::{self, PackageError};

mod c;
pub mod cut;
pub mod go;
pub mod javascript;
mod project;
pub mod python;
mod rust;

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(
        "{directory}: no file tells the language: a rule has a Cargo.toml (Rust), package.json (JavaScript), \
         tsconfig.json (TypeScript), pyproject.toml (Python), go.mod (Go) or Makefile (C)",
        directory = directory.display()
    )]
    NoLanguage { directory: PathBuf },
    /// A program of the language is not on this machine, or not in a version that will do.
    #[error("{tool} {why}: {install}")]
    Tool { tool: &'static str, why: String, install: String },
    /// The language's own tools refused the source; what they said has been printed.
    #[error("{directory}: it does not build: {message}", directory = directory.display())]
    Source { directory: PathBuf, message: String },
    #[error("{path} cannot be used: {source}", path = path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{directory}: {source}", directory = directory.display())]
    Cut { directory: PathBuf, source: cut::CutError },
    #[error("{directory}: {source}", directory = directory.display())]
    Package { directory: PathBuf, source: PackageError },
}

/// The component of the rule in a folder, of the language that the folder is of.
///
/// # Errors
///
/// Says which tool is missing and how to install it, or that the source does not build.
pub fn component(directory: &Path) -> Result<Vec<u8>, BuildError> {
    let language = Language::of(directory).ok_or_else(|| BuildError::NoLanguage { directory: directory.to_owned() })?;
    match language {
        Language::Rust => rust::build(directory),
        Language::JavaScript | Language::TypeScript => javascript::build(directory, language),
        Language::Python => python::build(directory),
        Language::Go => go::build(directory),
        Language::C => c::build(directory),
    }
}

/// Writes the language's SDK below a rule's folder, where its `build` and editors look for it.
///
/// # Errors
///
/// The file that cannot be written.
pub fn prepare(directory: &Path, language: Language) -> Result<(), BuildError> {
    match language {
        Language::Rust => rust::prepare(directory),
        Language::JavaScript | Language::TypeScript => javascript::prepare(directory),
        Language::Python => python::prepare(directory),
        Language::Go => go::prepare(directory),
        Language::C => c::prepare(directory),
    }
}

/// The component of a core module that a compiler left.
fn componentize(directory: &Path, module: &[u8]) -> Result<Vec<u8>, BuildError> {
    package::componentize(module).map_err(|source| BuildError::Package { directory: directory.to_owned(), source })
}
