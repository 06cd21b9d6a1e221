//! The watching thread's knowledge of the directory, and its acts about each change there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use notify::Event;

use super::batches::Batches;
use super::lanes::{Done, Job, Lanes};
use super::limit::{self, FOLDERS_MAX, Found};
use super::look::{Load, Read, Seen, is_half_changed, is_nothing, is_of_a_rule, look_at};
use super::missing::Missing;
use super::peek::Peek;
use super::root::Root;
use super::writing::{Deed, Writing};
use super::{Habits, Message, MissingRules};
use crate::rules::live::catalog::{Catalog, Outcome, Unread};
use crate::rules::live::directory::Directory;
use crate::rules::load::Loader;
use crate::rules::run::stage::Stage;
use crate::rules::tables::Tables;

mod expected;

/// How long the directory has to be quiet before what changed is read: longer than the gap between two files of one copy.
const QUIET: Duration = Duration::from_millis(20);
/// How long a quiet folder waits for others.
const QUIET_MAX: Duration = Duration::from_millis(300);
/// How long one file of a rule for access waits for the other one, which has not changed.
const HALF: Duration = Duration::from_secs(3);
/// How many messages are read before what they bring is shown.
const AT_ONCE: usize = 200;
/// How soon what is not read yet is counted again.
const COUNT_EVERY: Duration = Duration::from_millis(20);

/// What the thread shares with the rest of the program.
pub struct Shared {
    pub catalog: Arc<Catalog>,
    pub tables: Arc<ArcSwap<Tables>>,
    /// Whether all that lay in the directory at the start has been loaded or refused.
    pub is_read: Arc<AtomicBool>,
}

/// The thread's knowledge.
pub struct DirectoryWatch {
    habits: Habits,
    root: Root,
    lanes: Lanes,
    shared: Shared,
    batches: Batches,
    /// Folders that are in a lane, as they looked when they were put there; one is never in two.
    loading: BTreeMap<PathBuf, Seen>,
    /// Those of them that are to be loaded once more, because a reload was asked for meanwhile.
    again: BTreeSet<PathBuf>,
    /// Who waits until nothing is loading any more.
    waiting: Vec<Sender<()>>,
    /// One of them has said that what is not there is gone.
    is_meant: bool,
    seen: BTreeMap<PathBuf, Read>,
    /// As seen at the last look, where that differs from `seen`: loaded once it looks the same again.
    unsettled: BTreeMap<PathBuf, Seen>,
    writing: Writing,
    /// Folders with events, by when the last one came; and when the first of them did.
    quiet_since: BTreeMap<PathBuf, Instant>,
    restless_since: Option<Instant>,
    /// Folders of which one file has changed alone, since when.
    half: BTreeMap<PathBuf, Instant>,
    missing: Missing,
    found: Found,
    unreadable: Option<String>,
    /// Something may lie elsewhere than before: how often to look at everything soon, and when next.
    looks_left: u8,
    look_at: Option<Instant>,
    /// When what is not read yet was counted last.
    counted: Option<Instant>,
    /// The folder whose content was compared last, though nothing about it looked different.
    compared: Option<PathBuf>,
    peek: Peek,
}

impl DirectoryWatch {
    pub fn new(habits: Habits, loader: Arc<Loader>, lanes: Lanes, shared: Shared, send: Sender<Message>) -> Self {
        Self {
            root: Root::new(habits.root.clone(), send),
            habits,
            lanes,
            shared,
            batches: Batches::default(),
            loading: BTreeMap::new(),
            again: BTreeSet::new(),
            waiting: Vec::new(),
            is_meant: false,
            seen: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            writing: Writing::default(),
            quiet_since: BTreeMap::new(),
            restless_since: None,
            half: BTreeMap::new(),
            missing: Missing::default(),
            found: Found::default(),
            unreadable: None,
            looks_left: 0,
            look_at: None,
            counted: None,
            compared: None,
            peek: Peek::new(loader),
        }
    }

    /// Puts all that is there into the lanes.
    pub fn begin(&mut self, now: Instant) {
        self.look(Load::AtOnce);
        self.publish(now);
    }

