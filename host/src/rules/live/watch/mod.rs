//! Looks at the rules directory for ever and keeps the catalog true to it.
//!
//! Events make it quick, polling makes it certain: a file system that sends no events is looked at all the same. A file
//! that somebody still has open for writing is not read, and neither is one that changed a moment ago; so a rule that is
//! half copied is never loaded, however long the copying takes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Event, RecursiveMode, Watcher};

use super::catalog::{Catalog, Outcome};
use crate::rules::load::Loader;
use crate::rules::tables::Tables;
use lanes::{Done, Job, Lanes};
use look::{FILES, Seen, is_nothing, is_of_a_rule, look_at};

mod lanes;
mod look;

/// How long a folder has to be quiet before it is read: longer than the gap between two files of one copy, shorter than
/// anybody notices.
const QUIET: Duration = Duration::from_millis(20);
/// How long a file counts as being written after its last change, where nobody says that it was closed: some ways to write
/// send no such event, and would keep a rule out for ever.
const WRITING_LASTS: Duration = Duration::from_secs(60);
/// How many folders are looked at; a directory with more is a mistake.
const FOLDERS_MAX: usize = 1_000;

/// A request to the watching thread.
enum Message {
    Event(notify::Result<Event>),
    /// Look at everything anew, whatever it looked like before, and say when it is done.
    Reload(Sender<()>),
    Loaded(Box<Done>),
    Stop,
}

