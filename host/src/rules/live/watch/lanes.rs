//! The threads that load folders, so that one which compiles for many seconds keeps no other one waiting.
//!
//! There are two lanes: components of megabytes, as JavaScript and Python make them, queue behind each other in one and
//! never before the small ones in the other.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::look::{Seen, is_nothing};
use crate::rules::live::catalog::Outcome;
use crate::rules::load::{COMPONENT_FILE, LoadError, Loader};
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
}

/// A folder that was loaded or refused.
pub struct Done {
    pub folder: PathBuf,
    pub looks: Seen,
    pub outcome: Outcome,
}

/// The lanes' entrances. Dropping them ends the threads, each after the folder it is at.
pub struct Lanes {
    light: Sender<Job>,
    heavy: Sender<Job>,
    compare: Sender<(Arc<Rule>, Arc<Tables>)>,
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
        let (compare, receive) = unbounded::<(Arc<Rule>, Arc<Tables>)>();
        let own = Arc::clone(loader);
        thread::Builder::new().name("rules-compare".to_owned()).spawn(move || {
            for (rule, tables) in receive {
                // A rule that ends this thread would leave all others unknown; it stays unknown itself.
                let _ = catch_unwind(AssertUnwindSafe(|| own.find_out(&rule, &tables)));
            }
        })?;
        Ok(Self { light: lane("load")?, heavy: lane("heavy")?, compare })
    }

    /// Queues a live rule to be compared with itself compiled otherwise, behind everything else that is.
    pub fn compare(&self, rule: Arc<Rule>, tables: Arc<Tables>) {
        // The thread outlives the entrances, so there is always somebody to take it.
        let _ = self.compare.send((rule, tables));
    }

    /// Whether no rule waits to be compared.
    pub fn compare_nothing(&self) -> bool {
        self.compare.is_empty()
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
    for Job { folder, looks, tables } in jobs {
        // A folder whose loading ends this thread would be loading for ever.
        let outcome =
            catch_unwind(AssertUnwindSafe(|| outcome(loader, &folder, looks, &tables))).unwrap_or_else(|_| {
                let error = LoadError::Bug { folder: folder.clone() };
                Outcome::Refused { error, may_be_access: true }
            });
        done(Done { folder, looks, outcome });
    }
}

fn outcome(loader: &Loader, folder: &Path, looks: Seen, tables: &Arc<Tables>) -> Outcome {
    if is_nothing(&looks) {
        return Outcome::Gone;
    }
    match loader.load(folder, tables) {
        Ok(rule) => Outcome::Loaded(Box::new(rule)),
        Err(error) => Outcome::Refused { error, may_be_access: loader.may_be_access(folder) },
    }
}
