//! The threads that load folders, so that one which compiles for many seconds keeps no other one waiting.
//!
//! There are two lanes: components of megabytes, as JavaScript and Python make them, queue behind each other in one and
//! never before the small ones in the other.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::look::{Seen, is_nothing};
use crate::rules::live::catalog::Outcome;
use crate::rules::live::generation::Generation;
use crate::rules::load::folder::Content;
use crate::rules::load::{COMPONENT_FILE, LoadError, Loader};
use crate::rules::run::manifest::Says;
use crate::rules::run::rule::Rule;
use crate::rules::tables::Tables;

/// Folders that are loaded at once in each lane. A compiler uses all cores by itself; two hide the waiting for files.
const AT_ONCE: usize = 2;
/// A component from this size on, in bytes, goes to the heavy lane.
const HEAVY_BYTES: u64 = 2 << 20;

/// A folder to load, as it looked when that was decided.
pub struct Job {
    pub folder: PathBuf,
    pub looks: Seen,
    pub tables: Arc<Tables>,
    /// The content that it had when it was loaded or refused last: the same again changes nothing.
    pub known: Option<Content>,
}

/// A folder that was loaded or refused.
pub struct Done {
    pub folder: PathBuf,
    pub looks: Seen,
    /// Its content, where it could be read.
    pub content: Option<Content>,
    pub outcome: Outcome,
}

/// The lanes' entrances. Dropping them ends the threads, each after the folder it is at.
pub struct Lanes {
    light: Sender<Job>,
    heavy: Sender<Job>,
    compare: Sender<(Weak<Rule>, Arc<Tables>)>,
}

impl Lanes {
    /// Starts the threads; each calls `done` with what it has loaded.
    pub fn start<F>(loader: &Arc<Loader>, done: F) -> std::io::Result<Self>
    where
        F: Fn(Done) + Clone + Send + 'static,
    {
        let lane = |name: &str| {
            let (send, receive) = unbounded::<Job>();
            for number in 0..AT_ONCE {
                let (loader, receive, done) = (Arc::clone(loader), receive.clone(), done.clone());
                thread::Builder::new()
                    .name(format!("rules-{name}-{number}"))
                    .spawn(move || run(&loader, &receive, &done))?;
            }
            Ok::<_, std::io::Error>(send)
        };
        let (compare, receive) = unbounded::<(Weak<Rule>, Arc<Tables>)>();
        let own = Arc::clone(loader);
        thread::Builder::new().name("rules-compare".to_owned()).spawn(move || {
            for (rule, tables) in receive {
                // One that has been superseded is no question any more.
                let Some(rule) = Weak::upgrade(&rule) else { continue };
                // A rule that ends this thread would leave all others unknown; it stays unknown itself.
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    own.find_out(&rule, &tables);
                    own.try_largest(&rule, &tables);
                }));
            }
        })?;
        Ok(Self { light: lane("load")?, heavy: lane("heavy")?, compare })
    }

    /// Queues those live rules of which it is not known yet whether they always answer the same, to be compared with themselves
    /// compiled otherwise, behind everything else. Nothing, while any waits.
    pub fn compare_unknown(&self, generation: &Generation, tables: &Arc<Tables>) {
        if !self.compare.is_empty() {
            return;
        }
        let is_unknown = |rule: &&Arc<Rule>| rule.determinism.is_open() || rule.largest.get().is_none();
        for rule in generation.rules().iter().filter(is_unknown) {
            // The thread outlives the entrances, so that it is always taken.
            let _ = self.compare.send((Arc::downgrade(rule), Arc::clone(tables)));
        }
    }

    /// Queues a folder.
    pub fn load(&self, job: Job) {
        let bytes = fs::metadata(job.folder.join(COMPONENT_FILE)).map_or(0, |metadata| metadata.len());
        let lane = if bytes < HEAVY_BYTES { &self.light } else { &self.heavy };
        // The threads outlive the entrances, so there is always somebody to take it.
        let _ = lane.send(job);
    }
}

fn run(loader: &Loader, jobs: &Receiver<Job>, done: &impl Fn(Done)) {
    for job in jobs {
        // A folder whose loading ends this thread would be loading for ever.
        let (content, outcome) = catch_unwind(AssertUnwindSafe(|| outcome(loader, &job))).unwrap_or_else(|_| {
            let error = LoadError::Bug { folder: job.folder.clone() };
            (None, Outcome::Refused { error, says: Says::Unknown })
        });
        done(Done { folder: job.folder, looks: job.looks, content, outcome });
    }
}

fn outcome(loader: &Loader, job: &Job) -> (Option<Content>, Outcome) {
    let Job { folder, looks, tables, known } = job;
    if is_nothing(looks) {
        return (None, Outcome::Gone);
    }
    let refused = |error| Outcome::Refused { error, says: loader.says(folder) };
    let files = match loader.read_folder(folder, tables) {
        Ok(files) => files,
        Err(error) => return (None, refused(error)),
    };
    let content = Some(files.content);
    if *known == content {
        return (content, Outcome::Same);
    }
    tracing::info!(folder = %folder.display(), "a rule is compiled and tried");
    match loader.load(folder, files, tables) {
        Ok(rule) => (content, Outcome::Loaded(Box::new(rule))),
        Err(error) => (content, refused(error)),
    }
}
