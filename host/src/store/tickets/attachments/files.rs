//! The store of files: a directory, or a bucket that speaks S3. A file comes in pieces into a spool of this host's own, where
//! its digest is taken and its size bounded, and goes whole into the store.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::store::Error;
use crate::store::db::private;
use crate::store::rules::segments::place::{Archive, Lost};
use crate::store::sql::columns::hex;

/// Files that come in at once.
const AT_ONCE: usize = 32;
/// Bytes that are gathered before they are written.
const PIECE_BYTES: usize = 256 << 10;
/// Bytes of the beginning of a file by which its type is found.
const BEGINNING_BYTES: usize = 8 << 10;
/// How long a file may lie in the spool: longer than any request takes.
const SPOOLED_MAX: Duration = Duration::from_secs(24 * 3600);

/// The store of files.
#[derive(Debug, Clone)]
pub struct Files {
    place: Option<Archive>,
    spool: PathBuf,
    places: Arc<Semaphore>,
}

impl Files {
    /// A store with a spool in a directory of this host.
    pub fn new(place: Archive, spool: PathBuf) -> Self {
        Self { place: Some(place), spool, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// No store at all: nothing can be kept.
    pub fn none() -> Self {
        Self { place: None, spool: PathBuf::new(), places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    fn place(&self) -> Result<&Archive, Lost> {
        self.place.as_ref().ok_or(Lost::NoArchive)
    }

    /// Begins a file under a name that no other has.
    ///
    /// # Errors
    ///
    /// [`Error::Full`] where too many come in at once; where the spool cannot be written.
    pub async fn begin(&self, name: Uuid) -> Result<Spool, Error> {
        self.place()?;
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Error::Full)?;
        let path = self.spool.join(name.to_string());
        let (directory, file) = (self.spool.clone(), path.clone());
        let file = apart(&self.spool, move || {
            private::directory(&directory)?;
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
        });
        let file = file.await?;
        let written = Written { file, hash: Sha256::new() };
        Ok(Spool {
            path: Held(path),
            written: Some(written),
            pending: Vec::new(),
            beginning: Vec::new(),
            size: 0,
            permit,
        })
    }

    /// Keeps a file as an object.
    pub(super) async fn keep(&self, object: Uuid, spooled: &Spooled) -> Result<(), Lost> {
        self.place()?.put_file(&object.to_string(), &spooled.path.0).await
    }

    /// A part of an object.
    pub(super) async fn read(&self, object: Uuid, range: Range<u64>) -> Result<Vec<u8>, Lost> {
        self.place()?.read(&object.to_string(), range).await
    }

    /// Removes an object, if it is there.
    pub(super) async fn remove(&self, object: Uuid) -> Result<(), Lost> {
        self.place()?.remove(&object.to_string()).await
    }

    /// Removes from the spool what a host that was cut off has left.
    pub(super) async fn sweep(&self) -> Result<(), Lost> {
        let directory = self.spool.clone();
        apart(&self.spool, move || sweep(&directory)).await
    }
}

/// A file that comes in. Where it is dropped, nothing of it is left.
#[derive(Debug)]
pub struct Spool {
    path: Held,
    /// Absent only while it is being written.
    written: Option<Written>,
    pending: Vec<u8>,
    beginning: Vec<u8>,
    size: u64,
    permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Written {
    file: File,
    hash: Sha256,
}

/// A file that has come in.
#[derive(Debug)]
pub struct Spooled {
    path: Held,
    /// SHA-256 in hexadecimal.
    pub digest: String,
    /// In bytes.
    pub size: u64,
    /// The first bytes of it.
    pub beginning: Vec<u8>,
    _permit: OwnedSemaphorePermit,
}

/// A file that goes with its holder.
#[derive(Debug)]
struct Held(PathBuf);

impl Drop for Held {
    fn drop(&mut self) {
        // It is elsewhere already where it was kept.
        let _ = fs::remove_file(&self.0);
    }
}

impl Spool {
    /// The bytes that have come so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next piece.
    ///
    /// # Errors
    ///
    /// Where the spool cannot be written.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.size += bytes.len() as u64;
        let room = BEGINNING_BYTES.saturating_sub(self.beginning.len());
        self.beginning.extend(bytes.iter().take(room));
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= PIECE_BYTES { self.flush(false).await } else { Ok(()) }
    }

    async fn flush(&mut self, last: bool) -> Result<(), Error> {
        let mut written = self.written.take().ok_or(Error::Stopped)?;
        let pending = std::mem::take(&mut self.pending);
        let written = apart(&self.path.0, move || {
            written.hash.update(&pending);
            written.file.write_all(&pending)?;
            if last {
                written.file.sync_all()?;
            }
            Ok(written)
        });
        self.written = Some(written.await?);
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    ///
    /// Where the spool cannot be written.
    pub async fn end(mut self) -> Result<Spooled, Error> {
        self.flush(true).await?;
        let hash = self.written.take().ok_or(Error::Stopped)?.hash.finalize();
        let digest = hex(&hash.into());
        let Spool { path, beginning, size, permit, .. } = self;
        Ok(Spooled { path, digest, size, beginning, _permit: permit })
    }
}

/// Works on a thread that may wait for a disk.
async fn apart<T: Send + 'static>(
    place: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Lost> {
    let place = || place.display().to_string();
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Lost::Away { place: place(), words: error.to_string().into() })?
        .map_err(|error| Lost::of(&error, place()))
}

fn sweep(directory: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let age = |changed: SystemTime| changed.elapsed().unwrap_or_default();
        if entry.metadata()?.modified().is_ok_and(|changed| age(changed) > SPOOLED_MAX) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
