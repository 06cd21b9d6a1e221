//! The purpose of a folder, found out before it is loaded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::look::Seen;
use crate::rules::live::catalog::Unread;
use crate::rules::load::Loader;
use crate::rules::run::manifest::Says;

/// Reads manifests, each once for as long as it looks the same.
pub struct Peek {
    loader: Arc<Loader>,
    known: BTreeMap<PathBuf, (Seen, Says)>,
}

impl Peek {
    pub fn new(loader: Arc<Loader>) -> Self {
        Self { loader, known: BTreeMap::new() }
    }

    /// The purpose of a folder that looks like this.
    pub fn at(&mut self, folder: &Path, looks: Seen) -> Says {
        if let Some((seen, says)) = self.known.get(folder)
            && *seen == looks
        {
            return *says;
        }
        let says = self.loader.says(folder);
        self.known.insert(folder.to_owned(), (looks, says));
        says
    }

    /// Forgets all folders but those that are not read yet.
    pub fn keep(&mut self, unread: &BTreeMap<PathBuf, Unread>) {
        self.known.retain(|folder, _| unread.contains_key(folder));
    }
}
