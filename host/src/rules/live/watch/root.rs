//! The directory itself: where its name leads now, and the events from there.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use super::{Message, watcher};

/// The rules directory. Its name may be a link, or lie below one, that a deployment leads elsewhere; folders are known by that
/// name, and events come from the place that it led to last.
pub struct Root {
    name: PathBuf,
    real: Option<PathBuf>,
    /// Device and inode of that place: another directory may have come there.
    inode: (u64, u64),
    /// Dropping it ends the events.
    watcher: Option<notify::RecommendedWatcher>,
    send: Sender<Message>,
}

impl Root {
    pub fn new(name: PathBuf, send: Sender<Message>) -> Self {
        Self { name, real: None, inode: (0, 0), watcher: None, send }
    }

    /// The name that it is configured by.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Looks where the name leads now; whether that is elsewhere than before.
    ///
    /// # Errors
    ///
    /// Where it leads nowhere.
    pub fn look(&mut self) -> io::Result<bool> {
        let real = fs::canonicalize(&self.name)?;
        let metadata = fs::metadata(&real)?;
        let inode = (metadata.dev(), metadata.ino());
        let moved = self.real.as_ref() != Some(&real) || self.inode != inode;
        if moved {
            self.watcher = watcher(&real, self.send.clone());
            self.inode = inode;
        }
        let was_somewhere = self.real.replace(real).is_some();
        Ok(moved && was_somewhere)
    }

    /// The rule's folder that a path lies in, by the directory's configured name, and the path by that name.
    pub fn named(&self, path: &Path) -> Option<(PathBuf, PathBuf)> {
        let below = path.strip_prefix(self.real.as_ref()?).ok()?;
        Some((self.name.join(below.components().next()?), self.name.join(below)))
    }
}
