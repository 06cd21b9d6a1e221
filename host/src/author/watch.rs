//! Builds again whenever a source changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use notify::{EventKind, RecursiveMode, Watcher};

use super::sources::{Looks, folders, look};

/// How long the files have to be quiet: an editor writes several times for one save.
const QUIET: Duration = Duration::from_millis(100);

/// Why a folder cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("{directory} cannot be watched: {source}", directory = directory.display())]
pub struct WatchError {
    directory: PathBuf,
    source: notify::Error,
}

/// Calls `build` for each folder, and again for a folder whose source has changed, for ever. What a build itself writes
/// into the source counts once, so that a build never goes on by itself.
///
/// # Errors
///
/// Where the system sends no events for a folder.
pub fn watch(directories: &[PathBuf], mut build: impl FnMut(&Path)) -> Result<(), WatchError> {
    let (send, receive) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // An error may have swallowed events, so it counts as one.
        if event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
            return;
        }
        // Nobody listens any more where this fails.
        let _ = send.send(());
    })
    .map_err(|source| WatchError { directory: directories.first().cloned().unwrap_or_default(), source })?;
    let mut watched: BTreeSet<PathBuf> = BTreeSet::new();
    let mut built: BTreeMap<&PathBuf, Looks> = BTreeMap::new();
    loop {
        for directory in directories {
            // Folder by folder: what tools fill has thousands of files and changes at each build.
            for folder in folders(directory).into_iter().filter(|folder| watched.insert(folder.clone())) {
                watcher
                    .watch(&folder, RecursiveMode::NonRecursive)
                    .map_err(|source| WatchError { directory: folder, source })?;
            }
            let looks = look(directory);
            if built.get(directory) != Some(&looks) {
                built.insert(directory, looks);
                build(directory);
            }
        }
        watched.retain(|folder| folder.is_dir());
        if !wait(&receive) {
            return Ok(());
        }
    }
}

/// Waits for an event, and then until there are no more; whether there will be others.
fn wait(events: &Receiver<()>) -> bool {
    if events.recv().is_err() {
        return false;
    }
    while events.recv_timeout(QUIET).is_ok() {}
    true
}
