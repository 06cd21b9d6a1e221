//! Waiting for the disk, away from the connection that writes: while one batch gets there, the next is written already.
//!
//! SQLite runs with `synchronous = normal`: it writes a commit into the write-ahead log and does not wait, and it waits by
//! itself only where the order of writes matters (at a checkpoint, and when the log begins again). A commit is durable once
//! the log was flushed after it, or copied into the database, which SQLite flushes. So no request is answered before that.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::private::beside;
use super::{Db, Tx};
use crate::store::Error;

/// How long it waits before it tries again to open the log.
const AGAIN: Duration = Duration::from_millis(20);

/// Flushes the write-ahead log of one database. Clones share its thread, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Flusher {
    /// How many flushes were asked for.
    asked: Arc<AtomicU64>,
    /// Holds a word while there is something to flush that the thread has not looked at.
    wake: mpsc::Sender<()>,
    disk: watch::Receiver<Disk>,
    /// The database that the log is of.
    database: Option<Named>,
}

/// The state of the disk, as far as it is known.
#[derive(Debug, Clone, Default)]
struct Disk {
    /// How many of the flushes that were asked for it has done.
    done: u64,
    /// Why the log cannot be flushed now; commits wait until that has passed.
    hindered: Option<String>,
    /// Why it did not take what was written. What it then holds is unknown, and a later flush that succeeds says nothing
    /// about it.
    lost: Option<String>,
}

impl Disk {
    fn check(&self) -> Result<(), Error> {
        match (&self.lost, &self.hindered) {
            (Some(why), _) => Err(Error::Lost(why.as_str().into())),
            (None, Some(why)) => Err(Error::Starved(format!("the write-ahead log cannot be flushed: {why}").into())),
            (None, None) => Ok(()),
        }
    }

    fn outcome(&self) -> Result<(), Error> {
        self.lost.as_ref().map_or(Ok(()), |why| Err(Error::Lost(why.as_str().into())))
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
        disk.outcome()
    }
}

impl Db {
    /// As [`Db::transaction`], and waits until its commit is on disk.
    ///
    /// # Errors
    ///
    /// The same; [`Error::Lost`].
    pub async fn durably<T, F, B>(&self, body: F) -> Result<T, Error>
    where
        F: FnMut(Tx) -> B,
        B: Future<Output = Result<(T, Tx), Error>>,
    {
        let (value, flush) = self.transaction(body).await?;
        flush.done().await?;
        Ok(value)
    }
}

impl Flusher {
    /// Starts the thread that flushes.
    ///
    /// # Errors
    ///
    /// Where the system gives no thread.
    pub fn start(database: &Path) -> io::Result<Flusher> {
        let log = Log::of(database);
        let database = log.database.clone();
        Ok(Flusher { database, ..Self::of_log(log)? })
    }

    fn of_log(log: impl Flushed) -> io::Result<Flusher> {
        let asked = Arc::new(AtomicU64::new(0));
        let (wake, woken) = mpsc::channel(1);
        let (tell, disk) = watch::channel(Disk::default());
        let count = Arc::clone(&asked);
        thread::Builder::new().name("disk".to_owned()).spawn(move || flush_all(log, &count, woken, &tell))?;
        Ok(Flusher { asked, wake, disk, database: None })
    }

    /// Asks for a flush of all that was committed before.
    pub fn flush(&self) -> Flush {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        // Where a word waits already, the thread has yet to look at the count, and will see this one in it.
        let _ = self.wake.try_send(());
        Flush(Some((number, self.disk.clone())))
    }

    /// Whether writing makes sense now.
    ///
    /// # Errors
    ///
    /// [`Error::Lost`] since the disk has failed to take something; [`Error::Starved`] while the log cannot be opened.
    pub fn check(&self) -> Result<(), Error> {
        self.disk.borrow().check()
    }

    /// Whether the database is where it was when it was opened, also where nothing is written that would find out.
    ///
    /// # Errors
    ///
    /// [`Error::Starved`] while it is not.
    pub async fn look(&self) -> Result<(), Error> {
        let Some(database) = self.database.clone() else { return Ok(()) };
        // A file system may be slow to answer.
        let looked = tokio::task::spawn_blocking(move || database.check()).await.map_err(|_| Error::Stopped)?;
        looked.map_err(|error| Error::Starved(error.to_string().into()))
    }
}

