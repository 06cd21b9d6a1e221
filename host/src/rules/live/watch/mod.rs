//! Looks at the rules directory for ever and keeps the catalog true to it.
//!
//! Events make it quick, polling makes it certain: a file system that sends no events is looked at all the same. A file
//! that is still open for writing is not read, and neither is one that changed a moment ago; so a rule that is
//! half copied is never loaded, however long the copying takes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use notify::{Event, RecursiveMode, Watcher};

use super::catalog::Catalog;
use crate::rules::load::Loader;
use crate::rules::tables::Tables;
use eye::{DirectoryWatch, Shared};
use lanes::{Done, Lanes};

mod batches;
mod eye;
mod lanes;
mod limit;
mod look;
mod missing;
mod peek;
mod root;
mod writing;

/// The rules of folders that are missing when the directory is looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingRules {
    /// They go on for a time, because the folder may come back.
    GoOn,
    /// They end: a person says that the directory is as it should be.
    End,
}

/// A request to the watching thread.
enum Message {
    Event(notify::Result<Event>),
    /// Look at everything again, also at folders that look as before, and say when it is done.
    Reload(Sender<()>, MissingRules),
    /// These folders should be there: their rules were live when another process last wrote that down.
    Expect(Vec<String>),
    /// Rules have ended with these folders, so long ago, when another process looked; say when it is shown.
    Ended(Vec<(String, Duration)>, SyncSender<()>),
    Loaded(Box<Done>),
    Stop,
}

/// How the directory is watched.
#[derive(Debug, Clone)]
pub struct Habits {
    /// The directory, as it is configured: it may be a link that is led elsewhere at any time.
    pub root: PathBuf,
    /// How often it is looked at even without an event.
    pub poll: Duration,
    /// How long rules go on when most of their directory is missing.
    pub patience: Duration,
}

/// The thread that watches; dropping it ends the thread.
pub struct Watch {
    send: Sender<Message>,
    is_read: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Watch {
    /// Begins to load all that is there, then watches.
    pub fn start(
        habits: Habits,
        loader: &Arc<Loader>,
        catalog: Arc<Catalog>,
        tables: Arc<ArcSwap<Tables>>,
    ) -> std::io::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "watching a directory happens in real time")]
        let now = Instant::now();
        let (send, receive) = channel();
        let loaded = send.clone();
        let lanes = Lanes::start(loader, move |done| {
            // Nobody watches any more where this fails.
            let _ = loaded.send(Message::Loaded(Box::new(done)));
        })?;
        let is_read = Arc::new(AtomicBool::new(false));
        let shared = Shared { catalog, tables, is_read: Arc::clone(&is_read) };
        let mut eye = DirectoryWatch::new(habits, Arc::clone(loader), lanes, shared, send.clone());
        eye.begin(now);
        let thread = thread::Builder::new().name("rules-watch".to_owned()).spawn(move || eye.watch(&receive))?;
        Ok(Self { send, is_read, thread: Some(thread) })
    }

    /// Looks at everything again and waits until that is done.
    pub fn reload(&self, missing: MissingRules) {
        let (done, wait) = channel();
        if self.send.send(Message::Reload(done, missing)).is_ok() {
            // An error means that the thread has ended, so that there is nothing to wait for.
            let _ = wait.recv();
        }
    }

    /// Says which folders should be there.
    pub fn expect(&self, folders: Vec<String>) {
        // Where the thread has ended, no change is seen.
        let _ = self.send.send(Message::Expect(folders));
    }

    /// Says with which folders rules have ended before this process began, and how long ago, and waits until it is shown.
    pub fn ended_before(&self, folders: Vec<(String, Duration)>) {
        let (done, wait) = sync_channel(1);
        if self.send.send(Message::Ended(folders, done)).is_ok() {
            // An error means that the thread has ended, so that there is nothing to wait for.
            let _ = wait.recv();
        }
    }

    /// Whether all that lay in the directory at the start has been loaded or refused.
    pub fn is_read(&self) -> bool {
        self.is_read.load(Ordering::Acquire)
    }

    /// Waits until it has.
    #[expect(clippy::disallowed_methods, reason = "loading a directory happens in real time")]
    pub fn wait_until_read(&self, patience: Option<Duration>) {
        const LOOK_EVERY: Duration = Duration::from_millis(2);
        let begun = Instant::now();
        while !self.is_read() && patience.is_none_or(|patience| begun.elapsed() < patience) {
            if self.thread.as_ref().is_none_or(thread::JoinHandle::is_finished) {
                return;
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.send.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn watcher(root: &Path, send: Sender<Message>) -> Option<notify::RecommendedWatcher> {
    let tell = move |event| {
        let _ = send.send(Message::Event(event));
    };
    // A link may lead to a whole disk; what one leads to in this directory is watched where it is.
    let options = notify::Config::default().with_follow_symlinks(false);
    let made = notify::RecommendedWatcher::new(tell, options).and_then(|mut watcher| {
        watcher.watch(root, RecursiveMode::Recursive)?;
        Ok(watcher)
    });
    made.inspect_err(|error| {
        tracing::warn!(%error, "no events for the rules directory: it is polled only");
    })
    .ok()
}
