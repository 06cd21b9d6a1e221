//! A rule's folder, read: its files of one moment, and what identifies their content.

use std::io;
use std::path::Path;

use super::{COMPONENT_FILE, LoadError, Loader, MANIFEST_FILE, files};
use crate::rules::digest::Digest;
use crate::rules::load::inspect::Refused;
use crate::rules::load::trust::{SIGNATURE_BYTES_MAX, SIGNATURE_FILE};
use crate::rules::run::manifest::{self, MANIFEST_BYTES_MAX, Manifest, ManifestError, Says};
use crate::rules::tables::Tables;

/// The identity of the content of a folder: the digests of its component, its manifest and its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    component: Digest,
    manifest: Digest,
    signature: Option<Digest>,
}

/// A folder's files.
pub struct Files {
    pub(super) manifest: Manifest,
    pub(super) manifest_text: String,
    pub(super) wasm: Vec<u8>,
    pub(super) signature: Option<String>,
    pub content: Content,
}

impl Loader {
    /// Reads a folder's files. They are of one moment: where a link was led elsewhere between two of them, none counts.
    ///
    /// # Errors
    ///
    /// The first thing that keeps them from being a rule's files.
    pub fn read_folder(&self, folder: &Path, tables: &Tables) -> Result<Files, LoadError> {
        // A folder is kept by its name as text: two names that are none would be one, and neither be found again.
        if folder.file_name().is_some_and(|name| name.to_str().is_none()) {
            let message = "the folder's name is not UTF-8: rename it".to_owned();
            return Err(ManifestError::Unreadable { file: folder.to_owned(), message }.into());
        }
        let before = files::look(folder);
        let manifest_file = folder.join(MANIFEST_FILE);
        let manifest_text = self.read_manifest(&manifest_file)?;
        // Before the component is read: what is wrong with a manifest is the better thing to say.
        let manifest = manifest::parse(&manifest_file, &manifest_text)?;
        super::check_tables(&manifest, &manifest_file, tables)?;
        let component_file = folder.join(COMPONENT_FILE);
        let wasm = files::read(&self.root, &component_file, self.component_bytes_max).map_err(of_component)?;
        let signature = self.read_signature(&folder.join(SIGNATURE_FILE))?;
        if files::look(folder) != before {
            return Err(LoadError::Unstable { file: folder.to_owned() });
        }
        let content = Content {
            component: Digest::of(&wasm),
            manifest: Digest::of(manifest_text.as_bytes()),
            signature: signature.as_ref().map(|text| Digest::of(text.as_bytes())),
        };
        Ok(Files { manifest, manifest_text, wasm, signature, content })
    }

    fn read_manifest(&self, file: &Path) -> Result<String, LoadError> {
        let bytes = files::read(&self.root, file, MANIFEST_BYTES_MAX).map_err(|error| match error {
            LoadError::TooLong { file, .. } => ManifestError::TooLarge { file }.into(),
            other => other,
        })?;
        let not_text = |_| ManifestError::Unreadable { file: file.to_owned(), message: "it is not UTF-8".to_owned() };
        Ok(String::from_utf8(bytes).map_err(not_text)?)
    }

    /// The purpose of a folder's rule: a manifest that cannot be read could say anything.
    pub fn says(&self, folder: &Path) -> Says {
        let file = folder.join(MANIFEST_FILE);
        let Ok(text) = self.read_manifest(&file) else { return Says::Unknown };
        manifest::parse(&file, &text).map_or_else(|_| Says::guessed(&text), |manifest| Says::of(&manifest))
    }

    /// A signature's text, if there is such a file; one that is no text fits nothing.
    fn read_signature(&self, file: &Path) -> Result<Option<String>, LoadError> {
        match files::read(&self.root, file, SIGNATURE_BYTES_MAX) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(LoadError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn of_component(error: LoadError) -> LoadError {
    match error {
        LoadError::TooLong { file, bytes, bytes_max } => {
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            LoadError::Refused { file, source: Refused::TooLarge { bytes, bytes_max } }
        }
        other => other,
    }
}