/// Something that can be flushed.
trait Flushed: Send + 'static {
    /// Makes sure that there is something to flush; `false` where there is nothing.
    ///
    /// # Errors
    ///
    /// Where that cannot be found out now. It may be asked again.
    fn ready(&mut self) -> io::Result<bool>;

    /// Flushes. An error means that what was written may be lost.
    ///
    /// # Errors
    ///
    /// Where the disk does not take it.
    fn flush(&self) -> io::Result<()>;
}

/// The identity of a file, under any name.
type Identity = (u64, u64);

fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

/// A database as it was opened. It is looked at by its name alone: a descriptor of its own would end SQLite's locks when it is closed.
#[derive(Debug, Clone)]
struct Named {
    path: PathBuf,
    opened: Identity,
}

impl Named {
    /// Whether it is where it was. SQLite goes on with a file that was taken away, which no desk finds again.
    fn check(&self) -> io::Result<()> {
        let is_there = match fs::metadata(&self.path) {
            Ok(named) => identity(&named) == self.opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        if is_there {
            return Ok(());
        }
        let why = "the database's file is gone, or another is in its place: put it back, or start the desk again";
        Err(io::Error::other(why))
    }
}

/// A log, which stays open: to flush it must not depend on whether the system has a descriptor to give.
struct Log {
    path: PathBuf,
    file: Option<File>,
    /// The database that it is of.
    database: Option<Named>,
}

impl Log {
    fn of(database: &Path) -> Log {
        let found = fs::metadata(database).ok();
        let found = found.map(|metadata| Named { path: database.to_owned(), opened: identity(&metadata) });
        Log { database: found, ..Log::at(beside(database, "-wal")) }
    }

