//! Files that are open for writing, as far as events tell.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use notify::event::{AccessKind, AccessMode, Event, EventKind, ModifyKind};

use super::look::FILES;

/// How long a file counts as being written after its last change, where no event says that it was closed: some ways to write
/// send no such event, and would keep a rule out for ever.
const WRITING_LASTS: Duration = Duration::from_secs(60);

/// Files that were written to and not closed since.
#[derive(Default)]
pub struct Writing(BTreeSet<PathBuf>);

/// The effect of an event on a file.
#[derive(Clone, Copy)]
pub struct Deed {
    closed: bool,
    changed: bool,
    created: bool,
}

impl Deed {
    /// Nothing for an event that changes no file.
    pub fn of(event: &Event) -> Option<Self> {
        let closed = matches!(event.kind, EventKind::Access(AccessKind::Close(AccessMode::Write)));
        let changed = matches!(event.kind, EventKind::Modify(ModifyKind::Data(_)));
        let created = matches!(event.kind, EventKind::Create(_));
        (closed || !matches!(event.kind, EventKind::Access(_))).then_some(Self { closed, changed, created })
    }

    /// Whether it concerns the content of a file alone, and not what there is.
    pub fn is_of_content(self) -> bool {
        self.closed || self.changed
    }
}

impl Writing {
    /// Takes what an event does to a file.
    pub fn note(&mut self, path: &Path, deed: Deed) {
        if !deed.closed && (deed.changed || deed.created) && may_be_open(path, deed.created) {
            self.0.insert(path.to_owned());
        } else {
            // Closed, renamed or removed: no file is being written under this name any more.
            self.0.remove(path);
        }
    }

    /// Events were lost, and with them who has closed what: what looks the same at two looks has to do.
    pub fn forget_all(&mut self) {
        self.0.clear();
    }

    /// Forgets files that have not been written to for long.
    pub fn forget_old(&mut self) {
        self.0.retain(|file| changed_lately(file));
    }

    /// Whether a file of this folder is being written, wherever in the rules directory it is if it is a link.
    pub fn is_open(&self, folder: &Path) -> bool {
        let is_open = |file: &&str| fs::canonicalize(folder.join(file)).is_ok_and(|real| self.0.contains(&real));
        !self.0.is_empty() && FILES.iter().any(is_open)
    }
}

/// Whether a file that was just created or changed may be open: a link to another never is, by any name.
fn may_be_open(path: &Path, created: bool) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && !(created && metadata.nlink() > 1))
}

/// Whether a file is there and has changed so lately that it may still be being written.
#[expect(clippy::disallowed_methods, reason = "files change in real time")]
fn changed_lately(path: &Path) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    // No program can set the time of a change, unlike that of the content.
    fs::symlink_metadata(path).is_ok_and(|m| m.ctime().unsigned_abs().saturating_add(WRITING_LASTS.as_secs()) > now)
}