/// The thread that watches; dropping it ends the thread.
pub struct Watch {
    send: Sender<Message>,
    // Kept for its life: dropping it ends the events.
    _watcher: Option<notify::RecommendedWatcher>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Watch {
    /// Loads all that is there, then watches.
    pub fn start(
        root: PathBuf,
        loader: &Arc<Loader>,
        catalog: Arc<Catalog>,
        tables: Arc<ArcSwap<Tables>>,
        poll: Duration,
    ) -> std::io::Result<Self> {
        let (send, receive) = channel();
        let watcher = watcher(&root, send.clone());
        let loaded = send.clone();
        let lanes = Lanes::start(loader, move |done| {
            // Nobody watches any more where this fails.
            let _ = loaded.send(Message::Loaded(Box::new(done)));
        })?;
        let mut eye = Eye {
            root,
            lanes,
            loading: BTreeSet::new(),
            again: BTreeSet::new(),
            waiting: Vec::new(),
            catalog,
            tables,
            seen: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            being_written: BTreeSet::new(),
            quiet_since: BTreeMap::new(),
        };
        eye.look(true);
        eye.load_all(&receive);
        let thread = thread::Builder::new().name("rules-watch".to_owned()).spawn(move || eye.watch(&receive, poll))?;
        Ok(Self { send, _watcher: watcher, thread: Some(thread) })
    }

    /// Looks at everything anew and waits until that is done.
    pub fn reload(&self) {
        let (done, wait) = channel();
        if self.send.send(Message::Reload(done)).is_ok() {
            // An error means that the thread has ended, so that there is nothing to wait for.
            let _ = wait.recv();
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

/// What the thread knows.
struct Eye {
    root: PathBuf,
    lanes: Lanes,
    /// Folders that are in a lane; one is never in two.
    loading: BTreeSet<PathBuf>,
    /// Those of them that are to be loaded once more, because a reload was asked for meanwhile.
    again: BTreeSet<PathBuf>,
    /// Who waits until nothing is loading any more.
    waiting: Vec<Sender<()>>,
    catalog: Arc<Catalog>,
    tables: Arc<ArcSwap<Tables>>,
    /// As last loaded or refused.
    seen: BTreeMap<PathBuf, Seen>,
    /// As seen at the last look, where that differs from `seen`: loaded once it looks the same again.
    unsettled: BTreeMap<PathBuf, Seen>,
    /// Files that were written to and not closed since.
    being_written: BTreeSet<PathBuf>,
    /// Folders with events, by when the last one came.
    quiet_since: BTreeMap<PathBuf, Instant>,
}

impl Eye {
    #[expect(clippy::disallowed_methods, reason = "watching a directory happens in real time")]
    fn watch(&mut self, receive: &Receiver<Message>, poll: Duration) {
        let mut next_poll = Instant::now() + poll;
        loop {
            let until = match self.quiet_since.values().min() {
                Some(since) => next_poll.min(*since + QUIET),
                None => next_poll,
            };
            match receive.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Message::Event(event)) => self.note(event),
                Ok(Message::Reload(done)) => {
                    self.seen.clear();
                    self.again = self.loading.clone();
                    self.look(true);
                    self.waiting.push(done);
                }
                Ok(Message::Loaded(done)) => {
                    let outcome = self.finished(*done);
                    self.catalog.apply(vec![outcome], now());
                    self.compare();
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.loading.is_empty() {
                for waiting in self.waiting.drain(..) {
                    // Whoever has gone away does not need to know.
                    let _ = waiting.send(());
                }
            }
            self.load_quiet(Instant::now());
            if Instant::now() >= next_poll {
                self.look(false);
                if self.lanes.compare_nothing() {
                    self.compare();
                }
                next_poll = Instant::now() + poll;
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "watching a directory happens in real time")]
    fn note(&mut self, event: notify::Result<Event>) {
        let Ok(event) = event else { return };
        if event.need_rescan() {
            // Events were lost, and with them who has closed what: what looks the same at two looks has to do.
            self.being_written.clear();
        }
        let closed = matches!(event.kind, EventKind::Access(AccessKind::Close(AccessMode::Write)));
        let changed = matches!(event.kind, EventKind::Modify(ModifyKind::Data(_)));
        let created = matches!(event.kind, EventKind::Create(_));
        if matches!(event.kind, EventKind::Access(_)) && !closed {
            return;
        }
        for path in event.paths {
            if !closed && (changed || created) && may_be_open(&path, created) {
                self.being_written.insert(path.clone());
            } else {
                // Closed, renamed or removed: whatever was being written under this name no longer is.
                self.being_written.remove(&path);
            }
            if let Some(folder) = self.folder_of(&path)
                && (folder == path || is_of_a_rule(&path) || !(changed || closed))
            {
                self.quiet_since.insert(folder, Instant::now());
            }
        }
    }

    /// Whether somebody is writing a file of this folder, wherever in the rules directory it is if it is a link.
    fn is_open(&self, folder: &Path) -> bool {
        !self.being_written.is_empty()
            && FILES
                .iter()
                .any(|file| fs::canonicalize(folder.join(file)).is_ok_and(|real| self.being_written.contains(&real)))
    }

    /// Whether a folder has or had a rule.
    fn is_known(&self, folder: &Path) -> bool {
        self.seen.contains_key(folder) || self.catalog.folders().contains_key(folder)
    }

    /// The rule's folder that a path lies in.
    fn folder_of(&self, path: &Path) -> Option<PathBuf> {
        let below = path.strip_prefix(&self.root).ok()?;
        Some(self.root.join(below.components().next()?))
    }

    fn load_quiet(&mut self, now: Instant) {
        let ready: Vec<PathBuf> = self
            .quiet_since
            .iter()
            .filter(|(_, since)| now.saturating_duration_since(**since) >= QUIET)
            .map(|(folder, _)| folder.clone())
            .collect();
        let mut load = Vec::new();
        for folder in ready {
            self.quiet_since.remove(&folder);
            let looks = look_at(&folder);
            let changed = self.seen.get(&folder) != Some(&looks);
            if changed && (self.is_known(&folder) || !is_nothing(&looks)) && !self.is_open(&folder) {
                load.push(folder);
            }
        }
        self.load(&load);
    }

    /// Looks at all folders. What has changed is loaded when it looks the same at two looks, or at once if `now`.
    fn look(&mut self, now: bool) {
        self.being_written.retain(|file| changed_lately(file));
        let mut folders = self.folders();
        folders.extend(self.seen.keys().cloned());
        folders.extend(self.catalog.folders().keys().cloned());
        let mut load = Vec::new();
        let before = std::mem::take(&mut self.unsettled);
        for folder in folders {
            let looks = look_at(&folder);
            if now {
                self.quiet_since.remove(&folder);
            }
            if self.seen.get(&folder) == Some(&looks) || self.quiet_since.contains_key(&folder) {
                continue;
            }
            if now || (before.get(&folder) == Some(&looks) && !self.is_open(&folder)) {
                load.push(folder);
            } else {
                self.unsettled.insert(folder, looks);
            }
        }
        self.load(&load);
    }

    fn folders(&self) -> BTreeSet<PathBuf> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(directory = %self.root.display(), %error, "the rules directory cannot be read");
                return self.seen.keys().cloned().collect();
            }
        };
        let folders: BTreeSet<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| !is_nothing(&look_at(path)))
            .take(FOLDERS_MAX + 1)
            .collect();
        if folders.len() > FOLDERS_MAX {
            tracing::warn!(directory = %self.root.display(), "more than {FOLDERS_MAX} folders: the rest is not loaded");
        }
        folders.into_iter().take(FOLDERS_MAX).collect()
    }

    /// Puts folders into the lanes.
    fn load(&mut self, folders: &[PathBuf]) {
        let tables = self.tables.load_full();
        for folder in folders {
            if self.loading.insert(folder.clone()) {
                let (folder, looks, tables) = (folder.clone(), look_at(folder), Arc::clone(&tables));
                self.lanes.load(Job { folder, looks, tables });
            }
        }
    }

    /// Takes a folder out of its lane. One that has changed in the meantime is seen to have, and loaded again.
    fn finished(&mut self, done: Done) -> (PathBuf, Outcome) {
        self.loading.remove(&done.folder);
        if matches!(done.outcome, Outcome::Gone) {
            self.seen.remove(&done.folder);
            // What was refused may have been refused because of this one, such as for its name.
            let refused: Vec<PathBuf> =
                self.catalog.folders().values().filter(|s| s.error.is_some()).map(|s| s.folder.clone()).collect();
            for folder in refused {
                self.seen.remove(&folder);
                self.look_soon(folder);
            }
        } else {
            // What failed for want of the machine is tried again at the next looks, as if it had never been seen.
            if !matches!(&done.outcome, Outcome::Refused { error, .. } if error.is_passing()) {
                self.seen.insert(done.folder.clone(), done.looks);
            }
            if look_at(&done.folder) != done.looks {
                self.look_soon(done.folder.clone());
            }
        }
        if self.again.remove(&done.folder) {
            self.load(std::slice::from_ref(&done.folder));
        }
        (done.folder, done.outcome)
    }

    #[expect(clippy::disallowed_methods, reason = "watching a directory happens in real time")]
    fn look_soon(&mut self, folder: PathBuf) {
        self.quiet_since.insert(folder, Instant::now());
    }

    /// Waits for all that is in the lanes and shows it as one generation: what a desk starts with.
    fn load_all(&mut self, receive: &Receiver<Message>) {
        let mut outcomes = Vec::new();
        while !self.loading.is_empty() {
            match receive.recv() {
                Ok(Message::Loaded(done)) => outcomes.push(self.finished(*done)),
                Ok(Message::Event(event)) => self.note(event),
                Ok(Message::Reload(_) | Message::Stop) | Err(_) => break,
            }
        }
        // In the order of the folders, so that every start of the same directory comes to the same.
        outcomes.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.catalog.apply(outcomes, now());
        self.compare();
    }

    /// Has those live rules compared of which nobody finds out yet whether they always answer the same.
    fn compare(&self) {
        let generation = self.catalog.generation();
        let unknown = generation.rules().iter().filter(|rule| rule.determinism.is_open());
        unknown.for_each(|rule| self.lanes.compare(Arc::clone(rule), self.tables.load_full()));
    }
}

#[expect(clippy::disallowed_methods, reason = "shown to people as the time of a reload")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// Whether a file that was just created or changed may be open: a link to another never is, by whatever name.
fn may_be_open(path: &Path, created: bool) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && !(created && metadata.nlink() > 1))
}

/// Whether a file is there and has changed so lately that somebody may still be writing it.
#[expect(clippy::disallowed_methods, reason = "files change in real time")]
fn changed_lately(path: &Path) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    // The time of a change, unlike that of the content, is nobody's to set.
    fs::symlink_metadata(path).is_ok_and(|m| m.ctime().unsigned_abs().saturating_add(WRITING_LASTS.as_secs()) > now)
}