    fn at(path: PathBuf) -> Log {
        // There may be none yet, and an error shows at the first flush.
        let file = File::open(&path).ok();
        Log { path, file, database: None }
    }
}

impl Flushed for Log {
    /// The log is another file after the last connection was closed and one was opened again.
    fn ready(&mut self) -> io::Result<bool> {
        self.database.as_ref().map_or(Ok(()), Named::check)?;
        let named = match fs::metadata(&self.path) {
            Ok(named) => named,
            // SQLite removes the log when all of it is in the database, and flushed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let held = self.file.as_ref().map(File::metadata).transpose()?;
        if held.is_none_or(|held| identity(&held) != identity(&named)) {
            self.file = Some(File::open(&self.path)?);
        }
        Ok(true)
    }

    fn flush(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }
}

/// Flushes once for all requests that came meanwhile, until all senders are gone.
fn flush_all(mut log: impl Flushed, asked: &AtomicU64, mut woken: mpsc::Receiver<()>, tell: &watch::Sender<Disk>) {
    while woken.blocking_recv().is_some() {
        let number = asked.load(Ordering::SeqCst);
        let Some(something) = wait_for(&mut log, tell, &woken) else { return };
        let flushed = if something { log.flush() } else { Ok(()) };
        if let Err(error) = &flushed {
            tracing::error!(%error, "the disk did not take what was written: nothing more is written");
        }
        tell.send_modify(|disk| {
            disk.done = number;
            disk.hindered = None;
            disk.lost = disk.lost.take().or(flushed.err().map(|error| error.to_string()));
        });
    }
}

/// Waits until the log can be flushed: what hinders that, such as a want of descriptors, says nothing about the disk. `None`
/// where nobody waits any more.
#[expect(clippy::disallowed_methods, reason = "there is nothing to wait for but time")]
fn wait_for(log: &mut impl Flushed, tell: &watch::Sender<Disk>, woken: &mpsc::Receiver<()>) -> Option<bool> {
    loop {
        match log.ready() {
            Ok(something) => return Some(something),
            Err(_) if woken.is_closed() && tell.receiver_count() == 0 => return None,
            Err(error) => {
                if tell.borrow().hindered.is_none() {
                    tracing::warn!(%error, "the write-ahead log cannot be flushed: commits wait until it can");
                }
                tell.send_modify(|disk| disk.hindered = Some(error.to_string()));
                thread::sleep(AGAIN);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn a_commit_is_done_when_the_log_is_flushed_or_gone() {
        let folder = tempfile::tempdir().unwrap();
        let flusher = Flusher::start(&folder.path().join("desk.db")).unwrap();
        flusher.flush().done().await.unwrap();
        fs::write(folder.path().join("desk.db-wal"), "frames").unwrap();
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
        let flusher = Flusher::of_log(Log::at(log.clone())).unwrap();
        assert!(matches!(flusher.flush().done().await, Err(Error::Lost(_))));
        fs::remove_file(&log).unwrap();
        assert!(matches!(flusher.flush().done().await, Err(Error::Lost(_))));
        assert!(matches!(flusher.check(), Err(Error::Lost(_))));
    }

    #[test]
    fn a_log_that_was_replaced_is_opened_again_and_the_same_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "one").unwrap();
        let mut log = Log::at(path.clone());
        let held = |log: &Log| log.file.as_ref().unwrap().metadata().unwrap().ino();
        let first = held(&log);
        assert!(log.ready().unwrap());
        assert_eq!(held(&log), first);
        fs::write(folder.path().join("other"), "two").unwrap();
        fs::rename(folder.path().join("other"), &path).unwrap();
        assert!(log.ready().unwrap());
        assert_ne!(held(&log), first);
        fs::remove_file(&path).unwrap();
        assert!(!log.ready().unwrap());
    }

    /// One that is put back was only away; another in its place is not the one that was written to.
    #[tokio::test]
    async fn what_goes_into_a_file_that_was_taken_away_is_not_durable() {
        let folder = tempfile::tempdir().unwrap();
        let (database, away) = (folder.path().join("desk.db"), folder.path().join("away.db"));
        fs::write(&database, "pages").unwrap();
        fs::write(folder.path().join("desk.db-wal"), "frames").unwrap();
        let flusher = Flusher::start(&database).unwrap();
        flusher.flush().done().await.unwrap();
        fs::rename(&database, &away).unwrap();
        let mut disk = flusher.disk.clone();
        {
            let mut waiting = std::pin::pin!(flusher.flush().done());
            tokio::select! {
                _ = &mut waiting => panic!("it would not be found again"),
                hindered = disk.wait_for(|disk| disk.hindered.is_some()) => drop(hindered.unwrap()),
            }
            assert!(matches!(flusher.check(), Err(Error::Starved(_))));
            fs::rename(&away, &database).unwrap();
            waiting.await.unwrap();
        }
        flusher.check().unwrap();
        flusher.look().await.unwrap();
        fs::write(&away, "other pages").unwrap();
        fs::rename(&away, &database).unwrap();
        flusher.check().unwrap();
        assert!(matches!(flusher.look().await, Err(Error::Starved(_))), "it is seen before anything is written");
        let mut waiting = std::pin::pin!(flusher.flush().done());
        tokio::select! {
            _ = &mut waiting => panic!("another database is in its place"),
            hindered = disk.wait_for(|disk| disk.hindered.is_some()) => drop(hindered.unwrap()),
        }
    }

    /// A log that cannot be opened for as long as the test says so.
    struct Hindered(Arc<Mutex<Option<i32>>>);

    impl Flushed for Hindered {
        fn ready(&mut self) -> io::Result<bool> {
            self.0.lock().unwrap().map_or(Ok(true), |error| Err(io::Error::from_raw_os_error(error)))
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_want_of_descriptors_holds_commits_up_and_loses_none() {
        const EMFILE: i32 = 24;
        let error = Arc::new(Mutex::new(Some(EMFILE)));
        let flusher = Flusher::of_log(Hindered(Arc::clone(&error))).unwrap();
        let mut waiting = std::pin::pin!(flusher.flush().done());
        let mut disk = flusher.disk.clone();
        tokio::select! {
            _ = &mut waiting => panic!("nothing was flushed"),
            hindered = disk.wait_for(|disk| disk.hindered.is_some()) => drop(hindered.unwrap()),
        }
        let told = flusher.check().unwrap_err();
        assert!(matches!(told, Error::Starved(_)) && told.to_string().contains("Too many open files"), "{told}");
        *error.lock().unwrap() = None;
        waiting.await.unwrap();
        flusher.check().unwrap();
    }
}
