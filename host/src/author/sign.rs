//! Vouching for a rule: its digests signed, into a file beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::rules::digest::Digest;
use crate::rules::load::trust::key::{KeyError, SigningKey};
use crate::rules::load::trust::{SIGNATURE_FILE, SignatureFile};
use crate::rules::load::{COMPONENT_FILE, MANIFEST_FILE};
use crate::rules::run::manifest::{self, ManifestError};

/// A rule that was signed.
#[derive(Debug)]
pub struct Signed {
    pub name: String,
    pub version: String,
    pub file: PathBuf,
    pub signature: SignatureFile,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("{file} cannot be read: {source}. A rule that is signed has been built: `ruledesk rule build`", file = file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("{file} cannot be written: {source}", file = file.display())]
    Unwritable { file: PathBuf, source: io::Error },
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// Signs the rule in a folder as its two files are now; the signature is whole in its file or not there.
///
/// # Errors
///
/// Where the folder has no built rule, or the file cannot be written.
pub fn sign(folder: &Path, key: &SigningKey) -> Result<Signed, SignError> {
    let read = |file: &Path| fs::read(file).map_err(|source| SignError::Unreadable { file: file.to_owned(), source });
    let manifest_file = folder.join(MANIFEST_FILE);
    let manifest_bytes = read(&manifest_file)?;
    let text = String::from_utf8_lossy(&manifest_bytes);
    // Whoever signs should know what: a manifest that no desk would take is not signed.
    let manifest = manifest::parse(&manifest_file, &text)?;
    let component = read(&folder.join(COMPONENT_FILE))?;
    let signature = key.sign(Digest::of(&component), Digest::of(&manifest_bytes));
    let file = folder.join(SIGNATURE_FILE);
    let temporary = folder.join(format!("{SIGNATURE_FILE}.tmp"));
    fs::write(&temporary, signature.to_text())
        .and_then(|()| fs::rename(&temporary, &file))
        .map_err(|source| SignError::Unwritable { file: file.clone(), source })?;
    Ok(Signed { name: manifest.name.to_string(), version: manifest.version, file, signature })
}
