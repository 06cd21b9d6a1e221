//! The folders that another process has known: those whose rules were live, and those with which rules had ended.

use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use super::DirectoryWatch;
use crate::rules::live::watch::look::{is_nothing, look_at};

impl DirectoryWatch {
    /// Misses those of these folders that are not there.
    pub(super) fn expect(&mut self, folders: Vec<String>) {
        for folder in folders {
            let folder = self.root.name().join(folder);
            if is_nothing(&look_at(&folder)) {
                self.miss(&folder);
            }
        }
    }

    /// Takes what has ended with these folders as if that had been seen here, so long ago, and says when it is shown.
    pub(super) fn ended_before(&mut self, folders: Vec<(String, Duration)>, done: &SyncSender<()>, now: Instant) {
        for (folder, ago) in folders {
            // One that is there has another rule by now, or what has ended with it comes back once it is read.
            let folder = self.root.name().join(folder);
            self.missing.ended_before(folder, ago, (self.habits.patience, now));
        }
        self.publish(now);
        // The one who asked may have gone away.
        let _ = done.send(());
    }
}
