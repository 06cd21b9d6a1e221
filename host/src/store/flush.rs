//! Waiting for the disk, away from the connection that writes: while one batch gets there, the next is written already.
//!
//! SQLite runs with `synchronous = normal`: it writes a commit into the write-ahead log and does not wait, and it waits by
//! itself only where the order of writes matters (at a checkpoint, and when the log begins anew). A commit is durable once the
//! log was flushed after it, or copied into the database, which SQLite flushes. So nobody is answered before that.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tokio::sync::{mpsc, watch};

use super::Error;

/// Flushes the write-ahead log of one database. Clones share its thread, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Flusher {
    /// How many flushes were asked for.
    asked: Arc<AtomicU64>,
    /// Holds a word while there is something to flush that the thread has not looked at.
    wake: mpsc::Sender<()>,
    disk: watch::Receiver<Disk>,
}

/// What is known of the disk.
#[derive(Debug, Clone, Default)]
struct Disk {
    /// How many of the flushes that were asked for it has done.
    done: u64,
    /// Why it did not take what was written. What it then holds is unknown, and a later flush that succeeds says nothing
    /// about it.
    lost: Option<String>,
}

impl Disk {
    fn check(&self) -> Result<(), Error> {
        self.lost.as_ref().map_or(Ok(()), |why| Err(Error::Lost(why.clone())))
    }
}

/// A commit on its way to the disk.
#[must_use = "a commit is durable only when this was waited for"]
#[derive(Debug)]
pub struct Flush(Option<(u64, watch::Receiver<Disk>)>);

impl Flush {
    /// Of a commit that is on disk already.
    pub const DONE: Flush = Flush(None);

    /// Waits until the commit is on disk.
    ///
    /// # Errors
    ///
    /// [`Error::Lost`].
    pub async fn done(self) -> Result<(), Error> {
        let Some((number, mut disk)) = self.0 else { return Ok(()) };
        let disk = disk.wait_for(|disk| disk.done >= number).await.map_err(|_| Error::Stopped)?;
        disk.check()
    }
}

impl Flusher {
    /// Starts the thread that flushes.
    ///
    /// # Errors
    ///
    /// Where the system gives no thread.
    pub fn start(database: &Path) -> io::Result<Flusher> {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        Self::of_log(PathBuf::from(log))
    }

    fn of_log(log: PathBuf) -> io::Result<Flusher> {
        let asked = Arc::new(AtomicU64::new(0));
        let (wake, woken) = mpsc::channel(1);
        let (tell, disk) = watch::channel(Disk::default());
        let count = Arc::clone(&asked);
        thread::Builder::new().name("disk".to_owned()).spawn(move || flush_all(&log, &count, woken, &tell))?;
        Ok(Flusher { asked, wake, disk })
    }

    /// Asks for a flush of all that was committed before.
    pub fn flush(&self) -> Flush {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        // Where a word waits already, the thread has yet to look at the count, and will see this one in it.
        let _ = self.wake.try_send(());
        Flush(Some((number, self.disk.clone())))
    }

    /// Whether writing makes sense still.
    ///
    /// # Errors
    ///
    /// [`Error::Lost`] since the disk has failed to take something.
    pub fn check(&self) -> Result<(), Error> {
        self.disk.borrow().check()
    }
}

/// Flushes once for all who have asked meanwhile, until nobody can ask any more.
fn flush_all(log: &Path, asked: &AtomicU64, mut woken: mpsc::Receiver<()>, tell: &watch::Sender<Disk>) {
    while woken.blocking_recv().is_some() {
        let number = asked.load(Ordering::SeqCst);
        let flushed = flush_log(log);
        if let Err(error) = &flushed {
            tracing::error!(%error, log = %log.display(), "the disk did not take what was written: nothing more is written");
        }
        tell.send_modify(|disk| {
            disk.done = number;
            disk.lost = disk.lost.take().or(flushed.err().map(|error| error.to_string()));
        });
    }
}

/// Opened by its name each time: the log is another file after the last connection was closed and one was opened again.
fn flush_log(log: &Path) -> io::Result<()> {
    match File::open(log) {
        Ok(file) => file.sync_data(),
        // SQLite removes the log when all of it is in the database, and flushed.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_commit_is_done_when_the_log_is_flushed_or_gone() {
        let folder = tempfile::tempdir().unwrap();
        let flusher = Flusher::start(&folder.path().join("desk.db")).unwrap();
        flusher.flush().done().await.unwrap();
        std::fs::write(folder.path().join("desk.db-wal"), "frames").unwrap();
        let (one, two) = (flusher.flush(), flusher.flush());
        two.done().await.unwrap();
        one.done().await.unwrap();
        flusher.check().unwrap();
    }

    /// Once the disk has failed, a flush that would succeed proves nothing about what came before it.
    #[tokio::test]
    async fn after_a_failed_flush_nothing_is_taken_for_durable_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        // No device of this kind can be flushed.
        std::os::unix::fs::symlink("/dev/null", &log).unwrap();
        let flusher = Flusher::of_log(log.clone()).unwrap();
        assert!(matches!(flusher.flush().done().await, Err(Error::Lost(_))));
        std::fs::remove_file(&log).unwrap();
        assert!(matches!(flusher.flush().done().await, Err(Error::Lost(_))));
        assert!(matches!(flusher.check(), Err(Error::Lost(_))));
    }
}