    #[expect(clippy::disallowed_methods, reason = "watching a directory happens in real time")]
    pub fn watch(&mut self, receive: &Receiver<Message>) {
        let mut next_poll = Instant::now() + self.habits.poll;
        loop {
            let until = self.next_moment().map_or(next_poll, |moment| moment.min(next_poll));
            let first = match receive.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => None,
                Ok(message) => Some(message),
            };
            // All that has come meanwhile is shown as one generation: each costs as much as there are rules.
            let mut ready = Vec::new();
            for message in first.into_iter().chain(receive.try_iter().take(AT_ONCE)) {
                match message {
                    Message::Stop => return,
                    Message::Event(event) => self.note(event, Instant::now()),
                    Message::Reload(done, missing) => self.reload(done, missing),
                    Message::Expect(folders) => self.expect(folders),
                    Message::Ended(folders, done) => self.ended_before(folders, &done, Instant::now()),
                    Message::Loaded(done) => ready.extend(self.finished(*done, Instant::now())),
                }
            }
            let now = Instant::now();
            ready.extend(self.batches.late(now));
            self.show(ready);
            self.load_quiet(now);
            self.load_half(now);
            let believed = self.missing.believed(self.present(), self.habits.patience, now);
            if self.unreadable.is_none() {
                self.load(&believed);
            }
            if now >= next_poll {
                self.look(Load::OnceSettled);
                self.compare_one();
                self.lanes.compare_unknown(&self.shared.catalog.generation(), &self.shared.tables.load());
                next_poll = now + self.habits.poll;
            } else if self.look_at.is_some_and(|at| now >= at) {
                self.looks_left = self.looks_left.saturating_sub(1);
                self.look_at = (self.looks_left > 0).then(|| now + QUIET);
                self.look(Load::OnceSettled);
            }
            if self.loading.is_empty() || self.counted.is_none_or(|counted| now >= counted + COUNT_EVERY) {
                self.counted = Some(now);
                self.publish(now);
            }
            self.answer();
        }
    }

    /// How many folders are there, as far as is known.
    fn present(&self) -> usize {
        self.found.read.iter().filter(|folder| !self.missing.has(folder)).count()
    }

    /// When there is something to do without a word from outside.
    fn next_moment(&self) -> Option<Instant> {
        let quiet = self.quiet_since.values().max().map(|last| *last + QUIET);
        let restless = self.restless_since.map(|since| since + QUIET_MAX);
        let half = self.half.values().min().map(|since| *since + HALF);
        let missing = self.missing.next(self.present(), self.habits.patience);
        let missing = missing.filter(|_| self.unreadable.is_none() && self.loading.is_empty());
        let count = self.counted.map(|counted| counted + COUNT_EVERY).filter(|_| !self.loading.is_empty());
        [quiet.into_iter().chain(restless).min(), half, missing, self.batches.next(), self.look_at, count]
            .into_iter()
            .flatten()
            .min()
    }

    fn reload(&mut self, done: Sender<()>, missing: MissingRules) {
        for read in self.seen.values_mut() {
            read.content = None;
        }
        self.again = self.loading.keys().cloned().collect();
        self.half.clear();
        self.look(Load::AtOnce);
        if missing == MissingRules::End && self.unreadable.is_none() {
            let gone = self.missing.believe();
            self.is_meant = true;
            self.load(&gone);
        }
        self.waiting.push(done);
    }

    fn answer(&mut self) {
        if self.loading.is_empty() {
            self.is_meant = false;
            for waiting in self.waiting.drain(..) {
                // The one who asked may have gone away.
                let _ = waiting.send(());
            }
        }
    }

    fn note(&mut self, event: notify::Result<Event>, now: Instant) {
        let Ok(event) = event else { return };
        if event.need_rescan() {
            self.writing.forget_all();
        }
        let Some(deed) = Deed::of(&event) else { return };
        for path in event.paths {
            self.writing.note(&path, deed);
            let Some((folder, path)) = self.root.named(&path) else { continue };
            if folder == path && !self.is_known(&folder) && is_nothing(&look_at(&folder)) {
                // What is no rule's folder may be what links of others lead to.
                self.look_twice(now);
            } else if folder == path || is_of_a_rule(&path) || !deed.is_of_content() {
                self.disturb(folder, now);
            }
        }
    }

    /// Looks at everything soon, and once more to see whether it has settled.
    fn look_twice(&mut self, now: Instant) {
        self.looks_left = 2;
        self.look_at.get_or_insert(now + QUIET);
    }

    /// Whether a folder has or had a rule.
    fn is_known(&self, folder: &Path) -> bool {
        self.seen.contains_key(folder) || self.shared.catalog.folders().contains_key(folder)
    }

    /// Loads what has changed, once the directory is quiet: all of it together.
    fn load_quiet(&mut self, now: Instant) {
        let is_quiet = |since: &Instant| now.saturating_duration_since(*since) >= QUIET;
        let is_late = self.restless_since.is_some_and(|since| now.saturating_duration_since(since) >= QUIET_MAX);
        if !is_late && !self.quiet_since.values().all(is_quiet) {
            return;
        }
        let quiet = self.quiet_since.iter().filter(|(_, since)| is_quiet(since));
        let ready: Vec<PathBuf> = quiet.map(|(folder, _)| folder.clone()).collect();
        let mut load = Vec::new();
        for folder in ready {
            self.quiet_since.remove(&folder);
            let looks = look_at(&folder);
            if is_nothing(&looks) && self.shared.catalog.serves(&folder) {
                self.miss(&folder);
            } else if (self.is_known(&folder) || !is_nothing(&looks)) && !self.writing.is_open(&folder) {
                // Also where it looks as it did: it was written to, and only its content tells what.
                load.push(folder);
            }
        }
        self.restless_since = self.restless_since.filter(|_| !self.quiet_since.is_empty()).map(|_| now);
        self.load_whole(load, now);
    }

    /// Loads folders, but for those of which one file has changed alone and that may be about access.
    fn load_whole(&mut self, folders: Vec<PathBuf>, now: Instant) {
        let mut load = Vec::new();
        for folder in folders {
            let looks = look_at(&folder);
            let half = self.seen.get(&folder).is_some_and(|read| is_half_changed(&read.looks, &looks));
            if half && self.shared.catalog.serves(&folder) && self.peek.at(&folder, looks).may_be_at(Stage::Access) {
                self.half.entry(folder).or_insert(now);
            } else {
                self.half.remove(&folder);
                load.push(folder);
            }
        }
        self.load(&load);
    }

    /// Loads folders of which one file has changed alone and the other one has not followed.
    fn load_half(&mut self, now: Instant) {
        let over = self.half.iter().filter(|(_, since)| now.saturating_duration_since(**since) >= HALF);
        let over: Vec<PathBuf> = over.map(|(folder, _)| folder.clone()).collect();
        self.half.retain(|folder, _| !over.contains(folder));
        self.load(&over);
    }

    /// Looks at all folders, and loads those that have changed.
    #[expect(clippy::disallowed_methods, reason = "watching a directory happens in real time")]
    fn look(&mut self, when: Load) {
        let at_once = when == Load::AtOnce;
        self.writing.forget_old();
        let Some(folders) = self.folders(Instant::now()) else { return };
        let mut load = Vec::new();
        let before = std::mem::take(&mut self.unsettled);
        for folder in folders {
            let looks = look_at(&folder);
            if at_once {
                self.quiet_since.remove(&folder);
            }
            if is_nothing(&looks) && self.shared.catalog.serves(&folder) {
                self.miss(&folder);
                continue;
            }
            self.missing.forget(&folder);
            let same = self.seen.get(&folder).filter(|read| read.looks == looks);
            let is_settled = same.is_some_and(|read| !at_once || read.content.is_some());
            if is_settled || self.quiet_since.contains_key(&folder) || self.half.contains_key(&folder) {
                continue;
            }
            if at_once || (before.get(&folder) == Some(&looks) && !self.writing.is_open(&folder)) {
                load.push(folder);
            } else {
                self.unsettled.insert(folder, looks);
            }
        }
        if at_once { self.load(&load) } else { self.load_whole(load, Instant::now()) }
    }

    /// All folders that are there, or were; nothing where the directory cannot be read, so that nothing is believed to be gone.
    fn folders(&mut self, at: Instant) -> Option<BTreeSet<PathBuf>> {
        let moved = self.root.look();
        if matches!(moved, Ok(true)) {
            tracing::info!(directory = %self.root.name().display(), "the rules directory is another one");
            self.look_twice(at);
        }
        let name = self.root.name().to_owned();
        let known = |path: &PathBuf| {
            let is_known = self.found.read.contains(path) || self.is_known(path) || self.shared.catalog.serves(path);
            is_known && !self.found.beyond.contains(path)
        };
        let found = moved.and_then(|_| limit::folders(&name, known));
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                if self.unreadable.is_none() {
                    tracing::warn!(directory = %name.display(), %error, "the rules directory cannot be read: its rules go on");
                }
                self.unreadable = Some(error.to_string());
                return None;
            }
        };
        self.unreadable = None;
        self.limit(&found);
        let mut folders = found.read.clone();
        folders.extend(self.seen.keys().cloned());
        folders.extend(self.shared.catalog.folders().keys().filter(|folder| !found.beyond.contains(*folder)).cloned());
        self.found = found;
        Some(folders)
    }

    /// Names the folders beyond the limit.
    fn limit(&mut self, found: &Found) {
        if found.beyond_count > 0 && self.found.beyond_count != found.beyond_count {
            let (directory, beyond) = (self.root.name().display(), found.beyond_count);
            tracing::error!(%directory, beyond, "more than {FOLDERS_MAX} folders: the rest is not read, and a person decides about access");
        }
        let new = limit::refusals(found, &self.found);
        if !new.is_empty() {
            self.shared.catalog.apply(new, now());
        }
    }

    /// A folder whose rules are in effect is not there.
    #[expect(clippy::disallowed_methods, reason = "watching a directory happens in real time")]
    fn miss(&mut self, folder: &Path) {
        self.half.remove(folder);
        let at = Instant::now();
        if self.missing.note(folder.to_owned(), at, now()) {
            tracing::warn!(folder = %folder.display(), "a rule's folder is not there: the rule goes on until that is believed");
            // It may have been renamed, and what it is called now was refused for its name.
            self.retry_refused(folder, at);
        }
    }

    /// Looks again at folders that were refused: maybe because of one that is there no longer.
    fn retry_refused(&mut self, but: &Path, at: Instant) {
        let folders = self.shared.catalog.folders();
        let refused = folders.values().filter(|status| status.error.is_some()).map(|status| &status.folder);
        let refused = refused.filter(|folder| *folder != but && !self.found.beyond.contains(*folder));
        for folder in refused.cloned().collect::<Vec<PathBuf>>() {
            if let Some(read) = self.seen.get_mut(&folder) {
                read.content = None;
            }
            self.disturb(folder, at);
        }
    }

    /// Puts folders into the lanes, to be shown together.
    #[expect(clippy::disallowed_methods, reason = "watching a directory happens in real time")]
    fn load(&mut self, folders: &[PathBuf]) {
        let tables = self.shared.tables.load_full();
        let new: Vec<PathBuf> = folders.iter().filter(|folder| !self.loading.contains_key(*folder)).cloned().collect();
        self.batches.begin(&new, Instant::now());
        for folder in new {
            let (looks, tables) = (look_at(&folder), Arc::clone(&tables));
            let known = self.seen.get(&folder).and_then(|read| read.content);
            self.loading.insert(folder.clone(), looks);
            self.lanes.load(Job { folder, looks, tables, known });
        }
    }

    /// Reads one folder more, though nothing about it looks different: what is served is what lies there.
    fn compare_one(&mut self) {
        let after = |folder: &&PathBuf| self.compared.as_ref().is_none_or(|compared| *folder > compared);
        let next = self.seen.keys().find(after).or_else(|| self.seen.keys().next()).cloned();
        self.compared.clone_from(&next);
        // What looks different is loaded with all else that does.
        let same = |folder: &PathBuf| self.seen.get(folder).is_some_and(|read| read.looks == look_at(folder));
        if let Some(folder) = next.filter(same) {
            self.load(&[folder]);
        }
    }

    /// Takes a folder out of its lane, and gives what is to be shown now. One that has changed in the meantime is seen to have, and loaded again.
    fn finished(&mut self, done: Done, now: Instant) -> Vec<(PathBuf, Outcome)> {
        let Done { folder, looks, content, outcome } = done;
        self.loading.remove(&folder);
        if matches!(outcome, Outcome::Gone) {
            self.seen.remove(&folder);
            self.missing.end(&folder, now);
            self.retry_refused(&folder, now);
        } else {
            // What failed for want of the machine is tried again at the next looks, as if it had never been seen.
            if matches!(&outcome, Outcome::Refused { error, .. } if error.is_passing()) {
                self.seen.remove(&folder);
            } else {
                self.seen.insert(folder.clone(), Read { looks, content });
            }
            if look_at(&folder) != looks {
                self.disturb(folder.clone(), now);
            }
        }
        if self.again.remove(&folder) {
            self.load(std::slice::from_ref(&folder));
        }
        self.batches.finished(folder, outcome, now)
    }

    fn show(&mut self, ready: Vec<(PathBuf, Outcome)>) {
        // Where nothing is another than it was, there is nothing to show.
        if ready.iter().any(|(_, outcome)| !matches!(outcome, Outcome::Same)) {
            self.shared.catalog.apply(ready, now());
            self.lanes.compare_unknown(&self.shared.catalog.generation(), &self.shared.tables.load());
        }
    }

    fn disturb(&mut self, folder: PathBuf, now: Instant) {
        self.restless_since.get_or_insert(now);
        self.quiet_since.insert(folder, now);
    }

    /// Tells the catalog what is not read yet and what is missing.
    fn publish(&mut self, now: Instant) {
        for folder in self.shared.catalog.take_renamed() {
            if !self.is_meant {
                self.missing.replaced(&folder, now);
            }
            // The rule that it had may lie in another folder, and was refused there for its name.
            self.retry_refused(&folder, now);
        }
        let before = self.shared.catalog.unread();
        let waiting = self.quiet_since.keys().chain(self.half.keys()).cloned();
        let mut waiting: BTreeMap<PathBuf, Seen> = waiting.map(|folder| (folder.clone(), look_at(&folder))).collect();
        waiting.extend(self.unsettled.iter().chain(&self.loading).map(|(folder, looks)| (folder.clone(), *looks)));
        let mut unread = BTreeMap::new();
        for (folder, looks) in waiting {
            let is_new = self.seen.get(&folder).is_none_or(|read| read.looks != looks);
            let since = before.get(&folder).map_or(now, |unread| unread.since);
            // What has no manifest yet is being copied, and no rule so far.
            if is_new && looks.first().is_some_and(Option::is_some) {
                let says = self.peek.at(&folder, looks);
                unread.insert(folder, Unread { says, since });
            }
        }
        self.peek.keep(&unread);
        let directory = Directory {
            unreadable: self.unreadable.clone(),
            present: self.present(),
            beyond: self.found.beyond_count,
            missing: self.missing.list(),
            ended: self.missing.ended(self.habits.patience, now),
            unread: unread.len(),
            loading: self.loading.keys().cloned().collect(),
            is_read: self.shared.is_read.load(Ordering::Acquire) || self.batches.is_first_over(),
        };
        self.shared.catalog.set_unread(unread);
        let is_read = directory.is_read;
        self.shared.catalog.set_directory(directory);
        self.shared.is_read.store(is_read, Ordering::Release);
    }
}

#[expect(clippy::disallowed_methods, reason = "shown to people as the time of a reload")]
fn now() -> SystemTime {
    SystemTime::now()
}
